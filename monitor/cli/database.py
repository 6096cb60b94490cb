"""Opening the database for a command: read-only for a query, migrated and unshared for a writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.cli.session import Session
from monitor.errors import StorageError, UsageError
from storage import postgres
from storage.database import daemon_pid, is_current, shown, sqlite_path
from storage.queries import Queries

if TYPE_CHECKING:  # a query does not pay for what writes
    from storage.store import Store


def path_of(db: str) -> Path:
    """The file of an SQLite address. Raises UsageError for PostgreSQL, which is no file."""
    path = sqlite_path(db)
    if path is None:
        raise UsageError(f"this is for SQLite files, not for {shown(db)}; use pg_dump and pg_restore")
    return path


@contextmanager
def queries(session: Session, *, missing: str | None = None) -> Iterator[Queries]:
    """A read-only connection. A query on no database is a mistake, not an empty answer."""
    path = sqlite_path(session.db)
    if path is not None and not path.exists():
        raise UsageError(missing or f"{path}: no database yet (mubiao check or mubiao import makes it)")
    with Queries(session.db) as db:
        yield db
        session.unread.extend(db.unread)


def order(session: Session, name: str, **given: Any) -> dict[str, Any]:
    """Have an order carried out: by the daemon that holds the file, else here. PostgreSQL lets several write."""
    from monitor import local, orders

    path = sqlite_path(session.db)
    if path is not None and daemon_pid(session.db) is not None:
        return local.ask(path, name, given)
    with writable(session, lock=path is not None) as store:
        return orders.carry_out(store, name, given, datetime.now(UTC))


def clustered(db: str) -> Any:
    """monitor.cluster, its tables made. Raises StorageError where what it needs is not installed."""
    try:
        from monitor import cluster
    except ModuleNotFoundError as wrong:
        raise StorageError(postgres.MISSING) from wrong
    if is_current(db):
        cluster.upgrade(db)
    return cluster


@contextmanager
def writable(session: Session, *, migrate: bool = True, lock: bool = True) -> Iterator[Store]:
    """The one writer. Refuses, naming its pid, while a daemon holds the database; without `lock` it may."""
    path = sqlite_path(session.db)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    if migrate and not is_current(session.db):
        from monitor.cli.steps import gauge
        from storage import migrate as schema

        with gauge(session.lang, "upgrading") as told:
            schema.upgrade(session.db, datetime.now(UTC), told)
    from storage.store import Store

    with Store(session.db) as store:
        if lock:
            store.lock_daemon()
        yield store
