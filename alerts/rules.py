"""Who is told what: a change, a source and the subscriptions become alerts. Pure; `now` is a parameter.

Called by pipeline before the one write, so that alerts are saved in the transaction of their change. A change and a
channel make one alert, however many subscriptions match: an immediate one wins over a digest.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts import sets
from monitor import wire
from monitor.model import Alert, Change, Off, Source, Subscription, Told


def message_id(now: datetime) -> str:
    """`msg_` and a UUID version 7 (RFC 9562): unique, and ordered by time in a listing."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return f"msg_{uuid.UUID(int=number).hex}"


# --------------------------------------------------------------------------- changes


def match(
    change: Change,
    source: Source,
    subscriptions: Iterable[Subscription],
    *,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    place: str | None = None,
    text: str = "",
) -> list[Alert]:
    """The alerts that this change owes. A baseline owes none, nor does a document that repeats a known one.

    `payload` is the CHANGE to send, made here from `change` where absent. `place` is the name of the place that the
    document names itself with; `text` lets keywords look into a new document, whose edits do not hold all of it.
    """
    if change.baseline or (change.kind == "new" and change.copy_of):
        return []
    chosen: dict[str, Subscription] = {}
    for subscription in subscriptions:
        if wants(subscription, change, source, text):
            held = chosen.get(subscription.channel)
            if held is None or (held.digest and not subscription.digest):
                chosen[subscription.channel] = subscription
    data = dict(payload) if payload is not None else describe(change, source, place)
    kind = "targets.changed" if change.moved else "change.detected"
    return [
        Alert(
            id=message_id(now),
            key=f"{change.id}:{channel}",
            channel=channel,
            type=kind,
            payload=data,
            lang=subscription.lang,
            change=change.id,
            created=now,
            next_at=None if subscription.digest else now,
            digest=subscription.digest,
        )
        for channel, subscription in chosen.items()
    ]


EDITED = frozenset({"content", "attachment"})  # kinds that a second look confirms


def confirm(told: Iterable[Alert], *, now: datetime) -> list[Alert]:
    """`change.confirmed` for each of these messages about a moved target: the last of the re-checks agrees.

    The data is that of the message with `confirmed_at`. Once for each; a change back is told anyway and needs none.
    """
    return [
        Alert(
            id=message_id(now),
            key=f"confirmed:{first.key}",
            channel=first.channel,
            type="change.confirmed",
            payload={**first.payload, "confirmed_at": wire.time(now)},
            lang=first.lang,
            change=first.change,
            created=now,
            next_at=now,
        )
        for first in told
        if first.payload.get("kind") in EDITED
    ]


def describe(change: Change, source: Source, place: str | None = None) -> dict[str, Any]:
    """CHANGE with what a reader wants to know about its source."""
    return wire.change(
        change,
        source={
            "name": source.name or source.key,
            "region": source.region,
            "series": source.series,
            "tags": list(source.tags),
            "place": place,
        },
    )


def wants(subscription: Subscription, change: Change, source: Source, text: str = "") -> bool:
    """Whether this subscription asks for this change: AND between its keys, OR inside each."""
    return (
        bool(words(change) & set(subscription.on))
        and (not subscription.directions or bool(directions(change) & set(subscription.directions)))
        and change.significance >= subscription.min_significance
        and concerns(subscription, source)
        and (not subscription.indicators or bool(indicators(change) & set(subscription.indicators)))
        and (not subscription.keywords or _holds(subscription.keywords, change, text))
    )


def words(change: Change) -> set[str]:
    """The words of `on` that this change answers to: its kind, `targets` where a promise moved, and a built-in set."""
    said: set[str] = {change.kind}
    if change.moved:
        said.add("targets")
    if built_in := sets.of(change):
        said.add(built_in)
    return said


def directions(change: Change) -> set[str]:
    """How its promises moved: raised, lowered, new, dropped, reworded, and their flags (softened, hardened, …)."""
    promises = [t for t in change.targets if (t.after or t.before) and (t.after or t.before).role == "target"]  # type: ignore[union-attr]
    return {t.change for t in promises} | {flag for t in promises for flag in t.flags}


def concerns(subscription: Subscription, source: Source) -> bool:
    """Whether the subscription's places include this source."""
    return (
        (not subscription.sources or source.key in subscription.sources)
        and (not subscription.tags or bool(set(source.tags) & set(subscription.tags)))
        and (not subscription.regions or any(within(source.region, code) for code in subscription.regions))
        and (not subscription.series or source.series in subscription.series)
    )


def within(region: str | None, code: str) -> bool:
    """Whether a GB/T 2260 region lies in another: 230102 in 230102, in 2301 (also written 230100) and in 23."""
    stem = code
    while len(stem) > 2 and stem.endswith("00"):
        stem = stem[:-2]
    return region is not None and region.startswith(stem)


def indicators(change: Change) -> set[str]:
    """Every name under which a moved target can be asked for: canonical, as written, and its stable id."""
    names: set[str] = set()
    for line in change.targets:
        sides = [side for side in (line.before, line.after) if side]
        names.update(x for x in (line.canonical, line.indicator) if x)
        names.update(side.indicator_id for side in sides if side.indicator_id)
    return names


