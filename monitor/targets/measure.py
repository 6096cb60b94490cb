"""What a stated quantity amounts to: its unit's family, its size in that family, its one comparable number. Pure.

Units keep their multiplier in the data (1.5 万人次), so two releases are compared in the base unit of a family.
"""

from __future__ import annotations

import math

from monitor.model import Target

_MULTIPLIERS = (("万亿", 1e12), ("千亿", 1e11), ("百亿", 1e10), ("亿", 1e8), ("千万", 1e7), ("百万", 1e6), ("万", 1e4))
_SMALL = (("千", 1e3), ("百", 1e2))  # 千人 and 百户, but 千瓦, 千克, 千米 and 百分点 are units of their own

# unit -> (family, size in the family's base unit). Lengths in metres, areas in square metres, masses in kilograms
# (斤 is half a kilogram, 亩 is 10000/15 square metres: 国务院关于在我国统一实行法定计量单位的命令, 1984).
_UNITS: dict[str, tuple[str, float]] = {
    "%": ("percent", 1.0),
    "百分点": ("percent", 1.0),
    "个百分点": ("percent", 1.0),
    "‰": ("percent", 0.1),
    "比例": ("percent", 100.0),
    "成": ("percent", 10.0),
    "倍": ("times", 1.0),
    "番": ("times", 1.0),
    "元": ("yuan", 1.0),
    "人民币": ("yuan", 1.0),
    "元人民币": ("yuan", 1.0),
    "美元": ("dollar", 1.0),
    "米": ("length", 1.0),
    "m": ("length", 1.0),
    "km": ("length", 1e3),
    "㎞": ("length", 1e3),
    "延长米": ("length", 1.0),
    "延米": ("length", 1.0),
    "公里": ("length", 1e3),
    "千米": ("length", 1e3),
    "里": ("length", 500.0),
    "平方米": ("area", 1.0),
    "㎡": ("area", 1.0),
    "平米": ("area", 1.0),
    "m²": ("area", 1.0),
    "km²": ("area", 1e6),
    "亩": ("area", 10000 / 15),
    "公顷": ("area", 1e4),
    "平方公里": ("area", 1e6),
    "平方千米": ("area", 1e6),
    "吨": ("mass", 1e3),
    "公斤": ("mass", 1.0),
    "千克": ("mass", 1.0),
    "斤": ("mass", 0.5),
    "克": ("mass", 1e-3),
    "担": ("mass", 50.0),
    "公担": ("mass", 100.0),
    "立方米": ("volume", 1.0),
    "方": ("volume", 1.0),
    "升": ("volume", 1e-3),
    "m³": ("volume", 1.0),
    "㎥": ("volume", 1.0),
    "千瓦": ("power", 1.0),
    "kW": ("power", 1.0),
    "KW": ("power", 1.0),
    "kw": ("power", 1.0),
    "兆瓦": ("power", 1e3),
    "MW": ("power", 1e3),
    "MWp": ("power", 1e3),
    "GW": ("power", 1e6),
    "千瓦时": ("energy", 1.0),
    "千瓦小时": ("energy", 1.0),
    "kWh": ("energy", 1.0),
    "MWh": ("energy", 1e3),
    "GWh": ("energy", 1e6),
    "度": ("energy", 1.0),
    "标箱": ("boxes", 1.0),
    "标准箱": ("boxes", 1.0),
    "TEU": ("boxes", 1.0),
    "人": ("people", 1.0),
    "名": ("people", 1.0),
    "位": ("people", 1.0),
    "人次": ("visits", 1.0),
    "吨标准煤": ("coal", 1e3),
    "天": ("days", 1.0),
    "日": ("days", 1.0),
    "岁": ("age", 1.0),
    "年": ("years", 1.0),
    "小时": ("hours", 1.0),
    "微克/立方米": ("concentration", 1.0),
    "微克每立方米": ("concentration", 1.0),
    "毫克/升": ("concentration", 1e6),
    "毫克每升": ("concentration", 1e6),
}
# Measure words that count the same things in one report and the next (村卫生室2万个, 1.7万家).
_COUNTERS = frozenset("个家处所座项条户件场台套间栋幢支辆部批期届次门只株类种村片道块宗") | {"余户", "单位", "试点"}
_UNCOUNTED = frozenset("户套场次辆条批种类株")  # each counts another side of a thing: 小区23个, 3100户, 150栋


def base(unit: str | None) -> tuple[str, float]:
    """The family of a unit and its size in the family's base: `万亩` -> ("area", 6666666.7). No unit: ("", 1)."""
    if not unit:
        return "", 1.0
    factor, rest = multiplier(unit.replace("％", "%").strip())
    if rest in _UNITS:
        family, size = _UNITS[rest]
        return family, factor * size
    if rest in _COUNTERS and rest not in _UNCOUNTED:
        return "pieces", factor
    return rest, factor


def multiplier(unit: str) -> tuple[float, str]:
    """The multiplier kept in a unit, and the rest: `万平方米` -> (10000, "平方米")."""
    factor, rest = 1.0, unit
    for word, size in _MULTIPLIERS:
        if rest.startswith(word) and len(rest) > len(word):
            factor, rest = size, rest[len(word) :]
            break
    if rest not in _UNITS:
        for word, size in _SMALL:
            if rest.startswith(word) and len(rest) > 1:
                return factor * size, rest[1:]
    return factor, rest


def comparable(left: str | None, right: str | None) -> bool:
    """Whether numbers in the two units can be subtracted. A missing unit (零, cut-off text) fits any."""
    one, other = base(left)[0], base(right)[0]
    return one == other or not one or not other


def number(item: Target) -> float | None:
    """The one number of an item in its family's base unit; a range counts as its midpoint; None: only words."""
    factor = base(item.unit)[1]
    known = [x for x in (item.value_min, item.value_max) if x is not None]
    if item.value is not None:
        return item.value * factor
    return sum(known) / len(known) * factor if known else None


def bounds(item: Target) -> tuple[float | None, float | None]:
    """Both bounds in the base unit, as stated."""
    factor = base(item.unit)[1]
    low, high = item.value_min, item.value_max
    return (None if low is None else low * factor, None if high is None else high * factor)


def same(left: float | None, right: float | None) -> bool:
    """Equal but for the rounding of unit conversion."""
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-9)
