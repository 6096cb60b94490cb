"""`mubiao sources add | import | discover`: entries for sources.yaml, looked at before they are written."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from monitor import config as configuration
from monitor import wire
from monitor.cli import out
from monitor.cli.session import Session, common
from monitor.errors import ConfigError, MubiaoError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import SOURCE_KINDS, Config


@click.command()
@click.argument("url")
@click.option("--key", help="stable name; proposed from the address where left out")
@click.option("--name")
@click.option("--kind", type=click.Choice(SOURCE_KINDS))
@click.option("--region", help="GB/T 2260 code; proposed from SiteIDCode or the names on the page")
@click.option("--series")
@click.option("--every")
@click.option("--match", help="regular expression for titles; '' follows every document")
@click.option("--tag", "tags", multiple=True)
@click.option("--dry-run", is_flag=True, help="show the entry, write nothing")
@click.option("--yes", "-y", is_flag=True, help="write without asking")
@click.option("--json", "as_json", is_flag=True, help="the entry and what was seen as one JSON document")
@common
def add(url: str, dry_run: bool, yes: bool, as_json: bool, **kw: Any) -> None:
    """Look at an address, propose an entry and write it to sources.yaml."""
    session: Session = kw.pop("session")
    from monitor import proposal, sources_file

    config = configuration.load(session.config)

    async def look() -> proposal.Proposal:
        async with proposal.fetching(config) as fetcher:
            return await proposal.propose(url, config, configuration.vocabulary(), kw, fetcher)

    found = asyncio.run(look())
    if as_json:
        write = not dry_run
    else:
        _preview(found, session)
        click.echo(sources_file.entry_text(found.entry))
        write = not dry_run and (yes or _agreed(session, 1))
    if write:
        sources_file.add(session.config, found.entry, configuration.load)
        out.note(say(TEXTS, "added", session.lang, name=found.entry["key"], file=session.config))
    if as_json:
        out.one(found.json() | {"written": write}, "json")


def _preview(found: Any, session: Session) -> None:
    """What a check would see there, to stderr: stdout holds the entry."""
    report: wire.JSON = found.json()
    for name in ("family", "title", "published", "publisher"):
        if report[name]:
            out.note(f"{say(TEXTS, f'add.{name}', session.lang)}: {out.inert(report[name])}")
    for paragraph in report["paragraphs"][:3]:
        out.note(f"    {out.inert(paragraph)[:100]}")
    if report["documents"] or report["left_out"]:
        counts = {"shown": len(report["documents"]), "left": report["left_out"], "pages": report["further_pages"]}
        out.note(say(TEXTS, "add.documents", session.lang, **counts))
    for link in report["documents"]:
        out.note(f"    {link['date'] or '----------'} {out.inert(link['text'])[:60]}  {out.inert(link['url'])}")
    for warning in report["warnings"]:
        out.note(f"! {out.inert(warning)}")


def _agreed(session: Session, count: int) -> bool:
    """Ask where somebody can answer; a script has said what it wants by not saying --dry-run."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(say(TEXTS, "add.ask", session.lang, n=count, file=session.config), default=True, err=True)


@click.command("import")
@click.argument("file")
@click.option("--kind", type=click.Choice(SOURCE_KINDS), help="of entries that do not say")
@click.option("--region", help="of entries that do not say")
@click.option("--tag", "tags", multiple=True, help="for all of them")
@click.option("--dry-run", is_flag=True, help="show the entries, write nothing")
@click.option("--yes", "-y", is_flag=True, help="write without asking")
@click.option("--json", "as_json", is_flag=True)
@common
def import_(file: str, dry_run: bool, yes: bool, as_json: bool, **kw: Any) -> None:
    """Add the sources of a CSV or TSV table, of urlwatch, webchanges or changedetection.io jobs, or of OPML."""
    session: Session = kw.pop("session")
    from monitor import joblists
    from monitor.proposal.entry import key_of
    from monitor.targets.record import code_of

    config, jobs = configuration.load(session.config), joblists.read(file)
    places = configuration.vocabulary().regions
    keys, urls = {s.key for s in config.sources}, {s.url for s in config.sources}
    fresh: list[dict[str, Any]] = []
    for job in jobs.entries:
        if job["url"] in urls:
            jobs.warnings.append(f"{job['url']}: {say(TEXTS, 'add.known', session.lang)}")
            continue
        entry = {"key": job.get("key") or key_of(job["url"], keys), **{k: v for k, v in job.items() if k != "key"}}
        entry |= {k: kw[k] for k in ("kind", "region") if kw[k] and k not in entry}
        if code := code_of(str(entry.get("region")), places):  # a name stands where a code is wanted
            entry["region"] = re.sub("(?:00)+$", "", code)
        if kw["tags"]:
            entry["tags"] = [*entry.get("tags", ()), *kw["tags"]]
        keys.add(entry["key"])
        urls.add(entry["url"])
        fresh.append(entry)
    for warning in jobs.warnings:
        out.note(f"! {out.inert(warning)}")
    _write(fresh, session, config, dry_run=dry_run, yes=yes, as_json=as_json, extra={"warnings": jobs.warnings})
    if not fresh and jobs.warnings:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("url")
@click.option("--most", type=click.IntRange(1, 30), default=10, show_default=True, help="entries to look for")
@click.option("--yes", "-y", is_flag=True, help="write what was found; without it, it is only shown")
@click.option("--json", "as_json", is_flag=True)
@common
def discover(url: str, most: int, yes: bool, as_json: bool, **kw: Any) -> None:
    """Walk from a site's front page to its report, plan, statistics and policy columns, and propose entries."""
    session: Session = kw["session"]
    from monitor import proposal

    config = configuration.load(session.config)

    async def walk() -> Any:
        async with proposal.fetching(config) as fetcher:
            words = configuration.vocabulary()
            return await proposal.discover(
                url, config, words, fetcher, most=most, tell=lambda line: out.note(out.inert(line))
            )

    found = asyncio.run(walk())
    for warning in found.warnings:
        out.note(f"! {out.inert(warning)}")
    entries = [p.entry for p in found.proposals]
    extra = {"proposals": [p.json() for p in found.proposals], "looked": found.looked, "warnings": found.warnings}
    _write(entries, session, config, dry_run=not yes, yes=yes, as_json=as_json, extra=extra)
    if not entries:
        out.note(say(TEXTS, "add.nothing", session.lang, n=found.looked))
        raise click.exceptions.Exit(1)


def _write(
    entries: Sequence[dict[str, Any]],
    session: Session,
    config: Config,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    extra: wire.JSON,
) -> None:
    """Show the entries and, unless it is a dry run, add them all in one step."""
    from monitor import sources_file

    if not as_json:
        click.echo("".join(sources_file.entry_text(entry) for entry in entries), nl=False)
    write = bool(entries) and not dry_run and (yes or as_json or _agreed(session, len(entries)))
    if write:
        try:
            sources_file.add_all(session.config, entries, configuration.load)
        except ConfigError as wrong:
            if wrong.file and config.path and wrong.file != config.path:  # the trial file beside it
                raise MubiaoError(f"{wrong.path or ''}: {wrong.message}; nothing was written".lstrip(": ")) from wrong
            raise
        out.note(say(TEXTS, "added", session.lang, name=len(entries), file=session.config))
    if as_json:
        out.one({"entries": list(entries), "written": write, **extra}, "json")
