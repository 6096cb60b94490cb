"""Durations, moments and crontab lines as people write them. Pure, and light: every query reads options with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from monitor.errors import UsageError
from monitor.model import Adapt, Recheck

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")  # crontab: 0 and 7 are Sunday
_LONGEST = timedelta(days=3660)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of a month, at most
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12))


def duration(text: str, *, zero: bool = False) -> timedelta:
    """`3s 5m 6h 1d` as a timedelta. Raises ValueError below one second (unless `zero`) and above ten years."""
    found = re.fullmatch(r"(\d{1,12})\s*([smhd])", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds == 0 and not zero:
        raise ValueError("a duration is at least 1s")
    if seconds > _LONGEST.total_seconds():
        raise ValueError("a duration is at most ten years")
    return timedelta(seconds=seconds)


def moment(text: str, now: datetime) -> datetime:
    """`2026-01-01`, `2026-01-01T08:00`, or `7d` before now. A date without a zone is of the local one.

    Raises UsageError with an example.
    """
    try:
        if re.fullmatch(r"\d+\s*[smhd]", text.strip()):
            return now - duration(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise UsageError(f"{text!r} is no time (2026-01-31, 2026-01-31T08:00, or 7d, 12h ago)") from wrong


def recheck(text: str) -> Recheck:
    """`30m for 14d, then 1d`, or one duration for ever. Raises ValueError."""
    found = re.fullmatch(r"(\S+)\s+for\s+(\S+?)\s*,?\s+then\s+(\S+)", text.strip())
    if found is None:
        always = duration(text)
        return Recheck(always, timedelta(0), always)
    return Recheck(duration(found[1]), duration(found[2]), duration(found[3]))


def adapt(text: str) -> Adapt:
    """`30m to 1d`. Raises ValueError."""
    found = re.fullmatch(r"(\S+)\s+to\s+(\S+)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} names no two durations")
    made = Adapt(duration(found[1]), duration(found[2]))
    if made.shortest > made.longest:
        raise ValueError(f"{text!r} runs backwards")
    return made


def day_of_year(text: str) -> str:
    """`03-15`, as it is. Raises ValueError where it is no day of every year."""
    found = re.fullmatch(r"(\d{2})-(\d{2})", text.strip())
    month, day = map(int, found.groups()) if found else (0, 0)
    if not 1 <= month <= 12 or not 1 <= day <= _LENGTHS[month - 1] or (month, day) == (2, 29):
        raise ValueError(f"{text!r} is not a day of the year")
    return text.strip()


def _weekday(word: str) -> int:
    if word.isdigit() and int(word) <= 7:
        return int(word)
    if word[:3] in _WEEKDAYS and len(word) == 3:
        return _WEEKDAYS.index(word)
    raise ValueError(f"{word!r} is no weekday: 0-7 (0 and 7 are Sunday) or sun-sat")


def weekdays(field: str) -> str:
    """The weekday field in names: apscheduler counts from Monday and refuses 7, crontab counts from Sunday."""
    days: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        if step and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"{part!r} has no step above 0")
        first, _, last = ("0", "", "6") if span == "*" else span.partition("-")
        low = _weekday(first)
        high = _weekday(last) if last else (6 if step else low)
        if last in {"sun", "0"} and low > 0:
            high = 7  # sat-sun
        if high < low:
            raise ValueError(f"{part!r} runs backwards")
        days.update(day % 7 for day in range(low, high + 1, int(step or 1)))
    return ",".join(_WEEKDAYS[day] for day in sorted(days))


def crontab_fields(expression: str) -> tuple[str, str, str, str, str]:
    """Minute, hour, day, month and weekday of a crontab line. Raises ValueError where there are not five."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields where crontab has 5: minute hour day month weekday")
    minute, hour, day, month, weekday = fields
    return minute, hour, day, month, weekday


def check_crontab(expression: str) -> None:
    """Raise ValueError for a line that `schedule.crontab` cannot read, or that never comes (30 February).

    Without apscheduler, which takes longer to load than most queries take to answer.
    """
    *fields, weekday = crontab_fields(expression)
    chosen = [_chosen(text, *about) for text, about in zip(fields, _FIELDS, strict=True)]
    if weekday != "*":
        weekdays(weekday)
    if weekday.startswith("*") or fields[2].startswith("*"):
        days, months = chosen[2], chosen[3]
        if not any(min(days) <= _LENGTHS[month - 1] for month in months):
            raise ValueError(f"{expression!r} never comes")


def _chosen(field: str, name: str, low: int, high: int) -> set[int]:
    """The values of one field."""
    found: set[int] = set()
    for part in field.lower().split(","):
        if name == "day" and part == "last":
            found.add(1)  # every month has one
            continue
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first == "*" and not dash:
            start, end = low, high
        else:
            start = _value(first, name)
            end = _value(last, name) if dash else high if slash else start
        if not low <= start <= end <= high or (slash and (not step.isdecimal() or int(step) == 0)):
            raise ValueError(f"{part!r} is no {name}: {low}-{high}, *, */5, 1-5 or 1,3,5")
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _value(word: str, name: str) -> int:
    if name == "month" and word in _MONTHS:
        return _MONTHS[word]
    return int(word) if word.isascii() and word.isdecimal() else -1
