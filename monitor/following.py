"""The sources.yaml of a running process: read again when it is asked for, and when a file of it was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor import config as configuration
from monitor.errors import ConfigError, StorageError
from monitor.model import Config


class Follower:
    """Holds the configuration that is followed; `take` puts another one in its place, or raises and changes nothing.

    Reading and taking over wait away from the event loop: a national sources.yaml takes seconds.
    """

    def __init__(self, config: Config, take: Callable[[Config], Awaitable[None]]) -> None:
        self.config, self._take = config, take
        self._stamp: configuration.Stamp | None = configuration.stamp(config)  # of what was read last, good or bad
        self._seen = self._stamp
        self._reading = asyncio.Lock()

    async def look(self) -> bool:
        """Whether the files differ from what was read last, and stay as they are: an editor writes in several steps."""
        stamp = await asyncio.to_thread(configuration.stamp, self.config)
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
            stamp = await asyncio.to_thread(configuration.stamp, self.config)
            try:
                fresh = await asyncio.to_thread(configuration.load, self.config.path)
                await self._take(fresh)
            except ConfigError:
                self._stamp = stamp
                raise
            except StorageError:
                self._stamp = None
                raise
            self.config = fresh
            self._stamp = self._seen = configuration.stamp(fresh)
        return True
