"""PostgreSQL gone, crashed and full, under a real daemon and real workers: what they say, and whether anything is lost.

    python tests/reliability/outage.py [--away 60] [--workers 2] [--full]

A site of our own changes one page every second. Meanwhile the server is stopped for AWAY seconds, then crashes and
comes back at once, then (`--full`, as root: a small tmpfs) its disk is full for a while. After each, every process
must still run, a page must be asked again within BACK seconds, every version that was there must be there, each page's
last text must become a version, and each change must have reached the webhook. Printed besides: how many lines about
the database each process wrote, and how much its memory grew. The exit status says whether all of it held.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a package `tests` may be installed

from postgres_server import Server

from monitor.demo.background import running
from monitor.demo.receivers import WebhookReceiver
from monitor.demo.server import HttpServer, Reply, Request

PROJECT = Path(__file__).resolve().parents[2]
PAGES, EVERY = 12, 3  # pages, and seconds between two readings of one
BACK = 25.0  # seconds from the server's return to the first page that is asked for: a lease may have to end
SETTLED = 60.0  # … and to the last text of every page being a version, and told
TEXT = "云岭区人民政府办公室通知：各镇街要在第{n}周前完成{what}排查，并将结果报区应急管理局备案。各部门要加强值守。"


class Site:
    """Pages of an invented district on hosts of their own; `edit` changes one."""

    def __init__(self) -> None:
        self.count = [1] * PAGES
        self.asked = 0.0
        self.servers = [HttpServer(self._answer, f"127.0.0.{1 + n}") for n in range(PAGES // 3)]

    def url(self, number: int) -> str:
        return f"{self.servers[number % len(self.servers)].url}/{number}"

    def text(self, number: int) -> str:
        return TEXT.format(n=self.count[number], what=f"第{number}类")

    def edit(self, number: int) -> None:
        self.count[number] += 1

    def _answer(self, request: Request) -> Reply:
        self.asked = time.monotonic()
        number = int(request.path.strip("/"))
        page = (
            f"<html><head><title>关于第{number}类排查的通知</title></head><body><div id=zoom><p>{self.text(number)}</p>"
        )
        return Reply(
            200, f"{page}<p>{'请遵照执行。' * 30}</p></div></body></html>".encode(), "text/html; charset=utf-8"
        )


class Fleet:
    """A daemon and workers as processes of their own, each with a log."""

    def __init__(self, folder: Path, url: str, workers: int) -> None:
        self.folder, self.url = folder, url
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.start("daemon", "run", "--no-web")
        for number in range(workers):
            self.start(f"worker{number}", "worker", "--concurrency", "2")

    def start(self, name: str, *command: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
        whole = [sys.executable, "-m", "monitor", *command, "--db", self.url, "--log", "json", "--log-level", "warning"]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(whole, cwd=self.folder, env=environ, stderr=log, stdout=log)

    def alive(self) -> bool:
        return all(process.poll() is None for process in self.started.values())

    def said(self, name: str) -> list[str]:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()

    def memory(self, name: str) -> int:
        """Resident kilobytes."""
        status = Path(f"/proc/{self.started[name].pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def stop(self) -> None:
        for process in self.started.values():
            process.send_signal(signal.SIGTERM)
        for process in self.started.values():
            process.wait(30)


class Trial:
    """The phases, and what was found wrong in them."""

    def __init__(self, site: Site, hook: WebhookReceiver, server: Server, url: str, fleet: Fleet) -> None:
        self.site, self.hook, self.server, self.url, self.fleet = site, hook, server, url, fleet
        self.wrong = 0
        self._said = dict.fromkeys(fleet.started, 0)

    def versions(self) -> set[tuple[int, str]]:
        with psycopg.connect(self.url) as connection:
            return set(connection.execute("SELECT id, sha256 FROM version").fetchall())

    def current(self) -> bool:
        """Whether each page's last text is its last version, and every change was sent."""
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url) as connection:
            query = "SELECT p.url, count(v.id) FROM page p LEFT JOIN version v ON v.page = p.id GROUP BY p.url"
            kept = dict(connection.execute(query).fetchall())
            owed = connection.execute("SELECT count(*) FROM alert WHERE state <> 'sent'").fetchone()
            last = connection.execute("SELECT p.url, v.chars FROM page p JOIN version v ON v.id = p.version").fetchall()
            return len(last) == PAGES and all(kept[self.site.url(n)] for n in range(PAGES)) and owed == (0,)
        return False

    def shown(self) -> bool:
        """Whether the newest version of each page is its last text."""
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "export", "versions", "--latest", "--db", self.url, "--format", "jsonl"],
            cwd=self.fleet.folder, env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, check=False,
        )  # fmt: skip
        texts = {row["url"]: row["text"] for row in map(json.loads, done.stdout.decode().splitlines())}
        return all(self.site.text(n) in texts.get(self.site.url(n), "") for n in range(PAGES))

    def phase(self, name: str, outage: Callable[[], None]) -> None:
        """One outage, with pages that change before, in and after it."""
        before, memory = self.versions(), {n: self.fleet.memory(n) for n in self.fleet.started}
        with self._editing():
            outage()
            back = time.monotonic()
            self._until(lambda: self.site.asked > back, BACK, f"{name}: no page was asked")
            resumed = self.site.asked - back
        self._until(lambda: self.current() and self.shown(), SETTLED, f"{name}: a last text is missing, or untold")
        if lost := before - self.versions():
            self._bad(f"{name}: {len(lost)} versions are lost")
        if not self.fleet.alive():
            self._bad(f"{name}: a process has ended")
        print(f"{name}: asked again {max(resumed, 0):.1f} s after its return", flush=True)
        for process in self.fleet.started:
            lines = self.fleet.said(process)
            fresh, self._said[process] = lines[self._said[process] :], len(lines)
            grown = (self.fleet.memory(process) - memory[process]) / 1024
            print(f"  {process}: {len(fresh)} lines, {grown:+.1f} MB", flush=True)
            for line in fresh[:8]:
                print(f"    {line[:200]}")

    def _until(self, ready: Callable[[], bool], seconds: float, otherwise: str) -> None:
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                self._bad(otherwise)
                return
            time.sleep(0.2)

    def _bad(self, what: str) -> None:
        print("WRONG", what, flush=True)
        self.wrong += 1

    @contextlib.contextmanager
    def _editing(self) -> Iterator[None]:
        """One page changes every second."""
        over = threading.Event()

        def edit() -> None:
            number = 0
            while not over.wait(1.0):
                self.site.edit(number % PAGES)
                number += 1

        editor = threading.Thread(target=edit)
        editor.start()
        try:
            yield
        finally:
            over.set()
            editor.join()


