"""Checks shared by several machines: one job for each host in a queue of PostgreSQL (procrastinate), never two at once.

The daemon's tick defers the hosts that have something due; any worker, the daemon included, takes a turn at one: at
most 20 seconds or 20 pages. A job's lock and queueing lock are its host, so a host is asked by one machine and waits in
the queue once. What a worker that died was at is put back by ours and every other worker's look each few seconds;
procrastinate itself does not. Leases (storage/leases.py) keep one that was only paused from saving what others did.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.schema import SchemaManager

from monitor import heap
from monitor.daemon import LAG_EVERY, MINUTE, engine, settle
from monitor.errors import ConfigError, StorageError
from monitor.following import Follower
from monitor.model import Config, Vocabulary
from monitor.systemd import Notifier
from monitor.web.server import Status, Web
from storage import postgres
from storage.database import NewerError
from storage.postgres import GoneError
from storage.store import Store

log = structlog.get_logger("mubiao.cluster")

TASK, QUEUE = "host", "hosts"
CONCURRENCY = 20  # hosts that one process is at together
MOST_WAITING = 2000  # jobs in the queue: more would only be looked through
HEARTBEAT = 5.0  # seconds
STALLED = 15.0  # … without one: the worker is dead
GRACE = 10  # seconds for turns under way when a worker is stopped
AGAIN = 2.0  # seconds before a server that is gone is asked again
SAID = 600.0  # seconds for which the same trouble is not said again
LOOK = 5.0  # seconds between two looks at the files of sources.yaml

_AWAY = (ConnectorException, psycopg.Error, OSError)  # what procrastinate lets through of a server that is gone

Turn = Callable[[str], Awaitable[None]]


def upgrade(url: str) -> None:
    """The queue's tables, made or brought up to this procrastinate. Raises StorageError."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"), key=lambda f: f.name)
    last = files[-1].name
    with _plain(url), psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [postgres.LOCKS, postgres.SCHEMA])
        jobs, have = connection.execute(_HAVE).fetchone() or (None, None)
        if jobs is None:
            wanted = [(resources.files("procrastinate.sql") / "schema.sql").read_text(encoding="utf-8")]
        else:
            wanted = [f.read_text(encoding="utf-8") for f in files if f.name > (have or last)]
        for script in wanted:
            connection.execute(script.encode())
        connection.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{last}'".encode())


# procrastinate does not remember which of its migrations a database has: a remark on its table does
_HAVE = "SELECT to_regclass('procrastinate_jobs'), obj_description(to_regclass('procrastinate_jobs'), 'pg_class')"


class _plain:  # noqa: N801 (used as a function is)
    """psycopg's errors as storage says them."""

    def __init__(self, url: str) -> None:
        self._place = postgres.hidden(postgres.address(url))

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _at: Any) -> None:
        if isinstance(error, psycopg.OperationalError) and not error.sqlstate:
            raise GoneError(f"{self._place} does not answer: {str(error).splitlines()[0]}") from error
        if isinstance(error, psycopg.Error):
            raise StorageError(f"{self._place}: {str(error).splitlines()[0]}") from error


@asynccontextmanager
async def shared(
    url: str, turn: Turn, *, concurrency: int = CONCURRENCY, status: Status | None = None
) -> AsyncIterator[Queue]:
    """A queue whose turns are taken here too, until the block ends. `status` is told how a worker is."""
    queue = Queue(url, turn, concurrency=concurrency, status=status)
    await queue.open()
    asyncio.get_running_loop().set_exception_handler(_unheard)
    working = asyncio.create_task(queue.work())
    try:
        yield queue
    finally:
        queue.stop()
        await asyncio.gather(working, return_exceptions=True)
        await queue.close()


