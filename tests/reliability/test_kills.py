"""The short forms of `kills.py` (500 of them by default) and `outbox.py` (200)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("script", "kills"), [("kills.py", 20), ("outbox.py", 6)])
def test_kills_lose_nothing_and_repeat_one_message_each_at_most(script: str, kills: int) -> None:
    command = [sys.executable, Path(__file__).with_name(script), "--kills", str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{kills} kills")
    assert "wrong: 0" in done.stdout
