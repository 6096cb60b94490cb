"""Articles that stand in a script and not in the page: linked data (schema.org), the state of an application.

Pages that are built in the browser often carry what they show as JSON: `application/ld+json`, `__NEXT_DATA__`,
`window.__INITIAL_STATE__ = {…}`. The text is the longest value with sentences whose name says that it is one.
"""

from __future__ import annotations

import html as entities
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.text import dates

MOST_NODES = 50_000  # values of a page's JSON that are looked at
SCRIPTS = 200  # scripts of a page that are looked at
LEAST = 60  # characters of a text
SENTENCES = 2  # full stops in it

_SCRIPT = re.compile(r"<script\b([^<>]{0,500})>", re.IGNORECASE)
_JSON_TYPE = re.compile(r"type\s*=\s*[\"']?[\w/.+-]*json", re.IGNORECASE)
_STATE = re.compile(r"^\s*(?:(?:var|let|const)\s+|window\s*[.\[]\s*[\"']?)?[\w$.]{3,60}[\"']?\]?\s*=\s*(?=[{\[])")
_BODY = re.compile(r"(?:body|content|contents|text|txt|html|detail|zhengwen|zw)$", re.IGNORECASE)
_NO_BODY = re.compile(r"comment|copyright|share|desc|abstract|summary|agreement|privacy|introduc", re.IGNORECASE)
_DAY = re.compile(r"date|time", re.IGNORECASE)
_OTHER_DAY = re.compile(r"modif|update|edit|end|expire", re.IGNORECASE)
_TAG = re.compile(r"</?(?:p|div|br|span|section|table|h[1-6])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Held:
    """A text as HTML, and the day that stands beside it."""

    html: str
    day: str | None


def held(source: str) -> Held | None:
    """The article in a page's scripts, if there is one."""
    best: tuple[int, Held] | None = None
    for value in _values(source):
        for row in _mappings(value):
            for name, text in row.items():
                if not isinstance(text, str) or len(text) < LEAST or not _is_body(name):
                    continue
                stops = text.count("。")
                if stops >= SENTENCES and (best is None or stops > best[0]):
                    best = stops, Held(_as_html(text), _day(row))
    return best[1] if best else None


def _is_body(name: str) -> bool:
    return _BODY.search(name) is not None and _NO_BODY.search(name) is None


def _values(source: str) -> Iterator[Any]:
    """The JSON of each script that is some, or that sets a variable to some."""
    decoder, at = json.JSONDecoder(strict=False), 0
    for _ in range(SCRIPTS):
        opened = _SCRIPT.search(source, at)
        if opened is None:
            return
        end = source.find("</", opened.end())
        while end >= 0 and source[end + 2 : end + 8].lower() != "script":
            end = source.find("</", end + 2)
        content = source[opened.end() : end if end >= 0 else len(source)]
        at = end if end >= 0 else len(source)
        state = _STATE.match(content)
        if state is None and not _JSON_TYPE.search(opened[1]):
            continue
        try:
            yield decoder.raw_decode(content[state.end() :] if state else content.strip())[0]
        except (ValueError, RecursionError):
            continue


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a value, outer ones first, within bounds."""
    todo, count = [value], 0
    while todo and count < MOST_NODES:
        node = todo.pop(0) if len(todo) < 100 else todo.pop()
        count += 1
        if isinstance(node, dict):
            yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _as_html(text: str) -> str:
    if "&lt;" in text and not _TAG.search(text):
        text = entities.unescape(text)
    if _TAG.search(text):
        return text
    return "".join(f"<p>{entities.escape(line)}</p>" for line in text.splitlines())


def _day(row: Mapping[str, Any]) -> str | None:
    """The first day among the values beside the text whose names speak of one."""
    named = (str(v) for k, v in row.items() if _DAY.search(k) and not _OTHER_DAY.search(k) and isinstance(v, str))
    return next((day for value in named if (day := dates.first(value[:60]))), None)
