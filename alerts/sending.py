"""What every channel is given and may raise. Retrying, leases and records are delivery's business, not a channel's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import httpx

from monitor.errors import DeliveryError
from monitor.model import Alert, Channel, Message


@dataclass(frozen=True, slots=True)
class Settings:
    """The outside world of a channel. Nothing in `env` may reach a log, an error or the database."""

    env: Mapping[str, str] = field(repr=False)  # MUBIAO_SMTP_URL and the secrets that channels name
    client: Callable[
        [str], httpx.AsyncClient
    ]  # a host's guarded client (monitor.net.Pools.client), shared: never closed here
    clock: Callable[[], datetime]
    timeout: float = 15.0  # seconds for one attempt


class Sender(Protocol):
    """One channel type. Raises DeliveryError; returning means that the other side took the message."""

    async def __call__(self, alert: Alert, message: Message, channel: Channel, settings: Settings) -> None: ...


class PartlyDeliveredError(DeliveryError):
    """Some recipients took the message: `reached` names all who have it by now, so that no one gets it twice."""

    def __init__(self, message: str, *, reached: Sequence[str], permanent: bool = False) -> None:
        super().__init__(message, permanent=permanent)
        self.reached = tuple(reached)
