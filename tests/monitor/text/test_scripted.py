"""Articles that stand in a script: which value is the text, and what is none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from monitor.config import vocabulary
from monitor.text.clean import clean
from monitor.text.scripted import held

TEXT = "松原新区今天公布年度计划，全区固定资产投资增长8%。各街道要抓好落实，按季度公开进度，接受群众监督。" * 2
OTHER = "读者甲说路修得很好，出行方便多了，谢谢大家的努力。读者乙说希望多装几盏路灯，晚上走着也安心一些。"


def script(value: Any, opens: str = '<script type="application/json">') -> str:
    data = json.dumps(value, ensure_ascii=False)
    return f"<html><head><title>x</title></head><body>{opens}{data}</script></body></html>"


@pytest.mark.parametrize(
    "opens",
    [
        '<script type="application/ld+json">',
        '<SCRIPT id="__NEXT_DATA__" TYPE=application/json>',
        "<script>window.__INITIAL_STATE__ = ",
        '<script>window["pageData"]=',
        "<script>var detail = ",
    ],
)
def test_the_places_of_a_pages_data(opens: str) -> None:
    found = held(
        script({"a": [{"content": TEXT, "publishTime": "2026-02-03 08:00", "updateTime": "2026-02-09"}]}, opens)
    )
    assert found is not None
    assert (found.html, found.day) == (f"<p>{TEXT}</p>", "2026-02-03")


@pytest.mark.parametrize(
    "value",
    [
        {"commentContent": OTHER * 3},
        {"content": "登录后查看"},
        {"code": TEXT},
        {"content": {"text": 7}},
        [],
    ],
)
def test_what_is_no_article(value: Any) -> None:
    assert held(script(value)) is None


def test_the_one_with_most_sentences_is_the_article() -> None:
    found = held(script({"hot": {"content": OTHER}, "detail": {"content": TEXT * 3}, "tail": {"text": OTHER}}))
    assert found is not None and TEXT in found.html


def test_mark_up_that_is_escaped_twice_is_read() -> None:
    document = clean(
        script({"content": f"&lt;p&gt;{TEXT}&lt;/p&gt;&lt;p&gt;{OTHER}&lt;/p&gt;"}), None, vocabulary().text
    )
    assert (document.kind, document.paragraphs) == ("article", (TEXT, OTHER))


def test_a_page_with_a_text_of_its_own_is_not_read_from_its_scripts() -> None:
    shown = f"<div><h1>松原新区公告</h1><p>{OTHER}</p><p>{OTHER[::-1]}。</p></div>"
    page = script({"content": TEXT}).replace("<body>", f"<body>{shown}")
    assert OTHER in clean(page, None, vocabulary().text).paragraphs


@pytest.mark.parametrize(
    "page",
    [
        '<script type="application/json">' + "[" * 200_000,
        '<script type="application/json">{"content": "' + "松。" * 200_000,
        "<script>" * 200_000,
        "<script>a=[" * 50_000,
        script([[{"content": TEXT}] * 1000] * 200),
    ],
)
def test_broken_and_endless_data_takes_no_time(page: str) -> None:
    began = time.process_time()
    held(page)
    assert time.process_time() - began < 1.0
