"""Finding the stated quantities of a text: number, unit, qualifier and bounds, with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.targets.masks import mask, threshold
from monitor.targets.numbers import ARABIC, MULTIPLIERS, WORD_CHARS, arabic, words


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value as written: `[start, end)` holds qualifier, number and unit; bounds are in `unit`."""

    start: int
    end: int
    value: float | None
    unit: str | None
    family: str  # class of the unit: percent money area thing person …
    qualifier: str = "exact"
    low: float | None = None
    high: float | None = None
    origin: str | None = None  # what a from-to starts at
    note: str | None = None
    elided_unit: bool = False  # 突破100亿: the noun of the unit is the reader's to supply


_SCALED = {"千万": (1000.0, "万"), "百万": (100.0, "万"), "千亿": (1000.0, "亿"), "百亿": (100.0, "亿")}
_DIGITS = re.compile(r"\d[\d,.]*")
_HANZI = re.compile(r"[一-龥A-Za-z“(]")
_PEOPLE = re.compile(
    r"[名位]?[一-龥]{0,5}?(人(?!均|才|次)|群众|居民|农?牧民|儿童|婴幼儿|老人|教师|妇女|劳动力|职工|学生|师生|农民|游客|旅客|家庭|户(?!外|籍|用|均)|市民|村民|患者)"
)
_TERM = re.compile(
    r"(?:时间|期限|周期|时限|时长|工期)[^,。;\d]{0,6}?(?P<pre>不超过|不得超过|控制在|缩短[至到为]|压缩[至到为]|压减[至到为]|(?<!不)低于|(?<!不)少于)"
    r"(?P<a>\d{1,6}(?:\.\d{1,4})?)\s?(?P<unit>年|天|个工作日|工作日|分钟|小时|个月)(?P<post>以内|以下|之内|内|左右)?"
)
_SCHOOLED = re.compile(r"教育年限[^,。;\d]{0,8}?(?P<a>\d{1,2}(?:\.\d{1,2})?)\s?(?P<unit>年)(?P<post>以上|左右)?")
_MINUS = re.compile(r"(?:增长|上涨|增速|增幅|为|率|指数|达|幅度|同比|提高)\s?[-−–]$")
_BASE = re.compile(r"(不低于|不少于|不超过|不高于)[^,。;\d]{2,24}的$")
_LEAST = re.compile(
    r"(至少|最少|最多|至多)(?:[再新]?[建增]成?|建设|建立|培育|引进|完成|实施|打造|开展|举办|改造|安排|配备|有)$"
)
_TIMED = re.compile(r"(?:优良|寿命|天数|教育年限)[^,。;]{0,8}$")
_FROM = re.compile(r"[从由](?:20\d\d年的?)?[^,。;、]{0,6}$")
_TO = re.compile(r"[^,。;、\d]{0,8}(?:至|到|为)\s?")
_TO_ZERO = re.compile(r"[^,。;\d]{0,6}[至到为]了?零(?![一-龥])")
_NOT_COUNTED = "全面|意识|自信|维护|到位|坚持|体系|聚焦|提升|行动|方面|战略|中心|转变|重点|清单|专项"
_SPELLED = {"个百分点": "百分点", "个点": "百分点", "微克每立方米": "微克/立方米", "毫克每升": "毫克/升"}
_NO_QUALIFIER = r"(?<![签节集预附邻临靠])"  # 签约20个, 节约3亿元: 约 and 近 at the end of another word
_SPOKEN = r"(?:个(?=亿(?![元级吨人户斤])))?"  # 3个亿
_FEW = 10
_WORKS = "完成 新建 建成 新增 改造 建设 打造 修建 引进 开工 启动 创建 培育 举办 扩建 投用 建立 增加 实施 维修"


def bounded(quantity: Quantity) -> Quantity:
    """The bounds that follow from value and qualifier: 以上 fills only the lower one."""
    value = quantity.value
    if quantity.qualifier in ("at_least", "over"):
        return _within(quantity, value, None)
    if quantity.qualifier in ("at_most", "under"):
        return _within(quantity, None, value)
    return _within(quantity, value, value)


def _within(q: Quantity, low: float | None, high: float | None) -> Quantity:
    """dataclasses.replace, twenty times as fast: every quantity comes through here."""
    return Quantity(
        q.start, q.end, q.value, q.unit, q.family, q.qualifier, low, high, q.origin, q.note, q.elided_unit
    )  # fmt: skip


def _words(lists: Mapping[str, Iterable[str]]) -> tuple[str, dict[str, str]]:
    """An alternation, longest first, and the key each word stands for."""
    keys = {word: key for key, found in lists.items() for word in found}
    return "|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or r"(?!)", keys


