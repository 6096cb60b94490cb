"""How things stand, for messages about the watch itself: first passes, columns gone quiet, counts. Over one session."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from storage.database import MOST_NAMED
from storage.tables import PageRow, SourceRow, VersionRow
from storage.watchlist import FAILS

LISTS = ("listing", "epaper", "feed", "sitemap")
YEARLY = ("report", "plan", "budget")  # records of which there is one each year
_YEAR = re.compile(r"(?:19|20)\d\d")
NEWEST = 40  # dates of a column that are looked at


@dataclass(frozen=True, slots=True)
class FirstPass:
    """A configured source: when its first complete pass ended, whether that was told, whether it is failing."""

    key: str
    region: str | None
    first_seen: datetime
    done_at: datetime | None
    told: bool
    failing: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a first reading found. `gaps`: (region, series) -> report years missing between those that are there."""

    documents: int = 0
    reports: int = 0
    targets: int = 0
    gaps: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def first_passes(session: Session) -> list[FirstPass]:
    """The watched sources whose first reading is not over or not told of, by key: few of 100,000, each minute."""
    failing = set(session.exec(select(PageRow.source).where(FAILS, col(PageRow.role) == "entry")))
    watched = session.execute(
        columns(
            col(SourceRow.key),
            col(SourceRow.region),
            col(SourceRow.first_seen),
            col(SourceRow.baseline_done_at),
            col(SourceRow.announced_at),
        )
        .where(
            col(SourceRow.in_config).is_(True),
            col(SourceRow.enabled).is_(True),
            or_(col(SourceRow.baseline_done_at).is_(None), col(SourceRow.announced_at).is_(None)),
        )
        .order_by(col(SourceRow.key))
    )
    return [
        FirstPass(r.key, r.region, r.first_seen, r.baseline_done_at, r.announced_at is not None, r.key in failing)
        for r in watched
    ]


def read_once(session: Session) -> set[str]:
    """The keys of the watched sources whose first complete pass is over."""
    watched = (col(SourceRow.in_config).is_(True), col(SourceRow.enabled).is_(True))
    return set(session.exec(select(SourceRow.key).where(*watched, col(SourceRow.baseline_done_at).is_not(None))))


def first_crawl(session: Session) -> tuple[int, int]:
    """Sources whose first complete pass is not over, and how many of their pages were never read."""
    reading = (
        col(SourceRow.baseline_done_at).is_(None),
        col(SourceRow.enabled).is_(True),
        col(SourceRow.in_config).is_(True),
    )
    sources = session.exec(select(func.count()).select_from(SourceRow).where(*reading)).one()
    of_them = col(PageRow.source).in_(select(SourceRow.key).where(*reading))
    unread = select(func.count()).select_from(PageRow).where(of_them, col(PageRow.last_checked).is_(None))
    return sources, session.exec(unread).one() if sources else 0


def announced(session: Session, keys: Sequence[str], now: datetime) -> None:
    """The first reading of these sources has been told of."""
    for start in range(0, len(keys), MOST_NAMED):
        told = col(SourceRow.key).in_(keys[start : start + MOST_NAMED])
        session.execute(update(SourceRow).where(told).values(announced_at=now))


def baseline(session: Session, keys: Sequence[str]) -> Baseline:
    """What is known of these sources."""
    wanted = set(keys)
    documents = reports = targets = 0
    years: dict[tuple[str, str], set[int]] = defaultdict(set)
    query = columns(
        col(PageRow.source),
        col(SourceRow.region),
        col(SourceRow.series),
        col(VersionRow.record_type),
        col(VersionRow.year),
        col(VersionRow.items),
    ).where(col(VersionRow.id) == col(PageRow.version), col(SourceRow.key) == col(PageRow.source))
    for source, region, series, kind, year, items in session.execute(query):
        if source not in wanted:
            continue
        documents += 1
        targets += items
        if kind == "report":
            reports += 1
            if region and series and year:
                years[region, series].add(year)
    gaps = {k: sorted({*range(min(v), max(v))} - v) for k, v in sorted(years.items())}
    return Baseline(documents, reports, targets, {k: v for k, v in gaps.items() if v})


def release_days(session: Session) -> dict[str, dict[int, date]]:
    """For each watched source: the years of the releases that it brought, and the day on which each came out.

    The day that the document shows, or its list, or the day on which it was seen first.
    """
    shown = func.min(func.coalesce(VersionRow.published, PageRow.date))
    query: Any = columns(
        col(PageRow.source), col(VersionRow.release), col(VersionRow.year), shown, func.min(VersionRow.at)
    ).where(
        col(VersionRow.page) == col(PageRow.id),
        col(PageRow.source) == col(SourceRow.key),
        col(SourceRow.in_config).is_(True),
        col(VersionRow.record_type).in_(YEARLY),
    )
    found = defaultdict[str, dict[int, date]](dict)
    query = query.group_by(PageRow.source, VersionRow.release, VersionRow.year)
    for source, release, read, day, at in session.execute(query):
        label = _YEAR.search(release or "")
        year = int(label[0]) if label else read
        if year is not None:
            came = date.fromisoformat(day) if day else _moment(at).date()
            found[source][year] = min(came, found[source].get(year, came))
    return dict(found)


def _moment(at: Any) -> datetime:
    """What an aggregate over times gives: SQLite forgets the type."""
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def column_dates(session: Session) -> dict[str, list[str]]:
    """For each watched list: the newest different dates (YYYY-MM-DD) of its documents, newest first."""
    keys = session.exec(
        select(SourceRow.key).where(
            col(SourceRow.kind).in_(LISTS), col(SourceRow.in_config).is_(True), col(SourceRow.enabled).is_(True)
        )
    ).all()
    return {
        key: [
            day
            for day in session.exec(
                select(PageRow.date)
                .where(col(PageRow.source) == key, col(PageRow.role) == "document", col(PageRow.date).is_not(None))
                .distinct()
                .order_by(col(PageRow.date).desc())
                .limit(NEWEST)
            )
            if day is not None
        ]
        for key in keys
    }


def counts(session: Session) -> dict[str, int]:
    """Watched sources, and how many of their pages fail."""
    watched = (col(SourceRow.in_config).is_(True), col(SourceRow.enabled).is_(True))
    sources = session.scalar(select(func.count()).select_from(SourceRow).where(*watched))
    failing = session.scalar(
        select(func.count())
        .select_from(PageRow)
        .where(col(PageRow.error).is_not(None), col(PageRow.source) == col(SourceRow.key), *watched)
    )
    return {"sources": sources or 0, "failing": failing or 0}
