"""Two thousand broken pages; a hundred thousand by `python bench/mutate.py`."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.config import vocabulary
from monitor.text.clean import clean

ROOT = Path(__file__).parents[3]
PAGES = 2_000
PARTS = 4  # so that they share the cores


def bench() -> Any:
    spec = importlib.util.spec_from_file_location("mutate", ROOT / "bench/mutate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def originals() -> list[bytes]:
    """Small pages of an article, a list and a table, so that two thousand take seconds."""
    text = "<p>今年全区地区生产总值增长6.5%左右，新建学校3所，新增就业1.2万人，各部门要抓好落实。</p>"
    rows = "".join(f"<li><a href='/t{i}.html'>云岭区召开第{i}次会议</a> 2026-02-0{i}</li>" for i in range(1, 9))
    cells = "<tr><td>生产总值</td><td>6.5%</td></tr>" * 6
    parts = [text * 4, f"<ul>{rows}</ul>", f"<table>{cells}</table>", "<form><textarea>甲</textarea></form>" + text * 2]
    head = "<head><meta charset=utf-8><title>云岭区政府工作报告_云岭区人民政府</title></head>"
    foot = "<div class=foot>主办单位：云岭区人民政府 云ICP备05001234号</div>"
    return [
        f"<html>{head}<body><div class='nav'>{rows}</div><h1>云岭区政府工作报告</h1><div>发布时间：2026-03-02</div>"
        f"<div id='{name}'>{part}</div><!-- a > b -->{foot}</body></html>".encode(encoding)
        for part in parts
        for name, encoding in (("zoom", "utf-8"), ("xyz", "gb18030"))
    ]


@pytest.mark.parametrize("part", range(PARTS))
def test_none_crashes_none_is_slow_every_refusal_is_named(part: int) -> None:
    module, pages = bench(), originals()
    answers = [module.tried(pages, 1, n) for n in range(part, PAGES, PARTS)]
    assert not [details for result, details in answers if result != "fine"]
    kinds = Counter(details for _, details in answers)
    assert kinds["article"] > 50, kinds


def test_the_bench_sees_a_crash_and_a_slow_page(monkeypatch: pytest.MonkeyPatch) -> None:
    module = bench()
    monkeypatch.setattr(module, "MOST_SECONDS", -1.0)
    assert module.tried(originals(), 1, 0)[0] == "slow"
    monkeypatch.setattr(module, "decode", lambda body: None)
    assert module.tried(originals(), 1, 0)[0] == "crash"


def test_a_page_nested_too_deep_is_refused_by_name() -> None:
    found = clean("<div>" * 200_000 + "深处。", None, vocabulary().text)
    assert found.kind == "error"
    assert found.warnings == ("page refused: nested deeper than 12000",)
