"""What a user narrows an answer by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col

from monitor.model import Target
from storage.tables import PageRow, SourceRow


@dataclass(frozen=True, slots=True)
class Filter:
    """AND between the fields; None (or empty) means all. A query ignores the fields that do not concern it."""

    source: str | None = None
    url: str | None = None
    region: str | None = None  # a GB/T 2260 code, exactly
    under: str | None = None  # a code and everything below it: 230100 is the whole of Harbin
    series: str | None = None
    indicator: str | None = None  # id, or a part of the canonical name or the wording
    role: str | None = None  # target | actual
    kind: str | None = None  # of a target: growth, level, …
    scope: str | None = None
    headline: bool | None = None
    release: str | None = None  # a label, or the year of a report
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    min_significance: float = 0.0
    change_kinds: tuple[str, ...] = ()
    all_releases: bool = False  # every release of a page, not only its latest version
    baseline: bool = False  # first sights too, which alerted nobody


def prefix(code: str) -> str:
    """The part of a GB/T 2260 code that its subordinates share: 230100 -> 2301, 230000 -> 23."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def region_clause(wanted: Filter) -> Any:
    """The condition on sources for `region` and `under`, None without either."""
    if wanted.under:
        return col(SourceRow.region).startswith(prefix(wanted.under), autoescape=True)
    if wanted.region:
        return col(SourceRow.region) == wanted.region
    return None


def item_matches(item: Target, wanted: Filter) -> bool:
    """The filters on a target itself, for those that are not rows."""
    for name in ("role", "kind", "scope", "headline"):
        value = getattr(wanted, name)
        if value is not None and getattr(item, name) != value:
            return False
    word = wanted.indicator
    return not word or word == item.indicator_id or word in (item.canonical or "") or word in item.indicator


def narrowed(query: Any, wanted: Filter, at: Any) -> Any:
    """The filters that every query knows. `at` is the column that `since` and `until` look at."""
    if wanted.source:
        query = query.where(col(PageRow.source) == wanted.source)
    if wanted.url:
        query = query.where(col(PageRow.url) == wanted.url)
    if (clause := region_clause(wanted)) is not None:
        query = query.where(clause)
    if wanted.series:
        query = query.where(col(SourceRow.series) == wanted.series)
    if at is not None and wanted.since:
        query = query.where(at >= wanted.since)
    if at is not None and wanted.until:
        query = query.where(at < wanted.until)
    return query
