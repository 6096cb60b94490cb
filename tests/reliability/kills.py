"""kill -9 through the whole pipeline: fetch, version, change, outbox, delivery; then everything is counted.

    python tests/reliability/kills.py [--kills 500] [--seed N] [--real 25]

A site edits its pages at every request and publishes documents in a column; `mubiao run` checks every second and
delivers to a webhook receiver. Each turn starts it and kills it with SIGKILL at a random place: as a page is asked for,
some milliseconds after (reading, saving), as a message arrives, or after its answer. Every `--real`th start is that of
a user, interpreter and imports included; the others are forked from a process that has those.

Acknowledged is what anybody outside was told: a message's change, and every version and change that a reader of the
database saw after a kill. At the end nothing acknowledged may be gone or other than it was; every change has its row
in the outbox and has arrived; no text stands twice in a row; the file and all references are whole; and after each
start the first page was asked for within five seconds. The exit status says whether that holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from daemons import PATIENCE, executed, forked, said, settled, stopped
from town import FIRST_DOCUMENT, Manner, Town, loopback

from monitor import wire
from monitor.demo.background import running
from monitor.demo.receivers import WebhookReceiver
from monitor.demo.server import Reply, Request
from storage import care
from storage.queries import Queries

PAGES = 12
RESTART = 5.0  # seconds from a start to its first request, at most
LATEST = 12  # the kill comes at one of so many requests or messages of a turn


def queued(pid: int) -> float:
    """Seconds for which the threads of a process were ready and had no core: others' work, not its own.

    A start goes from one thread to the next, so their waits add up.
    """
    with suppress(OSError, IndexError):
        return sum(int(x.read_text().split()[1]) for x in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    return 0.0


@dataclass
class Executioner:
    """Hears of every request and message, and kills when it is time. On the servers' loop."""

    victim: int | None = None
    event: str = ""
    left: int = 0
    delay: float | None = None
    started: float = 0.0
    first: tuple[float, float] | None = (
        None  # seconds to the first request of this turn, and without queueing for a core
    )
    pid: int = 0

    def arm(self, pid: int, event: str, left: int, delay: float | None) -> None:
        self.event, self.left, self.delay, self.victim = event, left, delay, pid

    def hears(self, event: str) -> None:
        if event == "page" and self.first is None:
            took = time.monotonic() - self.started
            self.first = took, took - queued(self.pid)
        if self.victim is None or event != self.event:
            return
        self.left -= 1
        if self.left <= 0:
            victim, self.victim = self.victim, None
            if self.delay is None:
                os.kill(victim, signal.SIGKILL)
            else:
                asyncio.get_running_loop().call_later(self.delay, os.kill, victim, signal.SIGKILL)


class Hook(WebhookReceiver):
    """The receiver; what it took has been acknowledged to the world."""

    def __init__(self, executioner: Executioner) -> None:
        super().__init__()
        self._executioner = executioner
        self.took: dict[str, dict[str, Any]] = {}  # change -> what was told of it

    def _take(self, request: Request) -> Reply:
        data = json.loads(request.body)["data"]
        if "new_version" in data:
            self.took[data["id"]] = data
        self._executioner.hears("message")
        return super()._take(request)


@dataclass
class Reader:
    """Somebody who reads the database between two lives of the daemon."""

    path: Path
    versions: dict[int, bytes] = field(default_factory=dict)  # id -> hash of its text
    changes: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def look(self) -> None:
        """Take in what is new."""
        if not self.path.exists():
            return
        with sqlite3.connect(self.path) as connection:
            try:
                most = max(self.versions, default=0), max(self.changes, default=0)
                self.versions.update(connection.execute("select id, sha256 from version where id > ?", most[:1]))
                query = "select id, page, old_version, new_version, kind from change where id > ?"
                self.changes.update((row[0], row[1:]) for row in connection.execute(query, most[1:]))
            except sqlite3.OperationalError:  # killed before the tables were made
                return
            finally:
                connection.rollback()


def play(
    folder: Path, given: argparse.Namespace, dice: random.Random
) -> tuple[Hook, Reader, dict[str, list[tuple[float, float]]]]:
    """All turns, and the last one that nobody kills and in which nothing is edited."""
    executioner, edits = Executioner(), 1.0
    town = Town(
        lambda number: Manner(edits if number < FIRST_DOCUMENT else 0.0),
        lambda _: executioner.hears("page"),
        paragraphs=3,
    )
    hook, reader = Hook(executioner), Reader(folder / "mubiao.db")
    waits: dict[str, list[tuple[float, float]]] = {"forked": [], "real": []}
    with running(town, hook):
        write(folder, town.port, hook.url)
        for turn in range(given.kills):
            town.published += dice.random() < 0.3
            event = "page" if turn < 3 else dice.choice(("page", "page", "message"))
            left, delay = dice.randint(1, LATEST), dice.choice((None, dice.random() * 0.1))
            real = turn % given.real == given.real - 1
            executioner.started, executioner.first = time.monotonic(), None
            process = (executed if real else forked)(folder, {})
            assert process.pid is not None
            executioner.pid = process.pid
            executioner.arm(process.pid, event, left, delay)
            code = process.wait(PATIENCE) if hasattr(process, "wait") else process.join(PATIENCE) or process.exitcode
            if code != -signal.SIGKILL:
                raise SystemExit(f"turn {turn}: the daemon ended by itself: {code}\n{said(folder)}")
            if executioner.first is not None:  # else it died of a message of its last life, before any request
                waits["real" if real else "forked"].append(executioner.first)
            reader.look()
        edits, executioner.first = 0.0, None
        process = executed(folder, {})
        settled(lambda: executioner.first is not None, lambda: said(folder))  # and its signal handlers stand
        settled(lambda: owed(folder) == 0, lambda: f"{owed(folder)} messages are owed\n{said(folder)}")
        stopped(process, folder)
    return hook, reader, waits


