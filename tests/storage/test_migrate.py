"""Migrations: from nothing to the tables, from every released schema with data, and never to a newer one."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from monitor.errors import StorageError
from monitor.model import Delivery
from storage import care, database, migrate, passages, search
from storage.filters import Filter
from storage.queries import Queries
from storage.store import Store
from storage.tables import REVISION, REVISIONS

PLAIN = "array(SELECT word FROM unnest(words) AS word WHERE ascii(word) < 57344)"  # without those of private use


def revise(url: str, revision: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute("update alembic_version set version_num=?", [revision])
        if revision < "0007":
            file.execute("alter table page drop column resumes")


def test_from_nothing_to_the_tables(template) -> None:
    engine = create_engine(f"sqlite:///{template}")
    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: not str(name).startswith("passage_index"),
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)
    engine.dispose()
    assert differences == []


def earlier_schema(path: Path, revision: str) -> str:
    """A database as an earlier schema made it; returns its address."""
    settings = migrate.config()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        connection.commit()
    engine.dispose()
    return f"sqlite:///{path}"


def test_what_the_second_schema_owed_is_owed_by_the_third(tmp_path, house) -> None:
    url = earlier_schema(tmp_path / "old.db", "0002")
    told = {"title": "云岭区'\"报告\n" * 3000, "targets": [{"value": 5.5, "to": None}]}
    at = "2026-03-01T00:00:00.000000Z"
    columns = "id, key, channel, type, payload, lang, state, attempts, created, next_at, digest, folded_into, reached"
    with closing(sqlite3.connect(tmp_path / "old.db")) as file, file:
        for row in (
            ("a", "c1:desk", "desk", "t", json.dumps(told), "zh", "pending", 2, at, at, None, None, '["x@y"]'),
            ("b", "c1:hook", "hook", "t", json.dumps(told), "en", "pending", 0, at, at, None, None, "[]"),
            ("c", "c2:desk", "desk", "t", '{"n":1}', "zh", "pending", 0, at, None, "0 8 * * *", None, "[]"),
            ("d", "c3:desk", "desk", "t", '{"t":"\\ud800"}', "zh", "sent", 1, at, None, None, "e", "[]"),
        ):
            file.execute(f"insert into alert ({columns}) values ({','.join('?' * len(row))})", row)
        file.execute("insert into delivery (alert, at, ok, error) values ('a', ?, 0, '451')", [at])
    assert migrate.upgrade(url, house.now) == str(tmp_path / "old.db.0002-20260302T013000Z.bak")
    assert care.check(url) == []
    with Store(url) as store, Queries(url) as ask:
        known = {a.id: a for a in ask.alerts()}
        assert [dict(known[x].payload) for x in "abcd"] == [told, told, {"n": 1}, {"t": "\ud800"}]
        assert (known["a"].attempts, known["a"].reached, known["b"].lang) == (2, ("x@y",), "en")
        assert {a.id for a in store.claim_alerts(house.now, 9, 60)} == {"a", "b"}
        assert [a.id for a in store.digest_waiting("desk", "0 8 * * *")] == ["c"]
        store.record_delivery(Delivery("a", house.now, ok=True))
        assert store.enqueue([known["b"]], house.now) == 0, "its key is known"


def test_what_rested_in_the_sixth_schema_is_in_nobodys_way_in_the_seventh(tmp_path, house) -> None:
    url = earlier_schema(tmp_path / "old.db", "0006")
    source = "insert into source (key, name, kind, url, tags, settings, enabled, in_config, first_seen)"
    page = (
        "insert into page (source, url, role, host, next_due, since_full, consecutive, gone_count, removed, baseline)"
        " values (?, ?, 'document', 'h', ?, 0, 0, 0, 0, 0)"
    )
    at = "2026-03-01T00:00:00.000000Z"
    with closing(sqlite3.connect(tmp_path / "old.db")) as file, file:
        for key, enabled, in_config in (("on", 1, 1), ("off", 0, 1), ("gone", 1, 0)):
            file.execute(
                f"{source} values (?, '', 'listing', 'http://h/', '[]', '{{}}', ?, ?, ?)", [key, enabled, in_config, at]
            )
            file.executemany(page, [(key, f"http://h/{key}/1", at), (key, f"http://h/{key}/2", None)])
    migrate.upgrade(url, house.now)
    with closing(sqlite3.connect(tmp_path / "old.db")) as file:
        kept = file.execute("select url, next_due, resumes from page where coalesce(next_due, resumes) is not null")
        assert set(kept) == {("http://h/on/1", at, None), ("http://h/off/1", None, at), ("http://h/gone/1", None, at)}
    assert care.check(url) == []


def test_the_program_knows_its_revisions() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    assert scripts.get_current_head() == REVISION
    assert {script.revision for script in scripts.walk_revisions()} == REVISIONS


def test_the_folder_and_the_file_are_made(tmp_path, house) -> None:
    url = f"sqlite:///{tmp_path}/deep/er/mubiao.db"
    assert migrate.upgrade(url, house.now) is None
    assert migrate.upgrade(url, house.now) is None, "a second time there is nothing to do"
    with Store(url), Queries(url) as ask:
        assert ask.sources() == []


def test_a_newer_database_is_refused_and_not_touched(url, house) -> None:
    revise(url, "9999")
    before = Path(url.removeprefix("sqlite:///")).read_bytes()
    for opening in (lambda: migrate.upgrade(url, house.now), Store(url).open, Queries(url).open):
        with pytest.raises(StorageError, match=r"newer schema 9999.*install a newer mubiao"):
            opening()
    assert Path(url.removeprefix("sqlite:///")).read_bytes() == before


def test_a_foreign_file_is_refused(tmp_path, house) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 99)
    with pytest.raises(StorageError, match="not a database of mubiao"):
        migrate.upgrade(f"sqlite:///{tmp_path}/x.db", house.now)
    with pytest.raises(StorageError, match="not a database of mubiao"):
        Queries(f"sqlite:///{tmp_path}/x.db").open()


def test_an_empty_file_says_what_to_run(tmp_path) -> None:
    (tmp_path / "x.db").write_bytes(b"")
    with pytest.raises(StorageError, match="mubiao db upgrade"):
        Queries(f"sqlite:///{tmp_path}/x.db").open()


def test_a_copy_is_taken_before_an_upgrade(url, house, source, tmp_path) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    house.store.close()
    copy = migrate.copy_aside(tmp_path / "mubiao.db", "0000", house.now)
    assert copy.name == "mubiao.db.0000-20260302T013000Z.bak" and not [*tmp_path.glob("*.part")]
    with Queries(f"sqlite:///{copy}") as ask:
        assert ask.version("yunling").document.title == "云岭区"


def test_an_upgrade_that_failed_leaves_the_database_and_no_copy(url, house, source, tmp_path) -> None:
    [page] = house.watch(source())
    house.see(page, "共6.5万亩")
    house.store.close()
    revise(url, "0005")
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        file.execute("CREATE TRIGGER full BEFORE UPDATE ON alembic_version BEGIN SELECT RAISE(ABORT, 'no room'); END")
    for _ in range(2):
        with pytest.raises(StorageError):
            migrate.upgrade(url, house.now)
    assert not list(tmp_path.glob("*.bak*"))
    (tmp_path / "mubiao.db.0005.bak.part").write_bytes(b"what a kill left")
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        file.execute("DROP TRIGGER full")
    saved = migrate.upgrade(url, house.now)
    assert [str(path) for path in tmp_path.glob("*.bak*")] == [saved]
    assert care.check(url) == []


def test_no_upgrade_while_a_daemon_runs(tmp_path, house) -> None:
    path = tmp_path / "other.db"
    with database.Lock(path).holding(), pytest.raises(StorageError, match="running daemon"):
        migrate.upgrade(f"sqlite:///{path}", house.now)


def test_asking_imports_neither_alembic_nor_what_only_others_need() -> None:
    code = "import sys, storage.queries; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"alembic", "apscheduler", "httpx", "starlette", "jinja2", "yaml"} & set(run.stdout.split())


@pytest.mark.both_dialects
def test_entries_of_the_third_schema_are_found_by_their_source_and_by_numbers(url, house, source, edited, ask) -> None:
    for page in house.watch(source("yl-1"), source("云岭.2")):
        house.see(page, "土地" + page.source)
        house.tick()
        house.see(page, f"土地{page.source}共6.5万亩", edits=edited("", "共6.5万亩"))
    house.store.close()
    engine = database.writer(url)
    if engine.dialect.name == "sqlite":  # taken out and put in again with less, so that the index counts on
        out = ("INSERT INTO passage_index(passage_index, rowid, words) VALUES ('delete', :number, :words)",)
        out += ("INSERT INTO passage_index(rowid, words) VALUES (:number, '')",)
    else:
        out = (f"UPDATE passage_index SET words = {PLAIN} WHERE passage = :number",)
    with engine.begin() as connection:
        asked = (
            "SELECT passage.id, passage.place, page.source FROM passage JOIN page ON page.id = passage.page"
            " ORDER BY passage.id"
        )
        for number, place, key in connection.execute(text(asked)).all():
            own = [passages.of_source(key), *([passages.TEXT] if place == "text" else [])]
            own += sorted(search.words("6.5") - {"6", "5"}) if place != "removed" else []
            for statement in out:
                connection.execute(text(statement), {"number": number, "words": " ".join(own)})
        connection.execute(text("CREATE INDEX ix_version_page_fingerprint ON version (page, fingerprint)"))
        for index in ("change_compared_with", "change_feed", "moved_role_change", "version_year"):
            connection.execute(text(f"DROP INDEX ix_{index}"))
        connection.execute(text("DROP TABLE entry_span"))
        connection.execute(text("ALTER TABLE page DROP COLUMN resumes"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    engine.dispose()
    told: list[tuple[int, int]] = []
    migrate.upgrade(url, house.now, lambda done, total: told.append((done, total)))
    assert told[-1] == (told[-1][1],) * 2
    for key in ("yl-1", "云岭.2"):
        assert [row["source"] for row in ask.search("土地", Filter(source=key))] == [key]
        assert [row["where"] for row in ask.search("6.5", Filter(source=key))] == ["added", "text"]
    assert ask.search("6.6") == []
    assert len(ask.search("土地", Filter(since=house.now))) == 1
    assert care.check(url) == []


@pytest.mark.both_dialects
def test_hundreds_of_entries_may_have_no_latest_text_among_them(url, house, source, edited, ask) -> None:
    [page] = house.watch(source())
    house.see(page, "共6.5万亩")
    house.see(page, "共7.5万亩", edits=edited("", "共7.5万亩"))
    house.store.close()
    engine = database.writer(url)
    more = "INSERT INTO passage (page, version, change, place) SELECT page, version, change, 'removed' FROM passage"
    with engine.begin() as connection:
        connection.execute(text(f"{more} WHERE place = :place"), [{"place": "added"}] * 600)
        connection.execute(text("ALTER TABLE page DROP COLUMN resumes"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    engine.dispose()
    told: list[tuple[int, int]] = []
    migrate.upgrade(url, house.now, lambda done, total: told.append((done, total)))
    assert told == [(500, 602), (602, 602)]
    assert {row["where"] for row in ask.search("7.5")} == {"added", "text"}


def test_a_text_that_cannot_be_read_costs_an_upgrade_nothing_else(tmp_path, url, house, source, edited, ask) -> None:
    for page in house.watch(source("a"), source("b")):
        house.see(page, "共6.5万亩")
        house.tick()
        house.see(page, "共7.5万亩", edits=edited("6.5", "7.5"))
    house.store.close()
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        file.execute("UPDATE change SET body = x'00ff' WHERE source = 'a'")
        file.execute("UPDATE blob SET data = x'00ff' WHERE base IS NOT NULL")
        asked = "SELECT passage.id FROM passage JOIN page ON page.id = page WHERE source = 'b' AND place = 'removed'"
        [(number,)] = file.execute(asked).fetchall()
        words = " ".join(search.words("6.5"))
        file.execute("INSERT INTO passage_index(passage_index, rowid, words) VALUES ('delete', ?, ?)", [number, words])
        file.execute("INSERT INTO passage_index(rowid, words) VALUES (?, '')", [number])
    assert ask.search("6.5", Filter(source="b")) == []
    revise(url, "0005")
    migrate.upgrade(url, house.now)
    assert [(row["source"], row["where"]) for row in ask.search("6.5")] == [("b", "removed")]


def spoilt(data: bytes, place: int, bits: int) -> bytes:
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


@pytest.mark.parametrize(("place", "bits"), [(12, 0x40), (4, 0xC0)], ids=["no text", "a huge size"])
def test_a_wrong_bit_in_a_text_stops_no_upgrade(tmp_path, url, house, source, ask, place: int, bits: int) -> None:
    for page in house.watch(source("a"), source("b")):
        house.see(page, f"{page.source}共6.5万亩云岭区松原新区")
    house.store.close()
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        [[sha, data]] = file.execute(
            "SELECT blob.sha256, data FROM blob JOIN version ON version.sha256 = blob.sha256"
            " JOIN page ON page.id = version.page WHERE source = 'a'"
        ).fetchall()
        file.execute("UPDATE blob SET data = ? WHERE sha256 = ?", [spoilt(data, place, bits), sha])
        file.execute("INSERT INTO passage_index(passage_index) VALUES ('delete-all')")
    revise(url, "0005")
    migrate.upgrade(url, house.now)
    assert [row["source"] for row in ask.search("6.5")] == ["b"]
    assert [found.what for found in care.check(url)] == ["blob"]


def test_an_upgrade_reads_what_leans_on_a_keyframe_that_can_be_mended(tmp_path, url, house, source, ask) -> None:
    [page] = house.watch(source("a"))
    body = "".join(chr(0x4E00 + k * k % 4999) for k in range(3000))
    for goal in ("6.5", "7.5"):
        house.tick()
        house.see(page, body + f"共{goal}万亩")
    house.store.close()
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        base, data = file.execute("SELECT sha256, data FROM blob WHERE sha256 IN (SELECT base FROM blob)").fetchone()
        file.execute("UPDATE blob SET data = ? WHERE sha256 = ?", [spoilt(data, len(data) // 2, 1), base])
        file.execute("INSERT INTO passage_index(passage_index) VALUES ('delete-all')")
    revise(url, "0005")
    migrate.upgrade(url, house.now)
    assert [row["where"] for row in ask.search("7.5")] == ["text"]
