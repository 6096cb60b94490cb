"""Manners towards each host: how many requests at once, how long between two, and when none at all.

Fairness: a check that waits for its host holds no slot. `turn` first queues at the host (in order of arrival), waits
for the gap, and only then takes one of the `slots` that bound how many requests run in the whole program. So ten
thousand waiting pages are ten thousand small coroutines and at most `slots` requests, and a slow host keeps nobody
from another. A caller may start one task for each host and let it walk through that host's pages.

A turn is given back before the next one is asked for (at a redirect, after robots.txt): nobody holds one host while
waiting for another, so nothing can lock up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.fetch.room import Room
from monitor.fetch.stays import PATIENCE, Stays

LATENCY_FACTOR = 5.0  # Heritrix: rest five times as long as the answer took
MOST_DELAY = 30.0  # seconds; learned delays stop here, configured ones and Crawl-delay may be longer
MOST_PENALTY = 32.0
EASE = 0.9  # each good answer takes a tenth off the penalty
MOST_HOLD = timedelta(hours=24)
FORGOTTEN = 1.0  # seconds: a learned delay under this is not worth keeping


@dataclass(frozen=True, slots=True)
class Pace:
    """What one source allows at its host. `delay` 0 turns waiting off, but for `floor`, the site's own Crawl-delay."""

    delay: float  # seconds
    concurrency: int = 1
    floor: float = 0.0  # seconds


@dataclass(slots=True)
class Host:
    """What was seen of one host. Times are those of the event loop's clock."""

    active: int = 0
    waiting: list[tuple[asyncio.Future[None], int]] = field(default_factory=list)  # an empty deque takes 600 bytes
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_start: float = float("-inf")
    last_end: float = float("-inf")
    latency: float = 0.0  # seconds, smoothed
    penalty: float = 1.0
    kept: float = 0.0  # seconds: the delay that an earlier life had learned, easing
    told: float = 0.0  # seconds: what was last given to be kept

    def delay(self, pace: Pace) -> float:
        """Seconds to leave between two requests now."""
        learned = 0.0
        if pace.delay > 0:
            learned = max(max(pace.delay, LATENCY_FACTOR * self.latency) * self.penalty, self.kept)
            learned = min(learned, max(MOST_DELAY, pace.delay))
        return max(learned, pace.floor)

    def ready_at(self, pace: Pace) -> float:
        """When the gap is over: after the end of the last request, or its start where several may run."""
        return (self.last_end if pace.concurrency == 1 else self.last_start) + self.delay(pace)

    def learn(self, seconds: float, *, trouble: bool) -> None:
        """Slow down after 429, 5xx and timeouts, ease with every good answer."""
        self.latency = seconds if self.latency == 0 else (self.latency + seconds) / 2
        self.penalty = min(self.penalty * 2, MOST_PENALTY) if trouble else max(self.penalty * EASE, 1.0)
        self.kept = min(self.kept * 2, MOST_DELAY) if trouble else self.kept * EASE

    async def enter(self, concurrency: int) -> None:
        """Wait in the host's queue."""
        if not self.waiting and self.active < concurrency:
            self.active += 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((future, concurrency))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # the turn was given at the same moment: pass it on
                self.leave()
            raise

    def leave(self) -> None:
        """Hand the turn to the next in the queue."""
        self.active -= 1
        while self.waiting and self.active < self.waiting[0][1]:
            future, _ = self.waiting.pop(0)
            if not future.done():
                self.active += 1
                future.set_result(None)


