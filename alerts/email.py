"""E-mail over SMTP: one transaction for each recipient, so that one refused address costs no one else the message."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import re
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from functools import cache, partial
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from alerts.inert import one_line
from alerts.sending import PartlyDeliveredError, Settings
from monitor.errors import ConfigError, DeliveryError
from monitor.model import Alert, Channel, Message

SMTP_ENV = "MUBIAO_SMTP_URL"
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_IDLE = 1.0  # seconds after which a kept connection is asked whether it is still there
_CLOSING = 421  # RFC 5321 §4.2.2: the service closes the connection; the message was not taken
# RFC 3463 §3.2 and RFC 7505: no such mailbox, or a mailbox, a domain that takes no mail
_GONE = re.compile(r"5\d\d 5\.1\.(?:1|2|6|10)\b|5\d\d 5\.2\.1\b")
_NO_ATOM = re.compile(r"[^A-Za-z0-9._-]")
_SHORT = 60  # characters of a header value that needs no second line
_SHAPE = "smtp://user:password@host:port?tls=none|starttls|tls&from=sender@example.org"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in."""

    host: str
    port: int
    tls: str  # none | starttls | tls
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def server(url: str) -> Server:
    """Read MUBIAO_SMTP_URL. Raises ConfigError, whose words never repeat the password."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        port = parts.port
    except ValueError:
        raise ConfigError("is not an address of a mail server", path=SMTP_ENV, fix=_SHAPE) from None
    tls = query.get("tls", ["tls" if parts.scheme == "smtps" else "starttls" if parts.username else "none"])[0]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or tls not in _PORTS:
        raise ConfigError("is not an address of a mail server", path=SMTP_ENV, fix=_SHAPE)
    sender = query.get("from", [""])[0] or f"mubiao@{'localhost' if ':' in parts.hostname else parts.hostname}"
    if not _mailbox(sender):
        raise ConfigError("`from` is not an e-mail address", path=SMTP_ENV, fix=_SHAPE)
    return Server(
        host=parts.hostname,
        port=port or _PORTS[tls],
        tls=tls,
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _mailbox(address: str) -> Address | None:
    """One address as a header value, or None if it is none: nothing in it can start another header or recipient."""
    if any(ord(c) < 32 for c in address):
        return None
    name, spec = parseaddr(address)
    try:
        return Address(display_name=name, addr_spec=spec) if "@" in spec else None
    except (ValueError, IndexError):
        return None


# --------------------------------------------------------------------------- one message


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one recipient, as it goes over the line."""

    sender: str
    recipient: str
    raw: bytes


def compose(alert: Alert, message: Message, sender: str, recipient: str, at: datetime) -> Letter:
    """A multipart/alternative mail. Message-ID is the alert's id: a repeat is the same message to a mail box.

    Written by hand, because `email.message` takes longer for one than all the rest of sending it: RFC 5322, headers of
    RFC 2047, bodies in base64: every byte of it is ASCII.
    """
    source, target = _mailbox(sender), _mailbox(recipient)
    if source is None or target is None:
        raise DeliveryError(f"not an e-mail address: {one_line(recipient if source else sender, 100)}", permanent=True)
    boundary = f"=_{hashlib.sha256(alert.id.encode('utf-8', 'replace')).hexdigest()[:24]}"
    lines = [
        f"Subject: {_words(one_line(message.subject, 200))}",
        f"From: {_named(source)}",
        f"To: {_named(target)}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{_NO_ATOM.sub('.', alert.id)}@{source.domain}>",
    ]
    if threads := _threads(alert.payload):
        lines.append("References: " + " ".join(f"<{thread}@{source.domain}>" for thread in threads))
    lines += [
        "Auto-Submitted: auto-generated",
        f"X-Mubiao-Type: {_words(one_line(alert.type, 40))}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        *_part("plain", message.text, boundary),
        *_part("html", message.html, boundary),
        f"--{boundary}--",
        "",
    ]
    return Letter(source.addr_spec, target.addr_spec, "\r\n".join(lines).encode())


