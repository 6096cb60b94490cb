"""What a list's address may answer with beside a page: XML, JSON, and either of them packed."""

from __future__ import annotations

import zlib
from dataclasses import replace

from monitor.model import Failure, Fetch
from monitor.sources import feed, jsonlist, markup, sitemap

_GZIP = b"\x1f\x8b"


def opened(fetch: Fetch, limit: int) -> Fetch:
    """The answer with a packed body (sitemap.xml.gz) unpacked to at most `limit` bytes; else a failure of it."""
    if fetch.failure is not None or not fetch.body.startswith(_GZIP):
        return fetch
    unpacking = zlib.decompressobj(31)
    try:
        body = unpacking.decompress(fetch.body, limit + 1)
    except zlib.error as error:
        return replace(fetch, failure=Failure("truncated", f"damaged gzip file: {error}", fetch.status))
    if len(body) > limit:
        return replace(fetch, failure=Failure("too_large", f"more than {limit} bytes when unpacked", fetch.status))
    if not unpacking.eof:
        return replace(fetch, failure=Failure("truncated", "the gzip file ends too early", fetch.status))
    return replace(fetch, body=body, headers={**fetch.headers, "content-type": "text/xml"})


def is_data(text: str, kind: str) -> bool:
    """Whether this is a list for programs and no page, for a source of this kind."""
    root = markup.root(text)
    if root:
        return root in feed.ROOTS or root in sitemap.ROOTS or root == "datastore"
    return jsonlist.is_json(text) or (kind == "sitemap" and text.lstrip("\ufeff \r\n")[:4].lower() == "http")
