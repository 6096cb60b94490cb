"""Whole texts: every item with its role, indicator, value and period."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import vocabulary
from monitor.model import Target
from monitor.targets.extract import extract

ROOT = Path(__file__).resolve().parents[3]
CASES = yaml.safe_load((ROOT / "tests/data/targets/extract.yaml").read_text(encoding="utf-8"))
GOLD = ROOT.parent / "shared/gold/targets"


def row(item: Target) -> list[Any]:
    return [item.role, item.indicator_id or item.indicator, item.value, item.unit, item.qualifier, item.period]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_text(case: dict[str, Any]) -> None:
    found = extract(case["text"], vocabulary(), year=case.get("year"))
    assert [row(item) for item in found] == case["is"]
    for position, fields in case.get("more", {}).items():
        assert {name: getattr(found[position], name) for name in fields} == fields


def test_offsets_count_every_code_point() -> None:
    text = "\ufeff2024年预期目标是：\r\n——地区生产总值增长５．５％左右；\r\n——粮食产量12亿斤以上。\r\n"
    gdp, grain = extract(text, vocabulary())
    for item in (gdp, grain):
        assert text[item.start : item.end] == item.text
        assert text[item.vstart : item.vend] == item.value_text
        assert text[item.sent_start : item.sent_end].strip() == item.sentence
    assert (gdp.value_text, grain.value_text) == ("５．５％左右", "12亿斤以上")
    assert gdp.headline and grain.headline


def test_the_year_given_wins_over_the_year_read() -> None:
    text = "2021年政府工作报告\n重点工作\n新增学位500个。"
    assert extract(text, vocabulary())[0].period == "2021"
    assert extract(text, vocabulary(), year=2030)[0].period == "2030"


def test_the_title_may_come_apart_from_the_text() -> None:
    (item,) = extract("重点工作\n新增学位500个。", vocabulary(), title="云岭区2026年政府工作报告")
    assert item.period == "2026"


FIELDS = """云岭县2024年政府工作报告
一、2023年工作回顾
初步核算，全县地区生产总值增长5.2%。预计一般公共预算收入剔除留抵退税因素后同口径增长4%。
二、2024年工作安排
2024年主要预期目标是：固定资产投资(不含农户)增长7%。
谋划储备重点项目90个，开工建设60个，其中产业项目30个、民生项目12个，竣工投产20个。
总投资12亿元的绿色家居产业园年内投用。
"""


def test_scope_stage_parent_vintage_and_english_names() -> None:
    found = extract(FIELDS, vocabulary())
    assert [i.vintage for i in found[:3]] == ["preliminary", "expected", None]
    assert [i.scope for i in found[:3]] == [None, "剔除留抵退税因素+同口径", "不含农户"]
    assert [i.headline for i in found[:4]] == [False, False, True, False]
    assert [i.stage for i in found[3:8]] == ["谋划", "开工", None, None, "投用"]
    assert [bool(i.parent) for i in found[3:8]] == [False, False, True, True, False]
    assert found[5].parent == found[6].parent
    assert found[0].indicator_en == "Regional GDP"
    park = found[8]
    assert (park.value, park.persistence, park.tier) == (12, "one_off", "borderline")
    assert "绿色家居产业园" in (park.object or "")


def test_every_item_says_why() -> None:
    for item in extract(CASES[0]["text"], vocabulary()):
        assert item.rule.count(";") == 2
        assert 0 < item.confidence <= 1


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=200)
    | st.text(alphabet="目标是：增长达到年月第%亿元个。，；、“”1234567890今后五年分别和\n", max_size=200)
)
def test_any_text_is_read(text: str) -> None:
    for item in extract(text, vocabulary()):
        assert text[item.start : item.end] == item.text
        assert item.start <= item.vstart < item.vend <= item.end


PIECES = [
    "1234567890",
    "abc ",
    "增长5%",
    "1 ",
    "“",
    "2021-",
    "甲、乙分别增长5%和6%,",
    "字",
    "其中5个、",
    "電話 0987-654321\n",
    "1\t增長\t%\n",
]


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.process_time()
        extract(text, vocabulary())
        return time.process_time() - start

    seconds(1000)
    assert seconds(16_000) < 9 * max(seconds(4_000), 0.01)


def test_gold_of_the_seeds_is_found() -> None:
    seeds = ROOT.parent / "shared/seeds"
    if not (GOLD.exists() and seeds.exists()):
        pytest.skip("needs ../shared/gold and ../shared/seeds")
    wanted = hit = 0
    for path in sorted(GOLD.glob("0*.jsonl")):
        text = (seeds / f"{path.stem}.txt").read_bytes().decode("utf-8")
        found = extract(text, vocabulary())
        for line in path.read_text(encoding="utf-8").splitlines():
            gold = json.loads(line)
            if gold["tier"] != "core":
                continue
            wanted += 1
            hit += any(
                i.role == gold["role"]
                and i.vstart < gold["vend"]
                and gold["vstart"] < i.vend
                and i.value == gold["value"]
                for i in found
            )
    assert hit / wanted >= 0.97, f"{hit} of {wanted}"