def _threads(payload: Mapping[str, Any]) -> list[str]:
    """What a message belongs to: one release of a region, missed and then there, and everything about one page."""
    release = payload.get("release") and payload.get("series")
    marks = [("release", "|".join(str(payload.get(k)) for k in ("region", "series", "release")))] if release else []
    if page := payload.get("url"):
        marks.append(("page", str(page)))
    return [f"{name}.{hashlib.sha256(of.encode('utf-8', 'replace')).hexdigest()[:32]}" for name, of in marks]


def _part(subtype: str, text: str, boundary: str) -> Iterator[str]:
    yield f"--{boundary}"
    yield f'Content-Type: text/{subtype}; charset="utf-8"'
    yield "Content-Transfer-Encoding: base64"
    yield ""
    whole = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    coded = binascii.b2a_base64(whole, newline=False).decode("ascii")
    yield from (coded[at : at + 76] for at in range(0, len(coded), 76))


def _named(address: Address) -> str:
    name = address.display_name
    if not name:
        return address.addr_spec
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f"{_words(name)} <{address.addr_spec}>" if _needs_code(name) else f'"{quoted}" <{address.addr_spec}>'


def _needs_code(text: str) -> bool:
    return not text.isascii() or "=?" in text or len(text) > _SHORT


def _words(text: str) -> str:
    """A header value: as it is, or as encoded words of at most 75 characters, never parting one (RFC 2047 §2, §5)."""
    if not _needs_code(text):
        return text
    words, piece = [], b""
    for sign in text:
        more = sign.encode("utf-8", "replace")
        if len(piece) + len(more) > 45:  # 60 in base64, and 12 around it
            words.append(piece)
            piece = b""
        piece += more
    return "\r\n ".join(f"=?utf-8?b?{binascii.b2a_base64(w, newline=False).decode('ascii')}?=" for w in [*words, piece])


# --------------------------------------------------------------------------- sending


