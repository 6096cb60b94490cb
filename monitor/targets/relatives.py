"""Statements without a number that still bind: 与经济增长同步, 高于全省平均水平, 正增长, 为零, 全覆盖, 倍增."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.targets.quantities import Quantity, bounded

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "in_step",
        re.compile(
            r"(?:保持)?[与同和](?P<ref>[^,。;、:]{2,22}?)(?:保持)?(?:基本)?(?:同步(?:增长|提高)?|持平)(?!推进|规划|实施|战|建设|开展)"
        ),
    ),
    (
        "above_ref",
        re.compile(
            r"(?:高于|快于|好于|优于|不低于|跑赢|领先)(?P<ref>(?:同期)?(?:全国|全省|全市|全区|全县|国家|省|市|各项|各类|同类|经济|地区生产总值|GDP|上级|城镇|城市|固定资产)[^,。;、\d]{0,14}?"
            r"(?:平均水平|平均增速|平均增幅|增长速度|发展速度|增速|增幅|增长|速度|水平|平均))(?![一-龥]*\d)"
        ),
    ),
    (
        "below_ref",
        re.compile(
            r"低于(?P<ref>(?:全国|全省|全市|国家|省|市)[^,。;、\d]{0,8}?(?:平均水平|平均|水平))(?!水平|的(?!目标)|[一-龥]*\d)"
        ),
    ),
    (
        "assigned",
        re.compile(
            r"(?:全面|确保)?完成(?P<ref>(?:国家|省|市|上级|县|区|省市|省、市)[^,。;、\d]{0,6}?下达)[^,。;\d]{0,30}?(?:任务|目标|指标|计划)"
        ),
    ),
    ("sign", re.compile(r"(?:实现)?(?<!零)正增长|由负转正|扭负为正|由降转[增升]|止跌回[升稳]")),
    ("flat", re.compile(r"(?:实现|出现|保持)?[“\"]?(?<!社)零增长[”\"]?")),
    (
        "zero",
        re.compile(
            r"(?:为|实现|达到|控制在|[降减][低少]?[至到为])[“\"]?零[”\"]?(?![”\"]?的?[一-龥])|[“\"]为零[”\"]|(?:实现)?零(?:伤亡|发生|事故)|(?:动态|全部|基本)?清零"
        ),
    ),
    ("all", re.compile(r"(?<![“\"、])(?:全覆盖|全面覆盖|全部达标|全面达标|全域覆盖)(?!、)")),
    ("double", re.compile(r"倍增(?=计划|工程|行动)")),
    (
        "trend",
        re.compile(
            r"(?:持续|稳步|逐步|明显|不断|进一步|稳定|大幅)(?P<way>下降|降低|减少|提升|提高|增加|增长|上升)(?=[,。;、]|$)"
        ),
    ),
)
_BORDERLINE = frozenset({"assigned", "sign", "all", "double", "trend"})


# A pattern is only tried where one of these stands: most sentences hold none.
_HINTS: Mapping[str, tuple[str, ...]] = {
    "in_step": ("同步", "持平"), "above_ref": ("于", "跑赢", "领先"), "below_ref": ("低于",), "assigned": ("下达",),
    "sign": ("正", "转", "止跌"), "zero": ("零",), "flat": ("零增长",), "all": ("覆盖", "达标"), "double": ("倍增",),
    "trend": ("下降", "降低", "减少", "提升", "提高", "增加", "增长", "上升"),
}  # fmt: skip


def find(text: str) -> list[tuple[str, Quantity]]:
    """(form, quantity) of each statement in a piece of folded text, offsets in that piece, in order."""
    found: list[tuple[str, Quantity]] = []
    for form, pattern in _PATTERNS:
        if not any(hint in text for hint in _HINTS[form]):
            continue
        for match in pattern.finditer(text):
            if not any(q.start < match.end() and match.start() < q.end for _, q in found):
                found.append((form, _quantity(form, match)))
    return sorted(found, key=lambda pair: pair[1].start)


def borderline(form: str) -> bool:
    """Whether the statement carries neither a number nor a comparison with another indicator's growth."""
    return form in _BORDERLINE


def direction(form: str, quantity: Quantity, text: str) -> str | None:
    """What the statement itself says of the direction."""
    words = text[quantity.start : quantity.end]
    if form == "trend":
        return "decrease" if re.search(r"下降|降低|减少", words) else "increase"
    return "increase" if form in ("in_step", "above_ref", "sign", "double") else None


_VALUES = {
    "sign": (0.0, "%", "percent", "over"), "zero": (0.0, "处", "thing", "exact"),
    "flat": (0.0, "%", "percent", "exact"), "all": (100.0, "%", "percent", "all"),
    "double": (2.0, "倍", "ratio", "exact"),
}  # fmt: skip


def _quantity(form: str, match: re.Match[str]) -> Quantity:
    if form in _VALUES:
        value, unit, family, qualifier = _VALUES[form]
        return bounded(Quantity(match.start(), match.end(), value, unit, family, qualifier))
    qualifier = {"assigned": "in_step", "trend": "exact"}.get(form, form)
    note = "direction only" if form == "trend" else f"reference={match['ref']}" + ("任务" if form == "assigned" else "")
    return Quantity(match.start(), match.end(), None, None, "", qualifier, note=note)
