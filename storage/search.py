"""Full text for Chinese: pairs of characters in an index (FTS5, or an array under GIN), and a second look at the text.

SQLite's own trigram index finds no two-character word (土地: 0 of 931 documents). Here every run of letters and
digits is cut into overlapping pairs, with the last character once more alone, so that a one-character word is a
prefix query. The index knows no positions (a third of the size); what it offers is therefore checked in the text.
The index is contentless: taking an entry out needs the same words again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import text
from sqlmodel import Session

from monitor.errors import UsageError

_RUN = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|(\S+)')
SNIPPET = 60  # characters on either side of a hit
MOST_AT_ONCE = 5000  # candidates in one answer of the index


class _Fold(dict[int, str]):
    """One character as it is compared: compatibility forms and case folded, blanks dropped."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = "" if char.isspace() or char == "\u200b" else unicodedata.normalize("NFKC", char).casefold()
        self[code] = folded = "".join(c for c in folded if not c.isspace())
        return folded


_FOLD = _Fold()


def fold(value: str) -> str:
    """Text as it is compared: width, case and blanks do not matter."""
    return value.translate(_FOLD)


def grams(folded: str) -> set[str]:
    """The words under which a folded text is indexed."""
    out: set[str] = set()
    for run in _RUN.findall(folded):
        out.update(map("".join, pairwise(run)))
        out.add(run[-1])
    return out


def words(value: str) -> str:
    """The indexed words of a text; their order and number do not count."""
    return " ".join(grams(fold(value)))


def moved(before: str, after: str) -> tuple[str, str]:
    """The indexed words that an edit takes out of a text, and those that it brings."""
    old, new = grams(fold(before)), grams(fold(after))
    return " ".join(old - new), " ".join(new - old)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all of `terms`, folded, each as it stands; `pairs` are the words the index must have."""

    terms: tuple[str, ...]
    pairs: tuple[str, ...]

    @property
    def match(self) -> str:
        """The question to FTS5, where one character is the beginning of a word."""
        return " AND ".join(f'"{p}"' if len(p) == 2 else f'"{p}" *' for p in self.pairs)


def parse(query: str) -> Query:
    """Words apart by blanks must all occur; quotes keep blanks together. UsageError where nothing can be looked for."""
    terms = [fold(next(filter(None, found))) for found in _QUOTED.findall(query)]
    terms = list(dict.fromkeys(t for t in terms if _RUN.search(t)))
    if not terms:
        raise UsageError(f"nothing to search for in {query!r}: give at least one letter, digit or character")
    asked: dict[str, None] = {}
    for term in terms:
        for run in _RUN.findall(term):
            pairs = [run[i : i + 2] for i in range(len(run) - 1)]
            asked.update(dict.fromkeys(pairs or [run]))
    return Query(tuple(terms), tuple(asked))


def hits(value: str, query: Query) -> list[tuple[int, int]]:
    """Where the terms stand in a text, `[start, end)`; empty unless all of them occur."""
    folded = fold(value)
    if not all(term in folded for term in query.terms):
        return []
    places = _places(value, folded)
    out = []
    for term in query.terms:
        at = folded.find(term)
        while at >= 0:
            out.append((places[at], places[at + len(term) - 1] + 1))
            at = folded.find(term, at + len(term))
    return sorted(out)


def _places(value: str, folded: str) -> range | list[int]:
    """For each folded character the offset it came from."""
    if len(value) == len(folded) and all(len(_FOLD[ord(char)]) == 1 for char in set(value)):
        return range(len(value))  # as long is not enough: a blank may go where ß becomes two
    return [at for at, char in enumerate(value) for _ in _FOLD[ord(char)]]


def snippet(value: str, found: list[tuple[int, int]]) -> tuple[str, tuple[int, int]]:
    """The surroundings of the first hit in one line, and where the hit stands in them."""
    start, end = found[0]
    left, right = max(0, start - SNIPPET), min(len(value), end + SNIPPET)
    head, tail = ("…" if left else ""), ("…" if right < len(value) else "")
    line = head + value[left:right].replace("\n", " ") + tail
    return line, (start - left + len(head), end - left + len(head))


# --------------------------------------------------------------------------- the index of the database

_FTS_INSERT = text("INSERT INTO passage_index(rowid, words) VALUES (:number, :words)")
_FTS_DELETE = text("INSERT INTO passage_index(passage_index, rowid, words) VALUES ('delete', :number, :words)")
_FTS_ASK = text(
    "SELECT rowid FROM passage_index WHERE passage_index MATCH :asked AND rowid < :below"
    " ORDER BY rowid DESC LIMIT :batch"
)
_GIN_INSERT = text("INSERT INTO passage_index(passage, words) VALUES (:number, :words)")
_GIN_DELETE = text("DELETE FROM passage_index WHERE passage = :number")
_GIN_ASK = text(
    "SELECT passage FROM passage_index WHERE words @> CAST(:asked AS text[]) AND passage < :below"
    " ORDER BY passage DESC LIMIT :batch"
)


def _is_gin(session: Session) -> bool:
    """Whether the words stand in an array under PostgreSQL's GIN, where single characters are words of their own."""
    return session.get_bind().dialect.name == "postgresql"


def insert(session: Session, number: int, value: str) -> None:
    """Index a passage under its number."""
    if _is_gin(session):
        folded = fold(value)
        found = grams(folded) | {char for run in _RUN.findall(folded) for char in run}
        session.connection().execute(_GIN_INSERT, {"number": number, "words": sorted(found)})
    else:
        session.connection().execute(_FTS_INSERT, {"number": number, "words": words(value)})


def remove(session: Session, number: int, value: str) -> None:
    """Take a passage out; `value` is what it was indexed with."""
    if _is_gin(session):
        session.connection().execute(_GIN_DELETE, {"number": number})
    else:
        session.connection().execute(_FTS_DELETE, {"number": number, "words": words(value)})


def replace(session: Session, number: int, before: str, after: str) -> None:
    """Index another text under a number; FTS5 by its difference: the whole text of a report again is 4 kB each time.

    That index is a map of words to numbers, so words can leave and come one by one.
    """
    if _is_gin(session):
        remove(session, number, before)
        insert(session, number, after)
        return
    gone, fresh = moved(before, after)
    session.connection().execute(_FTS_DELETE, {"number": number, "words": gone})
    session.connection().execute(_FTS_INSERT, {"number": number, "words": fresh})


def candidates(session: Session, query: Query, batch: int = 200) -> Iterator[list[int]]:
    """Numbers of passages that may hold the terms, newest first, some at a time and then more."""
    statement, asked = (_GIN_ASK, list(query.pairs)) if _is_gin(session) else (_FTS_ASK, query.match)
    below = 1 << 62
    while True:
        given = {"asked": asked, "below": below, "batch": batch}
        found = [row[0] for row in session.connection().execute(statement, given)]
        if found:
            yield found
        if len(found) < batch:
            return
        below, batch = found[-1], min(2 * batch, MOST_AT_ONCE)
