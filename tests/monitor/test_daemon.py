"""The jobs of a running service: registered, fed from the rows that are due, and never ended by an exception."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import rules
from monitor import config as configuration
from monitor.daemon import BATCH, PER_HOST, Daemon, Engine, engine, pages_to_check
from monitor.errors import StorageError
from monitor.fetch.hosts import Pace
from monitor.model import Link
from monitor.systemd import Notifier
from monitor.web.status import Status
from storage.queries import Queries

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
TEXT = "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"


@dataclass
class Running:
    daemon: Daemon
    made: Engine
    watch: Any
    status: Status


@pytest.fixture
async def running(web: Any, page_of: Callable[..., str], watching: Callable[..., Any]) -> AsyncIterator[Running]:
    """A daemon over one page, with its jobs made but no scheduler started: a test turns them by hand."""
    url = web.put("/a", page_of("区政府全体会议", TEXT, TEXT[::-1]))
    watch = watching(
        {"key": "a", "url": url, "every": "1h"},
        channels={"desk": {"type": "email", "to": ["desk@example.org"]}},
        subscriptions=[{"channel": "desk", "digest": "0 8 * * *"}, {"channel": "desk", "on": ["health"]}],
    )
    async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        status = Status(watch.clock(), sources=1)
        yield Running(Daemon(made, watch.config, status, Notifier({})), made, watch, status)


def grows_to(store: Any, pages: int) -> None:
    """As large may the database get, as if the disk were full then; SQLite takes the size that it has for the least."""
    with closing(store._writer.raw_connection()) as raw:
        raw.cursor().execute(f"PRAGMA max_page_count={pages}")


async def checked(daemon: Daemon) -> None:
    """Turn the due tick and wait for the batch it started."""
    await daemon.due()
    while daemon._tasks:
        await asyncio.gather(*daemon._tasks)


async def test_a_few_new_sources_are_read_at_once_and_many_one_after_the_other(watching: Callable[..., Any]) -> None:
    places = [{"key": f"s{n:03}", "url": f"http://h{n}.example/", "every": "6h"} for n in range(300)]
    for number, least, most in ((3, 0.0, 0.3), (300, 15.0, 30.0)):
        watch = watching(*places[:number])
        async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock):
            late = [(page.next_due - watch.clock()).total_seconds() for page in watch.store.pages()]
        assert len(late) == number and least < max(late) < most


async def test_a_tick_checks_what_is_due_and_nothing_else(running: Running, web: Any) -> None:
    await checked(running.daemon)
    assert web.asked == []  # a first check is due a moment after the source was entered
    running.watch.clock.pass_by(minutes=15)
    await checked(running.daemon)
    assert web.asked == ["/a"]
    assert running.status.last_tick == running.watch.clock()
    await checked(running.daemon)
    assert web.asked == ["/a"]
    running.watch.clock.pass_by(hours=2)
    await checked(running.daemon)
    assert web.asked == ["/a", "/a"]


async def test_what_is_being_checked_is_not_started_twice(running: Running, web: Any) -> None:
    running.watch.clock.pass_by(minutes=15)
    web.silent.add("/a")
    await running.daemon.due()
    await asyncio.to_thread(web.stuck.wait, 10)
    await running.daemon.due()
    assert len(running.daemon._tasks) == 1
    for task in running.daemon._tasks:
        task.cancel()
    await asyncio.gather(*running.daemon._tasks, return_exceptions=True)
    assert not running.made.checker.is_running(1)
    assert web.asked == ["/a"]


@asynccontextmanager
async def held(thread: ThreadPoolExecutor) -> AsyncIterator[threading.Event]:
    """A thread that is busy until the event is set."""
    release = threading.Event()
    busy = thread.submit(release.wait, 20)
    try:
        yield release
    finally:
        release.set()
        await asyncio.wrap_future(busy)


async def test_a_check_begins_while_others_are_saved_and_a_hold_waits_for_no_disk(running: Running, web: Any) -> None:
    began = asyncio.Event()
    running.made.checker.began = lambda late: began.set()
    host = web.url.removeprefix("http://")
    web.put("/a", "come later", status=429, Retry_After="3600")
    running.watch.clock.pass_by(minutes=15)
    async with held(running.made.checker._database) as release, asyncio.timeout(15):
        await running.daemon.due()
        await began.wait()
        while host not in running.made.fetcher.holds:
            await asyncio.sleep(0)
        assert not running.watch.store.hosts()
        release.set()
        await asyncio.gather(*running.daemon._tasks)
    assert [h.not_before for h in running.watch.store.hosts()] == [running.made.fetcher.holds[host]]


async def test_what_ended_while_it_was_looked_for_is_not_started_again(running: Running, web: Any) -> None:
    daemon, checker, store = running.daemon, running.made.checker, running.watch.store
    running.watch.clock.pass_by(minutes=15)
    web.silent.add("/a")
    await daemon.due()
    await asyncio.to_thread(web.stuck.wait, 10)
    (check,) = daemon._tasks
    async with held(checker._looks) as release:
        looking = asyncio.create_task(daemon.due())
        while not checker._looks._work_queue.qsize():
            await asyncio.sleep(0)
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)
        assert not checker.under_way() and store.due(running.watch.clock(), 9)
        release.set()
        await looking
    assert not daemon._tasks, "it was under way when the look began: what that found is old"
    web.silent.clear()
    await checked(daemon)
    assert web.asked == ["/a", "/a"]


async def test_the_jobs_are_registered_and_a_digest_has_one_of_its_own(running: Running) -> None:
    running.daemon.start()
    try:
        jobs = {job.id: job for job in running.daemon.scheduler.get_jobs()}
        assert set(jobs) >= {"due", "outbox", "retention", "digest 0 8 * * *"}
        for job in jobs.values():
            assert (job.max_instances, job.coalesce, job.misfire_grace_time) == (1, True, None)
    finally:
        running.daemon.stopping.set()
        await running.daemon.drain()
    assert not running.daemon.scheduler.running


@pytest.mark.parametrize("wrong", [StorageError("the disk is full"), ZeroDivisionError("a bug")])
async def test_no_exception_leaves_a_job_and_health_knows_of_it(running: Running, wrong: Exception) -> None:
    async def fails() -> None:
        raise wrong

    async def works() -> None:
        return None

    await running.daemon._turn("due", fails)
    assert str(wrong) in running.status.trouble["due"]
    assert not running.status.healthy(running.watch.clock())
    await running.daemon._turn("due", works)
    assert running.status.trouble == {}
    assert running.status.healthy(running.watch.clock())


async def test_a_full_disk_raises_an_alarm_asks_no_site_in_vain_and_loses_nothing(
    running: Running, web: Any, page_of: Callable[..., str]
) -> None:
    running.watch.clock.pass_by(minutes=15)
    await checked(running.daemon)
    body = "".join(chr(0x4E00 + n * n % 20000) + "。" * (n % 40 == 0) for n in range(60_000))
    web.put("/a", page_of("区政府全体会议", body, TEXT[::-1]))
    grows_to(running.watch.store, 1)
    running.watch.clock.pass_by(hours=2)
    await checked(running.daemon)
    assert "the disk is full" in running.status.trouble["check"]
    assert not running.status.healthy(running.watch.clock())
    await checked(running.daemon)
    assert web.asked == ["/a"] * 2, "it rests"
    with Queries(running.watch.store.url) as ask:
        assert len(ask.history("a")) == 1
    grows_to(running.watch.store, 1 << 30)
    await running.daemon.reload()
    await checked(running.daemon)
    assert running.status.trouble == {} and web.asked == ["/a"] * 3
    with Queries(running.watch.store.url) as ask:
        assert len(ask.history("a")) == 2


async def test_a_file_that_was_moved_away_is_not_written_to_and_no_site_is_asked(running: Running, web: Any) -> None:
    """A connection follows the file: what was saved after a `mv` or `rm` was found by nobody, and all seemed well."""
    store, file = running.watch.store, running.watch.store.path
    away = file.with_name("away.db")
    running.watch.clock.pass_by(minutes=15)
    await checked(running.daemon)
    running.watch.clock.pass_by(hours=2)
    file.rename(away)
    for other in (False, True):
        if other:
            file.touch()
        await running.daemon._turn("due", running.daemon.due)
        assert "moved, deleted or replaced" in running.status.trouble["due"]
        assert web.asked == ["/a"]
        with pytest.raises(StorageError, match="nothing of this step was saved"):
            store.hold_host("www.yunling.example", running.watch.clock(), "a test")
        with pytest.raises(StorageError), store._write_soon():
            pass
    away.replace(file)
    await running.daemon._turn("due", running.daemon.due)
    while running.daemon._tasks:
        await asyncio.gather(*running.daemon._tasks)
    assert running.status.trouble == {}
    assert web.asked == ["/a"] * 2


async def test_a_job_that_comes_once_a_day_and_met_no_database_runs_within_a_minute(running: Running) -> None:
    """A digest of eight o'clock went out a day late where the server was away at eight; /healthz said 503 all day."""
    daemon, tries = running.daemon, []

    async def fold() -> None:
        tries.append(running.watch.clock())
        if len(tries) < 3:
            raise StorageError("the server does not answer")

    async def minute() -> None:
        await daemon._turn("minute", daemon.minute)
        while daemon._tasks:
            await asyncio.gather(*daemon._tasks)

    await daemon._turn("digest", fold)
    await minute()
    assert "digest" in running.status.trouble
    await minute()
    assert running.status.trouble == {}
    await minute()
    assert len(tries) == 3


