"""Where the demo's alerts arrive: a mail server and a webhook receiver that keep what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from monitor.demo.server import HttpServer, Listener, Reply, Request


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted message: the envelope, and the bytes as a client sent them, dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The body's `plain` or `html` part, decoded, lines ended by a line feed; empty where there is none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook call, byte for byte: a signature is over the bytes."""

    headers: Mapping[str, str]
    body: bytes


class WebhookReceiver(HttpServer):
    """Takes every POST, answers 204 and verifies nothing: the driver shows how a receiver checks the signature."""

    def __init__(self) -> None:
        super().__init__(self._take)
        self.calls: list[Hook] = []

    def _take(self, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(405)
        self.calls.append(Hook(request.headers, request.body))
        return Reply(204)


class MailServer(Listener):
    """SMTP as RFC 5321 asks of the smallest server (§4.5.1): no TLS, no login, every recipient is accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []

    @property
    def url(self) -> str:
        """For MUBIAO_SMTP_URL."""
        return f"smtp://{self.host}:{self.port}?tls=none&from=mubiao@demo.invalid"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session. A client that hangs up before the 250 still owes the message to its outbox."""
        session = _Session(self.mails)
        writer.write(b"220 demo.invalid ESMTP\r\n")
        while not session.over:
            await writer.drain()
            writer.write(session.answer(await reader.readuntil(b"\r\n")))
        await writer.drain()


class _Session:
    """One client's talk: which command is due, and what it has said so far."""

    def __init__(self, mails: list[Mail]) -> None:
        self._mails = mails
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._data: list[bytes] | None = None  # the lines of the message being sent
        self.over = False

    def answer(self, line: bytes) -> bytes:
        """What a line is answered: nothing inside a message, up to the dot that ends it."""
        if self._data is not None:
            return self._take(self._data, line)
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        match verb.upper():
            case "EHLO":
                self._reset()
                return b"250-demo.invalid\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
            case "HELO" | "RSET":
                self._reset()
                return b"250 OK\r\n"
            case "NOOP" | "VRFY":
                return b"250 OK\r\n"
            case "QUIT":
                self.over = True
                return b"221 Bye\r\n"
            case "MAIL" | "RCPT" | "DATA":
                return self._envelope(verb.upper(), rest)
        return b"500 Command unknown\r\n"

    def _envelope(self, verb: str, rest: str) -> bytes:
        """MAIL, then RCPT once or more, then DATA: any other order is 503."""
        if verb == "MAIL" and self._sender is None:
            self._sender = _address(rest)
        elif verb == "RCPT" and self._sender is not None:
            self._recipients.append(_address(rest))
        elif verb == "DATA" and self._recipients:
            self._data = []
            return b"354 End with a dot on its own line\r\n"
        else:
            return b"503 Bad sequence of commands\r\n"
        return b"250 OK\r\n"

    def _take(self, data: list[bytes], line: bytes) -> bytes:
        """One line of a message. The last one keeps the message before saying so."""
        if line != b".\r\n":
            data.append(line[1:] if line.startswith(b".") else line)
            return b""
        self._mails.append(Mail(self._sender or "", tuple(self._recipients), b"".join(data)))
        self._reset()
        return b"250 OK: kept\r\n"

    def _reset(self) -> None:
        self._sender, self._recipients, self._data = None, [], None


def _address(path: str) -> str:
    """`FROM:<a@b> SIZE=3` -> `a@b`."""
    start, end = path.find("<"), path.find(">")
    return path[start + 1 : end] if 0 <= start < end else ""
