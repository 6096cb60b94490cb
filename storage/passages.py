"""The entries of the full-text index: an FTS5 table on SQLite, an array of words under GIN on PostgreSQL.

An entry stands under the words of its text (search.py) and under one for its source, so that a question about one
source, or those of a region, is narrowed inside the index. The index of SQLite is contentless: taking an entry out
needs the words it was put in with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from storage import blobs, rows, search
from storage.tables import ChangeRow, PassageRow, VersionRow

SOURCE = "\ue000"  # begins the word of a source; of private use, so no text has it for a letter
TEXT = "\ue001"  # the word of the latest texts
_NO_LETTER = re.compile(r"[^0-9a-z\u0080-\U0010ffff]")

_FTS_INSERT = text("INSERT INTO passage_index(rowid, words) VALUES (:number, :words)")
_FTS_DELETE = text("INSERT INTO passage_index(passage_index, rowid, words) VALUES ('delete', :number, :words)")
_GIN_INSERT = text("INSERT INTO passage_index(passage, words) VALUES (:number, :words)")
_GIN_DELETE = text("DELETE FROM passage_index WHERE passage = :number")


def is_gin(session: Session) -> bool:
    """Whether the words stand in an array under PostgreSQL's GIN, where single characters are words of their own."""
    return session.get_bind().dialect.name == "postgresql"


def of_source(key: str) -> str:
    """The word under which the passages of a source stand. Two keys may share one: look at the key as well."""
    return SOURCE + _NO_LETTER.sub("\ue002", key.lower())


def insert(session: Session, entry: PassageRow, source: str, value: str) -> None:
    """Index the text of a passage of this source."""
    insert_all(session, [(entry, source, value)])


def insert_all(session: Session, several: Sequence[tuple[PassageRow, str, str]]) -> None:
    """Index the texts of passages, each with its source, in the order of their numbers."""
    gin, rows = is_gin(session), list[dict[str, Any]]()
    for entry, source, value in several:
        words = words_of(session, entry, source, value)
        rows.append({"number": entry.id, "words": sorted(words) if gin else " ".join(words)})
    if rows:
        session.connection().execute(_GIN_INSERT if gin else _FTS_INSERT, rows)


def words_of(session: Session, entry: PassageRow, source: str, value: str) -> set[str]:
    """Under which words the index of this database has a passage."""
    words = search.words(value) | _own(entry, source)
    return words | search.characters(value) if is_gin(session) else words


def remove(session: Session, entry: PassageRow, source: str, value: str) -> None:
    """Take a passage out; `value` is what it was indexed with."""
    if is_gin(session):
        session.connection().execute(_GIN_DELETE, {"number": entry.id})
    else:
        words = search.words(value) | _own(entry, source)
        session.connection().execute(_FTS_DELETE, {"number": entry.id, "words": " ".join(words)})


def replace(session: Session, entry: PassageRow, source: str, before: str, after: str) -> None:
    """Index another text of a passage; FTS5 by its difference: the whole text of a report again is 4 kB each time.

    That index is a map of words to numbers, so words can leave and come one by one.
    """
    if is_gin(session):
        remove(session, entry, source, before)
        insert(session, entry, source, after)
        return
    old, new = search.words(before), search.words(after)
    session.connection().execute(_FTS_DELETE, {"number": entry.id, "words": " ".join(old - new)})
    session.connection().execute(_FTS_INSERT, {"number": entry.id, "words": " ".join(new - old)})


def _own(entry: PassageRow, source: str) -> set[str]:
    """The words of an entry that its text does not bring."""
    return {of_source(source), TEXT} if entry.place == "text" else {of_source(source)}


def of_edits(edits: Sequence[Any], place: str) -> str:
    """What a change added or removed, one edit a line: the text that its entry in the index stands for."""
    return "\n".join(filter(None, (e.new if place == "added" else e.old for e in edits if e.op != "move")))


def text_of(session: Session, entry: PassageRow) -> str:
    """What a passage is indexed with. Raises StorageError where that is damaged."""
    if entry.change is None:
        version = session.get_one(VersionRow, entry.version)
        return blobs.decode(blobs.get(session, version.sha256, f"version v{version.id}"))
    change = session.get_one(ChangeRow, entry.change)
    return of_edits(rows.body(change.body, change.id)[0], entry.place)
