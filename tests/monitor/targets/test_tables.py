"""Tables of indicators flattened to tabs."""

import pytest

from monitor.config import vocabulary
from monitor.targets.extract import extract

OUTLINE = """东岭县国民经济和社会发展第十四个五年规划纲要
类别\t指标\t2020年\t2025年\t年均/累计\t属性
经济发展\t地区生产总值（亿元）\t156\t220\t7%\t预期性
\t研发经费投入增长（%）\t—\t—\t[8以上]\t预期性
城镇调查失业率（%）\t5.2\t≤5.5\t—\t预期性
绿色生态\t森林覆盖率（%）\t61.3\t63\t—\t约束性
"""
PLAN = """关于平岗县2025年国民经济和社会发展计划的报告
序号\t指标名称\t单位\t2024年完成\t2025年计划\t备注
1\t固定资产投资增速\t%\t4.1\t6左右\t
2\t粮食产量\t万吨\t20.5\t20-21\t稳产
"""


def row(text: str) -> list[tuple[object, ...]]:
    found = extract(text, vocabulary())
    assert all(text[i.vstart : i.vend] == i.value_text and text[i.start : i.end] == i.text for i in found)
    return [(i.role, i.canonical, i.value, i.unit, i.qualifier, i.kind, i.period) for i in found]


def test_an_outline_tells_where_it_stands_and_where_it_goes() -> None:
    assert row(OUTLINE) == [
        ("actual", "地区生产总值", 156, "亿元", "exact", "amount", "2020"),
        ("target", "地区生产总值", 220, "亿元", "exact", "amount", "2025"),
        ("target", "地区生产总值", 7, "%", "exact", "growth", "2021-2025"),
        ("target", "研发经费投入", 8, "%", "at_least", "growth", "2021-2025"),
        ("actual", "城镇调查失业率", 5.2, "%", "exact", "level", "2020"),
        ("target", "城镇调查失业率", 5.5, "%", "at_most", "level", "2025"),
        ("actual", "森林覆盖率", 61.3, "%", "exact", "share", "2020"),
        ("target", "森林覆盖率", 63, "%", "exact", "share", "2025"),
    ]


def test_a_plan_sets_last_year_beside_this() -> None:
    assert row(PLAN) == [
        ("actual", "固定资产投资", 4.1, "%", "exact", "growth", "2024"),
        ("target", "固定资产投资", 6, "%", "about", "growth", "2025"),
        ("actual", "粮食产量", 20.5, "万吨", "exact", "amount", "2024"),
        ("target", "粮食产量", None, "万吨", "range", "amount", "2025"),
    ]


@pytest.mark.parametrize("head", ["姓名\t职务\t电话", "1\t2\t3", "序号\t部门\t责任人"])
def test_other_tables_hold_none(head: str) -> None:
    assert row(f"值班表\n{head}\n张某\t主任\t84541585\n李某\t科长\t86400011\n") == []
