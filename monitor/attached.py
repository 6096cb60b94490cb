"""Attachments of a page: which are followed, which is which after the page changed, what one inherits. Pure.

An attachment is a page of its own (role `attachment`) with its own versions, under the page that names it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rapidfuzz.distance import Indel

from monitor.model import FILE_TYPES, Attachment, Change, Document, Following, Page, Parent, Source, Target
from monitor.targets.record import record
from monitor.text.segment import normalise

MOST = 30  # attachments of one page that are followed
ALIKE = 0.75  # similarity of two names from which one may be the other's new edition

_ENDING = re.compile(r"\.[A-Za-z]{2,5}$")
_EDITION = re.compile(
    r"[（(\[【]?(?:最新|修订|更正|更新|修改|定稿|终稿|公开|正式|最终)(?:版|稿|后)?[)）\]】]?|[（(]\d[)）]$"
)
_NUMBERS = re.compile(r"\d+|[一二三四五六七八九十]+(?=季|月|批|号|年)")
_VAGUE = re.compile(
    r"(?:附件|附表|附)?\s*[\d一二三四五六七八九十]*\s*[:：.、]?\s*(?:(?:点击|文件|附件)*(?:下载|查看|打开|预览|附件))?"
)


def wanted(source: Source, document: Document) -> tuple[Attachment, ...]:
    """The attachments of a page to follow: what the source's `attachments` and `match` let through, each once.

    The sheets of a newspaper offer each page as PDF too: those are followed where there is no text beside them.
    """
    if source.attachments is False or document.file is not None:
        return ()
    if source.kind == "epaper" and document.kind != "attachment" and source.attachments is True:
        return ()
    types = frozenset(source.attachments) if isinstance(source.attachments, tuple) else frozenset(FILE_TYPES)
    match = re.compile(source.match) if source.match else None
    whole = match is None or document.kind == "attachment" or match.search(document.title or "") is not None
    found: dict[str, Attachment] = {}
    for one in document.attachments:
        if one.type in types and (whole or (match is not None and match.search(one.name))):
            found.setdefault(one.url, one)
    return tuple(found.values())[:MOST]


def mark(attachments: Iterable[Attachment]) -> str:
    """What tells one set of attachments from another: a page with the same mark needs no look at what is stored."""
    text = "\n".join(sorted(f"{one.url} {one.name}" for one in attachments))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def follow(source: Source, attachments: Sequence[Attachment], known: Sequence[Page]) -> Following:
    """What to do about the pages of a document's attachments: new ones, and those at a new address.

    One that is no longer named is still read: whether it is gone, its own address says. One that vanished and one that
    came under the same name are the same attachment in a new edition; where one of each is left, a similar name with
    the same numbers will do.
    """
    if source.attachments is False:
        return Following(mark(()), retired=tuple(page.id for page in known))
    named = {one.url for one in attachments}
    read = [page for page in known if page.next_due is not None]
    gone = [page for page in read if page.url not in named]
    at_hand = {page.url for page in read}
    fresh = [one for one in attachments if one.url not in at_hand]
    moved: list[tuple[int, Attachment]] = []
    for page, one in _pairs(gone, fresh):
        moved.append((page.id, one))
        gone.remove(page)
        fresh.remove(one)
    return Following(mark(attachments), tuple(fresh), tuple(moved))


def _pairs(gone: Sequence[Page], fresh: Sequence[Attachment]) -> list[tuple[Page, Attachment]]:
    before = Counter(_name(page.label) for page in gone)
    after = Counter(_name(one.name) for one in fresh)
    found = [
        (page, one)
        for page in gone
        for one in fresh
        if (name := _name(page.label)) and name == _name(one.name) and before[name] == after[name] == 1
    ]
    if not found and len(gone) == len(fresh) == 1 and _similar(gone[0].label or "", fresh[0].name):
        return [(gone[0], fresh[0])]
    return found


def _name(label: str | None) -> str:
    """A link's text without what an edition adds to it."""
    return normalise(_EDITION.sub("", _ENDING.sub("", label or "")))


def _similar(one: str, other: str) -> bool:
    a, b = _name(one), _name(other)
    return _NUMBERS.findall(a) == _NUMBERS.findall(b) and Indel.normalized_similarity(a, b) >= ALIKE


def only_names_differ(old: Document, new: Document | None) -> bool:
    """Whether a page says the same but for the names of its files, and names no fewer: the files tell what is new."""
    if new is None or not new.attachments or len(new.attachments) < len(old.attachments):
        return False
    return _without_names(old) == _without_names(new)


def _without_names(document: Document) -> list[str]:
    names = sorted((normalise(one.name) for one in document.attachments), key=len, reverse=True)
    kept = []
    for paragraph in document.paragraphs:
        line = normalise(paragraph)
        for name in filter(None, names):
            line = line.replace(name, "")
        if line and not _VAGUE.fullmatch(line):
            kept.append(line)
    return kept


def inherited(document: Document, parent: Parent, label: str | None, source: Source) -> Document:
    """An attachment with what it does not say of itself: the page's date and publisher, and the better title.

    Its own title is kept where it names a report, a plan or a year, or where the page's names none.
    """
    own = document.title
    name = _ENDING.sub("", label or "").strip()
    titles = [t for t in (own, name if name and not _VAGUE.fullmatch(name) else None, parent.title) if t]
    best = max(titles, key=lambda t: _weight(t, document, source), default=None)
    return replace(
        document,
        title=best or name or None,
        published=document.published or parent.published,
        publisher=document.publisher or parent.publisher,
    )


def told(change: Change, page: Page, parent: Parent, items: Sequence[Target]) -> Change:
    """A change of an attachment that names its page.

    One that came with its page is told by itself only where it brings numbers: the page was told a moment ago.
    """
    with_page = page.found_at is not None and page.found_at == parent.since
    quiet = change.baseline or (change.kind == "new" and with_page and not items)
    return replace(change, parent=parent.url, attachment=page.label, baseline=quiet)


def _weight(title: str, document: Document, source: Source) -> int:
    """How much a title says of what a document is."""
    about = record(title, document.text[:600], published=document.published, series=source.series)
    return 2 * (about.type != "other") + (about.year is not None)
