"""What a page asks for while a browser builds it: judged, bounded, and sent by our own client, never by the browser.

A visit is one page being built. Only what text may be built from is loaded (scripts, and what they fetch), in the
order and number that one visitor's manners allow; pictures, fonts, frames, counters and sockets are not. Scripts may
read what any public host answers (Playwright adds the CORS headers): no request carries anything of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

import httpx

from monitor.fetch.failures import StoppedError, stop
from monitor.model import Fetch

MOST_REQUESTS = 150  # of one page; later ones go unanswered
MOST_SENT = 64 * 1024  # bytes of one request's headers and body
MOST_REDIRECTS = 5
SLOW = 1.0  # seconds after which an unanswered request means that the page was not complete
_TYPES = frozenset({"script", "xhr", "fetch"})
_METHODS = frozenset({"GET", "HEAD", "POST"})
_NEEDED = frozenset({"timeout", "reset", "truncated", "too_large"})
_PASSING = frozenset({429, 502, 503, 504})  # statuses that say "later": what is missing now would look like an edit
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OURS = frozenset({  # request headers that only our client sets, or that nobody does: no cookie ever leaves
    "accept-encoding", "accept-language", "connection", "content-length", "cookie", "expect", "host", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "upgrade-insecure-requests", "user-agent",
})  # fmt: skip
_HANDED = frozenset({"content-type", "access-control-expose-headers", "x-content-type-options"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request of the page; `kind` as browsers name it: document, script, xhr, fetch, image …"""

    url: httpx.URL
    kind: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Given:
    """What the browser gets. The status 0 means that it gets nothing."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


NOTHING = Given()
STAY = Given(204)  # to a navigation: the page stays where it is
Send = Callable[[Wanted, int], Awaitable[Fetch]]  # the request, how many bytes may come; raises StoppedError


class Visit:
    """One page being built. `ended` is set where a script leads elsewhere, or something makes going on useless."""

    def __init__(
        self, url: str, main: Given, *, send: Send, limit: int, patience: float, at_once: int, timezone: str
    ) -> None:
        self.url, self.timezone = url, timezone
        self.patience = patience  # seconds for a page that never gets quiet
        self.most = limit  # bytes of the built page
        self.left = limit - len(main.body)  # bytes that may still come
        self.wire = 0
        self.moved: str | None = None
        self.failure: StoppedError | None = None
        self.ended = asyncio.Event()
        self.last = 0.0  # when anything was asked or answered, by the event loop's clock
        self.count = 0
        self._main: Given | None = main
        self._send, self._at_once = send, at_once
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._running: dict[int, tuple[float, Wanted]] = {}

    @property
    def active(self) -> int:
        """Requests without an answer yet."""
        return len(self._running)

    def end(self, failure: StoppedError | None = None) -> None:
        """Stop building the page; the first reason stays."""
        if not self.ended.is_set():
            self.failure = failure
            self.ended.set()

    def pending(self) -> Wanted | None:
        """A request of the page's own site that has been unanswered for long."""
        late = asyncio.get_running_loop().time() - SLOW
        return next((w for began, w in self._running.values() if began < late and self._own(w.url)), None)

    async def answer(self, wanted: Wanted, *, navigation: bool) -> Given:
        """What the browser gets for one request. `navigation`: of the page itself, not of a frame in it."""
        if navigation:
            return self._navigate(wanted)
        if wanted.kind not in _TYPES or wanted.method not in _METHODS or self.ended.is_set():
            return _empty(wanted)
        if wanted.url.scheme not in ("http", "https") or not wanted.url.host or self.count >= MOST_REQUESTS:
            return NOTHING
        loop = asyncio.get_running_loop()
        self.count += 1
        number = self.count
        self._running[number] = (loop.time(), wanted)
        self.last = loop.time()
        try:
            return await self._load(_outgoing(wanted))
        except StoppedError as stopped:
            self._missed(wanted, stopped)
            return NOTHING
        finally:
            del self._running[number]
            self.last = loop.time()

    def _navigate(self, wanted: Wanted) -> Given:
        """The page itself, once. A script that leads elsewhere makes a redirect, judged like any other.

        The same address again (with other parameters, too) is how browser checks let somebody in who ran their
        script: those are reported, never passed, so the page stays as it is.
        """
        if self._main is not None:
            main, self._main = self._main, None
            self.last = asyncio.get_running_loop().time()
            return main
        here = httpx.URL(self.url)
        same = (wanted.url.host, wanted.url.path) == (here.host, here.path)
        if not same and wanted.method == "GET" and wanted.url.scheme in ("http", "https"):
            self.moved = self.moved or str(wanted.url)
            self.end()
        return STAY

    async def _load(self, wanted: Wanted) -> Given:
        """Send, and follow redirects: the browser would follow them past us."""
        for _ in range(MOST_REDIRECTS + 1):
            lane = self._lanes.setdefault(wanted.url.netloc.decode("ascii"), asyncio.Semaphore(self._at_once))
            async with lane:
                if self.left <= 0:
                    raise stop("too_large", "what the page loads is larger than max_bytes")
                got = await self._send(wanted, self.left)
            self.left -= max(len(got.body), got.wire_bytes)
            self.wire += got.wire_bytes
            location = got.headers.get("location", "").strip()
            if got.status not in _REDIRECTS or not location:
                break
            wanted = _redirected(wanted, got.status or 0, location)
        else:
            return NOTHING
        if got.status in _PASSING and self._own(wanted.url):
            word = "http_5xx" if got.status != 429 else "http_4xx"
            self.end(stop(word, f"{wanted.url}, which the page loads, answered {got.status}", status=got.status))
        return Given(got.status or 0, {k: v for k, v in got.headers.items() if k in _HANDED}, got.body)

    def _missed(self, wanted: Wanted, stopped: StoppedError) -> None:
        """End the visit where a part of the page's own site is missing for now: half a page looks like an edit."""
        failure = stopped.failure
        if failure.error == "too_large" or (failure.error in _NEEDED and self._own(wanted.url)):
            self.end(StoppedError(replace(failure, detail=f"{wanted.url}, which the page loads: {failure.detail}")))

    def _own(self, url: httpx.URL) -> bool:
        return url.host == httpx.URL(self.url).host


