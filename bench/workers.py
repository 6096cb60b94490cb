"""Several workers on one PostgreSQL: each source checked once, no host asked twice at a time, what more workers gain.

    python bench/workers.py [--sources 10000] [--hosts 500] [--workers 1,4] [--latency 0.2] [--concurrency 20]

A server in a process of its own answers as HOSTS addresses of the loopback network after LATENCY seconds, and writes
down when each request began and ended: overlaps are counted there, not by us. A real PostgreSQL (its own files, fsync
on) holds the sources; one process queues what is due as the daemon does, and real `mubiao worker` processes check. With
--kill one of them is killed with SIGKILL while it works, and the time until its hosts are asked again is printed.
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
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # a package `tests` may be installed

from postgres_server import Server

from monitor import cluster
from monitor import config as configuration
from storage import migrate
from storage.queries import Queries
from storage.store import Store

WORDS = ("水库", "公路", "学校", "医院", "茶园", "桥梁", "粮仓", "林场", "渡口", "市场", "公园", "泵站")
VERBS = ("新建", "改造", "验收", "巡查", "扩建", "加固", "清理", "移交", "检修", "规划")


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
    seen: list[tuple[str, str, float, float]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
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
        while True:
            what = await asyncio.to_thread(line.recv)
            if what == "stop":
                return
            line.send(list(seen))
            if what == "clear":
                seen.clear()

    asyncio.run(run())


def overlaps(seen: list[tuple[str, str, float, float]]) -> int:
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

    def run(self, server: Server, workers: int, line: Connection) -> tuple[float, list[tuple[str, str, float, float]]]:
        """Seconds from the first to the last answer, and what the site saw."""
        url = server.create()
        now = datetime.now(UTC)
        migrate.upgrade(url, now)
        cluster.upgrade(url)
        with Store(url) as store:
            store.sync_sources(self.config.sources, now, lambda _: now - timedelta(seconds=1))
        command = [
            sys.executable,
            "-m",
            "monitor",
            "worker",
            "--db",
            url,
            "--config",
            str(self.file),
            "--log-level",
            "error",
        ]
        command += ["--concurrency", str(self.options.concurrency)]
        started = [subprocess.Popen(command, cwd=Path(__file__).parents[1]) for _ in range(workers)]
        try:
            killed = asyncio.run(self._until_done(url, started, line))
        finally:
            self.cpu = sum(cpu(p.pid) for p in started)
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(30)
        line.send("clear")
        seen = line.recv()
        with Queries(url) as ask:
            status = ask.status(datetime.now(UTC))
            failing = ask.failures()
        print(f"  versions {status['versions']}, due {status['due']}, failing {status['failing']}")
        for why in failing[:3]:
            print("  ", why)
        if killed:
            self._told(killed, seen)
        server.drop(url)
        return max(x[3] for x in seen) - min(x[2] for x in seen), seen

    async def _until_done(self, url: str, started: list[subprocess.Popen[bytes]], line: Connection) -> float | None:
        """What the daemon's tick does, each half second, until nothing is due. When one was killed, if one was."""

        async def never(_host: str) -> None:
            raise AssertionError

        queue, killed = cluster.Queue(url, never), None
        await queue.open()
        begun = time.monotonic()
        with Store(url) as store:
            while True:
                await queue.defer(store.due_hosts(datetime.now(UTC)))
                with store._read() as session:
                    left = session.connection().exec_driver_sql(
                        "SELECT count(*) FROM page WHERE next_due <= now() OR lease_until > now()"
                    )
                    if not left.scalar():
                        break
                if self.options.kill and killed is None:
                    line.send("look")
                    if len(line.recv()) > self.options.sources / 4:
                        killed = time.monotonic()
                        started[0].kill()
                assert time.monotonic() - begun < 1200, "it takes too long"
                await asyncio.sleep(0.5)
        await queue.close()
        return killed

    def _told(self, killed: float, seen: list[tuple[str, str, float, float]]) -> None:
        """The longest that a host which was waiting at the kill was left alone."""
        after: dict[str, float] = {}
        for host, _, began, _ in seen:
            if began > killed:
                after[host] = min(after.get(host, began), began)
        print(f"  the last host is asked again {max(after.values(), default=killed) - killed:.1f} s after the kill")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--workers", default="1,4")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    site = multiprocessing.get_context("fork").Process(target=serve, args=(theirs, options.latency), daemon=True)
    site.start()
    port, server, wrong = ours.recv(), Server(durable=True), 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            field = Field(options, Path(folder), port)
            for workers in map(int, options.workers.split(",")):
                seconds, seen = field.run(server, workers, ours)
                times = Counter(path for _, path, _, _ in seen)
                twice = sum(n > 1 for n in times.values())
                print(
                    f"{workers} workers: {len(times)} sources in {seconds:.1f} s, {len(seen) / seconds:.0f} a second, "
                    f"asked twice {twice}, overlaps {overlaps(seen)}, CPU of the workers {field.cpu:.0f} s",
                    flush=True,
                )
                wrong += overlaps(seen) + (len(times) != options.sources) + (twice if not options.kill else 0)
    finally:
        ours.send("stop")
        server.close()
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
