"""A day of a national deployment, simulated: who is late, how many requests run at once, what it takes and stores.

    python bench/scale.py [--columns 100000] [--documents 20] [--hosts 20000] [--workers 1,4] [--seed 7]

Nothing is fetched. Waiting between two requests of a host is the product's own (`monitor.fetch.hosts.Host`: five times
the latency, doubling in trouble, easing), intervals are those of sources.yaml, spread by up to a tenth as
`monitor.schedule` does it. Hosts, latencies, outages and edits are drawn with a seed. What a check costs in processor
time is measured elsewhere (bench/check.py, the reading of a changed report) and stands here as constants. A worker is
one process on one core with `--slots` requests at once: a request waits for its host, then for a slot, and the page
that came for the core.

docs/scale.md says what came out and what follows.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field

from peers import machine

from monitor.fetch.hosts import Host, Pace

DAY = 86_400.0
INTERVALS = ((0.5, 3600.0), (0.3, 6 * 3600.0), (0.2, DAY))  # share of the columns, seconds between two readings
YOUNG, YOUNG_EVERY = 0.01, 1800.0  # share of the documents that are read often, the others as --reread says
UNCHANGED, SAME, CHANGED = 0.005, 0.0015, 0.25  # seconds of one core: other chrome; same bytes or 304; a new version
SHARE_SAME = 0.4  # of the checks
CHANGES = 0.01  # new versions for each page and day: new documents, replaced ones, silent edits
TIMEOUT, OUTAGE, DOWN = 30.0, 3 * 3600.0, 0.01  # seconds, seconds, share of the hosts that are down at one moment
VERSION, EVIDENCE = 2_500, 18_000  # bytes: a kept text with its rows and index; its compressed raw page
PACE = Pace(delay=1.0)


@dataclass(slots=True)
class Site:
    """A host with its sources; times in seconds of the simulated day."""

    latency: float
    manners: Host = field(default_factory=Host)
    down: float = math.inf  # when its outage begins
    busy: bool = False
    waiting: list[tuple[float, int]] = field(default_factory=list)  # (due, page), the oldest first


def sites(count: int, sources: int, dice: random.Random) -> tuple[list[Site], list[int]]:
    """The hosts, and the host of each source: most have a few, provincial portals and newspapers hundreds."""
    made = [Site(min(dice.lognormvariate(math.log(0.4), 0.8), 20.0)) for _ in range(count)]
    for site in made:
        if dice.random() < DOWN * DAY / OUTAGE:
            site.down = dice.uniform(0, DAY - OUTAGE)
    weights = [1 / (n + 5) for n in range(count)]
    drawn = list(range(count)) + dice.choices(range(count), weights, k=max(sources - count, 0))
    return made, drawn[:sources]


class Day:
    """One day with so many slots and cores. Events: a source is due, a request ends and gives its slot back."""

    def __init__(self, asked: argparse.Namespace, workers: int) -> None:
        self.dice = random.Random(asked.seed)
        self.sites, homes = sites(asked.hosts, asked.columns, self.dice)
        shares, spans = zip(*INTERVALS, strict=True)
        self.host, self.span = array("l", homes), array("d", self.dice.choices(spans, shares, k=asked.columns))
        for home in homes:
            for _ in range(asked.documents):
                self.host.append(home)
                self.span.append(YOUNG_EVERY if self.dice.random() < YOUNG else asked.reread * DAY)
        self.daily = sum(DAY / span for span in self.span)  # checks
        self.free, self.cores = workers * asked.slots, [0.0] * workers
        self.late: list[tuple[float, float, int]] = []  # when, seconds after it was due, page
        self.busy = 0.0  # seconds of cores
        self.running = self.most = self.checks = self.failed = self.versions = 0
        self.opened = Counter[int]()  # requests begun in each second
        self.events: list[tuple[float, int, int]] = []  # when, what (0 due, 1 ready, 2 ended), page or host
        self.queue: list[tuple[float, int]] = []  # hosts that may ask and wait for a slot, by when their page was due

    def run(self) -> None:
        """A watch that has run for long: every page is somewhere in its interval."""
        self.events = [(span * self.dice.random(), 0, n) for n, span in enumerate(self.span)]
        heapq.heapify(self.events)
        while self.events and self.events[0][0] < DAY:
            now, what, number = heapq.heappop(self.events)
            if what == 0:
                heapq.heappush(self.sites[self.host[number]].waiting, (now, number))
                self._next_of(self.host[number], now)
            elif what == 1:
                heapq.heappush(self.queue, (self.sites[number].waiting[0][0], number))
            else:
                self._ended(number, now)
            self._start(now)

    def _next_of(self, host: int, now: float) -> None:
        """The host's oldest page asks as soon as manners allow."""
        site = self.sites[host]
        if site.waiting and not site.busy:
            site.busy = True
            heapq.heappush(self.events, (max(now, site.manners.ready_at(PACE)), 1, host))

    def _start(self, now: float) -> None:
        while self.free and self.queue:
            _, host = heapq.heappop(self.queue)
            site = self.sites[host]
            due, number = heapq.heappop(site.waiting)
            self.late.append((now, now - due, number))
            self.opened[int(now)] += 1
            self.free -= 1
            self.running += 1
            self.most = max(self.most, self.running)
            trouble = site.down <= now < site.down + OUTAGE
            took = TIMEOUT if trouble else self.dice.expovariate(1 / site.latency) * 0.5 + site.latency * 0.5
            site.manners.last_start = now
            site.manners.last_end = now + took
            site.manners.learn(took, trouble=trouble)
            self.checks += 1
            self.failed += trouble
            end = now + took if trouble else self._read(now + took)
            heapq.heappush(self.events, (now + took, 2, host))
            heapq.heappush(self.events, (end + self.span[number] * (1 - self.dice.random() / 10), 0, number))

    def _read(self, arrived: float) -> float:
        """The page waits for the core that is free first; when it has been read."""
        changed = self.dice.random() < CHANGES * len(self.host) / self.daily
        cost = CHANGED if changed else SAME if self.dice.random() < SHARE_SAME else UNCHANGED
        self.versions += changed
        self.busy += cost
        core = min(range(len(self.cores)), key=self.cores.__getitem__)
        self.cores[core] = max(self.cores[core], arrived) + cost
        return self.cores[core]

    def _ended(self, host: int, now: float) -> None:
        self.free += 1
        self.running -= 1
        self.sites[host].busy = False
        self._next_of(host, now)


