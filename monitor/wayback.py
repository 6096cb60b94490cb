"""Captures of a web archive's server (CDX) become versions: the years before we watched.

A list of captures is asked for page by page (`showResumeKey`, or from the last moment seen where a server knows no
such key), equal digests in a row are one capture, and each is read as it was received (`id_`). Captures are kept in the
order of their dates; one that is not newer than what its page has is not asked for again, so a killed import goes on
where it was. All requests go the way of checks: guarded, by the host's pace, with its Retry-After.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from monitor import captures
from monitor.errors import UsageError
from monitor.fetch.client import Fetcher
from monitor.model import ARCHIVED, Config, Failure, Fetch, Page, Source, Vocabulary
from storage.store import Store

SERVER = "https://web.archive.org/cdx/search/cdx"
LISTED = 5000  # captures in one answer of a list
PACE = timedelta(seconds=2)  # least gap between two requests, unless the source says more
PATIENCE = timedelta(minutes=2)  # a capture that is slow in coming
TRIES = 3  # of a request that failed in a way that may pass
PASSING = frozenset({"timeout", "reset", "refused", "truncated", "http_5xx", "http_4xx", "held", "dns"})
SAME = timedelta(days=1)  # between a capture and the one that an archive gives in its place
_STAMP = re.compile(r"/(\d{14})(?:id_)?/")
_FIELDS = "timestamp,original,mimetype,statuscode,digest"
_NAMES = {"mime": "mimetype", "status": "statuscode", "url": "original"}  # as another server calls them
_UNREAD = ("image/", "video/", "audio/", "font/", "text/css", "text/javascript", "application/javascript")
Step = Callable[[int, int], object]  # captures done, of how many


@dataclass(frozen=True, slots=True)
class Capture:
    """One line of a list."""

    at: datetime
    stamp: str  # as the server writes it, fourteen digits
    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What of which server is wanted; the days are `YYYY-MM-DD`."""

    url: str
    server: str = SERVER
    since: str | None = None
    until: str | None = None

    def replay(self, capture: Capture) -> str:
        """The address of a capture, unchanged by the archive."""
        base = self.server.removesuffix("/")
        base = base.removesuffix("/cdx/search/cdx") + "/web" if base.endswith("/cdx/search/cdx") else base[:-4]
        return f"{base}/{capture.stamp}id_/{capture.url}"


class _NoListError(Exception):
    """A server that was asked for its list, and gave none: nothing is wrong with what it was asked."""


class Archive:
    """One import: where it comes from, and what it is kept under."""

    def __init__(
        self, store: Store, source: Source, fetcher: Fetcher, vocabulary: Vocabulary, copied: captures.Copied
    ) -> None:
        self._store, self._source, self._fetcher = store, source, fetcher
        self._vocabulary, self._copied = vocabulary, copied
        self._broken: list[str] = []
        delay = max(source.delay, PACE) if source.delay else source.delay  # 0s turns waiting off, as everywhere
        self._asking = replace(
            source,
            kind="page",
            delay=delay,
            timeout=max(source.timeout, PATIENCE),
            render="http",
            concurrency_per_host=1,
        )

    async def bring(self, asked: Asked, config: Config | None, now: datetime, step: Step) -> list[dict[str, Any]]:
        """Every capture of an address as a version, oldest first; a row for each. The first that the server cannot give
        for now ends it, named: what comes after it would bar it from its place. Broken lines of the list are failures,
        and so is a list that the server does not give.
        """
        none: dict[str, Any] = {"path": asked.server, "url": asked.url, "at": None, "result": "failed", "version": None}
        try:
            listed = [capture async for capture in self._listed(asked, now)]
        except _NoListError as wrong:
            return [none | {"why": str(wrong)}]
        if not listed and not self._broken:
            raise UsageError(f"{asked.server} has no capture of {asked.url}")
        self._store.add_source(self._source, now)
        address = self._address(asked, config)
        done = [none | {"why": f"a broken line of the list: {line[:60]}"} for line in self._broken]
        for number, capture in enumerate(listed):
            step(number, len(listed))
            page = self._store.entry(self._source.key, address, capture.at)
            row = {"path": asked.replay(capture), "url": asked.url, "at": capture.at}
            if page.last_good is not None and page.last_good >= capture.at:
                done.append(row | {"result": "known", "version": page.version})
                continue
            answer = await self._asked(asked.replay(capture), asked.server, now)
            if (why := _refused(answer) or _of_another_day(answer, capture)) is not None:
                done.append(row | {"result": "failed", "version": None, "why": f"{why.error}: {why.detail}"})
                if _may_pass(why, asked.server):
                    break
                continue
            seen = Fetch(address, capture.at, address, status=200, headers=answer.headers, body=answer.body)
            done.append(row | captures.keep(self._store, self._source, page, seen, self._vocabulary, self._copied))
        step(len(listed), len(listed))
        return done

    def _address(self, asked: Asked, config: Config | None) -> str:
        """Where the versions stand. A page that we watch goes on from today: what was before has a page beside it."""
        watched = config.source(self._source.key) if config is not None else None
        if watched is None or not watched.enabled:
            return asked.url
        return f"{_origin(asked.server)}{ARCHIVED}{asked.url}"

    async def _asked(self, url: str, server: str, now: datetime) -> Fetch:
        """Ask a few times, after as long as the server says; where that is too long, the answer is until when."""
        answer = Fetch(url, now, failure=Failure("held", "not asked"))
        for turn in range(TRIES):
            wait = self._fetcher.ready_in(self._asking, url, datetime.now(UTC)) if turn else 0.0
            await asyncio.sleep(wait if wait <= PATIENCE.total_seconds() else 0.0)
            answer = await self._fetcher.fetch(self._asking, Page(0, self._source.key, url), datetime.now(UTC))
            if (why := _refused(answer)) is None or not _may_pass(why, server):
                break
        return answer

    async def _listed(self, asked: Asked, now: datetime) -> AsyncIterator[Capture]:
        """The captures that are pages, oldest first, each but once where the next says the same."""
        key: str | None = None
        since, until = _day(asked.since, "since"), _day(asked.until, "until")
        last = digest = ""
        while True:
            given: dict[str, Any] = {
                "url": asked.url,
                "output": "json",
                "fl": _FIELDS,
                "limit": LISTED,
                "showResumeKey": "true",
            }
            given |= {"filter": "statuscode:200", "collapse": "digest"}
            given |= {"from": since, "to": until, "resumeKey": key}
            told = {name: word for name, word in given.items() if word}
            answer = await self._asked(f"{asked.server}?{urlencode(told)}", asked.server, now)
            if (why := _refused(answer)) is not None:
                said = f"{asked.server} gives no list: {why.error}: {why.detail}"
                if why.error == "guard":  # an address that may not be asked
                    raise UsageError(said)
                raise _NoListError(said)
            before, (lines, key, count, broken) = key, _lines(answer.body, asked.server)
            self._broken += broken
            fresh = sorted({c.stamp: c for c in lines if c.stamp > last}.values(), key=lambda c: c.stamp)
            for capture in fresh:
                if capture.digest != digest or not digest:
                    yield capture
                digest = capture.digest
            last = fresh[-1].stamp if fresh else last
            if key is None and (count < LISTED or not fresh):
                return
            if key is not None and key == before:
                raise _NoListError(f"{asked.server} gives the same part of its list again")
            since = since if key else last


