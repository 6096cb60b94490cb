"""Characters with places become paragraphs and table rows: for pages that only know where each glyph stands.

PDF and OFD keep no text flow. Here lines are put together from glyphs, columns and ruled tables are told apart,
running heads and page numbers are left out, and wrapped lines are joined: a number that was broken at the end of a
line is one number again. y grows upwards, lengths are points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from monitor.attachments.ruled import Grid, Rule, grids

NEAR = 0.6  # of the size: glyphs of one line nearer than this are one piece; pieces of a line are cells of a row
PROSE = 8  # characters on average from which the pieces beside a gutter are a text column
REPEATS = 3  # pages on which a line stands at the same height to be a running head

_PAGE_NUMBER = re.compile(
    r"[-—–－\s·•~～]*(?:第\s*)?(?:\d{1,4}|[IVXLivxl]{1,6})(?:\s*页)?(?:\s*[/／,，共]+\s*(?:共\s*)?\d{1,4}\s*页?)?[-—–－\s·•~～]*"
)
_HANZI = re.compile("[\u3400-\u9fff]")
_DIGITS = re.compile(r"\d+")
_STARTS = re.compile(
    r"(?:[（(][一二三四五六七八九十百\d]{1,4}[）)]|[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十百]{1,4}[章节条编篇]|\d{1,3}[.．、](?!\d)|[①-⑳])"
)
_ENDS = re.compile(r"[。！？；：!?:;…][”’」』）)】]*$")
_LATIN = re.compile(r"[A-Za-z,.;)]$"), re.compile(r"[A-Za-z(]")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One or more characters in one place."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float


@dataclass(slots=True)
class Sheet:
    """One page: its glyphs in the order of the file, its ruling lines, whether an image covers most of it."""

    width: float
    height: float
    glyphs: list[Glyph] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    image: bool = False


@dataclass(slots=True)
class Line:
    """A run of text in one line, or a whole row of a table (`row`)."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    row: bool = False
    left: float = 0.0  # the edges of the column it stands in
    right: float = 0.0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def is_full(self) -> bool:
        """Whether the line reaches the right edge of its column, so that its sentence goes on below."""
        return self.x1 >= self.right - 1.6 * self.size

    @property
    def is_centred(self) -> bool:
        before, after = self.x0 - self.left, self.right - self.x1
        return before > 1.5 * self.size and abs(before - after) < 1.5 * self.size


def paragraphs(sheets: Sequence[Sheet]) -> list[str]:
    """The text of a document, page after page."""
    pages = [_lines(sheet) for sheet in sheets]
    heads = _running(pages, sheets)
    kept = [
        [line for line in page if not _is_furniture(line, sheet, heads)]
        for page, sheet in zip(pages, sheets, strict=True)
    ]
    body = _body_size(kept)
    out: list[str] = []
    last: Line | None = None
    for page in kept:
        for line in page:
            if last is not None and (_one_title(last, line, body) or _goes_on(last, line)):
                out[-1] = joined(out[-1], line.text)
            else:
                out.append(line.text)
            last = line
    return out


def joined(one: str, other: str) -> str:
    """Two parts of a wrapped line. Only Latin words are set apart by a blank."""
    if one.endswith("-") and _LATIN[1].match(other) and one[-2:-1].isalpha() and one[-2:-1].isascii():
        return one[:-1] + other
    blank = " " if _LATIN[0].search(one) and _LATIN[1].match(other) else ""
    return one + blank + other


# --------------------------------------------------------------------------- one page


def _lines(sheet: Sheet) -> list[Line]:
    """The lines of a page in reading order, ruled tables as rows in their place."""
    tables = grids(sheet.rules)
    inside: dict[int, list[Glyph]] = {}
    free: list[Glyph] = []
    for glyph in sheet.glyphs:
        place = _table_of(glyph, tables)
        if place is None:
            free.append(glyph)
        else:
            inside.setdefault(place, []).append(glyph)
    blocks = _columns(_runs(free))
    for number, glyphs in inside.items():
        rows = list(_table_rows(tables[number], glyphs))
        if rows:
            _insert(blocks, rows)
    return [line for block in blocks for line in block]


