"""`mubiao changes | history | show | diff | search`: what was said when, and what moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from monitor import wire
from monitor.cli import marked, out, phrases
from monitor.cli.database import queries
from monitor.cli.session import Session, common
from monitor.config import vocabulary
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import ChangeKind
from monitor.review import asking
from monitor.review import changes as events
from monitor.text.diff import rows
from storage.filters import Filter


@click.command()
@click.option("--since", metavar="T", help="2026-01-01, 2026-01-01T08:00 or 7d, 12h")
@click.option("--source", "-s")
@click.option("--under", metavar="CODE", help="a region code and everything below it")
@click.option("--indicator", help="only changes that moved this indicator")
@click.option("--min-significance", type=click.FloatRange(0, 1), default=None)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(get_args(ChangeKind)))
@click.option("--baseline/--no-baseline", default=False, help="also what a source held when it was first read")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True)
@out.formats
@common
def changes(**kw: Any) -> None:
    """The change feed, newest first."""
    session, form = kw.pop("session"), kw.pop("form")
    asked = Filter(
        source=kw["source"],
        under=kw["under"],
        indicator=asking.canonical(kw["indicator"], vocabulary),
        since=asking.moment(kw["since"]),
        min_significance=kw["min_significance"] or 0.0,
        change_kinds=tuple(kw["kinds"]),
        baseline=kw["baseline"],
    )
    with queries(session) as db:
        db.require_source(kw["source"])
        shown = db.changes(asked, limit=kw["limit"])
        abouts = events.about_sources(db, {c.source for c in shown})
        found = [wire.change(c, source=abouts.get(c.source)) for c in shown]
    if form != "table":
        out.rows(found, (), form, session.lang)
        return
    lines = (
        {
            "at": c["at"],
            "change_id": c["id"],
            "kind": c["kind"],
            "significance": f"{c['significance']:.2f}",
            "source": c["source"],
            "title": c["title"],
            "what": phrases.copy_line(c, session.lang) or phrases.first_line(c, session.lang),
        }
        for c in found
    )
    columns = ("at", "change_id", "kind", "significance", "source", "title", "what")
    words = {"at": out.local, "kind": lambda k: say(TEXTS, f"kind.{k}", session.lang)}
    out.rows(lines, columns, "table", session.lang, show=words, empty="no changes")


@click.command()
@click.argument("what", metavar="SOURCE|URL")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True)
@out.formats
@common
def history(what: str, limit: int, **kw: Any) -> None:
    """All versions of a source or of one page, newest first."""
    session: Session = kw["session"]
    with queries(session) as db:
        found = list(db.history(what, limit=limit))
    columns = ("at", "version", "release", "kind", "significance", "chars", "targets", "title", "copy_of", "attachment")
    shown = {
        "at": out.local,
        "kind": lambda k: say(TEXTS, f"kind.{k}", session.lang) if k else "",
        "significance": lambda x: "" if x is None else f"{x:.2f}",
    }
    out.rows(found, columns, kw["form"], session.lang, show=shown, empty="no versions")


@click.command()
@click.argument("ref", metavar="VERSION|SOURCE|URL")
@click.option("--at", metavar="DATE", help="as it was on that day")
@click.option("--json", "as_json", is_flag=True)
@click.option("--raw", metavar="FILE", help="write the bytes as received")
@common
def show(ref: str, at: str | None, as_json: bool, raw: str | None, **kw: Any) -> None:
    """One version: v12, a source's latest, key@2022, 230103@2022."""
    session: Session = kw["session"]
    with queries(session) as db:
        row = db.show(ref, at=asking.moment(at))
        body = db.raw(row["version"]) if raw else None
    if raw:
        if body is None:
            raise UsageError(f"{row['version']}: the bytes as received were not kept")
        Path(raw).write_bytes(body)
        out.note(raw)
        return
    if as_json:
        out.one(row, "json")
        return
    head = (
        "version", "source", "url", "parent", "attachment", "region", "series", "release", "at", "title", "encoding",
        "sha256", "reading", "copy_of",
    )  # fmt: skip
    for key in head:
        if row.get(key):
            value = out.local(row[key]) if key == "at" else row[key]
            out.note(f"{say(TEXTS, f'col.{key}', session.lang)}: {value}")
    for line in phrases.file_lines(row, session.lang):
        out.note(out.inert(line))
    with out.paged():
        for paragraph in row["paragraphs"]:
            click.echo(out.inert(paragraph))


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--format", "form", type=click.Choice(["inline", "unified", "side-by-side", "html", "json"]), default="inline"
)
@click.option(
    "--context", type=click.IntRange(min=0), default=1, show_default=True, help="unchanged paragraphs around a change"
)
@common
def diff(old: str, new: str | None, form: str, context: int, **kw: Any) -> None:
    """What changed between two versions; with one, between it and the one before; or a change, c3."""
    session: Session = kw["session"]
    with queries(session) as db:
        first, second = events.two_versions(db, old, new)
        before, after = db.show(first), db.show(second)
    if form == "json":
        out.one(events.diff_json(before, after), "json")
    elif form == "html":
        click.echo(
            marked.diff_page(
                before, after, list(rows(before["paragraphs"], after["paragraphs"])), session.lang, context
            )
        )
    else:
        with out.paged():
            phrases.print_diff(before, after, form, context, session.lang)


@click.command()
@click.argument("query")
@click.option("--region")
@click.option("--under", metavar="CODE")
@click.option("--source", "-s")
@click.option("--series", help="documents of one series: 政府工作报告")
@click.option("--since", metavar="T", help="2026-01-01, 2026-01-01T08:00 or 7d, 12h")
@click.option("--until", metavar="T", help="before that moment")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@out.formats
@common
def search(query: str, **kw: Any) -> None:
    """Full text over current texts and every passage that was added or removed. One and two characters will do."""
    session, form = kw.pop("session"), kw.pop("form")
    asked = Filter(
        source=kw["source"],
        region=kw["region"],
        under=kw["under"],
        series=kw["series"],
        since=asking.moment(kw["since"]),
        until=asking.moment(kw["until"]),
    )
    with queries(session) as db:
        db.require_source(kw["source"])
        found = db.search(query, asked, limit=kw["limit"])
    columns = ("at", "source", "version", "where", "snippet")
    shown: out.Shown = {
        "at": out.local,
        "where": lambda w: say(TEXTS, f"where.{w}", session.lang),
        "snippet": lambda s: phrases.highlighted(s, query),
    }
    out.rows(found, columns, form, session.lang, show=shown, empty="not found")
