"""What queries.py answers with: rows put into the shapes of docs/json.md, times as `datetime`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from monitor.model import Target, Version
from storage import readings, rows
from storage.tables import ChangeRow, PageRow, SourceRow, VersionRow

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A target or actual with where it stands; offsets of `target` are in the text of `version`."""

    target: Target
    source: str
    region: str | None
    series: str | None
    release: str | None
    year: int | None
    version: str
    url: str
    title: str | None
    published: str | None
    at: datetime
    record_type: str
    place: str | None = None  # as the document names it
    complete: bool = False  # the document it stands in is whole
    copy: bool = False  # the document repeats another one


_OF_VERSION: tuple[Any, ...] = (VersionRow.id, VersionRow.release, VersionRow.at, VersionRow.title, VersionRow.copy_of)
_OF_PAGE: tuple[Any, ...] = (PageRow.source, PageRow.url)
HISTORY = sql_select(
    *(*_OF_VERSION, VersionRow.chars, VersionRow.kind, VersionRow.significance, VersionRow.moved, VersionRow.reading),
    *(*_OF_PAGE, PageRow.label),
).join(PageRow, col(PageRow.id) == col(VersionRow.page))
ITEMS = sql_select(
    *(*_OF_VERSION, VersionRow.year, VersionRow.published, VersionRow.record_type, VersionRow.record),
    *(VersionRow.sha256, VersionRow.items_sha256, *_OF_PAGE, SourceRow.region, SourceRow.series),
)


def history_row(row: Any, *, whole: bool = True) -> Row:
    """The fields of `mubiao history`, of a row of HISTORY; `targets` counts those that moved with this version.

    Raises StorageError for a damaged kind; it is left out unless `whole`.
    """
    if whole:
        rows.require_kind(row.kind, f"v{row.id}")
    return {
        "version": f"v{row.id}",
        "source": row.source,
        "url": row.url,
        "release": row.release,
        "at": row.at,
        "title": row.title,
        "chars": row.chars,
        "kind": row.kind if whole else None,
        "significance": row.significance,
        "targets": row.moved,
        "attachment": row.label,
        "reading": row.reading,
        "copy_of": rows.version_id(row.copy_of),
    }


def shown(session: Session, row: VersionRow, page: PageRow, version: Version) -> Row:
    """The fields of `mubiao show`."""
    document = version.document
    change = select(ChangeRow.id).where(col(ChangeRow.new_version) == row.id)
    owner = session.get_one(SourceRow, page.source)
    parent = session.get(PageRow, page.parent) if page.parent is not None else None
    listed = session.connection().execute(HISTORY.where(col(VersionRow.id) == row.id)).one()
    return history_row(listed) | {
        "region": owner.region,
        "series": owner.series,
        "published": row.published,
        "publisher": document.publisher,
        "record_type": row.record_type,
        "year": row.year,
        "record": rows.told_record(row.record),
        "items": row.items,
        "change": rows.change_id(session.exec(change.order_by(col(ChangeRow.id)).limit(1)).first()),
        "text": document.text,
        "paragraphs": list(document.paragraphs),
        "encoding": row.encoding,
        "replacements": row.replacements,
        "sha256": row.sha256,
        "raw_sha256": row.raw_sha256,
        "readings": readings.of(session, row.id or 0),
        "document_kind": document.kind,
        "file": asdict(document.file) if document.file else None,
        "warnings": list(document.warnings),
        "attachments": [asdict(one) for one in document.attachments],
        "parent": parent.url if parent else None,
    }


def item(target: Target, row: Any) -> Item:
    """A target with where it stands: a row of ITEMS."""
    return Item(
        target=target,
        source=row.source,
        region=row.region,
        series=row.series,
        release=row.release,
        year=row.year,
        version=f"v{row.id}",
        url=row.url,
        title=row.title,
        published=row.published,
        at=row.at,
        record_type=row.record_type,
        place=row.record.get("place"),
        complete=bool(row.record.get("complete")),
        copy=row.copy_of is not None or row.record.get("stage") == "copy",
    )


def source(row: Any, counted: Any, failing: Any) -> Row:
    """Settings and state of a source, from its row, its pages counted, and one that fails, if any does.

    The state is one of ok, failing, waiting, off, removed, imported.
    """
    _, pages, checked, due, changed, good, left = counted or (None, 0, None, None, None, None, 0)
    if not row.in_config:
        state = "removed" if row.gone_at else "imported"
    elif not row.enabled:
        state = "off"
    elif checked is None:
        state = "waiting"
    else:
        state = "failing" if failing is not None else "ok"
    page = rows.page(failing) if failing is not None else None
    configured: Row = {"key": row.key, "name": row.name, "kind": row.kind, "url": row.url}
    configured |= {"region": row.region, "series": row.series, "tags": list(row.tags), "enabled": row.enabled}
    return (
        configured
        | dict(row.settings)
        | {
            "state": state,
            "pages": pages,
            "left": left,
            "last_checked": checked,
            "last_good": good,
            "next_due": due if state not in {"removed", "off"} else None,
            "last_change": changed,
            "failure": page,
            "first_seen": row.first_seen,
            "baseline_done_at": row.baseline_done_at,
        }
    )
