from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.segment import fingerprint, normalise, pieces, sentences

TEXTS = st.text(alphabet="云岭区增长5%。！？；!?;”\n　 a1，", max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全年增长6%。明年增长7%！", ["全年增长6%。", "明年增长7%！"]),
        ("他说：“要快。”会议结束。", ["他说：“要快。”", "会议结束。"]),
        ("第一行\n第二行", ["第一行", "第二行"]),
        ("　　缩进。  \n\n尾", ["缩进。", "尾"]),
        ("增长1.5%，投资3.2亿元", ["增长1.5%，投资3.2亿元"]),
        ("真的吗？！是的。", ["真的吗？！", "是的。"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == expected


@given(TEXTS)
def test_sentences_are_in_order_and_leave_out_only_blanks(text: str) -> None:
    spans = sentences(text)
    assert all(a < b for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in pairwise(spans))
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())


@given(TEXTS)
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＧＤＰ增长６．５％", "GDP增长6.5%"),
        ("“十四五”时期", '"十四五"时期'),
        ("云岭区\u3000政府 工作\xa0报告", "云岭区政府工作报告"),
        ("云\u200b岭\ufeff区", "云岭区"),
        ("\ue60b云岭区", "云岭区"),
        ("5－8月", "5-8月"),
    ],
)
def test_what_nobody_sees_does_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert fingerprint([one]) == fingerprint([other])


@pytest.mark.parametrize(("one", "other"), [("增长6.5%", "增长65%"), ("增长5%", "增长6%"), ("不增", "增")])
def test_what_somebody_sees_counts(one: str, other: str) -> None:
    assert fingerprint([one]) != fingerprint([other])


def test_where_paragraphs_break_does_not_matter_to_the_fingerprint() -> None:
    assert fingerprint(["云岭区", "政府"]) == fingerprint(["云岭区政府"])
    assert len(fingerprint([])) == 64
