"""Tables that are drawn with lines: from ruling lines to a grid, and from a place to its cell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SLACK = 2.0  # points between two rules that meet
MOST = 20_000  # ruling lines of a page that are looked at
_RECENT = 50  # tables and loose lines that the sweep may still add to


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight thin line: `across` from `low` to `high` at height `at`, or upright at `at`."""

    across: bool
    at: float
    low: float
    high: float


@dataclass(slots=True)
class Grid:
    """A ruled table. Rows count from the top; a cell that spans columns is known by its first one."""

    xs: list[float]
    ys: list[float]  # from the bottom
    upright: list[Rule]
    _firsts: dict[int, list[int]] = field(default_factory=dict)  # of rows asked for: every character asks

    @property
    def x0(self) -> float:
        return self.xs[0]

    @property
    def x1(self) -> float:
        return self.xs[-1]

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    def holds(self, x: float, y: float) -> bool:
        """Whether a place lies inside the frame."""
        return self.xs[0] - SLACK <= x <= self.xs[-1] + SLACK and self.ys[0] - SLACK <= y <= self.ys[-1] + SLACK

    def band(self, row: int) -> tuple[float, float]:
        """(top, bottom) of a row."""
        return self.ys[self.rows - row], self.ys[self.rows - row - 1]

    def columns_of(self, row: int) -> list[int]:
        """The first column of each cell of a row: only rules that run beside this row part its cells."""
        if row not in self._firsts:
            self._firsts[row] = self._parted(row)
        return self._firsts[row]

    def _parted(self, row: int) -> list[int]:
        top, bottom = self.band(row)
        middle = (top + bottom) / 2
        here = {0}
        for rule in self.upright:
            if (
                rule.low - SLACK <= middle <= rule.high + SLACK and rule.at + SLACK < self.xs[-1]
            ):  # the frame parts none
                here.add(self._column(rule.at + SLACK))
        return sorted(here)

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """(row, first column) of the cell around a place."""
        row = self.rows - 1 - min(max(bisect_right(self.ys, y) - 1, 0), self.rows - 1)
        firsts = self.columns_of(row)
        return row, firsts[max(bisect_right(firsts, self._column(x)) - 1, 0)]

    def _column(self, x: float) -> int:
        return min(max(bisect_right(self.xs, x) - 1, 0), len(self.xs) - 2)


def grids(rules: Sequence[Rule]) -> list[Grid]:
    """The tables that these rules draw: at least two rows or columns inside a frame."""
    found = []
    for group in _touching(rules[:MOST]):
        upright = [r for r in group if not r.across]
        ys, xs = _places(r.at for r in group if r.across), _places(r.at for r in upright)
        if len(ys) < 2 or len(xs) < 2 or len(ys) + len(xs) < 5:
            continue
        if (len(xs) - 1) * (len(ys) - 1) < 2:
            continue
        found.append(Grid(xs, ys, upright))
    return found


def _places(values: Iterable[float]) -> list[float]:
    """Sorted, with those that are nearly equal as one."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > 2 * SLACK:
            out.append(value)
    return out


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules in groups that hang together, found by sweeping up the page.

    Only the last groups are looked at, and the smaller of two joins the larger: n log n at the most.
    """
    done: list[list[Rule]] = []
    recent: list[tuple[float, float, float, list[Rule]]] = []  # top reached, left, right, members
    for rule in sorted(rules, key=_bottom):
        low, top, left, right = _box(rule)
        members = [rule]
        rest = []
        for group in recent:
            if group[0] + SLACK >= low and group[1] <= right + SLACK and group[2] >= left - SLACK:
                small, members = sorted((members, group[3]), key=len)
                members += small
                top, left, right = max(top, group[0]), min(left, group[1]), max(right, group[2])
            else:
                rest.append(group)
        recent = [*rest, (top, left, right, members)]
        if len(recent) > _RECENT:
            done.append(recent.pop(0)[3])
    return done + [group[3] for group in recent]


def _bottom(rule: Rule) -> float:
    return rule.at if rule.across else rule.low


def _box(rule: Rule) -> tuple[float, float, float, float]:
    """(bottom, top, left, right)."""
    return (rule.at, rule.at, rule.low, rule.high) if rule.across else (rule.low, rule.high, rule.at, rule.at)
