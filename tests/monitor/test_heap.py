"""Free memory goes back to the system: what many small blocks took, and one that stays above them holds."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from monitor import heap

MANY, SIZE = 400, 100_000  # bytes; larger ones have a mapping of their own, which goes back by itself


def resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another allocator than glibc's")
def test_free_pages_below_one_that_is_used_go_back() -> None:
    heap.few_arenas()
    kept = [bytes([n % 255 + 1]) * SIZE for n in range(MANY)]
    full = resident()
    last = kept[-1]
    kept.clear()
    heap.give_back()
    assert resident() < full - MANY * SIZE * 0.8
    assert last[0] == (MANY - 1) % 255 + 1
