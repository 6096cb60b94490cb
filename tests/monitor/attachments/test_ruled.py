"""Ruling lines to grids: which lines make one table, and what a page full of them costs."""

from __future__ import annotations

import time

from monitor.attachments.ruled import MOST, Rule, grids


def table(left: float, bottom: float, columns: int, rows: int) -> list[Rule]:
    """The lines of a table with cells of 20 by 10."""
    right, top = left + 20 * columns, bottom + 10 * rows
    across = [Rule(True, bottom + 10 * n, left, right) for n in range(rows + 1)]
    return across + [Rule(False, left + 20 * n, bottom, top) for n in range(columns + 1)]


def test_two_tables_and_a_loose_line() -> None:
    found = grids([*table(0, 0, 3, 4), Rule(True, 300, 0, 400), *table(200, 0, 2, 2)])
    assert sorted((len(g.xs) - 1, g.rows) for g in found) == [(2, 2), (3, 4)]
    wide = next(g for g in found if g.rows == 4)
    assert wide.cell(25, 35) == (0, 1)
    assert wide.columns_of(0) == [0, 1, 2]


def test_a_cell_that_spans_columns_is_known_by_its_first() -> None:
    lines = [r for r in table(0, 0, 3, 2) if r.across or r.at in (0, 60)]
    lines += [Rule(False, 20, 0, 10), Rule(False, 40, 0, 10)]  # only the lower row is parted
    (found,) = grids(lines)
    assert (found.columns_of(0), found.columns_of(1)) == ([0], [0, 1, 2])
    assert found.cell(50, 15) == (0, 0)


def test_a_page_full_of_lines_costs_no_square() -> None:
    loose = [Rule(True, float(n * 9 % 99_991), n % 7 * 300.0, n % 7 * 300.0 + 10) for n in range(MOST)]
    began = time.process_time()
    grids(loose)
    (found,) = grids(table(0, 0, 50, MOST - 52))
    for n in range(20_000):
        found.cell(n % 900 + 5.0, 1000.0 + n % 10)
    assert time.process_time() - began < 2  # comparing all with all: more than ten
