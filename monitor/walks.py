"""What one pass over many pages walks with: a task for each host, and the pasts of the pages that come next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from monitor.model import Known, Page

MOST_WALKS = 2000  # hosts walked through together: one that waits for its host costs 8 kB
MOST_GLANCES = 256  # pages whose past is read at once


class Glances:
    """The pasts of the pages that one pass will check next, many in one read, which also claims them."""

    def __init__(self, read: Callable[[list[int]], Awaitable[dict[int, Known]]]) -> None:
        self._read = read
        self._known: dict[int, Known] = {}
        self._wanted: dict[int, None] = {}  # in order
        self._asked: list[int] = []  # those that are being read now
        self._reading = asyncio.Lock()

    async def of(self, page: Page, following: Iterable[Page] = ()) -> Known | None:
        """The past of one page; those of the `following` are fetched along. None: somebody else is checking it."""
        if page.id not in self._known:
            wanted = (p.id for p in (page, *following))  # to claim one twice would take it from who is checking it
            self._wanted |= {n: None for n in wanted if n not in self._known and n not in self._asked}
            async with self._reading:  # whoever waits here finds what the one before read
                if page.id in self._wanted:
                    ids = [page.id, *islice((n for n in self._wanted if n != page.id), MOST_GLANCES - 1)]
                    for number in ids:
                        self._wanted.pop(number, None)
                    self._asked = ids
                    self._known |= await self._read(ids)
                    self._asked = []
        return self._known.pop(page.id, None)


class Walks:
    """The tasks of one pass, some for each host, `MOST_WALKS` at once; the first error ends it."""

    def __init__(self, walk: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self._walk = walk
        self._waiting = deque[str]()
        self._running = set[asyncio.Task[None]]()
        self._trouble: BaseException | None = None
        self._over = asyncio.Event()

    def start(self, host: str, times: int) -> None:
        """Walk through this host's pages, so many of them at once."""
        self._waiting.extend([host] * times)
        self._more()

    def _more(self) -> None:
        while self._waiting and len(self._running) < MOST_WALKS:
            task = asyncio.create_task(self._walk(self._waiting.popleft()))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            self._trouble = self._trouble or wrong
            self._waiting.clear()
        self._more()
        if self._trouble or not self._running:
            self._over.set()

    async def over(self, within: float) -> bool:
        """Whether all have ended, waiting so many seconds for it. Raises what one of them raised."""
        if self._running:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._over.wait()
        if self._trouble:
            raise self._trouble
        return not self._running

    async def cancel(self) -> None:
        self._waiting.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
