"""`mubiao targets …`: read targets from files, compare releases, query what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from monitor import review, transfer, wire
from monitor.cli import marked, out
from monitor.cli.database import queries
from monitor.cli.phrases import CHANGE_STYLE, target_line, target_table
from monitor.cli.session import Session, common
from monitor.config import vocabulary
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Role, Target


@click.group()
def targets() -> None:
    """Promises and results: read, list, compare, rank."""


def _filters(command: Any) -> Any:
    """The filters of CONTRACT that every stored-target query takes."""
    for name, text in reversed(
        (
            ("region", "GB/T 2260 code of the place"),
            ("under", "a code and everything below it: 23, 2301"),
            ("source", "key of a source"),
            ("indicator", "canonical name, alias or id"),
            ("kind", "growth level share count amount commitment relative change"),
            ("scope", "口径"),
            ("release", "label: 2022"),
            ("since", "seen since: 2026-01-01 or 7d"),
            ("as-of", "as it was known on a day"),
        )
    ):
        command = click.option(f"--{name}", help=text)(command)
    command = click.option("--headline", is_flag=True, help="only the main expected targets")(command)
    return click.option("--role", type=click.Choice(["target", "actual"]), help="promises or results")(command)


@targets.command("extract")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--source-date", metavar="D", help="when the text was published, YYYY-MM-DD")
@click.option("--year", type=int, help="the year the text sets targets for")
@click.option("--role", type=click.Choice(["target", "actual"]))
@click.option("--jsonl", is_flag=True)
@common
def extract_(files: tuple[str, ...], source_date: str | None, year: int | None, role: Role | None, **kw: Any) -> None:
    """Targets and actuals of text or HTML files, with exact offsets."""
    session: Session = kw["session"]
    words = vocabulary()
    for name in files:
        document = str(name)
        text, about = transfer.raw_text(Path(name), words.text)
        found = review.read_text(text, about, words, published=source_date, year=year)
        kept = [t for t in found if role in (None, t.role)]
        if kw["jsonl"]:
            for item in kept:
                click.echo(wire.dump({"document": document, **wire.target(item)}))
        else:
            out.console().print(target_table(kept, session.lang, title=document))


def _side(ref: str, session: Session, year: int | None) -> review.Side:
    """One side of a comparison: a file if it exists, else a version or release of the database."""
    if Path(ref).is_file():
        text, about = transfer.raw_text(Path(ref), vocabulary().text)
        return review.side(ref, text, about, vocabulary(), year=year)
    with queries(session, missing=f"{ref}: no such file, and no database to look it up in") as db:
        return review.stored_side(db.version(db.resolve(ref)), vocabulary())


@targets.command()
@click.argument("old")
@click.argument("new")
@click.option("--year-old", type=int, help="report year of OLD, where it does not say")
@click.option("--year-new", type=int, help="report year of NEW, where it does not say")
@click.option("--recurring", is_flag=True, help="leave out one-off works")
@click.option("--role", type=click.Choice(["target", "actual"]))
@click.option("--change", "wanted", multiple=True, help="new dropped raised lowered reworded unchanged")
@click.option("--relation", type=click.Choice(["next_release", "edit", "quote", "copy"]), help="how NEW relates to OLD")
@out.formats
@common
def compare(old: str, new: str, **kw: Any) -> None:
    """What moved between two releases: files, versions, key@2021 or 230102@2021."""
    session: Session = kw["session"]
    before, after = _side(old, session, kw["year_old"]), _side(new, session, kw["year_new"])
    lines, relation = review.compare_sides(before, after, relation=kw["relation"])
    if kw["recurring"]:
        lines = tuple(x for x in lines if x.recurring)
    if kw["role"]:
        lines = tuple(x for x in lines if (x.after or x.before).role == kw["role"])  # type: ignore[union-attr]
    if kw["wanted"]:
        lines = tuple(x for x in lines if x.change in kw["wanted"])
    if kw["form"] != "table":
        out.rows((wire.target_change(x) for x in lines), ("change", "indicator"), kw["form"], session.lang)
        return
    out.note(say(TEXTS, f"relation.{relation}", session.lang, old=before.name, new=after.name))
    out.rows(
        ({"change": "differs" if "differs" in x.flags else x.change, **target_line(x, session.lang)} for x in lines),
        ("change", "indicator", "from", "to", "flags"),
        "table",
        session.lang,
        show={"change": lambda w: CHANGE_STYLE(w, session.lang)},
        empty="no targets",
    )


@targets.command("list")
@_filters
@out.formats
@common
def list_(**kw: Any) -> None:
    """Stored targets and actuals, newest release first."""
    session, form, wanted = kw.pop("session"), kw.pop("form"), kw
    with queries(session) as db:
        db.require_source(wanted["source"])
        found = db.targets(review.wanted(wanted, vocabulary()))
        out.rows(
            (wire.stored_target(x) for x in found),
            ("region", "release", "role", "name", "value_text", "period", "source", "version"),
            form,
            session.lang,
            show={"role": lambda r: say(TEXTS, f"role.{r}", session.lang)},
            empty="no targets",
        )


@targets.command()
@_filters
@click.option("--svg", metavar="FILE", help="draw promise against result")
@out.formats
@common
def timeline(svg: str | None, **kw: Any) -> None:
    """One indicator over the releases: what was promised, what was reported."""
    session, form, wanted = kw.pop("session"), kw.pop("form"), kw
    if not wanted["indicator"]:
        raise click.UsageError("name an --indicator, e.g. --indicator 地区生产总值")
    with queries(session) as db:
        db.require_source(wanted["source"])
        points = review.timeline(db.targets(review.wanted(wanted | {"all_releases": True}, vocabulary())))
    if svg:
        Path(svg).write_text(marked.timeline_svg(points, wanted["indicator"]), encoding="utf-8")
        out.note(svg)
    elif form == "table":
        _bars(points, session)
    else:
        out.rows(points, (), form, session.lang)


def _bars(points: list[dict[str, Any]], session: Session) -> None:
    """A row a point, with a bar as long as its value among those of the same measure and unit."""
    most: dict[tuple[str, str | None], float] = {}
    for p in points:
        if p["number"] is not None:
            group = p["kind"], p["unit"]
            most[group] = max(most.get(group, 0.0), abs(p["number"]))
    for p in points:
        longest = most.get((p["kind"], p["unit"]))
        p["chart"] = "█" * round(24 * abs(p["number"]) / longest) if longest and p["number"] is not None else ""
    columns = ("region", "period", "role", "value_text", "chart", "release", "version")
    shown = {"role": lambda r: say(TEXTS, f"role.{r}", session.lang)}
    out.rows(points, columns, "table", session.lang, show=shown, empty="no targets")


@targets.command()
@_filters
@click.option(
    "--tolerance",
    type=float,
    default=0.5,
    show_default=True,
    help="what 左右 allows: points for %, else percent of the target",
)
@out.formats
@common
def attainment(tolerance: float, **kw: Any) -> None:
    """Each promise beside the result that a later release reports: met, missed, by how much."""
    session, form, wanted = kw.pop("session"), kw.pop("form"), kw
    with queries(session) as db:
        db.require_source(wanted["source"])
        found = review.attainment(db, review.wanted(wanted | {"all_releases": True}, vocabulary()), tolerance)
    columns = ("region", "period", "name", "value_text", "actual", "verdict", "gap", "reason")
    shown = {
        "verdict": lambda v: say(TEXTS, f"verdict.{v}", session.lang),
        "reason": lambda r: say(TEXTS, f"reason.{r}", session.lang),
    }
    out.rows(found, columns, form, session.lang, show=shown, empty="no targets")


@targets.command()
@_filters
@click.option("--period", help="the year: 2022")
@out.formats
@common
def rank(period: str | None, **kw: Any) -> None:
    """One indicator, one year, all places."""
    session, form, wanted = kw.pop("session"), kw.pop("form"), kw
    if not wanted["indicator"]:
        raise click.UsageError("name an --indicator, e.g. --indicator 地区生产总值")
    with queries(session) as db:
        db.require_source(wanted["source"])
        found = db.targets(review.wanted({"role": "target", **wanted, "all_releases": True}, vocabulary()))
    columns = ("rank", "region", "place", "value_text", "period", "release", "source")
    out.rows(review.ranking(found, period, vocabulary()), columns, form, session.lang, empty="no targets")


@targets.command()
@click.argument("ref")
@click.option("--year", type=int)
@click.option("--html", metavar="FILE", help="write the marked text as a page")
@common
def explain(ref: str, year: int | None, html: str | None, **kw: Any) -> None:
    """A text with its readings marked: a file, version or release."""
    session: Session = kw["session"]
    read = _side(ref, session, year)
    if html:
        Path(html).write_text(marked.reading_page(read.name, read.text, read.items, session.lang), encoding="utf-8")
        out.note(html)
        return
    _marked(read.text, list(read.items))


def _marked(text: str, items: list[Target]) -> None:
    """Promises in green, results in blue, values underlined; the rule behind each on the line after its sentence."""
    screen = out.console()
    starts = sorted({i.sent_start for i in items})
    for start in starts:
        here = [i for i in items if i.sent_start == start]
        line = Text(out.inert(text[start : here[0].sent_end]))
        for item in here:
            colour = "green" if item.role == "target" else "blue"
            line.stylize(colour, item.start - start, item.end - start)
            line.stylize(f"{colour} bold underline", item.vstart - start, item.vend - start)
        screen.print(line)
        for item in here:
            name = item.canonical or item.indicator
            about = f"{item.role}  {name}  {item.value_text}  {item.qualifier}/{item.strength}  {item.period or '?'}"
            screen.print(f"    {about}  [{item.rule}] {item.confidence:.2f}", style="dim", markup=False)


@targets.command()
@click.option("--dry-run", is_flag=True, help="only show what today's rules would read differently")
@click.option("--source", multiple=True)
@out.formats
@common
def reread(dry_run: bool, source: tuple[str, ...], **kw: Any) -> None:
    """Read stored texts again with today's rules. Never makes a change or an alert."""
    session: Session = kw["session"]
    if not dry_run:
        raise UsageError("targets reread without --dry-run is not there yet: comparisons already read both sides anew")
    with queries(session) as db:
        shifted = list(review.reread(db, vocabulary(), source))
    columns = ("source", "version", "release", "before", "after", "gone", "new")
    out.rows(shifted, columns, kw["form"], session.lang, empty="nothing shifts")
