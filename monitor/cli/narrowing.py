"""The filters of CONTRACT that the commands on targets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from monitor.errors import UsageError
from monitor.model import Target, Vocabulary
from monitor.review import asking
from monitor.targets.compare import FLAGS, LABELS
from monitor.targets.views import KINDS

Command = Callable[..., Any]

_STORED = (
    ("region", "GB/T 2260 code of the place"),
    ("under", "a code and everything below it: 23, 2301"),
    ("source", "key of a source"),
    ("series", "series of documents: 政府工作报告"),
    ("release", "label: 2022"),
    ("since", "seen since: 2026-01-01 or 7d"),
    ("as-of", "as it was known on a day"),
)
_ITEMS = (
    ("indicator", "canonical name, alias or id"),
    ("scope", "口径: 全口径, 区本级, …"),
)
CHANGES = (*LABELS, *FLAGS)


def of_items(command: Command) -> Command:
    """What a reading itself is narrowed by: works on files too."""
    for name, text in reversed(_ITEMS):
        command = click.option(f"--{name}", help=text)(command)
    command = click.option("--kind", type=click.Choice(KINDS), help="what is measured")(command)
    command = click.option("--headline", is_flag=True, help="only the main expected targets")(command)
    return click.option("--role", type=click.Choice(["target", "actual"]), help="promises or results")(command)


def of_stored(command: Command) -> Command:
    """All of them, for what the database holds."""
    command = of_items(command)
    for name, text in reversed(_STORED):
        command = click.option(f"--{name}", help=text)(command)
    return command


def by_change(command: Command) -> Command:
    """--change, which may be given several times: a label or a flag."""
    return click.option(
        "--change",
        "changes",
        multiple=True,
        type=click.Choice(CHANGES),
        metavar="WORD",
        help=f"{' '.join(LABELS)}; or a flag: softened, gap, …",
    )(command)


def kept(items: Iterable[Target], options: Mapping[str, Any], vocabulary: Vocabulary) -> list[Target]:
    """The readings that the filters want."""
    word = asking.canonical(options.get("indicator"), lambda: vocabulary)
    return [t for t in items if fits(t, options, word)]


def fits(item: Target, options: Mapping[str, Any], word: str | None) -> bool:
    """Whether one reading is wanted; `word` is the indicator asked for, by its canonical name."""
    if any(options.get(k) and getattr(item, k) != options[k] for k in ("role", "kind", "scope", "headline")):
        return False
    return not word or word == item.indicator_id or word in (item.canonical or "") or word in item.indicator


def required(options: Mapping[str, Any]) -> None:
    """Raises UsageError where no indicator is named: a chart or ranking of everything means nothing."""
    if not options["indicator"]:
        raise UsageError("name an --indicator, e.g. --indicator 地区生产总值")
