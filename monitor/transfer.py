"""Documents in and out: files become documents and versions, what is stored becomes files.

Text and HTML are read here, PDF, Word, sheets, OFD and saved pages by `monitor.files`, web archives by
`monitor.captures`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from monitor import assess, captures, files
from monitor.captures import Copied
from monitor.errors import DecodeError, UsageError
from monitor.learning import Learning
from monitor.model import Config, Document, Fetch, Source, TextRules, Vocabulary
from monitor.targets.record import code_of
from monitor.text.clean import clean, plain
from monitor.text.decode import decode
from storage.queries import Queries
from storage.store import Store

IMPORTED = "import://"  # scheme of documents that came from disk: never fetched
REPORTS = "政府工作报告"
HTML = frozenset({".html", ".htm", ".shtml", ".xhtml"})
TEXT = frozenset({".txt", ".text", ".md"})
FILES = frozenset({".pdf", ".docx", ".doc", ".wps", ".rtf", ".xlsx", ".xls", ".et", ".ofd", ".mhtml", ".mht", ".zip"})
PACKED = frozenset({".pdf", ".docx", ".xlsx", ".xls", ".ofd", ".zip", ".et"})  # never text, whatever is inside


def _body(path: Path) -> tuple[bytes, str]:
    """The bytes of a file and its ending, in small letters."""
    if captures.is_archive(path):
        raise UsageError(f"{path}: a web archive holds many documents: mubiao import {path} --source KEY")
    return path.read_bytes(), path.suffix.lower()


def _file(path: Path, body: bytes, rules: TextRules, url: str | None) -> Document:
    """The document in PDF, Word and the like. Raises DecodeError with the file's name."""
    try:
        return files.document(body, url, rules)
    except DecodeError as wrong:
        raise DecodeError(f"{path}: {wrong}") from wrong


def looks_html(text: str) -> bool:
    """A file without a telling name: HTML says so at its beginning."""
    return bool(re.match(r"\s*(?:<!--.*?-->\s*)?<(?:!doctype|html|head|body|meta|\?xml)\b", text[:2000], re.I | re.S))


def document(path: Path, rules: TextRules, *, url: str | None = None) -> Document:
    """The document in one file: text, HTML, or what its bytes say it is.

    Raises UsageError for kinds not there yet, DecodeError for bytes that are no text, OSError for the file.
    """
    body, suffix = _body(path)
    if files.is_file(body):
        return _file(path, body, rules, url)
    decoded = decode(body)
    _refuse_binary(path, decoded.text)
    if suffix in PACKED and not looks_html(decoded.text):
        raise DecodeError(f"{path}: no {suffix[1:].upper()} file, and no other kind that is known")
    if suffix in HTML or (suffix not in TEXT and looks_html(decoded.text)):
        found = clean(decoded.text, url, rules)
    else:
        found = plain(decoded.text, url, rules)
    return replace(found, encoding=decoded.encoding, replacements=decoded.replacements)


def _refuse_binary(path: Path, text: str) -> None:
    if "\0" in text:
        raise DecodeError(f"{path}: no text, but binary data")


def raw_text(path: Path, rules: TextRules) -> tuple[str, Document]:
    """The text that target offsets count in, and the document around it.

    For text files that is the file itself decoded as UTF-8, with its BOM and carriage returns; for HTML, PDF and the
    like it is extract's `text`. Raises what `document` raises.
    """
    body, suffix = _body(path)
    if suffix in HTML | PACKED or files.is_file(body):
        found = document(path, rules)
        return found.text, found
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = decode(body).text
    _refuse_binary(path, text)
    if suffix not in TEXT and looks_html(text):
        found = document(path, rules)
        return found.text, found
    return text, plain(text, None, rules)


# --------------------------------------------------------------------------- files become versions


