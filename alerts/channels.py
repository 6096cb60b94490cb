"""The channel types of sources.yaml. A new one is a small file beside this one and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from alerts import email, feed, webhook
from alerts.sending import Sender, Settings
from monitor.model import Alert, Channel, Message


async def _chat(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
    """alerts.chat, loaded at its first message: few installations use it, and Apprise is large."""
    await importlib.import_module("alerts.chat").send(alert, message, channel, settings)


CHANNELS: Mapping[str, Sender] = {
    "email": email.send,
    "webhook": webhook.send,
    "apprise": _chat,
    "feed": feed.send,
}

WORDLESS = frozenset({"webhook"})  # they hand on data: nothing is written for them
