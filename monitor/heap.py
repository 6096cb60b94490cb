"""What a long-lived process asks of glibc's memory allocator; of any other one, nothing.

Threads that allocate in turn leave holes: with an arena for each thread (up to eight a core), a daemon of twenty checks
a second took a megabyte in two minutes that nobody used. mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

ARENAS = 2  # threads of one interpreter allocate one at a time anyway
M_ARENA_MAX = -8  # malloc.h


def few_arenas() -> None:
    """From now on no new arena beyond a few."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> bool:
    """Return free pages to the system; whether there were any. Takes milliseconds, off the event loop's lock."""
    with suppress(AttributeError, OSError):
        return bool(ctypes.CDLL(None).malloc_trim(0))
    return False
