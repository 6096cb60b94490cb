"""`mubiao sources …`: what is watched, and in which state it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from monitor import awaited, wire
from monitor import config as configuration
from monitor.cli import adding, noise, out
from monitor.cli.database import queries
from monitor.cli.session import Session, common
from monitor.i18n import say
from monitor.i18n.cli import TEXTS

STATES = ("failing", "overdue", "waiting", "ok", "off")  # of what stands in sources.yaml


@click.group()
def sources() -> None:
    """What is watched."""


@sources.command("list")
@click.option("--tag", multiple=True)
@click.option("--state", multiple=True, type=click.Choice(STATES), help="only those in this state")
@out.formats
@common
def list_(tag: tuple[str, ...], state: tuple[str, ...], **kw: Any) -> None:
    """Every source with its state, last check and next one."""
    from storage.database import sqlite_path

    session: Session = kw["session"]
    config = configuration.load(session.config)
    wanted = [s for s in config.sources if not tag or set(tag) & set(s.tags)]
    states: dict[str, dict[str, Any]] = {}
    path = sqlite_path(session.db)
    if path is None or path.exists():
        with queries(session) as db:
            known, days = db.sources(), db.release_days()
        read = {row["key"] for row in known if row["baseline_done_at"] is not None}
        late = awaited.overdue(config.sources, days, awaited.today(datetime.now(UTC)), read)
        missed = {key: one for one in late for key in one.sources}
        states = {row["key"]: wire.state(row, missed) for row in known}
    unread = dict.fromkeys(("last_checked", "next_due", "last_change", "failure", "overdue"))
    rows = [
        unread | {"state": "waiting" if s.enabled else "off"} | states.get(s.key, {}) | wire.source(s) for s in wanted
    ]
    rows = [row for row in rows if not state or row["state"] in state]
    columns = ("key", "name", "kind", "region", "series", "state", "last_checked", "next_due", "last_change", "failure")
    times = dict.fromkeys(("last_checked", "next_due", "last_change"), out.local)
    shown = {
        **times,
        "state": lambda s: say(TEXTS, f"state.{s}", session.lang),
        "failure": lambda f: f"{f['error']}: {f['detail']}" if f else "",
    }
    out.rows(rows, columns, kw["form"], session.lang, show=shown, empty="no sources", heads={"name": "col.source_name"})


@sources.command()
@out.formats
@common
def health(**kw: Any) -> None:
    """Only what fails: why, since when, how often in a row."""
    session: Session = kw["session"]
    with queries(session) as db:
        found = [wire.failure(page, page.failure) for page in db.failures() if page.failure]
    columns = ("source", "url", "error", "status", "detail", "since", "consecutive")
    out.rows(found, columns, kw["form"], session.lang, show={"since": out.local}, empty="all well")
    if found:
        raise click.exceptions.Exit(1)


@sources.command()
@click.argument("what", metavar="KEY|URL")
@click.option("--json", "as_json", is_flag=True)
@common
def test(what: str, as_json: bool, **kw: Any) -> None:
    """A dry run: fetch, decode, read and judge one source, store nothing."""
    session: Session = kw["session"]
    from monitor import dryrun

    report = asyncio.run(dryrun.run(what, configuration.load(session.config), configuration.vocabulary(), session.lang))
    if as_json:
        out.one(report, "json")
    else:
        for key, value in report.items():
            if key in _FOR_PROGRAMS:
                continue
            if key == "paragraphs":
                click.echo("")
                for line in value[:20]:
                    click.echo(out.inert(line))
                continue
            lines = value if isinstance(value, list) else [out.zoned(value) if key == "next_due" else value]
            for line in lines:
                if line not in (None, ""):
                    click.echo(f"{say(TEXTS, f'col.{key}', session.lang)}: {out.inert(line)}")
    if report.get("error"):
        raise click.exceptions.Exit(1)


_FOR_PROGRAMS = frozenset({"encoding", "encoding_from", "replacements"})  # people read `decoded`


@sources.command()
def schema() -> None:
    """JSON Schema of sources.yaml, for editors."""
    out.one(configuration.schema(), "json")


for _command in (adding.add, adding.import_, adding.discover, noise.noise):
    sources.add_command(_command)
