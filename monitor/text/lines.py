"""A part of the page as lines: blocks break, inline text joins without separators, cells take tabs and rows lines."""

from __future__ import annotations

import re
from collections.abc import Container

from selectolax.lexbor import LexborNode

from monitor.text.segment import visible

# Everything else breaks the line. Word pastes one <span> or <o:p> a digit: a separator here would split numbers.
INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr"
))  # fmt: skip
DATA_CELL = (
    200  # characters of a cell up to which its row is one line; a longer cell is layout, and keeps its paragraphs
)

_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…—"
_SOURCE_BREAK = re.compile(
    rf"(?<=[{_CJK}])[ \t\r\f]*\n\s*(?=[{_CJK}])"
)  # a line break in the source is no blank in Chinese
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_EDGE = " \t\u3000\xa0"
_BLANK_EDGE = _EDGE + "\r\n\f"


def is_inline(tag: str) -> bool:
    """Whether an element of this name stays in its line; names with a colon come from word processors."""
    return tag in INLINE or ":" in tag


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


def lines(root: LexborNode, skip: Container[int] = frozenset()) -> list[str]:
    """Lines of everything below `root` in document order; elements whose `mem_id` is in `skip` are left out.

    Walks with a stack of its own: pages nest ten thousand deep.
    """
    writer = _Writer()
    stack: list[LexborNode] = []
    node = root.child
    while node is not None or stack:
        if node is None:
            done = stack.pop()
            if not is_inline(str(done.tag)):
                writer.close(str(done.tag))
            node = done.next
            continue
        if node.is_text_node:
            writer.text(node.text_content or "")
        elif (tag := node.tag or "-")[0] not in "-!" and node.mem_id not in skip:
            breaks = not is_inline(tag)
            if breaks:
                writer.open(tag)
            child = node.child
            if child is not None:
                stack.append(node)
                node = child
                continue
            if breaks:
                writer.close(tag)
        node = node.next
    writer.flush()
    return writer.out
