"""The walk over a list: its pages, a newspaper's sheets, a feed or a sitemap's parts, each fetched in its turn."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.assess import Reading
from monitor.fetch.client import Fetcher
from monitor.model import GONE_WORDS, Failure, Fetch, Link, Page, Source
from monitor.sources import posted
from monitor.sources.kinds import KINDS

MOST_SHEETS = 200  # list pages, newspaper sheets or sitemaps read in one check
_END = GONE_WORDS | {"wrong_document", "empty", "redirect_home"}  # of a further page: the list ends before it


@dataclass(slots=True)
class Walked:
    """What the pages of a list name together: `first` None where no issue came out, `trouble` the first failure."""

    first: Reading | None = None
    trouble: tuple[Fetch, Failure] | None = None
    documents: dict[str, Link] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def take(self, reading: Reading) -> int:
        """Add what one page names; returns how many documents it speaks of, those that are not followed too."""
        self.first = self.first or reading
        if reading.found is None:
            return 0
        self.warnings += [f"{reading.fetch.url}: {warning}" for warning in reading.found.warnings]
        for link in reading.found.documents:
            known = self.documents.get(link.url, link)
            self.documents[link.url] = replace(known, text=known.text or link.text, date=known.date or link.date)
        return reading.found.seen


async def walk(
    fetcher: Fetcher,
    source: Source,
    page: Page,
    read: Callable[[Fetch], Awaitable[Reading]],
    now: Callable[[], datetime],
) -> Walked:
    """Read a list from its first page on: as many pages as `pages` says that name something, or all sheets of an issue.

    `read` judges and reads one answer. A further page that is not there is the end of the list, not a failure.
    """
    done = Walked()
    todo = deque(KINDS[source.kind].entries(source, now(), page.last_good))
    starts, seen = set(todo), set(todo)
    read_already = set[bytes]()  # a server that does not know the page's number gives the first one for ever
    left = source.pages if source.kind in ("listing", "feed") else MOST_SHEETS
    while todo and left > 0:
        url = todo.popleft()
        asked = replace(page, url=url, etag=None, last_modified=None)
        fetch = await fetcher.fetch(source, asked, now(), posted.data(source, url))
        reading = await read(fetch)
        if reading.failure is not None:
            if source.kind == "epaper" and reading.failure.error in GONE_WORDS:
                continue  # no issue today is normal
            if url in starts or reading.failure.error not in _END:
                done.trouble = done.trouble or (fetch, reading.failure)
            else:
                done.warnings.append(f"{url}: {reading.failure.error}: {reading.failure.detail}")
            continue
        left -= done.take(reading) > 0
        mark = hashlib.sha256(fetch.body).digest()
        if mark in read_already and source.kind == "listing":
            todo.clear()
        elif reading.found is not None:
            read_already.add(mark)
            fresh = [x for x in reading.found.entries if x not in seen][: MOST_SHEETS - len(seen)]
            seen.update(fresh)
            todo.extend(fresh)
    return done
