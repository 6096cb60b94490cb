"""What a text says more than once: a repeat is no second promise; one that gives another number is a finding. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from monitor.model import Target
from monitor.targets import measure

_STATED_ONCE = frozenset({"growth", "level", "share"})  # counts and sums of works are said of many things

_COMPARED = 8  # other values of one subject that are looked at


def counted(items: Sequence[Target]) -> tuple[Target, ...]:
    """The items, each with its `mentions`; contradicting repeats carry a note that names the other value."""
    said: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, item in enumerate(items):
        said[_subject(item)].append(at)
    out = list(items)
    for places in said.values():
        if len(places) > 1:
            _marked(out, places)
    return tuple(out)


def _subject(item: Target) -> tuple[object, ...]:
    family = measure.base(item.unit)[0]
    about = (item.object, item.parent, item.scope, item.basis)
    return item.role, item.indicator_id or item.indicator, item.kind, family, item.period, *about


def _marked(items: list[Target], places: Sequence[int]) -> None:
    """Counts the repeats among items of one subject, in place."""
    numbers = [(measure.number(items[at]), items[at].qualifier) for at in places]
    times = Counter(numbers)
    first = dict(zip(reversed(numbers), reversed(places), strict=True))
    for at, number in zip(places, numbers, strict=True):
        note = items[at].note
        other = next((i for i in islice(first.values(), _COMPARED) if _contradicts(items[at], items[i])), None)
        if other is not None:
            note = "; ".join(filter(None, (note, f"elsewhere {items[other].value_text}")))
        if other is not None or times[number] > 1:
            items[at] = replace(items[at], mentions=times[number], note=note)


def _contradicts(item: Target, other: Target) -> bool:
    """Two plain numbers for one thing, called by one name: 围绕地区生产总值 is that of 地区生产总值."""
    if item.kind not in _STATED_ONCE or item.indicator_id is None:
        return False
    if item.indicator not in other.indicator and other.indicator not in item.indicator:
        return False
    if item.qualifier != other.qualifier or item.parent or "core" not in (item.tier, other.tier):
        return False
    return not measure.same(measure.number(item), measure.number(other))
