"""Units and the one number of a quantity."""

from __future__ import annotations

import pytest

from monitor.config import vocabulary
from monitor.model import Target
from monitor.targets import measure


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("%", ("percent", 1)),
        ("％", ("percent", 1)),
        ("百分点", ("percent", 1)),  # 百 is no multiplier here
        ("成", ("percent", 10)),
        ("万亿元", ("yuan", 1e12)),
        ("亿元", ("yuan", 1e8)),
        ("千元", ("yuan", 1e3)),
        ("亿斤", ("mass", 5e7)),
        ("万吨", ("mass", 1e7)),
        ("万人", ("people", 1e4)),
        ("万人次", ("visits", 1e4)),
        ("万户", ("户", 1e4)),
        ("户", ("户", 1)),
        ("家", ("pieces", 1)),
        ("万个", ("pieces", 1e4)),
        ("千瓦", ("power", 1)),  # 千 is no multiplier here
        ("万千瓦", ("power", 1e4)),
        ("万延长米", ("length", 1e4)),
        ("公里", ("length", 1e3)),
        ("万平方米", ("area", 1e4)),
        ("套", ("套", 1)),
        (None, ("", 1)),
        ("百户", ("户", 100)),
    ],
)
def test_base(unit: str | None, expected: tuple[str, float]) -> None:
    assert measure.base(unit) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("个", "家", True), ("亿斤", "万吨", True), ("个", "户", False), ("公里", "个", False), (None, "个", True)],
)
def test_comparable(left: str | None, right: str | None, expected: bool) -> None:
    assert measure.comparable(left, right) is measure.comparable(right, left) is expected


def quantity(value: float | None, low: float | None, high: float | None, unit: str) -> Target:
    return Target("target", 0, 1, "", 0, 1, "", "", value=value, value_min=low, value_max=high, unit=unit)


def test_number_is_the_point_the_midpoint_or_the_one_bound() -> None:
    assert measure.number(quantity(1.5, 1.5, 1.5, "万人次")) == 15000
    assert measure.number(quantity(None, 5, 6, "%")) == 5.5
    assert measure.number(quantity(None, 300, None, "家")) == 300
    assert measure.number(quantity(None, None, None, "")) is None
    assert measure.bounds(quantity(None, 5, None, "亿元")) == (5e8, None)


def test_an_acre_is_a_part_of_a_hectare() -> None:
    assert measure.same(measure.number(quantity(15, 15, 15, "亩")), measure.number(quantity(1, 1, 1, "公顷")))
    assert not measure.same(None, 0.0)
    assert measure.same(None, None)


def test_every_physical_unit_has_a_size() -> None:
    """A unit that is read but has no size is never compared with the others of its class."""
    classes = vocabulary().units["classes"]
    alone = {"港元", "欧元", "日元", "车道公里", "单公里", "皮长公里", "头份"}  # measured by themselves
    for name in ("money", "area", "length", "mass", "volume", "power", "density"):
        assert [u for u in classes[name] if measure.base(u)[0] == u] == [u for u in classes[name] if u in alone]
