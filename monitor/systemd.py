"""Telling systemd how the daemon is: ready, reloading, stopping, alive. Without systemd nothing is told.

The protocol is one datagram of `NAME=value` lines to the socket that $NOTIFY_SOCKET names: sd_notify(3), and
sd_watchdog_enabled(3) for how often it wants to hear that we live.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """What the service manager hears. A socket that is gone is no trouble of the daemon's."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address  # an abstract one
        self.every = _half(environ) if self._address else None  # seconds between two signs of life, if any is wanted

    def ready(self, status: str) -> None:
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Type=notify-reload wants the moment too, on the monotonic clock."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
            way.setblocking(False)
            way.sendto("\n".join(lines).encode(), self._address)


def _half(environ: Mapping[str, str]) -> float | None:
    """Half of what the watchdog waits for, as its manual advises; None where it waits for nobody or another process."""
    span, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not span.isdecimal() or int(span) == 0 or process not in ("", str(os.getpid())):
        return None
    return int(span) / 2e6
