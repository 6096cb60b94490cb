"""Full text for Chinese: the words of a text, which are pairs of characters, and a second look at the text.

SQLite's own trigram index finds no two-character word (土地: 0 of 931 documents). Here every run of letters and
digits is cut into overlapping pairs, with the last character once more alone, so that a one-character word is a
prefix query. A report of 700 numbers has nearly every pair of digits, and "3.0" is no run at all: of numbers the
index has three, four and five characters at a time as well, single signs between digits included.

The index knows no positions (a third of the size); what it offers is therefore checked in the text, by a pattern where
it can be: folding a report of 30,000 characters takes 3 ms, finding a word in it 0.02 ms.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from monitor.errors import UsageError

_RUN = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"[0-9](?:[\W_]?[0-9])+")
_SIGN = re.compile(r"[^0-9]")
PIECES = (5, 4, 3)  # characters of a number that are a word together
FIGURE = "\ue003"  # begins the word of a piece of a number, and is every sign in it; of private use
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|(\S+)')
_BLANK = re.compile(r"[\s\u200b]")
LONGEST = 1000  # characters of a question: looking takes half a second then
MOST_WORDS = 50  # of one term that the index is asked for: what has these and not the others is hardly there
SNIPPET = 60  # characters on either side of a hit


class _Fold(dict[int, str]):
    """One character as it is compared: compatibility forms and case folded, blanks dropped."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = "" if char == "\u200b" else "".join(unicodedata.normalize("NFKC", char).casefold().split())
        self[code] = folded
        return folded


_FOLD = _Fold()


def fold(value: str) -> str:
    """Text as it is compared: width, case and blanks do not matter."""
    return value.translate(_FOLD)


def words(value: str) -> set[str]:
    """The words under which a text is indexed."""
    out, folded = set[str](), fold(value)
    for run in _RUN.findall(folded):
        out.update(map("".join, pairwise(run)))
        out.add(run[-1])
    numbers = set(_NUMBER.findall(folded))
    return out | {_figure(number[at:end]) for number in numbers for at, end in _pieces(number)}


def _pieces(number: str) -> Iterator[tuple[int, int]]:
    """Where the index has words of a number, long ones first: of 1,234.5 they are 1,234 and 234.5, 1,23 and so on."""
    for size in PIECES:
        for at in range(len(number) - size + 1):
            if not (_SIGN.match(number[at]) or _SIGN.match(number[at + size - 1])):
                yield at, at + size


def _figure(piece: str) -> str:
    return FIGURE + _SIGN.sub(FIGURE, piece)


