"""Stored texts read again with today's rules: what an upgrade shifts. Never a change, never an alert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from monitor import wire
from monitor.model import Retold, Target, Version, Vocabulary
from monitor.review.sides import stored_side
from monitor.targets.record import label
from storage.queries import Queries

_READ = ("vstart", "vend", "role", "canonical", "value", "value_min", "value_max", "unit", "qualifier", "period")


@dataclass(frozen=True, slots=True)
class Shift:
    """A version that today's rules read otherwise than what is stored."""

    version: str
    told: Retold
    row: wire.JSON


def shifts(ask: Queries, vocabulary: Vocabulary, names: list[str]) -> Iterator[Shift | None]:
    """One answer for each version, in order: what differs, or None."""
    series = ask.series_by_source()
    for name in names:
        version = ask.version(name)
        yield _shift(version, ask.targets_of(name), vocabulary, series.get(version.source))


def _shift(version: Version, stored: tuple[Target, ...], vocabulary: Vocabulary, series: str | None) -> Shift | None:
    now = stored_side(version, vocabulary, series=series)
    about = replace(now.record, stage="copy") if version.record.stage == "copy" else now.record
    given = version.release != label(version.record)  # by a user, or in sources.yaml: it stands
    told = Retold(about, version.release if given else label(about), now.items)
    if (stored, version.record, version.release) == (told.targets, told.record, told.release):
        return None
    before, after = ({_reading(t): t.text for t in items} for items in (stored, now.items))
    return Shift(
        version.id,
        told,
        {
            "source": version.source,
            "version": version.id,
            "release": version.release,
            "before": len(stored),
            "after": len(now.items),
            "gone": [before[k] for k in before if k not in after],
            "new": [after[k] for k in after if k not in before],
            "details": sum(one != other for one, other in _same(stored, now.items)),
            "record": _moved(version, told),
        },
    )


def _reading(t: Target) -> tuple[Any, ...]:
    return tuple(getattr(t, name) for name in _READ)


def _same(stored: tuple[Target, ...], now: tuple[Target, ...]) -> Iterator[tuple[Target, Target]]:
    """Items whose figure is read alike, to count those whose other fields differ."""
    known = {_reading(t): t for t in stored}
    return ((known[key], t) for t in now if (key := _reading(t)) in known)


def _moved(version: Version, told: Retold) -> dict[str, list[Any]]:
    """Fields of the record, and the release, that are read otherwise: [before, after]."""
    names = ("type", "year", "place", "session", "meeting", "speaker", "acting", "stage", "complete")
    pairs = {n: [getattr(version.record, n), getattr(told.record, n)] for n in names}
    pairs["release"] = [version.release, told.release]
    return {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}
