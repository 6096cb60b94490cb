"""What one fetch means: pure, from (what we knew, Fetch) to Outcome. Never runs on the event loop.

Two steps, because the second needs more of the past and only few checks reach it:

    read(fetch, source, rules)                    bytes -> text -> Document, or why there is none
    conclude(reading, known, releases, context)   against the last version and the release before -> Outcome

A failed, blocked or broken capture never becomes a version. Nothing here reads a clock or a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.model import (
    BLOCKED_WORDS,
    GONE_WORDS,
    Change,
    ChangeKind,
    Decoded,
    Diff,
    Document,
    Failure,
    Fetch,
    Known,
    Outcome,
    Page,
    Record,
    Release,
    ResultWord,
    Source,
    Target,
    TargetChange,
    TextRules,
    Version,
    Vocabulary,
)
from monitor.sources.kinds import KINDS, Found
from monitor.targets.compare import compare
from monitor.targets.extract import extract
from monitor.targets.record import label, record
from monitor.targets.release import release_before
from monitor.text import capture
from monitor.text.clean import clean
from monitor.text.decode import decode
from monitor.text.diff import diff
from monitor.text.segment import fingerprint

GONE_CHECKS = 3  # a page is `removed` after this many answers that say so …
GONE_AFTER = timedelta(minutes=30)  # … over this long, while other pages of its host answer
GONE_AFTER_ALONE = timedelta(hours=48)  # … or over this long where none does

SIGNIFICANCE = {"target": 0.9, "actual": 0.7, "number": 0.6, "passage": 0.5, "wording": 0.3, "cosmetic": 0.05}


@dataclass(frozen=True, slots=True)
class Reading:
    """One capture read: a Document with its hashes, or a Failure. `decoded` is None where there was no body."""

    fetch: Fetch
    document: Document | None = None
    failure: Failure | None = None
    decoded: Decoded | None = None
    found: Found | None = None
    sha256: str | None = None

    @property
    def fingerprint(self) -> str:
        """Of the text normalised for comparing. Made when it is asked for: an unchanged page never needs it."""
        return fingerprint(self.document.paragraphs) if self.document else ""


def text_sha256(document: Document) -> str:
    """The content address of a kept text."""
    return hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


def read(fetch: Fetch, source: Source, page: Page, rules: TextRules) -> Reading:
    """Bytes to Document, judged: is this the page at all? Says nothing of the past but the address asked for."""
    if fetch.failure is not None:
        return Reading(fetch, failure=fetch.failure)
    decoded = decode(fetch.body, fetch.content_type) if fetch.body else None
    html = decoded.text if decoded else None
    followed = page.role == "entry" and source.kind != "page"
    document: Document | None = None
    if decoded is not None and html is not None:
        selector = None if followed else source.selector
        document = clean(html, fetch.final_url or fetch.url, rules, selector=selector, exclude=source.exclude)
        document = replace(document, encoding=decoded.encoding, replacements=decoded.replacements)
    failure = capture.judge(fetch, html, document, rules)
    # a list needs links, not text: a sheet of headlines, a front door that only leads on
    if followed and html is not None and document is not None and (failure is None or failure.error == "empty"):
        return replace(_read_list(fetch, source, page, html, document), decoded=decoded)
    if failure is not None:
        return Reading(fetch, document=document, failure=failure, decoded=decoded)
    if document is None or html is None:
        return Reading(fetch, failure=Failure("empty", "the answer had no body", fetch.status), decoded=decoded)
    return Reading(
        fetch,
        document=document,
        failure=_not_an_article(document, fetch, source),
        decoded=decoded,
        sha256=text_sha256(document),
    )


def _read_list(fetch: Fetch, source: Source, page: Page, html: str, document: Document) -> Reading:
    """A list page or newspaper sheet: only what it names counts. A list that names nothing is a bad capture."""
    first = page.found_at if page.last_good else None
    url = fetch.final_url or fetch.url
    found = KINDS[source.kind].find(source, url, html, document, fetch.at, first)
    failure = None
    if not found.documents and not found.entries and not found.seen:
        failure = Failure("wrong_document", "no link to a document on this list page (see links: and match:)")
    return Reading(fetch, document=document, failure=failure, found=found)


def _not_an_article(document: Document, fetch: Fetch, source: Source) -> Failure | None:
    """Pages without a text of their own never become a version; the reason names what was found instead."""
    if document.paragraphs:
        return None
    if document.kind == "error":
        return Failure("wrong_document", "; ".join(document.warnings) or "the selector matches nothing", fetch.status)
    if document.kind in ("attachment", "image"):
        return Failure("empty", f"the page holds only {document.kind}s, no text", fetch.status)
    if document.kind == "listing":
        hint = " (kind: listing reads it)" if source.kind == "page" else ""
        return Failure("wrong_document", f"a list of links, not a document{hint}", fetch.status)
    return Failure("empty", "no main text found", fetch.status)


# --------------------------------------------------------------------------- against the past


def reread(known: Known, body: bytes, source: Source, rules: TextRules) -> Known:
    """The last version as today's rules read its kept body, so that a better rule or another selector is no change.

    Where nothing can be read from it today, the stored text stands.
    """
    last = known.last
    assert last is not None
    html = body.decode(last.document.encoding or "utf-8", "replace")
    if "<" not in html[:4096]:  # a text file that was imported
        return known
    document = clean(html, last.url, rules, selector=source.selector, exclude=source.exclude)
    if not document.paragraphs:
        return known
    document = replace(document, encoding=last.document.encoding, replacements=last.document.replacements)
    again = replace(last, document=document, sha256=text_sha256(document), fingerprint=fingerprint(document.paragraphs))
    return replace(known, last=again)


def unchanged(reading: Reading, known: Known) -> bool:
    """Whether the cheap answer is enough: same text as the last version, letter by letter, and the page was there."""
    last = known.last
    return (
        reading.failure is None
        and reading.found is None
        and last is not None
        and not known.page.removed
        and reading.sha256 == last.sha256
    )


def conclude(
    reading: Reading,
    known: Known,
    source: Source,
    vocabulary: Vocabulary,
    releases: Sequence[Release] = (),
) -> Outcome:
    """The whole Outcome of a document's check."""
    at = reading.fetch.at
    failure = reading.failure or _against_last(reading, known)
    if failure is not None:
        return failed(known, reading.fetch, failure)
    page = _cleared(known.page, reading.fetch, at)
    assert reading.document is not None
    if unchanged(reading, known):
        return Outcome(page, at, "unchanged", reading.fetch, document=reading.document)
    return _new_version(reading, known, page, source, vocabulary, releases)


