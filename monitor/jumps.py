"""The wall clock against the monotonic one: it jumps when somebody sets it, and when the machine wakes from sleep.

Set forward, what was missed is due, once. Set back, everything whose time was reckoned by the other clock would wait
for as long as it was set back; `put_right` brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from monitor import schedule
from monitor.model import Config
from storage.store import Store

log = structlog.get_logger("mubiao.jumps")

LEAST = timedelta(seconds=5)  # what clocks that are kept right by small steps may differ by between two looks
PORTION = 2000  # pages brought back in one transaction


class Jumps:
    """By how much the wall clock jumped since the last look."""

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._now, self._monotonic = now, monotonic
        self._before = self._apart()

    def _apart(self) -> timedelta:
        return timedelta(seconds=self._now().timestamp() - self._monotonic())

    def seen(self) -> timedelta:
        """Zero where it did not; negative where it was set back."""
        apart = self._apart()
        jump, self._before = apart - self._before, apart
        return jump if abs(jump) > LEAST else timedelta()


def bring_back(store: Store, config: Config, now: datetime, among: Collection[int] | None = None) -> int:
    """Pages whose last check lies in the future are due as if it had been a moment ago; returns how many were moved.

    Within one interval, each at its own moment: silent for two intervals at most, and no crowd at one moment. Only
    these pages, where `among` names them.
    """
    moved, after = 0, 0
    while pages := store.checked_ahead(now, after, PORTION, among):
        after = pages[-1].id
        dues = {}
        for page in pages:
            source = config.source(page.source)
            due = schedule.brought_back(source, page, now) if source else page.next_due
            if due is not None and due != page.next_due:
                dues[page.id] = due
        store.set_dues(dues)
        moved += len(dues)
    if moved:
        log.warning("due times brought back", pages=moved)
    return moved


def put_right(store: Store, config: Config, now: datetime, back: timedelta) -> None:
    """After the clock was set back by so much: messages, hosts on hold and pages wait as long as they would have."""
    store.set_back(now, back)
    bring_back(store, config, now)
