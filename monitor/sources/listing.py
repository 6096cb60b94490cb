"""A listing is a column of a site: static list pages that name documents, with title and date.

Which links are documents is read from the address forms of the common content systems and from
where a link stands: navigation, the foot of the page and boxes of other columns are left alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.model import Document, Link, Source
from monitor.sources import links
from monitor.sources.found import Found, found
from monitor.sources.links import Anchor, Rows

# forms of an article's address, by system: TRS, Harbin's, Hanweb, Founder and Guangdong, Kaipu, VSB, WebPlus, EasySite
ARTICLE = re.compile(
    r"/t(?:\d{8}_)?\d{5,}(?:_\d+)?\.s?html?$"
    r"|/c\d+_\d+\.s?html?$"
    r"|/art/\d{4}/(?:\d{1,2}/\d{1,2}/)?art_\w+\.s?html?$"
    r"|/(?:content|post|article|detail|info|news|show|view|con)[_-]\d[\d_-]*\.s?html?$"
    r"|/[0-9a-f]{32}\.s?html?$"
    r"|/info/\d+/\d+\.s?html?$"
    r"|/c\d+a\d+/page\.s?html?$"
    r"|/\d{4,}/index\.s?html?$"
    r"|/(?:19|20)\d{2}[-/]?\d{2}(?:[-/]?\d{2})?/(?=[\w-]*\d)[\w-]+\.s?html?$"
    r"|/\d{5,}\.s?html?$"
    r"|[?&](?:(?:doc|article|art|info|content|news)_?id|id|aid)=[\w-]*\d",
    re.IGNORECASE,
)
PLAIN = re.compile(r"/[^/]+\.(?:s?html?|jsp|aspx?|php)$", re.IGNORECASE)  # only believed where a list holds it
LIST = re.compile(
    r"/(?:index|default|list|node|col)?[_-]?\d{0,3}\.(?:s?html?|jsp|aspx?|php)$|/(?:col|list|channel|column)[/_-]?\d*/",
    re.IGNORECASE,
)
CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navbar|menu|header|head|footer|foot|crumbs?|breadcrumb|position|location|friend|banner|"
    r"sitemap|toolbar|copyright|topbar|weizhi|dqwz)(?:$|[\s_\d-])",
    re.IGNORECASE,
)
INSIDE = {"li", "tr", "td", "dd", "dt", "span", "p", "em", "b", "strong", "font", "h3", "h4"}  # parts of one list item
_RECORD = re.compile(r"<record>\s*<!\[CDATA\[", re.IGNORECASE)
_RECORD_CLOSES = re.compile(r"\]\]>\s*</record>", re.IGNORECASE)
_CREATE_PAGE = re.compile(r"createPageHTML\s*\(([^()]*)\)", re.IGNORECASE)
_COUNT_PAGE = re.compile(r"\bcountPage\s*=\s*[\"']?(\d+)")
_QUOTED = re.compile(r"[\"']([^\"']*)[\"']")
_NUMBERED = re.compile(r"^(.*?)(?:[_-](\d{1,4}))?(\.s?html?)$", re.IGNORECASE)
_PAGE_QUERY = re.compile(r"([?&](?:page|pageno|pageindex|curpage|p)=)(\d{1,4})", re.IGNORECASE)
_LEAST_TITLE = 4  # characters; 更多, 首页 and 详情 are shorter
_TITLE = 8  # characters from which a link with a date beside it is the title of a document
_NAME = 200  # characters of an id or class that are looked at


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """The first list page; the others are found on it."""
    return (source.url,)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """The documents of one list page, and from the first one the addresses of the others up to `pages`."""
    tree = links.tree(html, document)
    if tree is None:
        return Found()
    trees = _with_records(tree, html)
    listed = _documents(trees, url, trusted=bool(source.links.include), whole=source.match is not None and _front(url))
    listed = links.allowed(source, listed)
    kept = tuple(link for link in links.matching(source, listed) if _wanted(source, link, first or now))
    return found(kept, _pages(source, url, html, tree), seen=len(listed))


def _wanted(source: Source, link: Link, first: datetime) -> bool:
    """Not older than `backfill` before the first check, where one is set.

    A document without a date is taken: it may be the new one.
    """
    if source.backfill is None or link.date is None:
        return True
    return link.date >= (first - source.backfill).date().isoformat()


def _with_records(tree: LexborHTMLParser, html: str) -> list[LexborHTMLParser]:
    """The page, and the list that Hanweb keeps in a script as XML records."""
    records = list(_records(html))
    return [tree, LexborHTMLParser(f"<ul>{''.join(records)}</ul>")] if records else [tree]


def _records(html: str) -> Iterator[str]:
    """What each record holds, in one walk that ends at the first record that is not closed."""
    at = 0
    while (opened := _RECORD.search(html, at)) and (closed := _RECORD_CLOSES.search(html, opened.end())):
        yield html[opened.end() : closed.start()]
        at = closed.end()


# --------------------------------------------------------------------------- documents


def _front(url: str) -> bool:
    """Whether this is a site's front page: it has boxes of every column, and none of its own."""
    return re.fullmatch(r"/?(?:(?:index|default)\.\w+)?", urlsplit(url).path) is not None


