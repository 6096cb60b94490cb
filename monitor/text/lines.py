"""A part of the page as lines: blocks break, inline text joins without separators, cells take tabs and rows lines."""

from __future__ import annotations

import re
from collections.abc import Container

from monitor.text.outline import TEXT, Outline
from monitor.text.segment import visible
from monitor.text.tags import INLINE

DATA_CELL = (
    200  # characters of a cell up to which its row is one line; a longer cell is layout, and keeps its paragraphs
)
WRAPPED = 30  # characters of a typed line from which its end may be no end of a paragraph

_STOPS = "。！？；：:;!?"
_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…—"
_SOURCE_BREAK = re.compile(
    rf"(?<=[{_CJK}])[ \t\r\f]*\n\s*(?=[{_CJK}])"
)  # a line break in the source is no blank in Chinese
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_EDGE = " \t\u3000\xa0"
_BLANK_EDGE = _EDGE + "\r\n\f"


def tidy(text: str) -> str:
    """One line as it is kept: blanks collapsed, nothing invisible, no indent."""
    text = text.strip(_BLANK_EDGE)
    if text.isprintable() and "  " not in text:  # nearly always: no break, nothing invisible
        return text
    return _BLANKS.sub(" ", visible(_SOURCE_BREAK.sub("", text))).strip(_EDGE)


class _Writer:
    """Collects lines; rows of a table are held until they end."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._buffer: list[str] = []
        self._outer: list[list[str]] = []  # outputs suspended while a cell is written
        self._rows: list[list[list[str]]] = []

    def text(self, text: str) -> None:
        self._buffer.append(text)

    def typed(self, text: str) -> None:
        """Text whose line breaks count, but for those that only wrap a long line."""
        line, *following = text.split("\n")
        self.text(line)
        for after in following:
            wrapped = len(line.strip()) >= WRAPPED and line.rstrip()[-1] not in _STOPS and after[:1].strip()
            if not wrapped:
                self.flush()
            self.text(after)
            line = after

    def flush(self) -> None:
        if self._buffer:
            if line := tidy("".join(self._buffer)):
                self.out.append(line)
            self._buffer.clear()

    def open(self, tag: str) -> None:
        self.flush()
        if tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"} and self._rows:
            self._outer.append(self.out)
            self.out = []

    def close(self, tag: str) -> None:
        self.flush()
        if tag in {"td", "th"} and self._outer:
            self._rows[-1].append(self.out)
            self.out = self._outer.pop()
        elif tag == "tr" and self._rows:
            self._row(self._rows.pop())

    def _row(self, cells: list[list[str]]) -> None:
        if len(cells) == 1 or any(sum(map(len, cell)) > DATA_CELL for cell in cells):
            for cell in cells:
                self.out.extend(cell)
        elif any(cells):
            self.out.append("\t".join(tidy("\n".join(cell)) for cell in cells).rstrip("\t"))


def lines(page: Outline, root: int, skip: Container[int] = frozenset()) -> list[str]:
    """Lines of everything below `root` in document order; elements in `skip` are left out."""
    writer = _Writer()
    tags, ends, first, texts = page.tags, page.ends, page.first, page.texts
    open_blocks: list[tuple[int, str]] = []  # (end, tag)
    at, end = root + 1, ends[root]
    typed = end if tags[root] == "pre" else 0  # up to here line breaks of the source count
    while at < end:
        while open_blocks and open_blocks[-1][0] <= at:
            writer.close(open_blocks.pop()[1])
        tag = tags[at]
        if tag == TEXT:
            if at < typed and "\n" in texts[first[at]]:
                writer.typed(texts[first[at]])
            else:
                writer.text(texts[first[at]])
        elif at in skip:
            at = ends[at]
            continue
        elif tag not in INLINE and ":" not in tag:
            writer.open(tag)
            open_blocks.append((ends[at], tag))
            typed = ends[at] if tag == "pre" and at >= typed else typed
        at += 1
    while open_blocks:
        writer.close(open_blocks.pop()[1])
    writer.flush()
    return writer.out
