"""Counts of the database for pages and metrics. To count takes longer the more there is; a probe asks all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from storage.answers import Row
from storage.queries import Queries

SELDOM = 20.0  # times as long as counting took, the counts are good


class Counts:
    """`Queries.status`, taken at most a twentieth of the time."""

    def __init__(self, ask: Queries, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._monotonic = ask, monotonic
        self._turn = threading.Lock()
        self._known: Row = {}
        self._good_until = float("-inf")

    def now(self) -> Row:
        """The counts; whoever asks while they are taken waits for them."""
        with self._turn:
            begun = self._monotonic()
            if begun >= self._good_until:
                self._known = self._ask.status(datetime.now(UTC))
                ended = self._monotonic()
                self._good_until = ended + SELDOM * (ended - begun)
            return dict(self._known)
