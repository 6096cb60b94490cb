"""Many checks together: hosts beside each other, one bug among many pages, what follows from trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitor import daemon
from monitor.demo.background import running
from monitor.demo.server import Reply, Request
from monitor.pipeline import LARGE, page_host

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议强调，各部门要压实责任，细化举措，确保各项目标任务落到实处，以实际行动回应全区人民群众的期盼和要求。",
]


async def test_a_silent_host_delays_no_other(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    other = type(web)()
    other.host = "127.0.0.2"
    with running(other):
        web.silent.add("/slow")
        other.put("/a", page_of("区政府全体会议", *TEXT))
        watch = watching(
            {"key": "slow", "url": web.url + "/slow", "timeout": "1s"}, {"key": "a", "url": other.url + "/a"}
        )
        done = await watch.look()
    assert (done.counts["new"], [why.error for _, why in done.failures]) == (1, ["timeout"])


async def test_a_page_that_takes_long_to_read_is_passed_by_the_others(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    long = [f"到2027年，云岭区第{n}片区新增停车泊位{n}个，绿化覆盖率提高{n % 9}个百分点。" for n in range(1, 800)]
    web.put("/long", page_of("云岭区片区任务", *long) + f"<!--{'x' * LARGE}-->")
    sources = [{"key": "long", "url": web.url + "/long"}]
    for n in range(4):
        web.put(f"/{n}", page_of(f"区政府第{n}次全体会议", *TEXT))
        sources.append({"key": f"k{n}", "url": f"{web.url}/{n}"})
    watch = watching(*sources, defaults={"concurrency_per_host": 5, "delay": "0s", "respect_robots": False})
    ended: list[str] = []
    async with daemon.engine(watch.store, watch.config, watch.words, {}, now=watch.clock) as made:
        pages = sorted(watch.store.pages(), key=lambda page: page.source, reverse=True)  # the long one first
        await made.checker.check(pages, lambda outcome, _: ended.append(outcome.page.source) if outcome else None)
    assert sorted(ended[:4]) == ["k0", "k1", "k2", "k3"]
    assert ended[4:] == ["long"]


async def test_a_list_leads_to_its_documents_in_the_same_pass_and_later_ones_are_news(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    def column(*names: str) -> None:
        items = "".join(
            f'<li><a href="/art/{name}.html">云岭区关于{name}工作的通知</a><span>2026-01-0{day}</span></li>'
            for day, name in enumerate(names, 1)
        )
        web.put("/list/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>")
        for name in names:
            web.put(f"/art/{name}.html", page_of(f"云岭区关于{name}工作的通知", *(x + name for x in TEXT)))

    column("spring", "summer")
    watch = watching({"key": "list", "url": web.url + "/list/", "kind": "listing", "backfill": "3650d"})
    first = await watch.look()
    assert (first.baselines, first.changes, first.failures) == (2, [], [])
    column("spring", "summer", "autumn")
    watch.clock.pass_by(hours=7)
    second = await watch.look()
    assert [(c.kind, c.url.rsplit("/", 1)[1]) for c in second.changes] == [("new", "autumn.html")]
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).changes == []


async def test_trouble_is_told_once_after_three_failures_and_once_when_it_is_over(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching(
        {"key": "a", "url": url},
        channels={"desk": {"type": "email", "to": ["desk@example.org"]}},
        subscriptions=[{"channel": "desk", "on": ["health"]}],
    )
    await watch.look()
    told = []
    for status in (500, 500, 500, 500, 200, 200):
        web.put("/a", page_of("区政府全体会议", *TEXT) if status == 200 else "oops", status=status)
        watch.clock.pass_by(hours=1)
        await watch.look()
        with desk.queries() as ask:
            told.append([alert.type for alert in ask.alerts() if alert.type != "baseline"])
    assert [len(x) for x in told] == [0, 0, 1, 1, 2, 2]
    assert set(told[-1]) == {"source.failing", "source.recovered"}


async def test_a_source_that_fails_again_is_told_again_and_once_for_all_its_pages(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    names = ("spring", "summer", "autumn")
    items = "".join(
        f'<li><a href="/art/{n}.html">云岭区关于{n}工作的通知</a><span>2026-01-05</span></li>' for n in names
    )
    web.put("/list/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>")
    pages = {f"/art/{n}.html": page_of(f"云岭区关于{n}工作的通知", *(x + n for x in TEXT)) for n in names}

    def well() -> None:
        for path, html in pages.items():
            web.put(path, html)

    well()
    watch = watching(
        {"key": "list", "url": web.url + "/list/", "kind": "listing", "backfill": "3650d"},
        channels={"hook": {"type": "webhook", "url": web.url + "/hook"}},
        subscriptions=[{"channel": "hook", "on": ["health"]}],
    )
    await watch.look()
    for _ in range(2):  # two spells within the same hour
        for path in pages:
            web.put(path, "<html><body>服务器内部错误</body></html>", status=500)
        for _ in range(4):
            watch.clock.pass_by(minutes=5)
            await watch.look()
        well()
        watch.clock.pass_by(minutes=5)
        await watch.look()
    with desk.queries() as ask:
        told = [alert.type for alert in reversed(ask.alerts())]
    assert told == ["baseline", *["source.failing", "source.recovered"] * 2]


async def test_a_page_that_meets_a_bug_is_on_record_and_backs_off(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": web.url + "/a", "every": "6h"})
    words = watch.words
    watch.words = replace(words, text=None)  # no page is known to meet a bug, so the rules are one
    first = await watch.look()
    watch.words = words
    assert [(why.error, page.consecutive) for page, why in first.failures] == [("wrong_document", 1)]
    assert (await watch.look(everything=False)).checked == 0
    watch.clock.pass_by(hours=13)
    assert (await watch.look(everything=False)).counts["new"] == 1


async def test_another_selector_is_a_new_reading_and_never_a_change(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], desk: Any
) -> None:
    def publish(number: int) -> None:
        inner = f'<div id="inner"><p>{TEXT[1]}</p><p>全年新增学位{number}个，改造老旧小区三十六个。</p></div>'
        web.put("/a", page_of("区政府全体会议", TEXT[0]).replace("</p>", f"</p>{inner}", 1))

    publish(4200)
    watch = watching({"key": "a", "url": web.url + "/a"})
    await watch.look()
    watch.config = desk.watch({"key": "a", "url": web.url + "/a", "selector": "#inner"})
    watch.clock.pass_by(hours=7)
    publish(4200)
    web.put("/a", web.routes["/a"].body + b"<!-- another build -->")
    assert (await watch.look()).changes == []
    publish(3200)
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert (change.kind, [(e.old[:4], e.new[:4]) for e in change.edits]) == ("content", [("4200", "3200")])


async def test_what_failed_is_due_sooner_than_what_went_well(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    watch = watching({"key": "a", "url": url, "every": "1d"}, {"key": "b", "url": web.url + "/missing", "every": "1d"})
    await watch.look()
    web.put("/a", "oops", status=500)
    watch.clock.pass_by(days=2)
    await watch.look()
    due = {page.source: page.next_due for page in watch.store.pages()}
    assert watch.clock() < due["a"] <= watch.clock() + timedelta(hours=1)
    assert all(at > watch.clock() for at in due.values())


async def test_a_server_that_says_not_modified_is_believed(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    html = page_of("区政府全体会议", *TEXT).encode()
    tag = {"ETag": '"1"'}

    def conditional(request: Request) -> Reply:
        known = request.headers.get("if-none-match") == '"1"'
        return Reply(304, headers=tag) if known else Reply(200, html, headers=tag)

    web.routes["/a"] = conditional
    watch = watching({"key": "a", "url": web.url + "/a"})
    await watch.look()
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).counts["not_modified"] == 1


def test_a_broken_address_is_a_host_of_its_own() -> None:
    assert page_host("http://yunling.example/a") == page_host("http://yunling.example/b?c")
    assert page_host("http://[::") == "http://[::"
