"""Targets and actuals that are kept, in the order of source, document and text: of today, and of earlier versions.

Those of a page's latest version are rows of their own. Those of earlier ones are read from their versions, source by
source where only some are asked for, so that a first page costs what it shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select as columns
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from monitor.errors import StorageError
from monitor.model import Target
from storage import answers, blobs, feed, items, named
from storage.answers import Item
from storage.filters import Filter, item_matches, narrowed, region_clause
from storage.tables import PageRow, SourceRow, TargetRow, VersionRow

FEW = 5000  # versions of a release that are put in order at once
FIRST, MOST = 10, 1000  # sources whose versions are
MARGIN = 1.2  # more sources than should be enough
AT_ONCE = 50  # versions whose texts are in memory

_OTHER = aliased(VersionRow)


def listed(session: Session, wanted: Filter, limit: int | None, unread: deque[str]) -> list[Item]:
    """Those that are wanted, `limit` at most. The versions whose targets are damaged are named in `unread`."""
    if wanted.as_of is None and wanted.release is None and not wanted.all_releases:
        return _current(session, wanted, limit, unread)
    out: list[Item] = []
    for rows in _versions(session, wanted, limit, out):
        for at in range(0, len(rows), AT_ONCE):
            out.extend(_of_versions(session, rows[at : at + AT_ONCE], wanted, unread))
            if limit is not None and len(out) >= limit:
                return out[:limit]
    return out


def _of_versions(session: Session, rows: Sequence[Any], wanted: Filter, unread: deque[str]) -> Iterator[Item]:
    kept = blobs.rows_of(session, list({name for row in rows for name in (row.sha256, row.items_sha256) if name}))
    for row in rows:
        try:
            found = _read(session, row, kept)
        except StorageError as wrong:
            unread.append(str(wrong))
            continue
        yield from (answers.item(target, row) for target in found if item_matches(target, wanted))


def _read(session: Session, row: Any, kept: dict[str, Any]) -> tuple[Target, ...]:
    """The targets of one version of many. Raises StorageError where they or their text are damaged."""
    of = f"version v{row.id}"
    packed = blobs.read(session, row.items_sha256, kept.get(row.items_sha256), f"targets of {of}")
    return items.unpack(packed, blobs.decode(blobs.read(session, row.sha256, kept.get(row.sha256), of)))


def _current(session: Session, wanted: Filter, limit: int | None, unread: deque[str]) -> list[Item]:
    joined = (
        col(TargetRow.version) == col(VersionRow.id),
        col(TargetRow.page) == col(PageRow.id),
        col(TargetRow.source) == col(SourceRow.key),
    )
    query = _first_only(narrowed(select(TargetRow.id).where(*joined), wanted, VersionRow.at), wanted)
    for name in ("role", "kind", "scope", "headline"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(col(getattr(TargetRow, name)) == value)
    if wanted.indicator:
        query = query.where(feed.named(session, TargetRow, wanted.indicator))
    order = (col(TargetRow.source), col(TargetRow.version), col(TargetRow.position))
    chosen = query.correlate(None).order_by(*order).limit(limit)  # only these are read whole: many more may be ordered
    found = answers.ITEMS.add_columns(col(TargetRow.fields)).where(*joined).order_by(*order)
    try:
        return list(_items(session, found.where(col(TargetRow.id).in_(chosen))))
    except (DBAPIError, StorageError, TypeError):  # one of them is damaged: which?
        return list(_each(session, found, session.exec(chosen).all(), unread))


def _items(session: Session, found: Any) -> Iterator[Item]:
    return (answers.item(Target(**row.fields), row) for row in session.connection().execute(found))


def _each(session: Session, found: Any, numbers: Sequence[Any], unread: deque[str]) -> Iterator[Item]:
    """The same, one by one."""
    for number in numbers:
        try:
            yield from list(_items(session, found.where(col(TargetRow.id) == number)))
        except (DBAPIError, StorageError, TypeError):
            unread.append(f"a target of a latest version is damaged (row {number}); run: mubiao db check --repair")


def _versions(session: Session, wanted: Filter, limit: int | None, found: Sequence[Item]) -> Iterator[Sequence[Any]]:
    """The versions whose targets are wanted, many at a time: the newest of each page, or of each page and release.

    How many sources are looked at next follows from how many targets those before gave: `found` grows meanwhile.
    """
    if limit is None or wanted.source or wanted.url or _is_rare(session, wanted):
        yield session.connection().execute(_chosen(wanted, None)).all()
        return
    of_sources: Any = columns(col(SourceRow.key)).order_by(col(SourceRow.key))
    if (clause := region_clause(wanted)) is not None:
        of_sources = of_sources.where(clause)
    if wanted.series:
        of_sources = of_sources.where(col(SourceRow.series) == wanted.series)
    last, most, seen = "", FIRST, 0
    while keys := session.connection().execute(of_sources.where(col(SourceRow.key) > last).limit(most)).scalars().all():
        yield session.connection().execute(_chosen(wanted, keys)).all()
        last, seen = keys[-1], seen + len(keys)
        due = MARGIN * (limit - len(found)) * seen / len(found) if found else 4 * most
        most = max(FIRST, min(int(due), MOST))


def _is_rare(session: Session, wanted: Filter) -> bool:
    """Whether a release has so few versions that it leads to them at once."""
    if wanted.release is None:
        return False
    query: Any = columns(col(VersionRow.id)).where(named.release_clause(wanted.release))
    return session.connection().execute(query.offset(FEW).limit(1)).first() is None


def _chosen(wanted: Filter, keys: Any) -> Any:
    """Versions whose targets are wanted, of these sources only where they are given."""
    query = answers.ITEMS.where(
        col(VersionRow.page) == col(PageRow.id),
        col(PageRow.source) == col(SourceRow.key),
        _newest_of_releases(wanted, keys) if wanted.all_releases or wanted.release is not None else _newest(wanted),
    )
    if keys is not None:
        query = query.where(col(SourceRow.key).in_(keys))
    order = (col(SourceRow.key), col(VersionRow.year).nulls_first(), col(VersionRow.id))
    return _first_only(narrowed(query, wanted, VersionRow.at), wanted).order_by(*order)


def _newest(wanted: Filter) -> Any:
    """It is the newest of its page with targets."""
    query = select(_OTHER.id).where(col(_OTHER.page) == col(PageRow.id), *_with_targets(_OTHER, wanted))
    query = query.order_by(col(_OTHER.at).desc(), col(_OTHER.id).desc()).limit(1).correlate(PageRow)
    return col(VersionRow.id) == query.scalar_subquery()


def _newest_of_releases(wanted: Filter, keys: Any) -> Any:
    """It is the newest of its page and release with targets. Numbers grow with time."""
    newest = select(func.max(VersionRow.id)).where(*_with_targets(VersionRow, wanted))
    if wanted.release is not None:
        newest = newest.where(named.release_clause(wanted.release))
    if keys is not None:
        newest = newest.where(col(VersionRow.page).in_(select(PageRow.id).where(col(PageRow.source).in_(keys))))
    elif wanted.source or wanted.url or wanted.region or wanted.under or wanted.series:
        pages = narrowed(select(PageRow.id).where(col(PageRow.source) == col(SourceRow.key)), wanted, None)
        newest = newest.where(col(VersionRow.page).in_(pages))
    return col(VersionRow.id).in_(newest.group_by(col(VersionRow.page), col(VersionRow.release)))


def _with_targets(version: Any, wanted: Filter) -> list[Any]:
    found = [col(version.items) > 0]
    return [*found, col(version.at) <= wanted.as_of] if wanted.as_of is not None else found


def _first_only(query: Any, wanted: Filter) -> Any:
    """Targets of copies count once, as those of the first; only who asks for one source or address sees its own."""
    return query if wanted.source or wanted.url else query.where(col(VersionRow.copy_of).is_(None))
