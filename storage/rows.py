"""Rows into the types of monitor.model and back. Nothing here touches a database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, cast, get_args
from urllib.parse import urlsplit

import zstandard
from sqlalchemy import Row as SQLRow

from monitor.errors import StorageError, UsageError
from monitor.model import (
    Alert,
    Attachment,
    Change,
    ChangeKind,
    Document,
    Edit,
    Failure,
    File,
    Link,
    Page,
    Record,
    Source,
    Target,
    TargetChange,
    Version,
)
from storage import items
from storage.packed import unpack
from storage.tables import AlertRow, ChangeRow, PageRow, SourceRow, VersionRow

KINDS: tuple[str, ...] = get_args(ChangeKind)
_PACK = zstandard.ZstdCompressor(level=3, write_checksum=True)

# --------------------------------------------------------------------------- names that people see


def version_id(number: int | None) -> str | None:
    """12 -> "v12"."""
    return None if number is None else f"v{number}"


def change_id(number: int | None) -> str | None:
    """34 -> "c34"."""
    return None if number is None else f"c{number}"


def is_number(text: str) -> bool:
    """Whether these are the digits of an id: nothing longer fits a column of the database."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def number(name: str | None) -> int | None:
    """ "v12" or "c34" -> the number. Raises UsageError for what is neither."""
    if name is None:
        return None
    if name[:1] in {"v", "c"} and is_number(name[1:]):
        return int(name[1:])
    raise UsageError(f"not the id of a version or change: {name}")


def host_of(url: str) -> str:
    """What politeness counts as one host: the name, with its port unless it is 80 or 443. Same as fetch's host_key.

    A broken address is a host of its own.
    """
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:  # UnicodeError is one
        return url
    name = f"[{name}]" if ":" in name else name
    return name if port in {None, 80, 443} else f"{name}:{port}"


# --------------------------------------------------------------------------- sources and pages


def duration(value: timedelta) -> str:
    """A duration as sources.yaml spells it: 90s, 30m, 6h, 14d."""
    seconds = int(value.total_seconds())
    for word, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{word}"
    return f"{seconds}s"


def settings(source: Source) -> dict[str, Any]:
    """The keys of a source that have no column, spelled as in sources.yaml."""
    out: dict[str, Any] = {}
    for item in fields(source):
        value = getattr(source, item.name)
        if item.name in _SOURCE_COLUMNS or value == item.default:
            continue
        out[item.name] = _spelled(item.name, value)
    return out


_SOURCE_COLUMNS = frozenset({"key", "name", "kind", "url", "region", "series", "tags", "enabled"})


