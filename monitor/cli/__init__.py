"""Arguments and printing: one function per command, no decisions.

Commands are imported when they are called (`LAZY` says from where), so that `--help` and a query stay quick. This
package is the only place of the product that imports inside functions, and `monitor.cli.lazy` does it for all.
"""

from __future__ import annotations

import gc
import sys

import click

from monitor.cli.lazy import LazyGroup
from monitor.errors import MubiaoError

LOADING = 50_000  # new objects between two collections: modules make many, and leave no garbage

LAZY: dict[str, tuple[str, str]] = {
    "run": ("monitor.cli.checking:run", "The daemon: schedules, checks, delivers alerts, serves the web page."),
    "check": ("monitor.cli.checking:check", "One pass now: what is due, or the sources named, or --all."),
    "worker": ("monitor.cli.checking:worker", "One of several checkers on a PostgreSQL database (not there yet)."),
    "demo": (
        "monitor.cli.checking:demo",
        "The main job on a bundled site of an invented district: releases, a silent edit, an outage, alerts.",
    ),
    "init": ("monitor.cli.setup:init", "Write a commented sources.yaml to start from."),
    "doctor": ("monitor.cli.setup:doctor", "One page that says what is wrong with this installation."),
    "import": ("monitor.cli.data:import_", "Documents from disk become versions of a source, in order of date."),
    "export": ("monitor.cli.data:export", "Data out, to stdout."),
    "db": ("monitor.cli.data:db", "Care of the database."),
    "extract": ("monitor.cli.reading:extract", "The main text of HTML or text files, without site chrome."),
    "targets": ("monitor.cli.targets:targets", "Promises and results: read, list, compare, rank."),
    "changes": ("monitor.cli.history:changes", "The change feed, newest first."),
    "history": ("monitor.cli.history:history", "All versions of a source or of one page, newest first."),
    "show": ("monitor.cli.history:show", "One version: v12, a source's latest, key@2022, 230103@2022."),
    "diff": (
        "monitor.cli.history:diff",
        "What changed between two versions; with one, between it and the one before; or a change, c3.",
    ),
    "search": (
        "monitor.cli.history:search",
        "Full text over current texts and every passage that was added or removed.",
    ),
    "sources": ("monitor.cli.sources:sources", "What is watched."),
    "alerts": ("monitor.cli.alerts:alerts", "What is told to whom, and whether it arrived."),
}


@click.group(cls=LazyGroup, lazy=LAZY, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mubiao", prog_name="mubiao")
def mubiao() -> None:
    """Watch Chinese government and newspaper pages and report which targets moved.

    监测中国政府与报纸网页，报告目标的变化。
    """


def main() -> None:
    """The installed command. Exit status: 0 done, 1 some of it failed, 2 wrong usage or config, 130 interrupted."""
    stdout = sys.stdout
    gc.set_threshold(LOADING)
    try:
        # outside standalone mode click answers the status of `Exit`, and None after a command that just ends
        sys.exit(mubiao.main(standalone_mode=False, prog_name="mubiao") or 0)
    except click.Abort:
        click.echo("interrupted: what was finished is saved", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show(sys.stderr)
        sys.exit(2)
    except MubiaoError as wrong:
        for line in (str(wrong), *getattr(wrong, "__notes__", ())):
            click.echo(f"mubiao: {line}", err=True)
        sys.exit(2)
    except SystemExit as stop:  # click answers 1 and another stdout where the reader (head, less) has seen enough
        sys.exit(stop.code if sys.stdout is stdout else 0)
    except OSError as wrong:  # a file or directory that was named and cannot be used
        place = f"{wrong.filename}: " if wrong.filename else ""
        click.echo(f"mubiao: {place}{wrong.strerror or wrong}", err=True)
        sys.exit(2)
