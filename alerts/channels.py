"""The channel types of sources.yaml. A new one is a small file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from alerts import email, webhook
from alerts.sending import Sender

CHANNELS: Mapping[str, Sender] = {
    "email": email.send,
    "webhook": webhook.send,
}
