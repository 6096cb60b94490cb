"""Packed targets: nothing lost, and little said twice."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Target
from storage import items

TEXT = "松原新区今年地区生产总值增长6.5%左右，城镇新增就业1.2万人。" * 3
spot = st.integers(0, len(TEXT))


@given(st.lists(st.tuples(spot, spot, spot, spot, spot, spot, st.booleans()), max_size=6))
def test_round_trip(places: list[tuple[int, int, int, int, int, int, bool]]) -> None:
    targets = []
    for a, b, c, d, e, f, kept in places:
        words = (TEXT[a:b], TEXT[c:d], TEXT[e:f]) if kept else ("别的话", "7", "")
        targets.append(
            Target(
                "actual", a, b, words[0], c, d, words[1], "就业", value=1.5, sent_start=e, sent_end=f, sentence=words[2]
            )
        )
    assert items.unpack(items.pack(targets, TEXT), TEXT) == tuple(targets)


def test_what_the_text_says_is_not_said_again() -> None:
    item = Target("target", 4, 17, TEXT[4:17], 14, 18, TEXT[14:18], "地区生产总值", sent_start=0, sent_end=21)
    [[gaps, rest]] = json.loads(items.pack([item], TEXT))
    assert gaps == [4, 13, 10, 4, -4, 21]
    assert "text" not in rest and "value_text" not in rest and rest["role"] == "target"
