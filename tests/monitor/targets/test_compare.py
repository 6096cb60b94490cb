"""Release comparison: one row of compare_lines.yaml is one fact about two releases of an invented district."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Record, Release, Target
from monitor.targets import compare

DATA = Path(__file__).parents[2] / "data" / "targets"
CASES = yaml.safe_load((DATA / "compare_lines.yaml").read_text(encoding="utf-8"))
RELEASES = yaml.safe_load((DATA / "compare_releases.yaml").read_text(encoding="utf-8"))
BOTH = ("target", "actual")
MIRROR = {"new": "dropped", "dropped": "new", "raised": "lowered", "lowered": "raised"}


def item(spec: list[Any]) -> Target:
    """A row of the case file as a Target."""
    indicator, canonical, kind, said, value, unit, qualifier = spec[:7]
    low, high = value if isinstance(value, list) else (value, value)
    more = {
        "role": "target",
        "period": "2025",
        "text": f"{indicator}{said}",
        "direction": "increase" if kind == "growth" else "level",
    } | (spec[7] if len(spec) > 7 else {})
    start = more.pop("start", 0)
    return Target(
        start=start,
        end=start + len(more["text"]),
        vstart=0,
        vend=len(said),
        value_text=said,
        indicator=indicator,
        canonical=canonical,
        kind=kind,
        value=None if isinstance(value, list) else value,
        value_min=None if qualifier in ("at_most", "under") else low,
        value_max=None if qualifier in ("at_least", "over") else high,
        unit=unit,
        qualifier=qualifier,
        sentence=more["text"],
        **more,
    )


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_lines(case: dict[str, Any]) -> None:
    before, after = [item(x) for x in case["before"]], [item(x) for x in case["after"]]
    options = {k: case[k] for k in ("relation", "quoting", "everything", "gap") if k in case}
    lines = compare.compare(before, after, **options)

    def place(side: list[Target], target: Target | None) -> int | None:
        return None if target is None else next(i for i, x in enumerate(side) if x is target)

    got = [[c.change, place(before, c.before), place(after, c.after), list(c.flags)] for c in lines]
    assert got == case["lines"]
    assert all(c.relation == case.get("relation", "next_release") for c in lines)


# --------------------------------------------------------------------------- properties

_NAMES = ["地区生产总值", "固定资产投资", "城镇调查失业率", "项目投资额", "重点项目数", "城乡居民人均可支配收入", None]
_WORDS = ["总投资", "重点项目", "省级片区", "智慧养老院", "项目", "投资", "道路", "城市书房", "云岭湖公园"]


@st.composite
def targets(draw: st.DrawFn) -> Target:
    unit = draw(st.sampled_from(["%", "亿元", "万元", "个", "家", "公里", None]))
    number = draw(st.sampled_from([None, 0.0, 1.0, 2.5, 7.0, 300.0])) if unit else None
    qualifier = draw(st.sampled_from(["exact", "about", "at_least", "at_most", "range"])) if unit else "in_step"
    ranged = qualifier == "range" and number is not None
    indicator = draw(st.sampled_from(_WORDS))
    return Target(
        role=draw(st.sampled_from(["target", "actual"])),
        start=0,
        end=1,
        text=f"{draw(st.sampled_from(['建成', '推进', '力争', '']))}{indicator}{number}",
        vstart=0,
        vend=1,
        value_text=f"{number}{unit}",
        indicator=indicator,
        canonical=draw(st.sampled_from(_NAMES)),
        value=None if ranged else number,
        value_min=number,
        value_max=number + 1 if ranged and number is not None else number,
        unit=unit,
        qualifier=qualifier,
        direction=draw(st.sampled_from(["increase", "decrease", "level"])),
        kind=draw(st.sampled_from(["growth", "level", "count", "amount", "share"])) if unit else "relative",
        period=draw(st.sampled_from(["2025", "by 2030", "2021-2025", None])),
        object=draw(st.sampled_from([None, None, "东湖片区", "南站广场"])),
        basis=draw(st.sampled_from([None, "yoy", "comparable"])),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(targets(), max_size=12))
def test_a_release_compared_with_itself_is_all_unchanged(items: list[Target]) -> None:
    for relation in ("next_release", "edit"):
        lines = compare.compare(items, [replace(x) for x in items], relation=relation, roles=BOTH)
        assert [(c.change, c.flags) for c in lines] == [("unchanged", ())] * len(items)
        assert [c.after for c in lines] == items


def both_ways(one: list[Target], other: list[Target]) -> tuple[list[tuple[int, int, str]], ...]:
    """The lines there, and the lines back turned round."""
    there = sorted((id(c.before), id(c.after), c.change) for c in compare.compare(one, other, roles=BOTH))
    back = compare.compare(other, one, roles=BOTH)
    return there, sorted((id(c.after), id(c.before), MIRROR.get(c.change, c.change)) for c in back)


@settings(max_examples=150, deadline=None)
@given(st.lists(targets(), max_size=10), st.lists(targets(), max_size=10))
def test_there_and_back_mirror_each_other(one: list[Target], other: list[Target]) -> None:
    there, back = both_ways(one, other)
    assert there == back


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_every_case_mirrors(case: dict[str, Any]) -> None:
    there, back = both_ways([item(x) for x in case["before"]], [item(x) for x in case["after"]])
    assert there == back


@settings(max_examples=60, deadline=None)
@given(st.lists(targets(), max_size=10), st.lists(targets(), max_size=10))
def test_every_item_is_told_once_and_after_keeps_its_order(one: list[Target], other: list[Target]) -> None:
    lines = compare.compare(one, other, roles=BOTH)
    plain = [c for c in lines if not {"split", "merged"} & set(c.flags)]
    assert {id(x) for x in one} - {id(c.before) for c in lines if c.before} <= {id(x) for x in one if x.canonical}
    order = list(dict.fromkeys(id(c.after) for c in lines if c.after))
    assert order == [id(x) for x in other if id(x) in order]
    assert len({id(c.before) for c in plain if c.before}) == len([c for c in plain if c.before])


def test_long_releases_take_no_quadratic_time() -> None:
    names = [
        a + b + c
        for a in "甲乙丙丁戊己庚"
        for b in "子丑寅卯辰巳午"
        for c in ("书房", "片区", "集群", "码头", "基地", "园区", "街")
    ]
    rows = [item([n, None, "count", f"{i}个", i, "个", "exact"]) for i, n in enumerate(names[:300])]
    started = time.process_time()
    lines = compare.compare(rows, list(reversed(rows)))
    assert time.process_time() - started < 1.5  # measured: 0.1 s; twice the lines take twice that
    assert {c.change for c in lines} == {"unchanged"}


# --------------------------------------------------------------------------- which release, which line, which words


def release(spec: dict[str, Any]) -> Release:
    about = Record(
        type=spec.get("type", "report"),
        year=spec.get("year"),
        label=str(spec["year"]) if spec.get("year") else None,
        complete=spec.get("complete", True),
    )
    return Release(spec["id"], about.label, about, "yunling", f"https://example.org/{spec['id']}", spec.get("text", ""))


@pytest.mark.parametrize("case", RELEASES, ids=[c["name"] for c in RELEASES])
def test_release_before(case: dict[str, Any]) -> None:
    new = release({"id": "new"} | case["new"])
    found, relation, gap = compare.release_before(
        new.record, [release(r) for r in case["releases"]], text=new.text, label=case.get("label")
    )
    assert [found.version if found else None, relation, gap] == case["expected"]


def test_order_of_fetching_does_not_matter() -> None:
    known = [release({"id": str(y), "year": y}) for y in (2019, 2022, 2020, 2021)]
    for order in (known, known[::-1]):
        found, _, gap = compare.release_before(Record(type="report", year=2022, complete=True), order)
        assert (found and found.version, gap) == ("2021", False)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Record(type="newspaper"), Record(type="report", year=2022, complete=True), ("quote", "before")),
        (Record(type="report", year=2022, complete=True), Record(type="newspaper"), ("quote", "after")),
        (Record(type="report", year=2022), Record(type="report", year=2022, complete=True), ("quote", "before")),
        (Record(type="report", year=2021, complete=True), Record(type="report", year=2022), ("next_release", "after")),
        (Record(), Record(), ("next_release", "after")),
    ],
)
def test_relate(before: Record, after: Record, expected: tuple[str, str]) -> None:
    assert compare.relate(before, after) == expected


def test_works_that_are_done_are_no_news() -> None:
    before = [
        item(["道路", "道路维修条数", "count", "27条", 27, "条", "exact"]),
        item(["外贸进出口总额", "外贸进出口总额", "growth", "5%", 5, "%", "exact"]),
    ]
    lines = compare.compare(before, [])
    assert [(c.indicator, c.recurring) for c in lines] == [("道路", False), ("外贸进出口总额", True)]
    assert [c.indicator for c in compare.news(lines)] == ["外贸进出口总额"]