class Hosts:
    """All hosts by key, and those that asked to be left alone for a while.

    `holds` maps a host to the end of its hold, `delays` to the seconds learned from its trouble; give back what
    `on_hold` and `on_delay` (None: nothing is left of it) reported before a restart.
    """

    stays: Stays | None = None  # where other machines ask the same hosts
    room: Room | None = None  # where answers wait to be read: no request starts while it is full

    def __init__(
        self,
        slots: int = 64,
        holds: Mapping[str, datetime] | None = None,
        on_hold: Callable[[str, datetime], None] | None = None,
        delays: Mapping[str, float] | None = None,
        on_delay: Callable[[str, float | None], None] | None = None,
    ) -> None:
        self._hosts: dict[str, Host] = {}
        self._slots = asyncio.Semaphore(slots)
        self.holds: dict[str, datetime] = dict(holds or {})
        self._on_hold, self._on_delay = on_hold, on_delay
        self._delays = dict(delays or {})

    def __getitem__(self, key: str) -> Host:
        host = self._hosts.get(key)
        if host is None:
            kept = self._delays.pop(key, 0.0)
            host = self._hosts[key] = Host(kept=kept, told=kept)
        return host

    def learn(self, key: str, pace: Pace, seconds: float, *, trouble: bool) -> None:
        """Learn from one answer that took so long; what a host made us learn is told when it doubled or halved."""
        host = self[key]
        host.learn(seconds, trouble=trouble)
        if self._on_delay is None or (host.penalty == 1.0 and not host.told and not host.kept):
            return
        delay = host.delay(replace(pace, floor=0.0))
        delay = delay if delay > max(pace.delay, FORGOTTEN) else 0.0
        told = host.told or 0.5
        if (delay >= 2 * told or delay <= told / 2) and delay != host.told:
            host.told = delay
            self._on_delay(key, delay or None)

    @asynccontextmanager
    async def turn(self, key: str, pace: Pace, slots: asyncio.Semaphore | None = None) -> AsyncIterator[Host]:
        """A request may start when this is entered, and has ended when it is left.

        `slots` are taken from instead of our own: those who wait for a browser keep nobody else waiting.
        Raises stays.BusyError while another machine is at the host.
        """
        async with self.at(key), self._turn(key, pace, slots or self._slots) as host:
            yield host

    @asynccontextmanager
    async def at(self, key: str, patience: float | None = PATIENCE) -> AsyncIterator[None]:
        """No other machine asks this host until the block ends; see `Stays.at`."""
        if self.stays is None:
            yield
            return
        async with self.stays.at(key, patience):
            yield

    @asynccontextmanager
    async def _turn(self, key: str, pace: Pace, slots: asyncio.Semaphore) -> AsyncIterator[Host]:
        host, loop = self[key], asyncio.get_running_loop()
        await host.enter(pace.concurrency)
        slot = False
        try:
            async with host.starting:
                while (wait := host.ready_at(pace) - loop.time()) > 0:  # noqa: ASYNC110 (only time ends this wait)
                    await asyncio.sleep(wait)
                if self.room is not None:
                    await self.room.admit()
                await slots.acquire()
                slot = True
                if self.stays is not None:
                    await self.stays.require(key)
                host.last_start = loop.time()
            yield host
        finally:
            if slot:
                host.last_end = loop.time()
                slots.release()
                if self.stays is not None:
                    self.stays.asked(key, host.ready_at(pace))
            host.leave()

    def ready_in(self, key: str, pace: Pace) -> float:
        """Seconds until a request asked for now could start; those already queued are counted with the delay."""
        host = self[key]
        left = max(host.ready_at(pace) - asyncio.get_running_loop().time(), 0.0)
        return left + len(host.waiting) * host.delay(pace)

    def held_until(self, key: str, now: datetime) -> datetime | None:
        """The end of a running hold."""
        until = self.holds.get(key)
        if until is not None and until <= now:
            del self.holds[key]
            return None
        return until

    def set_back(self, by: timedelta) -> None:
        """The wall clock was set back: holds end as much earlier."""
        self.holds = {key: until - by for key, until in self.holds.items()}

    def hold(self, key: str, until: datetime, now: datetime) -> None:
        """Ask nothing of this host until then (at most a day); a longer hold that is running stays."""
        until = min(until, now + MOST_HOLD)
        if until > now and until > self.holds.get(key, now):
            self.holds[key] = until
            if self._on_hold:
                self._on_hold(key, until)
