"""The shared queue on a real PostgreSQL: a host waits once, is asked by one, and comes back when its worker died."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from monitor import cluster, daemon
from monitor import config as configuration
from monitor.demo.background import running
from monitor.demo.server import HttpServer, Reply
from monitor.errors import StorageError
from monitor.following import Follower
from monitor.model import Config
from monitor.web.status import Status
from storage import leases
from storage.database import NewerError
from storage.postgres import GoneError
from storage.store import Store
from storage.tables import REVISION

TEXT = "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"


@pytest.fixture
def url(postgres_url: str) -> str:
    cluster.upgrade(postgres_url)
    cluster.upgrade(postgres_url)  # a second time there is nothing to do
    return postgres_url


def test_a_server_that_goes_away_at_a_start_is_waited_for() -> None:
    """The queue's tables are looked at after ours: a plain refusal would end the service."""
    with pytest.raises(GoneError, match="does not answer"):
        cluster.upgrade("postgresql://mubiao@127.0.0.1:9/mubiao")


@pytest.fixture
async def queue(url: str) -> AsyncIterator[tuple[cluster.Queue, list[str]]]:
    turns: list[str] = []

    async def turn(host: str) -> None:
        turns.append(host)
        if len(turns) == 1:
            raise StorageError("the first turn meets trouble")

    made = cluster.Queue(url, turn)
    await made.open()
    yield made, turns
    await made.close()


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not ready():
            await asyncio.sleep(0.02)


async def test_a_host_waits_once_and_a_turn_in_trouble_ends_nothing(queue) -> None:
    made, turns = queue
    assert await made.defer(["a", "b"]) == 2
    assert await made.defer(["a", "b", "c"]) == 1
    working = asyncio.create_task(made.work())
    await until(lambda: len(turns) == 3)
    assert sorted(turns) == ["a", "b", "c"]
    made.stop()
    await working
    assert await made.defer(["a"]) == 1, "what is done may wait again"


async def test_a_worker_is_well_while_its_database_answers(url: str) -> None:
    async def turn(host: str) -> None: ...

    status = Status(daemon.utc_now() - timedelta(minutes=1))
    made = cluster.Queue(url, turn, status=status)
    await made.open()
    assert not status.healthy(daemon.utc_now())
    made._say_gone("does not answer")
    assert status.ticking(daemon.utc_now()) and status.trouble == {"database": "does not answer"}
    working = asyncio.create_task(made.work())
    await until(lambda: status.healthy(daemon.utc_now()))
    made.stop()
    await working
    await made.close()


async def test_what_a_dead_worker_was_at_is_put_back(queue, url: str) -> None:
    made, turns = queue
    await made.defer(["a", "b"])
    with Store(url) as store, store._write() as session:  # a worker that took one and was killed
        dead = text(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
        )
        number = session.connection().execute(dead).scalar_one()
        taken = text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :w WHERE lock = 'host:a'")
        session.connection().execute(taken, {"w": number})
    assert await made.recover() == 1
    assert await made.recover() == 0
    working = asyncio.create_task(made.work())
    await until(lambda: len(turns) == 2)
    made.stop()
    await working


async def test_a_job_whose_end_the_server_did_not_hear_is_put_back(queue) -> None:
    made, turns = queue
    await made.defer(["a"])
    finish = made._app.job_manager.finish_job

    async def unheard(*_: Any, **__: Any) -> None:
        made._app.job_manager.finish_job = finish  # once
        raise ConnectorException

    made._app.job_manager.finish_job = unheard
    asyncio.get_running_loop().set_exception_handler(cluster._unheard)
    working = asyncio.create_task(made.work())
    await until(lambda: turns == ["a"] and not made._under_way)
    assert (await made.recover(), await made.recover()) == (0, 1)
    await until(lambda: turns == ["a", "a"])
    made.stop()
    await working


@pytest.fixture
def watched(desk: Any, web: Any, page_of: Callable[..., str], url: str) -> tuple[Config, Store]:
    addresses = [web.put(f"/{n}", page_of(f"第{n}次会议", TEXT, TEXT[::-1])) for n in range(3)]
    return desk.watch(*({"key": f"k{n}", "url": a, "every": "1h"} for n, a in enumerate(addresses))), Store(url)


async def test_a_turn_checks_what_is_due_at_a_host_and_a_paused_worker_saves_nothing(watched, web, url: str) -> None:
    config, store = watched
    words = configuration.vocabulary()
    with store:
        store.sync_sources(config.sources, daemon.utc_now(), lambda _: daemon.utc_now() - timedelta(seconds=1))
        [host] = store.due_hosts(daemon.utc_now())
        async with (
            daemon.engine(store, config, words, {}, leads=False) as first,
            daemon.engine(store, config, words, {}, leads=False) as second,
        ):
            assert (await first.turn(host))["new"] == 3
            assert (await second.turn(host)).total() == 0
            assert sorted(web.asked) == ["/0", "/1", "/2"]
            for page in store.pages():
                store.set_due(page.id, daemon.utc_now())
            web.put("/0", web.routes["/0"].body.replace("区长主持".encode(), "副区长主持".encode()))
            take = store.take

            def paused(*arguments: Any) -> Any:  # between the claim and the save everything is taken over
                taken = take(*arguments)
                with store._write() as session:
                    session.connection().execute(text("UPDATE page SET lease_until = now() - interval '1 second'"))
                with Store(url) as other:
                    other.take(list(taken[1]))
                return taken

            first.store.take = paused  # type: ignore[method-assign]
            done = await first.turn(host)
    assert done["skipped"] == 1 and done["changed"] == 0
    with Store(url) as other:
        assert other.load(1).page.version == "v1"


