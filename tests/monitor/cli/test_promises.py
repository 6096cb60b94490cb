"""`mubiao targets …` over a database: three places and two years, as a researcher asks."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.model import Record, Retold
from storage.store import Store

GDP = "地区生产总值"
TEXT = """{place}{year}年政府工作报告
——{year}年1月8日在{place}第九届人民代表大会第二次会议上
各位代表：现在，我代表{kind}人民政府，向大会报告工作，请予审议。
一、{last}年工作回顾
过去一年，地区生产总值增长{done}，一般公共预算收入增长{income}，高新技术企业达到63家。
{filler}
二、{year}年工作安排
今年经济社会发展主要预期目标是：地区生产总值增长{aim}，固定资产投资增长{invest}，居民人均可支配收入增长与经济增长同步。
新建公园{parks}个，高新技术企业达到60家。
各位代表，让我们为建设美好家园而努力奋斗！
"""
SAID = "我们把道路修好，把学校办好，把山上的树种好，群众的日子一天比一天过得踏实。"
FILLER = "".join(f"在第{n}片街区，{SAID}\n" for n in "甲乙丙丁戊己庚辛壬癸" * 4)
PLACES = (
    ("yunling", "云岭区", "999101", {2025: ("6%左右", "8%"), 2026: ("5%左右", "8%以上")}),
    ("beigang", "北港区", "999102", {2026: ("7%", "5%")}),
    ("city", "云州市", "999100", {2026: ("5.5%左右", "6%")}),
    ("province", "云省", "990000", {2026: ("5%以上", "4%")}),
)


def text_of(place: str, year: int, aim: str, invest: str) -> str:
    return TEXT.format(
        place=place, kind=place[-1], year=year, last=year - 1, aim=aim, invest=invest, filler=FILLER,
        done="5.7%", income="4.1%", parks=year - 2020,
    )  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of four places."""
    folder = tmp_path_factory.mktemp("library")
    for key, place, _, years in PLACES:
        for year, aims in years.items():
            (folder / f"{key}-{year}.txt").write_text(text_of(place, year, *aims), encoding="utf-8")
    return folder


@pytest.fixture
def filled(desk: Any, library: Path) -> Any:
    for key, _, region, years in PLACES:
        files = [library / f"{key}-{year}.txt" for year in years]
        assert desk.run("import", *files, "--source", key, "--region", region).code == 0
    return desk


# --------------------------------------------------------------------------- list


def test_a_list_says_what_became_of_each_since_the_release_before(filled: Any) -> None:
    rows = filled.run("targets", "list", "--change", "lowered", "--json").json
    assert [(r["name"], r["before"], r["value_text"], r["compared_release"]) for r in rows] == [
        (GDP, "6%左右", "5%左右", "2025")
    ]
    rows = filled.run("targets", "list", "--change", "hardened", "--json").json
    assert [(r["name"], r["change"], r["flags"]) for r in rows] == [("固定资产投资", "reworded", ["hardened"])]
    everything = filled.run("targets", "list", "--change", "unchanged", "--change", "raised", "--json").json
    assert {r["source"] for r in everything} == {"yunling"}  # the others have no release before
    table = filled.run("targets", "list", "--change", "lowered", "--lang", "zh")
    assert "↓ 下调" in table.out
    assert filled.run("targets", "list", "--change", "lower").code == 2


