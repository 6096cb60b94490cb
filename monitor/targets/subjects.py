"""Which indicator a quantity measures: names of indicators.yaml in a phrase, the unit deciding between measures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.model import Indicator

_QUOTES = str.maketrans("", "", "“”\"‘’'「」『』《》 \t")
_COUNTS = frozenset({"person", "household", "thing"})
_SHARES = frozenset({"share", "level", "relative"})
_EACH = re.compile(r"[人户亩地]均|单位|平均|每[千万]?[^,、]{0,4}")
_PER = re.compile(r"(?:[人户亩地]均|单位)[^,、;:和及]{0,4}$")
_FUNDS = re.compile(r"(?:经费|教育|科技|财政|民生|研发|广告)$")
_POOR = re.compile(r"(?:低收入|脱贫|贫困|低保)(?:农户|农民|人口|群众|户|县|村|地区农村)?(?:居民)?$")
_SUMS = frozenset({"project_investment", "project_area"})  # of single projects: 制造业投资增长10% is none of them
_ANIMALS = frozenset("头只羽尾匹")
_NEAR = 24  # characters before a value that can name a rate
_RATE = re.compile(
    r"(?:率|占比|比重|比例|覆盖面|亏损面|受益面|满意度|知晓度|贡献度)(?:均|都|分别|达到?|为|超过?|保持|稳定|控制|提高|提升|降低?|至|到|在|[约近]|不低于|不高于)*$"
)
_MEASURE = re.compile(
    r"(?:收入|利润|产值|税收|税金|投资|零售额|(?:消费品)?零售额|销售额|营业额|交易额|增加值|总额|价格|成本|支出|率|占比|比重|标准)$"
)
_OWN_MEASURE = re.compile(
    r"(?:企业|单位|行业|产业|法人|实现|完成|预计|累计|的)*(?:利润|利税|总产值|产值|税收|税金|营业收入|销售收入|主营业务收入|工业总产值|用电量|增加值|零售额|"
    r"(?:消费品|网上)?零售额|销售额|营业额|投资(?!项目)|从业人员|亏损|资产|负债|成本|标准(?!化))"
)
_MULTIPLIER = re.compile(r"^[十百千万亿]+(?=.)")


@dataclass(frozen=True, slots=True)
class Match:
    """An indicator found in a phrase. `at` and `end` are positions in the phrase without quotes and blanks."""

    indicator: Indicator
    alias: str
    at: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class _Name:
    indicator: Indicator
    alias: str
    pattern: re.Pattern[str] | None  # of a name with a gap


class Lexicon:
    """All names of all indicators, found by their first two characters."""

    def __init__(self, indicators: tuple[Indicator, ...], units: Mapping[str, Any]) -> None:
        self.family = {unit: family for family, found in units.get("classes", {}).items() for unit in found}
        self.same: dict[str, str] = dict(units.get("aliases", {}))
        self._fits: dict[tuple[str, str | None, bool], int] = {}
        self.names: dict[str, list[_Name]] = defaultdict(list)
        self.units = {i.id: tuple(self.base(u) for u in i.units) for i in indicators}
        for indicator in indicators:
            for alias in dict.fromkeys((indicator.name, *indicator.aliases)):
                plain = alias.translate(_QUOTES)
                pattern = (
                    re.compile(r"[^,;:。]{0,16}?".join(map(re.escape, plain.split("…")))) if "…" in plain else None
                )
                self.names[plain[:2]].append(_Name(indicator, plain, pattern))

    def shares(self) -> dict[Indicator, Indicator]:
        """民生支出 → 民生支出占比: the indicators whose share is one of its own."""
        found = {name.indicator.name: name.indicator for names in self.names.values() for name in names}
        return {whole: found[f"{name}占比"] for name, whole in found.items() if f"{name}占比" in found}

    def base(self, unit: str) -> str:
        """The unit without its multiplier, one spelling for each (万平方米 → 平方米)."""
        if unit not in self.family:
            unit = unit.partition("/")[0]  # 万元/人
        bare = _MULTIPLIER.sub("", unit) if unit not in self.family else unit
        return self.same.get(bare, bare)

    def fits(self, indicator: Indicator, unit: str | None, *, growth: bool) -> int:
        """2: this is a measure of the indicator; 1: it could be; 0: it is not."""
        if unit is None:
            return 2
        mine, base = self.units[indicator.id], self.base(unit)
        if base == "户" and "家" in mine and "企业" in indicator.name:
            base = "家"  # firms are counted in either
        if growth and indicator.id in _SUMS:
            return 0
        if base == "百分点":
            return 2 if "%" in mine else 1
        if base == "倍" or (base == "%" and growth):
            return 2 if "growth" in indicator.forms else 1
        if base in ("%", "比例"):  # 占比稳定在三分之一
            level = bool(set(indicator.forms) & {"share", "level", "relative"})
            return 0 if "%" not in mine else 2 if level else 1
        return 2 if base in mine else self._akin(base, mine)

    def measures(self, indicator: Indicator, unit: str | None) -> bool:
        """Whether a unit is of the class of one of the indicator's own."""
        family = self.family.get(self.base(unit)) if unit else None
        return family is None or any(self.family.get(u) == family for u in self.units[indicator.id])

    def _akin(self, base: str, mine: tuple[str, ...]) -> int:
        """1 for a unit of the same class; things, people and households count alike, but 户 is no count of things."""
        family = self.family.get(base)
        families = {self.family.get(u) for u in mine}
        if family in families:
            return 1
        if family == "person" and families == {"thing"}:
            return 0  # 招聘幼儿园教师650名
        if base in _ANIMALS or (family == "thing" and families == {"household"}):
            return 0
        return 1 if base != "户" and family in _COUNTS and families & _COUNTS else 0

    def find(
        self,
        phrase: str,
        unit: str | None,
        *,
        growth: bool = False,
        anchor: int | None = None,
        across: int | None = None,
        share: bool = False,
    ) -> Match | None:
        """The best name in the phrase: long, of the right unit, and close to the value (at `anchor`; default: the end).

        With `across`, only a name that begins before that position of the plain phrase and ends behind it;
        with `share`, only a share of something.
        """
        bare = plain(phrase)
        edge = len(bare) if anchor is None else len(plain(phrase[:anchor]))
        best: Match | None = None
        rate = _RATE.search(bare, max(0, edge - _NEAR), edge) if unit == "%" and not growth else None
        for at in range(len(bare) - 1):
            for name in self.names.get(bare[at : at + 2], ()):
                if name.pattern is None and not bare.startswith(name.alias, at):
                    continue  # by far the most
                end = _end(name, bare, at)
                if end is None or (across is not None and not at < across < end):
                    continue
                if share and "share" not in name.indicator.forms:
                    continue
                if _other(bare, at, name.alias) or (end < edge and _further(bare, end, edge, name.alias)):
                    continue  # 人均公园绿地面积 is not 绿地面积, 规上工业企业利润 no growth of 规上工业企业
                key = (name.indicator.id, unit, growth)
                fit = self._fits.get(key)
                if fit is None:
                    fit = self._fits[key] = self.fits(name.indicator, unit, growth=growth)
                if not fit or (rate and end < rate.start() + 1 and not _SHARES & set(name.indicator.forms)):
                    continue  # 规上工业企业研发活动覆盖率 is no growth of industry
                distance = edge - end if end <= edge else max(0, at - edge)
                score = _length(name, end - at) + (1.5 if fit == 2 else 0) - 0.3 * distance
                if rate and end > rate.start():
                    score += 1.5  # 网办率 before “最多跑一次”
                if best is None or score > best.score:
                    best = Match(name.indicator, name.alias, at, end, score)
        return best


