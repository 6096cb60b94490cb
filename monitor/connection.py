"""One HTTP/1.1 connection, over asyncio and h11, and the few that one host has. Nothing here judges an address.

httpx and httpcore, whose connections this takes the place of, cost 0.6 ms for each request of a watch that makes one
request a second to each of many hosts; this costs a third. What they raise is raised here too: httpx's errors, with
what caused them (failures.py tells them apart). Proxies go on being httpx's.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import h11
import httpx

from monitor.framing import MOST_HEAD, Chunks, Head

CONNECT_TIMEOUT, READ_TIMEOUT, WRITE_TIMEOUT = 10.0, 20.0, 10.0  # seconds; callers bound the whole with asyncio.timeout
MOST_INTERIM = 100  # 1xx answers before the real one
KEEPALIVE = 4.0  # seconds: under the 5 s after which Apache closes, so that a reused connection is rarely a dead one
_MOST_UNREAD = 256 * 1024  # bytes: then the server has to wait

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


class Line(asyncio.Protocol):
    """One socket: what arrives is kept until it is read. TLS is put on it by `secure`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._unread = bytearray()
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False
        self._gone = asyncio.get_running_loop().create_future()

    # ------------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > _MOST_UNREAD and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        _wake(self._reader)
        _wake(self._writer)
        _wake(self._gone)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)

    # ------------------------------------------------------------------ what a connection asks

    @property
    def quiet(self) -> bool:
        """Whether nothing has arrived, not even the end: what an idle connection has to be."""
        return not (self._unread or self._ended)

    @property
    def peer(self) -> str | None:
        address = self._transport.get_extra_info("peername")
        return str(address[0]) if address else None

    @property
    def certificate(self) -> Mapping[str, object]:
        """What the other side showed and was verified: ssl.SSLSocket.getpeercert. Empty without TLS or verification."""
        return self._transport.get_extra_info("peercert") or {}

    async def secure(self, context: ssl.SSLContext, name: str) -> None:
        """TLS from here on; the line is closed where that fails. Raises ssl.SSLError or OSError."""
        context.set_alpn_protocols(["http/1.1"])
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(self._transport, self, context, server_hostname=name)
        except BaseException as error:
            self._transport.abort()
            if isinstance(error, ConnectionError) and error.errno is None:  # how asyncio says that it got no answer
                why = ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "UNEXPECTED_EOF: the server hung up during the handshake")
                raise why from error
            raise
        assert secured is not None
        self._transport = secured

    async def read(self) -> bytes:
        """What has arrived, at least a byte; b"" at the end. Raises httpx.ReadError or httpx.ReadTimeout."""
        if not (self._unread or self._ended):
            loop = asyncio.get_running_loop()
            self._reader = loop.create_future()
            late = loop.call_later(READ_TIMEOUT, _expire, self._reader)  # asyncio.timeout takes four times as long
            try:
                await self._reader
            finally:
                late.cancel()
                self._reader = None
        if self._unread:
            data = bytes(self._unread)
            self._unread.clear()
            if self._paused and not self._ended:
                self._paused = False
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error
        return b""

    async def write(self, data: bytes) -> None:
        """Send. A server that hangs up early may still have answered: so its end is found by reading."""
        if self._ended:
            return
        self._transport.write(data)
        if self._full:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(WRITE_TIMEOUT):
                    await self._writer
            except TimeoutError as error:
                raise httpx.WriteTimeout("") from error
            finally:
                self._writer = None

    async def close(self) -> None:
        """At once: nobody waits for a server that does not say good-bye."""
        self._transport.abort()
        await self._gone


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _expire(reader: asyncio.Future[None]) -> None:
    if not reader.done():
        reader.set_exception(httpx.ReadTimeout(""))


