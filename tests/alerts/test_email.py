from __future__ import annotations

import asyncio
import email
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from alerts import email as channel_email
from alerts.email import server
from alerts.render import render
from alerts.sending import PartlyDeliveredError, Settings
from monitor.errors import ConfigError, DeliveryError
from monitor.model import Channel, Message

DESK = Channel(name="desk", type="email", to=("desk@example.org",))
Make = Callable[..., Settings]


def test_a_server_that_hangs_holds_up_neither_the_caller_nor_the_end(world: Any, settings: Make) -> None:
    """Nobody greets; whoever gave up waiting goes on, and asyncio.run does not wait for the thread either."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        lines = {"MUBIAO_SMTP_URL": f"smtp://127.0.0.1:{port}?tls=none&from=m@watch.example"}
        alert = world.alert()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(
                asyncio.wait_for(
                    channel_email.send(alert, render(alert), DESK, replace(settings(), env=lines, timeout=8.0)), 0.2
                )
            )
        assert time.monotonic() - begun < 4


async def test_a_mail_arrives_as_it_was_rendered(world: Any, mailbox: Any, settings: Make) -> None:
    alert = world.alert()
    message = render(alert)
    await channel_email.send(alert, message, DESK, settings())
    [(to, mail)] = mailbox.mails
    assert to == "desk@example.org"
    assert mail["Subject"] == "[目标] 云岭区 2026 地区生产总值增速 6%左右→5.5%左右"
    assert mail["From"] == "mubiao@watch.example"
    assert mail["To"] == "desk@example.org"
    assert mail["Message-ID"] == "<msg_0001@watch.example>"
    assert mail["Date"].datetime is not None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == message.text.splitlines()
    assert html.get_content().splitlines() == message.html.splitlines()
    assert max(len(line) for line in mailbox.raw[0].split(b"\r\n")) <= 998
    assert mailbox.raw[0].isascii()  # for servers without SMTPUTF8 and 8BITMIME


async def test_a_repeat_is_the_same_message_and_one_page_is_one_thread(
    world: Any, mailbox: Any, settings: Make
) -> None:
    again = replace(world.alert(), attempts=3)
    later = world.alert(replace(world.change, id="c8"), id="msg_0002")
    for alert in (world.alert(), again, later):
        await channel_email.send(alert, render(alert), DESK, settings())
    ids = [mail["Message-ID"] for _, mail in mailbox.mails]
    threads = {mail["References"] for _, mail in mailbox.mails}
    assert ids == ["<msg_0001@watch.example>"] * 2 + ["<msg_0002@watch.example>"]
    assert len(threads) == 1


async def test_a_refused_recipient_costs_no_one_else_the_message(world: Any, mailbox: Any, settings: Make) -> None:
    mailbox.replies = {"gone@example.org": "550 5.1.1 no such user", "slow@example.org": "451 4.3.0 try later"}
    channel = replace(DESK, to=("gone@example.org", "a@example.org", "slow@example.org", "b@example.org"))
    alert = world.alert()
    with pytest.raises(PartlyDeliveredError) as caught:
        await channel_email.send(alert, render(alert), channel, settings())
    assert mailbox.recipients == ["a@example.org", "b@example.org"]
    assert caught.value.reached == ("a@example.org", "b@example.org")
    assert not caught.value.permanent  # one of the refusals is temporary
    assert "gone@example.org: 550 5.1.1 no such user" in str(caught.value)
    assert "slow@example.org: 451 4.3.0 try later" in str(caught.value)

    # the next attempt leaves out those who have it
    del mailbox.replies["slow@example.org"]
    alert = replace(alert, reached=caught.value.reached)
    with pytest.raises(PartlyDeliveredError) as again:
        await channel_email.send(alert, render(alert), channel, settings())
    assert mailbox.recipients == ["a@example.org", "b@example.org", "slow@example.org"]
    assert again.value.permanent  # what is left cannot be mended by waiting
    assert again.value.reached == ("a@example.org", "slow@example.org", "b@example.org")


@pytest.mark.parametrize(
    ("replies", "permanent"),
    [
        ({"desk@example.org": "550 5.1.1 unknown"}, True),
        ({"desk@example.org": "451 4.7.1 greylisted"}, False),
        ({"DATA": "552 too large"}, True),
        ({"DATA": "452 disk full"}, False),
    ],
)
async def test_permanent_or_not(
    world: Any, mailbox: Any, settings: Make, replies: dict[str, str], permanent: bool
) -> None:
    mailbox.replies = replies
    with pytest.raises(DeliveryError) as caught:
        await channel_email.send(world.alert(), render(world.alert()), DESK, settings())
    assert caught.value.permanent is permanent
    assert next(iter(replies.values())) in str(caught.value)
    assert not isinstance(caught.value, PartlyDeliveredError)


async def test_a_server_that_refuses_hangs_or_hangs_up_is_tried_again(world: Any, settings: Make) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        writer.close()

    alert = world.alert()
    for serve in (hang, hang_up):
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(DeliveryError) as caught:
            await channel_email.send(
                alert,
                render(alert),
                DESK,
                settings(timeout=0.3, MUBIAO_SMTP_URL=f"smtp://127.0.0.1:{port}?tls=none"),
            )
        assert not caught.value.permanent
        listening.close()
    with pytest.raises(DeliveryError, match="refused") as caught:
        await channel_email.send(
            alert, render(alert), DESK, settings(MUBIAO_SMTP_URL=f"smtp://127.0.0.1:{port}?tls=none")
        )
    assert not caught.value.permanent


async def test_a_server_without_starttls_gets_no_password(world: Any, mailbox: Any, settings: Make) -> None:
    url = mailbox.url.replace("smtp://", "smtp://user:hunter2@").replace("tls=none", "tls=starttls")
    with pytest.raises(DeliveryError) as caught:
        await channel_email.send(world.alert(), render(world.alert()), DESK, settings(MUBIAO_SMTP_URL=url))
    assert "hunter2" not in str(caught.value)
    assert mailbox.mails == []
    assert not caught.value.permanent


async def test_page_text_cannot_add_a_header(world: Any, mailbox: Any, settings: Make) -> None:
    evil = Message(subject="两会\r\nBcc: victim@example.org\r\n\r\nbody\x00", text="t", html="<p>h</p>")
    alert = world.alert(payload={"url": "http://x.example/\r\nX-Evil: 1"}, type="a\r\nX-Evil: 2")
    await channel_email.send(alert, evil, DESK, settings())
    [(to, mail)] = mailbox.mails
    assert to == "desk@example.org"
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["Subject"] == "两会 Bcc: victim@example.org body"


async def test_a_bad_recipient_is_named_and_the_others_get_it(world: Any, mailbox: Any, settings: Make) -> None:
    channel = replace(DESK, to=("nobody", "x@y.example\r\nRCPT TO:<z@y.example>", "desk@example.org"))
    with pytest.raises(PartlyDeliveredError, match="nobody: not an e-mail address"):
        await channel_email.send(world.alert(), render(world.alert()), channel, settings())
    assert mailbox.recipients == ["desk@example.org"]


async def test_without_server_or_recipient(world: Any, settings: Make) -> None:
    with pytest.raises(DeliveryError, match="MUBIAO_SMTP_URL is not set"):
        await channel_email.send(world.alert(), render(world.alert()), DESK, settings(MUBIAO_SMTP_URL=""))
    with pytest.raises(DeliveryError, match="no recipient"):
        await channel_email.send(world.alert(), render(world.alert()), replace(DESK, to=()), settings())


def test_the_address_of_the_server() -> None:
    one = server("smtp://me%40corp.example:p%2Fw@mail.corp.example:2525?tls=tls&from=Mubiao%20%3Cm@corp.example%3E")
    assert (one.host, one.port, one.tls) == ("mail.corp.example", 2525, "tls")
    assert (one.user, one.password, one.sender) == ("me@corp.example", "p/w", "Mubiao <m@corp.example>")
    assert "p/w" not in repr(one)
    assert (server("smtp://h.example").port, server("smtp://h.example").tls) == (25, "none")
    assert (server("smtp://u:p@h.example").port, server("smtp://u:p@h.example").tls) == (587, "starttls")
    assert (server("smtps://h.example").port, server("smtps://h.example").tls) == (465, "tls")
    assert server("smtp://[::1]:25").host == "::1"
    assert server("smtp://[::1]:25").sender == "mubiao@localhost"


@pytest.mark.parametrize(
    "url",
    [
        "", "mail.example", "http://mail.example", "smtp://", "smtp://u:hunter2@h.example:none",
        "smtp://u:hunter2@h.example?tls=maybe", "smtp://u:hunter2@h.example?from=nobody", "smtp://u:hunter2@h.example?x",
        "smtp://u:hunter2@h.example?from=a@b.example%0D%0ABcc:c@d.example",
    ],
)  # fmt: skip
def test_a_wrong_address_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server(url)
    assert "MUBIAO_SMTP_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


# --------------------------------------------------------------------------- connections


@dataclass
class Counted:
    """An SMTP server that counts its connections; each takes `most` messages and is then closed with 421."""

    most: int = 1000
    made: int = 0
    taken: list[str] = field(default_factory=list)
    here: int = 0
    talks: list[SMTP] = field(default_factory=list)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.here >= self.most:
            return "421 4.7.0 too many messages in this session"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.here += 1
        self.taken.append(str(email.message_from_bytes(envelope.content)["Message-ID"]))
        return "250 OK"

    def serve(self, **options: Any) -> SMTP:
        self.made, self.here = self.made + 1, 0
        self.talks.append(SMTP(self, loop=asyncio.get_running_loop(), **options))
        return self.talks[-1]

    async def close(self, listening: asyncio.Server) -> None:
        """Our side of every connection too: a client that hung up leaves it to whoever sweeps memory."""
        for talk in self.talks:
            if talk.transport is not None:
                talk.transport.abort()
        await asyncio.sleep(0)
        listening.close()
        await listening.wait_closed()


async def send_many(world: Any, given: Settings, count: int) -> None:
    for number in range(count):
        alert = world.alert(id=f"msg_{number}")
        await channel_email.send(alert, render(alert), DESK, given)


@pytest.mark.parametrize(("most", "connections"), [(1000, 1), (2, 3)])
async def test_a_connection_serves_many_messages(world: Any, settings: Make, most: int, connections: int) -> None:
    box = Counted(most)
    listening = await asyncio.get_running_loop().create_server(box.serve, "127.0.0.1", 0)
    given = settings(MUBIAO_SMTP_URL=f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}?tls=none")
    await send_many(world, given, 5)
    assert len(box.taken) == len(set(box.taken)) == 5
    assert box.made == connections
    await asyncio.to_thread(given.kept.close)
    await box.close(listening)


async def test_one_that_the_server_closed_meanwhile_is_made_anew(
    world: Any, settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_email, "_IDLE", -1.0)  # as if a minute had passed since the last message
    box = Counted()
    listening = await asyncio.get_running_loop().create_server(box.serve, "127.0.0.1", 0)
    given = settings(MUBIAO_SMTP_URL=f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}?tls=none")
    await send_many(world, given, 1)
    assert box.talks[0].transport is not None
    box.talks[0].transport.abort()
    await send_many(world, given, 1)
    assert (box.made, len(box.taken)) == (2, 2)
    await asyncio.to_thread(given.kept.close)
    await box.close(listening)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody but its holder trusts, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_mail_is_encrypted_and_the_server_known(
    world: Any, settings: Make, certificate: tuple[Path, Path], tls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    box, seen = Counted(), []

    auth: dict[str, Any] = {"authenticator": lambda *a: (seen.append(a[4]), AuthResult(success=True))[1]}
    if tls == "starttls":
        auth |= {"tls_context": context, "require_starttls": True, "auth_require_tls": True}
    else:
        auth |= {"auth_require_tls": False}
    listening = await asyncio.get_running_loop().create_server(
        lambda: box.serve(**auth), "127.0.0.1", 0, ssl=context if tls == "tls" else None
    )
    port = listening.sockets[0].getsockname()[1]
    given = settings(MUBIAO_SMTP_URL=f"smtp://me:p%2Fw@127.0.0.1:{port}?tls={tls}")

    channel_email._context.cache_clear()
    with pytest.raises(DeliveryError, match="certificate") as caught:
        await send_many(world, given, 1)
    assert not caught.value.permanent
    assert (box.taken, seen) == ([], [])  # no password for a server that may be anyone

    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    channel_email._context.cache_clear()
    await send_many(world, given, 2)
    channel_email._context.cache_clear()
    assert len(box.taken) == 2
    assert [(a.login, a.password) for a in seen] == [(b"me", b"p/w")]
    await asyncio.to_thread(given.kept.close)
    await box.close(listening)


@pytest.mark.parametrize(
    ("sender", "recipient", "subject"),
    [
        ('"Watch, \\"the\\" desk" <m@watch.example>', "Desk <desk@example.org>", "plain words"),
        ("目标监测 <m@watch.example>", "desk@example.org", "[目标] " + "南岗区与哈尔滨新区" * 20),
        ("m@watch.example", "desk@example.org", "=?utf-8?b?aGk=?= 😀" + "é" * 150),
        ("m@watch.example", "desk@example.org", "long ascii " * 17),
    ],
)
async def test_headers_are_read_back_as_they_were_meant(
    world: Any, mailbox: Any, settings: Make, sender: str, recipient: str, subject: str
) -> None:
    where = f"{mailbox.url.partition('&')[0]}&{urlencode({'from': sender})}"
    message = replace(render(world.alert()), subject=subject)
    await channel_email.send(world.alert(), message, replace(DESK, to=(recipient,)), settings(MUBIAO_SMTP_URL=where))
    [(_, mail)] = mailbox.mails
    assert mail["Subject"] == subject.strip()
    assert str(mail["From"].addresses[0].addr_spec) == "m@watch.example"
    assert mail["From"].addresses[0].display_name == parseaddr(sender)[0]
    assert mail["To"].addresses[0].addr_spec == parseaddr(recipient)[1]
    assert not mail.defects
    assert not any(part.defects for part in mail.walk())
    assert mailbox.raw[0].isascii()
    head = mailbox.raw[0].split(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 200
