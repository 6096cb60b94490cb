"""Readings: what is kept of a version's body when better rules, another selector or learned noise read it again.

The newest reading is the version everybody sees; those before it stay, with their texts under their hashes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from monitor.model import Rereading
from storage import blobs, items, rows
from storage.tables import PageRow, ReadingRow, VersionRow

# Columns of a version that a reading makes, beside those of ReadingRow; `at` and the body are the capture's.
_MADE = (
    "release", "title", "published", "document", "record", "record_type", "year", "chars", "paragraphs", "items",
    "encoding", "replacements", "fingerprint",
)  # fmt: skip


def replace(session: Session, again: Rereading, at: datetime) -> str | None:
    """Let this reading take the place of the last one. Returns the text that stood there before.

    None, and nothing done, where both say the same.
    """
    row = session.get_one(VersionRow, rows.number(again.version))
    document, listed = again.document, rows.lists(again.document)
    sha = blobs.put(session, blobs.encode(document.text), row.sha256)
    lists_sha = blobs.put(session, listed, row.lists_sha256) if listed else None
    if (row.sha256, row.lists_sha256) == (sha, lists_sha):
        return None
    before = blobs.decode(blobs.get(session, row.sha256, f"version v{row.id}"))
    session.add(_aside(row, at))
    packed = items.pack(again.targets, document.text) if again.targets else None
    row.items_sha256 = blobs.put(session, packed, row.items_sha256) if packed else None
    row.sha256, row.lists_sha256 = sha, lists_sha
    row.release, row.title, row.published = again.release, document.title, document.published
    url = session.get_one(PageRow, row.page).url
    row.document, row.record = rows.short_fields(document, url), rows.plain_record(again.record)
    row.record_type, row.year = again.record.type, again.record.year
    row.chars, row.paragraphs, row.items = len(document.text), len(document.paragraphs), len(again.targets)
    row.fingerprint, row.reading = again.fingerprint, row.reading + 1
    session.add(row)
    session.flush()
    return before


def _aside(row: VersionRow, at: datetime) -> ReadingRow:
    assert row.id is not None
    return ReadingRow(
        version=row.id,
        reading=row.reading,
        until=at,
        sha256=row.sha256,
        lists_sha256=row.lists_sha256,
        items_sha256=row.items_sha256,
        fields={name: getattr(row, name) for name in _MADE},
    )


def of(session: Session, version: int) -> list[dict[str, Any]]:
    """The earlier readings of a version, oldest first: number, until when it was shown, its text's hash and length."""
    query = select(ReadingRow).where(col(ReadingRow.version) == version).order_by(col(ReadingRow.reading))
    return [
        {"reading": r.reading, "until": r.until, "sha256": r.sha256, "chars": r.fields.get("chars")}
        for r in session.exec(query)
    ]


def text_of(session: Session, version: int, reading: int) -> str | None:
    """The text of an earlier reading, verified; None where there is none of this number."""
    row = session.get(ReadingRow, (version, reading))
    return None if row is None else blobs.decode(blobs.get(session, row.sha256, f"reading {reading} of v{version}"))


def forget(session: Session, version: int) -> None:
    """What retention does before a version goes."""
    session.connection().execute(delete(ReadingRow).where(col(ReadingRow.version) == version))
