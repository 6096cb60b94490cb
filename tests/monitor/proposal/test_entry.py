"""The entry that would watch an address: kind, system, name, region, rule, and what it would follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor import config as configuration
from monitor import proposal
from monitor.demo.server import Reply
from monitor.errors import UsageError
from monitor.proposal import entry as entries

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，2026年全区主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
]
COLUMN = '<meta name="ColumnName" content="{}"><meta name="SiteIDCode" content="{}">'
FEED = (
    "<rss><channel><title>云岭要闻</title>"
    "<item><title>云岭区政府工作报告</title><link>/1.html</link></item></channel></rss>"
)


def column(*titles: str, name: str = "通知公告", code: str = "2301030012") -> str:
    items = "".join(
        f'<li><a href="/zwgk/202601/t20260108_{1_000_000 + n}.html">{t}</a><span>2026-01-08</span></li>'
        for n, t in enumerate(titles)
    )
    return f"<html><head><title>{name}</title>{COLUMN.format(name, code)}</head><body><ul>{items}</ul></body></html>"


@pytest.fixture
def look(desk: Any) -> Callable[..., Any]:
    async def proposed(url: str, **given: Any) -> Any:
        config = desk.watch()
        async with proposal.fetching(config) as fetcher:
            return await proposal.propose(url, config, configuration.vocabulary(), given, fetcher)

    return proposed


async def test_a_page(web: Any, look: Any, page_of: Callable[..., str]) -> None:
    found = await look(web.put("/a.html", page_of("云岭区政府工作报告", *TEXT)))
    assert found.entry["kind"] == "page"
    assert (found.entry["name"], found.entry["series"]) == ("云岭区政府工作报告", "政府工作报告")
    assert found.json()["paragraphs"] == TEXT


async def test_a_general_column_is_narrowed_to_reports_and_a_column_of_them_is_not(web: Any, look: Any) -> None:
    titles = ("云岭区关于春耕的通知", "云岭区关于防汛的通知", "云岭区政府工作报告全文")
    found = await look(web.put("/tzgg/", column(*titles)))
    entry = found.entry
    assert (entry["kind"], entry["region"], entry["key"]) == ("listing", "230103", "127-tzgg")
    assert entry["links"] == {"include": [r"/zwgk/\d+/t\d+_\d+\.html$"]}
    assert ([x.text for x in found.documents], found.others) == (["云岭区政府工作报告全文"], 2)
    assert found.family == "拓尔思 TRS WCM"
    found = await look(web.put("/tjgb/", column(*titles, name="统计公报", code="2301000012")))
    assert (found.entry.get("match"), found.others, found.entry["region"]) == (None, 0, "2301")
    found = await look(web.url + "/tzgg/", match="", tags=("x",), key="mine", name="甲", region="2302", every="2h")
    assert found.entry.get("match") is None
    assert {k: found.entry[k] for k in ("key", "name", "region", "every", "tags")} == {
        "key": "mine", "name": "甲", "region": "2302", "every": "2h", "tags": ["x"]
    }  # fmt: skip


def test_an_entry_can_be_written_and_read_again(web: Any, desk: Any) -> None:
    url = web.put("/tzgg/", column("云岭区关于春耕的通知", "云岭区关于防汛的通知", "云岭区政府工作报告全文"))
    desk.watch()
    dry = desk.run("sources", "add", url, "--dry-run", "--json")
    assert (dry.code, dry.json["written"], dry.json["entry"]["kind"], dry.json["left_out"]) == (0, False, "listing", 2)
    assert configuration.load(str(desk.config)).sources == ()
    done = desk.run("sources", "add", url, "--lang", "zh")
    assert (done.code, "- key: 127-tzgg" in done.out, "关注 1 篇" in done.err) == (0, True, True), done.err
    (source,) = configuration.load(str(desk.config)).sources
    assert (source.kind, source.region, source.links.include) == ("listing", "230103", (r"/zwgk/\d+/t\d+_\d+\.html$",))


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        (FEED, "feed", "云岭要闻"),
        ("<urlset><url><loc>/zwgk/202601/t20260108_1000001.html</loc></url></urlset>", "sitemap", "127.0.0.1"),
        (json.dumps({"results": [{"title": "云岭区政府工作报告", "url": "/a/1.html"}]}), "listing", "127.0.0.1"),
    ],
)  # fmt: skip
async def test_lists_for_programs(web: Any, look: Any, body: str, kind: str, name: str) -> None:
    web.routes["/data"] = Reply(200, body.encode(), "text/plain")
    found = await look(web.url + "/data")
    assert (found.entry["kind"], found.entry["name"], len(found.documents)) == (kind, name, 1)


async def test_a_newspaper(web: Any, look: Any, page_of: Callable[..., str]) -> None:
    day = datetime.now(UTC)
    folder = f"/pc/layout/{day:%Y%m}/{day:%d}"
    sheets = '<a href="node_01.html">第01版</a><a href="node_02.html">第02版</a>'
    articles = f'<a href="/pc/content/{day:%Y%m}/{day:%d}/content_501.html">云岭区政府工作报告摘要</a>'
    url = web.put(f"{folder}/node_01.html", f"<html><body>{sheets}<ul><li>{articles}</li></ul></body></html>")
    found = await look(url)
    assert (found.entry["kind"], found.entry["cron"]) == ("epaper", "15 7,12 * * *")
    assert found.entry["url"] == web.url + "/pc/layout/{yyyy}{mm}/{dd}/node_01.html"
    assert (await look(found.entry["url"], kind="epaper")).entry["url"] == found.entry["url"]
    front = web.put("/", f'<html><body><a href="{folder}/node_01.html">今日报纸第一版</a></body></html>')
    assert (await look(front)).entry["url"] == found.entry["url"]
    path = f"/pc/content/{day:%Y%m}/{day:%d}/content_501.html"
    assert (await look(web.put(path, page_of("云岭区政府工作报告摘要", *TEXT)))).entry["kind"] == "page"


async def test_what_cannot_be_read_or_is_another_kind_is_an_error(
    web: Any, look: Any, page_of: Callable[..., str]
) -> None:
    with pytest.raises(UsageError, match="http_404"):
        await look(web.url + "/missing")
    with pytest.raises(UsageError, match="no link to a document"):
        await look(web.put("/b.html", page_of("区政府全体会议", *TEXT)), kind="listing")
    with pytest.raises(UsageError, match="no RSS"):
        await look(web.url + "/b.html", kind="feed")
    with pytest.raises(UsageError, match="no http"):
        await look("ftp://a.example/")
    assert entries.web_address("www.yunling.gov.cn/zwgk") == "http://www.yunling.gov.cn/zwgk"


@pytest.mark.parametrize(
    ("code", "names", "region"),
    [
        ("2301030012", "", "230103"),
        ("2301000012", "", "2301"),
        ("4419000001", "", "4419"),  # a city that our table does not name
        ("bm12000001", "", None),
        ("9912340001", "", None),
        ("230103001", "", None),
        (None, "哈尔滨市南岗区人民政府", "230103"),
        (None, "某地人民政府", None),
        (None, "北京市与上海市合作", None),
    ],
)
def test_the_region_of_a_site(code: str | None, names: str, region: str | None) -> None:
    assert entries.region_of(code, names, configuration.vocabulary()) == region


def test_keys_are_short_and_new() -> None:
    assert entries.key_of("http://www.hrbng.gov.cn/col/zfgzbg/index.html", set()) == "hrbng-zfgzbg"
    assert entries.key_of("http://www.hrbng.gov.cn/", {"hrbng", "hrbng-2"}) == "hrbng-3"
