"""One socket as bytes: what arrives is kept until it is read, bounded in size and time. Nothing here knows HTTP.

What httpx raises is raised here too, with what caused it (failures.py tells the causes apart).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, cast

import httpx

READ_TIMEOUT, WRITE_TIMEOUT = 20.0, 10.0  # seconds; callers bound the whole with asyncio.timeout
_MOST_UNREAD = 256 * 1024  # bytes: then the server has to wait


class _Under:
    """TLS as the transport of more TLS, to the end of a tunnel behind an https:// proxy.

    Python 3.11's own fails (TypeError) where a handshake above it went wrong, and the reason is lost.
    """

    _start_tls_compatible = True  # what asyncio asks of a transport that TLS is put on

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _force_close(self, exc: BaseException | None) -> None:
        self._transport.abort()


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
        loop, below = asyncio.get_running_loop(), self._transport
        if below.get_extra_info("sslcontext") is not None:
            below = cast(asyncio.Transport, _Under(below))
        try:
            secured = await loop.start_tls(below, self, context, server_hostname=name)
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
