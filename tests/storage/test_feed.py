"""The change feed over a store of random changes, against a plain filter of everything."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from monitor.model import Change, TargetChange
from storage import database, rows, versions
from storage.filters import Filter
from storage.queries import Queries
from storage.tables import ChangeRow, MovedRow

HOUR = timedelta(hours=1)
KINDS = ("content", "cosmetic", "attachment", "removed")
_BODY = rows.change_body(Change("content", datetime(2026, 1, 1, tzinfo=UTC), "", ""))
SOURCES = (("a", "990102", "政府工作报告"), ("b", "990203", "规划"), ("c", "990204", "规划"))


@pytest.fixture
def many(url: str, house: Any, source: Any, quoted: Any) -> datetime:
    """Changes of three sources, most in the order of time, some much older; returns the time of the first.

    Their numbers are far apart: for the feed, which goes by them, the store is a large one.
    """
    chance, start = random.Random(5), house.now
    pages = house.watch(*(source(key, region=region, series=series) for key, region, series in SOURCES))
    for page in pages:
        house.see(page, "总则", baseline=True)
    item = quoted("增长5%", "增长5%", "5%", canonical="地区生产总值", indicator_id="gdp")
    lines = [
        TargetChange("地区生产总值", "增长", "growth", "raised", None, item),
        TargetChange("就业", "就业", "level", "new", None, quoted("新增9人", "新增9人", "9", role="actual")),
    ]
    numbers = {page.source: int(page.id) for page in pages}
    engine = database.writer(url)
    with Session(engine) as session:
        for turn in range(200):
            key = chance.choice("aaab" if turn < 150 else "aabc")
            late = chance.random() < 0.05
            row = ChangeRow(
                id=100 * turn + 100, page=numbers[key], source=key, at=start + (turn - 3000 * late) * HOUR / 2,
                kind=chance.choice(KINDS[: 3 if turn > 30 else 4]), baseline=chance.random() < 0.1,
                significance=chance.choice((0.05, 0.3, 0.9, 0.92) if turn < 125 else (0.05, 0.3)),
                body=_BODY, reasons=[],
            )  # fmt: skip
            session.add(row)
            session.flush()
            for line in chance.sample(lines, chance.choice((0, 0, 0, 1, 2)) if turn < 100 else 0):
                session.add(versions.moved_row(row.id or 0, line))
        session.commit()
    engine.dispose()
    return start  # type: ignore[no-any-return]


def _moved_by(url: str) -> dict[str, set[tuple[str, str]]]:
    """What each change moved: the names of an indicator, with the role of the item."""
    out: dict[str, set[tuple[str, str]]] = {}
    engine = database.reader(url)
    with Session(engine) as session:
        for row in session.exec(select(MovedRow)):
            known = out.setdefault(f"c{row.change}", set())
            known |= {(name, row.role) for name in (row.indicator, row.canonical, row.indicator_id) if name}
    engine.dispose()
    return out


def _filters(start: datetime, chance: random.Random) -> Iterator[Filter]:
    """Every way of narrowing alone, and some at once."""
    ways: list[dict[str, Any]] = [
        *({"source": key} for key in "abc"), {"under": "990200"}, {"region": "990102"}, {"under": "880000"},
        {"series": "规划"}, {"series": "没有"}, {"url": "http://b.example/report.html"}, {"indicator": "gdp"},
        {"indicator": "就业"}, {"indicator": "没有"}, {"role": "actual"}, {"role": "target"}, {"baseline": True},
        *({"min_significance": x} for x in (0.3, 0.9, 0.91, 0.99)), *({"change_kinds": (k,)} for k in KINDS),
        {"change_kinds": ("removed", "restored")}, *({"since": start + n * HOUR} for n in (-2000, 10, 95, 900)),
        *({"until": start + n * HOUR} for n in (-9000, -1450, 10, 95, 900)),
    ]  # fmt: skip
    yield Filter()
    for one in ways:
        yield Filter(**one)
    for _ in range(30):
        both: dict[str, Any] = {}
        for one in chance.sample(ways, chance.choice((2, 2, 3))):
            both |= one
        yield Filter(**both)


def _wants(f: Filter, change: Change, moved: set[tuple[str, str]]) -> bool:
    region, series = {key: (region, series) for key, region, series in SOURCES}[change.source]
    words = {(word, role) for word, role in moved if f.indicator in (None, word)}
    return (
        f.source in (None, change.source)
        and (f.url is None or f.url == change.url)
        and f.region in (None, region)
        and (f.under is None or region.startswith(f.under[:4]))
        and f.series in (None, series)
        and (f.since is None or change.at >= f.since)
        and (f.until is None or change.at < f.until)
        and change.significance >= f.min_significance
        and (not f.change_kinds or change.kind in f.change_kinds)
        and (f.baseline or not change.baseline)
        and (not (f.indicator or f.role) or any(f.role in (None, role) for _, role in words))
    )


@pytest.mark.both_dialects
def test_every_filter_finds_what_a_plain_one_finds(many: datetime, url: str) -> None:
    with Queries(url, pooled=True) as ask:
        every = ask.changes(Filter(baseline=True), limit=None)
        numbers = [int(change.id[1:]) for change in every]
        assert len(every) == 203 and numbers == sorted(numbers, reverse=True)
        moved, chance, empty = _moved_by(url), random.Random(9), 0
        for asked in _filters(many, chance):
            due = [c.id for c in every if _wants(asked, c, moved.get(c.id, set()))]
            for limit in (7, 999):
                assert [c.id for c in ask.changes(asked, limit=limit)] == due[:limit], (asked, limit)
            middle = chance.choice(numbers)
            below = [c for c in due if int(c[1:]) < middle]
            assert [c.id for c in ask.changes(asked, limit=5, before=f"c{middle}")] == below[:5], (asked, middle)
            empty += not due
        assert 10 < empty < 30, "questions with and without an answer"


def test_more_weights_than_are_asked_for_one_by_one(many: datetime, ask: Queries, url: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute("CREATE TEMP TABLE more AS SELECT * FROM change WHERE id >= 100")
        file.execute("UPDATE more SET id = id + 50")
        file.execute("INSERT INTO change SELECT * FROM more")
        file.execute("UPDATE change SET significance = id * 0.00004")
    for least in (0.2, 0.6, 0.79, 0.9):
        heavy = [c.id for c in ask.changes(limit=None) if c.significance >= least]
        assert [c.id for c in ask.changes(Filter(min_significance=least), limit=99)] == heavy[:99]
