"""Links of a page: resolved, of the same site, with their title and the date shown beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.model import Document, Link, Source

SKIPPED_ADDRESS = re.compile(
    r"_app\.s?html?$|/(?:mobile|print|share|wap)/|[?&](?:print|share)=|"
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|zip|rar|7z|jpe?g|png|gif|bmp|svg|mp[34]|avi|wmv|flv|css|js|xml|apk|exe)$",
    re.IGNORECASE,
)
READ = 3_000_000  # characters of a page that are parsed, as many as are read for its text
ANCHORS = 8_000  # links of a page that are looked at
ADDRESS = 4_000  # characters of an address; servers refuse longer ones
TITLE = 300  # characters of a link's title that are kept
_SHOWN_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_SHORT_DATE = re.compile(r"(?<![\d-])(\d{1,2})\s*[-/月]\s*(\d{1,2})(?![\d-])")
_ADDRESS_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?:([-/_])(\d{1,2})\2(\d{1,2})|[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01]))(?!\d)"
)
_ADDRESS_MONTH = re.compile(r"/((?:19|20)\d{2})[-/]?(0[1-9]|1[0-2])/")
_TITLE_DATE = re.compile(
    r"^[\[(（]?\s*(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}\s*[\])）]?|[\[(（]?\s*(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}\s*[\])）]?$"
)
_CUT = ("…", "..", "。。")  # ends of a title that is cut short
_NO_ADDRESS = re.compile(r"#|(?:javascript|mailto|tel|data|about)\s*:", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_SECOND_LEVEL = frozenset({"gov", "com", "net", "org", "edu", "ac", "mil"})  # gov.cn is nobody's site


@dataclass(frozen=True, slots=True)
class Anchor:
    """One link of a page. `node` lets a caller look at where it stands."""

    url: str
    title: str
    node: LexborNode


def clean(text: str | None) -> str:
    """One line without leading marks of a list."""
    return _BLANKS.sub(" ", text or "").strip(" \u3000·•●▪■◆►>-|")


def calendar(year: str, month: str, day: str) -> str | None:
    """YYYY-MM-DD, or None where the calendar has no such day."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def address_date(url: str) -> str | None:
    """The day that an address names: t20240305_1, /art/2024/3/5/, /202403/05/; None where it names none."""
    found = _ADDRESS_DATE.search(urlsplit(url).path)
    return calendar(found[1], found[3] or found[5], found[4] or found[6]) if found else None


def site(host: str) -> str:
    """The part of a host name that a site shares with its subdomains; a numeric host is itself."""
    labels = host.lower().rstrip(".").split(".")
    if len(labels) < 3 or labels[-1].isdigit() or ":" in host:
        return host.lower()
    keep = 3 if labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


def same_site(one: str, other: str) -> bool:
    """Whether two addresses belong to one site: the same host, or subdomains of one domain. A port is part of a
    numeric host, because there it tells sites apart."""
    a, b = urlsplit(one), urlsplit(other)
    if (a.hostname or "") == (b.hostname or ""):
        return not (a.hostname or "").replace(".", "").isdigit() or a.netloc == b.netloc
    return site(a.hostname or "") == site(b.hostname or "")


def resolve(base: str, href: str | None) -> str | None:
    """An absolute http address without fragment, or None for anchors, scripts and what is no address."""
    wanted = (href or "").strip()
    if (
        not wanted or len(wanted) > ADDRESS or _NO_ADDRESS.match(wanted) or "{{" in wanted
    ):  # a template that a browser would have filled
        return None
    try:
        url = urldefrag(urljoin(base, wanted)).url
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return _BLANKS.sub("", url) if usable else None


def tree(html: str, document: Document) -> LexborHTMLParser | None:
    """The page parsed for its links; None where `document` says that its reader refused to parse it (too deep)."""
    if document.kind == "error" and document.warnings and not document.explain:
        return None
    return LexborHTMLParser(html[:READ])


def base_address(tree: LexborHTMLParser, url: str) -> str:
    """What relative links of the page are relative to."""
    node = tree.css_first("base[href]")
    return resolve(url, node.attributes.get("href")) or url if node else url


def anchors(tree: LexborHTMLParser, url: str) -> Iterator[Anchor]:
    """Every link of the page to its own site, in order, image maps included."""
    base = base_address(tree, url)
    for node in tree.css("a[href], area[href]")[:ANCHORS]:
        target = resolve(base, node.attributes.get("href"))
        if target and same_site(target, url) and not SKIPPED_ADDRESS.search(urlsplit(target).path):
            yield Anchor(target, title(node), node)


def title(node: LexborNode) -> str:
    """What a link is called: its text without a date, or its title attribute where the text is cut short or missing."""
    shown = clean(_TITLE_DATE.sub("", clean(node.text(deep=True))))
    named = clean(node.attributes.get("title"))
    if not shown or (shown.endswith(_CUT) and named):
        shown = named or shown
    return shown[:TITLE]


Rows = dict[int, str | None]  # `mem_id` -> text of an element, None where it holds many links: each is read once


def shown_date(node: LexborNode, url: str, rows: Rows) -> str | None:
    """The date beside a link: in its list item or table row; without a year, that of the address."""
    holder = node.parent
    for _ in range(3):
        if holder is None or holder.tag in {"ul", "ol", "table", "tbody", "body"}:
            break
        if holder.mem_id not in rows:
            rows[holder.mem_id] = None if _many_links(holder) else holder.text(deep=True, separator=" ")
        text = rows[holder.mem_id]
        if text is None:
            break
        if found := _SHOWN_DATE.search(text):
            return calendar(*found.groups())
        year = _ADDRESS_MONTH.search(url) or _ADDRESS_DATE.search(url)
        if year and (short := _SHORT_DATE.search(text.replace(node.text(deep=True), " "))):
            return calendar(year[1], *short.groups())
        if holder.tag in {"li", "tr", "dd", "dl"}:
            break
        holder = holder.parent
    return None


def _many_links(holder: LexborNode) -> bool:
    """Whether an element holds more than two links; stops at the third, as lists nest thousands deep."""
    count = 0
    for inner in holder.traverse():
        count += inner.tag == "a" and "href" in inner.attributes
        if count > 2:
            return True
    return False


def allowed(source: Source, links: Iterable[Link]) -> list[Link]:
    """Those whose address `links.include` and `links.exclude` let through."""
    include = [re.compile(p) for p in source.links.include]
    exclude = [re.compile(p) for p in source.links.exclude]
    return [
        link
        for link in links
        if (not include or any(p.search(link.url) for p in include)) and not any(p.search(link.url) for p in exclude)
    ]


def matching(source: Source, links: Iterable[Link]) -> tuple[Link, ...]:
    """Those whose title `match` is found in."""
    match = re.compile(source.match) if source.match else None
    return tuple(link for link in links if match is None or match.search(link.text))


def once(links: Iterable[Link]) -> list[Link]:
    """Each address once, where it first stood, with the longest title and the first date that any of them has."""
    kept: dict[str, Link] = {}
    for link in links:
        old = kept.get(link.url)
        text = link.text if old is None or len(link.text) > len(old.text) else old.text
        kept[link.url] = Link(link.url, text, (old.date if old else None) or link.date)
    return list(kept.values())
