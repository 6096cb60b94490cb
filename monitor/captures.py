"""Captures of web archives: WARC files become versions of a source, kept bodies become WARC files.

Captures of an address are read in the order of their dates, each as a check of that day. One that is not newer than
what its page was last seen with is passed over: so an import that was killed goes on where it was, and importing again
changes nothing. Nobody is alerted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.timeutils import datetime_to_iso_date
from warcio.warcwriter import WARCWriter

from monitor import assess, files
from monitor.errors import DecodeError, StorageError, UsageError
from monitor.model import Fetch, Outcome, Page, Source, Vocabulary
from storage.queries import Queries
from storage.store import Store

ENDINGS = (".warc", ".warc.gz")
LARGEST = 50_000_000  # bytes of one capture that are read
Copied = Callable[[Outcome, Source], Outcome]  # says of a new document that it repeats an earlier one
_TYPES = {"html": "text/html", "pdf": "application/pdf"}


def is_archive(path: Path) -> bool:
    """Whether the name is that of a WARC file."""
    return path.name.lower().endswith(ENDINGS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a capture stands in its file."""

    at: datetime
    url: str
    path: Path
    offset: int


def store(
    into: Store,
    source: Source,
    paths: Sequence[Path],
    vocabulary: Vocabulary,
    now: datetime,
    url: str | None,
    copied: Copied,
) -> list[dict[str, Any]]:
    """Every readable capture of these files, or of one address in them, as a version; a row for each.

    Raises UsageError, before anything is stored, for a file that is no WARC or has none.
    """
    places = sorted((p for path in paths for p in _places(path, url)), key=lambda p: (p.at, p.path, p.offset))
    if not places:
        raise UsageError("nothing to import: no capture of a page in " + ", ".join(map(str, paths)))
    into.add_source(source, now)
    return [_stored(into, source, place, vocabulary, copied) for place in places]


def _places(path: Path, url: str | None) -> Iterator[Place]:
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        try:
            for record in records:
                target = record.rec_headers.get_header("WARC-Target-URI") if record.rec_headers else None
                if target and _is_page(record) and url in (None, target):
                    yield Place(_moment(record), target, path, records.get_record_offset())
        except ArchiveLoadFailed as wrong:
            why = str(wrong).strip().splitlines()[0]
            raise UsageError(f"{path}: no WARC file, or a damaged one ({why})") from wrong


def _is_page(record: Any) -> bool:
    """A whole answer of the kind that is read, or a resource (a body whose headers nobody kept)."""
    if record.rec_type == "response":
        if record.http_headers is None or record.http_headers.get_statuscode() != "200":
            return False
        kind = record.http_headers.get_header("Content-Type") or "text/html"
    elif record.rec_type == "resource":
        kind = record.rec_headers.get_header("Content-Type") or "text/html"
    else:
        return False
    return not kind.lower().startswith(("image/", "video/", "audio/", "font/", "text/css", "text/javascript")) and (
        "javascript" not in kind and "json" not in kind
    )


def _moment(record: Any) -> datetime:
    word = record.rec_headers.get_header("WARC-Date") or ""
    try:
        return datetime.fromisoformat(word).astimezone(UTC)
    except ValueError as wrong:
        raise UsageError(f"WARC-Date {word!r} is no time") from wrong


def _fetch(place: Place) -> Fetch:
    with place.path.open("rb") as file:
        file.seek(place.offset)
        record = next(iter(ArchiveIterator(file)))
        http = record.http_headers
        headers = {k.lower(): v for k, v in http.headers} if http else {}
        kind = headers.get("content-type") or record.rec_headers.get_header("Content-Type")
        body = record.content_stream().read(LARGEST)
    kept = {"content-type": kind} if kind else {}
    return Fetch(place.url, place.at, place.url, status=200, headers=kept, body=body)


def _stored(into: Store, source: Source, place: Place, vocabulary: Vocabulary, copied: Copied) -> dict[str, Any]:
    page = into.entry(source.key, place.url, place.at)
    row = {"path": str(place.path), "url": place.url, "at": place.at, "version": page.version}
    if page.last_good is not None and page.last_good >= place.at:
        return row | {"result": "known"}
    return row | keep(into, source, page, _fetch(place), vocabulary, copied)


def keep(
    into: Store, source: Source, page: Page, fetch: Fetch, vocabulary: Vocabulary, copied: Copied
) -> dict[str, Any]:
    """A capture as the next version of its page: `version`, `result`, and what is to be said of it."""
    known, row = into.load(page.id), {"version": page.version}
    try:
        if files.is_file(fetch.body):
            document = replace(files.document(fetch.body, fetch.url, vocabulary.text), url=fetch.url)
            reading = assess.Reading(fetch, document=document, sha256=assess.text_sha256(document))
        else:
            reading = assess.read(fetch, replace(source, kind="page"), page, vocabulary.text)
    except DecodeError as wrong:
        return row | {"result": "failed", "why": str(wrong)}
    outcome = assess.conclude(reading, known, source, vocabulary, into.releases(page.id))
    if outcome.failure is not None:  # what was no page then is none now: nothing of it is kept
        return row | {"result": "failed", "why": f"{outcome.failure.error}: {outcome.failure.detail}"}
    outcome = copied(outcome, source)
    change = replace(outcome.change, baseline=True) if outcome.change else None
    into.save(replace(outcome, change=change, next_due=None))
    title = reading.document.title if reading.document else None
    stored = {"version": into.load(page.id).page.version, "copy_of": outcome.copy_of}
    return row | stored | {"result": outcome.result, "title": title}


# --------------------------------------------------------------------------- out


def write(ask: Queries, names: Iterable[str], out: IO[bytes]) -> tuple[int, int]:
    """The kept bodies of these versions as gzipped WARC records of type resource: how many, and how many had none.

    `resource`, because the headers they came with are not kept; the date is when each was seen. What is damaged is left
    out and named in `ask.unread`.
    """
    writer = WARCWriter(out, gzip=True)
    written = without = 0
    for name in names:
        try:
            body = ask.raw(name)
            version = ask.version(name) if body is not None else None
        except StorageError as wrong:
            ask.unread.append(str(wrong))
            continue
        if body is None or version is None:
            without += 1
            continue
        found = version.document.file
        kind = _TYPES.get(found.type, "application/octet-stream") if found else "text/html"
        if found is None and version.document.encoding:
            kind += f"; charset={version.document.encoding}"
        headers = {"WARC-Date": datetime_to_iso_date(version.at.replace(tzinfo=None)), "X-Mubiao-Version": version.id}
        record = writer.create_warc_record(
            version.url,
            "resource",
            payload=io.BytesIO(body),
            length=len(body),
            warc_content_type=kind,
            warc_headers_dict=headers,
        )
        writer.write_record(record)
        written += 1
    return written, without
