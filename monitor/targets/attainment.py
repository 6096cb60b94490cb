"""Promises held against results: met, missed, by how much; and one indicator across places. Pure.

A target is paired with what a later document reports for its period. Where there is nothing to pair, `reason` says why
the cell is empty; an empty cell is never a miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.model import Record, Target
from monitor.targets import measure, reference
from monitor.targets.align import wording

Result = Literal["met", "missed", "unknown"]
Reason = Literal[
    "not_stated",  # the whole report does not say
    "report_not_found",
    "partial_text",
    "newspaper_only",
    "not_yet_due",
    "part_year",  # only January to November, the first half, …
    "no_number",  # the target is in words
    "no_reference",  # a relative target whose reference has no result
]
REASONS: tuple[Reason, ...] = (
    "not_stated",
    "report_not_found",
    "partial_text",
    "newspaper_only",
    "not_yet_due",
    "part_year",
    "no_number",
    "no_reference",
)

# Figures that a government wants small. 下降 of anything is measured by its fall, where more is better again.
_LESS_IS_BETTER = re.compile(r"失业率|消费价格|能耗|水耗|排放|浓度|死亡率|发病率|事故|审批时限|三公经费|零就业")
_VINTAGES = ("revised", "final", "preliminary", "expected")


@dataclass(frozen=True, slots=True)
class Attainment:
    """A target and what became of it. `gap` is result minus target, in the target's unit (points for percentages)."""

    target: Target
    actual: Target | None
    result: Result
    gap: float | None = None
    vintage: str | None = None  # expected | preliminary | final | revised
    reason: Reason | None = None  # why `result` is unknown
    already_met: bool = False  # the level promised had been reached when it was promised


@dataclass(frozen=True, slots=True)
class Place:
    """One row of a ranking; equal numbers share a position, counted from 1."""

    name: str
    target: Target
    number: float
    position: int


def attain(
    target: Target,
    actuals: Sequence[Target],
    *,
    tolerance: float,
    record: Record | None = None,
    year: int | None = None,
) -> Attainment:
    """The result of one target.

    `actuals`: what later documents report, of any indicator. `tolerance` is what 左右 allows: percentage points for
    percentages, percent of the target for all else. `record`: the document the actuals were read from (None: there is
    none). `year`: the last year that has ended; a target that ends after it is not yet due.
    """
    own = [a for a in actuals if a.role == "actual" and _same_thing(target, a)]
    whole = [a for a in own if a.period == _ends(target) or a.period == target.period]
    actual = min(whole, key=_vintage_order, default=None)
    if actual is None:
        return Attainment(target, None, "unknown", reason=_why_empty(target, own, record, year))
    met = already_met(target, actuals)
    if target.qualifier in ("in_step", "above_ref", "below_ref"):
        return _relative(target, actual, actuals, tolerance, met=met)
    wanted, got = _scaled(target), _scaled(actual, target)
    if wanted is None or got is None:
        return Attainment(target, actual, "unknown", vintage=vintage(actual), reason="no_number", already_met=met)
    result: Result = "met" if _holds(target, got, tolerance) else "missed"
    gap = round((got - wanted) / measure.base(target.unit)[1], 9)
    return Attainment(target, actual, result, gap, vintage(actual), already_met=met)


def pairs(
    targets: Iterable[Target],
    actuals: Sequence[Target],
    *,
    tolerance: float,
    record: Record | None = None,
    year: int | None = None,
) -> tuple[Attainment, ...]:
    """Every promise among `targets`, in order, with what became of it."""
    promises = (t for t in targets if t.role == "target")
    return tuple(attain(t, actuals, tolerance=tolerance, record=record, year=year) for t in promises)


def vintage(actual: Target) -> str:
    """How firm a result is: 预计 in a report read in December is not the yearbook's figure."""
    if actual.vintage:
        return actual.vintage
    return "expected" if actual.strength == "expect" else "preliminary"


def already_met(target: Target, actuals: Iterable[Target]) -> bool:
    """Whether a level, amount or share promised for later had been reached in an earlier year."""
    end = _last_year(target.period)
    wanted = _scaled(target)
    if end is None or wanted is None or target.kind not in ("level", "share") or _less_is_better(target):
        return False
    for actual in actuals:
        when, got = _last_year(actual.period), _scaled(actual, target)
        if actual.role != "actual" or when is None or when >= end or got is None:
            continue
        if _same_thing(target, actual) and _holds(target, got, 0.0):
            return True
    return False


# --------------------------------------------------------------------------- across places


def rank(rows: Iterable[tuple[str, Target]]) -> tuple[Place, ...]:
    """Places by the number of one indicator, largest first. Rows in words, or in another unit, are left out.

    The caller passes one indicator of one period; the first row with a number sets measure and unit.
    """
    known = [(place, t, number) for place, t in rows if (number := measure.number(t)) is not None]
    if not known:
        return ()
    model = known[0][1]
    fit = [x for x in known if x[1].kind == model.kind and measure.comparable(x[1].unit, model.unit)]
    fit.sort(key=lambda x: (-x[2], x[0]))
    return tuple(Place(p, t, n, 1 + sum(other > n for _, _, other in fit)) for p, t, n in fit)


