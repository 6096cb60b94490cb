"""A few lines of HTTP/1.1 for the demo's site and its webhook receiver: one request, one reply, connection closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

MAX_BODY = 1_000_000  # bytes of a request; the demo posts a few thousand


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. Header names are lower-case; `path` still holds its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What it is answered. `type` is the Content-Type as sent, with or without a charset."""

    status: int
    body: bytes = b""
    type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)

    def wire(self, *, head_only: bool = False) -> bytes:
        """The bytes of the whole answer."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if head_only else self.body)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The request, or None where the client sent none that can be read."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, _, rest = head[0].partition(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if not rest or not length.isdecimal() or int(length) > MAX_BODY:
        return None
    return Request(method, rest.split(" ")[0], headers, await reader.readexactly(int(length)))


class Listener:
    """A server on a free port of one loopback address, from `start` to `stop`; a subclass says how it talks."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. A client that hangs up ends it, wherever it is."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen. Where the system knows only one loopback address (macOS), any other becomes 127.0.0.1."""
        try:
            self._server = await asyncio.start_server(self._accept, self.host, 0)
        except OSError:
            self.host = "127.0.0.1"
            self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, end what is open, and return when the port is free."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
                await self.talk(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()


class HttpServer(Listener):
    """Answers every request with what `handler` returns."""

    def __init__(self, handler: Callable[[Request], Reply], host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self._handler = handler

    @property
    def url(self) -> str:
        """The server's root, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one reply."""
        request = await _read(reader)
        reply = self._handler(request) if request else Reply(400)
        writer.write(reply.wire(head_only=request is not None and request.method == "HEAD"))
        await writer.drain()