async def test_a_hang_up_that_the_database_refuses_is_no_lasting_trouble(running: Running, desk: Any, web: Any) -> None:
    daemon, store = running.daemon, running.watch.store
    away = store.path.with_name("away.db")
    desk.watch({"key": "a", "url": web.url + "/a"}, {"key": "b", "url": web.url + "/b"})
    store.path.rename(away)
    daemon.hang_up()
    await asyncio.gather(*daemon._tasks)
    assert list(running.status.trouble) == ["files"]
    away.rename(store.path)
    await daemon._turn("files", daemon.look_at_files)
    assert running.status.trouble == {}
    assert [s.key for s in running.made.checker.config.sources] == ["a", "b"]


async def test_a_database_that_refuses_at_the_end_is_no_error_of_the_daemon(running: Running) -> None:
    """It ended with 1 and two hundred lines where its server was away or its disk full."""
    daemon, store = running.daemon, running.watch.store
    store.enqueue([rules.trial("desk", now=running.watch.clock())], running.watch.clock())
    assert store.channels_due(running.watch.clock()) == ["desk"]
    daemon.scheduler.start(paused=True)
    store.path.rename(store.path.with_name("away.db"))
    daemon.stopping.set()
    await daemon.drain()


async def test_the_trouble_of_a_channel_ends_when_it_owes_nothing(running: Running) -> None:
    running.status.trouble["outbox desk"] = "the disk is full"
    await running.daemon.outbox()
    assert running.status.trouble == {}


