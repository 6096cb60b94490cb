"""The extraction figures on the shared real pages, pinned by floors. Skipped without the shared folder."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import LCSseq

from monitor.config import vocabulary
from monitor.text.clean import clean
from monitor.text.decode import decode

SHARED = Path(__file__).parents[4] / "shared"
MANIFEST = SHARED / "pages/manifest.jsonl"
pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason="needs ../shared/pages beside the project")


def scorer() -> Any:
    spec = importlib.util.spec_from_file_location("score_extract", SHARED / "score/score_extract.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_floors() -> None:
    score, rules = scorer(), vocabulary().text
    f1, titles, days, leaks, kinds = [], [], [], [], []
    for row in map(json.loads, MANIFEST.read_text(encoding="utf-8").splitlines()):
        body = (MANIFEST.parent / f"{row['name']}.html").read_bytes()
        found = clean(decode(body).text, None, rules)
        if row["gold"] is None:
            continue
        text, title = score.gold_of(row, score.sniff(body)[0])
        gold, got = score.toks(text), score.toks(found.text)
        same = LCSseq.similarity(gold, got)
        f1.append(2 * same / (len(gold) + len(got)))
        kinds.append(found.kind == "article")
        leaks.append(any(m not in text for m in score.LEAK.findall(score.squeeze(found.text))))
        if title:
            titles.append(score.key(title) == score.key(found.title))
        if row["gold"]["date"]:
            days.append(row["gold"]["date"] == found.published)
    assert sum(f1) / len(f1) >= 0.99
    assert min(f1) >= 0.95
    assert sum(leaks) == 0
    assert all(kinds)
    assert sum(titles) / len(titles) >= 0.98
    assert sum(days) / len(days) >= 0.98
