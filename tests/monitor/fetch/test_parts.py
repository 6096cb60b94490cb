"""Articles on several pages over a real server: one document, all of it or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

FIRST = "/zwgk/202601/t20260108_1207.html"
TEXT = [
    "{}，云岭区坚持稳中求进工作总基调，着力推动高质量发展，经济运行总体平稳，主要指标完成情况好于预期。",
    "{}，全区将继续深化改革开放，加快建设现代化产业体系，扎实办好民生实事，努力完成全年各项目标任务。",
]


def address(number: int) -> str:
    return FIRST if number == 1 else FIRST.replace(".html", f"_{number - 1}.html")


@pytest.fixture
def article(web: Any, page_of: Callable[..., str]) -> Callable[..., None]:
    """`article("甲", "乙", …)`: a page for each, with a pager that names them all and a link to the next article."""

    def put(*names: str, pager: bool = True, encoding: str = "utf-8") -> None:
        numbers = "".join(f'<a href="{address(n)}">{n}</a>' for n in range(1, len(names) + 1))
        for number, name in enumerate(names, 1):
            following = f'<a href="{address(number + 1)}">下一页</a>' if number < len(names) else ""
            foot = f'<div class="page">{numbers}{following}</div>' if pager else ""
            foot += '<p>下一篇：<a href="t20260109_1208.html">云岭区另一条要闻</a></p>'
            html = page_of("云岭区政府工作报告", *(x.format(name) for x in TEXT)).replace(
                '<div class="footer">', foot + '<div class="footer">'
            )
            web.put(address(number), html.replace("utf-8", encoding), encoding)

    return put


def kept(desk: Any) -> Any:
    with desk.queries() as ask:
        return ask.version(ask.history("a")[0]["version"])


def expected(*names: str) -> list[str]:
    return [x.format(name) for name in names for x in TEXT]


async def test_all_pages_are_one_document_and_each_is_watched(
    web: Any, desk: Any, article: Any, watching: Callable[..., Any]
) -> None:
    article("第一季度", "第二季度", "第三季度")
    watch = watching({"key": "a", "url": web.url + FIRST})
    assert (await watch.look()).baselines == 1
    assert list(kept(desk).document.paragraphs) == expected("第一季度", "第二季度", "第三季度")
    assert kept(desk).document.parts == 3
    assert not any("1208" in path for path in web.asked)
    watch.clock.pass_by(days=2)
    assert (await watch.look()).counts["unchanged"] == 1
    article("第一季度", "第二季度", "第四季度")
    watch.clock.pass_by(days=2)
    (change,) = (await watch.look()).changes
    assert (change.kind, {(e.old, e.new) for e in change.edits} != set()) == ("content", True)
    assert all("第一季度" not in edit.old + edit.new for edit in change.edits)


async def test_a_page_that_fails_or_a_pager_that_is_lost_makes_no_version(
    web: Any, desk: Any, article: Any, watching: Callable[..., Any]
) -> None:
    article("第一季度", "第二季度", "第三季度")
    watch = watching({"key": "a", "url": web.url + FIRST})
    await watch.look()
    for status, error in ((500, "http_5xx"), (404, "truncated")):
        web.put(address(3), "<html><body>出错了</body></html>", status=status)
        watch.clock.pass_by(hours=7)
        (_, why), *_ = (await watch.look()).failures
        assert (why.error, "page 3 of the article" in why.detail) == (error, True)
    article("第一季度", pager=False)
    for hours, errors in ((7, ["collapsed"]), (20, ["collapsed"]), (60, [])):  # after two days it is believed
        watch.clock.pass_by(hours=hours)
        done = await watch.look()
        assert [why.error for _, why in done.failures] == errors
        assert [c.kind for c in done.changes] == ([] if errors else ["content"])
    assert list(kept(desk).document.paragraphs) == expected("第一季度")


async def test_pages_in_gbk_are_read_again_by_another_selector_without_a_change(
    web: Any, desk: Any, article: Any, watching: Callable[..., Any]
) -> None:
    article("第一季度", "第二季度", encoding="gbk")
    await watching({"key": "a", "url": web.url + FIRST}).look()
    watch = watching({"key": "a", "url": web.url + FIRST, "selector": "#zoom p:first-child"})
    watch.clock.pass_by(days=2)
    assert (await watch.look()).changes == []


async def test_an_article_of_too_many_bytes_is_refused(web: Any, article: Any, watching: Callable[..., Any]) -> None:
    article(*(f"第{n}季度" for n in range(1, 9)))
    size = len(web.routes[FIRST].body)
    watch = watching({"key": "a", "url": web.url + FIRST, "max_bytes": size + 100})
    assert [why.error for _, why in (await watch.look()).failures] == ["too_large"]


def sheet(number: int, *articles: tuple[str, str]) -> str:
    sheets = "".join(f'<a href="/pc/layout/202601/08/node_0{n}.html">第0{n}版</a>' for n in (1, 2, 3))
    items = "".join(f'<li><a href="{path}">{title}</a></li>' for path, title in articles)
    return f"<html><head><title>第{number}版</title></head><body>{sheets}<ul>{items}</ul></body></html>"


async def test_an_article_that_goes_on_at_another_sheet_is_joined(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    folder, title = "/pc/content/202601/08/content_", "云岭区政府工作报告摘要"
    sheets = sheet(1).split("<body>")[1].split("<ul>")[0]
    first, rest = expected("第一季度"), expected("第三季度")
    text = page_of(title, first[0], first[1] + "（下转第三版）")
    web.put(f"{folder}501.html", text.replace('<div class="footer">', sheets + '<div class="footer">'))
    web.put(f"{folder}503.html", page_of("（上接第一版）", "（上接第一版）" + rest[0], rest[1]))
    articles = (f"{folder}502.html", "他事一则的报道"), (f"{folder}503.html", "（上接第一版）")
    web.put("/pc/layout/202601/08/node_03.html", sheet(3, *articles))
    watch = watching({"key": "a", "url": web.url + f"{folder}501.html"})
    assert (await watch.look()).failures == []
    assert list(kept(desk).document.paragraphs) == [*first, *rest]
    web.put(f"{folder}503.html", "<html><body>错误</body></html>", status=500)
    watch.clock.pass_by(days=2)
    done = await watch.look()
    assert ([why.error for _, why in done.failures], done.changes) == (["http_5xx"], [])


async def test_a_hint_that_leads_nowhere_leaves_the_article_as_it_is(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    path = web.put(
        "/pc/content/202601/08/content_501.html", page_of("摘要一则", *expected("第一季度"), "（下转第三版）")
    )
    assert (await watching({"key": "a", "url": path}).look()).failures == []
    assert kept(desk).document.parts == 0
