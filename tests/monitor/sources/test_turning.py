"""Hints that lead from one sheet of a newspaper to another."""

from __future__ import annotations

import pytest

from monitor.model import Document
from monitor.sources import turning


@pytest.mark.parametrize(
    ("end", "number"),
    [
        ("工作取得实效。（下转第三版）", "3"),
        ("工作取得实效。（下转第03版）", "3"),
        ("工作取得实效。【下转A02版】", "A2"),
        ("工作取得实效（转第十二版）", "12"),
        ("会议由区长主持，转第二阶段。", None),
        ("工作取得实效。", None),
    ],
)
def test_where_an_article_goes_on(end: str, number: str | None) -> None:
    assert turning.goes_on(Document(paragraphs=("各位代表：", end, "本报记者 某某"))) == number


def test_hints_are_left_out_where_parts_meet_only() -> None:
    first, last = ("甲。（下转第三版）",), ("（上接第一版）乙。", "丙（下转第五版）")
    assert turning.without_hints(first, first=True, last=False) == ("甲。",)
    assert turning.without_hints(last, first=False, last=True) == ("乙。", "丙（下转第五版）")
    assert turning.is_rest(Document(paragraphs=last))
    assert not turning.is_rest(Document(paragraphs=("接第一季度的良好开局，全区……",)))