async def send(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
    """Hand the message to the mail server for every recipient that does not have it yet."""
    url = settings.env.get(SMTP_ENV)
    if not url:
        raise DeliveryError(f"environment variable {SMTP_ENV} is not set")
    if not channel.to:
        raise DeliveryError(f"channel {channel.name} has no recipient", permanent=True)
    try:
        where = server(url)
    except ConfigError as why:
        raise DeliveryError(str(why)) from None
    waiting = [r for r in channel.to if r not in alert.reached]
    mails = {r: compose(alert, message, where.sender, r, settings.clock()) for r in waiting if _mailbox(r)}
    refused = {r: (False, "not an e-mail address") for r in waiting if r not in mails}
    if mails:
        clerk = settings.kept.take(where, partial(_Clerk, where, settings.timeout))
        try:
            refused |= await clerk.hand_in(mails)
        except BaseException:  # cancelled: it ends after the message under way, and nobody else gets it
            clerk.close()
            raise
        settings.kept.give(where, clerk)
    if refused:
        raise _refusal(channel.to, refused)


class _Clerk:
    """A connection to one mail server, and the daemon thread that talks to it, kept for the next message.

    A mail server that hangs must hold up neither the database's calls, as asyncio's few executor threads would, nor
    the end of the program.
    """

    def __init__(self, where: Server, timeout: float) -> None:
        self._where, self._timeout = where, timeout
        self._smtp: smtplib.SMTP | None = None
        self._used = 0.0
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="mail", daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._hang_up()

    def close(self) -> None:
        """Say goodbye once the message under way is done."""
        self._jobs.put(None)

    async def hand_in(self, mails: dict[str, Letter]) -> dict[str, tuple[bool, str]]:
        """The recipients who were refused, each with (may be tried again, why)."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, tuple[bool, str]]] = loop.create_future()

        def settle(answer: dict[str, tuple[bool, str]] | Exception) -> None:
            if future.done():  # nobody waits any more
                return
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

        def job() -> None:
            answer: dict[str, tuple[bool, str]] | Exception
            try:
                answer = self._hand_in(mails)
            except Exception as wrong:  # a bug: carried to whoever waits
                answer = wrong
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, answer)

        self._jobs.put(job)
        return await future

    def _hand_in(self, mails: dict[str, Letter]) -> dict[str, tuple[bool, str]]:
        """One transaction for each. Trouble with the server is everyone's who is still waiting."""
        refused: dict[str, tuple[bool, str]] = {}
        waiting = dict(mails)
        try:
            for recipient, mail in mails.items():
                why = self._one(mail)
                if why is not None:
                    refused[recipient] = why
                del waiting[recipient]
            return refused
        except smtplib.SMTPResponseException as why:
            trouble = _judge(why.smtp_code, why.smtp_error)
        except (smtplib.SMTPException, OSError) as why:
            trouble = (True, f"{type(why).__name__}: {one_line(why, 200)}")
        self._hang_up(politely=False)
        # a login that is refused is mended by an operator, not by giving up: never permanent
        return refused | dict.fromkeys(waiting, (True, trouble[1]))

    def _one(self, mail: Letter) -> tuple[bool, str] | None:
        """Why the server did not take it, or None. A kept connection that it has tired of (421) is made anew, once."""
        fresh = self._fresh()
        answer = self._transaction(mail)
        if answer is not None and answer[0] == _CLOSING and not fresh:
            self._hang_up()
            self._fresh()
            answer = self._transaction(mail)
        return _judge(*answer) if answer is not None else None

    def _transaction(self, mail: Letter) -> tuple[int, bytes | str] | None:
        assert self._smtp is not None
        try:
            self._smtp.sendmail(mail.sender, [mail.recipient], mail.raw)
            self._used = time.monotonic()
        except smtplib.SMTPRecipientsRefused as why:
            return next(iter(why.recipients.values()))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as why:
            return why.smtp_code, why.smtp_error
        return None

    def _fresh(self) -> bool:
        """Be connected; whether that took a new connection. One that was idle is asked first if it is still there."""
        if self._smtp is not None and time.monotonic() - self._used > _IDLE:
            try:
                alive = self._smtp.noop()[0] == 250
            except (smtplib.SMTPException, OSError):
                alive = False
            if not alive:
                self._hang_up(politely=False)
        if self._smtp is not None:
            return False
        self._smtp = _connect(self._where, self._timeout)
        self._used = time.monotonic()
        return True

    def _hang_up(self, *, politely: bool = True) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with suppress(smtplib.SMTPException, OSError):
            if politely:
                smtp.quit()
        smtp.close()


def _refusal(recipients: Sequence[str], refused: dict[str, tuple[bool, str]]) -> DeliveryError:
    """One error for all refusals; permanent only if none of them can be mended by waiting."""
    reached = [r for r in recipients if r not in refused]
    words = "; ".join(f"{one_line(r, 100)}: {why}" for r, (_, why) in refused.items())
    permanent = not any(temporary for temporary, _ in refused.values())
    gone = [r for r, (temporary, why) in refused.items() if not temporary and _GONE.match(why)]
    if reached:
        return PartlyDeliveredError(words, reached=reached, permanent=permanent, gone=gone)
    return DeliveryError(words, permanent=permanent, gone=gone)


def _judge(code: int, said: bytes | str) -> tuple[bool, str]:
    """(may be tried again, the answer in one line): 4xx is temporary, 5xx is not."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return not 500 <= code < 600, f"{code} {one_line(words, 200)}"


@cache
def _context() -> ssl.SSLContext:
    """The system's certificates, read once: that takes tens of milliseconds."""
    return ssl.create_default_context()


def _connect(where: Server, timeout: float) -> smtplib.SMTP:
    """An open, if need be encrypted and logged in, connection."""
    smtp: smtplib.SMTP
    if where.tls == "tls":
        smtp = smtplib.SMTP_SSL(where.host, where.port, timeout=timeout, context=_context())
    else:
        smtp = smtplib.SMTP(where.host, where.port, timeout=timeout)
    try:
        if where.tls == "starttls":
            smtp.starttls(context=_context())
        if where.user:
            smtp.login(where.user, where.password or "")
    except BaseException:
        smtp.close()
        raise
    return smtp
