"""What queries.py answers with: rows put into the shapes of docs/json.md, times as `datetime`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.model import Target, Version
from storage import readings, rows, search, versions
from storage.filters import Filter
from storage.tables import ChangeRow, PageRow, PassageRow, SourceRow, VersionRow

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


def history_row(row: VersionRow, page: PageRow) -> Row:
    """The fields of `mubiao history`; `targets` counts those that moved with this version."""
    return {
        "version": f"v{row.id}",
        "source": page.source,
        "url": page.url,
        "release": row.release,
        "at": row.at,
        "title": row.title,
        "chars": row.chars,
        "kind": row.kind,
        "significance": row.significance,
        "targets": row.moved,
        "attachment": page.label,
        "reading": row.reading,
        "copy_of": rows.version_id(row.copy_of),
    }


def shown(session: Session, row: VersionRow, page: PageRow, version: Version) -> Row:
    """The fields of `mubiao show`."""
    document = version.document
    change = select(ChangeRow.id).where(col(ChangeRow.new_version) == row.id)
    owner = session.get_one(SourceRow, page.source)
    parent = session.get(PageRow, page.parent) if page.parent is not None else None
    return history_row(row, page) | {
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


def item(target: Target, row: VersionRow, page: PageRow, source: SourceRow) -> Item:
    """A target with where it stands."""
    return Item(
        target=target,
        source=page.source,
        region=source.region,
        series=source.series,
        release=row.release,
        year=row.year,
        version=f"v{row.id}",
        url=page.url,
        title=row.title,
        published=row.published,
        at=row.at,
        record_type=row.record_type,
        place=row.record.get("place"),
        complete=bool(row.record.get("complete")),
        copy=row.copy_of is not None or row.record.get("stage") == "copy",
    )


def prefetch(session: Session, passages: Sequence[PassageRow]) -> list[Any]:
    """The rows that `hit` asks for, in two reads for all; they stay in the session as long as this list is held."""
    changes = [p.change for p in passages if p.change is not None]
    latest = [p.version for p in passages if p.change is None and p.version is not None]
    found: list[Any] = []
    if changes:
        found += session.exec(select(ChangeRow).where(col(ChangeRow.id).in_(changes))).all()
    if latest:
        found += session.exec(select(VersionRow).where(col(VersionRow.id).in_(latest))).all()
    return found


def hit(session: Session, passage: PassageRow, page: PageRow, asked: search.Query, wanted: Filter) -> Row | None:
    """One line of an answer, None if the words are not really there or the time is not the one wanted."""
    if passage.change is None:
        version = session.get_one(VersionRow, passage.version)
        at, title, text, number = version.at, version.title, versions.text_of(session, version), version.id
    else:
        change = session.get_one(ChangeRow, passage.change)
        text = versions.passage(rows.body(change.body, change.id)[0], passage.place)
        at, title, number = change.at, change.title, change.new_version or change.old_version
    if (wanted.since and at < wanted.since) or (wanted.until and at >= wanted.until):
        return None
    found = search.hits(text, asked)
    if not found:
        return None
    line, place = search.snippet(text, found)
    return {
        "source": page.source,
        "url": page.url,
        "title": title or page.title,
        "version": rows.version_id(number),
        "change": rows.change_id(passage.change),
        "at": at,
        "where": passage.place,
        "snippet": line,
        "hit": place,
        "hits": len(found),
    }


def source(row: SourceRow, counted: Any, failing: PageRow | None) -> Row:
    """A source's settings and state; the state is one of ok, failing, waiting, off, removed, imported."""
    _, pages, checked, due, changed, good = counted or (None, 0, None, None, None, None)
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
            "last_checked": checked,
            "last_good": good,
            "next_due": due if state not in {"removed", "off"} else None,
            "last_change": changed,
            "failure": page,
            "first_seen": row.first_seen,
            "baseline_done_at": row.baseline_done_at,
        }
    )
