"""The index by which a copy finds its original: a few sentence hashes of the latest text of each page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from storage.tables import PageRow, SketchRow, VersionRow

CANDIDATES = 6  # pages that are looked at as originals, those that share the most first
SKETCH = 12  # hashes kept of each text
EXPECTED = 5  # hashes of a sketch that a whole copy shares at least
AT_ONCE = 500  # hashes in one question


@dataclass(frozen=True, slots=True)
class Likely:
    """A page whose latest text shares `shared` of its sketch."""

    page: int
    shared: int


def put(session: Session, page: int, marks: Sequence[int]) -> None:
    """The sketch of a page's latest text, the first of its marks, takes the place of the last one."""
    session.connection().execute(delete(SketchRow).where(col(SketchRow.page) == page))
    add(session, page, marks)


def add(session: Session, page: int, marks: Sequence[int]) -> None:
    """The sketch of a page's first text."""
    if marks:
        kept = [{"mark": m, "page": page} for m in dict.fromkeys(marks[:SKETCH])]
        session.connection().execute(insert(SketchRow), kept)


def alike(session: Session, page: int, marks: Sequence[int]) -> list[Likely]:
    """Other pages whose sketch shares the most with these marks (those of all sentences of a text)."""
    found: dict[int, int] = {}
    for start in range(0, len(marks), AT_ONCE):
        some = list(marks[start : start + AT_ONCE])
        query = select(SketchRow.page, func.count()).where(col(SketchRow.mark).in_(some), col(SketchRow.page) != page)
        most = (func.count().desc(), col(SketchRow.page))
        for other, count in session.exec(query.group_by(col(SketchRow.page)).order_by(*most).limit(4 * CANDIDATES)):
            found[other] = found.get(other, 0) + count
    best = sorted(found.items(), key=lambda x: (-x[1], x[0]))[:CANDIDATES]
    return [Likely(other, count) for other, count in best]


def originals(session: Session, page: int, sha256: str, marks: Sequence[int], chars: int) -> list[int]:
    """Numbers of versions that may be the original of a text: the oldest with the very same text, then alike ones.

    A copy stands for what it is a copy of. Of a text, a part that has `chars` characters meets its share of the sketch.
    """
    same = select(VersionRow.id).where(col(VersionRow.sha256) == sha256, col(VersionRow.page) != page)
    numbers = list(session.exec(same.order_by(col(VersionRow.id)).limit(1)))
    found = {x.page: x.shared for x in alike(session, page, marks)}
    if found:
        latest = select(PageRow.id, VersionRow.id, VersionRow.chars).where(
            col(PageRow.version) == col(VersionRow.id), col(PageRow.id).in_(found)
        )
        rows = {p: (number, size) for p, number, size in session.exec(latest) if number is not None}
        for p, shared in found.items():
            if p in rows and shared >= EXPECTED * min(1.0, chars / max(1, rows[p][1])):
                numbers.append(rows[p][0])
    out: dict[int, None] = {}
    for number in numbers:
        row = session.get(VersionRow, number)
        first = session.get(VersionRow, row.copy_of) if row is not None and row.copy_of is not None else None
        chosen = first or row
        if chosen is not None and chosen.id is not None and chosen.page != page:
            out.setdefault(chosen.id)
    return list(out)
