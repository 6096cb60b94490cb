"""What is particular to PostgreSQL: addresses, refusals in one line, the daemon's lock, several writers at once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from monitor.errors import StorageError
from monitor.model import Alert, Link
from storage import database, postgres
from storage.postgres import GoneError
from storage.queries import Queries
from storage.store import Store


@pytest.fixture
def dialect() -> str:
    return "postgresql"


# --------------------------------------------------------------------------- the schema


def test_migrations_make_the_tables(url) -> None:
    engine = postgres.engine(url, read_only=True, pooled=False)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _ours})
        assert compare_metadata(context, SQLModel.metadata) == []
        narrow = text(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name NOT LIKE 'procrastinate%' AND table_name <> 'alembic_version' AND"
            " (data_type LIKE 'timestamp without%'"
            " OR data_type LIKE 'character%' AND collation_name IS DISTINCT FROM 'C')"
        )
        assert connection.execute(narrow).all() == [], "texts compare as in SQLite, times have a zone"
    engine.dispose()


def _ours(name: str | None, kind: str, _: Any) -> bool:
    return not (kind == "table" and str(name).startswith(("passage_index", "procrastinate")))


# --------------------------------------------------------------------------- addresses and refusals

SECRET = "hunter2"
ODD = [f"postgresql://u:{SECRET}@x@h/d", f"postgresql://u:{SECRET}/@h/d", f"postgresql://u:{SECRET}#@h/d",
       f"postgresql://u:{SECRET}@h", f"postgresql://u:{SECRET}@h:port/d", f"mysql://u:{SECRET}@h/d"]  # fmt: skip


@pytest.mark.parametrize("address", ODD)
def test_an_odd_address_is_refused_without_its_password(address: str) -> None:
    for opening in (Store, Queries, database.is_current):
        with pytest.raises(StorageError) as wrong:
            opening(address)
        assert SECRET not in str(wrong.value) and "postgresql://" in str(wrong.value)


def said(url: str) -> StorageError:
    with pytest.raises(StorageError) as wrong, Queries(url):
        pass
    words = str(wrong.value)
    assert "\n" not in words and SECRET not in words and SECRET not in repr(wrong.value.__cause__)
    return wrong.value


def test_what_a_server_refuses_is_one_line_with_the_fix(postgres, postgres_url) -> None:
    secret = postgres_url.replace("mubiao@", f"mubiao:{SECRET}@")
    assert isinstance(said(secret.replace(str(postgres.folder), "/nowhere")), GoneError)
    assert "createdb" in str(said(secret.replace("test_1", "nothing")))
    assert "mubiao db upgrade" in str(said(secret.replace("test_1", "postgres")))
    assert "mend --db" in str(said(secret.replace("mubiao:", "stranger:")))
    assert "mend --db" in str(said(secret + "&bogus=1"))


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch, postgres_url) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StorageError, match=r"pip install 'mubiao\[postgres\]'"):
        Store(postgres_url)


def test_a_refused_row_is_one_line_and_nothing_is_saved(store, house, source) -> None:
    house.watch(source())
    with pytest.raises(StorageError, match="refuses a row"), store._write() as session:
        session.connection().execute(text("UPDATE source SET name = 'x'"))
        session.connection().execute(text("INSERT INTO delivery (alert, at, ok) VALUES ('none', now(), true)"))
    assert store.entry("yunling", "http://yunling.example/report.html", house.now).source == "yunling"


def test_what_no_text_of_postgresql_holds_is_shown_as_unreadable(store, ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区", title="报\0告")
    assert [row["title"] for row in ask.history("yunling")] == ["报\ufffd告"]


# --------------------------------------------------------------------------- the daemon's lock


def test_a_second_daemon_is_refused_and_a_lost_lock_is_taken_again(url, postgres) -> None:
    with Store(url) as first, Store(url) as second:
        first.lock_daemon()
        first.lock_daemon()
        with pytest.raises(StorageError, match=rf"running daemon, pid {os.getpid()} on"):
            second.lock_daemon()
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as other:
            ours = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            assert other.execute(ours).fetchall()
        first.lock_daemon()  # as a daemon does after its server was restarted
        with pytest.raises(StorageError, match="running daemon"):
            second.lock_daemon()
        first.close()
        second.lock_daemon()


# --------------------------------------------------------------------------- several writers


def together(*work: Callable[[], object]) -> None:
    """All at once, each in a thread; an error in one is an error here."""
    wrong: list[BaseException] = []
    start = threading.Barrier(len(work))

    def one(what: Callable[[], object]) -> None:
        start.wait()
        try:
            what()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=one, args=[w]) for w in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_two_that_find_the_same_keep_it_once(url, store, ask, house, source) -> None:
    pages = house.watch(source("a"), source("b"))
    links = [Link(f"http://a.example/{n}.html", str(n)) for n in range(30)]
    owed = [Alert(f"a{n}", f"a{n}", "desk", "test", {}) for n in range(20)]
    outcomes = [replace(house.outcome(p, "同一段文字", *"甲乙丙"), change=None) for p in pages]
    with Store(url) as other:
        made = list(zip((store, other), outcomes, strict=True))
        together(*(lambda s=s, o=o: s.save(o, health=owed) for s, o in made))
        together(*(lambda s=s: s.add_pages("a", links, house.now) for s in (store, other)))
        together(*(lambda s=s: [s.slow_down("a.example", n / 9) for n in range(9)] for s in (store, other)))
        claimed: list[str] = []
        together(*(lambda s=s: claimed.extend(a.id for a in s.claim_alerts(house.now, 10)) for s in (store, other)))
    assert sorted(claimed) == sorted(a.id for a in owed), "each alert is claimed by one"
    assert len(ask.pages("a")) == 31 and ask.status(house.now)["blobs"] == 1
    assert store.check() == []
