"""A clock that jumps over a daemon whose site is real: hours of checks in seconds, nobody silent, nobody in bursts."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from alerts import rules
from monitor import config as configuration
from monitor.daemon import Daemon, engine
from monitor.systemd import Notifier
from monitor.web.status import Status
from storage.queries import Queries

TEXT = "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"
STEP = timedelta(minutes=4)


@dataclass
class Time:
    """What passes for everybody, and what the wall shows beside it."""

    wall: Any  # the clock of the watch
    passed: float = 0.0  # seconds, monotonic

    def passes(self, by: timedelta) -> None:
        self.passed += by.total_seconds()
        self.wall.at += by


async def checked(daemon: Daemon) -> None:
    """One look at the clock and one tick, with all that they begin."""
    await daemon._watch_clock()
    await daemon.due()
    while daemon._tasks:
        await asyncio.gather(*daemon._tasks)


@pytest.mark.parametrize("jumps", [(1, -1), (48, -48), (-1,)], ids=str)
async def test_no_page_is_silent_for_two_intervals_and_none_is_read_in_a_burst(
    jumps: tuple[int, ...], web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    asked = defaultdict[str, list[float]](list)
    spans = {"/a": 30, "/b": 60, "/c": 120}  # minutes
    for path in spans:
        web.put(path, page_of("区政府全体会议", TEXT, path))
    watch = watching(*({"key": p[1:], "url": web.url + p, "every": f"{m}m"} for p, m in spans.items()))
    time = Time(watch.clock)
    async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        daemon = Daemon(made, watch.config, Status(watch.clock()), Notifier({}), monotonic=lambda: time.passed)
        for jump in (0, *jumps):  # hours
            time.wall.at += timedelta(hours=jump)
            for _ in range(timedelta(minutes=250) // STEP):
                await checked(daemon)
                for path in web.asked:
                    asked[path].append(time.passed / 60)
                web.asked.clear()
                time.passes(STEP)
    for path, span in spans.items():
        gaps = [later - sooner for sooner, later in pairwise(asked[path])]
        assert max(gaps) <= 2 * span + 2 * STEP.total_seconds() / 60
        hasty = sum(gap < 0.85 * span for gap in gaps)
        assert hasty <= len(jumps), f"{path}: one check more for each jump, not {hasty}"


async def test_what_waits_for_a_time_waits_no_longer_after_the_clock_was_set_back(
    web: Any, watching: Callable[..., Any]
) -> None:
    watch = watching({"key": "a", "url": web.put("/a", "x")}, channels={"hook": {"type": "webhook", "url": web.url}})
    store, now = watch.store, watch.clock()
    store.enqueue([rules.trial("hook", now=now)], now)
    async with engine(store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        [claimed] = store.claim_alerts(now, 9, 600.0)
        host = web.url.removeprefix("http://")
        made.fetcher.hosts.hold(host, now + timedelta(hours=1), now)
        daemon = Daemon(made, watch.config, Status(now), Notifier({}), monotonic=lambda: 0.0)
        watch.clock.pass_by(days=-2)
        await daemon._watch_clock()
        back = watch.clock()
        assert made.fetcher.holds == {host: back + timedelta(hours=1)}
        assert [h.not_before for h in store.hosts([host])] == [back + timedelta(hours=1)]
    with Queries(store.url) as ask:
        [alert] = ask.alerts("pending")
    assert (alert.id, alert.next_at) == (claimed.id, back + timedelta(seconds=600))


async def test_a_check_that_ran_while_the_clock_was_set_back_is_brought_back_when_it_ends(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    watch = watching({"key": "a", "url": web.put("/a", page_of("区政府全体会议", TEXT)), "every": "1h"})
    asked, answer, page = threading.Event(), threading.Event(), web.routes["/a"]

    def slow(request: Any) -> Any:
        asked.set()
        answer.wait(20)
        return page

    web.routes["/a"] = slow
    async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        watch.clock.pass_by(minutes=15)
        daemon = Daemon(made, watch.config, Status(watch.clock()), Notifier({}), monotonic=lambda: 0.0)
        await daemon.due()
        assert await asyncio.to_thread(asked.wait, 20)
        watch.clock.pass_by(days=-2)
        await daemon._watch_clock()
        answer.set()
        await asyncio.gather(*daemon._tasks)
        await daemon._watch_clock()
    [read] = watch.store.pages()
    assert read.last_checked is not None
    assert watch.clock() < read.next_due <= watch.clock() + timedelta(hours=1)


async def test_the_jobs_of_a_clock_set_back_run_again_at_once(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    watch = watching({"key": "a", "url": web.put("/a", page_of("区政府全体会议", TEXT)), "every": "1h"})
    ticked = asyncio.Event()
    async with engine(watch.store, watch.config, configuration.vocabulary(), {}, now=watch.clock) as made:
        daemon = Daemon(made, watch.config, Status(watch.clock()), Notifier({}), monotonic=lambda: 0.0)
        daemon.start()
        try:
            daemon.status.ticked = lambda at: ticked.set()  # type: ignore[method-assign]
            ahead = datetime.now().astimezone() + timedelta(hours=2)
            for job in daemon.scheduler.get_jobs():
                job.modify(next_run_time=ahead)  # as all of them are after the clock was set back by two hours
            ticked.clear()
            watch.clock.pass_by(hours=-2)
            async with asyncio.timeout(10):
                await ticked.wait()
        finally:
            daemon.stopping.set()
            await daemon.drain()
