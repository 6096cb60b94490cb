"""Tables that were left as one cell a line."""

import time

from monitor.config import vocabulary
from monitor.targets.cells import hidden, regions
from monitor.targets.extract import extract

TABLE = """一、主要目标
序号
指标
单位
2025年完成
2026年目标
一、经济
1
地区生产总值增速
%
5.4
6左右
2
城镇调查失业率
%
5.1
≤5.5
二、重点任务
新建公厕10座。"""


def test_cells_of_a_row_are_read_together() -> None:
    found = extract(TABLE, vocabulary(), year=2026)
    assert [(t.role, t.indicator_id, t.value, t.qualifier, t.period) for t in found] == [
        ("actual", "gdp", 5.4, "exact", "2025"),
        ("target", "gdp", 6.0, "about", "2026"),
        ("actual", "surveyed_unemployment", 5.1, "exact", "2025"),
        ("target", "surveyed_unemployment", 5.5, "at_most", "2026"),
        ("target", "public_toilets", 10.0, "exact", "2026"),
    ]
    assert all(TABLE[t.vstart : t.vend] == t.value_text for t in found)


def test_what_is_no_table_stays() -> None:
    text = "指标\n单位\n各位代表：\n增长5%。"
    assert regions(text) == []
    assert hidden(text, []) == text


def test_many_heads_cost_linear_time() -> None:
    def cost(size: int) -> float:
        text = "指标\n单位\n2025年\n" * size
        start = time.process_time()
        regions(text)
        return time.process_time() - start

    assert cost(8000) < 12 * max(cost(2000), 0.005)
