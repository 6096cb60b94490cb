"""Care of a database file: copies, putting one back, and looking whether everything is still what it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from storage import blobs, database, indexed, latest, parity, payloads, rows
from storage.tables import (
    REVISIONS,
    AlertRow,
    BlobRow,
    ChangeRow,
    KeyframeRow,
    PageRow,
    PassageRow,
    ReadingRow,
    VersionRow,
)

SOME = 50  # blobs that are read at once
MANY = 500  # changes
Told = Callable[[int, int], object]  # pieces looked at, and how many there are
_Step = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: `what` in one word, `subject` what is lost, `detail`.

    The words are file, reference, blob, keyframe (good by its parity), change, alert, targets, index.
    """

    what: str
    subject: str
    detail: str


def backup(url: str, target: Path) -> int:
    """A whole, consistent copy while others write. Returns its size in bytes; never overwrites a file."""
    path = _file(url)
    if target.exists():
        raise StorageError(f"{target} exists already; name another file")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        part.rename(target)
    except (OSError, sqlite3.Error) as wrong:
        raise StorageError(f"no copy was written to {target}: {wrong}") from wrong
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(url: str, source: Path, now: datetime) -> Path | None:
    """Put a copy in the place of the database; what was there is kept beside it, and its path returned.

    Raises StorageError, with nothing changed, when the copy is no whole database of ours or a daemon runs.
    """
    path = database.sqlite_path(url)
    if path is None:
        raise StorageError("restore is for SQLite files; use pg_restore for PostgreSQL")
    _whole(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    with database.Lock(path).holding():
        aside = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%SZ}.before-restore")
        part = path.with_name(path.name + ".part")
        part.write_bytes(source.read_bytes())
        had = path.exists()
        if had:
            backup(url, aside)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        part.replace(path)
    return aside if had else None


def _file(url: str) -> Path:
    path = database.sqlite_path(url)
    if path is None:
        raise StorageError("this is for SQLite files; use pg_dump for PostgreSQL")
    if not path.exists():
        raise StorageError(f"there is no database {path}")
    return path


def _whole(source: Path) -> None:
    """Raise StorageError unless this file is a whole database that this program can read or upgrade."""
    if not source.is_file():
        raise StorageError(f"there is no file {source}")
    engine = database.reader(f"sqlite:///{source}", pooled=False)
    try:
        try:
            have = database.revision(engine)
        except database.DamagedError as wrong:
            raise StorageError(f"{source} is damaged: {wrong.detail}") from wrong
        if have is None:
            raise StorageError(f"{source} holds no mubiao tables")
        if have not in REVISIONS:
            database.require_current(engine, REVISIONS)
        with engine.connect() as connection:
            word = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if word != "ok":
            raise StorageError(f"{source} is damaged: {word}")
    finally:
        engine.dispose()


def check(url: str, told: Told = lambda done, total: None) -> list[Finding]:
    """Look at everything: the file, its references, and every blob against its hash. An empty list is good."""
    path = database.sqlite_path(url)
    engine = database.reader(url, pooled=False)
    try:
        if path is not None and not path.exists():
            raise StorageError(f"there is no database {path}")
        database.require_current(engine, REVISIONS)
        with Session(engine) as session:
            step = _counting(session, told)
            return [found for part in _PARTS for found in _through(part, session, step)]
    except database.DamagedError as wrong:
        return [Finding("file", "database", wrong.detail)]
    finally:
        engine.dispose()


def _counting(session: Session, told: Told) -> _Step:
    """What is called with every number of blobs, changes and entries of the index that were looked at."""
    tables = (BlobRow, ChangeRow, PassageRow)
    done = total = 0
    with suppress(DBAPIError):  # a damaged file; what is wrong with it the parts say
        total = sum(session.exec(select(func.count()).select_from(table)).one() for table in tables)

    def step(more: int) -> None:
        nonlocal done
        done += more
        told(done, total)

    return step


