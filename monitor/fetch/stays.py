"""At which hosts this process is, while no other machine of the same database is there.

    stays = Stays(claim, renew, leave)
    async with stays.at("www.yunling.gov.cn"):     the host is ours until the block ends, and its gap after it

A stay is a lease of `leases.LEASE` that is renewed while it lasts. Who was paused or cut off until it ended asks
nothing more at that host: the lease is looked at, by our own clock, before every request. One process alone has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from monitor.errors import MubiaoError

LASTS = 15.0  # seconds that a claim is believed here; the database keeps it for five more
AGAIN = 0.5  # seconds before a host that another machine is at is asked for again
PATIENCE = 25.0  # seconds: longer than another machine's turn

Claim = Callable[[str], Awaitable[datetime | None]]  # the token of the lease; None while another machine has it
Renew = Callable[[Mapping[str, datetime]], Awaitable[Mapping[str, datetime]]]  # those that are ours still, with tokens
Leave = Callable[[str, datetime, float], Awaitable[None]]  # host, token, seconds for which nobody asks it


class BusyError(MubiaoError):
    """Another machine is at this host: what was to be asked there is still due."""


@dataclass(slots=True)
class _Stay:
    token: datetime | None = None
    until: float = 0.0  # by the event loop's clock: nothing is asked after it
    users: int = 0
    ready: float = 0.0  # by the same clock: when the gap after the last request is over
    entering: asyncio.Lock = field(default_factory=asyncio.Lock)


class Stays:
    """The stays of one process. Raises what the database raises."""

    def __init__(self, claim: Claim, renew: Renew, leave: Leave) -> None:
        self._claim, self._renew, self._leave = claim, renew, leave
        self._stays: dict[str, _Stay] = {}
        self._leaving = set[asyncio.Task[None]]()
        self._changing = asyncio.Lock()

    @asynccontextmanager
    async def at(self, host: str, patience: float | None = PATIENCE) -> AsyncIterator[None]:
        """Raises BusyError where another machine is still there after so many seconds; None waits for ever.

        Blocks of one host may stand in each other; the host is left with the last.
        """
        stay = self._stays.setdefault(host, _Stay())
        stay.users += 1
        try:
            async with stay.entering:
                await self._enter(host, stay, patience)
            yield
        finally:
            stay.users -= 1
            if not stay.users:
                del self._stays[host]
                leaving = asyncio.ensure_future(self._end(host, stay))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
                await asyncio.shield(leaving)  # else a host that was left in a hurry waits for the lease to end

    async def _enter(self, host: str, stay: _Stay, patience: float | None) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        while stay.token is None:
            asked = clock()
            stay.token = await self._claim(host)
            stay.until = asked + LASTS
            if stay.token is None:
                if patience is not None and clock() - began >= patience:
                    raise BusyError(f"another machine is at {host}")
                await asyncio.sleep(AGAIN)

    async def require(self, host: str) -> None:
        """Raises BusyError where a stay that has begun is over: before a request."""
        stay, clock = self._stays[host], asyncio.get_running_loop().time
        if clock() >= stay.until:
            await self.renew()
            if clock() >= stay.until:
                raise BusyError(f"another machine is at {host}: this one was not heard of for too long")

    async def renew(self) -> None:
        """We are alive, and still there."""
        async with self._changing:
            held = {host: stay for host, stay in self._stays.items() if stay.token is not None}
            if not held:
                return
            until = asyncio.get_running_loop().time() + LASTS
            ours = await self._renew({host: token for host, stay in held.items() if (token := stay.token) is not None})
            for host, stay in held.items():
                stay.token = ours.get(host, stay.token)
                stay.until = until if host in ours else 0.0

    def asked(self, host: str, ready: float) -> None:
        """A request has ended; by the event loop's clock the next one may begin when `ready`."""
        if (stay := self._stays.get(host)) is not None:
            stay.ready = max(stay.ready, ready)

    async def aclose(self) -> None:
        """Wait until the hosts that were left in a hurry are free."""
        await asyncio.gather(*self._leaving)

    async def _end(self, host: str, stay: _Stay) -> None:
        async with self._changing:  # a renewal under way has another token for it
            if stay.token is not None:
                gap = max(stay.ready - asyncio.get_running_loop().time(), 0.0)
                await self._leave(host, stay.token, gap)
