"""Texts of many places, years and styles, written for these tests: how well reading does where nothing was tuned.

A case marks its quantities in the text: `[6.5%|t 地区生产总值 about strive p=2024]`. First the role (t target, a
actual, n neither), a `?` making it borderline (never required, never wrong); then the indicator's name, or its wording
behind a dash where it has none; `/` parts readings that can both be defended, `;` two items that share one value.
`=10~20%` gives the value where the marked words do not say it plainly, `=-` says there is none. A period that is not
given is the case's `year` for targets and the year before for actuals; `p=by:2025` is `by 2025`, `-` none, `~` parts
two.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import Target
from monitor.targets.extract import extract
from monitor.targets.measure import multiplier
from monitor.targets.numbers import fold

DATA = Path(__file__).resolve().parents[2] / "data/targets"
CASES = [
    case
    for name in ("unseen.yaml", "unseen_genres.yaml", "unseen_documents.yaml")
    for case in yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
]
FLOOR = 0.9  # of the tuple, over each case: some of its readings can be argued about
OVERALL = {"target": 0.98, "actual": 0.98, "role": 0.99}

_MARK = re.compile(r"\[([^\[\]|]+)\|([^\[\]]+)\]")
_QUALIFIERS = frozenset(
    ["exact", "about", "at_least", "over", "at_most", "under", "range", "in_step", "above_ref", "below_ref", "all"]
)
_STRENGTHS = frozenset(["strive", "ensure", "expect", "plan", "none"])
_KINDS = frozenset(["growth", "level", "share", "count", "amount", "commitment", "relative", "change"])
_NUMBER = re.compile(r"([\d,]+(?:\.\d+)?)(?:~([\d,]+(?:\.\d+)?))?(.*)", re.S)


@dataclass
class Item:
    """One marked quantity."""

    role: str
    core: bool
    start: int
    end: int
    names: list[str]
    value: float | tuple[float, float] | None
    unit: str | None
    qualifier: str
    strengths: list[str]
    kind: str | None
    periods: list[str | None] | None


def parsed(case: dict[str, Any]) -> tuple[str, list[Item]]:
    """The plain text of a case and what is expected in it."""
    text, items, last = "", [], 0
    for mark in _MARK.finditer(case["text"]):
        text += case["text"][last : mark.start()]
        for wanted in mark[2].split(";"):
            items.append(_item(wanted.split(), mark[1], len(text), case.get("year")))
        text, last = text + mark[1], mark.end()
    return text + case["text"][last:], items


def _item(tokens: list[str], words: str, start: int, year: int | None) -> Item:
    role = {"t": "target", "a": "actual", "n": "none"}[tokens[0][0]]
    item = Item(role, "?" not in tokens[0], start, start + len(words), [], None, None, "exact", [], None, None)
    value = words
    if year:
        item.periods = [str(year if role == "target" else year - 1)]
    for token in tokens[1:]:
        if token in _QUALIFIERS:
            item.qualifier = token
        elif token in _KINDS:
            item.kind = token
        elif set(token.split("~")) <= _STRENGTHS:
            item.strengths = token.split("~")
        elif token.startswith("="):
            value = token[1:]
        elif token.startswith("p="):
            item.periods = [None if p == "-" else p.replace("by:", "by ") for p in token[2:].split("~")]
        else:
            item.names = token.split("/")
    match = _NUMBER.match(fold(value))
    if match and value != "-":
        low = float(match[1].replace(",", ""))
        item.value = (low, float(match[2])) if match[2] else low
        item.unit = match[3].strip() or None
    return item


def _base(unit: str | None) -> tuple[float, str | None]:
    if not unit:
        return 1.0, None
    factor, rest = multiplier("百分点" if unit == "个百分点" else unit)
    return factor, {"名": "人", "㎡": "平方米", "平米": "平方米"}.get(rest, rest)


def _point(value: Any, unit: str | None) -> Any:
    factor = _base(unit)[0]
    if isinstance(value, tuple):
        return tuple(round(v * factor, 6) for v in value)
    return None if value is None else round(value * factor, 6)


def _stated(target: Target) -> float | tuple[float, float] | None:
    if target.value is not None:
        return target.value
    if target.value_min is not None and target.value_max is not None:
        return target.value_min, target.value_max
    return target.value_min if target.value_min is not None else target.value_max


def _pairs(name: str) -> set[str]:
    plain = re.sub(r"[\s“”\"()（）、,，]", "", name)
    return {plain[i : i + 2] for i in range(len(plain) - 1)} or {plain}


def _covers(canonical: str | None, wanted: set[str]) -> bool:
    """Whether an indicator that was found says what was expected only in words: none, or one of nearly that name."""
    names = next(((i.name, *i.aliases) for i in vocabulary().indicators if i.name == canonical), ())
    return canonical is None or any(len(wanted & _pairs(name)) >= 0.7 * len(wanted) for name in names)


def _named(item: Item, target: Target) -> bool:
    for name in item.names:
        if name.startswith("-"):
            one, other = _pairs(name[1:]), _pairs(target.indicator) | _pairs(target.object or "")
            if len(one & other) >= 0.5 * min(len(one), len(other)) and _covers(target.canonical, one):
                return True
        elif target.canonical == name:
            return True
    return not item.names or item.names == ["-"]


def judged(item: Item, target: Target) -> dict[str, bool]:
    """Which fields of a reading are right."""
    return {
        "canonical": _named(item, target),
        "value": _point(item.value, item.unit) == _point(_stated(target), target.unit),
        "unit": _base(item.unit)[1] == _base(target.unit)[1],
        "qualifier": item.qualifier == target.qualifier,
        "period": item.periods is None or target.period in item.periods,
        "strength": not item.strengths or target.strength in item.strengths,
        "kind": item.kind is None or item.kind == target.kind,
    }


def matched(items: list[Item], targets: tuple[Target, ...]) -> dict[int, int]:
    """One reading for each mark: spans that meet; of several the one that is right in most."""
    found = []
    for i, item in enumerate(items):
        for j, target in enumerate(targets):
            if item.start < target.vend and target.vstart < item.end:
                fields = judged(item, target)
                found.append((fields["value"], item.role == target.role, fields["canonical"], -i, -j))
    used: set[int] = set()
    out: dict[int, int] = {}
    for *_, i, j in sorted(found, reverse=True):
        if -i not in out and -j not in used:
            out[-i] = -j
            used.add(-j)
    return out


def score(case: dict[str, Any]) -> tuple[Counter[str], list[str]]:
    """Counts and mistakes of one case."""
    text, items = parsed(case)
    targets = extract(text, vocabulary(), title=case.get("title"), published=case.get("published"))
    pairing = matched(items, targets)
    count: Counter[str] = Counter()
    wrong: list[str] = []
    for i, item in enumerate(items):
        if item.role == "none" or not item.core:
            continue
        count[item.role + " gold"] += 1
        words = text[max(0, item.start - 18) : item.end + 6].replace("\n", "⏎")
        if i not in pairing:
            wrong.append(f"{case['name']}: MISSED {item.role} {words}")
            continue
        target = targets[pairing[i]]
        count["matched"] += 1
        if target.role != item.role:
            wrong.append(f"{case['name']}: ROLE {target.role} not {item.role}: {words} ({target.rule})")
            continue
        count["role"] += 1
        fields = judged(item, target)
        count[item.role + " span"] += 1
        count[item.role + " tuple"] += all(fields[k] for k in ("canonical", "value", "unit", "qualifier"))
        count[item.role + " period"] += all(fields[k] for k in ("canonical", "value", "unit", "qualifier", "period"))
        got = {
            "canonical": target.canonical or "-" + target.indicator, "value": _stated(target), "unit": target.unit,
            "qualifier": target.qualifier, "period": target.period, "strength": target.strength, "kind": target.kind,
        }  # fmt: skip
        wrong.extend(
            f"{case['name']}: {k} {got[k]!r}: {words}  {item.names} {item.periods} ({target.rule})"
            for k, ok in fields.items()
            if not ok
        )
    dropped = {j for i, j in pairing.items() if not items[i].core}
    for j, target in enumerate(targets):
        if j in dropped:
            continue
        count[target.role + " pred"] += 1
        if j not in pairing.values() or items[{v: k for k, v in pairing.items()}[j]].role == "none":
            if target.tier != "core":
                wrong.append(f"{case['name']}: FALSE borderline {target.role} {target.text[:50]!r}")
                continue
            wrong.append(f"{case['name']}: FALSE {target.role} {target.text[:50]!r} {target.value_text!r}")
    return count, wrong


def f1(right: int, predicted: int, gold: int) -> float:
    return 2 * right / (predicted + gold) if predicted + gold else 1.0


@pytest.fixture(scope="module")
def scores() -> dict[str, tuple[Counter[str], list[str]]]:
    return {case["name"]: score(case) for case in CASES}


@pytest.mark.parametrize("name", [case["name"] for case in CASES])
def test_case(name: str, scores: dict[str, tuple[Counter[str], list[str]]]) -> None:
    count, wrong = scores[name]
    right = count["target tuple"] + count["actual tuple"]
    predicted, gold = count["target pred"] + count["actual pred"], count["target gold"] + count["actual gold"]
    assert f1(right, predicted, gold) >= FLOOR, "\n".join(wrong)


def test_overall(scores: dict[str, tuple[Counter[str], list[str]]]) -> None:
    total: Counter[str] = sum((count for count, _ in scores.values()), Counter())
    for role in ("target", "actual"):
        assert f1(total[role + " tuple"], total[role + " pred"], total[role + " gold"]) >= OVERALL[role]
    assert total["role"] / total["matched"] >= OVERALL["role"]
