"""Migrations: from nothing to the tables, from every released schema with data, and never to a newer one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from monitor.errors import StorageError
from storage import database, migrate
from storage.queries import Queries
from storage.store import Store
from storage.tables import REVISION, REVISIONS


def revise(url: str, revision: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute("update alembic_version set version_num=?", [revision])


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
    assert copy.name == "mubiao.db.0000-20260302T013000Z.bak"
    with Queries(f"sqlite:///{copy}") as ask:
        assert ask.version("yunling").document.title == "云岭区"


def test_no_upgrade_while_a_daemon_runs(tmp_path, house) -> None:
    path = tmp_path / "other.db"
    with database.Lock(path).holding(), pytest.raises(StorageError, match="running daemon"):
        migrate.upgrade(f"sqlite:///{path}", house.now)


def test_asking_imports_neither_alembic_nor_what_only_others_need() -> None:
    code = "import sys, storage.queries; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"alembic", "apscheduler", "httpx", "starlette", "jinja2", "yaml"} & set(run.stdout.split())
