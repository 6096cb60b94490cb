"""A look at one address, and the entry that would watch it: nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor import config as configuration
from monitor import dryrun
from monitor.demo.server import Reply
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.dryrun import TEXTS
from monitor.model import FAILURE_WORDS

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，2026年全区主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
]


@pytest.fixture
def listed(web: Any, page_of: Callable[..., str]) -> str:
    names = ("spring", "summer", "autumn", "winter", "year", "month")
    items = "".join(
        f'<li><a href="/art/2026/{n}.html">云岭区关于{n}工作的通知</a><span>2026-01-08</span></li>' for n in names
    )
    return str(web.put("/tzgg/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>"))


async def test_a_page_is_read_and_judged(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    config = desk.watch({"key": "a", "url": web.put("/a", page_of("区政府全体会议", *TEXT))})
    for what in ("a", config.sources[0].url):
        report = await dryrun.run(what, config, configuration.vocabulary())
        assert (report["source"], report["title"], report["kind"]) == ("a", "区政府全体会议", "article")
        assert report["paragraphs"] == TEXT
        assert report["targets"].startswith("3 targets")
        assert report["next_due"]
        assert "error" not in report


async def test_a_list_shows_what_it_leads_to(desk: Any, listed: str) -> None:
    config = desk.watch({"key": "a", "url": listed, "kind": "listing", "backfill": "3650d"})
    report = await dryrun.run("a", config, configuration.vocabulary())
    assert len(report["documents"]) == 6


async def test_a_failure_is_a_report_and_a_wrong_word_an_error(desk: Any, web: Any) -> None:
    config = desk.watch({"key": "a", "url": web.url + "/missing"})
    report = await dryrun.run("a", config, configuration.vocabulary())
    assert report["error"].startswith("http_404")
    with pytest.raises(UsageError, match="nope"):
        await dryrun.run("nope", config, configuration.vocabulary())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("robots", "status", "said"),
    [
        (b"", 404, ("该站没有规则", "no rules")),
        (b"User-agent: *\nDisallow: /b\nCrawl-delay: 0.1", 200, ("Crawl-delay 0.1", "allowed, Crawl-delay 0.1")),
        (b"User-agent: *\nDisallow: /", 200, ("禁止", "exclude")),
        (b"", 500, ("RFC 9309", "answered 500")),
    ],
)
async def test_the_verdict_of_robots_is_told(
    desk: Any, web: Any, page_of: Callable[..., str], lang: str, robots: bytes, status: int, said: tuple[str, str]
) -> None:
    web.put("/robots.txt", robots, status=status)
    config = desk.watch({"key": "a", "url": web.put("/a", page_of("区政府全体会议", *TEXT)), "respect_robots": True})
    report = await dryrun.run("a", config, configuration.vocabulary(), lang)
    assert said[lang == "en"] in report["robots"]
    assert ("fix" in report) == ("error" in report)


@pytest.mark.parametrize(
    ("encoding", "type_", "how"),
    [
        ("gb18030", "text/html; charset=gb2312", "http"),
        ("utf-8", "text/html; charset=gbk", "utf-8"),
        ("gb18030", "text/html", "bytes"),
    ],
)
async def test_it_says_why_it_was_decoded_so(
    desk: Any, web: Any, page_of: Callable[..., str], encoding: str, type_: str, how: str
) -> None:
    html = page_of("区政府全体会议", *TEXT).replace('<meta charset="utf-8">', "")
    web.routes["/a"] = Reply(200, html.encode(encoding), type_)
    report = await dryrun.run(web.url + "/a", desk.watch(), configuration.vocabulary(), "zh")
    assert (report["encoding"], report["encoding_from"], report["replacements"]) == (encoding, how, 0)
    assert say(TEXTS, f"how.{how}", "zh") in report["decoded"]


def test_every_failure_has_a_fix_in_both_languages() -> None:
    assert all(all(TEXTS[f"fix.{word}"]) for word in FAILURE_WORDS)


async def test_nothing_is_stored_and_what_weakens_the_connection_is_said(desk: Any, web: Any) -> None:
    url = web.url.replace("http:", "https:") + "/a"
    config = desk.watch({"key": "a", "url": url, "tls": "insecure", "proxy": web.url})
    report = await dryrun.run("a", config, configuration.vocabulary())
    assert report["error"]
    assert any("not verified" in line for line in report["connection"])
    assert any("not judged" in line for line in report["connection"])
    assert not list(desk.folder.rglob("*.db"))


async def test_a_list_that_names_too_much_says_so(desk: Any, web: Any) -> None:
    items = "".join(f"<li><a href='t20260108_{n + 10**6}.html'>云岭区第{n}号文件</a></li>" for n in range(5_010))
    url = web.put("/long/", f"<html><body><ul>{items}</ul></body></html>")
    report = await dryrun.run("a", desk.watch({"key": "a", "url": url, "kind": "listing"}), configuration.vocabulary())
    assert any("list cut" in warning for warning in report["warnings"])


async def test_a_304_nobody_asked_for_is_no_page_without_text(desk: Any, web: Any) -> None:
    config = desk.watch({"key": "a", "url": web.put("/a", "", status=304)})
    report = await dryrun.run("a", config, configuration.vocabulary())
    assert "carried no validators" in report["error"]
    assert "cache" in report["fix"]


def test_people_are_told_the_next_time_in_their_own_zone(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    desk.watch({"key": "a", "url": web.put("/a", page_of("区政府全体会议", *TEXT)), "every": "1d"})
    due = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d[+-]\d\d:\d\d)$", desk.run("sources", "test", "a").out, re.MULTILINE)
    assert due
    at = datetime.fromisoformat(due[1])
    assert timedelta(hours=20) < at - datetime.now(UTC) < timedelta(hours=25)
    assert at.utcoffset() == datetime.now().astimezone().utcoffset()
