"""What a user has: a directory with sources.yaml and a database, the command, and a web to watch.

The web is a real server on 127.0.0.1 whose answers a test scripts; the command is called as the installed one is, in
this process (`desk.run`) or in another (`desk.spawn`, for signals and exit codes).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from monitor import cli, daemon
from monitor import config as configuration
from monitor.demo.background import running
from monitor.demo.server import HttpServer, Reply, Request
from monitor.model import Config, Vocabulary
from monitor.pipeline import Summary
from storage import migrate
from storage.queries import Queries
from storage.store import Store
from tests.postgres_server import Server

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT / "../shared"
QUICK = {"delay": "0s", "respect_robots": False, "timeout": "10s", "confirm": "off"}

Answer = Reply | Callable[[Request], Reply]


def shared(name: str) -> Path:
    """A folder of the shared files. Skips the test where they are absent."""
    folder = SHARED / name
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"CI has {folder}"
        pytest.skip(f"../shared/{name} is not here: it lies beside a checkout on CI")
    return folder


def article(title: str, *paragraphs: str, chrome: str = "") -> str:
    """A page of an invented district as its CMS writes it."""
    text = "".join(f"<p>　　{p}</p>" for p in paragraphs)
    return (
        f'<html><head><meta charset="utf-8"><title>{title}_云岭区人民政府</title></head><body>'
        f'<div class="header"><a href="/">首页</a> <a href="/zfxx/">政务公开</a> {chrome}</div>'
        f'<div class="article"><h1>{title}</h1><div class="info">发布时间：2026-01-08 来源：区政府办公室</div>'
        f'<div id="zoom" class="content">{text}</div></div>'
        f'<div class="footer">主办：云岭区人民政府办公室　网站标识码：9912340001 {chrome}</div></body></html>'
    )


class Web(HttpServer):
    """A site whose answers are scripted by path; what is not scripted is a 404. `silent` paths never answer."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.routes: dict[str, Answer] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.stuck = threading.Event()  # somebody waits for a silent path

    def put(self, path: str, html: str | bytes, encoding: str = "utf-8", *, status: int = 200, **headers: str) -> str:
        """Answer this path so from now on; its address."""
        body = html if isinstance(html, bytes) else html.encode(encoding)
        self.routes[path] = Reply(status, body, "text/html", {k.replace("_", "-"): v for k, v in headers.items()})
        return self.url + path

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request.path)
        found = self.routes.get(request.path, Reply(404, b"<html><body>404 Not Found</body></html>"))
        return found if isinstance(found, Reply) else found(request)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one reply; a silent path holds the line until somebody hangs up."""
        line = await reader.readline()
        path = line.split(b" ")[1].decode() if line.count(b" ") >= 2 else ""
        if path not in self.silent:
            again = asyncio.StreamReader()
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
            again.feed_data(line + head + (await reader.readexactly(int(length[1])) if length else b""))
            await super().talk(again, writer)
            return
        self.asked.append(path)
        self.stuck.set()
        await reader.read()


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Desk:
    """One user's directory: sources.yaml, data/mubiao.db, and the command."""

    folder: Path
    argv: Callable[[list[str]], None]
    environ: dict[str, str] = field(default_factory=dict)
    spawned: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "sources.yaml"

    @property
    def db(self) -> str:
        return f"sqlite:///{self.folder}/data/mubiao.db"

    def watch(self, *sources: dict[str, Any], **top: Any) -> Config:
        """Write sources.yaml; every source waits for nothing and reads no robots.txt."""
        whole = {"network": {"allow_private": ["127.0.0.0/8"]}, "defaults": QUICK, "sources": list(sources), **top}
        self.config.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return configuration.load(str(self.config))

    def run(self, *arguments: object) -> Done:
        """The command in this process."""
        self.argv(["mubiao", *map(str, arguments)])
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main()
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Done(code, out.getvalue(), err.getvalue())

    def spawn(self, *arguments: object, code: str | None = None) -> subprocess.Popen[str]:
        """The command in a process of its own, or a piece of Python in its place."""
        start = [sys.executable, *(("-c", code) if code else ("-m", "monitor")), *map(str, arguments)]
        process = subprocess.Popen(
            start,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self.spawned.append(process)
        return process

    def queries(self) -> Queries:
        return Queries(self.db)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL, one for each process of a test run. Its database `test_1` has our tables, empty."""
    server = Server()
    try:
        assert migrate.upgrade(server.create(), datetime(2026, 3, 2, tzinfo=UTC)) is None
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """A database of our schema, empty. One is used again and again: to make one costs as much as ten tests."""
    yield postgres.url("test_1")
    postgres.empty("test_1")


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    with running(made):
        yield made


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in ("MUBIAO_CONFIG", "MUBIAO_DB", "MUBIAO_LANG", "MUBIAO_SMTP_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    made = Desk(tmp_path, lambda argv: monkeypatch.setattr(sys, "argv", argv))
    yield made
    for process in made.spawned:
        with process:  # closes its pipes and waits
            if process.poll() is None:
                process.kill()
    structlog.reset_defaults()


@dataclass
class Clock:
    """A clock that only the test moves."""

    at: datetime = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Watch:
    """Passes over a configuration, at the time the test says, through the daemon's own parts."""

    store: Store
    config: Config
    clock: Clock
    environ: dict[str, str] = field(default_factory=dict)
    words: Vocabulary = field(default_factory=configuration.vocabulary)

    async def look(self, *, everything: bool = True, deliver: bool = False) -> Summary:
        """One pass: all pages, or those that are due."""
        async with daemon.engine(self.store, self.config, self.words, self.environ, now=self.clock) as made:
            pages = daemon.pages_to_check(self.store, self.config, None, self.clock(), everything=everything)
            return await daemon.one_pass(made, pages, deliver=deliver)


@pytest.fixture
async def watching(desk: Desk) -> AsyncIterator[Callable[..., Watch]]:
    """`watching(source, …, channels=…)`: a configuration written, a database made, and a clock."""
    opened: list[Store] = []

    def start(*sources: dict[str, Any], environ: dict[str, str] | None = None, **top: Any) -> Watch:
        config, clock = desk.watch(*sources, **top), Clock()
        (desk.folder / "data").mkdir(exist_ok=True)
        migrate.upgrade(desk.db, clock())
        opened.append(Store(desk.db).open())
        return Watch(opened[-1], config, clock, environ or {})

    yield start
    for store in opened:
        store.close()


@pytest.fixture
def in_shared() -> Callable[[str], Path]:
    """`in_shared("pages")`: a folder of the shared files, or a skip."""
    return shared


@pytest.fixture
def page_of() -> Callable[..., str]:
    """`page_of(title, paragraph, …, chrome=…)`: HTML of an invented district."""
    return article