def import_source(key: str, config: Config | None, *, region: str | None, series: str | None) -> Source:
    """The configured source of this key, or one made for documents from disk, which is never fetched."""
    known = config.source(key) if config else None
    if known is None:
        return Source(key=key, url=f"{IMPORTED}{key}", name=key, region=region, series=series, enabled=False)
    return replace(known, region=region or known.region, series=series or known.series)


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says of a document, over what it says of itself."""

    release: str | None = None
    date: str | None = None  # YYYY-MM-DD
    url: str | None = None


def import_files(
    store: Store,
    source: Source,
    named: Sequence[Path],
    vocabulary: Vocabulary,
    *,
    now: datetime,
    told: Told,
) -> list[dict[str, Any]]:
    """Documents from disk become versions of a source, oldest first; folders are walked.

    Importing a file again changes nothing, so an import that was killed is simply repeated. Nobody is alerted. A file
    that was named and cannot be read stops everything before anything is kept; of a folder it is a row that failed.
    """
    paths = list(_walk(named))
    _moment(told.date, paths[0] if paths else Path())
    archives = [path for path in paths if captures.is_archive(path)]
    if archives and told != Told(url=told.url):
        raise UsageError("--release and --date are for single documents: a web archive says when it saw what")
    copied = copies(store, vocabulary)
    seen = captures.store(store, source, archives, vocabulary, now, told.url, copied) if archives else []
    documents = [path for path in paths if path not in archives]
    if (told.release or told.url) and len(documents) > 1:
        raise UsageError("--release and --url name one document: import them one by one, or let the label be read")
    found, failed = _readable(documents, named, partial(_imported, source=source, words=vocabulary, told=told, now=now))
    if archives and not found:
        return seen + failed
    if not found:
        why = f": {failed[0]['path']}: {failed[0]['why']}" if failed else ": no document among what was named"
        raise UsageError(f"nothing to import{why}")
    source = replace(_located(source, found, vocabulary), release=told.release or source.release)
    store.add_source(source, now)
    with Queries(store.url) as queries:
        in_order = sorted(found, key=lambda x: x.fetch.at)
        done = [_store(store, queries, source, one, vocabulary, copied) for one in in_order]
    return seen + done + failed


def _readable(
    paths: Iterable[Path], named: Sequence[Path], read: Callable[[Path], Imported]
) -> tuple[list[Imported], list[dict[str, Any]]]:
    """What can be read, and rows for the files of folders that cannot. Raises for a file that was named itself."""
    found, failed = list[Imported](), list[dict[str, Any]]()
    for path in paths:
        try:
            found.append(read(path))
        except (DecodeError, UsageError) as wrong:
            if path in named:
                raise
            failed.append({"path": str(path), "result": "failed", "why": str(wrong).removeprefix(f"{path}: ")})
    return found, failed


def copies(store: Store, vocabulary: Vocabulary) -> captures.Copied:
    """What says of an imported document that it repeats one of the same place."""
    with Queries(store.url) as queries:
        regions = {key: row["region"] for key, row in queries.about_sources().items()}
    return partial(Learning(store, vocabulary).as_copy, regions=regions)


@dataclass(frozen=True, slots=True)
class Imported:
    """A file, read as if it had been fetched."""

    path: Path
    fetch: Fetch
    document: Document


def _walk(named: Iterable[Path]) -> Iterator[Path]:
    for path in named:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file())
            yield from (p for p in inside if p.suffix.lower() in HTML | TEXT | FILES or captures.is_archive(p))
        else:
            yield path


def _imported(path: Path, source: Source, words: Vocabulary, told: Told, now: datetime) -> Imported:
    address = told.url or f"{IMPORTED}{source.key}/{path.name}"
    read = replace(document(path, words.text, url=told.url), url=address)
    if not read.paragraphs:
        why = f" ({'; '.join(read.warnings)})" if read.warnings else ""
        raise UsageError(f"{path}: there is no text in it{why}")
    at = _moment(told.date, path) or _moment(read.published, path) or _moment(_delivered(read, source, words), path)
    at = at or now
    return Imported(path, Fetch(address, at, address, status=200, body=path.read_bytes()), read)


def _delivered(read: Document, source: Source, vocabulary: Vocabulary) -> str | None:
    """When an undated document was delivered: the day of its session, else the first day of its year."""
    about = assess.Reader(vocabulary).record(read, source)
    return about.session or (f"{about.year}-01-01" if about.year else None)


def _moment(day: str | None, path: Path) -> datetime | None:
    """Midnight of a day, in UTC."""
    if day is None:
        return None
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError as wrong:
        raise UsageError(f"{path}: {day!r} is no date (2022-01-31)") from wrong


def _located(source: Source, found: Sequence[Imported], vocabulary: Vocabulary) -> Source:
    """A source that was not told its place or series learns them from the documents, if they agree."""
    reader = assess.Reader(vocabulary)
    records = [reader.record(x.document, source) for x in found]
    if source.region is None:
        codes = {code_of(r.place, vocabulary.regions) for r in records if r.place}
        if len(codes) == 1:
            source = replace(source, region=codes.pop())
    if source.series is None and {r.type for r in records} == {"report"}:
        source = replace(source, series=REPORTS)
    return source


def _store(
    store: Store, queries: Queries, source: Source, one: Imported, vocabulary: Vocabulary, copied: Copied
) -> dict[str, Any]:
    """The version that a file became or already was, with what is stored of it. It may be a copy of a watched one."""
    page = store.entry(source.key, one.fetch.url, one.fetch.at)
    known = store.load(page.id)
    reading = assess.Reading(one.fetch, document=one.document, sha256=assess.text_sha256(one.document))
    outcome = assess.conclude(reading, known, source, vocabulary, store.releases(page.id))
    outcome = copied(outcome, source)
    change = replace(outcome.change, baseline=True) if outcome.change else None
    store.save(replace(outcome, change=change))
    if outcome.result == "new" and outcome.record.complete:
        store.recompare(page.id, partial(assess.recompared, vocabulary))
    after = store.load(page.id)
    targets = queries.targets_of(after.page.version) if after.page.version else ()
    return {
        "path": str(one.path),
        "version": after.page.version,
        "result": outcome.result,
        "release": outcome.release or (after.last.release if after.last else None),
        "title": one.document.title,
        "chars": len(one.document.text),
        "targets": sum(t.role == "target" for t in targets),
        "actuals": sum(t.role == "actual" for t in targets),
        "compared_with": change.compared_with if change else None,
        "copy_of": outcome.copy_of,
    }
