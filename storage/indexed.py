"""Whether the full-text index says what the texts say, and making it anew from them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from storage import passages
from storage.tables import PageRow, PassageRow

BATCH = 500  # passages in memory at once

_VOCABULARY = text("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, passage_index, instance)")
_EMPTY_FTS = text("INSERT INTO passage_index(passage_index) VALUES ('delete-all')")
_EMPTY_GIN = text("DELETE FROM passage_index")


def wrong(session: Session) -> str | None:
    """How the index differs from the texts, None where it does not.

    Both are added up, word by word and entry by entry, which takes no memory. Where a text cannot be read its entry is
    not known, and the index is only read through.
    """
    try:
        held = _held_by_gin(session) if passages.is_gin(session) else _held_by_fts(session)
    except DBAPIError as damaged:
        return f"it cannot be read ({damaged.orig})"
    due = 0
    for entry, source, value in _texts(session):
        if value is None:
            return None
        due += sum(_posting(word, entry.id) for word in passages.words_of(session, entry, source, value))
    return None if held == due else "it differs from the texts"


def rebuild(session: Session, told: Callable[[int], object] = lambda done: None) -> None:
    """Empty the index and enter every passage again; those whose text is damaged are left out."""
    session.connection().execute(_EMPTY_GIN if passages.is_gin(session) else _EMPTY_FTS)
    for done, (entry, source, value) in enumerate(_texts(session)):
        if value:
            passages.insert(session, entry, source, value)
        told(done)


def _posting(word: str, number: int | None) -> int:
    return zlib.crc32(f"{word} {number}".encode("utf-8", "surrogatepass"))


def _held_by_gin(session: Session) -> int:
    found = session.connection().execute(text("SELECT passage, words FROM passage_index"))
    return sum(_posting(word, number) for number, words in found for word in words)


def _held_by_fts(session: Session) -> int:
    """A connection that only asks may make no table, not even a temporary one; its file stays closed to writing."""
    connection = session.connection()
    closed = connection.exec_driver_sql("PRAGMA query_only").scalar()
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    try:
        connection.execute(_VOCABULARY)
        found = connection.exec_driver_sql("SELECT term, doc FROM temp.vocabulary")
        return sum(_posting(word, number) for word, number in found)
    finally:
        connection.exec_driver_sql("DROP TABLE IF EXISTS temp.vocabulary")
        connection.exec_driver_sql(f"PRAGMA query_only={closed}")


def _texts(session: Session) -> Iterator[tuple[PassageRow, str, str | None]]:
    """Every passage with its source and its text, None where that is damaged."""
    sources = dict(session.exec(select(PageRow.id, PageRow.source)).all())
    numbers: Sequence[int | None] = session.exec(select(PassageRow.id).order_by(col(PassageRow.id))).all()
    for start in range(0, len(numbers), BATCH):
        for entry in session.exec(
            select(PassageRow).where(col(PassageRow.id).in_(numbers[start : start + BATCH]))
        ).all():
            try:
                yield entry, sources[entry.page], passages.text_of(session, entry)
            except StorageError:
                yield entry, sources[entry.page], None
        session.expunge_all()
