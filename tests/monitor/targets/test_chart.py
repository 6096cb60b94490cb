"""Drawings as a reader of SVG sees them: what is written where, and that nothing of a text becomes markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.targets.chart import Words, panels, svg

WORDS = Words("目标", "实绩", "预计", "没有可画的数字", {"growth": "增速"})
NS = "{http://www.w3.org/2000/svg}"


def row(period: str | None, role: str, value: float | None, **more: Any) -> dict[str, Any]:
    unit = more.get("unit", "%")
    size = {"亿元": 1e8, "万元": 1e4}.get(unit, 1)
    return {
        "region": "999101", "place": "云岭区", "source": "yunling", "name": "地区生产总值", "object": None,
        "kind": "growth", "unit": unit, "number": None if value is None else value * size, "period": period,
        "role": role, "value_min": value, "value_max": value, "value_text": f"{value}{unit}", "direction": "increase",
        "strength": "none", "vintage": None, "headline": True, "tier": "core", "release": period,
    } | more  # fmt: skip


def texts(drawing: str) -> list[str]:
    return [x.text or "" for x in ET.fromstring(drawing).iter(f"{NS}text")]


def test_each_place_and_measure_has_a_panel_and_each_year_a_point() -> None:
    rows = [
        row("2024", "target", 6), row("2024", "actual", 5.5), row("2025", "target", 5),
        row("2025", "actual", 300, kind="amount", unit="亿元"), row("2024", "target", 7, place="北港区"),
    ]  # fmt: skip
    found = panels(rows, WORDS)
    assert [(p.title, p.unit, [(x.year, x.promise, x.number) for x in p.points]) for p in found] == [
        ("云岭区　地区生产总值　增速", "%", [(2024, True, 6), (2024, False, 5.5), (2025, True, 5)]),
        ("云岭区　地区生产总值", "亿元", [(2025, False, 300)]),
        ("北港区　地区生产总值　增速", "%", [(2024, True, 7)]),
    ]
    drawing = svg(found, WORDS)
    assert len(list(ET.fromstring(drawing).iter(f"{NS}polyline"))) == 1  # a line needs two points of one kind
    assert {"6%", "5.5%", "300亿元", "2024", "2025", "目标", "实绩"} <= set(texts(drawing))


def test_units_meet_in_that_of_the_newest_release() -> None:
    rows = [
        row("2023", "actual", 900000, kind="amount", unit="万元"),
        row("2024", "actual", 95, kind="amount", unit="亿元"),
    ]
    (panel,) = panels(rows, WORDS)
    assert (panel.unit, [p.number for p in panel.points]) == ("亿元", [90, 95])


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        ([row("2021-2025", "actual", 5.6), row("2025", "actual", 5.4)], "5.4%"),
        ([row("2025-01/2025-11", "actual", 5.6), row("2025", "actual", 5.4)], "5.4%"),
        ([row("2025", "actual", 5.6, strength="expect"), row("2025", "actual", 5.4)], "5.4%"),
        ([row("2025", "target", 5.6, headline=False), row("2025", "target", 5.4)], "5.4%"),
        ([row("2025", "actual", 5.6, release="2026"), row("2025", "actual", 5.4, release="2027")], "5.4%"),
    ],
)
def test_of_several_statements_about_one_year_the_best_is_drawn(rows: list[dict[str, Any]], label: str) -> None:
    for order in (rows, rows[::-1]):
        assert [p.label for p in panels(order, WORDS)[0].points] == [label]


def test_an_estimate_is_hollow_and_a_fall_is_below_zero() -> None:
    (panel,) = panels([row("2025", "actual", 2, strength="expect", direction="decrease")], WORDS)
    (point,) = panel.points
    assert (point.firm, point.number) == (False, -2)
    assert 'fill="#ffffff" stroke="#0b57a4"' in svg([panel], WORDS)


def test_words_of_a_page_are_no_markup() -> None:
    drawing = svg(panels([row("2025", "target", 5, name='<script>"&', value_text="</text><script>")], WORDS), WORDS)
    assert "<script>" not in drawing
    assert any("<script>" in t for t in texts(drawing))


def test_nothing_to_draw_says_so() -> None:
    assert texts(svg(panels([row("2025", "target", None), row(None, "target", 5, release=None)], WORDS), WORDS)) == [
        "没有可画的数字"
    ]


_NUMBERS = st.floats(-1e12, 1e12, allow_nan=False) | st.sampled_from([0.0, 1e-9, 5.0, 100.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1990, 2060), st.sampled_from(["target", "actual"]), _NUMBERS), max_size=8))
def test_any_numbers_are_drawn_inside_the_picture(found: list[tuple[int, str, float]]) -> None:
    rows = [row(str(year), role, value) for year, role, value in found]
    root = ET.fromstring(svg(panels(rows, WORDS), WORDS))
    height = float(root.attrib["height"])
    for dot in root.iter(f"{NS}circle"):
        assert -20 <= float(dot.attrib["cy"]) <= height