def told(day: Day, workers: int, seconds: float) -> None:
    """One line for the run, one for each size of host."""
    after = [(late, n) for when, late, n in day.late if when > DAY / 4]  # the first hours fill the queues
    lates = sorted(late for late, _ in after)
    share = [lates[int(len(lates) * q)] for q in (0.5, 0.99, 0.999)]
    peak = max(day.opened.values())
    print(
        f"{workers:2} workers: {day.checks:,} checks ({day.checks / DAY:.0f}/s, peak {peak}/s); late "
        f"p50 {share[0]:.1f} s, p99 {share[1]:.0f} s, p99.9 {share[2]:.0f} s; at most {day.most} requests at once; "
        f"cores {day.busy / DAY / workers:.0%} busy; {day.failed:,} failed ({seconds:.0f} s to simulate)"
    )
    sizes = Counter(day.host)
    for low, high in ((1, 100), (101, 1000), (1001, 5000), (5001, 10**9)):
        mine = sorted(late for late, n in after if low <= sizes[day.host[n]] <= high)
        if mine:
            hosts = sum(low <= n <= high for n in sizes.values())
            ends = f"p50 {mine[len(mine) // 2]:7.1f} s, p99 {mine[int(len(mine) * 0.99)]:8.0f} s"
            print(f"     hosts of {low:5}-{high if high < 10**9 else '':5} pages ({hosts:6,}): {ends}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--columns", type=int, default=100_000)
    parser.add_argument("--documents", type=int, default=20, help="that are followed for each column")
    parser.add_argument("--reread", type=float, default=1, help="days between two readings of an old document")
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--workers", default="1,4")
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    print(machine())
    for workers in map(int, args.workers.split(",")):
        began = time.monotonic()
        day = Day(args, workers)
        day.run()
        told(day, workers, time.monotonic() - began)
        if workers == int(args.workers.split(",")[0]):
            texts, pages = (day.versions * size * 365 / 1e9 for size in (VERSION, EVIDENCE))
            print(f"     {day.versions:,} versions a day: {texts:.0f} GB of texts a year, {pages:.0f} GB of raw pages")


if __name__ == "__main__":
    main()
