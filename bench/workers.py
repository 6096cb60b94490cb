"""Several workers on one PostgreSQL: each source checked once, no host asked twice at a time, what more workers gain.

    python bench/workers.py [--sources 10000] [--hosts 500] [--workers 1,4] [--latency 0.2] [--concurrency 2]
    python bench/workers.py --sources 1500 --hosts 75 --workers 4 --kill     (or --pause)

A server in a process of its own answers as HOSTS addresses of the loopback network after LATENCY seconds, and writes
down when each request began and ended: overlaps are counted there, not by us. A real PostgreSQL (its own files, fsync
on) holds the sources; one process queues what is due as the daemon does, and real `mubiao worker` processes check.
One worker alone checks ALONE sources, enough to tell its pace. CONCURRENCY is for each worker: so small that a worker
waits for its hosts, for on a machine that is busy with one worker four cannot gain.

--kill ends one of the workers with SIGKILL once a quarter is done, --pause stops it with SIGSTOP for PAUSE seconds and
lets it wake among the others; when its hosts are asked again is printed. The exit status says whether all held.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # a package `tests` may be installed

from postgres_server import Server

from monitor import cluster
from monitor import config as configuration
from monitor.errors import MubiaoError
from storage import migrate
from storage.queries import Queries
from storage.store import Store

WORDS = ("水库", "公路", "学校", "医院", "茶园", "桥梁", "粮仓", "林场", "渡口", "市场", "公园", "泵站")
VERBS = ("新建", "改造", "验收", "巡查", "扩建", "加固", "清理", "移交", "检修", "规划")
GAIN, BACK = 3.0, 30.0  # what is asked: times the pace of one worker, seconds until a dead worker's hosts are back
PAUSE = 45.0  # seconds: leases have ended, and its job is another's
SILENT = 6.0  # seconds without a heartbeat, which comes every 5
PATIENCE = 1500.0

Seen = tuple[str, str, float, float]  # host, path, when a request began and ended


def page(path: str) -> bytes:
    """A notice like no other: pages that repeat each other would be looked up as copies."""
    by = random.Random(path)

    def sentence() -> str:
        what, verb, other = by.choice(WORDS), by.choice(VERBS), by.choice(WORDS)
        where, number = by.randrange(1, 400), by.randrange(10, 999)
        return f"第{where}村民小组要抓紧{verb}{what}，安排{number}人参加，并把{other}的台账报送镇里。"

    aim = f"今年全区规模以上工业增加值增长{by.randrange(20, 90) / 10}%左右。"
    text = "".join(f"<p>{''.join(sentence() for _ in range(4))}</p>" for _ in range(5))
    title = f"{by.choice(WORDS)}{by.choice(VERBS)}工作第{path.strip('/')}期简报"
    return (
        f"<html><head><title>{title}</title></head><body><div id=zoom><p>{aim}</p>{text}</div></body></html>".encode()
    )


def serve(line: Connection, latency: float) -> None:
    """Answer on every loopback address; send what was seen when told to."""
    seen: list[Seen] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")
        host = f"{address}:{port}"
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                began, path = time.monotonic(), head.split(b" ", 2)[1].decode()
                await asyncio.sleep(latency)
                data = page(path)
                seen.append((host, path, began, time.monotonic()))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
                await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "0.0.0.0", 0, backlog=1000)
        line.send(server.sockets[0].getsockname()[1])
        while (what := await asyncio.to_thread(line.recv)) != "stop":
            line.send(len(seen) if what == "count" else list(seen))
            if what == "clear":
                seen.clear()

    asyncio.run(run())


def overlaps(seen: Sequence[Seen]) -> int:
    """How often a host got a request before it had answered the last one."""
    last: dict[str, float] = {}
    count = 0
    for host, _, began, ended in sorted(seen, key=lambda x: x[2]):
        count += began < last.get(host, 0.0)
        last[host] = max(last.get(host, 0.0), ended)
    return count


def cpu(process: int) -> float:
    """Seconds of CPU that a process and its ended children have used."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Trouble:
    """One worker is killed or paused in the middle."""

    pause: bool
    at: float | None = None  # by the monotonic clock
    hosts: set[str] = field(default_factory=set)  # where it was
    woken: bool = False

    @property
    def over(self) -> bool:
        return self.at is not None and (not self.pause or self.woken)

    def strike(self, url: str, victim: subprocess.Popen[bytes]) -> None:
        """End it, or stop it; its jobs are those of the worker whose heart stands still."""
        victim.send_signal(signal.SIGSTOP if self.pause else signal.SIGKILL)
        self.at = time.monotonic()
        with psycopg.connect(url) as connection:
            doing = "SELECT lock, worker_id FROM procrastinate_jobs WHERE status = 'doing'"
            held = connection.execute(doing).fetchall()
        time.sleep(SILENT + 1)  # only missed heartbeats tell which of the workers it is
        with psycopg.connect(url) as connection:
            still = "SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => %s)"
            dead = {row[0] for row in connection.execute(still, [SILENT])}
        self.hosts = {lock.removeprefix("host:") for lock, worker in held if worker in dead}

    def wake(self, victim: subprocess.Popen[bytes]) -> None:
        """After the pause."""
        if self.pause and not self.woken and self.at is not None and time.monotonic() - self.at > PAUSE:
            victim.send_signal(signal.SIGCONT)
            self.woken = True

    def back(self, seen: Sequence[Seen]) -> float:
        """Seconds until the last of its hosts that had more to read was asked again."""
        assert self.at is not None
        first = dict[str, float]()
        for host, _, began, _ in sorted(seen, key=lambda x: x[2]):
            if host in self.hosts and began > self.at:
                first.setdefault(host, began)
        return max(first.values(), default=self.at) - self.at