def _table_of(glyph: Glyph, tables: Sequence[Grid]) -> int | None:
    x, y = (glyph.x0 + glyph.x1) / 2, (glyph.y0 + glyph.y1) / 2
    return next((n for n, table in enumerate(tables) if table.holds(x, y)), None)


def _insert(blocks: list[list[Line]], rows: list[Line]) -> None:
    """Put a table before the first block, or line of a block, that stands lower."""
    top = rows[0].y1
    for number, block in enumerate(blocks):
        below = next((at for at, line in enumerate(block) if line.middle < top and line.x0 < rows[0].x1), None)
        if below is not None:
            blocks[number] = [*block[:below], *rows, *block[below:]]
            return
    blocks.append(rows)


def _runs(glyphs: Iterable[Glyph]) -> list[Line]:
    """Glyphs that follow each other on one line, as they stand in the file, then pieces of one line put together."""
    runs: list[Line] = []
    for glyph in glyphs:
        last = runs[-1] if runs else None
        if last is not None and _follows(last, glyph):
            _append(last, glyph)
        elif glyph.text.strip():
            runs.append(Line(glyph.text, glyph.x0, glyph.y0, glyph.x1, glyph.y1, glyph.size))
    return _merged(runs)


def _follows(last: Line, glyph: Glyph) -> bool:
    size = max(last.size, glyph.size)
    level = min(last.y1, glyph.y1) - max(last.y0, glyph.y0) > 0.5 * min(last.y1 - last.y0, glyph.y1 - glyph.y0)
    return level and -0.6 * size <= glyph.x0 - last.x1 < NEAR * size


def _append(last: Line, glyph: Glyph) -> None:
    last.text += glyph.text
    last.x1 = max(last.x1, glyph.x1)
    last.y0, last.y1 = min(last.y0, glyph.y0), max(last.y1, glyph.y1)
    last.size = max(last.size, glyph.size)


def _rows(runs: Sequence[Line]) -> list[list[Line]]:
    """Runs by line, from top to bottom, each line from left to right."""
    rows: list[list[Line]] = []
    for run in sorted(runs, key=lambda r: -r.middle):
        first = rows[-1][0] if rows else None
        if first is not None and abs(first.middle - run.middle) < 0.45 * min(first.y1 - first.y0, run.y1 - run.y0):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda r: r.x0) for row in rows]


def _merged(runs: Sequence[Line]) -> list[Line]:
    """Pieces of one line that stand near each other, whatever their order in the file (bold words, other fonts)."""
    out: list[Line] = []
    for row in _rows(runs):
        kept: list[Line] = []
        for run in row:
            last = kept[-1] if kept else None
            if last is not None and run.x0 - last.x1 < NEAR * max(run.size, last.size):
                if run.x0 < last.x1 - 0.5 * run.size and run.text.strip() in last.text:
                    continue  # bold by printing twice
                last.text = joined(last.text, run.text) if run.x0 - last.x1 > 0.2 * run.size else last.text + run.text
                last.x1, last.size = max(last.x1, run.x1), max(last.size, run.size)
            else:
                kept.append(run)
        out += kept
    for run in out:
        run.text = run.text.strip()
    return [run for run in out if run.text]


# --------------------------------------------------------------------------- columns


def _columns(runs: Sequence[Line]) -> list[list[Line]]:
    """Blocks in reading order: what stands beside a gutter is read one column after the other."""
    if not runs:
        return []
    gutters = _gutters(runs)
    if not gutters:
        return [_block(runs)]
    blocks: list[list[Line]] = []
    band: list[Line] = []
    for row in _rows(runs):
        if any(_crosses(run, gutter) for run in row for gutter in gutters):  # a headline across the columns
            blocks += _split(band, gutters)
            band = []
            blocks.append(_block(row))
        else:
            band += row
    return blocks + _split(band, gutters)


