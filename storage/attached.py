"""Pages of attachments: rows under the page that names them. Functions over one session."""

from __future__ import annotations

from sqlmodel import Session, col, select

from monitor.model import Attachment, Outcome, Page, Parent
from storage import rows, watched
from storage.tables import PageRow, SourceRow, VersionRow


def pages(session: Session, parent: int) -> list[Page]:
    """Every attachment that a page ever named, oldest first."""
    query = select(PageRow).where(col(PageRow.parent) == parent, col(PageRow.role) == "attachment")
    return [rows.page(row) for row in session.exec(query.order_by(col(PageRow.id)))]


def parent(session: Session, row: PageRow) -> Parent | None:
    """The page that names this attachment; None for other pages."""
    owner = session.get(PageRow, row.parent) if row.parent is not None else None
    if owner is None:
        return None
    last = session.get(VersionRow, owner.version) if owner.version is not None else None
    first = session.exec(
        select(VersionRow.at).where(col(VersionRow.page) == owner.id).order_by(col(VersionRow.id)).limit(1)
    ).first()
    return Parent(
        url=owner.url,
        title=last.title if last else owner.title,
        published=last.published if last else owner.date,
        publisher=last.document.get("publisher") if last else None,
        since=first,
    )


def follow(session: Session, outcome: Outcome) -> None:
    """Write down which attachments a page names from now on; new ones and those at a new address are due at once."""
    following, page = outcome.following, session.get_one(PageRow, outcome.page.id)
    assert following is not None
    owner = session.get_one(SourceRow, page.source, with_for_update=True)
    first_look = page.attached is None and outcome.result != "new"  # it was read before attachments were
    quiet = owner.baseline_done_at is None or first_look or (outcome.change is not None and outcome.change.baseline)
    for one in following.added:
        _add(session, page, one, outcome, quiet=quiet)
    for number, one in following.moved:
        _move(session, session.get_one(PageRow, number), one, outcome)
    for number in following.retired:
        session.get_one(PageRow, number).next_due = None
    page.attached = following.mark
    session.add(page)
    watched.rest_unless_watched(session, owner)


def _add(session: Session, page: PageRow, one: Attachment, outcome: Outcome, *, quiet: bool) -> None:
    """An address that is a page of this source already stays what it is; one that was retired is read again."""
    known = watched.find(session, page.source, one.url)
    if known is not None and known.parent == page.id:
        known.next_due, known.label = outcome.at, one.name
        session.add(known)
    elif known is None:
        row = PageRow(
            source=page.source,
            url=one.url,
            host=rows.host_of(one.url),
            role="attachment",
            parent=page.id,
            label=one.name,
            title=one.name,
            found_at=outcome.at,
            next_due=outcome.at,
            baseline=quiet,
        )
        session.add(row)
        session.flush()


def _move(session: Session, row: PageRow, one: Attachment, outcome: Outcome) -> None:
    """The same attachment at another address: nothing that was learned about reading the old one holds."""
    if watched.find(session, row.source, one.url) is not None:
        return
    row.url, row.host, row.label = one.url, rows.host_of(one.url), one.name
    row.next_due, row.last_checked = outcome.at, None
    row.etag = row.last_modified = row.raw_sha256 = row.error = row.detail = row.status = None
    row.failing_since = row.gone_since = None
    row.since_full = row.consecutive = row.gone_count = 0
    session.add(row)
    session.flush()
