"""robots.txt by RFC 9309: what may be read, and how fast. Parsing is protego's.

2xx: its rules. 4xx, or redirected too often: everything may be read. 5xx: nothing may, unless a copy not older than a
day past its own day is known. No connection at all: the check fails with that reason.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, unquote_to_bytes

from protego import Protego

from monitor.fetch.failures import StoppedError
from monitor.text.decode import decode

MOST_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much has to be read
FRESH = timedelta(hours=24)
STALE = timedelta(hours=48)  # while the server answers 5xx or nothing
REFUSAL = timedelta(minutes=10)  # how long a 5xx is believed before it is asked again
MOST_CRAWL_DELAY = 3600.0  # seconds
MOST_HOSTS, MOST_CHARS = 5000, 4_000_000  # whose rules are kept in memory, and the length of their texts together
LONG = 20_000  # characters: parsing more than this is left to a thread

Kept = tuple[str, int, datetime]  # text, status, when it was read
Recall = Callable[[str], Awaitable[Kept | None]]
Remember = Callable[[str, str, int, datetime], Awaitable[None]]
Get = Callable[[], Awaitable[tuple[int, bytes]]]  # status and body of robots.txt, redirects followed


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says to us. `refusal` is set where nothing may be read, and says why."""

    at: datetime
    parsed: Protego | None = None
    refusal: str | None = None
    size: int = 0  # characters

    def allows(self, url: str, token: str) -> bool:
        if self.parsed is None or self.refusal is not None:
            return self.refusal is None
        return all(self.parsed.can_fetch(spelt, token) for spelt in _spellings(url))

    def crawl_delay(self, token: str) -> float:
        """Seconds, 0 where none is asked."""
        delay = self.parsed.crawl_delay(token) if self.parsed else None
        return min(max(delay or 0.0, 0.0), MOST_CRAWL_DELAY)


def product_token(user_agent: str) -> str:
    """The name by which robots.txt may speak to us: `mubiao` of `mubiao/0.1 (+https://…)`."""
    found = re.match(r"[A-Za-z_-]+", user_agent)
    return found[0].lower() if found else "*"


class Robots:
    """The rules of each host, read once a day. `recall` and `remember` keep them over a restart."""

    def __init__(self, user_agent: str, recall: Recall | None = None, remember: Remember | None = None) -> None:
        self.token = product_token(user_agent)
        self._recall, self._remember = recall, remember
        self._rules: OrderedDict[str, Rules] = OrderedDict()
        self._reading: dict[str, asyncio.Lock] = {}
        self._chars = 0

    def known(self, key: str) -> Rules | None:
        """What was read of this host, None where nothing was."""
        return self._rules.get(key)

    async def rules(self, key: str, now: datetime, get: Get) -> Rules:
        """The rules of a host; `get` reads the file where no fresh copy is known, and its errors pass through."""
        known = await self._fresh(key, now)
        if known:
            return known
        lock = self._reading.setdefault(key, asyncio.Lock())
        async with lock:  # several pages of one host begin together: one of them asks
            known = await self._fresh(key, now)
            if not known:
                known = await self._read(key, now, get)
                self._keep(key, known)
        self._reading.pop(key, None)
        return known

    async def _fresh(self, key: str, now: datetime) -> Rules | None:
        rules = self._rules.get(key)
        if rules is None and self._recall:
            kept = await self._recall(key)
            if kept:
                rules = await _parse(kept[1], kept[0], kept[2])
                self._keep(key, rules)
        if rules and now - rules.at < (REFUSAL if rules.refusal else FRESH):
            return rules
        return None

    async def _read(self, key: str, now: datetime, get: Get) -> Rules:
        old = self._rules.get(key)
        usable = old if old and not old.refusal and now - old.at < STALE else None
        try:
            status, body = await get()
        except StoppedError:
            if usable:
                return usable
            raise
        if status >= 500:
            return usable or Rules(now, refusal=f"robots.txt answered {status}, so nothing may be read (RFC 9309)")
        text = await _text(body[:MOST_BYTES]) if 200 <= status < 300 else ""
        if self._remember:
            await self._remember(key, text, status, now)
        return await _parse(status, text, now)

    def _keep(self, key: str, rules: Rules) -> None:
        old = self._rules.pop(key, None)
        self._rules[key] = rules
        self._chars += rules.size - (old.size if old else 0)
        while len(self._rules) > MOST_HOSTS or self._chars > MOST_CHARS:
            self._chars -= self._rules.popitem(last=False)[1].size


async def _text(body: bytes) -> str:
    """RFC 9309 wants UTF-8; the editors of old sites write GBK."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return (await asyncio.to_thread(decode, body)).text


def _spellings(url: str) -> Iterator[str]:
    """An address, and the same with its Chinese characters in UTF-8 where they stand in GBK: so rules write them."""
    yield url
    if "%" in url and (raw := unquote_to_bytes(url)) and not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            yield quote(raw.decode("gb18030", "replace"), safe="/:?#[]@!$&'()*+,;=%")


async def _parse(status: int, text: str, at: datetime) -> Rules:
    if not text or not 200 <= status < 300:
        return Rules(at)
    parsed = Protego.parse(text) if len(text) < LONG else await asyncio.to_thread(Protego.parse, text)
    return Rules(at, parsed, size=len(text))
