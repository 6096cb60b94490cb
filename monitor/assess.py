"""What one fetch means: pure, from (what we knew, Fetch) to Outcome. Never runs on the event loop.

Two steps, because the second needs more of the past and only few checks reach it:

    read(fetch, source, rules)                    bytes -> text -> Document, or why there is none
    conclude(reading, known, releases, context)   against the last version and the release before -> Outcome

A failed, blocked or broken capture never becomes a version. Nothing here reads a clock or a database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from monitor import attached
from monitor.model import (
    BLOCKED_WORDS,
    GONE_WORDS,
    LATE,
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
from monitor.sources import answers, links, parts, posted
from monitor.sources.kinds import KINDS, Found
from monitor.targets import between
from monitor.targets.compare import compare
from monitor.targets.extract import extract
from monitor.targets.record import label, record
from monitor.targets.release import missing, release_before, skipped, succeeds
from monitor.text import capture, copies
from monitor.text.clean import clean
from monitor.text.decode import decode
from monitor.text.diff import diff
from monitor.text.noise import NOTHING, Learned
from monitor.text.segment import fingerprint

MOST_NUMBERS = 20_000  # of one text whose targets are read: half a millisecond each; a long plan has 4,000
_NUMBER = re.compile("[0-9０-９〇零一二三四五六七八九十百千万亿]+")
DATA_JUDGED = 50_000  # characters of XML or JSON in which a notice is looked for
GONE_CHECKS = 3  # a page is `removed` after this many answers that say so …
GONE_AFTER = timedelta(minutes=30)  # … over this long, while other pages of its host answer
MOVED_CHECKS = 3  # a permanent redirect is told after so many good checks in a row that met it
GONE_AFTER_ALONE = timedelta(hours=48)  # … or over this long where none does

REPORTS = ("report", "plan", "budget", "outline")
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
        """Of the text normalised for comparing. Made when it is asked for: an unchanged page never needs it.

        A file without a text is compared by its bytes.
        """
        if self.document is not None and self.document.file is not None and not self.document.paragraphs:
            return self.document.file.sha256
        return fingerprint(self.document.paragraphs) if self.document else ""


def is_report(document: Document, source: Source) -> bool:
    """Whether what is learned from the site must not touch its main text: a document that sets targets itself."""
    return Reader(Vocabulary()).record(document, source).type in REPORTS


def text_sha256(document: Document) -> str:
    """The content address of a kept text."""
    return hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


def read(fetch: Fetch, source: Source, page: Page, rules: TextRules, learned: Learned = NOTHING) -> Reading:
    """Bytes to Document, judged: is this the page at all? Says nothing of the past but the address asked for.

    `learned`: the noise of its site, which is left out.
    """
    if fetch.failure is not None:
        return Reading(fetch, failure=fetch.failure)
    followed = page.role == "entry" and source.kind != "page"
    fetch = answers.opened(fetch, source.max_bytes) if followed else fetch
    decoded = decode(fetch.body, fetch.content_type) if fetch.body else None
    html = decoded.text if decoded else None
    document: Document | None = None
    data = followed and html is not None and answers.is_data(html, source.kind)
    if data and decoded is not None:
        document = Document(url=fetch.final_url or fetch.url, kind="listing", encoding=decoded.encoding)
    elif decoded is not None and html is not None:
        selector = None if followed else source.selector
        document = clean(html, fetch.final_url or fetch.url, rules, selector=selector, exclude=source.exclude)
        document = replace(document, encoding=decoded.encoding, replacements=decoded.replacements)
        if learned and not followed:
            document = learned.clean(document, page.url, partial(is_report, document, source))
    failure = capture.judge(fetch, html[:DATA_JUDGED] if data and html else html, document, rules)
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


def judged(fetch: Fetch, rules: TextRules) -> Failure | None:
    """Why an answer is no page at all, for whoever only wants its links; None where it is one."""
    html = decode(fetch.body, fetch.content_type).text if fetch.body else None
    return capture.judge(fetch, html, Document(url=fetch.url, kind="listing"), rules)


_NOTHING = {
    "listing": "no link to a document on this list page (see links: and match:)",
    "epaper": "no article and no sheet of an issue on this page (see links: and match:)",
    "feed": "no RSS, Atom or JSON feed (kind: listing reads a page)",
    "sitemap": "no sitemap (kind: listing reads a page)",
}


def _read_list(fetch: Fetch, source: Source, page: Page, html: str, document: Document) -> Reading:
    """A list page or newspaper sheet: only what it names counts. A list that names nothing is a bad capture."""
    first = page.found_at if page.last_good else None
    url = fetch.final_url or fetch.url
    if number := posted.split(fetch.url)[1]:
        url = f"{url}#page={number}"
    found = KINDS[source.kind].find(source, url, html, document, fetch.at, first)
    failure = None
    if not found.documents and not found.entries and not found.seen and not found.sound:
        failure = Failure("wrong_document", _NOTHING.get(source.kind, _NOTHING["listing"]))
    return Reading(fetch, document=document, failure=failure, found=found)


def _not_an_article(document: Document, fetch: Fetch, source: Source) -> Failure | None:
    """Pages without a text of their own never become a version; the reason names what was found instead."""
    if document.paragraphs:
        return None
    if document.kind == "error":
        return Failure("wrong_document", "; ".join(document.warnings) or "the selector matches nothing", fetch.status)
    if document.kind == "attachment" and source.attachments is not False:
        return None  # what it says stands in its files, which are read as pages of their own
    if document.kind in ("attachment", "image"):
        return Failure("empty", f"the page holds only {document.kind}s, no text", fetch.status)
    if document.kind == "listing":
        hint = " (kind: listing reads it)" if source.kind == "page" else ""
        return Failure("wrong_document", f"a list of links, not a document{hint}", fetch.status)
    return Failure("empty", "no main text found", fetch.status)


# --------------------------------------------------------------------------- against the past


def reread(known: Known, body: bytes, source: Source, rules: TextRules, learned: Learned = NOTHING) -> Known:
    """The last version as today's rules read its kept body, so that a better rule or another selector is no change."""
    assert known.last is not None
    return replace(known, last=read_again(known.last, body, source, rules, learned))


