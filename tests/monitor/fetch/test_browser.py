"""Pages that scripts build, read with the system's Chromium: what it may load, how long it may take, what is left."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.demo.background import running
from monitor.demo.server import HttpServer, Listener, Reply, Request
from monitor.errors import ConfigError
from monitor.fetch import Fetcher
from monitor.fetch.browser import PROGRAMS, Browser, find
from monitor.model import Fetch, Network, Page, Source

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
AIM = "2026年地区生产总值增长5.5%左右"
ENOUGH = 10_000  # milliseconds for processes to end that were told to

pytestmark = [
    # on CI its absence is a failure, not a reason to test less
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here"),
    pytest.mark.asyncio(loop_scope="module"),
]
Read = Callable[..., Awaitable[Fetch]]
SIZE = "zoom.textContent = 'had:' + all.length * 50 + '.' }"  # megabytes
FILL = "fetch('/data.json').then(r => r.json()).then(d => { zoom.textContent = d.text })"


def shell(script: str, head: str = "", charset: str = "utf-8") -> str:
    """A page whose text is not in it."""
    return (
        f'<!doctype html><html><head><meta charset="{charset}"><title>云岭区</title>{head}</head>'
        "<body><h1>云岭区</h1><div id=zoom></div><script>const zoom = document.querySelector('#zoom');"
        f"{script}</script></body></html>"
    )


def data(web: Any, text: str = AIM) -> None:
    """What the pages here fetch."""
    web.routes["/data.json"] = Reply(200, json.dumps({"text": text}).encode(), "application/json")


class Canary(Listener):
    """Counts whoever connects, or sends it a datagram."""

    touched = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.touched += 1
        await reader.read(1000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chromium, behind a script that writes down its process id at each start."""
    folder = tmp_path_factory.mktemp("chromium")
    made = folder / "chromium"
    made.write_text(f'#!/bin/sh\necho $$ >> {folder}/pids\nexec {CHROMIUM} "$@"\n', encoding="utf-8")
    made.chmod(0o755)
    return made


def last_start(program: Path) -> int:
    """The process that was started last."""
    return int((program.parent / "pids").read_text(encoding="utf-8").split()[-1])


