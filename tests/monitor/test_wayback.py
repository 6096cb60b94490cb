"""Captures of a CDX server on this machine: listed in parts, kept in order of date, and gone on with after a kill."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.demo.server import Reply, Request

GOAL = "主要预期目标：地区生产总值增长{}%左右，城镇新增就业1.2万人，居民收入与经济增长同步。"
MORE = "全区上下要坚定信心，真抓实干，把各项工作任务落到实处，推动高质量发展取得新的成效。" * 4
PAGE = "http://yunling.example/zfgzbg/"
PART = 3  # captures in one answer


class Archive:
    """What a web archive holds of one page, and how it answers."""

    def __init__(self, web: Any, page_of: Any) -> None:
        self.captures: list[tuple[str, str, str, str]] = []  # stamp, type, status, digest
        self.web, self.listed, self.down = web, list[dict[str, str]](), set[str]()
        self.odd: dict[str, list[Reply]] = {}  # by stamp: what is answered first
        self.broken: list[str] = []  # lines of the list
        for year, goal in ((2019, 8), (2020, 8), (2021, 6), (2022, 5)):
            self.add(
                f"{year}0115080000", page_of(f"{year}年政府工作报告", GOAL.format(goal), MORE), f"D{goal}{year > 2020}"
            )
        self.captures.insert(1, ("20190301000000", "image/png", "200", "P"))
        self.captures.insert(3, ("20200301000000", "text/html", "404", "N"))
        self.captures.append(("20220301000000", "text/html", "200", "D5True"))
        web.routes = _Routes(web.routes, self)

    def add(self, stamp: str, html: str, digest: str) -> None:
        self.captures.append((stamp, "text/html", "200", digest))
        for base in ("/web", "/old"):
            self.web.put(f"{base}/{stamp}id_/{PAGE}", html)

    def answer(self, request: Request) -> Reply:
        """As the Wayback Machine lists: lists of lists, and a key for the next part."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.listed.append(asked)
        first = int(asked.get("resumeKey", "0"))
        head = ["timestamp", "original", "mimetype", "statuscode", "digest"]
        rows = [[s, PAGE, kind, code, mark] for s, kind, code, mark in self.captures if s >= asked.get("from", "")]
        some = rows[first : first + PART]
        more = [[], [str(first + PART)]] if first + PART < len(rows) else []
        return Reply(200, json.dumps([head, *some, *more]).encode(), "application/json")

    def lines(self, request: Request) -> Reply:
        """As pywb lists: an object in every line, all at once, and other names."""
        self.listed.append({})
        rows = ({"timestamp": s, "url": PAGE, "mime": m, "status": c, "digest": d} for s, m, c, d in self.captures)
        return Reply(200, "\n".join([*map(json.dumps, rows), *self.broken]).encode(), "text/x-ndjson")


class _Routes(dict[str, Any]):
    """The pages of a server, and what it answers by the path alone."""

    def __init__(self, pages: dict[str, Any], archive: Archive) -> None:
        super().__init__(pages)
        self._archive = archive

    def get(self, path: str, otherwise: Any = None) -> Any:
        place = urlsplit(path).path
        for stamp, replies in self._archive.odd.items():
            if stamp in place and replies:
                return replies.pop(0)
        if any(stamp in place for stamp in self._archive.down):
            return Reply(503, b"busy")
        ways = {
            "/cdx/search/cdx": self._archive.answer,
            "/old/cdx": self._archive.lines,
            "/page": lambda _: Reply(200, b"<html>hello</html>"),
        }
        return ways.get(place) or super().get(path, otherwise)


@pytest.fixture
def archive(web: Any, page_of: Any) -> Archive:
    return Archive(web, page_of)


def bring(desk: Any, archive: Archive, *more: str, key: str = "old", path: str = "/cdx/search/cdx") -> Any:
    server = archive.web.url + path
    return desk.run("import", "--captures", PAGE, "--cdx", server, "--source", key, "--json", *more)


