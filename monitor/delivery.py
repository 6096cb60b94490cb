"""The outbox emptied: pending alerts are claimed, rendered, handed to their channel, and the result is recorded.

An alert is marked sent only after its channel took it. A crash between the two sends it once more with the same id,
by which a receiver drops the repeat; it never loses it. Each channel is delivered by itself (`deliver`), so that one
that hangs delays no other; within a channel a few failures in a row end the turn, and the rest comes back when its
lease ends.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from alerts import rules
from alerts.channels import CHANNELS
from alerts.render import Links, render
from alerts.sending import PartlyDeliveredError, Sender, Settings
from monitor.errors import DeliveryError
from monitor.model import Alert, Channel, Delivery, Message
from monitor.schedule import next_fire
from storage.store import Store

log = structlog.get_logger(__name__)

BACKOFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 3 * 3600, 12 * 3600))
JITTER = 0.2  # a retry comes up to this share later, so that many do not come at once
LONGEST_WAIT = timedelta(hours=24)  # what a Retry-After may ask for
LEASE = timedelta(seconds=120)  # what is claimed and not sent comes back after it
BATCH = 2000  # alerts of one channel claimed at once
PARALLEL = 8  # messages of one channel on their way at once
PATIENCE = 3  # failures in a row that end a channel's turn
DIGEST_ZONE = "Asia/Shanghai"


class Deliverer:
    """Sends what is due. Several may share an outbox, in one process or in many, because alerts are leased."""

    def __init__(
        self,
        store: Store,
        channels: Iterable[Channel],
        settings: Settings,
        *,
        links: Callable[[Alert], Links] | None = None,
        senders: Mapping[str, Sender] = CHANNELS,
        jitter: Callable[[], float] = random.random,
        batch: int = BATCH,
    ) -> None:
        self._store, self._settings, self._senders = store, settings, senders
        self._links, self._jitter, self._batch = links, jitter, batch
        self._channels = {c.name: c for c in channels}

    # ------------------------------------------------------------------ what is due

    async def deliver_due(self, now: datetime, done: list[Delivery] | None = None) -> list[Delivery]:
        """Everything due at `now`, sent or failed once. Returns when the slowest channel is done with it.

        `done` is filled as it goes, so that a cancelled call still says what was tried.
        """
        done = [] if done is None else done
        async with asyncio.TaskGroup() as group:
            for name in await self.owing(now):
                group.create_task(self.deliver(name, now, done))
        return done

    async def owing(self, now: datetime) -> list[str]:
        """The channels that have something to send at `now`, also those gone from the configuration."""
        return await asyncio.to_thread(self._store.channels_due, now)

    async def deliver(self, name: str, now: datetime, done: list[Delivery] | None = None) -> list[Delivery]:
        """What one channel owes at `now`, sent or failed once; `done` as for `deliver_due`."""
        done = [] if done is None else done
        tired = False  # in trouble: what else it has waits for the end of its lease
        while True:
            lease = LEASE + max(self._settings.clock() - now, timedelta())  # a long turn claims more than once
            claimed = await asyncio.to_thread(
                self._store.claim_alerts, now, self._batch, lease.total_seconds(), channel=name
            )
            if not claimed:
                return done
            tired = tired or not await self._turn(name, claimed, done)

    async def _turn(self, name: str, batch: list[Alert], done: list[Delivery]) -> bool:
        """One channel's claimed alerts, oldest first, a few at a time; adds to `done`. False: it gave up."""
        until = self._settings.clock() + LEASE - timedelta(seconds=2 * self._settings.timeout)
        waiting = iter(batch)
        failures = 0

        async def work() -> None:
            nonlocal failures
            for alert in waiting:
                # past its lease an alert may be another's already: leave the rest to the next turn
                if failures >= PATIENCE or self._settings.clock() >= until:
                    return
                delivery = await self.attempt(alert)
                failures = 0 if delivery.ok or delivery.permanent else failures + 1
                await asyncio.to_thread(self._store.record_delivery, delivery, self.next_attempt(alert, delivery))
                done.append(delivery)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(PARALLEL, len(batch))):
                group.create_task(work())
        if failures < PATIENCE:
            return True
        log.warning("channel in trouble", channel=name, waiting=len(list(waiting)))
        return False

    # ------------------------------------------------------------------ one alert

    async def attempt(self, alert: Alert) -> Delivery:
        """Render and send one alert now, whatever its due time; nothing is recorded. Never raises."""
        try:
            channel = self._channel(alert.channel)
            await self._senders[channel.type](alert, self.written(alert), channel, self._settings)
        except PartlyDeliveredError as why:
            return self._failed(alert, why, why.reached)
        except DeliveryError as why:
            return self._failed(alert, why)
        except Exception as why:  # a bug in one message must not hold back the others
            log.exception("delivery failed", alert=alert.id, channel=alert.channel)
            return self._failed(alert, DeliveryError(f"internal error: {type(why).__name__}"))
        return Delivery(alert=alert.id, at=self._settings.clock(), ok=True)

    def written(self, alert: Alert) -> Message:
        """The words of an alert. Raises DeliveryError for a template that fails."""
        return render(alert, links=self._links(alert) if self._links else None)

    def _channel(self, name: str) -> Channel:
        """The configured channel. Raises DeliveryError for one that is gone from the configuration."""
        channel = self._channels.get(name)
        if channel is None:
            raise DeliveryError(f"sources.yaml has no channel {name}", permanent=True)
        if channel.type not in self._senders:
            raise DeliveryError(f"channel {name}: type {channel.type} is not there yet", permanent=True)
        return channel

    def _failed(self, alert: Alert, why: DeliveryError, reached: tuple[str, ...] = ()) -> Delivery:
        log.warning("not delivered", alert=alert.id, channel=alert.channel, error=str(why), permanent=why.permanent)
        return Delivery(
            alert=alert.id,
            at=self._settings.clock(),
            ok=False,
            error=str(why),
            permanent=why.permanent,
            retry_after=why.retry_after,
            reached=reached,
        )

    def next_attempt(self, alert: Alert, delivery: Delivery) -> datetime | None:
        """When to try again: by the count of attempts, or later if the receiver asks so. None: sent, or given up."""
        if delivery.ok or delivery.permanent or alert.attempts >= len(BACKOFF):
            return None
        wait = BACKOFF[alert.attempts] * (1 + JITTER * self._jitter())
        asked = min(timedelta(seconds=min(delivery.retry_after or 0.0, 1e9)), LONGEST_WAIT)
        return delivery.at + max(wait, asked)

    # ------------------------------------------------------------------ digests

    async def run_digests(self, now: datetime) -> list[Alert]:
        """Fold what waits for a digest whose time has come, one message for each channel and cron; sent by deliver_due.

        The time has come when the cron has fired since the oldest of them was made: a daemon that slept over it
        makes up for it once.
        """
        made: list[Alert] = []
        for channel, cron in await asyncio.to_thread(self._store.digest_groups):
            waiting = await asyncio.to_thread(self._store.digest_waiting, channel, cron)
            if waiting and _fired(cron, min(a.created or now for a in waiting), now):
                digest = rules.fold(waiting, now=now)
                if await asyncio.to_thread(self._store.fold, [a.id for a in waiting], digest, now):
                    made.append(digest)
                    log.info("digest", channel=channel, cron=cron, changes=len(waiting))
        return made


def _fired(cron: str, since: datetime, now: datetime) -> bool:
    """Whether the crontab line has fired in (since, now]. One that cannot be read holds nothing back."""
    try:
        fire = next_fire(cron, DIGEST_ZONE, since)
    except ValueError:
        log.warning("digest cron cannot be read, sent at once", cron=cron)
        return True
    return fire is not None and fire <= now