def owed(folder: Path) -> int:
    with Queries(f"sqlite:///{folder}/mubiao.db") as ask:
        return len(ask.alerts("pending", limit=1_000_000))


def write(folder: Path, port: int, hook: str) -> None:
    """sources.yaml."""
    pages = [{"key": f"p{n}", "url": f"http://{loopback(n)}:{port}/{n}.html"} for n in range(PAGES)]
    column = {
        "key": "news",
        "url": f"http://{loopback(PAGES)}:{port}/news/",
        "kind": "listing",
        "recheck": "1h for 1d, then 1d",
    }
    known = {
        "network": {"allow_private": ["127.0.0.0/8"]},
        "defaults": {"every": "1s", "delay": "0s", "respect_robots": False, "confirm": ["3s"]},
        "sources": [*pages, column],
        "channels": {"hook": {"type": "webhook", "url": f"{hook}/hook"}},
        "subscriptions": [{"channel": "hook", "on": ["targets", "content", "new"]}],
    }
    (folder / "sources.yaml").write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")


def judge(folder: Path, hook: Hook, reader: Reader) -> list[str]:
    """Everything that must not be."""
    url = f"sqlite:///{folder}/mubiao.db"
    wrong = [str(finding) for finding in care.check(url)]
    last = Reader(reader.path)
    last.look()
    gone = [n for n, sha in reader.versions.items() if last.versions.get(n) != sha]
    wrong += [f"{len(gone)} versions that were seen are lost or other than they were: {gone[:5]}"] if gone else []
    gone = [n for n, row in reader.changes.items() if last.changes.get(n) != row]
    wrong += [f"{len(gone)} changes that were seen are lost or other than they were: {gone[:5]}"] if gone else []
    with Queries(url) as ask:
        known = {c.id: c for c in ask.changes(limit=None)}
        alerts = {a.change: a for a in ask.alerts(limit=1_000_000) if a.type != "change.confirmed"}
    for number, told in hook.took.items():
        kept = json.loads(wire.dump(wire.change(known[number]))) if number in known else None
        if kept is None or any(kept[k] != told[k] for k in ("new_version", "old_version", "url", "kind", "edits")):
            wrong.append(f"change {number} was told and is {'gone' if kept is None else 'another'}")
    silent = [number for number in known if number not in alerts]
    wrong += [f"{len(silent)} changes without a row in the outbox: {silent[:5]}"] if silent else []
    missed = [number for number in known if number not in hook.took]
    wrong += [f"{len(missed)} changes never arrived: {missed[:5]}"] if missed else []
    with sqlite3.connect(reader.path) as connection:
        query = (
            "select count(*) from (select sha256, lag(sha256) over (partition by page order by id) before from version)"
        )
        doubled = connection.execute(f"{query} where sha256 = before").fetchone()[0]
    return wrong + ([f"{doubled} versions repeat the one before"] if doubled else [])


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=500)
    options.add_argument("--real", type=int, default=25)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        hook, reader, waits = play(Path(name), given, random.Random(given.seed))
        wrong = judge(Path(name), hook, reader)
    told = ""
    for how, starts in waits.items():
        walls, own = (sorted(one) for one in zip(*starts, strict=True)) if starts else ([0.0], [0.0])
        told += f", {how} {walls[len(walls) // 2]:.2f} s (p50) to {walls[-1]:.2f} s"
        told += f" ({own[len(own) // 2]:.2f} to {own[-1]:.2f} s without queueing for a core)"
        if own[-1] > RESTART:
            wrong.append(f"{own[-1]:.1f} s from a {how} start to its first request")
    print(
        f"{given.kills} kills through the pipeline (seed {given.seed}): {len(reader.versions)} versions and "
        f"{len(reader.changes)} changes "
        f"acknowledged, {len(hook.took)} changes delivered; start to first request{told}; "
        f"load {os.getloadavg()[0]:.1f}; wrong: {len(wrong)}; {time.monotonic() - begun:.0f} s"
    )
    print("\n".join(wrong))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
