"""Which releases are overdue, on which day, and how that is known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from monitor.awaited import overdue
from monitor.model import Overdue, Season, Source

READ = {"yunling", "column"}
LATER = date(2025, 6, 1)
WINTER = Season(frozenset({12, 1, 2, 3, 4, 5, 6}), timedelta(hours=1))
SERIES = {"region": "999101", "series": "政府工作报告"}


def source(key: str = "yunling", **keys: Any) -> Source:
    return Source(key=key, url=f"http://{key}.example/", **keys)


def came(*days: str) -> dict[int, date]:
    """Releases of these days; one before November is of its own year."""
    found = [date.fromisoformat(d) for d in days]
    return {d.year + (d.month > 10): d for d in found}


@pytest.mark.parametrize(
    ("keys", "known", "last_good", "by", "why"),
    [
        # two weeks after the latest of the earlier ones
        (SERIES, came("2023-01-10", "2024-01-20", "2025-01-15"), "2026-02-03", "2026-01-20", "learned"),
        (SERIES, came("2022-12-20", "2023-12-28"), "2025-01-11", "2024-12-28", "learned"),
        # one only: more patience
        (SERIES, came("2025-02-01"), "2026-03-18", "2026-02-01", "learned"),
        # what was posted years later teaches nothing, and is known
        (SERIES, came("2025-02-01") | dict.fromkeys((2023, 2024), LATER), "2026-03-18", "2026-02-01", "learned"),
        # what the operator says goes first
        (SERIES | {"expect": "03-15"}, came("2024-01-10", "2025-01-10"), "2026-03-15", "2026-03-15", "expect"),
        ({"expect": "03-15"}, {2025: date(2025, 3, 1)}, "2026-03-15", "2026-03-15", "expect"),
        # nothing learned yet: the end of the season
        (SERIES | {"season": WINTER}, {2025: date(2026, 1, 9)}, "2026-07-01", "2026-07-01", "season"),
    ],
)  # fmt: skip
def test_a_release_is_overdue_from_a_day_on(
    keys: dict[str, Any], known: dict[int, date], last_good: str, by: str, why: Any
) -> None:
    day, watched = date.fromisoformat(last_good), source(**keys)
    assert overdue([watched], {"yunling": known}, day, READ) == []
    [late] = overdue([watched], {"yunling": known}, day + timedelta(days=1), READ)
    assert (late.sources, late.year, late.by, late.why) == (("yunling",), max(known) + 1, date.fromisoformat(by), why)
    assert overdue([watched], {"yunling": {**known, late.year: day}}, day + timedelta(days=1), READ) == []


SILENT = {"expect": "03-15"}


@pytest.mark.parametrize(
    "keys", [{}, {"season": WINTER}, SERIES, SILENT | {"release": "2021"}, SILENT | {"enabled": False}]
)
def test_nothing_is_missed_where_nothing_says_when(keys: dict[str, Any]) -> None:
    assert overdue([source(**keys)], {}, date(2026, 7, 20), READ) == []


def test_sources_of_one_series_wait_for_one_release() -> None:
    there, column = source(**SERIES), source("column", **SERIES)
    known = {"yunling": came("2024-01-10", "2025-01-12")}
    [late] = overdue([there, column], known, date(2026, 3, 1), READ)
    assert late == Overdue(("yunling", "column"), "999101", "政府工作报告", 2026, date(2026, 1, 12), "learned")
    assert overdue([there, column], known | {"column": came("2026-01-20")}, date(2026, 3, 1), READ) == []
    assert overdue([there, column], known, date(2026, 3, 1), READ - {"column"}) == []


def test_a_series_that_ended_is_not_missed_for_ever() -> None:
    known = {"yunling": came("2018-01-10", "2019-01-12")}
    assert overdue([source(**SERIES)], known, date(2022, 1, 20), READ) != []
    assert overdue([source(**SERIES)], known, date(2022, 3, 1), READ) == []