def characters(value: str) -> set[str]:
    """Every letter and digit of a text as it is compared."""
    return set().union(*_RUN.findall(fold(value)))


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all of `terms`, folded, each as it stands; `pairs` are words that it is indexed by.

    `last` are those of one character that end what they stand in, so that the index has them for words: the 5 of 5.1.
    """

    terms: tuple[str, ...]
    pairs: tuple[str, ...]
    last: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]  # of the terms, in a text that is not folded
    within: re.Pattern[str] | None  # characters that bring one of a term among others: ㎡ brings an m

    @property
    def match(self) -> str:
        """The question to FTS5, where one character is the beginning of a word."""
        return " AND ".join(f'"{p}" *' if self._begins(p) else f'"{p}"' for p in self.pairs)

    @property
    def without_singles(self) -> str:
        """The same for what is a word of the index, "" where nothing is."""
        return " AND ".join(f'"{p}"' for p in self.pairs if not self._begins(p))

    @property
    def single(self) -> bool:
        """Whether a single character is asked for: FTS5 reads the pairs of every text that has it."""
        return any(map(self._begins, self.pairs))

    def _begins(self, word: str) -> bool:
        """Whether a word may be the beginning of another one."""
        return len(word) == 1 and word not in self.last


def parse(query: str) -> Query:
    """Words apart by blanks must all occur; quotes keep blanks together.

    UsageError where nothing can be looked for, or too much.
    """
    if len(query) > LONGEST:
        raise UsageError(f"{len(query)} characters to search for: {LONGEST} at the most, a part of it will do")
    terms = [fold(next(filter(None, found))) for found in _QUOTED.findall(query)]
    terms = list(dict.fromkeys(t for t in terms if _RUN.search(t)))
    if not terms:
        raise UsageError(f"nothing to search for in {query!r}: give at least one letter, digit or character")
    asked: dict[str, None] = {}
    last: set[str] = set()
    for term in terms:
        asked.update(dict.fromkeys(itertools.islice(_asked(term), MOST_WORDS)))
        last.update(run[0] for run in _RUN.finditer(term) if len(run[0]) == 1 and run.end() < len(term))
    among = "".join(sorted(set().union(*(_forms()[1].get(char, "") for term in terms for char in term))))
    within = re.compile(f"[{re.escape(among)}]") if among else None
    return Query(tuple(terms), tuple(asked), frozenset(last), tuple(map(_pattern, terms)), within)


def _asked(term: str) -> Iterator[str]:
    """The words of a term that every text with it has, but for those that follow from a longer one."""
    told: set[tuple[int, int]] = set()

    def follows(start: int, end: int) -> bool:
        longer = ((first, first + size) for size in PIECES for first in range(end - size, start + 1))
        return not told.isdisjoint(longer)

    for number in _NUMBER.finditer(term):
        for at, end in _pieces(number[0]):
            if not follows(number.start() + at, number.start() + end):
                told.add((number.start() + at, number.start() + end))
                yield _figure(number[0][at:end])
    for run in _RUN.finditer(term):
        start, end = run.span()
        if end - start == 1 and not follows(start, end):
            yield run[0]
        yield from (term[at : at + 2] for at in range(start, end - 1) if not follows(at, at + 2))


# Where characters stand that fold to something else, beside those of the scripts of East Asia: a test looks at all.
_FOLDING = (
    *((0, 0x3400), (0xA640, 0xAC00), (0xF900, 0x11000), (0x11800, 0x11900), (0x16E00, 0x16F00)),
    *((0x1CC00, 0x1D800), (0x1DF00, 0x1F300), (0x1FB00, 0x1FC00), (0x2F800, 0x2FA20)),
)


@functools.cache
def _forms() -> tuple[dict[str, str], dict[str, str], str]:
    """For a folded character what folds to it alone, what folds to it among others, and what folds to nothing."""
    alone, among, nothing = defaultdict[str, str](str), defaultdict[str, str](str), ""
    for char in itertools.chain.from_iterable(_folding()):
        folded = _FOLD[ord(char)]
        if len(folded) == 1 and folded != char:
            alone[folded] += char
        elif not folded:
            nothing += char
        elif len(folded) > 1:
            for part in set(folded):
                among[part] += char
    return alone, among, nothing


def _folding() -> Iterator[str]:
    """Some characters at a time, where one of them folds to something else."""
    for first, end in _FOLDING:
        for start in range(first, end, 32):
            some = "".join(map(chr, range(start, start + 32)))
            if _BLANK.search(some) or some != some.casefold() or not unicodedata.is_normalized("NFKC", some):
                yield some


def _pattern(term: str) -> re.Pattern[str]:
    """A folded term as it may stand in a text: in other forms, with blanks and line breaks inside."""
    alone, _, nothing = _forms()
    between = f"[{re.escape(nothing)}]*"
    forms = ((char if fold(char) == char else "") + alone.get(char, "") for char in term)
    return re.compile(between.join(f"[{re.escape(some)}]" if some else r"(?!)" for some in forms))


def hits(value: str, query: Query) -> list[tuple[int, int]]:
    """Where the terms stand in a text, `[start, end)`; empty unless all of them occur."""
    if query.within is not None and query.within.search(value):
        return _folded_hits(value, query)
    if not all(pattern.search(value) for pattern in query.patterns):
        return []
    return sorted(found.span() for pattern in query.patterns for found in pattern.finditer(value))


def _folded_hits(value: str, query: Query) -> list[tuple[int, int]]:
    """The same by folding the text, which some characters of it need."""
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
