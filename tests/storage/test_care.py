"""Copies, damage, and thinning out."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import StorageError
from monitor.model import Alert, Delivery, Keep, TargetChange
from storage import care
from storage.queries import Queries
from storage.retention import Pruned, Retention, rules

DAY = timedelta(days=1)


@pytest.fixture
def filled(house, source, edited):
    """One page with ten versions, a day apart, each with its body."""
    [page] = house.watch(source())
    for number in range(10):
        new = f"第{number}版文字"
        house.see(page, "总则" * 200, new, title="报告", keep_body=True, edits=edited(f"第{number - 1}版文字", new))
        house.tick(DAY)
    return house


def file_of(url: str) -> str:
    return url.removeprefix("sqlite:///")


def test_a_copy_while_others_write(filled, url, tmp_path) -> None:
    assert filled.store.backup(tmp_path / "out" / "copy.db") > 10_000
    with Queries(f"sqlite:///{tmp_path}/out/copy.db") as copy:
        assert len(copy.history("yunling")) == 10
    with pytest.raises(StorageError, match="exists already"):
        filled.store.backup(tmp_path / "out" / "copy.db")
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / "copy.db"]


def test_a_copy_is_put_back_and_nothing_is_lost(filled, url, tmp_path) -> None:
    filled.store.backup(tmp_path / "copy.db")
    [page] = filled.store.pages()
    filled.see(page, "后来的文字")
    filled.store.close()
    aside = care.restore(url, tmp_path / "copy.db", filled.now)
    with Queries(url) as ask, Queries(f"sqlite:///{aside}") as before:
        assert len(ask.history("yunling")) == 10
        assert len(before.history("yunling")) == 11


def test_what_is_no_copy_is_not_put_back(filled, url, tmp_path) -> None:
    filled.store.backup(tmp_path / "copy.db")
    filled.store.close()
    (tmp_path / "broken.db").write_bytes(b"x" * 5000)
    (tmp_path / "cut.db").write_bytes((tmp_path / "copy.db").read_bytes()[:5000])
    for name, says in (("broken.db", "not a database"), ("none.db", "no file"), ("cut.db", r"cut\.db is damaged")):
        with pytest.raises(StorageError, match=says):
            care.restore(url, tmp_path / name, filled.now)
    with Queries(url) as ask:
        assert len(ask.history("yunling")) == 10


def test_a_sound_database_has_no_findings(filled) -> None:
    assert filled.store.check() == []


def test_a_flipped_byte_is_found_named_and_costs_one_version(filled, ask, url) -> None:
    with closing(sqlite3.connect(file_of(url))) as raw, raw:
        [(sha, data)] = raw.execute(
            "select blob.sha256, data from version join blob on version.sha256 = blob.sha256 where version.id = 5"
        )
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 4
        raw.execute("update blob set data = ? where sha256 = ?", [bytes(flipped), sha])
    [finding] = filled.store.check()
    assert (finding.what, finding.subject) == ("blob", "v5 (text)") and "damaged" in finding.detail
    with pytest.raises(StorageError, match="version v5"):
        ask.version("v5")
    assert ask.version("v4").document.paragraphs[1] == "第3版文字"
    assert ask.version("yunling").id == "v10"


def spoil(url: str, *, at: int) -> None:
    """Write nonsense over a page of the file, as a bad disk does; the write-ahead log is folded in before."""
    with closing(sqlite3.connect(file_of(url))) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with Path(file_of(url)).open("r+b") as file:
        file.seek(at)
        file.write(random.Random(at).randbytes(4096))


@pytest.mark.parametrize("page", range(1, 40))
def test_a_damaged_file_is_a_finding_and_one_line_never_a_traceback(filled, url, page) -> None:
    filled.store.close()
    spoil(url, at=4096 * page)
    found = care.check(url)
    assert found and {f.what for f in found} <= {"file", "reference", "blob", "index"}
    for question in ("history", "show", "version"):
        try:
            with Queries(url) as ask:
                getattr(ask, question)("yunling")
        except StorageError as wrong:
            assert "mubiao db check" in str(wrong)


def test_a_damaged_schema_table_is_a_finding(filled, url) -> None:
    with closing(sqlite3.connect(file_of(url))) as raw:
        [(root,)] = raw.execute("select rootpage from sqlite_master where name = 'alembic_version'")
    filled.store.close()
    spoil(url, at=4096 * (root - 1))
    assert [f.what for f in care.check(url)] == ["file"]
    with pytest.raises(StorageError, match=r"damaged .* run: mubiao db check"), Queries(url):
        pass


def test_a_damaged_change_is_named(filled, ask, url) -> None:
    with closing(sqlite3.connect(file_of(url))) as raw, raw:
        raw.execute("update change set body = zeroblob(40) where id = 4")
    feed = {change.id: change.edits for change in ask.changes()}
    assert feed["c4"] == () and feed["c5"] != ()
    [told] = ask.unread
    assert "the change c4 is damaged" in told
    with pytest.raises(StorageError, match=r"c4.* mubiao db check"):
        ask.change("c4")


def test_a_kind_that_there_is_not_is_named_and_costs_itself(filled, ask, url) -> None:
    """One flipped byte ended the whole feed with a traceback."""
    with closing(sqlite3.connect(file_of(url))) as raw, raw:
        raw.execute("update change set kind = 'cgntent' where id = 4")
        raw.execute("update version set kind = 'cgntent' where id = 4")
    assert "c4" not in [change.id for change in ask.changes()]
    versions = {row["version"]: row["kind"] for row in ask.history(ask.version("v4").url)}
    assert versions["v4"] is None
    assert versions["v5"] is not None
    assert {line.split(",")[0] for line in ask.unread} == {"the kind of c4", "the kind of v4"}
    with pytest.raises(StorageError, match=r"kind of c4.* mubiao db check"):
        ask.change("c4")
    told = [(f.what, f.subject) for f in filled.store.check()]
    assert ("change", "c4") in told and ("version", "v4") in told


def test_a_lost_blob_is_found(filled, url) -> None:
    with closing(sqlite3.connect(file_of(url))) as raw, raw:
        raw.execute("delete from blob where sha256 = (select raw_sha256 from version where id = 7)")
    assert [(f.subject, f.what) for f in filled.store.check()] == [("v7", "blob")]


# --------------------------------------------------------------------------- retention


def prune(house, **fields) -> Pruned:
    return house.store.prune([Retention(**fields)], house.now)


def test_everything_is_kept_by_default(filled) -> None:
    assert prune(filled) == Pruned()


def test_old_versions_go_with_their_changes_blobs_and_index(filled, ask) -> None:
    would = filled.store.prune([Retention(versions=3)], filled.now, dry_run=True)
    assert would.versions == 7 and len(ask.history("yunling")) == 10
    assert prune(filled, versions=3) == would
    assert [r["version"] for r in ask.history("yunling")] == ["v10", "v9", "v8"]
    assert [c.id for c in ask.changes()] == ["c10", "c9", "c8"]
    assert filled.store.check() == []
    assert ask.search("第2版") == [] and len(ask.search("第9版")) == 2
    assert ask.version("v8").document.paragraphs[1] == "第7版文字"


def test_by_age_and_of_one_source_only(filled, ask) -> None:
    assert prune(filled, age=4 * DAY, source="nobody").versions == 0
    assert prune(filled, age=4 * DAY, versions=8).versions == 2, "both must let it go"
    assert prune(filled, age=4 * DAY).versions == 4


def test_what_alerts_and_moved_targets_refer_to_stays(filled, ask, quoted) -> None:
    alert = Alert(id="a", key="a", channel="desk", type="change.detected", payload={}, change="c3")
    filled.store.enqueue([alert], filled.now)
    [page] = filled.store.pages()
    goal = quoted("增长5%", "增长5%", "5%")
    filled.see(page, "增长5%", moved=(TargetChange(None, "增长", "growth", "new", None, goal),))
    filled.tick(DAY)
    filled.see(page, "最后")
    prune(filled, versions=1)
    assert [r["version"] for r in ask.history("yunling")] == ["v12", "v11", "v10", "v3", "v2"]
    assert filled.store.check() == []


def test_what_a_told_change_was_compared_with_stays(house, source, quoted) -> None:
    last, this = house.watch(source("y2025"), source("y2026"))
    for number in range(3):
        house.see(last, f"增长{number}%", title="去年")
        house.tick(DAY)
    house.see(
        this, "增长9%", moved=(TargetChange(None, "增长", "growth", "new", None, quoted("增长9%", "增长9%", "9%")),)
    )
    with closing(sqlite3.connect(file_of(house.store.url))) as raw, raw:
        raw.execute("update change set compared_with = 2 where id = (select max(id) from change)")
    assert prune(house, versions=1).sources == (("y2025", 1, 0),)
    with closing(sqlite3.connect(file_of(house.store.url))) as raw:
        assert [row[0] for row in raw.execute("select id from version order by id")] == [2, 3, 4]


@pytest.mark.both_dialects
def test_each_source_by_its_own_rule_night_by_night(house, source, ask) -> None:
    few, all_ = source("few", keep=Keep(versions=1, bodies=DAY)), source("all")
    for page in house.watch(few, all_):
        for number in range(4):
            house.see(page, f"{page.source}第{number}版", title="x", keep_body=True)
            house.tick(DAY)
    keeping = rules([few, all_])
    would = house.store.prune(keeping, house.now, dry_run=True)
    assert would.sources == (("few", 3, 0),) and would.blobs > 0
    stopped = house.store.thin_out(keeping, house.now, lambda: True)
    assert (stopped.versions, stopped.finished) == (0, False)
    gone = house.store.thin_out(keeping, house.now, lambda: False)
    assert (gone.sources, gone.blobs, gone.finished) == (would.sources, would.blobs, True)
    told = ask.thinned_out()
    assert told["versions"] == 3 and told["at"] == house.now.isoformat()
    assert (len(ask.history("few")), len(ask.history("all"))) == (1, 4)
    assert house.store.check() == []


def test_versions_with_a_damaged_change_go_too(filled, ask, url) -> None:
    with closing(sqlite3.connect(file_of(url))) as raw, raw:
        raw.execute("update change set body = zeroblob(40) where id = 4")
    assert prune(filled, versions=3).versions == 7
    assert ask.search("第3版") == []
    assert [f.what for f in filled.store.check()] == ["index"], "the words of what was damaged are not known any more"


def test_bodies_and_sent_alerts_go_alone(filled, ask) -> None:
    filled.store.enqueue([Alert(n, n, "desk", "test", {}) for n in "ab"], filled.now)
    filled.store.record_delivery(Delivery("a", filled.now, ok=True))
    filled.tick(9 * DAY)
    gone = prune(filled, bodies=DAY, alerts=DAY)
    assert (gone.versions, gone.bodies, gone.alerts) == (0, 9, 1) and gone.blobs > 0
    assert ask.raw("v10") is not None and ask.raw("v1") is None
    assert [a.id for a in ask.alerts()] == ["b"]
    assert filled.store.check() == []