async def serve(
    store: Store,
    config: Config,
    vocabulary: Vocabulary,
    environ: Mapping[str, str],
    *,
    concurrency: int,
    listen: socket.socket | None = None,
) -> None:
    """`mubiao worker`: turns until SIGTERM or SIGINT. Where it listens, it says how it is: health and metrics.

    Raises NewerError where a newer program upgraded the tables meanwhile.
    """
    async with engine(store, config, vocabulary, environ, leads=False) as made, AsyncExitStack() as stack:
        status, notifier = Status(made.now(), sources=len(config.sources)), Notifier(environ)
        made.checker.began = status.began

        stopping, hung_up = asyncio.Event(), asyncio.Event()
        refused: list[NewerError] = []

        async def turn(host: str) -> None:
            try:
                status.checked(await made.turn(host))
            except NewerError as wrong:  # upgraded under us: what we would write may be wrong by now
                refused.append(wrong)
                stopping.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        loop.add_signal_handler(signal.SIGHUP, hung_up.set)
        if listen is not None:
            web = Web(store.url, status, "en", pages=False)
            await web.start(listen)
            stack.push_async_callback(web.stop)
            log.info("web", address=f"{web.address}/healthz")
        async with shared(store.url, turn, concurrency=concurrency, status=status):
            follower = Follower(config, made.reload)
            beside = [asyncio.create_task(x) for x in (_follow(follower, hung_up, status), _living(status, notifier))]
            settle()
            heap.large_apart()
            log.info("working", concurrency=concurrency)
            notifier.ready(f"one of several checkers, {concurrency} hosts at once")
            await stopping.wait()
            notifier.stopping()
            for task in beside:
                task.cancel()
            log.info("stopping")
    if refused:
        raise refused[0]
    log.info("stopped")


async def _living(status: Status, notifier: Notifier) -> None:
    """How late the event loop is, and a sign of life for the service manager, for ever."""
    loop, told = asyncio.get_running_loop(), float("-inf")
    trimmed = loop.time()
    while True:
        asleep = loop.time()
        await asyncio.sleep(LAG_EVERY)
        status.lagged(loop.time() - asleep - LAG_EVERY)
        if asleep - trimmed >= MINUTE:
            await asyncio.to_thread(heap.give_back)
            trimmed = loop.time()
        if notifier.every and loop.time() - told >= notifier.every and status.ticking(datetime.now(UTC)):
            notifier.alive()
            told = loop.time()


