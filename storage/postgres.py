"""What only PostgreSQL needs: its addresses and connections, the daemon's lock, and its refusals in words.

Its driver is an extra: psycopg is imported by SQLAlchemy at the first connection, never here. A password in an address
is given to the driver and to nobody else: every message names the address without it.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import NullPool
from sqlmodel import create_engine

from monitor.errors import StorageError

EXAMPLE = "postgresql://user:password@host:5432/mubiao"
MISSING = "PostgreSQL needs its driver and its queue; run: pip install 'mubiao[postgres]'"
LOCKS = 0x6D756269  # our class of advisory locks; each database of a server has its own
DAEMON, KEEPING, SCHEMA = 1, 2, 3  # who runs; blobs are being named or thinned out; the schema is being upgraded
IDLE_MS = 20_000  # a writer that stopped in the middle of a transaction keeps its rows from others no longer
POOL = 4  # connections of one process for reading, and as many more in a rush
RESTED = 1.0  # seconds: a connection unused for so long is asked whether it is still one, others are believed

_KEPT_ALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# a machine that lost its power says no farewell: until the server misses it, its locks are held. Two hours by default
_MISSED_BY_SERVER = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",  # … and where an answer was under way, a quarter of an hour
}
_SECRET = frozenset({"password", "sslpassword"})


class GoneError(StorageError):
    """The server does not answer, or ended the connection: what was asked may be asked again later."""


# --------------------------------------------------------------------------- addresses


def is_address(url: str) -> bool:
    """Whether this is an address of PostgreSQL, right or wrong."""
    return url.split(":", 1)[0].split("+", 1)[0] in {"postgresql", "postgres"}


def address(url: str) -> URL:
    """The address for the driver. Raises StorageError, with no part of what was given, for one that is none."""
    authority, _, rest = url.partition("://")[2].partition("/")
    wrong = StorageError(f"not an address of PostgreSQL; write {EXAMPLE} (in a password % @ : / ? # as %25 %40 %3A …)")
    if authority.count("@") > 1 or "@" in rest.partition("?")[0] or "#" in url:
        raise wrong
    try:
        parsed = make_url(url)
    except Exception:  # whatever it says may quote the password
        raise wrong from None
    if not parsed.database:
        raise StorageError(f"{hidden(parsed)} names no database; write {EXAMPLE}")
    return parsed.set(drivername="postgresql+psycopg")


def hidden(url: URL) -> str:
    """The address without its secrets, for people."""
    plain = url.difference_update_query(_SECRET).set(drivername="postgresql")
    return plain.render_as_string(hide_password=True)


def speaker() -> str:
    """What connections of this process are called in pg_stat_activity."""
    return f"mubiao {socket.gethostname()[:40]}:{os.getpid()}"


# --------------------------------------------------------------------------- connections


def engine(url: str, *, read_only: bool, pooled: bool = True, **options: Any) -> Engine:
    """Connections to a server. Raises StorageError where the address is none, or the driver is missing.

    A reader's statements stand by themselves: here each of a transaction sees what was committed before it anyway, and
    to begin and end one takes two journeys to the server more.
    """
    parsed = address(url)
    settings = {"timezone": "UTC", "idle_in_transaction_session_timeout": str(IDLE_MS), **_MISSED_BY_SERVER}
    if read_only:
        settings["default_transaction_read_only"] = "on"
    said = " ".join([str(parsed.query.get("options", "")), *(f"-c {k}={v}" for k, v in settings.items())])
    asked = {k: v for k, v in _KEPT_ALIVE.items() if k not in parsed.query}
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        pool = {"pool_size": POOL, "max_overflow": POOL, "pool_use_lifo": True}
    if read_only:
        options["isolation_level"] = "AUTOCOMMIT"
    try:
        made = create_engine(
            parsed.difference_update_query(["options"]),
            connect_args={**asked, "options": said.strip(), "application_name": speaker()},
            use_native_hstore=False,
            hide_parameters=True,
            **pool,
            **options,
        )
    except ModuleNotFoundError:
        raise StorageError(MISSING) from None
    event.listen(made, "before_cursor_execute", _without_nul, retval=True)
    if pooled:
        _ask_the_rested(made)
    return made


def _ask_the_rested(made: Engine) -> None:
    """Connections that a server ended while nobody used them are replaced before somebody does.

    SQLAlchemy's own way asks at every use: one journey in five of a check.
    """

    @event.listens_for(made, "checkout")
    def _taken(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", 0.0) < RESTED:
            return
        try:
            made.dialect.do_ping(connection)
        except made.dialect.loaded_dbapi.Error as wrong:
            raise InvalidatePoolError from wrong  # the others went with it

    @event.listens_for(made, "checkin")
    def _given_back(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()


def _without_nul(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """Text of PostgreSQL holds no NUL. Pages have none; what a feed or a file smuggles in is shown as unreadable."""
    if isinstance(parameters, dict):
        parameters = _clean(parameters)
    elif isinstance(parameters, list):
        parameters = [_clean(one) if isinstance(one, dict) else one for one in parameters]
    return statement, parameters


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    if any(isinstance(v, str) and "\0" in v for v in values.values()):
        return {k: v.replace("\0", "\ufffd") if isinstance(v, str) else v for k, v in values.items()}
    return values


def share(connection: Connection, lock: int) -> None:
    """Hold a lock, beside others that share it, until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:class, :lock)"), {"class": LOCKS, "lock": lock})