async def test_a_turn_that_runs_at_a_stop_ends_before_the_scheduler(running: Running) -> None:
    daemon, said = running.daemon, list[str]()
    begun, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await release.wait()
        ended.set()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    heard = Heard(logging.WARNING)
    logging.getLogger("apscheduler").addHandler(heard)
    try:
        daemon.start()
        daemon.scheduler.add_job(daemon._turn, args=["slow", slow])
        async with asyncio.timeout(20):
            await begun.wait()
            stop = asyncio.create_task(daemon.drain())
            asyncio.get_running_loop().call_later(0.05, release.set)
            await stop
    finally:
        logging.getLogger("apscheduler").removeHandler(heard)
    assert ended.is_set()
    assert said == []
    assert not daemon.scheduler.running


async def test_a_receiver_that_hangs_delays_no_other_channel(web: Any, watching: Callable[..., Any]) -> None:
    web.put("/hook", "")
    web.silent.add("/hangs")
    hooks = {name: {"type": "webhook", "url": f"{web.url}/{name}"} for name in ("hangs", "hook")}
    watch = watching(channels=hooks)
    async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        daemon = Daemon(made, watch.config, Status(watch.clock()), Notifier({}))
        for turn in (1, 2):
            watch.store.enqueue([replace(rules.trial(n, now=watch.clock()), key=f"{n}{turn}") for n in hooks], NOW)
            async with asyncio.timeout(5):  # the one that hangs is given up after 15
                await daemon.outbox()
                while web.asked.count("/hook") < turn or len(daemon._tasks) > 1:
                    await asyncio.wait(daemon._tasks, return_when="FIRST_COMPLETED")
        for task in daemon._tasks:
            task.cancel()
        await asyncio.gather(*daemon._tasks, return_exceptions=True)
    assert web.asked.count("/hangs") == 1  # the second waits for the first
    with Queries(watch.store.url) as ask:
        assert sorted(a.channel for a in ask.alerts("sent")) == ["hook", "hook"]
        assert sorted(a.channel for a in ask.alerts("pending")) == ["hangs", "hangs"]


