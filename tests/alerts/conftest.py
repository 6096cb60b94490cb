"""A real mail server and a real HTTP receiver on 127.0.0.1, and a change of an invented district."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from alerts import rules
from alerts.sending import Settings
from monitor.model import Alert, Change, Edit, Network, Source, Target, TargetChange
from monitor.net import Guard, Pools

NOW = datetime(2026, 1, 9, 2, 46, tzinfo=UTC)


# --------------------------------------------------------------------------- what happened


def a_target(value_text: str, **fields: Any) -> Target:
    return Target(
        **{
            "role": "target", "start": 0, "end": 1, "vstart": 0, "vend": 1, "kind": "growth", "headline": True,
            "text": f"地区生产总值增长{value_text}", "value_text": value_text, "indicator": "地区生产总值",
            "canonical": "地区生产总值", "indicator_id": "gdp", "direction": "increase",
        }
        | fields
    )  # fmt: skip


def moved(name: str, change: Any, old: str | None, new: str | None, **fields: Any) -> TargetChange:
    """One line of a comparison; `fields` of the line, `side` for both targets."""
    side = {"indicator": name, "canonical": name} | fields.pop("side", {})
    return TargetChange(
        canonical=name,
        indicator=name,
        kind=fields.pop("kind", "growth"),
        change=change,
        before=a_target(old, **side) if old else None,
        after=a_target(new, **side) if new else None,
        **fields,
    )


GDP = moved("地区生产总值", "lowered", "6%左右", "5.5%左右")
SOURCE = Source(
    key="yunling-report",
    url="http://yunling.example/zwgk/",
    name="云岭区政府工作报告",
    region="999101",
    series="政府工作报告",
    tags=("plateau",),
)
CHANGE = Change(
    id="c7",
    kind="content",
    at=NOW,
    source=SOURCE.key,
    url="http://yunling.example/zwgk/88.html",
    title="2026年云岭区政府工作报告",
    old_version="v11",
    new_version="v12",
    release="2026",
    significance=0.9,
    added=4,
    deleted=4,
    edits=(Edit("replace", "全区生产总值增长6%左右，稳中求进。", "全区生产总值增长5.5%左右，稳中求进。", 4, 4),),
    targets=(GDP,),
)


def an_alert(change: Change = CHANGE, **fields: Any) -> Alert:
    made = Alert(
        id="msg_0001",
        key=f"{change.id}:desk",
        channel="desk",
        type="targets.changed" if change.moved else "change.detected",
        payload=rules.describe(change, SOURCE, "云岭区"),
        change=change.id,
        created=NOW,
        next_at=NOW,
    )
    return replace(made, **fields)


# --------------------------------------------------------------------------- a mail server


@dataclass
class Mailbox:
    """What an aiosmtpd server took, and what it is told to answer: recipient or `DATA` -> SMTP reply."""

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        reply = self.replies.get(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        reply = self.replies.get("DATA")
        if reply is None:
            parsed = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(parsed, EmailMessage)
            self.raw.append(envelope.content)
            self.mails += [(to, parsed) for to in envelope.rcpt_tos]
        return reply or "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=none&from=mubiao@watch.example"

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.mails]


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    talks: list[SMTP] = []

    def serve() -> SMTP:
        talks.append(SMTP(box, enable_SMTPUTF8=True, loop=loop))
        return talks[-1]

    server = await loop.create_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    for talk in talks:  # connections that the channel keeps for its next message
        if talk.transport is not None:
            talk.transport.abort()
    await asyncio.sleep(0)
    server.close()
    await server.wait_closed()


# --------------------------------------------------------------------------- a webhook receiver


@dataclass
class Receiver:
    """A raw HTTP server: keeps requests, answers from `script` (bytes, "hang", "reset"; 204 when it is over)."""

    port: int = 0
    script: list[bytes | str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((first, headers, body))
        answer = self.script.pop(0) if self.script else status(204)
        if answer == "hang":
            await reader.read()  # until the client goes away
        elif answer == "reset":
            writer.transport.abort()
            return
        elif isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        writer.close()


def status(code: int, *headers: str, body: str = "") -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {code} X", f"content-length: {len(body.encode())}", "connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@asynccontextmanager
async def _listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()
    await server.wait_closed()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with _listening() as made:
        yield made


# --------------------------------------------------------------------------- settings


@pytest.fixture
async def settings(mailbox: Mailbox) -> AsyncIterator[Callable[..., Settings]]:
    """Settings on the guarded transport, which may reach this machine unless told otherwise."""
    made: list[Pools] = []
    given: list[Settings] = []

    def make(allow: tuple[str, ...] = ("127.0.0.0/8",), timeout: float = 5.0, **env: str) -> Settings:
        pools = Pools(Guard(Network(allow_private=allow)))
        made.append(pools)
        given.append(
            Settings(
                env={"MUBIAO_SMTP_URL": mailbox.url} | env,
                pool=pools.transport,
                clock=lambda: datetime.now(UTC),
                timeout=timeout,
            )
        )
        return given[-1]

    yield make
    for one in given:
        one.kept.close()
    for pools in made:
        await pools.aclose()


@pytest.fixture
def world() -> Any:
    """The makers of this file, for tests (conftest cannot be imported)."""

    class World:
        now, source, change, gdp = NOW, SOURCE, CHANGE, GDP
        target, moved, alert, status = (
            staticmethod(a_target),
            staticmethod(moved),
            staticmethod(an_alert),
            staticmethod(status),
        )

    return World