class Connection:
    """One request after the other over one line. Iterating reads the body of an answer as it comes, still compressed;
    that raises httpx.TransportError too."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._http = _http()
        self._chunks: Chunks | None = None  # of the answer that is being read
        self._rest = b""  # what has come behind the head that was read last
        self._expires = 0.0
        self.peer = line.peer

    @property
    def reusable(self) -> bool:
        """Whether another request may go over it now."""
        return self._http.our_state is h11.IDLE and self._line.quiet and time.monotonic() < self._expires

    @property
    def open(self) -> bool:
        """Whether it has not been closed. Only a finished request leaves it open."""
        return self._http.our_state is h11.IDLE

    async def ask(self, method: bytes, target: bytes, headers: Headers, content: bytes) -> h11.Response:
        """Send one request; the head of its answer. Raises httpx.TransportError."""
        try:
            request = h11.Request(method=method, target=target, headers=list(headers))
            data = self._http.send(request) or b""
            if content:
                data += self._http.send(h11.Data(data=content)) or b""
            data += self._http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        await self._line.write(data)
        for _ in range(MOST_INTERIM + 1):
            event = await self._event()
            if isinstance(event, h11.Response):
                self._chunks = Chunks() if _is_chunked(method, event) else None
                return event
        raise httpx.ReadError(f"more than {MOST_INTERIM} interim answers")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._chunks is not None:
            while not self._chunks.over:
                if data := await self._chunk(self._chunks):
                    return data
            raise StopAsyncIteration
        event = await self._event()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        raise StopAsyncIteration

    async def _chunk(self, chunks: Chunks) -> bytes:
        data = await self._received()
        if not data:
            raise httpx.RemoteProtocolError("the server closed the connection before the last chunk: incomplete")
        try:
            return chunks.feed(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                heading = self._http.their_state is h11.SEND_RESPONSE
                self._http.receive_data(await (self._head() if heading else self._received()))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        return event  # type: ignore[return-value]  # NEED_DATA stays in the loop

    async def _head(self) -> bytes:
        """The next head, and nothing of what follows it. Raises h11.RemoteProtocolError too."""
        head, begun = Head(), False
        while data := await self._received():
            begun = True
            if (whole := head.feed(data)) is not None:
                self._rest = head.rest
                return whole
        what = "in the middle of the headers, or without any" if begun else "without sending a response"
        raise httpx.RemoteProtocolError(f"the server disconnected {what}")

    async def _received(self) -> bytes:
        """What has arrived and was not read yet; b"" at the end."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return await self._line.read()

    async def finish(self) -> None:
        """The answer was read or given up: be ready for another request, or close."""
        more = self._rest  # what follows an answer that is over belongs to nobody
        if self._chunks is not None:
            done, more = self._chunks.over, more or self._chunks.rest
        else:
            done, more = self._http.their_state is h11.DONE, more or self._http.trailing_data[0]
        if done and not more and self._http.our_state is h11.DONE:  # not MUST_CLOSE
            if self._chunks is None:
                self._http.start_next_cycle()
            else:  # it never saw the body
                self._http, self._chunks = _http(), None
            self._expires = time.monotonic() + KEEPALIVE
        else:
            await self.close()

    async def close(self) -> None:
        self._http.send_failed()
        await self._line.close()


def _http() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)


def _is_chunked(method: bytes, head: h11.Response) -> bool:
    """Whether the body comes in chunks (RFC 9112, 6.3); h11 has refused every other transfer coding."""
    if method == b"HEAD" or head.status_code in (204, 304):
        return False
    return any(name == b"transfer-encoding" for name, _ in head.headers)


class Lanes:
    """The connections to one host: a request takes the one used last, or makes a new one.

    How many run at once is politeness, decided by the fetcher, so there is nothing to queue for.
    """

    def __init__(self, tls: ssl.SSLContext, dial: Dial, shown: Shown | None = None) -> None:
        self._tls, self._dial, self._shown = tls, dial, shown
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
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{url.scheme}:// is not fetched")
        origin = url.scheme.encode("ascii") + url.netloc
        connection = await self._take(origin, url)
        self._open.add(connection)
        try:
            head = await connection.ask(method.encode("ascii"), url.raw_path, headers, content)
        except BaseException:
            self._open.discard(connection)
            await connection.close()
            raise
        give_back = functools.partial(self._give_back, origin, connection)
        return Answer(head.status_code, list(head.headers), connection, connection.peer, give_back)

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
        line = await self._connect(url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        if url.scheme == "https":
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await line.secure(self._tls, url.raw_host.decode("ascii"))
            except TimeoutError as error:
                raise httpx.ConnectTimeout("") from error
            except OSError as error:  # ssl.SSLError is one
                raise httpx.ConnectError(str(error)) from error
            if self._shown is not None:
                self._shown(url.raw_host.decode("ascii"), line.certificate)
        return Connection(line)

    async def _connect(self, host: str, port: int) -> Line:
        """A line to the first address that answers."""
        addresses = await self._dial(host, port)
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
