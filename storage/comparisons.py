"""What a release that comes to light late changes: documents after it were compared with an older one.

Their comparison is made again and put in place of the stored one, silently: nobody is told twice what one year said
against another, and no change is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from monitor.model import Change, Release, Source, Version
from storage import rows, versions
from storage.tables import ChangeRow, MovedRow, PageRow, SourceRow, VersionRow

MOST = 8  # later documents of a series whose comparison one that arrives late can change

Again = Callable[[Change, Version, Source, Sequence[Release]], Change]


@dataclass(frozen=True, slots=True)
class Later:
    """A later document's change, with what is needed to make its comparison again."""

    change: Change
    version: Version
    source: Source
    releases: tuple[Release, ...]


def later(session: Session, page: int) -> list[Later]:
    """Documents of the same region and series, of later years, that were compared with something before this one."""
    query = select(SourceRow, VersionRow.year).where(
        col(PageRow.id) == page, col(SourceRow.key) == col(PageRow.source), col(VersionRow.id) == col(PageRow.version)
    )
    place, year = session.exec(query).first() or (None, None)
    if place is None or year is None or not place.series:
        return []
    found = session.exec(_compared_over(place, year)).all()
    return [_later(session, event, version, known) for event, version, known in found]


def _compared_over(place: SourceRow, year: int) -> Any:
    """Changes that brought a document of a later year, compared with none or with one of an earlier year."""
    same = [col(SourceRow.series) == place.series]
    same.append(col(SourceRow.region) == place.region if place.region else col(SourceRow.key) == place.key)
    earlier = select(VersionRow.id).where(col(VersionRow.year) < year).scalar_subquery()
    return (
        select(ChangeRow, VersionRow, SourceRow)
        .where(
            col(ChangeRow.kind) == "new",
            col(ChangeRow.new_version) == col(VersionRow.id),
            col(PageRow.id) == col(ChangeRow.page),
            col(SourceRow.key) == col(PageRow.source),
            col(VersionRow.year) > year,
            or_(col(ChangeRow.compared_with).is_(None), col(ChangeRow.compared_with).in_(earlier)),
            *same,
        )
        .order_by(col(VersionRow.year), col(VersionRow.id))
        .limit(MOST)
    )


def _later(session: Session, event: ChangeRow, row: VersionRow, known: SourceRow) -> Later:
    page = session.get_one(PageRow, event.page)
    source = Source(key=known.key, url=known.url, region=known.region, series=known.series)
    return Later(
        rows.change(event, page.url),
        versions.version_of(session, row),
        source,
        versions.releases(session, event.page),
    )


def replace(session: Session, event: Change) -> None:
    """Put this comparison in place of the one that its change holds."""
    row = session.get_one(ChangeRow, rows.number(event.id))
    row.compared_with, row.compared_release = rows.number(event.compared_with), event.compared_release
    row.significance, row.reasons, row.body = event.significance, list(event.reasons), rows.change_body(event)
    session.add(row)
    session.connection().execute(delete(MovedRow).where(col(MovedRow.change) == row.id))
    moved = [line for line in event.targets if line.change != "unchanged"]
    assert row.id is not None
    session.add_all(versions.moved_row(row.id, line) for line in moved)
    version = session.get(VersionRow, row.new_version) if row.new_version is not None else None
    if version is not None:
        version.moved, version.significance = len(moved), event.significance
        session.add(version)
