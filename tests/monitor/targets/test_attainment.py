"""Promises against results: one row of attainment_cases.yaml is one judgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.model import Record, Target
from monitor.targets.attainment import Setting, amplification, attain, rank

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "targets" / "attainment_cases.yaml").read_text(encoding="utf-8")
)


def item(spec: list[Any], role: str) -> Target:
    indicator, canonical, kind, said, value, unit, qualifier = spec[:7]
    low, high = value if isinstance(value, list) else (value, value)
    more = {
        "text": f"{indicator}{said}",
        "period": "2025",
        "direction": "increase" if kind == "growth" else "level",
    } | (spec[7] if len(spec) > 7 else {})
    return Target(
        role="actual" if role == "actual" else "target",
        start=0,
        end=9,
        vstart=0,
        vend=9,
        value_text=said,
        indicator=indicator,
        canonical=canonical,
        kind=kind,
        value=None if isinstance(value, list) else value,
        value_min=None if qualifier in ("at_most", "under") else low,
        value_max=None if qualifier in ("at_least", "over") else high,
        unit=unit,
        qualifier=qualifier,
        **more,
    )


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_attain(case: dict[str, Any]) -> None:
    target = item(case["target"], "target")
    got = attain(
        target,
        [item(a, "actual") for a in case["actuals"]],
        Setting(
            tolerance=case.get("tolerance", 0.5),
            year=case.get("year"),
            announced=case.get("announced"),
            above={level: [item(a, "actual") for a in found] for level, found in case.get("above", {}).items()},
        ),
        record=Record(**case["record"]) if "record" in case else None,
    )
    assert got.target is target
    assert {k: getattr(got, k) for k in case["expected"]} == pytest.approx(case["expected"])
    assert (got.reason is None) == (got.result != "unknown")


def test_tolerance_is_percent_of_the_target_for_amounts() -> None:
    target = item(["粮食产量", "粮食产量", "amount", "30万吨左右", 30, "万吨", "about"], "target")
    actual = item(["粮食产量", "粮食产量", "amount", "29.8万吨", 29.8, "万吨", "exact"], "actual")
    assert attain(target, [actual], Setting(tolerance=1)).result == "met"
    assert attain(target, [actual], Setting(tolerance=0.5)).result == "missed"


def test_rank_shares_positions_and_leaves_words_out() -> None:
    def growth(value: float | None) -> Target:
        unit, qualifier = ("%", "exact") if value is not None else (None, "in_step")
        return item(["地区生产总值", "地区生产总值", "growth", str(value), value, unit, qualifier], "target")

    rows = [("甲区", growth(5)), ("乙区", growth(6)), ("丙区", growth(None)), ("丁区", growth(6)), ("戊区", growth(4))]
    assert [(p.name, p.position) for p in rank(rows)] == [("丁区", 1), ("乙区", 1), ("甲区", 3), ("戊区", 4)]
    assert rank([]) == ()


def test_amplification_is_in_points_for_growth_and_in_percent_for_amounts() -> None:
    district = item(["地区生产总值", "地区生产总值", "growth", "6.5%", 6.5, "%", "exact"], "target")
    city = item(["地区生产总值", "地区生产总值", "growth", "5%—6%", [5, 6], "%", "range"], "target")
    assert amplification(district, city) == 1.0
    money = item(["税收收入", "税收收入", "amount", "11亿元", 11, "亿元", "exact"], "target")
    above = item(["税收收入", "税收收入", "amount", "100000万元", 100000, "万元", "exact"], "target")
    assert amplification(money, above) == 10.0
    assert amplification(district, money) is None
