"""How fast many hosts are read: our fetcher, a bare httpx client for each host, and one httpx client for all.

    python bench/fetch.py [--hosts 1000] [--rounds 3] [--kb 60]

The three read the same pages from a local server (a process of its own, one address 127.x.y.z a host), one after the
other in one run, with the same number of requests at once. Prints pages per second, CPU per page and the ratios that
issue 3 asks for (at least 0.60 of a client for each host, at least 8 times one client for all).
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

import httpx

from monitor.fetch import Fetcher, Hosts
from monitor.model import Network, Page, Source

AT_ONCE = 64


def serve(pipe: Connection, size: int) -> None:
    """Answer every request on every loopback address with the same page."""
    body = ("<html><body><p>" + "全区生产总值增长百分之六。" * (size // 39) + "</p></body></html>").encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = head.encode() + body

    class Site(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            for _ in range(data.count(b"\r\n\r\n")):
                self.transport.write(answer)  # type: ignore[attr-defined]

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Site, "0.0.0.0", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def spread(addresses: list[str], read: Callable[[str], Awaitable[None]]) -> tuple[float, float]:
    """Read all, AT_ONCE at a time: (wall seconds, CPU seconds)."""
    queue = iter(addresses)

    async def worker() -> None:
        for address in queue:
            await read(address)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return time.perf_counter() - wall, time.process_time() - cpu


async def ours(addresses: list[str]) -> tuple[float, float]:
    fetcher = Fetcher(Network(allow_private=("127.0.0.0/8",)), hosts=Hosts(slots=AT_ONCE))
    source = Source(key="bench", url="", delay=timedelta(0), respect_robots=False)

    async def read(address: str) -> None:
        answer = await fetcher.fetch(source, Page(1, "bench", address), datetime.now(UTC))
        if answer.failure or answer.status != 200:
            raise SystemExit(f"{address}: {answer.failure}")

    try:
        return await spread(addresses, read)
    finally:
        await fetcher.aclose()


async def each_host(addresses: list[str]) -> tuple[float, float]:
    context = httpx.create_ssl_context()
    clients: dict[str, httpx.AsyncClient] = {}

    async def read(address: str) -> None:
        client = clients.get(address)
        if client is None:
            client = clients[address] = httpx.AsyncClient(verify=context, trust_env=False)
        (await client.get(address)).raise_for_status()

    try:
        return await spread(addresses, read)
    finally:
        for client in clients.values():
            await client.aclose()


async def one_pool(addresses: list[str]) -> tuple[float, float]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:

        async def read(address: str) -> None:
            (await client.get(address)).raise_for_status()

        return await spread(addresses, read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kb", type=int, default=60)
    args = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there, args.kb * 1024), daemon=True)
    server.start()
    port = here.recv()
    hosts = [f"http://127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{port}/" for n in range(args.hosts)]
    pages = len(hosts) * args.rounds
    rates: dict[str, float] = {}
    try:
        for name, bench in (("ours", ours), ("a client for each host", each_host), ("one client for all", one_pool)):
            wall, cpu = asyncio.run(bench(hosts * args.rounds))
            rates[name] = pages / wall
            print(f"{name:24} {pages / wall:8.0f} pages/s {1000 * cpu / pages:8.2f} ms CPU/page")
    finally:
        server.terminate()
    bare, pool = rates["a client for each host"], rates["one client for all"]
    print(f"ours / a client for each host: {rates['ours'] / bare:.2f} (asked: 0.60)")
    print(f"ours / one client for all: {rates['ours'] / pool:.1f} (asked: 8)")


if __name__ == "__main__":
    main()
