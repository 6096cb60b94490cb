"""`mubiao alerts …`: the outbox, a look at a message before it goes, a test, another try."""

from __future__ import annotations

import asyncio
import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from monitor import config as configuration
from monitor import review, wire
from monitor.cli import out
from monitor.cli.database import queries, writable
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS


@click.group()
def alerts() -> None:
    """What is told to whom, and whether it arrived."""


@alerts.command("list")
@click.option("--state", type=click.Choice(["pending", "sent", "dead", "muted"]))
@click.option("--channel")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True)
@out.formats
@common
def list_(**kw: Any) -> None:
    """The outbox, newest first."""
    session, form = kw.pop("session"), kw.pop("form")
    with queries(session) as db:
        found = [wire.alert(row) for row in db.alerts(**kw)]
    columns = ("created", "id", "channel", "type", "state", "attempts", "next_at", "error")
    shown = {
        "created": out.local,
        "next_at": out.local,
        "state": lambda s: say(TEXTS, f"alert.{s}", session.lang),
    }
    out.rows(found, columns, form, session.lang, show=shown, empty="no alerts")


@alerts.command()
@click.argument("ref", metavar="SOURCE|CHANGE")
@click.option("--channel", help="a channel of sources.yaml; default: how an e-mail would look")
@click.option("--html", metavar="FILE", help="write the HTML part")
@click.option("--open", "show", is_flag=True, help="write the HTML part and open it in a browser")
@common
def preview(ref: str, channel: str | None, html: str | None, show: bool, **kw: Any) -> None:
    """Render the last change of a source, or one change, without sending it."""
    session: Session = kw["session"]
    from alerts.render import render

    config = configuration.load(session.config)
    if channel and channel not in {c.name for c in config.channels}:
        raise UsageError(f"no channel {channel!r} in {session.config}")
    with queries(session) as db:
        change = review.last_change(db, ref)
        about = review.about_change(db, change)
    message = render(review.alert_of(change, about, channel or "preview", session.lang), lang=session.lang)
    if show:
        html = html or str(Path(tempfile.mkdtemp(prefix="mubiao-")) / "alert.html")
    if html:
        Path(html).write_text(message.html, encoding="utf-8")
        out.note(html)
        if show:
            webbrowser.open(Path(html).resolve().as_uri())
        return
    click.echo(f"{say(TEXTS, 'col.subject', session.lang)}: {out.inert(message.subject)}\n")
    click.echo("\n".join(out.inert(line) for line in message.text.split("\n")))


@alerts.command()
@click.argument("channel")
@common
def test(channel: str, **kw: Any) -> None:
    """Send a test message through a channel, now."""
    session: Session = kw["session"]
    from monitor import daemon

    config = configuration.load(session.config)
    found = next((c for c in config.channels if c.name == channel), None)
    if found is None:
        raise UsageError(f"no channel {channel!r} in {session.config}; there are: {_names(config)}")
    asyncio.run(daemon.send_trial(found, config, configuration.variables(), session.lang))
    out.note(say(TEXTS, "test sent", session.lang, channel=channel))


def _names(config: Any) -> str:
    return ", ".join(c.name for c in config.channels) or "none"


@alerts.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="all failed and dead ones")
@common
def retry(ids: tuple[str, ...], everything: bool, **kw: Any) -> None:
    """Try failed or dead messages again, now."""
    session: Session = kw["session"]
    if not ids and not everything:
        raise click.UsageError("name ids (mubiao alerts list --state dead), or --all")
    from monitor import daemon

    config = configuration.load(session.config)
    with writable(session) as store:
        again = store.retry_alerts(None if everything else ids, datetime.now(UTC))
        tried = asyncio.run(daemon.empty_outbox(store, config, configuration.variables()))
    sent = sum(d.ok for d in tried)
    failed = len(tried) - sent
    out.note(say(TEXTS, "retried", session.lang, n=again, sent=sent, failed=failed))
    if failed:
        raise click.exceptions.Exit(1)