def test_what_was_dropped_is_a_row_of_the_release_before(filled: Any, library: Path) -> None:
    path = filled.folder / "beigang-2027.txt"
    told = (library / "beigang-2026.txt").read_text(encoding="utf-8").replace("2026", "2027").replace("2025", "2026")
    path.write_text(told.replace("，固定资产投资增长5%", ""), encoding="utf-8")
    assert filled.run("import", path, "--source", "beigang").code == 0
    (row,) = filled.run("targets", "list", "--region", "999102", "--change", "dropped", "--json").json
    assert (row["name"], row["release"], row["reason"]) == ("固定资产投资", "2026", "not_stated")
    text = filled.run("show", row["version"], "--json").json["text"]
    assert text[row["vstart"] : row["vend"]] == "5%"
    assert filled.run("show", row["dropped_in"], "--json").json["release"] == "2027"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--region", "999101", "--headline", "--role", "target"], 6),
        (["--under", "9991", "--indicator", "GDP", "--role", "target"], 4),
        (["--under", "99", "--indicator", "gdp", "--role", "target"], 5),
        (["--source", "city", "--kind", "relative"], 1),
        (["--series", "政府工作报告", "--indicator", GDP, "--role", "target", "--all-releases"], 5),
        (["--release", "2025", "--role", "target", "--indicator", GDP], 1),
        (["--as-of", "2025-06-01", "--role", "target", "--indicator", GDP], 1),
        (["--since", "2026-01-01", "--role", "target", "--indicator", GDP], 4),
        (["--scope", "区本级"], 0),
    ],
)
def test_filters(filled: Any, filters: list[str], expected: int) -> None:
    assert len(filled.run("targets", "list", *filters, "--json").json) == expected


