"""How a pass looks while it runs, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from monitor import wire
from monitor.cli import out
from monitor.cli.phrases import first_line
from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS
from monitor.model import Outcome
from monitor.pipeline import Summary


@contextmanager
def progress(lang: Lang) -> Iterator[Callable[[Outcome | None, int], None]]:
    """A bar on stderr for long work. What it yields is called with each outcome and the number of pages known."""
    screen = out.console(err=True)
    if not screen.is_terminal:
        yield lambda outcome, total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(say(TEXTS, "checking", lang), total=None)

        def follow(outcome: Outcome | None, total: int) -> None:
            bar.update(task, total=total, advance=0 if outcome is None else 1)
            if outcome is not None:
                bar.update(task, description=out.inert(outcome.page.source)[:30])

        yield follow


def summary(done: Summary, lang: Lang) -> None:
    """What a pass found, for people: changes first, then trouble, then the count."""
    screen = out.console()
    for change in done.changes:
        row = wire.change(change)
        line = Text(f"{say(TEXTS, f'kind.{change.kind}', lang)}  ", style="bold")
        line.append(out.inert(f"{change.source}  {change.title or change.url}"), style="none")
        screen.print(line)
        screen.print(Text("    " + out.inert(first_line(row, lang)), style="green" if change.targets else "none"))
    for page, why in done.failures:
        screen.print(Text(out.inert(f"✗ {page.source}  {why.error}: {why.detail}"), style="red"))
    counts = "  ".join(f"{say(TEXTS, f'count.{k}', lang)} {v}" for k, v in done.counts.items() if v)
    screen.print(say(TEXTS, "checked", lang, n=done.checked) + (f"  {counts}" if counts else ""), markup=False)
    if done.baselines:
        screen.print(say(TEXTS, "baselines", lang, n=done.baselines), markup=False)
    if done.sent or done.undelivered:
        screen.print(say(TEXTS, "delivered", lang, sent=done.sent, failed=done.undelivered), markup=False)
