"""Word 97-2003 (.doc, .wps), by [MS-DOC]: the piece table names the text, deleted and hidden runs are left out.

Automatic paragraph numbers are not in the text of this format and are not made up.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.attachments.content import Content, RefusedError, bounded

MOST_PIECES = 200_000

_CLX, _CHPX, _PAPX = 33, 12, 13  # places in FibRgFcLcb97
_DELETED, _HIDDEN = 0x0800, 0x083C  # sprmCFRMarkDel, sprmCFVanish
_IN_TABLE = 0x2416  # sprmPFInTable
_ROW_END, _INNER_ROW_END = 0x2417, 0x244C  # sprmPFTtp, sprmPFInnerTtp
_TABLE_DEFINITION, _TABS = 0xD608, 0xC615  # the two whose length is written otherwise
_LENGTHS = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}  # bytes of an operand by the top bits of its code
_SIGNS = {"\x1e": "-", "\x1f": "", "\xa0": " ", "\x0e": "\n", "\x0b": "\n", "\x0c": "\n", "\t": " "}


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` stand at byte `fc`, in two bytes each or in one (code page 1252)."""

    start: int
    end: int
    fc: int
    narrow: bool


def read(word: bytes, tables: dict[str, bytes]) -> Content:
    """The text of a WordDocument stream; `tables` are its 0Table and 1Table. Raises RefusedError."""
    try:
        fib = _Fib(word, tables)
        pieces = _pieces(fib)
        gone = _runs(fib, _CHPX, (_DELETED, _HIDDEN))
        rows = {end for _, end in _runs(fib, _PAPX, (_ROW_END, _INNER_ROW_END))}
        inside = {end for _, end in _runs(fib, _PAPX, (_IN_TABLE,))}
    except (struct.error, IndexError) as wrong:
        raise RefusedError("damaged", "a Word document whose tables point outside the file") from wrong
    lines: list[str] = []
    for start, end in fib.stories():
        lines += _lines(_characters(word, pieces, (start, end), gone), rows, inside)
    kept, cut = bounded([line for line in lines if line.strip()])
    return Content("doc", kept, warnings=cut)


class _Fib:
    """The file information block at the head of the stream."""

    def __init__(self, word: bytes, tables: dict[str, bytes]) -> None:
        self.word = word
        mark, version = struct.unpack_from("<HH", word, 0)
        if mark != 0xA5EC or version < 0x6A:
            raise RefusedError("unsupported", "a Word document older than Word 97")
        flags = struct.unpack_from("<H", word, 0x0A)[0]
        if flags & 0x0100:
            raise RefusedError("encrypted", "a Word document that needs a password")
        name = "1Table" if flags & 0x0200 else "0Table"
        self.table = tables.get(name) or next(iter(tables.values()), b"")
        shorts = struct.unpack_from("<H", word, 0x20)[0]
        longs = 0x22 + 2 * shorts
        self._counts = longs + 2
        self._pairs = longs + 2 + 4 * struct.unpack_from("<H", word, longs)[0] + 2

    def part(self, number: int) -> bytes:
        """One structure of the table stream."""
        fc, size = struct.unpack_from("<II", self.word, self._pairs + 8 * number)
        return self.table[fc : fc + size]

    def stories(self) -> Iterator[tuple[int, int]]:
        """Main text, footnotes, endnotes, text boxes; headers and comments are left out."""
        main, notes, heads, macros, comments, ends, boxes = struct.unpack_from("<7i", self.word, self._counts + 12)
        sizes = ((main, True), (notes, True), (heads, False), (macros, False), (comments, False), (ends, True))
        at = 0
        for size, wanted in (*sizes, (boxes, True)):
            if wanted and size > 0:
                yield at, at + size
            at += max(size, 0)


