"""The composition root: builds store, fetcher, checker and deliverer, runs one pass or for ever, stops cleanly.

APScheduler runs a handful of real jobs: the due tick, the outbox, one for each digest, retention. Due times are rows
(schedule.py computes them), so a restart loses nothing and a missed run runs once.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from alerts import rules
from alerts.channels import CHANNELS
from alerts.email import SMTP_ENV
from alerts.render import render
from alerts.sending import Settings, without_secrets
from monitor import config as configuration
from monitor import heap, jumps, local, net, orders, schedule
from monitor.delivery import Deliverer
from monitor.errors import ConfigError, DeliveryError, StorageError
from monitor.fetch.client import Fetcher
from monitor.fetch.hosts import Hosts
from monitor.fetch.robots import Kept
from monitor.following import Follower
from monitor.model import Channel, Config, Delivery, Outcome, Page, ResultWord, Source, Vocabulary
from monitor.pipeline import Checker, Follow, Shift, Summary, utc_now
from monitor.sources import links
from monitor.systemd import Notifier
from monitor.vigil import Vigil
from monitor.web.server import Status, Web
from storage import retention
from storage.database import DamagedError, shown, sqlite_path
from storage.postgres import GoneError
from storage.store import Store

log = structlog.get_logger("mubiao.daemon")

TICK = 0.25  # seconds between two looks at what is due: half of it is what a check begins late
SHARED_TICK = 1.0  # … where the server of many workers is asked
SELDOM, LONGEST_TICK = 10.0, 1.0  # a look that takes long is taken at a tenth of the time, once a second at the least
OUTBOX_TICK = 2.0
MINUTE = 60.0
TEN_MINUTES = 600.0
LOOK = 3.0  # seconds between two looks at whether sources.yaml was written
BATCH = 500  # pages taken in one tick; the next tick takes more while there is room
MOST_RUNNING = 2000
PER_HOST = 20  # pages of one host under way or taken at once: a long column must not crowd out the others
ZONE = "Asia/Shanghai"
TURN_PAGES, TURN_SECONDS = 20, 20.0  # of one host in a worker's turn: then others have theirs
THINNING = 600.0  # seconds a night; what is left then goes in the next one
SELDOM_JOBS = frozenset({"digest", "overdue", "retention", "vigil"})
RESTS, LONGEST_REST = 10.0, 40.0  # seconds without a check after one that the disk or the database refused
EACH = timedelta(seconds=0.1)  # of new sources: a few are read at once, a thousand within two minutes
DRAIN = 5.0  # seconds for running checks and messages after SIGTERM; container hosts kill after 10
GARBAGE = 10_000  # new objects between two collections: a page makes thousands of short-lived ones, and few cycles
LAG_EVERY = 0.5  # seconds between two looks at how late the event loop is
LAST = 2.0  # … and then for the messages that those checks owe


class Engine:
    """The parts of one process, wired together. `reload` swaps the configuration under a running checker."""

    def __init__(
        self,
        store: Store,
        config: Config,
        vocabulary: Vocabulary,
        environ: Mapping[str, str],
        now: Callable[[], datetime] = utc_now,
        *,
        spread: bool = True,
        leads: bool = True,
    ) -> None:
        self.store, self.now, self._spread, self._leads = store, now, spread, leads
        self._vocabulary = vocabulary
        self._missed: dict[str, float] = {}  # sources of others -> since when, by the monotonic clock
        self.pools = net.Pools(net.Guard(config.network))
        self._settings = Settings(env=environ, pool=self.pools.transport, clock=now)
        known = store.hosts()
        hosts = Hosts(
            holds={h.host: h.not_before for h in known if h.not_before and h.not_before > now()},
            on_hold=lambda host, until: self.checker.note(store.hold_host, host, until, "Retry-After"),
            delays={h.host: h.delay for h in known if h.delay},
            on_delay=lambda host, delay: self.checker.note(store.slow_down, host, delay),
        )
        fetcher = Fetcher(
            config.network,
            pools=self.pools,
            hosts=hosts,
            recall=self._recall,
            remember=self._remember,
            chromium=configuration.chromium(environ),
        )
        fetcher.require(config.sources)
        self.fetcher = fetcher
        self.checker = Checker(store, fetcher, config, vocabulary, now=now)
        self.deliverer = Deliverer(store, config, self._settings)
        self.vigil = Vigil(store, config, self.pools.client, now)
        self._sync(config)
        if leads:
            store.release_alerts(now())

    def _sync(self, config: Config) -> None:
        if not self._leads:
            return
        now = self.now()
        entering = itertools.count(1)

        def first_due(source: Source) -> datetime:
            spread = min(next(entering) * EACH, schedule.FIRST_SPREAD)
            return schedule.first_due(source, now, spread=spread) if self._spread else now

        changed = self.store.sync_sources(config.sources, now, first_due)
        for source in (s for s in config.sources if s.key in changed):
            left, taken = self.store.choose(source.key, partial(links.is_followed, source), now)
            log.info("documents chosen anew", source=source.key, left=left, taken_up=taken)

    async def _recall(self, host: str) -> Kept | None:
        known = await self.checker.read(self.store.host, host)
        if known is None or known.robots is None or known.robots_at is None:
            return None
        return (known.robots, known.robots_status or 200, known.robots_at)

    async def _remember(self, host: str, text: str, status: int, at: datetime) -> None:
        await self.checker.database(self.store.put_robots, host, text, status, at)

    async def reload(self, config: Config) -> None:
        """Take over a changed sources.yaml. What is being checked ends under the old one.

        Raises ConfigError, where a source needs a browser that is not there, and StorageError; both keep the old one.
        """
        self.fetcher.require(config.sources)
        deliverer = Deliverer(self.store, config, self._settings)  # it refuses a template that is none
        await self.checker.database(self._sync, config)
        if config.network != self.checker.config.network:
            self.fetcher.take_over(config.network)
        self.checker.config, self.deliverer = config, deliverer
        self._missed.clear()
        self.vigil = Vigil(self.store, config, self.pools.client, self.now)

    async def turn(self, host: str) -> Counter[ResultWord]:
        """What is due at one host, as much as fits into a turn, while other machines leave it alone.

        Raises NewerError where the tables are of a newer program.
        """
        now, checker = self.now(), self.checker
        await checker.look(self.store.require_current)
        due = await checker.look(self.store.due, now, TURN_PAGES, host=host)
        pages = [page for page in due if checker.knows(page)]
        self._miss({page.source for page in due} - {page.source for page in pages})
        if not pages:
            return Counter()
        shift = Shift(due_by=now, until=asyncio.get_running_loop().time() + TURN_SECONDS)
        done = await checker.check(pages, shift=shift)
        return Counter(done.counts)

    def _miss(self, keys: Collection[str]) -> None:
        """What the daemon watches and this machine's sources.yaml lacks is left to others, and said now and then.

        Not at once: a new file may reach the daemon first.
        """
        now = time.monotonic()
        for key in keys:
            self._missed.setdefault(key, now)
        if any(now - since >= MINUTE for since in self._missed.values()):
            shown = sorted(self._missed)[:10]
            log.warning("sources.yaml lacks sources that the daemon watches", sources=shown, count=len(self._missed))
            self._missed = dict.fromkeys(self._missed, now + TEN_MINUTES)

    async def carry_out(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """An order of a person (monitor.orders). Raises what it raises."""
        return await asyncio.to_thread(orders.carry_out, self.store, name, given, self.now())

    async def aclose(self) -> None:
        """Wait for the write under way, close connections."""
        if self.fetcher.hosts.stays is not None:
            await self.fetcher.hosts.stays.aclose()
        self.checker.close()
        await self.fetcher.aclose()


@asynccontextmanager
async def engine(
    store: Store,
    config: Config,
    vocabulary: Vocabulary,
    environ: Mapping[str, str],
    *,
    now: Callable[[], datetime] = utc_now,
    spread: bool = True,
    leads: bool = True,
) -> AsyncIterator[Engine]:
    """Everything a pass needs, on this event loop; closed at the end.

    `spread`: a daemon reads new sources over some minutes; somebody who types `check` wants them now. A worker does
    not lead: which sources there are, and what is sent, is the daemon's business.
    """
    made = Engine(store, config, vocabulary, environ, now, spread=spread, leads=leads)
    try:
        yield made
    finally:
        await made.aclose()


# --------------------------------------------------------------------------- one pass


def pages_to_check(
    store: Store, config: Config, keys: Sequence[str] | None, now: datetime, *, everything: bool
) -> list[Page]:
    """What one pass reads: what is due, or everything of the sources named, or of all that are enabled."""
    if keys is None and not everything:
        return store.due(now, limit=1_000_000)
    enabled = {s.key for s in config.sources if s.enabled}
    wanted = sorted(enabled if keys is None else enabled & set(keys))
    return store.pages(wanted)


async def one_pass(
    made: Engine, pages: Sequence[Page], *, deliver: bool, follow: Follow | None = None, summary: Summary | None = None
) -> Summary:
    """Check these pages, then send what the outbox holds. Cancelling it keeps what was finished in `summary`."""
    done = summary or Summary(made.now())
    try:
        await made.checker.check(pages, follow, done)
        await asyncio.to_thread(made.vigil.first_readings)
    except asyncio.CancelledError:
        done.interrupted = True
    if deliver:
        results: list[Delivery] = []
        try:  # who interrupted the checks does not wait for a receiver that hangs
            await drain(made, results, within=DRAIN if done.interrupted else None)
        except asyncio.CancelledError:  # what was not sent stays in the outbox
            done.interrupted = True
        done.sent = sum(d.ok for d in results)
        done.undelivered = sum(not d.ok for d in results)
    return done


async def drain(made: Engine, done: list[Delivery], within: float | None = None) -> None:
    """Every alert that is due now, once, for at most `within` seconds; `done` is filled as it goes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await made.deliverer.run_digests(made.now())
            await made.deliverer.deliver_due(made.now(), done)


