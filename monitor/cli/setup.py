"""`mubiao init | doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from monitor import config as configuration
from monitor import doctor as examination
from monitor.cli import out
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS


@click.command()
@click.option("--force", is_flag=True, help="replace an existing file")
@common
def init(force: bool, **kw: Any) -> None:
    """Write a commented sources.yaml to start from."""
    session: Session = kw["session"]
    path = Path(session.config)
    if path.exists() and not force:
        raise UsageError(f"{path} exists (--force replaces it)")
    path.write_text(configuration.init_text(), encoding="utf-8")
    out.note(say(TEXTS, "init", session.lang, path=path))


@click.command()
@click.option("--json", "as_json", is_flag=True)
@common
def doctor(as_json: bool, **kw: Any) -> None:
    """One page that says what is wrong with this installation."""
    session: Session = kw["session"]
    found = examination.examine(session.config, session.db, configuration.settings(), session.lang)
    if as_json:
        out.one({"ok": all(x["ok"] for x in found), "findings": found}, "json")
    else:
        screen = out.console()
        for x in found:
            screen.print(("✓" if x["ok"] else "✗") + f" {out.inert(x['what'])}", style=None if x["ok"] else "red")
            if x["fix"]:
                screen.print(f"    → {out.inert(x['fix'])}", markup=False)
    if not all(x["ok"] for x in found):
        raise click.exceptions.Exit(1)
