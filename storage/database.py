"""Opening a database: its file, its lock, its pragmas, and whether its schema is the one this program speaks.

SQLite before 3.51.3 can damage a WAL that two writers reset: one connection writes, all others are `mode=ro`, no mmap.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool, StaticPool
from sqlmodel import create_engine

from monitor.errors import StorageError
from storage import postgres
from storage.tables import REVISION

BUSY_MS = 5000
CACHE, SMALL_CACHE = 16384, 2048  # KiB of a connection: of a command, which ends soon, and of one that stays open
KEPT, MOST_OPEN = 2, 15  # connections of a pool that stay open, and that are at once: opening one takes a millisecond
WRITER_CACHE = 8192  # … which changes the same pages of the full-text index again and again
MOST_NAMED = 5000  # values in one question; SQLite takes 32,766
_EXAMPLES = f"sqlite:///data/mubiao.db and {postgres.EXAMPLE}"
_DAMAGE = ("no such table", "no such column", "Could not decode to UTF-8")  # after the revision was read
WRITER_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits when the power goes
    f"busy_timeout={BUSY_MS}",
    "foreign_keys=ON",
    "journal_size_limit=67108864",
    f"cache_size=-{WRITER_CACHE}",
)
READER_PRAGMAS = (f"busy_timeout={BUSY_MS}", "query_only=ON")


class DamagedError(StorageError):
    """The file of the database is not what SQLite wrote; `detail` is its word for it."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(f"the database file is damaged ({detail}); run: mubiao db check")


class NewerError(StorageError):
    """The database was written by a newer program."""


class FullError(StorageError):
    """The disk takes no more: what was to be saved may be saved when there is room again."""


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite address, None for one of PostgreSQL. Raises StorageError for what is neither.

    A link is the file that it leads to: SQLite sees that, and the lock beside it has to be one, whatever it is called.
    """
    if postgres.is_address(url):
        postgres.address(url)
        return None
    try:
        parsed = make_url(url)
    except ArgumentError as wrong:
        raise StorageError(f"not a database address: {url} (write {_EXAMPLES})") from wrong
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(f"--db {url.split(':', maxsplit=1)[0]}:…: there are {_EXAMPLES}")
    if not parsed.database or parsed.database == ":memory:":
        raise StorageError("a database in memory forgets everything; name a file: sqlite:///data/mubiao.db")
    path = Path(parsed.database)
    return path.resolve() if path.is_symlink() else path


def shown(url: str) -> str:
    """A database as people may read it: its path, or its address without the password."""
    path = sqlite_path(url)
    return str(path) if path is not None else postgres.hidden(postgres.address(url))


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_DECODER = json.JSONDecoder()


def _loads(value: str) -> Any:
    """What `_dumps` wrote, without looking for blanks around it: that is most of the time of `json.loads` for a row.

    Raises DamagedError for what is no JSON.
    """
    try:
        found, end = _DECODER.raw_decode(value)
        return found if end == len(value) else json.loads(value)  # somebody else's spelling
    except ValueError as wrong:
        raise DamagedError(f"no JSON: {wrong}") from wrong


_AS_JSON: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": _loads}


def _pragmas(engine: Engine, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")


def writer(url: str) -> Engine:
    """The one connection that writes. Its transactions take the write lock at once: no upgrade can fail half-way."""
    if sqlite_path(url) is None:
        return postgres.engine(url, read_only=False, json_serializer=_dumps)
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False}, **_AS_JSON)
    _pragmas(engine, WRITER_PRAGMAS)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextlib.contextmanager
def unsynced(engine: Engine) -> Iterator[None]:
    """The next transactions of the writer are in the file when they end, but nobody waits for the disk.

    A kill loses none of them; a power cut may lose the last ones, whole. Another database takes no notice.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with contextlib.closing(engine.raw_connection()) as raw:  # by itself: inside a transaction it cannot be changed
        cursor = raw.cursor()
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")


def reader(url: str, *, pooled: bool = True, cache: int = CACHE) -> Engine:
    """Connections that cannot write. `pooled=False` opens one for each use, for programs that run one query.

    `cache` KiB of pages are kept by each connection to a SQLite file; several stay open in a pool.
    """
    path = sqlite_path(url)
    if path is None:
        return postgres.engine(url, read_only=True, pooled=pooled, json_serializer=_dumps)
    uri = f"sqlite:///file:{path.resolve().as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro&uri=true"
    more: dict[str, Any] = {"poolclass": NullPool}
    if pooled:  # the last one used first: each connection fills a cache of its own
        more = {"poolclass": QueuePool, "pool_use_lifo": True, "pool_size": KEPT, "max_overflow": MOST_OPEN - KEPT}
    engine = create_engine(uri, connect_args={"check_same_thread": False}, **more, **_AS_JSON)
    _pragmas(engine, (*READER_PRAGMAS, f"cache_size=-{cache}"))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def revision(engine: Engine) -> str | None:
    """The schema revision of a database, None for one that has no tables of ours yet."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DatabaseError as wrong:
        if "no such table" in str(wrong.orig) or getattr(wrong.orig, "sqlstate", None) == "42P01":
            return None
        if (plain := _of_postgres(wrong, engine)) is not None:
            raise plain from wrong
        if _name(wrong).startswith("SQLITE_CORRUPT"):
            raise DamagedError(str(wrong.orig)) from wrong
        if isinstance(wrong, OperationalError):
            raise StorageError(f"{engine.url.database} cannot be opened: {wrong.orig}") from wrong
        raise StorageError(f"{engine.url.database} is not a database of mubiao: {wrong.orig}") from wrong


def schema(url: str) -> str | None:
    """The schema revision of the database at this address, None where there is none yet. Without loading alembic."""
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return None
    engine = reader(url, pooled=False)
    try:
        return revision(engine)
    finally:
        engine.dispose()


def is_current(url: str) -> bool:
    """Whether a database is there and has today's schema: then nothing is to be upgraded."""
    return schema(url) == REVISION


