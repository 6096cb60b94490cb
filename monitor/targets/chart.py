"""Promise against result over the years, drawn as SVG. Pure; nothing but text comes out.

Promises are hollow diamonds on a dashed line, ranges and one-sided bounds are bars; results are filled dots on a solid
line, estimates hollow ones. Shapes tell as much as colours do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from monitor.targets import measure

FONTS = (
    "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',"
    "'Noto Sans CJK JP','Noto Serif CJK SC',SimHei,sans-serif"
)
_WIDTH, _HEIGHT = 760, 270  # of one panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 56, 36
_PROMISE, _RESULT, _GRID, _INK = "#9a3c00", "#0b57a4", "#e3e7ec", "#1d2733"
_LABEL = 14  # characters of a value beside its point

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What a drawing says in the reader's language."""

    promise: str
    result: str
    estimate: str
    nothing: str
    kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """One stated number of one year, in the unit of its panel."""

    year: int
    promise: bool
    number: float
    low: float | None
    high: float | None
    label: str
    firm: bool = True  # a result that is no estimate and of the whole year


@dataclass(frozen=True, slots=True)
class Panel:
    """One indicator of one place, measured in one way."""

    title: str
    unit: str
    points: tuple[Point, ...]


def panels(rows: Iterable[Row], words: Words) -> list[Panel]:
    """Rows of a timeline (ITEM, its place and `number`) by place, indicator, kind and unit; years in order."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row["number"] is not None and _year(row) is not None:
            place = row.get("place") or row.get("region") or row.get("source") or ""
            key = place, row["name"], row.get("object") or "", row["kind"], measure.base(row["unit"])[0]
            groups.setdefault(key, []).append(row)
    return [_panel(key, own, words) for key, own in groups.items()]


def _panel(key: tuple[str, ...], rows: Sequence[Row], words: Words) -> Panel:
    place, name, thing, kind, _ = key
    unit = str(max(rows, key=lambda r: str(r.get("release") or ""))["unit"] or "")
    chosen: dict[tuple[bool, int], Row] = {}
    for row in rows:
        slot = row["role"] == "target", _year(row) or 0
        if slot not in chosen or _weight(row) > _weight(chosen[slot]):
            chosen[slot] = row
    about = "　".join(x for x in (place, name, thing, words.kinds.get(kind, "")) if x)
    return Panel(about, unit, tuple(_point(chosen[slot], unit, slot) for slot in sorted(chosen, key=lambda s: s[1])))


def _weight(row: Row) -> tuple[bool, bool, bool, bool, bool, str]:
    """Which of several statements about one year is drawn: of this year alone and whole, firm, main, and the newest."""
    return (
        bool(re.fullmatch(r"\d{4}", str(row["period"] or ""))),
        "/" not in str(row["period"] or ""),
        row.get("vintage") != "expected" and row["strength"] != "expect",
        bool(row["headline"]),
        row["tier"] == "core",
        str(row.get("release") or ""),
    )


def _point(row: Row, unit: str, slot: tuple[bool, int]) -> Point:
    size, own = measure.base(unit)[1] or 1.0, measure.base(row["unit"])[1]
    sign = -1 if row["kind"] == "growth" and row["direction"] == "decrease" and not slot[0] else 1
    low, high = (None if row[k] is None else sign * row[k] * own / size for k in ("value_min", "value_max"))
    part = "/" in str(row["period"] or "")
    label = str(row["value_text"]) + (f"（{row['period']}）" if part or "-" in str(row["period"] or "") else "")
    firm = not part and row.get("vintage") != "expected" and row["strength"] != "expect"
    return Point(slot[1], slot[0], sign * row["number"] / size, low, high, label, firm)


def _year(row: Row) -> int | None:
    years = re.findall(r"(?:19|20)\d\d", str(row["period"] or row.get("release") or ""))
    return int(years[-1]) if years else None


# --------------------------------------------------------------------------- drawing


def svg(found: Sequence[Panel], words: Words) -> str:
    """All panels below one another."""
    height = max(len(found), 1) * _HEIGHT + 8
    parts = [_drawn(panel, i * _HEIGHT, words) for i, panel in enumerate(found)] or [_text(20, 40, words.nothing, 15)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="{FONTS}" fill="{_INK}"><rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
        f"{''.join(parts)}</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where years and numbers lie in a panel."""

    top: float
    years: tuple[int, int]
    numbers: tuple[float, float]

    def x(self, year: int) -> float:
        first, last = self.years
        width = _WIDTH - _LEFT - _RIGHT - 60
        return _LEFT + 30 + (width / 2 if first == last else width * (year - first) / (last - first))

    def y(self, number: float) -> float:
        low, high = self.numbers
        height = _HEIGHT - _TOP - _BOTTOM
        return self.top + _TOP + height * (high - number) / (high - low)


