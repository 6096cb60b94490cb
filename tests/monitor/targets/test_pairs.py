"""Pairs of releases nobody tuned on, read and compared: are the right things side by side, with the right label?

A case marks its values: `[6%左右|gdp]`, the same key in both texts what is the same thing (see pairs.yaml). A line of
the comparison is right where both its sides meet the marks of one key and the label is the one expected.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import Target, TargetChange
from monitor.targets.compare import compare
from monitor.targets.extract import extract

CASES = yaml.safe_load((Path(__file__).resolve().parents[2] / "data/targets/pairs.yaml").read_text(encoding="utf-8"))

_MARK = re.compile(r"\[([^\[\]|]+)\|(\w+)(\??)\]")
Span = tuple[int, int]


@dataclass
class Marked:
    """A text without its marks, and where each key's value stands."""

    text: str = ""
    spans: dict[str, Span] = field(default_factory=dict)
    borderline: set[str] = field(default_factory=set)


def marked(text: str) -> Marked:
    out, last = Marked(), 0
    for mark in _MARK.finditer(text):
        out.text += text[last : mark.start()]
        out.spans[mark[2]] = (len(out.text), len(out.text) + len(mark[1]))
        out.borderline |= {mark[2]} if mark[3] else set()
        out.text, last = out.text + mark[1], mark.end()
    out.text += text[last:]
    return out


def _keys(item: Target | None, side: Marked) -> set[str]:
    """The marks that a side of a line meets."""
    if item is None:
        return set()
    return {k for k, (start, end) in side.spans.items() if start < item.vend and item.vstart < end}


def compared(case: dict[str, Any], before: Marked, after: Marked) -> tuple[TargetChange, ...]:
    titles, (old, new) = case.get("title", [None, None]), case["year"]
    words, relation = vocabulary(), case.get("relation", "next_release")
    return compare(
        extract(before.text, words, title=titles[0], year=old),
        extract(after.text, words, title=titles[1], year=new),
        relation=relation,
        everything=relation == "quote",
    )


def score(case: dict[str, Any]) -> tuple[Counter[str], list[str]]:
    """Counts (gold, said, right, flags wanted and right) and mistakes."""
    before, after = marked(case["before"]), marked(case["after"])
    soft = before.borderline | after.borderline
    labels = dict.fromkeys(before.spans, "dropped") | dict.fromkeys(after.spans, "new")
    labels |= dict.fromkeys(before.spans.keys() & after.spans.keys(), "unchanged") | case.get("labels", {})
    count: Counter[str] = Counter(gold=len(labels.keys() - soft))
    wrong: list[str] = []
    told: set[str] = set()
    for line in compared(case, before, after):
        left, right = _keys(line.before, before), _keys(line.after, after)
        if (left | right) & soft:
            continue
        count["said"] += 1
        ends = [keys for keys, item in ((left, line.before), (right, line.after)) if item]
        both = set.intersection(*ends) - told
        key = next((k for k in sorted(both) if (line.before is None) == (k not in before.spans or k in told)), None)
        key = key or next(iter(sorted(both)), None)
        values = " → ".join(x.text if x else "—" for x in (line.before, line.after))
        if key is None or labels[key] != line.change:
            wanted = labels.get(key or "", "?")
            wrong.append(f"{case['name']}: {line.change} not {wanted} ({sorted(left | right)}): {values}")
            continue
        told.add(key)
        count["right"] += 1
        if key in case.get("flags", {}):
            count["flags right"] += set(case["flags"][key]) <= set(line.flags)
            if not set(case["flags"][key]) <= set(line.flags):
                wrong.append(f"{case['name']}: flags {line.flags} not {case['flags'][key]}: {values}")
    count["flags"] = len(case.get("flags", {}))
    wrong += [f"{case['name']}: not told: {key} {labels[key]}" for key in sorted(labels.keys() - soft - told)]
    return count, wrong


def f1(count: Counter[str]) -> float:
    """Of lines with the right sides and the right label."""
    return 2 * count["right"] / (count["said"] + count["gold"])


# Lines with the right sides and label when the cases were run for the first time, before any rule followed them:
# 136 of 137 (F1 0.993) for the first seven, 85 of 124 (F1 0.705) for the seven from "ten livelihood works" on, 47 of 49
# (F1 0.940) for the last three. What was wrong was nearly all the role of figures in texts without a heading.
FLOOR, OVERALL = 0.88, 0.97


@pytest.fixture(scope="module")
def scores() -> dict[str, tuple[Counter[str], list[str]]]:
    return {case["name"]: score(case) for case in CASES}


@pytest.mark.parametrize("name", [case["name"] for case in CASES if not case.get("hard")])
def test_pair(name: str, scores: dict[str, tuple[Counter[str], list[str]]]) -> None:
    count, wrong = scores[name]
    assert f1(count) >= FLOOR, "\n".join(wrong)
    assert count["flags right"] >= count["flags"] - 1, "\n".join(wrong)


def test_overall(scores: dict[str, tuple[Counter[str], list[str]]]) -> None:
    plain = [scores[case["name"]][0] for case in CASES if not case.get("hard")]
    total: Counter[str] = sum(plain, Counter())
    assert f1(total) >= OVERALL
    assert total["flags right"] >= 0.95 * total["flags"]


@pytest.mark.parametrize("name", [case["name"] for case in CASES if case.get("relation") != "quote"])
def test_pairs_mirror_each_other(name: str) -> None:
    case = next(c for c in CASES if c["name"] == name)
    before, after = marked(case["before"]), marked(case["after"])
    titles = case.get("title", [None, None])
    one = extract(before.text, vocabulary(), title=titles[0], year=case["year"][0])
    other = extract(after.text, vocabulary(), title=titles[1], year=case["year"][1])
    turned = {"new": "dropped", "dropped": "new", "raised": "lowered", "lowered": "raised"}
    for relation in ("next_release", "edit"):
        there = [(id(x.before), id(x.after), x.change) for x in compare(one, other, relation=relation)]
        back = compare(other, one, relation=relation)
        assert sorted(there) == sorted((id(x.after), id(x.before), turned.get(x.change, x.change)) for x in back)
        for side in (one, other):
            again = compare(side, [replace(x) for x in side], relation=relation)
            assert {(x.change, x.flags) for x in again} <= {("unchanged", ())}


if __name__ == "__main__":  # what is wrong, case by case
    whole: Counter[str] = Counter()
    for one_case in CASES:
        got, errors = score(one_case)
        whole += got
        print(f"{f1(got):.3f}", one_case["name"], dict(got), *errors, sep="\n    ")
    print(f"{f1(whole):.3f}", dict(whole))
