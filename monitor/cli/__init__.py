"""Arguments and printing: one function per command, no decisions.

Commands are imported when they are called (`LAZY` says from where), so that `--help` and a query stay quick. This
package is the only place of the product that imports inside functions, and `monitor.cli.lazy` does it for all.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from pathlib import Path

import click

from monitor.cli.lazy import LazyGroup
from monitor.errors import MubiaoError

LOADING = 50_000  # new objects between two collections: modules make many, and leave no garbage

LAZY: dict[str, tuple[str, str]] = {
    "run": ("monitor.cli.checking:run", "The daemon: schedules, checks, delivers alerts, serves the web page."),
    "check": ("monitor.cli.checking:check", "One pass now: what is due, or the sources named, or --all."),
    "worker": ("monitor.cli.checking:worker", "One of several checkers on a PostgreSQL database."),
    "demo": (
        "monitor.cli.checking:demo",
        "The main job on a bundled site of an invented district: releases, a silent edit, an outage, alerts.",
    ),
    "init": ("monitor.cli.setup:init", "Write a commented sources.yaml to start from."),
    "doctor": ("monitor.cli.setup:doctor", "One page that says what is wrong with this installation."),
    "import": (
        "monitor.cli.data:import_",
        "Documents from disk or captures of a web archive become versions of a source, in order of date.",
    ),
    "export": (
        "monitor.cli.data:export",
        "Data out: tables, the panel of targets and results, or the kept bodies as WARC.",
    ),
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

# of the groups: what a shell is told without importing them; a test compares
INSIDE: dict[str, dict[str, str]] = {
    "alerts": {
        "ack": "Say that somebody has seen to these: what still waits about the same changes is not sent.",
        "channels": "The channels: what waits, when each was last heard of, and which are off.",
        "enable": "Use a channel again that was turned off, with all its recipients; what waited for it goes out.",
        "list": "The outbox, newest first.",
        "mute": "Tell nobody about a source, a page or an indicator for a while.",
        "muted": "What is muted now, and until when.",
        "preview": "Render the last change of a source, one change, or the digest that waits for a channel, without sending it.",  # noqa: E501
        "retry": "Try failed or dead messages again, now.",
        "test": "Send a test message through a channel, now.",
        "unmute": "End these mutes.",
    },
    "db": {
        "backup": "A consistent copy, also while a daemon writes.",
        "check": "Hash everything again and report what is damaged.",
        "copy": "Move a history into another, empty database: all of it, read back and compared, or nothing.",
        "prune": "Thin out now: by what sources.yaml keeps of each source, or by the rule given here.",
        "restore": "Put a backup in place; the database it replaces is kept beside it.",
        "upgrade": "Create or migrate the schema; an existing database is copied first.",
    },
    "sources": {
        "add": "Look at an address, propose an entry and write it to sources.yaml.",
        "discover": "Walk from a site's front page to its report, plan, statistics and policy columns, and propose entries.",  # noqa: E501
        "health": "Only what fails: why, since when, how often in a row.",
        "import": "Add the sources of a CSV or TSV table, of urlwatch, webchanges or changedetection.io jobs, or of OPML.",  # noqa: E501
        "list": "Every source with its state, last check and next one.",
        "noise": "Noise learned from a source's site: what, why, since when; shown, switched off and on, forgotten.",
        "schema": "JSON Schema of sources.yaml, for editors.",
        "test": "A dry run: fetch, decode, read and judge one source, store nothing.",
    },
    "targets": {
        "attainment": "Each promise beside the result that a later release reports: met, missed, by how much.",
        "compare": "What moved between two releases: files, versions, key@2021 or 230102@2021.",
        "explain": "A text with its readings marked: a file, version or release.",
        "extract": "Targets and actuals of text or HTML files, with exact offsets.",
        "list": "Stored targets and actuals; with --change, what became of them since the release before.",
        "rank": "One indicator, one year, all places; by how much each asks more than the city and province above it.",
        "reread": "Read every stored text again with today's rules and keep that reading.",
        "timeline": "One indicator over the releases: what was promised, what was reported.",
    },
}


@click.group(cls=LazyGroup, lazy=LAZY, inside=INSIDE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mubiao", prog_name="mubiao")
def mubiao() -> None:
    """Watch Chinese government and newspaper pages and report which targets moved.

    监测中国政府与报纸网页，报告目标的变化。
    """


def _behind(group: click.Context, option: str) -> str:
    """How the line has to go, with the command that was meant."""
    assert isinstance(group.command, click.Group)
    known = group.command.list_commands(group)
    return f"{group.command_path} {next((word for word in sys.argv if word in known), 'COMMAND')} {option} …"


def _three_files() -> None:
    """stdin, stdout and stderr lead nowhere where they were closed (`>&-`, some init scripts): no other file is to get
    their numbers, and Python has None in their place."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(nowhere)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the process ends


def main() -> None:
    """The installed command. Exit status: 0 done, 1 some of it failed, 2 wrong usage or config, 130 interrupted."""
    _three_files()
    stdout = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):  # half a character, or one that the locale has not: a program goes on
        stdout.reconfigure(errors="backslashreplace")
    gc.set_threshold(LOADING)
    try:
        # outside standalone mode click answers the status of `Exit`, and None after a command that just ends
        sys.exit(mubiao.main(standalone_mode=False, prog_name="mubiao") or 0)
    except click.Abort:
        click.echo("interrupted: what was finished is saved", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show(sys.stderr)
        if isinstance(wrong, click.NoSuchOption) and wrong.ctx and isinstance(wrong.ctx.command, click.Group):
            click.echo(f"Options stand behind the command: {_behind(wrong.ctx, wrong.option_name)}", err=True)
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
