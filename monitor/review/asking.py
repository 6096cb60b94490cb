"""What a user asks for, in the words of the command line: times, durations, filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor import times
from monitor.errors import UsageError
from monitor.model import Vocabulary
from monitor.times import duration
from storage.filters import Filter


def moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """`times.moment`, for an option that may be left out. Raises UsageError with an example."""
    return None if text is None else times.moment(text, now or datetime.now(UTC))


def span(text: str | None) -> timedelta | None:
    """`365d` as a duration. Raises UsageError with an example."""
    if text is None:
        return None
    try:
        return duration(text)
    except ValueError as wrong:
        raise UsageError(f"{wrong} (30d, 12h)") from wrong


def canonical(asked: str | None, read: Callable[[], Vocabulary]) -> str | None:
    """The canonical name of an indicator that is asked for by its name, an alias or its id; else what was asked.

    The vocabulary is read only where one is asked for: that takes a tenth of the time of a command.
    """
    if not asked:
        return asked
    for known in read().indicators:
        if asked in (known.id, known.name, *known.aliases):
            return known.name
    return asked


def wanted(options: Mapping[str, Any], read: Callable[[], Vocabulary]) -> Filter:
    """The filters of a command line; an alias of an indicator finds its canonical name."""
    return Filter(
        source=options.get("source"),
        region=options.get("region"),
        under=options.get("under"),
        series=options.get("series"),
        indicator=canonical(options.get("indicator"), read),
        role=options.get("role"),
        kind=options.get("kind"),
        scope=options.get("scope"),
        headline=options.get("headline") or None,
        release=options.get("release"),
        since=moment(options.get("since")),
        as_of=moment(options.get("as_of")),
        all_releases=bool(options.get("all_releases")),
    )
