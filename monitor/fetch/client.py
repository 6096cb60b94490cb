"""The only HTTP reader of pages: conditional, bounded, polite, guarded. A failed fetch is a result, not an exception.

Judging what an answer means (status 404, a challenge, a soft 404) is not done here: `failure` is set for trouble on
the way only, and an answer of any status comes back with its headers and the beginning of its body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from monitor import net
from monitor.fetch import body, failures
from monitor.fetch.failures import StoppedError, stop
from monitor.fetch.hosts import MOST_HOLD, Hosts, Pace
from monitor.fetch.robots import MOST_BYTES, Recall, Remember, Robots, Rules
from monitor.model import Fetch, Network, Page, Source

MOST_REDIRECTS = 5
FULL_EVERY = 20  # conditional answers in a row: then validators are not believed once
ERROR_BYTES = 256 * 1024  # how much of an answer other than 200 is read
HEADER_BYTES, HEADER_COUNT = 64 * 1024, 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_THE_HOST = frozenset({"dns", "refused", "tls", "guard", "held"})  # the same for robots.txt and the page
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TIMEOUTS = {
    "connect": net.CONNECT_TIMEOUT,
    "read": net.READ_TIMEOUT,
    "write": net.WRITE_TIMEOUT,
    "pool": None,
}


def host_key(url: str | httpx.URL) -> str:
    """The host whose patience a request costs: `name`, or `name:port` for another port than the scheme's.

    Lower case, IDNA. Raises httpx.InvalidURL. http and https of one name share one key.
    """
    url = httpx.URL(url)
    name = url.raw_host.decode("ascii").lower()
    name = f"[{name}]" if ":" in name else name
    port = url.port  # httpx drops the scheme's own
    return name if port in (None, 80, 443) else f"{name}:{port}"


def retry_after(fetch: Fetch, now: datetime) -> float | None:
    """Seconds for which a 429 or 503 asks to be left alone, in either form of RFC 9110; at most a day."""
    value = fetch.headers.get("retry-after", "").strip()
    if fetch.status not in (429, 503) or not value:
        return None
    if value.isascii() and value.isdecimal():
        seconds = float(value[:12])
    else:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), MOST_HOLD.total_seconds())


@dataclass(slots=True)
class _Check:
    """One check on its way: what is left of its time, and where it has been."""

    source: Source
    page: Page
    now: datetime
    began: float  # the event loop's clock
    left: float  # seconds of network time
    redirects: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    spent: float = 0.0
    reused: bool = False  # whether the last request went over a connection kept from before

    def time(self) -> datetime:
        """The time now, counted from the caller's `now`."""
        return self.now + timedelta(seconds=asyncio.get_running_loop().time() - self.began)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request. `whole`: a 200 has to be complete and within `limit` bytes; anything else is cut."""

    url: httpx.URL
    pace: Pace
    limit: int
    conditions: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class Fetcher:
    """Reads pages. One for the whole program, on one event loop; `aclose` at the end.

    `hosts` brings the running holds of an earlier life and the number of slots; `recall` and `remember` keep robots.txt
    texts (robots.Kept) by host over a restart.
    """

    def __init__(
        self,
        network: Network,
        *,
        pools: net.Pools | None = None,
        hosts: Hosts | None = None,
        recall: Recall | None = None,
        remember: Remember | None = None,
    ) -> None:
        self.pools = net.Pools(net.Guard(network)) if pools is None else pools
        self.hosts = Hosts() if hosts is None else hosts
        self.robots = Robots(network.user_agent, recall, remember)
        self._headers = {
            "User-Agent": network.user_agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
            "Accept-Encoding": body.ACCEPT_ENCODING,
        }

    @property
    def holds(self) -> Mapping[str, datetime]:
        """Hosts that asked to be left alone, and until when."""
        return self.hosts.holds

    async def aclose(self) -> None:
        """Close every connection."""
        await self.pools.aclose()

    def ready_in(self, source: Source, url: str, now: datetime) -> float:
        """Seconds until a check of this address could start (hold, gap and queue). Raises httpx.InvalidURL."""
        key = host_key(url)
        held = self.hosts.held_until(key, now)
        return max(self.hosts.ready_in(key, _pace(source)), (held - now).total_seconds() if held else 0.0)

    async def fetch(self, source: Source, page: Page, now: datetime) -> Fetch:
        """One check of one page, whatever happens on the way. Waiting for the host is not counted in its time."""
        check = _Check(source, page, now, asyncio.get_running_loop().time(), source.timeout.total_seconds())
        try:
            answer = await self._follow(check)
        except StoppedError as stopped:
            answer = Fetch(page.url, now, failure=stopped.failure, status=stopped.failure.status)
        return replace(answer, elapsed=check.spent, redirects=tuple(check.redirects))

    async def _follow(self, check: _Check) -> Fetch:
        """Request and redirects, each hop with the same manners as the first."""
        url = _web_address(check.page.url)
        check.seen.add(str(url))
        for _ in range(MOST_REDIRECTS + 1):
            rules = await self._permission(check, url)
            pace = _pace(check.source, rules.crawl_delay(self.robots.token) if rules else 0.0)
            ask = _Ask(url, pace, check.source.max_bytes, _conditions(check, url))
            answer = await self._request(check, ask)
            target = _target(answer, url)
            if target is None:
                return answer
            if str(target) in check.seen:
                raise stop("redirect_loop", f"redirected to {target} a second time", status=answer.status)
            check.redirects.append(str(target))
            check.seen.add(str(target))
            url = target
        raise stop("redirect_loop", f"more than {MOST_REDIRECTS} redirects, the last to {url}")

    async def _permission(self, check: _Check, url: httpx.URL) -> Rules | None:
        """robots.txt's word on this address. Raises StoppedError if it may not be read."""
        if not check.source.respect_robots:
            return None

        async def get() -> tuple[int, bytes]:
            return await self._read_robots(check, url.copy_with(raw_path=b"/robots.txt", fragment=None))

        try:
            rules = await self.robots.rules(host_key(url), check.time(), get)
        except StoppedError as stopped:
            if stopped.failure.error in _OF_THE_HOST:
                raise
            raise StoppedError(replace(stopped.failure, detail=f"robots.txt: {stopped.failure.detail}")) from stopped
        if not rules.allows(str(url), self.robots.token):
            raise stop("robots", rules.refusal or f"robots.txt of {url.host} does not allow {url.raw_path.decode()}")
        return rules

    async def _read_robots(self, check: _Check, url: httpx.URL) -> tuple[int, bytes]:
        """Status and text of robots.txt; one redirected too often or nowhere counts as none (RFC 9309, 2.3.1.2)."""
        ask = _Ask(url, _pace(check.source), MOST_BYTES, whole=False)
        answer = await self._request(check, ask)
        for _ in range(MOST_REDIRECTS):
            try:
                target = _target(answer, ask.url)
                if target is None:
                    return answer.status or 404, answer.body
                ask = replace(ask, url=target)
                answer = await self._request(check, ask)
            except StoppedError as stopped:
                if stopped.failure.error in ("guard", "moved"):
                    break
                raise
        return 404, b""

    async def _request(self, check: _Check, ask: _Ask) -> Fetch:
        """One request; a second one where a connection kept from before was dead. Raises StoppedError."""
        try:
            return await self._in_turn(check, ask)
        except StoppedError as stopped:
            if stopped.failure.error != "reset" or not check.reused:
                raise
        return await self._in_turn(check, ask)

    async def _in_turn(self, check: _Check, ask: _Ask) -> Fetch:
        """Wait for the host's turn, send, and learn from what comes. Raises StoppedError."""
        key = host_key(ask.url)
        self._refuse_held(check, key)
        loop = asyncio.get_running_loop()
        async with self.hosts.turn(key, ask.pace) as host:
            self._refuse_held(check, key)  # the request before us in the queue may have been told to go away
            started = loop.time()
            try:
                async with asyncio.timeout(max(check.left, 0.0)):
                    answer = await self._exchange(check, ask)
            except failures.TROUBLE as error:
                failure = failures.describe(error, check.source.tls)
                host.learn(loop.time() - started, trouble=failure.error == "timeout")
                raise StoppedError(failure) from error
            finally:
                check.spent += loop.time() - started
                check.left -= loop.time() - started
            trouble = answer.status == 429 or (answer.status or 0) >= 500
            host.learn(loop.time() - started, trouble=trouble)
            self._hold(key, answer, check.time())
            return answer

    async def _exchange(self, check: _Check, ask: _Ask) -> Fetch:
        """Send and read, within the bounds."""
        port = ask.url.port or _DEFAULT_PORTS[ask.url.scheme]
        if check.source.proxy:
            self.pools.guard.judge_unresolved(ask.url.host, port)
        transport = self.pools.transport(f"{ask.url.host}:{port}", check.source.tls, check.source.proxy)
        check.reused = transport.warm
        headers = {**self._headers, **ask.conditions}
        request = httpx.Request("GET", ask.url, headers=headers, extensions={"timeout": _TIMEOUTS})
        response = await transport.handle_async_request(request)
        try:
            if len(response.headers.raw) > HEADER_COUNT or _size(response) > HEADER_BYTES:
                raise stop("too_large", f"more than {HEADER_COUNT} headers or {HEADER_BYTES // 1024} kB of them")
            if ask.whole and 200 <= response.status_code < 300:
                content, wire = await body.read(response, ask.limit)
            else:
                limit = min(ask.limit, ERROR_BYTES) if ask.whole else ask.limit
                content, wire = await body.read_head(response, limit)
        finally:
            await response.aclose()
        return Fetch(
            check.page.url,
            check.now,
            final_url=str(ask.url),
            status=response.status_code,
            headers=dict(response.headers),
            body=content,
            not_modified=response.status_code == 304 and bool(ask.conditions),
            wire_bytes=wire,
        )

    def _refuse_held(self, check: _Check, key: str) -> None:
        """Raise StoppedError while the host is held: a check never sleeps through a Retry-After."""
        now = check.time()
        until = self.hosts.held_until(key, now)
        if until:
            left = (until - now).total_seconds()
            raise stop("held", f"{key} asked for no requests until {until:%Y-%m-%d %H:%M:%S} UTC", retry_after=left)

    def _hold(self, key: str, answer: Fetch, now: datetime) -> None:
        seconds = retry_after(answer, now)
        if seconds:
            self.hosts.hold(key, now + timedelta(seconds=seconds), now)


