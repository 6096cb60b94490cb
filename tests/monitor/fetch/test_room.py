"""Large answers stand on disk until they are read, and a few at a time in memory."""

import asyncio
from datetime import timedelta

import pytest

from monitor.fetch.room import IN_MEMORY, MOST_HELD, SEATS, FullError, Pile, Room

from .conftest import NOW

LARGE = bytes(range(256)) * (2 * IN_MEMORY // 256)


def test_what_is_large_goes_to_disk_and_comes_back_whole():
    room = Room()
    for step in (7, IN_MEMORY, len(LARGE)):
        pile = Pile(room)
        for at in range(0, len(LARGE), max(step, 5000)):
            pile.add(LARGE[at : at + max(step, 5000)])
        assert pile.on_disk
        assert room.on_disk == len(LARGE)
        assert pile.bytes() == LARGE
        pile.close()
        assert room.on_disk == 0
    small = Pile(room)
    small.add(LARGE[:IN_MEMORY])
    assert not small.on_disk
    assert small.bytes() == LARGE[:IN_MEMORY]


def test_without_a_room_everything_stays_in_memory():
    pile = Pile()
    pile.add(LARGE)
    assert not pile.on_disk
    assert pile.bytes() == LARGE


def test_the_disk_is_bounded_too():
    room = Room(most_on_disk=3 * IN_MEMORY)
    first, second = Pile(room), Pile(room)
    first.add(LARGE)
    with pytest.raises(FullError):
        second.add(LARGE)
    second.close()
    first.close()
    assert room.on_disk == 0


async def test_few_are_in_memory_at_once_and_the_next_comes_when_a_check_is_over():
    room, seated, over = Room(), [], asyncio.Event()

    async def one(number):
        with room.check():
            for _ in range(2):  # a further page of the same article needs no seat of its own
                pile = Pile(room)
                pile.add(LARGE)
                assert await room.load(pile) == LARGE
            seated.append(number)
            await over.wait()

    tasks = [asyncio.create_task(one(number)) for number in range(SEATS + 3)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert (len(seated), room.on_disk) == (SEATS, 3 * len(LARGE))
    tasks[-1].cancel()  # who is waiting may go
    over.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (len(seated), room.on_disk) == (SEATS + 2, 0)


async def test_nobody_asks_for_more_while_many_answers_are_not_dealt_with():
    room, held, most, dealt = Room(), 0, 0, asyncio.Semaphore(0)

    async def one():
        nonlocal held, most
        with room.check():
            for _ in range(2):  # a further page of the same article is asked for all the same
                await room.admit()
                room.hold()
            held += 1
            most = max(most, held)
            await dealt.acquire()
            held -= 1

    tasks = [asyncio.create_task(one()) for _ in range(MOST_HELD + 300)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert held == MOST_HELD
    for task in tasks[MOST_HELD : MOST_HELD + 50]:  # who is waiting may go
        task.cancel()
    for _ in tasks:
        dealt.release()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (held, most) == (0, MOST_HELD)
    assert sum(task.cancelled() for task in tasks) == 50


async def test_who_holds_answers_and_waits_for_others_locks_nothing_up():
    room, host = Room(stuck=0.05), asyncio.Lock()

    async def one():
        with room.check():
            for _ in range(2):
                async with host:
                    await room.admit()
                room.hold()

    async with asyncio.timeout(5):
        await asyncio.gather(*(one() for _ in range(2 * MOST_HELD)))


async def test_a_large_page_is_read_and_one_that_breaks_off_leaves_nothing(site, source, page, fetcher):
    site.put("/a", LARGE, "Content-Type: text/html")
    site.put("/b", LARGE, "Content-Type: text/html", length=len(LARGE) + 1)
    site.put("/c", LARGE * 4, "Content-Type: text/html")
    quick = source(timeout=timedelta(seconds=0.5), max_bytes=3 * len(LARGE))
    with fetcher.room.check():
        assert (await fetcher.fetch(quick, page(site.url("/a")), NOW)).body == LARGE
        assert fetcher.room.on_disk == 0
    for path, word in (("/b", "timeout"), ("/c", "too_large")):
        got = await fetcher.fetch(quick, page(site.url(path)), NOW)
        assert (got.failure.error, got.body) == (word, b"")
        assert fetcher.room.on_disk == 0
