"""The outbox emptied: pending alerts are claimed, rendered, handed to their channel, and the result is recorded.

An alert is marked sent only after its channel took it. A crash between the two sends it once more with the same id,
by which a receiver drops the repeat; it never loses it. Each channel is delivered by itself (`deliver`), so that one
that hangs delays no other; within a channel a few failures in a row end the turn, and the rest comes back when its
lease ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from alerts import restraint, rules
from alerts.channels import CHANNELS, WORDLESS
from alerts.email import SMTP_ENV
from alerts.render import Links, render, sandboxed
from alerts.sending import PartlyDeliveredError, Sender, Settings, without_secrets
from monitor import wire
from monitor.errors import ConfigError, DeliveryError, StorageError
from monitor.model import Alert, Channel, Config, Delivery, Message, Off
from monitor.schedule import next_fire
from storage.store import Store

log = structlog.get_logger(__name__)

BACKOFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 3 * 3600, 12 * 3600))
JITTER = 0.2  # a retry comes up to this share later, so that many do not come at once
LONGEST_WAIT = timedelta(hours=24)  # what a Retry-After may ask for
LEASE = timedelta(seconds=120)  # what is claimed and not sent comes back after it
BATCH = 2000  # alerts of one channel claimed at once, so that what is too much can be folded into one
CHUNK = 100  # … where nothing is ever folded: a report in every one of 2,000 would fill the memory
NO_WORDS = Message(subject="", text="", html="")
PATIENCE = 3  # failures in a row that end a channel's turn
DIGEST_ZONE = "Asia/Shanghai"


class Deliverer:
    """Sends what is due. Several may share an outbox, in one process or in many, because alerts are leased."""

    def __init__(
        self,
        store: Store,
        config: Config,
        settings: Settings,
        *,
        links: Callable[[Alert], Links] | None = None,
        senders: Mapping[str, Sender] = CHANNELS,
        jitter: Callable[[], float] = random.random,
        batch: int = BATCH,
    ) -> None:
        self._store, self._settings, self._senders = store, settings, senders
        self._links, self._jitter, self._batch = links, jitter, batch
        self._subscriptions = config.subscriptions
        self._templates = sandboxed(config.templates) if config.templates else None
        self._channels = {c.name: c for c in config.channels}

    # ------------------------------------------------------------------ what is due

    async def deliver_due(self, now: datetime, done: list[Delivery] | None = None) -> list[Delivery]:
        """Everything due at `now`, sent or failed once. Returns when the slowest channel is done with it.

        `done` is filled as it goes, so that a cancelled call still says what was tried. Raises StorageError.
        """
        done = [] if done is None else done
        owing = await self.owing(now)
        refused: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for name in owing:
                    group.create_task(self.deliver(name, now, done))
        except* StorageError as several:
            refused = several.exceptions[0]  # the others met the same database
        if refused is not None:
            raise refused
        return done

    async def owing(self, now: datetime) -> list[str]:
        """The channels that have something to send at `now` and may, also those gone from the configuration."""
        names = await asyncio.to_thread(self._store.channels_due, now)
        off = await self._off() if names else set()
        return [name for name in names if name not in off and not self._quiet(name, now)]

    async def _off(self) -> set[str]:
        """Channels that are off. One whose configuration has changed since is tried again."""
        known = await asyncio.to_thread(self._store.off)
        changed = {o.channel for o in known if (c := self._channels.get(o.channel)) and mark(c) != o.mark}
        if changed:
            await asyncio.to_thread(self._store.turn_on, sorted(changed))
            log.info("channels on again", channels=sorted(changed))
        return {o.channel for o in known if not o.recipient} - changed

    def _quiet(self, name: str, now: datetime) -> bool:
        channel = self._channels.get(name)
        return channel is not None and restraint.quiet_since(channel, now) is not None

    async def deliver(self, name: str, now: datetime, done: list[Delivery] | None = None) -> list[Delivery]:
        """What one channel owes at `now`, sent or failed once; `done` as for `deliver_due`."""
        done = [] if done is None else done
        channel = self._channels.get(name)
        spared = channel is not None and (channel.rate is not None or channel.quiet is not None)
        batch = self._batch if spared else min(self._batch, CHUNK)
        gone = {o.recipient for o in await asyncio.to_thread(self._store.off) if o.channel == name}
        try:
            while True:
                lease = LEASE + max(self._settings.clock() - now, timedelta())  # a long turn claims more than once
                claimed = await asyncio.to_thread(
                    self._store.claim_alerts, now, batch, lease.total_seconds(), channel=name
                )
                if not claimed:
                    return done
                wanted = await self._restrained(name, claimed, now)
                if not await self._turn(name, wanted, gone, done):  # in trouble: what else it has waits as long
                    await asyncio.to_thread(self._store.hold_alerts, name, now, now + lease)
                    return done
        finally:
            await asyncio.to_thread(self._settings.kept.close)

    async def _restrained(self, name: str, claimed: list[Alert], now: datetime) -> list[Alert]:
        """What of these goes out: not what is muted, and no more than the channel wants at once.

        What is folded away is sent as its digest, later in this turn; what the limit holds back comes with its lease.
        """
        batch = await self._unmuted(claimed, now)
        channel = self._channels.get(name)
        if channel is None:
            return batch
        allowed = None
        if channel.rate is not None:
            sent = await asyncio.to_thread(self._store.sent_since, name, now - channel.rate.within)
            allowed = restraint.allowance(channel.rate, sent, now)
        if allowed == 0:
            return []
        alone, folded = restraint.portion(channel, batch, allowed, now)
        for part in rules.portions(folded):
            digest = rules.fold(part, now=now)
            if await asyncio.to_thread(self._store.fold, [a.id for a in part], digest, now):
                log.info("folded", channel=name, changes=len(part))
        return alone

    async def _unmuted(self, alerts: list[Alert], now: datetime) -> list[Alert]:
        """These without what is muted now, which stays in the outbox and is sent to nobody."""
        mutes = await asyncio.to_thread(self._store.mutes, now)
        silent = {a.id: m for a in alerts if (m := restraint.muted(a, mutes))}
        for mute in {m.id: m for m in silent.values()}.values():
            ids = [number for number, m in silent.items() if m.id == mute.id]
            await asyncio.to_thread(self._store.silenced, ids, f"muted ({mute.id})")
        return [a for a in alerts if a.id not in silent]

    async def _turn(self, name: str, batch: list[Alert], gone: set[str], done: list[Delivery]) -> bool:
        """One channel's claimed alerts, oldest first, one after the other; adds to `done`. False: it gave up.

        One at a time, so that a reader gets them in order and a crash repeats one at most. Recipients that are
        `gone` are left out, and added to.
        """
        until = self._settings.clock() + LEASE - timedelta(seconds=2 * self._settings.timeout)
        failures = 0
        for number, alert in enumerate(batch):
            # past its lease an alert may be another's already: leave the rest to the next turn
            if failures >= PATIENCE or "" in gone or self._settings.clock() >= until:
                log.warning("channel in trouble", channel=name, waiting=len(batch) - number)
                return False
            delivery = await self.attempt(replace(alert, reached=tuple({*alert.reached, *gone})))
            failures = 0 if delivery.ok or delivery.permanent else failures + 1
            if delivery.gone:
                gone |= await self._turn_off(name, delivery)
                delivery = self._without(name, delivery, gone)
            next_at = delivery.at if "" in gone else self.next_attempt(alert, delivery)
            await asyncio.to_thread(self._store.record_delivery, delivery, next_at)
            done.append(delivery)
        return failures < PATIENCE and "" not in gone

    def _without(self, name: str, delivery: Delivery, gone: set[str]) -> Delivery:
        """A delivery judged without those who are gone: with the channel off it waits to be mended, given up never;
        with everybody else reached it is done."""
        if "" in gone:
            return replace(delivery, permanent=False)
        rest = set(self._channels[name].to) - gone
        return replace(delivery, ok=True) if rest and rest <= set(delivery.reached) else delivery

    async def _turn_off(self, name: str, delivery: Delivery) -> set[str]:
        """Keep who is gone for good off, and say so through another channel. Returns them; "" is the whole channel."""
        channel = self._channels[name]
        why = delivery.error or "gone"
        lost = {*delivery.gone, *(o.recipient for o in await asyncio.to_thread(self._store.off) if o.channel == name)}
        if channel.to and lost.issuperset(channel.to):
            lost.add("")
        what = [Off(name, one, delivery.at, why, mark(channel)) for one in sorted(lost)]
        others = [c.name for c in self._channels.values() if c.name != name]
        await asyncio.to_thread(
            self._store.turn_off,
            what,
            lambda new: rules.turned_off(new, others, self._subscriptions, now=delivery.at),
        )
        log.error("channel off" if "" in lost else "recipient off", channel=name, error=why)
        return lost

    # ------------------------------------------------------------------ one alert

    async def attempt(self, alert: Alert) -> Delivery:
        """Render and send one alert now, whatever its due time; nothing is recorded. Never raises."""
        try:
            channel = self._channel(alert.channel)
            message = NO_WORDS if channel.type in WORDLESS else self.written(alert)
            await self._senders[channel.type](alert, message, channel, self._settings)
        except PartlyDeliveredError as why:
            return self._failed(alert, why, why.reached)
        except DeliveryError as why:
            return self._failed(alert, why)
        except ConfigError as why:  # a secret's file that cannot be read
            return self._failed(alert, DeliveryError(str(why)))
        except Exception as why:  # a bug in one message must not hold back the others
            log.exception("delivery failed", alert=alert.id, channel=alert.channel)
            return self._failed(alert, DeliveryError(f"internal error: {type(why).__name__}"))
        return Delivery(alert=alert.id, at=self._settings.clock(), ok=True)

    def written(self, alert: Alert) -> Message:
        """The words of an alert. Where a user's template fails it is written with ours: late and plain beats never."""
        links = self._links(alert) if self._links else None
        if self._templates is not None:
            try:
                return render(alert, links=links, templates=self._templates)
            except DeliveryError as why:
                log.error("own template", alert=alert.id, type=alert.type, error=str(why))
        return render(alert, links=links)

    def _channel(self, name: str) -> Channel:
        """The configured channel. Raises DeliveryError for one that is gone from the configuration."""
        channel = self._channels.get(name)
        if channel is None:
            raise DeliveryError(f"sources.yaml has no channel {name}", permanent=True)
        if channel.type not in self._senders:
            raise DeliveryError(f"channel {name}: type {channel.type} is not there yet", permanent=True)
        return channel

    def _failed(self, alert: Alert, why: DeliveryError, reached: tuple[str, ...] = ()) -> Delivery:
        channel = self._channels.get(alert.channel)
        names = [SMTP_ENV, *([channel.secret_env] if channel and channel.secret_env else [])]
        error = without_secrets(str(why), self._settings.env, names)
        log.warning("not delivered", alert=alert.id, channel=alert.channel, error=error, permanent=why.permanent)
        return Delivery(
            alert=alert.id,
            at=self._settings.clock(),
            ok=False,
            error=error,
            permanent=why.permanent,
            retry_after=why.retry_after,
            reached=reached,
            gone=why.gone,
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
            if not waiting or not _fired(cron, min(a.created or now for a in waiting), now):
                continue
            for part in rules.portions(await self._unmuted(waiting, now)):
                digest = rules.fold(part, now=now)
                if await asyncio.to_thread(self._store.fold, [a.id for a in part], digest, now):
                    made.append(digest)
                    log.info("digest", channel=channel, cron=cron, changes=len(part))
        return made + await self._alive(now, {alert.channel for alert in made})

    async def _alive(self, now: datetime, told: set[str]) -> list[Alert]:
        """ "Still watching, nothing changed", to those who want it: where a digest's time came and it had nothing."""
        made: list[Alert] = []
        wanted = {(s.channel, s.digest): s for s in self._subscriptions if "alive" in s.on and s.digest}
        for (channel, cron), subscription in wanted.items():
            assert cron is not None
            key = f"alive:{channel}:{cron}"
            last = await asyncio.to_thread(self._store.get_meta, key)
            if last is not None and not _fired(cron, datetime.fromisoformat(last), now):
                continue
            await asyncio.to_thread(self._store.set_meta, key, now.isoformat())
            if last is not None and channel not in told:
                data = await asyncio.to_thread(self._store.counts)
                span = {"since": wire.time(datetime.fromisoformat(last)), "until": wire.time(now)}
                event = f"{key}:{wire.time(now)}"
                made += rules.about_us("alive", event, span | data, {channel: subscription.lang}, now=now)
        await asyncio.to_thread(self._store.enqueue, made, now)
        return made


def mark(channel: Channel) -> str:
    """A short word for what a channel is set to: one that was turned off is tried again when this changes."""
    told = repr((channel.type, channel.to, channel.url, channel.secret_env, channel.path, sorted(channel.options)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _fired(cron: str, since: datetime, now: datetime) -> bool:
    """Whether the crontab line has fired in (since, now]. One that cannot be read holds nothing back."""
    try:
        fire = next_fire(cron, DIGEST_ZONE, since)
    except ValueError:
        log.warning("digest cron cannot be read, sent at once", cron=cron)
        return True
    return fire is not None and fire <= now