async def _follow(follower: Follower, asked: asyncio.Event, status: Status, every: float = LOOK) -> None:
    """Look at sources.yaml now and then, and when it is asked for, for ever. A broken one keeps the old, and is trouble
    until it is mended."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await asked.wait()
        if not (await follower.look() or asked.is_set()):
            continue
        asked.clear()
        try:
            await follower.reload()
        except (ConfigError, StorageError) as wrong:
            log.error("sources.yaml not taken over", error=str(wrong))
            status.trouble["config"] = str(wrong)
            continue
        watched = len(follower.config.sources)
        status.trouble.pop("config", None)
        status.watches(watched)
        log.info("sources.yaml taken over", sources=watched)


class Queue:
    """The jobs of one database. `turn` checks what is due at one host."""

    def __init__(self, url: str, turn: Turn, *, concurrency: int = CONCURRENCY, status: Status | None = None) -> None:
        self._turn, self._concurrency, self._status = turn, concurrency, status
        self._place = postgres.hidden(postgres.address(url))
        settings = {"application_name": postgres.speaker(), "connect_timeout": 10}
        pool: dict[str, Any] = {"min_size": 1, "max_size": 8, "timeout": HEARTBEAT}
        self._app = App(connector=PsycopgConnector(conninfo=url, kwargs=settings, **pool))
        self._app.task(name=TASK, queue=QUEUE, pass_context=True)(self._one)
        self._workers: set[int] = set()  # what procrastinate has called this process
        self._under_way: set[int] = set()  # jobs
        self._idle: set[int] = set()  # jobs that stand as ours, and that nobody was at when last looked
        self._stop = asyncio.Event()
        self._gone = False  # whether the server is away, which has been said
        self._said: dict[str, float] = {}  # what else was said, and when by the event loop's clock

    async def _one(self, context: JobContext, host: str) -> None:
        number, worker = context.job.id, context.job.worker_id
        assert number is not None and worker is not None
        self._workers.add(worker)
        self._under_way.add(number)
        try:
            await self._turn(host)
        except GoneError as wrong:  # what was not saved is due again
            self._say_gone(str(wrong))
        except StorageError as wrong:
            self._say(str(wrong))
        except Exception:  # one turn of the loop
            log.exception("turn failed", host=host)
        finally:
            self._under_way.discard(number)

    async def open(self) -> None:
        """Connect. Raises GoneError."""
        try:
            await self._app.open_async()
        except _AWAY as wrong:
            raise GoneError(self._away(wrong)) from wrong

    async def close(self) -> None:
        """End every connection."""
        await self._app.close_async()

    def stop(self) -> None:
        """No more turns; those under way have GRACE seconds."""
        self._stop.set()

    def _away(self, wrong: BaseException) -> str:
        return f"{self._place} does not answer: {_cause(wrong)}"

    def _say_gone(self, trouble: str) -> None:
        """Said once, whatever words it has, until the server answers again."""
        if not self._gone:
            log.error("database", error=trouble)
        self._gone = True
        self._tell(trouble)

    def _say(self, trouble: str) -> None:
        """A full disk lets some turns pass: it is not said again with each that it stops."""
        now = asyncio.get_running_loop().time()
        if now - self._said.get(trouble, float("-inf")) >= SAID:
            log.error("database", error=trouble)
            self._said[trouble] = now

    async def defer(self, hosts: Sequence[str]) -> int:
        """Queue a turn at each of these hosts, those excepted that have one; how many are new. Raises GoneError."""
        try:
            return await self._defer(hosts)
        except _AWAY as wrong:
            raise GoneError(self._away(wrong)) from wrong

    async def _defer(self, hosts: Sequence[str]) -> int:
        connector: Any = self._app.connector
        query = "SELECT lock FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name = %(task)s"
        known = {row["lock"] for row in await connector.execute_query_all_async(query, task=TASK)}
        fresh = [h for h in hosts if f"host:{h}" not in known][: max(0, MOST_WAITING - len(known))]
        made = 0
        for host in fresh:
            job = self._app.configure_task(TASK, lock=f"host:{host}", queueing_lock=f"host:{host}", queue=QUEUE)
            with suppress(AlreadyEnqueued):
                await job.defer_async(host=host)
                made += 1
        return made

    async def recover(self) -> int:
        """Put back what dead workers were at, and what we were at when the server went away; how many."""
        stalled = list(await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED))
        left = {job.id: str(job.task_kwargs.get("host")) for job in stalled if job.id is not None}
        left |= await self._unfinished()
        for number in left:
            with suppress(ConnectorException):  # another worker was faster
                await self._app.job_manager.retry_job_by_id_async(number, retry_at=datetime.now(UTC))
        if left:
            log.warning("put back", hosts=list(left.values()))
        return len(left)

    async def _unfinished(self) -> dict[int, str]:
        """Our jobs whose turn is over, and that still stand as under way: procrastinate says the end of a job once, and
        where the server does not hear it the host would be ours for as long as we live. Seen twice, so that none is
        meant that is beginning or ending."""
        connector: Any = self._app.connector
        query = "SELECT id, lock FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%(ours)s)"
        ours = await connector.execute_query_all_async(query, ours=sorted(self._workers))
        idle = {row["id"]: row["lock"].removeprefix("host:") for row in ours if row["id"] not in self._under_way}
        again = {number: host for number, host in idle.items() if number in self._idle}
        self._idle = idle.keys() - again.keys()
        return again

    async def work(self) -> None:
        """Take turns until `stop`. A server that is gone is waited for."""
        recovering = asyncio.create_task(self._recovering())
        try:
            while not self._stop.is_set():
                worker = asyncio.create_task(self._work())
                stopping = asyncio.create_task(self._stop.wait())
                try:
                    await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    stopping.cancel()
                    if not worker.done():
                        worker.cancel()
                await self._ended(worker)
        finally:
            recovering.cancel()
            await asyncio.gather(recovering, return_exceptions=True)

    async def _work(self) -> None:
        await self._app.run_worker_async(
            queues=[QUEUE],
            concurrency=self._concurrency,
            fetch_job_polling_interval=1.0,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED,
            shutdown_graceful_timeout=GRACE,
            delete_jobs="always",
            install_signal_handlers=False,
        )

    async def _ended(self, worker: asyncio.Task[None]) -> None:
        try:
            await worker
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        except _AWAY as wrong:
            self._say_gone(self._away(wrong))
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN):
                    await self._stop.wait()

    async def _recovering(self) -> None:
        while True:
            try:
                await self.recover()
                if self._gone:
                    log.info("database answers again")
                self._gone = False
                self._tell(None)
            except _AWAY as wrong:
                self._say_gone(self._away(wrong))
            await asyncio.sleep(HEARTBEAT)

    def _tell(self, trouble: str | None) -> None:
        """How a worker is: it looked around just now, and the database answered, or why not."""
        if self._status is None:
            return
        self._status.ticked(datetime.now(UTC))
        if trouble is None:
            self._status.trouble.pop("database", None)
        else:
            self._status.trouble["database"] = trouble


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A job whose end the server did not hear leaves its error to nobody: `recover` mends that."""
    if not isinstance(context.get("exception"), ConnectorException):
        loop.default_exception_handler(context)


def _cause(wrong: BaseException) -> str:
    """The server's own word, where procrastinate has wrapped it."""
    found = wrong.__cause__ or wrong
    return (str(found).splitlines() or [type(found).__name__])[0]
