"""How much longer than its manners ask a host is left alone, because the page before is still being read.

    python bench/gaps.py [--pages 12] [--latency 0.2] [--hosts 1,4,16] [--delay 1] [--at-once 1] [--short]

A first pass over PAGES pages of each host, with the product's own command. The server notes when each request came and
when its answer had gone; between two of one host there should be `delay`, or five times the latency if that is more.
What is beyond that is what a fetch that begins while the answer before is read could win at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import statistics
import tempfile
import time
from collections import defaultdict
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from peers import OURS, Cost, machine, run
from site_on_loopback import loopback, page

Answers = list[tuple[str, float, float]]  # host, when the request came, when its answer had gone


def serve(pipe: Connection, latency: float, short: bool) -> None:
    """Answer on every loopback address, until the pipe says enough; then tell when."""
    seen: Answers = []

    class Site(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            for asked in re.finditer(rb"GET /(\d+) HTTP.*?\r\n\r\n", data, re.DOTALL):
                body = page(int(asked[1]), 0, short=short)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
                asyncio.get_running_loop().call_later(latency, self._send, head.encode() + body, time.monotonic())

        def _send(self, answer: bytes, came: float) -> None:
            self.transport.write(answer)  # type: ignore[attr-defined]
            seen.append((self.transport.get_extra_info("sockname")[0], came, time.monotonic()))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Site, "0.0.0.0", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)
        pipe.send(seen)

    asyncio.run(main())


def first_pass(hosts: int, options: argparse.Namespace) -> tuple[Cost, Answers]:
    here, there = multiprocessing.Pipe()
    site = multiprocessing.Process(target=serve, args=(there, options.latency, options.short), daemon=True)
    site.start()
    port, count = here.recv(), options.pages
    sources = [
        {"key": f"p{n}", "url": f"http://{loopback(n // count)}:{port}/{n}"} for n in range(hosts * count)
    ]  # fmt: skip
    manners = {"delay": f"{options.delay:g}s", "concurrency_per_host": options.at_once, "respect_robots": False}
    config = {"network": {"allow_private": ["127.0.0.0/8"]}, "defaults": manners, "sources": sources}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "sources.yaml").write_text(json.dumps(config))
        cost = run([OURS, "check", "--all", "--json", "--db", "sqlite:///mubiao.db"], cwd=Path(name))
    assert json.loads(cost.out)["new"] == hosts * count, cost.out[:400]
    here.send("enough")
    seen: Answers = here.recv()
    site.join()
    return cost, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--hosts", default="1,4,16")
    parser.add_argument("--delay", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="pages of one paragraph")
    options = parser.parse_args()
    print(machine())
    asked = max(options.delay, 5 * options.latency) if options.delay else 0.0
    for hosts in map(int, options.hosts.split(",")):
        cost, seen = first_pass(hosts, options)
        by_host = defaultdict[str, list[tuple[float, float]]](list)
        for host, came, gone in sorted(seen, key=lambda x: x[1]):
            by_host[host].append((came, gone))
        over = [later[0] - before[1] - asked for some in by_host.values() for before, later in pairwise(some)]
        span = max(gone for _, _, gone in seen) - min(came for _, came, _ in seen)
        print(
            f"{hosts} hosts, {len(seen)} pages: {span:.1f} s, {cost.cpu:.1f} s CPU; beyond the gap p50"
            f" {1000 * statistics.median(over):.0f} ms, mean {1000 * statistics.mean(over):.0f} ms,"
            f" of {1000 * (asked + options.latency):.0f} ms a page"
        )


if __name__ == "__main__":
    main()
