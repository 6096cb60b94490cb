"""Durations, moments and crontab lines as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor import schedule, times
from monitor.model import Recheck

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("3s", 3), ("5m", 300), ("6h", 21600), ("1d", 86400), (" 2h ", 7200), ("90 s", 90)]
)
def test_durations(text: str, seconds: int) -> None:
    assert times.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "5", "m", "-3s", "1.5h", "1w", "99999999d", "5 minutes"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        times.duration(text)


def test_zero_where_it_may_be() -> None:
    assert times.duration("0s", zero=True) == timedelta(0)


def test_recheck() -> None:
    assert times.recheck("30m for 14d, then 1d") == Recheck(30 * MINUTE, 14 * DAY, DAY)
    assert times.recheck("2h") == Recheck(2 * HOUR, timedelta(0), 2 * HOUR)
    with pytest.raises(ValueError, match="duration"):
        times.recheck("30m until Friday")


# --------------------------------------------------------------------------- spreading


GOOD = (
    "* * * * *", "*/5 0-6/2 1,15 jan-mar *", "0 8 * * 1-5", "5/10 7 last 2 *", "0 0 30 2 1", "59 23 31 12 sun",
    "0 8 29 2 *",    "0 0 * * 7", "0 0 1-7 * */2", "0,30 8 * 1-12/3 sat-sun",
)  # fmt: skip
BAD = (
    "60 * * * *", "* 24 * * *", "0 8 0 * *", "0 8 * 13 *", "0 8 * * 8", "0 8 * * mon-xyz", "a * * * *", "*/0 * * * *",
    "5-1 * * * *", "0 8 32 * *", "0 8 * *", "0 8 * * * *", "", "-1 * * * *", "*-5 * * * *", "0 8 30 2 *",
    "0 8 31 4,6 *", "１ 8 * * *",
)  # fmt: skip


@pytest.mark.parametrize("line", GOOD)
def test_what_passes_the_check_comes(line: str) -> None:
    times.check_crontab(line)
    assert schedule.next_fire(line, "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is not None


@pytest.mark.parametrize("line", BAD)
def test_what_cannot_be_read_or_never_comes_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no|never comes|fields where|step|backwards"):
        times.check_crontab(line)
