"""Two documents read now: both sides of a comparison go through today's rules, so that an upgrade of the product never
looks like a change of a promise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor import assess
from monitor.model import Document, Record, Target, TargetChange, Version, Vocabulary
from monitor.targets.between import Reading, between
from monitor.targets.record import record
from monitor.targets.release import relate, same_document, skipped


@dataclass(frozen=True, slots=True)
class Side:
    """One document of a comparison, read now."""

    name: str
    text: str
    record: Record
    items: tuple[Target, ...]
    version: str | None = None


def read_text(
    text: str, about: Document, vocabulary: Vocabulary, *, published: str | None = None, year: int | None = None
) -> tuple[Target, ...]:
    """Targets and actuals of a text; offsets are those of `text`."""
    return side("", text, replace(about, published=published or about.published), vocabulary, year=year).items


def side(
    name: str,
    text: str,
    about: Document,
    vocabulary: Vocabulary,
    *,
    year: int | None = None,
    series: str | None = None,
) -> Side:
    """A text with the document around it, read."""
    found = record(about.title, text, published=about.published, series=series, publisher=about.publisher)
    if year is not None:
        found = replace(found, year=year, label=str(year))
    return Side(name, text, found, assess.Reader(vocabulary).read(text, about, found))


def stored_side(
    version: Version, vocabulary: Vocabulary, *, series: str | None = None, year: int | None = None
) -> Side:
    """A stored version, read again; `series` is its source's."""
    about = version.document
    name = f"{version.source}@{version.release or version.id}"
    return replace(side(name, about.text, about, vocabulary, series=series, year=year), version=version.id)


def compare_sides(
    before: Side, after: Side, *, relation: str | None = None
) -> tuple[tuple[TargetChange, ...], str, tuple[int, ...]]:
    """What moved, how the two documents are related (given, or found out from what they are), and the report years
    that lie between them."""
    found, quoting = relate(before.record, after.record)
    if relation is None and same_document(before.record, before.text, after.record, after.text):
        found = "edit"
    chosen = relation or found
    everything = chosen == "quote" and quoting == "after"  # what the report says and the paper leaves out, too
    years = skipped(before.record, after.record) if chosen == "next_release" else ()
    lines = between(
        Reading(before.record, before.items),
        Reading(after.record, after.items),
        relation=chosen,
        quoting=quoting,
        everything=everything,
        missing=years,
    )
    return lines, chosen, years


def doubts(before: Side, after: Side) -> tuple[str, ...]:
    """What makes two documents an odd pair: `turned`, the older one named second; `places`, of two places."""
    one, other = before.record, after.record
    turned = one.year is not None and other.year is not None and one.year > other.year
    apart = bool(one.place and other.place) and one.place != other.place
    return tuple(word for word, holds in (("turned", turned), ("places", apart)) if holds)
