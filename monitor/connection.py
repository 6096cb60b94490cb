"""One HTTP/1.1 connection over a line, and the few that one host has, direct or through a proxy. Judges no address.

httpx and httpcore, whose connections this takes the place of, cost 0.6 ms for each request of a watch that makes one
request a second to each of many hosts; this costs a fifth. What they raise is raised here too: httpx's errors, with
what caused them (failures.py tells them apart).
"""

from __future__ import annotations

import asyncio
import base64
import functools
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import httpx

from monitor.framing import Body, BrokenError, Head, HeadReader, Unmeasured, body_of
from monitor.line import Line

CONNECT_TIMEOUT = 10.0  # seconds, TLS and all
MOST_INTERIM = 100  # 1xx answers before the real one
KEEPALIVE = 4.0  # seconds: under the 5 s after which Apache closes, so that a reused connection is rarely a dead one

_PORTS = {"http": 80, "https": 443}
_METHOD = re.compile(rb"[A-Z]{1,20}")
_TARGET = re.compile(rb"[!-~]+")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)*")

Headers = Sequence[tuple[bytes, bytes]]
Shown = Callable[[str, Mapping[str, object]], None]  # host, and the certificate that it has just shown
Dial = Callable[[str, int], Awaitable[Sequence[str]]]  # (host, port) -> judged numeric addresses, best first


@dataclass(slots=True)
class Answer:
    """What came back: `headers` as sent, names in lower case. Read `body` at most once, and call `close` at the end."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]
    peer: str | None  # the address that answered; None behind a proxy
    close: Callable[[], Awaitable[None]]


def request(method: bytes, target: bytes, headers: Headers, content: bytes = b"") -> bytes:
    """A request as it is sent; its Content-Length is the caller's. Raises httpx.LocalProtocolError."""
    fields = b"".join([b"%b: %b\r\n" % field for field in headers])
    if not (_METHOD.fullmatch(method) and _TARGET.fullmatch(target) and _FIELDS.fullmatch(fields)):
        raise httpx.LocalProtocolError("a request that would be none: control characters in its address or headers")
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, target, fields, content)


class Connection:
    """One request after the other over one line. Iterating reads the body of an answer as it comes, still compressed;
    that raises httpx.TransportError too."""

    def __init__(self, line: Line, peer: str | None = None) -> None:
        self._line = line
        self._body: Body | None = None  # of the answer that is being read
        self._rest = b""  # what has come behind the head that was read last
        self._keeps = True
        self._expires = 0.0
        self.open = True  # not closed and free: only a finished request leaves it so
        self.peer = peer

    @property
    def reusable(self) -> bool:
        """Whether another request may go over it now."""
        return self.open and self._line.quiet and time.monotonic() < self._expires

    async def ask(self, method: bytes, data: bytes) -> Head:
        """Send one request (see `request`); the head of its answer. Raises httpx.TransportError."""
        self.open = False
        await self._line.write(data)
        for _ in range(MOST_INTERIM + 1):
            head = await self._head()
            if head.status == 101:
                raise BrokenError("the answer is no valid HTTP: it switches protocols, which nobody asked for")
            if head.status >= 200:
                self._body = body_of(head, method)
                self._keeps = head.keeps and not isinstance(self._body, Unmeasured)
                return head
        raise httpx.ReadError(f"more than {MOST_INTERIM} interim answers")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        body = self._body
        while body is not None and not body.over:
            if not (data := await self._received()):
                body.end()
            elif piece := body.feed(data):
                return piece
        raise StopAsyncIteration

    async def _head(self) -> Head:
        """The next head, and nothing of what follows it. Raises BrokenError too."""
        reader, begun = HeadReader(), False
        while data := await self._received():
            begun = True
            if (whole := reader.feed(data)) is not None:
                self._rest = reader.rest
                return whole
        what = "in the middle of the headers, or without any" if begun else "without sending a response"
        raise BrokenError(f"the server disconnected {what}")

    async def _received(self) -> bytes:
        """What has arrived and was not read yet; b"" at the end."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return await self._line.read()

    async def finish(self) -> None:
        """The answer was read or given up: be ready for another request, or close."""
        body = self._body
        if body is None or not body.over or not self._keeps or self._rest or body.rest:
            await self.close()  # what follows an answer that is over belongs to nobody
            return
        self._body, self.open = None, True
        self._expires = time.monotonic() + KEEPALIVE

    async def close(self) -> None:
        self.open = False
        await self._line.close()


class Proxy:
    """Who passes requests on: http pages are asked for by their whole address, for https a tunnel is dug.

    `tls` is for the way to a proxy at https://; the one to the page's server is its own. Raises ValueError.
    """

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self.url, self._tls = httpx.URL(url), tls
        if self.url.scheme not in _PORTS or not self.url.host:
            raise ValueError(f"a proxy at {self.url.scheme or 'no'}:// is not used")
        user = f"{self.url.username}:{self.url.password}" if self.url.username or self.url.password else ""
        told = base64.b64encode(user.encode())
        self.headers: Headers = [(b"Proxy-Authorization", b"Basic " + told)] if user else []

    async def line(self) -> Line:
        """A line to the proxy, wherever it is: it is the user's own choice."""
        line = await _line(self.url.raw_host.decode("ascii"), self.url.port or _PORTS[self.url.scheme], CONNECT_TIMEOUT)
        if self.url.scheme == "https":
            await _secure(line, self._tls, self.url.host)
        return line

    async def tunnel(self, line: Line, host: bytes, port: int) -> None:
        """Make it a line to this host. Raises httpx.ProxyError where the proxy will not."""
        place = b"%b:%d" % (host, port)
        asked = request(b"CONNECT", place, [(b"Host", place), *self.headers])
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                head = await Connection(line).ask(b"CONNECT", asked)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("the proxy") from error
        if not 200 <= head.status < 300:
            raise httpx.ProxyError(f"it answered {head.status} instead of leading to {host.decode()}")


