"""Lists that a page's script asks for: JSON of the common content systems, and any other by a template.

Which of the many arrays is the list, and which field the title, is seen from the names that content systems give them;
`fields` of sources.yaml says it where they have other names, or no address at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from monitor.model import Link, Source
from monitor.sources import links, markup

MOST_NODES = 200_000  # values of an answer that are looked at
MOST_ROWS = 10_000
DEEP = 8

_WRAPPED = re.compile(r"^\s*(?:/\*\*/)?\s*[\w$.]{1,80}\(\s*(?=[\[{])")
_JSON = re.compile(r"^[\s\ufeff]*(?:(?:/\*\*/)?\s*[\w$.]{1,80}\(\s*)?[\[{]\s*[\"{\[\]}]")
_FIELD = re.compile(r"\{([\w.]+)\}")
_TITLES = (
    "title", "doctitle", "articletitle", "showtitle", "infotitle", "newstitle", "docsubtitle", "titlename", "headline",
    "subject", "topic", "name", "bt", "biaoti",
)  # fmt: skip
_ADDRESSES = (
    "url", "link", "href", "docpuburl", "docurl", "puburl", "linkurl", "htmlurl", "articleurl", "arturl", "pageurl",
    "detailurl", "infourl", "visiturl", "weburl", "urls", "htmlpath", "path",
)  # fmt: skip
_DAYS = (
    "publishedtimestr", "publishtime", "publishdate", "publishedtime", "published", "pubdate", "pubtime", "docreltime",
    "docpubtime", "releasetime", "releasedate", "firstpublishtime", "showtime", "showdate", "displaydate", "date",
    "datepublished", "docdate", "writetime", "writedate", "time", "createtime", "createdate", "createdat", "inputtime",
    "updatetime",
)  # fmt: skip
_TOTALS = ("total", "totalcount", "totalrecord", "totalrecords", "totalelements", "totalnum", "recordcount", "count")
_PICTURE = re.compile(r"img|image|pic|thumb|cover|logo|icon|video|audio|qr|avatar|site|column|channel")


@dataclass(frozen=True, slots=True)
class Listed:
    """What an answer names. `pieces` are HTML that it holds; `pages` says how many pages there are, None: not said."""

    documents: tuple[Link, ...] = ()
    pieces: tuple[str, ...] = ()
    pages: int | None = None


def is_json(text: str) -> bool:
    """Whether this is JSON, or JSON in a callback, and no page."""
    return _JSON.match(text[:200]) is not None


def load(text: str) -> Any:
    """The value, or None for what is none or nests too deep."""
    wrapped = _WRAPPED.match(text)
    try:
        body = text[wrapped.end() :] if wrapped else text.lstrip("\ufeff \t\r\n")
        return json.JSONDecoder(strict=False).raw_decode(body)[0]
    except (ValueError, RecursionError):
        return None


def read(source: Source, url: str, text: str) -> Listed:
    """The list in a JSON answer: the array with the most items that have a title and an address."""
    value = load(text)
    nodes = list(_nodes(value))
    if source.fields is not None and source.fields.items:
        chosen = _at(value, source.fields.items)
        arrays = [chosen] if isinstance(chosen, list) else []
    else:
        arrays = [node for node in nodes if isinstance(node, list)]
    named = [[link for row in array[:MOST_ROWS] if (link := _link(source, url, row))] for array in arrays]
    best = max(range(len(named)), key=lambda n: len(named[n]), default=None)
    documents = named[best] if best is not None else []
    pieces = (
        [] if documents else [n for n in nodes if isinstance(n, str) and "<a " in n.lower() and "href" in n.lower()]
    )
    return Listed(
        tuple(links.once(documents)), tuple(pieces[:50]), _pages(nodes, arrays[best] if best is not None else [])
    )


def every(source: Source, url: str, text: str) -> list[Link]:
    """Everything in an answer that has a title and an address, whatever array holds it."""
    named = (link for node in _nodes(load(text)) if (link := _link(source, url, node)))
    return links.once(islice(named, MOST_ROWS))


def _nodes(value: Any) -> Iterator[Any]:
    """Every list, mapping and text of a value, outer ones first, within bounds."""
    level, count = [value], 0
    for _ in range(DEEP):
        deeper: list[Any] = []
        for node in level:
            count += 1
            if count > MOST_NODES:
                return
            yield node
            if isinstance(node, Mapping):
                deeper += node.values()
            elif isinstance(node, list):
                deeper += node
        level = deeper


def _at(value: Any, path: str) -> Any:
    """What stands at `data.rows` or `data.0.list`; None where nothing does."""
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _link(source: Source, url: str, row: Any) -> Link | None:
    if not isinstance(row, Mapping):
        return None
    fields = source.fields
    title = _at(row, fields.title) if fields and fields.title else _named(row, _TITLES, "title", str)
    address = _filled(row, fields.address) if fields and fields.address else _address(row)
    if not isinstance(title, str | int) or not isinstance(address, str):
        return None
    target = links.resolve(url, links.scripted(address) or address)
    name = links.clean(markup.plain(str(title)))[: links.TITLE]
    if target is None or not name or target == url or links.is_skipped(target):
        return None
    shown = _at(row, fields.date) if fields and fields.date else _named(row, _DAYS, ("date", "time"), str | int | float)
    return Link(target, name, day(shown, source) or links.address_date(target))


def _filled(row: Mapping[str, Any], template: str) -> str | None:
    """`/detail.html?id={docId}` with the row's values, or the field of that name; None where one is missing."""
    if not _FIELD.search(template):
        value = _at(row, template)
        return str(value) if isinstance(value, str | int) else None
    values = {name: _at(row, name) for name in _FIELD.findall(template)}
    if any(value in (None, "") or isinstance(value, Mapping | list) for value in values.values()):
        return None
    return _FIELD.sub(lambda found: str(values[found[1]]), template)


def _named(row: Mapping[str, Any], names: Sequence[str], ends: str | tuple[str, ...], kind: Any) -> Any:
    """The first value of the right type under one of these names, else under a name that ends so."""
    plain = {re.sub(r"[_\-\s]", "", str(key)).lower(): value for key, value in row.items()}
    usable = {k: v for k, v in plain.items() if isinstance(v, kind) and not isinstance(v, bool) and v not in ("", 0)}
    for name in names:
        if name in usable:
            return usable[name]
    return next((v for k, v in usable.items() if k.endswith(ends) and not _PICTURE.search(k)), None)


def _address(row: Mapping[str, Any]) -> str | None:
    found = _named(row, _ADDRESSES, ("url", "link", "href"), str)
    return found if isinstance(found, str) and re.search(r"[/.?]", found) else None


def day(value: Any, source: Source) -> str | None:
    """A day from a text, from seconds or milliseconds since 1970 (at the source's place), or None."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) in (10, 13):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > 100_000_000_000 else value
        if not 0 < seconds < 4_102_444_800:
            return None
        shown = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(source.timezone))
        return shown.date().isoformat()
    return links.written_day(value[:60]) if isinstance(value, str) else None


def _pages(nodes: Sequence[Any], rows: Sequence[Any]) -> int | None:
    """How many pages there are, from the total that stands beside the list."""
    for node in nodes:
        if not isinstance(node, Mapping) or not rows:
            continue
        plain = {re.sub(r"[_\-\s]", "", str(key)).lower(): value for key, value in node.items()}
        total = next((plain[name] for name in _TOTALS if str(plain.get(name, "")).isdecimal()), None)
        if total is not None:
            return -(-int(total) // len(rows))
    return None