def run_check(
    store: Store,
    config: Config,
    vocabulary: Vocabulary,
    environ: Mapping[str, str],
    *,
    choose: Callable[[datetime], Sequence[Page]],
    deliver: bool,
    follow: Follow,
) -> Summary:
    """`mubiao check`: one pass in this process. SIGINT and SIGTERM end it with what was finished saved.

    `choose` is asked once the sources are in the database (`pages_to_check`).
    """

    async def work() -> Summary:
        async with engine(store, config, vocabulary, environ, spread=False) as made:
            task = asyncio.create_task(one_pass(made, choose(made.now()), deliver=deliver, follow=follow))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
            settle()
            return await task

    return asyncio.run(work())


def settle() -> None:
    """Modules, rules and sources stay as long as this process: to look through them for garbage again and again was a
    tenth of a short pass."""
    gc.freeze()
    gc.set_threshold(GARBAGE)
    heap.few_arenas()


async def empty_outbox(store: Store, config: Config, environ: Mapping[str, str]) -> list[Delivery]:
    """`mubiao alerts retry`: send what is due, check nothing."""
    pools = net.Pools(net.Guard(config.network))
    try:
        deliverer = Deliverer(store, config, Settings(env=environ, pool=pools.transport, clock=utc_now))
        return await deliverer.deliver_due(utc_now())
    finally:
        await pools.aclose()


