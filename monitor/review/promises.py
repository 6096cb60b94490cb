"""Stored promises and results: what became of each, over the years, across places, promise against result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor import wire
from monitor.model import Record, Target, TargetChange, Version, Vocabulary
from monitor.review.sides import Side, stored_side
from monitor.targets import measure
from monitor.targets.attainment import Attainment, Setting, amplification, attain, rank
from monitor.targets.between import Reading, between
from monitor.targets.record import place_of
from monitor.targets.release import missing, release_before
from storage.answers import Item
from storage.filters import Filter
from storage.queries import Queries

_YEAR = re.compile(r"(?:19|20)\d\d")

# --------------------------------------------------------------------------- what became of each


def with_changes(ask: Queries, asked: Filter, vocabulary: Vocabulary, words: Iterable[str] = ()) -> list[wire.JSON]:
    """Stored items with `change`, `flags`, `before` and what they are compared with; `words` keeps some changes only.

    What was dropped is a row of the release before, with `dropped_in` for the version that does not have it.
    """
    found = ask.targets(asked)
    series = ask.series_by_source()
    rows: list[wire.JSON] = []
    for version, items in _by_version(found).items():
        lines, before = _since(ask, version, vocabulary, series.get(items[0].source))
        after = {_place(x.after): x for x in lines if x.after}
        rows += [wire.stored_target(x) | _told(after.get(_place(x.target)), before) for x in items]
        if before is not None:
            gone = (x for x in lines if x.change == "dropped" and x.before and _wanted(x.before, asked))
            rows += [_dropped(items[0], x, before) for x in gone]
    kept = set(words)
    return [row for row in rows if not kept or row["change"] in kept or kept & set(row["flags"])]


def _by_version(items: Iterable[Item]) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for x in items:
        out.setdefault(x.version, []).append(x)
    return out


def _since(
    ask: Queries, ref: str, vocabulary: Vocabulary, series: str | None
) -> tuple[tuple[TargetChange, ...], Version | None]:
    """A stored version against the release before it, both read now."""
    version = ask.version(ref)
    new = stored_side(version, vocabulary, series=series)
    found, relation, _ = release_before(new.record, ask.releases(ref), text=new.text, label=version.release)
    if found is None:
        return (), None
    last = ask.version(found.version)
    old = stored_side(last, vocabulary, series=found.series)
    gone = missing(new.record, found, label=version.release) if relation == "next_release" else ()
    lines = between(_reading(old), _reading(new), relation=relation, missing=gone)
    return lines, last


def _reading(side: Side) -> Reading:
    return Reading(side.record, side.items)


def _place(item: Target | None) -> tuple[object, ...]:
    return (item.role, item.vstart, item.vend, item.canonical or item.indicator) if item else ()


def _told(line: TargetChange | None, before: Version | None) -> wire.JSON:
    """What a comparison adds to a stored item. An item that no comparison speaks of has no change."""
    return {
        "change": line.change if line else None,
        "flags": list(line.flags) if line else [],
        "relation": line.relation if line else None,
        "before": line.before.value_text if line and line.before else None,
        "before_number": wire.number(measure.number(line.before)) if line and line.before else None,
        "reason": line.reason if line else None,
        "compared_with": before.id if before else None,
        "compared_release": before.release if before else None,
        "dropped_in": None,
    }


def _dropped(beside: Item, line: TargetChange, before: Version) -> wire.JSON:
    assert line.before is not None
    about = before.document
    item = replace(
        beside,
        target=line.before,
        source=before.source,
        release=before.release,
        version=before.id,
        url=before.url,
        title=about.title,
        published=about.published,
        at=before.at,
    )
    told = _told(line, before) | {"before": line.before.value_text, "dropped_in": beside.version}
    return wire.stored_target(item) | told


def _wanted(item: Target, asked: Filter) -> bool:
    """The filters on a target itself; an indicator by id, or a part of its name or wording."""
    for name in ("role", "kind", "scope", "headline"):
        value = getattr(asked, name)
        if value is not None and getattr(item, name) != value:
            return False
    word = asked.indicator
    return not word or word == item.indicator_id or word in (item.canonical or "") or word in item.indicator


# --------------------------------------------------------------------------- over the years


def timeline(items: Iterable[Item], vocabulary: Vocabulary) -> list[wire.JSON]:
    """One indicator over the periods: promises and results side by side, oldest first. Copies are left out."""
    rows = [
        wire.stored_target(x) | {"number": wire.number(measure.number(x.target)), "place": _called(x, vocabulary)}
        for x in items
        if not x.copy
    ]
    return sorted(
        rows, key=lambda r: (r["region"] or "", r["name"], r["kind"], str(r["period"] or r["release"] or ""), r["role"])
    )


# --------------------------------------------------------------------------- across places


def ranking(items: Iterable[Item], period: str | None, vocabulary: Vocabulary) -> list[wire.JSON]:
    """One indicator, one period, all places, each kind apart: highest first. Without `period`, the latest."""
    found = [x for x in items if measure.number(x.target) is not None and not x.copy]
    found.sort(key=lambda x: (x.record_type == "newspaper", not x.complete))  # a newspaper only fills in
    if period is None:
        period = _latest(x.target.period for x in found)
    kinds: dict[str, dict[str, Item]] = {}
    for x in found:
        if x.target.period == period:
            kinds.setdefault(x.target.kind, {}).setdefault(x.region or x.source, x)
    rows = []
    for own in kinds.values():
        for place in rank((name, x.target) for name, x in own.items()):
            item = own[place.name]
            rows.append(
                wire.stored_target(item)
                | {"rank": place.position, "place": _called(item, vocabulary), "number": wire.number(place.number)}
            )
    return rows


def _latest(periods: Iterable[str | None]) -> str | None:
    """The latest year; spans and parts of years only where there is no plain one."""
    known = [p for p in periods if p]
    return max((p for p in known if re.fullmatch(r"\d{4}", p)), default=None) or max(known, default=None)


def _called(item: Item, vocabulary: Vocabulary) -> str:
    return place_of(item.region, vocabulary.regions) or item.place or item.region or item.source


def amplified(ask: Queries, asked: Filter, period: str | None, vocabulary: Vocabulary) -> list[wire.JSON]:
    """层层加码: a ranking in which each place stands beside the city and the province above it.

    `over_city` and `over_province` say by how much a place asks more: points for percentages, else percent.
    """
    found = ask.targets(asked)
    rows = ranking(found, period, vocabulary)
    codes = {code for row in rows for code in _above(row["region"])}
    upper: dict[tuple[str, str, str | None], Item] = {}
    for code in sorted(codes):
        items = ask.targets(replace(asked, region=code, under=None, source=None))
        for x in sorted(items, key=lambda x: (x.record_type == "newspaper", not x.complete)):
            if not x.copy and measure.number(x.target) is not None:
                upper.setdefault((code, x.target.kind, x.target.period), x)
    return [row | _beside(row, upper) for row in rows]


def _above(region: str | None) -> tuple[str, ...]:
    """The codes of city and province above a place, nearest first: 230103 -> 230100, 230000."""
    code = (region or "").ljust(6, "0")
    if not region:
        return ()
    return tuple(x for x in (f"{code[:4]}00", f"{code[:2]}0000") if x != code and not code.endswith("0000"))


def _beside(row: wire.JSON, upper: Mapping[tuple[str, str, str | None], Item]) -> wire.JSON:
    place = Target("target", 0, 0, "", 0, 0, row["value_text"], row["name"])
    place = replace(place, **{k: row[k] for k in ("kind", "value", "value_min", "value_max", "unit")})
    out: wire.JSON = {"city": None, "over_city": None, "province": None, "over_province": None}
    for code in _above(row["region"]):
        level = "province" if code.endswith("0000") else "city"
        above = upper.get((code, row["kind"], row["period"]))
        if above is not None:
            out[level] = above.target.value_text
            out[f"over_{level}"] = wire.number(amplification(place, above.target))
    return out


# --------------------------------------------------------------------------- promise against result


def attainment(
    ask: Queries, asked: Filter, tolerance: float, now: datetime, verdicts: Iterable[str] = ()
) -> list[wire.JSON]:
    """Every promise that `asked` wants, beside what later documents of its place report for its period.

    The filters narrow the promises alone. Results are looked for in every document of the place but newspapers and
    copies, in those of the promise's own series first; `verdicts` keeps some only.
    """
    promises = [x for x in ask.targets(replace(asked, role="target")) if _binding(x)]
    everything = Filter(region=asked.region, under=asked.under, as_of=asked.as_of, all_releases=True)
    places = _by_place(ask.targets(everything))
    above = _results_above(ask, promises, asked)
    kept = set(verdicts)
    records = _Records(ask)
    results: dict[tuple[str, str | None], list[Target]] = {}
    rows = []
    for x in promises:
        place = x.region or x.source
        own = places.get(place, [])
        if (place, x.series) not in results:
            told = sorted(filter(_binding, own), key=lambda y: y.series != x.series)
            results[place, x.series] = [y.target for y in told if y.target.role == "actual"]
        setting = Setting(tolerance, (asked.as_of or now).year - 1, x.year, above.get(x.region or "", {}))
        found = attain(x.target, results[place, x.series], setting, record=records.due(x, own))
        if not kept or found.result in kept:
            rows.append(wire.stored_target(x) | _became(found))
    return rows


def _binding(x: Item) -> bool:
    """Whether a document's words count: those of a newspaper bind nobody, a copy says nothing twice."""
    return x.record_type != "newspaper" and not x.copy


