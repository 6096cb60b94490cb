"""`mubiao extract`: clean text of pages, without storing anything."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from monitor import transfer, wire
from monitor.cli import out
from monitor.cli.session import Session, common
from monitor.config import vocabulary
from monitor.errors import MubiaoError, UsageError
from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Document

GARBAGE = 50_000  # new objects between two collections: a page makes thousands of short-lived ones, and no cycles


def _inputs(files: tuple[str, ...], url: str | None, batch: str | None) -> Iterator[tuple[str, str | None]]:
    """(path, url) of everything to read, in order."""
    for name in files:
        yield name, url
    if batch is None:
        return
    try:
        text = sys.stdin.read() if batch == "-" else Path(batch).read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        raise UsageError(f"{batch}: not UTF-8") from wrong
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            path, address = str(row["path"]), row.get("url")
        except (ValueError, KeyError, TypeError) as wrong:
            raise UsageError(f'{batch}:{number}: not a JSON object with "path" ({wrong})') from wrong
        yield path, address


def _read(path: str, url: str | None) -> tuple[Document, str | None]:
    """The document of a file, or an empty one and why: one bad page does not end a batch."""
    try:
        return transfer.document(Path(path), vocabulary().text, url=url), None
    except OSError as wrong:
        return Document(url=url, kind="error"), f"{path}: {wrong.strerror or wrong}"
    except MubiaoError as wrong:
        return Document(url=url, kind="error"), str(wrong)


def _print(document: Document, session: Session, *, explain: bool) -> None:
    for key in ("kind", "title", "published", "published_meta", "publisher", "author", "encoding"):
        value = getattr(document, key)
        if value:
            out.note(f"{say(TEXTS, f'col.{key}', session.lang)}: {value}")
    for step in (*document.warnings, *(document.explain if explain else ())):
        out.note(f"· {step}")
    for paragraph in document.paragraphs:
        click.echo(out.inert(paragraph))


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--url", help="the address the file came from: resolves links, helps with dates")
@click.option("--explain", is_flag=True, help="say which container was taken, why, and what was cut")
@click.option("--jsonl", is_flag=True, help="one JSON object a line, also for a file that failed")
@click.option("--batch", metavar="LIST", help='read JSON lines {"path","url"} from a file or - and answer all')
@common
def extract(files: tuple[str, ...], url: str | None, explain: bool, jsonl: bool, batch: str | None, **kw: Any) -> None:
    """The main text of HTML or text files, without site chrome."""
    session: Session = kw["session"]
    if not files and batch is None:
        raise click.UsageError("name a FILE, or --batch LIST")
    gc.freeze()
    gc.set_threshold(GARBAGE)
    failed = False
    for path, address in _inputs(files, url, batch):
        document, error = _read(path, address)
        failed = failed or error is not None
        if jsonl:
            row = wire.extracted(document, path=path, error=error)
            if explain:
                row["explain"] = list(document.explain)
            click.echo(wire.dump(row))
        elif error:
            out.note(error)
        else:
            _print(document, session, explain=explain)
    if failed:
        raise click.exceptions.Exit(1)
