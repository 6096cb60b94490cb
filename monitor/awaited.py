"""Which yearly releases should have come by now. Pure: the day is a parameter, what is known comes from storage.

Reports on a year's work and goals appear between December and June, at every place in its own weeks. A release is
overdue by what the operator says (`expect:`), else by when the earlier ones came, else when a `season:` is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.model import Overdue, Source, Why

GRACE = timedelta(days=14)  # after the latest of the earlier ones
GRACE_OF_ONE = timedelta(days=45)  # where only one is known
GIVEN_UP = timedelta(days=730)  # a series that ended is not missed for ever
EARLIEST, LATEST = -62, 300  # days from 1 January within which a release of that year came out, and was not posted late
LEARNED_FROM = 5  # years


def today(now: datetime) -> date:
    """The day on which a release comes or does not."""
    return now.astimezone(ZoneInfo("Asia/Shanghai")).date()


def overdue(
    sources: Iterable[Source],
    known: Mapping[str, Mapping[int, date]],
    on: date,
    read: Collection[str],
) -> list[Overdue]:
    """The releases that are overdue. `known`: source -> year of a release -> the day on which it came out.

    Sources of one region and series wait for the same release, whichever brings it. One that names its release, or
    is not read, waits for none; nothing is missed before each of them was `read` once.
    """
    groups: dict[tuple[str | None, str], list[Source]] = {}
    for source in sources:
        if source.enabled and source.release is None and not (source.series is None and source.expect is None):
            own = (source.region, source.series) if source.region and source.series else (None, source.key)
            groups.setdefault(own, []).append(source)
    found = []
    for group in groups.values():
        if any(source.key not in read for source in group):
            continue
        days: dict[int, date] = {}
        for source in group:
            for year, day in known.get(source.key, {}).items():
                days[year] = min(day, days.get(year, day))
        due = _due(group, days, on)
        if due is not None and due[0] not in days and due[1] < on <= due[1] + GIVEN_UP:
            year, _, by, why = due
            keys = tuple(s.key for s in group)
            found.append(Overdue(keys, group[0].region, group[0].series, year, by, why))
    return found


def _due(group: Sequence[Source], days: Mapping[int, date], on: date) -> tuple[int, date, date, Why] | None:
    """(year, last day of patience, day by which it was to come, how that is known) of the release that is next."""
    for source in group:
        if source.expect is not None:
            by = _said(source.expect, on)
            return (by.year, by, by, "expect") if max(days, default=0) < by.year else None
    usual = sorted((day - date(year, 1, 1)).days for year, day in sorted(days.items())[-LEARNED_FROM:])
    usual = [n for n in usual if EARLIEST <= n <= LATEST]
    if usual:
        year = max(days) + 1
        by = date(year, 1, 1) + timedelta(days=usual[-1])
        return year, by + (GRACE if len(usual) > 1 else GRACE_OF_ONE), by, "learned"
    for source in group:
        end = _end(source.season.months) if source.season else None
        if end is not None:
            by = _said(f"{end % 12 + 1:02}-01", on)
            return (by.year, by, by, "season") if max(days, default=0) < by.year else None
    return None


def _said(day: str, on: date) -> date:
    """The last time that this day of the year (MM-DD) came."""
    month, number = map(int, day.split("-"))
    year = on.year if (on.month, on.day) > (month, number) else on.year - 1
    return date(year, month, number)


def _end(months: frozenset[int]) -> int | None:
    """The month in which a season ends; None where it never does."""
    return next((m for m in sorted(months) if m % 12 + 1 not in months), None)
