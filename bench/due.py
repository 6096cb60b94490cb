"""What is due, asked of many pages: the daemon's tick, and the worker's queue of hosts.

    python bench/due.py [--rows 1000000] [--due 300] [--postgres]

ROWS pages on a fiftieth as many hosts, DUE of them due at a time, others in each of 40 turns. The same over a tenth of
the rows, and with ten times as many due: the time has to grow with what is due, not with what is stored.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # a package `tests` may be installed

from postgres_server import Server

from monitor.model import Source
from storage import migrate
from storage.store import Store

TURNS, BATCH, PER_HOST = 40, 500, 20  # as the daemon takes them
ASKED, GROWTH = 0.030, 2.0  # seconds at the median; times as long over ten times the rows
_ADD = text(
    "INSERT INTO page (source, url, role, host, next_due, since_full, consecutive, gone_count, removed, baseline)"
    " VALUES (:source, :url, 'document', :host, :due, 0, 0, 0, :no, :no)"
)
_DUE = text("UPDATE page SET next_due = :due WHERE id BETWEEN :first AND :last")


def fill(store: Store, rows: int, now: datetime) -> None:
    """Pages that are due in the next days, 50 of each host."""
    sources = [Source(key=f"s{n}", url=f"http://h{n}.example/", kind="listing") for n in range(max(1, rows // 1000))]
    later = now + timedelta(days=1)
    store.sync_sources(sources, now, lambda _: later)
    with store._write() as session:
        for start in range(0, rows, 5000):
            some = range(start, min(start + 5000, rows))
            session.connection().execute(
                _ADD,
                [
                    {
                        "source": f"s{n % len(sources)}", "url": f"http://h{n // 50}.example/{n}", "no": False,
                        "host": f"h{n // 50}.example", "due": _text(store, later + timedelta(seconds=n % 86400)),
                    }
                    for n in some
                ],
            )  # fmt: skip
        session.connection().execute(text("ANALYZE"))


def _text(store: Store, at: datetime) -> str | datetime:
    return at if store.shared else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def turns(store: Store, rows: int, due: int, now: datetime) -> tuple[list[float], list[float]]:
    """Seconds of each tick, and of each question for the hosts that are due."""
    dice, ticks, hosts = random.Random(8), [], []
    for _ in range(TURNS):
        first = dice.randrange(1, rows - due)
        span = {"first": first, "last": first + due - 1}
        with store._note() as session:
            session.connection().execute(_DUE, {"due": _text(store, now - timedelta(seconds=5)), **span})
        began = time.perf_counter()
        found = store.due(now, BATCH, per_host=PER_HOST)
        ticks.append(time.perf_counter() - began)
        began = time.perf_counter()
        places = store.due_hosts(now)
        hosts.append(time.perf_counter() - began)
        assert 0 < len(found) <= BATCH and due // 50 <= len(places) <= due // 50 + 2
        with store._note() as session:
            session.connection().execute(_DUE, {"due": _text(store, now + timedelta(days=2)), **span})
    return ticks, hosts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=300)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    now, medians = datetime.now(UTC), {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.closing(Server(durable=True))) if options.postgres else None
        for rows in (options.rows // 10, options.rows):
            url = server.create() if server else f"sqlite:///{folder}/{rows}.db"
            migrate.upgrade(url, now)
            with Store(url) as store:
                fill(store, rows, now)
                for due in (options.due, 10 * options.due):
                    ticks, hosts = turns(store, rows, due, now)
                    medians[rows, due] = statistics.median(ticks)
                    print(
                        f"{rows:>9} pages, {due:>5} due: tick p50 {1000 * statistics.median(ticks):.1f} ms, "
                        f"most {1000 * max(ticks):.1f}; hosts p50 {1000 * statistics.median(hosts):.1f} ms",
                        flush=True,
                    )
    seen, small = medians[options.rows, options.due], medians[options.rows // 10, options.due]
    print(f"asked: p50 <= {1000 * ASKED:.0f} ms, and <= {GROWTH:.0f} x of a tenth of the pages: {seen / small:.1f} x")
    return int(seen > ASKED or seen > GROWTH * small)


if __name__ == "__main__":
    sys.exit(main())