def plain(phrase: str) -> str:
    """The phrase without quotes and blanks: the form that names are found in."""
    return phrase.translate(_QUOTES)


def _other(text: str, at: int, name: str) -> bool:
    """Whether the name at `at` is spoken of per head, household or acre, of the poor alone, or denied (非税收入)."""
    if text[at - 1 : at] == "非" and not name.startswith("非"):
        return True
    if name == "投入" and _FUNDS.search(text, max(0, at - 4), at):
        return True
    if _PER.search(text, max(0, at - 6), at) and not _EACH.match(name):
        return True
    return name.startswith("人均") and bool(_POOR.search(text, max(0, at - 10), at))


def _further(text: str, end: int, edge: int, name: str) -> bool:
    """Whether a name of a group only says whose measure follows: 规上工业企业利润, 建筑业企业完成总产值."""
    return not _MEASURE.search(name) and bool(_OWN_MEASURE.match(text, end, edge))


def _length(name: _Name, covered: int) -> float:
    """Characters that were matched literally; what a gap skips counts a little against the name."""
    literal = len(name.alias.replace("…", ""))
    return literal - 0.1 * (covered - literal)


def _end(name: _Name, text: str, at: int) -> int | None:
    """Where a name that stands at `at`, or one with a gap that begins so, ends."""
    if name.pattern is None:
        return at + len(name.alias)
    match = name.pattern.match(text, at)
    return match.end() if match else None
