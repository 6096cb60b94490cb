"""What changed between two versions: edits small enough to read at a glance, and rows to show both texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.model import Diff, Edit
from monitor.text.align import Op, Run, Sign, operations
from monitor.text.segment import normalise

SHARED = 0.1  # share of kept characters under which a text was rewritten
TOO_SHORT = 200  # characters up to which nothing is called rewritten: a short notice may change wholly
NEAR = 3  # kept characters between two changed runs that are still one edit
CONTEXT = 4  # characters of context on either side of an edit that would be too short to recognise
_SHORT = 4

_NUMBER = re.compile(r"[0-9０-９.．,，%％‰+＋\-－~～—–〇零一二两三四五六七八九十百千万亿几半多余个分点成倍]")
_UNIT_END = re.compile(r"[，。；、！？：,;!?:\s()（）“”\"]")
_KEPT = re.compile(r"(?<=\d)[.:/~\-+×*、](?=\d)|(?<![A-Za-z0-9])[\-+](?=\d)|[%‰℃°¥$€£]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MARK = re.compile(r"(?:[^\w]|_)+")

RowSign = Literal["=", "-", "+", "~", ">"]


@dataclass(frozen=True, slots=True)
class Row:
    """One paragraph of the display, or one that stands on one side only.

    `op`: '=' equal, '-' only old, '+' only new, '~' edited, '>' only carried elsewhere. `runs` in reading order: '=' is
    on both sides, '-' on the old, '+' on the new. Paragraph numbers count from 0 and are None on a side without text.
    """

    op: RowSign
    runs: tuple[Run, ...]
    old_paragraph: int | None
    paragraph: int | None

    @property
    def old(self) -> str:
        """The old side's text; empty when the paragraph is new."""
        return self._side("-")

    @property
    def new(self) -> str:
        """The new side's text; empty when the paragraph is gone."""
        return self._side("+")

    def _side(self, sign: Sign) -> str:
        return "".join(text for s, text in self.runs if s in ("=", sign))


def diff(old: Sequence[str], new: Sequence[str]) -> Diff:
    """Compare two texts given as paragraphs. Deterministic; an empty Diff for equal texts."""
    if list(old) == list(new):
        return Diff()
    ops = operations(old, new)
    moved_out = {op.move: op for op in ops if op.sign == "delete" and op.move is not None}
    edits: list[Edit] = []
    added = deleted = 0
    for op in ops:
        if op.move is not None:
            if op.sign == "insert":
                source = moved_out[op.move]
                edits.append(Edit("move", op.new.strip(), op.new.strip(), source.old_paragraph, op.paragraph))
            continue
        deleted += sum(len(t.strip("\n")) for s, t in _runs(op) if s == "-")
        added += sum(len(t.strip("\n")) for s, t in _runs(op) if s == "+")
        edits.extend(_edits(op))
    return Diff(
        edits=tuple(_joined(edits)),
        added=added,
        deleted=deleted,
        cosmetic=_cosmetic(ops),
        rewritten=_rewritten(ops, sum(map(len, old)), sum(map(len, new))),
    )


def rebuild(ops: Sequence[Op]) -> tuple[list[str], list[str]]:
    """Both texts as paragraphs, from the steps alone."""
    sides = ("".join(op.old for op in ops), "".join(op.new for op in ops))
    old, new = (side.split("\n")[:-1] for side in sides)
    return old, new


def _cosmetic(ops: Sequence[Op]) -> bool:
    """Whether everything between the first and the last step that changed something says the same."""
    changed = [k for k, op in enumerate(ops) if op.sign != "equal"]
    part = ops[changed[0] : changed[-1] + 1] if changed else ()
    return letters("".join(op.old for op in part)) == letters("".join(op.new for op in part))


def letters(text: str) -> str:
    """What a cosmetic edit leaves alone: letters, digits, and the signs that belong to a number (1.5 is not 15)."""
    text = _THOUSANDS.sub("", normalise(text))
    out, at = list[str](), 0
    for found in _KEPT.finditer(text):
        out += _MARK.sub("", text[at : found.start()]), found[0]
        at = found.end()
    return "".join((*out, _MARK.sub("", text[at:])))


def rows(old: Sequence[str], new: Sequence[str]) -> list[Row]:
    """Both texts for a terminal or a page: every paragraph of both sides, in order, with what changed inside.

    The non-empty `old` (`new`) sides of the rows, in order, hold the whole old (new) text. A paragraph that was split
    or joined takes several rows.
    """
    found: list[Row] = []
    line = _Line()
    for op in operations(old, new):
        for sign, text in _runs(op):
            for part in re.split(r"(?<=\n)", text):
                if part:
                    line.add(op, sign, part)
                if part.endswith("\n"):
                    found.append(line.row())
                    line = _Line()
    return found


