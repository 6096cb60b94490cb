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
from monitor.sources import addresses, jsonlist, links, pager, posted
from monitor.sources.found import Found, found
from monitor.sources.links import Anchor, Rows

CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navbar|menu|header|head|footer|foot|crumbs?|breadcrumb|position|location|friend|banner|"
    r"sitemap|toolbar|copyright|topbar|weizhi|dqwz|rank|ranking|paihang|related|recommend)(?:$|[\s_\d-])",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    "排行|热门|点击榜|相关(?:新闻|链接|阅读|文章)|推荐(?:阅读|文章)?$|友情链接|网站导航|猜你"
)  # over other boxes
INSIDE = {"li", "tr", "td", "dd", "dt", "span", "p", "em", "b", "strong", "font", "h3", "h4"}  # parts of one list item
_RECORD = re.compile(r"<record>\s*<!\[CDATA\[", re.IGNORECASE)
_RECORD_CLOSES = re.compile(r"\]\]>\s*</record>", re.IGNORECASE)
_LEAST_TITLE = 4  # characters; 更多, 首页 and 详情 are shorter
_TITLE = 8  # characters from which a link with a date beside it is the title of a document
_NAME = 200  # characters of an id or class that are looked at


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """The first list page; the others are found on it."""
    return (posted.address(source, 1) if source.post is not None else pager.page_address(source.url, 1),)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """The documents of one list page, a JSON list included, and where its further pages are."""
    pieces: Sequence[str] = ()
    url, number = posted.split(url)
    if jsonlist.is_json(html):
        read = jsonlist.read(source, url, html)
        if read.documents:
            after = posted.further(source, number, read.pages) if number else pager.of_data(source, url, read.pages)
            return _chosen(source, read.documents, after, first or now)
        pieces, html = read.pieces, ""
    tree = links.tree(html, document)
    if tree is None:
        return Found()
    trees = [*([tree] if html else []), *(LexborHTMLParser(f"<ul>{x}</ul>") for x in [*pieces, *_record_lists(html)])]
    whole = source.match is not None and addresses.is_front(url)
    listed = _documents(trees, url, include=source.links.include, whole=whole)
    anchors = [a for tree in trees for a in links.anchors(tree, url)]
    further = pager.of_data(source, url, None) if pieces else pager.pages(source, url, html, tree, anchors)
    if number and (listed or pieces):
        further = posted.further(source, number, None) or further
    if not listed and not pieces:
        further = pager.data_address(url, html)
    return _chosen(source, listed, further, first or now)


def _chosen(source: Source, listed: Sequence[Link], further: Sequence[str], first: datetime) -> Found:
    listed = links.allowed(source, listed)
    return found(links.chosen(source, listed, first), further, seen=len(listed))


def _record_lists(html: str) -> list[str]:
    """The list that Hanweb keeps in a script as XML records, if there is one."""
    records = list(_records(html))
    return ["".join(records)] if records else []


def _records(html: str) -> Iterator[str]:
    """What each record holds, in one walk that ends at the first record that is not closed."""
    at = 0
    while (opened := _RECORD.search(html, at)) and (closed := _RECORD_CLOSES.search(html, opened.end())):
        yield html[opened.end() : closed.start()]
        at = closed.end()


# --------------------------------------------------------------------------- documents


def _documents(trees: Iterable[LexborHTMLParser], url: str, *, include: Sequence[str], whole: bool) -> list[Link]:
    """Links to documents. `include`: rules that will choose, so anything with a title may be one, and on another site
    where they name its host. `whole`: boxes of all columns count."""
    rows: Rows = {}
    found = [a for tree in trees for a in links.anchors(tree, url, anywhere=bool(include)) if a.url != url]
    titled = {a.url for a in found if len(a.title) >= _LEAST_TITLE}
    found = [a for a in found if a.url in titled]  # a picture's link brings its row's date
    if include:
        near = (a for a in found if links.same_site(a.url, url) or links.names_host(include, a.url))
        return links.once(_link(a, rows) for a in near)
    every, judged = found, dict[int, bool]()
    found = [a for a in every if not _in_chrome(a.node, judged)]
    strong = {a.url for a in found if addresses.is_article(a.url) and not pager.is_page(a.url, url)}
    if not strong:
        strong = {a.url for a in found if addresses.is_plain(a.url)}
    if not strong:  # reports/2025/, as hand-made columns have them
        strong = {a.url for a in found if len(a.title) >= _TITLE and _own(a.url, url)}
    believed = [a for a in found if a.url in strong or _dated(a, url, rows)]
    if not believed:  # what looks like the frame by its name may be the list
        believed = [a for a in every if addresses.is_article(a.url) and _dated(a, url, rows)]
    return links.once(_link(a, rows) for a in (believed if whole else _of_this_column(believed, url, rows)))


def _dated(anchor: Anchor, url: str, rows: Rows) -> bool:
    """Whether a link is set as lists set documents, a title with its day beside it: then any address will do."""
    return (
        len(anchor.title) >= _TITLE
        and urlsplit(anchor.url).netloc == urlsplit(url).netloc
        and links.shown_date(anchor.node, anchor.url, rows) is not None
    )


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


def _in_chrome(node: LexborNode, known: dict[int, bool]) -> bool:
    """Whether a link stands in the frame of the page or in a box of others. `known`: each element is judged once."""
    for above in _above(node):
        if above.mem_id not in known:
            known[above.mem_id] = (
                above.tag in {"nav", "header", "footer"}
                or CHROME.search(_name(above)) is not None
                or (above.tag in {"ul", "ol", "dl"} and _OTHERS.search(_over(above)) is not None)
            )
        if known[above.mem_id]:
            return True
    return False


def _over(node: LexborNode) -> str:
    """The heading over a list."""
    before = node.prev
    for _ in range(3):
        if before is None or before.tag not in {"-text", "-comment", "_text", "_comment"}:
            break
        before = before.prev
    return (
        before.text(deep=True).strip()[:12] if before is not None and before.tag not in {"ul", "ol", "script"} else ""
    )


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
    dated = [name for name, block in blocks.items() if len(block) > 1 and _is_dated(block, rows)]
    if own & set(dated):  # a headline may stand over the list without its day; a ranking stands behind or beside it
        names = list(blocks)
        own = {name for name in own if name in dated or names.index(name) < names.index(dated[0])}
    own = own or set(dated)
    if not own and blocks:
        own = {max(blocks, key=lambda name: sum(len(a.title) for a in blocks[name]))}
    return [anchor for name, block in blocks.items() if name in own for anchor in block]


def _is_dated(block: Sequence[Anchor], rows: Rows) -> bool:
    """Whether days stand beside most links of a block."""
    return 2 * sum(links.shown_date(a.node, a.url, rows) is not None for a in block) >= len(block)


def _own(target: str, url: str) -> bool:
    """Whether an address lies below the list's own directory, or bears the number of its column."""
    directory = urljoin(url, ".")
    if urlsplit(directory).path.count("/") > 1 and target.startswith(directory):
        return True
    column = re.search(r"/col(?:umn)?[/_-]?(?:col)?(\d{2,})", urlsplit(url).path)
    return column is not None and re.search(rf"(?<!\d){column[1]}(?!\d)", urlsplit(target).path) is not None