class Lanes:
    """The connections to one host, `via` a proxy or not: a request takes the one used last, or makes a new one.

    How many run at once is politeness, decided by the fetcher, so there is nothing to queue for.
    """

    def __init__(self, tls: ssl.SSLContext, dial: Dial, shown: Shown | None = None, via: Proxy | None = None) -> None:
        self._tls, self._dial, self._shown, self._via = tls, dial, shown, via
        self._open: set[Connection] = set()
        self._free: list[tuple[bytes, Connection]] = []

    @property
    def warm(self) -> bool:
        """Whether a connection is kept from before."""
        return bool(self._free)

    @property
    def idle(self) -> bool:
        """Whether no request is running."""
        return len(self._free) == len(self._open)

    async def ask(self, method: str, url: httpx.URL, headers: Headers, content: bytes = b"") -> Answer:
        """One request. Raises httpx.TransportError, and what `dial` raises."""
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"{url.scheme}:// is not fetched")
        origin, target = url.scheme.encode("ascii") + url.netloc, url.raw_path
        if self._via is not None and url.scheme == "http":
            target, headers = b"http://" + url.netloc + target, [*headers, *self._via.headers]
        way = method.encode("ascii")
        data = request(way, target, headers, content)
        connection = await self._take(origin, url)
        self._open.add(connection)
        try:
            head = await connection.ask(way, data)
        except BaseException:
            self._open.discard(connection)
            await connection.close()
            raise
        give_back = functools.partial(self._give_back, origin, connection)
        return Answer(head.status, head.fields, connection, connection.peer, give_back)

    async def _give_back(self, origin: bytes, connection: Connection) -> None:
        await connection.finish()
        if connection.open:
            self._free.append((origin, connection))
        else:
            self._open.discard(connection)

    async def _take(self, origin: bytes, url: httpx.URL) -> Connection:
        while self._free:
            known, connection = self._free.pop()
            if known == origin and connection.reusable:
                return connection
            self._open.discard(connection)
            await connection.close()
        host, port = url.raw_host, url.port or _PORTS[url.scheme]
        line = await self._connect(host.decode("ascii"), port)
        if url.scheme == "https":
            if self._via is not None:
                await self._dug(line, host, port)
            await _secure(line, self._tls, host.decode("ascii"))
            if self._shown is not None:
                self._shown(host.decode("ascii"), line.certificate)
        return Connection(line, line.peer if self._via is None else None)

    async def _dug(self, line: Line, host: bytes, port: int) -> None:
        assert self._via is not None
        try:
            await self._via.tunnel(line, host, port)
        except BaseException:
            await line.close()
            raise

    async def _connect(self, host: str, port: int) -> Line:
        """A line to the first address that answers, or to the proxy."""
        addresses = await self._dial(host, port)
        if self._via is not None:
            return await self._via.line()
        share = max(CONNECT_TIMEOUT / len(addresses), 2.0)
        for address in addresses[:-1]:
            try:
                return await _line(address, port, share)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await _line(addresses[-1], port, share)

    async def close(self) -> None:
        """Close every connection."""
        connections, self._open, self._free = list(self._open), set(), []
        for connection in connections:
            await connection.close()


async def _line(address: str, port: int, within: float) -> Line:
    try:
        async with asyncio.timeout(within):
            _, line = await asyncio.get_running_loop().create_connection(Line, address, port)
    except TimeoutError as error:
        raise httpx.ConnectTimeout("") from error
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    return line


async def _secure(line: Line, tls: ssl.SSLContext, name: str) -> None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await line.secure(tls, name)
    except TimeoutError as error:
        raise httpx.ConnectTimeout("") from error
    except OSError as error:  # ssl.SSLError is one
        raise httpx.ConnectError(str(error)) from error
