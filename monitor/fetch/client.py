"""The only HTTP reader of pages: conditional, bounded, polite, guarded. A failed fetch is a result, not an exception.

Judging what an answer means (status 404, a challenge, a soft 404) is not done here: `failure` is set for trouble on
the way only, and an answer of any status comes back with its headers and the beginning of its body.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

from monitor import net
from monitor.connection import Headers
from monitor.fetch import body, browser, failures
from monitor.fetch.failures import StoppedError, stop
from monitor.fetch.hosts import MOST_HOLD, Hosts, Pace
from monitor.fetch.robots import MOST_BYTES, Recall, Remember, Robots, Rules, product_token
from monitor.fetch.room import Pile, Room
from monitor.fetch.visit import Given, Visit, Wanted
from monitor.model import Fetch, Network, Page, Source
from monitor.sources import links, posted
from monitor.text import capture
from monitor.text.decode import decode

MOST_REDIRECTS = 5
FULL_EVERY = 20  # conditional answers in a row: then validators are not believed once
ERROR_BYTES = 256 * 1024  # how much of an answer other than 200 is read
HEADER_BYTES, HEADER_COUNT = 64 * 1024, 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_SAME_METHOD = frozenset({307, 308})
_OF_THE_HOST = frozenset({"dns", "refused", "tls", "guard", "held"})  # the same for robots.txt and the page
_DEFAULT_PORTS = {"http": 80, "https": 443}
_VALIDATED = ("If-None-Match", "If-Modified-Since")
_OF_THE_SHELL = frozenset({"etag", "last-modified", "content-encoding", "content-length", "set-cookie"})

_ORIGIN = re.compile(r"https?://[^/?#]*")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def host_key(url: str | httpx.URL) -> str:
    """The host whose patience a request costs: `name`, or `name:port` for another port than the scheme's.

    Lower case, IDNA. Raises httpx.InvalidURL. http and https of one name share one key.
    """
    if isinstance(url, str):
        origin = _ORIGIN.match(url)
        return _key_of(origin[0] if origin else url)
    name = url.raw_host.decode("ascii").lower()
    name = f"[{name}]" if ":" in name else name
    port = url.port  # httpx drops the scheme's own
    return name if port in (None, 80, 443) else f"{name}:{port}"


@lru_cache(maxsize=20_000)
def _key_of(origin: str) -> str:
    """Of `https://name:port`: parsing an address takes 50 µs, and the pages of a site have one origin."""
    return host_key(httpx.URL(origin))


# An address that is written as httpx would write it: nothing to escape, no dot segments
_PLAIN = re.compile(r"(https?://[a-z0-9.:-]+)((?:/[\w~-][\w.~-]*)*/?)(\?[\w.~&=-]+)?", re.ASCII)


def parsed(text: str) -> httpx.URL:
    """httpx.URL(text), an eighth of the CPU of a conditional check, quicker. Raises httpx.InvalidURL."""
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return httpx.URL(text)
    known = _origin(plain[1])
    url = httpx.URL(known)
    # httpx has no public way to change a path without parsing again: hence the pinned version, and a test
    query = plain[3][1:] if plain[3] else None
    url._uri_reference = known._uri_reference._replace(path=plain[2], query=query)
    return url


@lru_cache(maxsize=1000)
def _origin(text: str) -> httpx.URL:
    return httpx.URL(text)


def retry_after(fetch: Fetch, now: datetime) -> float | None:
    """Seconds for which a 429 or 503 asks to be left alone, in either form of RFC 9110; at most a day."""
    value = fetch.headers.get("retry-after", "").strip()
    if fetch.status not in (429, 503) or not value:
        return None
    if value.isascii() and value.isdecimal():
        seconds = float(value[:12])
    else:
        try:
            until = _moment(value)
        except (ValueError, OverflowError):
            return None
        with suppress(ValueError, OverflowError):  # many clocks are wrong: by its own the server says how long it means
            now = _moment(fetch.headers.get("date", ""))
        seconds = (until - now).total_seconds()
    return min(max(seconds, 0.0), MOST_HOLD.total_seconds())


def _moment(text: str) -> datetime:
    """A date of HTTP. Raises ValueError or OverflowError."""
    at = parsedate_to_datetime(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


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
    peer: str | None = None  # `render: browser`: the address that the page came from
    moved_to: str | None = None  # where permanent redirects led
    permanent: bool = True  # whether all redirects so far were that
    data: bytes = b""  # what is sent by POST; empty where nothing is
    pile: Pile | None = None  # a large body, before it is loaded

    def forget(self) -> None:
        """Its large body is not read."""
        if self.pile is not None:
            self.pile.close()
            self.pile = None

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
    rendered: bool = False  # the answer is a page that a browser builds
    rules: Rules | None = None  # robots.txt, for what the page loads from its own host
    method: str = "GET"
    data: bytes = b""
    outside: bool = False  # asked for by a public page's script: `allow_private` does not hold for it


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
        chromium: str | None = None,
    ) -> None:
        self.pools = net.Pools(net.Guard(network)) if pools is None else pools
        self.hosts = Hosts() if hosts is None else hosts
        self.robots = Robots(network.user_agent, recall, remember)
        self.browser = browser.Browser(network.user_agent, chromium)
        self.room = self.hosts.room = Room()
        self._outside = net.Pools(self.pools.guard.public())
        self._headers = _encoded(
            {
                "User-Agent": network.user_agent,
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
                "Accept-Encoding": body.ACCEPT_ENCODING,
            }
        )

    @property
    def holds(self) -> Mapping[str, datetime]:
        """Hosts that asked to be left alone, and until when."""
        return self.hosts.holds

    async def aclose(self) -> None:
        """Close every connection, and the browser."""
        await self.browser.aclose()
        await self._outside.aclose()
        await self.pools.aclose()

    def take_over(self, network: Network) -> None:
        """Reach, and be called, what this `network:` says from now on. Raises ConfigError, and goes on as before."""
        self.pools.take_over(network)
        self._outside.take_over(replace(network, allow_private=()))
        self.robots.token = product_token(network.user_agent)
        self.browser.call(network.user_agent)
        self._headers |= _encoded({"User-Agent": network.user_agent})

    def require(self, sources: Iterable[Source]) -> None:
        """Raise ConfigError where one of these is read with a browser, and none is installed."""
        browser.require(sources, self.browser.program)

    def ready_in(self, source: Source, url: str, now: datetime) -> float:
        """Seconds until a check of this address could start (hold, gap and queue). Raises httpx.InvalidURL."""
        key = host_key(url)
        held = self.hosts.held_until(key, now)
        return max(self.hosts.ready_in(key, _pace(source)), (held - now).total_seconds() if held else 0.0)

    async def fetch(self, source: Source, page: Page, now: datetime, data: bytes = b"") -> Fetch:
        """One check of one page, whatever happens on the way. Waiting for the host is not counted in its time.

        `data` is sent by POST: a question for a list, which may be asked again like any other.
        """
        check = _Check(source, page, now, asyncio.get_running_loop().time(), source.timeout.total_seconds(), data=data)
        try:
            answer = await self._follow(check)
        except StoppedError as stopped:
            answer = Fetch(page.url, now, failure=stopped.failure, status=stopped.failure.status)
        except BaseException:
            check.forget()
            raise
        if answer.failure is not None:
            check.forget()
        content = answer.body if check.pile is None else await self.room.load(check.pile)
        redirects = tuple(check.redirects)
        return replace(answer, body=content, elapsed=check.spent, redirects=redirects, moved_to=check.moved_to)

    async def _follow(self, check: _Check) -> Fetch:
        """Request and redirects, each hop with the same manners as the first."""
        url = _web_address(check.page.url)
        check.seen.add(str(url))
        for _ in range(MOST_REDIRECTS + 1):
            rules = await self._permission(check, url)
            pace = _pace(check.source, rules.crawl_delay(self.robots.token) if rules else 0.0)
            rendered = check.source.render == "browser"
            conditions = {"User-Agent": self.browser.user_agent} if rendered else _conditions(check, url)
            ask = _Ask(url, pace, check.source.max_bytes, conditions, rendered=rendered, rules=rules)
            if check.data:
                typed = {"Content-Type": posted.content_type(check.data)}
                ask = replace(ask, conditions=typed, method="POST", data=check.data)
            answer = await self._request(check, ask)
            target = _target(answer, url)
            if target is None:
                return answer
            if str(target) in check.seen:
                raise stop("redirect_loop", f"redirected to {target} a second time", status=answer.status)
            await self._stay(check, url, target, answer.status or 0)
            check.redirects.append(str(target))
            check.seen.add(str(target))
            if answer.status not in _SAME_METHOD:
                check.data = b""  # as browsers do: the answer to what was sent stands at the new address
            url = target
        raise stop("redirect_loop", f"more than {MOST_REDIRECTS} redirects, the last to {url}")

    async def _stay(self, check: _Check, url: httpx.URL, target: httpx.URL, status: int) -> None:
        """Note a permanent redirect. Raises StoppedError where a page that we know would be read from another site.

        A document that a list names and that was never read may stand wherever its address leads to.
        """
        check.permanent = check.permanent and status in _PERMANENT
        if check.permanent:
            check.moved_to = str(target)
        page = check.page
        if links.site(url.host) == links.site(target.host) or (page.role == "document" and page.version is None):
            return
        if not check.source.proxy:
            try:  # nobody is told to watch an address that we would refuse
                await self.pools.guard.resolve(target.host, target.port or _DEFAULT_PORTS[target.scheme])
            except failures.TROUBLE as error:
                raise StoppedError(failures.describe(error, check.source.tls)) from error
        how = "permanently" if check.permanent else "for now"
        raise stop(
            "moved", f"the site leads {how} to {target}; if that is the page now, give it as url:", status=status
        )

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
        """Status and text of robots.txt; one redirected too often or nowhere counts as none (RFC 9309, 2.3.1.2), and so
        does a 304, which nobody asked for ("empty")."""
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
                if stopped.failure.error in ("guard", "moved", "empty"):
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
        async with self.hosts.turn(key, ask.pace, self.browser.slots if ask.rendered else None):
            self._refuse_held(check, key)  # the request before us in the queue may have been told to go away
            started, took = loop.time(), None
            try:
                async with asyncio.timeout(max(check.left, 0.0)):
                    answer = await self._exchange(check, ask)
                    took = loop.time() - started  # what a browser takes says nothing about the host
                    if ask.rendered and _is_page(answer):
                        answer = await self._render(check, ask, answer)
            except failures.TROUBLE as error:
                failure = failures.describe(error, check.source.tls)
                self.hosts.learn(key, ask.pace, took or loop.time() - started, trouble=failure.error == "timeout")
                raise StoppedError(failure) from error
            finally:
                check.spent += loop.time() - started
                check.left -= loop.time() - started
            trouble = answer.status == 429 or (answer.status or 0) >= 500
            self.hosts.learn(key, ask.pace, took, trouble=trouble)
            self._hold(key, answer, check.time())
            return answer

    async def _exchange(self, check: _Check, ask: _Ask) -> Fetch:
        """Send and read, within the bounds."""
        port = ask.url.port or _DEFAULT_PORTS[ask.url.scheme]
        pools = self._outside if ask.outside else self.pools
        transport = pools.transport(f"{ask.url.host}:{port}", check.source.tls, check.source.proxy)
        check.reused = transport.warm
        headers = self._sent(ask)
        answer = await transport.ask(ask.method, ask.url, headers, ask.data)
        try:
            if ask.rendered:
                check.peer = answer.peer
            if len(answer.headers) > HEADER_COUNT or _size(answer.headers) > HEADER_BYTES:
                raise stop("too_large", f"more than {HEADER_COUNT} headers or {HEADER_BYTES // 1024} kB of them")
            received = _received(answer.headers)
            if ask.whole and 200 <= answer.status < 300:
                content, wire = await self._read(check, ask, received, answer.body)
            else:
                limit = min(ask.limit, ERROR_BYTES) if ask.whole else ask.limit
                content, wire = await body.read_head(received, answer.body, limit)
        finally:
            await answer.close()
        return Fetch(
            check.page.url,
            check.now,
            final_url=str(ask.url),
            status=answer.status,
            headers=received,
            body=content,
            not_modified=answer.status == 304 and any(name in ask.conditions for name in _VALIDATED),
            wire_bytes=wire,
        )

    async def _read(
        self, check: _Check, ask: _Ask, received: Mapping[str, str], chunks: AsyncIterator[bytes]
    ) -> tuple[bytes, int]:
        """A whole body, and its bytes on the wire; what is too large to wait in memory is `check.pile` instead."""
        at_once = check.source.render == "browser"  # which has bounds of its own, and is waiting
        pile, wire = await body.read(received, chunks, ask.limit, None if at_once else self.room)
        if pile.on_disk:
            check.pile = pile
            return b"", wire
        self.room.hold()
        return pile.bytes(), wire

    def _sent(self, ask: _Ask) -> list[tuple[bytes, bytes]]:
        """The headers of a request as bytes."""
        headers = {**self._headers, **_encoded(ask.conditions)} if ask.conditions else self._headers
        sent = [(b"Host", ask.url.netloc), *headers.items()]
        if ask.data:
            sent.append((b"Content-Length", str(len(ask.data)).encode()))
        return sent

    async def _render(self, check: _Check, ask: _Ask, answer: Fetch) -> Fetch:
        """The page as a browser builds it. What it loads is part of the visit: the same turn, time and bytes.

        It has no validators: the shell of such a page stays the same while its text changes.
        """
        main = await asyncio.to_thread(_handed, answer)
        if main is None:
            return answer
        check.reused = False  # a browser that fails is no reason to ask the server again
        source, inside = check.source, self._is_inside(check, ask)

        async def send(wanted: Wanted, limit: int) -> Fetch:
            return await self._load(check, ask, wanted, limit, outside=not inside)

        fragment = httpx.URL(check.page.url.strip()).fragment
        visit = Visit(
            f"{ask.url}#{fragment}" if fragment else str(ask.url),
            main,
            send=send,
            limit=source.max_bytes,
            patience=min(browser.MOST_WAIT, check.left / 2),
            at_once=source.concurrency_per_host,
            timezone=source.timezone,
        )
        built = (await self.browser.render(visit)).encode("utf-8", "replace")
        if visit.moved:  # by a script: a redirect like any other, with the same manners towards its target
            return replace(answer, status=302, headers={"location": visit.moved}, body=b"")
        if len(built) > source.max_bytes:
            raise body.TooLargeError
        headers = {k: v for k, v in answer.headers.items() if k not in _OF_THE_SHELL}
        headers["content-type"] = "text/html; charset=utf-8"
        return replace(answer, body=built, headers=headers, wire_bytes=answer.wire_bytes + visit.wire)

    async def _load(self, check: _Check, page: _Ask, wanted: Wanted, limit: int, *, outside: bool) -> Fetch:
        """One request that a page being built asks for. Raises StoppedError."""
        key = host_key(wanted.url)
        self._refuse_held(check, key)
        if key == host_key(page.url) and page.rules and not page.rules.allows(str(wanted.url), self.robots.token):
            raise stop("robots", f"robots.txt of {wanted.url.host} does not allow {wanted.url}")
        headers = {**wanted.headers, "User-Agent": self.browser.user_agent}
        ask = _Ask(wanted.url, page.pace, limit, headers, method=wanted.method, data=wanted.data, outside=outside)
        try:
            answer = await self._exchange(check, ask)
        except failures.TROUBLE as error:
            raise StoppedError(failures.describe(error, check.source.tls)) from error
        self._hold(key, answer, check.time())
        return answer

    def _is_inside(self, check: _Check, ask: _Ask) -> bool:
        """Whether the page came from an address that only `allow_private` lets us reach.

        Only such a page may load from such addresses: a public page's script is a stranger in our network, whatever
        its name resolves to the second time.
        """
        if check.peer is None or check.source.proxy:
            return False
        try:
            self._outside.guard.judge(ask.url.host, [check.peer], ask.url.port or _DEFAULT_PORTS[ask.url.scheme])
        except net.RefusedError:
            return True
        return False

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
        url = parsed(text.strip())
    except httpx.InvalidURL as error:
        raise stop("guard", f"no web address: {error}") from error
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise stop("guard", f"only http and https are fetched, not {url.scheme or 'this'}: {text[:200]}")
    return url.copy_with(fragment=None) if "#" in text else url


def _conditions(check: _Check, url: httpx.URL) -> dict[str, str]:
    """The validators of the last good answer, for the address that gave them: a home page may well be "unchanged"."""
    page = check.page
    known = dict(zip(_VALIDATED, (page.etag, page.last_modified), strict=True))
    headers = {name: value for name, value in known.items() if value and value.isprintable()}
    if not headers or page.since_full >= FULL_EVERY:
        return {}
    if check.redirects:
        first = _web_address(page.url)
        if (url.host, url.raw_path) != (first.host, first.raw_path):
            return {}
    return headers


def _target(answer: Fetch, url: httpx.URL) -> httpx.URL | None:
    """Where an answer sends us, None if it is one to keep. Raises StoppedError for redirects that are not followed."""
    if answer.status == 304 and not answer.not_modified:
        raise stop("empty", "304 Not Modified to a request that carried no validators: there is no text", status=304)
    if answer.status not in _REDIRECTS:
        return None
    location = answer.headers.get("location", "").strip()
    if not location:
        raise stop("moved", f"{answer.status} without a Location", status=answer.status)
    try:
        path, mark, query = location.partition("?")
        path = path.replace("\\", "/")  # as the URL standard has it: servers on Windows write ..\\list.asp
        target = _web_address(str(url.join(path + mark + query)))
    except httpx.InvalidURL as error:
        raise stop("guard", f"a redirect to no web address: {error}", status=answer.status) from error
    if url.scheme == "https" and target.scheme == "http":
        raise stop("moved", f"a redirect from https to {target} is not followed", status=answer.status)
    return target


def _is_page(answer: Fetch) -> bool:
    """Whether a browser has anything to build: not from an error, a challenge with its own status, or a PDF."""
    kind = (answer.content_type or "").partition(";")[0].strip().lower()
    if kind:
        return answer.status == 200 and kind in ("text/html", "application/xhtml+xml")
    return answer.status == 200 and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _handed(answer: Fetch) -> Given | None:
    """The page as the browser gets it, told the encoding that we found: it would believe what the page says.

    None for a page that ends in the middle: a browser would close it, and nobody could see it any more.
    """
    read = decode(answer.body, answer.content_type)
    if capture.is_cut(read.text):
        return None
    label = "big5" if read.encoding == "big5hkscs" else read.encoding.replace("_", "-")
    policy = {k: v for k, v in answer.headers.items() if k == "content-security-policy"}
    return Given(200, {"content-type": f"text/html; charset={label}", **policy}, answer.body)


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


def _received(headers: Headers) -> dict[str, str]:
    """Headers as text, those of one name joined. Not all servers send ASCII."""
    received: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("ascii")
        try:
            text = value.decode()
        except UnicodeDecodeError:  # an address in GBK leads where these bytes lead, as in a browser
            escaped = _NOT_ASCII.sub(lambda m: b"%%%02X" % m[0][0], value) if name == b"location" else value
            text = escaped.decode("latin-1")
        received[key] = f"{received[key]}, {text}" if key in received else text
    return received


def _size(headers: Headers) -> int:
    """Bytes of the headers."""
    return sum(len(name) + len(value) for name, value in headers)