def _pace(source: Source, floor: float = 0.0) -> Pace:
    return Pace(source.delay.total_seconds(), source.concurrency_per_host, floor)


def _web_address(text: str) -> httpx.URL:
    """A checked address. Raises StoppedError for anything but http and https."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise stop("guard", f"no web address: {error}") from error
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise stop("guard", f"only http and https are fetched, not {url.scheme or 'this'}: {text[:200]}")
    return url.copy_with(fragment=None)


def _conditions(check: _Check, url: httpx.URL) -> dict[str, str]:
    """The validators of the last good answer, for the address that gave them: a home page may well be "unchanged"."""
    page = check.page
    if page.since_full >= FULL_EVERY:
        return {}
    first = httpx.URL(page.url.strip())
    if (url.host, url.raw_path) != (first.host, first.raw_path):
        return {}
    headers = {"If-None-Match": page.etag, "If-Modified-Since": page.last_modified}
    return {name: value for name, value in headers.items() if value and value.isprintable()}


def _target(answer: Fetch, url: httpx.URL) -> httpx.URL | None:
    """Where an answer sends us, None if it is one to keep. Raises StoppedError for redirects that are not followed."""
    if answer.status == 304 and not answer.not_modified:
        raise stop("empty", "304 Not Modified, although nothing was known", status=304)
    if answer.status not in _REDIRECTS:
        return None
    location = answer.headers.get("location", "").strip()
    if not location:
        raise stop("moved", f"{answer.status} without a Location", status=answer.status)
    try:
        target = _web_address(str(url.join(location)))
    except httpx.InvalidURL as error:
        raise stop("guard", f"a redirect to no web address: {error}", status=answer.status) from error
    if url.scheme == "https" and target.scheme == "http":
        raise stop("moved", f"a redirect from https to {target} is not followed", status=answer.status)
    return target


def _size(response: httpx.Response) -> int:
    """Bytes of the headers."""
    return sum(len(name) + len(value) for name, value in response.headers.raw)
