"""A real daemon among receivers in every kind of trouble: nothing is lost, the healthy ones get theirs on time."""

from __future__ import annotations

import asyncio
import email
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from monitor.demo.background import running
from monitor.demo.server import Listener
from monitor.model import Alert
from storage import migrate
from storage.queries import Queries
from storage.store import Store

EACH = 10
PAYLOAD = {"id": "c1", "source": "yunling", "url": "http://yunling.example/1", "title": "报告", "kind": "content"}
HOOKS = ("well", "error", "hangs", "resets", "drips")
DESKS = ("taken", "greylisted", "refused")


class Mail(Listener):
    """aiosmtpd; a recipient is answered by the name before the @ until `mended`."""

    def __init__(self) -> None:
        super().__init__()
        self.mended = False
        self.took: Counter[tuple[str, str]] = Counter()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        name = address.partition("@")[0]
        if not self.mended and name == "greylisted":
            return "451 4.7.1 try again later"
        if not self.mended and name == "refused":
            return "550 5.7.1 not from you"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        number = str(email.message_from_bytes(envelope.content, policy=default)["Message-ID"])
        for to in envelope.rcpt_tos:
            self.took[to.partition("@")[0], number.strip("<>").partition("@")[0]] += 1
        return "250 OK"


class Hooks(Listener):
    """A receiver that behaves by its path, until `mended`."""

    def __init__(self) -> None:
        super().__init__()
        self.mended = False
        self.took: Counter[tuple[str, str]] = Counter()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(lines["content-length"]))
            name = head.split(" ")[1].strip("/")
            if self.mended or name == "well":
                self.took[name, lines["webhook-id"]] += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            elif name == "error":
                writer.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\nno")
            elif name == "resets":
                writer.transport.abort()
                return
            else:
                await self._trouble(writer, b"" if name == "hangs" else b"a")
                return

    async def _trouble(self, writer: asyncio.StreamWriter, drop: bytes) -> None:
        """Nothing, or a header without end. Whoever mends a receiver starts it anew, and its lines are cut."""
        writer.write(b"HTTP/1.1 200 OK\r\nx: " if drop else b"")
        while not writer.is_closing() and not self.mended:
            writer.write(drop)
            await asyncio.sleep(0.1)
        writer.transport.abort()


@pytest.fixture
def receivers() -> Iterator[tuple[Mail, Hooks]]:
    mail, hooks = Mail(), Hooks()
    with running(mail, hooks):
        yield mail, hooks


def waited_for(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_the_others_are_on_time(desk: Any, receivers: tuple[Mail, Hooks]) -> None:
    mail, hooks = receivers
    base = f"http://127.0.0.1:{hooks.port}"
    names = (*HOOKS, "nobody", *DESKS)
    desk.watch(
        channels={
            **{name: {"type": "webhook", "url": f"{base}/{name}"} for name in HOOKS},
            "nobody": {"type": "webhook", "url": "http://127.0.0.1:9/"},
            **{name: {"type": "email", "to": [f"{name}@example.org"]} for name in DESKS},
        }
    )
    desk.environ["MUBIAO_SMTP_URL"] = f"smtp://127.0.0.1:{mail.port}?tls=none&from=m@watch.example"
    (desk.folder / "data").mkdir()
    now = datetime.now(UTC)
    migrate.upgrade(desk.db, now)
    with Store(desk.db) as store:
        store.enqueue(
            [
                Alert(f"msg_{name}_{n}", f"{n}:{name}", name, "change.detected", PAYLOAD, created=now, next_at=now)
                for n in range(EACH)
                for name in names
            ],
            now,
        )
    process = desk.spawn("run", "--no-web", "--log", "json")
    healthy = [("well", hooks.took), ("taken", mail.took)]
    first = {name: {f"msg_{name}_{n}" for n in range(EACH)} for name in names}

    def arrived(name: str, took: Counter[tuple[str, str]]) -> set[str]:
        return {number for who, number in took if who == name}

    # while one receiver has not even run into its first time-out of 15 seconds
    assert waited_for(lambda: all(arrived(n, took) == first[n] for n, took in healthy), 60), process.kill()
    with Queries(desk.db) as ask:
        hanging = ask.alerts(channel="hangs")
    assert {a.state for a in hanging} == {"pending"}

    # 550 is given up at once and kept; everything else waits for its next try
    assert waited_for(lambda: states(desk, "refused") == {"dead"}, 30)
    for name in ("error", "resets", "drips", "nobody", "greylisted"):
        assert states(desk, name) == {"pending"}

    # the receivers are mended: what was owed arrives, each once
    hooks.mended = mail.mended = True
    desk.config.write_text(desk.config.read_text().replace("http://127.0.0.1:9/", f"{base}/nobody"))
    process.send_signal(signal.SIGHUP)

    def all_here() -> bool:
        desk.run("alerts", "retry", "--all")
        counts = [states(desk, name) for name in names]
        return all(c == {"sent"} for c in counts)

    assert waited_for(all_here, 150), {name: states(desk, name) for name in names}
    took = hooks.took | mail.took
    assert {who: arrived(who, took) for who in names} == first
    assert set(took.values()) == {1}
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err


def states(desk: Any, channel: str) -> set[str]:
    with Queries(desk.db) as ask:
        return {a.state for a in ask.alerts(channel=channel)}
