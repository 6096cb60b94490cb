"""Servers on a thread of their own: what asks them may block, or run an event loop of its own, as the product does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monitor.demo.server import Listener


async def _stop_all(servers: Sequence[Listener]) -> None:
    for server in servers:
        await server.stop()


@contextmanager
def running(*servers: Listener) -> Iterator[None]:
    """Start the servers, and stop them all at the end, whatever happened between."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo-servers", daemon=True)
    thread.start()
    started: list[Listener] = []
    try:
        for server in servers:
            asyncio.run_coroutine_threadsafe(server.start(), loop).result(timeout=10)
            started.append(server)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_stop_all(started), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
