"""Sites that moved: told once with the new address, and another site's page is never taken for the watched one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.demo.background import running
from monitor.demo.server import Reply

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议强调，各部门要压实责任，细化举措，确保各项目标任务落到实处，以实际行动回应全区人民群众的期盼和要求。",
]
HEALTH = {
    "channels": {"desk": {"type": "email", "to": ["desk@example.org"]}},
    "subscriptions": [{"channel": "desk", "on": ["health"]}],
}


def told(desk: Any) -> list[tuple[str, str]]:
    with desk.queries() as ask:
        return [(alert.type, alert.payload["detail"]) for alert in reversed(ask.alerts()) if alert.type != "baseline"]


async def looks(watch: Any, times: int) -> list[Any]:
    done = []
    for _ in range(times):
        watch.clock.pass_by(hours=7)
        done.append(await watch.look())
    return done


async def test_a_permanent_redirect_is_told_once_with_the_new_address(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    web.put("/zwgk/new.html", page_of("区政府全体会议", *TEXT))
    web.routes["/old.html"] = Reply(301, b"", headers={"Location": "/mid.html"})
    web.routes["/mid.html"] = Reply(308, b"", headers={"Location": "/zwgk/new.html"})
    watch = watching({"key": "a", "url": web.url + "/old.html"}, **HEALTH)
    done = await looks(watch, 2)
    assert told(desk) == []
    done += await looks(watch, 4)
    ((kind, detail),) = told(desk)
    assert kind == "source.moved"
    assert web.url + "/zwgk/new.html" in detail
    assert [x.changes for x in done] == [[]] * 6
    assert sum(x.counts["unchanged"] + x.counts["not_modified"] for x in done) == 5


@pytest.mark.parametrize("first", [302, 307])
async def test_what_is_for_now_is_not_told(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], first: int
) -> None:
    web.put("/new.html", page_of("区政府全体会议", *TEXT))
    web.routes["/old.html"] = Reply(first, b"", headers={"Location": "/mid.html"})
    web.routes["/mid.html"] = Reply(301, b"", headers={"Location": "/new.html"})
    watch = watching({"key": "a", "url": web.url + "/old.html"}, **HEALTH)
    await looks(watch, 5)
    assert told(desk) == []


async def test_a_target_that_keeps_changing_is_not_told(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    watch = watching({"key": "a", "url": web.url + "/old.html"}, **HEALTH)
    for n in range(6):
        web.put(f"/{n}.html", page_of("区政府全体会议", *TEXT))
        web.routes["/old.html"] = Reply(301, b"", headers={"Location": f"/{n}.html"})
        await looks(watch, 1)
    assert told(desk) == []


@pytest.mark.parametrize("status", [301, 302])
async def test_another_site_is_never_taken_for_the_page(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], status: int
) -> None:
    url = web.put("/a.html", page_of("区政府全体会议", *TEXT))
    other = type(web)()
    other.host = "127.0.0.2"
    with running(other):
        there = other.put("/a.html", page_of("区政府全体会议", *TEXT, "多了一段，因为这是另一个网站。"))
        watch = watching({"key": "a", "url": url}, **HEALTH)
        (before,) = await looks(watch, 1)
        assert before.failures == []
        web.routes["/a.html"] = Reply(status, b"", headers={"Location": there})
        done = await looks(watch, 5)
    assert {why.error for x in done for _, why in x.failures} == {"moved"}
    assert not other.asked
    assert [x.changes for x in done] == [[]] * 5
    ((kind, detail),) = told(desk)
    assert kind == "source.moved"
    assert there in detail
    web.put("/a.html", page_of("区政府全体会议", *TEXT))
    (well,) = await looks(watch, 1)
    assert (well.failures, well.changes) == ([], [])


async def test_a_document_that_a_list_names_may_stand_elsewhere_until_it_is_known(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    other = type(web)()
    other.host = "127.0.0.2"
    with running(other):
        there = other.put("/art/1.html", page_of("云岭区关于春耕工作的通知", *TEXT))
        items = '<li><a href="/go?1">云岭区关于春耕工作的通知</a><span>2026-01-05</span></li>'
        web.put("/list/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>")
        web.routes["/go?1"] = web.routes["/go"] = Reply(302, b"", headers={"Location": there})
        watch = watching({"key": "list", "url": web.url + "/list/", "kind": "listing", "backfill": "3650d"})
        (first,) = await looks(watch, 1)
        assert (first.baselines, first.failures) == (1, [])
