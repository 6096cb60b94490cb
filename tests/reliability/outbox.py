"""kill -9 around sending: a real daemon, real mail and HTTP receivers in another process, and what arrived counted.

    python tests/reliability/outbox.py [--kills 200] [--seed N]

Each turn saves changes that owe an e-mail and a webhook each, starts `mubiao run`, and kills it with SIGKILL while it
sends: when a receiver has taken a message and not answered yet, or moments after its answer. At the end a daemon that
nobody kills empties the outbox. Then every change must have arrived by both channels, always under one id, and a kill
may have repeated one message of a channel at most. The exit status says whether that holds.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import os
import random
import signal
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from aiosmtpd.smtp import SMTP
from daemons import PATIENCE, forked, said, settled, stopped

from alerts import rules
from monitor import config as configuration
from monitor.demo.background import running
from monitor.demo.receivers import WebhookReceiver
from monitor.demo.server import Listener, Reply, Request
from monitor.model import Change, Config, Document, Edit, Outcome
from storage import care, migrate
from storage.queries import Queries
from storage.store import Store

CHANNELS = ("desk", "hook")
EACH = 8  # changes saved before a kill


class Witness:
    """What both receivers took, in which turn, and the daemon that is to die of it."""

    def __init__(self) -> None:
        self.turn = 0
        self.seen: dict[str, Counter[str]] = {name: Counter() for name in CHANNELS}
        self.last: dict[str, dict[str, int]] = {name: {} for name in CHANNELS}  # id -> the turn it last came in
        self.repeated: dict[str, Counter[int]] = {name: Counter() for name in CHANNELS}  # by that turn
        self.victim: int | None = None
        self.left = 0
        self.delay: float | None = None  # seconds after the answer; None: before it

    def arm(self, pid: int, left: int, delay: float | None) -> None:
        """Kill `pid` at the message that is the `left`th from now."""
        self.left, self.delay, self.victim = left, delay, pid

    def took(self, channel: str, number: str) -> None:
        """A receiver has a message, and has not said so yet. On the receivers' loop."""
        if number in self.last[channel]:
            self.repeated[channel][self.last[channel][number]] += 1
        self.seen[channel][number] += 1
        self.last[channel][number] = self.turn
        if self.victim is None:
            return
        self.left -= 1
        if self.left == 0:
            victim, self.victim = self.victim, None
            if self.delay is None:
                os.kill(victim, signal.SIGKILL)
            else:
                asyncio.get_running_loop().call_later(self.delay, os.kill, victim, signal.SIGKILL)


class Mail(Listener):
    """aiosmtpd, telling the witness."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        number = str(email.message_from_bytes(envelope.content)["Message-ID"])
        self._witness.took("desk", number.strip("<>").partition("@")[0])
        return "250 OK"


class Hook(WebhookReceiver):
    """The webhook receiver, telling the witness."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    def _take(self, request: Request) -> Reply:
        self._witness.took("hook", request.headers["webhook-id"])
        return super()._take(request)


@dataclass
class House:
    """One user's directory."""

    folder: Path
    config: Config
    saved: int = 0

    @property
    def db(self) -> str:
        return f"sqlite:///{self.folder}/mubiao.db"

    def change(self, count: int) -> None:
        """So many changes, each with the alerts that it owes, as a check saves them."""
        [source] = self.config.sources
        with Store(self.db) as store:
            store.sync_sources([replace(source, enabled=True)], datetime.now(UTC), lambda _: datetime.now(UTC))
            [page] = store.pages()
            for _ in range(count):
                self.saved += 1
                now = datetime.now(UTC)
                edit = Edit("replace", f"增长{self.saved}%。", f"增长{self.saved + 1}%。", 0, 0)
                text = f"全区生产总值增长{self.saved + 1}%。"
                store.save(
                    Outcome(
                        page, now, "changed", fingerprint=text,
                        document=Document(url=page.url, title="政府工作报告", paragraphs=(text,)),
                        change=Change("content", now, page.source, page.url, title="政府工作报告", edits=(edit,)),
                    ),
                    lambda c: rules.match(c, source, self.config.subscriptions, now=c.at),
                )  # fmt: skip

    def owed(self) -> int:
        with Queries(self.db) as ask:
            return len(ask.alerts("pending", limit=1_000_000))


