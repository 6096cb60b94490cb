"""A look at one address, and the entry that would watch it: nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor import config as configuration
from monitor import dryrun
from monitor.errors import UsageError

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
    with pytest.raises(UsageError, match="http_404"):
        await dryrun.propose(web.url + "/missing", config, configuration.vocabulary(), {})


async def test_an_entry_is_proposed_from_what_stands_there(
    desk: Any, web: Any, listed: str, page_of: Callable[..., str]
) -> None:
    config, words = desk.watch(), configuration.vocabulary()
    page = await dryrun.propose(web.put("/a.html", page_of("区政府全体会议", *TEXT)), config, words, {})
    assert (page["kind"], page["name"]) == ("page", "区政府全体会议")
    column = await dryrun.propose(listed, config, words, {"tags": ("x",), "key": "mine"})
    assert (column["kind"], column["key"], column["tags"]) == ("listing", "mine", ["x"])


async def test_the_kind_that_was_given_is_the_one_that_is_tried(
    desk: Any, web: Any, listed: str, page_of: Callable[..., str]
) -> None:
    config, words = desk.watch(), configuration.vocabulary()
    page = web.put("/b.html", page_of("区政府全体会议", *TEXT))
    with pytest.raises(UsageError, match="no link to a document"):
        await dryrun.propose(page, config, words, {"kind": "listing"})
    few = web.put("/few/", '<html><body><ul><li><a href="/art/1.html">云岭区工作通知</a></li></ul></body></html>')
    with pytest.raises(UsageError):
        await dryrun.propose(few, config, words, {})
    items = '<li><a href="/art/1.html">云岭区关于春季工作的通知</a><span>2026-01-08</span></li>'
    short = web.put("/short/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>")
    assert (await dryrun.propose(short, config, words, {"kind": "listing"}))["kind"] == "listing"
    assert (await dryrun.propose(listed, config, words, {"kind": "listing"}))["kind"] == "listing"


async def test_a_list_that_names_too_much_says_so(desk: Any, web: Any) -> None:
    items = "".join(f"<li><a href='t20260108_{n + 10**6}.html'>云岭区第{n}号文件</a></li>" for n in range(5_010))
    url = web.put("/long/", f"<html><body><ul>{items}</ul></body></html>")
    report = await dryrun.run("a", desk.watch({"key": "a", "url": url, "kind": "listing"}), configuration.vocabulary())
    assert any("list cut" in warning for warning in report["warnings"])
