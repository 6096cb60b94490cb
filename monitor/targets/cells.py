"""Tables that a page left as one cell a line: the head's cells, then row after row of as many lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from monitor.targets import tables
from monitor.targets.tables import Row

_HEAD = re.compile(r"^[ \t]*(?:主要)?(?:指[ \t]*标|项[ \t]*目)(?:名称|内容)?[ \t]*$", re.M)
_LINE = re.compile(r"[^\r\n]*[^\s][^\r\n]*")
_NUMBER = re.compile(r"\d{1,3}")
_CELL = 40  # characters: a longer line is text
_COLUMNS = 3
_WIDEST = 10
_PASSED = 2  # a group's name and the number of a row
_ROWS = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A flattened table at `[start, end)` of the text."""

    start: int
    end: int
    rows: tuple[Row, ...]


def regions(text: str) -> list[Region]:
    """The flattened tables of a folded text, in order, without overlaps."""
    found: list[Region] = []
    for match in _HEAD.finditer(text):
        if found and match.start() < found[-1].end:
            continue
        region = _region(text, match.start())
        if region:
            found.append(region)
    return found


def hidden(text: str, found: Sequence[Region]) -> str:
    """The text with its flattened tables blanked; the length stays."""
    pieces, at = [], 0
    for region in found:
        pieces += [text[at : region.start], "\n" * (region.end - region.start)]
        at = region.end
    return "".join((*pieces, text[at:])) if found else text


def _region(text: str, start: int) -> Region | None:
    first = [m.span() for m in islice(_LINE.finditer(text, start), _WIDEST)]
    width = 1
    while width < len(first) and tables.heads(text[slice(*first[width])].strip()):
        width += 1
    head = tables.head(text, tuple(first[:width])) if width >= _COLUMNS else None
    if head is None:
        return None
    rows = list(_rows(text, first[width - 1][1], head))
    return Region(start, rows[-1].cells[-1][1], tuple(rows)) if len(rows) >= _ROWS else None


def _rows(text: str, start: int, head: Row) -> Iterator[Row]:
    """Row after row; a line that only numbers or groups the rows is passed over."""
    lines = (m.span() for m in _LINE.finditer(text, start))
    width, passed = len(head.cells), 0
    kept = list(islice(lines, width))
    while len(kept) == width:
        if _row(text, tuple(kept), head):
            yield Row(tuple(kept), head.name, head.unit, head.columns)
            kept, passed = list(islice(lines, width)), 0
        elif passed < _PASSED and _skipped(text[slice(*kept[0])].strip()):
            kept, passed = [*kept[1:], *islice(lines, 1)], passed + 1
        else:
            return


def _row(text: str, cells: tuple[tuple[int, int], ...], head: Row) -> bool:
    if len(cells) < len(head.cells) or any(b - a > _CELL for a, b in cells):
        return False
    name = text[slice(*cells[head.name])]
    if not re.search(r"[一-龥]", name) or "。" in name or tables.value(text, cells[head.name]):
        return False
    return any(tables.value(text, cells[column]) for column in head.columns)


def _skipped(words: str) -> bool:
    return bool(_NUMBER.fullmatch(words)) or (len(words) <= _CELL // 2 and not re.search(r"[\d。,;]", words))
