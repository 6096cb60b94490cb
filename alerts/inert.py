"""Strings that came from a page, made harmless before they reach a message.

What HTML needs is left to the template's autoescape; this is about what no escape helps against: control characters
and ANSI sequences (terminals), line breaks (mail headers), direction overrides (text that reads as something else),
lone surrogates (no encoder takes them), and length.
"""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINES = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
# C0 and C1 controls, soft hyphen, zero width and direction characters, byte order mark
_HIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BLANKS = re.compile(r"[ \u00a0\u3000]{2,}")
_SCHEMES = ("http://", "https://")


def clean(text: object, limit: int = 100_000) -> str:
    """The text without hidden characters, line feeds kept, cut to `limit` characters with an ellipsis."""
    said = str(text)[: 2 * limit + 64]  # a megabyte of title is not worth reading to its end
    said = _SURROGATES.sub("\ufffd", _ANSI.sub("", _LINES.sub("\n", said)))
    said = _HIDDEN.sub("", said)
    return cut(said, limit)


def one_line(text: object, limit: int = 300) -> str:
    """`clean`, on one line, blanks collapsed: fit for a header, a table cell, a terminal."""
    said = str(text)[: 2 * limit + 64]
    return cut(_BLANKS.sub(" ", clean(_BREAKS.sub(" ", said), 2 * limit + 64)).strip(), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis if something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def link(url: object) -> str | None:
    """An address that may become a link: http or https, no blanks or controls, at most 2,000 characters."""
    address = str(url or "")
    fine = address.lower().startswith(_SCHEMES) and len(address) <= 2000
    return address if fine and not re.search(r"[\s\x00-\x20\x7f\"<>]", address) else None
