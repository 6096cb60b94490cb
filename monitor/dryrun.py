"""A look at one address that stores nothing: what would a check see, and which entry would watch it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from monitor import assess, schedule, wire
from monitor import config as configuration
from monitor.errors import UsageError
from monitor.fetch.client import Fetcher
from monitor.model import Config, Fetch, Page, Source, Vocabulary
from monitor.sources.kinds import KINDS
from monitor.targets.record import place_of

SHOWN = 10  # links of a list that a dry run prints


def _source(what: str, config: Config) -> Source:
    """A configured source by its key, or an address read with the defaults."""
    known = config.source(what)
    if known is not None:
        return known
    if re.match(r"https?://", what):
        known = next((s for s in config.sources if s.url == what), None)
        return known or replace(config.defaults, key="dry-run", url=what)
    raise UsageError(f"no source {what!r} in {config.path}, and it is no http:// or https:// address")


async def _look(source: Source, config: Config, vocabulary: Vocabulary, now: datetime) -> assess.Reading:
    """The first address of a source, fetched and read."""
    url = next(iter(KINDS[source.kind].entries(source, now, None)), source.url)
    page = Page(id=0, source=source.key, url=url, found_at=now)
    fetcher = Fetcher(config.network, chromium=configuration.chromium())
    try:
        fetch = await fetcher.fetch(source, page, now)
    finally:
        await fetcher.aclose()
    return assess.read(fetch, source, page, vocabulary.text)


async def run(what: str, config: Config, vocabulary: Vocabulary) -> wire.JSON:
    """`mubiao sources test`: everything one check would find, and when the next would be due."""
    now = datetime.now(UTC)
    source = _source(what, config)
    reading = await _look(source, config, vocabulary, now)
    report = _about_fetch(reading.fetch, source) | _about_reading(reading, source, vocabulary)
    page = Page(id=0, source=source.key, url=source.url, found_at=now)
    report["next_due"] = wire.time(schedule.next_due(source, page, now, failure=reading.failure))
    if reading.failure is not None:
        report["error"] = f"{reading.failure.error}: {reading.failure.detail}"
    return report


def _about_fetch(fetch: Fetch, source: Source) -> wire.JSON:
    ways = " → ".join((fetch.url, *fetch.redirects)) if fetch.redirects else fetch.url
    return {
        "source": source.key,
        "fetched": f"{ways}  HTTP {fetch.status}  {len(fetch.body)} B",
        "timing": f"{1000 * fetch.elapsed:.0f} ms",
        "robots": "respected" if source.respect_robots else "ignored by respect_robots: false",
    }


def _about_reading(reading: assess.Reading, source: Source, vocabulary: Vocabulary) -> wire.JSON:
    report: wire.JSON = {}
    if reading.decoded is not None:
        report["decoded"] = f"{reading.decoded.encoding} ({reading.decoded.how}), {reading.decoded.replacements} lost"
    document = reading.document
    if document is None:
        return report
    report |= {
        "kind": document.kind,
        "title": document.title,
        "published": document.published,
        "publisher": document.publisher,
        "explain": list(document.explain),
        "warnings": list(document.warnings),
    }
    if reading.found is not None:
        report["warnings"] = [*document.warnings, *reading.found.warnings]
        report["documents"] = [f"{x.date or ''} {x.text} {x.url}".strip() for x in reading.found.documents[:SHOWN]]
        return report
    if reading.failure is None:
        reader = assess.Reader(vocabulary)
        about = reader.record(document, source)
        items = reader.targets(document, about)
        promises = sum(t.role == "target" for t in items)
        report["record"] = f"{about.type} {about.place or ''} {source.release or about.label or '?'}".replace("  ", " ")
        report["targets"] = f"{promises} targets, {len(items) - promises} results"
        report["paragraphs"] = list(document.paragraphs)
    return report


# --------------------------------------------------------------------------- proposing an entry


async def propose(url: str, config: Config, vocabulary: Vocabulary, given: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of sources.yaml for this address: what was given, the rest from what stands there.

    Raises UsageError when the page cannot be read.
    """
    if not re.match(r"https?://", url):
        raise UsageError(f"{url!r} is no http:// or https:// address")
    now = datetime.now(UTC)
    followed = given.get("kind") not in (None, "page")
    probe = replace(config.defaults, key="new", url=url, kind=given.get("kind") or config.defaults.kind)
    reading = await _look(probe, config, vocabulary, now)
    document = reading.document
    unread = followed or document is None or document.kind != "listing"  # a list read as a page is proposed as a list
    if unread and reading.failure is not None:
        raise UsageError(f"{url}: {reading.failure.error}: {reading.failure.detail}")
    assert document is not None
    kind = given.get("kind") or ("listing" if document.kind == "listing" else "page")
    region = given.get("region") or _region(document.site_code, vocabulary)
    entry: dict[str, Any] = {
        "key": given.get("key") or _key(url, {s.key for s in config.sources}),
        "url": url,
        "kind": kind,
        "name": given.get("name") or document.title or urlsplit(url).hostname,
        "region": region,
        "series": given.get("series"),
        "every": given.get("every") or ("6h" if kind == "listing" else "1d"),
        "match": "政府工作报告" if kind == "listing" and not given.get("series") else None,
        "tags": list(given.get("tags") or ()),
    }
    return {k: v for k, v in entry.items() if v not in (None, [], "")}


def _region(site_code: str | None, vocabulary: Vocabulary) -> str | None:
    """SiteIDCode begins with the six digits of the place."""
    code = (site_code or "")[:6]
    return code if code.isdigit() and place_of(code, vocabulary.regions) else None


def _key(url: str, taken: set[str]) -> str:
    """A short name from the host and the column: hrbng-zfgzbb."""
    parts = urlsplit(url)
    labels = [x for x in (parts.hostname or "site").split(".") if x not in ("www", "gov", "com", "cn", "org", "net")]
    column = [x for x in re.split(r"[/._]", parts.path) if re.fullmatch(r"[A-Za-z][\w-]*", x)]
    words = [*(labels[:1] or ["site"]), *[x for x in column if x not in ("html", "htm", "shtml", "index")][-1:]]
    key = base = re.sub(r"[^a-z0-9-]", "-", "-".join(words).lower())
    number = 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key
