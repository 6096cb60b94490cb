"""What a long-lived process asks of glibc's memory allocator; of any other one, nothing.

Threads that allocate in turn leave holes: with an arena for each thread (up to eight a core), a daemon of twenty checks
a second took a megabyte in two minutes that nobody used. So do bodies and texts among what is small: glibc keeps up to
32 MB of what was large among it, once some was given back. mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

ARENAS = 2  # threads of one interpreter allocate one at a time anyway
LARGE = 128 * 1024  # bytes: what is larger stands apart, and goes back at once
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # malloc.h


def few_arenas() -> None:
    """From now on no new arena beyond a few."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def large_apart() -> None:
    """From now on nothing large in the arenas: for a process that stays. A short pass has nothing of it."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back() -> bool:
    """Return free pages to the system; whether there were any.

    What only refers to itself, as closed connections do, is freed first: by itself the collector does that every seven
    minutes at twenty checks a second, with hundreds of sockets by then. Takes milliseconds.
    """
    gc.collect()
    with suppress(AttributeError, OSError):
        return bool(ctypes.CDLL(None).malloc_trim(0))
    return False
