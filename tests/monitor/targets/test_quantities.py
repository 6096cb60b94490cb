"""Quantities of a sentence: value, unit, qualifier, bounds; and what only looks like one."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import vocabulary
from monitor.targets.numbers import fold
from monitor.targets.quantities import Finder

CASES = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "data/targets/quantities.yaml").read_text(encoding="utf-8")
)
FINDER = Finder(vocabulary().units, vocabulary().words)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["text"])
def test_quantities(case: dict[str, Any]) -> None:
    found = FINDER.find(fold(case["text"]))
    assert [(q.value, q.unit, q.qualifier) for q in found] == [tuple(row[:3]) for row in case["is"]]
    for quantity, row in zip(found, case["is"], strict=True):
        if len(row) > 3:
            assert [quantity.low, quantity.high] == row[3:]


def test_spans_hold_qualifier_and_unit() -> None:
    text = "确保新增就业不少于1.2万人，建成约30个公园"
    assert [text[q.start : q.end] for q in FINDER.find(fold(text))] == ["不少于1.2万人", "约30个"]


def test_from_to_keeps_where_it_started() -> None:
    (quantity,) = FINDER.find("由64户增长至81户")
    assert (quantity.value, quantity.origin) == (81, "64户")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="增长达到超约第年月日万亿元个%％.,，。、0123456789一二三百“”()至-", max_size=80))
def test_offsets_are_ordered_and_never_overlap(text: str) -> None:
    found = FINDER.find(fold(text))
    assert all(0 <= q.start < q.end <= len(text) for q in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
