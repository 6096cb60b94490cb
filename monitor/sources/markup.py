"""XML that is read without a parser's trust: feeds, sitemaps and record lists, broken ones included.

A strict parser gives up at the first bare `&`, and one that knows entities can be made to expand them without end. Here
nothing is expanded but the character references of HTML, nothing nests, and every character is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import unescape

MOST_RECORDS = 60_000  # a sitemap may hold 50,000 addresses
VALUE = 8_000  # characters of a value that are kept

_SKIPPED = (("<!--", "-->"), ("<?", "?>"), ("<!", ">"))
_NAME = re.compile(r"</?\s*([\w:.-]{1,80})")
_ATTRIBUTE = re.compile(r"([\w:.-]{1,80})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))")
_TAGS = re.compile(r"<[^<>]{0,2000}>")
_BLANKS = re.compile(r"\s+")


@dataclass(slots=True)
class Value:
    """One element inside a record: its text, and its attributes in lower case."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(slots=True)
class Record:
    """One `<item>`, `<url>` … with the elements that stand directly in it or, with a prefix, deeper (news:title)."""

    name: str
    values: list[Value] = field(default_factory=list)

    def first(self, *names: str) -> str:
        """The text of the first of these elements that has one, the earlier name winning."""
        for name in names:
            for value in self.values:
                if value.name == name and value.text.strip():
                    return value.text.strip()
        return ""


def root(text: str) -> str:
    """The name of the outermost element in lower case, or nothing."""
    for kind, piece in _tokens(text[:20_000]):
        if kind == "open" and (name := _NAME.match(piece)):
            return name[1].lower()
        if kind == "text" and piece.strip(" \t\r\n\ufeff]>"):  # ]> ends a DOCTYPE
            return ""
    return ""


def records(text: str, names: Collection[str]) -> Iterator[Record]:
    """Every element with one of these names (lower case), at most MOST_RECORDS. What never closes ends at the next."""
    current: Record | None = None
    open_: list[Value] = []
    count = 0
    for kind, piece in _tokens(text):
        found = _NAME.match(piece) if kind in ("open", "close") else None
        name = found[1].lower() if found else ""
        if name in names:
            if current is not None:
                yield current
                count += 1
            if count >= MOST_RECORDS:
                return
            current, open_ = (Record(name), []) if kind == "open" else (None, [])
        elif current is None:
            continue
        elif kind == "open":
            _opened(current, open_, name, piece)
        elif kind == "close":
            if any(value.name == name for value in open_):
                while open_.pop().name != name:
                    pass
        elif open_ and len(open_[-1].text) < VALUE:
            open_[-1].text += piece[:VALUE] if kind == "data" else unescape(piece[:VALUE])
    if current is not None:
        yield current


def _opened(current: Record, open_: list[Value], name: str, piece: str) -> None:
    attributes = {k.lower(): unescape(a or b or c) for k, a, b, c in _ATTRIBUTE.findall(piece[:4000])}
    value = Value(name, attributes)
    if not open_ or ":" in name:
        current.values.append(value)
    if not piece.endswith("/>") and len(open_) < 40:
        open_.append(value)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(open | close | text | data, piece). What never closes reaches to the end, so the walk is one."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield "text", text[at:start]
        if text.startswith("<![CDATA[", start):
            end = text.find("]]>", start)
            end = len(text) if end < 0 else end
            yield "data", text[start + 9 : end]
            at = end + 3
            continue
        skipped = next((close for opens, close in _SKIPPED if text.startswith(opens, start)), None)
        end = text.find(skipped or ">", start + 1)
        end = len(text) if end < 0 else end + len(skipped or ">")
        if skipped is None:
            yield ("close" if text.startswith("</", start) else "open"), text[start:end]
        at = end
    if at < len(text):
        yield "text", text[at:]


def plain(text: str) -> str:
    """A title as one line: feeds put HTML into it, often escaped twice."""
    return _BLANKS.sub(" ", unescape(_TAGS.sub("", unescape(text)))).strip()
