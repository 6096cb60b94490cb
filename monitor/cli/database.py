"""Opening the database for a command: read-only for a query, migrated and unshared for a writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from monitor.cli import out
from monitor.cli.session import Session
from monitor.errors import StorageError, UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from storage import postgres
from storage.database import daemon_pid, is_current, schema, shown, sqlite_path
from storage.queries import Queries
from storage.tables import REVISION, REVISIONS

if TYPE_CHECKING:  # a query does not pay for what writes
    from structlog.typing import FilteringBoundLogger

    from storage.store import Store

TOLD_EVERY = 10.0  # seconds between two lines of a log about a long upgrade


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
def writable(
    session: Session, *, migrate: bool = True, lock: bool = True, log: FilteringBoundLogger | None = None
) -> Iterator[Store]:
    """The one writer. Refuses, naming its pid, while a daemon holds the database; without `lock` it may.

    What an upgrade does stands in the `log` of a service, on stderr otherwise.
    """
    path = sqlite_path(session.db)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    if migrate:
        _upgrade(session, log)
    from storage.store import Store

    with Store(session.db) as store:
        if lock:
            store.lock_daemon()
        yield store


def _upgrade(session: Session, log: FilteringBoundLogger | None) -> None:
    """Today's schema. That an older one is brought up to it is said: it may take minutes, and leaves a copy."""
    have = schema(session.db)
    if have == REVISION:
        return
    from monitor.cli.steps import gauge
    from storage import migrate

    if have not in REVISIONS:  # none yet, or a newer one, which is refused
        migrate.upgrade(session.db, datetime.now(UTC))
    elif log is None:
        with gauge(session.lang, "upgrading") as told:
            saved = migrate.upgrade(session.db, datetime.now(UTC), told)
        out.note(say(TEXTS, "upgraded", session.lang, path=shown(session.db), saved=saved or "-"))
    else:
        told_at = begun = monotonic()
        log.info("upgrading", database=shown(session.db), schema=have, to=REVISION)

        def further(done: int, total: int) -> None:
            nonlocal told_at
            if monotonic() - told_at >= TOLD_EVERY:
                told_at = monotonic()
                log.info("upgrading", done=done, of=total)

        saved = migrate.upgrade(session.db, datetime.now(UTC), further)
        log.info("upgraded", seconds=round(monotonic() - begun, 1), copy=saved)