def _holds(keywords: Sequence[str], change: Change, text: str) -> bool:
    """Whether a keyword stands in the title, the edited text or a moved target; in `text` too, for a new document."""
    hay = [change.title or ""]
    hay += [side for e in change.edits for side in (e.old, e.new)]
    for line in change.targets:
        hay += [line.canonical or "", line.indicator, line.object or ""]
        hay += [side.text for side in (line.before, line.after) if side]
    if change.kind == "new":
        hay.append(text)
    lowered = [piece.lower() for piece in hay]
    return any(word.lower() in piece for word in keywords for piece in lowered)


# --------------------------------------------------------------------------- health and tests


def match_health(
    kind: str,
    failure: Mapping[str, Any],
    source: Source,
    subscriptions: Iterable[Subscription],
    *,
    now: datetime,
    event: str | None = None,
) -> list[Alert]:
    """The alerts about a source itself: `kind` is source.failing, source.recovered, source.blocked, ….

    `failure` is the FAILURE of the wire, of the page that began or ended a spell of trouble; its `since` makes the key,
    unless several sources share an `event`.
    Health is never held for a digest, and indicators, keywords and significance do not apply to it.
    """
    chosen: dict[str, Subscription] = {}
    for subscription in subscriptions:
        if "health" in subscription.on and concerns(subscription, source):
            chosen.setdefault(subscription.channel, subscription)
    data = {"name": source.name or source.key, "region": source.region} | dict(failure)
    event = event or f"{kind}:{source.key}:{failure.get('since') or wire.time(now)}"
    return [
        Alert(
            id=message_id(now),
            key=f"{event}:{channel}",
            channel=channel,
            type=kind,
            payload=data,
            lang=subscription.lang,
            created=now,
            next_at=now,
        )
        for channel, subscription in chosen.items()
    ]


def about_us(
    kind: str, event: str, data: Mapping[str, Any], channels: Mapping[str, str], *, now: datetime
) -> list[Alert]:
    """A message about the watch itself (`baseline`, `alive`) for each channel; `channels` names their languages."""
    return [
        Alert(
            id=message_id(now),
            key=f"{event}:{channel}",
            channel=channel,
            type=kind,
            payload=dict(data),
            lang=lang,
            created=now,
            next_at=now,
        )
        for channel, lang in channels.items()
    ]


def turned_off(
    what: Sequence[Off], others: Sequence[str], subscriptions: Iterable[Subscription], *, now: datetime
) -> list[Alert]:
    """`channel.off`: told through every other channel that hears of health, else through the first other one.

    `what` are a channel or recipients of one channel. With no other channel left nobody can be told; `doctor`,
    the log and the start page say it.
    """
    if not what:
        return []
    channel = what[0].channel
    speak = {s.channel: s.lang for s in subscriptions}
    hearing = {s.channel for s in subscriptions if "health" in s.on}
    chosen = [name for name in others if name in hearing] or list(others[:1])
    recipients = [one.recipient for one in what if one.recipient]
    data = {
        "channel": channel,
        "name": channel,
        "recipients": recipients,
        "whole": any(not one.recipient for one in what),
        "error": what[0].why,
        "since": wire.time(what[0].at),
    }
    return [
        Alert(
            id=message_id(now),
            key=f"channel.off:{channel}:{','.join(recipients)}:{wire.time(what[0].at)}:{name}",
            channel=name,
            type="channel.off",
            payload=data,
            lang=speak.get(name, "zh"),
            created=now,
            next_at=now,
        )
        for name in chosen
    ]


def trial(channel: str, *, now: datetime, lang: str = "zh") -> Alert:
    """A `test` message for `mubiao alerts test`."""
    number = message_id(now)
    return Alert(
        id=number,
        key=f"test:{number}",
        channel=channel,
        type="test",
        payload={"channel": channel, "at": wire.time(now)},
        lang=lang,
        created=now,
        next_at=now,
    )


MOST_FOLDED = 4_000_000  # characters of JSON: what is too large for a receiver it refuses again and again


def portions(waiting: Sequence[Alert]) -> list[list[Alert]]:
    """What waits, in order, as one digest's worth or several: each of at most MOST_FOLDED, or one change."""
    parts: list[list[Alert]] = []
    left = 0
    for alert in sorted(waiting, key=lambda a: (a.created is not None, a.created, a.id)):
        size = len(alert.payload.text if isinstance(alert.payload, Told) else wire.dump(dict(alert.payload)))
        if not parts or size > left:
            parts.append([])
            left = MOST_FOLDED
        parts[-1].append(alert)
        left -= size
    return parts


def fold(waiting: Sequence[Alert], *, now: datetime) -> Alert:
    """One `digest` for the alerts of one channel and cron, oldest first. Its key is that of its first: folded once."""
    ordered = sorted(waiting, key=lambda a: (a.created or now, a.id))
    first = ordered[0]
    return Alert(
        id=message_id(now),
        key=f"digest:{first.key}",
        channel=first.channel,
        type="digest",
        payload=wire.digest(first.created or now, now, [a.payload for a in ordered]),
        lang=first.lang,
        created=now,
        next_at=now,
    )
