"""The change feed over a large store: what keeps a page of it from reading more than it shows.

Most pages are full after a short walk back from the newest change. Where that walk finds too few, a filter that few
changes meet is asked of its index, and kinds and weights are: they have few values, and the newest changes of each
stand together in an index. The database cannot choose so: it does not see the limit and the filter together.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from sqlalchemy import Boolean, bindparam, exists, func, or_, text
from sqlmodel import Session, col, select

from monitor.model import ChangeKind
from storage.database import MOST_NAMED
from storage.filters import Filter, region_clause
from storage.tables import ChangeRow, MovedRow, SourceRow

SHORT = 1000  # changes that are walked over before anything else is asked
MOST_KEYS = 500  # sources that are named in one question
MOST_GROUPS = 300  # weights by kind: they are made with two digits
END = 1 << 62

_Group = tuple[bool, str, float]

_WEIGHTS = text(
    "WITH RECURSIVE one (value) AS ("
    " SELECT min(significance) FROM change WHERE baseline = :baseline AND kind = :kind AND significance >= :least"
    " UNION ALL SELECT (SELECT min(significance) FROM change"
    "  WHERE baseline = :baseline AND kind = :kind AND significance > one.value) FROM one WHERE one.value IS NOT NULL)"
    " SELECT value FROM one WHERE value IS NOT NULL LIMIT :most"
).bindparams(bindparam("baseline", type_=Boolean()))
_NEWEST = text(
    "SELECT id FROM change WHERE baseline = :baseline AND kind = :kind AND significance = :value"
    " AND id > :above AND id < :below ORDER BY id DESC LIMIT :limit"
).bindparams(bindparam("baseline", type_=Boolean()))


def page(session: Session, query: Any, wanted: Filter, limit: int | None, before: int | None) -> list[Any]:
    """The newest rows of a query for changes that has the filters of sources and columns, below a number if given."""
    moved = _moved(session, wanted)
    if wanted.source:
        query = query.where(col(ChangeRow.source) == wanted.source)
    if moved:
        query = query.where(exists().where(col(MovedRow.change) == col(ChangeRow.id), *moved))
    query = query.order_by(col(ChangeRow.id).desc())
    every = session.exec(select(func.max(ChangeRow.id))).one() or 0
    below = min(every + 1, before if before is not None else END)
    if limit is None:
        return list(session.exec(query.where(col(ChangeRow.id) < below)))
    low = below - SHORT
    short = query.where(col(ChangeRow.id) < below, col(ChangeRow.id) >= low).limit(limit)
    found = list(session.exec(short))
    if len(found) == limit or low <= 0:
        return found
    rest = query.where(col(ChangeRow.id) < low)
    for clause in _hints(session, wanted, moved, limit - len(found), low):
        rest = rest.where(clause)
    return [*found, *session.exec(rest.limit(limit - len(found)))]


def _hints(session: Session, wanted: Filter, moved: list[Any], limit: int, below: int) -> Iterator[Any]:
    """Conditions on changes that say the same as the filters, for an index."""
    few = int((below * limit) ** 0.5)  # as many as are read on the way back before a page is full
    if (clause := _of_sources(session, wanted, few)) is not None:
        yield clause
    if (clause := _of_time(session, wanted, few)) is not None:
        yield clause
    found = select(MovedRow.change)
    if any(_counted(session, found.where(one), few) < few for one in moved):
        yield col(ChangeRow.id).in_(found.where(*moved))
    if (clause := _of_weight(session, wanted, limit, below, few)) is not None:
        yield clause


def _moved(session: Session, wanted: Filter) -> list[Any]:
    """What is asked of what a change moved: the same item, where an indicator and a role are asked for."""
    moved: list[Any] = [named(session, MovedRow, wanted.indicator)] if wanted.indicator else []
    return [*moved, col(MovedRow.role) == wanted.role] if wanted.role else moved


def _of_sources(session: Session, wanted: Filter, few: int) -> Any:
    clause = region_clause(wanted)
    if wanted.source or (clause is None and not wanted.series):
        return None
    query = select(SourceRow.key).limit(MOST_KEYS)
    query = query.where(clause) if clause is not None else query
    query = query.where(col(SourceRow.series) == wanted.series) if wanted.series else query
    keys = session.exec(query).all()
    listed = select(ChangeRow.id).where(col(ChangeRow.source).in_(keys))
    return col(ChangeRow.source).in_(keys) if len(keys) < MOST_KEYS and _counted(session, listed, few) < few else None


def _of_time(session: Session, wanted: Filter, few: int) -> Any:
    if not (wanted.since or wanted.until):
        return None
    within = select(ChangeRow.id)
    within = within.where(col(ChangeRow.at) >= wanted.since) if wanted.since else within
    within = within.where(col(ChangeRow.at) < wanted.until) if wanted.until else within
    return col(ChangeRow.id).in_(within) if _counted(session, within, few) < few else None


# --------------------------------------------------------------------------- kinds and weights


def _of_weight(session: Session, wanted: Filter, limit: int, below: int, few: int) -> Any:
    groups = _groups(session, wanted)
    if len(groups) > MOST_GROUPS:
        return None
    elsewhere = (wanted.source, wanted.url, wanted.region, wanted.under, wanted.series, wanted.indicator, wanted.role)
    if not any((*elsewhere, wanted.since, wanted.until)):
        return col(ChangeRow.id).in_(_newest(session, groups, limit, below))
    most = min(few, MOST_NAMED)
    ids: list[int] = []
    for group in groups:
        if len(ids) < most:
            ids += _ids(session, group, limit=most - len(ids), below=below)
    return col(ChangeRow.id).in_(ids) if len(ids) < most else None


def _groups(session: Session, wanted: Filter) -> list[_Group]:
    """Every kind and weight that the filter wants and the store has; more than MOST_GROUPS are not all."""
    out: list[_Group] = []
    for baseline in (False, True) if wanted.baseline else (False,):
        for kind in wanted.change_kinds or get_args(ChangeKind):
            asked = {"baseline": baseline, "kind": kind, "least": wanted.min_significance, "most": MOST_GROUPS + 1}
            out += [(baseline, kind, value) for value in session.connection().execute(_WEIGHTS, asked).scalars()]
    return out


def _newest(session: Session, groups: Sequence[_Group], limit: int, below: int) -> list[int]:
    """The newest changes of all groups together."""
    best: list[int] = []
    for group in groups:
        above = best[-1] if len(best) == limit else 0
        best = heapq.nlargest(limit, (*best, *_ids(session, group, limit=limit, above=above, below=below)))
    return best


def _ids(session: Session, group: _Group, *, limit: int, below: int, above: int = 0) -> list[int]:
    baseline, kind, value = group
    asked = {"baseline": baseline, "kind": kind, "value": value, "above": above, "below": below, "limit": limit}
    return list(session.connection().execute(_NEWEST, asked).scalars())


# --------------------------------------------------------------------------- names of indicators


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
