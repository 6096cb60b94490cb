"""Thinning out, on demand and never otherwise: without a Retention everything is kept.

What the latest state, an alert or a moved target refers to always stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select, union

from storage import passages, payloads, readings, rows
from storage.tables import (
    AlertRow,
    BlobRow,
    ChangeRow,
    DeliveryRow,
    KeyframeRow,
    MovedRow,
    PageRow,
    PassageRow,
    ReadingRow,
    VersionRow,
)


@dataclass(frozen=True, slots=True)
class Retention:
    """What may go. None keeps; with both `versions` and `age` a version goes when both let it."""

    versions: int | None = None  # of each page, the newest ones stay
    age: timedelta | None = None  # versions older than this
    bodies: timedelta | None = None  # bodies as received, older than this; the text stays
    alerts: timedelta | None = None  # sent alerts, older than this
    source: str | None = None  # only of this one


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go. `bytes` counts the compressed blobs."""

    versions: int = 0
    bodies: int = 0
    alerts: int = 0
    blobs: int = 0
    bytes: int = 0


def prune(session: Session, wanted: Retention, now: datetime) -> Pruned:
    """Delete; a dry run is this and a rollback."""
    doomed = _doomed(session, wanted, now)
    for number in doomed:
        _forget(session, number)
    bodies = _bodies(session, wanted, now)
    alerts = _alerts(session, wanted, now)
    blobs, size = _sweep(session) if doomed or bodies else (0, 0)
    return Pruned(len(doomed), bodies, alerts, blobs, size)


def _of_source(wanted: Retention) -> list[Any]:
    return [col(PageRow.source) == wanted.source] if wanted.source else []


def _doomed(session: Session, wanted: Retention, now: datetime) -> list[int]:
    if wanted.versions is None and wanted.age is None:
        return []
    place = func.row_number().over(partition_by=col(VersionRow.page), order_by=col(VersionRow.id).desc())
    columns: tuple[Any, ...] = (VersionRow.id, VersionRow.at, place.label("place"))
    ranked = select(*columns).where(col(VersionRow.page) == col(PageRow.id), *_of_source(wanted)).subquery()
    query: Any = select(ranked.c.id).where(ranked.c.id.not_in(_kept()))
    if wanted.versions is not None:
        query = query.where(ranked.c.place > wanted.versions)
    if wanted.age is not None:
        query = query.where(ranked.c.at < now - wanted.age)
    return list(session.exec(query.order_by(ranked.c.id)))


def _kept() -> Any:
    """Numbers of versions that something refers to."""
    told: Any = union(
        select(AlertRow.change).where(col(AlertRow.change).is_not(None)),
        select(MovedRow.change),
    )
    parts: list[Any] = [
        select(PageRow.version).where(col(PageRow.version).is_not(None)),
        select(VersionRow.copy_of).where(col(VersionRow.copy_of).is_not(None)),
    ]
    for column in (col(ChangeRow.old_version), col(ChangeRow.new_version), col(ChangeRow.compared_with)):
        parts.append(select(column).where(column.is_not(None), col(ChangeRow.id).in_(told)))
    return union(*parts)


def _forget(session: Session, number: int) -> None:
    """Delete a version, the change that brought it and what the index has of that."""
    for change in session.exec(select(ChangeRow).where(col(ChangeRow.new_version) == number)).all():
        edits, _ = rows.body(change.body, change.id)
        for entry in session.exec(select(PassageRow).where(col(PassageRow.change) == change.id)).all():
            passages.remove(session, entry, change.source, passages.of_edits(edits, entry.place))
            session.delete(entry)
        session.delete(change)
    session.flush()
    readings.forget(session, number)
    session.connection().execute(delete(VersionRow).where(col(VersionRow.id) == number))


def _bodies(session: Session, wanted: Retention, now: datetime) -> int:
    if wanted.bodies is None:
        return 0
    latest = select(PageRow.version).where(col(PageRow.version).is_not(None))
    of_source = select(PageRow.id).where(*_of_source(wanted))
    gone = (
        update(VersionRow)
        .where(
            col(VersionRow.raw_sha256).is_not(None),
            col(VersionRow.at) < now - wanted.bodies,
            col(VersionRow.id).not_in(latest),
            col(VersionRow.page).in_(of_source),
        )
        .values(raw_sha256=None)
    )
    return int(session.connection().execute(gone).rowcount)


def _alerts(session: Session, wanted: Retention, now: datetime) -> int:
    if wanted.alerts is None or wanted.source is not None:
        return 0
    old = select(AlertRow.id).where(col(AlertRow.state) == "sent", col(AlertRow.sent_at) < now - wanted.alerts)
    numbers = list(session.exec(old))
    for start in range(0, len(numbers), 500):
        some = numbers[start : start + 500]
        session.connection().execute(delete(DeliveryRow).where(col(DeliveryRow.alert).in_(some)))
        session.connection().execute(delete(AlertRow).where(col(AlertRow.id).in_(some)))
    if numbers:
        payloads.sweep(session)
    return len(numbers)


def _sweep(session: Session) -> tuple[int, int]:
    """Delete blobs that no version names: bodies before the texts they lean on, a keyframe after what leans on it."""
    used: list[Any] = [
        select(column).where(column.is_not(None))
        for column in (
            col(VersionRow.sha256),
            col(VersionRow.lists_sha256),
            col(VersionRow.items_sha256),
            col(VersionRow.raw_sha256),
            col(ReadingRow.sha256),
            col(ReadingRow.lists_sha256),
            col(ReadingRow.items_sha256),
        )
    ]
    used.append(select(BlobRow.beside).where(col(BlobRow.beside).is_not(None)))
    bases = select(BlobRow.base).where(col(BlobRow.base).is_not(None))
    count = size = 0
    for turn in (
        col(BlobRow.beside).is_not(None),
        col(BlobRow.base).is_not(None),
        col(BlobRow.base).is_(None) & col(BlobRow.sha256).not_in(bases),
    ):
        loose = (turn, col(BlobRow.sha256).not_in(union(*used)))
        total = select(func.count(), func.coalesce(func.sum(func.length(BlobRow.data)), 0)).where(*loose)
        some, weight = session.exec(total).one()
        count, size = count + some, size + weight
        session.connection().execute(delete(BlobRow).where(*loose))
    gone = col(KeyframeRow.sha256).not_in(select(BlobRow.sha256))
    session.connection().execute(delete(KeyframeRow).where(gone))
    return count, size