def amplification(own: Target, above: Target) -> float | None:
    """By how much a place asks more than the level above it (层层加码): points, or percent of the upper number."""
    one, other = measure.number(own), measure.number(above)
    if one is None or other is None or own.kind != above.kind or not measure.comparable(own.unit, above.unit):
        return None
    if measure.base(own.unit)[0] == "percent":
        return round(one - other, 9)
    return round(100 * (one - other) / other, 9) if other else None


# --------------------------------------------------------------------------- the parts


def _same_thing(target: Target, actual: Target) -> bool:
    """The same family (or the same words), measured in the same way, of the same object."""
    if target.canonical or actual.canonical:
        if target.canonical != actual.canonical:
            return False
    elif wording(target.indicator) != wording(actual.indicator):
        return False
    if target.object and actual.object and target.object != actual.object:
        return False
    growth = (target.kind in ("growth", "relative"), actual.kind in ("growth", "relative"))
    return growth[0] == growth[1] and measure.comparable(target.unit, actual.unit)


def _ends(target: Target) -> str | None:
    """The year in which a goal has to be reached: 2026 of 2022-2026 and of "by 2026"."""
    end = _last_year(target.period)
    return str(end) if end else target.period


def _last_year(period: str | None) -> int | None:
    years = re.findall(r"(?:19|20)\d\d", period or "")
    return int(years[-1]) if years else None


def _part(period: str | None) -> bool:
    return bool(re.match(r"\d{4}-(?:\d\d(?!\d)|[QH])", period or ""))


def _why_empty(target: Target, own: Sequence[Target], record: Record | None, year: int | None) -> Reason:
    end = _last_year(target.period)
    if year is not None and end is not None and end > year:
        return "not_yet_due"
    if any(_part(a.period) and _last_year(a.period) == end for a in own):
        return "part_year"
    if record is None:
        return "report_not_found"
    if record.type == "newspaper":
        return "newspaper_only"
    return "not_stated" if record.complete else "partial_text"


def _vintage_order(actual: Target) -> tuple[int, bool]:
    """The firmest first; a core statement before a mention."""
    name = vintage(actual)
    return _VINTAGES.index(name) if name in _VINTAGES else len(_VINTAGES), actual.tier != "core"


def _less_is_better(target: Target) -> bool:
    return target.direction != "decrease" and bool(_LESS_IS_BETTER.search(target.canonical or target.indicator))


def _scaled(item: Target, like: Target | None = None) -> float | None:
    """The number in base units, turned round where the other side measures a fall and this one a rise."""
    number = measure.number(item)
    opposite = like is not None and {item.direction, like.direction} == {"increase", "decrease"}
    return -number if number is not None and opposite else number


def _holds(target: Target, got: float, tolerance: float) -> bool:
    """Whether a result keeps a promise, both in base units."""
    low, high = measure.bounds(target)
    wanted = measure.number(target)
    assert wanted is not None
    slack = tolerance if measure.base(target.unit)[0] == "percent" else abs(wanted) * tolerance / 100
    slack = (slack if target.qualifier == "about" else 0.0) + 1e-9 * max(1.0, abs(wanted))
    ceiling = target.qualifier in ("at_most", "under") or (_less_is_better(target) and target.qualifier != "at_least")
    if ceiling:
        top = high if high is not None else wanted
        return got < top - slack if target.qualifier == "under" else got <= top + slack
    floor = low if low is not None else wanted
    return got > floor if target.qualifier == "over" else got >= floor - slack


def _relative(target: Target, actual: Target, actuals: Sequence[Target], tolerance: float, *, met: bool) -> Attainment:
    """与经济增长同步, judged against the growth of GDP that is reported for the same period."""
    other = _reference_result(target, actual, actuals)
    one, two = _scaled(actual), _scaled(other) if other else None
    if one is None or two is None:
        return Attainment(target, actual, "unknown", vintage=vintage(actual), reason="no_reference", already_met=met)
    gap = round(one - two, 9)
    nearly = reference.comparator(target)[1]
    slack = (tolerance if nearly else 0.0) + 1e-9
    kept = {"in_step": gap >= -slack, "above_ref": gap > 1e-9, "below_ref": gap < -1e-9}[target.qualifier]
    return Attainment(target, actual, "met" if kept else "missed", gap, vintage(actual), already_met=met)


def _reference_result(target: Target, actual: Target, actuals: Sequence[Target]) -> Target | None:
    """What the indicator it is measured against did in that period."""
    against = reference.reference(target)
    for item in sorted(actuals, key=_vintage_order):
        if item.role != "actual" or item.kind != "growth" or item.period != actual.period:
            continue
        names = {wording(item.indicator), wording(item.canonical or "")}
        if (item.canonical == "地区生产总值" and "经济" in against) or (against and wording(against) in names):
            return item
    return None