def _through(part: Callable[[Session, _Step], Iterator[Finding]], session: Session, step: _Step) -> Iterator[Finding]:
    """What a part finds, up to where the file cannot be read on: that is a finding too."""
    try:
        yield from part(session, step)
    except (DBAPIError, StorageError) as wrong:
        session.rollback()  # the next part begins with a connection of its own: this one may answer wrongly from now on
        yield Finding("file", "database", _detail(wrong) if isinstance(wrong, StorageError) else str(wrong.orig))


def _structure(session: Session, _step: _Step) -> Iterator[Finding]:
    if session.connection().dialect.name != "sqlite":
        return
    try:
        for (word,) in session.connection().execute(text("PRAGMA integrity_check")):
            if word != "ok":
                yield Finding("file", "database", str(word))
    except DBAPIError:  # it ends at a table that cannot be read: which?
        yield from _unreadable(session)
    for table, number, parent, _ in session.connection().execute(text("PRAGMA foreign_key_check")):
        yield Finding("reference", f"{table} {number}", f"points to a missing {parent}")


def _unreadable(session: Session) -> Iterator[Finding]:
    """The tables that a check of the whole file ends at."""
    session.rollback()
    named = text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    for name in session.connection().execute(named).scalars().all():
        try:
            session.connection().execute(text(f'PRAGMA integrity_check("{name}")')).all()
        except DBAPIError as wrong:
            session.rollback()
            yield Finding("file", f"table {name}", str(wrong.orig))


def _references(session: Session, _step: _Step) -> Iterator[Finding]:
    known = select(VersionRow.id)
    lost_latest = select(PageRow.url, PageRow.version).where(
        col(PageRow.version).is_not(None), col(PageRow.version).not_in(known)
    )
    for address, number in session.exec(lost_latest):
        yield Finding("reference", address, f"its latest version v{number} is missing")
    for column, name in _COLUMNS:
        lost = select(VersionRow.id, column).where(column.is_not(None), column.not_in(select(BlobRow.sha256)))
        for number, sha in session.exec(lost):
            yield Finding("blob", f"v{number}", f"its {name} {str(sha)[:12]} is missing")
    for earlier, name in _EARLIER:
        lost = select(ReadingRow.version, earlier).where(earlier.is_not(None), earlier.not_in(select(BlobRow.sha256)))
        for number, sha in session.exec(lost):
            yield Finding("blob", f"v{number}", f"its {name} {str(sha)[:12]} is missing")


_COLUMNS = (
    (col(VersionRow.sha256), "text"),
    (col(VersionRow.lists_sha256), "list of links"),
    (col(VersionRow.items_sha256), "targets"),
    (col(VersionRow.raw_sha256), "body"),
)

_EARLIER = (
    (col(ReadingRow.sha256), "earlier text"),
    (col(ReadingRow.lists_sha256), "earlier list of links"),
    (col(ReadingRow.items_sha256), "earlier targets"),
)


def _damaged(session: Session, step: _Step) -> Iterator[Finding]:
    """Every blob that does not give back the bytes it is named after, by the versions that lose them."""
    names = select(BlobRow.sha256).order_by(BlobRow.sha256).limit(SOME)
    some: Sequence[str] = session.exec(names).all()
    while some:
        try:
            with database.plain_errors():
                kept = blobs.rows_of(session, some)
        except StorageError:  # one of them cannot be read: which?
            kept = None
        for sha in some:
            try:
                with database.plain_errors():
                    row = kept.get(sha) if kept is not None else blobs.rows_of(session, [sha]).get(sha)
                    blobs.read(session, sha, row, f"blob {sha[:12]}")
            except StorageError as wrong:
                yield Finding("blob", ", ".join(_owners(session, sha)) or sha[:12], _detail(wrong))
        step(len(some))
        session.expunge_all()
        some = session.exec(names.where(col(BlobRow.sha256) > some[-1])).all()


def _detail(wrong: StorageError) -> str:
    """What is wrong, without the advice to do what is being done."""
    detail = wrong.detail if isinstance(wrong, database.DamagedError) else str(wrong)
    return detail.removesuffix("; run: mubiao db check")


