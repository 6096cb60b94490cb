"""`mubiao alerts …`: the outbox, a look at a message before it goes, a test, another try."""

from __future__ import annotations

import asyncio
import tempfile
import webbrowser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from monitor import config as configuration
from monitor import wire
from monitor.cli import out
from monitor.cli.checking import nearest
from monitor.cli.database import order, queries, writable
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Channel, Config
from monitor.review import changes as events
from monitor.times import duration, moment
from storage.database import daemon_pid


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
@click.argument("ref", metavar="[SOURCE|CHANGE]", required=False)
@click.option("--channel", help="a channel of sources.yaml; without a source: the digest that waits for it")
@click.option("--html", metavar="FILE", help="write the HTML part")
@click.option("--open", "show", is_flag=True, help="write the HTML part and open it in a browser")
@common
def preview(ref: str | None, channel: str | None, html: str | None, show: bool, **kw: Any) -> None:
    """Render the last change of a source, one change, or the digest that waits for a channel, without sending it."""
    session: Session = kw["session"]
    if ref is None and channel is None:
        raise click.UsageError("name a source or a change, or --channel for the digest that waits for it")
    from alerts.render import render, sandboxed

    config = configuration.load(session.config)
    templates = sandboxed(config.templates) if config.templates else None
    if channel:
        _known(channel, config, session)
    with queries(session) as db:
        if ref is not None:
            alert = events.last_alert(db, ref, channel or "preview", session.lang)
        else:
            alert = events.next_digest(db, str(channel), datetime.now(UTC))
    message = render(alert, lang=session.lang if ref is not None else alert.lang, templates=templates)
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
    asyncio.run(daemon.send_trial(_known(channel, config, session), config, configuration.variables(), session.lang))
    out.note(say(TEXTS, "test sent", session.lang, channel=channel))


def _known(name: str, config: Config, session: Session) -> Channel:
    """The channel of this name. Raises UsageError that names those there are."""
    found = next((c for c in config.channels if c.name == name), None)
    if found is None:
        names = ", ".join(c.name for c in config.channels) or "none"
        raise UsageError(f"no channel {name!r} in {session.config}; there are: {names}")
    return found


@alerts.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="all failed and dead ones")
@common
def retry(ids: tuple[str, ...], everything: bool, **kw: Any) -> None:
    """Try failed or dead messages again, now."""
    session: Session = kw["session"]
    if not ids and not everything:
        raise click.UsageError("name ids (mubiao alerts list --state dead), or --all")
    wanted = None if everything else list(ids)
    if daemon_pid(session.db) is not None:  # it sends what is due within seconds
        again = order(session, "retry", ids=wanted)["retried"]
        out.note(say(TEXTS, "retry handed over", session.lang, n=again))
        return
    from monitor import daemon

    config = configuration.load(session.config)
    with writable(session) as store:
        again = store.retry_alerts(wanted, datetime.now(UTC))
        tried = asyncio.run(daemon.empty_outbox(store, config, configuration.variables()))
    sent = sum(d.ok for d in tried)
    failed = len(tried) - sent
    out.note(say(TEXTS, "retried", session.lang, n=again, sent=sent, failed=failed))
    if failed:
        raise click.exceptions.Exit(1)


@alerts.command()
@out.formats
@common
def channels(**kw: Any) -> None:
    """The channels: what waits, when each was last heard of, and which are off."""
    session, form = kw.pop("session"), kw.pop("form")
    config = configuration.load(session.config)
    with queries(session) as db:
        found = db.channels([c.name for c in config.channels])
    kinds = {c.name: c.type for c in config.channels}
    rows = [{"channel": name, "type": kinds.get(name), **row} for name, row in found.items()]
    columns = ("channel", "type", "state", "waiting", "dead", "last_sent", "why")
    shown = {
        "last_sent": out.local,
        "state": lambda s: say(TEXTS, f"channel.{s}", session.lang),
    }
    out.rows([out.plain(row) for row in rows], columns, form, session.lang, show=shown, empty="no channels")


@alerts.command()
@click.argument("channel")
@common
def enable(channel: str, **kw: Any) -> None:
    """Use a channel again that was turned off, with all its recipients; what waited for it goes out."""
    session: Session = kw["session"]
    _known(channel, configuration.load(session.config), session)
    done = order(session, "enable", channel=channel)["enabled"]
    out.note(say(TEXTS, "enabled" if done else "was not off", session.lang, channel=channel))


@alerts.command()
@click.argument("source", required=False)
@click.option("--url", help="one page of it")
@click.option("--indicator", help="name or id; a change is muted only if nothing else moved with it")
@click.option("--channel", help="only there")
@click.option("--for", "span", metavar="DURATION", help="like 12h or 7d; without it until `unmute`")
@click.option("--until", metavar="TIME", help="like 2026-03-01")
@click.option("--why", help="shown by `muted`")
@common
def mute(span: str | None, until: str | None, **kw: Any) -> None:
    """Tell nobody about a source, a page or an indicator for a while. What is muted stays on record."""
    session: Session = kw.pop("session")
    if span and until:
        raise click.UsageError("--for and --until exclude each other")
    config = configuration.load(session.config)
    if kw["source"] and config.source(kw["source"]) is None:
        raise UsageError(f"no source {kw['source']!r} in {session.config}{nearest(kw['source'], config)}")
    if kw["channel"]:
        _known(kw["channel"], config, session)
    now = datetime.now(UTC)
    end = moment(until, now) if until else now + _span(span) if span else None
    done = order(session, "mute", until=wire.time(end), **kw)
    out.note(say(TEXTS, "muted", session.lang, id=done["id"], until=out.local(done["until"]) or "…"))


def _span(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as wrong:
        raise click.BadParameter(f"{wrong} (like 12h or 7d)", param_hint="--for") from wrong


@alerts.command()
@out.formats
@common
def muted(**kw: Any) -> None:
    """What is muted now, and until when."""
    session, form = kw.pop("session"), kw.pop("form")
    with queries(session) as db:
        found = [wire.mute(row) for row in db.mutes(datetime.now(UTC))]
    columns = ("id", "source", "url", "indicator", "channel", "until", "why")
    out.rows(found, columns, form, session.lang, show={"until": out.local}, empty="nothing muted")


@alerts.command()
@click.argument("ids", nargs=-1, required=True)
@common
def unmute(ids: tuple[str, ...], **kw: Any) -> None:
    """End these mutes."""
    done = order(kw["session"], "unmute", ids=list(ids))["unmuted"]
    out.note(say(TEXTS, "unmuted", kw["session"].lang, n=done))
    if done < len(set(ids)):
        raise click.exceptions.Exit(1)


@alerts.command()
@click.argument("ids", nargs=-1, required=True)
@common
def ack(ids: tuple[str, ...], **kw: Any) -> None:
    """Say that somebody has seen to these: what still waits about the same changes is not sent."""
    done = order(kw["session"], "acknowledge", ids=list(ids))["acknowledged"]
    out.note(say(TEXTS, "acknowledged", kw["session"].lang, n=done))
