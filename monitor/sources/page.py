"""A page is one address with one document, and leads nowhere."""

from __future__ import annotations

from datetime import datetime

from monitor.model import Document, Source
from monitor.sources.found import Found


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """The address itself."""
    return (source.url,)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """Nothing: what stands on the page is the document."""
    return Found()
