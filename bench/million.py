"""How long questions take over 1,000,000 versions of 20,000 pages, beside the same over 100,000.

    python bench/million.py [--versions 1000000] [--rounds 200] [--rebuild]

The databases are made by bulk inserts into the product's own schema, once, in bench/.cache (2 GB); four pages share their
texts. Each question is asked in this process over storage/queries.py, as the command line asks it, with other arguments
every time; the figure is the 95th percentile of processor time, and its ratio to the small database, of which twice is
asked, or twice the ratio of the answers where the large database has more to answer with.
"""

# ruff: noqa: E501  rows of SQL
from __future__ import annotations

import argparse
import gc
import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from invented import WHAT
from peers import CACHE, machine, verdict
from sqlmodel import Session

from monitor.model import Change, Edit, Target, TargetChange
from storage import blobs, database, items, migrate, passages, rows, search, spans
from storage.filters import Filter
from storage.queries import Queries
from storage.tables import REVISION, packed_sha

START = datetime(2024, 1, 1, tzinfo=UTC)
SHARED = 4  # pages with the same texts
PER_SOURCE = 10
INDICATORS = [
    ("地区生产总值", "gdp"), ("规模以上工业增加值", "industry"), ("固定资产投资", "fixed_investment"),
    ("社会消费品零售总额", "retail_sales"), ("一般公共预算收入", "budget_revenue"), ("城镇新增就业", "new_jobs"),
    ("居民人均可支配收入", "income"), ("外贸进出口总额", "foreign_trade"),
]  # fmt: skip
WORK = WHAT[:8]
PLACES = [f"{a}{b}{c}" for a in "云松白清桐临石河" for b in "岭原石溪柏江桥湾" for c in "区县镇"]
ASKED_MS = {"search": 50.0}
TIMES = 2.0


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Family:
    """The texts of one document and their changes, as rows that several pages share."""

    def __init__(self, number: int, count: int) -> None:
        r = random.Random(number)
        self.name, self.code = INDICATORS[number % len(INDICATORS)]
        self.title = f"{PLACES[number % len(PLACES)]}{2020 + number % 7}年工作安排（{number}）"
        head = [
            f"{r.choice(PLACES)}{r.choice(WORK)}工作由第{r.randint(1, 999)}项目组负责，涉及{r.randint(2, 90)}个村。"
            for _ in range(8)
        ]
        self.blobs: list[tuple[bytes | str, bytes | None, int, bytes]] = []
        self.versions: list[tuple[bytes | str, bytes | str, bytes | str, int, str]] = []
        self.bodies: list[tuple[bytes, list[str], str, str]] = []
        before: str | None = None
        before_target: Target | None = None
        key = key_items = b""
        for turn in range(count):
            line = f"{self.name}增长{turn / 10 + 1:.1f}%左右。"
            text = "\n".join([*head, line, f"补充{turn}：{r.choice(PLACES)}{r.choice(WORK)}。"])
            at = text.index(line)
            target = Target(
                start=at, end=at + len(line) - 1, text=line[:-1], vstart=at + len(self.name) + 2, vend=at + len(line) - 3,
                value_text=line[len(self.name) + 2 : -3], sent_start=at, sent_end=at + len(line), sentence=line,
                role="target", indicator=self.name, canonical=self.name, indicator_id=self.code, kind="growth", unit="%",
                value=turn / 10 + 1, period="2026",
            )  # fmt: skip
            data, packed_items = text.encode(), items.pack([target], text)
            key, key_items = key or data, key_items or packed_items
            self._blob(data, key)
            self._blob(packed_items, key_items)
            self.versions.append(
                (packed_sha(blobs.digest(data)), packed_sha(blobs.digest(data + b"!")),
                 packed_sha(blobs.digest(packed_items)), len(text), json.dumps(items.plain(target), ensure_ascii=False))
            )  # fmt: skip
            if before is not None:
                edit = Edit("replace", before, line, 8, 8)
                moved = TargetChange(
                    indicator=self.name,
                    canonical=self.name,
                    kind="growth",
                    object=None,
                    change="raised",
                    before=before_target,
                    after=target,
                )
                event = Change("content", START, "", "", edits=(edit,), targets=(moved,))
                self.bodies.append(
                    (rows.change_body(event), ["target moved"], search.words(line), search.words(before))
                )
            before, before_target = line, target
        self.words, self.goal = search.words(text), target.value

    def _blob(self, data: bytes, key: bytes) -> None:
        packed = blobs._with(data, key) if key is not data else blobs._PLAIN.compress(data)
        base = None if key is data else packed_sha(blobs.digest(key))
        self.blobs.append((packed_sha(blobs.digest(data)), base, len(data), packed))  # type: ignore[arg-type]


