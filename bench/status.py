"""What one request to a daemon's pages costs where 100,000 sources are watched, beside the same with 1,000.

    python bench/status.py [--sources 100000] [--rounds 5] [--only PATH]

Five pages a source, one in a hundred failing, one in ten never read; a version of every page, an alert of every tenth.
Each address is asked in a process of its own: the first answer's time and memory, and the processor time of later ones.
What a person or a probe asks for must not grow with the sources: at most 0.1 s of a core, and 20 MB.
"""

# ruff: noqa: E501  rows of SQL
from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peers import CACHE, machine, run, verdict
from starlette.applications import Starlette

from monitor.web.app import application
from monitor.web.status import Status
from storage import migrate
from storage.queries import Queries
from storage.tables import REVISION

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
PAGES = 5
ASKED, ASKED_MB = 0.1, 20.0
SHOWN = (
    "/", "/sources", "/sources?after=s099000", "/sources?before=s000500", "/sources?state=failing", "/sources?state=ok", "/sources?state=waiting",
    "/sources?state=removed", "/sources?q=s0999", "/sources?q=nothing", "/sources?under=0033", "/system", "/alerts", "/targets", "/healthz", "/readyz", "/metrics",
    "/api/changes", "/api/status", "/api/overdue", "/api/alerts", "/api/sources?limit=100", "/api/failures?limit=100",
)  # fmt: skip
WHOLE = ("/api/sources", "/api/failures")  # everything, as their callers were promised
_FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})
INSERT INTO source (key, name, kind, url, region, series, tags, settings, enabled, in_config, first_seen, baseline_done_at)
SELECT printf('s%06d', i), '第' || i || '号栏目', 'listing', 'http://h' || (i / 5) || '.example/' || i || '/',
  printf('%06d', i / 30), '政府工作报告', '["省"]', '{{"every": "6h", "selector": "#zoom"}}', i % 50 != 7, 1,
  '2025-12-01T00:00:00.000000Z', CASE WHEN i % 10 = 3 THEN NULL ELSE '2025-12-02T00:00:00.000000Z' END FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last_page})
INSERT INTO page (id, source, url, role, host, title, next_due, last_checked, last_good, since_full, consecutive, gone_count,
  removed, baseline, version, error, detail, failing_since)
SELECT i + 1, printf('s%06d', i / 5), 'http://h' || (i / 25) || '.example/' || (i / 5) || '/' || CASE WHEN i % 5 THEN i % 5 || '.html' ELSE '' END,
  CASE WHEN i % 5 THEN 'document' ELSE 'entry' END, 'h' || (i / 25) || '.example', '关于第' || i || '号事项的通知',
  strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-09', '+' || (i % 86400) || ' seconds'),
  CASE WHEN i / 5 % 10 = 3 THEN NULL ELSE '2026-01-08T12:00:00.000000Z' END,
  CASE WHEN i / 5 % 10 = 3 THEN NULL ELSE '2026-01-08T12:00:00.000000Z' END, 0, CASE WHEN i % 100 = 50 THEN 4 ELSE 0 END, 0, 0, 1, i + 1,
  CASE WHEN i % 100 = 50 THEN 'timeout' END, CASE WHEN i % 100 = 50 THEN 'no answer within 60 seconds' END,
  CASE WHEN i % 100 = 50 THEN strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-08', '+' || (i % 9999) || ' seconds') END FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last_page})
INSERT INTO version (id, page, at, title, document, record, record_type, chars, paragraphs, items, replacements, sha256, fingerprint, moved, significance)
SELECT i + 1, i + 1, '2025-12-02T00:00:00.000000Z', '关于第' || i || '号事项的通知', '{{}}', '{{}}', 'other', 900, 9, 0, 0, randomblob(32), randomblob(32), 0, 0.0 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last} / 10)
INSERT INTO alert (id, key, channel, type, payload_sha256, lang, state, attempts, created, next_at, reached)
SELECT 'a' || i, 'k' || i, 'desk', 'source.failing', '', 'zh', CASE WHEN i % 1000 THEN 'sent' ELSE 'pending' END, 1, '2026-01-08T00:00:00.000000Z', NULL, '[]' FROM n;
ANALYZE;
"""


def filled(sources: int) -> str:
    """The address of a database of so many sources, made at the first use."""
    path = CACHE / f"status-{sources}-{REVISION}.db"
    url = f"sqlite:///{path}"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        migrate.upgrade(f"sqlite:///{part}", NOW)
        with closing(sqlite3.connect(part)) as file:
            file.executescript(_FILL.format(last=sources - 1, last_page=PAGES * sources - 1))
            file.commit()
            file.execute("PRAGMA journal_mode=WAL")
        part.rename(path)
    return url


def resident(word: str) -> float:
    """MB of this process: VmRSS now, VmHWM at most since `clear_refs`."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(word))
    return int(line.split()[1]) / 1024


async def read(app: Starlette, path: str) -> int:
    """Ask for an address and forget the answer, as a socket does; its bytes."""
    place, _, query = path.partition("?")
    head = [(b"host", b"127.0.0.1")]
    scope = {"type": "http", "method": "GET", "path": place, "query_string": query.encode(), "headers": head}
    size = 0

    async def send(message: Any) -> None:
        nonlocal size
        assert message.get("status", 200) in (200, 503), message
        size += len(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.Event().wait()

    await app(scope | {"http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    return size


async def ask(url: str, path: str, rounds: int) -> None:
    """One line: seconds of the first answer, seconds of CPU of a later one, MB above those before, bytes."""
    with Queries(url, pooled=True) as queries:
        app = application(queries, Status(datetime.now(UTC), sources=1), "zh")
        await read(app, "/alerts?limit=1")  # the templates' and the driver's own
        Path("/proc/self/clear_refs").write_text("5")
        before, began = resident("VmRSS"), time.perf_counter()
        size = await read(app, path)
        wall, more = time.perf_counter() - began, resident("VmHWM") - before
        cost = []
        for _ in range(rounds):
            began = sum(os.times()[:2])
            await read(app, path)
            cost.append(sum(os.times()[:2]) - began)
    print(wall, statistics.median(cost), more, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one address")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        asyncio.run(ask(args.child, args.only, args.rounds))
        return
    print(machine())
    met = True
    few, many = filled(1000), filled(args.sources)
    for path in [args.only] if args.only else [*SHOWN, *WHOLE]:
        figures = []
        for url in (few, many):
            command = [sys.executable, __file__, "--child", url, "--only", path, "--rounds", str(args.rounds)]
            figures.append([float(x) for x in run(command, cwd=CACHE).out.split()])
        (_, small, _, _), (wall, cpu, more, size) = figures
        print(
            f"{path}: first {wall:.3f} s, later {cpu:.3f} s CPU ({small:.3f} with 1,000), {more:.0f} MB, {size / 1e3:.0f} kB"
        )
        if path not in WHOLE:
            met = verdict(f"  {path} seconds", cpu, ASKED, most=True) and met
            met = verdict(f"  {path} MB", more, ASKED_MB, most=True) and met
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
