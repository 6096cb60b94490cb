"""Versions, changes and what one check leaves behind. Functions over one session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from monitor.model import (
    Alert,
    Change,
    Document,
    Known,
    Outcome,
    Release,
    Rereading,
    Retold,
    Target,
    TargetChange,
    Version,
)
from storage import attached, blobs, glances, items, latest, outbox, passages, readings, rows, sketches, spans, watched
from storage.tables import ChangeRow, MovedRow, PageRow, PassageRow, SourceRow, VersionRow

READABLE = 20  # versions that are tried where the latest is damaged
EARLIER = 200  # versions of a page among which a return to an old text is recognised
RELEASES = 24  # documents of a series that a new one is compared with at most; newest first
RECORDS = ("report", "plan", "budget", "outline")  # documents that set targets themselves

Alerting = Callable[[Change], Sequence[Alert]]


# --------------------------------------------------------------------------- reading


def text_of(session: Session, row: VersionRow) -> str:
    """The kept text of a version, verified."""
    return blobs.decode(blobs.get(session, row.sha256, f"version v{row.id}"))


def document_of(session: Session, row: VersionRow, url: str) -> Document:
    """The whole document of a version, verified."""
    listed = blobs.get(session, row.lists_sha256, f"version v{row.id}") if row.lists_sha256 else None
    return rows.document(row, url, text_of(session, row), listed)


def last_document(session: Session, page: PageRow) -> Document | None:
    """What a page last said, None where it has no version."""
    row = session.get(VersionRow, page.version) if page.version is not None else None
    return document_of(session, row, page.url) if row is not None else None


def targets_of(session: Session, row: VersionRow, text: str | None = None) -> tuple[Target, ...]:
    """Every target and actual of a version, offsets in its text."""
    if row.items_sha256 is None:
        return ()
    packed = blobs.get(session, row.items_sha256, f"targets of version v{row.id}")
    return items.unpack(packed, text_of(session, row) if text is None else text)


def raw_of(session: Session, row: VersionRow) -> bytes | None:
    """The body as it was received, None where it was not kept."""
    return blobs.get(session, row.raw_sha256, f"body of version v{row.id}") if row.raw_sha256 else None


def version_of(session: Session, row: VersionRow) -> Version:
    """A version with its document."""
    page = session.get_one(PageRow, row.page)
    return rows.version(row, page.source, page.url, document_of(session, row, page.url))


def load(session: Session, page: int) -> Known:
    """The past of one page, without the releases it is compared with (`releases`)."""
    row = session.get(PageRow, page)
    if row is None:
        raise StorageError(f"no page {page}")
    answers = watched.neighbour_answers(session, row)
    parent = attached.parent(session, row)
    if row.version is None:
        return Known(rows.page(row), host_answers=answers, parent=parent)
    last = _last_readable(session, row)
    query = select(VersionRow.fingerprint, VersionRow.id).where(
        col(VersionRow.page) == page, col(VersionRow.id) != row.version
    )
    earlier = session.exec(query.order_by(col(VersionRow.id).desc()).limit(EARLIER)).all()
    return Known(
        page=rows.page(row),
        last=last,
        earlier_fingerprints={mark: f"v{number}" for mark, number in reversed(earlier) if mark},
        edited=bool(earlier),
        host_answers=answers,
        parent=parent,
    )


def _last_readable(session: Session, page: PageRow) -> Version | None:
    """The latest version; where its text is damaged, the newest before it that is not: an edit is told against that."""
    earlier = select(VersionRow.id).where(col(VersionRow.page) == page.id, col(VersionRow.id) != page.version)
    with suppress(StorageError):
        return version_of(session, session.get_one(VersionRow, page.version))
    for number in session.exec(earlier.order_by(col(VersionRow.id).desc()).limit(READABLE)):
        with suppress(StorageError):
            return version_of(session, session.get_one(VersionRow, number))
    return None


def releases(session: Session, page: int) -> tuple[Release, ...]:
    """Latest versions of other documents that one of this page may be compared with.

    First those of its own region and series, then reports, plans and budgets of the region in other series (what a
    newspaper quotes); newest first in each.
    """
    own = session.get_one(PageRow, page)
    source = session.get_one(SourceRow, own.source)
    base = (
        select(VersionRow, PageRow, SourceRow)
        .where(col(PageRow.version) == col(VersionRow.id), col(PageRow.source) == col(SourceRow.key))
        .where(col(PageRow.id) != page, col(VersionRow.copy_of).is_(None))
    )
    newest = (
        col(VersionRow.year).desc().nulls_last(),
        col(VersionRow.published).desc().nulls_last(),
        col(VersionRow.id).desc(),
    )
    found: list[tuple[VersionRow, PageRow, SourceRow]] = []
    if source.series:
        same = base.where(col(SourceRow.series) == source.series)
        if source.region:
            same = same.where(col(SourceRow.region) == source.region)
        else:
            same = same.where(col(SourceRow.key) == source.key)
        records_first = col(VersionRow.record_type).in_(RECORDS).desc()
        found += session.exec(same.order_by(records_first, *newest).limit(RELEASES)).all()
    if source.region:
        other = base.where(col(SourceRow.region) == source.region, col(VersionRow.record_type).in_(RECORDS))
        if source.series:
            other = other.where(func.coalesce(SourceRow.series, "") != source.series)
        found += session.exec(other.order_by(*newest).limit(RELEASES)).all()
    return readable(session, found)


def readable(session: Session, found: Iterable[tuple[VersionRow, PageRow, SourceRow]]) -> tuple[Release, ...]:
    """Versions as the comparison needs them, without those whose text is damaged."""
    out: list[Release] = []
    for parts in found:
        with suppress(StorageError):
            out.append(release_of(session, *parts))
    return tuple(out)


def release_of(session: Session, row: VersionRow, page: PageRow, source: SourceRow) -> Release:
    """A stored version as the comparison needs it."""
    return Release(
        version=f"v{row.id}",
        label=row.release,
        record=rows.record(row.record),
        source=page.source,
        url=page.url,
        text=text_of(session, row),
        title=row.title,
        published=row.published,
        series=source.series,
    )


# --------------------------------------------------------------------------- writing


def save(session: Session, outcome: Outcome, alerts: Alerting | None, health: Sequence[Alert]) -> str | None:
    """Everything one check found; the caller's transaction makes it all or nothing. Returns the id of the change."""
    glances.write(session, [outcome])
    event = None
    if outcome.reread is not None:
        reread(session, outcome.page.id, outcome.reread, outcome.at)
    if outcome.result in {"new", "changed"} or outcome.change is not None:
        page = session.get_one(PageRow, outcome.page.id)
        last = session.get(VersionRow, page.version) if page.version is not None else None
        fresh = _add_version(session, page, last, outcome)
        event = _add_change(session, page, last, fresh, outcome)
        session.add(page)
        session.flush()
    if outcome.found:
        watched.add(session, outcome.page.source, outcome.found, outcome.at, outcome.at)
    if outcome.following is not None:
        attached.follow(session, outcome)
    outbox.enqueue(session, health, outcome.at)
    if event is None:
        return None
    if alerts is not None:
        outbox.enqueue(session, alerts(event), outcome.at)
    return event.id


