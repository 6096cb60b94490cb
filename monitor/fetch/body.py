"""The bytes of an answer, read within bounds: on the wire and after inflating.

httpx's own decoders inflate a whole chunk before anybody can count: 481 bytes became 300 MiB. So the raw bytes are
read, and zlib is given a limit for each step.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping

from monitor.fetch.room import Pile, Room

ACCEPT_ENCODING = "gzip, deflate"
STEP = 256 * 1024  # bytes inflated at once
MOST_MEMBERS = 1000  # gzip streams in one body: each costs a copy of what follows it
_GZIP_OR_ZLIB, _RAW = 47, -15  # window bits: detect the gzip or zlib header; no header at all


class TooLargeError(Exception):
    """More bytes than allowed."""


class DamagedError(Exception):
    """A compressed body that ends too early or is no such format."""


class EncodingError(Exception):
    """A Content-Encoding that was not asked for and has no bounded decoder here."""


class Inflater:
    """Bounded gzip and deflate, raw deflate too, as some servers send it. `left` is how many bytes may still come."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding, self.left = encoding, limit
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._head = b""  # the first bytes, until there are two: they tell zlib from raw deflate
        self._begun = False
        self._members = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The inflated bytes of the next piece, at most STEP at once. Raises TooLargeError or DamagedError."""
        if not self._begun:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            self._begun = True
            if self._encoding == "deflate" and not _zlib_header(data):
                self._zlib = zlib.decompressobj(_RAW)
        while data:
            try:
                piece = self._zlib.decompress(data, min(self.left + 1, STEP))
            except zlib.error as error:
                raise DamagedError(f"damaged {self._encoding}: {error}") from error
            self.left -= len(piece)
            if self.left < 0:
                raise TooLargeError
            yield piece
            data = self._zlib.unconsumed_tail
            if self._zlib.eof:
                data = self._next_member()

    def _next_member(self) -> bytes:
        """A gzip body may have several members; anything else after the end is ignored, as browsers do."""
        rest = self._zlib.unused_data
        if not rest.startswith(b"\x1f\x8b"):
            return b""
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise DamagedError(f"more than {MOST_MEMBERS} gzip streams in one body")
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        return rest

    def finish(self) -> None:
        """Raises DamagedError if the stream has not ended."""
        if self._begun and not self._zlib.eof:
            raise DamagedError(f"the {self._encoding} data ends too early")


def _zlib_header(data: bytes) -> bool:
    """RFC 1950: method 8, and the two bytes are a multiple of 31."""
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _encoding(headers: Mapping[str, str]) -> str | None:
    """The one compression to undo, None for none. Raises EncodingError."""
    value = headers.get("content-encoding")
    if not value:
        return None
    names = [n for n in (part.strip().lower() for part in value.split(",")) if n and n != "identity"]
    if not names:
        return None
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise EncodingError(value)
    return names[0].removeprefix("x-")


async def read(
    headers: Mapping[str, str], chunks: AsyncIterator[bytes], limit: int, room: Room | None = None
) -> tuple[Pile, int]:
    """(body inflated, bytes on the wire), each at most `limit`; `headers` with names in lower case. The pile stands in
    `room`, None for memory, and has to be closed.

    Raises TooLargeError, DamagedError, EncodingError, FullError.
    """
    encoding = _encoding(headers)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise TooLargeError
    inflater = Inflater(encoding, limit) if encoding else None
    pile, wire = Pile(room), 0
    try:
        async for chunk in chunks:
            wire += len(chunk)
            if wire > limit:
                raise TooLargeError
            for piece in inflater.feed(chunk) if inflater else (chunk,):
                pile.add(piece)
        if inflater:
            inflater.finish()
    except BaseException:
        pile.close()
        raise
    return pile, wire


async def read_head(headers: Mapping[str, str], chunks: AsyncIterator[bytes], limit: int) -> tuple[bytes, int]:
    """The same, cut at `limit` and forgiving: for answers of which only the beginning matters (errors, robots.txt)."""
    try:
        encoding = _encoding(headers)
    except EncodingError:
        return b"", 0
    inflater = Inflater(encoding, limit) if encoding else None
    body, wire = bytearray(), 0
    async for chunk in chunks:
        wire += len(chunk)
        try:
            for piece in inflater.feed(chunk) if inflater else (chunk,):
                body += piece
        except (TooLargeError, DamagedError):
            break
        if wire >= limit or len(body) >= limit:
            break
    return bytes(body[:limit]), wire
