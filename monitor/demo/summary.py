"""The demo's end as a newcomer reads it. Takes plain results, prints; decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts import phrases
from alerts.inert import one_line
from monitor import wire
from monitor.demo import keeping, story
from monitor.demo.result import Result, Round
from monitor.i18n import say
from monitor.i18n.demo import TEXTS

MOST_LINES = 14  # rows of moved targets; the rest is counted
_STYLES = {"raised": "green", "lowered": "red", "dropped": "red", "new": "cyan", "reworded": "yellow"}

Change = Mapping[str, Any]  # CHANGE of docs/json.md


def show(result: Result, lang: str, *, as_json: bool) -> None:
    """The whole summary on stdout: for people, or one JSON document."""
    if as_json:
        print(wire.dump(result.json(lang), indent=2))
        return
    screen = _console()
    for heading, *parts in (_rounds(result, lang), *_changes(result, lang)):
        screen.print()
        screen.print(Text(heading, style="bold"), soft_wrap=True)
        for part in parts:
            screen.print(part)
    for key, lines in (
        ("head.ignored", _ignored(result, lang)),
        ("head.where", _where(result, lang)),
        ("head.next", result.commands()),
    ):
        screen.print()
        screen.print(Text(say(TEXTS, key, lang), style="bold"))
        for text in lines:
            screen.print(Text("  " + text), soft_wrap=True)
    screen.print()
    for problem in result.problems(lang):
        screen.print(Text("✗ " + one_line(problem, 300), style="red"), soft_wrap=True)
    screen.print(Text(say(TEXTS, "took", lang, seconds=round(result.seconds, 1)), style="dim"))


def _console() -> Console:
    """Colour and the window's width in a terminal; neither in a pipe, where nothing may wrap."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, no_color=True, color_system=None, width=10_000)


# --------------------------------------------------------------------------- one day


def line(day: Round, lang: str) -> Text:
    """One finished day in one line, for the progress display."""
    name = say(TEXTS, "progress", lang, day=day.number + 1)
    mark = "•" if day.changes else "!" if day.failures else "·"
    return Text(f"{mark} {name}  {say(TEXTS, f'round.{day.number}', lang)} → {'; '.join(findings(day, lang))}")


def findings(day: Round, lang: str) -> list[str]:
    """What the product said of a day."""
    found = [_event(change, lang) for change in day.changes]
    found += _failures(day.failures, lang)
    if count := sum(check["baselines"] for check in day.checks):
        found.append(say(TEXTS, "found.baseline", lang, count=count))
    if day.number == story.RECOVERY and not day.failures:
        found.append(say(TEXTS, "found.recovered", lang))
    same = day.checks[-1]["unchanged"] + day.checks[-1]["not_modified"]
    return found or [say(TEXTS, "found.quiet", lang, count=same)]


def _event(change: Change, lang: str) -> str:
    title = one_line(change["title"] or change["url"], 40)
    moved = phrases.ordered(change["targets"])
    if change["kind"] == "new" and not any(phrases.differs(x) for x in moved):
        return say(TEXTS, "found.new", lang, title=title, count=len(moved))
    said = phrases.phrase(moved[0], lang) if moved else change["kind"]
    return say(TEXTS, "found.quote" if change["kind"] == "new" else "found.edit", lang, title=title, line=said)


def _failures(failures: Iterable[Mapping[str, Any]], lang: str) -> Iterator[str]:
    """One line for each host and reason."""
    counts: dict[tuple[str, str], int] = {}
    for failure in failures:
        where = "newspaper" if failure["source"] == story.NEWSPAPER_KEY else "government"
        key = (where, failure["error"])
        counts[key] = counts.get(key, 0) + 1
    for (where, error), count in counts.items():
        yield say(TEXTS, "found.failure", lang, where=say(TEXTS, f"where.{where}", lang), error=error, count=count)


# --------------------------------------------------------------------------- tables