def require_current(engine: Engine, known: frozenset[str]) -> None:
    """Raise StorageError unless the schema is the one this program speaks. `known` are all revisions up to it."""
    have = revision(engine)
    if have == REVISION:
        return
    file = (engine.url.database or "").removeprefix("file:")  # a reader's address is a URI
    name = file if engine.dialect.name == "sqlite" else postgres.hidden(engine.url)
    if have is None:
        raise StorageError(f"{name} holds no mubiao tables yet; run: mubiao db upgrade")
    if have in known:
        raise StorageError(f"{name} has the older schema {have}; run: mubiao db upgrade")
    raise NewerError(f"{name} has the newer schema {have}, this program knows up to {REVISION}: install a newer mubiao")


class Place:
    """Where a SQLite file was opened. A connection follows the file, whatever becomes of its name: what is written to
    one that was moved away or deleted is found by nobody."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._file()

    def _file(self) -> tuple[int, int] | None:
        try:
            known = self._path.stat()
        except OSError:
            return None
        return known.st_dev, known.st_ino

    def require(self) -> None:
        """Raises StorageError where another file stands there now, or none."""
        if self._file() != self._known:
            raise StorageError(
                f"{self._path} was moved, deleted or replaced while it was open; nothing of this step was saved "
                "(put it back, or stop and start again)"
            )


class Lock:
    """An exclusive lock beside the database, held by the daemon for as long as it runs. The kernel frees it."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file = -1

    def take(self) -> None:
        """Raises StorageError naming the process that has it; harmless when it is held already."""
        if self.held:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise _held(owner, self._path) from None
        with contextlib.suppress(OSError):  # a full disk has no room for our pid: the lock is ours all the same
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        self._file = handle

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._file >= 0

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """The lock for one block."""
        self.take()
        try:
            yield
        finally:
            self.release()


def _held(owner: str, file: Path) -> StorageError:
    return StorageError(f"the database is held by a running daemon, pid {owner or 'unknown'} ({file})")


def lock(url: str) -> Lock | postgres.Lock:
    """The daemon's lock on a database."""
    path = sqlite_path(url)
    return Lock(path) if path is not None else postgres.Lock(url)


def daemon_pid(url: str) -> int | None:
    """The pid of the daemon that holds this SQLite file, None when nobody does."""
    path = sqlite_path(url)
    if path is None or not (file := path.with_name(path.name + ".lock")).exists():
        return None
    with file.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            word = handle.read(32).decode("ascii", "replace").strip()
            return int(word) if word.isdigit() else 0
    return None


def require_free(url: str) -> None:
    """Raise StorageError, naming the process, where a daemon holds this SQLite file; nothing is made or changed."""
    path = sqlite_path(url)
    if path is not None and (pid := daemon_pid(url)) is not None:
        raise _held(str(pid or ""), path.with_name(path.name + ".lock"))


def size(connection: Connection, path: Path | None) -> int:
    """Bytes of a database, its indexes included."""
    if path is not None:
        return path.stat().st_size
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def optimize(connection: Any) -> None:
    """What SQLite wants done now and then, outside a transaction; PostgreSQL looks after itself."""
    if isinstance(getattr(connection, "driver_connection", None), sqlite3.Connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA optimize")
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        cursor.close()


@contextlib.contextmanager
def plain_errors(engine: Engine | None = None) -> Iterator[None]:
    """What the database refuses, in words a user can act on."""
    try:
        yield
    except DBAPIError as wrong:
        word = _name(wrong)
        if word == "SQLITE_FULL":
            raise FullError("the disk is full; nothing of this step was saved") from wrong
        if word.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
            raise StorageError(
                f"the disk refuses the database ({wrong.orig}); nothing of this step was saved"
            ) from wrong
        if word.startswith("SQLITE_BUSY"):
            raise StorageError("another program is writing to the database; try again") from wrong
        if word.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or any(sign in str(wrong.orig) for sign in _DAMAGE):
            raise DamagedError(str(wrong.orig)) from wrong
        if isinstance(wrong, IntegrityError) and word:
            raise StorageError(f"the database refuses a row: {wrong.orig}; nothing of this step was saved") from wrong
        if (plain := _of_postgres(wrong, engine)) is not None:
            raise plain from wrong
        raise


def _of_postgres(wrong: DBAPIError, engine: Engine | None) -> StorageError | None:
    """None for SQLite's and for mistakes of ours."""
    if _name(wrong):
        return None
    return postgres.refusal(wrong, postgres.hidden(engine.url) if engine is not None else "PostgreSQL")


def _name(wrong: DBAPIError) -> str:
    """SQLite's name of an error, "" where it is none of SQLite's."""
    return getattr(wrong.orig, "sqlite_errorname", None) or ""
