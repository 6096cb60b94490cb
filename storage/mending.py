"""Mending what can be: indexes, keyframes with one damaged place, references. What is lost is named, not invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from monitor.errors import StorageError
from storage import care, database, indexed, latest, parity
from storage.care import Finding
from storage.tables import REVISIONS, BlobRow, KeyframeRow, PageRow, VersionRow


def repair(
    url: str, now: datetime, told: care.Told = lambda done, total: None
) -> tuple[Path | None, list[Finding], list[Finding]]:
    """Mend a database after a copy of it was set aside: that copy (None where nothing was mended), what was
    mended, and what cannot be.

    Raises StorageError where a daemon holds the database. Never deletes a version.
    """
    path = database.sqlite_path(url)
    with database.lock(url).holding():
        aside = None
        if path is not None:
            aside = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%SZ}.before-repair")
            care.backup(url, aside)
        mended = list(_mended(url))
        if aside is not None and not mended:
            aside.unlink()  # it is what the database still is
            aside = None
    return aside, mended, care.check(url, told)


def _mended(url: str) -> Iterator[Finding]:
    engine = database.writer(url)
    try:
        database.require_current(engine, REVISIONS)
        for part in (_indexes, _keyframes, _latest, _targets, _words):
            found: list[Finding] = []
            with (
                suppress(database.DamagedError),  # what this part needs is lost; the check afterwards says what
                database.plain_errors(engine),
                Session(engine) as session,
                session.begin(),
            ):
                found = list(part(session))
            yield from found
    finally:
        engine.dispose()


def _indexes(session: Session) -> Iterator[Finding]:
    """Indexes of SQLite hold nothing that their tables do not. PostgreSQL's are its administrator's."""
    if session.connection().dialect.name != "sqlite":
        return
    before = _complaints(session)
    if not before:
        return
    try:
        with session.begin_nested():
            session.connection().execute(text("REINDEX"))
    except DBAPIError:  # a table itself is damaged, or an index that must be unique is not: `check` says which
        return
    for word in sorted(before - _complaints(session)):
        yield Finding("file", "database", word)


def _complaints(session: Session) -> set[str]:
    """What SQLite says is wrong with the file. A full-text index that is damaged ends its answer."""
    found = set[str]()
    try:
        for (word,) in session.connection().execute(text("PRAGMA integrity_check")):
            found.add(str(word))
    except DBAPIError as wrong:
        found.add(str(wrong.orig))
    return found - {"ok"}


def _keyframes(session: Session) -> Iterator[Finding]:
    """A keyframe whose parity makes it good again is written back."""
    for finding, sha, packed in care.healing(session):
        session.get_one(BlobRow, sha).data = packed
        session.get_one(KeyframeRow, sha).parity = parity.make(packed)
        yield finding


def _latest(session: Session) -> Iterator[Finding]:
    """A page whose latest version is gone shows the newest that is there."""
    known = select(VersionRow.id)
    lost = select(PageRow).where(col(PageRow.version).is_not(None), col(PageRow.version).not_in(known))
    for page in session.exec(lost).all():
        newest = select(func.max(VersionRow.id)).where(col(VersionRow.page) == page.id)
        was, page.version = page.version, session.exec(newest).one()
        yield Finding("reference", page.url, f"its latest version v{was} is missing; now v{page.version or '-'}")


def _targets(session: Session) -> Iterator[Finding]:
    """The rows of targets follow from the versions."""
    for page, due in list(latest.wrong(session)):
        latest.replace(session, page.page, page.source, page.version, due)
        yield Finding("targets", page.url, f"its rows were not the {len(due)} of v{page.version}")


def _words(session: Session) -> Iterator[Finding]:
    """The full-text index follows from the texts."""
    try:
        why = indexed.wrong(session)
    except StorageError as damaged:
        why = str(damaged)
    if why is not None:
        indexed.rebuild(session)
        yield Finding("index", "search index", why)