def _crosses(run: Line, gutter: float) -> bool:
    return run.x0 < gutter + 0.5 * run.size and run.x1 > gutter - 0.5 * run.size


def _split(band: Sequence[Line], gutters: Sequence[float]) -> list[list[Line]]:
    edges = [float("-inf"), *gutters, float("inf")]
    parts = [[r for r in band if a < (r.x0 + r.x1) / 2 <= b] for a, b in pairwise(edges)]
    return [_block(part) for part in parts if part]


def _gutters(runs: Sequence[Line]) -> list[float]:
    """Where white runs down between columns of prose; between columns of a table there is no prose."""
    left, right = min(r.x0 for r in runs), max(r.x1 for r in runs)
    size = Counter(round(r.size, 1) for r in runs for _ in range(min(len(r.text), 40))).most_common(1)[0][0]
    if right - left < 20 * size:
        return []
    width = right - left
    crossing = [0] * 101
    for run in runs:
        for at in range(int(100 * (run.x0 - left) / width) + 1, int(100 * (run.x1 - left) / width) + 1):
            crossing[min(at, 100)] += 1
    rows = len(_rows(runs))
    found: list[float] = []
    for first, last in _low(crossing, rows * 0.15):
        place = left + width * (first + last) / 200
        if _prose_beside(runs, place, found):
            found.append(place)
    return found


def _low(crossing: Sequence[int], most: float) -> Iterator[tuple[int, int]]:
    """(first, last) of each stretch inside the page that few lines cross."""
    first = None
    for at in range(15, 87):
        if at < 86 and crossing[at] <= most:
            first = at if first is None else first
        elif first is not None:
            yield first, at - 1
            first = None


def _prose_beside(runs: Sequence[Line], place: float, found: Sequence[float]) -> bool:
    before = found[-1] if found else float("-inf")
    one = [r for r in runs if before < r.x0 and r.x1 <= place]
    other = [r for r in runs if r.x0 >= place]
    return all(len(side) >= 4 and _is_prose(side) for side in (one, other))


def _is_prose(side: Sequence[Line]) -> bool:
    """Lines of many characters that mostly reach the same right edge."""
    chars = sum(len(r.text) for r in side) / len(side)
    edge = max(r.x1 for r in side)
    full = sum(r.x1 > edge - 2 * r.size for r in side)
    return chars >= PROSE and 2 * full >= len(side)


def _block(runs: Sequence[Line]) -> list[Line]:
    """The lines of one column; pieces that stand far apart on one line are the cells of a row."""
    out: list[Line] = []
    for row in _rows(runs):
        first, last = row[0], row[-1]
        if len(row) == 1:
            out.append(first)
        else:
            spaced = all(_HANZI.fullmatch(r.text) for r in row)  # 目  录
            text = ("" if spaced else "\t").join(r.text for r in row)
            low, high = min(r.y0 for r in row), max(r.y1 for r in row)
            out.append(Line(text, first.x0, low, last.x1, high, max(r.size for r in row), row=not spaced))
    plain = [line for line in out if not line.row] or out
    left = _edge([line.x0 for line in plain], low=True)
    right = _edge([line.x1 for line in plain], low=False)
    for line in out:
        line.left, line.right = left, right
    return out


