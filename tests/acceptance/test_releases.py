"""Years of reports of one place, in the order in which sites put them online: what is compared, told and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.filters import Filter

FIELDS = ("产业培育", "城市更新", "生态保护", "乡村振兴", "基层治理", "就业服务", "医疗卫生", "文化建设")
DONE = [
    f"在{street}街道，我们始终把{field}摆在突出位置，深入一线走访调研，及时协调解决企业和群众反映的困难，得到社会各界肯定。"
    for street in ("北桥", "翠湖", "松林", "河湾", "石门")
    for field in FIELDS
]
LEAVE = "各位代表，让我们同心同德，为建设现代化新城区而努力奋斗！"


def report(
    year: int, growth: str, *more: str, reviewed: str = "各项任务圆满完成。", speaker: str = "代区长 林远"
) -> list[str]:
    """The paragraphs of a whole report of an invented district."""
    return [
        f"——{year}年1月8日在云岭区第九届人民代表大会第{'一二三四五六'[year % 6]}次会议上",
        speaker,
        "各位代表：现在，我代表区人民政府向大会报告工作，请予审议。",
        f"一、{year - 1}年工作回顾",
        f"过去一年，{reviewed}",
        *(f"{x}（{year}）" for x in DONE),
        f"二、{year}年工作安排",
        f"今年经济社会发展主要预期目标是：地区生产总值增长{growth}，固定资产投资增长8%，一般公共预算收入增长5%。",
        *more,
        LEAVE,
    ]


@pytest.fixture
def column(web: Any, page_of: Callable[..., str]) -> Callable[..., None]:
    """`column({2021: paragraphs})`: a list of these years' reports, newest first."""

    def serve(texts: dict[int, list[str]]) -> None:
        links = "".join(
            f'<li><a href="/art/{y}/report.html">云岭区{y}年政府工作报告</a><span>{y}-01-09</span></li>'
            for y in sorted(texts, reverse=True)
        )
        web.put("/zfgzbg/", f"<html><head><title>政府工作报告</title></head><body><ul>{links}</ul></body></html>")
        for year, text in texts.items():
            web.put(f"/art/{year}/report.html", page_of(f"云岭区{year}年政府工作报告", *text))

    return serve


def source(web: Any, **more: Any) -> dict[str, Any]:
    return {
        "key": "yunling", "url": f"{web.url}/zfgzbg/", "kind": "listing", "match": "政府工作报告", "region": "999101",
        "series": "政府工作报告", "backfill": "3650d",
    } | more  # fmt: skip


TOLD: dict[str, Any] = {
    "channels": {"desk": {"type": "email", "to": ["desk@example.org"]}},
    "subscriptions": [{"channel": "desk", "on": ["targets", "content", "new"], "lang": "zh"}],
}


def subjects(desk: Any) -> list[str]:
    """First lines of what waits to be sent, oldest first."""
    with desk.queries() as ask:
        waiting = sorted((a for a in ask.alerts() if a.change), key=lambda a: a.id)
    return [desk.run("alerts", "preview", a.change, "--lang", "zh").out.splitlines()[0] for a in waiting]


async def test_a_gap_is_named_and_a_late_release_mends_it_silently(
    web: Any, desk: Any, column: Callable[..., None], watching: Callable[..., Any]
) -> None:
    texts = {2021: report(2021, "6%左右")}
    column(texts)
    watch = watching(source(web), **TOLD)
    assert (await watch.look()).baselines == 1

    texts[2023] = report(2023, "5%左右")
    column(texts)
    watch.clock.pass_by(days=1)
    (gap,) = (await watch.look()).changes
    assert (gap.compared_release, gap.release, gap.missing) == ("2021", "2023", (2022,))
    (line,) = gap.targets
    assert (line.change, set(line.flags)) == ("lowered", {"gap"})
    (first,) = subjects(desk)
    assert "2021→2023（缺2022）" in first
    assert "地区生产总值增速 6%左右→5%左右" in first

    texts[2022] = report(2022, "7%左右")
    column(texts)
    watch.clock.pass_by(days=1)
    (late,) = (await watch.look()).changes
    assert (late.release, late.compared_release, late.moved) == ("2022", "2021", False)
    assert late.significance <= 0.5
    with desk.queries() as ask:
        changes = {c.release: c for c in ask.changes(Filter(baseline=True), limit=None)}
        assert len(changes) == 3  # nothing was added for 2023
        assert len([a for a in ask.alerts() if a.change]) == 2
        assert {c.canonical for c in ask.changes(Filter(indicator="地区生产总值"))[0].targets} == {"地区生产总值"}
    mended = changes["2023"]
    assert (mended.id, mended.compared_release, mended.missing) == (gap.id, "2022", ())
    (line,) = mended.targets
    assert (line.before and line.before.value, line.flags) == (7, ())
    assert "新文件" in subjects(desk)[1]
    with desk.queries() as ask:
        (stored,) = [a for a in ask.alerts() if a.change == late.id]
    assert stored.type == "change.detected"


