"""The sources.yaml of a running process: read again when it is asked for, and when a file of it was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor import config as configuration
from monitor.config import stamps
from monitor.errors import ConfigError, StorageError
from monitor.model import Config, Stamp


class Follower:
    """Holds the configuration that is followed; `take` puts another one in its place, or raises and changes nothing.

    Reading and taking over wait away from the event loop: a national sources.yaml takes seconds. What is written
    meanwhile, or between the reading of the first one and the start, is noticed too: files count as they were before
    they were read.
    """

    def __init__(self, config: Config, take: Callable[[Config], Awaitable[None]]) -> None:
        self.config, self._take = config, take
        self._stamp: Stamp | None = config.seen  # of what was read last, good or bad
        self._seen = config.seen
        self._reading = asyncio.Lock()

    async def look(self) -> bool:
        """Whether the files differ from what was read last, and stay as they are: an editor writes in several steps."""
        stamp = await asyncio.to_thread(stamps.again, self._seen)
        stands, self._seen = stamp == self._seen, stamp
        return stands and stamp != self._stamp

    async def reload(self) -> bool:
        """Take over what the files say now; False where the configuration is of no file.

        Raises ConfigError, and `look` is content until a file is written again; and StorageError, where the database
        does not take it: then `look` asks for it again.
        """
        if self.config.path is None:
            return False
        async with self._reading:
            try:
                fresh = await asyncio.to_thread(configuration.load, self.config.path)
            except ConfigError as wrong:
                self._stamp = self._seen = wrong.seen
                raise
            self._seen = fresh.seen
            try:
                await self._take(fresh)
            except StorageError:
                self._stamp = None
                raise
            except ConfigError:  # right in itself, but not to be done here
                self._stamp = fresh.seen
                raise
            self.config, self._stamp = fresh, fresh.seen
        return True
