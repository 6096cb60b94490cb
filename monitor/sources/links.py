"""Links of a page: resolved, of the same site, with their title and the date shown beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.model import Document, Link, Page, Source

SKIPPED_ADDRESS = re.compile(
    r"_app\.s?html?$|/(?:mobile|print|share|wap)/|[?&](?:print|share)=|"
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|zip|rar|7z|jpe?g|png|gif|bmp|svg|mp[34]|avi|wmv|flv|css|js|xml|apk|exe)$",
    re.IGNORECASE,
)
_SKIPPED_FOLDER = re.compile(r"/(?:mobile|wap)/", re.IGNORECASE)  # who watches a page there means its links
READ = 3_000_000  # characters of a page that are parsed, as many as are read for its text
ANCHORS = 8_000  # links of a page that are looked at
ADDRESS = 4_000  # characters of an address; servers refuse longer ones
TITLE = 300  # characters of a link's title that are kept
ROW_LINKS = 8  # links of one row: picture, title, "more", all to one place
ROW_NODES = 400  # elements and texts of one row

_SHOWN_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_PUBLISHED = re.compile(r"(?:发布|公开|发文)(?:日期|时间)\s*[:：]?\s*" + _SHOWN_DATE.pattern.removeprefix(r"(?<!\d)"))
_SHORT_DATE = re.compile(r"(?<![\d-])(\d{1,2})\s*[-/月]\s*(\d{1,2})(?![\d-])")
_TWO_DIGITS = re.compile(r"(?<![\d-])(\d{2})-(\d{2})-(\d{2})(?![\d-])")
# a day in pieces, as cards show it: 08 2026-01, 2026.01 08, 01-08 2026
_MONTH_AND_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})月?\s+(\d{1,2})日?(?![\d.:/-])"
    r"|(?<![\d.:/-])(\d{1,2})日?\s+((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})月?(?![\d./-])"
    r"|(?<![\d.:/-])(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?\s+((?:19|20)\d{2})年?(?![\d./-])"
    r"|(?<!\d)((?:19|20)\d{2})年?\s+(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?(?![\d.:/-])"
)
_ADDRESS_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?:([-/_])(\d{1,2})\2(\d{1,2})|[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01]))(?!\d)"
)
_ADDRESS_MONTH = re.compile(r"/((?:19|20)\d{2})[-/]?(0[1-9]|1[0-2])/")
_TITLE_DATE = re.compile(
    r"^[\[(（]?\s*(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}\s*[\])）]?|[\[(（]?\s*(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}\s*[\])）]?$"
)
_CUT = ("…", "..", "。。")  # ends of a title that is cut short
_NO_ADDRESS = re.compile(r"#|(?:javascript|mailto|tel|data|about|weixin|file|ftp)\s*:", re.IGNORECASE)
# scripts that open a page: openwin('a.html'), window.open("a.html"), location.href='a.html'; not those that do more
_CALL = re.compile(r"([\w.$]{0,80})\s*[(=]\s*[\"']([^\"'\s<>]{2,2000})[\"']")
_OTHER_CALL = re.compile(
    r"fav|home|share|print|copy|login|search|submit|bookmark|lang|alert|confirm|setTab", re.IGNORECASE
)
_PAGE = re.compile(r"\.(?:s?html?|jsp|aspx?|php|do)(?:$|[?#;])|^(?:https?:)?//|^\.{0,2}/[\w/.?=&%-]*\d")
_SESSION = re.compile(r";jsessionid=[^?#/]*", re.IGNORECASE)
_TRACKING = re.compile(
    r"^(?:utm_\w+|spm|from|isappinstalled|share_?\w*|jsessionid|phpsessid|aspsessionid\w*|sessionid|tdsourcetag|scm)=",
    re.IGNORECASE,
)
_SHARED_FROM = frozenset(
    {"timeline", "singlemessage", "groupmessage", "weixin", "wechat", "share", "qq", "weibo", "app"}
)
_MARK = re.compile(r"^[\[【(（]\s*(?:置顶|最新|推荐|热点?|头条|new|hot|图文?|组图|视频)\s*[\])】）]\s*", re.IGNORECASE)
_NO_TITLE = re.compile(
    r"\W*(?:点击)?(?:查看|阅读|浏览)?(?:更多|详细|详情|全文|原文|正文|内容|信息|进入|下载|more|details?)+\W*",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"\s+")
_BLOCKS = "p, div, dt, dd"
_SMALL = "div, p, span, td, dt, em, i, b, strong, font, small, h5, h6"  # what may hold nothing but a day
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


def written_day(text: str) -> str | None:
    """The first day a text names in figures, in one piece or in two; None where it names none."""
    if found := _SHOWN_DATE.search(text):
        return calendar(*found.groups())
    if found := _MONTH_AND_DAY.search(text):
        parts = [part for part in found.groups() if part]
        year = next(n for n, part in enumerate(parts) if len(part) == 4)
        month, day = {0: (1, 2), 1: (2, 0), 2: (0, 1)}[year]
        return calendar(parts[year], parts[month], parts[day])
    if (found := _TWO_DIGITS.search(text)) and int(found[1]) < 70:
        return calendar("20" + found[1], found[2], found[3])
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
    return canonical(_BLANKS.sub("", url)) if usable else None


def canonical(url: str) -> str:
    """The address without what differs from visitor to visitor: a session, where a reader came from, the usual port."""
    plain = _SESSION.sub("", url) if ";" in url else url
    parts = urlsplit(plain)
    netloc = parts.netloc
    if (parts.scheme, parts.port) in {("http", 80), ("https", 443)}:
        netloc = netloc.rpartition(":")[0]
    query = parts.query
    if query:
        query = "&".join(pair for pair in query.split("&") if not _is_tracking(pair))
    if (netloc, query) == (parts.netloc, parts.query):
        return plain
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _is_tracking(pair: str) -> bool:
    if not _TRACKING.match(pair):
        return False
    name, _, value = pair.partition("=")
    return name.lower() != "from" or value.lower() in _SHARED_FROM


def scripted(*pieces: str | None) -> str | None:
    """The address that a script in `href` or `onclick` opens; None for scripts that do something else."""
    for piece in pieces:
        for call, address in _CALL.findall((piece or "")[:4000]):
            if not _OTHER_CALL.search(call) and _PAGE.search(address):
                return str(address)
    return None


def is_skipped(url: str) -> bool:
    """Whether an address is a file, or a copy for printing, sharing or a telephone."""
    return SKIPPED_ADDRESS.search(urlsplit(url).path) is not None


def tree(html: str, document: Document) -> LexborHTMLParser | None:
    """The page parsed for its links; None where `document` says that its reader refused to parse it (too deep)."""
    if document.kind == "error" and document.warnings and not document.explain:
        return None
    return LexborHTMLParser(html[:READ])


def base_address(tree: LexborHTMLParser, url: str) -> str:
    """What relative links of the page are relative to."""
    node = tree.css_first("base[href]")
    return resolve(url, node.attributes.get("href")) or url if node else url


def anchors(tree: LexborHTMLParser, url: str, *, anywhere: bool = False) -> Iterator[Anchor]:
    """Every link of the page to its own site (or to any), in order, image maps and simple scripts included."""
    base, in_skipped = base_address(tree, url), _SKIPPED_FOLDER.search(urlsplit(url).path) is not None
    for node in tree.css("a, area, li[onclick], div[onclick], tr[onclick]")[:ANCHORS]:
        href = node.attributes.get("href")
        target = resolve(base, href)
        if target is None and (script := scripted(href, node.attributes.get("onclick"))):
            target = resolve(base, script)
        if (
            target
            and (anywhere or same_site(target, url))
            and not is_skipped(_SKIPPED_FOLDER.sub("/", target) if in_skipped else target)
        ):
            yield Anchor(target, title(node), node)


def title(node: LexborNode) -> str:
    """What a link is called: its heading or its text, without a date; its title attribute where that is cut."""
    shown = clean(_MARK.sub("", clean(_TITLE_DATE.sub("", clean(_heading(node))))))
    named = clean((node.attributes.get("title") or "").strip().split("\n")[0]).removeprefix("标题：")
    if not shown or (shown.endswith(_CUT) and named):
        shown = named or shown
    return "" if _NO_TITLE.fullmatch(shown[:TITLE]) else shown[:TITLE]


def _heading(node: LexborNode) -> str:
    """The text of a link; of a card that is one link as a whole, that of its heading."""
    text = node.text(deep=True)
    if node.first_child is None or (node.first_child.next is None and node.first_child.tag == "-text"):
        return text
    for css in ("h1, h2, h3, h4, h5, h6", '[class*="title" i], [class*="tit" i], [class="bt"]'):
        found = node.css_first(css)
        if found is not None and len(name := clean(found.text(deep=True))) >= 4:
            return name
    blocks = [part for part in node.css(_BLOCKS)[:20] if len(part.css(_BLOCKS)) == 1]  # it finds itself
    pieces = [clean(part.text(deep=True)) for part in blocks]
    return next((piece for piece in pieces if len(piece) >= 4 and not _is_day(piece)), text)


def _is_day(text: str) -> bool:
    """Whether a short text is a day or a part of one."""
    return 0 < len(text) < 24 and 2 * sum(c.isdigit() for c in text) >= len(text.replace(" ", ""))


Rows = dict[int, str | None]  # `mem_id` -> text of an element, None where it holds many links: each is read once


def shown_date(node: LexborNode, url: str, rows: Rows) -> str | None:
    """The date beside a link: in its list item or table row; without a year, that of the address."""
    holder: LexborNode | None = (
        node if node.child is not None and node.css_first("div, p, span, b, i, em") else node.parent
    )
    for _ in range(4):
        if holder is None or holder.tag in {"ul", "ol", "table", "tbody", "body"}:
            break
        if holder.mem_id not in rows:
            rows[holder.mem_id] = None if _many_links(holder) else _row_text(holder)
        text = rows[holder.mem_id]
        if text is None:
            break
        first, _, text = text.partition("\n")
        if found := _PUBLISHED.search(text):
            return calendar(*found.groups())
        if day := written_day(first):
            return day
        if found := _SHOWN_DATE.search(text):
            return calendar(*found.groups())
        beside = (
            text.replace(_BLANKS.sub(" ", node.text(deep=True, separator=" ")), " ") if holder is not node else text
        )
        if day := written_day(beside):
            return day
        year = _ADDRESS_MONTH.search(url) or _ADDRESS_DATE.search(url)
        if year and (short := _SHORT_DATE.search(beside)):
            return calendar(year[1], *short.groups())
        if holder.tag in {"li", "tr", "dl"}:
            break
        holder = holder.parent
    return None


def _row_text(holder: LexborNode) -> str:
    """The text of a row, the day first: that which a `<time>` keeps for programs, then small elements of figures."""
    times = [(node.attributes.get("datetime") or "")[:40] for node in holder.css("time[datetime]")[:1]]
    small = [text for node in holder.css(_SMALL)[:20] if _is_day(text := clean(node.text(deep=True, separator=" ")))]
    return f"{' '.join([*times, *small[:3]])}\n{_BLANKS.sub(' ', holder.text(deep=True, separator=' '))}"


def _many_links(holder: LexborNode) -> bool:
    """Whether an element holds links to more than two places, or is more than a row; stops there, as lists nest
    thousands deep."""
    seen: list[str] = []
    for count, inner in enumerate(holder.traverse()):
        if inner.tag == "a" and (href := inner.attributes.get("href")):
            seen.append(href)
        if len(seen) > ROW_LINKS or len(set(seen)) > 2 or count > ROW_NODES:
            return True
    return False


def names_host(patterns: Iterable[str], url: str) -> bool:
    """Whether one of these expressions speaks of the address's host, and not of its path alone."""
    end = len(url) - len(urlsplit(url)._replace(scheme="", netloc="").geturl())
    return any(found.start() < end for pattern in patterns if (found := re.search(pattern, url)))


