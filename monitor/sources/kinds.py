"""The kinds of sources. A new one is a file beside this one and a line here.

    entries(source, now, since=None)                      the addresses to read today
    find(source, url, html, document, now, first=None)    what a page at one of them names: Found

`since` is when the source was last read well, None: never. `first` is when it was first read, None: this is the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.model import Document, Source, SourceKind
from monitor.sources import epaper, feed, listing, page, sitemap
from monitor.sources.found import Found


class Entries(Protocol):
    """The addresses a source means today, without asking anybody."""

    def __call__(self, source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]: ...


class Find(Protocol):
    """What a page names. `url` is where it was in the end read, after redirects."""

    def __call__(
        self, source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
    ) -> Found: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of source is walked."""

    entries: Entries
    find: Find


KINDS: Mapping[SourceKind, Kind] = {
    "page": Kind(page.entries, page.find),
    "listing": Kind(listing.entries, listing.find),
    "epaper": Kind(epaper.entries, epaper.find),
    "feed": Kind(feed.entries, feed.find),
    "sitemap": Kind(sitemap.entries, sitemap.find),
}

__all__ = ["KINDS", "Entries", "Find", "Found", "Kind"]
