"""A bar for work of a known length, without what only a check needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.cli import out
from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS


@contextmanager
def gauge(lang: Lang, words: str) -> Iterator[Callable[[int, int], object]]:
    """A bar for work that knows how far it is: what it yields is called with what is done, and of how much."""
    screen = out.console(err=True)
    if not screen.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as shown:
        task = shown.add_task(say(TEXTS, words, lang), total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def bar(lang: Lang, total: int, words: str) -> Iterator[Callable[[], object]]:
    """A bar on stderr for a known amount of work; what it yields is called once for each piece done."""
    screen = out.console(err=True)
    if not screen.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as shown:
        task = shown.add_task(say(TEXTS, words, lang), total=total)
        yield lambda: shown.advance(task)
