"""Whether a text is a copy of another one, or of a part of it: reposted in another column, at another address. Pure.

A copy is looked for by a sketch (the smallest hashes of a text's sentences), found by one indexed question for all
sentences of the new text, and then judged by the texts themselves: sentence by sentence, numbers included. Reports of
two years and plans of two districts share phrases and whole sentences, but never nearly all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from monitor.text.segment import normalise

SENTENCE = 8  # normalised characters under which a sentence says nothing about where it is from
LEAST = 150  # normalised characters under which only the very same text is a copy
SAME = 0.9  # share of the copy's sentences, weighed by length, that have to stand in the original
DIFFERENT = 0.02  # share of sentences that differ in their numbers only up to which it is still a copy
PART = 0.08  # of the original that a part has to be at least: less is a quotation

_NUMBER = re.compile(r"[0-9〇零一二三四五六七八九十百千万亿%.]+")
_END = re.compile(r"[。!?;]+[\"')\]】〕]*")  # of a normalised text


def _pieces(paragraphs: Iterable[str]) -> list[str]:
    """Normalised sentences without the marks at their ends, those that are long enough to say something."""
    return [piece for p in paragraphs for piece in _END.split(normalise(p)) if len(piece) >= SENTENCE]


def marks(paragraphs: Sequence[str]) -> tuple[int, ...]:
    """One hash (63 bits) for every different sentence, smallest first: what an original is asked for with.

    The first of them, a text's sketch, are kept: half of a text holds two of twelve in all but 3 of 1,000 cases.
    """
    found = {
        int.from_bytes(hashlib.blake2b(p.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1
        for p in _pieces(paragraphs)
    }
    return tuple(sorted(found))


def is_copy(text: Sequence[str], original: Sequence[str]) -> bool:
    """Whether nearly all of `text` stands in `original`, and is not merely quoted there. Both are paragraphs.

    Never for a text that says more than the original, nor for one that gives other numbers in the same words.
    """
    pieces, others = _pieces(text), _pieces(original)
    size, whole = sum(map(len, pieces)), sum(map(len, others))
    if not pieces:
        return False
    if pieces == others:
        return True
    if size < LEAST or size < PART * whole:
        return False
    there = Counter(others)
    kept = Counter(pieces) & there
    shared = sum(len(piece) * n for piece, n in kept.items())
    if shared >= SAME * size:
        return not _renumbered(Counter(pieces) - kept, others, size)
    return False


def _renumbered(rest: Counter[str], others: Sequence[str], size: int) -> bool:
    """Whether sentences that differ are those of the original with other numbers: last year's text, filled in anew."""
    bare = {_NUMBER.sub("#", other) for other in others}
    anew = sum(len(piece) * n for piece, n in rest.items() if _NUMBER.sub("#", piece) in bare)
    return anew > DIFFERENT * size
