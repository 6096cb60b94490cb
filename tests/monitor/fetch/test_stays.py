"""Stays at hosts, on a table of leases in memory; the real one is tested in tests/storage/test_hosts.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from monitor.fetch.stays import BusyError, Stays

A = "www.yunling.gov.cn"


class Leases:
    """Who has what: `held` by token, `gaps` as they were left."""

    def __init__(self) -> None:
        self.held: dict[str, datetime] = {}
        self.gaps: list[float] = []
        self.at = datetime(2026, 3, 2, tzinfo=UTC)

    def _token(self, host: str) -> datetime:
        self.at += timedelta(seconds=1)
        self.held[host] = self.at
        return self.at

    async def claim(self, host: str) -> datetime | None:
        return None if host in self.held else self._token(host)

    async def renew(self, held: Mapping[str, datetime]) -> dict[str, datetime]:
        return {host: self._token(host) for host, token in held.items() if self.held.get(host) == token}

    async def leave(self, host: str, token: datetime, gap: float) -> None:
        if self.held.get(host) == token:
            del self.held[host]
            self.gaps.append(gap)

    def stays(self) -> Stays:
        return Stays(self.claim, self.renew, self.leave)


async def test_the_last_block_of_a_host_leaves_it_with_the_gap_of_its_last_request() -> None:
    table = Leases()
    one, other = table.stays(), table.stays()
    async with one.at(A):
        async with one.at(A):
            await one.require(A)
            with pytest.raises(BusyError, match="another machine is at"):
                async with other.at(A, patience=0):
                    pass
            one.asked(A, asyncio.get_running_loop().time() + 60)
        assert A in table.held
    assert table.held == {} and table.gaps == [pytest.approx(60, abs=1)]


async def test_who_waits_for_a_host_gets_it_when_it_is_left() -> None:
    table = Leases()
    one, other = table.stays(), table.stays()

    async def visit() -> bool:
        async with other.at(A):
            return A in table.held

    async with one.at(A):
        waiting = asyncio.create_task(visit())
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting
    assert table.gaps == [0.0, 0.0]


async def test_who_was_paused_asks_nothing_more() -> None:
    table = Leases()
    one = table.stays()
    async with one.at(A):
        one._stays[A].until = 0.0  # it slept until then …
        await one.require(A)  # … and nobody had come
        one._stays[A].until = 0.0
        table.held[A] = table.at + timedelta(days=1)  # now somebody has
        for _ in range(2):
            with pytest.raises(BusyError, match="not heard of"):
                await one.require(A)
    assert A in table.held


async def test_a_host_is_left_with_the_token_of_a_renewal_under_way() -> None:
    table = Leases()
    renew, answered = table.renew, asyncio.Event()

    async def slowly(held: Mapping[str, datetime]) -> dict[str, datetime]:
        renewed = await renew(held)
        await answered.wait()
        return renewed

    table.renew = slowly  # type: ignore[method-assign]
    one = table.stays()
    async with one.at(A):
        renewing = asyncio.create_task(one.renew())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(answered.set)
    await renewing
    assert table.held == {}


async def test_a_block_that_is_cancelled_leaves_too() -> None:
    table = Leases()
    one, entered = table.stays(), asyncio.Event()

    async def visit() -> None:
        async with one.at(A):
            entered.set()
            await asyncio.Event().wait()

    visiting = asyncio.create_task(visit())
    await entered.wait()
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    assert table.held == {}
