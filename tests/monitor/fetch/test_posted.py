"""Lists that are asked for by POST, over a real server: forms, JSON, page numbers, redirects, and where they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from monitor.demo.server import Reply, Request

BODY = (
    "松原新区管委会今天召开会议，研究部署{}的各项工作，主任主持会议并讲话，各部门负责同志参加会议。",
    "会议强调，各部门要压实责任，细化{}的举措，确保各项目标任务落到实处，回应群众的期盼和要求。",
)
NAMES = ("春灌", "防火", "供热", "造林", "统计")


def path(name: str) -> str:
    return f"/art/2026/1/8/art_20_{1000 + NAMES.index(name)}.html"


def title(name: str) -> str:
    return f"松原新区关于做好{name}工作的通知"


@pytest.fixture
def interface(web: Any, page_of: Callable[..., str]) -> dict[str, Any]:
    """A search interface at /queryList, two documents a page; what it was sent stands in `asked`."""
    state: dict[str, Any] = {"asked": [], "names": NAMES, "deaf": False}
    for name in NAMES:
        web.put(path(name), page_of(title(name), *(line.format(name) for line in BODY)))

    def answer(request: Request) -> Reply:
        sent = request.body.decode()
        state["asked"].append((request.method, request.headers.get("content-type", ""), sent))
        if request.method != "POST":
            return Reply(405, b"<html><body>405 Method Not Allowed</body></html>")
        told = json.loads(sent) if sent.startswith("{") else dict(parse_qsl(sent))
        at = 0 if state["deaf"] else int(told["pn"]) if "pn" in told else 2 * (int(told["current"]) - 1)
        rows = [{"title": title(n), "url": path(n), "date": "2026-01-08"} for n in state["names"][at : at + 2]]
        body = json.dumps({"data": {"total": len(state["names"]), "rows": rows}}, ensure_ascii=False)
        return Reply(200, body.encode(), "application/json")

    web.routes["/queryList"] = answer
    return state


def source(web: Any, at: str = "/queryList", **more: Any) -> dict[str, Any]:
    return {"key": "list", "url": web.url + at, "kind": "listing", **more}


def titles(desk: Any) -> list[str]:
    with desk.queries() as ask:
        return sorted(row["title"] for row in ask.history("list"))


async def test_a_form_with_the_number_of_the_page_ends_with_the_total(
    web: Any, desk: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    watch = watching(source(web, post="channelCode%5B%5D=tzgg&current={page}&pageSize=2", pages=9))
    done = await watch.look()
    assert (done.failures, titles(desk)) == ([], sorted(map(title, NAMES)))
    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert interface["asked"] == [("POST", form, f"channelCode%5B%5D=tzgg&current={n}&pageSize=2") for n in (1, 2, 3)]
    interface["names"] = (*NAMES[1:], NAMES[0])
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).changes == []


async def test_json_that_counts_records_and_stops_at_the_pages_asked_for(
    web: Any, desk: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    watch = watching(source(web, post='{"pn": {page0*2}, "rn": 2, "condition": [{"equal": "001"}]}', pages=2))
    assert (await watch.look()).failures == []
    assert titles(desk) == sorted(map(title, NAMES[:4]))
    assert [json.loads(sent)["pn"] for _, _, sent in interface["asked"]] == [0, 2]
    assert {kind for _, kind, _ in interface["asked"]} == {"application/json; charset=utf-8"}


async def test_a_server_that_gives_its_first_page_for_ever_is_asked_twice(
    web: Any, desk: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    interface["deaf"] = True
    watch = watching(source(web, post="current={page}", pages=50))
    assert (await watch.look()).failures == []
    assert (len(interface["asked"]), titles(desk)) == (2, sorted(map(title, NAMES[:2])))


async def test_hanweb_records_by_post_with_the_range_in_the_address(
    web: Any, desk: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    def records(*names: str) -> Callable[[Request], Reply]:
        rows = "".join(
            f'<record><![CDATA[<li><a href="{path(n)}">{title(n)}</a><span>2026-01-08</span></li>]]></record>'
            for n in names
        )
        body = f"<datastore><totalrecord>5</totalrecord><recordset>{rows}</recordset></datastore>"

        def answer(request: Request) -> Reply:
            asked = (request.method, request.body) == ("POST", b"col=1&columnid=20&unitid=7")
            return Reply(200, body.encode(), "text/xml") if asked else Reply(404)

        return answer

    proxy = "/module/web/jpage/dataproxy.jsp"
    web.routes[f"{proxy}?startrecord=1&endrecord=3&perpage=3"] = records(*NAMES[:3])
    web.routes[f"{proxy}?startrecord=4&endrecord=6&perpage=3"] = records(*NAMES[3:])
    address = f"{proxy}?startrecord={{page0*3+1}}&endrecord={{page*3}}&perpage=3"
    watch = watching(source(web, address, post="col=1&columnid=20&unitid=7", pages=2))
    assert (await watch.look()).failures == []
    assert titles(desk) == sorted(map(title, NAMES))


async def test_a_redirect_keeps_what_is_sent_only_where_it_says_so(
    web: Any, desk: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    for status, failures in ((307, []), (302, ["http_4xx"])):
        interface["asked"].clear()
        web.routes["/old"] = Reply(status, headers={"Location": "/queryList"})
        watch = watching(source(web, "/old", post="current={page}", pages=1))
        watch.clock.pass_by(hours=7)
        assert [why.error for _, why in (await watch.look()).failures] == failures
        assert [method for method, *_ in interface["asked"]] == ["GET" if failures else "POST"]
    assert titles(desk) == sorted(map(title, NAMES[:2]))


async def test_the_rules_for_robots_hold_for_what_is_sent_too(
    web: Any, interface: dict[str, Any], watching: Callable[..., Any]
) -> None:
    web.put("/robots.txt", "User-agent: *\nDisallow: /queryList\n")
    watch = watching(source(web, post="current={page}", respect_robots=True))
    assert [why.error for _, why in (await watch.look()).failures] == ["robots"]
    assert interface["asked"] == []