def test_a_table_for_researchers_is_one_row_a_target(filled: Any) -> None:
    done = filled.run("targets", "list", "--role", "target", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == len(filled.run("targets", "list", "--role", "target", "--json").json)
    assert {"source", "region", "place", "url", "version", "start", "end", "vstart", "vend", "value", "unit"} <= set(
        rows[0]
    )
    assert all(not isinstance(v, list) and not str(v).startswith(("{", "[", "'")) for row in rows for v in row.values())
    pairs = filled.run("targets", "compare", "yunling@2025", "999101@2026", "--csv")
    (gdp,) = [r for r in csv.DictReader(io.StringIO(pairs.out)) if r["canonical"] == GDP]
    assert (gdp["change"], gdp["from_value"], gdp["to_value"], gdp["from_unit"]) == ("lowered", "6", "5", "%")


# --------------------------------------------------------------------------- timeline and rank


def test_a_timeline_is_drawn_with_promises_and_results(filled: Any) -> None:
    command = ("targets", "timeline", "--indicator", GDP, "--region", "999101")
    rows = filled.run(*command, "--json").json
    assert [(r["period"], r["role"], r["number"]) for r in rows] == [
        ("2024", "actual", 5.7),
        ("2025", "actual", 5.7),
        ("2025", "target", 6),
        ("2026", "target", 5),
    ]
    assert filled.run(*command, "--svg", "a.svg", "--png", "a.png", "--lang", "zh").code == 0
    root = ET.parse(filled.folder / "a.svg").getroot()
    words = [x.text for x in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"6%左右", "5%左右", "5.7%", "2024", "2026", "目标", "实绩"} <= set(words)
    assert "云岭区　地区生产总值　增速（%）" in words
    assert (filled.folder / "a.png").read_bytes().startswith(b"\x89PNG")
    assert filled.run("targets", "timeline").code == 2


def test_places_stand_beside_their_city_and_province(filled: Any) -> None:
    rows = filled.run("targets", "rank", "--indicator", GDP, "--under", "9991", "--amplification", "--json").json
    assert [(r["place"], r["rank"], r["city"], r["over_city"], r["province"], r["over_province"]) for r in rows] == [
        ("北港区", 1, "5.5%左右", 1.5, "5%以上", 2),
        ("云州市", 2, None, None, "5%以上", 0.5),
        ("云岭区", 3, "5.5%左右", -0.5, "5%以上", 0),
    ]
    table = filled.run("targets", "rank", "--indicator", GDP, "--lang", "en").out
    assert "▒" in table
    assert filled.run("targets", "rank", "--indicator", GDP, "--period", "2025", "--json").json[0]["place"] == "云岭区"


# --------------------------------------------------------------------------- attainment


def test_each_promise_is_held_against_what_was_reported_later(filled: Any) -> None:
    command = ("targets", "attainment", "--region", "999101", "--json")
    rows = {(r["release"], r["name"]): r for r in filled.run(*command).json}
    gdp = rows["2025", GDP]
    assert (gdp["verdict"], gdp["actual"], gdp["gap"], gdp["vintage"]) == ("met", "5.7%", -0.3, "preliminary")
    assert gdp["actual_item"]["period"] == "2025"
    assert rows["2025", "固定资产投资"]["reason"] == "not_stated"
    assert rows["2025", "高新技术企业数"]["already_met"] is True
    assert {r["reason"] for key, r in rows.items() if key[0] == "2026" and r["verdict"] == "unknown"} <= {
        "not_yet_due",
        "report_not_found",
    }
    strict = filled.run(*command, "--tolerance", "0.1", "--indicator", GDP, "--release", "2025").json
    assert [r["verdict"] for r in strict] == ["missed"]
    missed = filled.run(*command, "--tolerance", "0.1", "--verdict", "missed").json
    assert [r["name"] for r in missed] == [GDP]
    assert filled.run("targets", "attainment", "--lang", "zh").err.count("完成") >= 1


def test_a_newspaper_is_no_report(filled: Any, library: Path) -> None:
    paper = filled.folder / "paper.txt"
    paper.write_text("本报讯（记者 何微）2026年，北港区地区生产总值增长7.2%，记者从两会上获悉。\n", encoding="utf-8")
    assert filled.run("import", paper, "--source", "paper", "--region", "999102", "--date", "2027-01-10").code == 0
    rows = filled.run("targets", "attainment", "--region", "999102", "--as-of", "2027-02-01", "--json").json
    assert {r["reason"] for r in rows if r["name"] == GDP} == {"newspaper_only"}


# --------------------------------------------------------------------------- explain and reread


def test_a_marked_page_leads_to_every_reading_and_back(filled: Any) -> None:
    assert filled.run("targets", "explain", "yunling@2026", "--html", "a.html", "--lang", "zh").code == 0
    page = (filled.folder / "a.html").read_text(encoding="utf-8")
    items = len(filled.run("targets", "list", "--source", "yunling", "--release", "2026", "--json").json)
    assert page.count('<tr id="r') == items == page.count('href="#t')
    only = filled.run("targets", "explain", "yunling@2026", "--indicator", "GDP", "--role", "target").out
    assert "5%左右" in only
    assert "固定资产投资  " not in only


@pytest.fixture
def aged(filled: Any) -> Callable[[], None]:
    """The newest version of yunling as an older program read it: one promise, another label."""

    def age() -> None:
        with Store(filled.db) as store, filled.queries() as ask:
            version = ask.version("yunling@2026")
            items = ask.targets_of(version.id)
            wrong = replace(items[0], value=9.0, value_min=9.0, value_max=9.0)
            store.retarget(version.id, Retold(Record(type="other", year=2020, label="2020"), "2020", (wrong,)))

    return age


def test_rereading_replaces_readings_and_nothing_else(filled: Any, aged: Callable[[], None]) -> None:
    mine = ("targets", "list", "--source", "yunling", "--release", "2026", "--json")
    before = filled.run(*mine).json
    feed = filled.run("export", "changes").out
    aged()
    assert filled.run(*mine).json == []
    dry = filled.run("targets", "reread", "--dry-run", "--json").json
    assert [(r["source"], r["before"], r["after"]) for r in dry] == [("yunling", 1, len(before))]
    assert dry[0]["record"]["release"] == ["2020", "2026"]
    assert filled.run(*mine).json == []
    assert filled.run("targets", "reread", "--source", "city", "--json").json == []
    done = filled.run("targets", "reread", "--json")
    assert done.json == dry
    assert filled.run(*mine).json == before
    assert filled.run("targets", "reread", "--json").json == []
    assert filled.run("export", "changes").out == feed
    assert filled.run("alerts", "list", "--json").json == []
    assert filled.run("show", "yunling@2026", "--json").json["record"]["type"] == "report"


def test_rereading_waits_for_no_daemon(filled: Any) -> None:
    with Store(filled.db) as store:
        store.lock_daemon()
        done = filled.run("targets", "reread")
    assert done.code == 2
    assert "pid" in done.err
