"""The head of an HTTP/1.1 answer, and where its body ends: read in time linear in its length. No I/O.

h11, whose place this takes, tries every split of a run of blanks: 16 kB of blanks in one header took it 2.5 s, 100 kB
would take two minutes, a body in chunks of one byte is as bad, and nobody else is served meanwhile. Well-behaved
answers cost it a sixth of all that the event loop does for a check.
What browsers forgive is forgiven here (WHATWG Fetch leaves it to them): a field without a colon, a blank before it, a
Content-Length that is no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

MOST_HEAD = 100 * 1024  # bytes of one head
MOST_LINE = 4096  # bytes of the line before a chunk
MOST_FRAMING = 1024 * 1024  # bytes around the chunks of one body that are more than the body itself

_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"(?:\r?\n[ \t]+)+")  # a line that goes on (RFC 9112, 5.2)
_STATUS = re.compile(rb"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t].*)?", re.DOTALL)
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_TEXT = re.compile(rb"\x00|\r(?!\n)")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")

Fields = list[tuple[bytes, bytes]]


class BrokenError(httpx.RemoteProtocolError):
    """An answer that breaks HTTP."""


class CutError(BrokenError):
    """An answer whose connection ended before it did."""


class TooLongError(BrokenError):
    """More bytes around an answer than any needs."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and fields of an answer, names in lower case. `keeps`: the connection may serve another request.

    `length` is None where the body comes in chunks, or ends with the connection.
    """

    status: int
    fields: Fields
    keeps: bool
    chunked: bool
    length: int | None


class HeadReader:
    """The head of one answer as it arrives; `rest` is what came behind it."""

    def __init__(self) -> None:
        self.rest = b""
        self._held = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> Head | None:
        """The head, once it is whole; None before. Raises BrokenError."""
        seen = max(len(self._held) - 3, 0)
        self._size += len(data)
        self._held += data if self._held else data.lstrip(b"\r\n")  # left over from the answer before, as browsers do
        found = _END.search(self._held, seen)
        if (found.end() if found else self._size) > MOST_HEAD:
            raise TooLongError(f"the headers are too long: more than {MOST_HEAD // 1024} kB")
        if not b"HTTP/1.".startswith(bytes(self._held[:7])):
            raise BrokenError(f"the answer is no HTTP: it begins with {bytes(self._held[:40])!r}")
        if found is None:
            return None
        self.rest = bytes(self._held[found.end() :])
        return _head(bytes(self._held[: found.start() + 1]))


def _head(data: bytes) -> Head:
    """Lines that are no field are left out."""
    if _NO_TEXT.search(data):
        raise BrokenError("the answer is no valid HTTP: control characters in its headers")
    if b"\n " in data or b"\n\t" in data:
        data = _FOLD.sub(b" ", data)
    first, *lines = data.split(b"\n")
    status = _STATUS.fullmatch(first.rstrip(b"\r"))
    if status is None:
        raise BrokenError(f"the answer is no valid HTTP: it begins with {first[:60]!r}")
    fields: Fields = []
    lengths, keeps, chunked = set[bytes](), status[1] != b"0", False
    for line in lines:
        name, colon, value = line.partition(b":")
        name, value = name.rstrip(b" \t").lower(), value.strip(b" \t\r")
        if not colon or not _TOKEN.fullmatch(name):
            continue
        if name == b"content-length":
            told = {part.strip(b" \t") for part in value.split(b",")}
            lengths |= told if all(map(_LENGTH.fullmatch, told)) else set()
            continue
        if name == b"connection":
            keeps = keeps and b"close" not in value.lower()
        elif name == b"transfer-encoding":
            chunked = _is_chunked(value) or chunked
        fields.append((name, value))
    length = None if chunked else _length(lengths)
    if length is not None:
        fields.append((b"content-length", b"%d" % length))
    return Head(int(status[2]), fields, keeps, chunked, length)


def _is_chunked(value: bytes) -> bool:
    coding = value.lower()
    if coding not in (b"chunked", b"identity"):
        raise BrokenError(f"the answer is no valid HTTP: Transfer-Encoding {value[:40]!r}, which nobody asked for")
    return coding == b"chunked"


def _length(told: set[bytes]) -> int | None:
    lengths = {int(length) for length in told}
    if len(lengths) > 1:
        raise BrokenError(f"the answer is no valid HTTP: {len(lengths)} different Content-Lengths")
    return lengths.pop() if lengths else None


def body_of(head: Head, method: bytes) -> Body:
    """What reads the body that follows (RFC 9112, 6.3)."""
    if method == b"HEAD" or head.status in (204, 304):
        return Measured(0)
    if head.chunked:
        return Chunks()
    return Unmeasured() if head.length is None else Measured(head.length)


class Measured:
    """A body of so many bytes. `over` after its end; `rest` is what came behind it."""

    def __init__(self, length: int) -> None:
        self.rest = b""
        self._left = length

    @property
    def over(self) -> bool:
        return not self._left

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in this piece."""
        piece = data[: self._left]
        self._left -= len(piece)
        self.rest = data[len(piece) :]
        return piece

    def end(self) -> None:
        """The connection has ended. Raises CutError."""
        raise CutError(f"the connection ended {self._left} bytes before the answer did")


class Unmeasured:
    """A body that ends with its connection, as in HTTP/1.0."""

    def __init__(self) -> None:
        self.over, self.rest = False, b""

    def feed(self, data: bytes) -> bytes:
        """All of this piece."""
        return data

    def end(self) -> None:
        """The connection has ended, and the body with it."""
        self.over = True


class Chunks:
    """A chunked body as it arrives (RFC 9112, 7.1). `over` after its end; `rest` is what came behind it."""

    def __init__(self) -> None:
        self.over = False
        self.rest = b""
        self._held = bytearray()
        self._left = 0  # bytes of the chunk that are still to come
        self._inside = False  # a chunk, whose end of line has to follow
        self._trailing = False
        self._spare = MOST_FRAMING

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in this piece. Raises BrokenError."""
        self._held += data
        out, at = bytearray(), 0
        while not self.over:
            if self._left:
                piece = self._held[at : at + self._left]
                if not piece:
                    break
                out += piece
                at += len(piece)
                self._left -= len(piece)
                self._spare += len(piece)
                continue
            end = self._held.find(b"\n", at) + 1
            if (end or len(self._held)) - at > MOST_LINE:
                raise TooLongError("the line before a chunk is too long")
            if not end:
                break
            self._line(bytes(self._held[at:end]))
            at = end
        del self._held[:at]
        if self.over:
            self.rest = bytes(self._held)
        return bytes(out)

    def end(self) -> None:
        """The connection has ended. Raises CutError."""
        raise CutError("the connection ended before the last chunk")

    def _line(self, line: bytes) -> None:
        """What stands between two chunks, and after the last one."""
        self._spare -= len(line)
        if self._spare < 0:
            raise TooLongError("the body is cut into too many chunks: its framing is too long")
        if self._trailing:
            self.over = not line.strip(b"\r\n")
        elif self._inside:
            if line.strip(b"\r\n"):
                raise BrokenError(f"a chunk that is longer than it says: {line[:40]!r}")
            self._inside = False
        else:
            size = line.partition(b";")[0].strip()
            if not _SIZE.fullmatch(size):
                raise BrokenError(f"no size of a chunk: {line[:40]!r}")
            self._left = int(size, 16)
            self._inside, self._trailing = bool(self._left), not self._left


Body = Measured | Unmeasured | Chunks
