"""Further pages of a list: named by numbers, by a script, by a "next" link, or by the list's own address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from monitor.model import Source
from monitor.sources import links
from monitor.sources.links import Anchor

MOST_PAGES = 1000

_PLACE = re.compile(r"\{page(0?)(?:\*(\d{1,4}))?(?:\+(\d{1,4}))?\}")
_CREATE_PAGE = re.compile(r"createPageHTML\s*\(([^()]*)\)", re.IGNORECASE)
_COUNT_PAGE = re.compile(r"\bcountPage\s*=\s*[\"']?(\d+)")
_QUOTED = re.compile(r"[\"']([^\"']*)[\"']")
_NUMBERED = re.compile(r"^(.*?)(?:[_-](\d{1,4}))?(\.(?:s?html?|jhtml|jsp|aspx?|php))$", re.IGNORECASE)
_GLUED = re.compile(r"^(list|index|p|page)(\d{0,4})(\.(?:s?html?|jhtml))$", re.IGNORECASE)
_QUERY = re.compile(
    r"([?&](?:page|pageno|pagenum|pageindex|page_index|curpage|currentpage|pn|p)=)(\d{1,4})(?=&|#|$)", re.IGNORECASE
)
_NEXT = re.compile(
    r"^[\s\[(【<]*(?:下一?[页頁]|后一?页|next(?:\s*page)?)[\s\])】>»›]*$|^\s*(?:>|»|›|&gt;)\s*$", re.IGNORECASE
)
_DATA = re.compile(
    r"[\"'`]((?:https?:)?[\w/.:-]{0,300}?(?:/dataproxy\.jsp\?|/(?:common/)?search(?:list)?/[0-9a-f]{32}\?)[^\"'`\s<>]{0,600})",
    re.IGNORECASE,
)
_NEXTGROUP = re.compile(r"<nextgroup>\s*<!\[CDATA\[(.{0,2000}?)\]\]>", re.IGNORECASE | re.DOTALL)
_HREF = re.compile(r"href\s*=\s*[\"']([^\"']+)", re.IGNORECASE)


def is_template(text: str) -> bool:
    """Whether a list's address, or what is sent there, has a place for a page number."""
    return _PLACE.search(text) is not None


def filled(text: str, number: int) -> str:
    """With the number of one page in its places: `{page}` counts from 1, `{page0}` from 0, and `{page0*15+1}` is the
    first record of a page of 15."""
    return _PLACE.sub(lambda m: str((number - bool(m[1])) * int(m[2] or 1) + int(m[3] or 0)), text)


def page_address(url: str, number: int) -> str:
    """The address of one page; the first is 1."""
    return filled(url, number)


def numbered(url: str) -> tuple[str, int] | None:
    """An address without its page number, and the number (0 where it has none)."""
    if found := _QUERY.search(url):
        return url[: found.start(2)] + url[found.end(2) :], int(found[2])
    parts = urlsplit(url)
    path = parts.path or "/"
    path += "index.html" if path.endswith("/") else ""
    name = path.rsplit("/", 1)[1]
    found = _GLUED.match(name) or _NUMBERED.match(name)
    if not found:
        return None
    return (urljoin(url, found[1]) + ("?" + parts.query if parts.query else "")).casefold(), int(found[2] or 0)


def is_page(target: str, url: str) -> bool:
    """Whether an address is another page of the same list."""
    if _QUERY.search(target) is not None and _without_page(target) == _without_page(url):
        return True
    one, other = numbered(target), numbered(url)
    return one is not None and other is not None and one[0] == other[0]


def _without_page(url: str) -> str:
    return re.sub(r"[?&]$", "", re.sub(r"([?&])&+", r"\1", _QUERY.sub(lambda f: f[1][0], url))).casefold()


def pages(source: Source, url: str, html: str, tree: LexborHTMLParser | None, anchors: Sequence[Anchor]) -> list[str]:
    """What this list page leads on to, nearest first: at most `pages` of the source, and nothing for one."""
    if source.pages <= 1:
        return []
    if is_template(source.url):
        return _of_template(source, url)
    if group := _next_group(url, html):
        return group
    first = (numbered(url) or ("", 0))[1] <= 1
    made = _created(url, html) if first else []
    if not made and first and tree is not None:
        made = _counted(source, url, anchors)
    if not made and (following := _next(url, anchors)):
        made = following
    return list(dict.fromkeys(made))[: source.pages - 1]


def of_data(source: Source, url: str, count: int | None) -> list[str]:
    """The pages behind a JSON list, by the number in its address. `count`: how many there are, None: not said."""
    if source.pages <= 1:
        return []
    if is_template(source.url):
        return _of_template(source, url)
    found = _QUERY.search(url)
    if not found:
        return []
    at = int(found[2])
    last = at + 1 if count is None else min(count - (0 if at else 1), source.pages)
    return [url[: found.start(2)] + str(n) + url[found.end(2) :] for n in range(at + 1, last + 1)] if at <= 1 else []


def data_address(url: str, html: str) -> list[str]:
    """Where a page's script gets its list from, as the page says: Hanweb's dataproxy, a Kaipu search."""
    if group := _next_group(url, html):
        return group
    found = []
    for address in _DATA.findall(html)[:5]:
        target = links.resolve(url, address.replace("&amp;", "&"))
        if target and links.same_site(target, url):
            found.append(target if "dataproxy" in target or "_isJson=" in target else f"{target}&_isJson=true")
    return list(dict.fromkeys(found))[:1]


def _next_group(url: str, html: str) -> list[str]:
    """Where Hanweb's list goes on, as its first `<nextgroup>` says."""
    start = html.lower().find("<nextgroup>") if "<record" in html else -1
    group = _NEXTGROUP.match(html, start) if start >= 0 else None
    named = (links.resolve(url, href) for href in _HREF.findall(group[1])[:1]) if group else ()
    return [target for target in named if target and target != url]


def _of_template(source: Source, url: str) -> list[str]:
    at = next((n for n in range(1, min(source.pages, MOST_PAGES)) if page_address(source.url, n) == url), None)
    return [page_address(source.url, at + 1)] if at is not None else []


def _counted(source: Source, url: str, anchors: Sequence[Anchor]) -> list[str]:
    """Pages whose addresses differ by a number; those that the pager leaves out in the middle are made."""
    others = [a for a in anchors if a.url != url and is_page(a.url, url) and a.node.text().strip() != "1"]  # this one
    numbers = {n[1]: a.url for a in others if (n := numbered(a.url)) and n[1] > 0}
    known = sorted(numbers)
    if not known:
        return []
    for missing in range(known[0], min(known[-1], known[0] + source.pages)):
        numbers.setdefault(missing, re.sub(rf"{known[0]}(?=\D*$)", str(missing), numbers[known[0]]))
    return [numbers[n] for n in sorted(numbers)]


def _next(url: str, anchors: Sequence[Anchor]) -> list[str]:
    """By the link "next page", and by the numbers beside it where they go on from there."""
    following = next((a.url for a in anchors if _NEXT.match(a.title or a.node.text()) and a.url != url), None)
    if following is None:
        return []
    labels = {int(text): a.url for a in anchors if (text := a.node.text().strip()).isdecimal() and len(text) < 4}
    at = next((n for n, address in sorted(labels.items()) if address == following), None)
    if at != 2:
        return [following]
    made = []
    while at in labels:
        made.append(labels[at])
        at += 1
    return made


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
    return [urljoin(url, f"{stem}_{n}.{ending}") for n in range(1, min(total, MOST_PAGES))]