def reread(session: Session, page: int, again: Rereading, at: datetime) -> bool:
    """Show this reading of a version instead of the last one, in lists and search too. False where nothing differs."""
    before = readings.replace(session, again, at)
    owner = session.get_one(PageRow, page)
    if before is None or f"v{owner.version}" != again.version:
        return before is not None
    row = session.get_one(VersionRow, owner.version)
    owner.title, owner.date = row.title or owner.title, row.published or owner.date
    session.add(owner)
    latest.replace(session, page, owner.source, row.id, again.targets)
    _replace_text(session, owner, before, row, again.document.text)
    return True


def _add_version(session: Session, page: PageRow, last: VersionRow | None, outcome: Outcome) -> VersionRow | None:
    """A new version, where the check brought a document that differs from the last one in text or lists."""
    document = outcome.document
    if outcome.result not in {"new", "changed"} or document is None:
        return None
    row = _version_row(page, outcome, document)
    if last is None:
        _keep_first(session, row, outcome, document)
    elif not _keep_next(session, row, last, outcome, document):
        return None
    session.add(row)
    session.flush()
    page.version, page.last_change = row.id, outcome.at
    page.title, page.date = row.title or page.title, row.published or page.date
    assert page.id is not None
    if last is None:
        latest.add(session, page.id, page.source, row.id, outcome.targets)
        _index(session, page, "text", document.text, row.at, version=row.id)
        sketches.add(session, page.id, outcome.marks)
    else:
        latest.replace(session, page.id, page.source, row.id, outcome.targets)
        _replace_text(session, page, _text_before(session, last), row, document.text)
        sketches.put(session, page.id, outcome.marks)
    return row