def _owners(session: Session, sha: str) -> Iterator[str]:
    """The versions that have a blob, and what for."""
    for column, name in _COLUMNS:
        yield from (f"v{number} ({name})" for number in session.exec(select(VersionRow.id).where(column == sha)))
    for column, name in _EARLIER:
        yield from (f"v{number} ({name})" for number in session.exec(select(ReadingRow.version).where(column == sha)))


def _changes(session: Session, step: _Step) -> Iterator[Finding]:
    """Every change whose edits cannot be read any more."""
    numbers = select(ChangeRow.id).order_by(col(ChangeRow.id)).limit(MANY)
    some = session.exec(numbers).all()
    while some:
        bodies = select(ChangeRow.id, ChangeRow.body).where(col(ChangeRow.id).in_(some))
        try:
            with database.plain_errors():
                kept = dict(session.exec(bodies).all())
        except StorageError:
            kept = {}
        for number in some:
            try:
                with database.plain_errors():
                    one = select(ChangeRow.body).where(col(ChangeRow.id) == number)
                    rows.body(kept[number] if number in kept else session.exec(one).one(), number)
            except StorageError as wrong:
                yield Finding("change", f"c{number}", _detail(wrong))
        step(len(some))
        some = session.exec(numbers.where(col(ChangeRow.id) > some[-1])).all()


def _kinds(session: Session, _step: _Step) -> Iterator[Finding]:
    """Changes and versions of a kind that there is not."""
    for table, what, mark in ((ChangeRow, "change", "c"), (VersionRow, "version", "v")):
        wrong = select(table.id, table.kind).where(col(table.kind).is_not(None), col(table.kind).not_in(rows.KINDS))
        for number, kind in session.exec(wrong):
            yield Finding(what, f"{mark}{number}", f"its kind, {kind!r}, is damaged")


def _outbox(session: Session, _step: _Step) -> Iterator[Finding]:
    """Every alert whose content cannot be read any more."""
    for name in session.exec(select(AlertRow.payload_sha256).distinct()).all():
        owed = select(AlertRow).where(col(AlertRow.payload_sha256) == name)
        try:
            with database.plain_errors():
                payloads.alerts(session, session.exec(owed.limit(1)))
        except StorageError as wrong:
            yield Finding("alert", ", ".join(row.id for row in session.exec(owed.limit(9))), str(wrong))


def healing(session: Session) -> Iterator[tuple[Finding, str, bytes]]:
    """Keyframes with one damaged place: a finding, the hash, and the bytes as their parity has them."""
    for known in session.exec(select(KeyframeRow).order_by(KeyframeRow.sha256)).all():
        sha, row = known.sha256, session.get(BlobRow, known.sha256)
        if row is None:
            continue
        if blobs.is_sound(sha, row.size, row.data):
            if known.parity is not None and known.parity != parity.make(row.data):
                yield (
                    Finding("keyframe", sha[:12], "its parity is damaged, the bytes themselves are good"),
                    sha,
                    row.data,
                )
        elif (packed := blobs.mend(session, sha, row.size, row.data)) is not None:
            yield (
                Finding("keyframe", sha[:12], "one damaged place, made good by its parity when it is read"),
                sha,
                packed,
            )


def _healed(session: Session, _step: _Step) -> Iterator[Finding]:
    for finding, _, _ in healing(session):
        yield finding


def _targets(session: Session, _step: _Step) -> Iterator[Finding]:
    """The rows of targets, against what the latest versions keep under their hashes."""
    for page, due in latest.wrong(session):
        yield Finding("targets", page.url, f"its rows are not the {len(due)} of v{page.version}")


def _index(session: Session, step: _Step) -> Iterator[Finding]:
    """The full-text index, against the texts."""
    if (why := indexed.wrong(session, step)) is not None:
        yield Finding("index", "search index", why)


_PARTS = (_structure, _references, _damaged, _healed, _changes, _kinds, _outbox, _targets, _index)