async def test_a_reload_takes_over_a_good_file_and_keeps_the_old_one_before_a_broken_one(
    running: Running, desk: Any, web: Any
) -> None:
    desk.config.write_text("sources: [", encoding="utf-8")
    await running.daemon.reload()
    assert "config" in running.status.trouble
    assert [s.key for s in running.made.checker.config.sources] == ["a"]
    desk.watch({"key": "a", "url": web.url + "/a", "every": "2h"}, {"key": "b", "url": web.url + "/b"})
    await running.daemon.reload()
    assert running.status.trouble == {}
    assert [s.key for s in running.made.checker.config.sources] == ["a", "b"]
    assert {p.source for p in running.watch.store.pages()} == {"a", "b"}


async def test_a_file_that_was_written_is_taken_over_once_it_stands(running: Running, desk: Any, web: Any) -> None:
    daemon = running.daemon

    def keys() -> list[str]:
        return [s.key for s in running.made.checker.config.sources]

    await daemon.look_at_files()
    desk.watch({"key": "a", "url": web.url + "/a"}, {"key": "b", "url": web.url + "/b"})
    await daemon.look_at_files()
    assert keys() == ["a"]  # perhaps there is more to come
    await daemon.look_at_files()
    assert keys() == ["a", "b"]
    desk.config.write_text("sources: [", encoding="utf-8")
    for _ in range(2):
        await daemon.look_at_files()
    assert "config" in running.status.trouble
    running.status.trouble.clear()
    await daemon.look_at_files()
    assert running.status.trouble == {}  # once for each mistake
    assert keys() == ["a", "b"]


async def test_a_file_that_the_database_does_not_take_is_read_again_until_it_does(
    running: Running, desk: Any, web: Any
) -> None:
    """The new sources were watched by nobody until the file was written once more."""
    daemon, made = running.daemon, running.made

    many = [{"key": f"s{n}", "url": f"{web.url}/{n}/{'x' * 400}"} for n in range(400)]
    desk.watch({"key": "a", "url": web.url + "/a"}, *many)
    grows_to(running.watch.store, 1)
    for _ in range(2):
        await daemon._turn("files", daemon.look_at_files)
    assert "the disk is full" in running.status.trouble["files"]
    assert len(made.checker.config.sources) == len(daemon.config.sources) == len(running.watch.store.pages()) == 1
    grows_to(running.watch.store, 1 << 30)
    await daemon._turn("files", daemon.look_at_files)
    assert running.status.trouble == {}
    assert len(made.checker.config.sources) == len(daemon.config.sources) == len(running.watch.store.pages()) == 401


