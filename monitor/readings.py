"""Reading what is kept: a body again with other rules, a new text beside those it may be a copy of. Pure.

Above `assess`, which judges one check: here nothing is a change, and nobody is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from monitor import assess
from monitor.model import Outcome, Record, Rereading, Source, TextRules, Version, Vocabulary
from monitor.targets import between
from monitor.targets.record import label
from monitor.text import copies
from monitor.text.learn import Reading
from monitor.text.noise import NOTHING, Learned

WHOLE = 0.8  # of the original that a newspaper's reprint holds; a smaller part is a quotation


def rules_mark(rules: TextRules) -> str:
    """Changes with the data files that say how pages are read."""
    return hashlib.sha256(repr(rules).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def mark(source: Source, url: str, general: str, learned: Learned = NOTHING) -> str:
    """Changes with whatever decides how this page is read: the general rules, its selector, its site's noise."""
    return _mark(source.selector, source.exclude, general, learned.mark(url))


@lru_cache(maxsize=1000)  # the same for most pages of a site
def _mark(*decides: object) -> str:
    return hashlib.sha256(repr(decides).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rereading(stored: Version, now: Version, source: Source, vocabulary: Vocabulary) -> Rereading | None:
    """What takes the place of the stored reading; None where both say the same."""
    if now is stored or now.document.text == stored.document.text:
        return None
    reader = assess.Reader(vocabulary)
    about = reader.record(now.document, source)
    if stored.copy_of is not None:
        about = replace(about, stage="copy")
    return Rereading(
        version=stored.id,
        document=now.document,
        record=about,
        release=label(about, source.release),
        sha256=now.sha256,
        fingerprint=now.fingerprint,
        targets=reader.targets(now.document, about),
    )


# --------------------------------------------------------------------------- copies


def as_copy(outcome: Outcome, originals: Sequence[Version], source: Source, vocabulary: Vocabulary) -> Outcome:
    """The outcome of a document whose text is that of an earlier one, or a part of it, says so; else as it is.

    A new copy is told to nobody. Its targets are compared with the original's, and what it leaves out is not gone.
    """
    assert outcome.document is not None
    text = outcome.document.paragraphs
    original = next((v for v in originals if _repeats(outcome.record, text, v)), None)
    if original is None:
        return outcome
    about = replace(outcome.record, stage="copy")
    change = outcome.change
    if change is not None and change.kind == "new":
        reader = assess.Reader(vocabulary)
        before = reader.targets(original.document, original.record)
        lines = between.between(
            between.Reading(original.record, before), between.Reading(about, outcome.targets), relation="copy"
        )
        change = replace(
            change,
            copy_of=original.id,
            compared_with=original.id,
            compared_release=label(original.record, original.release),
            targets=tuple(x for x in lines if x.change not in ("unchanged", "dropped", "new")),
            significance=assess.SIGNIFICANCE["cosmetic"],
            reasons=("a copy",),
        )
    return replace(outcome, record=about, change=change, copy_of=original.id)


def _repeats(about: Record, text: Sequence[str], original: Version) -> bool:
    first = original.record
    for one, other in ((about.year, first.year), (about.place, first.place)):
        if one is not None and other is not None and one != other:
            return False
    paragraphs = original.document.paragraphs
    reprint = sum(map(len, text)) >= WHOLE * sum(map(len, paragraphs))
    if about.type == "newspaper" and first.type != "newspaper" and not reprint:
        return False
    return copies.is_copy(text, paragraphs)


# --------------------------------------------------------------------------- learning


def lesson(
    version: Version, body: bytes | None, checks: int, quantities: frozenset[str], source: Source, rules: TextRules
) -> Reading | None:
    """A kept version without anything learned left out, as `learn` wants it; None where its body is none of a page."""
    if body is None or version.document.file is not None:
        return None
    document = assess.read_again(version, body, source, rules).document
    return Reading(version.url, document, checks, assess.is_report(document, source), quantities)
