"""A flipped byte is found, named and costs its own version only; what can be mended is; a full disk loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from monitor.errors import StorageError
from monitor.model import Alert
from storage import care, database, mending
from storage.database import FullError

DAY = timedelta(days=1)


@contextmanager
def opened(url: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw, raw:
        yield raw


def flip(url: str, version: str) -> None:
    """Damage the text of one version, in the middle of what is kept of it."""
    with opened(url) as raw:
        where = "sha256 = (SELECT sha256 FROM version WHERE id = ?)"
        ((data,),) = raw.execute(f"SELECT data FROM blob WHERE {where}", (version[1:],))
        spot = len(data) // 2
        raw.execute(
            f"UPDATE blob SET data = ? WHERE {where}",
            (data[:spot] + bytes([data[spot] ^ 4]) + data[spot + 1 :], version[1:]),
        )


@pytest.fixture
def report(house, source, edited):
    """A page with four versions, and a neighbour of the same region and series."""
    page, other = house.watch(source(), source("songyuan"))
    general = "".join(f"第{n}项工作按照第{n * 7 % 31}号文件办理。" for n in range(300))
    for number in range(4):
        house.see(page, general, f"第{number}版", title="报告", edits=edited(f"第{number - 1}版", f"第{number}版"))
        house.tick(DAY)
    house.see(other, "松原新区植树三千亩。", title="松原")
    return page


def test_a_damaged_text_costs_its_version_and_the_page_goes_on(house, url, ask, report) -> None:
    other = next(p for p in house.store.pages() if p.id != report.id)
    assert [r.version for r in house.store.releases(other.id)] == ["v4"]
    flip(url, "v4")
    assert [(f.what, f.subject) for f in house.store.check()] == [("blob", "v4 (text)")]
    known = house.store.load(report.id)
    assert known.last.id == "v3" and known.page.version == "v4"
    assert house.store.releases(other.id) == (), "it is no release to compare with"
    house.see(report, "全部重写。", title="报告")
    assert ask.history("yunling")[0]["version"] == "v6"
    assert ask.version("v6").document.paragraphs == ("全部重写。",)
    assert [row["version"] for row in ask.versions()] == ["v1", "v2", "v3", "v5", "v6"]
    assert "version v4" in ask.unread[-1]


def test_a_keyframe_that_its_parity_makes_good_is_told_of_and_written_back(house, url, ask, report) -> None:
    flip(url, "v1")
    assert ask.version("v1") and ask.version("v4"), "good by the parity"
    assert [f.what for f in house.store.check()] == ["keyframe"]
    house.store.close()
    aside, mended, left = mending.repair(url, house.now)
    assert aside.exists() and [f.what for f in mended] == ["keyframe"] and left == []
    assert ask.version("v1").document.paragraphs[1] == "第0版"


def test_what_cannot_be_mended_is_left_and_named(house, url, report) -> None:
    flip(url, "v4")
    house.store.close()
    _, mended, left = mending.repair(url, house.now)
    assert [f.subject for f in left] == ["v4 (text)"] and mended == []


@pytest.mark.both_dialects
def test_an_index_that_differs_from_the_texts_is_made_anew(house, url, ask, report) -> None:
    assert house.store.check() == []
    engine = database.writer(url)
    with Session(engine) as session, session.begin():
        if engine.dialect.name == "sqlite":
            words = (
                "INSERT INTO passage_index(passage_index, rowid, words) SELECT 'delete', max(id), '植树' FROM passage"
            )
        else:
            words = "UPDATE passage_index SET words = array_remove(words, '植树')"
        session.connection().exec_driver_sql(words)
    engine.dispose()
    assert ask.search("植树") == []
    assert [(f.what, f.detail) for f in house.store.check()] == [("index", "it differs from the texts")]
    house.store.close()
    _, mended, left = mending.repair(url, house.now)
    assert [f.what for f in mended] == ["index"] and left == []
    assert len(ask.search("植树")) == 1


def test_an_index_that_cannot_be_read_is_made_anew(house, url, ask, report) -> None:
    with opened(url) as raw:
        raw.execute("UPDATE passage_index_data SET block = zeroblob(40) WHERE id > 100")
    assert "index" in [f.what for f in house.store.check()]
    house.store.close()
    _, mended, left = mending.repair(url, house.now)
    assert [f.what for f in mended] == ["index"] and left == []
    assert len(ask.search("植树")) == 1


def test_a_latest_version_that_is_missing_gives_way_to_the_one_before(house, url, ask, report) -> None:
    with opened(url) as raw:
        raw.execute("UPDATE page SET version = 99 WHERE id = ?", (report.id,))
    house.store.close()
    _, mended, left = mending.repair(url, house.now)
    assert ["now v4" in f.detail for f in mended] == [True] and left == []
    assert ask.resolve("yunling") == "v4"


def test_a_repair_waits_for_no_daemon(url, store) -> None:
    with database.lock(url).holding(), pytest.raises(StorageError, match="held by a running daemon"):
        mending.repair(url, datetime.now(UTC))


def test_a_damaged_message_holds_up_no_other(house, url, ask) -> None:
    for name in "ab":
        house.store.enqueue([Alert(name, name, "desk", "test", {"text": name})], house.now)
    with opened(url) as raw:
        sha = raw.execute("SELECT payload_sha256 FROM alert WHERE id = 'a'").fetchone()[0]
        raw.execute("UPDATE payload SET data = zeroblob(20) WHERE sha256 = ?", (sha,))
    assert [a.id for a in house.store.claim_alerts(house.now)] == ["b"]
    assert [a.id for a in ask.alerts()] == ["b"] and "the alert a tells is damaged" in ask.unread[0]
    assert [f.what for f in house.store.check()] == ["alert"]


def test_a_full_disk_saves_nothing_half_and_goes_on_when_there_is_room(house, url, ask, report) -> None:
    def most(pages: int) -> None:
        with closing(house.store._writer.raw_connection()) as raw:
            raw.cursor().execute(f"PRAGMA max_page_count={pages}")

    most(1)  # SQLite takes the size the file has
    big = "".join(chr(0x4E00 + n * n % 20000) for n in range(90_000))
    before = ask.history("yunling")
    with pytest.raises(FullError, match="disk is full"):
        house.see(report, big, title="报告")
    assert ask.history("yunling") == before and house.store.check() == []
    most(1 << 30)
    house.see(report, big, title="报告")
    assert len(ask.history("yunling")) == len(before) + 1 and house.store.check() == []


def test_a_table_that_cannot_be_read_is_named_and_costs_no_other(house, url, report) -> None:
    house.store.close()
    with opened(url) as raw:
        [(page,)] = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'target'").fetchall()
        [(size,)] = raw.execute("PRAGMA page_size").fetchall()
        raw.execute("PRAGMA journal_mode=DELETE")
    with Path(url.removeprefix("sqlite:///")).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff")
    found = care.check(url)
    assert {f.what for f in found} == {"file"}, "the index and the texts are good"
    assert any("target" in f.subject or f"page {page}" in f.detail for f in found)
    flip(url, "v1")
    _, mended, left = mending.repair(url, house.now)
    assert [f.what for f in mended] == ["keyframe"], "what can be mended is"
    assert {f.what for f in left} == {"file"}
