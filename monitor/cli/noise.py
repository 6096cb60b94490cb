"""`mubiao sources noise`: what was learned from the sites of a source, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from monitor import config as configuration
from monitor.cli import out
from monitor.cli.database import queries, writable
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS
from monitor.model import Config, Noise, Source
from storage.queries import Queries
from storage.store import Store

COLUMNS = ("id", "on", "why", "url", "first_seen", "example")
PREVIEWED = 200  # pages at most


@click.command()
@click.argument("key")
@click.option("--off", metavar="ID", multiple=True, help="stop applying a rule; learning does not switch it on again")
@click.option("--on", metavar="ID", multiple=True, help="apply it again")
@click.option("--forget", metavar="ID", multiple=True, help="as if never learned; it may be learned anew")
@click.option("--forget-all", is_flag=True, help="forget every rule of this source's sites")
@click.option("--preview", is_flag=True, help="the lines that the rules take out of the latest versions")
@out.formats
@common
def noise(key: str, preview: bool, **kw: Any) -> None:
    """Noise learned from a source's site: what, why, since when; shown, switched off and on, forgotten.

    Texts are read again at once from the bodies that were kept: no change, no alert.
    """
    session: Session = kw["session"]
    config = configuration.load(session.config)
    source = config.source(key)
    if source is None:
        raise UsageError(f"{session.config} has no source {key}; run: mubiao sources list")
    wanted = {"off": kw["off"], "on": kw["on"], "forgotten": kw["forget"]}
    if kw["forget_all"] or any(wanted.values()):
        _switch(session, config, source, wanted, everything=kw["forget_all"])
    with queries(session) as db:
        rules = db.noise(key)
        rows = _cut(db, source, rules) if preview else (_row(rule, session.lang) for rule in rules)
        columns = ("id", "version", "url", "line") if preview else COLUMNS
        if not rules and kw["form"] == "table":
            out.note(say(TEXTS, "noise.none", session.lang, name=key))
            return
        shown = {"on": lambda s: say(TEXTS, f"noise.{s}", session.lang), "first_seen": out.local}
        out.rows(rows, columns, kw["form"], session.lang, show=shown)


def _row(rule: Noise, lang: Lang) -> dict[str, Any]:
    why = say(TEXTS, f"noise.{rule.kind}", lang, seen=rule.seen, of=rule.of, pages=rule.pages)
    return {
        "id": rule.id,
        "on": rule.state,
        "kind": rule.kind,
        "host": rule.host,
        "url": rule.page or None,
        "why": why,
        "seen": rule.seen,
        "of": rule.of,
        "pages": rule.pages,
        "first_seen": rule.first_seen,
        "last_seen": rule.last_seen,
        "revision": rule.revision,
        "example": rule.example,
        "rule": dict(rule.rule),
    }


def _switch(
    session: Session, config: Config, source: Source, wanted: dict[str, Sequence[str]], *, everything: bool
) -> None:
    """Change the state of rules, then read every page of their hosts again."""
    from monitor.learning import Learning

    now = datetime.now(UTC)
    with writable(session) as store:
        hosts = store.hosts_of(source.key)
        if everything:
            wanted = {**wanted, "forgotten": [rule.id for rule in store.noise(hosts)]}
        for state, names in wanted.items():
            for rule in store.switch_noise(names, hosts, state):
                out.note(
                    say(
                        TEXTS, "noise.state", session.lang, id=rule.id, state=say(TEXTS, f"noise.{state}", session.lang)
                    )
                )
        learning = Learning(store, configuration.vocabulary())
        n = sum(learning.read_again(s, now) for s in _beside(store, config.sources, hosts))
    out.note(say(TEXTS, "noise.reread", session.lang, n=n))


def _beside(store: Store, sources: Iterable[Source], hosts: Sequence[str]) -> list[Source]:
    """The sources that have pages on these hosts."""
    return [s for s in sources if set(store.hosts_of(s.key)) & set(hosts)]


def _cut(db: Queries, source: Source, rules: Sequence[Noise]) -> Iterable[dict[str, Any]]:
    """What all rules, switched-off ones too, take out of the latest versions."""
    from monitor import learning

    words = configuration.vocabulary()
    active = learning.as_if_on(rules)
    for seen in db.latest(source.key, PREVIEWED):
        if seen.body is None:
            continue
        whole = learning.unlearned(seen.version, seen.body, source, words)
        for rule, line in learning.shown(whole, active, source):
            yield {"id": rule, "version": seen.version.id, "url": seen.version.url, "line": line}
