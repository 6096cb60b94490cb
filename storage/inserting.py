"""Rows that others may insert at the same moment: who comes second finds the first one's."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def once(session: Session, row: SQLModel) -> bool:
    """Insert a row unless one with the same key is there, or just being made by another transaction; whether it was.

    The row itself does not join the session.
    """
    table: Any = type(row).__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
    values = {name: value for name, value in row.model_dump().items() if name != "id" or value is not None}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
    return session.connection().execute(made).first() is not None