class Field:
    """A database with every source due, and workers on it."""

    def __init__(self, options: argparse.Namespace, folder: Path, port: int) -> None:
        self.options, self.folder = options, folder
        hosts = [f"127.{1 + n // 250}.0.{1 + n % 250}" for n in range(options.hosts)]
        sources = [
            {"key": f"s{n}", "url": f"http://{hosts[n % len(hosts)]}:{port}/{n}", "every": "12h"}
            for n in range(options.sources)
        ]
        quick = {"delay": "0s", "respect_robots": False, "confirm": "off", "selector": "#zoom"}
        whole = {"network": {"allow_private": ["127.0.0.0/8"]}, "defaults": quick, "sources": sources}
        self.file = folder / "sources.yaml"
        self.file.write_text(yaml.safe_dump(whole), encoding="utf-8")
        self.config = configuration.load(str(self.file))
        self.wrong = 0
        self.cpu = 0.0

    def run(self, server: Server, workers: int, line: Connection, sources: int) -> float:
        """Sources a second, from the first request to the last answer."""
        url, now = server.create(), datetime.now(UTC)
        migrate.upgrade(url, now)
        cluster.upgrade(url)
        with Store(url) as store:
            store.sync_sources(self.config.sources[:sources], now, lambda _: now - timedelta(seconds=1))
        options = self.options
        trouble = Trouble(options.pause) if options.kill or options.pause else None
        command = [sys.executable, "-m", "monitor", "worker", "--db", url, "--config", str(self.file)]
        command += ["--log-level", "error", "--concurrency", str(options.concurrency)]
        started = [subprocess.Popen(command, cwd=Path(__file__).parents[1]) for _ in range(workers)]
        try:
            asyncio.run(self._until_done(url, started, line, trouble))
        finally:
            self.cpu = sum(cpu(p.pid) for p in started)
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(30)
        line.send("clear")
        seen: list[Seen] = line.recv()
        pace = self._judge(url, workers, seen, sources, trouble)
        server.drop(url)
        return pace

    def _judge(self, url: str, workers: int, seen: list[Seen], sources: int, trouble: Trouble | None) -> float:
        """Print what was seen, and count what should not have been."""
        with Queries(url) as ask:
            status, failing = ask.status(datetime.now(UTC)), ask.failures()
        times = Counter(path for _, path, _, _ in seen)
        twice, crossed = sum(n > 1 for n in times.values()), overlaps(seen)
        seconds = max(x[3] for x in seen) - min(x[2] for x in seen)
        print(
            f"{workers} workers: {len(times)} sources in {seconds:.1f} s, {len(times) / seconds:.1f} a second, "
            f"versions {status['versions']}, asked twice {twice}, overlaps {crossed}, failing {len(failing)}, "
            f"CPU of the workers {1000 * self.cpu / len(seen):.0f} ms a source",
            flush=True,
        )
        for why in failing[:3]:
            print("  ", why.url, why.failure)
        self.wrong += crossed + len(failing) + (len(times) != sources) + (status["versions"] != sources)
        self.wrong += twice if trouble is None else 0  # what it was at is asked again
        if trouble is not None:
            back = trouble.back(seen)
            what = "paused" if trouble.pause else "killed"
            print(f"  the {len(trouble.hosts)} hosts of the {what} worker are back after {back:.1f} s")
            self.wrong += back > BACK or not trouble.hosts
        return len(times) / seconds

    async def _until_done(
        self, url: str, started: list[subprocess.Popen[bytes]], line: Connection, trouble: Trouble | None
    ) -> None:
        """What the daemon's tick does, each half second, until nothing is due."""

        async def never(_host: str) -> None:
            raise MubiaoError("this process checks nothing")

        queue, begun = cluster.Queue(url, never), time.monotonic()
        await queue.open()
        with Store(url) as store, psycopg.connect(url, autocommit=True) as connection:
            striking: asyncio.Task[None] | None = None
            while True:
                await queue.defer(store.due_hosts(datetime.now(UTC)))
                left = connection.execute("SELECT count(*) FROM page WHERE next_due <= now() OR lease_until > now()")
                if left.fetchone() == (0,) and (trouble is None or trouble.over):
                    break
                if trouble is not None and striking is None:
                    line.send("count")
                    if line.recv() > self.options.sources / 4:
                        striking = asyncio.create_task(asyncio.to_thread(trouble.strike, url, started[0]))
                elif trouble is not None:
                    trouble.wake(started[0])
                assert time.monotonic() - begun < PATIENCE, "it takes too long"
                await asyncio.sleep(0.5)
        await asyncio.sleep(5 if trouble is not None and trouble.pause else 0)  # what it still wants to save
        await queue.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--alone", type=int, default=1000, help="sources for one worker alone")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--workers", default="1,4")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--pause", action="store_true")
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    ours, theirs = multiprocessing.Pipe()
    site = multiprocessing.get_context("fork").Process(target=serve, args=(theirs, options.latency), daemon=True)
    site.start()
    port, server = ours.recv(), Server(durable=True)
    paces: dict[int, float] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            trial = Field(options, Path(folder), port)
            for workers in map(int, options.workers.split(",")):
                sources = min(options.sources, options.alone) if workers == 1 else options.sources
                paces[workers] = trial.run(server, workers, ours, sources)
    finally:
        ours.send("stop")
        server.close()
    if 1 in paces and (most := max(paces)) > 1:
        gain = paces[most] / paces[1]
        print(f"{most} workers do {gain:.2f} times the work of one (asked: {GAIN:.0f})")
        trial.wrong += gain < GAIN
    return int(trial.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