def _table(columns: Sequence[str], lang: str) -> Table:
    table = Table(box=None, header_style="dim")
    for name in columns:
        table.add_column(say(TEXTS, f"col.{name}", lang), overflow="fold")
    return table


def _rounds(result: Result, lang: str) -> tuple[str, Table]:
    table = _table(("day", "happened", "found", "sent"), lang)
    for day in result.rounds:
        told = say(TEXTS, "sent" if day.mails or day.hooks else "sent.none", lang, mails=day.mails, hooks=day.hooks)
        happened = say(TEXTS, f"round.{day.number}", lang)
        table.add_row(str(day.number + 1), happened, Text("\n".join(findings(day, lang))), told)
    return say(TEXTS, "head.rounds", lang), table


def _changes(result: Result, lang: str) -> Iterator[tuple[str, Table] | tuple[str, Table, Text]]:
    """A heading and a table of moved targets for each change; below, how many more there are."""
    for change in result.changes:
        moved = phrases.ordered(change["targets"])
        key = "head.edit" if change["kind"] != "new" else "head.targets"
        if any(phrases.differs(x) for x in moved):
            key = "head.quote"
        title = one_line(change["title"] or change["url"], 60)
        heading = say(TEXTS, key, lang, title=title, release=change["compared_release"] or "?")
        shown = _shown(moved)
        if key == "head.targets" and len(moved) > len(shown):
            more = say(TEXTS, "more", lang, count=len(moved) - len(shown))
            yield heading, _moved(shown, lang), Text(" " + more, style="dim")
        else:
            yield heading, _moved(shown, lang)


def _shown(moved: Sequence[phrases.Line]) -> Sequence[phrases.Line]:
    """What differs in a text that quotes; else the list of main expected targets; else the first of what moved."""
    promises = [x for x in moved if phrases.is_promise(x)]
    differing = [x for x in promises if phrases.differs(x)]
    headline = [x for x in promises if phrases.item(x).get("headline")]
    return (differing or headline or moved)[:MOST_LINES]


def _moved(lines: Iterable[phrases.Line], lang: str) -> Table:
    table = _table(("indicator", "before", "after", "change"), lang)
    for item in lines:
        style = "magenta" if phrases.differs(item) else _STYLES.get(str(item.get("change")), "")
        table.add_row(
            Text(phrases.name(item, lang)),
            Text(phrases.value(item.get("from"), lang)),
            Text(phrases.value(item.get("to"), lang)),
            Text(f"{phrases.arrow(item)} {phrases.word(item, lang)}", style=style),
        )
    return table


# --------------------------------------------------------------------------- lists


def _ignored(result: Result, lang: str) -> Iterator[str]:
    yield say(TEXTS, "ignored.chrome", lang, count=result.unchanged)
    if result.unfollowed:
        titles = ("、" if lang == "zh" else ", ").join(result.unfollowed)
        yield say(TEXTS, "ignored.match", lang, count=len(result.unfollowed), titles=titles)
    if result.failures:
        errors = ", ".join(f"{word} × {count}" for word, count in sorted(result.failures.items()))
        yield say(TEXTS, "ignored.failures", lang, count=result.failures.total(), errors=errors)
    if not result.rounds[-1].changes and not result.rounds[-1].failures:
        yield say(TEXTS, "ignored.return", lang)


def _where(result: Result, lang: str) -> Iterator[str]:
    def at(key: str, path: object, **values: object) -> str:
        return say(TEXTS, "where.line", lang, what=say(TEXTS, key, lang, **values), path=path)

    folder = result.directory
    if result.letters:
        first = result.letters[0]
        yield at("where.mail", f"{first.html}   {one_line(first.subject, 60)}")
    yield at("where.mails", f"{folder / keeping.MAILS}/")
    good = sum(call.verified for call in result.hooks)
    yield at("where.hooks", f"{folder / keeping.HOOKS}/", count=len(result.hooks), good=good)
    yield at("where.config", folder / keeping.CONFIG)
    yield at("where.database", folder / keeping.DATABASE)