async def send_trial(channel: Channel, config: Config, environ: Mapping[str, str], lang: str) -> None:
    """`mubiao alerts test`: one message, now, past the outbox. Raises DeliveryError."""
    pools = net.Pools(net.Guard(config.network))
    settings = Settings(env=environ, pool=pools.transport, clock=utc_now)
    alert = rules.trial(channel.name, now=utc_now(), lang=lang)
    try:
        await CHANNELS[channel.type](alert, render(alert, lang=lang), channel, settings)
    except DeliveryError as why:
        names = [SMTP_ENV, *([channel.secret_env] if channel.secret_env else [])]
        raise DeliveryError(without_secrets(str(why), environ, names), permanent=why.permanent) from None
    finally:
        settings.kept.close()
        await pools.aclose()


# --------------------------------------------------------------------------- for ever


class Share(Protocol):
    """The queue of a PostgreSQL database (monitor.cluster), which needs what only that needs."""

    async def defer(self, hosts: Sequence[str]) -> int: ...


class Daemon:
    """The jobs of a running service."""

    def __init__(
        self,
        made: Engine,
        config: Config,
        status: Status,
        notifier: Notifier,
        share: Share | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share = share
        self.made, self.status, self.notifier = made, status, notifier
        self._follower = Follower(config, made.reload)
        self.stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[str] = set()  # channels whose messages are on their way
        self._running = 0
        self._rest, self._rests_until = 0.0, 0.0  # seconds, and until when by the monotonic clock
        self._looks_again = 0.0  # by the monotonic clock
        self._lag: asyncio.Task[None] | None = None
        made.checker.began = status.began
        self._begun_before: set[int] = set()  # pages whose check began before the clock was set back
        self._jumps = jumps.Jumps(made.now, monotonic)
        self._gone = False  # whether the database's server is away, which has been said
        self._owed: dict[str, Callable[[], Awaitable[object]]] = {}  # jobs that come seldom, and met no database
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}  # late is not too late
        self.scheduler = AsyncIOScheduler(timezone=ZONE, job_defaults=defaults)

    @property
    def config(self) -> Config:
        """The configuration that is followed now."""
        return self._follower.config

    def start(self) -> None:
        """Register the jobs, and begin."""
        self._register()
        self._lag = asyncio.create_task(self._watch_loop())
        self.scheduler.start()
        self._beside("clock", self._bring_back)

    def _beside(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """A turn in a task of its own, which `drain` waits for."""
        task = asyncio.create_task(self._turn(name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hang_up(self) -> None:
        """SIGHUP. Under the name of the look at the files, which goes on where the database did not take them."""
        self._beside("files", self.reload)

    async def _bring_back(self) -> None:
        """The clock may have been set back while no daemon ran."""
        made = self.made
        await made.checker.database(jumps.bring_back, made.store, made.checker.config, made.now())

    def _register(self) -> None:
        """All jobs, anew. What an earlier run left due, or in the outbox, waits no longer."""
        self.scheduler.remove_all_jobs()
        often = TICK if self._share is None else SHARED_TICK
        for name, work, seconds in (("due", self.tick, often), ("outbox", self.outbox, OUTBOX_TICK)):
            self.scheduler.add_job(
                self._turn,
                "interval",
                seconds=seconds,
                args=[name, work],
                id=name,
                next_run_time=datetime.now(UTC),
            )
        self.scheduler.add_job(self._turn, "interval", seconds=LOOK, args=["files", self.look_at_files], id="files")
        nightly = CronTrigger(hour=3, minute=30, jitter=600, timezone=ZONE)
        self.scheduler.add_job(self._turn, nightly, args=["retention", self.retention], id="retention")
        daily = CronTrigger(hour=9, minute=15, jitter=300, timezone=ZONE)
        self.scheduler.add_job(self._turn, daily, args=["vigil", self.look_around], id="vigil")
        self.scheduler.add_job(self._turn, "interval", seconds=MINUTE, args=["minute", self.minute], id="minute")
        self.scheduler.add_job(
            self._turn,
            "interval",
            seconds=TEN_MINUTES,
            args=["overdue", self.overdue],
            id="overdue",
            next_run_time=datetime.now(UTC),
        )
        memory = partial(asyncio.to_thread, heap.give_back)
        self.scheduler.add_job(self._turn, "interval", seconds=MINUTE, args=["memory", memory], id="memory")
        if self.notifier.every:
            self.scheduler.add_job(self._alive, "interval", seconds=self.notifier.every, id="watchdog")
        self._digest_jobs()

    def _digest_jobs(self) -> None:
        """One job for each digest's crontab line; folding is idempotent, so a repeated run sends nothing twice."""
        for job in self.scheduler.get_jobs():
            if job.id.startswith("digest "):
                job.remove()
        for cron in sorted({s.digest for s in self.config.subscriptions if s.digest}):
            trigger = schedule.crontab(cron, ZONE)
            self.scheduler.add_job(self._turn, trigger, args=["digest", self.digests], id=f"digest {cron}")

    async def _turn(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """One turn of one job: no exception leaves the loop, and each is named in the log.

        `drain` waits for it; one that it cuts short ends quietly, because it is made up for at the next start.
        """
        this = asyncio.current_task()
        if this is not None:
            self._tasks.add(this)
        try:
            await work()
            self.status.trouble.pop(name, None)
            if self._gone and name == "due" and not self.stopping.is_set():  # then it asks for nothing
                log.info("database answers again")
                self._gone = False
        except asyncio.CancelledError:
            if not self.stopping.is_set():
                raise
        except StorageError as wrong:
            self._say(name, wrong)
            self.status.trouble[name] = str(wrong)
            if name in SELDOM_JOBS and not isinstance(wrong, DamagedError):
                self._owed[name] = work
        except Exception as wrong:  # one turn of the loop
            log.exception("job failed", job=name)
            self.status.trouble[name] = f"{type(wrong).__name__}: {wrong}"
        finally:
            if this is not None:
                self._tasks.discard(this)

    def _say(self, name: str, wrong: StorageError) -> None:
        """The same trouble of a job is said once; a server that is away once for all jobs, whatever words it has."""
        gone = isinstance(wrong, GoneError)
        if not (self._gone if gone else self.status.trouble.get(name) == str(wrong)):
            log.error("database", job=name, error=str(wrong))
        self._gone = self._gone or gone

    async def tick(self) -> None:
        """`due`, at most a tenth of the time where that takes long."""
        begun = time.monotonic()
        if begun >= self._looks_again:
            await self.due()
            self._looks_again = begun + min(SELDOM * (time.monotonic() - begun), LONGEST_TICK)

    async def due(self) -> None:
        """Start what is due, while there is room. Each batch runs beside the tick."""
        self.status.ticked(self.made.now())
        if self.stopping.is_set() or self._running >= MOST_RUNNING:
            return  # the tick comes again: what is due waits as a row
        if time.monotonic() < self._rests_until or (self._rest and self._running):
            return
        made, checker = self.made, self.made.checker
        made.store.require_place()
        now, before = made.now(), checker.under_way()
        if self._share is not None:
            await checker.look(made.store.lock_daemon)  # a restarted server has forgotten it
            await checker.look(made.store.require_current)  # and somebody may have upgraded it in that time
            await self._share.defer(await checker.look(made.store.due_hosts, now))
            return
        held = [host for host, until in made.fetcher.holds.items() if until > now]
        limit = 1 if self._rest else BATCH + checker.running  # after trouble one page tries whether it can be saved
        found = await checker.look(made.store.due, now, limit, exclude_hosts=held, per_host=PER_HOST)
        pages = [p for p in found if p.id not in before and not checker.is_running(p.id)]
        if pages:
            self._beside("check", partial(self._check, pages))
        await asyncio.sleep(0)

    async def _check(self, pages: Sequence[Page]) -> None:
        self._running += len(pages)
        try:
            await self.made.checker.check(pages, self._count)
            self._rest = 0.0
        except StorageError:  # nothing is asked of a site that cannot be saved
            self._rest = min(max(RESTS, 2 * self._rest), LONGEST_REST)
            self._rests_until = time.monotonic() + self._rest
            raise
        finally:
            self._running -= len(pages)

    def _count(self, outcome: Outcome | None, known: int) -> None:
        """Each check as it ends: one slow page must not hold back the figures of a whole pass."""
        if outcome is not None:
            self.status.checked({outcome.result: 1})

    async def outbox(self) -> None:
        """Start to send what is owed, each channel in a task of its own: one that hangs delays no other."""
        owing = await self.made.deliverer.owing(self.made.now())
        for job in [j for j in self.status.trouble if j.startswith("outbox ")]:
            if job.removeprefix("outbox ") not in {*owing, *self._sending}:  # it owes nothing any more, or is gone
                self.status.trouble.pop(job)
        for name in owing:
            if name not in self._sending and not self.stopping.is_set():
                self._sending.add(name)
                self._beside(f"outbox {name}", partial(self._send, name))

    async def _send(self, channel: str) -> None:
        try:
            self.status.delivered(await self.made.deliverer.deliver(channel, self.made.now()))
        finally:
            self._sending.discard(channel)

    async def digests(self) -> None:
        """Fold what waits into digests that are due."""
        await self.made.deliverer.run_digests(self.made.now())

    async def minute(self) -> None:
        """First readings that are over are told of; the dead-man's switch hears from us while all is well."""
        await asyncio.to_thread(self.made.vigil.first_readings)
        reading, unread = await asyncio.to_thread(self.made.store.first_crawl)
        if unread:  # a source that fails has none, and is told of by itself
            log.info("still reading for the first time", sources=reading, pages_unread=unread)
        for name in tuple(self._owed):  # not a day later: the database answered just now
            self._beside(name, self._owed.pop(name))
        if self.status.healthy(self.made.now()):
            await self.made.vigil.ping()

    async def _alive(self) -> None:
        """The service manager restarts a daemon whose tick stands still; trouble that the log names is no reason."""
        if self.status.ticking(self.made.now()):
            self.notifier.alive()

    async def look_around(self) -> None:
        """Columns gone quiet, certificates about to end."""
        await asyncio.to_thread(self.made.vigil.silent_columns)
        await asyncio.to_thread(self.made.vigil.certificates, self.made.pools.certificates)

    async def overdue(self) -> None:
        """Releases that should have come by now: told once, shown until they do."""
        self.status.overdue = await asyncio.to_thread(self.made.vigil.overdue)

    async def retention(self) -> None:
        """Everything is kept by default; what `keep` of a source lets go is thinned out at night."""
        keeping = retention.rules(self.made.checker.config.sources)
        if not keeping:
            return
        until = time.monotonic() + THINNING
        enough = lambda: self.stopping.is_set() or time.monotonic() > until  # noqa: E731
        gone = await asyncio.to_thread(self.made.store.thin_out, keeping, self.made.now(), enough)
        log.info("thinned out", versions=gone.versions, bodies=gone.bodies, freed=gone.bytes, finished=gone.finished)

    async def _watch_loop(self) -> None:
        """How late the event loop runs what is ready: by as much are signals, requests and other checks.

        And the clock: not a job, because the scheduler's own sleep is as long as a clock was set back.
        """
        loop = asyncio.get_running_loop()
        while not self.stopping.is_set():
            asleep = loop.time()
            await asyncio.sleep(LAG_EVERY)
            self.status.lagged(loop.time() - asleep - LAG_EVERY)
            await self._turn("clock", self._watch_clock)

    async def _watch_clock(self) -> None:
        """After the clock was set forward, what was missed runs once. After it was set back, jobs (and their triggers,
        which begin at a time) would stand still until the old time comes again."""
        made, jump = self.made, self._jumps.seen()
        if ended := self._begun_before - made.checker.under_way():  # with a due time of the old clock
            self._begun_before -= ended
            await made.checker.database(jumps.bring_back, made.store, made.checker.config, made.now(), sorted(ended))
        if jump:
            log.warning("the clock jumped", seconds=round(jump.total_seconds()))
        if jump < timedelta():
            self._register()
            self._begun_before = made.checker.under_way()
            made.fetcher.hosts.set_back(-jump)
            await made.checker.database(jumps.put_right, made.store, made.checker.config, made.now(), -jump)

    async def look_at_files(self) -> None:
        """Take over a sources.yaml that was written."""
        if await self._follower.look():
            await self.reload()

    async def reload(self) -> None:
        """SIGHUP, or the file was written: read sources.yaml again. A broken file keeps the old one and says so.

        A rest after trouble ends.
        """
        self._rests_until = 0.0
        if self.config.path is None:
            return
        self.notifier.reloading()
        try:
            await self._follower.reload()
        except ConfigError as wrong:
            log.error("sources.yaml not taken over", error=str(wrong))
            self.status.trouble["config"] = str(wrong)
            self.notifier.ready("the old sources.yaml: the new one has a mistake, see the log")
            return
        except StorageError:
            self.notifier.ready("the old sources.yaml: the database did not take the new one, see the log")
            raise
        watched = len(self.config.sources)
        self.notifier.ready(f"watching {watched} sources")
        self.status.trouble.pop("config", None)
        self.status.watches(watched)
        self._digest_jobs()
        for warning in self.config.warnings:
            log.warning("sources.yaml", warning=warning)
        log.info("sources.yaml taken over", sources=watched)

    async def drain(self) -> None:
        """Let running checks and messages end, for a while; what does not is due again at the next start."""
        self.stopping.set()
        if self._lag is not None:
            self._lag.cancel()
        self.scheduler.pause()
        await asyncio.sleep(0)  # a turn that was due has begun now
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=DRAIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.scheduler.shutdown(wait=False)  # not before: it would cancel its turns, and log each as an error
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(LAST):
                await self.made.deliverer.deliver_due(self.made.now())


async def serve(
    store: Store,
    config: Config,
    vocabulary: Vocabulary,
    environ: Mapping[str, str],
    *,
    listen: socket.socket | None,
    lang: str,
    shared: Callable[[Callable[[str], Awaitable[Any]]], AbstractAsyncContextManager[Share]] | None = None,
) -> None:
    """`mubiao run`: until SIGTERM or SIGINT. The caller holds the daemon's lock on the store.

    `shared` makes the queue through which it shares the checks with workers, and is one of them itself. `listen` is a
    reserved address (monitor.web.server).
    """
    async with engine(store, config, vocabulary, environ) as made:
        status = Status(made.now(), sources=len(config.sources))
        notifier = Notifier(environ)
        stack = AsyncExitStack()

        async def turn(host: str) -> None:
            status.checked(await made.turn(host))

        share = await stack.enter_async_context(shared(turn)) if shared else None
        daemon = Daemon(made, config, status, notifier, share)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, daemon.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, daemon.hang_up)
        path = sqlite_path(store.url)
        if path is not None:
            await stack.enter_async_context(local.listening(path, made.carry_out))
        web = Web(store.url, status, lang) if listen else None
        if web is not None and listen is not None:
            await web.start(listen)
            log.info("web", address=f"{web.address}/")
        daemon.start()
        settle()
        heap.large_apart()
        log.info("watching", sources=len(config.sources), database=shown(store.url), version=version("mubiao"))
        notifier.ready(f"watching {len(config.sources)} sources")
        await daemon.stopping.wait()
        notifier.stopping()
        log.info("stopping")
        await stack.aclose()
        await asyncio.gather(daemon.drain(), *([web.stop()] if web is not None else []))
    log.info("stopped")
