"""Full-text search in the database: narrowed inside the index, then looked for in the texts, newest entries first.

How long it takes follows from what is found, not from how much is kept: the index is asked for as many entries as are
wanted, in the order of the answer, and what they say is read for many at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from monitor.errors import StorageError
from storage import blobs, passages, rows, search
from storage.answers import Row
from storage.filters import Filter, narrowed, region_clause
from storage.tables import ChangeRow, PageRow, PassageRow, SourceRow, VersionRow

MOST_AT_ONCE = 1000  # entries in one answer of the index
SOME = 50  # … whose texts are in memory at once
MOST_SOURCES = 400  # named in one question; of a filter that more meet, most entries are wanted anyway
MOST_CHANGES = 5000  # since a time, among which the first entry is looked for
WORTH = 6  # a single character is looked for without the index while one of so many entries has it
END = 1 << 62

_Found = tuple[str, list[tuple[int, int]]]  # a text, and where the words stand in it

_FTS = text(
    "SELECT rowid FROM passage_index WHERE passage_index MATCH :asked AND rowid >= :above AND rowid < :below"
    " ORDER BY rowid DESC LIMIT :batch"
)
_GIN = text(
    "SELECT passage FROM passage_index WHERE words @> CAST(:asked AS text[]) AND passage >= :above"
    " AND passage < :below ORDER BY passage DESC LIMIT :batch"
)
_GIN_ANY = text(
    "SELECT passage FROM passage_index WHERE words @> CAST(:asked AS text[]) AND words && CAST(:any AS text[])"
    " AND passage >= :above AND passage < :below ORDER BY passage DESC LIMIT :batch"
)
_ALL = text("SELECT id FROM passage WHERE id >= :above AND id < :below ORDER BY id DESC LIMIT :batch")


def find(session: Session, asked: search.Query, wanted: Filter, limit: int, unread: deque[str]) -> list[Row]:
    """Where the words occur, newest entries first; every text that is damaged is named in `unread`."""
    sources, out = _sources(session, wanted), list[Row]()
    if sources is not None and not sources:
        return out
    first = _first_since(session, wanted.since)
    for seeking in (
        _Seeking(session, asked, sources, above=first),
        _Seeking(session, asked, sources, below=first, texts=True),  # a text keeps the number of its page's first
    ):
        while len(out) < limit and (numbers := seeking.more(limit)):
            before = len(out)
            for row in _said(session, numbers, asked, wanted, unread):
                out.append(row)
                if len(out) == limit:
                    return out
            seeking.found(len(out) - before, of=len(numbers))
    return out


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


def _first_since(session: Session, since: datetime | None) -> int:
    """The lowest number of an entry of a change since then; 0 where they are too many to look for it."""
    if since is None:
        return 0
    late = select(col(ChangeRow.id)).where(col(ChangeRow.at) >= since).limit(MOST_CHANGES + 1).subquery()
    query = select(func.count(late.c.id.distinct()), func.min(PassageRow.id)).select_from(late)
    query = query.outerjoin(PassageRow, col(PassageRow.change) == late.c.id)
    count, first = session.connection().execute(query).one()
    return 0 if count > MOST_CHANGES else first or END


class _Seeking:
    """The numbers of entries that may hold the words, from the newest, some at a time and then more."""

    def __init__(
        self,
        session: Session,
        asked: search.Query,
        sources: tuple[str, ...] | None,
        *,
        above: int = 0,
        below: int = END,
        texts: bool = False,
    ) -> None:
        self._session, self._asked, self._sources, self._texts = session, asked, sources, texts
        self._above, self._below, self._batch = above, below, 0
        self._gin = passages.is_gin(session)
        self._walking = asked.single and not self._gin  # FTS5 would merge the entries of every pair that begins so

    def more(self, wanted: int) -> list[int]:
        """The next ones; none at the end."""
        if self._below <= self._above:
            return []
        self._batch = min(2 * self._batch or max(wanted, 20), MOST_AT_ONCE)
        span = {"above": self._above, "below": self._below, "batch": self._batch}
        statement, given = self._question()
        numbers = list(self._session.connection().execute(statement, {**span, **given}).scalars())
        self._below = numbers[-1] if len(numbers) == self._batch else self._above
        return numbers

    def found(self, hits: int, of: int) -> None:
        """How many of the last ones held the words indeed."""
        self._walking = self._walking and hits * WORTH >= of

    def _question(self) -> tuple[Any, dict[str, Any]]:
        words = [passages.TEXT] if self._texts else []
        if self._gin:
            given: dict[str, Any] = {"asked": [*self._asked.pairs, *words]}
            return (_GIN, given) if self._sources is None else (_GIN_ANY, {**given, "any": list(self._sources)})
        parts = [f'"{word}"' for word in words]
        if self._sources is not None:
            parts.append("(" + " OR ".join(f'"{word}"' for word in self._sources) + ")")
        if not self._walking:
            parts.append(self._asked.match)
        return (_FTS, {"asked": " AND ".join(parts)}) if parts else (_ALL, {})


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
