"""The entry of sources.yaml that would watch an address: what stands there is looked at, nothing is stored.

Key, name, region, kind, schedule and link rule are proposals; what the user gives stands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from monitor import assess, files, wire
from monitor import config as configuration
from monitor.errors import UsageError
from monitor.fetch.client import Fetcher
from monitor.model import Config, Document, Fetch, Link, Page, Source, SourceKind, Vocabulary
from monitor.sources import addresses, answers, epaper, feed, jsonlist, links, markup, pager, sitemap
from monitor.sources.families import family
from monitor.sources.kinds import KINDS, Found
from monitor.targets.record import code_of, place_of
from monitor.text.decode import decode

SHOWN = 10  # documents and paragraphs of a preview
LONGEST = 12  # characters of a name that is a column's, and gets its place in front
FEW = 3  # documents from which a page is a list, and their addresses show a rule

_REPORTS = "政府工作报告|国民经济和社会发展|统计公报|预算|规划纲要"
_OWN = re.compile(r"报告|计划|规划|公报|统计|预算|决算|数据")  # a column that holds nothing else needs no match
_EVERY: Mapping[str, str] = {"page": "1d", "listing": "6h", "feed": "1h", "sitemap": "1d"}
_ISSUES = "15 7,12 * * *"  # newspapers are out in the morning
_DAY = re.compile(r"((?:19|20)\d{2})([-_/]?)(0[1-9]|1[0-2])([-_/]?)(0[1-9]|[12]\d|3[01])(?!\d)")
_SITE_END = re.compile(r"[-_|—\s]+[^-_|—]{2,30}(?:政府|门户网站|网站|官网|信息网|委员会|局|网|报)\s*$")
_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
    ]
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`entry`: keys of a source. `documents`: what a check would follow now, `others`: what `match` leaves out."""

    entry: dict[str, Any]
    family: str | None = None
    document: Document | None = None
    documents: tuple[Link, ...] = ()
    others: int = 0
    further: int = 0  # list pages or sheets beside the first
    warnings: tuple[str, ...] = ()

    def json(self) -> wire.JSON:
        """`mubiao sources add --json`."""
        document = self.document if self.entry["kind"] == "page" else None
        return {
            "entry": self.entry,
            "family": self.family,
            "title": document.title if document else None,
            "published": document.published if document else None,
            "publisher": document.publisher if document else None,
            "paragraphs": list(document.paragraphs[:SHOWN]) if document else [],
            "documents": [{"url": x.url, "text": x.text, "date": x.date} for x in self.documents],
            "left_out": self.others,
            "further_pages": self.further,
            "warnings": list(self.warnings),
        }


@asynccontextmanager
async def fetching(config: Config) -> AsyncIterator[Fetcher]:
    """What reads pages for proposals, closed at the end."""
    fetcher = Fetcher(config.network, chromium=configuration.chromium())
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


def web_address(text: str) -> str:
    """What a person typed as an address. Raises UsageError for what is none."""
    address = text.strip()
    if re.match(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/|$)", address):
        address = f"http://{address}"
    if not re.match(r"https?://[^/\s]", address, re.IGNORECASE):
        raise UsageError(f"{text!r} is no http:// or https:// address")
    return address


async def propose(
    url: str, config: Config, vocabulary: Vocabulary, given: Mapping[str, Any], fetcher: Fetcher
) -> Proposal:
    """An entry for this address: what was `given`, the rest from what stands there.

    Raises UsageError when the page cannot be read, or is not of the kind that was given.
    """
    url, now = web_address(url), datetime.now(UTC)
    probe = replace(config.defaults, key="new", url=url, kind="page", selector=None)
    look = pager.page_address(epaper.issue_address(url, now.date()) if epaper.is_template(url) else url, 1)
    fetch = await fetcher.fetch(probe, Page(id=0, source="new", url=look, found_at=now), now)
    text = _text(fetch, config)
    kind: SourceKind = given.get("kind") or _kind(fetch, text, vocabulary, now)
    source = replace(probe, kind=kind, pages=pager.MOST_PAGES)  # how many there are, not how many to read
    page = Page(id=0, source="new", url=look, found_at=now)
    reading = await asyncio.to_thread(files.read, fetch, source, page, vocabulary.text)
    if reading.failure is not None or reading.document is None:
        why = reading.failure
        raise UsageError(f"{url}: {why.error}: {why.detail}" if why else f"{url}: nothing that can be read")
    document, found = reading.document, reading.found
    about = document if not answers.is_data(text, kind) else Document(url=url)
    entry = _entry(url, kind, about, text, config, vocabulary, given)
    if found is not None:
        entry |= _follow(entry, fetch, text, found, given, now)
    chosen, others = _chosen(entry, found)
    return Proposal(
        entry={k: v for k, v in entry.items() if v not in (None, [], "")},
        family=family(fetch.final_url or url, text),
        document=document,
        documents=chosen[:SHOWN],
        others=others,
        further=len(found.entries) if found else 0,
        warnings=_warnings(url, fetch, found, chosen),
    )


