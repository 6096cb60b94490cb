"""Where the head of an HTTP/1.1 answer ends, and what a chunked body holds: read in time linear in its length.

h11 reads both with patterns that try every split of a run of blanks: 16 kB of blanks in one header took it 2.5 s,
100 kB would take two minutes, and nobody else is served meanwhile. So it is given heads without such runs, and no
chunks.
What browsers forgive is forgiven here (WHATWG Fetch leaves it to them): a field without a colon, a blank before it.
"""

from __future__ import annotations

import re

import h11

MOST_HEAD = 100 * 1024  # bytes of one head
MOST_LINE = 4096  # bytes of the line before a chunk
MOST_FRAMING = 1024 * 1024  # bytes around the chunks of one body that are more than the body itself

_END = re.compile(rb"\n\r?\n")
_BLANKS = re.compile(rb"(?:\r?\n)?[ \t](?:(?:\r?\n)?[ \t])*")  # with those that continue a line (RFC 9112, 5.2)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ?:")
_LENGTH = re.compile(rb"content-length ?:(?! ?\d+(?: ?, ?\d+)* ?\r?$)", re.IGNORECASE)
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Head:
    """The head of one answer as it arrives; `rest` is what came behind it."""

    def __init__(self) -> None:
        self.rest = b""
        self._held = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> bytes | None:
        """The head, ready for h11, once it is whole; None before. Raises h11.RemoteProtocolError."""
        seen = max(len(self._held) - 3, 0)
        self._size += len(data)
        self._held += data if self._held else data.lstrip(b"\r\n")  # left over from the answer before, as browsers do
        found = _END.search(self._held, seen)
        if (found.end() if found else self._size) > MOST_HEAD:
            raise h11.RemoteProtocolError(f"the headers are too long: more than {MOST_HEAD // 1024} kB")
        if self._held and self._held[0] < 0x21:
            raise h11.RemoteProtocolError("the answer is no HTTP")
        if found is None:
            return None
        self.rest = bytes(self._held[found.end() :])
        return _tidy(bytes(self._held[: found.end()]))


def _tidy(head: bytes) -> bytes:
    """One blank for each run, continued lines joined, and no line that is no field."""
    first, *lines = _BLANKS.sub(b" ", head).split(b"\n")
    fields = [(m, line) for line in lines if (m := _FIELD.match(line)) and not _LENGTH.match(line)]
    return b"\n".join((first, *(m[1] + b":" + line[m.end() :] for m, line in fields), b"", b""))


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
        """The bytes of the body in this piece. Raises h11.RemoteProtocolError."""
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
                raise h11.RemoteProtocolError("the line before a chunk is too long")
            if not end:
                break
            self._line(bytes(self._held[at:end]))
            at = end
        del self._held[:at]
        if self.over:
            self.rest = bytes(self._held)
        return bytes(out)

    def _line(self, line: bytes) -> None:
        """What stands between two chunks, and after the last one."""
        self._spare -= len(line)
        if self._spare < 0:
            raise h11.RemoteProtocolError("the body is cut into too many chunks: its framing is too long")
        if self._trailing:
            self.over = not line.strip(b"\r\n")
        elif self._inside:
            if line.strip(b"\r\n"):
                raise h11.RemoteProtocolError(f"a chunk that is longer than it says: {line[:40]!r}")
            self._inside = False
        else:
            size = line.partition(b";")[0].strip()
            if not _SIZE.fullmatch(size):
                raise h11.RemoteProtocolError(f"no size of a chunk: {line[:40]!r}")
            self._left = int(size, 16)
            self._inside, self._trailing = bool(self._left), not self._left
