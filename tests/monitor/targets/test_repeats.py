"""What a text says twice."""

import time
from dataclasses import replace

from monitor.config import vocabulary
from monitor.model import Target
from monitor.targets.extract import extract
from monitor.targets.repeats import counted

GOALS = "2024年主要预期目标是：地区生产总值增长6%，新增学位500个。\n"


def read(text: str) -> tuple[Target, ...]:
    return extract(text, vocabulary())


def test_a_repeat_is_counted_on_every_mention() -> None:
    found = read(GOALS + "围绕地区生产总值增长6%的目标，抓好以下工作。")
    assert [i.mentions for i in found] == [2, 1, 2]
    assert not any(i.note for i in found)


def test_a_repeat_that_gives_another_number_names_it() -> None:
    found = read(GOALS + "围绕地区生产总值增长6.5%的目标，抓好以下工作。")
    assert [(i.mentions, i.note) for i in found] == [(1, "elsewhere 6.5%"), (1, None), (1, "elsewhere 6%")]


def test_works_under_one_name_contradict_nothing() -> None:
    found = read("2024年重点工作\n改造老旧小区5个。\n改造老旧小区8个。")
    assert [(i.mentions, i.note) for i in found] == [(1, None), (1, None)]


def test_many_repeats_take_no_quadratic_time() -> None:
    (item, _) = read(GOALS)
    many = [replace(item, value=float(i), value_min=float(i), value_max=float(i)) for i in range(20_000)]
    start = time.process_time()
    assert len(counted(many)) == 20_000
    assert time.process_time() - start < 5