async def test_a_reload_takes_over_the_network(running: Running, desk: Any, web: Any) -> None:
    source = {"key": "a", "url": web.url + "/a", "every": "1h"}
    await checked(running.daemon)
    assert running.watch.store.pages()[0].failure is None
    desk.watch(source, network={"allow_private": [], "user_agent": "sees-nothing/1"})
    await running.daemon.reload()
    running.watch.clock.pass_by(hours=2)
    asked = len(web.asked)
    await checked(running.daemon)  # over no connection of before, either
    failure = running.watch.store.pages()[0].failure
    assert failure is not None
    assert failure.error == "guard"
    assert len(web.asked) == asked
    agents, page = [], web.routes["/a"]
    web.routes["/a"] = lambda request: agents.append(request.headers["user-agent"]) or page
    desk.watch(source, network={"allow_private": ["127.0.0.0/8"], "user_agent": "sees-again/1"})
    await running.daemon.reload()
    running.watch.clock.pass_by(days=3)
    await checked(running.daemon)
    assert running.watch.store.pages()[0].failure is None
    assert agents == ["sees-again/1"]
    desk.config.write_text("network: {allow_private: [127.0.0.300/8]}", encoding="utf-8")
    await running.daemon.reload()
    assert "allow_private" in running.status.trouble["config"]


async def test_what_a_host_taught_holds_after_a_restart(running: Running, web: Any) -> None:
    web.put("/a", "oops", status=500)
    host = web.url.removeprefix("http://")
    slow = replace(running.watch.config.sources[0], delay=timedelta(milliseconds=600))
    fetcher = running.made.fetcher
    for _ in range(3):
        fetcher.hosts.learn(host, Pace(slow.delay.total_seconds()), 0.01, trouble=True)
    await running.made.checker.database(int)  # it is written by now
    async with engine(running.watch.store, running.watch.config, configuration.vocabulary(), {}) as again:
        assert again.fetcher.hosts[host].delay(Pace(0.6)) == pytest.approx(4.8)
        for _ in range(60):
            again.fetcher.hosts.learn(host, Pace(0.6), 0.01, trouble=False)
    assert [h.delay for h in running.watch.store.hosts() if h.host == host] == [None]


async def test_after_a_stop_nothing_new_is_started(running: Running, web: Any) -> None:
    running.watch.clock.pass_by(minutes=15)
    running.daemon.stopping.set()
    await checked(running.daemon)
    assert web.asked == []


async def test_pages_to_check_are_those_due_named_or_all(running: Running) -> None:
    store, config, now = running.watch.store, running.watch.config, datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
    assert pages_to_check(store, config, None, now, everything=False) == []
    assert [p.source for p in pages_to_check(store, config, None, now, everything=True)] == ["a"]
    assert [p.source for p in pages_to_check(store, config, ["a"], now, everything=False)] == ["a"]
    assert pages_to_check(store, config, ["other"], now, everything=True) == []


async def test_a_long_column_does_not_crowd_out_the_others(running: Running, web: Any) -> None:
    store, now = running.made.store, running.watch.clock()
    links = [Link(url=f"http://127.0.0.7:9/{number}", text="通知") for number in range(600)]
    store.add_pages("a", links, now - timedelta(days=1))
    running.watch.clock.pass_by(minutes=15)
    taken = store.due(running.watch.clock(), limit=BATCH, per_host=PER_HOST)
    assert sum("127.0.0.7" in page.url for page in taken) == PER_HOST
    assert [page.url for page in taken if "127.0.0.7" not in page.url] == [f"{web.url}/a"]
