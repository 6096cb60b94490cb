"""robots.txt: RFC 9309's cases at a real server, and what is kept."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import pytest

from monitor.fetch import Fetcher
from monitor.fetch.robots import MOST_BYTES, product_token
from monitor.model import Network

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLOSED = b"User-agent: *\nDisallow: /\n"


@pytest.fixture
def polite(read):
    async def once(path, **more):
        return await read(path, respect_robots=True, **more)

    return once


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        (b"", "/a", True),
        (b"User-agent: *\nDisallow: /private/\n", "/a", True),
        (b"User-agent: *\nDisallow: /private/\n", "/private/a", False),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /private/\n", "/private/a", False),
        (b"User-agent: *\nDisallow: /\nAllow: /zw/\n", "/zw/a", True),
        (b"User-agent: *\nDisallow: /*.shtml$\n", "/zw/a.shtml", False),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: mubiao\nDisallow: /x\n", "/a", True),
        (b"User-agent: *\nDisallow: /x\n\nUser-agent: Mubiao\nDisallow: /\n", "/a", False),
        (b"User-agent: other\nDisallow: /\n", "/a", True),
        ("User-agent: *\nDisallow: /内部/  # 不要抓取\n".encode("gbk"), f"/{quote('内部')}/a", False),
        ("User-agent: *\nDisallow: /内部/\n".encode("gbk"), f"/{quote('内部'.encode('gbk'))}/a", False),
        ("User-agent: *\nDisallow: /内部/\n".encode(), f"/{quote('内部'.encode('gbk'))}/a", False),
        (b"User-agent: *\nDisallow: /%C4%DA%B2%BF/\n", f"/{quote('内部'.encode('gbk'))}/a", False),
        ("# 全站开放\nUser-agent: *\nDisallow: /内部/\n".encode("gbk"), "/a", True),
        (b"<html><head><title>404</title></head><body>Disallow: /</body></html>", "/a", True),
        (b"\xff\xfe\x00\x00\xb4\xed\xce\xf3", "/a", True),
        (b"# " + b"x" * MOST_BYTES + b"\n" + CLOSED, "/a", True),  # beyond what has to be read
    ],
)
async def test_rules(site, polite, text, path, allowed):
    site.put("/robots.txt", text)
    site.put(path, b"x")
    got = await polite(path)
    assert (got.status == 200, bool(site.asked(path))) == (allowed, allowed)
    assert allowed or got.failure.error == "robots"


@pytest.mark.parametrize("status", ["304 X", "400 X", "401 X", "403 X", "404 X", "410 X", "429 X", "451 X"])
async def test_4xx_and_a_304_nobody_asked_for_allow_everything(site, polite, status):
    site.put("/robots.txt", CLOSED, status=status)
    site.put("/a", b"x")
    assert (await polite("/a")).status == 200


@pytest.mark.parametrize("status", ["500 X", "503 X", "521 X"])
async def test_5xx_allows_nothing_and_is_asked_again_soon(site, polite, status):
    site.put("/robots.txt", b"", status=status)
    site.put("/a", b"x")
    assert (await polite("/a")).failure.error == "robots"
    assert (await polite("/a", now=NOW + timedelta(minutes=5))).failure.error == "robots"
    assert len(site.seen) == 1
    site.put("/robots.txt", b"")
    assert (await polite("/a", now=NOW + timedelta(minutes=11))).status == 200


async def test_it_is_read_once_a_day(site, polite):
    site.put("/robots.txt", b"")
    site.put("/a", b"x")
    for hours in (0, 1, 23, 25):
        await polite("/a", now=NOW + hours * HOUR)
    assert len(site.asked("/robots.txt")) == 2


async def test_an_old_copy_is_used_while_the_server_is_ill(site, polite):
    site.put("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    site.put("/a", b"x")
    await polite("/a")
    site.put("/robots.txt", b"", status="503 X")
    assert (await polite("/a", now=NOW + 30 * HOUR)).status == 200
    assert (await polite("/private", now=NOW + 30 * HOUR)).failure.error == "robots"
    assert (await polite("/a", now=NOW + 50 * HOUR)).failure.error == "robots"


async def test_redirects_are_followed(site, polite):
    site.put("/robots.txt", b"", "Location: /en/robots.txt", status="301 Moved")
    site.put("/en/robots.txt", CLOSED)
    assert (await polite("/a")).failure.error == "robots"


@pytest.mark.parametrize("location", ["/robots.txt", "file:///etc/passwd", "http://10.0.0.1/robots.txt"])
async def test_redirects_that_lead_nowhere(site, polite, location):
    site.put("/robots.txt", b"", f"Location: {location}", status="302 Found")
    site.put("/a", b"x")
    got = await polite("/a")
    assert got.status == 200


async def test_trouble_with_robots_is_the_failure_of_the_page(site, polite):
    async def abort(seen, writer):
        writer.transport.abort()

    site.routes["/robots.txt"] = abort
    got = await polite("/a")
    assert (got.failure.error, got.failure.detail[:10]) == ("reset", "robots.txt")
    assert not site.asked("/a")


async def test_not_respected_means_not_asked(site, read):
    site.put("/robots.txt", CLOSED)
    site.put("/a", b"x")
    assert (await read("/a")).status == 200
    assert not site.asked("/robots.txt")


async def test_crawl_delay_is_the_least_gap(site, polite):
    site.put("/robots.txt", b"User-agent: *\nCrawl-delay: 0.2\n")
    site.put("/a", b"x")
    await polite("/a", delay=timedelta(seconds=0.01))
    await polite("/a", delay=timedelta(seconds=0.01))
    assert all(b.start - a.end >= 0.2 for a, b in pairwise(site.seen))


async def test_robots_of_the_target_of_a_redirect_count(site, polite):
    site.put("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    site.put("/a", b"", "Location: /private/b", status="302 Found")
    assert (await polite("/a")).failure.error == "robots"
    assert not site.asked("/private/b")


async def test_texts_are_kept_over_a_restart(site, source, page):
    kept = {}

    async def remember(host, text, status, at):
        kept[host] = (text, status, at)

    async def recall(host):
        return kept.get(host)

    site.put("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    for hours in (0, 1):
        fetcher = Fetcher(Network(allow_private=("127.0.0.0/8",)), recall=recall, remember=remember)
        got = await fetcher.fetch(source(respect_robots=True), page(site.url("/private")), NOW + hours * HOUR)
        assert got.failure.error == "robots"
        await fetcher.aclose()
    assert len(site.seen) == 1
    text, status, at = kept[f"127.0.0.1:{site.port}"]
    assert (text, status) == ("User-agent: *\nDisallow: /private\n", 200)
    assert NOW <= at < NOW + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("agent", "token"),
    [("mubiao/0.1 (+https://a.example)", "mubiao"), ("My-Watch 2", "my-watch"), ("", "*"), ("监测/1", "*")],
)
def test_product_token(agent, token):
    assert product_token(agent) == token
