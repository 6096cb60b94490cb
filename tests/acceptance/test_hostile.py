"""No page may hold up the daemon: what repeats one construct to 100,000 characters is read in a time like any other."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import Fetch, Source
from monitor.sources.kinds import KINDS
from monitor.targets.record import record
from monitor.text import dates
from monitor.text.capture import judge
from monitor.text.clean import clean, plain
from monitor.text.decode import decode
from monitor.text.segment import normalise, sentences

CASES = yaml.safe_load((Path(__file__).parents[1] / "data/text/hostile.yaml").read_text(encoding="utf-8"))
RULES = vocabulary().text
ADDRESS = "http://www.yunling.example/zwgk/"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LENGTH = 100_000
BOUND = 1.0  # seconds of CPU for one step: most take 0.05, what is quadratic takes 1 to 30


def steps(text: str) -> dict[str, Callable[[], object]]:
    """Everything that reads what others wrote."""
    fetch = Fetch(ADDRESS, NOW, ADDRESS, status=200, headers={"content-type": "text/html"}, body=text.encode())
    listing = Source(key="a", url=ADDRESS, kind="listing", pages=5)
    epaper = Source(key="a", url=ADDRESS, kind="epaper")
    document = clean(text, ADDRESS, RULES)
    return {
        "decode": lambda: decode(fetch.body),
        "clean": lambda: clean(text, ADDRESS, RULES),
        "judge": lambda: judge(fetch, text, None, RULES),
        "listing": lambda: KINDS["listing"].find(listing, ADDRESS, text, document, NOW),
        "epaper": lambda: KINDS["epaper"].find(epaper, ADDRESS, text, document, NOW),
        "plain": lambda: plain(text, ADDRESS, RULES),
        "dates": lambda: (dates.every(text), dates.split(text), dates.labelled(text, RULES.date_labels)),
        "sentences": lambda: sentences(normalise(text)),
        "record": lambda: (record(None, text), record(text, "各位代表" + text, publisher=text)),
    }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_hostile_pages_are_read_in_linear_time(case: dict[str, Any]) -> None:
    before, behind = case.get("around", ["", ""])
    text = before + case["unit"] * (LENGTH // len(case["unit"])) + behind
    spent = {}
    for name, step in steps(text).items():
        start = time.process_time()
        step()
        spent[name] = time.process_time() - start
    assert {name: round(s, 2) for name, s in spent.items() if s > BOUND} == {}
