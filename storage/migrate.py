"""Making a database and bringing an older one up to date. The only module that imports alembic: call it, then open.

Commands that only ask never come here (database.require_current looks at the revision with one SELECT).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from monitor.errors import StorageError
from storage import database, postgres
from storage.tables import REVISION, REVISIONS

SCRIPTS = Path(__file__).with_name("migrations")

Told = Callable[[int, int], object]  # what is done, and of how much


def config() -> Config:
    """Alembic's settings, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return settings


def upgrade(url: str, now: datetime, told: Told = lambda done, total: None) -> str | None:
    """Make the database (and its folder), or upgrade it after taking a copy. Returns the path of that copy.

    `told` hears how far a step is that reads the whole store.

    Raises StorageError when the database is newer than this program, or held by a running daemon.
    """
    path = database.sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = _engine(url)
    try:
        have = database.revision(engine)
        if have == REVISION:
            return None
        if have is not None and have not in REVISIONS:
            database.require_current(engine, REVISIONS)
        if path is not None:
            with database.lock(url).holding():
                return _make(engine, path, now, told)
        with postgres.upgrading(url):  # a daemon and its workers are started together: who comes second waits
            return _make_shared(engine, url, now, told)
    finally:
        engine.dispose()


def _make(engine: Engine, path: Path | None, now: datetime, told: Told) -> str | None:
    have = database.revision(engine)
    if have == REVISION:  # another process was faster
        return None
    saved = copy_aside(path, have, now) if path is not None and have is not None else None
    try:
        _run(engine, told)
    except StorageError:
        if saved is not None and database.revision(engine) == have:  # a copy for every try would keep the disk full
            saved.unlink()
        raise
    return str(saved) if saved else None


def _make_shared(engine: Engine, url: str, now: datetime, told: Told) -> str | None:
    """On a new database no daemon can run; its lock would only turn one away that starts at this moment."""
    if database.revision(engine) in (None, REVISION):
        return _make(engine, None, now, told)
    with database.lock(url).holding():
        return _make(engine, None, now, told)


def _engine(url: str) -> Engine:
    """A connection without foreign keys: batch operations rebuild tables."""
    if database.sqlite_path(url) is None:
        return postgres.engine(url, read_only=False, pooled=False)
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={database.BUSY_MS}")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    return engine


def _run(engine: Engine, told: Told) -> None:
    settings = config()
    settings.attributes["told"] = told
    with database.plain_errors(engine), engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, REVISION)
        connection.commit()


def copy_aside(path: Path, revision: str, now: datetime) -> Path:
    """A whole copy of a SQLite database beside it. Raises StorageError, naming the file, if it cannot be written."""
    target = path.with_name(f"{path.name}.{revision}-{now:%Y%m%dT%H%M%SZ}.bak")
    part = path.with_name(f"{path.name}.{revision}.bak.part")  # a kill leaves nothing that looks like a whole one
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.replace(target)
    except (OSError, sqlite3.Error) as wrong:
        raise StorageError(f"no upgrade without a copy, and {target} cannot be written: {wrong}") from wrong
    finally:
        part.unlink(missing_ok=True)
    return target
