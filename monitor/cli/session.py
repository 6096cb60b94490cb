"""What every command shares: where the configuration and the database are, which language to speak."""

from __future__ import annotations

import functools
import gc
import locale
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from monitor.i18n import LANGUAGES, Lang, language

DEFAULT_CONFIG = "sources.yaml"
DEFAULT_DB = "sqlite:///data/mubiao.db"


@dataclass(frozen=True, slots=True)
class Session:
    """The options of CONTRACT's "Ground", with the environment behind them."""

    config: str
    db: str
    lang: Lang
    config_given: bool  # by option or environment: then a missing file is an error even for a query
    unread: list[str] = field(default_factory=list)  # what an answer lacks because it is damaged


def _locale() -> str | None:
    return os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or locale.getlocale()[0]


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config, --db and --lang, handed to the command as one `session`."""

    @click.option("--config", metavar="FILE", envvar="MUBIAO_CONFIG", help="sources.yaml  [env: MUBIAO_CONFIG]")
    @click.option("--db", metavar="URL", envvar="MUBIAO_DB", help=f"default {DEFAULT_DB}  [env: MUBIAO_DB]")
    @click.option("--lang", type=click.Choice(LANGUAGES), envvar="MUBIAO_LANG", help="zh or en  [env: MUBIAO_LANG]")
    @functools.wraps(command)
    def wrapped(*args: Any, config: str | None, db: str | None, lang: str | None, **kwargs: Any) -> Any:
        session = Session(config or DEFAULT_CONFIG, db or DEFAULT_DB, language(lang, _locale()), bool(config))
        gc.freeze()  # what was loaded until here is no garbage: a collection need not look at it again
        result = command(*args, session=session, **kwargs)
        for line in dict.fromkeys(session.unread):
            click.echo(f"mubiao: {line}", err=True)
        if session.unread:
            raise click.exceptions.Exit(1)
        return result

    return wrapped
