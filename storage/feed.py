"""The change feed over a large store: what keeps a page of it from reading more than it shows.

A filter that few changes meet is best asked of its index and sorted; one that many meet is best found by walking back
from the newest. The database cannot know which, because it does not see the limit and the filter together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import exists, func, or_, text
from sqlmodel import Session, col, select

from storage.filters import Filter, region_clause
from storage.tables import ChangeRow, MovedRow, SourceRow

PAGE = 100  # changes that somebody looks at, where no limit is given


def hints(session: Session, wanted: Filter, limit: int | None) -> Iterator[Any]:
    """Conditions on changes that say the same as the filters on their sources and what they moved, for an index."""
    every = session.exec(select(func.max(ChangeRow.id))).one() or 0
    few = int((every * (limit or PAGE)) ** 0.5)  # as many as are read on the way back before a page is full
    if wanted.source:
        yield col(ChangeRow.source) == wanted.source
    elif (clause := region_clause(wanted)) is not None:
        keys = session.exec(select(SourceRow.key).where(clause).limit(500)).all()
        listed = select(ChangeRow.id).where(col(ChangeRow.source).in_(keys))
        if len(keys) < 500 and _counted(session, listed, few) < few:
            yield col(ChangeRow.source).in_(keys)
    if wanted.indicator or wanted.role:
        moved: list[Any] = [named(session, MovedRow, wanted.indicator)] if wanted.indicator else []
        if wanted.role:
            moved.append(col(MovedRow.role) == wanted.role)
        found = select(MovedRow.change).where(*moved)
        if wanted.indicator and _counted(session, found, few) < few:
            yield col(ChangeRow.id).in_(found)
        else:
            yield exists().where(col(MovedRow.change) == col(ChangeRow.id), *moved)


def _counted(session: Session, query: Any, most: int) -> int:
    """How many rows a query has, counted no further than `most`."""
    return int(session.exec(select(func.count()).select_from(query.limit(most).subquery())).one())


def named(session: Session, table: Any, word: str) -> Any:
    """An indicator by its id, or a part of its canonical name or wording."""
    folded, parts = _lower(word), []
    for column in (table.canonical, table.indicator):
        values = [value for value in _values(session, table.__tablename__, column.key) if folded in _lower(value)]
        if values:
            parts.append(col(column).in_(values))
    return or_(table.indicator_id == word, *parts)


def _lower(word: str) -> str:
    """As SQLite's LIKE compares: only letters of ASCII without case."""
    return "".join(c.lower() if c.isascii() else c for c in word)


def _values(session: Session, table: str, column: str) -> list[str]:
    """Every value of an indexed column: from one to the next by the index, which DISTINCT would read whole."""
    statement = text(
        f"WITH RECURSIVE one (value) AS (SELECT min({column}) FROM {table} UNION ALL "  # noqa: S608  names of ours
        f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > one.value) FROM one WHERE one.value IS NOT NULL) "
        "SELECT value FROM one WHERE value IS NOT NULL"
    )
    return [row[0] for row in session.connection().execute(statement)]
