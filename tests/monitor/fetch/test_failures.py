"""Exceptions as words, for those that no local server can provoke."""

import errno
import ssl

import httpx
import pytest

from monitor.errors import ConfigError
from monitor.fetch.failures import TROUBLE, describe
from monitor.model import FAILURE_WORDS


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (httpx.ConnectTimeout("x"), "timeout"),
        (httpx.ReadTimeout("x"), "timeout"),
        (TimeoutError(), "timeout"),
        (caused(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "No route to host")), "refused"),
        (caused(httpx.ConnectError("x"), OSError(errno.ENETUNREACH, "Network is unreachable")), "refused"),
        (caused(httpx.ConnectError("x"), ConnectionResetError(errno.ECONNRESET, "reset by peer")), "reset"),
        (caused(httpx.ConnectError("x"), ssl.SSLError(1, "[SSL: NO_SHARED_CIPHER]")), "tls"),
        (caused(httpx.ReadError("x"), ssl.SSLError(1, "[SSL: BAD_RECORD_MAC]")), "tls"),
        (httpx.ProxyError("407"), "refused"),
        (ConfigError("unknown TLS profile"), "guard"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "reset"),
    ],
)
def test_describe(error, word):
    got = describe(error, "default")
    assert isinstance(error, TROUBLE)
    assert got.error == word
    assert got.error in FAILURE_WORDS
    assert got.detail
