"""One full judgement of a page never blocks the event loop, however large the page."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

PAGES = 3
LONG = [
    f"第{n}项：到2026年底，云岭区新建改建农村公路{n}公里，新增停车泊位{n * 7}个，城镇新增就业{n * 11}人，"
    f"一般公共预算收入增长{n % 9 + 1}%，由区发改局会同{n}个部门按月调度，完成情况纳入年度考核。"
    for n in range(1, 200)
]


async def test_judging_large_pages_leaves_the_event_loop_free(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    """Counted, not timed: while any page is judged, what runs on the loop's thread is never the judging."""
    sources = []
    for n in range(PAGES):
        lines = [line.replace("第", f"第{n}组第") for line in LONG]
        sources.append({"key": f"k{n}", "url": web.put(f"/{n}", page_of(f"云岭区{n}组任务", *lines))})
    watch = watching(*sources)
    seen, judging = _samples(threading.get_ident())
    turns = 0

    async def canary() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    singing = asyncio.create_task(canary())
    with seen:
        done = await watch.look()
        for n in range(PAGES):
            lines = [line.replace("公里", "千米") for line in LONG]
            web.put(f"/{n}", page_of(f"云岭区{n}组任务", *(line.replace("第", f"第{n}组第") for line in lines)))
        again = await watch.look()
    singing.cancel()
    assert (done.counts["new"], again.counts["changed"]) == (PAGES, PAGES)
    assert judging["elsewhere"] > 10, "the sampler saw no judging at all"
    assert judging["loop"] == 0
    assert turns > 20 * PAGES  # the loop went round all the time


def _samples(loop: int) -> tuple[contextlib.AbstractContextManager[None], dict[str, int]]:
    """Looks at all threads' stacks again and again; counts where the pure rooms run: on the loop's thread or not."""
    counts, stop = {"loop": 0, "elsewhere": 0}, threading.Event()
    rooms = ("/monitor/text/", "/monitor/targets/", "/monitor/assess.py")

    def look() -> None:
        while not stop.wait(0.002):
            for thread, frame in sys._current_frames().items():
                if thread != threading.get_ident() and _is_inside(frame, rooms):
                    counts["loop" if thread == loop else "elsewhere"] += 1

    @contextlib.contextmanager
    def sampling() -> Any:
        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    return sampling(), counts


def _is_inside(frame: Any, rooms: tuple[str, ...]) -> bool:
    """Whether a function of these rooms that does real work runs in this thread, itself or through what it called."""
    while frame is not None:
        name = frame.f_code.co_filename
        if any(room in name for room in rooms) and frame.f_code.co_name in _HEAVY:
            return True
        frame = frame.f_back
    return False


_HEAVY = frozenset(
    {"read", "conclude", "reread", "clean", "decode", "diff", "extract", "compare", "judge", "fingerprint"}
)
