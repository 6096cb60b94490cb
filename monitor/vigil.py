"""Messages about the watch itself: what a first reading found, columns gone quiet, "still watching", a dead-man's ping.

The judgements are pure functions at the top; `Vigil` asks the database, and adds the alerts to the outbox. Every
alert has a key made of what it is about, so that looking twice tells once.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import structlog

from alerts import rules
from monitor import awaited, wire
from monitor.model import Config, Overdue, Source, Subscription
from storage.standing import Baseline, FirstPass
from storage.store import Store

log = structlog.get_logger("mubiao.vigil")

FEW = 6  # dates that say how often a column is used
LEAST_SILENCE = timedelta(days=14)
LONGEST_WAIT = timedelta(hours=6)  # for a slow first pass, before the others are told of
NEAR_EXPIRY = timedelta(days=14)

Client = Callable[[str], httpx.AsyncClient]


def silent_since(days: Sequence[str], today: date) -> tuple[date, int] | None:
    """(day of the newest document, usual gap in days) of a column that has been silent for longer than usual.

    `days` are the different dates of its documents, newest first. Longer than usual is three times the median gap and
    half again the longest of them, and two weeks: a column used daily rests over New Year, one used yearly is late
    after eighteen months.
    """
    known = sorted((date.fromisoformat(d) for d in days), reverse=True)
    if len(known) < FEW:
        return None
    gaps = [(later - earlier).days for later, earlier in pairwise(known)]
    usual = statistics.median(gaps)
    allowed = max(3 * usual, 1.5 * max(gaps), LEAST_SILENCE.days)
    return (known[0], round(usual)) if (today - known[0]).days > allowed else None


def ready(passes: Sequence[FirstPass], now: datetime) -> list[str]:
    """The sources whose first reading is to be told of now: all that are new, once none of them is still being read.

    One that fails is not waited for, and none for longer than LONGEST_WAIT.
    """
    fresh = [p for p in passes if p.done_at is not None and not p.told]
    reading = [p for p in passes if p.done_at is None and not p.failing and now - p.first_seen < LONGEST_WAIT]
    return [p.key for p in fresh] if fresh and not reading else []


def summary(keys: Sequence[str], known: Baseline, config: Config, passes: Sequence[FirstPass]) -> dict[str, Any]:
    """The data of a `baseline` message."""
    sources = [s for key in keys if (s := config.source(key))]
    return {
        "sources": len(keys),
        "regions": len({s.region for s in sources if s.region}),
        "documents": known.documents,
        "reports": known.reports,
        "targets": known.targets,
        "gaps": [{"region": r, "series": s, "missing": years} for (r, s), years in known.gaps.items()],
        "failing": [p.key for p in passes if p.done_at is None and p.failing],
        "name": sources[0].name or sources[0].key if len(sources) == 1 else None,
    }


class Vigil:
    """The looks that a daemon takes now and then; `mubiao check` takes the first of them at its end."""

    def __init__(self, store: Store, config: Config, client: Client, now: Callable[[], datetime]) -> None:
        self._store, self._config, self._client, self._now = store, config, client, now
        self._unheard = False  # the last ping was not answered

    # ------------------------------------------------------------------ first readings

    def first_readings(self) -> int:
        """One summary for all sources whose first pass is over, to every channel that hears of one of them."""
        now = self._now()
        passes = self._store.first_passes()
        keys = ready(passes, now)
        if not keys:
            return 0
        data = summary(keys, self._store.baseline(keys), self._config, passes)
        sources = [s for key in keys if (s := self._config.source(key))]
        heard = _hearing(self._config.subscriptions, sources)
        event = f"baseline:{wire.time(now)}"
        self._store.announce(keys, rules.about_us("baseline", event, data, heard, now=now), now)
        log.info("first reading", **{k: data[k] for k in ("sources", "documents", "reports", "targets")})
        return len(keys)

    # ------------------------------------------------------------------ columns and certificates

    def silent_columns(self) -> int:
        """`source.silent`, once for each silence; returns how many columns are silent."""
        now = self._now()
        found = 0
        for key, days in self._store.column_dates().items():
            source = self._config.source(key)
            quiet = silent_since(days, now.date()) if source else None
            if source is None or quiet is None:
                continue
            found += 1
            since, usual = quiet
            failure = {
                "source": key,
                "url": source.url,
                "error": None,
                "status": None,
                "detail": f"no new document since {since}; usually every {max(usual, 1)} days",
                "since": f"{since}T00:00:00Z",
                "consecutive": 0,
                "usual_days": max(usual, 1),
            }
            told = rules.match_health("source.silent", failure, source, self._config.subscriptions, now=now)
            self._store.enqueue(told, now)
        return found

    def overdue(self) -> list[Overdue]:
        """The releases that are overdue; `source.overdue` for each, once a year, in the thread of the release."""
        now = self._now()
        days, read = self._store.release_days(), self._store.read_once()
        found = awaited.overdue(self._config.sources, days, awaited.today(now), read)
        for one in found:
            own = one.sources[0] if one.region is None or one.series is None else f"{one.region}:{one.series}"
            for source in (s for key in one.sources if (s := self._config.source(key))):
                self._store.enqueue(
                    rules.match_health(
                        "source.overdue",
                        wire.overdue(one, source),
                        source,
                        self._config.subscriptions,
                        now=now,
                        event=f"source.overdue:{own}:{one.year}",
                    ),
                    now,
                )
        return found

    def certificates(self, ends: Mapping[str, datetime]) -> int:
        """`source.certificate` for the hosts whose certificate ends within NEAR_EXPIRY; returns how many they are."""
        now = self._now()
        near = {host: end for host, end in ends.items() if end - now < NEAR_EXPIRY}
        told = set()
        for source in self._config.sources:
            host = httpx.URL(source.url).host
            if host not in near or host in told or not source.enabled:
                continue
            told.add(host)
            failure = {
                "source": source.key,
                "url": source.url,
                "error": None,
                "status": None,
                "detail": f"the certificate of {host} ends {near[host]:%Y-%m-%d %H:%M} UTC",
                "since": wire.time(near[host]),
                "consecutive": 0,
                "host": host,
            }
            self._store.enqueue(
                rules.match_health("source.certificate", failure, source, self._config.subscriptions, now=now), now
            )
        return len(near)

    # ------------------------------------------------------------------ still alive

    async def ping(self) -> bool:
        """Tell the dead-man's switch that all is well; it raises the alarm when we do not. False: not heard."""
        url = self._config.network.heartbeat
        if not url:
            return True
        try:
            async with asyncio.timeout(15):
                answer = await self._client(httpx.URL(url).host).get(url)
            heard = answer.is_success
        except (httpx.HTTPError, OSError, TimeoutError):
            heard = False
        if heard == self._unheard:  # said once, not every minute; the address may hold a token
            log.log(20 if heard else 40, "heartbeat heard again" if heard else "heartbeat not heard")
        self._unheard = not heard
        return heard


def _hearing(subscriptions: Iterable[Subscription], sources: Sequence[Source]) -> dict[str, str]:
    """Channel -> language, of every subscription that concerns one of these sources."""
    heard: dict[str, str] = {}
    for subscription in subscriptions:
        if any(rules.concerns(subscription, source) for source in sources):
            heard.setdefault(subscription.channel, subscription.lang)
    return heard