async def test_the_order_in_which_releases_are_found_does_not_matter(desk: Any, tmp_path: Path) -> None:
    for name, order in (("a", (2021, 2022, 2023)), ("b", (2023, 2021, 2022))):
        for year in order:
            path = tmp_path / f"{name}{year}.txt"
            path.write_text(
                "\n".join([f"云岭区{year}年政府工作报告", *report(year, f"{year - 2015}%")]), encoding="utf-8"
            )
            region = "999101" if name == "a" else "999102"
            assert desk.run("import", path, "--source", f"{name}{year}", "--region", region).code == 0
    with desk.queries() as ask:
        found = ask.changes(Filter(baseline=True), limit=None)
        shown = {c.source: (c.compared_release, [(t.change, t.flags) for t in c.targets]) for c in found}
    assert {k[1:]: v for k, v in shown.items() if k[0] == "a"} == {k[1:]: v for k, v in shown.items() if k[0] == "b"}
    assert shown["b2023"] == ("2022", [("raised", ())])


async def test_a_new_report_in_the_place_of_the_old_one_is_the_next_release(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    url = web.put("/report.html", page_of("云岭区2024年政府工作报告", *report(2024, "6%左右")))
    watch = watching(source(web, url=url, kind="page"), **TOLD)
    await watch.look()
    fresh = [
        x.replace("走访调研", "蹲点走访").replace("得到社会各界肯定", "群众都说好") for x in report(2026, "5%左右")
    ]
    web.put("/report.html", page_of("云岭区2026年政府工作报告", *fresh))
    watch.clock.pass_by(days=400)
    (change,) = (await watch.look()).changes
    assert (change.compared_release, change.release, change.missing) == ("2024", "2026", (2025,))
    assert {(t.change, t.relation) for t in change.targets} == {("lowered", "next_release")}
    rows = desk.run("targets", "list", "--change", "lowered", "--json").json
    assert [(r["before"], r["value_text"], r["compared_release"]) for r in rows] == [("6%左右", "5%左右", "2024")]


async def test_a_promise_made_softer_with_the_same_number_is_the_first_line_of_its_alert(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    firm = "全力攻坚，确保新增城镇就业达到6000人。"
    url = web.put("/report.html", page_of("云岭区2026年政府工作报告", *report(2026, "6%左右", firm)))
    watch = watching(source(web, url=url, kind="page"), **TOLD)
    await watch.look()
    soft = firm.replace("确保", "力争")
    web.put("/report.html", page_of("云岭区2026年政府工作报告", *report(2026, "6%左右", soft)))
    watch.clock.pass_by(days=1)
    (change,) = (await watch.look()).changes
    assert [(t.change, t.flags, t.relation) for t in change.targets] == [("unchanged", ("softened",), "edit")]
    assert change.significance >= 0.9
    assert "口气放软" in subjects(desk)[0]


async def test_a_new_form_gives_the_growth_it_means(desk: Any, tmp_path: Path) -> None:
    old = tmp_path / "2024.txt"
    new = tmp_path / "2025.txt"
    first = report(2024, "6%", "社会消费品零售总额增长2%。")
    second = report(2025, "6%", "社会消费品零售总额完成23.9亿元。", reviewed="社会消费品零售总额完成22.9亿元。")
    old.write_text("\n".join(["云岭区2024年政府工作报告", *first]), encoding="utf-8")
    new.write_text("\n".join(["云岭区2025年政府工作报告", *second]), encoding="utf-8")
    lines = desk.run("targets", "compare", old, new, "--indicator", "社零", "--jsonl").lines
    found = {x["change"]: x for x in lines}
    assert found["new"]["flags"] == ["form_changed"]
    assert (found["new"]["implied"], found["new"]["implied_base"]) == (4.4, "22.9亿元")
    assert found["dropped"]["reason"] == "restated"
    table = desk.run("targets", "compare", old, new, "--indicator", "社零", "--lang", "zh").out
    assert "折算增长+4.4%（推算，上年22.9亿元）" in table


async def test_half_a_new_report_drops_nothing(desk: Any, tmp_path: Path) -> None:
    whole = ["云岭区2024年政府工作报告", *report(2024, "6%", "到2026年，高新技术企业达到80家。", "外贸进出口增长4%。")]
    (tmp_path / "2024.txt").write_text("\n".join(whole), encoding="utf-8")
    text = report(2025, "5%")
    half = ["云岭区2025年政府工作报告（上）", *text[:-4], text[-2].split("，固定资产投资")[0] + "。"]
    (tmp_path / "half.txt").write_text("\n".join(half), encoding="utf-8")
    (tmp_path / "2025.txt").write_text("\n".join(["云岭区2025年政府工作报告", *text]), encoding="utf-8")
    lines = desk.run("targets", "compare", tmp_path / "2024.txt", tmp_path / "half.txt", "--jsonl").lines
    assert {(x["reason"], x["recurring"]) for x in lines if x["change"] == "dropped"} == {
        ("partial_text", False),
        ("still_open", False),
    }
    lines = desk.run("targets", "compare", tmp_path / "2024.txt", tmp_path / "2025.txt", "--jsonl").lines
    reasons = {x["canonical"]: (x["reason"], x["recurring"]) for x in lines if x["change"] == "dropped"}
    assert reasons == {"高新技术企业数": ("still_open", False), "外贸进出口总额": ("not_stated", True)}


async def test_the_record_of_a_version_is_shown(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "2025.txt"
    path.write_text("\n".join(["云岭区2025年政府工作报告", *report(2025, "6%")]), encoding="utf-8")
    assert desk.run("import", path, "--source", "yunling", "--region", "999101").code == 0
    assert desk.run("show", "yunling@2025", "--json").json["record"] == {
        "type": "report", "year": 2025, "label": "2025", "place": "云岭区", "session": "2025-01-08",
        "meeting": "第九届人民代表大会第四次会议", "speaker": "林远", "acting": True, "stage": "delivered",
        "complete": True,
    }  # fmt: skip
