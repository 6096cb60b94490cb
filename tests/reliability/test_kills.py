"""The short form of `python tests/reliability/outbox.py --kills 200`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
def test_twenty_kills_around_sending_lose_nothing_and_repeat_one_message_each_at_most() -> None:
    script = Path(__file__).with_name("outbox.py")
    done = subprocess.run([sys.executable, script, "--kills", "20"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("20 kills")
    assert "wrong: 0" in done.stdout
