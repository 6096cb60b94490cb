"""A soak: a real daemon reads a site at a steady rate, and its memory, descriptors, delays and loop are watched.

    python tests/reliability/soak.py [--minutes 30] [--rate 20] [--warm-up 10] [--every 10]

Every page has a host of its own or shares it with two others; three in ten answer with 304, three stay the same bytes,
three drift around their text, one is edited at one request in five, and a few fail or take long. Changes are delivered
to a webhook receiver, and the pages of the daemon are asked for as a browser and Prometheus would.

Printed: memory (all of it and what is not of files) at the end of the warm-up and of the run, its slope per hour after
the warm-up (least squares), descriptors, threads, checks a second, how late checks and the event loop were, the load
of the machine. The exit status says whether the bounds hold.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from daemons import executed
from prometheus_client.parser import text_string_to_metric_families
from town import Manner, Town, loopback

from monitor.demo.background import running
from monitor.demo.receivers import WebhookReceiver
from storage import care

EVERY = 60  # seconds between two checks of a page
A_HOST = 3  # pages
SLOPE = 1.0  # MiB an hour, at most
LATE = 2.0  # seconds, p99
LAG = 0.05  # seconds, p99
FEW = 12  # descriptors, sockets apart, by which two looks may differ
IDLE = 8.0  # seconds for which a connection is kept: more than twice as many as are asked in that time were not closed
ASKED = ("metrics", "healthz", "readyz", "", "sources", "api/changes")


def manner(number: int) -> Manner:
    """Three in ten of each kind, one that is edited, and a few in trouble."""
    if number % 50 == 17:
        return Manner(status=500)
    if number % 50 == 27:
        return Manner(latency=3.0)
    kind = number % 10
    return Manner(edits=0.2 if kind == 9 else 0.0, drifts=5 < kind < 9, marked=kind < 3, latency=0.02)


@dataclass(frozen=True, slots=True)
class Look:
    """The process at one moment."""

    at: float  # seconds since its start
    resident: float  # MiB
    private: float  # MiB, what is not of files
    descriptors: int  # but for sockets
    sockets: int
    threads: int
    checks: float
    load: float
    seconds: float  # of CPU, so far


def look(pid: int, begun: float, metrics: dict[str, dict[str, float]]) -> Look:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Look(
        time.monotonic() - begun,
        int(status["VmRSS"].split()[0]) / 1024,
        int(status["RssAnon"].split()[0]) / 1024,
        *opened(process / "fd"),
        int(status["Threads"]),
        sum(metrics.get("mubiao_checks_total", {}).values()),
        os.getloadavg()[0],
        sum(metrics["process_cpu_seconds_total"].values()),
    )


def opened(folder: Path) -> tuple[int, int]:
    """Descriptors that are no sockets, and those that are. One that is closed meanwhile was no more."""
    led = list[str]()
    for link in folder.iterdir():
        with suppress(FileNotFoundError):
            led.append(str(link.readlink()))
    sockets = sum(name.startswith("socket:") for name in led)
    return len(led) - sockets, sockets


def metrics(address: str) -> dict[str, dict[str, float]]:
    """Sample name -> its labels' values -> value. Asks the other pages too: a person looks now and then."""
    for path in ASKED[1:]:
        try:
            with urllib.request.urlopen(address + path, timeout=30) as answer:
                answer.read()
        except urllib.error.HTTPError as wrong:  # a machine so busy that the tick is late: seen, and told of
            print(f"/{path} answered {wrong.code}: {wrong.read().decode()}", flush=True)
    with urllib.request.urlopen(address + ASKED[0], timeout=30) as answer:
        text = answer.read().decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return found


def within(metrics: dict[str, dict[str, float]], before: dict[str, dict[str, float]], name: str, share: float) -> float:
    """The smallest bound of a histogram under which this share of what was counted since `before` lies, seconds."""
    buckets = {k: v - before[f"{name}_bucket"][k] for k, v in metrics[f"{name}_bucket"].items()}
    whole = max(buckets.values())
    return min(float(bound) for bound, count in buckets.items() if count >= share * whole)


def slope(looks: Sequence[Look]) -> float:
    """MiB an hour of what is not of files, by least squares."""
    n = len(looks)
    mean_x, mean_y = sum(x.at for x in looks) / n, sum(x.private for x in looks) / n
    spread = sum((x.at - mean_x) ** 2 for x in looks)
    return 3600 * sum((x.at - mean_x) * (x.private - mean_y) for x in looks) / spread if spread else 0.0


def config(port: int, hook: str, pages: int) -> str:
    sources = [
        {"key": f"p{n}", "url": f"http://{loopback(n // A_HOST)}:{port}/{n}.html", "every": f"{EVERY}s"}
        for n in range(pages)
    ]
    return yaml.safe_dump(
        {
            "network": {"allow_private": ["127.0.0.0/8"]},
            "defaults": {"respect_robots": False, "confirm": "off", "delay": "1s"},
            "sources": sources,
            "channels": {"hook": {"type": "webhook", "url": f"{hook}/hook"}},
            "subscriptions": [{"channel": "hook", "on": ["targets", "content", "health"]}],
        },
        allow_unicode=True,
    )


