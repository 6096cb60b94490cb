"""What a person may ask of the outbox: mute, acknowledge, turn a channel on, try again. One place for both ways in.

A command carries an order out itself where nobody holds the database, and hands it to the daemon that does
(`monitor.local`). Orders and answers are plain JSON values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from monitor import wire
from monitor.errors import UsageError
from monitor.model import Mute
from storage.store import Store

JSON = dict[str, Any]


def carry_out(store: Store, name: str, given: Mapping[str, Any], now: datetime) -> JSON:
    """Do it and say what was done. Raises UsageError for what is not there or makes no sense."""
    known = ORDERS.get(name)
    if known is None:
        raise UsageError(f"no order {name!r}; there are: {', '.join(ORDERS)}")
    return known(store, given, now)


def _mute(store: Store, given: Mapping[str, Any], now: datetime) -> JSON:
    until = _time(given.get("until"))
    if until is not None and until <= now:
        raise UsageError(f"{given['until']} is over already")
    source, url, indicator, channel = (_text(given.get(k)) for k in ("source", "url", "indicator", "channel"))
    if not (source or url or indicator or channel):
        raise UsageError("name what to mute: a source, a page, an indicator or a channel")
    return wire.mute(store.mute(Mute("", until, source, url, indicator, channel, _text(given.get("why"))), now))


def _unmute(store: Store, given: Mapping[str, Any], now: datetime) -> JSON:
    return {"unmuted": store.unmute(_ids(given))}


def _acknowledge(store: Store, given: Mapping[str, Any], now: datetime) -> JSON:
    return {"acknowledged": store.acknowledge(_ids(given), now)}


def _enable(store: Store, given: Mapping[str, Any], now: datetime) -> JSON:
    channel = _text(given.get("channel")) or ""
    return {"enabled": [wire.off(one) for one in store.turn_on([channel])]}


def _retry(store: Store, given: Mapping[str, Any], now: datetime) -> JSON:
    """Failed and dead ones are due now; channels that were off and owe some of them are on again."""
    return {"retried": store.retry_alerts(None if given.get("ids") is None else _ids(given), now)}


def _ids(given: Mapping[str, Any]) -> list[str]:
    ids = given.get("ids")
    if not isinstance(ids, list) or not all(isinstance(x, str) for x in ids):
        raise UsageError("ids: a list of texts is wanted")
    return ids


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 2000:
        raise UsageError(f"{str(value)[:80]!r} is no text of at most 2,000 characters")
    return value


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{str(value)[:80]!r} is no time") from None
    if at.tzinfo is None:
        raise UsageError(f"{str(value)[:80]!r} has no time zone")
    return at


ORDERS: Mapping[str, Callable[[Store, Mapping[str, Any], datetime], JSON]] = {
    "mute": _mute,
    "unmute": _unmute,
    "acknowledge": _acknowledge,
    "enable": _enable,
    "retry": _retry,
}
