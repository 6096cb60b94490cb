from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import phrases
from monitor import wire

CASES = yaml.safe_load((Path(__file__).parents[1] / "data" / "alerts" / "phrases.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{c['name']}-{c['change']}-{c.get('relation', '')}" for c in CASES])
def test_one_target_in_words(world: Any, case: dict[str, Any]) -> None:
    extra = {k: case[k] for k in ("kind", "side", "relation", "object") if k in case}
    line = wire.target_change(
        world.moved(case["name"], case["change"], case["old"], case["new"], flags=tuple(case.get("flags", ())), **extra)
    )
    assert phrases.phrase(line, "zh") == case["zh"]
    assert phrases.phrase(line, "en") == case["en"]
    assert phrases.short(line, "zh") == case["short"]


def test_headline_cuts_come_first_and_one_off_works_last(world: Any) -> None:
    lines = [
        world.moved("道路", "dropped", "27条", None, recurring=False),
        world.moved("财政收入", "raised", "3%", "4%", side={"role": "actual"}),
        world.moved("进出口", "new", None, "5%"),
        world.moved("就业", "raised", "1万人", "2万人"),
        world.moved("绿地", "lowered", "5公顷", "4公顷", side={"headline": False}),
        world.moved("投资", "dropped", "10%", None),
        world.moved("地区生产总值", "lowered", "6%", "5%"),
        world.moved("失业率", "unchanged", "5%", "5%"),
    ]
    told = [x["canonical"] for x in phrases.ordered([wire.target_change(x) for x in lines])]
    assert told == ["地区生产总值", "投资", "就业", "进出口", "绿地", "道路", "财政收入"]


def test_a_contradiction_comes_before_all(world: Any) -> None:
    lines = [
        world.moved("绿地", "new", None, "8公顷", relation="quote", flags=("not_in_report",)),
        world.moved("企业数", "raised", "64个", "65个", relation="quote", flags=("differs",), side={"role": "actual"}),
    ]
    assert [x["canonical"] for x in phrases.ordered([wire.target_change(x) for x in lines])] == ["企业数", "绿地"]


def test_names_from_a_page_stay_on_one_line(world: Any) -> None:
    line = wire.target_change(world.moved("投资\r\nBcc: x", "raised", "1\x1b[31m%", "2%\u202e"))
    assert phrases.phrase(line, "zh") == "投资 Bcc: x增速 1% → 2% ↑"


def test_what_a_newspaper_adds_is_no_new_promise(world: Any) -> None:
    line = wire.target_change(
        world.moved("绿地", "new", None, "8公顷", kind="amount", relation="quote", flags=("not_in_report",))
    )
    assert phrases.word(line, "zh") == "报告中没有"
    assert not phrases.differs(line)


@pytest.mark.parametrize(
    ("english", "kind", "told"),
    [
        ("Regional GDP", "growth", "Regional GDP growth"),
        ("R&D intensity", "share", "R&D intensity"),
        (None, "growth", "地区生产总值 growth"),
    ],
)
def test_an_english_reader_is_told_the_english_name(world: Any, english: str | None, kind: str, told: str) -> None:
    line = wire.target_change(
        world.moved("地区生产总值", "raised", "5%", "6%", kind=kind, side={"indicator_en": english})
    )
    assert phrases.name(line, "en") == told
    assert phrases.name(line, "zh").startswith("地区生产总值")
