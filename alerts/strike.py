"""Where inside an edited sentence the change is: pieces to strike, to underline and to leave, in reading order.

A number, with its decimals, thousands and sign of percent, is one token, so that 6% -> 5.5% never reads as 6 -> 5.5
with a lone %. Unchanged text far from a change is left out: the edit is the message, not the paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from alerts.inert import clean, cut

Piece = tuple[Literal["same", "del", "ins"], str]

_TOKEN = re.compile(r"[0-9０-９]+(?:[.,，．][0-9０-９]+)*[%％‰]?|[A-Za-z]+|\s+|.", re.DOTALL)
_TOKENS_COMPARED = 1500  # on either side: beyond, only the common ends are found (difflib is quadratic)
_ISLAND = 2  # unchanged characters between two changes that are not worth keeping apart
CONTEXT = 40  # unchanged characters kept on each side of a change


@dataclass(frozen=True, slots=True)
class Struck:
    """One edit, ready to show."""

    op: str
    pieces: tuple[Piece, ...]

    @property
    def old(self) -> str:
        """The older side, context included."""
        return "".join(text for kind, text in self.pieces if kind != "ins")

    @property
    def new(self) -> str:
        """The newer side, context included."""
        return "".join(text for kind, text in self.pieces if kind != "del")


def struck(edit: Mapping[str, Any], limit: int) -> Struck:
    """An edit of the wire (`op`, `old`, `new`) as pieces of together at most about `limit` characters."""
    op = str(edit.get("op"))
    old, new = clean(edit.get("old") or "", 20_000), clean(edit.get("new") or "", 20_000)
    if op == "move":
        return Struck(op, (("same", cut(new or old, min(limit, 80))),))
    return Struck(op, tuple(_bounded(_elided(list(_merged(_raw(old, new)))), limit)))


def _raw(old: str, new: str) -> Iterator[Piece]:
    """The pieces as compared, possibly with tiny islands."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield "same", "".join(before[:head])
    yield from _middle(before[head : len(before) - tail], after[head : len(after) - tail])
    yield "same", "".join(before[len(before) - tail :]) if tail else ""


def _middle(before: list[str], after: list[str]) -> Iterator[Piece]:
    if not before or not after or max(len(before), len(after)) > _TOKENS_COMPARED:
        yield "del", "".join(before)
        yield "ins", "".join(after)
        return
    for op, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            yield "same", "".join(before[a:b])
        else:
            yield "del", "".join(before[a:b])
            yield "ins", "".join(after[c:d])


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbouring changes as one deletion and one insertion; islands between them belong to both."""
    kept = [p for p in pieces if p[1]]
    gone = come = ""
    for at, (kind, text) in enumerate(kept):
        if kind == "del":
            gone += text
        elif kind == "ins":
            come += text
        elif (gone or come) and len(text) <= _ISLAND and at + 1 < len(kept):
            gone, come = gone + text, come + text
        else:
            yield from _flush(gone, come)
            gone = come = ""
            yield "same", text
    yield from _flush(gone, come)


def _flush(gone: str, come: str) -> Iterator[Piece]:
    if gone:
        yield "del", gone
    if come:
        yield "ins", come


def _elided(pieces: list[Piece]) -> Iterator[Piece]:
    """Unchanged text cut to what stands near a change."""
    last = len(pieces) - 1
    for at, (kind, text) in enumerate(pieces):
        if kind != "same":
            yield kind, text
        elif at == 0 and last > 0:
            yield kind, text if len(text) <= CONTEXT + 4 else "…" + text[-CONTEXT:]
        elif at == last:
            yield kind, cut(text, CONTEXT + 4)
        else:
            yield kind, text if len(text) <= 2 * CONTEXT + 4 else text[:CONTEXT] + "…" + text[-CONTEXT:]


def _bounded(pieces: Iterable[Piece], limit: int) -> Iterator[Piece]:
    """Long pieces shortened in the middle, until the whole fits."""
    listed = list(pieces)
    each = max(limit // max(len(listed), 1), 8)
    total = sum(len(text) for _, text in listed)
    for kind, text in listed:
        if total <= limit or len(text) <= each:
            yield kind, text
        else:
            half = each // 2
            yield kind, text[:half] + "…" + text[-half:]