def read_again(version: Version, body: bytes, source: Source, rules: TextRules, learned: Learned = NOTHING) -> Version:
    """A version read from its kept body by these rules. Where nothing can be read from it, the stored text stands."""
    if version.document.file is not None:  # its reader is not here (monitor.files)
        return version
    html = body.decode(version.document.encoding or "utf-8", "replace")
    if "<" not in html[:4096]:  # a text file that was imported
        return version
    document = _clean_kept(body, version, source, rules)
    document = learned.clean(document, version.url, partial(is_report, document, source))
    if not document.paragraphs:
        return version
    document = replace(document, encoding=version.document.encoding, replacements=version.document.replacements)
    return replace(
        version, document=document, sha256=text_sha256(document), fingerprint=fingerprint(document.paragraphs)
    )


def _clean_kept(body: bytes, last: Version, source: Source, rules: TextRules) -> Document:
    """A kept body cleaned with today's rules, all pages of an article together."""
    pieces = parts.unpack(last.url, body) if last.document.parts else [(last.url, body)]
    texts = [(url, piece.decode(last.document.encoding or "utf-8", "replace")) for url, piece in pieces]
    cleaned = [clean(html, url, rules, selector=source.selector, exclude=source.exclude) for url, html in texts]
    return parts.joined(cleaned) if len(cleaned) > 1 else cleaned[0]


def unchanged(reading: Reading, known: Known) -> bool:
    """Whether the cheap answer is enough: same text as the last version, letter by letter, and the page was there."""
    last = known.last
    return (
        reading.failure is None
        and reading.found is None
        and last is not None
        and not known.page.removed
        and reading.sha256 == last.sha256
        and _same_bytes(reading, known)
    )


def _same_bytes(reading: Reading, known: Known) -> bool:
    """Whether a file without a text is the one that was there; anything with a text is compared by that."""
    file = reading.document.file if reading.document else None
    if file is None or known.last is None or (reading.document and reading.document.paragraphs):
        return True
    before = known.last.document.file
    return file.sha256 in (known.page.raw_sha256, before.sha256 if before else None)


def conclude(
    reading: Reading,
    known: Known,
    source: Source,
    vocabulary: Vocabulary,
    releases: Sequence[Release] = (),
) -> Outcome:
    """The whole Outcome of a document's check."""
    at = reading.fetch.at
    if known.parent is not None and reading.document is not None:
        named = attached.inherited(reading.document, known.parent, known.page.label, source)
        reading = replace(reading, document=named)
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


