"""Search by time: what the blocks of entries say, against a plain filter of everything that is found."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from monitor.model import Change, Edit
from storage import database, finding, passages, rows, spans
from storage.filters import Filter
from storage.queries import Queries
from storage.tables import ChangeRow, EntrySpanRow, PassageRow

HOUR = timedelta(hours=1)
WORDS = ("供水", "供电", "增长5.1", "增长51", "鑫")


@pytest.fixture
def entries(url: str, house: Any, source: Any) -> datetime:
    """Three latest texts and 300 passages, most in the order of time; their numbers are far apart. Returns the first
    time."""
    chance, start = random.Random(3), house.now
    for page in house.watch(*(source(key) for key in "abc")):
        house.see(page, "供水和供电", page.source)
        house.tick(40 * HOUR)
    engine = database.writer(url)
    with Session(engine) as session:
        pages = dict(enumerate("abc", 1))
        for turn in range(300):
            number, word = chance.choice(list(pages)), chance.choice(WORDS)
            at = start + (turn - 2000 * (chance.random() < 0.05)) * HOUR
            edit = Change("content", at, "", "", edits=(Edit("insert", "", f"{word}。", 0, 0),))
            row = ChangeRow(page=number, source=pages[number], at=at, reasons=[], body=rows.change_body(edit))
            session.add(row)
            session.flush()
            entry = PassageRow(id=40 * turn + 40, page=number, change=row.id, place="added")
            session.add(entry)
            session.flush()
            passages.insert(session, entry, pages[number], f"{word}。")
        if not passages.is_gin(session):
            spans.extend(session)
        session.commit()
    engine.dispose()
    return start  # type: ignore[no-any-return]


@pytest.mark.both_dialects
def test_a_time_finds_what_a_plain_filter_finds(entries: datetime, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [entries + n * HOUR for n in (-9000, -1990, -1700, -1, 0, 41, 150, 290, 900)]
    with Queries(url, pooled=True) as ask:
        for turn, word in enumerate((*WORDS, "供水 供电", "供", "没有")):
            monkeypatch.setattr(finding, "MOST_CHANGES", (2000, 20)[turn % 2])  # since a time, whose pages are named
            every = ask.search(word, limit=9999)
            for since in (None, *times):
                for until in (None, *times[1::2]):
                    due = [r for r in every if (not since or r["at"] >= since) and (not until or r["at"] < until)]
                    for limit in (3, 9999) if until else (9999,):
                        assert ask.search(word, Filter(since=since, until=until), limit=limit) == due[:limit]
        assert len(ask.search("供水", limit=9999)) > 50
        asked = Filter(source="b", since=times[1], until=times[6])
        due = [r for r in ask.search("供水", Filter(source="b"), limit=999) if times[1] <= r["at"] < times[6]]
        assert ask.search("供水", asked, limit=999) == due


def _blocks(url: str) -> list[tuple[int, datetime, datetime | None]]:
    engine = database.reader(url)
    with Session(engine) as session:
        found = [(row.block, row.first_at, row.last_at) for row in session.exec(select(EntrySpanRow))]
    engine.dispose()
    return found


def test_a_block_is_noted_when_the_next_one_begins(house: Any, source: Any, url: str, edited: Any) -> None:
    [page] = house.watch(source())
    first = house.now
    house.see(page, "供水")
    with Session(engine := database.writer(url)) as session:
        session.add(PassageRow(id=254, page=1, version=1, place="removed"))
        session.commit()
    engine.dispose()
    house.tick()
    house.see(page, "供电", edits=edited("", "供电"))
    assert _blocks(url) == []
    changed = house.now
    house.tick()
    house.see(page, "供暖", edits=edited("", "供暖"))
    assert _blocks(url) == [(0, first, changed)]
    house.now = datetime(2020, 1, 1, tzinfo=UTC)  # an old capture that was taken in late
    house.see(page, "供气")
    assert _blocks(url) == [(0, house.now, changed)]


def test_a_number_that_is_given_again_is_found_by_its_new_time(house: Any, source: Any, url: str, edited: Any) -> None:
    [page] = house.watch(source())
    house.see(page, "供水")
    engine = database.writer(url)
    with Session(engine) as session:
        session.add(PassageRow(id=255, page=1, version=1, place="removed"))
        session.commit()
    house.tick()
    house.see(page, "供电", edits=edited("", "供电"))  # 256: what stands before it is noted
    with Session(engine) as session:
        session.connection().execute(delete(PassageRow).where(col(PassageRow.id) >= 250))
        session.add(PassageRow(id=250, page=1, version=1, place="removed"))
        session.commit()
    engine.dispose()
    since = house.tick()
    house.see(page, "供暖", edits=edited("", "供暖"))
    with Queries(url) as ask:
        found = ask.search("供暖", Filter(since=since))
    assert sorted(row["where"] for row in found) == ["added", "text"]


def test_few_intervals_are_asked_for() -> None:
    scattered = [(start, start + 256) for start in range(512 * 400, 0, -512)]
    joined = spans._joined(scattered)
    assert len(joined) <= spans.MOST
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in scattered)
    assert list(spans.outside([(10, 20), (3, 10)])) == [(20, spans.END), (0, 3)]
