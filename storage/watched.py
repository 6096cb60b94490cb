"""Sources and pages: what is watched, and what is due. Functions over one session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, exists, false, func, literal, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.model import ARCHIVED, GONE_WORDS, Link, Page, Source
from storage import leases, rows
from storage.database import MOST_NAMED
from storage.tables import HostRow, PageRow, SourceRow

_PAGE = tuple(PageRow.__table__.c)  # type: ignore[attr-defined]
OLDEST = 8  # times as many as are wanted: so many of those that wait are looked at first
CHOOSING = ("match", "match_text", "links")  # keys by which a source chooses its documents


def sync(
    session: Session, sources: Sequence[Source], now: datetime, first_due: Callable[[Source], datetime]
) -> list[str]:
    """Bring rows in line with the configuration. Nothing is deleted: what left it is kept, marked and never due. Its
    pages keep the time at which they go on, should it come back.

    Returns the keys of known sources that now choose their documents by another rule.
    """
    chosen, entering, resting = list[str](), list[Source](), list[str]()
    known = {row.key: row for row in session.exec(select(SourceRow))}
    for source in sources:
        row = known.pop(source.key, None)
        woken = row is None or not (row.enabled and row.in_config)
        if row is None:
            row = SourceRow(key=source.key, first_seen=now)
        moved, before = row.url != source.url, row.settings
        rows.fill_source(row, source)
        if row.first_seen < now and any(before.get(name) != row.settings.get(name) for name in CHOOSING):
            chosen.append(row.key)
        if moved or (woken and source.enabled):
            entering.append(source)
        if not source.enabled and (moved or not woken):
            resting.append(source.key)
        session.add(row)
    for row in known.values():
        if row.in_config:
            row.in_config, row.gone_at = False, now
            resting.append(row.key)
            session.add(row)
    session.flush()
    for start in range(0, len(entering), MOST_NAMED):
        some = entering[start : start + MOST_NAMED]
        _wake(session, [source.key for source in some])
        _enter(session, some, now, first_due)
    session.flush()
    for start in range(0, len(resting), MOST_NAMED):
        rest(session, resting[start : start + MOST_NAMED])
    return chosen


def rest(session: Session, sources: Sequence[str]) -> None:
    """These sources' pages are due no more: what nobody reads must not stand in the way of what is looked for every
    second."""
    pages = update(PageRow).where(col(PageRow.source).in_(sources), col(PageRow.next_due).is_not(None))
    session.connection().execute(pages.values(resumes=col(PageRow.next_due), next_due=None))


def rest_unless_watched(session: Session, owner: SourceRow) -> None:
    """What a check found that was under way when its source was put to rest."""
    if not (owner.enabled and owner.in_config):
        session.flush()
        rest(session, [owner.key])


def _wake(session: Session, sources: Sequence[str]) -> None:
    pages = update(PageRow).where(col(PageRow.source).in_(sources), col(PageRow.resumes).is_not(None))
    session.connection().execute(pages.values(next_due=col(PageRow.resumes), resumes=None))


def choose(session: Session, source: str, wanted: Callable[[PageRow], bool], now: datetime) -> tuple[int, int]:
    """Stop reading documents that are not `wanted` any more, and take up those again that are: (left, taken up).

    What was passed over unseen (never a version of it) is looked at again: another rule may want it. Documents that
    were imported from disk have no address to read, and those of a web archive never change.
    """
    left = taken = 0
    owner = session.get_one(SourceRow, source)
    documents = select(PageRow).where(col(PageRow.source) == source, col(PageRow.role) == "document")
    readable = col(PageRow.url).startswith("http") & ~col(PageRow.url).contains(f"{ARCHIVED}http", autoescape=True)
    for row in session.exec(documents.where(readable)).all():
        followed = row.next_due is not None or row.resumes is not None
        if not wanted(row):
            left += followed
            row.next_due = row.resumes = None
        elif not followed:
            taken += 1
            row.next_due = now
        if row.next_due is None and row.resumes is None and row.last_checked is None and row.version is None:
            session.delete(row)  # a name and nothing else: a list that is still to be read must not wait for it
        else:
            session.add(row)
    session.flush()
    _leave_attachments(session, source)
    rest_unless_watched(session, owner)
    return left, taken


def _leave_attachments(session: Session, source: str) -> None:
    """Attachments are read as long as their page is; one that is read again looks for them anew."""
    owner = aliased(PageRow)
    query = select(PageRow, owner).where(
        col(PageRow.source) == source,
        col(PageRow.parent) == owner.id,
        col(owner.next_due).is_(None),
        col(owner.resumes).is_(None),
    )
    for row, page in session.exec(query):
        row.next_due = row.resumes = page.attached = None
        session.add_all((row, page))


def _enter(session: Session, sources: Sequence[Source], now: datetime, first_due: Callable[[Source], datetime]) -> None:
    """The configured address becomes the only entry that is read. Many at once: a new installation has thousands."""
    url = {source.key: source.url for source in sources}
    known = dict[str, PageRow]()
    named = or_(col(PageRow.role) == "entry", col(PageRow.url).in_(sorted(set(url.values()))))
    for old in session.exec(select(PageRow).where(col(PageRow.source).in_(sorted(url)), named)):
        if old.url == url[old.source]:
            known[old.source] = old
        elif old.role == "entry":
            old.next_due = old.resumes = None
    for source in sources:
        row = known.get(source.key)
        if row is None:
            row = PageRow(source=source.key, url=source.url, host=rows.host_of(source.url), found_at=now)
            session.add(row)
        row.role, row.next_due = "entry", first_due(source)


def add_source(session: Session, source: Source, now: datetime) -> None:
    """A row for a source that only holds imported documents; a known one only gets what it lacks."""
    row = session.get(SourceRow, source.key)
    if row is None:
        row = SourceRow(key=source.key, first_seen=now)
        rows.fill_source(row, source)
        row.in_config = False
    row.region, row.series = row.region or source.region, row.series or source.series
    session.add(row)


def find(session: Session, source: str, url: str) -> PageRow | None:
    """The page of a source with this address."""
    return session.exec(select(PageRow).where(col(PageRow.source) == source, col(PageRow.url) == url)).first()


def add(session: Session, source: str, links: Iterable[Link], now: datetime, due: datetime | None) -> list[Page]:
    """New document pages among these links. Those found before the first complete pass ended are a baseline.

    Known ones stay what they are, http and https being one address; see `_again`.
    """
    owner = session.get_one(SourceRow, source, with_for_update=True)  # two that find the same page come one by one
    unique = {link.url: link for link in reversed(list(links))}  # the first mention of an address wins
    known = _known(session, source, list(unique))
    added = []
    for url, link in reversed(unique.items()):
        if (old := known.get(url) or known.get(_twin(url))) is not None:
            _again(session, owner, old, link, now)
            continue
        row = PageRow(
            source=source,
            url=url,
            host=rows.host_of(url),
            role="document",
            title=link.text or None,
            date=link.date,
            found_at=now,
            next_due=due,
            baseline=owner.baseline_done_at is None,
        )
        session.add(row)
        added.append(row)
    session.flush()
    rest_unless_watched(session, owner)
    return [rows.page(row) for row in added]


_Old = tuple[str, int, str, datetime | None, datetime | None, int | None]


def _known(session: Session, source: str, urls: Sequence[str]) -> dict[str, _Old]:
    """Which of these addresses are pages of a source already: a long column names thousands at every check."""
    known = dict[str, _Old]()
    wanted = [*urls, *map(_twin, urls)]
    columns = (PageRow.url, PageRow.id, PageRow.role, PageRow.next_due, PageRow.last_checked, PageRow.version)
    for start in range(0, len(wanted), MOST_NAMED):
        some = wanted[start : start + MOST_NAMED]
        query: Any = select(*columns).where(col(PageRow.source) == source, col(PageRow.url).in_(some))  # type: ignore[call-overload]
        known.update((row[0], tuple(row)) for row in session.exec(query))
    return known


def _twin(url: str) -> str:
    """The same address over the other scheme: a site that moves to https has no new documents."""
    scheme, _, rest = url.partition(":")
    return f"{'http' if scheme == 'https' else 'https'}:{rest}"


def _again(session: Session, owner: SourceRow, old: _Old, link: Link, now: datetime) -> None:
    """A list names a known document again: one that was given up is taken up, one that a sitemap says to have changed
    since it was read is read now."""
    _, number, role, next_due, checked, version = old
    if role != "document" or checked is None:
        return
    given_up = next_due is None and version is not None and "match_text" not in owner.settings
    changed = False
    if owner.kind == "sitemap" and link.date is not None and next_due is not None and next_due > now:
        zone = ZoneInfo(owner.settings.get("timezone", "Asia/Shanghai"))
        changed = link.date >= checked.astimezone(zone).date().isoformat()
    if given_up or changed:
        row = session.get_one(PageRow, number)
        row.next_due = now
        session.add(row)


def _alive(source: Any = None) -> tuple[Any, ...]:
    return (
        (col(PageRow.source) if source is None else source) == col(SourceRow.key),
        col(SourceRow.enabled).is_(True),
        col(SourceRow.in_config).is_(True),
    )


def others_failing(session: Session, page: int, times: int) -> bool:
    """See `Store.others_failing`."""
    source = select(PageRow.source).where(col(PageRow.id) == page).scalar_subquery()
    taken_down = (col(PageRow.role) == "document") & col(PageRow.error).in_(GONE_WORDS)
    query = select(PageRow.id).where(
        col(PageRow.source) == source,
        col(PageRow.role) != "attachment",
        col(PageRow.id) != page,
        col(PageRow.error).is_not(None),
        col(PageRow.consecutive) >= times,
        ~taken_down,
    )
    return session.exec(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Hosts:
    """Which hosts are looked at: none of `exclude`, at most `most` pages of each, or only one."""

    exclude: Collection[str] = ()
    most: int | None = None
    only: str | None = None


def _is_due(session: Session, now: datetime, by: datetime) -> tuple[Any, ...]:
    """The conditions on a page that is to be checked now, its time having come `by` then.

    An index of pages by source must not serve them: SQLite, once it has counted, goes through all pages of the few
    sources instead of the few pages that are due.
    """
    source = col(PageRow.source) + literal("")
    resting = col(HostRow.rests_until) > func.now() if leases.several(session) else false()
    held = select(HostRow.host).where(or_(col(HostRow.not_before) > now, resting))
    return (col(PageRow.next_due) <= by, *_alive(source), col(PageRow.host).not_in(held), leases.free(session))


def due(session: Session, now: datetime, limit: int, hosts: Hosts) -> list[Page]:
    """Pages whose time has come and that nobody is checking, longest waiting first; none of a held host.

    Where a great many wait, the oldest are looked at first: if they fill the answer, it is the same as over all.
    """
    if hosts.most is None:
        return _due(session, now, now, limit, hosts)
    oldest = select(PageRow.next_due).where(col(PageRow.next_due) <= now).order_by(col(PageRow.next_due))
    by = session.exec(oldest.offset(OLDEST * limit).limit(1)).first()
    found = _due(session, now, by or now, limit, hosts)
    return found if by is None or len(found) == limit else _due(session, now, now, limit, hosts)


def _due(session: Session, now: datetime, by: datetime, limit: int, hosts: Hosts) -> list[Page]:
    wanted = list(_is_due(session, now, by))
    if hosts.exclude:
        wanted.append(col(PageRow.host).not_in(sorted(hosts.exclude)))
    if hosts.only is not None:
        wanted.append(col(PageRow.host) == hosts.only)
    by_host: Any = (col(PageRow.host) + literal("")).label("host")  # as in due_hosts
    query: Any = select(PageRow.id, PageRow.next_due, by_host).where(*wanted)
    if hosts.most is not None:
        waiting = query.subquery()
        place = func.row_number().over(partition_by=waiting.c.host, order_by=(waiting.c.next_due, waiting.c.id))
        ranked = select(waiting.c.id, place.label("place")).subquery()
        chosen: Any = select(ranked.c.id).where(ranked.c.place <= hosts.most)
        # the time again: or SQLite goes through all pages in its order, looking for those chosen
        found = select(PageRow).where(col(PageRow.id).in_(chosen), col(PageRow.next_due) <= by)
    else:
        found = select(PageRow).where(*wanted)
    found = found.order_by(col(PageRow.next_due), col(PageRow.id)).limit(limit)
    return _plain(session, found)


def due_hosts(session: Session, now: datetime) -> list[str]:
    """The hosts of pages that are due and that nobody is checking, the longest waiting first."""
    by_host = col(PageRow.host) + literal("")  # or SQLite walks through the index of all hosts instead of what is due
    query = select(by_host).where(*_is_due(session, now, now)).group_by(by_host)
    return list(session.exec(query.order_by(func.min(PageRow.next_due), by_host)))


def _plain(session: Session, query: Any) -> list[Page]:
    """The pages that a query for PageRow finds, without making objects of the rows: thousands at a start."""
    return [rows.page(row) for row in session.connection().execute(query.with_only_columns(*_PAGE))]


def pages(session: Session, keys: Sequence[str] | None, include_documents: bool) -> list[Page]:
    """Every page that is still read, of these sources or of all, entries first."""
    query = select(PageRow).where(*_alive(), col(PageRow.next_due).is_not(None))
    if keys is not None:
        query = query.where(col(PageRow.source).in_(list(keys)))
    if not include_documents:
        query = query.where(col(PageRow.role) == "entry")
    query = query.order_by(col(PageRow.role).desc(), col(PageRow.next_due), col(PageRow.id))
    return _plain(session, query)


def checked_ahead(
    session: Session, now: datetime, after: int, limit: int, among: Collection[int] | None = None
) -> list[Page]:
    """Pages beyond this id whose last check, or discovery, lies in the future: the clock was set back since."""
    known = func.coalesce(PageRow.last_checked, PageRow.found_at)
    query = select(PageRow).where(*_alive(), col(PageRow.id) > after, known > now, col(PageRow.next_due) > now)
    if among is not None:
        query = query.where(col(PageRow.id).in_(sorted(among)))
    return _plain(session, query.order_by(col(PageRow.id)).limit(limit))


def set_dues(session: Session, dues: Mapping[int, datetime]) -> None:
    """Move these due times."""
    move = update(PageRow).where(col(PageRow.id) == bindparam("this_page")).values(next_due=bindparam("due"))
    if dues:
        session.connection().execute(move, [{"this_page": page, "due": at} for page, at in dues.items()])


def unread_pages(session: Session, source: str) -> list[Page]:
    """Pages of a source that were found and never checked, in the order in which `pages` names them."""
    query = select(PageRow).where(
        *_alive(),
        col(PageRow.source) == source,
        col(PageRow.last_checked).is_(None),
        col(PageRow.next_due).is_not(None),
    )
    query = query.order_by(col(PageRow.role).desc(), col(PageRow.next_due), col(PageRow.id))
    return _plain(session, query)


def next_due(session: Session) -> datetime | None:
    """When the next page is due, held hosts included."""
    return session.exec(
        select(PageRow.next_due)
        .where(*_alive(), col(PageRow.next_due).is_not(None))
        .order_by(col(PageRow.next_due))
        .limit(1)
    ).first()


def neighbour_answers(session: Session, row: PageRow) -> bool:
    """Whether another page of the same host was read well since this one went missing."""
    if row.gone_since is None:
        return False
    query = select(PageRow.id).where(
        col(PageRow.host) == row.host, col(PageRow.id) != row.id, col(PageRow.last_good) >= row.gone_since
    )
    return session.exec(query.limit(1)).first() is not None


def lock(session: Session, source: str) -> None:
    """Keep a source's row from others until the transaction ends. Before its pages: who waits for both waits in one
    order, and nobody locks up."""
    session.exec(select(SourceRow.key).where(col(SourceRow.key) == source).with_for_update())


def finish(session: Session, source: str, now: datetime) -> None:
    """See `Store.finish_pass`."""
    unread = exists().where(
        col(PageRow.source) == source,
        col(PageRow.last_checked).is_(None),
        or_(col(PageRow.role) == "document", col(PageRow.next_due).is_not(None)),
    )
    first = update(SourceRow).where(col(SourceRow.key) == source, col(SourceRow.baseline_done_at).is_(None), ~unread)
    session.connection().execute(first.values(baseline_done_at=now))
