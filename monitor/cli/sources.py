"""`mubiao sources …`: what is watched, and in which state it is."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from monitor import config as configuration
from monitor import wire
from monitor.cli import out
from monitor.cli.database import path_of, queries
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS


@click.group()
def sources() -> None:
    """What is watched."""


@sources.command("list")
@click.option("--tag", multiple=True)
@out.formats
@common
def list_(tag: tuple[str, ...], **kw: Any) -> None:
    """Every source with its state, last check and next one."""
    session: Session = kw["session"]
    config = configuration.load(session.config)
    wanted = [s for s in config.sources if not tag or set(tag) & set(s.tags)]
    states: dict[str, dict[str, Any]] = {}
    if path_of(session.db).exists():
        with queries(session) as db:
            states = {row["key"]: wire.state(row) for row in db.sources()}
    unread = dict.fromkeys(("last_checked", "next_due", "last_change", "failure"))
    rows = [
        unread | {"state": "waiting" if s.enabled else "off"} | states.get(s.key, {}) | wire.source(s) for s in wanted
    ]
    columns = ("key", "name", "kind", "region", "series", "state", "last_checked", "next_due", "last_change", "failure")
    times = dict.fromkeys(("last_checked", "next_due", "last_change"), out.local)
    shown = {
        **times,
        "state": lambda s: say(TEXTS, f"state.{s}", session.lang),
        "failure": lambda f: f"{f['error']}: {f['detail']}" if f else "",
    }
    out.rows(rows, columns, kw["form"], session.lang, show=shown, empty="no sources")


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

    report = asyncio.run(dryrun.run(what, configuration.load(session.config), configuration.vocabulary()))
    if as_json:
        out.one(report, "json")
    else:
        for key, value in report.items():
            if key == "paragraphs":
                click.echo("")
                for line in value[:20]:
                    click.echo(out.inert(line))
                continue
            lines = value if isinstance(value, list) else [value]
            for line in lines:
                if line not in (None, ""):
                    click.echo(f"{say(TEXTS, f'col.{key}', session.lang)}: {out.inert(line)}")
    if report.get("error"):
        raise click.exceptions.Exit(1)


@sources.command()
@click.argument("url")
@click.option("--key", help="stable name; proposed from the address where left out")
@click.option("--name")
@click.option("--kind", type=click.Choice(["page", "listing", "epaper"]))
@click.option("--region")
@click.option("--series")
@click.option("--every")
@click.option("--tag", "tags", multiple=True)
@click.option("--dry-run", is_flag=True, help="show the entry, write nothing")
@common
def add(url: str, dry_run: bool, **kw: Any) -> None:
    """Look at an address, propose an entry and write it to sources.yaml."""
    session: Session = kw.pop("session")
    from monitor import dryrun, sources_file

    config = configuration.load(session.config)
    entry = asyncio.run(dryrun.propose(url, config, configuration.vocabulary(), kw))
    click.echo(sources_file.entry_text(entry))
    if not dry_run:
        sources_file.add(session.config, entry, configuration.load)
        out.note(say(TEXTS, "added", session.lang, name=entry["key"], file=session.config))


@sources.command()
def schema() -> None:
    """JSON Schema of sources.yaml, for editors."""
    out.one(configuration.schema(), "json")


def _later(name: str, what: str) -> None:
    @sources.command(name, context_settings={"ignore_unknown_options": True}, help=f"{what} (not there yet).")
    @click.argument("arguments", nargs=-1)
    def command(arguments: tuple[str, ...]) -> None:
        raise UsageError(f"sources {name} is not there yet")


_later("import", "Sources from a spreadsheet or OPML")
_later("discover", "Sources of a site, by its columns")
_later("noise", "Noise learned from a site, with undo")
