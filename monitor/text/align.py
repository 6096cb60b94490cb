"""Two texts as one list of operations: paragraphs are aligned first, then sentences, then the words inside a sentence.

Every character of both sides is in exactly one operation, in order, so both texts can be rebuilt. No step looks at a
clock: the same two texts always give the same operations (a time limit in the character diff would break that).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from diff_match_patch.diff_match_patch import diff_match_patch  # type: ignore[import-untyped]
from rapidfuzz.distance import Indel, LCSseq

from monitor.text.segment import normalise, pieces

try:
    import fast_diff_match_patch as _fast
except ImportError:  # an extra: `pip install 'mubiao[fast]'`
    _fast = None

Sign = Literal["=", "-", "+"]
Run = tuple[Sign, str]

ALIKE = 0.4  # least similarity of two sentences shown as one that was edited; below it, one left and another came
SPLIT = 0.8  # the same for a group of sentences: one that was cut in two by a full stop, or two that were joined
COMMON = 40  # a pair of characters in more sentences than this says nothing about which belong together
LONG = 1_500  # characters of a sentence (a table, a list) from which a fast aligner replaces diff-match-patch
LONGEST = 100_000  # characters of one from which only its beginning and end are compared
SCATTERED = 3_000  # changed and kept pieces of one from which the same goes: cleaning them up takes time by the square
MOVED = 8  # characters from which an equal sentence elsewhere is a move, not a coincidence

_PRIVATE = 0xF0000  # where words of several characters are mapped to for the character diff
_WORD = re.compile(rf"\d+(?:[.,]\d+)+|\d{{2,}}|[A-Za-z]{{2,}}|[{chr(_PRIVATE)}-{chr(0x10FFFF)}]")
_SIGNS: dict[int, Sign] = {0: "=", -1: "-", 1: "+"}
FAST = _fast is not None


@dataclass(frozen=True, slots=True)
class Op:
    """One step: `old` is consumed, `new` comes; the last sentence of a paragraph ends in its line break.

    Paragraph numbers count from 0. `runs` (of a replaced sentence) split both sides into kept, deleted and inserted
    pieces. `move` pairs a deletion with the insertion of the same sentence elsewhere.
    """

    sign: Literal["equal", "insert", "delete", "replace"]
    old: str
    new: str
    old_paragraph: int | None
    paragraph: int | None
    runs: tuple[Run, ...] = ()
    move: int | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    paragraph: int

    @property
    def key(self) -> str:
        return self.text.rstrip("\n")


def operations(old: Sequence[str], new: Sequence[str]) -> list[Op]:
    """The steps from `old` to `new`. Joined, their `old` (`new`) sides are the paragraphs, each with a line break."""
    found: list[Op] = []
    for old_part, new_part in _stretches(old, new):
        if [old[i] for i in old_part] == [new[j] for j in new_part]:
            equal = zip(old_part, new_part, strict=True)
            found.extend(Op("equal", f"{old[i]}\n", f"{old[i]}\n", i, j) for i, j in equal)
        else:
            found.extend(_sentences(_tokens(old, old_part), _tokens(new, new_part)))
    return _moves(found)


def characters(old: str, new: str) -> tuple[Run, ...]:
    """Kept, deleted and inserted pieces of two sentences. Numbers and Latin words are never split."""
    words: dict[str, str] = {}
    a, b = _encode(old, words), _encode(new, words)
    engine = diff_match_patch()
    if max(len(a), len(b)) <= LONG:
        diffs = main(a, b)
    else:
        diffs = list(islice(_indel(a, b), SCATTERED + 1)) if max(len(a), len(b)) <= LONGEST else []
        if not 0 < len(diffs) <= SCATTERED:
            diffs = _ends(a, b, engine.diff_commonPrefix(a, b))
    engine.diff_cleanupSemantic(diffs)
    back = {code: word for word, code in words.items()}
    if not back:
        return tuple((_SIGNS[sign], text) for sign, text in diffs if text)
    return tuple((_SIGNS[sign], "".join(back.get(c, c) for c in text)) for sign, text in diffs if text)


def main(a: str, b: str, *, fast: bool = FAST) -> list[tuple[int, str]]:
    """diff-match-patch's steps (0 kept, -1 deleted, 1 inserted) without a time limit, by its fast or its plain form.

    Both walk the same way through the same algorithm, so both give the same steps (tests/monitor/text/test_align.py).
    """
    if fast:
        steps = _fast.diff(a, b, timelimit=0, checklines=False, cleanup="No", counts_only=False)
        return [(_NUMBERS[sign], text) for sign, text in steps]
    engine = diff_match_patch()
    engine.Diff_Timeout = 0
    return list(engine.diff_main(a, b, False))


_NUMBERS = {"=": 0, "-": -1, "+": 1}


def _indel(a: str, b: str) -> Iterator[tuple[int, str]]:
    for code in Indel.opcodes(a, b):
        if code.tag == "equal":
            yield 0, a[code.src_start : code.src_end]
            continue
        if code.src_end > code.src_start:
            yield -1, a[code.src_start : code.src_end]
        if code.dest_end > code.dest_start:
            yield 1, b[code.dest_start : code.dest_end]


def _ends(a: str, b: str, begin: int) -> list[tuple[int, str]]:
    """The same `begin`, the same end, and everything between them replaced."""
    end = diff_match_patch().diff_commonSuffix(a[begin:], b[begin:])
    x, y = len(a) - end, len(b) - end
    return [(sign, text) for sign, text in ((0, a[:begin]), (-1, a[begin:x]), (1, b[begin:y]), (0, a[x:])) if text]


def _encode(text: str, words: dict[str, str]) -> str:
    """One character a word. Characters of the plane that is mapped to are words themselves, so nothing collides."""
    return _WORD.sub(lambda found: words.setdefault(found[0], chr(_PRIVATE + len(words))), text)


def _stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[range, range]]:
    """Paragraph ranges in turn: equal on both sides, or a gap whose sentences have to be aligned."""
    i = j = 0
    for block in LCSseq.opcodes(old, new):
        if block.tag != "equal":
            continue
        if block.src_start > i or block.dest_start > j:
            yield range(i, block.src_start), range(j, block.dest_start)
        yield range(block.src_start, block.src_end), range(block.dest_start, block.dest_end)
        i, j = block.src_end, block.dest_end
    if i < len(old) or j < len(new):
        yield range(i, len(old)), range(j, len(new))


def _tokens(paragraphs: Sequence[str], part: range) -> list[_Token]:
    found: list[_Token] = []
    for number in part:
        inside = pieces(paragraphs[number]) or [""]
        found.extend(_Token(text, number) for text in inside[:-1])
        found.append(_Token(inside[-1] + "\n", number))
    return found


def _sentences(a: Sequence[_Token], b: Sequence[_Token]) -> Iterator[Op]:
    """Equal sentences anchor; between them those that are alike are paired."""
    i = j = 0
    for block in LCSseq.opcodes([x.key for x in a], [y.key for y in b]):
        if block.tag != "equal":
            continue
        yield from _gap(a[i : block.src_start], b[j : block.dest_start])
        for x, y in zip(a[block.src_start : block.src_end], b[block.dest_start : block.dest_end], strict=True):
            yield _op([x], [y])
        i, j = block.src_end, block.dest_end
    yield from _gap(a[i:], b[j:])


def _gap(a: Sequence[_Token], b: Sequence[_Token]) -> Iterator[Op]:
    """Two groups without an equal sentence."""
    if a and b and len(a) != len(b) and _alike("".join(x.text for x in a), "".join(y.text for y in b), SPLIT):
        yield _op(a, b)
        return
    i = j = 0
    for p, q in [*_matches(a, b), (len(a), len(b))]:
        for x in a[i:p]:
            yield _op([x], [])
        for y in b[j:q]:
            yield _op([], [y])
        if p < len(a):
            yield _op([a[p]], [b[q]])
        i, j = p + 1, q + 1


def _op(a: Sequence[_Token], b: Sequence[_Token]) -> Op:
    old, new = "".join(x.text for x in a), "".join(y.text for y in b)
    places = (a[0].paragraph if a else None), (b[0].paragraph if b else None)
    if old == new:
        return Op("equal", old, new, *places)
    if not a or not b:
        return Op("delete" if a else "insert", old, new, *places)
    return Op("replace", old, new, *places, runs=characters(old, new))


def _alike(old: str, new: str, least: float) -> bool:
    return Indel.normalized_similarity(old, new, score_cutoff=least) >= least


def _matches(a: Sequence[_Token], b: Sequence[_Token]) -> list[tuple[int, int]]:
    """Pairs of alike sentences, rising on both sides; found by shared bigrams, so unrelated texts cost little."""
    index: dict[str, list[int]] = defaultdict(list)
    for i, x in enumerate(a):
        for gram in _bigrams(x.key):
            index[gram].append(i)
    pairs = []
    for j, y in enumerate(b):
        grams = _bigrams(y.key)
        votes = Counter(i for gram in grams if len(places := index.get(gram, ())) <= COMMON for i in places)
        for i, _ in sorted(votes.most_common(3), key=lambda item: (-item[1], abs(item[0] - j))):
            if _alike(a[i].key, y.key, ALIKE):
                pairs.append((i, j))
                break
    return _rising(pairs)


def _bigrams(text: str) -> set[str]:
    return {text[k : k + 2] for k in range(len(text) - 1)} or {text}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises on the left; the right rises already."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for k, (i, _) in enumerate(pairs):
        at = bisect_left(tails, i)
        if at == len(tails):
            tails.append(i)
            ends.append(k)
        else:
            tails[at], ends[at] = i, k
        before.append(ends[at - 1] if at else None)
    found = []
    k2: int | None = ends[-1] if ends else None
    while k2 is not None:
        found.append(pairs[k2])
        k2 = before[k2]
    return found[::-1]


def _moves(ops: list[Op]) -> list[Op]:
    """Deletions and insertions of the same sentence get the number of their pair."""
    gone: dict[str, list[int]] = defaultdict(list)
    for k, op in enumerate(ops):
        if op.sign == "delete" and len(key := normalise(op.old)) >= MOVED:
            gone[key].append(k)
    number = 0
    for k, op in enumerate(ops):
        if op.sign == "insert" and (places := gone.get(normalise(op.new))):
            other = places.pop(0)
            ops[k], ops[other] = replace(op, move=number), replace(ops[other], move=number)
            number += 1
    return ops