def passed_over(reading: Reading, page: Page, source: Source) -> bool:
    """Whether a found document, now read for the first time, is none that `match` or `match_text` want."""
    document = reading.document
    if document is None or reading.failure is not None or page.role != "document" or page.version is not None:
        return False
    if document.kind == "attachment" and source.match_text is not None:
        return False  # its text stands in its files
    return not links.is_wanted(source, (page.title, document.title), document.text)


def left(known: Known, fetch: Fetch) -> Outcome:
    """A document that was read once and is not followed: nothing of it is kept, and it is not read again."""
    return Outcome(_cleared(known.page, fetch, fetch.at), fetch.at, "skipped", fetch)


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
        change = _event("removed", known.last, at, source=page.source, url=page.url, same_at=known.page.last_good)
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
        moved_to=(to := _moved_to(fetch)),
        moved_times=min(page.moved_times + 1, MOVED_CHECKS) if to and to == page.moved_to else int(bool(to)),
        etag=fetch.etag or (page.etag if fetch.not_modified else None),
        last_modified=fetch.last_modified or (page.last_modified if fetch.not_modified else None),
        since_full=page.since_full + 1 if fetch.not_modified else 0,
        raw_sha256=hashlib.sha256(fetch.body).hexdigest() if fetch.body else page.raw_sha256,
    )


def _moved_to(fetch: Fetch) -> str | None:
    """The new address of a page; the same one with https is none."""
    old, new = fetch.url.partition("://")[2], (fetch.moved_to or "").partition("://")[2]
    return fetch.moved_to if old.partition("#")[0] != new else None


def _against_last(reading: Reading, known: Known) -> Failure | None:
    """A capture that is readable but not the page we knew: never a change."""
    last, document = known.last, reading.document
    if last is None or document is None or reading.found is not None or document.file is not None:
        return None  # a file is whole, or it could not be read
    if document.replacements and not last.document.replacements:
        return Failure(
            "lossy_decode", f"{document.replacements} characters could not be decoded; the last text was clean"
        )
    if reading.sha256 == last.sha256 or reading.fingerprint in {last.fingerprint, *known.earlier_fingerprints}:
        return None
    return _lost_pages(known, last.document, document, reading.fetch.at) or capture.collapsed(last.document, document)


def _lost_pages(known: Known, old: Document, new: Document, at: datetime) -> Failure | None:
    """An article of several pages whose pager is gone has lost its end, not its text; after two days it is believed."""
    page = known.page
    if new.parts >= old.parts or len(new.text) > 0.9 * len(old.text):
        return None
    collapsed = page.failure is not None and page.failure.error == "collapsed"
    if collapsed and page.failing_since is not None and at - page.failing_since >= GONE_AFTER_ALONE:
        return None
    return Failure("collapsed", f"{max(new.parts, 1)} of {old.parts} pages of the article are left")


def _event(
    kind: ChangeKind, last: Version | None, at: datetime, *, source: str, url: str, same_at: datetime | None
) -> Change:
    return Change(
        kind=kind,
        at=at,
        source=source,
        url=url,
        title=last.document.title if last else None,
        old_version=last.id if last else None,
        release=last.release if last else None,
        same_at=same_at if last and kind != "restored" else None,
    )


def _kind(reading: Reading, known: Known, delta: Diff, source: Source) -> ChangeKind:
    if known.last is None:
        return "new"
    if known.page.removed:
        return "restored"
    if reading.fingerprint == known.last.fingerprint or delta.cosmetic:
        return "cosmetic"
    if source.attachments is not False and attached.only_names_differ(known.last.document, reading.document):
        return "cosmetic"
    if reading.fingerprint in known.earlier_fingerprints:
        return "reverted"
    return "attachment" if known.page.role == "attachment" else "content"


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
    if (read_to := told_in(document.text)) < len(document.text):
        warning = f"too many numbers: targets were read from the first {read_to} characters"
        document = replace(document, warnings=(*document.warnings, warning))
    unread = document.file is not None and not document.paragraphs  # nothing to compare: neither edits nor targets
    delta = diff(last.document.paragraphs, document.paragraphs) if last and not unread else Diff()
    kind = _kind(reading, known, delta, source)
    change = _event(kind, last, at, source=source.key, url=page.url, same_at=known.page.last_good)
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
        change = _against_release(change, document, between.Reading(about, targets), source, releases, reader)
        if change.targets and change.targets[0].relation == "copy":
            about = replace(about, stage="copy")
    elif kind != "cosmetic" and not unread:
        change = _against_state(change, last, document, between.Reading(about, targets), source, reader)
    if known.parent is not None:
        change = attached.told(change, known.page, known.parent, targets)
    weight, reasons = significance(change, delta)
    change = replace(change, significance=weight, reasons=(*reasons, *(document.warnings[:1] if unread else ())))
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
        marks=copies.marks(document.paragraphs),
    )