def play(folder: Path, kills: int, dice: random.Random) -> tuple[Witness, House]:
    """All turns, and the last one that nobody kills."""
    witness = Witness()
    mail, hook = Mail(witness), Hook(witness)
    with running(mail, hook):
        environ = {"MUBIAO_SMTP_URL": f"smtp://127.0.0.1:{mail.port}?tls=none&from=mubiao@watch.example"}
        house = House(folder, _config(folder, hook.url))
        for witness.turn in range(kills):
            house.change(EACH)
            process = forked(folder, environ)
            assert process.pid is not None
            witness.arm(process.pid, dice.randint(1, 2 * EACH), dice.choice((None, dice.random() * 0.01)))
            process.join(PATIENCE)
            if process.exitcode != -signal.SIGKILL:
                raise SystemExit(f"the daemon ended by itself: {process.exitcode}\n{said(folder)}")
        witness.turn = kills
        process = forked(folder, environ)
        settled(lambda: house.owed() == 0, lambda: f"{house.owed()} messages are still owed\n{said(folder)}")
        stopped(process, folder)
    return witness, house


def _config(folder: Path, hook: str) -> Config:
    path = folder / "sources.yaml"
    known = {
        "network": {"allow_private": ["127.0.0.0/8"]},
        "sources": [{"key": "yunling", "url": "http://yunling.example/report.html", "enabled": False}],
        "channels": {
            "desk": {"type": "email", "to": ["desk@example.org"]},
            "hook": {"type": "webhook", "url": f"{hook}/hook"},
        },
        "subscriptions": [{"channel": name, "on": ["content"]} for name in CHANNELS],
    }
    path.write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")
    migrate.upgrade(f"sqlite:///{folder}/mubiao.db", datetime.now(UTC))
    return configuration.load(str(path))


def judge(witness: Witness, house: House) -> list[str]:
    """Everything that must not be."""
    wrong = [str(finding) for finding in care.check(house.db)]
    with Queries(house.db) as ask:
        changes = {c.id for c in ask.changes(limit=None)}
        alerts = ask.alerts(limit=1_000_000)
    if len(changes) != house.saved:
        wrong.append(f"{house.saved} changes saved, {len(changes)} on record")
    ids: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    known = {a.id: a for a in alerts}
    for name in CHANNELS:
        for number in witness.seen[name]:
            if number not in known or known[number].channel != name:
                wrong.append(f"{name}: took {number}, which is not in the outbox")
            else:
                ids[name, known[number].change].add(number)
        lost = [c for c in changes if not ids[name, c]]
        wrong += [f"{name}: {len(lost)} changes never arrived"] if lost else []
        wrong += [f"{name}: kill {turn} repeated {n} messages" for turn, n in witness.repeated[name].items() if n > 1]
    wrong += [f"{name}: change {c} came under {len(n)} ids" for (name, c), n in ids.items() if len(n) > 1]
    return wrong + [f"alert {a.id} is {a.state}" for a in alerts if a.state != "sent"]


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        witness, house = play(Path(name), given.kills, random.Random(given.seed))
        wrong = judge(witness, house)
    repeats = ", ".join(f"{sum(witness.repeated[name].values())} by {name}" for name in CHANNELS)
    print(
        f"{given.kills} kills (seed {given.seed}): {house.saved} changes by {len(CHANNELS)} channels; "
        f"repeated with the same id: {repeats}; wrong: {len(wrong)}; {time.monotonic() - begun:.0f} s"
    )
    print("\n".join(wrong))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