def not_modified(known: Known, fetch: Fetch) -> Outcome:
    """A 304, or the same bytes as last time: unchanged without parsing. It does not clear a standing failure
    of the same bytes, but a failing page never keeps its validators, so there is none here."""
    return Outcome(_cleared(known.page, fetch, fetch.at), fetch.at, "not_modified", fetch)


def read_list(known: Known, fetch: Fetch, reading: Reading | None) -> Outcome:
    """A list page or issue that was read well (`reading` is None where no issue came out today)."""
    document = reading.document if reading else None
    return Outcome(_cleared(known.page, fetch, fetch.at), fetch.at, "unchanged", fetch, document=document)


def failed(known: Known, fetch: Fetch, failure: Failure) -> Outcome:
    """A check without a document: the last good version stays; a page gone for good is reported once."""
    at, page = fetch.at, known.page
    gone = failure.error in GONE_WORDS
    page = replace(
        page,
        last_checked=at,
        failure=failure,
        failing_since=page.failing_since or at,
        consecutive=page.consecutive + 1,
        gone_count=page.gone_count + 1 if gone else page.gone_count if failure.error == "held" else 0,
        gone_since=(page.gone_since or at) if gone else page.gone_since if failure.error == "held" else None,
        etag=None,  # a broken answer must be followed by a whole one
        last_modified=None,
        raw_sha256=None,
    )
    result: ResultWord = "blocked" if failure.error in BLOCKED_WORDS else "failed"
    change = None
    if gone and not page.removed and known.last is not None and _gone_for_good(page, at, known.host_answers):
        page = replace(page, removed=True)
        change = _event("removed", known.last, at, source=page.source, url=page.url)
        change = replace(change, significance=0.8, reasons=("page removed",), deleted=len(known.last.document.text))
    return Outcome(page, at, result, fetch, failure=failure, change=change, keep_body=False)


def _gone_for_good(page: Page, at: datetime, host_answers: bool) -> bool:
    since = page.gone_since or at
    return page.gone_count >= GONE_CHECKS and at - since >= (GONE_AFTER if host_answers else GONE_AFTER_ALONE)


def _cleared(page: Page, fetch: Fetch, at: datetime) -> Page:
    """The page after a good capture."""
    return replace(
        page,
        last_checked=at,
        last_good=at,
        failure=None,
        failing_since=None,
        consecutive=0,
        gone_count=0,
        gone_since=None,
        etag=fetch.etag or (page.etag if fetch.not_modified else None),
        last_modified=fetch.last_modified or (page.last_modified if fetch.not_modified else None),
        since_full=page.since_full + 1 if fetch.not_modified else 0,
        raw_sha256=hashlib.sha256(fetch.body).hexdigest() if fetch.body else page.raw_sha256,
    )


def _against_last(reading: Reading, known: Known) -> Failure | None:
    """A capture that is readable but not the page we knew: never a change."""
    last, document = known.last, reading.document
    if last is None or document is None or reading.found is not None:
        return None
    if document.replacements and not last.document.replacements:
        return Failure(
            "lossy_decode", f"{document.replacements} characters could not be decoded; the last text was clean"
        )
    if reading.sha256 == last.sha256 or reading.fingerprint in {last.fingerprint, *known.earlier_fingerprints}:
        return None
    return capture.collapsed(last.document, document)


