"""A newspaper article that goes on at another sheet: "（下转第三版）" at its end, "（上接第一版）" over the rest."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from monitor.model import Document
from monitor.sources import epaper, links

_NUMBER = r"第?\s*([A-Z]?\d{1,3}|[一二三四五六七八九十]{1,3})\s*版"
_ON = re.compile(rf"[（(【\[]?\s*(?:下转|紧转|转)\s*{_NUMBER}\s*[）)】\]]?\s*[。]?\s*$")
_FROM = re.compile(rf"^\W*(?:上接|紧接|接)\s*{_NUMBER}(?:[^）)】\]]{{0,20}}[）)】\]])?\W{{0,2}}\s*")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九十")}
_TAIL = 3  # paragraphs at the end among which the hint stands: an author may follow


def goes_on(document: Document) -> str | None:
    """The sheet on which the article goes on, as 3 or A3; None for one that ends where it stands."""
    found = next((m for p in document.paragraphs[-_TAIL:] if (m := _ON.search(p[-40:]))), None)
    return _plain(found[1]) if found else None


def sheet(url: str, html: str, number: str) -> str | None:
    """The address of that sheet of the same issue, as the article's page names it."""
    day = epaper.issue_day(url)
    for anchor in links.anchors(LexborHTMLParser(html[: links.READ]), url):
        if epaper.issue_day(anchor.url) != day or day is None:
            continue
        named = re.search(_NUMBER, anchor.title) or re.match(r"([A-Z]?\d{1,3})(?!\d)", anchor.title)
        told = named[1] if named else _file_number(anchor.url)
        if told is not None and _plain(told) == number and (named or epaper.SHEET.search(urlsplit(anchor.url).path)):
            return anchor.url
    return None


def rest(url: str, html: str, title: str | None) -> str | None:
    """The article on that sheet which is the rest: titled as a continuation, or the same."""
    name = _words(title or "")
    same = None
    for anchor in links.anchors(LexborHTMLParser(html[: links.READ]), url):
        if not epaper.ARTICLE.search(urlsplit(anchor.url).path):
            continue
        if "上接" in anchor.title and (not name or _words(anchor.title.split("上接")[0])[:6] in (name[:6], "")):
            return anchor.url
        if name and _words(anchor.title) == name:
            same = same or anchor.url
    return same


def is_rest(document: Document) -> bool:
    """Whether a text says that it goes on from elsewhere."""
    return "上接" in (document.title or "") or any(_FROM.match(p) for p in document.paragraphs[:2])


def without_hints(paragraphs: tuple[str, ...], *, first: bool, last: bool) -> tuple[str, ...]:
    """The paragraphs of one part without the hints that lead from part to part."""
    kept = list(paragraphs)
    for at in range(max(0, len(kept) - _TAIL), len(kept)) if not last else ():
        kept[at] = _ON.sub("", kept[at])
    for at in range(min(2, len(kept))) if not first else ():
        kept[at] = _FROM.sub("", kept[at])
    return tuple(p for p in kept if p.strip())


def _plain(number: str) -> str:
    """3 for 03, 三 and 3; A3 for A03."""
    if number[0] in _DIGITS:
        tens, _, ones = number.rpartition("十")
        value = (_DIGITS.get(tens, 1) * 10 if "十" in number else 0) + _DIGITS.get(ones, 0)
        return str(value)
    return re.sub(r"^([A-Z]?)0+(?=\d)", r"\1", number)


def _file_number(url: str) -> str | None:
    found = re.search(r"node_([A-Z]?\d{1,3})\.s?html?$", urlsplit(url).path)
    return found[1] if found else None


def _words(text: str) -> str:
    return re.sub(r"\W+", "", text)