def away(server: Server, seconds: float, *, crash: bool = False) -> None:
    """The server stops, and comes back."""
    time.sleep(5)
    server.stop(crash=crash)
    time.sleep(seconds)
    server.start()


def full(server: Server, seconds: float) -> None:
    """Something else takes the rest of the server's disk, and gives it back."""
    time.sleep(5)
    ballast = server.folder.parent / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    left = shutil.disk_usage(server.folder).free
    print(f"  {left} bytes are left", flush=True)
    time.sleep(seconds)
    ballast.unlink()


@contextlib.contextmanager
def small_disk(wanted: bool) -> Iterator[str]:
    """A folder whose disk can be filled."""
    if not wanted:
        yield "/tmp"
        return
    with tempfile.TemporaryDirectory(prefix="m", dir="/tmp") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=0777", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def configured(folder: Path, site: Site, hook: WebhookReceiver) -> None:
    """sources.yaml."""
    quick = {"every": f"{EVERY}s", "delay": "0s", "respect_robots": False, "confirm": "off", "selector": "#zoom"}
    whole = {
        "network": {"allow_private": ["127.0.0.0/8"]},
        "defaults": quick,
        "sources": [{"key": f"k{n}", "url": site.url(n)} for n in range(PAGES)],
        "channels": {"hook": {"type": "webhook", "url": hook.url}},
        "subscriptions": [{"channel": "hook", "on": ["content", "targets", "cosmetic", "new"]}],
    }
    (folder / "sources.yaml").write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--away", type=float, default=60.0, help="seconds")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="the disk of the server, too")
    options = parser.parse_args()
    site, hook = Site(), WebhookReceiver()
    with (
        tempfile.TemporaryDirectory() as name,
        small_disk(options.full) as disk,
        running(*site.servers, hook),
        contextlib.closing(Server(durable=True, within=disk)) as server,
    ):
        folder, url = Path(name), server.create()
        configured(folder, site, hook)
        fleet = Fleet(folder, url, options.workers)
        try:
            trial = Trial(site, hook, server, url, fleet)
            trial._until(lambda: trial.current() and trial.shown(), SETTLED, "the first reading does not end")
            trial.phase(f"away for {options.away:.0f} s", lambda: away(server, options.away))
            trial.phase("crashed", lambda: away(server, 0.5, crash=True))
            if options.full:
                trial.phase("full", lambda: full(server, min(options.away, 60)))
        finally:
            fleet.stop()
    print("all of it held" if not trial.wrong else f"{trial.wrong} wrong")
    return int(trial.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
