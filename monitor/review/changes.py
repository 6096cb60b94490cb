"""One change of a page, and what a user can ask about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from alerts import restraint, rules
from monitor import wire
from monitor.errors import UsageError
from monitor.model import Alert, Change
from monitor.text.diff import diff
from storage.filters import Filter
from storage.queries import Queries


def last_change(ask: Queries, ref: str) -> Change:
    """A change by its id, or the newest of a source. Raises UsageError where there is none."""
    if re.fullmatch(r"c\d+", ref):
        return ask.change(ref)
    found = ask.changes(Filter(source=ref), limit=1)
    if not found:
        raise UsageError(f"{ref}: no change yet (mubiao changes lists them)")
    return found[0]


def last_alert(ask: Queries, ref: str, channel: str, lang: str) -> Alert:
    """The alert that a change would owe, or the newest of a source. Raises UsageError where there is none."""
    change = last_change(ask, ref)
    return alert_of(change, about_change(ask, change), channel, lang)


def next_digest(ask: Queries, channel: str, now: datetime) -> Alert:
    """The digest that a channel would get now. Raises UsageError where no change waits for one."""
    mutes = ask.mutes(now)
    for waiting in ask.digests(channel):
        told = [a for a in waiting if not restraint.muted(a, mutes)]
        if told:
            return rules.fold(rules.portions(told)[0], now=now)
    raise UsageError(f"no change waits for a digest of {channel}: name a source to see its last change")


def alert_of(change: Change, about: Mapping[str, Any], channel: str, lang: str) -> Alert:
    """The alert that this change would owe, for a look at it."""
    return Alert(
        id=rules.message_id(change.at),
        key=f"preview:{change.id}",
        channel=channel,
        type="targets.changed" if change.moved else "change.detected",
        payload=wire.change(change, source=about),
        lang=lang,
        change=change.id,
        created=change.at,
    )


def diff_json(before: Mapping[str, Any], after: Mapping[str, Any]) -> wire.JSON:
    """Two versions compared, as JSON: CHANGE's edits between any two."""
    delta = diff(before["paragraphs"], after["paragraphs"])
    return {
        "old_version": before["version"],
        "new_version": after["version"],
        "added": delta.added,
        "deleted": delta.deleted,
        "cosmetic": delta.cosmetic,
        "rewritten": delta.rewritten,
        "edits": [wire.edit(e) for e in delta.edits],
    }


def about_sources(ask: Queries, keys: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """What a reader wants to know of these sources, or of each, beside its key."""
    names = ("name", "region", "series", "tags")
    return {key: {k: row[k] for k in names} for key, row in ask.about_sources(keys).items()}


def about_change(ask: Queries, change: Change) -> dict[str, Any]:
    """The same of one change's source, and the place its document names itself with."""
    place = ask.version(change.new_version).record.place if change.new_version else None
    return about_sources(ask, {change.source}).get(change.source, {}) | {"place": place}


def previous(ask: Queries, after: Mapping[str, Any]) -> str:
    """The version of the same page before this one. Raises UsageError for a first version."""
    ids = [row["version"] for row in ask.history(after["version"])]
    rest = ids[ids.index(after["version"]) + 1 :] if after["version"] in ids else []
    if not rest:
        raise UsageError(f"{after['version']} is the first version of its page: name two versions")
    return str(rest[0])


def two_versions(ask: Queries, old: str, new: str | None) -> tuple[str, str]:
    """The versions a `diff` means: two of them, one and the one before it, or those of a change (c3)."""
    if new is not None:
        return old, new
    if re.fullmatch(r"c\d+", old):
        change = ask.change(old)
        first, second = change.old_version or change.compared_with, change.new_version
        if first is None or second is None:
            raise UsageError(f"{old} ({change.kind}) has no two versions to compare")
        return first, second
    after = ask.show(old)
    return previous(ask, after), old


def exported(ask: Queries, what: str, asked: Filter, *, latest: bool) -> Iterator[wire.JSON]:
    """Rows of `mubiao export`."""
    if what == "changes":
        abouts = about_sources(ask)
        yield from (wire.change(c, source=abouts.get(c.source)) for c in ask.changes(asked, limit=None))
    elif what == "versions":
        yield from ask.versions(asked, latest=latest)
    else:
        yield from (wire.stored_target(x) for x in ask.targets(asked))