def alone(connection: Connection, lock: int) -> None:
    """Hold a lock alone until the transaction ends; waits for whoever shares it."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:class, :lock)"), {"class": LOCKS, "lock": lock})


@contextlib.contextmanager
def upgrading(url: str) -> Iterator[None]:
    """One program at a time makes or upgrades the tables of a database; another one waits for it."""
    made = engine(url, read_only=False, pooled=False, isolation_level="AUTOCOMMIT")
    try:
        with plain_errors(hidden(made.url)), made.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:class, :lock)"), {"class": LOCKS, "lock": SCHEMA})
            yield
    finally:
        made.dispose()


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself; `daemon` is who holds the daemon's lock, `at` its clock."""

    version: str
    encoding: str
    connections: int
    most: int
    daemon: str | None
    at: datetime


_SERVER = text(
    "SELECT current_setting('server_version'), current_setting('server_encoding'),"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
    " current_setting('max_connections')::int, clock_timestamp()"
)


def server(connection: Connection) -> Server:
    """What the server of a connection says of itself."""
    version, encoding, connections, most, at = connection.execute(_SERVER).one()
    holder = connection.execute(_HOLDER, _ASKED).first()
    return Server(version, encoding, connections, most, _named(holder) if holder else None, at)


# --------------------------------------------------------------------------- the daemon's lock