def _edge(places: Sequence[float], *, low: bool) -> float:
    """The outermost place at which at least two lines (or a tenth) begin or end; hanging signs are few."""
    ordered = sorted(places, reverse=not low)
    needed = max(2, len(ordered) // 10)
    for at, place in enumerate(ordered):
        if sum(abs(other - place) < 6 for other in ordered[at : at + needed + 1]) >= min(needed, len(ordered)):
            return place
    return ordered[0]


# --------------------------------------------------------------------------- tables


def _table_rows(table: Grid, glyphs: Sequence[Glyph]) -> Iterator[Line]:
    """The rows of a ruled table. A cell with several lines of text is one cell."""
    cells: dict[tuple[int, int], list[Glyph]] = {}
    for glyph in glyphs:
        place = table.cell((glyph.x0 + glyph.x1) / 2, (glyph.y0 + glyph.y1) / 2)
        cells.setdefault(place, []).append(glyph)
    for row in range(table.rows):
        texts = [_cell_text(cells[row, column]) if (row, column) in cells else "" for column in table.columns_of(row)]
        here = [g for column in table.columns_of(row) for g in cells.get((row, column), ())]
        if here:
            text = "\t".join(texts).rstrip("\t")
            top, bottom = table.band(row)
            size = max(g.size for g in here)
            yield Line(text, table.x0, bottom, table.x1, top, size, row="\t" in text, left=table.x0, right=table.x1)


def _cell_text(glyphs: Sequence[Glyph]) -> str:
    text = ""
    for row in _rows(_runs(glyphs)):
        for run in row:
            text = joined(text, run.text) if text else run.text
    return text


# --------------------------------------------------------------------------- the whole document


def _running(pages: Sequence[Sequence[Line]], sheets: Sequence[Sheet]) -> set[tuple[str, int]]:
    """Lines that stand at the same height of many pages and differ by numbers at most."""
    seen: Counter[tuple[str, int]] = Counter()
    for page, sheet in zip(pages, sheets, strict=True):
        seen.update({_mark(line, sheet) for line in page if _is_marginal(line, sheet)})
    return {mark for mark, count in seen.items() if count >= max(REPEATS, 0.3 * len(pages))}


def _mark(line: Line, sheet: Sheet) -> tuple[str, int]:
    return _DIGITS.sub("0", line.text), round(50 * line.middle / max(sheet.height, 1.0))


def _is_marginal(line: Line, sheet: Sheet) -> bool:
    return not 0.1 * sheet.height < line.middle < 0.9 * sheet.height


def _is_furniture(line: Line, sheet: Sheet, heads: set[tuple[str, int]]) -> bool:
    """Running heads, and page numbers at either end of a page."""
    if not _is_marginal(line, sheet):
        return False
    return _mark(line, sheet) in heads or _PAGE_NUMBER.fullmatch(line.text) is not None


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    """The size in which most characters are printed."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[round(line.size, 1)] += len(line.text)
    return max(sizes, key=lambda size: sizes[size], default=0.0)


def _one_title(last: Line, line: Line, body: float) -> bool:
    """Whether two lines larger than the text, one under the other around the same middle, are one title."""
    size = max(last.size, line.size)
    return (
        min(last.size, line.size) > 1.12 * body
        and abs(last.size - line.size) < 0.06 * size
        and last.y0 - line.y0 > 0
        and last.y0 - line.y1 < size
        and abs(last.x0 + last.x1 - line.x0 - line.x1) < 3 * size
        and not _ENDS.search(last.text)
        and line.text[0] not in "（(—－-"
    )


def _goes_on(last: Line, line: Line) -> bool:
    """Whether a line continues the paragraph above it."""
    if last.row or line.row:
        return False
    size = max(last.size, line.size)
    if min(last.size, line.size) < 0.85 * size:
        return False
    same_page = last.y0 > line.y0
    if same_page and last.y0 - line.y1 > 1.8 * size:
        return False
    if last.is_centred and line.is_centred:
        return False
    if not last.is_full or (
        line.is_centred and (not same_page or last.x0 - last.left > size or _ENDS.search(last.text))
    ):
        return False
    if line.is_centred:
        return True  # the rest of a centred line that was too long for one
    indented = line.x0 - line.left > 1.2 * size
    if indented and (last.x0 - last.left < 0.6 * size or _ENDS.search(last.text) or _STARTS.match(line.text)):
        return False
    return not (_STARTS.match(line.text) and _ENDS.search(last.text))
