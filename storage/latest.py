"""The targets of the latest version of each page, as rows that a question may narrow and sort.

They say again what versions keep packed under a hash (items.py): so a row that is damaged is found, and made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy import select as columns_of
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col

from monitor.errors import StorageError
from monitor.model import Target
from storage import blobs, items
from storage.tables import PageRow, TargetRow, VersionRow

SOME = 50  # pages that are looked at together

_COLUMNS = (
    "role", "indicator", "canonical", "indicator_id", "kind", "period", "value", "value_min", "value_max", "unit",
    "scope", "headline",
)  # fmt: skip
_OF_PAGE: tuple[Any, ...] = (
    *(col(PageRow.id).label("page"), PageRow.source, PageRow.url, col(VersionRow.id).label("version")),
    *(VersionRow.sha256, VersionRow.items_sha256),
)
_KEPT: Any = columns_of(*_OF_PAGE).join(VersionRow, col(VersionRow.id) == col(PageRow.version))
_ROWS: Any = columns_of(
    *(col(getattr(TargetRow, name)) for name in ("page", "version", "source", "position", *_COLUMNS, "fields"))
).order_by(col(TargetRow.page), col(TargetRow.position), col(TargetRow.id))


def replace(session: Session, page: int, source: str, version: int | None, targets: Sequence[Target]) -> None:
    """Put these in the place of those of a page."""
    session.connection().execute(delete(TargetRow).where(col(TargetRow.page) == page))
    add(session, page, source, version, targets)


def add(session: Session, page: int, source: str, version: int | None, targets: Sequence[Target]) -> None:
    """The same for a page that has none yet."""
    own = {"page": page, "source": source, "version": version}
    rows = [_row(own, place, item) | {"fields": items.plain(item)} for place, item in enumerate(targets)]
    if rows:
        session.connection().execute(insert(TargetRow), rows)


def _row(own: Mapping[str, Any], place: int, item: Target) -> dict[str, Any]:
    return {**own, "position": place, **{name: getattr(item, name) for name in _COLUMNS}}


def wrong(session: Session) -> Iterator[tuple[Any, tuple[Target, ...]]]:
    """Pages (`page source url version`) whose rows are not what their latest version says, and what that is.

    A version whose own bytes are damaged says nothing.
    """
    query = _KEPT.order_by(col(PageRow.id)).limit(SOME)
    pages = session.connection().execute(query).all()
    while pages:
        names = {name for page in pages for name in (page.sha256, page.items_sha256) if page.items_sha256}
        kept, rows = blobs.rows_of(session, list(names)), _rows(session, [page.page for page in pages])
        for page in pages:
            with suppress(StorageError):
                due = _due(session, page, kept)
                if not _same(rows[page.page] if rows is not None else _of_one(session, page.page), page, due):
                    yield page, due
        pages = session.connection().execute(query.where(col(PageRow.id) > pages[-1].page)).all()


def _due(session: Session, page: Any, kept: Mapping[str, Any]) -> tuple[Target, ...]:
    if page.items_sha256 is None:
        return ()
    of = f"version v{page.version}"
    text = blobs.decode(blobs.read(session, page.sha256, kept.get(page.sha256), of))
    return items.unpack(blobs.read(session, page.items_sha256, kept.get(page.items_sha256), of), text)


def _rows(session: Session, pages: Sequence[int]) -> dict[int, list[Any]] | None:
    """The rows of pages, None where one of them cannot be read."""
    out: dict[int, list[Any]] = {page: [] for page in pages}
    try:
        for row in session.connection().execute(_ROWS.where(col(TargetRow.page).in_(pages))):
            out[row.page].append(row)
    except (DBAPIError, StorageError):
        return None
    return out


def _of_one(session: Session, page: int) -> list[Any] | None:
    rows = _rows(session, [page])
    return rows[page] if rows is not None else None


def _same(rows: list[Any] | None, page: Any, due: tuple[Target, ...]) -> bool:
    if rows is None or len(rows) != len(due):
        return False
    own = {"page": page.page, "source": page.source, "version": page.version}
    try:
        return all(
            Target(**row.fields) == item
            and all(getattr(row, name) == value for name, value in _row(own, place, item).items())
            for place, (row, item) in enumerate(zip(rows, due, strict=True))
        )
    except TypeError:  # a field of another name
        return False