def _refused(answer: Fetch) -> Failure | None:
    if answer.failure is not None:
        return answer.failure
    if answer.status == 200:
        return None
    word = "http_5xx" if (answer.status or 0) >= 500 else "http_4xx" if answer.status == 429 else "http_404"
    return Failure(word, f"HTTP {answer.status}", answer.status)


def _may_pass(why: Failure, server: str) -> bool:
    """Whether another try may bring it. A name that is not found may be that of a site a capture leads to."""
    return why.error in PASSING and (why.error != "dns" or (urlsplit(server).hostname or "") in why.detail)


def _of_another_day(answer: Fetch, capture: Capture) -> Failure | None:
    """An archive that lacks a capture leads to the one nearest in time, which may be years away."""
    if not answer.redirects or (found := _STAMP.search(answer.redirects[-1])) is None:
        return None
    try:
        away = abs(_moment(found[1]) - capture.at)
    except ValueError:
        return None
    return Failure("moved", f"the archive has that of {found[1]} in its place") if away > SAME else None


def _lines(body: bytes, server: str) -> tuple[list[Capture], str | None, int, list[str]]:
    """The pages of a list, the key that asks for more, how many lines it had, and those that are broken.

    It is a list of lists with a head, or an object in every line.
    """
    text = body.decode("utf-8", "replace").strip()
    rows = _rows(text, server)
    key: str | None = None
    if rows and isinstance(rows[0], list):
        head, *rows = rows
        if rows and isinstance(rows[-1], list) and len(rows[-1]) == 1 and len(head) > 1:
            key = str(rows.pop()[0])
        rows = [dict(zip(map(str, head), x, strict=True)) if _fits(x, head) else x for x in rows if x != []]
    captures, broken = list[Capture](), list[str]()
    for row in rows:
        try:
            capture = _capture({_NAMES.get(k, k): v for k, v in row.items()})
        except (AttributeError, ValueError):
            broken.append(str(row))
            continue
        if capture is not None:
            captures.append(capture)
    return captures, key, len(rows), broken


def _rows(text: str, server: str) -> list[Any]:
    """What the answer lists; a line that is no JSON stands as it is, unless none is."""
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except ValueError as wrong:
            raise _NoListError(f"{server} gives a broken list ({wrong}), at its end: {text[-60:]!r}") from wrong
    rows = [_plain(line) for line in text.splitlines()]
    if rows and not any(isinstance(row, dict) for row in rows):
        raise UsageError(f"{server} is no CDX server: {text[:60]!r}")
    return rows


def _plain(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _fits(row: Any, head: list[Any]) -> bool:
    return isinstance(row, list) and len(row) == len(head)


def _capture(row: dict[str, Any]) -> Capture | None:
    """None for what is no page. Raises ValueError for a line without a date."""
    stamp = str(row.get("timestamp", ""))
    at = _moment(stamp)
    kind = str(row.get("mimetype") or "text/html").lower()
    if row.get("statuscode") not in {"200", 200, "-"} or kind.startswith(_UNREAD):
        return None
    return Capture(at, stamp, str(row.get("original", "")), str(row.get("digest") or ""))


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _day(word: str | None, name: str) -> str | None:
    """A day as a list of captures wants it."""
    if word is None:
        return None
    try:
        return datetime.fromisoformat(word).strftime("%Y%m%d")
    except ValueError as wrong:
        raise UsageError(f"--{name} {word!r} is no date (2019-01-31)") from wrong


def _origin(server: str) -> str:
    parts = urlsplit(server)
    return f"{parts.scheme}://{parts.netloc}"
