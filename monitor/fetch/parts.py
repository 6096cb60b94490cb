"""The further pages of an article, each fetched in its turn: all of them make the document, or none does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from monitor.assess import Reading, text_sha256
from monitor.fetch.client import Fetcher
from monitor.model import GONE_WORDS, Failure, Fetch, Page, Source
from monitor.sources import parts, turning

LONG = 100_000  # characters of a page
MOST_BYTES = 4  # times `max_bytes`: all pages of an article together


async def whole(
    fetcher: Fetcher,
    source: Source,
    page: Page,
    reading: Reading,
    read: Callable[[Fetch], Awaitable[Reading]],
    now: Callable[[], datetime],
) -> Reading:
    """The reading of a document with all its pages. `read` judges and reads one answer.

    A page that cannot be read makes the whole a failure, so that a document never loses its end to a bad minute. The
    result has no validators: the first page stays the same while another changes.
    """
    if reading.failure is not None or reading.document is None or reading.decoded is None:
        return reading
    url = reading.fetch.final_url or reading.fetch.url
    places = {url: 0} | await _following(url, reading.decoded.text)
    got = {url: reading}
    while (address := next((u for u in places if u not in got), None)) is not None:
        fetch = await fetcher.fetch(source, replace(page, url=address, etag=None, last_modified=None), now())
        part = await read(fetch)
        got[address] = part
        failure = _failure(part, f"page {len(got)} of the article, {address}")
        if failure is None and sum(len(one.fetch.body) for one in got.values()) > MOST_BYTES * source.max_bytes:
            failure = Failure(
                "too_large", f"{len(got)} pages of one article are more than {MOST_BYTES} times max_bytes"
            )
        if failure is not None:
            return replace(reading, document=None, failure=failure)
        named = await _following(address, part.decoded.text) if part.decoded else {}
        fresh = [u for u in named if u not in places][: parts.MOST - len(places)]
        places |= {u: named[u] for u in fresh}
    every = [got[u] for u in sorted(got, key=lambda u: places[u])]
    end = every[-1]
    if end.document is not None and (number := turning.goes_on(end.document)) is not None:
        rest = await _turned(fetcher, source, page, end, number, read, now)
        if rest is not None and rest.failure is not None:
            return replace(reading, document=None, failure=_failure(rest, f"the rest of the article on sheet {number}"))
        every += [rest] if rest is not None else []
    return _joined(reading, every) if len(every) > 1 else reading


async def _following(url: str, html: str) -> dict[str, int]:
    """Away from the event loop where it may take long: 8,000 links of a hostile page take 0.3 s."""
    return parts.following(url, html) if len(html) < LONG else await asyncio.to_thread(parts.following, url, html)


async def _turned(
    fetcher: Fetcher,
    source: Source,
    page: Page,
    end: Reading,
    number: str,
    read: Callable[[Fetch], Awaitable[Reading]],
    now: Callable[[], datetime],
) -> Reading | None:
    """The rest of an article on another sheet of its issue; None where the issue does not show which one it is."""
    url, text, document = end.fetch.final_url or end.fetch.url, end.decoded.text if end.decoded else "", end.document
    sheet = turning.sheet(url, text, number)
    if sheet is None or document is None:
        return None
    fetch = await fetcher.fetch(source, replace(page, url=sheet, etag=None, last_modified=None), now())
    listed = await read(fetch)
    if fetch.failure is not None or listed.decoded is None:
        return replace(listed, failure=fetch.failure or Failure("empty", "no sheet"))
    address = turning.rest(sheet, listed.decoded.text, document.title)
    if address is None or address == url:
        return None
    fetch = await fetcher.fetch(source, replace(page, url=address, etag=None, last_modified=None), now())
    rest = await read(fetch)
    if rest.failure is None and (rest.document is None or not turning.is_rest(rest.document)):
        return None
    return rest


def _failure(part: Reading, place: str) -> Failure | None:
    """Why a further page cannot be read. That it is gone does not mean that its article is."""
    if part.failure is None and part.document is not None:
        return None
    why = part.failure or Failure("empty", "no text")
    return replace(why, error="truncated" if why.error in GONE_WORDS else why.error, detail=f"{place}: {why.detail}")


def _joined(reading: Reading, got: list[Reading]) -> Reading:
    document = parts.joined([part.document for part in got if part.document is not None])
    headers = {k: v for k, v in reading.fetch.headers.items() if k not in ("etag", "last-modified")}
    body = parts.pack([(part.fetch.final_url or part.fetch.url, part.fetch.body) for part in got])
    fetch = replace(reading.fetch, body=body, headers=headers)
    return replace(reading, fetch=fetch, document=document, sha256=text_sha256(document))
