"""The pages and the JSON of a daemon, asked over a real connection."""

from __future__ import annotations

import asyncio
import html
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor import config as configuration
from monitor import transfer
from monitor.errors import UsageError
from monitor.model import Overdue, Source
from monitor.web import charts
from monitor.web.answers import API, PAGES
from monitor.web.app import application
from monitor.web.counts import Counts
from monitor.web.server import Status, Web, reserved
from storage import migrate
from storage.queries import Queries
from storage.store import Store

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>云岭区2026年政府工作报告'
TEXT = "2026年主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，<b>一般公共预算收入</b>增长5%以上。"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds one hostile document."""
    folder = tmp_path_factory.mktemp("web")
    path, db = folder / "报告.txt", folder / "mubiao.db"
    path.write_text(f"{HOSTILE}\n{TEXT}\n", encoding="utf-8")
    migrate.upgrade(f"sqlite:///{db}", NOW)
    with Store(f"sqlite:///{db}") as store:
        source = Source(key="yunling", url="http://yunling.example/", name='<img src="x">', region="999101")
        transfer.import_files(store, source, [path], configuration.vocabulary(), now=NOW, told=transfer.Told())
    return db


@pytest.fixture
async def served(desk: Any, filled: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Status]]:
    """A client of the web side of a daemon that ticked a moment ago."""
    (desk.folder / "data").mkdir()
    shutil.copy(filled, desk.folder / "data" / "mubiao.db")
    status = Status(datetime.now(UTC), sources=1)
    web = Web(desk.db, status, "zh")
    await web.start(reserved("127.0.0.1", 0))
    async with httpx.AsyncClient(base_url=web.address, verify=False) as client:
        yield client, status
    await web.stop()


async def test_an_overdue_release_is_on_the_pages_and_in_the_figures(
    served: tuple[httpx.AsyncClient, Status],
) -> None:
    client, status = served
    status.overdue = [Overdue(("yunling",), "999101", "政府工作报告", 2026, date(2026, 1, 20), "learned")]
    [late] = (await client.get("/api/overdue")).json()
    assert late == {
        "sources": ["yunling"], "region": "999101", "series": "政府工作报告",
        "release": "2026", "by": "2026-01-20", "from": "learned",
    }  # fmt: skip
    assert "应于 2026-01-20 前发布" in (await client.get("/")).text
    assert "was to come by 2026-01-20" in (await client.get("/?lang=en")).text
    assert "2026-01-20" in (await client.get("/sources")).text
    assert "mubiao_releases_overdue 1.0" in (await client.get("/metrics")).text


async def test_health_follows_the_tick_and_the_jobs(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, status = served
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    status.trouble["due"] = "the disk is full"
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["trouble"]) == (503, {"due": "the disk is full"})
    assert "the disk is full" in (await client.get("/system")).text
    status.trouble["outbox desk"] = status.trouble["config"] = "line 3"
    told = (await client.get("/?lang=en")).text
    assert "messages desk" in told and "the old one is followed" in told and "checks</b>" in told
    status.trouble.clear()
    status.ticked(datetime.now(UTC) - timedelta(minutes=5))
    assert (await client.get("/healthz")).status_code == 503
    for path in ("/readyz", "/livez"):  # what can be read is read, whatever a job meets; a restart would mend nothing
        assert (await client.get(path)).json() == {"ok": True}


async def test_while_the_database_is_away_the_pages_say_so_and_the_process_is_still_measured() -> None:
    status = Status(datetime.now(UTC), sources=1)
    status.checked({"unchanged": 3})
    status.trouble["outbox desk"] = "the disk is full"
    away = application(Queries("postgresql://nobody:hunter2@127.0.0.1:9/mubiao", pooled=True), status, "zh")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(away), base_url="http://127.0.0.1") as client:
        for lang, words in (("zh", "数据库现在读不了"), ("en", "The database cannot be read now")):
            page = await client.get("/sources", params={"lang": lang})
            assert (page.status_code, words in page.text, "disk is full" in page.text) == (503, True, True)
        answer = await client.get("/api/sources")
        assert (answer.status_code, "127.0.0.1:9/mubiao does not answer" in answer.json()["error"]) == (503, True)
        figures = (await client.get("/metrics")).text
        assert 'mubiao_checks_total{result="unchanged"} 3.0' in figures
        assert "mubiao_trouble 1.0" in figures
        assert "mubiao_rows{" not in figures
        assert (await client.get("/readyz")).status_code == 503
        assert "hunter2" not in page.text + answer.text + figures


async def test_metrics_count_without_addresses(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, status = served
    status.checked({"unchanged": 3, "failed": 1})
    text = (await client.get("/metrics")).text
    assert 'mubiao_checks_total{result="unchanged"} 3.0' in text
    assert "mubiao_sources 1.0" in text
    assert "http://" not in text


@pytest.mark.parametrize("name", API)
async def test_every_answer_of_the_api_is_described_and_is_json(
    served: tuple[httpx.AsyncClient, Status], name: str
) -> None:
    client, _ = served
    needed = {"history": {"of": "yunling"}, "show": {"version": "v1"}, "search": {"q": "增长"}}.get(name, {})
    answer = await client.get(f"/api/{name}", params=needed)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    described = (await client.get("/api/openapi.json")).json()
    assert f"/api/{name}" in described["paths"]
    kind = described["paths"][f"/api/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"][
        "type"
    ]
    assert isinstance(answer.json(), list if kind == "array" else dict)


async def test_the_api_answers_what_is_stored(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    items = (await client.get("/api/targets", params={"under": "9991", "role": "target"})).json()
    assert {x["value_text"] for x in items} == {"6%左右", "8%", "5%以上"}
    assert (await client.get("/api/search", params={"q": "预算"})).json()[0]["source"] == "yunling"
    assert "增长6%左右" in (await client.get("/api/show", params={"version": "yunling"})).json()["text"]
    assert "预期目标" in (await client.get("/api/show", params={"version": "v1"})).text  # Chinese is left readable


async def test_the_indicator_that_is_asked_for_is_drawn(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    page = (await client.get("/targets", params={"indicator": "地区生产总值", "lang": "en"})).text
    drawing = page[page.index("<svg") : page.index("</svg>")]
    assert "6%左右" in drawing
    assert "promised" in drawing
    assert "<svg" not in (await client.get("/targets")).text
    assert "<svg" not in (await client.get("/targets", params={"indicator": "<script>"})).text
    kinds = (await client.get("/api/targets", params={"kind": "growth", "headline": "1"})).json()
    assert {x["kind"] for x in kinds} == {"growth"}
    assert (await client.get("/api/targets", params={"scope": "全口径"})).json() == []


async def test_of_many_places_the_first_ones_are_drawn_whole(
    served: tuple[httpx.AsyncClient, Status], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = served

    async def drawing() -> str:
        page = (await client.get("/targets", params={"indicator": "地区生产总值", "lang": "en"})).text
        return page[page.index("<svg") : page.index("</svg>")]

    whole = await drawing()
    monkeypatch.setattr(charts, "MOST_ROWS", 1)  # more are there
    assert await drawing() == whole
    monkeypatch.setattr(charts, "MOST_PANELS", 0)
    assert "<svg" not in (await client.get("/targets", params={"indicator": "地区生产总值"})).text


async def test_a_time_is_written_as_on_the_command_line(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    assert (await client.get("/api/targets?since=7d")).status_code == 200
    for path in ("/api/targets", "/api/changes", "/api/search?q=x"):
        answer = await client.get(path, params={"since": "foo", "q": "x"})
        assert answer.status_code == 400
        assert answer.json()["error"] == "since: 'foo' is no time (2026-01-31, 2026-01-31T08:00, or 7d, 12h ago)"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/show?version=nope", 404),
        ("/api/show", 400),
        ("/api/show?version=", 400),
        ("/api/history?of=nope", 404),
        ("/api/targets?since=never", 400),
        ("/api/changes?min_significance=high", 400),
        ("/api/targets?limit=²", 200),
        ("/api/targets?limit=-5", 200),
        ("/api/changes?limit=99999999999", 200),
        ("/api/changes?before=zzz", 404),
        ("/search?q=%22", 404),
        ("/targets?since=never", 400),
        ("/nothing", 404),
        ("/../../etc/passwd", 404),
    ],
)
async def test_a_wrong_question_gets_an_answer(
    served: tuple[httpx.AsyncClient, Status], path: str, status: int
) -> None:
    client, _ = served
    answer = await client.get(path)
    assert answer.status_code == status
    if path.startswith("/api") and status in (400, 404):
        assert answer.json()["error"]
    else:
        assert "error" not in answer.text[:10]  # a person reads words, not JSON


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_speaks_both_languages_and_escapes(
    served: tuple[httpx.AsyncClient, Status], path: str, lang: str
) -> None:
    client, _ = served
    answer = await client.get(path, params={"lang": lang, "q": '"><script>', "indicator": '"><script>'})
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    assert "<script" not in answer.text
    assert '<img src="x">' not in answer.text
    assert ("目标" if lang == "zh" else "Targets") in answer.text


async def test_hostile_text_is_shown_as_text(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    for path in ("/sources", "/targets", "/search?q=预算"):
        text = (await client.get(path)).text
        assert "&lt;" in text
        assert "<script" not in text
        assert "<b>一般" not in text


async def test_only_our_own_name_is_answered_and_every_answer_is_guarded(
    served: tuple[httpx.AsyncClient, Status],
) -> None:
    client, _ = served
    port = client.base_url.port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", ""):
        answer = await client.get("/api/changes", headers={"Host": host})
        assert answer.status_code in (400, 421), host
    for host in (f"localhost:{port}", "127.0.0.1", f"[::1]:{port}"):
        assert (await client.get("/", headers={"Host": host})).status_code == 200
    for path in ("/", "/healthz", "/api/changes", "/nothing"):
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_failing_source_says_why(desk: Any, served: tuple[httpx.AsyncClient, Status], web: Any) -> None:
    client, _ = served
    desk.watch({"key": "missing", "url": web.url + "/missing"})
    assert await asyncio.to_thread(desk.spawn("check", "--all").wait, 30) == 1
    rows = {row["key"]: row for row in (await client.get("/api/sources")).json()}
    assert (rows["missing"]["state"], rows["missing"]["failure"]["error"]) == ("failing", "http_404")
    for path in ("/", "/sources"):
        assert "http_404" in (await client.get(path)).text


async def test_sources_are_shown_a_page_at_a_time(desk: Any, served: tuple[httpx.AsyncClient, Status]) -> None:
    client, status = served
    with Store(desk.db) as store:
        more = [Source(key=f"s{n}", url=f"http://h{n}.example/", tags=("省",)) for n in range(1, 8)]
        store.sync_sources(more, NOW, lambda _: NOW)

    async def turned(path: str) -> tuple[str, dict[str, str]]:
        """The keys on a page, and where its links lead."""
        text = (await client.get(path)).text
        links = {name: html.unescape(to) for to, name in re.findall(r'<a href="(/sources[^"]*)">([^<]*)</a>', text)}
        return " ".join(re.findall(r"<b>(\w+)</b>", text)).replace("Mubiao ", ""), links

    shown, links = await turned("/sources?lang=en&limit=3&q=example")
    assert (shown, "next →" in links, "← previous" in links) == ("s1 s2 s3", True, False)
    shown, links = await turned(links["next →"])
    assert shown == "s4 s5 s6"
    assert (await turned(links["← previous"]))[0] == "s1 s2 s3"
    shown, links = await turned(links["next →"])
    assert (shown, "next →" in links) == ("s7 yunling", False)
    assert (await turned(links["first page"]))[0] == "s1 s2 s3"
    assert (await turned("/sources?lang=en&before=s1"))[0] == ""
    status.overdue = [Overdue(("s2", "s5"), "999101", "政府工作报告", 2026, date(2026, 1, 20), "learned")]
    assert (await turned("/sources?lang=en&state=overdue"))[0] == "s2 s5"
    assert (await turned("/sources?lang=en&state=imported&q=&under="))[0] == "yunling"
    for path in ("/sources?state=odd", "/api/sources?state=odd"):
        answer = await client.get(path)
        assert (answer.status_code, "odd" in answer.text, "overdue, failing" in answer.text) == (400, True, True)


async def test_older_changes_are_a_page_further(desk: Any, served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    with closing(sqlite3.connect(desk.db.removeprefix("sqlite:///"))) as file, file:
        names = [name for _, name, *_ in file.execute("PRAGMA table_info(change)") if name not in ("id", "baseline")]
        copied = ", ".join(f'"{name}"' for name in names)
        for number in (11, 12, 13):
            file.execute(
                f"INSERT INTO change (id, baseline, {copied}) SELECT {number}, 0, {copied} FROM change WHERE id = 1"
            )

    async def turned(path: str) -> tuple[list[str], dict[str, str]]:
        text = (await client.get(path)).text
        links = {name: html.unescape(to) for to, name in re.findall(r'<a href="(/\?[^"]*)">([^<]*)</a>', text)}
        return re.findall(r"(c\d+)</small>", text), links

    shown, links = await turned("/?lang=en&limit=2")
    assert (shown, "first page" in links) == (["c13", "c12"], False)
    shown, links = await turned(links["next →"])
    assert (shown, "next →" in links) == (["c11"], False)
    assert (await turned(links["first page"]))[0] == ["c13", "c12"]


async def test_the_api_gives_all_sources_or_as_many_as_are_asked_for(
    desk: Any, served: tuple[httpx.AsyncClient, Status]
) -> None:
    client, _ = served
    with Store(desk.db) as store:
        more = [Source(key=f"s{n:04}", url=f"http://h{n}.example/") for n in range(1, 1002)]
        store.sync_sources(more, NOW, lambda _: NOW)
    every = (await client.get("/api/sources")).json()
    assert [row["key"] for row in every] == [*(f"s{n:04}" for n in range(1, 1002)), "yunling"]
    some = (await client.get("/api/sources?limit=2&after=s0999")).json()
    assert some == every[999:1001]
    assert (await client.get("/api/sources?q=no-such-source")).json() == []


def test_what_the_database_holds_is_counted_seldom(desk: Any, served: tuple[httpx.AsyncClient, Status]) -> None:
    ticks = iter((0.0, 1.0, 20.9, 21.1, 21.2))  # counting took one second: the counts are good for twenty
    with Queries(desk.db) as ask:
        counts = Counts(ask, lambda: next(ticks))
        first = counts.now()
        with Store(desk.db) as store:
            store.sync_sources([Source(key="b", url="http://b.example/")], NOW, lambda _: NOW)
        assert (first["sources"], counts.now()["sources"], counts.now()["sources"]) == (0, 0, 1)


async def test_nothing_can_be_changed(served: tuple[httpx.AsyncClient, Status]) -> None:
    client, _ = served
    for path in (*PAGES, *(f"/api/{name}" for name in API)):
        assert (await client.post(path)).status_code == 405


async def test_a_taken_port_is_named(desk: Any, served: tuple[httpx.AsyncClient, Status]) -> None:
    client, status = served
    port = client.base_url.port or 0
    with pytest.raises(UsageError, match=f"127.0.0.1:{port} is taken"):
        reserved("127.0.0.1", port)
    first, web, second = reserved("127.0.0.1", 0), Web(desk.db, status, "zh"), Web(desk.db, status, "zh")
    with reserved("127.0.0.1", first.getsockname()[1]) as late:  # two that begin at the same moment
        await web.start(first)
        with pytest.raises(UsageError, match=f"127.0.0.1:{web.port} is taken"):
            await second.start(late)
    await web.stop()
    await second.stop()
