"""What is wrong with this installation, and how to mend it: one finding a line, secrets never among them."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from monitor import awaited
from monitor import config as configuration
from monitor.errors import ConfigError, StorageError
from monitor.model import Config, Keep
from storage.database import NewerError, shown, sqlite_path
from storage.postgres import MISSING, GoneError, Server
from storage.queries import Queries

LITTLE = 100_000_000  # bytes free
EXTRA = "pip install 'mubiao[postgres]'"
NAMED = 10  # sources in one line
CLOCKS = 5.0  # seconds that two machines may be apart
WAL_FIXED = (3, 51, 3)  # earlier SQLite can damage a WAL database that two connections write to


class Finding(TypedDict):
    """`what` was looked at; `fix` where it is not `ok`, or where something could be better."""

    ok: bool
    what: str
    fix: str | None


def _finding(what: str, fix: str | None = None, *, ok: bool | None = None) -> Finding:
    return {"ok": fix is None if ok is None else ok, "what": what, "fix": fix}


def examine(config_path: str, database: str, settings: configuration.Settings) -> list[Finding]:
    """Everything that can be looked at without touching the network."""
    found = [*_program(), *_database(database)]
    try:
        config = configuration.load(config_path)
    except ConfigError as wrong:
        return [*found, _finding(str(wrong), "mend the file, or write a new one: mubiao init")]
    found.append(_finding(f"{config_path}: {len(config.sources)} sources, {len(config.channels)} channels"))
    found += _kept(config, database)
    found += [_finding(warning, ok=True) for warning in config.warnings]
    return [*found, *_channels(config, settings), *_overdue(config, database)]


def _program() -> Iterator[Finding]:
    yield _finding(f"mubiao {metadata.version('mubiao')} on Python {sys.version.split()[0]}")
    for name in ("storage", "alerts"):
        others = {d for d in metadata.packages_distributions().get(name, []) if d != "mubiao"}
        if others:
            fix = "install mubiao in an environment of its own"
            yield _finding(f"the package {name} is also installed by {', '.join(sorted(others))}", fix)
    version = sqlite3.sqlite_version_info
    note = f"SQLite {sqlite3.sqlite_version}"
    if version < WAL_FIXED:
        note += ": two writers could damage a database; mubiao keeps to one"
    yield _finding(note)


def _database(url: str) -> Iterator[Finding]:
    try:
        path = sqlite_path(url)
        if path is not None and not path.exists():
            yield _finding(f"{path}: no database yet (the first check makes it)", ok=True)
            return
        with Queries(url) as ask:
            server, size = ask.server(), ask.size()
            failing = ask.failures()
            dead = ask.alerts("dead")
            off = {name: row["why"] for name, row in ask.channels([]).items() if row["state"] == "off"}
    except StorageError as wrong:
        fix = "mubiao db upgrade, or restore a backup"
        if isinstance(wrong, GoneError):
            fix = "start the server, or mend --db"
        if isinstance(wrong, NewerError):
            fix = "install the mubiao that wrote it, or a newer one"
        if str(wrong) == MISSING:
            fix = EXTRA
        yield _finding(str(wrong), fix)
        return
    yield _finding(f"{shown(url)}: {size / 1e6:.1f} MB")
    if path is not None:
        yield from _room(path, size)
    if server is not None:
        yield from _server(server)
        if find_spec("procrastinate") is None:
            yield _finding("procrastinate is not installed: neither run nor worker starts", EXTRA)
    if failing:
        yield _finding(f"{len(failing)} pages fail", "mubiao sources health")
    for name, why in off.items():
        yield _finding(f"channel {name} is off: {why}", f"mend it in sources.yaml, or: mubiao alerts enable {name}")
    if dead:
        yield _finding(f"{len(dead)} messages could not be delivered", "mubiao alerts list --state dead")


def _room(path: Path, size: int) -> Iterator[Finding]:
    """What is free on the disk of a file: a backup or an upgrade needs as much again."""
    free = shutil.disk_usage(path.parent).free
    if free < LITTLE:
        yield _finding(f"{path.parent}: {free / 1e6:.0f} MB are free; checks stop when it is full", "make room")
    elif free < size:
        yield _finding(f"{path.parent}: {free / 1e6:.0f} MB are free, less than a copy of the database", ok=True)


def _kept(config: Config, url: str) -> Iterator[Finding]:
    """Which sources are not kept for ever, and what the last night took."""
    told = [f"{s.key} ({_rule(s.keep)})" for s in config.sources if s.keep is not None]
    if not told:
        yield _finding("everything is kept, of every source")
        return
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    yield _finding(f"thinned out every night: {', '.join(told[:NAMED])}{more}")
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return
    with suppress(StorageError), Queries(url) as ask:  # what is wrong with it is said above
        if (night := ask.thinned_out()) is not None:
            what = f"last thinned out {night['at'][:16]}: {night['versions']} versions, {night['bodies']} bodies"
            fix = None if night["finished"] else "there was more than a night's work; run: mubiao db prune"
            yield _finding(what, fix, ok=True)


def _rule(keep: Keep) -> str:
    days = {"versions younger than": keep.age, "bodies for": keep.bodies}
    parts = [f"{keep.versions} versions of a page"] if keep.versions else []
    return ", ".join(parts + [f"{what} {span.days} days" for what, span in days.items() if span is not None])


def _server(server: Server) -> Iterator[Finding]:
    daemon = f"; the daemon is {server.daemon}" if server.daemon else ""
    yield _finding(f"PostgreSQL {server.version}, {server.connections} of {server.most} connections{daemon}")
    if server.encoding != "UTF8":
        fix = "copy it into one made with: createdb -E UTF8 -T template0 NAME (mubiao db copy)"
        yield _finding(f"the database holds {server.encoding}, which has not all characters", fix)
    ahead = (server.at - datetime.now(UTC)).total_seconds()
    if abs(ahead) > CLOCKS:
        yield _finding(f"the server's clock and ours are {abs(ahead):.0f} s apart", "have both set by NTP")


def _overdue(config: Config, url: str) -> Iterator[Finding]:
    """Nothing is wrong with the installation; but a page that moved looks like this, too."""
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return
    try:
        with Queries(url) as ask:
            days = ask.release_days()
            read = {key for key, row in ask.about_sources().items() if row["baseline_done_at"] is not None}
    except StorageError:  # told of already
        return
    for late in awaited.overdue(config.sources, days, awaited.today(datetime.now(UTC)), read):
        what = f"{', '.join(late.sources)}: the release of {late.year} is overdue, it was to come by {late.by}"
        yield _finding(what, "look whether it stands elsewhere: mubiao sources test KEY", ok=True)


def _channels(config: Config, settings: configuration.Settings) -> Iterator[Finding]:
    used = {s.channel for s in config.subscriptions}
    for channel in config.channels:
        if channel.type == "email" and not settings.smtp_url:
            yield _finding(
                f"channel {channel.name}: no mail server", "set MUBIAO_SMTP_URL=smtp://user:password@host:587"
            )
        if channel.secret_env:
            try:
                configuration.secret(channel.secret_env)
            except ConfigError as wrong:
                yield _finding(f"channel {channel.name}: {wrong.message}", wrong.fix or f"set {channel.secret_env}")
        if channel.name not in used:
            yield _finding(f"channel {channel.name}: no subscription uses it", ok=True)
