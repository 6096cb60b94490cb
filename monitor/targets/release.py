"""Which document a new one is compared with, and how the two are related. Pure.

The release before is the nearest earlier report year with a whole text, never what was fetched before: reports are
put online late, twice, in halves, and quoted by newspapers on the same day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rapidfuzz import fuzz

from monitor.model import Record, Release

Relation = Literal["next_release", "edit", "quote", "copy"]

_SHINGLE = 8  # characters; two reports of one place share under a fifth of them, two copies nearly all
_SAME_TEXT = 0.8
_SAME_TEXT_OTHER_YEAR = 0.97  # short notices repeat last year's words around new numbers: that is no copy
_SHORT = 40  # characters; too few to hold pieces that are rare
_TERM = 5  # years between two outlines
_RECORDS = ("report", "plan", "budget", "outline")  # documents that set targets themselves

_BLANKS = re.compile(r"[\W_]+")


def release_before(
    record: Record,
    releases: Sequence[Release],
    *,
    text: str = "",
    label: str | None = None,
) -> tuple[Release | None, Relation, bool]:
    """(release, relation, gap): what to compare with, or None where nothing fits.

    `releases` are other documents of the same region and series (for a newspaper: of the region). `text` finds copies;
    without it none is found. `label` overrides the record's year ("2022"). `gap`: years between the two are missing.
    """
    year = _year_of(label) or record.year
    copied = _copied(text, year, releases)
    if copied:
        return copied, "copy", False
    reports = [r for r in releases if r.record.type != "newspaper"]
    if record.type == "newspaper":
        return _quoted(year, reports), "quote", False
    if year is None:
        return (None, "next_release", False) if record.complete else (_quoted(year, reports), "quote", False)
    same_year = [r for r in reports if _release_year(r) == year and r.record.complete]
    if same_year and not record.complete:  # a part or a digest of the document we have
        return _quoted(year, same_year), "quote", False
    earlier = [(y, r) for r in reports if (y := _release_year(r)) is not None and y < year]
    whole = [x for x in earlier if x[1].record.complete]
    if not whole and (record.complete or not earlier):
        return None, "next_release", False
    # a short report is held against short ones too: it is all that such a place publishes
    last, found = max(whole or earlier, key=lambda x: (x[0], _alike(record, x[1]), len(x[1].text), x[1].version))
    return found, "next_release", year - last > (_TERM if record.type == "outline" else 1)


def relate(before: Record, after: Record) -> tuple[Relation, Literal["before", "after"]]:
    """(relation, quoting side) of two documents that somebody chose to compare."""
    papers = before.type == "newspaper", after.type == "newspaper"
    if papers[0] != papers[1]:
        return "quote", "before" if papers[0] else "after"
    same_year = before.year is not None and before.year == after.year and before.type == after.type
    if same_year and before.complete != after.complete and not any(papers):
        return "quote", "after" if before.complete else "before"
    return "next_release", "after"


def same_document(before: Record, old: str, after: Record, new: str) -> bool:
    """Whether two texts are states of one document, not two releases of a series."""
    least = _SAME_TEXT if before.year == after.year else _SAME_TEXT_OTHER_YEAR
    return contained(old, new) >= least


def succeeds(before: Record, old: str, after: Record, new: str) -> bool:
    """Whether a text at the same address is the next release: some sites put each year's report there in turn."""
    if before.type not in _RECORDS or before.type != after.type:
        return False
    if before.year is None or after.year is None or before.year >= after.year:
        return False
    return not same_document(before, old, after, new)


def missing(record: Record, before: Release | None, *, label: str | None = None) -> tuple[int, ...]:
    """The report years between two releases that nobody has: "vs 2021; 2022 missing"."""
    return _between(_release_year(before) if before else None, _year_of(label) or record.year, record.type)


def skipped(before: Record, after: Record) -> tuple[int, ...]:
    """The report years between two documents that somebody chose to compare."""
    return _between(before.year, after.year, after.type)


def _between(last: int | None, year: int | None, kind: str) -> tuple[int, ...]:
    step = _TERM if kind == "outline" else 1
    return tuple(range(last + step, year, step)) if year and last else ()


def contained(text: str, other: str) -> float:
    """How much of the shorter text stands in the longer one, 0..1; linear in length."""
    one, two = _BLANKS.sub("", text), _BLANKS.sub("", other)
    if len(one) > len(two):
        one, two = two, one
    if not one:
        return 0.0
    if len(one) < _SHORT:
        return fuzz.ratio(one, two) / 100
    pieces = _shingles(one)
    return len(pieces & _shingles(two)) / len(pieces)


def _shingles(text: str) -> set[str]:
    return {text[i : i + _SHINGLE] for i in range(len(text) - _SHINGLE + 1)}


def _copied(text: str, year: int | None, releases: Sequence[Release]) -> Release | None:
    """The release that holds nearly all of this text, or the other way round; whole documents first.

    A newspaper page of a few sentences that all stand in a report is a quotation of it, not a copy.
    """
    if not text:
        return None
    found = []
    for release in releases:
        other = _release_year(release)
        least = _SAME_TEXT if year is None or other is None or year == other else _SAME_TEXT_OTHER_YEAR
        if 10 * len(text) > len(release.text) and (share := contained(text, release.text)) >= least:
            found.append((share, release))
    best = max(found, key=lambda x: (x[1].record.complete, x[0], x[1].version), default=None)
    return best[1] if best else None


def _quoted(year: int | None, reports: Sequence[Release]) -> Release | None:
    """The report a page speaks of: of its year, else the nearest, the earlier of two; the newest for undated pages."""
    dated = [(y, r) for r in reports if (y := _release_year(r)) is not None]
    if not dated:
        return None
    if year is None:
        return max(dated, key=lambda x: (x[1].record.complete, x[0], x[1].version))[1]
    return min(dated, key=lambda x: (abs(x[0] - year), not x[1].record.complete, x[0], x[1].version))[1]


def _alike(record: Record, release: Release) -> tuple[bool, bool]:
    return release.record.type == record.type, release.record.place == record.place


def _year_of(label: str | None) -> int | None:
    found = re.search(r"(?:19|20)\d\d", label or "")
    return int(found[0]) if found else None


def _release_year(release: Release) -> int | None:
    return _year_of(release.label) or release.record.year
