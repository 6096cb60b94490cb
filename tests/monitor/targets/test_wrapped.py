"""Texts whose lines are broken at a width: sentences whole, offsets those of the text as given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import vocabulary
from monitor.targets.extract import extract
from monitor.targets.wrapped import whole

PARAGRAPHS = [
    "二、2027年工作安排",
    "（一）全力稳增长。今年主要预期目标是：地区生产总值增长6%左右，规模以上工业增加值增长8%以上，固定资产投资增长10%，"
    "社会消费品零售总额增长7%，一般公共预算收入增长4%，城镇新增就业2300人，粮食产量稳定在4.2亿斤以上。",
    "（二）着力惠民生。改造老旧小区26个，新建口袋公园8个、绿道12公里，新增公共停车泊位2000个。",
]


def broken(paragraphs: list[str], columns: int, end: str) -> str:
    """Every paragraph broken at a width, as a reader of PDF files prints it; a stop hangs over the edge."""
    text = ""
    for paragraph in paragraphs:
        used = 0
        for char in paragraph:
            width = 1 if char.isascii() else 2
            if used + width > columns and char not in "，、。；：":
                text, used = text + end, 0
            text, used = text + char, used + width
        text += end
    return text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("columns", [42, 56, 71])
def test_sentences_are_read_over_line_breaks(columns: int, end: str) -> None:
    plain = "\n".join(PARAGRAPHS) + "\n"
    text = broken(PARAGRAPHS, columns, end)
    assert whole(text).text.replace("\r\n", "\n") == plain
    one, other = extract(plain, vocabulary()), extract(text, vocabulary())
    fields = [(t.role, t.canonical, t.value, t.unit, t.qualifier, t.period, t.section) for t in one]
    assert [(t.role, t.canonical, t.value, t.unit, t.qualifier, t.period, t.section) for t in other] == fields
    assert len(one) == 11
    for item in other:
        assert text[item.start : item.end] == item.text
        assert text[item.vstart : item.vend] == item.value_text
        assert text[item.sent_start : item.sent_end].strip() == item.sentence
        assert item.value_text[0].isdigit()


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(PARAGRAPHS),
        "城镇新增就业2300人，城镇登记失业率控制在4.5%以内\n新增养老床位1500张，新建社区食堂40家\n改造老旧小区26个\n"
        "新建口袋公园8个、绿道12公里，改造提升城区公园绿地3处\n新增公共停车泊位2000个，新建充电桩600个，公厕12座\n",
        "序号\t指标名称\t单位\t2026年完成\t2027年计划\t责任单位\n" * 6,
        "The first line of a text in English goes on\nand on, and ends at a width like any other\n" * 4,
        "",
        "\n\n\r\n",
    ],
)
def test_other_lines_stay_as_they_are(text: str) -> None:
    assert whole(text).text == text


@given(st.text(alphabet="增长5%，。目标\r\n \t一、（ab", max_size=400))
@settings(max_examples=200, deadline=None)
def test_every_place_is_found_again(text: str) -> None:
    flat = whole(text)
    assert all(text[flat.origin(i)] == c for i, c in enumerate(flat.text))
    assert [c for c in text if c not in "\r\n"] == [c for c in flat.text if c not in "\r\n"]
