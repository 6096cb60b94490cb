"""The fast form of diff-match-patch and the plain one give the same steps, whatever the texts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text import align

CHARS = st.text(alphabet="云岭区增长，。6%5\U000f0000a ", max_size=60)


def test_the_fast_form_is_installed_where_tests_run() -> None:
    assert align.FAST


@given(CHARS, CHARS)
def test_both_forms_take_the_same_steps(old: str, new: str) -> None:
    assert align.main(old, new, fast=True) == align.main(old, new, fast=False)


@pytest.mark.parametrize("seed", range(20))
def test_both_forms_take_the_same_steps_through_long_sentences(seed: int) -> None:
    r = random.Random(seed)
    old = "".join(r.choices("全区各级部门要认真落实安全生产责任，加快老旧管网改造和河道清淤", k=r.randint(100, 700)))
    new = "".join(c if r.random() > 0.2 else r.choice("改新增" + c + "") + c * r.randint(0, 1) for c in old)
    assert align.main(old, new, fast=True) == align.main(old, new, fast=False)


def test_words_and_characters_of_the_plane_that_words_are_mapped_to_come_back() -> None:
    old, new = "GDP增长6.5%，\U000f0001完成1,200亿元", "GDP增长6.8%，\U000f0002完成1,300亿元ABC"
    runs = align.characters(old, new)
    assert "".join(text for sign, text in runs if sign != "+") == old
    assert "".join(text for sign, text in runs if sign != "-") == new
    assert ("-", "6.5") in runs and ("+", "6.8") in runs
