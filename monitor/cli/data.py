"""`mubiao import | export | db …`: documents in and out, and care of the database."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import click

from monitor import config as configuration
from monitor import wire
from monitor.cli import out
from monitor.cli.database import clustered, path_of, queries, writable
from monitor.cli.session import Session, common
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.review import asking
from monitor.review import changes as events
from storage import retention
from storage.filters import Filter
from storage.retention import Retention


@click.command("import")
@click.argument("files", nargs=-1, type=click.Path(exists=True))
@click.option("--source", "key", required=True, help="key of the source they belong to (made when there is none)")
@click.option("--release", help="label of the release, e.g. 2022; read from the document where left out")
@click.option("--date", metavar="D", help="when the document was published, YYYY-MM-DD")
@click.option("--region", help="GB/T 2260 code, for a source that sources.yaml does not have")
@click.option("--series", help="series, for a source that sources.yaml does not have")
@click.option("--url", help="where the document came from")
@click.option("--captures", "addresses", multiple=True, metavar="URL", help="this page's captures in a web archive")
@click.option("--cdx", "server", metavar="URL", help="the archive's list of captures  [default: web.archive.org]")
@click.option("--since", metavar="D", help="captures from this day on, YYYY-MM-DD")
@click.option("--until", metavar="D", help="captures up to this day")
@click.option("--json", "as_json", is_flag=True)
@common
def import_(files: tuple[str, ...], key: str, as_json: bool, **kw: Any) -> None:
    """Documents from disk or captures of a web archive become versions of a source, in order of date."""
    session: Session = kw.pop("session")
    if not re.fullmatch(r"[\w.-]+", key):
        raise click.UsageError(f"--source {key!r} is no key: letters, digits, - _ . and no blank")
    addresses, server, since, until = (kw.pop(name) for name in ("addresses", "server", "since", "until"))
    if not files and not addresses:
        raise click.UsageError("name files, or a page with --captures URL")
    if (server or since or until) and not addresses:
        raise click.UsageError("--cdx, --since and --until go with --captures URL")
    from monitor import transfer

    source = _source(session, key, kw.pop("region"), kw.pop("series"))
    words = configuration.vocabulary()
    done: list[dict[str, Any]] = []
    with writable(session) as store:
        if files:
            done += transfer.import_files(
                store, source, [Path(f) for f in files], words, now=datetime.now(UTC), told=transfer.Told(**kw)
            )
        for address in addresses:
            done += _captured(session, store, source, address, {"server": server, "since": since, "until": until})
    if as_json:
        out.one({"source": key, "imported": done}, "json")
    else:
        captured = ("at", "version", "result", "title", "why", "path")
        of_files = (
            "path",
            "version",
            "result",
            "release",
            "title",
            "chars",
            "targets",
            "actuals",
            "compared_with",
            "why",
        )
        columns = of_files if files else captured
        out.rows(done, columns, "table", session.lang, show={"at": out.local} if addresses else None, empty="nothing")
    # an archive on disk keeps bad answers too, each at its time: that is no trouble of the import
    if any(row["result"] == "failed" and (addresses or "at" not in row) for row in done):
        raise click.exceptions.Exit(1)


def _captured(
    session: Session, store: Any, source: Any, address: str, given: dict[str, str | None]
) -> list[dict[str, Any]]:
    """The captures of one page, with a bar; what was kept stays where it is interrupted."""
    from monitor import transfer, wayback
    from monitor.cli.steps import gauge
    from monitor.fetch.client import Fetcher
    from monitor.model import Network

    config = _config(session)
    words = configuration.vocabulary()
    asked = wayback.Asked(address, **{name: word for name, word in given.items() if word is not None})

    async def bring() -> list[dict[str, Any]]:
        fetcher = Fetcher(config.network if config else Network())
        archive = wayback.Archive(store, source, fetcher, words, transfer.copies(store, words))
        try:
            with gauge(session.lang, "captures") as step:
                return await archive.bring(asked, config, datetime.now(UTC), step)
        finally:
            await fetcher.aclose()

    return asyncio.run(bring())


def _config(session: Session) -> Any:
    """sources.yaml, None where there is none and none was named."""
    if session.config_given or Path(session.config).exists():
        return configuration.load(session.config)
    return None


def _source(session: Session, key: str, region: str | None, series: str | None) -> Any:
    """The configured source, or one made for what is imported."""
    from monitor import transfer

    return transfer.import_source(key, _config(session), region=region, series=series)


@click.command()
@click.argument("what", type=click.Choice(["changes", "versions", "targets", "panel", "warc"]))
@click.option("--latest", is_flag=True, help="versions, warc: only the newest of each page")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "json", "parquet"]), default="jsonl")
@click.option("--bom", is_flag=True, help="csv: begin with a byte order mark, without which Excel takes it for GBK")
@click.option("--out", "-o", "file", type=click.Path(dir_okay=False), help="a file; its data dictionary beside it")
@click.option("--source", "-s")
@click.option("--under", metavar="CODE")
@click.option("--since", metavar="T")
@common
def export(what: str, form: str, bom: bool, file: str | None, **kw: Any) -> None:
    """Data out: tables, the panel of targets and results, or the kept bodies as WARC."""
    session: Session = kw.pop("session")
    from monitor import captures, dataset

    if bom and (form != "csv" or what == "warc"):
        raise UsageError("--bom is for --format csv")
    latest = kw["latest"]
    asked = Filter(
        source=kw["source"],
        under=kw["under"],
        since=asking.moment(kw["since"]),
        baseline=True,
        all_releases=not latest,
    )
    with queries(session) as ask:
        ask.require_source(kw["source"])
        if what == "warc":
            with _binary(file) as out_file:
                written, without = captures.write(ask, ask.names(asked, latest=latest), out_file)
            out.note(say(TEXTS, "warc written", session.lang, written=written, without=without))
            return
        found = (
            dataset.panel(ask.targets(asked)) if what == "panel" else events.exported(ask, what, asked, latest=latest)
        )
        if form == "parquet":
            rows = [out.plain(row) for row in found]
            with _binary(file) as out_file:
                _parquet().write(rows, dataset.PANEL if what == "panel" else (), out_file)
        elif file is not None:
            rows = [out.plain(row) for row in found]
            with _text(file) as text, redirect_stdout(text):
                click.echo(BOM * bom, nl=False)
                out.rows(rows, dataset.PANEL if what == "panel" else (), _SHAPES[form], session.lang)
            rows = [out.flat(row) for row in rows] if form == "csv" else rows  # what the columns of the file are
        else:
            click.echo(BOM * bom, nl=False)
            out.rows(found, dataset.PANEL if what == "panel" else (), _SHAPES[form], session.lang)
            return
    if file is not None:
        told = f"{file}.dictionary.json"
        with _text(told) as text:
            text.write(f"{wire.dump(dataset.dictionary(what, rows, session.lang), indent=2)}\n")
        out.note(f"{file}  {told}")


BOM = "\ufeff"
_SHAPES: dict[str, out.Format] = {"jsonl": "jsonl", "csv": "csv", "json": "json"}


@contextmanager
def _binary(file: str | None) -> Iterator[IO[bytes]]:
    """The file, whole or not there; or stdout, unless a person would see the bytes."""
    if file is None:
        if sys.stdout.isatty():
            raise click.UsageError("this is no text: name a file with --out, or redirect stdout")
        yield sys.stdout.buffer
        return
    part = Path(f"{file}.part")
    try:
        with part.open("wb") as opened:
            yield opened
        part.replace(file)
    except OSError as wrong:  # a full disk does not say of which file
        raise OSError(wrong.errno, wrong.strerror, wrong.filename or file) from wrong
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _text(file: str) -> Iterator[IO[str]]:
    """The same for UTF-8; half a character is written as its code."""
    with _binary(file) as opened:
        written = TextIOWrapper(opened, "utf-8", "backslashreplace", newline="")
        yield written
        written.flush()


def _parquet() -> Any:
    try:
        from monitor import parquet
    except ImportError as wrong:
        raise UsageError("--format parquet needs an extra: pip install 'mubiao[parquet]'") from wrong
    return parquet


@click.group()
def db() -> None:
    """Care of the database."""


@db.command()
@common
def upgrade(**kw: Any) -> None:
    """Create or migrate the schema; an existing database is copied first."""
    session: Session = kw["session"]
    from monitor.cli.steps import gauge
    from storage import migrate
    from storage.database import shown, sqlite_path

    with gauge(session.lang, "upgrading") as told:
        saved = migrate.upgrade(session.db, datetime.now(UTC), told)
    if sqlite_path(session.db) is None:
        clustered(session.db)
    out.note(say(TEXTS, "upgraded", session.lang, path=shown(session.db), saved=saved or "-"))


@db.command()
@click.argument("file", type=click.Path(dir_okay=False))
@common
def backup(file: str, **kw: Any) -> None:
    """A consistent copy, also while a daemon writes."""
    from storage import care

    size = care.backup(kw["session"].db, Path(file))
    out.note(f"{file}  {size / 1e6:.1f} MB")


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

    kept = care.restore(session.db, Path(file), datetime.now(UTC))
    out.note(say(TEXTS, "restored", session.lang, path=path, kept=kept or "-"))


@db.command()
@click.option("--json", "as_json", is_flag=True)
@click.option("--repair", is_flag=True, help="mend what can be, after a copy was set aside; then report what cannot")
@common
def check(as_json: bool, repair: bool, **kw: Any) -> None:
    """Hash everything again and report what is damaged."""
    session: Session = kw["session"]
    from monitor.cli.steps import gauge
    from storage import care, mending

    saved, mended = None, []
    with gauge(session.lang, "checking") as told:
        if repair:
            saved, good_again, left = mending.repair(session.db, datetime.now(UTC), told)
            mended, found = [asdict(x) for x in good_again], [asdict(x) for x in left]
        else:
            found = [asdict(x) for x in care.check(session.db, told)]
    if as_json:
        more = {"mended": mended, "copy": str(saved) if saved else None} if repair else {}
        out.one({"ok": not found, "findings": found, **more}, "json")
    for x in () if as_json else mended:
        out.note(say(TEXTS, "mended", session.lang, **x))
    if saved and not as_json:
        out.note(say(TEXTS, "repair copy", session.lang, saved=saved))
    for x in () if as_json else found:
        out.note(f"{x['what']}: {x['subject']}: {x['detail']}")
    if not found and not as_json:
        out.note(say(TEXTS, "db ok", session.lang))
    if found:
        raise click.exceptions.Exit(1)


@db.command()
@click.option("--dry-run", is_flag=True, help="only say what would go")
@click.option("--keep", type=click.IntRange(1), help="versions kept for each page")
@click.option("--older-than", metavar="D", help="only versions older than this: 365d")
@click.option("--bodies", metavar="D", help="raw bodies older than this; texts and changes stay")
@click.option("--source", "-s", help="only of this one")
@common
def prune(dry_run: bool, keep: int | None, source: str | None, **kw: Any) -> None:
    """Thin out now: by what sources.yaml keeps of each source, or by the rule given here.

    Never a version that an alert, a comparison, a moved target or the latest state refers to.
    """
    session: Session = kw["session"]
    age, bodies = (asking.span(kw[k]) for k in ("older_than", "bodies"))
    if keep is None and age is None and bodies is None:
        rules = [r for r in _configured(session) if source in (None, r.source)]
        if not rules:
            raise click.UsageError(
                "everything is kept: say --keep N, --older-than D or --bodies D, or keep: in a source"
            )
    else:
        rules = [Retention(versions=keep, age=age, bodies=bodies, source=source)]
    with writable(session) as store:
        gone = asdict(store.prune(rules, datetime.now(UTC), dry_run=dry_run))
    by_source = [{"source": key, "versions": n, "bodies": m} for key, n, m in gone["sources"]]
    out.one({"dry_run": dry_run, **gone, "sources": by_source}, "json")


def _configured(session: Session) -> list[Retention]:
    """The rules of sources.yaml, where there is one."""
    config = _config(session)
    return retention.rules(config.sources) if config is not None else []


@db.command()
@click.argument("old", metavar="SQLITE")
@click.argument("new", metavar="POSTGRES")
@click.option("--json", "as_json", is_flag=True)
@common
def copy(old: str, new: str, as_json: bool, **kw: Any) -> None:
    """Move a history into another, empty database: all of it, read back and compared, or nothing."""
    session: Session = kw["session"]
    from monitor.cli.steps import gauge
    from storage import copying
    from storage.database import shown

    with gauge(session.lang, "copying") as told:
        counts = copying.copy(old, new, datetime.now(UTC), told)
    if as_json:
        out.one({"old": shown(old), "new": shown(new), "rows": counts}, "json")
    else:
        out.note(say(TEXTS, "copied", session.lang, rows=sum(counts.values()), old=shown(old), new=shown(new)))
