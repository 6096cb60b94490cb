"""`mubiao targets …`: read targets from files, compare releases, show and renew readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from monitor import wire
from monitor.cli import marked, narrowing, out, promises
from monitor.cli.database import queries, writable
from monitor.cli.phrases import CHANGE_STYLE, target_line, target_table
from monitor.cli.session import Session, common
from monitor.cli.steps import bar
from monitor.config import vocabulary
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Role, Target, TargetChange
from monitor.review import asking
from storage.filters import Filter

if TYPE_CHECKING:  # they load what reads documents: stored targets are listed without it
    from monitor.review import rereading, sides


@click.group()
def targets() -> None:
    """Promises and results: read, list, compare, rank."""


for _command in promises.COMMANDS:
    targets.add_command(_command)


@targets.command("extract")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--source-date", metavar="D", help="when the text was published, YYYY-MM-DD")
@click.option("--year", type=int, help="the year the text sets targets for")
@click.option("--role", type=click.Choice(["target", "actual"]))
@out.formats
@common
def extract_(files: tuple[str, ...], source_date: str | None, year: int | None, role: Role | None, **kw: Any) -> None:
    """Targets and actuals of text or HTML files, with exact offsets."""
    session: Session = kw["session"]
    from monitor import transfer
    from monitor.review import sides

    words = vocabulary()

    def read(name: str) -> list[Target]:
        text, about = transfer.raw_text(Path(name), words.text)
        found = sides.read_text(text, about, words, published=source_date, year=year)
        return [t for t in found if role in (None, t.role)]

    if kw["form"] != "table":
        rows = ({"document": name, **wire.target(item)} for name in files for item in read(name))
        out.rows(rows, ("document", "role", "indicator", "value_text", "period"), kw["form"], session.lang)
        return
    for name in files:
        kept = read(name)
        if kept:
            out.console().print(target_table(kept, session.lang, title=name))
        else:
            out.note(f"{name}: {say(TEXTS, 'no targets', session.lang)}")


def _side(ref: str, session: Session, year: int | None) -> sides.Side:
    """One side of a comparison: a file if it exists, else a version or release of the database."""
    from monitor.review import sides

    if Path(ref).is_file():
        from monitor import transfer

        text, about = transfer.raw_text(Path(ref), vocabulary().text)
        return sides.side(ref, text, about, vocabulary(), year=year)
    with queries(session, missing=f"{ref}: no such file, and no database to look it up in") as db:
        version = db.version(db.resolve(ref))
        return sides.stored_side(version, vocabulary(), series=db.series_by_source().get(version.source), year=year)


@targets.command()
@click.argument("old")
@click.argument("new")
@click.option("--year-old", type=int, help="report year of OLD, where it does not say")
@click.option("--year-new", type=int, help="report year of NEW, where it does not say")
@click.option("--recurring", is_flag=True, help="leave out one-off works")
@narrowing.of_items
@narrowing.by_change
@click.option("--relation", type=click.Choice(["next_release", "edit", "quote", "copy"]), help="how NEW relates to OLD")
@out.formats
@common
def compare(old: str, new: str, changes: tuple[str, ...], **kw: Any) -> None:
    """What moved between two releases: files, versions, key@2021 or 230102@2021."""
    session: Session = kw["session"]
    from monitor.review import sides

    before, after = _side(old, session, kw["year_old"]), _side(new, session, kw["year_new"])
    lines, relation, skipped = sides.compare_sides(before, after, relation=kw["relation"])
    shown = list(_narrowed(lines, changes, kw))
    if kw["form"] != "table":
        out.rows((wire.target_change(x) for x in shown), ("change", "indicator"), kw["form"], session.lang)
        return
    out.note(say(TEXTS, f"relation.{relation}", session.lang, old=before.name, new=after.name))
    for doubt in sides.doubts(before, after):
        out.note(say(TEXTS, f"doubt.{doubt}", session.lang, old=before.name, new=after.name))
    if skipped:
        out.note(say(TEXTS, "skipped", session.lang, years="、".join(map(str, skipped))))
    with out.paged("table"):
        out.rows(
            (
                {"change": "differs" if "differs" in x.flags else x.change, **target_line(x, session.lang)}
                for x in shown
            ),
            ("change", "indicator", "from", "to", "flags"),
            "table",
            session.lang,
            show={"change": lambda w: CHANGE_STYLE(w, session.lang)},
            empty="no targets",
        )


def _narrowed(lines: tuple[TargetChange, ...], changes: tuple[str, ...], kw: dict[str, Any]) -> Iterator[TargetChange]:
    word = asking.canonical(kw["indicator"], vocabulary)
    for line in lines:
        sides = [x for x in (line.before, line.after) if x]
        if kw["recurring"] and not line.recurring:
            continue
        if changes and line.change not in changes and not set(changes) & set(line.flags):
            continue
        if any(narrowing.fits(x, kw, word) for x in sides):
            yield line


@targets.command()
@click.argument("ref")
@click.option("--year", type=int, help="the year the text sets targets for")
@click.option("--html", metavar="FILE", help="write the marked text as a page")
@narrowing.of_items
@common
def explain(ref: str, year: int | None, html: str | None, **kw: Any) -> None:
    """A text with its readings marked: a file, version or release."""
    session: Session = kw["session"]
    read = _side(ref, session, year)
    items = narrowing.kept(read.items, kw, vocabulary())
    if html:
        Path(html).write_text(marked.reading_page(read.name, read.text, items, session.lang), encoding="utf-8")
        out.note(html)
        return
    with out.paged("table"):
        _marked(read.text, items, session)


def _marked(text: str, items: list[Target], session: Session) -> None:
    """Promises in green, results in blue, values underlined; the rule behind each on the line after its sentence."""
    screen = out.console()
    for start in sorted({i.sent_start for i in items}):
        here = [i for i in items if i.sent_start == start]
        line = Text(out.inert(text[start : here[0].sent_end]))
        for item in here:
            colour = "green" if item.role == "target" else "blue"
            line.stylize(colour, item.start - start, item.end - start)
            line.stylize(f"{colour} bold underline", item.vstart - start, item.vend - start)
        screen.print(line)
        for item in here:
            screen.print(Text("    " + out.inert(marked.about(item, session.lang)), style="dim"))


@targets.command()
@click.option("--dry-run", is_flag=True, help="only show what today's rules would read differently")
@click.option("--source", multiple=True, help="only these sources")
@click.option("--under", help="only places below this code")
@click.option("--latest", is_flag=True, help="only what stands on the pages now, not every version")
@out.formats
@common
def reread(dry_run: bool, source: tuple[str, ...], under: str | None, latest: bool, **kw: Any) -> None:
    """Read every stored text again with today's rules and keep that reading. Never makes a change or an alert."""
    session: Session = kw["session"]
    from monitor.review import rereading

    with queries(session) as db:
        for key in source:
            db.require_source(key)
        wanted = [Filter(source=key, under=under) for key in source] or [Filter(under=under)]
        names = [name for one in wanted for name in db.names(one, latest=latest)]
        with _keeping(session, dry_run=dry_run) as keep, bar(session.lang, len(names), "rereading") as step:
            shifted = []
            for shift in rereading.shifts(db, vocabulary(), names):
                step()
                if shift is not None:
                    keep(shift)
                    shifted.append(shift.row)
    columns = ("source", "version", "release", "before", "after", "gone", "new", "details", "record")
    out.rows(shifted, columns, kw["form"], session.lang, empty="nothing shifts")
    if kw["form"] == "table" and shifted and not dry_run:
        out.note(say(TEXTS, "reread", session.lang, n=len(shifted), all=len(names)))


@contextmanager
def _keeping(session: Session, *, dry_run: bool) -> Iterator[Callable[[rereading.Shift], object]]:
    """What is done with a reading that differs: it is kept, one version in one transaction, or only looked at."""
    if dry_run:
        yield lambda shift: None
        return
    with writable(session) as store:
        yield lambda shift: store.retarget(shift.version, shift.told)
