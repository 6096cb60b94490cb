"""What a pass walks with: pasts that are read ahead, each once, whoever asks."""

import asyncio
from collections import deque
from random import Random

import pytest

from monitor.model import Known, Page
from monitor.walks import MOST_GLANCES, Glances, Walks


def pages(count):
    return [Page(n, "云岭", f"https://yunling.example/{n}", "document") for n in range(count)]


@pytest.mark.parametrize("seed", range(20))
async def test_no_page_is_claimed_twice_however_many_walk_through_a_host(seed):
    """A second claim would take the page from who is checking it: its result was thrown away."""
    dice, all_pages, asked, got = Random(seed), pages(2000), [], []
    queue = deque(all_pages)
    refused = {n for n in range(2000) if dice.random() < 0.05}  # somebody else is checking these

    async def read(numbers):
        assert len(numbers) <= MOST_GLANCES
        asked.extend(numbers)
        for _ in range(dice.randrange(5)):
            await asyncio.sleep(0)
        return {n: Known(all_pages[n]) for n in numbers if n not in refused}

    glances = Glances(read)

    async def walk(ahead):
        while queue:
            page = queue.popleft()
            known = await glances.of(page, list(queue)[:ahead])
            assert (known is None) == (page.id in refused)
            got.append(page.id)
            for _ in range(dice.randrange(8)):
                await asyncio.sleep(0)

    await asyncio.gather(*(walk(dice.choice((3, 60))) for _ in range(10)))
    assert sorted(got) == list(range(2000))
    claimed = [n for n in asked if n not in refused]
    assert sorted(claimed) == sorted(set(claimed))


async def test_the_first_walk_that_fails_ends_the_others():
    begun = []

    async def walk(host):
        begun.append(host)
        if host == "b":
            raise ValueError(host)
        await asyncio.Event().wait()

    walks = Walks(walk)
    for host in "abc":
        walks.start(host, 1)
    with pytest.raises(ValueError, match="b"):
        await walks.over(within=5)
    await walks.cancel()
    assert begun == ["a", "b", "c"]
