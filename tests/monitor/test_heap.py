"""Free memory goes back to the system: what many small blocks took, and one that stays above them holds."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import weakref
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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another allocator than glibc's")
def test_what_is_large_goes_back_by_itself_below_what_is_used() -> None:
    script = """
from pathlib import Path
from monitor import heap
def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1024
heap.few_arenas()
if %s:
    heap.large_apart()
del (whole := [b"x" * 8_000_000])[0]  # after which glibc keeps what is as large as that
kept = [bytes([n %% 255 + 1]) * 300_000 for n in range(200)]
full, last = resident(), kept[-1]
kept.clear()
print(full - resident())
"""
    freed = [
        int(subprocess.run([sys.executable, "-c", script % on], capture_output=True, text=True, check=True).stdout)
        for on in (True, False)
    ]
    assert freed[0] > 50_000_000 > freed[1]


class _Ring:
    def __init__(self) -> None:
        self.itself = self


def test_what_only_refers_to_itself_is_freed_first() -> None:
    gc.disable()
    try:
        ring = weakref.ref(_Ring())
        assert ring() is not None
        heap.give_back()
        assert ring() is None
    finally:
        gc.enable()
