"""Why a request gave nothing: exceptions of the transport as CONTRACT.md's words, with a detail for a person."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator

import httpx

from monitor import net
from monitor.errors import ConfigError
from monitor.fetch.body import DamagedError, EncodingError, TooLargeError
from monitor.fetch.room import FullError
from monitor.framing import CutError, TooLongError
from monitor.model import Failure

MOST_DETAIL = 200  # characters of what a server said

# Everything that `describe` understands; anything else is a bug and may not look like a bad server.
TROUBLE = (
    httpx.TransportError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError,
    net.RefusedError, net.UnresolvedError, ConfigError, DamagedError, TooLargeError, EncodingError, FullError,
)  # fmt: skip

_PHASES = (
    (httpx.ConnectTimeout, "no connection"),
    (httpx.ReadTimeout, "no answer"),
    (httpx.WriteTimeout, "the request was not taken"),
)
_UNREACHABLE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


class StoppedError(Exception):
    """A check that ends without a document."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.detail)


def stop(word: str, detail: str, *, status: int | None = None, retry_after: float | None = None) -> StoppedError:
    """The exception that ends a check with this failure."""
    return StoppedError(Failure(word, detail, status, retry_after))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _connection(error: BaseException, profile: str) -> tuple[str, str]:
    """A connection that could not be made or broke: TLS, refused or reset."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLError):
            text = str(cause)
            hint = net.advice(text, profile)
            return "tls", f"{text}; {hint}" if hint else text
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "refused", cause.strerror or str(cause)
    if isinstance(error, httpx.ConnectError) and "Connection refused" in str(error):
        return "refused", str(error)
    return "reset", str(error) or "the server closed the connection"


def describe(error: BaseException, profile: str) -> Failure:  # noqa: PLR0911 (one line a kind is the clearest)
    """The failure of one of TROUBLE, met with this TLS profile."""
    match error:
        case net.RefusedError() | ConfigError() | httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return Failure("guard", str(error))
        case net.UnresolvedError():
            return Failure("dns", str(error))
        case FullError():
            return Failure("timeout", "too many large answers wait to be read: there is no room for another now")
        case TooLargeError():
            return Failure("too_large", "the answer is larger than max_bytes")
        case DamagedError():
            return Failure("truncated", str(error))
        case EncodingError():
            return Failure("not_html", f"Content-Encoding {error} was not asked for")
        case httpx.TimeoutException() | TimeoutError():
            phase = next((words for kind, words in _PHASES if isinstance(error, kind)), "the answer was not complete")
            return Failure("timeout", f"{phase} within the time allowed")
        case CutError():
            return Failure("truncated", str(error))
        case TooLongError():
            return Failure("too_large", str(error))
        case httpx.RemoteProtocolError():
            return Failure("reset", str(error)[:MOST_DETAIL])
        case httpx.ProxyError():
            return Failure("refused", f"the proxy: {error}")
        case _:
            return Failure(*_connection(error, profile))