def _pieces(fib: _Fib) -> list[Piece]:
    """The piece table (Clx): property lists first, then the places of the text."""
    clx, at = fib.part(_CLX), 0
    while at < len(clx) and clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at >= len(clx) or clx[at] != 2:
        raise RefusedError("damaged", "a Word document without a piece table")
    size = struct.unpack_from("<I", clx, at + 1)[0]
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    if count > MOST_PIECES:
        raise RefusedError("too_large", f"a Word document of {count} pieces")
    places = struct.unpack_from(f"<{count + 1}I", plc, 0)
    out = []
    for number in range(count):
        fc = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)[0]
        narrow = bool(fc & 0x40000000)
        fc &= 0x3FFFFFFF
        out.append(Piece(places[number], places[number + 1], fc // 2 if narrow else fc, narrow))
    return out


def _runs(fib: _Fib, which: int, codes: tuple[int, ...]) -> list[tuple[int, int]]:
    """Byte ranges of the runs (or paragraphs) that have one of these properties switched on, in order."""
    plc = fib.part(which)
    count = (len(plc) - 4) // 8
    found: list[tuple[int, int]] = []
    for number in range(max(count, 0)):
        page = struct.unpack_from("<I", plc, 4 * (count + 1) + 4 * number)[0] & 0x3FFFFF
        found += _page_runs(fib.word[512 * page : 512 * page + 512], which == _PAPX, codes)
    return sorted(found)


def _page_runs(page: bytes, paragraphs: bool, codes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """The same of one 512-byte page of formatted runs (FKP)."""
    if len(page) < 512:
        return
    count = page[511]
    places = struct.unpack_from(f"<{count + 1}I", page, 0)
    for number in range(count):
        offset = 2 * page[4 * (count + 1) + number * (13 if paragraphs else 1)]
        if offset == 0:
            continue
        size, start = page[offset], offset + 1
        if paragraphs:
            if size == 0:
                size, start = 2 * page[offset + 1], offset + 2
            else:
                size = 2 * size - 1
            size, start = size - 2, start + 2  # the style comes first
        if any(on and code in codes for code, on in _properties(page[start : start + max(size, 0)])):
            yield places[number], places[number + 1]


def _properties(data: bytes) -> Iterator[tuple[int, bool]]:
    """(code, whether switched on) of each property modifier; ends at the first that makes no sense."""
    at = 0
    while at + 3 <= len(data):
        code = data[at] | data[at + 1] << 8
        yield code, data[at + 2] == 1
        kind = code >> 13
        if kind != 6:
            at += 2 + _LENGTHS[kind]
        elif code == _TABLE_DEFINITION:
            at += 3 + (data[at + 2] | (data[at + 3] << 8 if at + 3 < len(data) else 0))
        elif code == _TABS and data[at + 2] == 255:
            return
        else:
            at += 3 + data[at + 2]


def _characters(
    word: bytes, pieces: list[Piece], story: tuple[int, int], gone: list[tuple[int, int]]
) -> Iterator[tuple[str, int]]:
    """(character, the byte behind it) of one story; halves of a pair come one after the other."""
    starts = [start for start, _ in gone]
    for piece in pieces:
        first, last = max(piece.start, story[0]), min(piece.end, story[1])
        if first >= last:
            continue
        width = 1 if piece.narrow else 2
        begin = piece.fc + (first - piece.start) * width
        data = word[begin : begin + (last - first) * width]
        if piece.narrow:
            text = data.decode("cp1252", "replace")
        else:
            text = "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data[: len(data) // 2 * 2])))
        for number, char in enumerate(text):
            fc = begin + number * width
            at = bisect_right(starts, fc) - 1
            if at < 0 or fc >= gone[at][1]:
                yield char, fc + width


def _lines(characters: Iterator[tuple[str, int]], row_ends: set[int], inside: set[int]) -> list[str]:
    """Paragraphs and rows; of a field only what it shows. `inside` are ends of paragraphs in table cells."""
    out: list[str] = []
    cells: list[str] = []
    text: list[str] = []
    for char, end in _shown(characters):
        if char == "\x07" and end in row_ends:
            out.append("\t".join([*cells, *filter(None, [_joined(text)])]).rstrip("\t"))
            cells, text = [], []
        elif char == "\x07":
            cells.append(_joined(text).replace("\n", ""))
            text = []
        elif char == "\r" and end in inside:
            text.append("\n")
        elif char == "\r":
            out += _joined(text).split("\n")
            text = []
        else:
            text.append(_SIGNS.get(char, char if char >= " " else ""))
    return [*out, *(["\t".join(cells)] if cells else []), *_joined(text).split("\n")]


def _shown(characters: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Without the instructions of fields: what stands between their begin and their separator."""
    fields: list[bool] = []  # for each open field: whether its result is being read
    for char, end in characters:
        if char == "\x13":
            fields.append(False)
        elif char == "\x14":
            fields[-1:] = [True]
        elif char == "\x15":
            fields[-1:] = []
        elif all(fields):
            yield char, end


def _joined(text: list[str]) -> str:
    whole = "".join(text)
    if any("\ud800" <= c < "\ue000" for c in whole):
        whole = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.strip(" \u3000\n")
