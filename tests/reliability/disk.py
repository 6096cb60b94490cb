"""A full disk at random points: a real daemon on a small file system that fills up and is given room again.

    python tests/reliability/disk.py [--points 50] [--seed N] [--size 96] [--no-mount] [--hup]

The database lies on a tmpfs of `--size` MiB where the machine lets us mount one (root, or a user namespace); elsewhere
the daemon's largest file size is lowered while it runs (prlimit), which its writes meet in the same way. A site edits
its pages all the time. At each point the room is taken away at a random moment: the daemon has to say so within 60
seconds (`/healthz` 503 that names the disk), stay alive, go on answering readers, and save again within 60 seconds
after there is room (`--hup`: at once, asked by SIGHUP). Its log lies on the same full disk. At the end the file, its
references and its blobs are whole, nothing that a reader or a receiver was told is lost, and every change has its row
in the outbox. The exit status says whether that holds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml
from daemons import executed, said, settled, stopped
from kills import PAGES, Executioner, Hook, Reader, judge, owed, write
from town import Manner, Town

from monitor.demo.background import running

ALARM = RESUME = 60.0  # seconds
WORDS = ("disk", "space", "full")


@contextmanager
def small(size: int, *, mount: bool) -> Iterator[tuple[Path, bool]]:
    """A folder, and whether it is a file system of so many MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "small"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "mubiao-test", str(folder)]
        mounted = mount and subprocess.run(command, capture_output=True, check=False).returncode == 0
        try:
            yield folder, mounted
        finally:
            if mounted:
                subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass
class Room:
    """Takes the room away and gives it back."""

    folder: Path
    mounted: bool
    pid: int

    def take(self) -> None:
        if not self.mounted:
            largest = max(x.stat().st_size for x in self.folder.glob("mubiao.db*"))
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
            return
        with suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for piece in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while ballast.write(b"\0" * piece) == piece:
                        pass

    def give(self) -> None:
        if self.mounted:
            (self.folder / "ballast").unlink(missing_ok=True)
        else:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def health(address: str) -> tuple[int, str]:
    """Status and body of /healthz."""
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as wrong:
        return wrong.code, wrong.read().decode()


def play(given: argparse.Namespace) -> tuple[list[str], str]:
    """All points; what is wrong, and the figures."""
    dice = random.Random(given.seed)
    edits = 1.0
    town = Town(lambda number: Manner(edits), paragraphs=3)
    hook = Hook(Executioner())
    alarms, resumes, wrong = list[float](), list[float](), list[str]()
    with ExitStack() as stack:
        folder, mounted = stack.enter_context(small(given.size, mount=not given.no_mount))
        stack.enter_context(running(town, hook))
        write(folder, town.port, hook.url)
        reader = Reader(folder / "mubiao.db")
        process = executed(folder, {}, "--port", "0", "--log", "json")
        stack.callback(process.kill)
        settled(lambda: len(town.asked) >= PAGES, lambda: said(folder))
        log = (folder / "daemon.log").read_text()
        address = str(next(yaml.safe_load(x)["address"] for x in log.splitlines() if '"web"' in x))
        room = Room(folder, mounted, process.pid)
        for _ in range(given.points):
            time.sleep(dice.random() * 2)
            room.take()
            alarms.append(settled(lambda: told_of(health(address)), lambda: f"no alarm\n{said(folder)}", 2 * ALARM))
            time.sleep(dice.random())
            reader.look()
            if process.poll() is not None:
                raise SystemExit(f"the daemon ended with {process.returncode}\n{said(folder)}")
            resumed = partial(sees_more, reader, len(reader.versions))
            room.give()
            if given.hup:
                os.kill(process.pid, signal.SIGHUP)
            resumes.append(settled(resumed, lambda: f"no resumption\n{said(folder)}", 2 * RESUME))
            settled(lambda: health(address)[0] == 200, lambda: f"{health(address)}\n{said(folder)}")
        edits = 0.0
        settled(lambda: owed(folder) == 0, lambda: f"{owed(folder)} messages are owed\n{said(folder)}")
        stopped(process, folder)
        wrong += judge(folder, hook, reader)
        wrong += (
            [f"Traceback in the log:\n{said(folder)}"] if "Traceback" in (folder / "daemon.log").read_text() else []
        )
    wrong += [f"alarm after {max(alarms):.0f} s"] if max(alarms) > ALARM else []
    wrong += [f"resumed after {max(resumes):.0f} s"] if max(resumes) > RESUME else []
    return wrong, (
        f"{given.points} times without room (seed {given.seed}, {'a tmpfs' if mounted else 'prlimit'}): alarm after "
        f"{sorted(alarms)[len(alarms) // 2]:.1f} s (p50) to {max(alarms):.1f} s, saving again after "
        f"{sorted(resumes)[len(resumes) // 2]:.1f} s to {max(resumes):.1f} s; {len(reader.versions)} versions and "
        f"{len(hook.took)} delivered changes compared; load {os.getloadavg()[0]:.1f}; wrong: {len(wrong)}"
    )


def told_of(seen: tuple[int, str]) -> bool:
    """Whether the daemon says that its disk is full."""
    trouble = " ".join(json.loads(seen[1])["trouble"].values()).lower()
    return seen[0] == 503 and any(word in trouble for word in WORDS)


def sees_more(reader: Reader, before: int) -> bool:
    reader.look()
    return len(reader.versions) > before


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=50)
    options.add_argument("--no-mount", action="store_true")
    options.add_argument("--hup", action="store_true")
    options.add_argument("--size", type=int, default=96, help="MiB of the tmpfs")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the mount is undone, the daemon ended
    begun = time.monotonic()
    wrong, figures = play(options.parse_args(arguments))
    print(f"{figures}; {time.monotonic() - begun:.0f} s")
    print("\n".join(wrong))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
