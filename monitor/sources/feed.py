"""A feed is RSS (0.9x, 1.0, 2.0), Atom or JSON Feed: a short list of what is new, with title and time.

Feeds of small newspapers are broken XML more often than not, so they are read by markup.py and not by a strict parser.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from monitor.model import Document, Link, Source
from monitor.sources import jsonlist, links, markup
from monitor.sources.found import Found, found

ROOTS = frozenset({"rss", "feed", "rdf:rdf", "rdf", "channel", "atom:feed"})
ITEMS = frozenset({"item", "entry", "atom:entry"})
_HEADS = frozenset({"feed", "channel", "atom:feed"})
_DATES = ("pubdate", "published", "dc:date", "date", "issued", "updated", "atom:updated", "modified", "lastbuilddate")


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """The feed's address."""
    return (source.url,)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """The items of a feed; a feed without any is still one. From a page that is none: nothing."""
    if jsonlist.is_json(html):
        read = jsonlist.read(source, url, html)
        listed, further, sound = list(read.documents), [], "items" in html[:100_000]
    else:
        sound = markup.root(html) in ROOTS
        listed = [link for item in markup.records(html, ITEMS) if (link := _link(source, url, item))] if sound else []
        further = _next(url, html) if sound and source.pages > 1 else []
    kept = links.chosen(source, links.allowed(source, links.once(listed)), first or now)
    return found(kept, further, seen=len(listed), sound=sound)


def _link(source: Source, url: str, item: markup.Record) -> Link | None:
    """An item's document: Atom's alternate link, RSS's link, or a guid that is an address."""
    named = [v for v in item.values if v.name in ("link", "atom:link")]
    address = next(
        (v.attributes.get("href") for v in named if v.attributes.get("rel", "alternate") == "alternate"), None
    )
    address = address or item.first("link") or next((v.text for v in item.values if v.name == "guid"), "")
    if not address.strip():
        return None
    target = links.resolve(url, markup.plain(address))
    if target is None or (":" not in address and "/" not in address):
        return None
    return Link(
        target, markup.plain(item.first("title", "atom:title"))[: links.TITLE], day(item.first(*_DATES), source)
    )


def _next(url: str, text: str) -> list[str]:
    """RFC 5005: the page that holds older items."""
    head = next(markup.records(re.split(r"<(?:\w+:)?(?:item|entry)\b", text, maxsplit=1)[0], _HEADS), None)
    values = head.values if head else []
    wanted = (v.attributes.get("href") for v in values if v.attributes.get("rel") in ("next", "prev-archive"))
    return [target for href in wanted if (target := links.resolve(url, href))][:1]


def day(text: str, source: Source) -> str | None:
    """The day at the source's place: RFC 822, ISO 8601 or as people write it; None where there is no telling."""
    text = text.strip()[:60]
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return links.written_day(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(source.timezone))
    shown: date = moment.date()
    return shown.isoformat()
