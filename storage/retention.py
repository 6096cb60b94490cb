"""Thinning out, by a rule and never otherwise: without a Retention everything is kept.

What the latest state, an alert, a moved target or a copy refers to always stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, or_, union, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from monitor.model import Edit, Source
from storage import inserting, passages, payloads, readings, rows
from storage.tables import (
    AlertRow,
    BlobRow,
    ChangeRow,
    DeliveryRow,
    KeyframeRow,
    MetaRow,
    MovedRow,
    PageRow,
    PassageRow,
    ReadingRow,
    VersionRow,
)

ACCOUNT = "retention"  # a single value of the installation
SOME = 500  # versions that are looked at in one statement, and that go in one transaction of the nightly job


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
    """What went, or would go: of each source (`versions`, `bodies`), and in all. `bytes` counts compressed blobs."""

    versions: int = 0
    bodies: int = 0
    alerts: int = 0
    blobs: int = 0
    bytes: int = 0
    sources: tuple[tuple[str, int, int], ...] = ()  # key, versions, bodies
    finished: bool = True  # False: there was more to do than time


def rules(sources: Iterable[Source]) -> list[Retention]:
    """What `keep` says, of each source that has one."""
    return [
        Retention(versions=one.keep.versions, age=one.keep.age, bodies=one.keep.bodies, source=one.key)
        for one in sources
        if one.keep is not None
    ]


def prune(session: Session, rules: Sequence[Retention], now: datetime) -> Pruned:
    """Delete; a dry run is this and a rollback."""
    versions, bodies, alerts = Counter[str](), Counter[str](), 0
    for rule in rules:
        gone, _ = thin(session, rule, now)
        versions += gone
        bodies += strip(session, rule, now)
        alerts += _alerts(session, rule, now)
    return told(session, versions, bodies, alerts)


def remember(session: Session, done: Pruned, now: datetime) -> None:
    """Keep the account of a night, for who asks."""
    inserting.single(session, ACCOUNT, json.dumps({"at": now.isoformat(), **asdict(done)}))


def account(session: Session) -> dict[str, Any] | None:
    """What went in the last night: the fields of Pruned, and `at`."""
    kept = session.exec(select(MetaRow.value).where(col(MetaRow.key) == ACCOUNT)).first()
    return json.loads(kept) if kept else None


def told(session: Session, versions: Counter[str], bodies: Counter[str], alerts: int = 0) -> Pruned:
    """The account of what went, after the blobs went too that nothing names any more."""
    blobs, size = _sweep(session) if versions or bodies else (0, 0)
    sources = tuple((key, versions[key], bodies[key]) for key in sorted(versions | bodies))
    return Pruned(versions.total(), bodies.total(), alerts, blobs, size, sources)


def thin(
    session: Session, rule: Retention, now: datetime, *, after: int = 0, most: int | None = None
) -> tuple[Counter[str], int | None]:
    """Delete versions that a rule lets go, of those numbered above `after`, looking at `most` of them.

    Returns how many went by source, and the number to go on after; None: there are no more.
    """
    found = _found(session, rule, now, after, most)
    gone = Counter[str]()
    for some in _batches(found):
        kept = _referred(session, some)
        for number, _, source in some:
            if number not in kept:
                _forget(session, number)
                gone[source] += 1
    return gone, found[-1][0] if most is not None and len(found) == most else None


def _batches(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (found[at : at + SOME] for at in range(0, len(found), SOME))


def _of_source(rule: Retention) -> list[Any]:
    return [col(PageRow.source) == rule.source] if rule.source else []


def _found(
    session: Session, rule: Retention, now: datetime, after: int, most: int | None
) -> list[tuple[int, int, str]]:
    """Versions that a rule lets go, but for those that something refers to: number, page, source."""
    if rule.versions is None and rule.age is None:
        return []
    place = func.row_number().over(partition_by=col(VersionRow.page), order_by=col(VersionRow.id).desc())
    columns: tuple[Any, ...] = (
        *(VersionRow.id, VersionRow.page, VersionRow.at, PageRow.source),
        *(col(PageRow.version).label("latest"), place.label("place")),
    )
    ranked = sql_select(*columns).where(col(VersionRow.page) == col(PageRow.id), *_of_source(rule)).subquery()
    old = ranked.c
    query = sql_select(old.id, old.page, old.source).where(old.id > after, old.id != func.coalesce(old.latest, 0))
    if rule.versions is not None:
        query = query.where(old.place > rule.versions)
    if rule.age is not None:
        query = query.where(old.at < now - rule.age)
    return [tuple(row) for row in session.connection().execute(query.order_by(old.id).limit(most))]


def _referred(session: Session, some: Sequence[tuple[int, int, str]]) -> set[int]:
    """Which of these a copy, or a change that was told of or moved a target, refers to."""
    numbers, pages = [number for number, _, _ in some], sorted({page for _, page, _ in some})
    was_told = or_(
        exists().where(col(AlertRow.change) == col(ChangeRow.id)),
        exists().where(col(MovedRow.change) == col(ChangeRow.id)),
    )
    asked: tuple[Any, ...] = (
        select(VersionRow.copy_of).where(col(VersionRow.copy_of).in_(numbers)),
        select(ChangeRow.new_version).where(col(ChangeRow.new_version).in_(numbers), was_told),
        select(ChangeRow.compared_with).where(col(ChangeRow.compared_with).in_(numbers), was_told),
        select(ChangeRow.old_version).where(
            col(ChangeRow.page).in_(pages), col(ChangeRow.old_version).in_(numbers), was_told
        ),
    )
    return {number for query in asked for number in session.exec(query)}


def _forget(session: Session, number: int) -> None:
    """Delete a version, the change that brought it and what the index has of that."""
    for change in session.exec(select(ChangeRow).where(col(ChangeRow.new_version) == number)).all():
        edits: tuple[Edit, ...] = ()  # of damaged ones unknown: an entry of the index that is no passage finds nothing
        with suppress(StorageError):
            edits, _ = rows.body(change.body, change.id)
        for entry in session.exec(select(PassageRow).where(col(PassageRow.change) == change.id)).all():
            passages.remove(session, entry, change.source, passages.of_edits(edits, entry.place))
            session.delete(entry)
        session.delete(change)
    session.flush()
    readings.forget(session, number)
    session.connection().execute(delete(VersionRow).where(col(VersionRow.id) == number))


def strip(session: Session, rule: Retention, now: datetime) -> Counter[str]:
    """Let bodies as received go, where a rule says so; how many by source. Those of latest versions stay."""
    if rule.bodies is None:
        return Counter()
    old: Any = (
        sql_select(col(VersionRow.id), col(PageRow.source))
        .join(PageRow, col(PageRow.id) == col(VersionRow.page))
        .where(col(VersionRow.raw_sha256).is_not(None), col(VersionRow.at) < now - rule.bodies, *_of_source(rule))
        .where(col(VersionRow.id) != func.coalesce(col(PageRow.version), 0))
    )
    gone = Counter[str]()
    for some in _batches(session.connection().execute(old).all()):
        numbers = [number for number, _ in some]
        session.connection().execute(update(VersionRow).where(col(VersionRow.id).in_(numbers)).values(raw_sha256=None))
        gone.update(source for _, source in some)
    return gone


def _alerts(session: Session, rule: Retention, now: datetime) -> int:
    if rule.alerts is None or rule.source is not None:
        return 0
    old = select(AlertRow.id).where(col(AlertRow.state) == "sent", col(AlertRow.sent_at) < now - rule.alerts)
    numbers = list(session.exec(old))
    for some in _batches(numbers):
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
