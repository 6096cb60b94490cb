"""The documents and files that a page points to, with the date that stands beside them."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

from monitor.model import Attachment, Link, TextRules
from monitor.text import dates
from monitor.text.lines import tidy
from monitor.text.outline import Outline
from monitor.text.tags import attribute

MOST = 8_000  # links of a page that are looked at
NAME = 4  # characters from which a link's text can be a title
TEXT = 300  # characters of a link's text that are kept
ADDRESS = 4_000  # characters of an address; servers refuse longer ones
ROW = 400  # characters up to which the element around a link is its row

_DOCUMENT = re.compile(r"[0-9]|\.s?html?\b|\.jsp|\.aspx?|\.php|content|article|info|detail", re.IGNORECASE)
_FILE = re.compile(r"\.([A-Za-z0-9]{2,5})(?:$|[?#&])")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_PLAIN = re.compile(r"(?:\./|/)?(?:[\w-]+/)*(?:[\w-]+(?:\.\w+)?)?", re.ASCII)  # nothing in it that joining changes
_HTML = (".html", ".shtml", ".htm")
_PAGES = (*_HTML, "/")
_NO_PAGE = re.compile("(?:javascript|mailto|tel|data|about|blob|ftp|file):", re.IGNORECASE)
_ROWS = frozenset({"li", "tr", "dd", "dl", "p", "div", "td", "article"})


def base_of(page: Outline, url: str | None) -> str:
    """What relative addresses on the page are relative to."""
    try:
        return urljoin(url or "", page.base or "")
    except ValueError:  # what <base> says is no address
        return url or ""


def absolute(base: str, href: str) -> str | None:
    """The address behind `href` without its fragment; None for scripts, mail and anchors."""
    href = href.strip()
    if not href or href[0] == "#" or len(href) > ADDRESS:
        return None
    web = href.startswith(("http://", "https://"))
    if not web and ":" in href and _NO_PAGE.match(href):
        return None
    if web or not base:
        return href.split("#", 1)[0] or None
    try:
        if _PLAIN.fullmatch(href) and (place := _place(base)) is not None:
            return place[0] + href if href[0] == "/" else place[1] + href.removeprefix("./")
        joined = urljoin(base, href)
    except ValueError:
        return None
    return joined.split("#", 1)[0] or None


@lru_cache(maxsize=64)
def _place(base: str) -> tuple[str, str] | None:
    """What to set before `/path` and before `path`: urljoin takes 8 µs, and a page has hundreds of links.

    None for a base with a path that joining would tidy up.
    """
    parts = urlsplit(base)
    folder = parts.path.rpartition("/")[0] + "/"
    if parts.scheme not in ("http", "https") or not parts.netloc or not _PLAIN.fullmatch(folder):
        return None
    root = f"{parts.scheme}://{parts.netloc}"
    return root, root + folder


def read(page: Outline, base: str, rules: TextRules) -> tuple[tuple[Link, ...], tuple[Attachment, ...]]:
    """(article-like links, attachments), each address once, in page order."""
    links: dict[str, Link] = {}
    files: dict[str, Attachment] = {}
    beside = _Beside(page)
    known: dict[str, str | None] = {}  # many links of a page lead to the same place
    sources, texts, first, ends = page.sources, page.texts, page.first, page.ends
    for i in page.links[:MOST]:
        if (source := sources.get(i)) is None:
            continue
        href = attribute(source, "href")
        start, stop = first[i], first[ends[i]]
        text = tidy(texts[start] if stop == start + 1 else "".join(texts[start:stop])) or tidy(page.get(i, "title"))
        paged = href.endswith(_PAGES)
        if paged and len(text) < NAME:
            continue
        if href not in known:
            known[href] = absolute(base, href)
        if (url := known[href]) is None or url in links:
            continue
        kind = None if paged else file_type(url, text, rules)
        if kind is not None:
            name = text or unquote(url.partition("?")[0].rsplit("/", 1)[-1])
            files.setdefault(url, Attachment(url, name[:TEXT], kind))
        elif len(text) >= NAME and (href.endswith(_HTML) or _DOCUMENT.search(href)):
            links[url] = _link(page, i, url, text, beside)
    return tuple(links.values()), tuple(files.values())


def _link(page: Outline, i: int, url: str, text: str, beside: _Beside) -> Link:
    """With the full title of the `title` attribute when the text is cut short."""
    own = dates.first(text) if ("20" in text or "19" in text) and _YEAR.search(text) else None
    if own is not None:
        text = tidy(dates.DATE.sub("", text).strip("[]()（）【】")) or text
    title = page.get(i, "title") if text.endswith(("…", "...")) else ""
    if title and len(full := tidy(title)) > len(text):
        text = full
    return Link(url, text[:TEXT], own or beside.date(i))


class _Beside:
    """The dates in the rows of links. Most pages have a handful of texts with a year, most rows have none."""

    def __init__(self, page: Outline) -> None:
        self.page = page
        self._days: dict[int, str | None] = {}  # by position: each row is read once
        self._dated = self._with_year()

    def _with_year(self) -> set[int]:
        """The elements around a text with a year, up to the first that is too long for a row."""
        page, found = self.page, set[int]()
        short = (k for k, text in enumerate(page.texts) if len(text) <= ROW and ("20" in text or "19" in text))
        years = [k for k in short if _YEAR.search(page.texts[k])]
        for k in years:
            at = bisect_right(page.first, k) - 1  # the text itself: behind it there is one more
            while (at := page.parents[at]) > page.body and at not in found and page.size(at) <= ROW:
                found.add(at)
        return found

    def date(self, i: int) -> str | None:
        """A date in the row of a link."""
        parents, tags = self.page.parents, self.page.tags
        for _ in range(4 if self._dated else 0):
            i = parents[i]
            if i in self._dated and tags[i] in _ROWS:
                if i not in self._days:
                    self._days[i] = dates.first(" ".join(self.page.pieces(i)))
                if day := self._days[i]:
                    return day
            if tags[i] in {"li", "tr"}:  # the whole row
                break
        return None


def file_type(url: str, text: str, rules: TextRules) -> str | None:
    """The ending of an attachment (pdf, docx, …), by its address or, behind a download script, by its name."""
    low = url.lower()
    found = _FILE.findall(low, low.rfind("/") + 1 if "?" not in low else 0)
    if (
        "download" in low or "downfile" in low or "attach" in low or "fujian" in low or "accessory" in low
    ):  # a script's name
        found = _FILE.findall(text.lower()) + found
    return next((kind for kind in reversed(found) if kind in rules.attachment_types), None) if found else None