def ends(process: int) -> bool:
    """Whether the process ends, now or soon."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    try:
        return bool(poll.poll(ENOUGH))
    finally:
        os.close(handle)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsing(program: Path) -> AsyncIterator[Fetcher]:
    """One browser for most tests here, as a program has one for all its pages."""
    made = Fetcher(Network(allow_private=("127.0.0.1/32", "127.0.0.8/32")), chromium=str(program))
    yield made
    await made.aclose()


@pytest.fixture
def look(browsing: Fetcher, web: Any) -> Read:
    """`await look("/a", timeout=…)`: one check of a path of the web."""

    async def once(path: str = "/a", by: Fetcher = browsing, **changes: Any) -> Fetch:
        quick = {"delay": timedelta(0), "respect_robots": False, "timeout": timedelta(seconds=20)}
        source = Source(key="yunling", url="", render="browser", **{**quick, **changes})
        url = path if "://" in path else web.url + path
        return await by.fetch(source, Page(1, "yunling", url, etag='"1"'), NOW)

    return once


# --------------------------------------------------------------------------- what is read


async def test_text_that_a_script_builds_is_read(web, look):
    data(web)
    web.put("/a", shell(FILL), ETag='"1"', Last_Modified="Mon, 02 Mar 2026 00:00:00 GMT", Set_Cookie="a=b")
    got = await look("/a")
    assert (got.failure, got.status, got.final_url) == (None, 200, web.url + "/a")
    assert f'<div id="zoom">{AIM}</div>' in got.body.decode()
    assert got.headers == {"content-type": "text/html; charset=utf-8", "connection": "close"}
    assert got.wire_bytes > len(shell(FILL).encode())


async def test_pictures_styles_and_frames_are_not_loaded(web, look):
    data(web)
    head = '<link rel=stylesheet href=/s.css><link rel=icon href=/i.ico><script src="/j.js"></script>'
    web.put(
        "/a", shell(FILL + ";zoom.insertAdjacentHTML('afterend', '<img src=/i.png><iframe src=/f></iframe>')", head)
    )
    web.routes["/j.js"] = Reply(200, b"document.title = 'by script'", "text/javascript")
    got = await look("/a")
    assert AIM in got.body.decode()
    assert "<title>by script</title>" in got.body.decode()
    assert web.asked == ["/a", "/j.js", "/data.json"]


async def test_an_old_page_and_its_script_share_an_encoding(web, look):
    web.put("/a", shell("", '<script defer src="/j.js"></script>', "gb2312"), "gb18030")
    web.routes["/j.js"] = Reply(200, "zoom.textContent = '朱镕基，䶮㙍'".encode("gb18030"), "text/javascript")
    assert "朱镕基，䶮㙍" in (await look("/a")).body.decode()


async def test_the_server_is_told_who_asks_and_the_page_too(web, look):
    agents: list[str] = []

    def answer(request: Request) -> Reply:
        agents.append(request.headers["user-agent"])
        assert "sec-ch-ua" not in request.headers
        return Reply(200, shell("fetch('/b'); zoom.textContent = navigator.userAgent").encode())

    web.routes["/a"] = web.routes["/b"] = answer
    got = await look("/a")
    said = f"{Network().user_agent} Chromium"
    assert said in got.body.decode()
    assert agents == [said, said]


async def test_nothing_is_remembered_between_two_checks_and_no_cookie_is_sent(web, look):
    cookies: list[str | None] = []

    def answer(request: Request) -> Reply:
        cookies.append(request.headers.get("cookie"))
        return Reply(200, b"{}", "application/json", {"Set-Cookie": "c=3"})

    web.routes["/b"] = answer
    script = (
        "zoom.textContent = 'had:' + document.cookie + localStorage.length + '.'; document.cookie = 'a=1';"
        "localStorage.setItem('b', 2); fetch('/b').then(() => fetch('/b'))"
    )
    web.put("/a", shell(script))
    for _ in range(2):
        assert "had:0." in (await look("/a")).body.decode()
    assert cookies == [None] * 4


async def test_dialogs_and_popups_hold_nothing_up(web, look):
    data(web)
    web.put("/a", shell("alert('x'); confirm('y'); window.open('/p'); onbeforeunload = () => 'no';" + FILL))
    assert AIM in (await look("/a")).body.decode()
    assert "/p" not in web.asked


async def test_what_is_no_page_is_not_built(web, look):
    data(web)
    web.routes["/pdf"] = Reply(200, b"%PDF-1.7", "application/pdf")
    web.put("/gone", shell(FILL), status=404)
    web.put("/challenge", shell(FILL), status=412)
    web.put("/cut", shell(FILL)[:-30])
    assert (await look("/pdf")).headers["content-type"] == "application/pdf"
    for path, status in (("/gone", 404), ("/challenge", 412), ("/cut", 200)):
        got = await look(path)
        assert got.status == status
        assert AIM not in got.body.decode()
    assert "/data.json" not in web.asked


async def test_a_script_leads_elsewhere_like_any_redirect(web, look):
    data(web)
    web.put("/a", shell("location.href = '/b#part'"))
    web.put("/b", shell(FILL))
    got = await look("/a")
    assert (got.final_url, got.redirects) == (web.url + "/b", (web.url + "/b",))
    assert AIM in got.body.decode()
    web.put("/b", shell("location.replace('/a')"))
    assert (await look("/a")).failure.error == "redirect_loop"


async def test_a_check_that_wants_a_second_visit_is_not_passed(web, look):
    web.put("/a", shell("document.cookie = 'ok=1'; location.reload(); location.href = '/a?token=1'"))
    got = await look("/a")
    assert got.failure is None
    assert "ok=1" in got.body.decode()
    assert web.asked == ["/a"]


async def test_part_of_a_page_that_is_missing_for_now_is_a_failure(web, look):
    web.put("/a", shell(FILL))
    web.routes["/data.json"] = Reply(503, b"{}", "application/json", {"Retry-After": "0"})
    got = await look("/a")
    assert (got.failure.error, got.failure.status) == ("http_5xx", 503)
    assert "/data.json" in got.failure.detail


# --------------------------------------------------------------------------- where it may go

WAYS = """
const quietly = f => { try { f() } catch (e) { zoom.append(e.name) } };
for (const u of TARGETS) {
  const ws = u.replace('http', 'ws');
  quietly(() => fetch(u + 'fetch').catch(() => 0));
  quietly(() => fetch(u + 'post', {method: 'POST', body: 'x', mode: 'no-cors'}).catch(() => 0));
  quietly(() => fetch('/go?' + u, {mode: 'no-cors'}).catch(() => 0));
  quietly(() => navigator.sendBeacon(u + 'beacon', 'x'));
  quietly(() => new WebSocket(ws));
  quietly(() => new EventSource(u + 'events'));
  quietly(() => new Worker(URL.createObjectURL(new Blob([`fetch('${u}worker'); new WebSocket('${ws}')`]))));
  quietly(() => new SharedWorker(URL.createObjectURL(new Blob([`fetch('${u}shared'); new WebSocket('${ws}')`]))));
  quietly(() => open(u + 'popup'));
  for (const tag of ['script src', 'img src', 'iframe src', 'video src', 'object data', 'embed src',
                     'link rel=preconnect href', 'link rel=prefetch href', 'link rel=stylesheet href',
                     'link rel=dns-prefetch href', 'link rel=manifest href', 'form method=post action']) {
    const [name, ...rest] = tag.split(' ');
    const made = document.createElement(name);
    for (const one of rest) { const [key, value] = one.split('='); made.setAttribute(key, value || u + name) }
    document.head.append(made);
    if (name == 'form') quietly(() => made.submit());
  }
  const at = u.slice(7, -1);
  quietly(() => { const c = new RTCPeerConnection({iceServers: [{urls: 'stun:' + at},
      {urls: `turn:${at}?transport=tcp`, username: 'a', credential: 'b'}]});
    c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o)) });
  quietly(() => new WebTransport(u.replace('http', 'https')).ready.catch(() => 0));
}
fetch('/data.json').then(r => r.json()).then(d => { zoom.append(d.text) });
"""


async def test_no_way_leads_to_an_address_that_the_guard_refuses(web, look):
    data(web)
    canary = Canary("127.0.0.9")
    with running(canary), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind((canary.host, canary.port))
        datagrams.setblocking(False)
        names = ("127.0.0.9", "2130706441", "[::ffff:127.0.0.9]")
        targets = [*(f"http://{name}:{canary.port}/" for name in names), "http://169.254.169.254/"]
        for target in targets:
            web.routes["/go?" + target] = Reply(302, b"", headers={"Location": target})
        web.put("/a", shell(f"const TARGETS = {json.dumps(targets)};" + WAYS))
        got = await look("/a")
        assert f'<div id="zoom">{AIM}</div>' in got.body.decode()  # the script ran, and none of its ways was unknown
        assert {"/go?" + target for target in targets} < set(web.asked)
        web.put("/a", shell(f"location.href = {targets[0]!r}"))
        assert (await look("/a")).failure.error == "guard"
        assert canary.touched == 0
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)


async def test_what_the_guard_allows_is_loaded(web, look):
    other = Canary("127.0.0.8")
    with running(other):
        web.put("/a", shell(f"fetch('http://127.0.0.8:{other.port}/').then(r => r.text()).then(t => zoom.append(t))"))
        assert '<div id="zoom">hi</div>' in (await look("/a")).body.decode()
        assert other.touched == 1


async def test_a_page_from_outside_is_a_stranger_in_our_network(web, look):
    """allow_private lets us read 127.0.0.1; a public page's script, here behind a proxy, may not."""
    asked: list[str] = []

    def forward(request: Request) -> Reply:
        asked.append(request.path)
        script = f"fetch('{web.url}/secret').catch(() => 0); fetch('http://api.example/x').catch(() => 0)"
        return Reply(200, shell(script).encode())

    proxy = HttpServer(forward)
    with running(proxy):
        got = await look("http://yunling.example/a", proxy=proxy.url)
    assert got.failure is None
    assert asked == ["http://yunling.example/a", "http://api.example/x"]
    assert web.asked == []


