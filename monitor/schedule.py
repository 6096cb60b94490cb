"""When is a page next due: arithmetic on apscheduler's triggers. Pure: `now` is a parameter, nothing runs here.

Due times are rows (research: a scheduler job for each source does not survive 10,000 of them); whoever checks a page
asks here for the next time and stores it. Nothing is ever due in the past, so a run that was missed runs once.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from monitor import times
from monitor.model import BLOCKED_WORDS, Failure, Page, Source

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FIRST_RETRY = timedelta(minutes=5)  # after a failure that may pass by itself
LONGEST_HOLD = timedelta(days=7)  # a Retry-After beyond this is an error of the server
FIRST_SPREAD = timedelta(minutes=10)  # a new installation shows its first results within this
TRANSIENT = frozenset({"dns", "refused", "timeout", "reset", "truncated", "http_5xx", "maintenance", "empty"})


# --------------------------------------------------------------------------- crontab lines


@lru_cache(maxsize=4096)
def crontab(expression: str, timezone: str) -> BaseTrigger:
    """A standard five-field crontab line as a trigger in that time zone. Raises ValueError.

    As in cron, a day of the month and a weekday that are both given mean either of them.
    """
    minute, hour, day, month, weekday = times.crontab_fields(expression)
    either = not day.startswith("*") and not weekday.startswith("*")
    names = "*" if weekday == "*" else times.weekdays(weekday)
    pairs = [(day, "*"), ("*", names)] if either else [(day, names)]
    common = {"minute": minute, "hour": hour, "month": month, "timezone": ZoneInfo(timezone)}
    triggers = [CronTrigger(day=d, day_of_week=w, **common) for d, w in pairs]
    return OrTrigger(triggers) if either else triggers[0]


def next_fire(expression: str, timezone: str, now: datetime) -> datetime | None:
    """The first moment of a crontab line after `now`, in UTC; None if there is none (30 February).

    As in cron, an hour that the end of summer time repeats counts once for a line that names hours.
    """
    trigger = crontab(expression, timezone)
    fire = trigger.get_next_fire_time(None, now + timedelta(microseconds=1))
    named = not expression.split()[1].startswith("*")
    while fire and named and fire.astimezone(ZoneInfo(timezone)).fold:
        fire = trigger.get_next_fire_time(None, fire.astimezone(UTC) + timedelta(microseconds=1))
    return fire.astimezone(UTC) if fire else None


# --------------------------------------------------------------------------- spreading


def fraction(key: str) -> float:
    """A number in [0, 1) that is always the same for this key, on every machine and in every run."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest(), "big") / 2**48


def _spread(key: str, span: timedelta) -> timedelta:
    """The span less up to a tenth: pages of one interval drift apart, and none is later than promised."""
    return span * (1 - fraction(key) / 10)


def first_due(source: Source, now: datetime, *, spread: timedelta = FIRST_SPREAD, key: str | None = None) -> datetime:
    """When a page that was never read is due: soon, but not all of them at once. `key` is its address or name."""
    return now + min(spread, _gap(source, now)) * fraction(key or source.url)


# --------------------------------------------------------------------------- the next time


def interval(source: Source, now: datetime) -> timedelta | None:
    """How often this source is read at this time of the year; None if a crontab line says when."""
    month = now.astimezone(ZoneInfo(source.timezone)).month
    if source.season and month in source.season.months:
        return source.season.every
    return None if source.cron else source.every or timedelta(hours=6)


def _season_opens(source: Source, now: datetime) -> datetime | None:
    """The start of the next month of the season, in UTC; None inside it or without one."""
    here = now.astimezone(ZoneInfo(source.timezone))
    if not source.season or here.month in source.season.months:
        return None
    for ahead in range(1, 12):
        year, month = divmod(here.year * 12 + here.month - 1 + ahead, 12)
        if month + 1 in source.season.months:
            return datetime(year, month + 1, 1, tzinfo=ZoneInfo(source.timezone)).astimezone(UTC)
    return None


def _step(span: timedelta, now: datetime) -> datetime:
    """One interval on, at least a second: what apscheduler's IntervalTrigger says, for a twentieth of its time."""
    return (now + max(span, SECOND)).astimezone(UTC)


def _gap(source: Source, now: datetime) -> timedelta:
    """The time to the next planned run of an entry page, without jitter."""
    span = interval(source, now)
    if span is not None:
        return span
    fire = next_fire(source.cron or "", source.timezone, now)
    return fire - now if fire else DAY


