"""A file as a Document: PDF, Word, sheets, OFD, saved pages - by their bytes, whatever their name says.

Reading happens in `monitor.sandbox`; this blocks, so it never runs on the event loop.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from monitor import assess, sandbox
from monitor.assess import Reading
from monitor.attached import inherited
from monitor.attachments.content import Content, RefusedError
from monitor.attachments.sniff import READABLE, sniff
from monitor.errors import DecodeError
from monitor.model import Document, Failure, Fetch, File, Known, Page, Source, TextRules
from monitor.text.clean import clean, of_lines, plain
from monitor.text.decode import decode
from monitor.text.noise import NOTHING, Learned
from monitor.text.segment import fingerprint

SCANNED = "scanned: {pages} pages of images, no text layer"

_PLAIN = re.compile(r"\.(?:txt|csv)(?:$|[?&#])", re.IGNORECASE)
_OFFICE_PAGE = re.compile(rb"urn:schemas-microsoft-com:office|<meta[^>]{0,80}(?:Microsoft|Kingsoft|WPS)", re.IGNORECASE)


def is_file(body: bytes) -> bool:
    """Whether these bytes are a file that has a reader."""
    return sniff(body) in READABLE


def document(body: bytes, url: str | None, rules: TextRules) -> Document:
    """The document in a file. Raises RefusedError for what cannot be read."""
    return _document(sandbox.read(body), body, url, rules)


def _document(content: Content, body: bytes, url: str | None, rules: TextRules) -> Document:
    about = File(content.type, hashlib.sha256(body).hexdigest(), len(body), content.pages)
    if content.page is not None:
        decoded = decode(content.page, f"text/html; charset={content.charset}" if content.charset else None)
        found = clean(decoded.text, url or content.url, rules)
        found = replace(found, encoding=decoded.encoding, replacements=decoded.replacements)
    else:
        found = of_lines(content.lines, url, rules)
    warnings = [*found.warnings, *content.warnings]
    if content.scanned:
        found = replace(found, kind="image")
        warnings.append(SCANNED.format(pages=content.pages))
    size = f"{about.type}, {about.size} bytes" + (f", {about.pages} pages" if about.pages else "")
    return replace(found, file=about, warnings=tuple(warnings), explain=(f"file: {size}", *found.explain))


def _unread(refused: RefusedError, body: bytes, url: str | None) -> Document:
    """A file that is whole and says nothing to us: kept by its hash, so that another one is noticed."""
    kind = sniff(body) or "other"
    about = File(kind, hashlib.sha256(body).hexdigest(), len(body))
    return Document(url=url, kind="image" if kind == "image" else "other", file=about, warnings=(str(refused),))


# --------------------------------------------------------------------------- of a fetch


def read(fetch: Fetch, source: Source, page: Page, rules: TextRules, learned: Learned = NOTHING) -> Reading:
    """Bytes to Document, judged, as `assess.read` does it for web pages: blocks while a file is read."""
    listed = page.role == "entry" and source.kind != "page"
    whole = fetch.failure is None and (fetch.status or 200) < 300 and not listed
    if whole and (is_file(fetch.body) or (page.role == "attachment" and sniff(fetch.body) is not None)):
        return _read_file(fetch, rules)
    if page.role == "attachment" and whole and _PLAIN.search(page.url) and fetch.body.lstrip()[:1] != b"<":
        return _reading(fetch, _plain(fetch, rules))
    reading = assess.read(fetch, source, page, rules, learned)
    if page.role == "attachment" and reading.failure is None:
        return _page_for_file(reading)
    return reading


def _read_file(fetch: Fetch, rules: TextRules) -> Reading:
    url = fetch.final_url or fetch.url
    try:
        found = document(fetch.body, url, rules)
    except RefusedError as refused:
        if refused.word == "damaged":  # perhaps only on its way: the next check asks for it whole
            return Reading(fetch, failure=Failure("truncated", f"damaged file: {refused}", fetch.status))
        found = _unread(refused, fetch.body, url)
    return _reading(fetch, found)


def _reading(fetch: Fetch, found: Document) -> Reading:
    return Reading(fetch, document=found, sha256=assess.text_sha256(found))


def _plain(fetch: Fetch, rules: TextRules) -> Document:
    decoded = decode(fetch.body, fetch.content_type)
    about = File("txt", hashlib.sha256(fetch.body).hexdigest(), len(fetch.body))
    found = plain(decoded.text, fetch.final_url or fetch.url, rules)
    return replace(found, file=about, encoding=decoded.encoding, replacements=decoded.replacements)


def _page_for_file(reading: Reading) -> Reading:
    """A web page where a file was named: Word's own, under the name of .doc, or a notice of the site."""
    body, found = reading.fetch.body, reading.document
    if found is None or not _OFFICE_PAGE.search(body[:8192]):
        why = Failure("wrong_document", "a web page where a file was named", reading.fetch.status)
        return replace(reading, failure=why)
    about = File("html", hashlib.sha256(body).hexdigest(), len(body))
    return replace(reading, document=replace(found, file=about))


def again(known: Known, body: bytes, source: Source, rules: TextRules) -> Known:
    """The last version of a file as today's readers read its kept bytes, so that a better reader is no change.

    Where nothing can be read from it today, the stored text stands.
    """
    last = known.last
    if last is None or not is_file(body):
        return known
    try:
        found = document(body, last.document.url, rules)
    except DecodeError:
        return known
    if not found.paragraphs:
        return known
    if known.parent is not None:
        found = inherited(found, known.parent, known.page.label, source)
    sha, mark = assess.text_sha256(found), fingerprint(found.paragraphs)
    return replace(known, last=replace(last, document=found, sha256=sha, fingerprint=mark))
