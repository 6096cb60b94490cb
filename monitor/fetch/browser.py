"""A real browser for pages that scripts build: the system's Chromium, driven by Playwright (the extra `browser`).

Chromium never opens a connection of its own. Every request is answered by `visit`, over our guarded client; names
resolve to nothing inside the browser and its proxy is a dead end, so that what slips past the answering (a shared
worker, WebRTC, a prefetch) reaches nobody. One process for all pages, started when the first one needs it and closed
when none did for a while; each page gets a context of its own, so that nothing is remembered between two checks.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx

from monitor.errors import ConfigError
from monitor.fetch.failures import stop
from monitor.fetch.visit import Visit, Wanted
from monitor.model import Source

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:  # an extra, and 20 MB that only `render: browser` is worth
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, CDPSession, Page, Playwright, Route

NOTE = "Chromium"  # follows the user agent: whoever reads a log sees that scripts run
AT_ONCE = 2  # pages built at the same time: each is a process of 100 MB and more
QUIET = 0.5  # seconds without a request after which a page counts as built (puppeteer's networkidle0)
MOST_WAIT = 15.0  # seconds after which a page that never gets quiet is read as it stands
IDLE = 60.0  # seconds after which an unused browser is closed: it holds 300 MB, the next check may be hours away
START, CLOSE = 20.0, 5.0  # seconds for the process to start, and to close before it is killed
MOST_MEMORY = 1 << 30  # bytes of data of each of its processes; whole pages of memory, or V8 crashes
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WORLD = "mubiao"
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",  # loopback is otherwise never proxied
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-gpu",
    "--in-process-gpu",
    "--dns-prefetch-disable",
    "--no-pings",
    "--blink-settings=imagesEnabled=false",
    "--js-flags=--max-old-space-size=256",  # MB; a page that wants more crashes its own process
    "--renderer-process-limit=4",
)
# Read in a world of its own: a page may have put its own functions in place of the browser's.
_STATE = "document.readyState"
_HTML = """(() => {
  const type = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "";
  const root = document.documentElement;
  const html = root ? root.outerHTML : "";
  return html.length > %d ? null : type + html;
})()"""


def find(program: str | None = None) -> str:
    """The path of Chromium: `program` (MUBIAO_CHROMIUM) or the first of PROGRAMS.

    Raises ConfigError where Chromium or the extra is missing.
    """
    if importlib.util.find_spec("playwright") is None:
        raise ConfigError("render: browser needs the extra `browser`", fix="pip install 'mubiao[browser]'")
    found = shutil.which(program) if program else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found:
        return found
    if program:
        raise ConfigError(f"MUBIAO_CHROMIUM={program} is no program", fix="give the path of Chromium")
    raise ConfigError("render: browser needs Chromium", fix="apt install chromium, or set MUBIAO_CHROMIUM to its path")


def require(sources: Iterable[Source], program: str | None) -> None:
    """Raise ConfigError where one of these is read with a browser, and none is installed."""
    if any(source.enabled and source.render == "browser" for source in sources):
        find(program)


class Browser:
    """The one browser process. `slots` bounds how many pages are built at once; `render` is called holding one."""

    def __init__(self, user_agent: str, program: str | None = None, *, idle: float = IDLE) -> None:
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.call(user_agent)
        self.program, self._rest = program, idle
        self._process: _Process | None = None
        self._changing = asyncio.Lock()  # one starts or closes the process at a time
        self._pages = 0
        self._idle: asyncio.TimerHandle | None = None
        self._retiring: asyncio.Task[None] | None = None

    def call(self, user_agent: str) -> None:
        """The name under which pages are asked for from now on."""
        self.user_agent = f"{user_agent} {NOTE}"

    async def render(self, visit: Visit) -> str:
        """The page as HTML, after its scripts. Raises StoppedError; `visit.moved` says that a script leads elsewhere.

        The caller bounds the time. After a crash or a hang the next page gets a fresh process.
        """
        self._pages += 1
        if self._idle:
            self._idle.cancel()
        try:
            process = await self._started()
            try:
                return await process.build(visit, self.user_agent)
            finally:
                if process.broken:
                    await self._close(process)
        finally:
            self._pages -= 1
            if not self._pages and self._process:
                self._idle = asyncio.get_running_loop().call_later(self._rest, self._retire)

    async def _started(self) -> _Process:
        async with self._changing:
            if self._process is None or self._process.broken:
                path = find(self.program)
                if self._process:
                    await self._process.aclose()
                self._process = _Process(path)
                await self._process.start()
            return self._process

    async def _close(self, process: _Process, *, unused: bool = False) -> None:
        """End this process; `unused`: only if no page came meanwhile."""
        async with self._changing:
            if self._process is process and not (unused and self._pages):
                self._process = None
                await process.aclose()

    def _retire(self) -> None:
        if self._process and not self._pages:
            self._retiring = asyncio.get_running_loop().create_task(self._close(self._process, unused=True))

    async def aclose(self) -> None:
        """End the process, if there is one."""
        if self._idle:
            self._idle.cancel()
        if self._process:
            await self._close(self._process)
        if self._retiring:
            await self._retiring


class _Process:
    """Playwright's driver and the Chromium that it started."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._home = tempfile.TemporaryDirectory(prefix="mubiao-browser-", ignore_cleanup_errors=True)
        self._driver: Playwright | None = None
        self._chromium: Chromium | None = None
        self._starting: asyncio.Task[None] | None = None
        self._hung = False
        self._api: Any = None

    @property
    def broken(self) -> bool:
        """Whether it crashed, hangs or never started."""
        return self._hung or self._chromium is None or not self._chromium.is_connected()

    async def start(self) -> None:
        """Start both. A check that runs out of time meanwhile does not leave half of it behind: `aclose` waits."""
        self._api = await asyncio.to_thread(importlib.import_module, "playwright.async_api")
        self._starting = asyncio.get_running_loop().create_task(self._start())
        try:
            await asyncio.shield(self._starting)
        except self._api.Error as error:
            raise stop("reset", f"Chromium did not start: {_first_line(error)}") from error

    async def _start_driver(self) -> Playwright:
        try:
            with _limited_memory():
                return await self._api.async_playwright().start()  # type: ignore[no-any-return]
        except Exception as error:  # Playwright raises nothing narrower where its driver dies
            raise stop("reset", f"Playwright did not start: {_first_line(error)}") from error

    async def _start(self) -> None:
        self._driver = await self._start_driver()
        home = self._home.name  # none of our variables: some hold passwords
        self._chromium = await self._driver.chromium.launch(
            executable_path=self._path,
            args=_ARGUMENTS,
            chromium_sandbox=os.geteuid() != 0,  # Chromium's sandbox cannot be set up by root
            env={"HOME": home, "TMPDIR": home, "PATH": os.defpath, "LANG": "C.UTF-8"},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=1000 * START,
        )

    async def aclose(self) -> None:
        """End both, by force where they do not answer."""
        if self._starting:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._chromium and not self._hung:
            await self._in_time(self._chromium.close())
        if self._driver:
            await self._in_time(self._driver.stop())  # kills what it started
        self._home.cleanup()

    async def _in_time(self, work: Awaitable[Any]) -> bool:
        """Whether this end of something came in time; an error of Playwright's means that it is gone already."""
        try:
            async with asyncio.timeout(CLOSE):
                with suppress(self._api.Error):
                    await work
        except TimeoutError:
            return False
        return True

    async def build(self, visit: Visit, user_agent: str) -> str:
        """One page in a context of its own."""
        assert self._chromium is not None
        context: BrowserContext | None = None
        tab: _Tab | None = None
        try:
            context = await self._chromium.new_context(
                user_agent=user_agent,
                locale="zh-CN",
                timezone_id=visit.timezone,
                accept_downloads=False,
                service_workers="block",
                permissions=[],
            )
            tab = _Tab(context, visit, self._api.Error)
            return await tab.html()
        except self._api.Error as error:
            if visit.failure:
                raise visit.failure from error
            raise stop("reset", f"the browser failed: {_first_line(error)}") from error
        finally:
            if tab:
                await tab.quit()
            if context and not await self._in_time(context.close()):
                self._hung = True


