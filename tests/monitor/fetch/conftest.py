"""A real web server for each test: it behaves as badly as it is told and writes down what it saw."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.fetch import Fetcher
from monitor.model import Fetch, Network, Page, Source
from monitor.net import Guard, Pools, UnresolvedError

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LOOPBACK = Network(allow_private=("127.0.0.0/8",))


@dataclass
class Seen:
    """One request as the server saw it; times are those of the event loop's clock."""

    path: str
    headers: dict[str, str]
    start: float
    end: float = 0.0
    overlaps: int = 0


Handler = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Site:
    """Routes are bytes to send, or coroutines. An unknown path is a 404; so is robots.txt unless it is set."""

    routes: dict[str, bytes | Handler] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    latency: float = 0.0
    active: int = 0
    connections: int = 0
    port: int = 0
    servers: list[asyncio.Server] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    @staticmethod
    def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
        """An HTTP answer; `length` lies about the body's."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def put(
        self, path: str, body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None
    ) -> None:
        """Answer this path so from now on."""
        self.routes[path] = self.answer(body, *headers, status=status, length=length)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[Seen]:
        return [s for s in self.seen if s.path == path]

    async def listen(self, host: str, context: ssl.SSLContext | None = None) -> int:
        """Serve on a free port of this address too; the port."""
        server = await asyncio.start_server(self._connected, host, 0, ssl=context)
        self.servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                await self._one(await reader.readuntil(b"\r\n\r\n"), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away
        finally:
            writer.transport.abort() if writer.transport.get_extra_info("sslcontext") else writer.close()

    async def aclose(self) -> None:
        for server in self.servers:
            server.close()
        for task in list(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()

    async def _one(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        first, *rest = request.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest if line)}
        loop = asyncio.get_running_loop()
        seen = Seen(first.split()[1], headers, loop.time(), overlaps=self.active)
        self.seen.append(seen)
        self.active += 1
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            route = self.routes.get(seen.path, self.answer(status="404 Not Found"))
            if isinstance(route, bytes):
                writer.write(route)
                await writer.drain()
            else:
                await route(seen, writer)
        finally:
            self.active -= 1
            seen.end = loop.time()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    made.port = await made.listen("0.0.0.0")
    yield made
    await made.aclose()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(LOOPBACK)
    yield made
    await made.aclose()


@pytest.fixture
def source() -> Callable[..., Source]:
    """A source that waits for nothing and reads no robots.txt, but for what a test asks."""
    quick: dict[str, object] = {"delay": timedelta(0), "respect_robots": False, "timeout": timedelta(seconds=5)}
    return lambda **changes: Source(key="songyuan", url="", **{**quick, **changes})  # type: ignore[arg-type]


@pytest.fixture
def page() -> Callable[..., Page]:
    """A watched address and what is known of it."""
    return lambda url, **known: Page(1, "songyuan", url, **known)


Read = Callable[..., Awaitable[Fetch]]


@pytest.fixture
def read(fetcher: Fetcher, site: Site, source: Callable[..., Source]) -> Read:
    """`await read("/path", timeout=…)`: one check of a path of the site; `known` is what its Page remembers."""

    async def once(
        path: str, *, host: str = "127.0.0.1", now: datetime = NOW, known: dict[str, Any] | None = None, **changes: Any
    ) -> Fetch:
        return await fetcher.fetch(source(**changes), Page(1, "songyuan", site.url(path, host), **(known or {})), now)

    return once


@pytest.fixture
def network_without_names() -> Pools:
    """Pools whose resolver knows no name."""

    async def nothing(host: str, port: int) -> list[str]:
        raise UnresolvedError(f"{host}: no such name")

    return Pools(Guard(Network(), nothing))
