"""From a column to its documents over a real server: what becomes a page, what never does, and what ends a list."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from monitor.demo.server import Reply

BODY = (
    "云岭区人民政府今天召开全体会议，研究部署{}的各项工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议强调，各部门要压实责任，细化{}的举措，确保各项目标任务落到实处，回应全区人民群众的期盼和要求。",
)
Item = tuple[str, str, str]  # path, title, day


def item(name: str, day: str = "2026-01-08") -> Item:
    return f"/art/202601/t20260108_{1000000 + sum(map(ord, name)) * 7}.html", f"云岭区关于{name}工作的通知", day


@pytest.fixture
def column(web: Any, page_of: Callable[..., str]) -> Callable[..., None]:
    """`column(item, …, at="/list/", more="…")`: the list page and the page of every document on it."""

    def put(*items: Item, at: str = "/list/", more: str = "") -> None:
        rows = "".join(f'<li><a href="{path}">{title}</a><span>{day}</span></li>' for path, title, day in items)
        web.put(at, f"<html><head><title>通知公告</title></head><body><ul>{rows}</ul>{more}</body></html>")
        documents(*items)

    def documents(*items: Item) -> None:
        for path, title, _ in items:
            web.put(path.partition(";")[0], page_of(title, *(x.format(title) for x in BODY)))

    return put


def listing(web: Any, path: str = "/list/", **more: Any) -> dict[str, Any]:
    return {"key": "list", "url": web.url + path, "kind": "listing", **more}


def titles(desk: Any) -> list[str]:
    """Every document that has a version."""
    with desk.queries() as ask:
        return sorted(row["title"] for row in ask.history("list"))


def named(*names: str) -> list[str]:
    return sorted(item(name)[1] for name in names)


def kinds(done: Any) -> list[tuple[str, str]]:
    return [(change.kind, change.title) for change in done.changes]


async def test_new_documents_become_pages_with_title_and_date(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), item("防汛", "2026-01-07"))
    watch = watching(listing(web))
    assert (await watch.look()).baselines == 2
    column(item("取暖", "2026-01-09"), item("防汛", "2026-01-07"), item("春耕"))
    watch.clock.pass_by(hours=7)
    assert kinds(await watch.look()) == [("new", item("取暖")[1])]
    page = next(p for p in watch.store.pages(["list"]) if p.url.endswith(item("取暖")[0]))
    assert (page.role, page.title, page.date) == ("document", item("取暖")[1], "2026-01-08")  # as the page shows it


async def test_a_list_that_shrinks_or_is_empty_for_a_while_removes_nothing(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    every = [item("春耕"), item("防汛"), item("取暖")]
    column(*every)
    watch = watching(listing(web))
    await watch.look()
    for now in ([], every[:1], every[::-1], every):
        column(*now)
        watch.clock.pass_by(hours=7)
        done = await watch.look()
        assert done.changes == []
        assert [why.error for _, why in done.failures] == ([] if now else ["wrong_document"])
    assert len(watch.store.pages(["list"])) == 4


async def test_a_document_that_moves_between_columns_of_one_source_is_one(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), more='<a href="list_2.html">2</a>', at="/list.html")
    column(item("防汛"), at="/list_2.html")
    watch = watching(listing(web, "/list.html", pages=2))
    await watch.look()
    column(item("防汛"), more='<a href="list_2.html">2</a>', at="/list.html")
    column(item("春耕"), at="/list_2.html")
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).changes == []
    assert titles(desk) == named("春耕", "防汛")


async def test_pages_are_bounded_and_a_circle_ends(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    names = ["春耕", "防汛", "取暖", "绿化", "普查"]
    for number, name in enumerate(names):
        following = (number + 1) % len(names)
        column(item(name), at=f"/l/{number}", more=f'<a href="/l/{following}">下一页</a>')
    watch = watching(listing(web, "/l/0", pages=3))
    await watch.look()
    assert titles(desk) == named(*names[:3])
    watch = watching(listing(web, "/l/0", pages=100))
    watch.clock.pass_by(hours=7)
    web.asked.clear()
    await watch.look()
    assert titles(desk) == named(*names)
    assert sorted(path for path in web.asked if path.startswith("/l/")) == [f"/l/{n}" for n in range(5)]


async def test_a_further_page_that_is_gone_is_the_end_and_one_that_fails_is_trouble(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), more="<script>createPageHTML(3, 0, 'index', 'html')</script>")
    watch = watching(listing(web, pages=3))
    assert (await watch.look()).failures == []
    web.put("/list/index_1.html", "<html><body>error</body></html>", status=500)
    watch.clock.pass_by(hours=7)
    assert [why.error for _, why in (await watch.look()).failures] == ["http_5xx"]


async def test_sessions_tracking_fragments_and_schemes_name_one_document(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    path, title, day = item("春耕")
    column((path, title, day))
    watch = watching(listing(web))
    await watch.look()
    for form in (f"{path};jsessionid=1F", f"{path}?utm_source=x&from=timeline", f"{path}#p2", f"/art/../{path[1:]}"):
        column((form, title, day))
        web.put(path, web.routes[path].body)
        watch.clock.pass_by(hours=7)
        assert (await watch.look()).changes == []
    assert len(watch.store.pages(["list"])) == 2


async def test_rules_for_addresses_choose(web: Any, desk: Any, column: Any, watching: Callable[..., Any]) -> None:
    keep, leave = item("春耕"), ("/old/202601/t20260108_2.html", "云岭区旧闻一则的通知", "2026-01-08")
    column(keep, leave)
    watch = watching(listing(web, links={"include": ["/art/"], "exclude": ["/old/"]}))
    await watch.look()
    assert titles(desk) == named("春耕")


async def test_a_list_as_json_over_pages_by_a_template(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    def answer(*items: Item) -> Reply:
        rows = [{"docId": path, "t": title, "when": f"{day} 10:00:00"} for path, title, day in items]
        return Reply(200, json.dumps({"data": {"rows": rows}}, ensure_ascii=False).encode(), "application/json")

    column(item("春耕"), item("防汛"), item("取暖"))
    web.routes |= {"/api?p=1": answer(item("春耕"), item("防汛")), "/api?p=2": answer(item("取暖"))}
    web.routes["/api?p=3"] = answer()
    fields = {"items": "data.rows", "title": "t", "address": "{docId}", "date": "when"}
    watch = watching(listing(web, "/api?p={page}", pages=5, fields=fields))
    done = await watch.look()
    assert (done.failures, titles(desk)) == ([], named("春耕", "防汛", "取暖"))
    assert [path for path in web.asked if path.startswith("/api")] == ["/api?p=1", "/api?p=2", "/api?p=3"]


async def test_a_page_without_a_list_of_its_own_is_followed_to_its_data(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    number = "5d6e7f8091a2b3c4d5e6f708192a3b4c"
    column(item("春耕"), item("防汛"))
    web.put(
        "/col/", f"<html><body><div id='l'></div><script>load('/common/search/{number}?page=1')</script></body></html>"
    )
    rows = [{"title": t, "url": p, "publishedTimeStr": d} for p, t, d in (item("春耕"), item("防汛"))]
    body = json.dumps({"data": {"total": 2, "results": rows}}, ensure_ascii=False).encode()
    web.routes[f"/common/search/{number}?page=1&_isJson=true"] = Reply(200, body, "application/json;charset=utf-8")
    watch = watching(listing(web, "/col/"))
    assert (await watch.look()).failures == []
    assert titles(desk) == named("春耕", "防汛")


async def test_a_feed_in_gbk_and_one_without_items(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    def feed(*items: Item) -> Reply:
        rows = "".join(f"<item><title>{t}</title><link>{web.url}{p}</link></item>" for p, t, _ in items)
        text = f'<?xml version="1.0" encoding="gb2312"?><rss><channel><title>区</title>{rows}</channel></rss>'
        return Reply(200, text.encode("gbk"), "application/rss+xml")

    column(item("春耕"), item("防汛"))
    web.routes["/rss"] = feed(item("春耕"))
    watch = watching({"key": "list", "url": web.url + "/rss", "kind": "feed"})
    assert (await watch.look()).baselines == 1
    web.routes["/rss"] = feed(item("防汛"))
    watch.clock.pass_by(hours=7)
    assert kinds(await watch.look()) == [("new", item("防汛")[1])]
    web.routes["/rss"] = feed()
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).failures == []
    web.put("/rss", "<html><body><ul><li>网站首页</li></ul></body></html>")
    watch.clock.pass_by(hours=7)
    assert [why.error for _, why in (await watch.look()).failures] == ["wrong_document"]


async def test_a_packed_sitemap_of_an_index_and_its_last_change(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    def sitemap(day: str, *items: Item) -> Reply:
        rows = "".join(f"<url><loc>{web.url}{p}</loc><lastmod>{day}</lastmod></url>" for p, _, _ in items)
        return Reply(200, gzip.compress(f"<urlset>{rows}</urlset>".encode()), "application/x-gzip")

    column(item("春耕"), item("防汛"))
    web.routes["/sitemap.xml"] = Reply(
        200, f"<sitemapindex><sitemap><loc>{web.url}/s1.xml.gz</loc></sitemap></sitemapindex>".encode(), "text/xml"
    )
    web.routes["/s1.xml.gz"] = sitemap("2026-01-08", item("春耕"), item("防汛"))
    watch = watching(
        {"key": "list", "url": web.url + "/sitemap.xml", "kind": "sitemap", "match": "春耕", "every": "1h"}
    )
    done = await watch.look()  # it has no titles: each document is read once, and one is kept
    assert (done.failures, titles(desk), done.counts["skipped"]) == ([], named("春耕"), 1)
    web.asked.clear()
    watch.clock.pass_by(hours=30, minutes=-1)
    web.routes["/s1.xml.gz"] = sitemap("2026-01-10", item("春耕"), item("防汛"))
    entry = next(p for p in watch.store.pages(["list"]) if p.role == "entry")
    document = next(p for p in watch.store.pages(["list"]) if p.role == "document")
    watch.store.set_due(document.id, watch.clock() + (watch.clock() - entry.found_at))
    await watch.look(everything=False)
    watch.clock.pass_by(minutes=1)
    await watch.look(everything=False)
    assert item("春耕")[0] in web.asked
    assert item("防汛")[0] not in web.asked


async def test_a_sitemap_that_unpacks_to_too_much_is_refused(web: Any, watching: Callable[..., Any]) -> None:
    web.routes["/s.xml.gz"] = Reply(200, gzip.compress(b"<urlset>" + b" " * 2_000_000), "application/x-gzip")
    for limit, error in (("1MB", "too_large"), ("3MB", None)):
        watch = watching({"key": "list", "url": web.url + "/s.xml.gz", "kind": "sitemap", "max_bytes": limit})
        assert [why.error for _, why in (await watch.look()).failures] == ([error] if error else [])
    web.routes["/s.xml.gz"] = Reply(200, gzip.compress(b"<urlset>" + b"x" * 20_000)[:60], "application/x-gzip")
    watch.clock.pass_by(hours=30)
    assert [why.error for _, why in (await watch.look()).failures] == ["truncated"]


async def test_a_word_in_the_text_decides_and_what_is_passed_over_is_read_once(
    web: Any, desk: Any, page_of: Callable[..., str], column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), item("防汛"), item("取暖"))
    web.put(item("防汛")[0], page_of(item("防汛")[1], *BODY, "会议明确了今年的主要预期目标，地区生产总值增长6%左右。"))
    watch = watching(listing(web, match="取暖", match_text="预期目标"))
    done = await watch.look()
    assert (titles(desk), done.counts["skipped"], done.checked) == (named("防汛", "取暖"), 1, 3)
    web.asked.clear()
    watch.clock.pass_by(days=3)
    await watch.look()
    assert item("春耕")[0] not in web.asked
    column(item("普查"), item("春耕"), item("取暖"))
    watch.clock.pass_by(days=3)
    done = await watch.look()
    assert (done.counts["skipped"], done.changes) == (1, [])


def asked_for(web: Any, *names: str) -> Sequence[bool]:
    return [item(name)[0] in web.asked for name in names]


async def test_a_narrower_match_stops_reading_and_a_wider_one_takes_up(
    web: Any, desk: Any, column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), item("防汛"))
    await watching(listing(web)).look()
    for match, wanted in (("防汛", [False, True]), (None, [True, True]), ("春耕", [True, False])):
        watch = watching(listing(web, match=match))
        web.asked.clear()
        watch.clock.pass_by(days=2)
        assert (await watch.look()).changes == []
        assert asked_for(web, "春耕", "防汛") == wanted
    assert titles(desk) == named("春耕", "防汛")  # what was kept stays


async def test_a_narrower_word_in_the_text_leaves_what_it_no_longer_finds_and_a_wider_one_takes_it_up(
    web: Any, desk: Any, page_of: Callable[..., str], column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"), item("防汛"), item("取暖"))
    watch = watching(listing(web, match_text="全体会议"))
    assert (await watch.look()).baselines == 3
    for more, wanted, left in (
        ({"match_text": "细化云岭区关于防汛"}, [False, True, False], 2),
        ({"match_text": "细化云岭区关于防汛", "match": "取暖"}, [False, True, True], 1),
        ({"match_text": "举措"}, [True, True, True], 0),
    ):
        watch = watching(listing(web, **more))
        web.asked.clear()
        watch.clock.pass_by(days=2)
        assert (await watch.look()).changes == []
        assert asked_for(web, "春耕", "防汛", "取暖") == wanted
        with desk.queries() as ask:
            assert [row["left"] for row in ask.sources()] == [left]
    assert titles(desk) == named("春耕", "防汛", "取暖")


async def test_a_document_whose_own_title_is_another_stays_followed(
    web: Any, desk: Any, page_of: Callable[..., str], column: Any, watching: Callable[..., Any]
) -> None:
    column(item("春耕"))
    web.put(item("春耕")[0], page_of("在全区大会上的讲话", *BODY))
    watch = watching(listing(web))
    await watch.look()
    watch = watching(listing(web, match="春耕"))  # as the list calls it
    for _ in range(2):
        web.asked.clear()
        watch.clock.pass_by(days=2)
        await watch.look()
    assert asked_for(web, "春耕") == [True]


async def test_a_day_without_an_issue_is_normal_and_a_missed_one_is_read_late(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    def issue(day: str, *names: str) -> None:
        folder = f"/pc/layout/202601/{day}"
        links = ""
        for number, name in enumerate(names):
            path = f"/pc/content/202601/{day}/content_{day}{number:02}.html"
            links += f'<li><a href="{path}">云岭区{name}工作报道</a></li>'
            web.put(path, page_of(f"云岭区{name}工作报道", *(x.format(name) for x in BODY)))
        sheets = '<a href="node_01.html">第01版</a><a href="node_02.html">第02版</a>'
        for sheet in ("01", "02"):
            web.put(f"{folder}/node_{sheet}.html", f"<html><body>{sheets}<ul>{links}</ul></body></html>")

    issue("08", "春耕")
    url = web.url + "/pc/layout/{yyyy}{mm}/{dd}/node_01.html"
    watch = watching({"key": "list", "url": url, "kind": "epaper", "backfill": "3d"})
    first = await watch.look()  # the ninth: yesterday's issue is there, today's is not, and two days before had none
    assert (first.failures, first.baselines) == ([], 1)
    issue("10", "防汛", "取暖")
    watch.clock.pass_by(days=2)
    done = await watch.look()
    assert (done.failures, sorted(change.kind for change in done.changes)) == ([], ["new", "new"])
    assert [path for path in web.asked if "node_02" in path] != []