class Finder:
    """The compiled search for one vocabulary."""

    def __init__(self, units: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
        self.family = {unit: family for family, found in units.get("classes", {}).items() for unit in found}
        before, self.before = _words(rules.get("qualifiers", {}))
        after, self.after = _words(rules.get("suffixes", {}))
        names = "|".join(map(re.escape, sorted(self.family, key=len, reverse=True))) or "(?!)"
        post = f"(?P<post>{after})?"
        unit = rf"(?P<unit>{names}|(?![十百千万亿余多]))"
        tail = (
            rf"(?P<m1>[余多来几])?\s?{_SPOKEN}(?P<mult>[十百千万亿]*?)(?P<m2>[余多])?\s?{unit}(?:\([^()\d]{{1,3}}\))?"
        )
        tail += r"(?P<per>/千?万?[人户亩吨年天])?"
        first = rf"(?P<a>{ARABIC})\s?"
        self.lead = re.compile(rf"{_NO_QUALIFIER}(?:{before})[\s了]?$")
        self.range = re.compile(
            rf"{first}(?P<am>[十百千万亿]*)(?:{names})?\s?[-—–―~∼至到]{{1,2}}\s?(?P<b>{ARABIC}){tail}(?:之间)?{post}"
        )
        self.number = re.compile(first + tail + post)
        self.percent = re.compile(rf"百分之(?P<p>[{WORD_CHARS}点]{{1,12}}){post}")
        self.fraction = re.compile(
            rf"(?P<den>[三四五六七八九十百千万]{{1,3}})分之(?P<num>[一二三四五六七八九]{{1,3}}){post}"
        )
        self.tenths = re.compile(
            rf"(?P<ten>[一二两三四五六七八九])成(?P<more>[半一二三四五六七八九])?(?![立为员长效本果功型品交熟人分]){post}"
        )
        self.fold = re.compile(rf"翻了?(?P<fan>[一二两三]?)番{post}")
        self.digits = re.compile(r"(?P<digits>[两三四])位数(?:增长)?")
        self.bare = re.compile(
            r"(?P<pre>首次突破|突破|超过|超|破|近|达到?|[迈站登跃踏][上入]|过)(?P<cn>[十百千万亿]{1,3})(?P<unit>元|人次|户|亩|人|家)?(?![一-龥]?(?:级(?!规模|台阶|水平)|[强名])|的?(?:楼宇|企业|项目|村|园区|产业|集群|镇|大户))"
        )
        self.spoken = re.compile(rf"(?P<cn>[一二两三四五六七八九十]{{1,3}})个亿(?![元级吨人户斤]){post}")
        works = "|".join(f"(?<={verb})" for verb in _WORKS.split())
        counted = "|".join(units.get("counted", ())) or "(?!)"
        self.listed = re.compile(
            rf"(?P<cn>[一二两三四五六七八九十百千万]{{1,6}})(?P<unit>{counted})"
            rf"(?P<post>{after})?(?=[,。;、和及]|$)"
        )
        self.count = re.compile(
            rf"(?:{works})(?P<cn>[二两三四五六七八九十]{{1,3}})(?P<unit>{counted})(?!{_NOT_COUNTED})"
        )

    def find(self, text: str) -> list[Quantity]:
        """Every quantity of a folded text, in order, without overlaps."""
        masked, taken = mask(text), bytearray(len(text))
        found: list[Quantity] = []
        for quantity in self._candidates(masked, text):
            if not any(taken[quantity.start : quantity.end]):
                found.append(quantity)
                taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
        found.sort(key=lambda q: q.start)
        sized = (q for q in found if not threshold(text, q.start, q.end, q.family))
        return self._from_to([self._based(q, text) for q in sized], text)

    def _candidates(self, masked: str, text: str) -> Iterator[Quantity]:
        """Best readings first: a later one may not overlap an earlier one."""
        yield from self._arabic(masked, text)
        yield from self._terms(text)
        yield from self._schooling(text)
        for pattern, build in (
            (self.percent, self._percent), (self.fraction, self._fraction), (self.tenths, self._tenths),
            (self.fold, self._fold), (self.digits, self._digits), (self.bare, self._bare), (self.count, self._count),
            (self.listed, self._listed), (self.spoken, self._spoken),
        ):  # fmt: skip
            for match in pattern.finditer(masked):
                quantity = build(match)
                if quantity is not None:
                    yield quantity

    # ------------------------------------------------------------------ Arabic digits

    def _arabic(self, masked: str, text: str) -> Iterator[Quantity]:
        until = 0
        for hit in _DIGITS.finditer(masked):
            at = max(hit.start(), until)
            while at < hit.end():
                if not masked[at].isdigit():
                    at += 1
                    continue
                match = self.range.match(masked, at)
                quantity = self._ranged(match, text) if match else None
                if match is None or quantity is None:
                    match = self.number.match(masked, at)
                    quantity = self._numbered(match, text) if match else None
                if quantity is not None:
                    yield quantity
                at = until = max(match.end() if match else at + 1, at + 1)

    def _lead(self, text: str, at: int) -> tuple[int, str | None]:
        """Where the qualifier before a number begins, and which it is."""
        match = self.lead.search(text, max(0, at - 8), at)
        return (match.start(), self.before[match[0].rstrip(" 了\t")]) if match else (at, None)

    def _qualifier(self, lead: str | None, match: re.Match[str]) -> str:
        groups = match.groupdict()
        if lead and lead != "about":
            return lead
        if groups.get("post"):
            return self.after[groups["post"]]
        if groups.get("m1") or groups.get("m2"):
            return "over"
        return lead or "exact"

    def _unit(self, match: re.Match[str]) -> tuple[str | None, str, float, bool]:
        """Unit with its multiplier, its class, a factor for the number, and whether the unit's noun is cut off."""
        mult, unit = match["mult"] or "", match["unit"] or None
        unit = _SPELLED.get(unit or "", unit)
        if unit:
            family, unit = self.family[unit], unit + (match["per"] or "")
            if mult in ("十", "百", "千"):
                return unit, family, float(MULTIPLIERS[mult]), False
            return mult + unit, family, 1.0, False
        scale, base = _SCALED.get(mult, (1.0, mult))
        if base in ("亿", "万亿"):
            return base + "元", "money", scale, True
        return (base + "人", "person", scale, True) if base == "万" else (None, "", 1.0, False)

    def _numbered(self, match: re.Match[str], text: str) -> Quantity | None:
        unit, family, scale, elided = self._unit(match)
        start, lead = self._lead(text, match.start())
        if unit is None or (family == "time" and not _TIMED.search(text, max(0, match.start() - 16), match.start())):
            return None
        if elided and match["post"] is None and _HANZI.match(text, match.end()):
            people = _PEOPLE.match(text, match.end()) if unit.endswith("人") else None
            if people and people[1] in ("家庭", "户"):
                unit, family = unit[:-1] + "户", "household"
            elif people is None and lead is None:
                return None  # 5万 before an unknown noun is a scale of that noun
            elided = people is None
        value = round(arabic(match["a"]) * scale, 10)
        if family == "percent" and start == match.start() and _MINUS.search(text, max(0, start - 5), start):
            value, start = -value, start - 1  # 比上年增长-8.7%
        qualifier = self._qualifier(lead, match)
        return bounded(Quantity(start, match.end(), value, unit, family, qualifier, elided_unit=elided))

    def _ranged(self, match: re.Match[str], text: str) -> Quantity | None:
        unit, family, scale, elided = self._unit(match)
        if unit is None or family == "time" or (match["am"] and not match["mult"]):
            return None
        if re.search(r"[从由自]\s?$", text[max(0, match.start() - 2) : match.start()]):
            return None  # 从5%到6% is a change, read by _from_to
        low, high = arabic(match["a"]) * scale, arabic(match["b"]) * scale
        if match["am"] and match["am"] != match["mult"]:
            low *= _factor(match["am"]) / _factor(match["mult"])
        if not low < high:
            return None
        start, _ = self._lead(text, match.start())
        return Quantity(start, match.end(), None, unit, family, "range", low, round(high, 10), elided_unit=elided)

    # ------------------------------------------------------------------ number words

    def _percent(self, match: re.Match[str]) -> Quantity | None:
        return self._worded(match, words(match["p"]), "%", "percent")

    def _fraction(self, match: re.Match[str]) -> Quantity | None:
        below, above = words(match["den"]), words(match["num"])
        if not below or not above:
            return None
        return self._worded(match, round(above / below, 4), "比例", "ratio")

    def _tenths(self, match: re.Match[str]) -> Quantity | None:
        more = match["more"]
        value = (words(match["ten"]) or 0) * 10 + (5 if more == "半" else (words(more) or 0) if more else 0)
        return self._worded(match, value, "%", "percent")

    def _fold(self, match: re.Match[str]) -> Quantity | None:
        return self._worded(match, 2.0 ** (words(match["fan"] or "一") or 1), "倍", "ratio")

    def _digits(self, match: re.Match[str]) -> Quantity | None:
        count = int(words(match["digits"]) or 2)
        low, high = 10.0 ** (count - 1), 10.0**count - 1
        return Quantity(match.start(), match.end(), None, "%", "percent", "range", low, high)

    def _worded(self, match: re.Match[str], value: float | None, unit: str, family: str) -> Quantity | None:
        if value is None:
            return None
        start, lead = self._lead(match.string, match.start())
        return bounded(Quantity(start, match.end(), value, unit, family, self._qualifier(lead, match)))

    def _bare(self, match: re.Match[str]) -> Quantity | None:
        """旅游收入破万亿: a multiplier that is the number."""
        scale, value = match["cn"], 1.0
        if scale not in ("万", "亿", "万亿"):
            if scale[-1] not in "万亿":
                return None
            value, scale = words(scale[:-1]) or 1.0, scale[-1]
        unit = match["unit"] or ("元" if "亿" in scale else None)
        if unit is None:
            return None
        qualifier = "about" if match["pre"] == "近" else "exact" if match["pre"][0] in "达迈站登跃踏" else "over"
        return bounded(Quantity(match.start(), match.end(), value, scale + unit, self.family[unit], qualifier))

    def _spoken(self, match: re.Match[str]) -> Quantity | None:
        """三个亿: how sums are said aloud."""
        return self._worded(match, words(match["cn"]), "亿元", "money")

    def _count(self, match: re.Match[str]) -> Quantity | None:
        value = words(match["cn"])
        if value is None:
            return None
        return bounded(Quantity(match.start(), match.end(), value, match["unit"], self.family[match["unit"]]))

    def _listed(self, match: re.Match[str]) -> Quantity | None:
        """引进企业三家、新建学校十二所: a number word behind its noun. Small numbers of 个 count steps and rules."""
        value = words(match["cn"])
        if (
            value is None
            or match["cn"] == "一"
            or not _HANZI.match(match.string[max(0, match.start() - 1) : match.start()])
        ):
            return None
        if match["unit"] in ("个", "项", "条", "件") and value < _FEW:
            return None
        qualifier = self.after[match["post"]] if match["post"] else "exact"
        found = Quantity(match.start(), match.end(), value, match["unit"], self.family[match["unit"]], qualifier)
        return bounded(found)

    # ------------------------------------------------------------------ more than one piece

    @staticmethod
    def _terms(text: str) -> Iterator[Quantity]:
        """Spans of time that are promised: 轮候时间不超过5年, 审批时限压缩至3个工作日."""
        for match in _TERM.finditer(text):
            ceiling = match["pre"] in ("不超过", "不得超过", "控制在") or match["post"] in (
                "以内",
                "以下",
                "之内",
                "内",
            )
            qualifier = "at_most" if ceiling else "under" if match["pre"] in ("低于", "少于") else "exact"
            value = float(match["a"])
            yield bounded(Quantity(match.start("pre"), match.end(), value, match["unit"], "time", qualifier))

    def _schooling(self, text: str) -> Iterator[Quantity]:
        """劳动年龄人口平均受教育年限达到12年: years that no date is meant by."""
        for match in _SCHOOLED.finditer(text):
            start, lead = self._lead(text, match.start("a"))
            qualifier = self.after[match["post"]] if match["post"] else lead or "exact"
            yield bounded(Quantity(start, match.end(), float(match["a"]), match["unit"], "time", qualifier))

    def _based(self, quantity: Quantity, text: str) -> Quantity:
        """不低于居住用地供应总量的70%, 至少建成1所: the bound stands before what the share is of or the verb."""
        if quantity.qualifier != "exact":
            return quantity
        match = _LEAST.search(text, max(0, quantity.start - 8), quantity.start)
        if match is None and quantity.family == "percent":
            match = _BASE.search(text, max(0, quantity.start - 30), quantity.start)
        return bounded(replace(quantity, qualifier=self.before[match[1]])) if match else quantity

    @staticmethod
    def _from_to(found: list[Quantity], text: str) -> list[Quantity]:
        """由64户增长至81户, 从74%增加到94.16%: the value is the end, the start is kept beside it."""
        kept: list[Quantity] = []
        for quantity in found:
            before = kept[-1] if kept else None
            if before and before.family == quantity.family:
                left = text[max(0, before.start - 12) : before.start]
                if _TO.fullmatch(text, before.end, quantity.start) and _FROM.search(left):
                    kept[-1] = replace(quantity, origin=text[before.start : before.end])
                    continue
            kept.append(quantity)
        return [
            q for q in kept if not (_TO_ZERO.match(text, q.end) and _FROM.search(text, max(0, q.start - 12), q.start))
        ]


def _factor(multiplier: str) -> float:
    total = 1.0
    for char in multiplier:
        total *= MULTIPLIERS[char]
    return total
