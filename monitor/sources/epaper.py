"""An e-paper is a newspaper's daily issue: a day -> sheets -> articles.

The address may be a template: `{yyyy} {mm} {dd}` (also together, `{yyyymm}`, `{yyyy-mm-dd}`) or strftime's
`%Y %m %d`. Without a day in it, the address is the newspaper's front door, which leads to the issue of the day.
A day without an issue is normal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser

from monitor import model
from monitor.model import Document, Link, Source
from monitor.sources import jsonlist, links
from monitor.sources.found import Found, found

_LEAST_TITLE = 4  # characters; 首页 and 下一版 are shorter
CATCH_UP = timedelta(days=7)  # issues missed while nobody ran are read late, but not years of them

# Founder's systems, old and new, and others seen
SHEET = re.compile(r"/(?:node_\w+|nbs\.[\w.-]+|page\d\w*|layout_?\w*|ban_?\d+|\d{1,2}ban)\.s?html?$", re.IGNORECASE)
ARTICLE = re.compile(
    r"/(?:content_\w+|nw\.[\w.-]+|con-\d+|c\d{3,}(?:_\d+)?|arti(?:cle|cel)\w*\d|art_\w+|t\d{8}_\d+)\.s?html?$"
    r"|/article/\d+|/c/\d{6}/\d{2}/c\d+",
    re.IGNORECASE,
)
_SHEET_NAME = re.compile(
    r"(?:第\s*)?[A-Z]?\d{1,3}\s*版|(?:第\s*)?[〇零一二三四五六七八九十]{1,3}版|[A-Z]\d{2}(?!\d)"
)  # 第05版：要闻
_FIELD = re.compile(r"\{((?:yyyy|yy|mm|dd|[-/_.])+)\}", re.IGNORECASE)
_JUMP = re.compile(r"(?:location(?:\.href)?\s*=|location\.replace\s*\()\s*[\"']([^\"']+)[\"']", re.IGNORECASE)
_REFRESH = re.compile(r"url\s*=\s*[\"']?([^\"'>\s]+)", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?!\d)")


def is_template(url: str) -> bool:
    """Whether the address has a place for a day."""
    return "%Y" in url or _FIELD.search(url) is not None


def issue_address(url: str, day: date) -> str:
    """The address of the issue of one day."""

    def field(found: re.Match[str]) -> str:
        words = found[1].lower()
        for word, code in (("yyyy", "%Y"), ("yy", "%y"), ("mm", "%m"), ("dd", "%d")):
            words = words.replace(word, day.strftime(code))
        return words

    filled = _FIELD.sub(field, url)
    if "%Y" in filled:  # only then: %d alone may begin a percent-encoded byte
        for code in ("%Y", "%m", "%d"):
            filled = filled.replace(code, day.strftime(code))
    return filled


def issue_day(url: str) -> date | None:
    """The day an address names, as 2024-03/05, 202403/05 or 20240305."""
    parts = urlsplit(url)
    found = _DAY.search(parts.path) or _DAY.search(parts.query)
    named = links.calendar(*found.groups()) if found else None
    return date.fromisoformat(named) if named else None


def entries(source: Source, now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """Today's issue and earlier ones: back to `backfill` the first time, later to the day of the last good reading."""
    if not is_template(source.url):
        return (source.url,)
    zone = ZoneInfo(source.timezone)
    today = now.astimezone(zone).date()
    if since is None:
        oldest = today - (source.backfill or timedelta(0))
    else:  # that day's issue may have come after the reading
        oldest = min(max(since.astimezone(zone).date(), today - CATCH_UP), today)
    days = (today - timedelta(days=n) for n in range((today - oldest).days + 1))
    return tuple(issue_address(source.url, day) for day in days)


def find(
    source: Source, url: str, html: str, document: Document, now: datetime, first: datetime | None = None
) -> Found:
    """The articles of a sheet, and the other sheets of the same issue; from a front door, the issue it leads to."""
    if jsonlist.is_json(html):
        return _of_index(source, url, html)
    tree = links.tree(html, document)
    if tree is None:
        return Found()
    anchors = list(links.anchors(tree, url))
    day = issue_day(url)
    articles = [a for a in anchors if ARTICLE.search(urlsplit(a.url).path)]
    named_articles = {a.url for a in articles}
    sheets = [a.url for a in anchors if SHEET.search(urlsplit(a.url).path) and a.url not in named_articles]
    day = day or _latest([*sheets, *(a.url for a in articles)], source, now)
    if not articles and day is not None:  # a system that we do not know: what bears the day of the issue
        dated = [a for a in anchors if issue_day(a.url) == day and a.url != url]
        sheets += [a.url for a in dated if _SHEET_NAME.match(a.title)]
        articles = [a for a in dated if a.url not in sheets and len(a.title) >= _LEAST_TITLE]
    listed = links.once(
        Link(a.url, a.title, model.iso(day or issue_day(a.url))) for a in articles if _same_issue(a.url, day)
    )
    further = [s for s in sheets if _same_issue(s, day)] or ([] if listed else _jumps(tree, html, url))
    named = tuple(dict.fromkeys(s for s in further if s != url))
    listed = links.allowed(source, listed)
    return found(links.chosen(source, listed, None), named, seen=len(listed))


def _of_index(source: Source, url: str, text: str) -> Found:
    """An issue as JSON: its articles, over all sheets, and where an index only names them, the sheets."""
    day = issue_day(url)
    named = [link for link in jsonlist.every(source, url, text) if _same_issue(link.url, day)]
    sheets = [link.url for link in named if SHEET.search(urlsplit(link.url).path) or _SHEET_NAME.match(link.text)]
    listed = links.once(Link(x.url, x.text, model.iso(day) or x.date) for x in named if x.url not in sheets)
    listed = links.allowed(source, listed)
    return found(links.chosen(source, listed, None), tuple(dict.fromkeys(sheets)), seen=len(listed))


def _latest(addresses: Iterable[str], source: Source, now: datetime) -> date | None:
    """The newest day that the addresses name and that has come: a front door's calendar names others too."""
    today = now.astimezone(ZoneInfo(source.timezone)).date()
    return max((day for url in addresses if (day := issue_day(url)) and day <= today), default=None)


def _same_issue(url: str, day: date | None) -> bool:
    return day is None or issue_day(url) in (None, day)


def _jumps(tree: LexborHTMLParser, html: str, url: str) -> list[str]:
    """Where a front door without links leads: a refresh or a script that sets the location."""
    wanted = [
        found[1]
        for node in tree.css("meta[http-equiv][content]")
        if (node.attributes.get("http-equiv") or "").lower() == "refresh"
        and (found := _REFRESH.search(node.attributes.get("content") or ""))
    ]
    wanted += [found[1] for found in _JUMP.finditer(html)]
    targets = (links.resolve(links.base_address(tree, url), href) for href in wanted)
    return [target for target in targets if target and links.same_site(target, url)][:3]
