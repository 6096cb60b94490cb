"""From a site's front page to the columns worth watching, in few steps."""

from __future__ import annotations

from typing import Any

import pytest

from monitor import config as configuration
from monitor import proposal
from monitor.errors import UsageError


def page(title: str, *links: tuple[str, str]) -> str:
    items = "".join(f'<li><a href="{path}">{text}</a></li>' for path, text in links)
    return f"<html><head><title>{title}</title></head><body><p>{title}</p><ul>{items}</ul></body></html>"


def column(title: str, folder: str) -> str:
    items = "".join(
        f'<li><a href="{folder}202601/t20260108_100000{n}.html">云岭区{title}第{n}号</a><span>2026-01-0{n}</span></li>'
        for n in range(1, 6)
    )
    meta = f'<meta name="ColumnName" content="{title}">'
    return f"<html><head><title>{title}</title>{meta}</head><body><ul>{items}</ul></body></html>"


@pytest.fixture
def site(web: Any) -> Any:
    names = (("/zwgk/", "政务公开"), ("/tjsj/", "统计数据"), ("/ly/", "领导之窗"), ("/broken/", "财政预算"))
    web.put("/", page("云岭区人民政府", *names, ("/zwgk/202601/t20260108_1.html", "2026年云岭区政府工作报告")))
    web.put("/zwgk/", page("政务公开", ("/zwgk/bg/", "政府工作报告"), ("/zwgk/gh/", "规划计划"), ("/", "首页")))
    for folder, title in (
        ("/zwgk/bg/", "政府工作报告"),
        ("/zwgk/gh/", "规划计划"),
        ("/tjsj/", "统计数据"),
        ("/ly/", "领导之窗"),
    ):
        web.put(folder, column(title, folder))
    return web


async def test_columns_are_found_through_others_best_first(site: Any, desk: Any) -> None:
    config = desk.watch()
    async with proposal.fetching(config) as fetcher:
        found = await proposal.discover(site.url + "/", config, configuration.vocabulary(), fetcher)
    assert [p.entry["name"] for p in found.proposals] == ["统计数据", "政府工作报告", "规划计划"]
    assert all(p.entry["kind"] == "listing" and p.documents for p in found.proposals)
    assert len({p.entry["key"] for p in found.proposals}) == 3
    assert [w for w in found.warnings if "/broken/" in w and "http_404" in w]
    assert "/ly/" not in site.asked


async def test_what_is_watched_is_not_proposed_and_the_walk_is_bounded(site: Any, desk: Any) -> None:
    config = desk.watch({"key": "a", "url": site.url + "/zwgk/bg/", "kind": "listing"})
    async with proposal.fetching(config) as fetcher:
        found = await proposal.discover(site.url + "/", config, configuration.vocabulary(), fetcher, most=1)
    assert [p.entry["name"] for p in found.proposals] == ["统计数据"]


async def test_a_site_that_does_not_answer_is_an_error(web: Any, desk: Any) -> None:
    config = desk.watch()
    async with proposal.fetching(config) as fetcher:
        with pytest.raises(UsageError, match="http_404"):
            await proposal.discover(web.url + "/", config, configuration.vocabulary(), fetcher)


def test_the_command_shows_and_writes(site: Any, desk: Any) -> None:
    desk.watch()
    before = desk.config.read_text("utf-8")
    shown = desk.run("sources", "discover", site.url + "/")
    assert (shown.code, shown.out.count("- key:"), desk.config.read_text("utf-8")) == (0, 3, before)
    done = desk.run("sources", "discover", site.url + "/", "--yes", "--json")
    assert (done.code, done.json["written"], len(done.json["entries"])) == (0, True, 3)
    assert len(configuration.load(str(desk.config)).sources) == 3
    assert desk.run("sources", "discover", site.url + "/", "--yes").code == 1  # nothing new