_TAKE = text("SELECT pg_try_advisory_lock(:class, :lock)")
_HOLDER = text(
    "SELECT a.application_name, coalesce(host(a.client_addr), 'a local socket') FROM pg_locks l"
    " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2"
    " AND l.classid = :class AND l.objid = :lock"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_ASKED = {"class": LOCKS, "lock": DAEMON}


class Lock:
    """The daemon's lock: held by a connection of its own, freed by the server when that ends."""

    def __init__(self, url: str) -> None:
        self._engine = engine(url, read_only=False, pooled=False, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def take(self) -> None:
        """Raises StorageError naming the process that has it.

        Harmless when it is held; taken again where the connection that held it has ended.
        """
        if self._alive():
            return
        place = hidden(self._engine.url)
        with plain_errors(place):
            connection = self._engine.connect()
            if connection.execute(_TAKE, _ASKED).scalar():
                self._connection = connection
                return
            holder = connection.execute(_HOLDER, _ASKED).first()
            connection.close()
        raise StorageError(f"the database is held by a running daemon, {_named(holder)} ({place})")

    def _alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._connection.invalidate()
            self.drop()
            return False
        return True

    def holder(self) -> str | None:
        """Who has it, "pid 12 on host, address"; None when nobody does."""
        with plain_errors(hidden(self._engine.url)), self._engine.connect() as connection:
            found = connection.execute(_HOLDER, _ASKED).first()
            return _named(found) if found else None

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """The lock for one block."""
        self.take()
        try:
            yield
        finally:
            self.release()

    def drop(self) -> None:
        """End the connection that holds it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        self.drop()
        self._engine.dispose()

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._connection is not None


def _named(holder: Any) -> str:
    """A row of _HOLDER in words. Its name is `speaker`'s, where no other program took our lock."""
    place, _, pid = (holder[0] if holder else "").removeprefix("mubiao ").rpartition(":")
    return f"pid {pid} on {place}, {holder[1]}" if holder and place else "name unknown"


# --------------------------------------------------------------------------- refusals

_STATES = {  # SQLSTATE, or its class -> what a user can do about it; {place} is the address, {said} the server's line
    "08": "",
    "57P": "",
    "28": "{place} refuses this user: {said} (mend --db or MUBIAO_DB)",
    "3D000": "{place}: {said}; create it first: createdb NAME",
    "53100": "the disk of {place} is full; nothing of this step was saved",
    "53300": "{place} takes no more connections; raise max_connections, or run fewer workers",
    "53": "{place} is out of resources: {said}; nothing of this step was saved",
    "25006": "{place} takes no writes (a standby server?): {said}",
    "42501": "{place}: {said}; this user may not do that",
    "42P01": "{place} lacks tables of mubiao: {said}; run: mubiao db upgrade",
    "42703": "{place} lacks columns of mubiao: {said}; run: mubiao db upgrade",
    "40": "another program got in the way on {place}: {said}; try again",
    "55P03": "another program got in the way on {place}: {said}; try again",
    "XX": "{place} reports damage: {said}; look at the server's log, and restore a backup",
    "23": "{place} refuses a row: {said}; nothing of this step was saved",
}
_CONNECTING = {"OperationalError", "ConnectionTimeout"}
_LOST = ("57P01", "57P02", "57P03", "57P05", "25P03")


def refusal(wrong: DBAPIError, place: str) -> StorageError | None:
    """What the server refused, in one line that says what to do; None for a mistake of ours."""
    state = getattr(wrong.orig, "sqlstate", None) or ""
    said = _line(str(wrong.orig))
    if wrong.connection_invalidated or state[:2] == "08" or state in _LOST:
        return GoneError(f"{place} does not answer: {said}")
    for length in (5, 3, 2):
        if words := _STATES.get(state[:length]):
            return StorageError(words.format(place=place, said=said))
    if not state and (type(wrong.orig).__name__ in _CONNECTING or "connection option" in said):
        return _unreached(place, said)
    return None


def _unreached(place: str, said: str) -> StorageError:
    """A connection that was never made has no SQLSTATE in psycopg: only the server's own word for it tells."""
    if "authentication" in said or "no pg_hba.conf entry" in said or "role " in said or "no password" in said:
        return StorageError(f"{place} refuses this user: {said} (mend --db or MUBIAO_DB)")
    if "database " in said and "does not exist" in said:
        return StorageError(f"{place}: {said}; create it first: createdb NAME")
    if "too many clients" in said or "connection slots" in said:
        return GoneError(f"{place} takes no more connections; raise max_connections, or run fewer workers")
    if "invalid" in said and "option" in said:
        return StorageError(f"{place}: {said} (mend --db or MUBIAO_DB)")
    return GoneError(f"{place} does not answer: {said}")


def _line(said: str) -> str:
    """The telling line of a message, without the address of the server's process or anything of a password."""
    lines = [x.strip() for x in said.splitlines() if x.strip()]
    first = lines[0] if lines else "no word"
    first = re.sub(r"^connection failed: ", "", first)
    return re.sub(r"(password=)\S+", r"\1***", first)[:300]


@contextlib.contextmanager
def plain_errors(place: str) -> Iterator[None]:
    """What the server at this place refuses, as a StorageError of one line."""
    try:
        yield
    except DBAPIError as wrong:
        plain = refusal(wrong, place)
        if plain is None:
            raise
        raise plain from wrong
