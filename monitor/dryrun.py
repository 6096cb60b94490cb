"""A look at one address that stores nothing: what would a check see, and which entry would watch it?"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from monitor import assess, files, schedule, wire
from monitor import config as configuration
from monitor.errors import UsageError
from monitor.fetch import lists, parts
from monitor.fetch.client import Fetcher, host_key
from monitor.fetch.robots import Rules
from monitor.i18n import say
from monitor.i18n.dryrun import TEXTS
from monitor.model import Config, Fetch, Page, Source, Vocabulary
from monitor.sources.kinds import KINDS, Found

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


@dataclass(frozen=True, slots=True)
class _Look:
    """One address as a check would see it; `robots` are the rules of its host, None where nobody asked for them."""

    source: Source
    reading: assess.Reading
    robots: Rules | None
    token: str


async def _look(source: Source, config: Config, vocabulary: Vocabulary, now: datetime) -> _Look:
    """The first address of a source, fetched and read."""
    url = next(iter(KINDS[source.kind].entries(source, now, None)), source.url)
    page = Page(id=0, source=source.key, url=url, found_at=now)
    fetcher = Fetcher(config.network, chromium=configuration.chromium())
    try:
        reading = await _read(fetcher, source, page, vocabulary, now)
    finally:
        await fetcher.aclose()
    last = (reading.fetch.redirects or (url,))[-1]
    return _Look(
        source, reading, fetcher.robots.known(host_key(last)) if _has_host(last) else None, fetcher.robots.token
    )


async def _read(fetcher: Fetcher, source: Source, page: Page, vocabulary: Vocabulary, now: datetime) -> assess.Reading:
    """A document with all its pages, or a list with all of its: what it names together."""

    async def read(fetch: Fetch) -> assess.Reading:
        return await asyncio.to_thread(files.read, fetch, source, page, vocabulary.text)

    if source.kind == "page":
        first = await read(await fetcher.fetch(source, page, now))
        return await parts.whole(fetcher, source, page, first, read, lambda: now)
    walked = await lists.walk(fetcher, source, page, read, lambda: now)
    if walked.trouble is not None:
        return assess.Reading(walked.trouble[0], failure=walked.trouble[1])
    if walked.first is None:  # no issue today
        return assess.Reading(Fetch(page.url, now), found=Found())
    found = Found(tuple(walked.documents.values()), seen=len(walked.documents), warnings=tuple(walked.warnings))
    return replace(walked.first, found=found)


def _has_host(url: str) -> bool:
    try:
        return bool(host_key(url))
    except httpx.InvalidURL:
        return False


async def run(what: str, config: Config, vocabulary: Vocabulary, lang: str = "en") -> wire.JSON:
    """`mubiao sources test`: everything one check would find, and when the next would be due."""
    now = datetime.now(UTC)
    source = _source(what, config)
    look = await _look(source, config, vocabulary, now)
    report = _about_fetch(look, lang) | _about_reading(look.reading, source, vocabulary, lang)
    page = Page(id=0, source=source.key, url=source.url, found_at=now)
    failure = look.reading.failure
    report["next_due"] = wire.time(schedule.next_due(source, page, now, failure=failure))
    if failure is not None:
        report["error"] = f"{failure.error}: {failure.detail}"
        unasked = failure.error == "empty" and failure.status == 304
        report["fix"] = say(TEXTS, "fix.304" if unasked else f"fix.{failure.error}", lang)
    return report


def _about_fetch(look: _Look, lang: str) -> wire.JSON:
    fetch, source = look.reading.fetch, look.source
    ways = " → ".join((fetch.url, *fetch.redirects)) if fetch.redirects else fetch.url
    got = f"HTTP {fetch.status}" if fetch.status else say(TEXTS, "fetched.none", lang)
    report: wire.JSON = {
        "source": source.key,
        "fetched": f"{ways}  {got}  {len(fetch.body)} B",
        "timing": say(TEXTS, "timing", lang, ms=f"{1000 * fetch.elapsed:.0f}"),
        "robots": _about_robots(look, lang),
    }
    warnings = [say(TEXTS, "tls.insecure", lang)] if source.tls == "insecure" else []
    if source.proxy:
        warnings.append(say(TEXTS, "proxy", lang, proxy=httpx.URL(source.proxy).host))
    return report | ({"connection": warnings} if warnings else {})


def _about_robots(look: _Look, lang: str) -> str:
    """What robots.txt says about the address that was read last."""
    rules, fetch = look.robots, look.reading.fetch
    if not look.source.respect_robots:
        return say(TEXTS, "robots.off", lang)
    if rules is None:
        return say(TEXTS, "robots.unread", lang)
    if rules.refusal:
        return say(TEXTS, "robots.refused", lang, why=rules.refusal)
    if not rules.allows((fetch.redirects or (fetch.url,))[-1], look.token):
        return say(TEXTS, "robots.refused", lang, why=say(TEXTS, "robots.path", lang))
    delay = rules.crawl_delay(look.token)
    told = say(TEXTS, "robots.none" if rules.parsed is None else "robots.allowed", lang)
    return told + (say(TEXTS, "robots.delay", lang, seconds=f"{delay:g}") if delay else "")


def _about_reading(reading: assess.Reading, source: Source, vocabulary: Vocabulary, lang: str) -> wire.JSON:
    report: wire.JSON = {}
    if reading.decoded is not None:
        read = reading.decoded
        why = say(TEXTS, f"how.{read.how}", lang)
        report |= {
            "decoded": say(TEXTS, "decoded", lang, encoding=read.encoding, why=why, lost=read.replacements),
            "encoding": read.encoding,
            "encoding_from": read.how,
            "replacements": read.replacements,
        }
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