async def test_robots_txt_is_asked_about_the_page_and_what_it_loads(web, look):
    data(web)
    web.routes["/robots.txt"] = Reply(200, b"User-agent: *\nDisallow: /data.json\nDisallow: /hidden\n", "text/plain")
    web.put("/a", shell(FILL))
    web.put("/hidden", shell(FILL))
    got = await look("/a", respect_robots=True)
    assert got.failure is None
    assert AIM not in got.body.decode()
    web.put("/a", shell("location.href = '/hidden'"))
    assert (await look("/a", respect_robots=True)).failure.error == "robots"
    assert web.asked == ["/robots.txt", "/a", "/a"]


async def test_one_request_to_a_host_at_a_time(look):
    now = most = 0

    class Slow(HttpServer):
        async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            await super().talk(reader, writer)
            now -= 1

    page = shell("Promise.all([...Array(20).keys()].map(n => fetch('/x' + n))).then(() => zoom.append('all'))").encode()
    site = Slow(lambda request: Reply(200, page if request.path == "/a" else b""))
    with running(site):
        first, second = await asyncio.gather(look(site.url + "/a"), look(site.url + "/a"))
        assert '<div id="zoom">all</div>' in first.body.decode()
        assert '<div id="zoom">all</div>' in second.body.decode()
        assert most == 1


