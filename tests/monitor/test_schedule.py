"""When a page is next due. 2026-01-04 is a Sunday."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor import schedule, times
from monitor.model import BLOCKED_WORDS, Failure, Page, Recheck, Season, Source

NOW = datetime(2026, 1, 7, 4, 0, tzinfo=UTC)  # a Wednesday, noon in Shanghai
HOUR, MINUTE, DAY, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1), timedelta(seconds=1)
SOURCE = Source(key="yunling", url="http://yunling.example/", every=6 * HOUR)
PAGE = Page(1, "yunling", "http://yunling.example/")


@pytest.mark.parametrize(
    ("weekday", "names"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("6", "Sat"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("5-7", "Sun Fri Sat"),
        ("0,3", "Sun Wed"),
        ("*/2", "Sun Tue Thu Sat"),
        ("1-5/2", "Mon Wed Fri"),
        ("mon-fri", "Mon Tue Wed Thu Fri"),
        ("sat-sun", "Sun Sat"),
        ("SUN", "Sun"),
        ("*", "Sun Mon Tue Wed Thu Fri Sat"),
    ],
)
def test_weekdays_are_those_of_crontab(weekday: str, names: str) -> None:
    at, fired = datetime(2026, 1, 3, 23, tzinfo=UTC), []
    end = at + 7 * DAY
    while (fire := schedule.next_fire(f"0 8 * * {weekday}", "UTC", at)) and fire < end:
        fired.append(fire.strftime("%a"))
        at = fire
    assert " ".join(fired) == names


@pytest.mark.parametrize("line", ["0 8 * *", "0 8 * * 8", "60 8 * * *", "0 8 * * 5-2", "0 8 * * */0", "x 8 * * *", ""])
def test_a_wrong_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        schedule.crontab(line, "UTC")


def test_a_day_that_never_comes() -> None:
    assert schedule.next_fire("0 8 30 2 *", "UTC", NOW) is None


def test_day_and_weekday_together_mean_either() -> None:
    first = schedule.next_fire("0 0 9 * 4", "UTC", NOW)
    second = schedule.next_fire("0 0 9 * 4", "UTC", datetime(2026, 1, 8, tzinfo=UTC))
    assert (first, second) == (datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC))


def test_a_line_is_read_in_its_time_zone() -> None:
    assert schedule.next_fire("0 7 * * *", "Asia/Shanghai", NOW) == datetime(2026, 1, 7, 23, tzinfo=UTC)
    assert schedule.next_fire("0 7 * * *", "Europe/Berlin", NOW) == datetime(2026, 1, 7, 6, tzinfo=UTC)


def test_daylight_saving_moves_the_hour_and_loses_no_day() -> None:
    at, fired = datetime(2026, 3, 27, 12, tzinfo=UTC), []
    for _ in range(4):  # the clocks of Berlin go from 2 to 3 on 29 March
        fire = schedule.next_fire("30 7 * * *", "Europe/Berlin", at)
        assert fire is not None
        fired.append(fire.strftime("%d %H:%M"))
        at = fire
    assert fired == ["28 06:30", "29 05:30", "30 05:30", "31 05:30"]


def test_an_hour_that_the_clock_skips_or_repeats_runs_once() -> None:
    spring = schedule.next_fire("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert spring is not None
    assert spring - datetime(2026, 3, 28, 12, tzinfo=UTC) <= 37 * HOUR
    autumn = schedule.next_fire("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert autumn is not None
    assert autumn.date() == datetime(2026, 10, 25).date()  # noqa: DTZ001 - a day of the calendar


def test_first_runs_are_spread_over_the_first_minutes() -> None:
    firsts = [schedule.first_due(replace(SOURCE, url=f"http://a.example/{n}"), NOW) - NOW for n in range(1000)]
    assert min(firsts) >= timedelta(0)
    assert max(firsts) < 10 * MINUTE
    for minute in range(10):
        inside = sum(minute <= first / MINUTE < minute + 1 for first in firsts)
        assert 60 < inside < 140


def test_first_runs_are_soon_where_the_interval_is_short_or_no_spread_is_wanted() -> None:
    assert schedule.first_due(replace(SOURCE, every=timedelta(seconds=5)), NOW) - NOW < timedelta(seconds=5)
    assert schedule.first_due(SOURCE, NOW, spread=timedelta(0)) == NOW


def test_intervals_drift_apart_always_the_same_way_and_never_beyond_the_promise() -> None:
    dues = [schedule.next_due(SOURCE, replace(PAGE, url=f"http://a.example/{n}"), NOW) - NOW for n in range(200)]
    assert len(set(dues)) > 190
    assert all(0.9 * 6 * HOUR <= due <= 6 * HOUR for due in dues)
    assert schedule.next_due(SOURCE, PAGE, NOW) == schedule.next_due(SOURCE, PAGE, NOW)


# --------------------------------------------------------------------------- the next time


def test_missed_runs_run_once() -> None:
    late = replace(PAGE, next_due=NOW - 30 * DAY, last_checked=NOW - 31 * DAY)
    assert schedule.next_due(SOURCE, late, NOW) - NOW > 5 * HOUR
    cron = replace(SOURCE, every=None, cron="0 7 * * *")
    assert schedule.next_due(cron, late, NOW) == datetime(2026, 1, 7, 23, tzinfo=UTC)


def test_season() -> None:
    source = replace(SOURCE, every=10 * DAY, season=Season(frozenset({12, 1}), HOUR))
    assert schedule.next_due(source, PAGE, NOW) - NOW <= HOUR
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert schedule.next_due(source, PAGE, summer) - summer > 8 * DAY


def test_the_season_is_not_slept_through() -> None:
    source = replace(SOURCE, every=20 * DAY, season=Season(frozenset({12}), HOUR))
    due = schedule.next_due(source, PAGE, datetime(2026, 11, 25, tzinfo=UTC))
    assert due == datetime(2026, 11, 30, 16, tzinfo=UTC)  # the first of December in Shanghai


def test_documents_are_read_often_while_young() -> None:
    source = replace(SOURCE, recheck=Recheck(30 * MINUTE, 14 * DAY, DAY))
    young = Page(2, "yunling", "http://yunling.example/1.html", role="document", found_at=NOW - 13 * DAY)
    assert 27 * MINUTE <= schedule.next_due(source, young, NOW) - NOW <= 30 * MINUTE
    old = replace(young, found_at=NOW - 15 * DAY)
    assert 0.9 * DAY <= schedule.next_due(source, old, NOW) - NOW <= DAY


@pytest.mark.parametrize(
    ("stood", "shortest", "longest"),
    [
        (HOUR, 30 * MINUTE, 30 * MINUTE),
        (20 * HOUR, 2 * HOUR, 2 * HOUR),
        (3 * DAY, 7.2 * HOUR, 7.2 * HOUR),
        (99 * DAY, DAY, DAY),
    ],
)
@pytest.mark.parametrize("role", ["entry", "document"])
def test_an_interval_follows_how_long_the_text_has_stood(
    role: str, stood: timedelta, shortest: timedelta, longest: timedelta
) -> None:
    source = replace(SOURCE, adapt=times.adapt("30m to 1d"), recheck=times.recheck("1h for 1h, then 7d"))
    page = replace(PAGE, role=role, found_at=NOW - 100 * DAY, last_change=NOW - stood)  # type: ignore[arg-type]
    wait = schedule.next_due(source, page, NOW) - NOW
    assert 0.9 * shortest - SECOND <= wait <= longest + SECOND
    promised = replace(source, detect_within=HOUR)
    assert schedule.next_due(promised, page, NOW) - NOW <= min(longest, HOUR) + SECOND


def test_a_season_says_itself_how_often() -> None:
    source = replace(SOURCE, adapt=times.adapt("30m to 9d"), season=Season(frozenset(range(1, 13)), HOUR))
    assert schedule.next_due(source, replace(PAGE, last_change=NOW - 80 * DAY), NOW) - NOW <= HOUR


@pytest.mark.parametrize("rare", [{"every": 7 * DAY}, {"every": None, "cron": "0 7 1 1 *"}])
def test_what_is_promised_holds_whatever_else_says_so(rare: dict[str, Any]) -> None:
    source = replace(SOURCE, detect_within=HOUR, **rare)
    assert schedule.next_due(source, PAGE, NOW) - NOW <= HOUR
    document = replace(PAGE, role="document", found_at=NOW - 300 * DAY)
    assert schedule.next_due(source, document, NOW) - NOW <= HOUR


@pytest.mark.parametrize("wrong", ["30m", "1d to 30m", "1d to soon"])
def test_bounds_that_are_none(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"no two durations|runs backwards|not a duration"):
        times.adapt(wrong)


def failed(word: str, consecutive: int, source: Source = SOURCE, **kw: float) -> timedelta:
    failure = Failure(word, "for the test", **kw)  # type: ignore[arg-type]
    return schedule.next_due(source, PAGE, NOW, failure=failure, consecutive=consecutive) - NOW


def test_what_may_pass_by_itself_is_tried_again_soon_and_then_less_and_less() -> None:
    waits = [failed("timeout", n) / MINUTE for n in range(1, 12)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]


def test_what_stays_is_backed_off_from_the_interval() -> None:
    assert [failed("http_403", n) / HOUR for n in (1, 2, 3)] == [12, 24, 24]


@pytest.mark.parametrize("word", sorted(BLOCKED_WORDS))
def test_a_block_is_backed_off_fourfold(word: str) -> None:
    hourly = replace(SOURCE, every=HOUR)
    assert [failed(word, n, hourly) / HOUR for n in (1, 2, 3)] == [4, 16, 24]


def test_back_off_never_overflows_and_keeps_long_intervals() -> None:
    assert failed("timeout", 10**6) == DAY
    assert failed("http_404", 3, replace(SOURCE, every=7 * DAY)) == 7 * DAY


def test_retry_after_is_respected_within_reason() -> None:
    assert failed("http_5xx", 1, retry_after=7200.0) == 2 * HOUR
    assert failed("http_5xx", 1, retry_after=1.0) == 5 * MINUTE
    assert failed("http_5xx", 1, retry_after=1e12) == 7 * DAY


def test_confirmations_follow_an_event() -> None:
    at, waits = NOW, []
    for _ in range(3):
        due = schedule.next_due(SOURCE, PAGE, at, event_at=NOW)
        waits.append((due - NOW) / MINUTE)
        at = due
    assert waits == [3, 10, 30]
    assert schedule.next_due(SOURCE, PAGE, at, event_at=NOW) - at > 5 * HOUR


def test_confirmations_come_before_back_off_but_not_before_retry_after() -> None:
    gone = Failure("http_404", "gone", 404)
    assert schedule.next_due(SOURCE, PAGE, NOW, failure=gone, event_at=NOW) == NOW + 3 * MINUTE
    held = Failure("http_5xx", "later", 503, retry_after=3600)
    assert schedule.next_due(SOURCE, PAGE, NOW, failure=held, event_at=NOW) == NOW + HOUR


def test_the_last_confirmation_is_the_first_good_check_after_it_and_within_a_day() -> None:
    for good, now, last in (
        (10 * MINUTE, 30 * MINUTE, True),
        (10 * MINUTE, 29 * MINUTE, False),
        (30 * MINUTE, 31 * MINUTE, False),
        (0 * MINUTE, 24 * HOUR, True),
        (0 * MINUTE, 25 * HOUR, False),
    ):
        assert schedule.confirmed(SOURCE, NOW, NOW + good, NOW + now) is last
    assert not schedule.confirmed(replace(SOURCE, confirm=()), NOW, NOW, NOW + 30 * MINUTE)


def test_confirmations_can_be_off() -> None:
    off = replace(SOURCE, confirm=())
    assert schedule.next_due(off, PAGE, NOW, event_at=NOW) - NOW > 5 * HOUR


def test_a_clock_set_back_silences_nobody() -> None:
    two_days_back = NOW - 2 * DAY
    page = replace(PAGE, last_checked=NOW, next_due=NOW + 6 * HOUR)
    assert two_days_back < (schedule.brought_back(SOURCE, page, two_days_back) or NOW) <= two_days_back + 6 * HOUR
    assert schedule.brought_back(SOURCE, page, NOW + HOUR) == page.next_due
    failing = replace(page, next_due=NOW + 10 * MINUTE, failure=Failure("timeout", "slow"), consecutive=2)
    assert schedule.brought_back(SOURCE, failing, NOW) == failing.next_due
    assert schedule.brought_back(SOURCE, replace(page, next_due=None), NOW) is None
    never = replace(page, last_checked=None)
    assert (schedule.brought_back(SOURCE, never, two_days_back) or NOW) <= two_days_back + schedule.FIRST_SPREAD
    daily = replace(SOURCE, every=None, cron="0 7 * * *")
    assert schedule.brought_back(daily, page, two_days_back) == schedule.next_fire(
        "0 7 * * *", "Asia/Shanghai", two_days_back
    )


def test_pages_brought_back_do_not_come_at_one_moment() -> None:
    pages = [replace(PAGE, url=f"http://yunling.example/{n}", last_checked=NOW, next_due=NOW + DAY) for n in range(60)]
    back = NOW - 2 * DAY
    waits = [((schedule.brought_back(SOURCE, p, back) or NOW) - back) / (6 * HOUR) for p in pages]
    assert [sum(n / 3 <= w < (n + 1) / 3 for w in waits) > 8 for n in range(3)] == [True] * 3


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("line", "least", "most"), [("0 * * * *", 0.5, 2), ("30 2 * * *", 22.5, 48), ("0 1-3 * * *", 1, 24)]
)
def test_summer_time_makes_no_crontab_line_silent_or_hasty(zone: str, line: str, least: float, most: float) -> None:
    gaps = set[timedelta]()
    for month, day in ((3, 5), (3, 25), (4, 1), (9, 30), (10, 22), (10, 29)):  # within a week of each change
        at = schedule.next_fire(line, zone, datetime(2026, month, day, tzinfo=UTC)) or NOW
        for _ in range(0, 7 * DAY // HOUR, round(least) or 1):
            after = schedule.next_fire(line, zone, at) or NOW
            gaps.add(after - at)
            at = after
    assert least * HOUR <= min(gaps) <= max(gaps) <= most * HOUR