def _text(fetch: Fetch, config: Config) -> str:
    opened = answers.opened(fetch, config.defaults.max_bytes)
    return decode(opened.body, opened.content_type).text if opened.body and opened.failure is None else ""


# --------------------------------------------------------------------------- what it is


def _kind(fetch: Fetch, text: str, vocabulary: Vocabulary, now: datetime) -> SourceKind:
    """Seen from the answer: a feed or a sitemap by its root, an issue by its sheets, a list by its documents."""
    root = markup.root(text)
    if root in feed.ROOTS or (jsonlist.is_json(text) and "jsonfeed.org/version" in text[:2000]):
        return "feed"
    if root in sitemap.ROOTS or (text[:4].lower() == "http" and answers.is_data(text, "sitemap")):
        return "sitemap"
    if root == "datastore" or jsonlist.is_json(text):
        return "listing"
    url = fetch.final_url or fetch.url
    if _is_issue(url, text, now):
        return "epaper"
    reading = assess.read(
        fetch, Source(key="new", url=url), Page(id=0, source="new", url=url, found_at=now), vocabulary.text
    )
    document = reading.document
    if document is None or document.kind in ("article", "attachment", "image", "blocked", "error"):
        return "page"
    listed = KINDS["listing"].find(Source(key="new", url=url, kind="listing"), url, text, document, now)
    return "listing" if document.kind == "listing" or listed.seen >= FEW or listed.entries else "page"


def _is_issue(url: str, text: str, now: datetime) -> bool:
    """Whether this is a newspaper's sheet, or a door to one: dated sheets, and not an article among them."""
    path = urlsplit(url).path
    if epaper.ARTICLE.search(path) and not epaper.SHEET.search(path):
        return False
    found = epaper.find(Source(key="new", url=url, kind="epaper"), url, text, Document(), now)
    sheets = [x for x in found.entries if epaper.issue_day(x) and epaper.SHEET.search(urlsplit(x).path)]
    if epaper.SHEET.search(path) and epaper.issue_day(url):
        return bool(found.seen or sheets)
    return len(sheets) >= 1 and addresses.is_front(url) | ("paper" in url.lower())


# --------------------------------------------------------------------------- what it is called