def _documents(trees: Iterable[LexborHTMLParser], url: str, *, trusted: bool, whole: bool) -> list[Link]:
    """Links to documents. `trusted`: an include rule will choose, so anything with a title may be one.
    `whole`: boxes of all columns count."""
    rows: Rows = {}
    found = [a for tree in trees for a in links.anchors(tree, url) if len(a.title) >= _LEAST_TITLE and a.url != url]
    if trusted:
        return links.once(_link(a, rows) for a in found)
    found = [a for a in found if not _in_chrome(a.node)]
    strong = {a.url for a in found if ARTICLE.search(_path(a.url)) and not _pager(a.url, url)}
    if not strong:
        strong = {a.url for a in found if PLAIN.search(urlsplit(a.url).path) and not LIST.search(urlsplit(a.url).path)}
    believed = [a for a in found if a.url in strong or _dated(a, url, rows)]
    return links.once(_link(a, rows) for a in (believed if whole else _of_this_column(believed, url, rows)))


def _dated(anchor: Anchor, url: str, rows: Rows) -> bool:
    """Whether a link is set as lists set documents, a title with its day beside it: then any address will do."""
    return (
        len(anchor.title) >= _TITLE
        and urlsplit(anchor.url).netloc == urlsplit(url).netloc
        and links.shown_date(anchor.node, anchor.url, rows) is not None
    )


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def _link(anchor: Anchor, rows: Rows) -> Link:
    day = links.shown_date(anchor.node, anchor.url, rows) or links.address_date(anchor.url)
    return Link(anchor.url, anchor.title, day)


def _above(node: LexborNode) -> Iterator[LexborNode]:
    """The elements around a link, nearest first. Broken pages nest thousands deep: past sixty nothing is told."""
    above: LexborNode | None = node.parent
    for _ in range(60):
        if above is None or above.tag in {"body", "html"}:
            return
        yield above
        above = above.parent


def _name(node: LexborNode) -> str:
    attributes = node.attributes
    return f"{(attributes.get('id') or '')[:_NAME]} {(attributes.get('class') or '')[:_NAME]}"


def _in_chrome(node: LexborNode) -> bool:
    return any(above.tag in {"nav", "header", "footer"} or CHROME.search(_name(above)) for above in _above(node))


def _block(node: LexborNode) -> str:
    """The list a link stands in, by the way from the body to it: lists that are cut into pieces stay one."""
    return ">".join(f"{above.tag}.{_label(above)}" for above in _above(node) if above.tag not in INSIDE)


