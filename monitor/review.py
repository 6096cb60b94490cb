"""Looking again at what is known: both sides of a comparison are read with today's rules, so that an upgrade of the
product never looks like a change of a promise. Between storage's answers and the commands and pages that show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts import rules
from monitor import assess, schedule, wire
from monitor.errors import UsageError
from monitor.model import Alert, Change, Document, Record, Target, TargetChange, Version, Vocabulary
from monitor.schedule import duration
from monitor.targets import measure
from monitor.targets.attainment import Attainment, attain, rank
from monitor.targets.compare import compare
from monitor.targets.record import place_of, record
from monitor.targets.release import contained, relate
from monitor.text.diff import diff
from storage.answers import Item
from storage.filters import Filter
from storage.queries import Queries

SAME_DOCUMENT = 0.8  # share of the shorter text that stands in the longer: an edit, not another release
SAME_NOTICE = 0.97  # … where the years differ: yearly notices reuse their wording


def moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """`schedule.moment`, for an option that may be left out. Raises UsageError with an example."""
    return None if text is None else schedule.moment(text, now or datetime.now(UTC))


def span(text: str | None) -> timedelta | None:
    """`365d` as a duration. Raises UsageError with an example."""
    if text is None:
        return None
    try:
        return duration(text)
    except ValueError as wrong:
        raise UsageError(f"{wrong} (30d, 12h)") from wrong


# --------------------------------------------------------------------------- two sides


@dataclass(frozen=True, slots=True)
class Side:
    """One document of a comparison, read now."""

    name: str
    text: str
    record: Record
    items: tuple[Target, ...]
    version: str | None = None


def read_text(
    text: str, about: Document, vocabulary: Vocabulary, *, published: str | None = None, year: int | None = None
) -> tuple[Target, ...]:
    """Targets and actuals of a text; offsets are those of `text`."""
    return side("", text, replace(about, published=published or about.published), vocabulary, year=year).items


def side(name: str, text: str, about: Document, vocabulary: Vocabulary, *, year: int | None = None) -> Side:
    """A text with the document around it, read."""
    found = record(about.title, text, published=about.published, publisher=about.publisher)
    if year is not None:
        found = replace(found, year=year, label=str(year))
    return Side(name, text, found, assess.Reader(vocabulary).read(text, about, found))


def stored_side(version: Version, vocabulary: Vocabulary) -> Side:
    """A stored version, read again."""
    about = version.document
    return replace(
        side(f"{version.source}@{version.release or version.id}", about.text, about, vocabulary), version=version.id
    )


def compare_sides(before: Side, after: Side, *, relation: str | None = None) -> tuple[tuple[TargetChange, ...], str]:
    """What moved, and how the two documents are related: given, or found out from what they are."""
    found, quoting = relate(before.record, after.record)
    same_year = before.record.year == after.record.year
    if relation is None and contained(before.text, after.text) >= (SAME_DOCUMENT if same_year else SAME_NOTICE):
        found = "edit"
    chosen = relation or found
    everything = chosen == "quote" and quoting == "after"  # what the report says and the paper leaves out, too
    lines = compare(before.items, after.items, relation=chosen, quoting=quoting, everything=everything)
    return lines, chosen


# --------------------------------------------------------------------------- stored targets


def canonical(asked: str | None, vocabulary: Vocabulary) -> str | None:
    """The canonical name of an indicator that is asked for by its name, an alias or its id; else what was asked."""
    for known in vocabulary.indicators:
        if asked and asked in (known.id, known.name, *known.aliases):
            return known.name
    return asked


def wanted(options: Mapping[str, Any], vocabulary: Vocabulary) -> Filter:
    """The filters of a command line; an alias of an indicator finds its canonical name."""
    return Filter(
        source=options.get("source"),
        region=options.get("region"),
        under=options.get("under"),
        indicator=canonical(options.get("indicator"), vocabulary),
        role=options.get("role"),
        kind=options.get("kind"),
        scope=options.get("scope"),
        headline=options.get("headline") or None,
        release=options.get("release"),
        since=moment(options.get("since")),
        as_of=moment(options.get("as_of")),
        all_releases=bool(options.get("all_releases")),
    )


def timeline(items: Iterable[Item]) -> list[wire.JSON]:
    """One indicator over the periods: promises and results side by side, oldest first."""
    rows = [wire.stored_target(x) | {"number": measure.number(x.target)} for x in items]
    return sorted(rows, key=lambda r: (r["region"] or "", r["kind"], str(r["period"] or r["release"] or ""), r["role"]))


def ranking(items: Iterable[Item], period: str | None, vocabulary: Vocabulary) -> list[wire.JSON]:
    """One indicator, one period, all places, each kind apart: highest first. Without `period`, the latest."""
    found = [x for x in items if measure.number(x.target) is not None]
    found.sort(key=lambda x: x.record_type == "newspaper")  # a newspaper only fills in where no report stands
    if period is None:
        period = max((x.target.period for x in found if x.target.period), default=None)
    kinds: dict[str, dict[str, Item]] = {}
    for x in found:
        if x.target.period == period:
            kinds.setdefault(x.target.kind, {}).setdefault(x.region or x.source, x)
    rows = []
    for own in kinds.values():
        for place in rank((name, x.target) for name, x in own.items()):
            item = own[place.name]
            name = place_of(item.region, vocabulary.regions)
            rows.append(wire.stored_target(item) | {"rank": place.position, "place": name, "number": place.number})
    return rows


def attainment(ask: Queries, asked: Filter, tolerance: float) -> list[wire.JSON]:
    """Every promise that `asked` wants, beside what later releases of its place and series report for its period.

    The filters narrow the promises alone: results are looked for in all documents but newspapers, whose words bind
    nobody.
    """
    promises = [x for x in ask.targets(replace(asked, role="target")) if x.record_type != "newspaper"]
    places = Filter(region=asked.region, under=asked.under, series=asked.series, all_releases=True)
    results: dict[tuple[str, str | None], list[Item]] = {}
    for x in ask.targets(places):
        if x.record_type != "newspaper":
            results.setdefault((x.region or x.source, x.series), []).append(x)
    rows = []
    for x in promises:
        own = results.get((x.region or x.source, x.series), [])
        latest = max((y.year for y in own if y.year), default=None)
        later = next((y for y in own if y.year and x.year and y.year == x.year + 1), None)
        found = attain(
            x.target,
            [y.target for y in own if y.target.role == "actual"],
            tolerance=tolerance,
            record=ask.version(later.version).record if later else None,
            year=latest - 1 if latest else None,
        )
        rows.append(wire.stored_target(x) | _became(found))
    return rows


def _became(found: Attainment) -> wire.JSON:
    return {
        "actual": found.actual.value_text if found.actual else None,
        "verdict": found.result,
        "gap": wire.number(found.gap),
        "vintage": found.vintage,
        "reason": found.reason,
        "already_met": found.already_met,
        "actual_item": wire.target(found.actual) if found.actual else None,
    }


def reread(ask: Queries, vocabulary: Vocabulary, sources: Sequence[str]) -> Iterator[wire.JSON]:
    """Latest versions in which today's rules read something else than what is stored."""
    for row in ask.versions(latest=True):
        if sources and row["source"] not in sources:
            continue
        stored = {_reading(t) for t in ask.targets_of(row["version"])}
        now = {_reading(t) for t in stored_side(ask.version(row["version"]), vocabulary).items}
        if stored != now:
            yield {
                "source": row["source"],
                "version": row["version"],
                "release": row["release"],
                "before": len(stored),
                "after": len(now),
                "gone": [x[-1] for x in sorted(stored - now, key=str)],
                "new": [x[-1] for x in sorted(now - stored, key=str)],
            }


def _reading(t: Target) -> tuple[Any, ...]:
    return (
        t.vstart,
        t.vend,
        t.role,
        t.canonical,
        t.value,
        t.value_min,
        t.value_max,
        t.unit,
        t.qualifier,
        t.period,
        t.text,
    )


# --------------------------------------------------------------------------- one change


def last_change(ask: Queries, ref: str) -> Change:
    """A change by its id, or the newest of a source. Raises UsageError where there is none."""
    if re.fullmatch(r"c\d+", ref):
        return ask.change(ref)
    found = ask.changes(Filter(source=ref), limit=1)
    if not found:
        raise UsageError(f"{ref}: no change yet (mubiao changes lists them)")
    return found[0]


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


def about_sources(ask: Queries) -> dict[str, dict[str, Any]]:
    """What a reader wants to know of each source beside its key."""
    names = ("name", "region", "series", "tags")
    return {row["key"]: {k: row.get(k) for k in names} for row in ask.sources()}


def about_change(ask: Queries, change: Change) -> dict[str, Any]:
    """The same of one change's source, and the place its document names itself with."""
    place = ask.version(change.new_version).record.place if change.new_version else None
    return about_sources(ask).get(change.source, {}) | {"place": place}


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
