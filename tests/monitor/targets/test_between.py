"""Two documents from their words to the lines between them: every flag, every reason, and what must always hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import vocabulary
from monitor.model import Record, Target, TargetChange
from monitor.targets.between import MISSING, Reading, between
from monitor.targets.compare import FLAGS, compare
from monitor.targets.extract import extract
from monitor.targets.record import record

DATA = Path(__file__).parents[2] / "data" / "targets"
SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
CASES = yaml.safe_load((DATA / "flags.yaml").read_text(encoding="utf-8"))
WHOLE = Record(type="report", stage="delivered", complete=True)
TURNED = {"new": "dropped", "dropped": "new", "raised": "lowered", "lowered": "raised"}


def read(text: str, year: int, **about: Any) -> Reading:
    return Reading(replace(WHOLE, year=year, **about), extract(text, vocabulary(), year=year))


@pytest.mark.parametrize("case", CASES, ids=[f"{c['flag']} {c['after'][8:28]}" for c in CASES])
def test_flags_from_words(case: dict[str, Any]) -> None:
    quote = case.get("relation") == "quote"
    lines = between(
        read(case["before"], 2026 if quote else 2025 - len(case.get("missing", ()))),
        read(case["after"], 2026),
        relation=case.get("relation", "next_release"),
        everything=case.get("everything", False),
        missing=case.get("missing", ()),
    )
    label, flags = case["line"]
    fit = [x for x in lines if x.change == label and set(flags) <= set(x.flags)]
    assert fit, lines
    assert quote or any(set(x.flags) == set(flags) for x in fit)


def test_every_flag_is_reached_from_words() -> None:
    assert {case["flag"] for case in CASES} == set(FLAGS)


# --------------------------------------------------------------------------- why something is missing


@pytest.mark.parametrize(
    ("before", "after", "about", "reason"),
    [
        ("到2026年，高新技术企业达到80家。", "", {}, "still_open"),
        ("今后五年，地区生产总值年均增长7%。", "", {}, "still_open"),
        ("城镇登记失业率控制在4.5%以内。", "城镇调查失业率控制在5.5%左右。", {}, "replaced"),
        ("社会消费品零售总额增长6%。", "社会消费品零售总额达到120亿元。", {}, "restated"),
        ("维修道路27条。", "", {}, "done"),
        ("外贸进出口总额增长5%。", "", {"stage": "excerpt", "complete": False}, "partial_text"),
        ("外贸进出口总额增长5%。", "", {}, "not_stated"),
    ],
)
def test_a_missing_promise_has_its_reason(before: str, after: str, about: dict[str, Any], reason: str) -> None:
    frame = "{}年主要预期目标和工作安排\n地区生产总值增长6%。\n{}"
    lines = between(
        read(frame.format(2022, before), 2022), read(frame.format(2023, after), 2023, **about), relation="next_release"
    )
    dropped = [x for x in lines if x.change == "dropped"]
    assert [x.reason for x in dropped] == [reason]
    assert reason in MISSING
    assert dropped[0].recurring == (reason in ("not_stated", "replaced", "restated"))


def test_a_promise_for_years_that_are_over_is_no_longer_open() -> None:
    frame = "{}年主要预期目标和工作安排\n地区生产总值增长6%。\n{}"
    lines = between(
        read(frame.format(2022, "到2026年，高新技术企业达到80家。"), 2022),
        read(frame.format(2027, ""), 2027),
        relation="next_release",
    )
    assert [x.reason for x in lines if x.change == "dropped"] == ["not_stated"]


@pytest.mark.parametrize(
    ("aim", "review", "implied"),
    [
        ("社会消费品零售总额达到120亿元。", "社会消费品零售总额完成112亿元。", 7.1),
        ("社会消费品零售总额达到1200000万元。", "社会消费品零售总额完成112亿元。", 7.1),
        ("社会消费品零售总额达到120亿元。", "社会消费品零售总额增长4%。", None),
        ("社会消费品零售总额达到120亿元。", "旅游收入完成112亿元。", None),
    ],
)
def test_what_a_new_form_means_is_derived_from_the_documents_own_result(
    aim: str, review: str, implied: float | None
) -> None:
    old = read("2025年主要预期目标\n社会消费品零售总额增长6%。\n地区生产总值增长6%。", 2025)
    text = f"一、2025年工作回顾\n地区生产总值增长5%。{review}\n二、2026年主要预期目标\n地区生产总值增长6%。{aim}"
    lines = between(old, read(text, 2026), relation="next_release")
    (new,) = [x for x in lines if x.change == "new"]
    assert (new.flags, new.implied) == (("form_changed",), implied)
    assert (new.implied_base is None) == (implied is None)


# --------------------------------------------------------------------------- what always holds


def turned(lines: tuple[TargetChange, ...]) -> list[tuple[int, int, str]]:
    return sorted((id(x.after), id(x.before), TURNED.get(x.change, x.change)) for x in lines)


def holds(one: list[Target], other: list[Target]) -> None:
    """A release against itself is all unchanged; there and back mirror each other."""
    for relation in ("next_release", "edit"):
        for side in (one, other):
            lines = compare(side, [replace(x) for x in side], relation=relation)
            assert {(x.change, x.flags) for x in lines} <= {("unchanged", ())}
        there = compare(one, other, relation=relation)
        assert sorted((id(x.before), id(x.after), x.change) for x in there) == turned(
            compare(other, one, relation=relation)
        )


_PIECES = [
    "2025年主要预期目标是：", "地区生产总值增长6%左右，", "固定资产投资增长8%以上；", "其中工业投资增长", "12%。", "\n",
    "城乡居民人均可支配收入", "分别增长5.5%和7%，", "与经济增长同步，", "新建公园", "8个，", "总投资12亿元的",
    "云岭湖项目", "确保", "力争", "到2030年", "达到60家。", "去年完成", "控制在4.5%以内，", "一、重点工作\n",
    "改造老旧小区20个、", "惠及3000户。", "全覆盖，", "高于全市平均，", "高新技术企业",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40), st.lists(st.sampled_from(_PIECES), max_size=40))
def test_any_two_texts(one: list[str], other: list[str]) -> None:
    words = vocabulary()
    holds(list(extract("".join(one), words, year=2025)), list(extract("".join(other), words, year=2026)))


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the shared documents are not beside the project")
def test_any_two_of_the_real_documents() -> None:
    texts = [path.read_bytes().decode("utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    readings = [list(extract(t, vocabulary(), year=record(None, t).year)) for t in texts]
    assert all(readings)
    for one, other in pairwise(readings):
        holds(one, other)
    holds(readings[1], readings[2])