def _spelled(name: str, value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration(value)
    if name == "season":
        return {"months": sorted(value.months), "every": duration(value.every)}
    if name == "recheck":
        return f"{duration(value.young)} for {duration(value.young_for)}, then {duration(value.old)}"
    if name == "adapt":
        return f"{duration(value.shortest)} to {duration(value.longest)}"
    if name in {"fields", "keep"}:
        parts = {item.name: getattr(value, item.name) for item in fields(value)}
        return {key: _spelled(key, part) for key, part in parts.items() if part is not None}
    if name == "links":
        return {"include": list(value.include), "exclude": list(value.exclude)}
    if isinstance(value, tuple):
        return [duration(x) if isinstance(x, timedelta) else x for x in value]
    return value


def fill_source(row: SourceRow, source: Source) -> None:
    """Write the configuration of a source into its row."""
    row.name, row.kind, row.url = source.name, source.kind, source.url
    row.region, row.series, row.tags = source.region, source.series, list(source.tags)
    row.settings, row.enabled, row.in_config, row.gone_at = settings(source), source.enabled, True, None


_PAGE_FIELDS = tuple(f.name for f in fields(Page) if f.name not in {"failure", "version", "id"})


def page(row: PageRow | SQLRow[Any]) -> Page:
    """A page as everybody else knows it."""
    assert row.id is not None
    failure = Failure(row.error, row.detail or "", row.status) if row.error else None
    plain = {name: getattr(row, name) for name in _PAGE_FIELDS}
    return Page(id=row.id, version=version_id(row.version), failure=failure, **plain)


# --------------------------------------------------------------------------- documents and versions

_DOCUMENT_SHORT = ("url", "kind", "published_meta", "publisher", "author", "column", "site_code", "parts")


def short_fields(document: Document, url: str) -> dict[str, Any]:
    """The fields of a document that have no column, where they differ from nothing and from its page's address."""
    return {
        name: value
        for name in _DOCUMENT_SHORT
        if (value := getattr(document, name)) and not (name == "url" and value == url)
    }


def lists(document: Document) -> bytes | None:
    """Links, attachments and warnings as bytes, None when there are none."""
    data: dict[str, Any] = {}
    if document.links:
        data["links"] = [[x.url, x.text, x.date] for x in document.links]
    if document.attachments:
        data["attachments"] = [[x.url, x.name, x.type] for x in document.attachments]
    if document.file:
        data["file"] = [document.file.type, document.file.sha256, document.file.size, document.file.pages]
    if document.warnings:
        data["warnings"] = list(document.warnings)
    if any("\n" in p for p in document.paragraphs):
        data["lengths"] = [len(p) for p in document.paragraphs]
    return (
        json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") if data else None
    )


def document(row: VersionRow, url: str, text: str, listed: bytes | None) -> Document:
    """The document of a version, from its row, the address of its page, its text and the bytes of `lists`."""
    data = json.loads(listed) if listed else {}
    short = {"url": url, **row.document}
    short["explain"] = tuple(short.get("explain", ()))
    return Document(
        title=row.title,
        published=row.published,
        encoding=row.encoding,
        replacements=row.replacements,
        paragraphs=paragraphs(text, row.paragraphs, data.get("lengths")),
        links=tuple(Link(*x) for x in data.get("links", ())),
        attachments=tuple(Attachment(*x) for x in data.get("attachments", ())),
        file=File(*data["file"]) if "file" in data else None,
        warnings=tuple(data.get("warnings", ())),
        **short,
    )


def paragraphs(text: str, count: int, lengths: list[int] | None) -> tuple[str, ...]:
    """The paragraphs of a kept text; `lengths` is given where one of them holds a line feed."""
    if count == 0:
        return ()
    if lengths is None:
        return tuple(text.split("\n"))
    out, at = [], 0
    for length in lengths:
        out.append(text[at : at + length])
        at += length + 1
    return tuple(out)


def plain_record(value: Record) -> dict[str, Any]:
    """A Record as JSON, defaults left out."""
    return {f.name: v for f in fields(Record) if (v := getattr(value, f.name)) != f.default}


def told_record(data: dict[str, Any]) -> dict[str, Any]:
    """A stored Record whole, as JSON."""
    return {f.name: data.get(f.name, f.default) for f in fields(Record)}


def record(data: dict[str, Any]) -> Record:
    """The reverse of `plain_record`."""
    return Record(**data)


def version(row: VersionRow, source: str, url: str, content: Document) -> Version:
    """A version as everybody else knows it."""
    return Version(
        id=f"v{row.id}",
        source=source,
        url=url,
        at=row.at,
        document=content,
        release=row.release,
        record=record(row.record),
        sha256=row.sha256,
        fingerprint=row.fingerprint,
        raw_sha256=row.raw_sha256,
        copy_of=version_id(row.copy_of),
    )


# --------------------------------------------------------------------------- changes

_EDIT = ("op", "old", "new", "old_paragraph", "paragraph")


def change_body(event: Change) -> bytes:
    """Edits and target changes, compressed.

    In GB18030 behind a mark, which says Chinese in two bytes a character: a fifth less of what is that short. A stray
    surrogate is not in it: then it is UTF-8.
    """
    data = {
        "edits": [[getattr(e, name) for name in _EDIT] for e in event.edits],
        "targets": [_plain_target_change(t) for t in event.targets],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        return _GB + _PACK.compress(text.encode("gb18030"))
    except UnicodeEncodeError:
        return _PACK.compress(text.encode("utf-8", "surrogatepass"))


_GB = b"g"  # zstandard's own first byte is another


def _plain_target_change(line: TargetChange) -> dict[str, Any]:
    out = {f.name: getattr(line, f.name) for f in fields(TargetChange)}
    for side in ("before", "after"):
        out[side] = items.plain(out[side]) if out[side] is not None else None
    return out


def _target_change(data: dict[str, Any]) -> TargetChange:
    sides = {side: Target(**data[side]) if data[side] else None for side in ("before", "after")}
    return TargetChange(**{**data, **sides, "flags": tuple(data["flags"])})


def body(data: bytes, of: int | None) -> tuple[tuple[Edit, ...], tuple[TargetChange, ...]]:
    """The reverse of `change_body`. Raises StorageError, naming the change `of`, for bytes that are damaged."""
    if not data:
        return (), ()
    try:
        gb = data.startswith(_GB)
        plain = json.loads(unpack(data[1:]).decode("gb18030") if gb else unpack(data))
        return tuple(Edit(*e) for e in plain["edits"]), tuple(_target_change(t) for t in plain["targets"])
    except (zstandard.ZstdError, ValueError, LookupError, TypeError) as wrong:  # a sum may miss what is no JSON of ours
        raise StorageError(f"the change c{of} is damaged ({wrong}); run: mubiao db check") from wrong


def require_kind(word: str | None, name: str | None) -> None:
    """Raises StorageError, naming whose it is, where no change is of this kind."""
    if word is not None and word not in KINDS:
        raise StorageError(f"the kind of {name}, {word!r}, is damaged; run: mubiao db check")


def change(row: ChangeRow, url: str, *, whole: bool = True) -> Change:
    """A change as everybody else knows it; without its edits and targets unless `whole`. Raises StorageError."""
    require_kind(row.kind, change_id(row.id))
    edits, targets = body(row.body, row.id) if whole else ((), ())
    return Change(
        kind=cast(Any, row.kind),
        at=row.at,
        source=row.source,
        url=url,
        title=row.title,
        id=f"c{row.id}",
        old_version=version_id(row.old_version),
        new_version=version_id(row.new_version),
        compared_with=version_id(row.compared_with),
        compared_release=row.compared_release,
        release=row.release,
        significance=row.significance,
        reasons=tuple(row.reasons),
        added=row.added,
        deleted=row.deleted,
        edits=edits,
        targets=targets,
        baseline=row.baseline,
        copy_of=version_id(row.copy_of),
        parent=row.parent,
        attachment=row.attachment,
        same_at=row.same_at,
    )


# --------------------------------------------------------------------------- alerts

_ALERT = tuple(f.name for f in fields(Alert) if f.name not in {"change", "payload", "reached"})


def alert(row: AlertRow, payload: Mapping[str, Any]) -> Alert:
    """An alert as everybody else knows it. What it tells is kept apart: payloads.py."""
    plain = {name: getattr(row, name) for name in _ALERT}
    return Alert(change=change_id(row.change), payload=payload, reached=tuple(row.reached), **plain)


def alert_row(value: Alert, payload: str, now: Any) -> AlertRow:
    """A row for a new alert that tells `payload`; one without times is due at once."""
    plain = {name: getattr(value, name) for name in _ALERT}
    plain |= {"payload_sha256": payload, "created": value.created or now}
    if value.digest is None and value.next_at is None:
        plain["next_at"] = now
    return AlertRow(change=number(value.change), reached=list(value.reached), **plain)