# --------------------------------------------------------------------------- how much, how long


async def test_a_page_that_never_ends_ends_in_time(web, look):
    web.put("/a", shell("for (;;);"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    got = await look("/a", timeout=timedelta(seconds=2))
    assert got.failure.error == "timeout"
    assert loop.time() - began < 10
    data(web)
    web.put("/a", shell(FILL))
    assert AIM in (await look("/a")).body.decode()


async def test_a_page_that_never_gets_quiet_is_read_as_it_stands(web, look):
    data(web)
    web.put("/a", shell(FILL + "; setInterval(() => fetch('/tick'), 50)"))
    got = await look("/a", timeout=timedelta(seconds=6))
    assert AIM in got.body.decode()
    assert web.asked.count("/tick") > 3


async def test_a_large_page_may_be_nearly_as_large_as_allowed(web, look):
    web.put("/a", shell("zoom.append(1)", f"<!--{'x' * 190_000}-->"))
    got = await look("/a", max_bytes=200_000)
    assert (got.failure, len(got.body) > 190_000) == (None, True)


@pytest.mark.parametrize(
    "script",
    [
        "for (let i = 0; i < 9; i++) fetch('/big')",
        "zoom.textContent = '字'.repeat(300000); Element.prototype.__defineGetter__('outerHTML', () => '')",
    ],
    ids=["loaded", "built"],
)
async def test_more_than_max_bytes_is_refused(web, look, script):
    web.put("/big", "x" * 40_000)
    web.put("/a", shell(script))
    assert (await look("/a", max_bytes=200_000)).failure.error == "too_large"
    assert web.asked.count("/big") < 7


async def test_a_page_that_eats_memory_ends_itself_only(web, look):
    web.put("/a", shell("let text = '字'; for (;;) { text += text; zoom.textContent = text }"))
    assert (await look("/a")).failure.error == "reset"
    web.put("/a", shell("const all = []; try { for (;;) all.push(new Uint8Array(5e7).fill(1)) } catch (e) {" + SIZE))
    left = (await look("/a")).body.decode().partition('"zoom">had:')[2].partition(".")[0]
    assert 100 < float(left) < 1000


async def test_after_the_browser_died_the_next_page_gets_another(web, look, program):
    def deadly(request: Request) -> Reply:
        os.kill(last_start(program), signal.SIGKILL)
        return Reply(200, b"{}", "application/json")

    web.routes["/data.json"] = deadly
    web.put("/a", shell(FILL))
    assert (await look("/a")).failure.error == "reset"
    data(web)
    assert AIM in (await look("/a")).body.decode()


# --------------------------------------------------------------------------- what is there, what is left


async def test_without_a_browser_the_check_says_what_to_install(web, look):
    web.put("/a", shell(FILL))
    missing = Fetcher(Network(allow_private=("127.0.0.0/8",)), chromium="/nowhere/chromium")
    got = await look("/a", by=missing)
    await missing.aclose()
    assert got.failure.error == "guard"
    assert "MUBIAO_CHROMIUM=/nowhere/chromium is no program" in got.failure.detail
    needed = Source(key="a", url="", render="browser")
    with pytest.raises(ConfigError, match="no program"):
        missing.require([needed])
    missing.require([Source(key="a", url=""), Source(key="b", url="", render="browser", enabled=False)])


async def test_the_browser_is_found_by_name_or_by_path(monkeypatch, tmp_path):
    assert find(CHROMIUM) == CHROMIUM
    assert find() == CHROMIUM
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install chromium"):
        find()


async def test_a_browser_that_does_not_start_is_a_failure(web, look, tmp_path):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho cannot open display >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    web.put("/a", shell(FILL))
    made = Fetcher(Network(allow_private=("127.0.0.0/8",)), chromium=str(broken))
    got = await look("/a", by=made)
    await made.aclose()
    assert got.failure.error == "reset"
    assert "Chromium did not start" in got.failure.detail


async def test_an_idle_browser_is_closed(web, look, program):
    data(web)
    web.put("/a", shell(FILL))
    made = Fetcher(Network(allow_private=("127.0.0.0/8",)))
    made.browser = Browser("mubiao", str(program), idle=0)
    assert AIM in (await look("/a", by=made)).body.decode()
    assert await asyncio.to_thread(ends, last_start(program))
    await made.aclose()


OWNER = """
import asyncio, sys
from datetime import UTC, datetime
from monitor.fetch import Fetcher
from monitor.model import Network, Page, Source

async def main():
    made = Fetcher(Network(allow_private=("127.0.0.0/8",)), chromium=sys.argv[1])
    source = Source(key="a", url="", render="browser", respect_robots=False)
    await made.fetch(source, Page(1, "a", sys.argv[2]), datetime.now(UTC))

asyncio.run(main())
"""


async def test_a_browser_does_not_outlive_a_program_that_was_killed(web, desk, program):
    web.put("/a", shell("fetch('/wait')"))
    web.silent.add("/wait")
    process = desk.spawn(program, web.url + "/a", code=OWNER)
    assert await asyncio.to_thread(web.stuck.wait, 20)
    process.kill()
    assert await asyncio.to_thread(ends, last_start(program))


# --------------------------------------------------------------------------- the whole way


async def test_a_version_is_what_the_scripts_built(web, watching, page_of, program):
    paragraphs = [f"2026年，云岭区第{n}项工作：地区生产总值增长{n}%左右，城镇新增就业{n}000人。" for n in range(3, 9)]
    whole = page_of("云岭区2026年政府工作报告", *paragraphs)
    empty = whole.replace("".join(f"<p>　　{p}</p>" for p in paragraphs), "")
    assert paragraphs[0] not in empty
    fill = f"document.querySelector('#zoom').innerHTML = {json.dumps([f'<p>{p}</p>' for p in paragraphs])}.join('')"
    web.put("/a", empty.replace("</body>", "<script src=/j.js></script></body>"))
    web.routes["/j.js"] = Reply(200, fill.encode(), "text/javascript")
    source = {"key": "yunling", "url": web.url + "/a", "render": "browser"}
    watch = watching(source, environ={"MUBIAO_CHROMIUM": str(program)})
    summary = await watch.look()
    assert (summary.counts["new"], summary.failures) == (1, [])
    again = await watch.look()
    assert (again.counts["unchanged"], again.failures) == (1, [])
    assert ends(last_start(program))


async def test_sigterm_ends_the_browser_too(web, desk, program):
    web.put("/a", shell("fetch('/wait')"))
    web.silent.add("/wait")
    desk.watch({"key": "yunling", "url": web.url + "/a", "render": "browser"})
    desk.environ["MUBIAO_CHROMIUM"] = str(program)
    process = desk.spawn("check", "--all")
    assert await asyncio.to_thread(web.stuck.wait, 20)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 20) is not None
    assert await asyncio.to_thread(ends, last_start(program))


async def test_a_pass_without_a_browser_does_not_begin(web, watching):
    watch = watching(
        {"key": "yunling", "url": web.url + "/a", "render": "browser"}, environ={"MUBIAO_CHROMIUM": "/nowhere"}
    )
    with pytest.raises(ConfigError, match="MUBIAO_CHROMIUM=/nowhere is no program"):
        await watch.look()
    assert web.asked == []
