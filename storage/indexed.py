"""Whether the full-text index says what the texts say, and making it anew from them."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from monitor.model import Edit
from storage import database, passages, rows
from storage.tables import ChangeRow, PageRow, PassageRow

BATCH = 500  # passages in memory at once, as many as are copied (copying.py)

_VOCABULARY = text("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, passage_index, instance)")
_POSTINGS = text("SELECT term, sum(doc), sum(doc * doc % :by) FROM temp.vocabulary GROUP BY term")
_PRIME = 1_000_003
_EMPTY_FTS = (text("INSERT INTO passage_index(passage_index) VALUES ('delete-all')"),)
_EMPTY_GIN = (text("DROP INDEX IF EXISTS ix_passage_index_words"), text("DELETE FROM passage_index"))
_GIN = text("CREATE INDEX ix_passage_index_words ON passage_index USING gin (words)")


def wrong(session: Session, step: Callable[[int], object] = lambda more: None) -> str | None:
    """How the index differs from the texts, None where it does not.

    Both are added up, word by word and entry by entry, which takes no memory. Where a text cannot be read its entry is
    not known, and the index is only read through. `step` is told how many entries were looked at since the last time.
    """
    try:
        held = _held_by_gin(session) if passages.is_gin(session) else _held_by_fts(session)
    except DBAPIError as damaged:
        return f"it cannot be read ({damaged.orig})"
    due = 0
    for at, (entry, source, value) in enumerate(_texts(session), 1):
        if value is None:
            return None
        words = passages.words_of(session, entry, source, value)
        due += sum(map(_weight, words)) * _place(entry.id or 0)
        if at % BATCH == 0:
            step(BATCH)
    return None if held == due else "it differs from the texts"


def rebuild(session: Session, told: Callable[[int], object] = lambda done: None) -> None:
    """Empty the index and enter every passage again; those whose text is damaged are left out. `told` hears how many
    were looked at."""
    gin = passages.is_gin(session)
    for statement in _EMPTY_GIN if gin else _EMPTY_FTS:
        session.connection().execute(statement)
    texts, done = _texts(session), 0
    while some := list(itertools.islice(texts, BATCH)):
        passages.insert_all(session, [(entry, source, value) for entry, source, value in some if value])
        done += len(some)
        told(done)
    if gin:  # all at once: a word at a time takes ten times as long
        session.connection().execute(_GIN)


@functools.lru_cache(maxsize=100_000)
def _weight(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def _place(number: int) -> int:
    """An entry as it is added up: two that change places do not give the same sum."""
    return number + _PRIME * (number * number % _PRIME)


def _held_by_gin(session: Session) -> int:
    found = session.connection().execute(text("SELECT passage, words FROM passage_index"))
    return sum(sum(map(_weight, words)) * _place(number) for number, words in found)


def _held_by_fts(session: Session) -> int:
    """A connection that only asks may make no table, not even a temporary one; its file stays closed to writing."""
    connection = session.connection()
    closed = connection.exec_driver_sql("PRAGMA query_only").scalar()
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    try:
        connection.execute(_VOCABULARY)
        found = connection.execute(_POSTINGS, {"by": _PRIME})
        return sum(_weight(word) * (plain + _PRIME * squares) for word, plain, squares in found)
    finally:
        connection.exec_driver_sql("DROP TABLE IF EXISTS temp.vocabulary")
        connection.exec_driver_sql(f"PRAGMA query_only={closed}")


def _texts(session: Session) -> Iterator[tuple[PassageRow, str, str | None]]:
    """Every passage with its source and its text, None where that is damaged."""
    sources = dict(session.exec(select(PageRow.id, PageRow.source)).all())
    query = select(PassageRow).order_by(col(PassageRow.id)).limit(BATCH)
    some = session.exec(query).all()
    while some:
        edits = _edits(session, [entry.change for entry in some if entry.change is not None])
        for entry in some:
            try:
                yield entry, sources[entry.page], _text(session, entry, edits)
            except StorageError:
                yield entry, sources[entry.page], None
        last = some[-1].id
        session.expunge_all()
        some = session.exec(query.where(col(PassageRow.id) > last)).all()


def _edits(session: Session, changes: list[int]) -> dict[int | None, tuple[Edit, ...]]:
    """What changes did to texts, each read once; what is damaged is left out, for a look by itself."""
    bodies = select(ChangeRow.id, ChangeRow.body).where(col(ChangeRow.id).in_(changes))
    out: dict[int | None, tuple[Edit, ...]] = {}
    with suppress(StorageError), database.plain_errors():
        for number, body in session.exec(bodies):
            with suppress(StorageError):
                out[number] = rows.body(body, number)[0]
    return out


def _text(session: Session, entry: PassageRow, edits: dict[int | None, tuple[Edit, ...]]) -> str:
    if entry.change in edits:
        return passages.of_edits(edits[entry.change], entry.place)
    return passages.text_of(session, entry)
