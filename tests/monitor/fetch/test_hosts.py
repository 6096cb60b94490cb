"""Manners, measured at the server; the arithmetic of delays without one."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from monitor.fetch import Fetcher, Hosts
from monitor.fetch.hosts import MOST_DELAY, Host, Pace
from monitor.model import Network

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DELAY = 0.06  # seconds
BODY = b"x"


def gaps(seen):
    return [b.start - a.end for a, b in pairwise(seen)]


async def test_one_at_a_time_with_the_delay_between(site, read):
    site.latency = 0.005
    site.routes = {f"/{n}": site.answer(BODY) for n in range(10)}
    await asyncio.gather(*(read(f"/{n}", delay=timedelta(seconds=DELAY)) for n in range(10)))
    assert [s.path for s in site.seen] == [f"/{n}" for n in range(10)]  # first come, first served
    assert max(s.overlaps for s in site.seen) == 0
    assert min(gaps(site.seen)) >= DELAY


async def test_robots_and_redirects_keep_the_delay_too(site, read):
    site.put("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    site.put("/a", b"", "Location: /b", status="302 Found")
    site.put("/b", BODY)
    await asyncio.gather(*(read("/a", delay=timedelta(seconds=DELAY), respect_robots=True) for _ in range(2)))
    assert len(site.seen) == 5
    assert max(s.overlaps for s in site.seen) == 0
    assert min(gaps(site.seen)) >= DELAY


async def test_no_delay_means_no_waiting(site, read):
    site.put("/a", BODY, status="500 X")
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20):
        await read("/a")
    assert loop.time() - began < 1


async def test_several_at_once_where_the_source_allows_it(site, read):
    site.latency = 0.05
    site.put("/a", BODY)
    await asyncio.gather(*(read("/a", concurrency_per_host=4) for _ in range(12)))
    assert max(s.overlaps for s in site.seen) == 3


async def test_starts_are_spaced_where_several_run():
    hosts, loop = Hosts(), asyncio.get_running_loop()
    starts, ends = [], []

    async def request():
        async with hosts.turn("a.example", Pace(DELAY, concurrency=4)):
            starts.append(loop.time())
            await asyncio.sleep(2 * DELAY)
            ends.append(loop.time())

    await asyncio.gather(*(request() for _ in range(4)))
    assert starts[1] < ends[0]
    assert min(b - a for a, b in pairwise(starts)) >= DELAY


async def test_a_waiting_check_holds_no_slot(site, source, page):
    """One slot, one host with a long queue: the other host is read at once, and nothing overlaps in the program."""
    fetcher = Fetcher(Network(allow_private=("127.0.0.0/8",)), hosts=Hosts(slots=1))
    site.put("/a", BODY)
    slow = [
        asyncio.create_task(fetcher.fetch(source(delay=timedelta(seconds=1)), page(site.url("/a")), NOW))
        for _ in range(50)
    ]
    await asyncio.wait(slow[:1])
    other = await asyncio.wait_for(fetcher.fetch(source(), page(site.url("/a", "127.0.0.2")), NOW), 0.5)
    assert other.status == 200
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    assert len(site.seen) == 2
    await fetcher.aclose()


async def test_thousands_of_waiting_pages_open_few_sockets(site, source, page):
    fetcher = Fetcher(Network(allow_private=("127.0.0.0/8",)), hosts=Hosts(slots=8))
    site.latency = 0.5
    checks = [
        asyncio.create_task(fetcher.fetch(source(), page(site.url("/a", f"127.1.{n % 100}.{1 + n // 100}")), NOW))
        for n in range(3_000)
    ]
    await asyncio.sleep(0)
    while site.active < 8:
        await asyncio.sleep(0.01)
    assert site.connections == 8
    for check in checks:
        check.cancel()
    await asyncio.gather(*checks, return_exceptions=True)
    await fetcher.aclose()


async def test_a_cancelled_check_gives_its_turn_back(site, read):
    site.latency = 0.1
    site.put("/a", BODY)
    checks = [asyncio.create_task(read("/a")) for _ in range(5)]
    await asyncio.sleep(0.02)
    for check in checks[:4]:
        check.cancel()
    assert (await asyncio.wait_for(checks[4], 1)).status == 200


async def test_a_turn_given_and_cancelled_at_once_is_passed_on():
    host = Host()
    await host.enter(1)
    second, third = asyncio.create_task(host.enter(1)), asyncio.create_task(host.enter(1))
    await asyncio.sleep(0)
    host.leave()  # gives the turn to the second,
    second.cancel()  # which does not want it any more
    await asyncio.wait_for(third, 1)
    assert host.active == 1


# --------------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize(
    ("latency", "troubles", "delay", "floor", "expected"),
    [
        (0.1, 0, 1.0, 0.0, 1.0),  # the configured delay is the least
        (0.6, 0, 1.0, 0.0, 3.0),  # five times as long as the answer took
        (0.1, 1, 1.0, 0.0, 2.0),  # doubled
        (0.1, 3, 1.0, 0.0, 8.0),
        (0.1, 30, 1.0, 0.0, MOST_DELAY),
        (20.0, 0, 1.0, 0.0, MOST_DELAY),
        (0.1, 5, 60.0, 0.0, 60.0),  # a longer configured delay is not cut
        (0.1, 3, 0.0, 0.0, 0.0),  # turned off
        (0.1, 0, 0.0, 2.0, 2.0),  # but a Crawl-delay stays
        (0.1, 0, 1.0, 40.0, 40.0),
    ],
)
def test_delay(latency, troubles, delay, floor, expected):
    host = Host(latency=latency)
    for _ in range(troubles):
        host.learn(latency, trouble=True)
    assert host.delay(Pace(delay, floor=floor)) == pytest.approx(expected)


def test_the_penalty_eases_with_good_answers():
    host = Host()
    for _ in range(3):
        host.learn(0.1, trouble=True)
    slow = host.delay(Pace(1.0))
    host.learn(0.1, trouble=False)
    assert host.delay(Pace(1.0)) == pytest.approx(slow * 0.9)
    for _ in range(40):
        host.learn(0.1, trouble=False)
    assert host.delay(Pace(1.0)) == 1.0


async def test_trouble_slows_the_host_down(site, read, fetcher):
    site.put("/a", BODY, status="500 X")
    await read("/a")
    assert fetcher.hosts[f"127.0.0.1:{site.port}"].penalty == 2.0


async def test_ready_in(site, read, fetcher, source):
    site.put("/a", BODY)
    slow = source(delay=timedelta(seconds=10))
    assert fetcher.ready_in(slow, site.url(), NOW) == 0
    await read("/a")
    assert fetcher.ready_in(slow, site.url(), NOW) == pytest.approx(10, abs=0.5)
    fetcher.hosts.hold(f"127.0.0.1:{site.port}", NOW + timedelta(seconds=100), NOW)
    assert fetcher.ready_in(slow, site.url(), NOW) == 100


# --------------------------------------------------------------------------- holds


def test_holds_are_told_kept_and_end():
    told = []
    hosts = Hosts(holds={"a.example": NOW + timedelta(seconds=5)}, on_hold=lambda *hold: told.append(hold))
    assert hosts.held_until("a.example", NOW) == NOW + timedelta(seconds=5)
    hosts.hold("a.example", NOW + timedelta(seconds=2), NOW)  # shorter than the running one
    hosts.hold("b.example", NOW + timedelta(days=9), NOW)  # at most a day
    hosts.hold("c.example", NOW, NOW)
    assert told == [("b.example", NOW + timedelta(days=1))]
    assert hosts.held_until("a.example", NOW + timedelta(seconds=5)) is None
    assert set(hosts.holds) == {"b.example"}


# --------------------------------------------------------------------------- kept over a restart


def test_what_trouble_taught_is_told_when_it_doubles_and_when_it_is_gone():
    told = []
    hosts, pace = Hosts(on_delay=lambda *learned: told.append(learned)), Pace(1.0)
    for _ in range(50):
        hosts.learn("well.example", pace, 0.1, trouble=False)
    assert told == []
    for _ in range(3):
        hosts.learn("ill.example", pace, 0.1, trouble=True)
    assert told == [("ill.example", 2.0), ("ill.example", 4.0), ("ill.example", 8.0)]
    for _ in range(60):
        hosts.learn("ill.example", pace, 0.1, trouble=False)
    assert told[-1] == ("ill.example", None)
    assert len(told) <= 7  # not one write for each answer


def test_a_learned_delay_holds_after_a_restart_and_eases():
    hosts, pace = Hosts(delays={"ill.example": 8.0}), Pace(1.0)
    assert hosts["ill.example"].delay(pace) == 8.0
    assert hosts["ill.example"].delay(Pace(0.0)) == 0.0  # turned off is off
    assert hosts["well.example"].delay(pace) == 1.0
    hosts.learn("ill.example", pace, 0.1, trouble=False)
    assert hosts["ill.example"].delay(pace) == pytest.approx(7.2)
    hosts.learn("ill.example", pace, 0.1, trouble=True)
    assert hosts["ill.example"].delay(pace) == pytest.approx(14.4)
    for _ in range(60):
        hosts.learn("ill.example", pace, 0.1, trouble=False)
    assert hosts["ill.example"].delay(pace) == 1.0
