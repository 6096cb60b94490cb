"""Sources with their settings and state, some at a time: what is shown costs, not what is watched. Over one session."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, and_, case, cast, exists, func, or_
from sqlalchemy import select as columns
from sqlmodel import Session, col

from storage import answers
from storage.answers import Row
from storage.database import MOST_NAMED
from storage.filters import Filter, region_clause
from storage.tables import PageRow, SourceRow

STATES = ("failing", "ok", "waiting", "off", "removed", "imported")  # of `answers.source`
LONGEST = (col(PageRow.failing_since).nulls_first(), col(PageRow.id))  # who has been failing longest comes first

_PAGE = tuple(PageRow.__table__.c)  # type: ignore[attr-defined]
_SOURCE = tuple(SourceRow.__table__.c)  # type: ignore[attr-defined]
_WATCHED = (col(SourceRow.in_config).is_(True), col(SourceRow.enabled).is_(True))
# few pages fail: with `IS NOT NULL`, or a join, SQLite would go through the pages of all sources
FAILS = col(PageRow.error) > ""
IS_FAILING = (FAILS, exists().where(col(SourceRow.key) == col(PageRow.source), *_WATCHED))
_FAILING = col(SourceRow.key).in_(columns(col(PageRow.source)).where(FAILS))
_READ = exists().where(col(PageRow.source) == col(SourceRow.key), col(PageRow.last_checked).is_not(None))


@dataclass(frozen=True, slots=True)
class Listing:
    """Which sources are listed, in the order of keys. AND between the fields; None means all.

    A page of a list begins behind the key `after`, or ends at the one that stands before `before`.
    """

    state: str | None = None  # one of STATES
    words: tuple[str, ...] = ()  # each stands in the key, name, address or tags
    under: str | None = None  # a GB/T 2260 code and everything below it
    keys: Collection[str] | None = None
    after: str | None = None
    before: str | None = None
    limit: int | None = None


def some(session: Session, wanted: Listing) -> list[Row]:
    """The sources of one page of a list."""
    if wanted.keys is None:
        return _described(session, _found(session, wanted, None))
    among = sorted(k for k in wanted.keys if _between(k, wanted))
    if wanted.before is not None:
        among.reverse()
    found: list[Any] = []
    for start in range(0, len(among), MOST_NAMED):
        if wanted.limit is None or len(found) < wanted.limit:
            found += _found(session, wanted, among[start : start + MOST_NAMED])
    return _described(session, found[: wanted.limit])


def _between(key: str, wanted: Listing) -> bool:
    return (wanted.after is None or key > wanted.after) and (wanted.before is None or key < wanted.before)


def _found(session: Session, wanted: Listing, among: Sequence[str] | None) -> list[Any]:
    """Rows of sources; those before a key in reverse."""
    key = col(SourceRow.key)
    query = columns(*_SOURCE).where(*_wanted(wanted))
    if among is not None:
        query = query.where(key.in_(among))
    if wanted.after is not None:
        query = query.where(key > wanted.after)
    if wanted.before is not None:
        query = query.where(key < wanted.before)
    backwards = wanted.before is not None
    return list(session.connection().execute(query.order_by(key.desc() if backwards else key).limit(wanted.limit)))


def _wanted(wanted: Listing) -> list[Any]:
    clauses: list[Any] = list(_IN_STATE[wanted.state]) if wanted.state else []
    told = (col(SourceRow.key), col(SourceRow.name), col(SourceRow.url), cast(col(SourceRow.tags), String))
    clauses += [or_(*(column.icontains(word, autoescape=True) for column in told)) for word in wanted.words]
    if (place := region_clause(Filter(under=wanted.under))) is not None:
        clauses.append(place)
    return clauses


_IN_STATE: dict[str, tuple[Any, ...]] = {
    "failing": (*_WATCHED, _FAILING, _READ),
    "ok": (*_WATCHED, ~_FAILING, _READ),
    "waiting": (*_WATCHED, col(SourceRow.baseline_done_at).is_(None), ~_READ),  # the first pass ends with a reading
    "off": (col(SourceRow.in_config).is_(True), col(SourceRow.enabled).is_(False)),
    "removed": (col(SourceRow.in_config).is_(False), col(SourceRow.gone_at).is_not(None)),
    "imported": (col(SourceRow.in_config).is_(False), col(SourceRow.gone_at).is_(None)),
}


def _described(session: Session, found: Sequence[Any]) -> list[Row]:
    """Rows of sources with what their pages say, by key."""
    described: list[Row] = []
    for start in range(0, len(found), MOST_NAMED):
        part = found[start : start + MOST_NAMED]
        keys = [row.key for row in part]
        counted = {row[0]: row for row in session.connection().execute(_counted(keys))}
        failing = {row.source: row for row in session.connection().execute(_longest_failing(keys))}
        described += [answers.source(row, counted.get(row.key), failing.get(row.key)) for row in part]
    return sorted(described, key=lambda row: str(row["key"]))


def _counted(keys: Sequence[str]) -> Any:
    return (
        columns(
            col(PageRow.source),
            func.count(),
            func.max(PageRow.last_checked),
            func.min(PageRow.next_due),
            func.max(PageRow.last_change),
            func.max(PageRow.last_good),
            func.sum(case((_is_left(), 1), else_=0)),
        )
        .where(col(PageRow.source).in_(keys))
        .group_by(col(PageRow.source))
    )


def _is_left() -> Any:
    """A document that was read and is not any more: `match` or `links` of today do not want it."""
    read = and_(col(PageRow.role) == "document", col(PageRow.version).is_not(None), col(PageRow.url).startswith("http"))
    return and_(read, col(PageRow.next_due).is_(None), col(PageRow.resumes).is_(None))


def _longest_failing(keys: Sequence[str]) -> Any:
    """Of each source the page that tells best what is wrong: a document before the entry, the longest failing."""
    place = func.row_number().over(partition_by=col(PageRow.source), order_by=(col(PageRow.role), *LONGEST))
    failing = (
        columns(col(PageRow.id), place.label("place"))
        .where(col(PageRow.source).in_(keys), col(PageRow.error).is_not(None))
        .subquery()
    )
    first = columns(failing.c.id).where(failing.c.place == 1)
    return columns(*_PAGE).where(col(PageRow.id).in_(first))


def failing_pages(session: Session, limit: int | None) -> list[Any]:
    """Pages of watched sources whose last attempt failed, the longest failing first."""
    first = columns(col(PageRow.id)).where(*IS_FAILING).correlate(None).order_by(*LONGEST).limit(limit)
    query = columns(*_PAGE).where(col(PageRow.id).in_(first)).order_by(*LONGEST)  # only these are read whole
    return list(session.connection().execute(query))
