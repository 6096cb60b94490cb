"""Copies: the same text again, whole or in part; never two years or two districts."""

from __future__ import annotations

import random

import pytest

from monitor.text.copies import is_copy, marks

PLACES = ("云岭区", "松原新区")
WORKS = ["老旧小区改造", "河道清淤", "中小学扩建", "社区食堂", "公交优化", "养老床位", "农贸市场提升", "管网更新"]
ENDS = ["让居民得到实惠", "补齐民生短板", "为长远发展打好基础", "确保按期完成", "接受群众监督"]


def report(place: str, year: int, *, seed: int, paragraphs: int = 24) -> list[str]:
    """A report whose standing phrases are those of every year, with figures of its own."""
    r = random.Random(seed)
    out = [f"各位代表：现在，我代表{place}人民政府向大会报告工作，请予审议，并请各位委员提出意见。"]
    for k in range(paragraphs):
        work = WORKS[k % len(WORKS)]
        figure = f"{work}完成投资{r.randint(100, 999)}万元，惠及{r.randint(20, 90)}个社区，{r.choice(ENDS)}。"
        own = f"{year}年，{place}{r.choice(WORKS)}安排{r.randint(10, 99)}个项目，{r.choice(ENDS)}，{r.choice(ENDS)}。"
        out.append("我们始终坚持以人民为中心的发展思想，扎实推进各项工作落实落细。" + figure + own)
    return out


LAST, THIS = report("云岭区", 2022, seed=1), report("云岭区", 2023, seed=2)


@pytest.mark.parametrize(
    ("text", "original", "copy"),
    [
        pytest.param(THIS, THIS, True, id="the same text"),
        pytest.param([" ".join(THIS)], THIS, True, id="the same in one paragraph"),
        pytest.param(["编者按：现将报告全文刊发，供参考。", *THIS], THIS, True, id="with a line of its own"),
        pytest.param(THIS[:12], THIS, True, id="its first half"),
        pytest.param(THIS[12:], THIS, True, id="its second half"),
        pytest.param(THIS, THIS[:12], False, id="the whole after a part: that is news"),
        pytest.param(THIS, LAST, False, id="the report of another year"),
        pytest.param(LAST, THIS, False, id="and the other way round"),
        pytest.param(report("松原新区", 2023, seed=2), THIS, False, id="another district with the same figures"),
        pytest.param(THIS[:2], THIS, False, id="a quotation"),
        pytest.param(["特此通知。"], THIS, False, id="a formula"),
        pytest.param([], THIS, False, id="nothing"),
        pytest.param([], [], False, id="nothing twice"),
    ],
)
def test_what_is_a_copy(text: list[str], original: list[str], copy: bool) -> None:
    assert is_copy(text, original) is copy


def test_other_numbers_in_the_same_words_are_no_copy() -> None:
    """A notice that is filled in anew each year shares all sentences but the few with its figures."""
    same = [f"第{k}项工作由各镇街负责落实，区政府办公室每季度通报进展情况。" for k in range(30)]
    old = [*same, "全年安排资金120万元，改造市场3个，新增车位400个。"]
    new = [*same, "全年安排资金180万元，改造市场5个，新增车位650个。"]
    assert not is_copy(new, old)
    assert is_copy([*same, "全年安排资金120万元，改造市场3个，新增车位400个"], old)


def test_half_of_a_text_meets_its_sketch() -> None:
    """What is kept of the whole is found by the sentences of a half, nearly always."""
    met = 0
    for seed in range(60):
        whole = report("云岭区", 2023, seed=100 + seed)
        kept = set(marks(whole)[:12])
        met += all(len(kept & set(marks(half))) >= 2 for half in (whole[:12], whole[12:]))
    assert met >= 57


def test_marks_fit_a_column_and_do_not_depend_on_layout() -> None:
    assert all(0 <= m < 2**63 for m in marks(THIS))
    assert marks(THIS) == marks(["\u3000" + p.replace("，", "， ") for p in THIS])
