"""What an address looks like: a document's, a list's, or neither. Forms of the common content systems."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# of an article, by system: TRS, Harbin's, Hanweb, Founder and Guangdong, Kaipu, VSB, WebPlus, EasySite, PHPCMS
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
_COLUMN_QUERY = re.compile(r"[?&](?:a=lists?|act=list|action=list)(?:&|$)", re.IGNORECASE)


def is_article(url: str) -> bool:
    """Whether a content system writes documents at such an address."""
    whole = path_and_query(url)
    path = whole.partition("?")[0]
    return bool(ARTICLE.search(path) or ARTICLE.search(whole)) and not _COLUMN_QUERY.search(whole)


def is_plain(url: str) -> bool:
    """Whether this is a page at all, and none that is named like a list."""
    path = urlsplit(url).path
    return PLAIN.search(path) is not None and not LIST.search(path)


def path_and_query(url: str) -> str:
    """What stands behind the host."""
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def is_front(url: str) -> bool:
    """Whether this is a site's front page: it has boxes of every column, and none of its own."""
    return re.fullmatch(r"/?(?:(?:index|default|home|main)\.\w+)?", urlsplit(url).path) is not None
