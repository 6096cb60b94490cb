"""`mubiao check | run | demo | worker`: reading what is due, once or for ever."""

from __future__ import annotations

import asyncio
import io
import select
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

import click
import structlog

from monitor.cli import out
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Config

AGAIN = 2.0  # seconds before a server that does not answer is asked again
PIECE = 1000  # characters of a line written at once: at most 4,000 bytes
READ_WITHIN = 1.0  # seconds for whoever reads the log to make room


class _Heedless(io.TextIOBase):
    """stderr, where it may be a file on a full disk, a pipe whose reader has left, or one that nobody reads (a log
    service that hangs, a terminal after Ctrl-S): that stops no watch. Lines that found no room are counted, and told of
    when there is some.
    """

    def __init__(self, told: Callable[[int], str]) -> None:
        """`told` puts a number of lost lines into words: the logger itself waits for this write."""
        self._lost, self._told = 0, told

    def write(self, text: str) -> int:
        if not self._room():
            self._lost += 1
            return len(text)
        if self._lost:
            text, self._lost = f"{self._told(self._lost)}\n{text}", 0
        with suppress(OSError):
            for start in range(0, len(text), PIECE):
                if start and not self._room():
                    self._lost += 1
                    break
                sys.stderr.write(text[start : start + PIECE])
                sys.stderr.flush()
        return len(text)

    def _room(self) -> bool:
        """Whether a piece can be written without waiting for whoever reads; a pipe says so of 4,096 bytes."""
        try:
            return bool(select.select([], [sys.stderr.fileno()], [], 0.0 if self._lost else READ_WITHIN)[1])
        except (OSError, ValueError):  # no file, as in a test; one that was closed is met by the writing
            return True

    def flush(self) -> None:
        """Every line has been written."""


def configure_log(*, form: str, level: str) -> None:
    """structlog to stderr: lines for people, JSON for machines."""
    import logging

    class _Library(logging.Handler):
        """Libraries in our log. That a turn is not over when the next is due is no news; and that a database is away,
        which its drivers say at every try, is said by us, once."""

        def emit(self, record: logging.LogRecord) -> None:
            tell = structlog.get_logger(record.name)
            ours = record.levelno >= logging.ERROR and record.name.startswith("apscheduler")
            (tell.error if ours else tell.debug)(record.getMessage())

    json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def lost(lines: int) -> str:
        event = stamp(None, "", {"event": "nobody read the log", "lines_lost": lines, "level": "warning"})
        return str(renderer(None, "", event))

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _Heedless(lost))),
    )
    for name in ("apscheduler", "psycopg", "procrastinate"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [_Library()], False


def watched(session: Session) -> Config:
    """sources.yaml, its warnings said, with what it needs to be read: before a database is made. Raises ConfigError."""
    from monitor import config as configuration
    from monitor.fetch import browser

    config = configuration.load(session.config)
    for warning in config.warnings:
        out.note(warning)
    browser.require(config.sources, configuration.chromium())
    return config


def nearest(key: str, config: Config) -> str:
    """A hint at the key that was meant."""
    found = get_close_matches(key, [s.key for s in config.sources], 1, 0.5)
    return f"; did you mean {found[0]}?" if found else ""


@click.command()
@click.argument("keys", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "everything", is_flag=True, help="all sources, due or not")
@click.option("--no-deliver", is_flag=True, help="leave alerts in the outbox")
@click.option("--json", "as_json", is_flag=True)
@common
def check(keys: tuple[str, ...], everything: bool, no_deliver: bool, as_json: bool, **kw: Any) -> None:
    """One pass now: what is due, or the sources named, or --all. Sends what is in the outbox at the end."""
    session: Session = kw["session"]
    configure_log(form="console", level="error")
    from monitor import config as configuration
    from monitor import daemon
    from monitor.cli import progress
    from monitor.cli.database import writable

    config = watched(session)
    unknown = [k for k in keys if config.source(k) is None]
    if unknown:
        raise UsageError(f"no source {unknown[0]!r} in {session.config}{nearest(unknown[0], config)}")
    for key in dict.fromkeys(keys):
        if (source := config.source(key)) is not None and not source.enabled:
            out.note(say(TEXTS, "disabled", session.lang, source=key, file=session.config))
    with writable(session) as store, progress.progress(session.lang) as follow:
        summary = daemon.run_check(
            store,
            config,
            configuration.vocabulary(),
            configuration.variables(),
            choose=lambda now: daemon.pages_to_check(store, config, keys or None, now, everything=everything),
            deliver=not no_deliver,
            follow=follow,
        )
    if as_json:
        out.one(summary.json(), "json")
    else:
        progress.summary(summary, session.lang)
    if summary.interrupted:
        raise click.exceptions.Exit(130)
    if summary.failures or summary.undelivered:
        raise click.exceptions.Exit(1)


def starting() -> None:
    """Signals that come before a service heeds them: while it upgrades a database for minutes, or waits for its server.

    Left to the system, SIGTERM is lost for the first process of a container, and SIGHUP ends any other. The file that
    was written is noticed as soon as there is somebody to look.
    """
    import signal

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def persisting(session: Session, begin: Callable[[], None], again: float = AGAIN) -> None:
    """Begin, and wait for a server that does not answer yet, or a disk that is full, which is said once.

    After a power cut a service may be started before its server, and one that ended then would not be started again:
    exit 2 stands for a configuration that somebody has to mend.
    """
    import errno
    import time

    from storage.database import FullError, is_current
    from storage.postgres import GoneError

    log, said = structlog.get_logger("mubiao"), set[type]()
    while True:
        starting()
        try:
            is_current(session.db)
            if GoneError in said:
                log.info("database answers")
                said.discard(GoneError)
            begin()
            return
        except (GoneError, FullError, OSError) as wrong:
            if isinstance(wrong, OSError) and wrong.errno != errno.ENOSPC:
                raise
            if type(wrong) not in said:
                hint = " (a wrong address: mend --db or MUBIAO_DB)" if isinstance(wrong, GoneError) else ""
                log.error("database", error=f"{wrong}; waiting for it{hint}")
            said.add(type(wrong))
        time.sleep(again)  # no event loop runs yet; SIGTERM ends it


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8750, show_default=True)
@click.option("--no-web", is_flag=True, help="neither pages nor /healthz")
@click.option("--log", "form", type=click.Choice(["auto", "json", "console"]), default="auto", show_default=True)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@common
def run(host: str, port: int, no_web: bool, form: str, log_level: str, **kw: Any) -> None:
    """The daemon: schedules, checks, delivers alerts, serves the web page. SIGTERM ends it cleanly."""
    session: Session = kw["session"]
    starting()
    configure_log(form=form, level=log_level)
    from monitor import config as configuration
    from monitor import daemon
    from monitor.cli.database import clustered, writable
    from monitor.web.server import reserved
    from storage.database import require_free, sqlite_path

    config = watched(session)
    require_free(session.db)
    with ExitStack() as held:
        listen = None if no_web else held.enter_context(reserved(host, port))
        words, environ = configuration.vocabulary(), configuration.variables()

        def begin() -> None:
            with writable(session, log=structlog.get_logger("mubiao")) as store:
                shared = None if sqlite_path(session.db) else partial(clustered(session.db).shared, session.db)
                asyncio.run(
                    daemon.serve(store, config, words, environ, lang=session.lang, listen=listen, shared=shared)
                )

        persisting(session, begin)


