"""Rows that others may insert at the same moment: who comes second finds the first one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from storage.tables import MetaRow


def once(session: Session, row: SQLModel) -> bool:
    """Insert a row unless one with the same key is there, or just being made by another transaction; whether it was.

    The row itself does not join the session.
    """
    insert = _insert(session, row)
    made = insert.values(_values(row)).returning(*insert.table.primary_key)
    return session.connection().execute(made).first() is not None


def each(session: Session, rows: Sequence[SQLModel]) -> None:
    """Insert those of these rows, all of one table, whose key is not there yet: one journey to the server."""
    if rows:
        session.connection().execute(_insert(session, rows[0]), [_values(row) for row in rows])


def _insert(session: Session, row: SQLModel) -> Any:
    table: Any = type(row).__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _values(row: SQLModel) -> dict[str, Any]:
    return {name: value for name, value in row.model_dump().items() if name != "id" or value is not None}


def single(session: Session, key: str, value: str) -> None:
    """Keep a single value of the installation, in place of the one before."""
    if not once(session, MetaRow(key=key, value=value)):
        session.get_one(MetaRow, key).value = value