def _by_place(items: Iterable[Item]) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for x in items:
        out.setdefault(x.region or x.source, []).append(x)
    return out


class _Records:
    """The document that should have reported: of the year after a promise's last, whole before partial."""

    def __init__(self, ask: Queries) -> None:
        self._ask, self._known = ask, dict[str, Record]()

    def due(self, promise: Item, own: Sequence[Item]) -> Record | None:
        end = _last_year(promise)
        if end is None:
            return None
        reports = [y for y in own if _binding(y) and y.year == end + 1 and _alike(y, promise)]
        papers = [y for y in own if y.record_type == "newspaper" and (y.year or y.at.year) in (end, end + 1)]
        best = min(reports, key=lambda y: (y.series != promise.series, not y.complete), default=None)
        if best is None:
            return Record(type="newspaper") if papers else None
        if best.version not in self._known:
            self._known[best.version] = self._ask.version(best.version).record
        return self._known[best.version]


def _alike(one: Item, other: Item) -> bool:
    """Whether two documents are of one kind: a budget that is silent about GDP does not stand for the report."""
    return (one.series is not None and one.series == other.series) or one.record_type == other.record_type


def _last_year(promise: Item) -> int | None:
    digits = [int(y) for y in _YEAR.findall(promise.target.period or "")]
    return digits[-1] if digits else promise.year


def _results_above(ask: Queries, promises: Iterable[Item], asked: Filter) -> dict[str, dict[str, list[Target]]]:
    """What city and province report, for promises measured against 全市 and 全省."""
    places = {x.region for x in promises if x.region and x.target.qualifier in ("in_step", "above_ref", "below_ref")}
    out: dict[str, dict[str, list[Target]]] = {}
    for place in places:
        for code in _above(place):
            level = "全省" if code.endswith("0000") else "全市"
            found = ask.targets(Filter(region=code, role="actual", as_of=asked.as_of, all_releases=True))
            out.setdefault(place, {})[level] = [x.target for x in found if _binding(x)]
    return out


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