def allowed(source: Source, links: Iterable[Link]) -> list[Link]:
    """Those whose address `links.include` and `links.exclude` let through."""
    include = [re.compile(p) for p in source.links.include]
    exclude = [re.compile(p) for p in source.links.exclude]
    return [
        link
        for link in links
        if (not include or any(p.search(link.url) for p in include)) and not any(p.search(link.url) for p in exclude)
    ]


def chosen(source: Source, links: Iterable[Link], first: datetime | None, *, titles: bool = True) -> tuple[Link, ...]:
    """Those that `match` and `backfill` choose. `first`: when the source was first read; None leaves `backfill` out.

    What has no title, or may match by its text (`match_text`), is decided when it was read. A document without a date
    is taken: it may be the new one.
    """
    match = re.compile(source.match) if source.match and not source.match_text and titles else None
    oldest = (first - source.backfill).date().isoformat() if source.backfill is not None and first else ""
    return tuple(
        link
        for link in links
        if (match is None or not link.text or match.search(link.text)) and not (link.date and link.date < oldest)
    )


def is_wanted(source: Source, titles: Iterable[str | None], text: str) -> bool:
    """Whether `match` is found in one of a document's titles, or `match_text` in its text; without either, always."""
    if source.match is None and source.match_text is None:
        return True
    if source.match is not None and any(re.search(source.match, title) for title in titles if title):
        return True
    return source.match_text is not None and re.search(source.match_text, text) is not None


def is_followed(source: Source, page: Page, kept: Callable[[], Document | None]) -> bool:
    """Whether the rules of today follow a document that was found before.

    `kept` gives its last version, None where it has none: what has no title, or may match by its text, is wanted until
    it is read. A page of files has its text in them.
    """
    if not allowed(source, [Link(page.url, page.title or "")]):
        return False
    if source.match_text is None:
        return not page.title or is_wanted(source, (page.title,), "")
    document = kept()
    if document is None or document.kind == "attachment":
        return True
    return is_wanted(source, (page.title, document.title), document.text)


def once(links: Iterable[Link]) -> list[Link]:
    """Each address once, where it first stood, with the longest title and the first date that any of them has.

    http and https of one address are one document.
    """
    kept: dict[str, Link] = {}
    for link in links:
        name = link.url.partition(":")[2]
        old = kept.get(name)
        text = link.text if old is None or len(link.text) > len(old.text) else old.text
        kept[name] = Link(old.url if old else link.url, text, (old.date if old else None) or link.date)
    return list(kept.values())