async def test_a_worker_ends_when_a_newer_program_upgrades_its_tables(watched, web, url: str) -> None:
    config, store = watched
    with store:
        now = daemon.utc_now()
        store.sync_sources(config.sources, now, lambda _: now - timedelta(seconds=1))
        serving = asyncio.create_task(cluster.serve(store, config, configuration.vocabulary(), {}, concurrency=2))
        newer = text("UPDATE alembic_version SET version_num = :word")
        try:
            with store._write() as session:
                session.connection().execute(newer, {"word": "9999"})
            async with cluster.shared(url, _nothing) as queue:
                queue.stop()
                await queue.defer(store.due_hosts(now))
            with pytest.raises(NewerError, match="9999"):
                async with asyncio.timeout(30):
                    await serving
        finally:
            with store._write() as session:
                session.connection().execute(newer, {"word": REVISION})
    assert web.asked == []


def test_a_dead_workers_leases_end_before_its_hosts_are_put_back() -> None:
    """Its last beat may be one interval older than the last renewal: whoever came first found nothing to read."""
    assert leases.LEASE.total_seconds() <= cluster.STALLED - cluster.HEARTBEAT
    assert leases.LEASE.total_seconds() > leases.RENEWED * 3


async def _nothing(host: str) -> None:
    """A turn of a queue that only hands on."""


async def test_a_worker_leaves_what_its_file_lacks_to_others_and_says_so(watched, web, url: str) -> None:
    """It claimed those pages, skipped them and was silent: nobody else could take them, nobody knew why."""
    config, store = watched
    words = configuration.vocabulary()
    structlog.reset_defaults()  # the desk is silent
    with store:
        store.sync_sources(config.sources, daemon.utc_now(), lambda _: daemon.utc_now() - timedelta(seconds=1))
        [host] = store.due_hosts(daemon.utc_now())
        old = replace(config, sources=config.sources[:1])
        async with daemon.engine(store, old, words, {}, leads=False) as made:
            with structlog.testing.capture_logs() as told:
                assert (await made.turn(host))["new"] == 1
                assert made._missed.keys() == {"k1", "k2"}
                assert told == [] or told[-1]["event"] == "checked", "the file may still come"
                made._missed["k1"] -= 61
                for _ in range(2):
                    assert (await made.turn(host)).total() == 0
            [line] = [line for line in told if line["log_level"] == "warning"]
            assert (line["sources"], line["count"]) == (["k1", "k2"], 2)
            await made.reload(config)
            assert (await made.turn(host))["new"] == 2
            assert made._missed == {}


async def test_a_host_that_another_machine_is_at_is_asked_by_nobody_else(desk, web, page_of, url: str) -> None:
    there = HttpServer(lambda request: Reply(200, page_of("简报", TEXT).encode(), "text/html"))
    with running(there):
        web.put("/file", "", status=302, location=there.url + "/file")
        config = desk.watch({"key": "k", "url": web.url + "/file", "every": "1h"})
        busy = there.url.removeprefix("http://")
        with Store(url) as store, Store(url) as other:
            store.sync_sources(config.sources, daemon.utc_now(), lambda _: daemon.utc_now() - timedelta(seconds=1))
            token = other.claim_host(busy)
            async with daemon.engine(store, config, configuration.vocabulary(), {}, leads=False) as made:
                [host] = store.due_hosts(daemon.utc_now())
                turn = asyncio.create_task(made.turn(host))
                await until(lambda: web.asked == ["/file"])  # it leads to the host where somebody is
                assert other.claim_host(host) is None
                other.leave_host(busy, token, 0)
                assert (await turn)["new"] == 1
            assert other.claim_host(host) is not None, "left when the turn was over"


async def test_a_pass_waits_for_the_worker_at_its_host(watched, web, url: str) -> None:
    config, store = watched
    with store, Store(url) as other:
        async with daemon.engine(store, config, configuration.vocabulary(), {}) as made:
            host = web.url.removeprefix("http://")
            token = other.claim_host(host)
            begun = asyncio.create_task(daemon.one_pass(made, store.pages(), deliver=False))
            await until(lambda: host in made.fetcher.hosts.stays._stays)
            assert web.asked == []
            other.leave_host(host, token, 0)
            assert (await begun).counts["new"] == 3


async def test_a_worker_follows_its_file_and_keeps_the_old_one_where_it_is_broken(desk, watched) -> None:
    config, store = watched
    with store:
        async with daemon.engine(store, config, configuration.vocabulary(), {}, leads=False) as made:
            asked, look, status = asyncio.Event(), 0.01, Status(daemon.utc_now())
            following = asyncio.create_task(cluster._follow(Follower(config, made.reload), asked, status, look))
            desk.config.write_text("sources: [", encoding="utf-8")
            asked.set()
            await until(lambda: "config" in status.trouble)
            assert made.checker.config is config
            desk.watch({"key": "other", "url": "http://www.yunling.gov.cn/"})
            await until(lambda: made.checker.config is not config and not status.trouble)
            following.cancel()
            assert b"mubiao_sources 1.0" in status.metrics({})
            assert [s.key for s in made.checker.config.sources] == ["other"]
