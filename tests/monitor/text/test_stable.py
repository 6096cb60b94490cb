"""The same text in another dress is not a change: another template, a whole new content system, another typist."""

import importlib.util
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor.config import vocabulary
from monitor.model import Document
from monitor.text.clean import clean
from monitor.text.decode import decode
from monitor.text.diff import diff
from monitor.text.segment import fingerprint

RULES = vocabulary().text


def families() -> Any:
    spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("test_families.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAMILIES = families()
BODIES = sorted({case.get("body") for case in FAMILIES.PAGES.values() if case.get("body")})


def same_body(body: str) -> dict[str, Document]:
    """Every page whose whole text is this body, by the name of its family."""
    cases = FAMILIES.PAGES.items()
    plain = {n: c for n, c in cases if c.get("body") == body and not {"text", "repeat"} & set(c)}
    return {n: FAMILIES.read(c) for n, c in plain.items() if c.get("kind", "article") == "article"}


def cosmetic(old: Document, new: Document) -> bool:
    """As assess judges it."""
    if fingerprint(old.paragraphs) == fingerprint(new.paragraphs):
        return True
    return diff(old.paragraphs, new.paragraphs).cosmetic


@pytest.mark.parametrize("body", BODIES)
def test_a_site_that_moves_to_another_content_system_changes_no_text(body: str) -> None:
    pages = same_body(body)
    assert not [(a, b) for (a, old), (b, new) in pairwise(pages.items()) if not cosmetic(old, new)]


def page(paragraphs: list[str], *, box: str = "zoom", day: str = "2026-03-02", hits: int = 5, mark: str = "p") -> str:
    text = "".join(f"<{mark}>{p}</{mark}>" for p in paragraphs)
    return (
        "<html><head><title>云岭区政府工作报告_云岭区人民政府</title></head><body><h1>云岭区政府工作报告</h1>"
        f"<div>发布时间：{day}　来源：云岭区政府办　浏览次数：{hits}次</div><div id='{box}'>{text}</div>"
        f"<p>【打印本页】</p><div>您是第{hits * 7}位访客　云ICP备05001234号</div></body></html>"
    )


TEXT = [
    "各位代表：现在，我代表区人民政府向大会报告工作，请予审议。",
    "今年的主要目标是：“地区生产总值增长6.5%左右，新建学校3所”，改造老旧小区21个。",
    "城镇新增就业1.2万人（含高校毕业生3000人），居民收入稳步增长。",
]


def read(html: str) -> Document:
    return clean(decode(html.encode()).text, None, RULES)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("，", ","),
        lambda t: t.replace("“", '"').replace("”", '"'),
        lambda t: t.replace("（", "(").replace("）", ")"),
        lambda t: t.replace("6.5%", "６.５％"),
        lambda t: t.replace("目标是", "目标 是 "),
        lambda t: "　　" + t,
        lambda t: t.replace("目标", "目\u200b标\ue60b"),
        lambda t: t.replace("。", "；"),
        lambda t: re.sub(r"(\d)", r"<span>\1</span>", t),
    ],
)
def test_another_typist(change: Any) -> None:
    assert cosmetic(read(page(TEXT)), read(page([change(t) for t in TEXT])))


@pytest.mark.parametrize("change", [("6.5%", "6.0%"), ("新建学校3所", "新建学校13所"), ("稳步增长", "较快增长")])
def test_another_word_or_number_is_content(change: tuple[str, str]) -> None:
    assert not cosmetic(read(page(TEXT)), read(page([t.replace(*change) for t in TEXT])))


def test_counters_and_another_date_leave_the_text_alone() -> None:
    first = read(page(TEXT))
    for n in range(1, 30):
        again = read(page(TEXT, hits=n * 97, day=f"2026-04-{n:02d}"))
        assert again.paragraphs == first.paragraphs
        assert again.published == f"2026-04-{n:02d}"


def test_the_order_and_the_names_of_frames_leave_the_text_alone() -> None:
    r, first = random.Random(4), read(page(TEXT))
    for _ in range(30):
        box = "".join(r.choice("abcdxyz") for _ in range(5))
        assert cosmetic(
            first,
            read(page(TEXT, box=box, mark=r.choice(["p", "div", "section", "span style='display:block'"]).split()[0])),
        )
