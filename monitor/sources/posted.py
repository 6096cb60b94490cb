"""Lists that are asked for by POST, with the form or the JSON that their page's script sends (`post` of sources.yaml).

All pages of such a list may have one address. So each is known by its address with its number behind it as a fragment,
which is never sent: only what bears one is asked for by POST.
"""

from __future__ import annotations

import re

from monitor.model import Source
from monitor.sources import pager

JSON, FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded; charset=utf-8"

_NUMBER = re.compile(r"#page=(\d{1,4})$")


def address(source: Source, number: int) -> str:
    """The name of one page of the list; the first is 1."""
    return f"{pager.page_address(source.url, number)}#page={number}"


def split(url: str) -> tuple[str, int]:
    """(the address as it is asked for, the page's number); 0 for what is no page of such a list."""
    found = _NUMBER.search(url)
    return (url[: found.start()], int(found[1])) if found else (url, 0)


def data(source: Source, url: str) -> bytes:
    """What is sent for this page; nothing where it is not asked for by POST."""
    number = split(url)[1]
    return pager.filled(source.post, number).encode() if source.post is not None and number else b""


def content_type(sent: bytes) -> str:
    """JSON begins with a bracket, a form never does."""
    return JSON if sent.lstrip()[:1] in (b"{", b"[") else FORM


def further(source: Source, number: int, count: int | None) -> list[str]:
    """The pages behind this one, where the address or what is sent has a place for their number.

    `count`: how many there are, as the first page says; None: not said, so that each leads to the next.
    """
    if not (pager.is_template(source.url) or (source.post is not None and pager.is_template(source.post))):
        return []
    if count is None:
        return [address(source, number + 1)] if number < source.pages else []
    return [address(source, n) for n in range(2, min(source.pages, count) + 1)] if number == 1 else []
