from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.strike import struck


def marked(edit: dict[str, Any], limit: int = 1000) -> str:
    signs = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    return "".join(signs[kind].format(text) for kind, text in struck(edit, limit).pieces)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("增长6%左右。", "增长5.5%左右。", "增长[-6%-]{+5.5%+}左右。"),
        ("完成1,200万元", "完成1,300万元", "完成[-1,200-]{+1,300+}万元"),
        ("新增就业1.5万人以上。", "新增就业1.5万人。", "新增就业1.5万人[-以上-]。"),
        ("确保完成", "力争完成", "[-确保-]{+力争+}完成"),
        ("", "全新的一句。", "{+全新的一句。+}"),
        ("旧的一句。", "", "[-旧的一句。-]"),
        ("甲乙丙丁", "子乙丑丁", "[-甲乙丙-]{+子乙丑+}丁"),  # an island of one character is no island
    ],
)
def test_what_is_struck(old: str, new: str, wanted: str) -> None:
    assert marked({"op": "replace", "old": old, "new": new}) == wanted


def test_text_far_from_the_change_is_left_out() -> None:
    far = "句" * 100
    assert marked({"op": "replace", "old": f"{far}6%{far}", "new": f"{far}7%{far}"}) == (
        "…" + "句" * 40 + "[-6%-]{+7%+}" + "句" * 43 + "…"
    )


def test_a_move_is_shown_once_and_short() -> None:
    edit = struck({"op": "move", "old": "段" * 500, "new": "段" * 500}, 4000)
    assert edit.pieces == (("same", "段" * 79 + "…"),)


def test_a_rewritten_page_stays_within_its_limit() -> None:
    edit = struck({"op": "replace", "old": "旧文" * 9000, "new": "新章" * 9000}, 500)
    assert sum(len(text) for _, text in edit.pieces) <= 510


@given(
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=30),
    st.text("0123456789.%左右以上", max_size=30),
)
def test_both_sides_can_be_read_back(old: str, new: str) -> None:
    edit = struck({"op": "replace", "old": old, "new": new}, 10_000)
    if "…" not in "".join(text for _, text in edit.pieces):
        assert (edit.old, edit.new) == (old, new)
