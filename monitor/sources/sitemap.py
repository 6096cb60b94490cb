"""A sitemap (sitemaps.org) names the addresses of a site, with the day of their last change: XML, an index, or lines.

It has no titles (news sitemaps do), so `match` is decided when a document was read. Addresses of columns and front
pages stand among those of documents; without `links.include` only those that look like a document's are followed.
"""

from __future__ import annotations

from datetime import datetime

from monitor.model import Document, Link, Source
from monitor.sources import addresses, feed, links, markup
from monitor.sources.found import Found, found

ROOTS = frozenset({"urlset", "sitemapindex"})


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """The sitemap's address."""
    return (source.url,)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """The documents of a sitemap, last changed first, or the sitemaps of an index."""
    name = markup.root(html)
    if name in feed.ROOTS:  # the protocol allows RSS and Atom too
        return feed.find(source, url, html, document, now, first)
    if name == "sitemapindex":
        children = links.chosen(source, _links(source, url, html, "sitemap"), first or now, titles=False)
        return found((), [link.url for link in _newest(children)], seen=0, sound=True)
    listed = _links(source, url, html, "url") if name == "urlset" else _lines(url, html)
    listed = links.allowed(source, listed)
    if not source.links.include:
        strong = [link for link in listed if addresses.is_article(link.url)]
        listed = strong or [link for link in listed if addresses.is_plain(link.url)]
    kept = links.chosen(source, _newest(listed), first or now)
    return found(kept, (), seen=len(listed), sound=name == "urlset")


def _links(source: Source, url: str, text: str, name: str) -> list[Link]:
    listed = []
    for record in markup.records(text, {name}):
        target = links.resolve(url, markup.plain(record.first("loc")))
        if target is None or not links.same_site(target, url) or (name == "url" and links.is_skipped(target)):
            continue
        shown = record.first("news:publication_date", "lastmod")
        title = markup.plain(record.first("news:title"))[: links.TITLE]
        listed.append(Link(target, title, feed.day(shown, source) if shown else None))
    return links.once(listed)


def _lines(url: str, text: str) -> list[Link]:
    """A plain text sitemap: one address a line, and nothing else."""
    lines = [line for line in text[: links.READ].split() if line]
    if not lines or any(not line.startswith(("http://", "https://")) for line in lines[:5]):
        return []
    named = (links.resolve(url, line) for line in lines[: markup.MOST_RECORDS])
    return links.once(Link(t, "", None) for t in named if t and links.same_site(t, url) and not links.is_skipped(t))


def _newest(listed: list[Link] | tuple[Link, ...]) -> list[Link]:
    return sorted(listed, key=lambda link: link.date or "", reverse=True)
