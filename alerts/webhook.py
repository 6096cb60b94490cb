"""A webhook by the Standard Webhooks specification: signed, never redirected, told apart by `webhook-id`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from alerts.inert import one_line
from alerts.sending import Settings
from monitor import wire
from monitor.connection import Answer
from monitor.errors import DeliveryError
from monitor.model import Alert, Channel, Message
from monitor.net import RefusedError, UnresolvedError

_REPLY_LIMIT = 300  # characters of an error answer worth keeping
_READ_LIMIT = 4096  # bytes of an answer worth reading
_COURTESY = 1.0  # seconds for the rest of an answer that has said yes


async def send(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
    """POST the alert. 2xx is taken; 410 ends the channel; one without a usable address or secret is permanent."""
    if not channel.url:
        raise DeliveryError(f"channel {channel.name} has no url", permanent=True)
    now = settings.clock()
    # a lone surrogate, which no page should hold, is no reason to hold back the rest
    body = wire.webhook(alert, now).encode("utf-8", "replace").decode()
    signed = sign(alert.id, now, body, _secrets(channel, settings))
    try:
        # the whole attempt is bounded: a receiver may drip a byte a second and never hit a read timeout
        async with asyncio.timeout(settings.timeout):
            url = httpx.URL(channel.url)
            content = body.encode()
            answer = await settings.pool(url.host).ask("POST", url, _headers(url, len(content), signed), content)
            try:
                said = await _start(answer)
            finally:
                await answer.close()
    except TimeoutError:
        raise DeliveryError(f"no answer within {settings.timeout:g} s") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, RefusedError) as why:
        raise DeliveryError(f"address not usable: {one_line(why, _REPLY_LIMIT)}", permanent=True) from None
    except UnresolvedError as why:
        raise DeliveryError(f"no such host: {one_line(why, _REPLY_LIMIT)}") from None
    except httpx.HTTPError as why:
        raise DeliveryError(f"{type(why).__name__}: {one_line(why, _REPLY_LIMIT)}".rstrip(": ")) from None
    judge(answer.status, {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}, said, now)


def _headers(url: httpx.URL, length: int, signed: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """What goes out with a body of `length` bytes. A name and password in the address are sent as Basic."""
    headers = [
        (b"host", url.netloc),
        (b"user-agent", b"mubiao"),
        (b"content-type", b"application/json"),
        (b"accept", b"*/*"),
        (b"content-length", b"%d" % length),
    ]
    if url.userinfo:
        secret = b":".join(part.encode() for part in (url.username, url.password))
        headers.append((b"authorization", b"Basic " + base64.b64encode(secret)))
    return headers + [(name.encode(), value.encode()) for name, value in signed.items()]


def sign(message: str, at: datetime, body: str, keys: list[str]) -> dict[str, str]:
    """The three headers; one signature for each key, so that a receiver can change keys without missing a message."""
    try:
        signatures = [Webhook(key).sign(message, at, body) for key in keys]
    except (binascii.Error, EmptyWebhookSecretError, ValueError):
        # the library's own message may hold the secret
        raise DeliveryError("the webhook secret is not whsec_ and base64", permanent=True) from None
    stamps = {"webhook-id": message, "webhook-timestamp": str(int(at.timestamp()))}
    return stamps | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def _secrets(channel: Channel, settings: Settings) -> list[str]:
    """The keys in the environment variable, several separated by blanks. A channel that names none is unsigned."""
    if not channel.secret_env:
        return []
    keys = settings.env.get(channel.secret_env, "").split()
    if not keys:
        raise DeliveryError(f"environment variable {channel.secret_env} holds no secret", permanent=False)
    return keys


async def _start(answer: Answer) -> str:
    """The first characters of an error answer, for the record.

    That of an accepted message is read as well, because only then is its connection good for the next one; but what
    goes wrong with it takes nothing back.
    """
    if 200 <= answer.status < 300:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_COURTESY):
                await _read(answer)
        return ""
    return one_line((await _read(answer)).decode("utf-8", "replace"), _REPLY_LIMIT)


async def _read(answer: Answer) -> bytes:
    kept = b""
    async for piece in answer.body:
        kept += piece
        if len(kept) >= _READ_LIMIT:
            break
    return kept[:_READ_LIMIT]


def judge(status: int, headers: Mapping[str, str], said: str, now: datetime) -> None:
    """Raise DeliveryError for everything but 2xx: 410 turns the channel off; Retry-After counts for 429 and 503."""
    if 200 <= status < 300:
        return
    reason = f"HTTP {status}" + (f": {said}" if said else "")
    if 300 <= status < 400:
        reason = f"HTTP {status}: redirects are not followed; put the new address into sources.yaml"
    wait = retry_after(headers.get("retry-after"), now) if status in (429, 503) else None
    raise DeliveryError(reason, retry_after=wait, gone=[""] if status == 410 else [])


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a count of seconds or a date; None where the header is absent or makes no sense."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)
