"""When a channel is spared: quiet hours, a limit of messages, what somebody muted. Pure; `now` is a parameter.

Nothing is dropped by it: what may not go out now waits, and what is too much is folded into one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import phrases
from monitor.model import Alert, Channel, Mute, Rate

CHANGES = frozenset({"targets.changed", "change.detected"})  # what a digest can hold
FOLLOWS = "change.confirmed"  # says again what a message said: it takes only the room that the others leave
MANY = 3  # messages after quiet hours that are worth folding into one


def quiet_since(channel: Channel, now: datetime) -> datetime | None:
    """When the quiet hours that hold now began; None: the channel may speak."""
    if channel.quiet is None:
        return None
    local = now.astimezone(ZoneInfo(channel.timezone))
    start, end = channel.quiet.start, channel.quiet.end
    clock = local.time().replace(tzinfo=None)
    inside = start <= clock < end if start < end else (clock >= start or clock < end)
    if not inside:
        return None
    began = local.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0)
    return began if began <= local else began - timedelta(days=1)


def kept_quiet(channel: Channel, alert: Alert, now: datetime) -> bool:
    """Whether this alert was made in quiet hours that are over."""
    return alert.created is not None and quiet_since(channel, alert.created) is not None and alert.created < now


def allowance(rate: Rate | None, sent: Sequence[datetime], now: datetime) -> int | None:
    """How many messages may go out now, after those `sent`; None: any number."""
    if rate is None:
        return None
    return max(rate.most - sum(now - rate.within < at <= now for at in sent), 0)  # none of a clock set back since


def portion(
    channel: Channel, waiting: Sequence[Alert], allowed: int | None, now: datetime
) -> tuple[list[Alert], list[Alert]]:
    """(what goes out by itself, what goes out as one digest), in order; health is never folded.

    One place of the allowance is kept for the digest. Within it the most telling changes go by themselves.
    """
    news = [a for a in waiting if a.type != FOLLOWS]
    alone, folded = _news(channel, news, allowed, now)
    spare = None if allowed is None else max(allowed - len(alone) - bool(folded), 0)
    return _those(waiting, alone + [a for a in waiting if a.type == FOLLOWS][:spare]), folded


def _news(
    channel: Channel, waiting: Sequence[Alert], allowed: int | None, now: datetime
) -> tuple[list[Alert], list[Alert]]:
    foldable = [a for a in waiting if a.type in CHANGES]
    quiet = [a for a in foldable if kept_quiet(channel, a, now)]
    folded = quiet if len(quiet) > MANY else []
    gone = {a.id for a in folded}
    left = [a for a in waiting if a.id not in gone]
    if allowed is not None and len(left) + bool(folded) > allowed:
        others = [a for a in left if a.type not in CHANGES]
        room = max(allowed - 1 - len(others), 0)
        telling = sorted((a for a in left if a.type in CHANGES), key=weight, reverse=True)
        folded = folded + telling[room:]
        left = others + telling[:room]
    if len(folded) == 1:  # a digest of one is worth less than the message itself
        left, folded = left + folded, []
    return _those(waiting, left), _those(waiting, folded)


def _those(waiting: Sequence[Alert], chosen: Sequence[Alert]) -> list[Alert]:
    """The chosen ones in the order in which they wait. By id: comparing thousands of payloads takes seconds."""
    ids = {a.id for a in chosen}
    return [a for a in waiting if a.id in ids]


def weight(alert: Alert) -> tuple[bool, float]:
    """How telling a change is: one that moves a target before one that does not."""
    return alert.type == "targets.changed", float(alert.payload.get("significance") or 0)


def muted(alert: Alert, mutes: Iterable[Mute]) -> Mute | None:
    """The mute that this alert falls under. An indicator is muted only where nothing else moved with it."""
    return next((m for m in mutes if _covers(m, alert)), None)


def _covers(mute: Mute, alert: Alert) -> bool:
    data = alert.payload
    if mute.channel is not None and mute.channel != alert.channel:
        return False
    if mute.source is not None and mute.source != data.get("source"):
        return False
    if mute.url is not None and mute.url != data.get("url"):
        return False
    if mute.indicator is None:
        return alert.type not in ("digest", "test") or (mute.source is None and mute.url is None)
    lines = phrases.ordered(data.get("targets") or ())
    return bool(lines) and all(mute.indicator in phrases.names(line) for line in lines)
