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
from typing import Any, NamedTuple, TypedDict

from monitor import awaited
from monitor import config as configuration
from monitor.errors import ConfigError, StorageError
from monitor.i18n import Lang, say
from monitor.i18n.doctor import TEXTS
from monitor.model import Config, Keep
from storage.database import NewerError, shown, sqlite_path
from storage.postgres import MISSING, GoneError, Server
from storage.queries import Queries

LITTLE = 100_000_000  # bytes free
NAMED = 10  # sources in one line
CLOCKS = 5.0  # seconds that two machines may be apart
WAL_FIXED = (3, 51, 3)  # earlier SQLite can damage a WAL database that two connections write to


class Finding(TypedDict):
    """`what` was looked at; `fix` where it is not `ok`, or where something could be better."""

    ok: bool
    what: str
    fix: str | None


class _Found(NamedTuple):
    """A finding before it is put into words: keys of TEXTS and what stands in them."""

    key: str
    values: dict[str, Any]
    fix: str | None
    ok: bool

    def told(self, lang: Lang) -> Finding:
        fix = None if self.fix is None else say(TEXTS, self.fix, lang, **self.values)
        return {"ok": self.ok, "what": say(TEXTS, self.key, lang, **self.values), "fix": fix}


def _finding(key: str, fix: str | None = None, *, ok: bool | None = None, **values: Any) -> _Found:
    return _Found(key, values, fix, fix is None if ok is None else ok)


def examine(config_path: str, database: str, settings: configuration.Settings, lang: Lang = "en") -> list[Finding]:
    """Everything that can be looked at without touching the network."""
    return [found.told(lang) for found in _examined(config_path, database, settings, lang)]


def _examined(config_path: str, database: str, settings: configuration.Settings, lang: Lang) -> Iterator[_Found]:
    yield from (*_program(), *_database(database))
    try:
        config = configuration.load(config_path)
    except ConfigError as wrong:
        yield _finding("said", "file.fix", why=str(wrong))
        return
    yield _finding("file", path=config_path, sources=len(config.sources), channels=len(config.channels))
    yield from _kept(config, database, lang)
    yield from (_finding("said", ok=True, why=warning) for warning in config.warnings)
    yield from (*_channels(config, settings), *_overdue(config, database))


def _program() -> Iterator[_Found]:
    yield _finding("program", version=metadata.version("mubiao"), python=sys.version.split()[0])
    for name in ("storage", "alerts"):
        others = {d for d in metadata.packages_distributions().get(name, []) if d != "mubiao"}
        if others:
            yield _finding("package", "package.fix", package=name, names=", ".join(sorted(others)))
    old = sqlite3.sqlite_version_info < WAL_FIXED
    yield _finding("sqlite.old" if old else "sqlite", version=sqlite3.sqlite_version)


def _database(url: str) -> Iterator[_Found]:
    try:
        path = sqlite_path(url)
        if path is not None and not path.exists():
            yield _finding("none yet", path=path)
            return
        with Queries(url) as ask:
            server, size = ask.server(), ask.size()
            failing = ask.failures()
            dead = ask.alerts("dead")
            off = {name: row["why"] for name, row in ask.channels([]).items() if row["state"] == "off"}
    except StorageError as wrong:
        fix = "database.fix"
        if isinstance(wrong, GoneError):
            fix = "gone.fix"
        if isinstance(wrong, NewerError):
            fix = "newer.fix"
        if str(wrong) == MISSING:
            fix = "extra.fix"
        yield _finding("said", fix, why=str(wrong))
        return
    yield _finding("database", place=shown(url), size=size / 1e6)
    if path is not None:
        yield from _room(path, size)
    if server is not None:
        yield from _server(server)
        if find_spec("procrastinate") is None:
            yield _finding("procrastinate", "extra.fix")
    if failing:
        yield _finding("failing", "failing.fix", n=len(failing))
    for name, why in off.items():
        yield _finding("channel.off", "channel.off.fix", name=name, why=why)
    if dead:
        yield _finding("dead", "dead.fix", n=len(dead))


def _room(path: Path, size: int) -> Iterator[_Found]:
    """What is free on the disk of a file: a backup or an upgrade needs as much again."""
    free = shutil.disk_usage(path.parent).free
    if free < LITTLE:
        yield _finding("room", "room.fix", folder=path.parent, free=free / 1e6)
    elif free < size:
        yield _finding("room.copy", folder=path.parent, free=free / 1e6)


def _kept(config: Config, url: str, lang: Lang) -> Iterator[_Found]:
    """Which sources are not kept for ever, and what the last night took."""
    told = [f"{s.key} ({_rule(s.keep, lang)})" for s in config.sources if s.keep is not None]
    if not told:
        yield _finding("kept")
        return
    more = len(told) - NAMED
    yield _finding("thinned.more" if more > 0 else "thinned", sources=", ".join(told[:NAMED]), n=more)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return
    with suppress(StorageError), Queries(url) as ask:  # what is wrong with it is said above
        if (night := ask.thinned_out()) is not None:
            took = {name: night[name] for name in ("versions", "bodies")}
            yield _finding("night", None if night["finished"] else "night.fix", ok=True, at=night["at"][:16], **took)


def _rule(keep: Keep, lang: Lang) -> str:
    spans = {"keep.age": keep.age, "keep.bodies": keep.bodies}
    parts = {"keep.versions": keep.versions} if keep.versions else {}
    parts |= {key: span.days for key, span in spans.items() if span is not None}
    return ", ".join(say(TEXTS, key, lang, n=n) for key, n in parts.items())


def _server(server: Server) -> Iterator[_Found]:
    held: dict[str, Any] = {"version": server.version, "connections": server.connections, "most": server.most}
    yield _finding("server.daemon" if server.daemon else "server", daemon=server.daemon, **held)
    if server.encoding != "UTF8":
        yield _finding("encoding", "encoding.fix", encoding=server.encoding)
    ahead = (server.at - datetime.now(UTC)).total_seconds()
    if abs(ahead) > CLOCKS:
        yield _finding("clocks", "clocks.fix", seconds=abs(ahead))


def _overdue(config: Config, url: str) -> Iterator[_Found]:
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
        about: dict[str, Any] = {"sources": ", ".join(late.sources), "year": late.year, "by": late.by}
        yield _finding("overdue", "overdue.fix", ok=True, **about)


def _channels(config: Config, settings: configuration.Settings) -> Iterator[_Found]:
    used = {s.channel for s in config.subscriptions}
    for channel in config.channels:
        if channel.type == "email" and not settings.smtp_url:
            yield _finding("no mail", "no mail.fix", name=channel.name)
        if channel.secret_env:
            try:
                configuration.secret(channel.secret_env)
            except ConfigError as wrong:
                about: dict[str, Any] = {"name": channel.name, "why": wrong.message, "mend": wrong.fix}
                yield _finding("secret", "as said" if wrong.fix else "secret.fix", **about, variable=channel.secret_env)
        if channel.name not in used:
            yield _finding("unused", name=channel.name)
