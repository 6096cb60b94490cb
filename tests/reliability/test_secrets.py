"""A secret goes through every channel and every failure, and is found nowhere.

Not in the log, the errors, the database, `doctor`, or what any command prints.
"""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.background import running
from monitor.demo.server import Listener
from monitor.model import Alert
from storage import migrate
from storage.store import Store

CANARY = "Kanarienvogel9417"
KEY = "whsec_" + base64.b64encode(CANARY.encode()).decode()
PAYLOAD = {"id": "c1", "source": "yunling", "url": "http://yunling.example/1", "title": "报告", "kind": "content"}


class Parrot(Listener):
    """Repeats whatever it was told: as an HTTP answer, as a mail server's refusal of a log-in."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await asyncio.wait_for(reader.read(4), 0.5) if not self.mail else b""
        if self.mail:
            writer.write(b"220 parrot ESMTP\r\n")
            while line := (await reader.readline()).strip():
                if line.startswith(b"EHLO"):
                    writer.write(b"250-parrot\r\n250 AUTH PLAIN LOGIN\r\n")
                else:
                    said = line.rpartition(b" ")[2]
                    plain = base64.b64decode(said + b"==", validate=False).replace(b"\0", b" ")
                    writer.write(b"535 5.7.8 no log-in with " + said + b" alias " + plain + b"\r\n")
        head = first + await reader.readuntil(b"\r\n\r\n")
        body = head + KEY.encode() + CANARY.encode()
        writer.write(b"HTTP/1.1 400 No\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)

    def __init__(self, *, mail: bool = False) -> None:
        super().__init__()
        self.mail = mail


@pytest.fixture
def parrots() -> Iterator[tuple[Parrot, Parrot]]:
    mail, web = Parrot(mail=True), Parrot()
    with running(mail, web):
        yield mail, web


def world(desk: Any, mail: Parrot, web: Parrot) -> list[str]:
    """A channel for each way to fail; their names."""
    there = f"127.0.0.1:{web.port}"
    secrets = {
        "MUBIAO_SMTP_URL": f"smtp://me:{CANARY}@127.0.0.1:{mail.port}?tls=none&from=m@watch.example",
        "KEY": KEY, "BROKEN_KEY": f"whsec_{CANARY}!!", "CHAT": f"ntfy://me:{CANARY}@{there}/room",
        "NO_CHAT": f"nosuch://{CANARY}/room", "BAD_CHAT": f"tgram://{CANARY}", "NOT_EVEN": CANARY,
        "REFUSED_CHAT": f"ntfy://me:{CANARY}@127.0.0.1:9/room",
    }  # fmt: skip
    filed = desk.folder / "secret"
    filed.write_text(KEY, encoding="utf-8")
    secrets["FILED_FILE"] = str(filed)
    unreadable = desk.folder / "unreadable"
    unreadable.write_bytes(b"\xff" + CANARY.encode())
    secrets["UNREADABLE_FILE"] = str(unreadable)
    desk.environ.update(secrets)
    hooks = ("KEY", "BROKEN_KEY", "FILED", "UNREADABLE")
    chats = ("CHAT", "NO_CHAT", "BAD_CHAT", "NOT_EVEN", "REFUSED_CHAT")
    channels = {
        "desk": {"type": "email", "to": ["desk@example.org"]},
        "refused": {"type": "webhook", "url": "http://127.0.0.1:9/", "secret_env": "KEY"},
        **{name: {"type": "webhook", "url": f"http://{there}/", "secret_env": name} for name in hooks},
        **{name: {"type": "apprise", "secret_env": name} for name in chats},
    }
    desk.watch(channels=channels, subscriptions=[{"channel": name} for name in channels])
    return list(channels)


@pytest.mark.timeout(300)
def test_a_secret_is_found_nowhere(desk: Any, parrots: tuple[Parrot, Parrot], monkeypatch: pytest.MonkeyPatch) -> None:
    names = world(desk, *parrots)
    for variable, value in desk.environ.items():
        monkeypatch.setenv(variable, value)
    (desk.folder / "data").mkdir()
    now = datetime.now(UTC)
    migrate.upgrade(desk.db, now)
    with Store(desk.db) as store:
        store.enqueue(
            [Alert(f"msg_{n}", n, n, "change.detected", PAYLOAD, created=now, next_at=now) for n in names], now
        )
    process = desk.spawn("run", "--no-web", "--log", "json", "--log-level", "debug")

    seen, waited = [], set(names)
    for line in process.stderr:  # until every channel has failed
        seen.append(line)
        if '"not delivered"' in line:
            waited.discard(json.loads(line)["channel"])
        if not waited:
            break
    process.send_signal(signal.SIGTERM)
    out, rest = process.communicate(timeout=30)
    log = "".join(seen) + rest
    with desk.queries() as ask:
        errors = {a.channel: a.error for a in ask.alerts(limit=100)}
    assert set(errors) == set(names)
    assert all(errors.values()), errors
    assert "HTTP 400" in str(errors["KEY"])
    assert "535" in str(errors["desk"])
    said = [out, log, str(errors)]
    for arguments in (
        ("doctor",), ("alerts", "list"), ("alerts", "channels"), *(("alerts", "test", name) for name in names),
    ):  # fmt: skip
        done = desk.run(*arguments)
        assert done.code in (0, 1, 2)
        said += [done.out, done.err]
    held = b"".join(p.read_bytes() for p in Path(desk.folder / "data").iterdir() if p.is_file())
    for secret in (CANARY, KEY, base64.b64encode(CANARY.encode()).decode()):
        assert not [text for text in said if secret in text]
        assert secret.encode() not in held
