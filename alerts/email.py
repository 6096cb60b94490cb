"""E-mail over SMTP: one transaction for each recipient, so that one refused address costs no one else the message."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime, parseaddr
from functools import cache, partial
from urllib.parse import parse_qs, unquote, urlsplit

from alerts.inert import one_line
from alerts.sending import PartlyDeliveredError, Settings
from monitor.errors import ConfigError, DeliveryError
from monitor.model import Alert, Channel, Message

SMTP_ENV = "MUBIAO_SMTP_URL"
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
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


def compose(alert: Alert, message: Message, sender: str, recipient: str, at: datetime) -> EmailMessage:
    """A multipart/alternative mail. Message-ID is the alert's id: a repeat is the same message to a mail box."""
    source, target = _mailbox(sender), _mailbox(recipient)
    if source is None or target is None:
        raise DeliveryError(f"not an e-mail address: {one_line(recipient if source else sender, 100)}", permanent=True)
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = one_line(message.subject, 200)
    mail["From"] = source
    mail["To"] = target
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{alert.id}@{source.domain}>"
    page = alert.payload.get("url")
    if page:  # everything about one page is one thread
        mail["References"] = (
            f"<page.{hashlib.sha256(str(page).encode('utf-8', 'replace')).hexdigest()[:32]}@{source.domain}>"
        )
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Mubiao-Type"] = one_line(alert.type, 40)
    mail.set_content(message.text, cte="base64")
    mail.add_alternative(message.html, subtype="html", cte="base64")
    return mail


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
    refused |= await _aside(partial(_hand_in, where, mails, settings.timeout))
    if refused:
        raise _refusal(channel.to, refused)


async def _aside(work: Callable[[], dict[str, tuple[bool, str]]]) -> dict[str, tuple[bool, str]]:
    """Run `work` in a daemon thread of its own.

    A mail server that hangs must hold up neither the database's calls, as asyncio's few executor threads would, nor
    the end of the program. `work` raises nothing but bugs, which come out here.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[dict[str, tuple[bool, str]]] = loop.create_future()

    def settle(answer: dict[str, tuple[bool, str]] | Exception) -> None:
        if future.done():  # nobody waits any more
            return
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def run() -> None:
        answer: dict[str, tuple[bool, str]] | Exception
        try:
            answer = work()
        except Exception as wrong:  # carried to whoever waits
            answer = wrong
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, answer)

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await future


def _refusal(recipients: Sequence[str], refused: dict[str, tuple[bool, str]]) -> DeliveryError:
    """One error for all refusals; permanent only if none of them can be mended by waiting."""
    reached = [r for r in recipients if r not in refused]
    words = "; ".join(f"{one_line(r, 100)}: {why}" for r, (_, why) in refused.items())
    permanent = not any(temporary for temporary, _ in refused.values())
    if reached:
        return PartlyDeliveredError(words, reached=reached, permanent=permanent)
    return DeliveryError(words, permanent=permanent)


def _hand_in(where: Server, mails: dict[str, EmailMessage], timeout: float) -> dict[str, tuple[bool, str]]:
    """The recipients who were refused, each with (may be tried again, why). Trouble with the server is everyone's."""
    refused: dict[str, tuple[bool, str]] = {}
    waiting = dict(mails)
    try:
        with _connect(where, timeout) as smtp:
            for recipient, mail in mails.items():
                try:
                    smtp.send_message(mail)
                except smtplib.SMTPRecipientsRefused as why:
                    code, said = next(iter(why.recipients.values()))
                    refused[recipient] = _judge(code, said)
                except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as why:
                    refused[recipient] = _judge(why.smtp_code, why.smtp_error)
                del waiting[recipient]
    except smtplib.SMTPResponseException as why:
        trouble = _judge(why.smtp_code, why.smtp_error)
    except (smtplib.SMTPException, OSError) as why:
        trouble = (True, f"{type(why).__name__}: {one_line(why, 200)}")
    else:
        return refused
    # a login that is refused is mended by an operator, not by giving up: never permanent
    return refused | dict.fromkeys(waiting, (True, trouble[1]))


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
