"""Two documents compared: the lines of `compare`, why something is missing, and what a new form amounts to. Pure.

`compare` knows figures only; here the two records are known too: whether a text is whole, which year it speaks for,
and what its review reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.model import Record, Target, TargetChange
from monitor.targets import measure
from monitor.targets.compare import Side, compare

Missing = Literal["still_open", "replaced", "restated", "done", "partial_text", "not_stated"]
MISSING: tuple[Missing, ...] = (
    "still_open",  # a promise for several years that have not ended
    "replaced",  # by another measure
    "restated",  # a growth before, an amount now, or the other way round
    "done",  # works that are done once
    "partial_text",  # the newer text is a part of its document
    "not_stated",  # a whole document does not state it
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One document, read."""

    record: Record
    items: Sequence[Target]


def between(
    old: Reading,
    new: Reading,
    *,
    relation: str,
    quoting: Side = "after",
    everything: bool = False,
    missing: Sequence[int] = (),
) -> tuple[TargetChange, ...]:
    """Every line of the comparison; `missing` are the report years between the two that nobody has."""
    lines = compare(old.items, new.items, relation=relation, quoting=quoting, everything=everything, gap=bool(missing))
    if relation != "next_release":
        return lines
    return tuple(_derived(_explained(line, old.record, new.record), old, new) for line in lines)


# --------------------------------------------------------------------------- why something is missing


def _explained(line: TargetChange, old: Record, new: Record) -> TargetChange:
    """A dropped line with its reason; what is only out of sight is no news."""
    if line.change != "dropped" or line.before is None:
        return line
    reason = _why(line, old, new)
    silent = reason in ("still_open", "partial_text", "done")
    return replace(line, reason=reason, recurring=line.recurring and not silent)


def _why(line: TargetChange, old: Record, new: Record) -> Missing:
    assert line.before is not None
    if "measure_changed" in line.flags:
        return "replaced"
    if "form_changed" in line.flags:
        return "restated"
    if _open(line.before, new.year):
        return "still_open"
    if new.stage == "excerpt" and old.complete:
        return "partial_text"
    return "not_stated" if line.recurring else "done"


def _open(item: Target, year: int | None) -> bool:
    """Whether a promise for several years runs on into the year that the newer document speaks for."""
    years = re.findall(r"(?:19|20)\d\d", item.period or "")
    spans = len(set(years)) > 1 or (item.period or "").startswith("by ")
    return bool(year and years and spans and int(years[-1]) >= year and item.role == "target")


# --------------------------------------------------------------------------- what a new form amounts to


def _derived(line: TargetChange, old: Reading, new: Reading) -> TargetChange:
    """增长2% → 完成23.9亿元: the growth that the amount means, over what its document reports for the year before."""
    if "form_changed" not in line.flags:
        return line
    item, own = (line.after, new) if line.after else (line.before, old)
    if item is None or item.kind == "growth":
        return line
    base = _base(item, own.items)
    wanted, was = measure.number(item), measure.number(base) if base else None
    if base is None or wanted is None or not was:
        return line
    return replace(line, implied=round(100 * (wanted / was - 1), 1), implied_base=base.value_text)


def _base(item: Target, items: Iterable[Target]) -> Target | None:
    """What the same document reports of the same thing for the whole year before."""
    if not re.fullmatch(r"\d{4}", item.period or ""):
        return None
    year = str(int(item.period or 0) - 1)
    fit = (
        a
        for a in items
        if a.role == "actual"
        and a.period == year
        and a.canonical == item.canonical
        and a.kind in ("amount", "level", "count")
        and (a.scope or "") == (item.scope or "")
        and measure.base(a.unit)[0] == measure.base(item.unit)[0]
    )
    return min(fit, key=lambda a: a.tier != "core", default=None)