def _entry(
    url: str,
    kind: SourceKind,
    document: Document,
    text: str,
    config: Config,
    vocabulary: Vocabulary,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    title = _SITE_END.sub("", document.title or "") or _feed_title(text)
    name = title if kind == "page" else document.column or title
    site = _site_name(text).replace(title or "\0", " ")  # a news item names places that are not its site's
    names = f"{site} {title}" if kind != "page" or _OWN.search(title) else site
    region = given.get("region") or region_of(document.site_code, names, vocabulary)
    place = place_of(region, vocabulary.regions)
    if place and name and len(name) <= LONGEST and not re.search("[省市区县]", name):
        name = place + name
    report = "政府工作报告" if "政府工作报告" in name else None
    every = given.get("every") or _EVERY.get(kind)
    return {
        "key": given.get("key") or key_of(url, {s.key for s in config.sources}),
        "url": url,
        "kind": kind,
        "name": given.get("name") or name or urlsplit(url).hostname,
        "region": region,
        "series": given.get("series") or report,
        "every": every,
        "cron": _ISSUES if every is None else None,
        "match": given.get("match"),
        "tags": list(given.get("tags") or ()),
    }


def _feed_title(text: str) -> str:
    head = text[:20_000] if markup.root(text) in feed.ROOTS else ""
    found = next(markup.records(re.split(r"<(?:item|entry)\b", head, maxsplit=1)[0], {"channel", "feed"}), None)
    return markup.plain(found.first("title")) if found else ""


def _site_name(text: str) -> str:
    found = re.search(
        r"<meta[^>]{0,200}name=[\"']?SiteName[\"']?[^>]{0,200}content=[\"']([^\"'>]{2,80})", text, re.IGNORECASE
    )
    title = re.search(r"<title[^>]{0,200}>([^<]{2,200})", text, re.IGNORECASE)
    return f"{found[1] if found else ''} {title[1] if title else ''}"


def region_of(site_code: str | None, names: str, vocabulary: Vocabulary) -> str | None:
    """By SiteIDCode, whose first six of ten digits are the place (ministries have letters); else by the place named.

    Trailing zeros are left out: 230100 is the whole of 2301.
    """
    code = (site_code or "").strip()
    if re.fullmatch(r"\d{10}", code) and code[:2] in _PROVINCES:
        return re.sub(r"(?:00)+$", "", code[:6])
    named = {name for name in vocabulary.regions.values() if name in names and len(name) >= 3}
    longest = {name for name in named if not any(name != other and name in other for other in named)}
    codes = {code_of(name, vocabulary.regions) for name in longest} - {None}
    deepest = [
        c for c in codes if c and not any(o != c and o.startswith(re.sub(r"(?:00)+$", "", c)) for o in codes if o)
    ]
    return re.sub(r"(?:00)+$", "", deepest[0]) if len(deepest) == 1 else None


def key_of(url: str, taken: set[str]) -> str:
    """A short name from the host and the column: hrbng-zfgzbb."""
    parts = urlsplit(url)
    labels = [x for x in (parts.hostname or "site").split(".") if x not in ("www", "gov", "com", "cn", "org", "net")]
    column = [x for x in re.split(r"[/._]", parts.path) if re.fullmatch(r"[A-Za-z][\w-]*", x)]
    words = [*(labels[:1] or ["site"]), *[x for x in column if x not in ("html", "htm", "shtml", "index", "xml")][-1:]]
    key = base = re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", "-".join(words).lower())).strip("-") or "site"
    number = 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


# --------------------------------------------------------------------------- what is followed


def _follow(
    entry: Mapping[str, Any], fetch: Fetch, text: str, found: Found, given: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The address of every issue, the pages of a list, which titles, and which addresses."""
    url, kind = fetch.final_url or fetch.url, entry["kind"]
    if kind == "epaper":
        sheet = url if epaper.issue_day(url) else next((x for x in found.entries if epaper.issue_day(x)), url)
        return {
            "url": entry["url"] if epaper.is_template(entry["url"]) else template(sheet),
            "match": given.get("match"),
        }
    if given.get("match") is not None or given.get("series"):
        match = given.get("match") or None
    else:
        match = None if _OWN.search(entry["name"] or "") or kind == "sitemap" else _REPORTS
    rule = _rule(found.documents) if kind == "listing" and text.lstrip()[:1] == "<" else None
    if rule:
        again = Source(key="new", url=url, kind="listing", links=replace(Source(key="", url="").links, include=rule))
        same = KINDS["listing"].find(again, url, text, Document(), now)
        rule = rule if {x.url for x in same.documents} == {x.url for x in found.documents} else None
    return {"match": match, "links": {"include": list(rule)} if rule else None}


def template(url: str) -> str:
    """The address of a sheet with places for its day: /202402/07/ becomes /{yyyy}{mm}/{dd}/."""
    return _DAY.sub(r"{yyyy}\2{mm}\4{dd}", url)


def _rule(documents: Sequence[Link]) -> tuple[str, ...] | None:
    """One or two forms that all addresses of a list have, numbers left open; None where they have more, or are few."""
    forms = {_form(link.url) for link in documents}
    return tuple(sorted(forms)) if len(documents) >= FEW and len(forms) <= 2 else None


def _form(url: str) -> str:
    path = addresses.path_and_query(url)
    escaped = re.sub(r"[0-9a-f]{32}", "\0", path)
    escaped = re.sub(r"\d+", "\1", escaped)
    escaped = re.escape(escaped).replace("\\\0", "\0").replace("\\\1", "\1").replace("\\-", "-").replace("\\/", "/")
    return escaped.replace("\0", "[0-9a-f]{32}").replace("\1", r"\d+") + "$"


def _chosen(entry: Mapping[str, Any], found: Found | None) -> tuple[tuple[Link, ...], int]:
    if found is None:
        return (), 0
    source = Source(key="new", url=entry["url"], kind=entry["kind"], match=entry.get("match"))
    kept = links.chosen(source, found.documents, None)
    return kept, len(found.documents) - len(kept)


def _warnings(url: str, fetch: Fetch, found: Found | None, chosen: Sequence[Link]) -> tuple[str, ...]:
    warnings = list(found.warnings) if found else []
    if fetch.redirects:
        warnings.append(f"redirected to {fetch.final_url}")
    if found is not None and found.documents and not chosen:
        warnings.append(f"none of the {len(found.documents)} documents there matches now")
    if found is not None and not found.documents and found.entries:
        warnings.append("no document on the first page; it leads on to others")
    return tuple(warnings)
