"""What the service manager hears, at a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd listens at one, and its address."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(5)
        yield listening, address


def test_each_state_is_one_datagram(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready("watching 3 sources")
    notifier.reloading()
    notifier.alive()
    notifier.stopping()
    heard = [listening.recv(4096).decode() for _ in range(4)]
    assert heard[0] == "READY=1\nSTATUS=watching 3 sources"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2:] == ["WATCHDOG=1", "STOPPING=1"]


def test_an_abstract_socket() -> None:
    name = f"mubiao-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(5)
        Notifier({"NOTIFY_SOCKET": "@" + name}).alive()
        assert listening.recv(4096) == b"WATCHDOG=1"


def test_a_manager_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).alive()
    Notifier({}).alive()


@pytest.mark.parametrize(
    ("given", "every"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_often_the_watchdog_wants_to_hear(given: dict[str, str], every: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/run/nobody", **given}).every == every
    assert Notifier(given).every is None
