"""`mubiao targets list | timeline | attainment | rank`: what the database holds of promises and results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from monitor import wire
from monitor.cli import narrowing, out
from monitor.cli.database import queries
from monitor.cli.phrases import CHANGE_STYLE, VERDICT_STYLE, flag_words
from monitor.cli.session import common
from monitor.config import vocabulary
from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS
from monitor.review import asking
from monitor.targets.attainment import RESULTS

_BAR = 24  # characters of the longest bar


def _shown(lang: Lang) -> dict[str, Callable[[Any], str | Text]]:
    """How columns look to people."""
    return {
        "role": lambda r: Text(say(TEXTS, f"role.{r}", lang), style="green" if r == "target" else "blue"),
        "change": lambda w: CHANGE_STYLE(w, lang),
        "flags": lambda f: flag_words(f, lang),
        "verdict": lambda v: VERDICT_STYLE(v, lang),
        "reason": lambda r: say(TEXTS, f"reason.{r}" if f"reason.{r}" in TEXTS else f"missing.{r}", lang),
        "vintage": lambda v: say(TEXTS, f"vintage.{v}", lang),
        "already_met": lambda met: say(TEXTS, "already met", lang) if met else "",
        "gap": _signed,
        "over_city": _signed,
        "over_province": _signed,
    }


def _signed(number: float) -> Text:
    return Text(f"{number:+g}", style="green" if number >= 0 else "red")


@click.command("list")
@narrowing.of_stored
@narrowing.by_change
@click.option("--all-releases", is_flag=True, help="every release, not only what stands on the pages now")
@out.formats
@common
def list_(changes: tuple[str, ...], **kw: Any) -> None:
    """Stored targets and actuals; with --change, what became of them since the release before."""
    session, form = kw.pop("session"), kw.pop("form")
    with queries(session) as db, out.paged(form):
        db.require_source(kw["source"])
        asked = asking.wanted(kw, vocabulary)
        if changes:
            from monitor.review import promises  # loads what reads documents

            rows: Any = promises.with_changes(db, asked, vocabulary(), changes)
            if form == "table":
                rows = (row | {"value_text": "—"} if row["dropped_in"] else row for row in rows)
            columns: tuple[str, ...] = (
                "place", "release", "name", "change", "before", "value_text", "flags", "reason", "compared_release",
                "version",
            )  # fmt: skip
        else:
            rows = (wire.stored_target(x) for x in db.targets(asked))
            columns = ("place", "release", "role", "name", "value_text", "period", "source", "version")
        rows = map(_placed, rows) if form == "table" else rows
        out.rows(rows, columns, form, session.lang, show=_shown(session.lang), empty="no targets")


def _placed(row: wire.JSON) -> wire.JSON:
    """A row with a place that people know: its name, else its code or source."""
    return row | {"place": row["place"] or row["region"] or row["source"]}


@click.command()
@narrowing.of_stored
@click.option("--svg", metavar="FILE", help="draw promise against result")
@click.option("--png", metavar="FILE", help="the same as pixels")
@out.formats
@common
def timeline(svg: str | None, png: str | None, **kw: Any) -> None:
    """One indicator over the releases: what was promised, what was reported."""
    from monitor.review import promises

    session, form, words = kw.pop("session"), kw.pop("form"), vocabulary()
    narrowing.required(kw)
    with queries(session) as db, out.paged(form):
        db.require_source(kw["source"])
        points = promises.timeline(db.targets(asking.wanted(kw | {"all_releases": True}, vocabulary)), words)
        if svg or png:
            _drawn(points, svg, png, session.lang)
        if form != "table":
            out.rows(points, (), form, session.lang)
        elif not (svg or png):
            columns = ("place", "name", "period", "role", "value_text", "chart", "release", "version")
            out.rows(_barred(points), columns, "table", session.lang, show=_shown(session.lang), empty="no targets")


def _drawn(points: list[wire.JSON], svg: str | None, png: str | None, lang: Lang) -> None:
    from monitor.targets import chart

    kinds = {k: say(TEXTS, f"kind.{k}", lang) for k in ("growth", "share", "change")}
    promise, result, estimate, nothing = (
        say(TEXTS, f"chart.{k}", lang) for k in ("promise", "result", "estimate", "nothing")
    )
    words = chart.Words(promise, result, estimate, nothing, kinds)
    drawing = chart.svg(chart.panels(points, words), words)
    if svg:
        Path(svg).write_text(drawing, encoding="utf-8")
    if png:
        from monitor.cli import picture  # loads a renderer

        picture.write_png(png, drawing)
    out.note("  ".join(filter(None, (svg, png))))


def _barred(rows: list[wire.JSON]) -> list[wire.JSON]:
    """Each row with a bar as long as its value among those of the same measure and unit."""
    most: dict[tuple[Any, ...], float] = {}
    for row in rows:
        if row["number"] is not None:
            most[_group(row)] = max(most.get(_group(row), 0.0), abs(row["number"]))
    return [row | {"chart": _bar(row["number"], most.get(_group(row)), row["role"])} for row in rows]


def _group(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["name"], row["kind"], row["unit"]


def _bar(number: float | None, most: float | None, role: str) -> str:
    """Results are full, promises light: the same in black and white."""
    if number is None or not most:
        return ""
    return ("█" if role == "actual" else "▒") * max(1, round(_BAR * abs(number) / most)) if number else ""


@click.command()
@narrowing.of_stored
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.5,
    show_default=True,
    help="what 左右 allows: points for %, else percent of the target",
)
@click.option("--verdict", "verdicts", multiple=True, type=click.Choice(RESULTS), help="only these")
@out.formats
@common
def attainment(tolerance: float, verdicts: tuple[str, ...], **kw: Any) -> None:
    """Each promise beside the result that a later release reports: met, missed, by how much."""
    from monitor.review import promises

    session, form = kw.pop("session"), kw.pop("form")
    with queries(session) as db, out.paged(form):
        db.require_source(kw["source"])
        asked = asking.wanted(kw | {"all_releases": True}, vocabulary)
        found = promises.attainment(db, asked, tolerance, datetime.now(UTC), verdicts)
        columns = (
            "place", "period", "name", "value_text", "actual", "verdict", "gap", "vintage", "reason", "already_met"
        )  # fmt: skip
        shown = map(_placed, found) if form == "table" else found
        out.rows(shown, columns, form, session.lang, show=_shown(session.lang), empty="no targets")
    if form == "table" and found:
        counts = Counter(row["verdict"] for row in found)
        out.note("  ".join(f"{say(TEXTS, f'verdict.{v}', session.lang)} {counts[v]}" for v in RESULTS))


@click.command()
@narrowing.of_stored
@click.option("--period", help="the year: 2022")
@click.option("--amplification", is_flag=True, help="层层加码: beside the city and the province above")
@out.formats
@common
def rank(period: str | None, amplification: bool, **kw: Any) -> None:
    """One indicator, one year, all places; by how much each asks more than the city and province above it."""
    from monitor.review import promises

    session, form, words = kw.pop("session"), kw.pop("form"), vocabulary()
    narrowing.required(kw)
    asked = asking.wanted(kw | {"role": kw["role"] or "target", "all_releases": True}, vocabulary)
    with queries(session) as db, out.paged(form):
        db.require_source(kw["source"])
        if amplification:
            rows = promises.amplified(db, asked, period, words)
            extra: tuple[str, ...] = ("city", "over_city", "province", "over_province")
        else:
            rows, extra = promises.ranking(db.targets(asked), period, words), ("chart",)
        columns = ("rank", "region", "place", "value_text", *extra, "period", "release", "source")
        table = _barred(rows) if form == "table" and not amplification else rows
        out.rows(table, columns, form, session.lang, show=_shown(session.lang), empty="no targets")


COMMANDS = (list_, timeline, attainment, rank)
