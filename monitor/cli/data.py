"""`mubiao import | export | db …`: documents in and out, and care of the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from monitor import config as configuration
from monitor import review, transfer, wire
from monitor.cli import out
from monitor.cli.database import path_of, queries, writable
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--source", "key", required=True, help="key of the source they belong to (made when there is none)")
@click.option("--release", help="label of the release, e.g. 2022; read from the document where left out")
@click.option("--date", metavar="D", help="when the document was published, YYYY-MM-DD")
@click.option("--region", help="GB/T 2260 code, for a source that sources.yaml does not have")
@click.option("--series", help="series, for a source that sources.yaml does not have")
@click.option("--url", help="where the document came from")
@click.option("--json", "as_json", is_flag=True)
@common
def import_(files: tuple[str, ...], key: str, as_json: bool, **kw: Any) -> None:
    """Documents from disk become versions of a source, in order of date."""
    session: Session = kw.pop("session")
    source = _source(session, key, kw.pop("region"), kw.pop("series"))
    words = configuration.vocabulary()
    with writable(session) as store:
        done = transfer.import_files(store, source, [Path(f) for f in files], words, now=datetime.now(UTC), **kw)
    if as_json:
        out.one({"source": key, "imported": done}, "json")
        return
    columns = ("path", "version", "release", "title", "chars", "targets", "actuals", "compared_with")
    out.rows(done, columns, "table", session.lang, empty="nothing")


def _source(session: Session, key: str, region: str | None, series: str | None) -> Any:
    """The configured source, or one made for what is imported."""
    config = None
    if session.config_given or Path(session.config).exists():
        config = configuration.load(session.config)
    return transfer.import_source(key, config, region=region, series=series)


@click.command()
@click.argument("what", type=click.Choice(["changes", "versions", "targets", "panel", "warc"]))
@click.option("--latest", is_flag=True, help="versions: only the newest of each page")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "json", "parquet"]), default="jsonl")
@click.option("--source", "-s")
@click.option("--under", metavar="CODE")
@click.option("--since", metavar="T")
@common
def export(what: str, latest: bool, form: str, **kw: Any) -> None:
    """Data out, to stdout."""
    session: Session = kw.pop("session")
    if what in ("panel", "warc") or form == "parquet":
        raise UsageError(f"export {what if what in ('panel', 'warc') else '--format parquet'} is not there yet")
    since = review.moment(kw.pop("since"))
    with queries(session) as db:
        if what == "changes":
            found = (
                wire.change(c, source=about) for c, about in db.changes(since=since, baseline=True, limit=None, **kw)
            )
        elif what == "versions":
            found = db.versions(latest=latest, since=since, **kw)
        else:
            found = db.targets(since=since, **kw)
        out.rows(found, (), form, session.lang)  # type: ignore[arg-type]


@click.group()
def db() -> None:
    """Care of the database."""


@db.command()
@common
def upgrade(**kw: Any) -> None:
    """Create or migrate the schema; an existing database is copied first."""
    session: Session = kw["session"]
    from storage import migrate

    path_of(session.db).parent.mkdir(parents=True, exist_ok=True)
    with writable(session, migrate=False):
        pass
    out.note(migrate.upgrade(session.db).message)


@db.command()
@click.argument("file", type=click.Path(dir_okay=False))
@common
def backup(file: str, **kw: Any) -> None:
    """A consistent copy, also while a daemon writes."""
    from storage import care

    care.backup(path_of(kw["session"].db), Path(file))
    out.note(file)


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="do not ask")
@common
def restore(file: str, yes: bool, **kw: Any) -> None:
    """Put a backup in place; the database it replaces is kept beside it."""
    session: Session = kw["session"]
    path = path_of(session.db)
    if not yes:
        click.confirm(say(TEXTS, "restore?", session.lang, path=path), abort=True, err=True)
    from storage import care

    kept = care.restore(Path(file), path)
    out.note(say(TEXTS, "restored", session.lang, path=path, kept=kept or "-"))


@db.command()
@click.option("--json", "as_json", is_flag=True)
@common
def check(as_json: bool, **kw: Any) -> None:
    """Hash everything again and report what is damaged."""
    session: Session = kw["session"]
    with queries(session) as q:
        found = list(q.check())
    if as_json:
        out.one({"ok": not found, "findings": found}, "json")
    else:
        for line in found or [say(TEXTS, "db ok", session.lang)]:
            out.note(str(line))
    if found:
        raise click.exceptions.Exit(1)


@db.command()
@click.option("--dry-run", is_flag=True, help="only say what would go")
@click.option("--keep", type=int, help="versions kept for each page")
@click.option("--older-than", metavar="T", help="only versions older than this: 365d")
@click.option("--bodies", is_flag=True, help="raw bodies only; texts and changes stay")
@common
def prune(dry_run: bool, keep: int | None, older_than: str | None, bodies: bool, **kw: Any) -> None:
    """Delete old versions by an explicit rule. Never one that an alert, a comparison or the latest state refers to."""
    session: Session = kw["session"]
    if keep is None and older_than is None:
        raise click.UsageError("everything is kept by default: say --keep N or --older-than T")
    with writable(session) as store:
        report = store.prune(keep=keep, before=review.moment(older_than), bodies=bodies, dry_run=dry_run)
    out.one(report, "json")


@db.command(help="Move a history between databases (not there yet).")
@click.argument("old")
@click.argument("new")
def copy(old: str, new: str) -> None:
    """Later: PostgreSQL."""
    raise UsageError("db copy is not there yet: only SQLite is")
