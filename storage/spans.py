"""When the entries of SQLite's full-text index were made, for a block of neighbours each.

Entries are numbered as they come, so the time of one says something about the next; but captures of a web archive come
late, so nothing follows for certain. A question about a time reads the blocks that have an entry of that time. What has
no block yet, the newest entries, is always read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, literal, or_, text
from sqlmodel import Session, col, select, update

from storage.tables import EntrySpanRow, PassageRow, Time

BLOCK = 256  # entries
END = 1 << 62
MOST = 64  # intervals that are asked for apart
_EVER = (datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))

_Span = tuple[int, int]  # numbers of entries, [start, end)

_EXTEND = text(
    "INSERT INTO entry_span (block, first_at, last_at)"
    " SELECT passage.id / :size, min(coalesce(change.at, (SELECT min(at) FROM version WHERE page = passage.page), '')),"
    " max(change.at) FROM passage LEFT JOIN change ON change.id = passage.change"
    " WHERE passage.id >= :start AND passage.id < :end GROUP BY 1"
)
_ISLANDS = text(
    "SELECT min(block), max(block) FROM (SELECT block, block - row_number() OVER (ORDER BY block) AS island"
    " FROM entry_span WHERE first_at < :until AND coalesce(last_at, first_at) >= :since)"
    " GROUP BY island ORDER BY 1 DESC"
).bindparams(bindparam("since", type_=Time()), bindparam("until", type_=Time()))


def extend(session: Session) -> None:
    """Note the blocks that are full by now. The database must be SQLite: there, who writes next counts on."""
    known, newest = _known(session), session.exec(select(func.max(PassageRow.id))).one() or 0
    if (full := newest // BLOCK) > known:
        session.connection().execute(_EXTEND, {"size": BLOCK, "start": known * BLOCK, "end": full * BLOCK})


def note(session: Session, entry: int, at: datetime) -> None:
    """An entry was made. Its number may be that of one that was deleted, in a block that is noted already."""
    if entry % BLOCK == 0:
        extend(session)
    then, never = literal(at, Time()), literal(_EVER[0], Time())
    first, last = col(EntrySpanRow.first_at), func.coalesce(col(EntrySpanRow.last_at), never)
    outside_it = update(EntrySpanRow).where(col(EntrySpanRow.block) == entry // BLOCK, or_(first > then, last < then))
    wider = {"first_at": func.min(first, then), "last_at": func.max(last, then)}
    session.connection().execute(outside_it.values(wider))


def age(session: Session, entry: int, at: datetime) -> None:
    """A latest text says something of this time from now on, which may be earlier: an old capture that came late."""
    row = col(EntrySpanRow.block) == entry // BLOCK
    older = update(EntrySpanRow).where(row, col(EntrySpanRow.first_at) > at).values(first_at=at)
    session.connection().execute(older)


def between(session: Session, since: datetime | None, until: datetime | None) -> list[_Span]:
    """Where entries of changes since then, and of anything until then, can stand: newest first, nowhere else."""
    asked: dict[str, Any] = {"since": since or _EVER[0], "until": until or _EVER[1]}
    found = session.connection().execute(_ISLANDS, asked).all()
    spans = [(first * BLOCK, (last + 1) * BLOCK) for first, last in found]
    return _joined([(_known(session) * BLOCK, END), *spans])


def outside(spans: list[_Span]) -> Iterator[_Span]:
    """The numbers that none of these has, newest first."""
    top = END
    for start, end in spans:
        if end < top:
            yield end, top
        top = start
    if top > 0:
        yield 0, top


def _known(session: Session) -> int:
    """How many blocks, from the first, have been noted."""
    return int(session.exec(select(func.coalesce(func.max(EntrySpanRow.block), -1))).one()) + 1


def _joined(spans: list[_Span]) -> list[_Span]:
    """Few enough to be asked for: those with the smallest gaps become one."""
    gap, out = 0, _near(spans, 0)
    while len(out) > MOST:
        gap = 2 * gap + BLOCK
        out = _near(out, gap)
    return out


def _near(spans: list[_Span], gap: int) -> list[_Span]:
    out: list[_Span] = []
    for start, end in spans:
        if out and out[-1][0] - end <= gap:
            out[-1] = (start, out[-1][1])
        else:
            out.append((start, end))
    return out