def _keep_first(session: Session, row: VersionRow, outcome: Outcome, document: Document) -> None:
    """The blobs of a page's first version."""
    parts = {
        "sha256": blobs.encode(document.text),
        "lists_sha256": rows.lists(document),
        "items_sha256": items.pack(outcome.targets, document.text) if outcome.targets else None,
        "raw_sha256": _body(outcome),
    }
    wanted = {name: data for name, data in parts.items() if data or name == "sha256"}
    for name, sha in zip(wanted, blobs.put_apart(session, [data or b"" for data in wanted.values()]), strict=True):
        setattr(row, name, sha)


def _keep_next(session: Session, row: VersionRow, last: VersionRow, outcome: Outcome, document: Document) -> bool:
    """The blobs of a later version, near to those of the last one; False where text and lists are the same."""
    listed = rows.lists(document)
    row.sha256 = blobs.put(session, blobs.encode(document.text), last.sha256)
    row.lists_sha256 = blobs.put(session, listed, last.lists_sha256) if listed else None
    if (last.sha256, last.lists_sha256) == (row.sha256, row.lists_sha256):
        return False
    if outcome.targets:
        row.items_sha256 = blobs.put(session, items.pack(outcome.targets, document.text), last.items_sha256)
    if body := _body(outcome):
        beside = blobs.Beside(row.sha256, document.encoding) if document.file is None else None
        row.raw_sha256 = blobs.put(session, body, last.raw_sha256, beside)
    return True


def _body(outcome: Outcome) -> bytes | None:
    """The body as received, where it is to be kept."""
    return outcome.fetch.body or None if outcome.keep_body and outcome.fetch is not None else None


def _text_before(session: Session, last: VersionRow | None) -> str | None:
    """None for a damaged text: without its passage the entry left in the index finds nothing."""
    with suppress(StorageError):
        return text_of(session, last) if last is not None else None
    return None


def _version_row(page: PageRow, outcome: Outcome, document: Document) -> VersionRow:
    event = outcome.change
    assert page.id is not None
    return VersionRow(
        page=page.id,
        at=outcome.at,
        release=outcome.release,
        title=document.title,
        published=document.published,
        document=rows.short_fields(document, page.url),
        record=rows.plain_record(outcome.record),
        record_type=outcome.record.type,
        year=outcome.record.year,
        chars=len(document.text),
        paragraphs=len(document.paragraphs),
        items=len(outcome.targets),
        encoding=document.encoding,
        replacements=document.replacements,
        sha256="",
        fingerprint=outcome.fingerprint or "",
        checks=page.checks,
        kind=event.kind if event else None,
        significance=event.significance if event else 0.0,
        copy_of=rows.number(outcome.copy_of),
        moved=sum(t.change != "unchanged" for t in event.targets) if event else 0,
    )


