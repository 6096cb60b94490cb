"""The documents of one region and series, each other's releases: what a stored version is compared with."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from monitor.model import Release
from storage import versions
from storage.filters import Filter, region_clause
from storage.tables import PageRow, SourceRow, VersionRow


def releases(session: Session, row: VersionRow) -> tuple[Release, ...]:
    """What a version may be compared with: other documents of its region, and earlier releases at its own address.

    Some sites put each year's report in the place of the last one.
    """
    return (*own(session, row), *versions.releases(session, row.page))


def own(session: Session, row: VersionRow) -> tuple[Release, ...]:
    """The newest version of every other release that stood at the same address."""
    page = session.get_one(PageRow, row.page)
    source = session.get_one(SourceRow, page.source)
    newest = (
        select(func.max(VersionRow.id))
        .where(col(VersionRow.page) == row.page, func.coalesce(VersionRow.release, "") != (row.release or ""))
        .group_by(col(VersionRow.release))
    )
    found = session.exec(select(VersionRow).where(col(VersionRow.id).in_(newest)).order_by(col(VersionRow.id).desc()))
    return versions.readable(session, ((x, page, source) for x in found))


def names(session: Session, wanted: Filter, *, latest: bool = False) -> list[str]:
    """The ids of every version of these sources and places, oldest first; `latest`: of each page the newest."""
    query = select(VersionRow.id).where(
        col(VersionRow.page) == col(PageRow.id), col(PageRow.source) == col(SourceRow.key)
    )
    if wanted.source:
        query = query.where(col(PageRow.source) == wanted.source)
    if (clause := region_clause(wanted)) is not None:
        query = query.where(clause)
    if latest:
        query = query.where(col(PageRow.version) == col(VersionRow.id))
    return [f"v{number}" for number in session.exec(query.order_by(col(VersionRow.id)))]
