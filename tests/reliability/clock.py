"""The wall clock of a real daemon jumps, and the daemon is suspended: nobody is silent for long, nobody is asked in
bursts, messages go out. Needs libfaketime (Debian: `apt-get install libfaketime`), which answers it another time.

    python tests/reliability/clock.py [--phase 50] [--pause 120] [--every 20]

Each phase sets the clock by one jump: an hour or two days forward or back, then the daemon is stopped (SIGSTOP) for
`--pause` seconds and goes on. What is measured is what the site hears, by a clock that does not jump: the longest
silence of each page, from the phase before into this one, in intervals (2 at most, and some seconds for a busy
machine), and how many requests a page had beyond what its interval asks for (2 at most: one at the phase's edge, one of
the jump). A receiver refuses each message once, so that it is owed over the jump. The exit status says whether that
holds.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import yaml
from daemons import executed, said, settled, stopped
from town import Manner, Town, loopback

from monitor.demo.background import running
from monitor.demo.receivers import WebhookReceiver
from monitor.demo.server import Reply, Request

PAGES = 12
LIBRARY = "libfaketime.so.1"
PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")
JUMPS = {"as it is": 0, "+1 h": 3600, "-1 h": -3600, "+2 d": 172800, "-2 d": -172800, "-1 h again": -3600}
TICK = 5.0  # seconds that a check may be late by


class Hook(WebhookReceiver):
    """Refuses every message at first."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: dict[str, float] = {}  # id -> when it was refused
        self.waits: list[float] = []  # seconds from the refusal to the next try

    def _take(self, request: Request) -> Reply:
        number = request.headers["webhook-id"]
        if number not in self.owed:
            self.owed[number] = time.monotonic()
            return Reply(500)
        self.waits.append(time.monotonic() - self.owed[number])
        return super()._take(request)


def library() -> str:
    for place in PLACES:
        if (found := Path(place) / LIBRARY).exists():
            return str(found)
    raise SystemExit("libfaketime is not installed: apt-get install libfaketime")


def write(folder: Path, port: int, hook: str, every: int) -> None:
    """sources.yaml."""
    known = {
        "network": {"allow_private": ["127.0.0.0/8"]},
        "defaults": {"every": f"{every}s", "delay": "1s", "respect_robots": False, "confirm": "off"},
        "sources": [{"key": f"p{n}", "url": f"http://{loopback(n // 2)}:{port}/{n}.html"} for n in range(PAGES)],
        "channels": {"hook": {"type": "webhook", "url": f"{hook}/hook"}},
        "subscriptions": [{"channel": "hook", "on": ["targets", "content"]}],
    }
    (folder / "sources.yaml").write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")


def play(folder: Path, given: argparse.Namespace) -> list[str]:
    """All phases; what is wrong."""
    town, hook = Town(lambda number: Manner(edits=float(number == 0)), paragraphs=3), Hook()
    file = folder / "time"
    environ = {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
    offset, wrong = 0, list[str]()
    with running(town, hook):
        write(folder, town.port, hook.url, given.every)
        file.write_text("+0")
        process = executed(folder, environ)
        settled(lambda: len(town.asked) == PAGES, lambda: said(folder))
        for name, jump in JUMPS.items():
            offset += jump
            file.with_suffix(".new").write_text(f"{offset:+d}")
            file.with_suffix(".new").rename(file)
            begun = time.monotonic()
            time.sleep(given.phase)
            wrong += judge(name, town, hook, (begun, time.monotonic()), given.every)
        os.kill(process.pid, signal.SIGSTOP)
        before = time.monotonic()
        time.sleep(given.pause)
        os.kill(process.pid, signal.SIGCONT)
        begun = time.monotonic()
        for page in town.asked.values():  # the pause is nobody's silence
            page[:] = [at + (begun - before) for at in page]
        time.sleep(given.phase)
        wrong += judge(f"stopped for {given.pause} s", town, hook, (begun, time.monotonic()), given.every)
        stopped(process, folder)
    if wrong:
        print(*(line for line in (folder / "daemon.log").read_text().splitlines() if '"checked"' not in line), sep="\n")
    return wrong


def judge(name: str, town: Town, hook: Hook, span: tuple[float, float], every: int) -> list[str]:
    """One phase, printed; what is wrong with it."""
    begun, ended = span
    silences, extra = [], []
    for times in town.asked.values():
        before = [at for at in times if at < begun][-1:]
        within = [at for at in times if begun <= at <= ended]
        marks = [*(before or [begun]), *within, ended]
        silences.append(max(later - sooner for sooner, later in pairwise(marks)))
        extra.append(len(within) - (ended - begun) / (0.9 * every))  # an interval is shortened by a tenth at most
    waits, hook.waits = hook.waits, []
    print(
        f"{name:20} longest silence {max(silences):5.1f} s ({max(silences) / every:.2f} intervals), "
        f"requests beyond the interval {max(extra):+.1f}, {len(waits)} messages, "
        f"longest wait for a retry {max(waits, default=0):.1f} s; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    wrong = [f"{name}: silent for {max(silences):.1f} s"] if max(silences) > 2 * every + TICK else []
    wrong += [f"{name}: a burst of {max(extra):.1f} requests"] if max(extra) > 2 else []
    return wrong + ([] if waits else [f"{name}: no message arrived"])


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--phase", type=float, default=50, help="seconds between two jumps")
    options.add_argument("--pause", type=float, default=120, help="seconds of SIGSTOP")
    options.add_argument("--every", type=int, default=20, help="seconds between two checks of a page")
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        wrong = play(Path(name), given)
    print("\n".join(wrong) or "all bounds hold")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