@click.command()
@click.option("--dir", "folder", metavar="D", default="demo-out", show_default=True, type=click.Path(file_okay=False))
@click.option("--json", "as_json", is_flag=True)
@common
def demo(folder: str, as_json: bool, **kw: Any) -> None:
    """The main job on a bundled site of an invented district: releases, a silent edit, an outage, alerts."""
    session: Session = kw["session"]
    configure_log(form="console", level="error")
    from monitor.demo import driver

    ok = driver.run(Path(folder), session.lang, as_json=as_json)
    if not ok:
        out.note(say(TEXTS, "demo failed", session.lang))
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 200), default=20, show_default=True, help="hosts at once")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), help="answer /healthz and /metrics there")
@click.option("--log", "form", type=click.Choice(["auto", "json", "console"]), default="auto", show_default=True)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@common
def worker(concurrency: int, host: str, port: int | None, form: str, log_level: str, **kw: Any) -> None:
    """One of several checkers on a PostgreSQL database. SIGTERM ends it cleanly."""
    session: Session = kw["session"]
    from storage.database import sqlite_path

    if sqlite_path(session.db) is not None:
        raise UsageError(
            "worker shares a PostgreSQL database: --db postgresql://… (a SQLite file has one checker, run)"
        )
    starting()
    configure_log(form=form, level=log_level)
    from monitor import config as configuration
    from monitor.cli.database import clustered, writable
    from monitor.web.server import reserved

    config = watched(session)
    with ExitStack() as held:
        listen = None if port is None else held.enter_context(reserved(host, port))
        words, environ = configuration.vocabulary(), configuration.variables()

        def begin() -> None:
            with writable(session, lock=False, log=structlog.get_logger("mubiao")) as store:
                served = clustered(session.db).serve
                asyncio.run(served(store, config, words, environ, concurrency=concurrency, listen=listen))

        persisting(session, begin)