def told_in(text: str) -> int:
    """How much of a text is read for targets: all of it, or what stands before one number too many."""
    over = next(islice(_NUMBER.finditer(text), MOST_NUMBERS, None), None)
    return over.start() if over else len(text)


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
        """Targets and actuals of `text`, which may be a raw file around the document; of its beginning where it holds
        more numbers than any document does: three million characters of them took five minutes and 2 GB."""
        return extract(
            text[: told_in(text)], self.vocabulary, title=document.title, published=document.published, year=about.year
        )

    def targets(self, document: Document, about: Record) -> tuple[Target, ...]:
        return self.read(document.text, document, about)

    def release_targets(self, release: Release) -> tuple[Target, ...]:
        return self.read(release.text, Document(title=release.title, published=release.published), release.record)


def _against_state(
    change: Change, last: Version, document: Document, read: between.Reading, source: Source, reader: Reader
) -> Change:
    """Another state of a page: an edit of its document, or the next release put in the place of the last one."""
    about = reader.record(last.document, source)
    old = between.Reading(about, reader.targets(last.document, about))
    if not succeeds(about, last.document.text, read.record, document.text):
        return replace(change, targets=_moved(compare(old.items, read.items, relation="edit")))
    lines = between.between(old, read, relation="next_release", missing=skipped(about, read.record))
    return replace(change, compared_with=last.id, compared_release=label(about, last.release), targets=_moved(lines))


def _against_release(
    change: Change,
    document: Document,
    read: between.Reading,
    source: Source,
    releases: Sequence[Release],
    reader: Reader,
) -> Change:
    """A new document is compared with the release before it: by report year, never by fetch order."""
    before, relation, _ = release_before(read.record, releases, text=document.text, label=change.release)
    if _late(read.record, source, releases):
        change = replace(change, reasons=(LATE,))
    if before is None or not read.items:
        return change
    gone = missing(read.record, before, label=change.release) if relation == "next_release" else ()
    old = between.Reading(before.record, reader.release_targets(before))
    lines = between.between(old, read, relation=relation, missing=gone)
    return replace(
        change,
        compared_with=before.version,
        compared_release=label(before.record, before.label),
        targets=_moved(lines),
    )


def _late(about: Record, source: Source, releases: Sequence[Release]) -> bool:
    """Whether a later whole release of the series is known: this one comes out of an archive."""
    if not about.year or about.type == "newspaper":
        return False
    known = (r.record for r in releases if r.series == source.series)
    return any(r.type == about.type and r.complete and r.year and r.year > about.year for r in known)


def recompared(
    vocabulary: Vocabulary, change: Change, version: Version, source: Source, releases: Sequence[Release]
) -> Change:
    """The comparison of a document that was new, made again among the releases that are known now."""
    reader = Reader(vocabulary)
    about = reader.record(version.document, source)
    read = between.Reading(about, reader.targets(version.document, about))
    bare = replace(change, compared_with=None, compared_release=None, targets=(), reasons=())
    made = _against_release(bare, version.document, read, source, releases, reader)
    if made.compared_with == change.compared_with:
        return change
    weight, reasons = significance(made, Diff())
    return replace(made, significance=weight, reasons=reasons)


def _moved(lines: Sequence[TargetChange]) -> tuple[TargetChange, ...]:
    """What is told: all but the unchanged, whose promise is neither softer nor harder."""
    return tuple(x for x in lines if x.change != "unchanged" or {"softened", "hardened"} & set(x.flags))


def significance(change: Change, delta: Diff) -> tuple[float, tuple[str, ...]]:
    """0-1 with reasons: a target moved > a number moved > sentences added > wording > cosmetic."""
    if change.kind == "cosmetic":
        return SIGNIFICANCE["cosmetic"], ("layout or punctuation only",)
    found: list[tuple[float, str]] = []
    if LATE in change.reasons:
        return SIGNIFICANCE["passage"], (LATE, "new document")
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
    weight = min(1.0, found[0][0] + 0.02 * (len(change.targets) - 1 if change.targets else 0))
    return round(weight, 2), tuple(r for _, r in found)  # few values: the feed is asked for one after the other


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
