"""A whole history from one database into another, empty one: `mubiao db copy`.

One transaction: a copy that was interrupted has left nothing, and is begun again. What was written is read back and
compared, table by table, before it is committed. The full-text index is made anew, in the way of the new database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, func, insert, select, text
from sqlmodel import Session, SQLModel

from monitor.errors import StorageError
from storage import database, indexed, migrate, passages, spans
from storage.tables import REVISIONS, EntrySpanRow

BATCH = 500  # rows in one statement
_SNAPSHOT = "REPEATABLE READ"
Told = Callable[[int, int], object]  # batches done, and how many there are


def copy(old: str, new: str, now: datetime, told: Told = lambda done, total: None) -> dict[str, int]:
    """Copy everything; rows by table. Raises StorageError, with nothing written, where `new` holds anything, `old`
    has another schema, or what was written differs from what was read."""
    migrate.upgrade(new, now)
    source, target = database.reader(old, pooled=False), database.writer(new)
    lock = database.lock(new)
    try:
        database.require_current(source, REVISIONS)
        with (
            lock.holding(),
            database.plain_errors(source),
            _at_one_moment(source) as reading,
            database.plain_errors(target),
            target.begin() as writing,
        ):
            return _Copy(reading, writing, told).run()
    finally:
        source.dispose()
        target.dispose()


def _at_one_moment(source: Engine) -> Connection:
    """All tables as they were when the copy began, whoever writes on. A transaction of SQLite is that anyway."""
    connection = source.connect()
    return connection if source.dialect.name == "sqlite" else connection.execution_options(isolation_level=_SNAPSHOT)


def tables() -> list[Table]:
    """Every table that is not made anew, those that others refer to first."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name != EntrySpanRow.__tablename__]


class _Copy:
    def __init__(self, reading: Connection, writing: Connection, told: Told) -> None:
        self._reading, self._writing, self._told = reading, writing, told
        self._done = self._total = 0

    def run(self) -> dict[str, int]:
        """Copy, index, compare."""
        held = [t.name for t in tables() if self._writing.execute(select(t).limit(1)).first() is not None]
        if held:
            raise StorageError(f"the new database is not empty ({', '.join(held)}); name one without a history")
        counts = {t.name: self._reading.execute(select(func.count()).select_from(t)).scalar_one() for t in tables()}
        self._total = 2 * sum(-(-n // BATCH) for n in counts.values()) - (-counts["passage"] // BATCH)
        read = {table.name: self._write(table) for table in tables()}
        self._index()
        for table in tables():
            if self._digest(table) != read[table.name]:
                raise StorageError(f"the copy of table {table.name} differs from what was read; nothing was written")
        if self._writing.dialect.name == "postgresql":
            self._count_on()
        return counts

    def _step(self) -> None:
        self._done += 1
        self._told(self._done, self._total)

    def _batches(self, connection: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
        """All rows in the order of the key, some at a time, without keeping what was read."""
        query = select(table).order_by(*table.primary_key)
        with connection.execute(query, execution_options={"stream_results": True}) as found:
            for batch in found.mappings().partitions(BATCH):
                yield batch
                self._step()

    def _write(self, table: Table) -> str:
        digest = hashlib.sha256()
        for batch in self._batches(self._reading, table):
            self._writing.execute(insert(table), [dict(row) for row in batch])
            _add(digest, batch)
        return digest.hexdigest()

    def _digest(self, table: Table) -> str:
        digest = hashlib.sha256()
        for batch in self._batches(self._writing, table):
            _add(digest, batch)
        return digest.hexdigest()

    def _index(self) -> None:
        """A passage whose text is damaged is left out: `db check` names it, here as there."""
        with Session(self._writing) as session:
            if not passages.is_gin(session):
                spans.extend(session)
            indexed.rebuild(session, lambda done: self._step())

    def _count_on(self) -> None:
        """New rows get numbers after the copied ones."""
        for table in tables():
            column = table.primary_key.columns[0]
            sequence = select(func.pg_get_serial_sequence(table.name, column.name))
            if (name := self._writing.execute(sequence).scalar()) is None:
                continue
            last = self._writing.execute(select(func.max(column))).scalar()
            self._writing.execute(
                text("SELECT setval(CAST(:name AS regclass), :last, :used)"),
                {"name": name, "last": last or 1, "used": last is not None},
            )


def _add(digest: Any, batch: Sequence[RowMapping]) -> None:
    """Values as they are on both sides: PostgreSQL has no NUL in a text (postgres.py)."""
    for row in batch:
        plain = [v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row.values()]
        digest.update(repr(plain).encode("utf-8", "surrogatepass"))
