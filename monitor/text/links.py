"""The documents and files that a page points to, with the date that stands beside them."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.model import Attachment, Link, TextRules
from monitor.text import dates
from monitor.text.lines import tidy

MOST = 8_000  # links of a page that are looked at
NAME = 4  # characters from which a link's text can be a title
TEXT = 300  # characters of a link's text that are kept
ADDRESS = 4_000  # characters of an address; servers refuse longer ones
ROW = 400  # characters up to which the element around a link is its row

_DOCUMENT = re.compile(r"\d|\.s?html?\b|\.jsp|\.aspx?|\.php|content|article|info|detail", re.IGNORECASE)
_FILE = re.compile(r"\.([A-Za-z0-9]{2,5})(?:$|[?#&])")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_DOWNLOAD = re.compile(r"download|downfile|attach|fujian|accessory", re.IGNORECASE)
_PLAIN = re.compile(r"(?:\./|/)?(?:[\w-]+/)*(?:[\w-]+(?:\.\w+)?)?", re.ASCII)  # nothing in it that joining changes
_PAGES = (".html", ".shtml", ".htm", "/")
_NO_PAGE = re.compile("(?:javascript|mailto|tel|data|about|blob|ftp|file):", re.IGNORECASE)
_Rows = dict[int, str | None]  # `mem_id` -> text of an element, None where it is too long: each is read once
_ROWS = frozenset({"li", "tr", "dd", "dl", "p", "div", "td", "article"})


def base_of(tree: LexborHTMLParser, url: str | None) -> str:
    """What relative addresses on the page are relative to."""
    node = tree.css_first("base[href]")
    base = (node.attributes.get("href") or "") if node is not None else ""
    return urljoin(url or "", base)


def absolute(base: str, href: str) -> str | None:
    """The address behind `href` without its fragment; None for scripts, mail and anchors."""
    href = href.strip()
    if not href or href[0] == "#" or len(href) > ADDRESS or _NO_PAGE.match(href):
        return None
    if href.startswith(("http://", "https://")) or not base:
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


def read(body: LexborNode, base: str, rules: TextRules) -> tuple[tuple[Link, ...], tuple[Attachment, ...]]:
    """(article-like links, attachments), each address once, in page order."""
    links: dict[str, Link] = {}
    files: dict[str, Attachment] = {}
    rows: _Rows = {}
    for node in body.css("a[href]")[:MOST]:
        attributes = node.attributes
        href = attributes.get("href") or ""
        if not href or href[0] == "#" or (url := absolute(base, href)) is None:
            continue
        text = tidy(node.text()) or tidy(attributes.get("title") or "")
        kind = None if href.endswith(_PAGES) else file_type(url, text, rules)
        if kind is not None:
            name = text or unquote(urlsplit(url).path.rsplit("/", 1)[-1])
            files.setdefault(url, Attachment(url, name[:TEXT], kind))
        elif len(text) >= NAME and _DOCUMENT.search(href) and url not in links:
            links[url] = _link(node, url, text, attributes.get("title"), rows)
    return tuple(links.values()), tuple(files.values())


def _link(node: LexborNode, url: str, text: str, title: str | None, rows: _Rows) -> Link:
    """With the full title of the `title` attribute when the text is cut short."""
    own = dates.first(text) if _YEAR.search(text) else None
    if own is not None:
        text = tidy(dates.DATE.sub("", text).strip("[]()（）【】")) or text
    if text.endswith(("…", "...")) and title and len(full := tidy(title)) > len(text):
        text = full
    return Link(url, text[:TEXT], own or _beside(node, rows))


def _beside(node: LexborNode, rows: _Rows) -> str | None:
    """A date in the row of a link."""
    row, steps = node.parent, 0
    while row is not None and steps < 4:
        if row.tag in _ROWS:
            if row.mem_id not in rows:
                rows[row.mem_id] = _around(row)
            around = rows[row.mem_id]
            if around is None:
                return None
            if _YEAR.search(around) and (day := dates.first(around)):
                return day
            if row.tag in {"li", "tr"}:
                return None
        row, steps = row.parent, steps + 1
    return None


def _around(row: LexborNode) -> str | None:
    """The text of an element, or None where it is too long for a row. Read in pieces: lists nest thousands deep."""
    pieces: list[str] = []
    size = -1
    for node in row.traverse(include_text=True):
        if node.tag == "-text":
            pieces.append(node.text_content or "")
            size += 1 + len(pieces[-1])
            if size > ROW:
                return None
    return " ".join(pieces)


def file_type(url: str, text: str, rules: TextRules) -> str | None:
    """The ending of an attachment (pdf, docx, …), by its address or, behind a download script, by its name."""
    found = _FILE.findall(url)
    if _DOWNLOAD.search(url):
        found = _FILE.findall(text) + found
    return next((kind.lower() for kind in reversed(found) if kind.lower() in rules.attachment_types), None)
