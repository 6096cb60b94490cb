"""Full-text search in the database: narrowed inside the index, then looked for in the texts, newest entries first.

How long it takes follows from what is found, not from how much is kept: the index is asked for as many entries as are
wanted, in the order of the answer, and what they say is read for many at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlmodel import Session, col

from monitor.errors import StorageError
from storage import blobs, passages, rows, search, spans
from storage.answers import Row
from storage.filters import Filter, narrowed, region_clause
from storage.spans import END
from storage.tables import ChangeRow, PageRow, PassageRow, SourceRow, Time, VersionRow

MOST_AT_ONCE = 1000  # entries in one answer of the index
SOME = 50  # … whose texts are in memory at once
MOST_SOURCES = 400  # named in one question; of a filter that more meet, most entries are wanted anyway
MOST_CHANGES = 2000  # since a time, whose pages are looked up
WORTH = 6  # a single character is looked for without the index while one of so many entries has it …
ANYWAY = 2000  # … and among so many at the end, or that have the other words, in any case

_Found = tuple[str, list[tuple[int, int]]]  # a text, and where the words stand in it

_FTS = text(
    "SELECT rowid FROM passage_index WHERE passage_index MATCH :asked AND rowid >= :above AND rowid < :below"
    " ORDER BY rowid DESC LIMIT :batch"
)
_TIMES = (bindparam("since", type_=Time()), bindparam("until", type_=Time()))
_GIN = text(
    "SELECT passage FROM passage_index WHERE words @> CAST(:asked AS text[]) AND passage >= :above"
    " AND passage < :below AND (CAST(:any AS text[]) IS NULL OR words && CAST(:any AS text[]))"
    " ORDER BY passage DESC LIMIT :batch"
)
_GIN_AT = text(
    "SELECT passage_index.passage FROM passage_index JOIN passage ON passage.id = passage_index.passage"
    " LEFT JOIN change ON change.id = passage.change LEFT JOIN version ON version.id = passage.version"
    " WHERE words @> CAST(:asked AS text[]) AND passage_index.passage >= :above AND passage_index.passage < :below"
    " AND (CAST(:any AS text[]) IS NULL OR words && CAST(:any AS text[]))"
    " AND coalesce(change.at, version.at) >= coalesce(CAST(:since AS timestamptz), '-infinity')"
    " AND coalesce(change.at, version.at) < coalesce(CAST(:until AS timestamptz), 'infinity')"
    " ORDER BY passage_index.passage DESC LIMIT :batch"
).bindparams(*_TIMES)
_ALL = text("SELECT id FROM passage WHERE id >= :above AND id < :below ORDER BY id DESC LIMIT :batch")


def find(session: Session, asked: search.Query, wanted: Filter, limit: int, unread: deque[str]) -> list[Row]:
    """Where the words occur, newest entries first; every text that is damaged is named in `unread`."""
    sources, out = _sources(session, wanted), list[Row]()
    if sources is not None and not sources:
        return out
    for seeking in _seekings(session, asked, sources, wanted):
        while len(out) < limit and (numbers := seeking.more(limit)):
            before = len(out)
            for row in _said(session, numbers, asked, wanted, unread):
                out.append(row)
                if len(out) == limit:
                    return out
            seeking.found(len(out) - before, of=len(numbers))
    return out


def _seekings(
    session: Session, asked: search.Query, sources: tuple[str, ...] | None, wanted: Filter
) -> Iterator[_Seeking]:
    """Where to look, newest first. A latest text keeps the number of its page's first, so `since` looks for them among
    all numbers; what was changed stands where its time is (spans.py)."""
    if passages.is_gin(session) or not (wanted.since or wanted.until):
        yield _Seeking(session, asked, sources, wanted)
        return
    within = spans.between(session, wanted.since, wanted.until)
    places = [(start, end, False) for start, end in within]
    if wanted.since and (among := _texts_since(session, wanted.since)) != set():
        places = sorted([*places, *((start, end, True) for start, end in spans.outside(within))], reverse=True)
    else:
        among = None
    for start, end, texts in places:
        yield _Seeking(session, asked, sources, wanted, above=start, below=end, among=among, texts=texts)


def _sources(session: Session, wanted: Filter) -> tuple[str, ...] | None:
    """The words of the index for the sources that are asked for; None: they cannot be, or need not be, told there."""
    clause = region_clause(wanted)
    if wanted.source:
        keys = [wanted.source]
    elif wanted.url:
        of_page = select(col(PageRow.source)).where(col(PageRow.url) == wanted.url)
        keys = list(session.connection().execute(of_page).scalars())
    elif clause is not None or wanted.series:
        query = select(col(SourceRow.key)).limit(MOST_SOURCES + 1)
        query = query.where(clause) if clause is not None else query
        query = query.where(col(SourceRow.series) == wanted.series) if wanted.series else query
        keys = list(session.connection().execute(query).scalars())
    else:
        return None
    return tuple(sorted({passages.of_source(key) for key in keys})) if len(keys) <= MOST_SOURCES else None


def _texts_since(session: Session, since: datetime) -> set[int] | None:
    """The entries of the latest texts of pages that changed since then; None where they are too many to be named."""
    late = select(col(ChangeRow.id)).where(col(ChangeRow.at) >= since)  # the index has the answer, the rows are apart
    if session.connection().execute(late.offset(MOST_CHANGES).limit(1)).first() is not None:
        return None
    pages = session.connection().execute(late.with_only_columns(col(ChangeRow.page))).scalars().all()
    query = select(col(PassageRow.id)).join(PageRow, col(PageRow.version) == col(PassageRow.version))
    query = query.where(col(PageRow.id).in_(set(pages)), col(PassageRow.place) == "text")
    return {number for number in session.connection().execute(query).scalars() if number is not None}


class _Seeking:
    """The numbers of entries that may hold the words, from the newest, some at a time and then more.

    `texts`: of latest texts alone, and, where `among` is given, of these.
    """

    def __init__(
        self,
        session: Session,
        asked: search.Query,
        sources: tuple[str, ...] | None,
        wanted: Filter,
        **place: Any,
    ) -> None:
        self._session, self._asked, self._sources, self._wanted = session, asked, sources, wanted
        self._above, self._below, self._batch = place.get("above", 0), place.get("below", END), 0
        self._texts, self._among = place.get("texts", False), place.get("among")
        self._gin = passages.is_gin(session)
        self._walking = asked.single and not self._gin  # FTS5 would merge the entries of every pair that begins so
        self._looked = 0

    def more(self, wanted: int) -> list[int]:
        """The next ones; none at the end."""
        while self._below > self._above:
            self._batch = min(2 * self._batch or max(wanted, 20), MOST_AT_ONCE)
            span = {"above": self._above, "below": self._below, "batch": self._batch}
            statement, given = self._question()
            numbers = list(self._session.connection().execute(statement, {**span, **given}).scalars())
            self._below = numbers[-1] if len(numbers) == self._batch else self._above
            if self._texts and self._among is not None:
                numbers = [number for number in numbers if number in self._among]
            if numbers:
                return numbers
        return []

    def found(self, hits: int, of: int) -> None:
        """How many of the last ones held the words indeed."""
        self._looked += of
        cheap = self._below - self._above <= ANYWAY or bool(self._asked.without_singles and self._looked <= ANYWAY)
        self._walking = self._walking and (hits * WORTH >= of or cheap)

    def _question(self) -> tuple[Any, dict[str, Any]]:
        if self._gin:
            return self._to_gin()
        parts = [f'"{passages.TEXT}"'] if self._texts else []
        if self._sources is not None:
            parts.append("(" + " OR ".join(f'"{word}"' for word in self._sources) + ")")
        if match := self._asked.without_singles if self._walking else self._asked.match:
            parts.append(match)
        return (_FTS, {"asked": " AND ".join(parts)}) if parts else (_ALL, {})

    def _to_gin(self) -> tuple[Any, dict[str, Any]]:
        given: dict[str, Any] = {"asked": [*self._asked.pairs]}
        given["any"] = None if self._sources is None else list(self._sources)
        since, until = self._wanted.since, self._wanted.until
        return (_GIN_AT, {**given, "since": since, "until": until}) if since or until else (_GIN, given)


_COLUMNS: tuple[Any, ...] = (
    *(PassageRow.id, PassageRow.place, PassageRow.change, PageRow.source, PageRow.url, PageRow.title),
    *(ChangeRow.body, ChangeRow.new_version, ChangeRow.old_version, VersionRow.sha256, VersionRow.at),
    *(col(ChangeRow.at).label("change_at"), col(ChangeRow.title).label("change_title")),
    *(col(VersionRow.id).label("version"), col(VersionRow.title).label("version_title")),
)
_ENTRIES = (
    select(*_COLUMNS)
    .select_from(PassageRow)
    .join(PageRow, col(PageRow.id) == col(PassageRow.page))
    .join(SourceRow, col(SourceRow.key) == col(PageRow.source))
    .outerjoin(ChangeRow, col(ChangeRow.id) == col(PassageRow.change))
    .outerjoin(VersionRow, (col(VersionRow.id) == col(PassageRow.version)) & col(PassageRow.change).is_(None))
    .order_by(col(PassageRow.id).desc())
)


def _said(
    session: Session, numbers: Sequence[int], asked: search.Query, wanted: Filter, unread: deque[str]
) -> Iterator[Row]:
    """Lines of the answer: the entries of these numbers that hold the words, as the filter wants them."""
    for start in range(0, len(numbers), SOME):
        query = _ENTRIES.where(col(PassageRow.id).in_(numbers[start : start + SOME]))
        at = func.coalesce(col(ChangeRow.at), col(VersionRow.at))
        entries = session.connection().execute(narrowed(query, wanted, at)).all()
        kept = blobs.rows_of(session, [entry.sha256 for entry in entries if entry.change is None and entry.sha256])
        looked = dict[str, _Found]()  # pages that share a text stand beside each other
        for entry in entries:
            same = entry.sha256 or "" if entry.change is None else ""
            try:
                said, found = looked.get(same) or _looked(session, entry, kept, asked)
            except StorageError as wrong:
                unread.append(str(wrong))
                continue
            if same:
                looked[same] = said, found
            if found:
                yield _line(entry, said, found)


def _looked(session: Session, entry: Any, kept: dict[str, Any], asked: search.Query) -> _Found:
    """The text of an entry, and where the words stand in it. Raises StorageError where it is damaged."""
    said = _text(session, entry, kept)
    return said, search.hits(said, asked)


def _text(session: Session, entry: Any, kept: dict[str, Any]) -> str:
    """What an entry stands for. Raises StorageError where that is damaged."""
    if entry.change is not None:
        return passages.of_edits(rows.body(entry.body, entry.change)[0], entry.place)
    return blobs.decode(blobs.read(session, entry.sha256, kept.get(entry.sha256), f"version v{entry.version}"))


def _line(entry: Any, said: str, found: list[tuple[int, int]]) -> Row:
    line, place = search.snippet(said, found)
    latest = entry.change is None
    return {
        "source": entry.source,
        "url": entry.url,
        "title": (entry.version_title if latest else entry.change_title) or entry.title,
        "version": rows.version_id(entry.version if latest else entry.new_version or entry.old_version),
        "change": rows.change_id(entry.change),
        "at": entry.at if latest else entry.change_at,
        "where": entry.place,
        "snippet": line,
        "hit": place,
        "hits": len(found),
    }