def soak(folder: Path, given: argparse.Namespace) -> list[str]:
    """The whole run; what is wrong with it."""
    town, hook = Town(manner), WebhookReceiver()
    with running(town, hook):
        (folder / "sources.yaml").write_text(config(town.port, hook.url, round(given.rate * EVERY * 0.95)))
        process = executed(folder, {}, "--port", "0", "--log", "json")
        try:
            wrong = watched(folder, process, given)
        finally:
            process.terminate()
            begun = time.monotonic()
            code = process.wait(60)
        print(f"SIGTERM: ended in {time.monotonic() - begun:.1f} s with {code}; {len(hook.calls)} messages delivered")
    wrong += [str(finding) for finding in care.check(f"sqlite:///{folder}/mubiao.db")]
    kept = [line for line in (folder / "daemon.log").read_text().splitlines() if '"error"' in line and "level" in line]
    wrong += [line for line in kept if '"level": "error"' in line or "Traceback" in line][:5]
    return wrong + ([f"the daemon ended with {code}"] if code else [])


def watched(folder: Path, process: subprocess.Popen[bytes], given: argparse.Namespace) -> list[str]:
    """Look every so often; judge at the end."""
    address = address_of(folder, process)
    begun, looks = time.monotonic(), list[Look]()
    first = now = metrics(address)
    while time.monotonic() - begun < given.minutes * 60:
        time.sleep(given.every)
        now = metrics(address)
        looks.append(look(process.pid, begun, now))
        if looks[-1].at < given.warm_up * 60:
            first = now
        if len(looks) % max(round(60 / given.every), 1) == 0:
            seen = looks[-1]
            print(
                f"{seen.at / 60:5.1f} min  {seen.resident:6.1f} MiB resident  {seen.private:6.1f} private  "
                f"{seen.descriptors:4} descriptors  {seen.sockets:3} sockets  {seen.threads} threads  "
                f"{seen.checks:7.0f} checks  load {seen.load:.1f}",
                flush=True,
            )
    return judged([x for x in looks if x.at >= given.warm_up * 60], first, now, given.rate)


def address_of(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the daemon listens, read from its log."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for line in (folder / "daemon.log").read_text().splitlines():
            if '"web"' in line:
                return str(yaml.safe_load(line)["address"])
        time.sleep(0.1)
    raise SystemExit((folder / "daemon.log").read_text())


def judged(
    looks: Sequence[Look], before: dict[str, dict[str, float]], after: dict[str, dict[str, float]], rate: float
) -> list[str]:
    """What is seen after the warm-up, printed, and which bounds it breaks."""
    first, last = looks[0], looks[-1]
    hours = (last.at - first.at) / 3600
    speed = (last.checks - first.checks) / (last.at - first.at)
    late, lag = (within(after, before, f"mubiao_{n}_seconds", 0.99) for n in ("start_delay", "loop_lag"))
    load = sum(x.load for x in looks) / len(looks)
    print(
        f"after the warm-up, {hours * 60:.0f} minutes: {speed:.1f} checks/s; memory {first.private:.1f} -> "
        f"{last.private:.1f} MiB private ({first.resident:.1f} -> {last.resident:.1f} resident), "
        f"slope {slope(looks):+.2f} MiB/h; descriptors {min(x.descriptors for x in looks)}-"
        f"{max(x.descriptors for x in looks)}, sockets {min(x.sockets for x in looks)}-"
        f"{max(x.sockets for x in looks)}, threads {first.threads} -> {last.threads}; "
        f"start delay p50 <= {within(after, before, 'mubiao_start_delay_seconds', 0.5)} s, p99 <= {late} s; "
        f"loop lag p99 <= {lag * 1000:.0f} ms; CPU {(last.seconds - first.seconds) / (last.at - first.at):.0%}; "
        f"load {load:.1f} on {os.cpu_count()} cores; results "
        f"{ {k: round(v) for k, v in after['mubiao_checks_total'].items() if v} }"
    )
    wrong = [f"{speed:.1f} checks/s instead of {rate}"] if speed < rate * 0.9 else []
    wrong += [f"memory grows {slope(looks):.2f} MiB/h"] if hours > 0.2 and slope(looks) > SLOPE else []
    wrong += [f"start delay p99 {late} s"] if late > LATE else []
    wrong += [f"loop lag p99 {lag} s"] if lag > LAG else []
    growth = sum(x.descriptors for x in looks[-5:]) / 5 - sum(x.descriptors for x in looks[:5]) / 5
    wrong += [f"{growth:.0f} more descriptors"] if len(looks) > 10 and growth > FEW else []
    most = max(x.sockets for x in looks)
    return wrong + ([f"{most} sockets"] if most > 2 * IDLE * rate else [])


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--rate", type=float, default=20, help="checks a second")
    options.add_argument("--warm-up", type=float, default=10, help="minutes")
    options.add_argument("--every", type=float, default=10, help="seconds between two looks")
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        wrong = soak(Path(name), given)
    print("\n".join(wrong) or "all bounds hold")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
