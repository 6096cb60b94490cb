"""Bad answers of every kind: an outcome with a plain reason, the last good version untouched, no change, no message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from monitor.demo.server import Reply
from monitor.model import BLOCKED_WORDS, FAILURE_WORDS

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，全区要坚持稳中求进工作总基调，地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
    "会议强调，各部门要压实责任，细化举措，确保各项目标任务落到实处，以实际行动回应全区人民群众的期盼和要求。",
] * 8
CHALLENGE = (
    "<html><head><title>安全检查</title></head>"
    "<body><script>document.cookie='x=1';location.reload()</script></body></html>"
)
WAF = (
    "<html><head><title>访问被拦截</title></head><body><h1>您的请求疑似攻击行为，已被网站防火墙拦截</h1>"
    "<p>如需帮助请联系网站管理员，事件编号：8a7f</p></body></html>"
)


def told(html: str, status: int = 200, **headers: str) -> Callable[[Any], None]:
    return lambda web: web.put("/a", html, status=status, **headers)


def foreign(web: Any) -> None:
    web.put(
        "/a",
        "".join(f"<p>北港集团二手车行情汽车报价第{c}辆，欢迎选购，价格面议，支持分期。</p>" for c in "甲乙丙丁" * 20),
    )


def binary(web: Any) -> None:
    web.routes["/a"] = Reply(200, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "image/png")


def unfinished(web: Any) -> None:
    web.put("/a", f"<html><body><div id=zoom><p>{TEXT[0]}</p><p>{TEXT[1][:10]}<stro")


def elsewhere(web: Any) -> None:
    web.put("/", "<html><body><ul><li>首页</li></ul></body></html>")
    web.routes["/a"] = Reply(302, b"", headers={"Location": "/"})


def lossy(page_of: Callable[..., str]) -> Callable[[Any], None]:
    body = page_of("区政府全体会议", *TEXT).encode().replace("会议".encode(), b"\xe4\xbc\xff")
    return lambda web: web.put("/a", body)


def circle(web: Any) -> None:
    web.routes["/a"] = Reply(302, b"", headers={"Location": "/a"})


CASES = {
    "gone": (told("", 404), {"http_404"}),
    "forbidden": (told("", 403), {"http_403", "blocked_waf"}),
    "broken server": (told("oops", 502), {"http_5xx"}),
    "challenge": (told(CHALLENGE, 412), {"blocked_challenge"}),
    "firewall": (told(WAF, 200), {"blocked_waf"}),
    "empty": (told(""), {"empty"}),
    "nothing but a frame": (told("<html><body></body></html>"), {"empty"}),
    "soft 404": (
        told("<html><head><title>404</title></head><body>您访问的页面不存在或已被删除</body></html>"),
        {"soft_404"},
    ),
    "maintenance": (
        told("<html><title>系统维护</title><body>网站正在维护升级中，请稍后再访问</body></html>"),
        {"maintenance"},
    ),
    "not a page": (binary, {"not_html"}),
    "cut off": (unfinished, {"truncated", "collapsed"}),
    "sent home": (elsewhere, {"redirect_home"}),
    "circle": (circle, {"redirect_loop"}),
    "another site's page": (foreign, {"wrong_document", "collapsed"}),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_bad_answer_is_no_change(
    case: str, web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    spoil, words = CASES[case]
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": url}, subscriptions=[])
    await watch.look()
    before = watch.store.load(1).last
    spoil(web)
    watch.clock.pass_by(hours=6)
    done = await watch.look()
    assert done.changes == []
    ((_, failure),) = done.failures
    assert failure.error in words
    assert failure.error in FAILURE_WORDS
    assert failure.detail
    assert done.counts["blocked" if failure.error in BLOCKED_WORDS or failure.error.startswith("bl") else "failed"] == 1
    assert watch.store.load(1).last == before
    with desk.queries() as ask:
        assert [p.failure.error for p in ask.failures()] == [failure.error]
    web.put("/a", page_of("区政府全体会议", *TEXT))
    watch.clock.pass_by(hours=6)
    well = await watch.look()
    assert (well.changes, well.failures, well.counts["unchanged"]) == ([], [], 1)
    with desk.queries() as ask:
        assert ask.failures() == []
        assert len(ask.history("a")) == 1


async def test_an_unreachable_page(watching: Callable[..., Any]) -> None:
    watch = watching(
        {"key": "closed", "url": "http://127.0.0.1:9/"},
        {"key": "nowhere", "url": "http://no-such-host.invalid/"},
        {"key": "inside", "url": "http://192.168.7.7/"},
    )
    done = await watch.look()
    assert {page.source: why.error for page, why in done.failures} == {
        "closed": "refused",
        "nowhere": "dns",
        "inside": "guard",
    }
    assert (done.counts["blocked"], done.counts["failed"]) == (1, 2)


async def test_characters_that_got_lost_are_no_change(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": url})
    await watch.look()
    lossy(page_of)(web)
    done = await watch.look()
    assert [why.error for _, why in done.failures] == ["lossy_decode"]
    assert done.changes == []


async def test_a_page_is_removed_after_three_looks_over_half_an_hour_and_can_come_back(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    html = page_of("区政府全体会议", *TEXT)
    url = web.put("/a", html)
    other = web.put("/b", page_of("另一个页面", *reversed(TEXT), "另一段只在这里出现的文字，介绍云岭区的气候与物产。"))
    watch = watching({"key": "a", "url": url}, {"key": "b", "url": other})
    await watch.look()
    web.put("/a", "<html><body>404 Not Found</body></html>", status=404)
    kinds = []
    for minutes in (60, 10, 10, 15, 60):
        watch.clock.pass_by(minutes=minutes)
        kinds.append([c.kind for c in (await watch.look()).changes])
    assert kinds == [[], [], [], ["removed"], []]
    web.put("/a", html)
    watch.clock.pass_by(hours=1)
    back = await watch.look()
    assert [(c.kind, c.source) for c in back.changes] == [("restored", "a")]
    watch.clock.pass_by(hours=1)
    assert (await watch.look()).changes == []


async def test_alone_on_its_host_a_page_is_removed_after_two_days(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": url})
    await watch.look()
    web.put("/a", "gone", status=410)
    kinds = []
    for hours in (1, 1, 1, 44, 3):
        watch.clock.pass_by(hours=hours)
        kinds.append([c.kind for c in (await watch.look()).changes])
    assert kinds == [[], [], [], [], ["removed"]]


async def test_an_edit_a_way_back_and_another_layout(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    first, second = list(TEXT), [*TEXT[:-2], TEXT[-2].replace("8%", "9%"), TEXT[-1]]
    laid_out = [x.replace("，", ", ").replace("会议", "会议 ") for x in TEXT]
    watch = watching({"key": "a", "url": web.put("/a", page_of("区政府全体会议", *first))})
    await watch.look()
    kinds = []
    for text in (second, first, laid_out):
        web.put("/a", page_of("区政府全体会议", *text))
        watch.clock.pass_by(hours=1)
        kinds.append([(c.kind, round(c.significance, 1)) for c in (await watch.look()).changes])
    assert [[kind for kind, _ in found] for found in kinds] == [["content"], ["reverted"], ["cosmetic"]]
    assert kinds[0][0][1] > 0.5 > kinds[2][0][1]


async def test_a_retry_after_holds_the_host_for_its_time(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": url})
    await watch.look()
    web.put("/a", "slow down", status=503, Retry_After="3600")
    watch.clock.pass_by(hours=6)
    await watch.look()
    asked = len(web.asked)
    web.put("/a", page_of("区政府全体会议", *TEXT))
    watch.clock.pass_by(minutes=30)
    held = await watch.look()  # even --all keeps the promise
    assert [why.error for _, why in held.failures] == ["held"]
    assert len(web.asked) == asked
    watch.clock.pass_by(minutes=31)
    assert (await watch.look()).counts["unchanged"] == 1


async def test_a_cancelled_pass_keeps_what_was_finished(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    quick = web.put("/quick", page_of("区政府全体会议", *TEXT))
    web.silent.add("/slow")
    watch = watching({"key": "quick", "url": quick}, {"key": "slow", "url": web.url + "/slow"})
    task = asyncio.create_task(watch.look())
    assert await asyncio.to_thread(web.stuck.wait, 10)
    task.cancel()
    done = await task
    assert done.interrupted
    assert done.counts["new"] + done.counts["unchanged"] <= 1
    web.silent.clear()
    web.put("/slow", page_of("另一个页面", *reversed(TEXT)))
    watch.clock.pass_by(hours=7)
    again = await watch.look(everything=False)
    assert again.failures == []
    assert {p.source for p in watch.store.pages() if p.version} == {"quick", "slow"}
