"""Asking. Every connection here is read-only, and none of this imports what only writing needs.

    with Queries("sqlite:///data/mubiao.db") as ask:
        for change in ask.changes(Filter(under="2301"), limit=20): ...

Answers are types of monitor.model, or dictionaries named as in docs/json.md with times as `datetime`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import false, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from monitor.errors import StorageError, UsageError
from monitor.model import Alert, Change, Mute, Noise, Page, Release, Target, Version
from storage import (
    answers,
    database,
    feed,
    finding,
    learned,
    named,
    outbox,
    payloads,
    postgres,
    retention,
    rows,
    search,
    series,
    silence,
    standing,
    targets,
    versions,
    watchlist,
)
from storage.answers import Item, Row
from storage.filters import Filter, narrowed
from storage.learned import Seen
from storage.tables import (
    REVISIONS,
    AlertRow,
    BlobRow,
    ChangeRow,
    PageRow,
    SourceRow,
    TargetRow,
    VersionRow,
)
from storage.watchlist import Listing

UNREAD = 100  # remembered damages
FEW = 500  # sources read at a time


class Queries:
    """A database, open for asking. Raises StorageError where it is missing, older or newer than this program."""

    def __init__(self, url: str, *, pooled: bool = False) -> None:
        self.url = url
        self.path = database.sqlite_path(url)
        self.unread: deque[str] = deque(maxlen=UNREAD)  # what was left out of answers because it is damaged
        self._engine = database.reader(url, pooled=pooled, cache=database.SMALL_CACHE if pooled else database.CACHE)

    def open(self) -> Self:
        """Check that the database is there and of this program's schema."""
        if self.path is not None and not self.path.exists():
            raise StorageError(f"there is no database {self.path} yet; run: mubiao check")
        database.require_current(self._engine, REVISIONS)
        return self

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Session]:
        with database.plain_errors(self._engine), Session(self._engine) as session:
            yield session

    # ------------------------------------------------------------------ versions

    def resolve(self, ref: str) -> str:
        """The id of the version that a user means: "v12", "key@2022", "230103@2022", a key, or an address.

        A key or an address alone is its latest version. Raises UsageError for what is not there or not one thing.
        """
        with self._session() as session:
            return f"v{named.version(session, ref)}"

    def version(self, ref: str) -> Version:
        """A version with its document; `ref` as for `resolve`."""
        with self._session() as session:
            return versions.version_of(session, session.get_one(VersionRow, named.version(session, ref)))

    def version_at(self, ref: str, at: datetime) -> Version:
        """What the page of `ref` said at that time. Raises UsageError where nothing had been seen yet."""
        with self._session() as session:
            page = session.get_one(VersionRow, named.version(session, ref)).page
            query = select(VersionRow).where(col(VersionRow.page) == page, col(VersionRow.at) <= at)
            row = session.exec(query.order_by(col(VersionRow.at).desc(), col(VersionRow.id).desc()).limit(1)).first()
            if row is None:
                raise UsageError(f"nothing of {ref} had been seen by {at:%Y-%m-%d %H:%M}")
            return versions.version_of(session, row)

    def releases(self, ref: str) -> tuple[Release, ...]:
        """What a version may be compared with, its own earlier releases included, with their texts."""
        with self._session() as session:
            return series.releases(session, session.get_one(VersionRow, named.version(session, ref)))

    def names(self, filters: Filter | None = None, *, latest: bool = False) -> list[str]:
        """The ids of versions, oldest first."""
        with self._session() as session:
            return series.names(session, filters or Filter(), latest=latest)

    def series_by_source(self) -> dict[str, str | None]:
        """The series of every source by its key."""
        with self._session() as session:
            return dict(session.exec(select(SourceRow.key, SourceRow.series)).all())

    def targets_of(self, ref: str) -> tuple[Target, ...]:
        """Every target and actual of a version, in the order of the text."""
        with self._session() as session:
            return versions.targets_of(session, session.get_one(VersionRow, named.version(session, ref)))

    def raw(self, ref: str) -> bytes | None:
        """The body of a version as it was received, None where it was not kept."""
        with self._session() as session:
            return versions.raw_of(session, session.get_one(VersionRow, named.version(session, ref)))

    def history(self, ref: str, limit: int | None = None) -> list[Row]:
        """Versions of a source or of one address, newest first."""
        with self._session() as session:
            pages = named.pages(session, ref)
            newest = (col(VersionRow.at).desc(), col(VersionRow.id).desc())
            shown = (
                select(VersionRow.id).where(col(VersionRow.page).in_(pages)).order_by(*newest).limit(limit)
            )  # an index
            query = answers.HISTORY.where(col(VersionRow.id).in_(shown)).order_by(*newest)
            return [self._history(row) for row in session.connection().execute(query)]

    def _history(self, row: Any) -> Row:
        """One version of many: without its kind where that is damaged, which is remembered."""
        try:
            return answers.history_row(row)
        except StorageError as wrong:
            self.unread.append(str(wrong))
            return answers.history_row(row, whole=False)

    def show(self, ref: str, at: datetime | None = None) -> Row:
        """One version whole: the fields of `history` and the document."""
        with self._session() as session:
            version = self.version_at(ref, at) if at else self.version(ref)
            row = session.get_one(VersionRow, rows.number(version.id))
            return answers.shown(session, row, session.get_one(PageRow, row.page), version)

    def versions(self, filters: Filter | None = None, *, latest: bool = False) -> Iterator[Row]:
        """Every version whole (`show`), oldest first, for export; `latest` leaves out what was replaced."""
        wanted = filters or Filter()
        with self._session() as session:
            query = select(VersionRow.id).where(
                col(VersionRow.page) == col(PageRow.id), col(PageRow.source) == col(SourceRow.key)
            )
            query = narrowed(query, wanted, VersionRow.at)
            if latest:
                query = query.where(col(PageRow.version) == col(VersionRow.id))
            numbers = session.exec(query.order_by(col(VersionRow.id))).all()
        for number in numbers:
            try:
                yield self.show(f"v{number}")
            except StorageError as wrong:  # the others are still good
                self.unread.append(str(wrong))

    # ------------------------------------------------------------------ changes

    def changes(
        self, filters: Filter | None = None, *, limit: int | None = 100, before: str | None = None
    ) -> list[Change]:
        """The change feed, newest first; `before` is the id of the last change of the page before."""
        wanted = filters or Filter()  # columns in coalesce(): which index is asked, feed.py says
        query: Any = select(ChangeRow, PageRow.url).where(
            col(ChangeRow.page) == col(PageRow.id), col(PageRow.source) == col(SourceRow.key)
        )
        query = narrowed(query, wanted, func.coalesce(col(ChangeRow.at), col(ChangeRow.at)))
        if wanted.min_significance:
            query = query.where(col(ChangeRow.significance) >= wanted.min_significance)
        if wanted.change_kinds:
            query = query.where(col(ChangeRow.kind).in_(wanted.change_kinds))
        if not wanted.baseline:
            query = query.where(func.coalesce(col(ChangeRow.baseline), false()).is_(False))
        with self._session() as session:
            found = feed.page(session, query, wanted, limit, rows.number(before))
            return [change for row, url in found if (change := self._change(row, url)) is not None]

    def _change(self, row: ChangeRow, url: str) -> Change | None:
        """One change of many: without its edits where they are damaged, not at all where its kind is; remembered."""
        for whole in (True, False):
            try:
                return rows.change(row, url, whole=whole)
            except StorageError as wrong:
                self.unread.append(str(wrong))
        return None

    def change(self, name: str) -> Change:
        """One change. Raises UsageError where there is none of this id."""
        with self._session() as session:
            row = session.get(ChangeRow, rows.number(name)) if name.startswith("c") else None
            if row is None:
                raise UsageError(f"there is no change {name}")
            return rows.change(row, session.get_one(PageRow, row.page).url)

    # ------------------------------------------------------------------ targets

    def targets(self, filters: Filter | None = None, *, limit: int | None = None) -> list[Item]:
        """Targets and actuals of the latest version of every page, in the order of source, document and text.

        With `as_of` of the versions that were the latest then; with `release`, or `all_releases`, of the latest
        version of every release of a page.
        """
        with self._session() as session:
            return targets.listed(session, filters or Filter(), limit, self.unread)

    # ------------------------------------------------------------------ search

    def search(self, query: str, filters: Filter | None = None, *, limit: int = 50) -> list[Row]:
        """Where words occur in the latest texts and in everything added or removed; newest first, exact."""
        asked = search.parse(query)
        with self._session() as session:
            return finding.find(session, asked, filters or Filter(), limit, self.unread)

    # ------------------------------------------------------------------ state

    def sources(self, wanted: Listing | None = None) -> list[Row]:
        """Sources that were ever configured, with their settings and state, in the order of keys."""
        with self._session() as session:
            return watchlist.some(session, wanted or Listing())

    def all_sources(self, wanted: Listing | None = None) -> Iterator[list[Row]]:
        """The same, FEW at a time: 100,000 at once are half a gigabyte."""
        part = replace(wanted or Listing(), limit=FEW)
        while found := self.sources(part):
            yield found
            part = replace(part, after=found[-1]["key"])

    def about_sources(self, keys: Collection[str] | None = None) -> dict[str, Row]:
        """The name, region, series and tags of these sources, or of all, and when their first passes ended.

        Of a great many, all are answered with.
        """
        names = ("key", "name", "region", "series", "tags", "baseline_done_at")
        query = sql_select(*(col(getattr(SourceRow, name)) for name in names))
        if keys is not None and len(keys) <= database.MOST_NAMED:
            query = query.where(col(SourceRow.key).in_(sorted(keys)))
        with self._session() as session:
            found = session.connection().execute(query)
            return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in found}

    def release_days(self) -> dict[str, dict[int, date]]:
        """For each watched source the years of its releases, and when each came out."""
        with self._session() as session:
            return standing.release_days(session)

    def require_source(self, key: str | None) -> None:
        """Raises UsageError, naming the nearest key, for a source that is not there; None is no question."""
        with self._session() as session:
            if key is not None and session.get(SourceRow, key) is None:
                raise UsageError(named.unknown(session, key))

    def pages(self, source: str) -> list[Page]:
        """Every page of a source, entries first."""
        with self._session() as session:
            query = select(PageRow).where(col(PageRow.source) == source)
            return [rows.page(row) for row in session.exec(query.order_by(col(PageRow.role).desc(), col(PageRow.id)))]

    def noise(self, source: str) -> list[Noise]:
        """The rules learned from the hosts of a source's pages, those of other pages of its hosts left out."""
        with self._session() as session:
            addresses = {"", *session.exec(select(PageRow.url).where(col(PageRow.source) == source))}
            return [n for n in learned.rules(session, learned.hosts_of(session, source)) if n.page in addresses]

    def latest(self, source: str, limit: int | None = None) -> list[Seen]:
        """The latest versions of a source's pages with the bodies they were read from, newest first."""
        with self._session() as session:
            return learned.latest(session, source=source, limit=limit)

    def failures(self, limit: int | None = None) -> list[Page]:
        """Pages of watched sources whose last attempt failed, longest first; `failure` says why."""
        with self._session() as session:
            return [rows.page(row) for row in watchlist.failing_pages(session, limit)]

    def alerts(
        self, state: str | None = None, *, channel: str | None = None, ids: list[str] | None = None, limit: int = 100
    ) -> list[Alert]:
        """The outbox, newest first."""
        query = select(AlertRow)
        if state is not None:
            query = query.where(col(AlertRow.state) == state)
        if channel is not None:
            query = query.where(col(AlertRow.channel) == channel)
        if ids is not None:
            query = query.where(col(AlertRow.id).in_(ids))
        with self._session() as session:
            found = session.exec(query.order_by(col(AlertRow.created).desc(), col(AlertRow.id)).limit(limit))
            unread: dict[str, str] = {}
            listed = payloads.alerts(session, found, unread)
            self.unread.extend(unread.values())
            return listed

    def digests(self, channel: str) -> list[list[Alert]]:
        """What waits for the digests of a channel, oldest first: one list for each of its crons."""
        with self._session() as session:
            return [outbox.waiting(session, name, cron) for name, cron in outbox.groups(session) if name == channel]

    def mutes(self, now: datetime) -> list[Mute]:
        """What is muted now."""
        with self._session() as session:
            return silence.mutes(session, now)

    def channels(self, names: Sequence[str]) -> dict[str, Row]:
        """These channels and every other that was ever owed a message: `state` on or off, `waiting`, `dead`,
        `last_sent`, `why` it is off (or which recipients are)."""
        with self._session() as session:
            counts = session.exec(
                select(AlertRow.channel, AlertRow.state, func.count(), func.max(AlertRow.sent_at))
                .where(col(AlertRow.folded_into).is_(None))
                .group_by(AlertRow.channel, AlertRow.state)
            ).all()
            off = silence.off(session)
        found: dict[str, Row] = {}
        for name in [*names, *sorted({c for c, *_ in counts} - set(names))]:
            mine = {state: (n, last) for c, state, n, last in counts if c == name}
            gone = [o for o in off if o.channel == name]
            found[name] = {
                "state": "off" if any(not o.recipient for o in gone) else "on",
                "waiting": mine.get("pending", (0, None))[0],
                "dead": mine.get("dead", (0, None))[0],
                "last_sent": mine.get("sent", (0, None))[1],
                "why": "; ".join(o.why for o in gone) or None,
            }
        return found

    def thinned_out(self) -> Row | None:
        """What the last night's thinning took: the fields of Pruned, and `at`; None where nothing is thinned out."""
        with self._session() as session:
            return retention.account(session)

    def server(self) -> postgres.Server | None:
        """The server of a PostgreSQL database, None for a file."""
        if self.path is not None:
            return None
        with self._session() as session:
            return postgres.server(session.connection())

    def size(self) -> int:
        """Bytes of the database, its indexes included."""
        with self._session() as session:
            return database.size(session.connection(), self.path)

    def status(self, now: datetime) -> Row:
        """Counts for a status page and for metrics; `oldest_alert` is when the longest waiting alert was due.

        `reading` are sources whose first complete pass is not over, `unread` their pages that were never read.
        """
        with self._session() as session:

            def count(table: Any, *where: Any) -> int:
                return int(session.exec(select(func.count()).select_from(table).where(*where)).one())

            reading, unread = standing.first_crawl(session)
            states = session.exec(select(AlertRow.state, func.count()).group_by(AlertRow.state)).all()
            oldest = select(func.min(AlertRow.next_at)).where(col(AlertRow.state) == "pending")
            return {
                "sources": count(SourceRow, col(SourceRow.enabled).is_(True), col(SourceRow.in_config).is_(True)),
                "pages": count(PageRow),
                "reading": reading,
                "unread": unread,
                "failing": count(PageRow, *watchlist.IS_FAILING),
                "due": count(PageRow, col(PageRow.next_due) <= now),
                "versions": count(VersionRow),
                "changes": count(ChangeRow, col(ChangeRow.baseline).is_(False)),
                "targets": count(TargetRow),
                "blobs": count(BlobRow),
                "alerts": dict(sorted(states)),
                "oldest_alert": session.exec(oldest).one(),
                "bytes": database.size(session.connection(), self.path),
            }
