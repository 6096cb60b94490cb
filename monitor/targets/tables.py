"""Tables of indicators that a page or an office file leaves as lines of cells parted by tabs. Pure.

A plan prints its main indicators as 指标 | 单位 | 2020年 | 2025年 | 年均增长 | 属性: the head says which column holds
what was reached and which what is promised, each row names an indicator and its unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.model import Role, Target
from monitor.targets.periods import Clock
from monitor.targets.quantities import Quantity, bounded
from monitor.targets.sections import Sentence
from monitor.targets.subjects import Lexicon

_ROW = re.compile(r"[^\r\n]*\t[^\r\n\t]*\t[^\r\n]*")
_NAME = re.compile(r"指\s*标|项\s*目|名\s*称")
_UNIT = re.compile(r"(?:计量)?单\s*位")
_IGNORED = re.compile(r"属\s*性|序\s*号|责任|牵头|备\s*注|类\s*别|性\s*质|部门")
_PROMISED = re.compile(r"目\s*标|计\s*划|预\s*期|规划值|预计增")
_REACHED = re.compile(r"完成|实际|实绩|实现|基期|基数|现状|执行")
_RISES = re.compile(r"增速|增长|年均|增幅|±")
_SHORT = 6
_OF_COLUMN = re.compile(  # the words that the heads of columns are made of: 2025年预计完成, 比上年增长(%)
    r"(?:20\d\d年?|[“”十一二三四五六]五[”\"]?|季度|[上去今本当全]年|年[度均末]?|预[计期]|实[际绩]|计划|目标|完成|规划|执行|任务|情况|[数值量率]|增[速长幅]|同比|[比较]|累计|[%()（）±/、\s])+"
)
_YEAR = re.compile(r"(?<!\d)20\d\d")
_PAREN = re.compile(r"\s*[(〔\[]([^()\d〕\]]{1,10})[)〕\]]\s*$")
_VALUE = re.compile(
    r"\s*(?P<pre>[<>≤≥≦≧]|不低于|不高于|不超过|控制在|达到|约)?\s*\[?(?P<a>-?\d[\d,]*(?:\.\d+)?)\]?"
    r"(?:\s*[-—–~～至]\s*(?P<b>\d[\d,]*(?:\.\d+)?))?\s*(?P<unit>%|‰|[百千万亿]*[元亩吨人户家个件米]|百分点)?"
    r"(?P<post>左右|以上|以下|以内)?\]?\s*"
)
_QUALIFIERS = {
    "<": "under", ">": "over", "≤": "at_most", "≦": "at_most", "≥": "at_least", "≧": "at_least", "不低于": "at_least",
    "不高于": "at_most", "不超过": "at_most", "控制在": "at_most", "约": "about", "左右": "about", "以上": "at_least",
    "以下": "at_most", "以内": "at_most",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of values holds."""

    role: Role | None
    year: int | None
    growth: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its cells as (start, end) in the text, and what its columns hold."""

    cells: tuple[tuple[int, int], ...]
    name: int
    unit: int | None
    columns: Mapping[int, Column]


def rows(text: str) -> dict[int, Row]:
    """The rows below the heads of tables, by the offset their line starts at."""
    found: dict[int, Row] = {}
    above: Row | None = None
    last = -2
    for match in _ROW.finditer(text):
        cells = _cells(match)
        if match.start() > last + 2:
            above = None
        last = match.end()
        new = head(text, cells)
        if new is not None:
            above = new
        elif above is not None:
            shift = len(above.cells) - len(cells)  # a first cell that spans several rows stands only in the first
            if shift in (0, 1) and above.name - shift >= 0:
                moved = {at - shift: column for at, column in above.columns.items()}
                unit = None if above.unit is None else above.unit - shift
                found[match.start()] = Row(cells, above.name - shift, unit, moved)
    return found


def _cells(row: re.Match[str]) -> tuple[tuple[int, int], ...]:
    out, at = [], row.start()
    for cell in row[0].split("\t"):
        out.append((at, at + len(cell)))
        at += len(cell) + 1
    return tuple(out)


def head(text: str, cells: tuple[tuple[int, int], ...]) -> Row | None:
    """What the columns below a head of cells hold; None where the line is no head."""
    words = [text[a:b].strip() for a, b in cells]
    name = next((i for i, w in enumerate(words) if _NAME.search(w) and not _PROMISED.search(w)), None)
    if name is None or any(re.search(r"\d", _YEAR.sub("", w)) for w in words):
        return None
    unit = next((i for i, w in enumerate(words) if _UNIT.fullmatch(w)), None)
    columns = {i: c for i, w in enumerate(words) if i not in (name, unit) and (c := _column(w))}
    return Row(cells, name, unit, columns) if columns else None


def heads(words: str) -> bool:
    """Whether a cell can stand in the head of a table."""
    named = _NAME.match(words) and len(words) <= _SHORT
    return bool(_UNIT.fullmatch(words) or named or _IGNORED.fullmatch(words) or _OF_COLUMN.fullmatch(words))


def value(text: str, cell: tuple[int, int]) -> re.Match[str] | None:
    """The value a cell holds and nothing else."""
    return _VALUE.fullmatch(text, *cell)


def _column(words: str) -> Column | None:
    year = _YEAR.search(words)
    if _IGNORED.search(words) or not (
        year or _PROMISED.search(words) or _REACHED.search(words) or _RISES.search(words)
    ):
        return None
    role: Role | None = "target" if _PROMISED.search(words) else "actual" if _REACHED.search(words) else None
    return Column(role, int(year[0]) if year else None, bool(_RISES.search(words)))


def read(text: str, folded: str, row: Row, sentence: Sentence, clock: Clock, lexicon: Lexicon) -> Iterator[Target]:
    """The items of one row."""
    begin, end = row.cells[row.name]
    name = folded[begin:end].strip()
    paren = _PAREN.search(name)
    unit = folded[slice(*row.cells[row.unit])].strip() if row.unit is not None and row.unit < len(row.cells) else ""
    if paren:
        name, unit = name[: paren.start()], unit or paren[1]
    if not re.search(r"[一-龥]", name):
        return
    for at, column in sorted(row.columns.items()):
        match = value(folded, row.cells[at]) if at < len(row.cells) else None
        if match:
            yield _item(text, (begin, name, unit or None), match, column, sentence, clock, lexicon)


def _item(
    text: str, named: tuple[int, str, str | None], match: re.Match[str], column: Column,
    sentence: Sentence, clock: Clock, lexicon: Lexicon,
) -> Target:  # fmt: skip
    begin, name, unit = named
    rises = (column.growth and column.role is None) or bool(re.search(r"增速|增长|增幅", name))
    unit = match["unit"] or ("%" if rises else unit)
    vstart, vend = match.start() + _blank(match[0]), match.start() + len(match[0].rstrip())
    quantity = _quantity(match, vstart, vend, unit)
    found = lexicon.find(name, unit, growth=rises and unit == "%")
    indicator = found.indicator if found else None
    role = column.role or _role(column, clock)
    start, end = min(begin, vstart), vend
    forms = indicator.forms if indicator else ()
    kind = (
        "growth"
        if rises and unit == "%"
        else next((f for f in forms if f != "growth"), "share" if unit == "%" else "level")
    )
    return Target(
        role=role, start=start, end=end, text=text[start:end], vstart=vstart, vend=vend, value_text=text[vstart:vend],
        indicator=name, canonical=indicator.name if indicator else None,
        indicator_id=indicator.id if indicator else None, indicator_en=indicator.en if indicator else None,
        value=quantity.value, value_min=quantity.low, value_max=quantity.high, unit=unit, qualifier=quantity.qualifier,
        direction="increase" if kind == "growth" else "level", kind=kind,
        period=_period(column, role, clock, rises=rises),
        section=sentence.heading, sent_start=sentence.start, sent_end=sentence.end,
        sentence=text[sentence.start : sentence.end].strip(), headline=role == "target",
        confidence=0.9 if indicator else 0.7, rule="row of a table; head of the column; head of the column",
    )  # fmt: skip


def _quantity(match: re.Match[str], start: int, end: int, unit: str | None) -> Quantity:
    low = float(match["a"].replace(",", ""))
    if match["b"]:
        return Quantity(start, end, None, unit, "", "range", low, float(match["b"].replace(",", "")))
    qualifier = _QUALIFIERS.get(match["pre"] or "") or _QUALIFIERS.get(match["post"] or "") or "exact"
    return bounded(Quantity(start, end, low, unit, "", qualifier))


def _role(column: Column, clock: Clock) -> Role:
    """A column of a year before the document's own tells results."""
    if column.year is None:
        return "target" if clock.span or column.growth else "actual"
    return "actual" if clock.year is not None and column.year < clock.year else "target"


def _period(column: Column, role: Role, clock: Clock, *, rises: bool) -> str | None:
    if column.year is not None:
        return str(column.year)
    if role == "target" and (clock.span or clock.year):
        return clock.span if clock.span and (rises or clock.year is None) else str(clock.year)
    return str(clock.review) if clock.review else None


def _blank(words: str) -> int:
    return len(words) - len(words.lstrip())
