"""Arguments and printing: one function per command, no decisions.

Commands are imported when they are called (`LAZY` says from where), so that `--help` and a query stay quick. This
package is the only place of the product that imports inside functions, and `monitor.cli.lazy` does it for all.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed

import click

from monitor.cli.lazy import LazyGroup
from monitor.errors import MubiaoError

LAZY = {
    "run": "monitor.cli.checking:run",
    "check": "monitor.cli.checking:check",
    "worker": "monitor.cli.checking:worker",
    "demo": "monitor.cli.checking:demo",
    "init": "monitor.cli.setup:init",
    "doctor": "monitor.cli.setup:doctor",
    "import": "monitor.cli.data:import_",
    "export": "monitor.cli.data:export",
    "db": "monitor.cli.data:db",
    "extract": "monitor.cli.reading:extract",
    "targets": "monitor.cli.targets:targets",
    "changes": "monitor.cli.history:changes",
    "history": "monitor.cli.history:history",
    "show": "monitor.cli.history:show",
    "diff": "monitor.cli.history:diff",
    "search": "monitor.cli.history:search",
    "sources": "monitor.cli.sources:sources",
    "alerts": "monitor.cli.alerts:alerts",
}


@click.group(cls=LazyGroup, lazy=LAZY, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(installed("mubiao"), prog_name="mubiao")
def mubiao() -> None:
    """Watch Chinese government and newspaper pages and report which targets moved.

    监测中国政府与报纸网页，报告目标的变化。
    """


def main() -> None:
    """The installed command. Exit status: 0 done, 1 some of it failed, 2 wrong usage or config, 130 interrupted."""
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
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