class _Tab:
    """One page of the browser, for one visit."""

    def __init__(self, context: BrowserContext, visit: Visit, error: type[Exception]) -> None:
        self._context, self._visit, self._error = context, visit, error
        self._page: Page | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside the page; what a page that is gone can no longer take is no error."""

        async def quietly() -> None:
            with suppress(self._error):
                await work

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def quit(self) -> None:
        """Stop answering."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE)

    async def html(self) -> str:
        """Open the address, wait until the page is built, read it."""
        visit = self._visit
        await self._context.route("**/*", lambda route: self._run(self._answer(route)))
        await self._context.route_web_socket("**/*", lambda socket: self._run(socket.close()))
        page = self._page = await self._context.new_page()
        self._context.on("page", lambda other: self._run(other.close()))  # a popup
        page.on("dialog", lambda dialog: self._run(dialog.dismiss()))
        page.on("crash", lambda _: visit.end(stop("reset", "the page crashed the browser")))
        session = await self._context.new_cdp_session(page)
        tasks = [asyncio.ensure_future(x) for x in (self._read(page, session), visit.ended.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if visit.failure:
                raise visit.failure
            return "" if visit.moved else str(await tasks[0])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, route: Route) -> None:
        request = route.request
        navigation = request.is_navigation_request()
        if navigation and (request.frame.page is not self._page or request.frame.parent_frame is not None):
            await route.abort("aborted")
            return
        try:
            url = httpx.URL(request.url).copy_with(fragment=None)
        except httpx.InvalidURL:
            await route.abort("aborted")
            return
        data = request.post_data_buffer or b""
        wanted = Wanted(url, request.resource_type, request.method, request.headers, data)
        try:
            given = await self._visit.answer(wanted, navigation=navigation)
        except asyncio.CancelledError:
            await route.abort("aborted")  # or Playwright would wait for our answer for ever
            raise
        if given.status:
            await route.fulfill(status=given.status, headers=dict(given.headers), body=given.body)
        else:
            await route.abort("aborted")

    async def _read(self, page: Page, session: CDPSession) -> str:
        """The built page's HTML."""
        visit, loop = self._visit, asyncio.get_running_loop()
        await page.goto(visit.url, wait_until="commit", timeout=0)
        tree = await session.send("Page.getFrameTree")
        until = loop.time() + visit.patience
        while loop.time() < until:
            await asyncio.sleep(max(visit.last + QUIET - loop.time(), 0.1))
            asked = visit.count
            if await _evaluate(session, tree, _STATE) != "complete" or visit.active or visit.count != asked:
                continue
            if loop.time() - visit.last >= QUIET:
                break
        late = visit.pending()
        if late:
            raise stop("timeout", f"{late.url}, which the page loads, did not answer in time")
        html = await _evaluate(session, tree, _HTML % visit.most)
        if html is None:
            raise stop("too_large", "the built page is larger than max_bytes")
        return str(html)


async def _evaluate(session: CDPSession, tree: dict[str, Any], expression: str) -> Any:
    """The value of an expression in a clean world over the page's document."""
    frame = tree["frameTree"]["frame"]["id"]
    world = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": _WORLD})
    asked = {"expression": expression, "contextId": world["executionContextId"], "returnByValue": True}
    return (await session.send("Runtime.evaluate", asked))["result"].get("value")


@contextmanager
def _limited_memory() -> Iterator[None]:
    """Processes that start here may not grow for ever: V8's own limit leaves out buffers and the page's elements.

    The limit is inherited, so it is ours, too, for the moment that the driver takes to start.
    """
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = min(x for x in (soft, hard, MOST_MEMORY) if x != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