def _label(node: LexborNode) -> str:
    attributes = node.attributes
    return re.sub("[0-9]+", "", (attributes.get("id") or attributes.get("class") or "")[:_NAME])


def _of_this_column(anchors: Sequence[Anchor], url: str, rows: Rows) -> list[Anchor]:
    """Leaves out boxes of other columns (most read, latest news) where the page has a list of its own.

    Own is what lies below the list's directory or bears its column number; where nothing does, what stands in blocks
    whose links carry dates, and where none does, the block with the most title text.
    """
    blocks: dict[str, list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        blocks[_block(anchor.node)].append(anchor)
    own = {name for name, block in blocks.items() if 2 * sum(_own(a.url, url) for a in block) >= len(block)}
    if not own:
        own = {
            name
            for name, block in blocks.items()
            if len(block) > 1
            and 2 * sum(links.shown_date(a.node, a.url, rows) is not None for a in block) >= len(block)
        }
    if not own and blocks:
        own = {max(blocks, key=lambda name: sum(len(a.title) for a in blocks[name]))}
    return [anchor for name, block in blocks.items() if name in own for anchor in block]


def _own(target: str, url: str) -> bool:
    """Whether an address lies below the list's own directory, or bears the number of its column."""
    directory = urljoin(url, ".")
    if urlsplit(directory).path.count("/") > 1 and target.startswith(directory):
        return True
    column = re.search(r"/col(?:umn)?[/_-]?(?:col)?(\d{2,})", urlsplit(url).path)
    return column is not None and re.search(rf"(?<!\d){column[1]}(?!\d)", urlsplit(target).path) is not None


# --------------------------------------------------------------------------- pages


def _numbered(url: str) -> tuple[str, int] | None:
    """An address without its page number, and the number (0 where it has none)."""
    if found := _PAGE_QUERY.search(url):
        return url[: found.start(2)] + url[found.end(2) :], int(found[2])
    parts = urlsplit(url)
    path = parts.path or "/"
    path += "index.html" if path.endswith("/") else ""
    found = _NUMBERED.match(path.rsplit("/", 1)[1])
    if not found:
        return None
    return urljoin(url, found[1]).casefold(), int(found[2] or 0)


def _pager(target: str, url: str) -> bool:
    """Whether an address is another page of the same list."""
    one, other = _numbered(target), _numbered(url)
    return one is not None and other is not None and one[0] == other[0]


def _pages(source: Source, url: str, html: str, tree: LexborHTMLParser) -> tuple[str, ...]:
    """Further list pages, only when asked for and only from the first one."""
    if source.pages <= 1 or (_numbered(url) or ("", 0))[1] > 1:
        return ()
    made = _created(url, html)
    if not made:
        numbers = {n[1]: a.url for a in links.anchors(tree, url) if _pager(a.url, url) and (n := _numbered(a.url))}
        made = [numbers[n] for n in sorted(numbers) if n > 0 and numbers[n] != url]
    return tuple(dict.fromkeys(made))[: source.pages - 1]


def _created(url: str, html: str) -> list[str]:
    """The pages that a script writes: createPageHTML(total, current, "index", "html") or countPage = N.

    Page 0 is index.html and page n is index_n.html.
    """
    stem, ending, total = "index", "html", 0
    if called := _CREATE_PAGE.search(html):
        names = [name for name in _QUOTED.findall(called[1]) if name]
        numbers = re.findall(r"(?<![\w\"'])\d+(?![\w\"'])", _QUOTED.sub("", called[1]))
        total = int(numbers[0]) if numbers else 0
        if len(names) >= 2:
            stem, ending = names[-2], names[-1].lstrip(".")
    if not total and (counted := _COUNT_PAGE.search(html)):
        total = int(counted[1])
        written = re.search(r"index_?[\"']?\s*\+[^;\n]{0,80}?\.(s?html?)", html)
        ending = written[1] if written else "html"
    return [urljoin(url, f"{stem}_{n}.{ending}") for n in range(1, min(total, 1000))]