def _event(kind: ChangeKind, last: Version | None, at: datetime, *, source: str, url: str) -> Change:
    return Change(
        kind=kind,
        at=at,
        source=source,
        url=url,
        title=last.document.title if last else None,
        old_version=last.id if last else None,
        release=last.release if last else None,
    )


def _kind(reading: Reading, known: Known, delta: Diff) -> ChangeKind:
    if known.last is None:
        return "new"
    if known.page.removed:
        return "restored"
    if reading.fingerprint == known.last.fingerprint or delta.cosmetic:
        return "cosmetic"
    if reading.fingerprint in known.earlier_fingerprints:
        return "reverted"
    return "content"


def _new_version(
    reading: Reading,
    known: Known,
    page: Page,
    source: Source,
    vocabulary: Vocabulary,
    releases: Sequence[Release],
) -> Outcome:
    document, at, last = reading.document, reading.fetch.at, known.last
    assert document is not None
    reader = Reader(vocabulary)
    about = reader.record(document, source)
    targets = reader.targets(document, about)
    delta = diff(last.document.paragraphs, document.paragraphs) if last else Diff()
    kind = _kind(reading, known, delta)
    change = _event(kind, last, at, source=source.key, url=page.url)
    shown = label(about, source.release)
    change = replace(
        change,
        title=document.title or page.title,
        release=shown,
        baseline=kind == "new" and page.baseline,
        added=delta.added if last else len(document.text),
        deleted=delta.deleted,
        edits=delta.edits,
    )
    if last is None:
        change = _against_release(change, document, about, targets, releases, reader)
    elif kind != "cosmetic":
        before = reader.targets(last.document, reader.record(last.document, source))
        change = replace(change, targets=_moved(compare(before, targets, relation="edit")))
    weight, reasons = significance(change, delta)
    change = replace(change, significance=weight, reasons=reasons)
    return Outcome(
        page=replace(page, last_change=at, removed=False, title=document.title or page.title),
        at=at,
        result="new" if last is None else "changed",
        fetch=reading.fetch,
        document=document,
        record=about,
        release=shown,
        sha256=reading.sha256,
        fingerprint=reading.fingerprint,
        targets=targets,
        change=change,
        keep_body=True,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a document's record and targets with today's rules: both sides of every comparison go through it,
    so that a better rule never looks like a change."""

    vocabulary: Vocabulary

    def record(self, document: Document, source: Source) -> Record:
        return record(
            document.title,
            document.text,
            published=document.published,
            series=source.series,
            publisher=document.publisher,
        )

    def read(self, text: str, document: Document, about: Record) -> tuple[Target, ...]:
        """Targets and actuals of `text`, which may be a raw file around the document."""
        return extract(text, self.vocabulary, title=document.title, published=document.published, year=about.year)

    def targets(self, document: Document, about: Record) -> tuple[Target, ...]:
        return self.read(document.text, document, about)

    def release_targets(self, release: Release) -> tuple[Target, ...]:
        return self.read(release.text, Document(title=release.title, published=release.published), release.record)


def _against_release(
    change: Change,
    document: Document,
    about: Record,
    targets: Sequence[Target],
    releases: Sequence[Release],
    reader: Reader,
) -> Change:
    """A new document is compared with the release before it: by report year, never by fetch order."""
    before, relation, gap = release_before(about, releases, text=document.text, label=change.release)
    if before is None or not targets:
        return change
    lines = compare(reader.release_targets(before), targets, relation=relation, gap=gap)
    return replace(
        change,
        compared_with=before.version,
        compared_release=label(before.record, before.label),
        targets=_moved(lines),
    )


def _moved(lines: Sequence[TargetChange]) -> tuple[TargetChange, ...]:
    return tuple(x for x in lines if x.change != "unchanged")


def significance(change: Change, delta: Diff) -> tuple[float, tuple[str, ...]]:
    """0-1 with reasons: a target moved > a number moved > sentences added > wording > cosmetic."""
    if change.kind == "cosmetic":
        return SIGNIFICANCE["cosmetic"], ("layout or punctuation only",)
    found: list[tuple[float, str]] = []
    roles = {(t.after or t.before).role for t in change.targets if (t.after or t.before) is not None}  # type: ignore[union-attr]
    if "target" in roles:
        found.append((SIGNIFICANCE["target"], "a target moved"))
    if "actual" in roles:
        found.append((SIGNIFICANCE["actual"], "a result moved"))
    if any(_digits(e.old) != _digits(e.new) for e in delta.edits if e.op == "replace"):
        found.append((SIGNIFICANCE["number"], "a number moved"))
    if change.kind == "new" or any(e.op in ("insert", "delete") for e in delta.edits):
        found.append((SIGNIFICANCE["passage"], "sentences added or removed"))
    if delta.rewritten:
        found.append((SIGNIFICANCE["passage"], "rewritten"))
    if not found:
        found.append((SIGNIFICANCE["wording"], "wording"))
    found.sort(key=lambda x: -x[0])
    return min(1.0, found[0][0] + 0.02 * (len(change.targets) - 1 if change.targets else 0)), tuple(r for _, r in found)


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
