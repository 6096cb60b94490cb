"""Alerts a second from a full outbox: by e-mail and by webhook, to servers in a process of their own on loopback.

    python bench/outbox.py [--alerts 10000]

The messages are those of the demo, made anew until there are enough. One process empties the outbox as the daemon does:
claim, render, send, record, one transaction for each message. The physical limit printed beside is the same number of
empty transactions in the same database file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from peers import OURS, machine, verdict

from alerts import rules
from alerts.sending import Settings
from monitor import net
from monitor.delivery import Deliverer
from monitor.demo.background import running
from monitor.demo.receivers import Hook, MailServer, WebhookReceiver
from monitor.model import Alert, Channel, Config, Network
from storage import migrate
from storage.queries import Queries
from storage.store import Store

ASKED = {"email": 100, "webhook": 300}


class KeptOpen(WebhookReceiver):
    """The demo's receiver, with connections that stay open from one call to the next, as HTTP/1.1 has it."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower():
            lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            self.calls.append(Hook(lines, await reader.readexactly(int(lines["content-length"]))))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def receive(line: Connection) -> None:
    """A mail server and a webhook receiver, until told to stop; then how many messages each took, ids counted once."""
    mail, hook = MailServer(), KeptOpen()
    with running(mail, hook):
        line.send((mail.url, hook.url))
        line.recv()
    ids = {m.message["Message-ID"] for m in mail.mails}, {h.headers["webhook-id"] for h in hook.calls}
    line.send(((len(mail.mails), len(ids[0])), (len(hook.calls), len(ids[1]))))


@contextmanager
def receivers() -> Iterator[tuple[str, str, dict[str, tuple[int, int]]]]:
    """Addresses of the two servers; the last value is filled at the end: (messages, different ids) by channel type."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=receive, args=(theirs,), daemon=True)
    child.start()
    took: dict[str, tuple[int, int]] = {}
    try:
        yield *ours.recv(), took
        ours.send("stop")
        took["email"], took["webhook"] = ours.recv()
    finally:
        child.terminate()


def payloads(folder: Path) -> list[Alert]:
    """The alerts that a demo sends."""
    subprocess.run([OURS, "demo", "--dir", folder / "demo", "--json"], check=True, capture_output=True)
    [database] = (folder / "demo").rglob("*.db")
    with Queries(f"sqlite:///{database}") as queries:
        return [a for a in queries.alerts(limit=1000) if a.type in ("targets.changed", "change.detected")]


def fill(store: Store, samples: list[Alert], channel: str, count: int) -> None:
    now = datetime.now(UTC)
    made = []
    for n in range(count):
        sample, number = samples[n % len(samples)], rules.message_id(now)
        made.append(
            replace(
                sample,
                id=number,
                key=number,
                payload={**sample.payload, "id": f"c{n}"},  # every change tells something else
                channel=channel,
                state="pending",
                attempts=0,
                digest=None,
                created=now,
                next_at=now,
                sent_at=None,
                error=None,
                change=None,
                reached=(),
            )
        )
    store.enqueue(made, now)


async def drain(store: Store, channels: list[Channel], environ: dict[str, str]) -> tuple[int, float, float]:
    """How many were sent, in how many seconds, and how many of them this process worked (user and system)."""
    pools = net.Pools(net.Guard(Network(allow_private=("127.0.0.0/8",))))
    try:
        deliverer = Deliverer(
            store, Config(channels=tuple(channels)), Settings(environ, pools.transport, lambda: datetime.now(UTC))
        )
        began, worked = time.perf_counter(), time.process_time()
        done = await deliverer.deliver_due(datetime.now(UTC))
        return sum(d.ok for d in done), time.perf_counter() - began, time.process_time() - worked
    finally:
        await pools.aclose()


def commits(store: Store, count: int) -> float:
    """Seconds of so many transactions that write one short row."""
    began = time.perf_counter()
    for n in range(count):
        store.set_meta("bench", str(n))
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--alerts", type=int, default=10_000)
    count = options.parse_args().alerts
    print(machine())
    met = True
    with tempfile.TemporaryDirectory() as name, receivers() as (smtp, hook, took):
        folder = Path(name)
        samples = payloads(folder)
        sizes = [len(json.dumps(dict(s.payload), ensure_ascii=False).encode()) for s in samples]
        print(f"{len(samples)} messages of the demo: {sorted(sizes)} bytes of JSON")
        url = f"sqlite:///{folder / 'outbox.db'}"
        migrate.upgrade(url, datetime.now(UTC))
        with Store(url) as store:
            print(f"  limit: {500 / commits(store, 500):,.0f} transactions a second in this database")
            for channel in (
                Channel(name="email", type="email", to=("desk@example.org",)),
                Channel(name="webhook", type="webhook", url=hook),
            ):
                fill(store, samples, channel.name, count)
                sent, seconds, worked = asyncio.run(drain(store, [channel], {"MUBIAO_SMTP_URL": smtp}))
                if sent != count:
                    raise SystemExit(f"{channel.name}: {sent} of {count} sent")
                rate = count / seconds
                met &= verdict(f"  alerts a second by {channel.name}", rate, ASKED[channel.name], most=False)
                print(f"    {1000 * worked / count:.2f} ms of processor time for each")
    if any(pair != (count, count) for pair in took.values()):
        raise SystemExit(f"received: {took}")
    raise SystemExit(not met)


if __name__ == "__main__":
    main()