def _adapted(source: Source, page: Page, now: datetime) -> timedelta | None:
    """A tenth of the time for which the page's text has stood, within the bounds of `adapt`; None where not asked for.

    The heuristic freshness of RFC 9111, section 4.2.2: a text that has stood for ten days is fresh for one. It needs
    one time and no counts, reacts to the first edit at once, and reads what is never edited ever less often.
    """
    if source.adapt is None or page.last_change is None:
        return None
    return min(max((now - page.last_change) / 10, source.adapt.shortest), source.adapt.longest)


def _within(source: Source, span: timedelta) -> timedelta:
    """The span, or what `detect_within` promises where that is shorter."""
    return min(span, source.detect_within) if source.detect_within else span


def _document_span(source: Source, page: Page, now: datetime) -> timedelta:
    """How often a document that a list named is read: often while young, then as its text lives."""
    young = now - (page.found_at or now) < source.recheck.young_for
    return source.recheck.young if young else _adapted(source, page, now) or source.recheck.old


def _planned(source: Source, page: Page, now: datetime) -> datetime:
    """The next run when nothing is wrong."""
    if page.role != "entry":
        return _step(_spread(page.url, _within(source, _document_span(source, page, now))), now)
    opens = _season_opens(source, now)
    span = interval(source, now)
    if span is not None and (source.season is None or opens is not None) and source.kind == "page":
        span = _adapted(source, page, now) or span  # a season says itself how often
    due = now + _gap(source, now) if span is None else _step(_spread(page.url, span), now)
    if source.detect_within:
        due = min(due, _step(_spread(page.url, source.detect_within), now))
    return min(due, opens) if opens else due


def backoff(failure: Failure, consecutive: int, span: timedelta) -> timedelta:
    """How long to wait after the `consecutive`-th failure in a row (1 is the first): doubling, at most a day.

    What may pass by itself is first tried again after five minutes. A block grows fourfold from the usual interval:
    asking again is what keeps one blocked. Retry-After is never undercut.
    """
    power = min(max(consecutive, 1), 24)
    if failure.error in BLOCKED_WORDS:
        wait = span.total_seconds() * 4.0**power
    elif failure.error in TRANSIENT:
        wait = min(span, FIRST_RETRY).total_seconds() * 2.0 ** (power - 1)
    else:
        wait = span.total_seconds() * 2.0**power
    longest = max(DAY, span).total_seconds()
    held = min(failure.retry_after or 0.0, LONGEST_HOLD.total_seconds())
    return timedelta(seconds=max(min(wait, longest), held))


def _confirmation(source: Source, event_at: datetime, now: datetime) -> datetime | None:
    """The next of the steps 3, 10, 30 minutes after the event that is still ahead."""
    return min((event_at + step for step in source.confirm if event_at + step > now), default=None)


def confirmed(source: Source, changed: datetime, last_good: datetime, now: datetime) -> bool:
    """Whether a good check at `now` is the first after the last confirmation of what changed then.

    A day late it is no news any more: nobody is told that a page stands as it stood for so long.
    """
    if not source.confirm:
        return False
    last = changed + max(source.confirm)
    return last_good < last <= now < last + DAY


def next_due(
    source: Source,
    page: Page,
    now: datetime,
    *,
    failure: Failure | None = None,
    consecutive: int = 1,
    event_at: datetime | None = None,
) -> datetime:
    """When to read this page again after a check that ended at `now`. Always later than `now`.

    `failure` is what this check ended with, `consecutive` counts it and those before it. `event_at` is the moment
    when a number moved or the page vanished: while confirmations are ahead they come first, before back-off too.
    """
    if failure is None:
        due = _planned(source, page, now)
    else:
        due = now + backoff(failure, consecutive, _usual(source, page, now))
    confirm = _confirmation(source, event_at, now) if event_at else None
    if confirm is not None:
        due = min(due, confirm)
    if failure is not None and failure.retry_after:
        due = max(due, now + min(timedelta(seconds=failure.retry_after), LONGEST_HOLD))
    return due


def _usual(source: Source, page: Page, now: datetime) -> timedelta:
    """The interval that back-off starts from."""
    return _within(source, source.recheck.old if page.role != "entry" else _gap(source, now))


def brought_back(source: Source, page: Page, now: datetime) -> datetime | None:
    """A due time for a page whose last check lies in the future, because the clock was set back since.

    The time it has, where that is no later than any rule would put it from now on; else a moment within one interval,
    so that no page is silent for more than two and not all come at once. Crontab lines keep their own times.
    """
    if page.next_due is None:
        return None
    if page.last_checked is None:
        return min(page.next_due, first_due(source, now, key=page.url))
    latest = _planned(source, page, now)
    if page.failure is not None:
        latest = max(latest, now + backoff(page.failure, page.consecutive, _usual(source, page, now)))
    if page.next_due <= latest:
        return page.next_due
    by_crontab = page.role == "entry" and interval(source, now) is None
    return latest if by_crontab else now + (latest - now) * fraction(page.url)
