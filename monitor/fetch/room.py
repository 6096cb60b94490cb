"""Where answers stand until they are read: large ones on disk, a few at a time in memory, and small ones in memory.

What has come waits for the thread that reads it, behind others. 2,000 hosts that each send 10 MB would hold 20 GB
meanwhile, and 123 held 1.5 GB. Making them wait with half an answer lets a few slow ones starve all large pages, so
they go to a file that has no name (in TMPDIR), and come back when it is their turn.

Small ones are not asked for while many are not dealt with yet: what a new page holds until it is saved is ten times
its bytes, and the network brings pages faster than they are read.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

IN_MEMORY = 256 * 1024  # bytes of an answer: what is larger goes to a file
MOST_ON_DISK = 2_000_000_000  # bytes of all of them: who comes then has to come again
SEATS = 4  # large answers in memory at once, until their checks are over
MOST_HELD = 128  # small ones: who asks next waits until a check is over …
STUCK = 5.0  # … or none was for so many seconds: those that hold one may be waiting for another answer behind us


class FullError(Exception):
    """There is no room for another large answer."""


class Pile:
    """The bytes of one answer as they come. `close` it, or let `Room.load` do that."""

    def __init__(self, room: Room | None = None, size: int = IN_MEMORY) -> None:
        self.size = 0
        self._room, self._most = room, size
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    @property
    def on_disk(self) -> bool:
        return self._file is not None

    def add(self, piece: bytes) -> None:
        """Raises FullError, and OSError where the disk is full."""
        self.size += len(piece)
        if self._room is None or self.size <= self._most:
            self._memory += piece
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
            piece, self._memory = bytes(self._memory) + piece, bytearray()
        self._room.on_disk += len(piece)
        if self._room.on_disk > self._room.most_on_disk:
            raise FullError
        self._file.write(piece)

    def bytes(self) -> bytes:
        """All of it, in memory."""
        if self._file is None:
            return bytes(self._memory)
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Forget it."""
        if self._file is not None and self._room is not None:
            self._room.on_disk -= self.size
            self._file.close()
        self._file, self._memory = None, bytearray()


class Room:
    """Of one program. `on_disk`: bytes of large answers in files."""

    def __init__(self, most_on_disk: int = MOST_ON_DISK, stuck: float = STUCK) -> None:
        self.on_disk, self.most_on_disk, self._stuck = 0, most_on_disk, stuck
        self._seats = asyncio.Semaphore(SEATS)
        self._seated: dict[asyncio.Task[object], bool] = {}
        self._holding = set[asyncio.Task[object]]()
        self._waiting = deque[asyncio.Future[None]]()
        self._over = 0  # checks

    @contextmanager
    def check(self) -> Iterator[None]:
        """What the running task reads within is held until the end of it. Outside, nobody waits for a seat."""
        task = asyncio.current_task()
        assert task is not None
        self._seated[task] = False
        try:
            yield
        finally:
            if self._seated.pop(task):
                self._seats.release()
            self._holding.discard(task)
            self._over += 1
            self._next()

    async def admit(self) -> None:
        """Wait until another answer may come to the running task. One that holds an answer needs the other as well."""
        task = asyncio.current_task()
        if task not in self._seated:
            return
        while len(self._holding) >= MOST_HELD and task not in self._holding:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            if not await self._turn(turn):
                return

    async def _turn(self, turn: asyncio.Future[None]) -> bool:
        """Whether it came; not where no check ended for a while."""
        over = -1
        while not turn.done():
            if over == self._over:
                turn.cancel()
                return False
            over = self._over
            try:
                await asyncio.wait([turn], timeout=self._stuck)
            except asyncio.CancelledError:
                if turn.done():  # at the same moment: pass it on
                    self._next()
                turn.cancel()
                raise
        return True

    def hold(self) -> None:
        """The running task has an answer in memory, until its check is over."""
        task = asyncio.current_task()
        if task is not None and task in self._seated:
            self._holding.add(task)

    def _next(self) -> None:
        while self._waiting and len(self._holding) < MOST_HELD:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def load(self, pile: Pile) -> bytes:
        """A pile back in memory, as soon as a seat is free; it is closed then."""
        task = asyncio.current_task()
        try:
            if task is not None and self._seated.get(task) is False:
                await self._seats.acquire()
                self._seated[task] = True
            return pile.bytes()
        finally:
            pile.close()