def _drawn(panel: Panel, top: float, words: Words) -> str:
    years = [p.year for p in panel.points]
    scale = _Scale(top, (min(years), max(years)), _span(panel.points))
    parts = [_text(_LEFT, top + 24, f"{panel.title}" + (f"（{panel.unit}）" if panel.unit else ""), 15, bold=True)]
    parts += [_legend(top, words), _grid(scale), _line(panel, scale, promise=True), _line(panel, scale, promise=False)]
    parts += [_mark(point, scale) for point in panel.points]
    parts += _labels(panel.points, scale)
    return "".join(parts)


def _span(points: Iterable[Point]) -> tuple[float, float]:
    """The numbers that have to fit, with zero where it is near and some room above and below."""
    all_ = [x for p in points for x in (p.number, p.low, p.high) if x is not None]
    low, high = min(all_), max(all_)
    if low > 0 and low < 0.6 * high:
        low = 0.0
    room = 0.16 * max(high - low, abs(high) / 8, 1e-6)
    return (low - room if low != 0 else 0.0), high + room


def _grid(scale: _Scale) -> str:
    low, high = scale.numbers
    out = []
    for tick in _ticks(low, high):
        y = scale.y(tick)
        out.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{_GRID}"/>')
        out.append(_text(_LEFT - 8, y + 4, _plain(tick), 11, anchor="end"))
    first, last = scale.years
    step = max(1, (last - first) // 12 + (last - first > 12))
    for year in range(first, last + 1, step):
        out.append(_text(scale.x(year), scale.top + _HEIGHT - 12, str(year), 12, anchor="middle"))
    return "".join(out)


def _ticks(low: float, high: float) -> list[float]:
    """Four or five round numbers inside the span."""
    size = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(size))
    step = next((power * k for k in (1, 2, 2.5, 5) if power * k >= size), 10 * power)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [n * step for n in range(first, last + 1)]


def _plain(number: float) -> str:
    return f"{number:.10g}"


def _line(panel: Panel, scale: _Scale, *, promise: bool) -> str:
    own = [p for p in panel.points if p.promise == promise]
    at = " ".join(f"{scale.x(p.year):.1f},{scale.y(p.number):.1f}" for p in own)
    dash = ' stroke-dasharray="5 4"' if promise else ""
    colour = _PROMISE if promise else _RESULT
    return f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>' if len(own) > 1 else ""


def _mark(point: Point, scale: _Scale) -> str:
    x, y = scale.x(point.year), scale.y(point.number)
    if not point.promise:
        fill = _RESULT if point.firm else "#ffffff"
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{_RESULT}" stroke-width="1.6"/>'
    bar = ""
    if point.low is not None and point.high is not None and point.low != point.high:
        bar = _bar(x, scale.y(point.low), scale.y(point.high))
    elif (point.low is None) != (point.high is None):
        bar = _bar(x, y, y - 16 if point.high is None else y + 16)
    corners = f"{x:.1f},{y - 6:.1f} {x + 6:.1f},{y:.1f} {x:.1f},{y + 6:.1f} {x - 6:.1f},{y:.1f}"
    return f'{bar}<polygon points="{corners}" fill="#ffffff" stroke="{_PROMISE}" stroke-width="1.8"/>'


def _bar(x: float, one: float, other: float) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{one:.1f}" x2="{x:.1f}" y2="{other:.1f}" stroke="{_PROMISE}" stroke-width="5" '
        f'stroke-opacity="0.35"/>'
    )


def _labels(points: Sequence[Point], scale: _Scale) -> list[str]:
    """A value above the higher of two points of a year, below the lower one."""
    out = []
    for point in points:
        other = next((p for p in points if p.year == point.year and p.promise != point.promise), None)
        below = other is not None and (point.number, not point.promise) < (other.number, point.promise)
        y = scale.y(point.number) + (20 if below else -11)
        label = point.label if len(point.label) <= _LABEL else point.label[: _LABEL - 1] + "…"
        colour = _PROMISE if point.promise else _RESULT
        out.append(_text(scale.x(point.year), y, label, 11, anchor="middle", colour=colour))
    return out


def _legend(top: float, words: Words) -> str:
    """Which mark is what, at the right of the title's line."""
    x, y, parts = _WIDTH - _RIGHT - 220.0, top + 40.0, []
    point = Point(0, True, 0, 0, 0, "")
    for sample, word in (
        (point, words.promise),
        (Point(0, False, 0, 0, 0, ""), words.result),
        (Point(0, False, 0, 0, 0, "", firm=False), words.estimate),
    ):
        parts.append(f'<g transform="translate({x:.0f},{y:.0f})">{_mark(sample, _AT_ORIGIN)}</g>')
        parts.append(_text(x + 10, y + 4, word, 11))
        x += 76
    return "".join(parts)


class _Origin(_Scale):
    """Everything at (0, 0): for samples in a legend."""

    def x(self, year: int) -> float:
        return 0.0

    def y(self, number: float) -> float:
        return 0.0


_AT_ORIGIN = _Origin(0, (0, 0), (0, 1))


def _text(
    x: float, y: float, text: str, size: int, *, anchor: str = "start", bold: bool = False, colour: str = _INK
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )
