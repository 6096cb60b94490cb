"""The JSON shapes that others rely on (docs/json.md): for the command line, the web page, webhooks and exports.

Shapes are dictionaries of plain values, ready for `dump`. Times become RFC 3339 with an offset.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Protocol

from monitor.model import (
    Alert,
    Change,
    Document,
    Edit,
    Failure,
    Mute,
    Off,
    Overdue,
    Page,
    Source,
    Target,
    TargetChange,
    Told,
)

JSON = dict[str, Any]

_NUMBER_FIELDS = ("value", "value_min", "value_max")


def dump(data: object, *, indent: int | None = None) -> str:
    """One JSON text, Chinese left readable."""
    return json.dumps(data, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def number(value: float | None) -> float | int | None:
    """6.0 is written 6: a reader compares numbers with what the page says."""
    return int(value) if value is not None and value == int(value) else value


def target(item: Target) -> JSON:
    """ITEM: every field of `Target` under its own name."""
    out = {f.name: getattr(item, f.name) for f in fields(item)}
    for name in _NUMBER_FIELDS:
        out[name] = number(out[name])
    return out


class Stored(Protocol):
    """A target with where it stands, as storage answers it."""

    @property
    def target(self) -> Target: ...
    @property
    def source(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def place(self) -> str | None: ...
    @property
    def series(self) -> str | None: ...
    @property
    def release(self) -> str | None: ...
    @property
    def version(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def title(self) -> str | None: ...
    @property
    def published(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...


def stored_target(item: Stored) -> JSON:
    """ITEM of `mubiao targets list`: the target and where it stands; `name` is what to call its indicator."""
    return {
        **target(item.target),
        "source": item.source,
        "region": item.region,
        "place": item.place,
        "series": item.series,
        "release": item.release,
        "version": item.version,
        "url": item.url,
        "title": item.title,
        "published": item.published,
        "at": time(item.at),
        "name": item.target.canonical or item.target.indicator,
    }


def target_change(line: TargetChange) -> JSON:
    """One line of a release comparison."""
    return {
        "canonical": line.canonical,
        "indicator": line.indicator,
        "kind": line.kind,
        "object": line.object,
        "change": line.change,
        "flags": list(line.flags),
        "relation": line.relation,
        "recurring": line.recurring,
        "reason": line.reason,
        "implied": number(line.implied),
        "implied_base": line.implied_base,
        "from": target(line.before) if line.before else None,
        "to": target(line.after) if line.after else None,
    }


def edit(piece: Edit) -> JSON:
    """One edit of a change."""
    return {
        "op": piece.op,
        "old": piece.old,
        "new": piece.new,
        "old_paragraph": piece.old_paragraph,
        "paragraph": piece.paragraph,
    }


def change(event: Change, *, source: Mapping[str, Any] | None = None) -> JSON:
    """CHANGE. `source` adds what a reader of a message wants beside the key: name, region, series, tags."""
    return {
        "id": event.id,
        "source": event.source,
        "url": event.url,
        "title": event.title,
        "at": time(event.at),
        "same_at": time(event.same_at),
        "old_version": event.old_version,
        "new_version": event.new_version,
        "compared_with": event.compared_with,
        "compared_release": event.compared_release,
        "release": event.release,
        "missing": list(event.missing),
        "kind": event.kind,
        "significance": round(event.significance, 3),
        "reasons": list(event.reasons),
        "added": event.added,
        "deleted": event.deleted,
        "edits": [edit(e) for e in event.edits],
        "targets": [target_change(t) for t in event.targets],
        "baseline": event.baseline,
        "parent": event.parent,
        "attachment": event.attachment,
        "copy_of": event.copy_of,
    } | dict(source or {})


def source(place: Source) -> JSON:
    """A source's configuration: the first half of a row of `mubiao sources list`."""
    return {
        "key": place.key,
        "name": place.name,
        "kind": place.kind,
        "url": place.url,
        "region": place.region,
        "series": place.series,
        "release": place.release,
        "tags": list(place.tags),
        "enabled": place.enabled,
        "every": place.cron or (f"{place.every.total_seconds():.0f}s" if place.every else None),
    }


