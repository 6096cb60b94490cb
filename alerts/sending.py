"""What every channel is given and may raise. Retrying, leases and records are delivery's business, not a channel's."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from monitor.errors import DeliveryError, MubiaoError
from monitor.model import Alert, Channel, Message
from monitor.net import Transport


class Closable(Protocol):
    def close(self) -> None: ...


_SHORTEST, _LONG = 4, 12  # characters of a password, of a token in an address
C = TypeVar("C", bound=Closable)


class Kept:
    """What channels keep open between two messages (a connection to a mail server), by a key of theirs."""

    def __init__(self) -> None:
        self._idle: dict[object, list[Closable]] = {}
        self._turn = threading.Lock()

    def take(self, key: object, make: Callable[[], C]) -> C:
        """An idle one, which is the caller's until it is given back; else a new one."""
        with self._turn:
            idle = self._idle.get(key)
            found = idle.pop() if idle else None
        return found if found is not None else make()  # type: ignore[return-value]  # a key has one type

    def give(self, key: object, kept: Closable) -> None:
        with self._turn:
            self._idle.setdefault(key, []).append(kept)

    def close(self) -> None:
        """Close what is idle; what is in use is closed by whoever gives it back last."""
        with self._turn:
            idle, self._idle = self._idle, {}
        for kept in [k for some in idle.values() for k in some]:
            kept.close()


@dataclass(frozen=True, slots=True)
class Settings:
    """The outside world of a channel. Nothing in `env` may reach a log, an error or the database."""

    env: Mapping[str, str] = field(repr=False)  # MUBIAO_SMTP_URL and the secrets that channels name
    pool: Callable[[str], Transport]  # a host's guarded connections (monitor.net.Pools.transport), never closed here
    clock: Callable[[], datetime]
    timeout: float = 15.0  # seconds for one attempt
    kept: Kept = field(default_factory=Kept)


class Sender(Protocol):
    """One channel type. Raises DeliveryError; returning means that the other side took the message."""

    async def __call__(self, alert: Alert, message: Message, channel: Channel, settings: Settings) -> None: ...


def without_secrets(text: str, env: Mapping[str, str], names: Iterable[str]) -> str:
    """An error's words without the values of these variables, should the other side have repeated one.

    Also without the parts of a value that say enough: each key of several, the password of an address.
    """
    for name in names:
        try:
            value = env.get(name) or ""
        except MubiaoError:  # its file cannot be read: then nobody knows it
            continue
        for secret in sorted(_telling(value), key=len, reverse=True):
            text = text.replace(secret, "…")
    return text


def _telling(value: str) -> set[str]:
    try:
        password = urlsplit(value).password or ""
        path = [*urlsplit(value).path.split("/"), urlsplit(value).netloc] if "://" in value else []
    except ValueError:
        password, path = "", []
    pieces = {value, *value.split(), password, unquote(password), *(p for p in path if len(p) >= _LONG)}
    known = {p for p in pieces if len(p) >= _SHORTEST}
    return known | {base64.b64encode(p.encode()).decode() for p in known}


class PartlyDeliveredError(DeliveryError):
    """Some recipients took the message: `reached` names all who have it by now, so that no one gets it twice."""

    def __init__(
        self, message: str, *, reached: Sequence[str], permanent: bool = False, gone: Sequence[str] = ()
    ) -> None:
        super().__init__(message, permanent=permanent, gone=gone)
        self.reached = tuple(reached)