def retarget(session: Session, number: int, again: Retold) -> bool:
    """Put what today's rules read from a kept text in place of what was read from it. False where nothing differs.

    Only readings: the text, the capture and every change stay as they are.
    """
    row = session.get_one(VersionRow, number)
    text = text_of(session, row)
    packed = items.pack(again.targets, text) if again.targets else None
    sha = blobs.put(session, packed, row.items_sha256) if packed else None
    record = rows.plain_record(again.record)
    if (sha, record, again.release) == (row.items_sha256, row.record, row.release):
        return False
    row.items_sha256, row.items = sha, len(again.targets)
    row.record, row.record_type, row.year = record, again.record.type, again.record.year
    row.release = again.release
    session.add(row)
    session.flush()
    page = session.get_one(PageRow, row.page)
    if page.version == number:
        latest.replace(session, row.page, page.source, number, again.targets)
    return True


def _replace_text(session: Session, page: PageRow, before: str | None, row: VersionRow, text: str) -> None:
    """The index holds the latest text of each page only (and every passage that came or went)."""
    entry = session.exec(
        select(PassageRow).where(col(PassageRow.page) == page.id, col(PassageRow.place) == "text")
    ).first()
    if entry is not None and before is not None and text.strip():
        entry.version = row.id
        session.add(entry)
        passages.replace(session, entry, page.source, before, text)
        if entry.id is not None and not passages.is_gin(session):
            spans.age(session, entry.id, row.at)
        return
    if entry is not None:
        if before is not None:
            passages.remove(session, entry, page.source, before)
        session.delete(entry)
    _index(session, page, "text", text, row.at, version=row.id)


def _index(
    session: Session,
    page: PageRow,
    place: str,
    text: str,
    at: datetime,
    *,
    version: int | None = None,
    change: int | None = None,
) -> None:
    if not text.strip():
        return
    assert page.id is not None
    entry = PassageRow(page=page.id, version=version, change=change, place=place)
    session.add(entry)
    session.flush()
    passages.insert(session, entry, page.source, text)
    if entry.id is not None and not passages.is_gin(session):
        spans.note(session, entry.id, at)


def _add_change(
    session: Session, page: PageRow, last: VersionRow | None, fresh: VersionRow | None, outcome: Outcome
) -> Change | None:
    event = outcome.change
    if event is None:
        return None
    event = replace(
        event,
        source=page.source,
        url=page.url,
        old_version=event.old_version or (rows.version_id(last.id) if last and event.kind != "new" else None),
        new_version=rows.version_id(fresh.id) if fresh else event.new_version,
    )
    row = _change_row(page, event)
    session.add(row)
    session.flush()
    page.last_change = event.at
    if not event.baseline:
        page.baseline = False
    assert row.id is not None
    session.add_all(moved_row(row.id, line) for line in event.targets if line.change != "unchanged")
    version = fresh.id if fresh else None
    if event.kind != "new":  # the whole text of a new document is indexed already
        for place in ("added", "removed"):
            said = passages.of_edits(event.edits, place)
            _index(session, page, place, said, event.at, version=version, change=row.id)
    return replace(event, id=f"c{row.id}")


def _change_row(page: PageRow, event: Change) -> ChangeRow:
    assert page.id is not None
    return ChangeRow(
        page=page.id,
        source=event.source,
        at=event.at,
        kind=event.kind,
        title=event.title,
        old_version=rows.number(event.old_version),
        new_version=rows.number(event.new_version),
        compared_with=rows.number(event.compared_with),
        compared_release=event.compared_release,
        release=event.release,
        significance=event.significance,
        reasons=list(event.reasons),
        added=event.added,
        deleted=event.deleted,
        baseline=event.baseline,
        copy_of=rows.number(event.copy_of),
        parent=event.parent,
        attachment=event.attachment,
        same_at=event.same_at,
        body=rows.change_body(event),
    )


def moved_row(change: int, line: TargetChange) -> MovedRow:
    """Which indicator a line of a change is about."""
    item = line.after or line.before
    return MovedRow(
        change=change,
        indicator=line.indicator,
        canonical=line.canonical,
        indicator_id=item.indicator_id if item else None,
        role=item.role if item else "target",
        word=line.change,
    )
