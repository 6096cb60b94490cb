"""Texts in traditional characters."""

from monitor.config import vocabulary
from monitor.targets.extract import extract
from monitor.targets.traditional import simplified

TEXT = """雲嶺區2026年政府工作報告
一、2025年工作回顧
地區生產總值增長5.4%，一般公共預算收入完成19.3億元。
二、2026年工作安排
2026年主要預期目標是：固定資產投資增長8%以上，城鎮登記失業率控制在4.5%以內，新增城鎮就業1.2萬人。"""


def test_they_are_read_with_their_own_offsets() -> None:
    found = extract(TEXT, vocabulary())
    assert [(t.role, t.canonical, t.value, t.unit, t.qualifier, t.value_text) for t in found] == [
        ("actual", "地区生产总值", 5.4, "%", "exact", "5.4%"),
        ("actual", "一般公共预算收入", 19.3, "亿元", "exact", "19.3億元"),
        ("target", "固定资产投资", 8.0, "%", "at_least", "8%以上"),
        ("target", "城镇登记失业率", 4.5, "%", "at_most", "4.5%以內"),
        ("target", "城镇新增就业", 1.2, "万人", "exact", "1.2萬人"),
    ]
    assert all(TEXT[t.vstart : t.vend] == t.value_text for t in found)


def test_one_character_for_one_and_nothing_else_touched() -> None:
    assert len(simplified(TEXT)) == len(TEXT)
    plain = "显著的乾坤，覆盖面扩大。"
    assert simplified(plain) == plain
