"""The years a document speaks of, told by title, headings, date line or words."""

import pytest

from monitor.targets.numbers import fold
from monitor.targets.years import document_clock, heads_a_section, sums_up

REVIEW_FIRST = """各位代表：
一、2025年和“十四五”时期工作回顾
2025年，全区上下咬定目标、负重前行。
二、2026年主要目标和重点任务
今年的主要预期目标是：地区生产总值增长6%。"""


@pytest.mark.parametrize(
    ("text", "title", "published", "year", "review"),
    [
        (REVIEW_FIRST, None, None, 2026, 2025),
        (REVIEW_FIRST, "一、2025年和“十四五”时期工作回顾", None, 2026, 2025),
        ("市商务局2022年工作总结\n四、下一步打算\n新增企业5家。", None, None, 2023, 2022),
        ("关于云岭区2022年预算执行情况和2023年预算草案的报告\n收入增长4%。", None, None, 2023, 2022),
        ("云岭县2024年国民经济和社会发展统计公报\n全年增长5%。", None, None, 2024, 2024),
        ("今年干这些事\n2023-01-11 07:20 来源：云岭晚报\n去年增长3%。", None, None, 2023, None),
        ("部署明年工作\n会议指出，明年的目标是增长6%。做好明年工作要……", "会议召开", "2024-12-27", 2025, 2024),
        ("今年是“十四五”开局之年，增长7%。", None, None, 2021, 2020),
        ("2024年，全区增长6%，去年新增就业2万人，今年目标2.2万人。", None, None, 2025, 2024),
        ("没有年份的一段话，新增学位300个。", None, None, None, None),
    ],
)
def test_year(text: str, title: str | None, published: str | None, year: int | None, review: int | None) -> None:
    clock = document_clock(fold(text), title, published, None)
    assert clock.year == year
    assert review is None or clock.review == review


def test_a_plan_for_several_years_has_no_year_of_its_own() -> None:
    clock = document_clock("三年行动方案(2024-2026年)\n到2026年达到5家。", None, None, 2026)
    assert (clock.year, clock.span) == (2024, "2024-2026")


def test_results_of_a_part_of_the_year() -> None:
    text = "上半年经济运行情况\n2024-07-20 来源：统计局\n增长5%。"
    assert document_clock(text, None, None, None).reported == "2024-01/2024-06"
    assert document_clock("2024年上半年工作计划\n增长5%。", None, None, None).reported is None


def test_titles() -> None:
    assert heads_a_section("一、2025年工作回顾") and not heads_a_section("2025年政府工作报告")
    assert sums_up("2022年工作总结") and not sums_up("2022年工作总结和2023年工作安排")