def test_captures_are_listed_in_parts_and_kept_in_order_of_date(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    done = bring(desk, archive)
    assert done.code == 0, done.err
    assert [(row["at"][:10], row["result"]) for row in done.json["imported"]] == [
        ("2019-01-15", "new"), ("2021-01-15", "changed"), ("2022-01-15", "changed"),
    ]  # fmt: skip
    assert [asked.get("resumeKey") for asked in archive.listed] == [None, "3", "6"]
    history = desk.run("history", "old", "--json").json
    assert [(row["at"][:10], row["release"], row["url"]) for row in history] == [
        ("2022-01-15", "2022", PAGE), ("2021-01-15", "2021", PAGE), ("2019-01-15", "2019", PAGE),
    ]  # fmt: skip
    [goal] = desk.run("targets", "list", "--source", "old", "--release", "2021", "--indicator", "gdp", "--json").json
    assert goal["value"] == 6


def test_an_import_that_was_stopped_goes_on_where_it_was(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    archive.down.add("20210115080000")
    stopped = bring(desk, archive)
    assert stopped.code == 1
    assert [row["result"] for row in stopped.json["imported"]] == ["new", "failed"]
    assert "http_5xx" in stopped.json["imported"][-1]["why"]
    archive.down.clear()
    archive.web.asked.clear()
    again = bring(desk, archive)
    assert [row["result"] for row in again.json["imported"]] == ["known", "changed", "changed"]
    assert not [path for path in archive.web.asked if "20190115" in path], "what is kept is not asked for again"


def test_of_a_page_that_is_watched_the_years_before_stand_beside_it(desk: Any, archive: Archive, page_of: Any) -> None:
    now = archive.web.put("/now", page_of("2026年政府工作报告", GOAL.format(4), MORE))
    desk.watch({"key": "a", "url": now})
    desk.run("check", "--all", "--no-deliver")
    done = bring(desk, archive, "--since", "2020-06-01", key="a")
    assert [row["result"] for row in done.json["imported"]] == ["new", "changed"]
    assert [row["release"] for row in desk.run("history", "a", "--json").json] == ["2026", "2022", "2021"]
    asked = len(archive.web.asked)
    assert desk.run("check", "--all", "--no-deliver", "--json").json["checked"] == 1, "they are never fetched"
    desk.watch({"key": "a", "url": now, "match": "工作报告"})
    assert desk.run("check", "--all", "--no-deliver", "--json").json["checked"] == 1, "nor by another rule"
    assert archive.web.asked[asked:] == ["/now", "/now"]


def test_a_server_that_lists_line_by_line(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    done = bring(desk, archive, path="/old/cdx")
    assert [row["result"] for row in done.json["imported"]] == ["new", "changed", "changed"]
    assert all("/old/2" in row["path"] for row in done.json["imported"])


def test_a_broken_line_of_the_list_is_named_and_costs_itself(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    archive.broken += ['{"timestamp": "2020', '["2020"]', '{"timestamp": "soon", "status": "200"}']
    done = bring(desk, archive, path="/old/cdx")
    assert done.code == 1
    assert [row["result"] for row in done.json["imported"]] == ["failed"] * 3 + ["new", "changed", "changed"]
    assert 'a broken line of the list: {"timestamp": "2020' in done.json["imported"][0]["why"]


def test_a_capture_of_another_year_is_not_taken_for_one_that_is_lost(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})

    def led(to: str) -> Reply:
        return Reply(302, b"", headers={"Location": f"/web/{to}id_/{PAGE}"})

    archive.odd["20190115080000"] = [led("20220115080000")]
    archive.odd["20210115080000"] = [led("20210115070000")]
    archive.add("20210115070000", archive.web.routes["/web/20210115080000id_/" + PAGE].body.decode(), "near")
    archive.captures.pop()
    done = bring(desk, archive)
    assert [(row["at"][:4], row["result"]) for row in done.json["imported"]] == [
        ("2019", "failed"), ("2021", "new"), ("2022", "changed"),
    ]  # fmt: skip
    assert "has that of 20220115080000 in its place" in done.json["imported"][0]["why"]


def test_a_capture_that_leads_to_a_lost_site_does_not_end_the_import(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    archive.odd["20190115080000"] = [Reply(302, b"", headers={"Location": "http://lost.invalid/"})] * 3
    assert [row["result"] for row in bring(desk, archive).json["imported"]] == ["failed", "new", "changed"]


def test_a_server_that_asks_for_a_little_patience_is_given_it(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    archive.odd["20210115080000"] = [Reply(429, b"", headers={"Retry-After": "1"})]
    archive.odd["20220115080000"] = [Reply(429, b"", headers={"Retry-After": "600"})]
    done = bring(desk, archive)
    assert [row["result"] for row in done.json["imported"]] == ["new", "changed", "failed"]
    assert "asked for no requests until" in done.json["imported"][-1]["why"]


def test_a_list_that_cannot_be_had_is_a_failure_and_no_wrong_usage(desk: Any, archive: Archive) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    done = bring(desk, archive, path="/nowhere")
    assert done.code == 1
    [row] = done.json["imported"]
    assert (row["result"], row["url"]) == ("failed", PAGE)
    assert "gives no list: http_404" in row["why"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "old"], "name files, or a page with --captures"),
        (["--source", "old", "--captures", PAGE, "--cdx", "{web}/page"], "is no CDX server"),
        (["--source", "old", "--captures", PAGE, "--cdx", "{web}/cdx/search/cdx", "--since", "soon"], "is no date"),
        (["--source", "old", "--captures", PAGE, "--cdx", "http://10.0.0.1/cdx"], "gives no list: guard"),
    ],
)
def test_mistakes_are_named_and_nothing_is_stored(desk: Any, archive: Archive, arguments: list[str], said: str) -> None:
    desk.watch({"key": "old", "url": PAGE, "enabled": False})
    done = desk.run("import", *(word.format(web=archive.web.url) for word in arguments))
    assert (done.code, said in done.err) == (2, True), done.err
    assert "[]" in desk.run("sources", "health", "--json").out or not (desk.folder / "data/mubiao.db").exists()
