"""The short forms of the long tests: `kills.py` (500 by default), `outbox.py` (200), `disk.py` (50)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("kills.py --kills 20", "20 kills"),
        ("outbox.py --kills 6", "6 kills"),
        ("disk.py --points 2 --hup", "2 times without room"),
    ],
)
def test_nothing_is_lost(command: str, first: str) -> None:
    script, *options = command.split()
    whole = [sys.executable, Path(__file__).with_name(script), *options]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(first)
    assert "wrong: 0" in done.stdout