class _Line:
    """A row while it is filled."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.old: int | None = None
        self.new: int | None = None
        self.moved = True

    def add(self, op: Op, sign: Sign, text: str) -> None:
        self.old = op.old_paragraph if self.old is None and sign != "+" else self.old
        self.new = op.paragraph if self.new is None and sign != "-" else self.new
        self.moved = self.moved and op.move is not None
        self.runs.append((sign, text.rstrip("\n")))

    def row(self) -> Row:
        signs = {sign for sign, text in self.runs if text} or {sign for sign, _ in self.runs}
        only: RowSign = next(iter(signs)) if len(signs) == 1 else "~"
        return Row(">" if self.moved else only, tuple(_merged(self.runs)), self.old, self.new)


def _merged(runs: Sequence[Run]) -> Iterator[Run]:
    held: Run | None = None
    for sign, text in runs:
        if held is not None and held[0] == sign:
            held = sign, held[1] + text
            continue
        if held is not None and held[1]:
            yield held
        held = sign, text
    if held is not None and held[1]:
        yield held


def _runs(op: Op) -> tuple[Run, ...]:
    if op.sign == "replace":
        return op.runs
    if op.sign == "equal":
        return (("=", op.old),)
    return (("-", op.old),) if op.sign == "delete" else (("+", op.new),)


def _rewritten(ops: Sequence[Op], old: int, new: int) -> bool:
    if min(old, new) <= TOO_SHORT:
        return False
    kept = sum(len(t.strip("\n")) for op in ops for s, t in _runs(op) if s == "=")
    kept += sum(len(op.new) for op in ops if op.move is not None and op.sign == "insert")
    return kept < SHARED * min(old, new)


def _edits(op: Op) -> Iterator[Edit]:
    """The edits of one step: a whole sentence, or the changed places of one that was replaced."""
    if op.sign == "equal":
        return
    if op.sign in ("insert", "delete"):
        old, new = op.old.strip("\n"), op.new.strip("\n")
        if old or new:
            yield Edit("insert" if new else "delete", old, new, op.old_paragraph, op.paragraph)
        return
    for start, stop in _clusters(op.runs):
        old, new = _widened(op.runs, start, stop)
        if old != new:
            yield Edit("replace", old, new, op.old_paragraph, op.paragraph)


def _clusters(runs: Sequence[Run]) -> Iterator[tuple[int, int]]:
    """Ranges of runs that are one edit: changed runs with next to nothing kept between them."""
    start: int | None = None
    stop = 0
    for k, (sign, text) in enumerate(runs):
        if sign != "=":
            start = k if start is None else start
            stop = k + 1
        elif start is not None and len(text) > NEAR:
            yield start, stop
            start = None
    if start is not None:
        yield start, stop


def _widened(runs: Sequence[Run], start: int, stop: int) -> tuple[str, str]:
    """Both sides of an edit, out to the whole number with its unit, and a little further when it is short."""
    left = runs[start - 1][1] if start and runs[start - 1][0] == "=" else ""
    right = runs[stop][1] if stop < len(runs) and runs[stop][0] == "=" else ""
    old = "".join(text for sign, text in runs[start:stop] if sign != "+")
    new = "".join(text for sign, text in runs[start:stop] if sign != "-")
    before, after = 0, 0
    if re.search(r"\d", old + new):
        before = _while_number(left[::-1])
        after = _while_number(right)
        after += _to_mark(right[after:], 2)
    if min(len(old), len(new)) + before + after < _SHORT:
        before += _to_mark(left[::-1][before:], CONTEXT)
        after += _to_mark(right[after:], CONTEXT)
    head, tail = left[len(left) - before :] if before else "", right[:after]
    return (head + old + tail).strip("\n"), (head + new + tail).strip("\n")


def _while_number(text: str) -> int:
    k = 0
    while k < min(len(text), 12) and _NUMBER.match(text[k]):
        k += 1
    return k


def _to_mark(text: str, most: int) -> int:
    k = 0
    while k < min(len(text), most) and not _UNIT_END.match(text[k]):
        k += 1
    return k


def _joined(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Sentences that came or went side by side in one paragraph as one edit."""
    held: Edit | None = None
    for edit in edits:
        same = (
            held is not None
            and held.op == edit.op
            and edit.op in ("insert", "delete")
            and (held.old_paragraph, held.paragraph) == (edit.old_paragraph, edit.paragraph)
        )
        if same and held is not None:
            held = Edit(edit.op, held.old + edit.old, held.new + edit.new, edit.old_paragraph, edit.paragraph)
            continue
        if held is not None:
            yield held
        held = edit
    if held is not None:
        yield held
