"""Chat services (WeCom, DingTalk, Feishu, Lark, ServerChan, Telegram, Slack, …) by Apprise, which knows many.

A service takes plain text up to a length of its own. Apprise counts characters, some services count bytes (WeCom's
2,048 are 682 Chinese characters), so the limit is kept in bytes: short enough for either.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading

import apprise

from alerts.inert import link, one_line
from alerts.sending import Settings
from monitor.errors import DeliveryError
from monitor.model import Alert, Channel, Message

logging.getLogger("apprise").propagate = False  # its words repeat addresses, and with them tokens
logging.getLogger("apprise").addHandler(logging.NullHandler())

_REASON = re.compile(r"error\s*=?\s*([45]\d\d)\b")
_PROBE = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})  # to any address: that is the webhook's job


async def send(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
    """Hand the message to the service behind the channel's address."""
    service = _service(_address(channel, settings))
    title, body = fitted(message, alert, service.title_maxlen, service.body_maxlen)
    try:
        async with asyncio.timeout(settings.timeout):
            taken, said = await asyncio.to_thread(_notify, service, title, body)
    except TimeoutError:
        raise DeliveryError(f"no answer within {settings.timeout:g} s") from None
    if not taken:
        raise DeliveryError(f"{service.service_name} did not take the message{said}")


def _address(channel: Channel, settings: Settings) -> str:
    """The address, which holds the token: from the environment where `secret_env` names a variable."""
    if channel.secret_env:
        address = settings.env.get(channel.secret_env)
        if not address:
            raise DeliveryError(f"environment variable {channel.secret_env} is not set")
        return address
    if not channel.url:
        raise DeliveryError(f"channel {channel.name} has no url", permanent=True)
    return channel.url


def _service(address: str) -> apprise.NotifyBase:
    scheme = address.partition("://")[0].lower() if "://" in address else "?"
    service = None if scheme in _PROBE else apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is None:  # the address is not repeated: it holds the token
        raise DeliveryError(f"{one_line(scheme, 30)}:// is not an address that Apprise knows", permanent=True)
    return service


class _Heard(logging.Handler):
    """The statuses that Apprise's warnings name, of one thread: another channel's refusal is not this one's.

    Its own words are not kept: they may hold the token.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.statuses: list[str] = []
        self._mine = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._mine:
            self.statuses.extend(_REASON.findall(record.getMessage()))


def _notify(service: apprise.NotifyBase, title: str, body: str) -> tuple[bool, str]:
    """Whether it was taken, and the status that Apprise logged, as words to add."""
    log, heard = logging.getLogger("apprise"), _Heard()
    log.addHandler(heard)
    try:
        taken = bool(service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))
    finally:
        log.removeHandler(heard)
    return taken, f" (HTTP {heard.statuses[-1]})" if heard.statuses else ""


def fitted(message: Message, alert: Alert, title_limit: int, body_limit: int) -> tuple[str, str]:
    """Title and text within a service's limits, in bytes of UTF-8; a cut text ends with the page's address.

    A service without titles (limit 0) gets none: the text begins with what moved anyway.
    """
    title = _cut(message.subject, title_limit) if title_limit else ""
    text = message.text.partition("\n-- \n")[0].strip()
    if len(text.encode()) <= body_limit:
        return title, text
    tail = f"\n…\n{link(alert.payload.get('url')) or ''}".rstrip()
    room = body_limit - len(tail.encode())
    kept = _cut(text, room) if room > 0 else ""
    whole = kept.rpartition("\n")[0] or kept  # end with a whole line
    return title, _cut(whole + tail, body_limit)


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    return text.encode()[: max(limit, 0)].decode("utf-8", "ignore")
