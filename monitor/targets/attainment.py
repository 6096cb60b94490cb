"""Promises held against results: met, missed, by how much; and one indicator across places. Pure.

A target is paired with what a later document reports for its period. Where there is nothing to pair, `reason` says why
the cell is empty; an empty cell is never a miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from monitor.model import Record, Target
from monitor.targets import measure, reference
from monitor.targets.views import alike, many, step, wording

Result = Literal["met", "missed", "unknown"]
RESULTS: tuple[Result, ...] = ("met", "missed", "unknown")
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
# What is counted anew each year, and words that speak of what there is in all.
_FLOW = re.compile(r"^(?:新|净)?(?:增|建|开工|签约|引进)|新增|投资|收入|产量|产值|增加值|总额|培训|就业")
_NEWLY = re.compile(r"^(?:累计)?(?:新|净)(?:增|建|改建|开工|签约|引进)")
_STOCK = re.compile(r"达到|总数|总量|保有|累计|突破|保持")
_ALIKE = 0.5  # of projects, sums and areas: what the words of promise and result have to share
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
class Setting:
    """What is known around the promises that are judged.

    `tolerance` is what 左右 allows: percentage points for percentages, percent of the target for all else. `year`: the
    last year that has ended; a target that ends after it is not yet due. `announced`: the year of the document that
    promises. `above`: what 全市, 全省 and 全国 report, for promises that are measured against them.
    """

    tolerance: float = 0.5
    year: int | None = None
    announced: int | None = None
    above: Mapping[str, Sequence[Target]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """One row of a ranking; equal numbers share a position, counted from 1."""

    name: str
    target: Target
    number: float
    position: int


def attain(target: Target, actuals: Sequence[Target], setting: Setting, *, record: Record | None = None) -> Attainment:
    """The result of one target.

    `actuals`: what later documents report, of any indicator. `record`: the document the actuals were read from (None:
    there is none).
    """
    own = [a for a in actuals if a.role == "actual" and _same_thing(target, a)]
    whole = [a for a in own if a.period == target.period or (a.period == _ends(target) and not _adds_up(target))]
    actual = min(whole, key=lambda a: (*_vintage_order(a), -alike(target, a)), default=None)
    met = already_met(target, actuals, announced=setting.announced)
    if actual is None:
        reason = _why_empty(target, own, record, setting.year)
        return Attainment(target, None, "unknown", reason=reason, already_met=met)
    if target.qualifier in ("in_step", "above_ref", "below_ref"):
        return replace(_relative(target, actual, actuals, setting), already_met=met)
    wanted, got = _scaled(target), _scaled(actual, target)
    if wanted is None or got is None:
        return Attainment(target, actual, "unknown", vintage=vintage(actual), reason="no_number", already_met=met)
    result: Result = "met" if _holds(target, got, setting.tolerance) else "missed"
    gap = round((got - wanted) / measure.base(target.unit)[1], 9)
    return Attainment(target, actual, result, gap, vintage(actual), already_met=met)


def vintage(actual: Target) -> str:
    """How firm a result is: 预计 in a report read in December is not the yearbook's figure."""
    if actual.vintage:
        return actual.vintage
    return "expected" if actual.strength == "expect" else "preliminary"


def already_met(target: Target, actuals: Iterable[Target], *, announced: int | None = None) -> bool:
    """Whether what is promised for later had been reached when it was promised: by a result of a year before that.

    Only of what stands or accumulates (达到90%, 总数达到50家): what is newly done each year starts from nothing.
    """
    end = _last_year(target.period)
    last = min(x - 1 for x in (announced, end) if x) if announced or end else None
    wanted = _scaled(target)
    if last is None or wanted is None or not _stands(target) or _less_is_better(target):
        return False
    for actual in actuals:
        when, got = _last_year(actual.period), _scaled(actual, target)
        if actual.role != "actual" or when is None or when > last or got is None:
            continue
        if _same_thing(target, actual) and _holds(target, got, 0.0):
            return True
    return False


def _adds_up(target: Target) -> bool:
    """Whether a promise for several years is kept by all of them together, not by the last one."""
    basis = (target.basis or "").split("+")
    several = bool(re.match(r"\d{4}-\d{4}$", target.period or ""))
    return several and ("cumulative" in basis or "annual_average" in basis or bool(_NEWLY.search(target.indicator)))


def _stands(target: Target) -> bool:
    """Whether the number is a state, not what one year adds."""
    if _FLOW.search(target.canonical or target.indicator) or target.direction != "level":
        return False
    return target.kind in ("level", "share") or (
        target.kind in ("amount", "count") and bool(_STOCK.search(target.text))
    )


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
    position: dict[float, int] = {}
    for at, (_, _, number) in enumerate(fit, 1):
        position.setdefault(number, at)
    return tuple(Place(p, t, n, position[n]) for p, t, n in fit)


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
    if {step(target), step(actual)} == {"added", "reached"}:
        return False
    if many(target.canonical or "") and alike(target, actual) < _ALIKE:
        return False
    if ("annual_average" in (target.basis or "")) != ("annual_average" in (actual.basis or "")):
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


def _relative(target: Target, actual: Target, actuals: Sequence[Target], setting: Setting) -> Attainment:
    """与经济增长同步 against the growth of GDP reported for the same period, 高于全省平均 against the province's."""
    gap = _stated_gap(target, actual, actuals)
    if gap is None:
        other = _reference_result(target, actual, actuals) or _result_above(target, actual, setting.above)
        one, two = _scaled(actual), _scaled(other) if other else None
        if one is None or two is None:
            return Attainment(target, actual, "unknown", vintage=vintage(actual), reason="no_reference")
        gap = round(one - two, 9)
    slack = (setting.tolerance if reference.comparator(target)[1] else 0.0) + 1e-9
    kept = {"in_step": gap >= -slack, "above_ref": gap > 1e-9, "below_ref": gap < -1e-9}[target.qualifier]
    return Attainment(target, actual, "met" if kept else "missed", gap, vintage(actual))


def _stated_gap(target: Target, actual: Target, actuals: Iterable[Target]) -> float | None:
    """高于全省0.8个百分点, said of the result itself: the gap in points, negative below."""
    against = reference.reference(target)
    for item in actuals:
        number = measure.number(item)
        if item.role != "actual" or item.kind != "change" or number is None or item.period != actual.period:
            continue
        if item.canonical == target.canonical and against and against[:2] in reference.plain(item.text):
            return -number if re.search(r"低于|慢于|落后", item.text) else number
    return None


_LEVELS = ("全国", "全省", "全区", "全市", "全州")


def _result_above(target: Target, actual: Target, above: Mapping[str, Sequence[Target]]) -> Target | None:
    """What the province or city that it is measured against reports of the same thing."""
    against = reference.reference(target)
    level = next((x for x in _LEVELS if x in against), None)
    fit = (
        a
        for a in above.get(level or "", ())
        if a.role == "actual" and a.kind == "growth" and a.canonical == target.canonical and a.period == actual.period
    )
    return min(fit, key=_vintage_order, default=None)


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