def state(row: Mapping[str, Any], missed: Mapping[str, Overdue] | None = None) -> JSON:
    """A row of `Queries.sources`: its `failure`, a Page or None, becomes a FAILURE. A well one whose release is
    `missed` is overdue."""
    page: Page | None = row["failure"]
    late = (missed or {}).get(row["key"])
    return {
        **row,
        "state": "overdue" if late is not None and row["state"] == "ok" else row["state"],
        "overdue": None if late is None else awaited_release(late),
        "failure": failure(page, page.failure) if page is not None and page.failure is not None else None,
    }


def awaited_release(late: Overdue) -> JSON:
    """Which release is overdue, by which day it was to come, and how that is known: expect, learned or season."""
    return {"release": str(late.year), "by": late.by.isoformat(), "from": late.why}


def missed(late: Overdue) -> JSON:
    """An entry of /api/overdue."""
    return {"sources": list(late.sources), "region": late.region, "series": late.series, **awaited_release(late)}


def overdue(late: Overdue, place: Source) -> JSON:
    """A FAILURE without an error: a release that has not come where it is looked for."""
    return {
        "source": place.key,
        "url": place.url,
        "error": None,
        "status": None,
        "detail": f"the release of {late.year} has not come; it was to by {late.by} ({_WHY[late.why]})",
        "since": f"{late.by}T00:00:00+08:00",
        "consecutive": 0,
        "region": late.region,
        "series": late.series,
        **awaited_release(late),
    }


_WHY: Mapping[str, str] = {
    "expect": "as sources.yaml says",
    "learned": "the latest of earlier years",
    "season": "the end of its season",
}


def failure(page: Page, why: Failure) -> JSON:
    """FAILURE: listed until a good capture clears it."""
    return {
        "source": page.source,
        "url": page.url,
        "error": why.error,
        "status": why.status,
        "detail": why.detail,
        "since": time(page.failing_since),
        "consecutive": page.consecutive,
    }


def extracted(document: Document, *, path: str | None = None, error: str | None = None) -> JSON:
    """The answer of `mubiao extract` for one input."""
    return {
        "path": path,
        "url": document.url,
        "kind": document.kind,
        "title": document.title,
        "published": document.published,
        "published_meta": document.published_meta,
        "publisher": document.publisher,
        "author": document.author,
        "column": document.column,
        "site_code": document.site_code,
        "encoding": document.encoding,
        "replacements": document.replacements,
        "text": document.text,
        "paragraphs": list(document.paragraphs),
        "links": [{"url": x.url, "text": x.text, "date": x.date} for x in document.links],
        "attachments": [{"url": x.url, "name": x.name, "type": x.type} for x in document.attachments],
        "file": asdict(document.file) if document.file else None,
        "warnings": list(document.warnings),
        "error": error,
    }


def alert(row: Alert) -> JSON:
    """One row of `mubiao alerts list`."""
    return {
        "id": row.id,
        "channel": row.channel,
        "type": row.type,
        "change": row.change,
        "state": row.state,
        "attempts": row.attempts,
        "created": time(row.created),
        "next_at": time(row.next_at),
        "sent_at": time(row.sent_at),
        "acked_at": time(row.acked_at),
        "error": row.error,
    }


def mute(row: Mute) -> JSON:
    """One row of `mubiao alerts muted`."""
    return {
        "id": row.id,
        "source": row.source,
        "url": row.url,
        "indicator": row.indicator,
        "channel": row.channel,
        "until": time(row.until),
        "why": row.why,
        "created": time(row.created),
    }


def off(row: Off) -> JSON:
    """A channel, or one recipient of it, that takes no more."""
    return {"channel": row.channel, "recipient": row.recipient or None, "at": time(row.at), "why": row.why}


def webhook(row: Alert, at: datetime) -> str:
    """The body of a webhook, JSON: `timestamp` is when the event happened, not when it is sent.

    What is kept as JSON goes in as it is: reading and writing 100 kB of it takes longer than sending it.
    """
    data = row.payload.text if isinstance(row.payload, Told) else dump(dict(row.payload))
    return f'{{"type":{dump(row.type)},"timestamp":{dump(time(row.created or at))},"data":{data}}}'


def digest(since: datetime, until: datetime, changes: Sequence[Mapping[str, Any]]) -> JSON:
    """The data of a `digest` message."""
    return {"since": time(since), "until": time(until), "changes": [dict(c) for c in changes]}


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """JSON lines, one object each, without line feeds."""
    return (dump(dict(row)) for row in rows)