def _empty(wanted: Wanted) -> Given:
    """An empty style sheet instead of none: pages wait for it before they go on."""
    return Given(200, {"content-type": "text/css"}) if wanted.kind == "stylesheet" else NOTHING


def _outgoing(wanted: Wanted) -> Wanted:
    """The request as it leaves: without cookies, and without what only a browser would say of itself."""
    kept = {k: v for k, v in wanted.headers.items() if k not in _OURS and not k.startswith(("sec-", ":"))}
    size = sum(len(k) + len(v) for k, v in kept.items()) + len(wanted.data)
    if size > MOST_SENT:
        raise stop("guard", f"a request of {size} bytes to {wanted.url} was not sent")
    return replace(wanted, headers={k.title(): v for k, v in kept.items()})


def _redirected(wanted: Wanted, status: int, location: str) -> Wanted:
    try:
        url = wanted.url.join(location).copy_with(fragment=None)
    except httpx.InvalidURL as error:
        raise stop("guard", f"a redirect to no web address: {error}") from error
    if url.scheme not in ("http", "https") or (wanted.url.scheme, url.scheme) == ("https", "http") or not url.host:
        raise stop("moved", f"a redirect to {url} is not followed")
    headers = wanted.headers
    if url.netloc != wanted.url.netloc:
        headers = {k: v for k, v in headers.items() if k != "Authorization"}
    if status in (307, 308):
        return replace(wanted, url=url, headers=headers)
    return replace(
        wanted, url=url, method="GET", data=b"", headers={k: v for k, v in headers.items() if k != "Content-Type"}
    )