def build(path: Path, versions: int, pages: int) -> None:
    """A database of this many versions."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    migrate.upgrade(f"sqlite:///{part}", START)
    per_page = versions // pages
    with closing(sqlite3.connect(part)) as file:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
            file.execute(f"PRAGMA {pragma}")
        _sources(file, pages)
        families = iter(Family(n, per_page) for n in range(pages // SHARED))
        for first in range(0, pages, SHARED):
            _pages(file, next(families), range(first, first + SHARED), per_page, versions)
            if first % 1000 == 0:
                print(f"\r{first} of {pages} pages", end="", file=sys.stderr)
        file.execute("INSERT INTO passage_index(passage_index) VALUES ('optimize')")
        file.commit()
        _spans(path.with_suffix(".part"))
        file.execute("ANALYZE")
        file.commit()
        file.execute("PRAGMA journal_mode=WAL")
    part.rename(path)


def _spans(path: Path) -> None:
    """What the product notes of its index while it is filled."""
    with Session(engine := database.writer(f"sqlite:///{path}")) as session:
        spans.extend(session)
        session.commit()
    engine.dispose()


def _sources(file: sqlite3.Connection, pages: int) -> None:
    for number in range(pages // PER_SOURCE):
        file.execute(
            "INSERT INTO source (key, name, kind, url, region, series, tags, settings, enabled, in_config, first_seen, "
            "baseline_done_at) VALUES (?, ?, 'listing', ?, ?, '政府工作报告', '[]', '{}', 1, 1, ?, ?)",
            (
                f"s{number}",
                f"来源{number}",
                f"http://s{number}.example/",
                f"{230100 + number % 1900}",
                stamp(START),
                stamp(START),
            ),
        )


def _pages(file: sqlite3.Connection, family: Family, pages: range, per_page: int, versions: int) -> None:
    """Versions are numbered as time would: the n-th of every page before the n+1-th of any."""
    total = versions // per_page
    file.executemany("INSERT OR IGNORE INTO blob (sha256, base, size, data) VALUES (?, ?, ?, ?)", family.blobs)
    for page in pages:
        source = f"s{page // PER_SOURCE}"
        number = lambda turn, page=page: turn * total + page + 1  # noqa: E731
        last = number(per_page - 1)
        when = [stamp(START + timedelta(minutes=10 * turn * 60 + page % 600)) for turn in range(per_page)]
        file.execute(
            "INSERT INTO page (id, source, url, role, host, title, last_checked, last_good, last_change, next_due, version, "
            "since_full, consecutive, gone_count, removed, baseline, checks) "
            "VALUES (?, ?, ?, 'document', ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 1)",
            (
                page + 1,
                source,
                f"http://{source}.example/{page}.html",
                f"{source}.example",
                family.title,
                *[when[-1]] * 4,
                last,
            ),
        )
        file.executemany(
            "INSERT INTO version (id, page, at, release, title, document, record, record_type, year, chars, paragraphs, items, "
            "encoding, replacements, sha256, fingerprint, items_sha256, moved, kind, significance) "
            "VALUES (?, ?, ?, ?, ?, '{\"kind\":\"article\"}', '{\"type\":\"plan\"}', 'plan', 2026, ?, 10, 1, 'utf-8', 0, ?, ?, ?, "
            "1, 'content', 0.9)",
            [
                (number(t), page + 1, when[t], f"{2020 + page % 7}", family.title, chars, sha, mark, packed)
                for t, (sha, mark, packed, chars, _) in enumerate(family.versions)
            ],
        )
        changes = [(number(t), t) for t in range(1, per_page)]
        file.executemany(
            "INSERT INTO change (id, page, source, at, kind, title, old_version, new_version, significance, reasons, added, "
            "deleted, baseline, body) VALUES (?, ?, ?, ?, 'content', ?, ?, ?, ?, '[\"target moved\"]', 12, 12, 0, ?)",
            [
                (
                    n,
                    page + 1,
                    source,
                    when[t],
                    family.title,
                    number(t - 1),
                    n,
                    0.3 + t % 7 / 10,
                    family.bodies[t - 1][0],
                )
                for n, t in changes
            ],
        )
        file.executemany(
            "INSERT INTO moved (change, indicator, canonical, indicator_id, role, word) VALUES (?, ?, ?, ?, 'target', 'raised')",
            [(n, family.name, family.name, family.code) for n, _ in changes],
        )
        file.execute(
            "INSERT INTO target (version, page, source, position, role, indicator, canonical, indicator_id, kind, period, "
            "value, unit, headline, fields) VALUES (?, ?, ?, 0, 'target', ?, ?, ?, 'growth', '2026', ?, '%', 0, ?)",
            (last, page + 1, source, family.name, family.name, family.code, family.goal, family.versions[-1][4]),
        )
        entries = [(3 * page + 1, page + 1, last, None, "text", family.words | {passages.TEXT})]
        for n, t in changes:
            place = 3 * total + 2 * n
            entries.append((place, page + 1, n, n, "added", family.bodies[t - 1][2]))
            entries.append((place + 1, page + 1, n, n, "removed", family.bodies[t - 1][3]))
        file.executemany(
            "INSERT INTO passage (id, page, version, change, place) VALUES (?, ?, ?, ?, ?)",
            [entry[:5] for entry in entries],
        )
        file.executemany(
            "INSERT INTO passage_index(rowid, words) VALUES (?, ?)",
            [(entry[0], " ".join(entry[5] | {passages.of_source(source)})) for entry in entries],
        )


def questions(versions: int, pages: int) -> dict[str, Callable[[Queries, random.Random], object]]:
    """What is asked, by its name."""

    def page(r: random.Random) -> int:
        return r.randrange(pages)

    return {
        "history SOURCE": lambda q, r: q.history(f"s{page(r) // PER_SOURCE}", limit=200),
        "history URL": lambda q, r: q.history(f"http://s{(n := page(r)) // PER_SOURCE}.example/{n}.html", limit=200),
        "show VERSION": lambda q, r: q.show(f"v{r.randrange(1, versions)}"),
        "show --at": lambda q, r: q.show(
            f"http://s{(n := page(r)) // PER_SOURCE}.example/{n}.html", START + timedelta(hours=10 * r.randrange(2, 9))
        ),
        "changes": lambda q, r: q.changes(Filter(), limit=50),
        "changes, a later page": lambda q, r: q.changes(Filter(), limit=50, before=f"c{r.randrange(versions // 2, versions)}"),
        "changes --source": lambda q, r: q.changes(Filter(source=f"s{page(r) // PER_SOURCE}"), limit=50),
        "changes --under": lambda q, r: q.changes(Filter(under=f"{230100 + r.randrange(1900)}"), limit=50),
        "changes --indicator": lambda q, r: q.changes(Filter(indicator=r.choice(INDICATORS)[0]), limit=50),
        "changes --since": lambda q, r: q.changes(Filter(since=START + timedelta(hours=r.randrange(400))), limit=50),
        "changes --min-significance": lambda q, r: q.changes(Filter(min_significance=0.85), limit=50),
        "changes --min-significance, nothing": lambda q, r: q.changes(Filter(min_significance=0.99), limit=50),
        "changes --kind, nothing": lambda q, r: q.changes(Filter(change_kinds=("removed",)), limit=50),
        "changes --since, nothing": lambda q, r: q.changes(Filter(since=START + timedelta(days=99)), limit=50),
        "changes --indicator --min-significance, nothing": lambda q, r: q.changes(
            Filter(indicator=r.choice(INDICATORS)[0], min_significance=0.99), limit=50
        ),
        "changes --series, nothing": lambda q, r: q.changes(Filter(series="规划"), limit=50),
        "changes, role actual, nothing": lambda q, r: q.changes(Filter(role="actual"), limit=50),
        "targets list --source": lambda q, r: q.targets(Filter(source=f"s{page(r) // PER_SOURCE}")),
        "targets list --under": lambda q, r: q.targets(Filter(under=f"{230100 + r.randrange(1900)}")),
        "targets list --indicator, 100": lambda q, r: q.targets(Filter(indicator=r.choice(INDICATORS)[0]), limit=100),
        "targets list --as-of": lambda q, r: q.targets(
            Filter(source=f"s{page(r) // PER_SOURCE}", as_of=START + timedelta(hours=300))
        ),
        "targets list --as-of, every source": lambda q, r: q.targets(
            Filter(as_of=START + timedelta(hours=r.randrange(100, 480))), limit=50
        ),
        "targets list --release, every source": lambda q, r: q.targets(Filter(release=f"{2020 + r.randrange(6)}"), limit=50),
        "targets list --all-releases, every source": lambda q, r: q.targets(Filter(all_releases=True), limit=50),
        "targets list --release, nothing": lambda q, r: q.targets(Filter(release="1999"), limit=100),
        "search, 2 characters": lambda q, r: q.search(r.choice(WORK)[:2], limit=50),
        "search, 1 character": lambda q, r: q.search(r.choice("增长管网村"), limit=50),
        "search, a phrase": lambda q, r: q.search(f"{r.choice(PLACES)}{r.choice(WORK)}", limit=50),
        "search, a number": lambda q, r: q.search(f"{r.randrange(1, 6)}.{r.randrange(10)}%", limit=50),
        "search, a number, nothing": lambda q, r: q.search(r.choice(["9.9%", "增长12.5%", "7500个", "1,234"]), limit=50),
        "search --source": lambda q, r: q.search(r.choice(WORK), Filter(source=f"s{page(r) // PER_SOURCE}"), limit=50),
        "search --since, nothing": lambda q, r: q.search(r.choice(WORK)[:2], Filter(since=START + timedelta(days=99)), limit=50),
        "search --until, old": lambda q, r: q.search("增长", Filter(until=START + timedelta(hours=r.randrange(20, 400))), limit=50),
        "search --until, nothing": lambda q, r: q.search("增长", Filter(until=START - timedelta(hours=r.randrange(9))), limit=50),
        "search --until, 1 character, nothing": lambda q, r: q.search(r.choice("增长左"), Filter(until=START), limit=50),
        "search --since --until": lambda q, r: q.search(
            "生产", Filter(since=START + timedelta(hours=(n := r.randrange(20, 400))), until=START + timedelta(hours=n + 9)), limit=50
        ),
        "search, nothing": lambda q, r: q.search(f"{r.choice(WORK)}从未", limit=50),
    }  # fmt: skip


Figure = tuple[float, float]  # the 95th percentile in ms, and the mean number of rows that were answered


def timed(paths: list[Path], counts: list[int], rounds: int) -> Iterator[tuple[str, list[Figure]]]:
    """Each question to every database in turn, so that what slows the machine for a while slows them all."""
    gc.freeze()  # as the program does once it is loaded
    with ExitStack() as stack:
        asks = [stack.enter_context(Queries(f"sqlite:///{path}", pooled=True)) for path in paths]
        asked = [questions(count, count // 50) for count in counts]
        for name in asked[0]:
            dice = [random.Random(name) for _ in asks]
            took, answered = [list[float]() for _ in asks], [0 for _ in asks]
            for turn in range(rounds + 5):
                for at, ask in enumerate(asks):
                    began = time.process_time()
                    answer = asked[at][name](ask, dice[at])
                    if turn >= 5:
                        took[at].append(1000 * (time.process_time() - began))
                        answered[at] += len(answer) if isinstance(answer, list) else 1
            yield name, [(statistics.quantiles(t, n=20)[-1], n / rounds) for t, n in zip(took, answered, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--rebuild", action="store_true")
    args = parser.parse_args()
    print(machine())
    counts = [args.versions // 10, args.versions]
    paths = [CACHE / f"versions-{versions}-{REVISION}.db" for versions in counts]
    CACHE.mkdir(exist_ok=True)
    for path, versions in zip(paths, counts, strict=True):
        if args.rebuild or not path.exists():
            build(path, versions, versions // 50)
        print(f"{versions} versions of {versions // 50} pages, {path.stat().st_size / 1e9:.2f} GB")
    met = []
    for name, [(small, fewer), (large, answered)] in timed(paths, counts, args.rounds):
        asked = ASKED_MS.get(name.split(",")[0].split(" ")[0], 20.0)
        met.append(verdict(f"{name}: p95 in ms", large, asked, most=True))
        if large > 2:  # below that a ratio is noise
            more = max(answered, 1) / max(fewer, 1)
            met.append(verdict(f"{name}: … × 100,000 versions", large / small, TIMES * max(more, 1), most=True))
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
