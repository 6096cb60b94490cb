"""Finding the stated quantities of a text: number, unit, qualifier and bounds, with exact offsets.

What only looks like a quantity (dates, slogans, names, thresholds, phone numbers) is masked before the search:
of all numbers in a government report more than half are of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.targets.numbers import ARABIC, MULTIPLIERS, WORD_CHARS, arabic, words


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value as written: `[start, end)` holds qualifier, number and unit; bounds are in `unit`."""

    start: int
    end: int
    value: float | None
    low: float | None
    high: float | None
    unit: str | None
    family: str  # class of the unit: percent money area thing person …
    qualifier: str = "exact"
    form: str = "number"  # number | words | relative | all | zero | sign
    origin: str | None = None  # the value a from-to starts at
    note: str | None = None
    elided_unit: bool = False


# Each of these is no quantity. Matches are blanked, length kept.
_MASKS = re.compile(
    "|".join(
        (
            r"[“\"‘〈『「][^“”\"‘’《》\n,。;]{0,20}[”\"’〉』」]|《[^《》\n]{0,60}》",  # quoted slogans and titles
            r"[\[【〔]\d{1,4}[\]】〕]",
            r"\(\d{4}\s*[-—–―~至]{1,2}\s*\d{4}年?度?\)",
            r"(?:19|20)\d\d年?\s*[-—–―~至到]{1,2}\s*(?:19|20)?\d\d年?度?",
            r"(?:19|20)\d\d\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{1,2}(?:\s+\d{1,2}:\d\d(?::\d\d)?)?",
            r"\d{1,2}:\d\d(?::\d\d)?(?!\d)",
            r"(?:\d{2,4}|[一二三四五六七八九〇零]{4})\s*年(?:代|度)?(?:\d{1,2}\s*[-—–―~至、到]{1,2})?(?:\d{1,2}月份?(?:底|末|初)?(?:\d{1,2}日)?)?",
            r"\d{1,2}\s*月?\s*[-—–―~至、到]{1,2}\s*\d{1,2}\s*月份?",
            r"\d{1,2}月份?(?:\d{1,2}\s*[-—–―~至、]{1,2})?(?:\d{1,2}日)?",
            r"\d{1,2}日(?!均)",
            r"\d+(?:余|多)?年(?:来|内|间|期|以上|左右|前|后|底|末|初)?",
            r"(?:前|排名|位居|位列|居|列)[^\d,。;]{0,8}\d+(?:[-—–~至]\d+)?(?:位|名|强|批|届)",
            r"第\s*[\d一二三四五六七八九十百]+(?:[-—–~]\d+)?[^\d\s,。;:、]?",
            r"连续\s*[\d一二三四五六七八九十]+\s*(?:年|次|届|个)",
            r"\d+(?:\s*\+\s*(?:\d+|[NXn]|[一-龥]))+(?:\s*\+\s*\d+)*|[NXn]\s*\+\s*\d+|\d+\s*\+\s*[NXn]",
            r"[A-Za-z]+[-—]?\d+(?:\.\d+)?(?:级|号)?|\d+(?:\.\d+)?\s*[A-Za-z]+(?![/²])",
            r"\d{3,4}\s*-\s*\d{6,8}|(?<!\d)1\d{10}(?!\d)|\d{8,}(?:\.\d+)?(?![万亿元%])|备案?号?:?[^,。;\s]{0,4}\d{5,}号?(?:-\d+)?",
            r"\d+\s*号(?:线|楼|院|文|令|机|门|桥|路)?(?:机组)?",
            r"\d+(?:余|多)?\s*(?:个)?(?:分钟|小时|周|个月|季度|工作日|日内|世纪|周年|时辰|课时)",
            r"\d+\s*(?:中学|小学|团|师|院|连|医院|平台|街区|国道|省道|高速)(?![所个])",
            r"(?<=[,;。、])\d+(?:余|多)?次(?=[一-龥])|\d+办\d+组",
            r"\d+(?:大|方面|个方面|个维度|个环节|个一级|办|字|届|中全会|轮|级|线|强|室|厅|版|路|区)(?![所个])",
            r"\d+(?:\.\d+)?(?:蒸吨|英寸|千伏|兆瓦|摄氏度|℃|度电)(?=[一-龥])",
            r"\d+(?:\.\d+)?[百千万亿]*(?:吨级|千瓦级|平方米级|亿级|元级|人级)",
            r"(?:户均|人均|每[人户亩车平吨位名度])\s*\d+(?:\.\d+)?(?=[一-龥]+(?:标准|补助|补贴))",
            r"\d+/\d+",
        )
    )
)

_NOUN = re.compile(r"[一-龥“A-Za-z(]")
_NOT_NOUN = re.compile(
    r"居|位居|高于|低于|增长|同比|比|占|下降|以上|左右|为|是|和|及|与|或|并|且|其中|用于|来|给|由|在|将|均|都|已|已经|左右|实施|推进|启动|建设|"
    r"开展|支持|推动|完成|的?(?:控制|目标|任务|计划|预期|基础|增速|增幅|速度|水平|规模|要求)|全部|增至|达|提前|超|全国|全省|全市|、"
)
_SIZED = re.compile(r"(?:收入|产值|营收|销售额?|纳税|税收|投资)(?:达到?|过|超过?|在)?$")
_PEOPLE = re.compile(
    r"(?:名|位)?[一-龥]{0,5}?(人(?!均|才|次)|群众|居民|职工|学生|师生|农民|游客|旅客|家庭|户(?!外|籍|用|均)|市民|村民|患者)"
)
_TERM = re.compile(
    r"(?:时间|期限|周期|时限|时长|工期)[^,。;\d]{0,6}?(?P<pre>不超过|不得超过|控制在|缩短[至到为]|压缩[至到为]|压减[至到为]|低于|少于)(?P<a>\d+(?:\.\d+)?)\s*(?P<unit>年|天|个工作日|工作日|分钟|小时|个月)(?P<post>以内|以下|之内|内|左右)?"
)
_BASE = re.compile(r"(不低于|不少于|不超过|不高于|高于|低于|超过)[^,。;\d]{2,24}的$")
_PLANT = re.compile(r"(?:/年)?[^,。;、\d]{1,9}(?:装置|机组|电站|储能|生产线|煤矿|储罐|炼化|船|核电|风电场|锅炉)")
_OF_FIRMS = re.compile(
    r"、[^,。;]{0,24}的[^,。;、]{0,10}(?:企业|项目)"
)  # 5家以上年销售收入过百亿元、2家以上…的高新技术企业


def _words(lists: Mapping[str, Iterable[str]]) -> tuple[str, dict[str, str]]:
    """An alternation, longest first, and the key each word stands for."""
    keys = {word: key for key, found in lists.items() for word in found}
    return "|".join(map(re.escape, sorted(keys, key=len, reverse=True))), keys


class Finder:
    """The compiled search for one vocabulary."""

    def __init__(self, units: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
        self.family = {unit: family for family, found in units.get("classes", {}).items() for unit in found}
        before, self.before = _words(rules.get("qualifiers", {}))
        after, self.after = _words(rules.get("suffixes", {}))
        names = "|".join(map(re.escape, sorted(self.family, key=len, reverse=True))) or "(?!)"
        counted = "|".join(units.get("counted", ())) or "(?!)"
        self.lead = re.compile(rf"(?:{before or '(?!)'})[\s了]?$")
        post = f"(?:(?P<post>{after or '(?!)'}))?"
        unit = rf"(?P<unit>{names}|(?![十百千万亿余多]))"
        tail = rf"(?P<m1>[余多来几])?\s?(?P<mult>[十百千万亿]*?)(?P<m2>[余多])?\s?{unit}(?:\([^()\d]{{1,3}}\))?"
        dash = r"\s?[-—–―~∼至到]{1,2}\s?"
        self.range = re.compile(
            rf"(?P<a>{ARABIC})\s?(?P<am>[十百千万亿]*)(?P<au>{names})?{dash}(?P<b>{ARABIC}){tail}(?:之间)?{post}"
        )
        self.number = re.compile(rf"(?P<a>{ARABIC})\s?{tail}{post}")
        self.worded = re.compile(
            rf"(?:(?P<pct>百分之)(?P<p>[{WORD_CHARS}点]+)|(?P<den>[三四五六七八九十百千万]+)分之(?P<num>[一二三四五六七八九]+)"
            rf"|(?P<ten>[一二两三四五六七八九])成(?:(?P<half>半)|(?P<ten2>[一二三四五六七八九]))?(?![立为员长效本果功型品交熟人分])"
            rf"|翻(?P<fan>[一二两三]?)番|(?P<digits>[两三四])位数(?:增长)?){post}"
        )
        self.bare = re.compile(
            rf"(?P<pre>超过|突破|首次突破|超|破|近|达到?|过)(?P<cn>[十百千万亿]{{1,3}})(?P<unit>元|人次|户|亩|人|家)?(?![一-龥]?[级强名])"
        )
        self.count = re.compile(
            rf"(?:(?<=完成)|(?<=新建)|(?<=建成)|(?<=新增)|(?<=改造)|(?<=建设)|(?<=打造)|(?<=修建)|(?<=引进)|(?<=开工)|(?<=启动)|(?<=创建)|"
            rf"(?<=培育)|(?<=举办)|(?<=扩建)|(?<=投用)|(?<=建立)|(?<=增加)|(?<=实施)|(?<=维修))(?P<cn>[二两三四五六七八九十]{{1,3}})(?P<unit>{counted})"
            rf"(?!(?:全面|意识|自信|维护|到位|坚持|体系|聚焦|提升|行动|方面|战略|中心|转变|重点|清单|专项))"
        )

    def find(self, text: str) -> list[Quantity]:
        """Every quantity of a folded text, in order, without overlaps."""
        masked, taken = mask(text), bytearray(len(text))
        found: list[Quantity] = []
        for pattern, build in (
            (self.range, self._ranged),
            (self.number, self._numbered),
            (self.worded, self._in_words),
            (self.bare, self._bare),
            (self.count, self._counted),
        ):
            for match in pattern.finditer(masked):
                quantity = build(match, text)
                if quantity and not any(taken[quantity.start : quantity.end]):
                    found.append(quantity)
                    taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
        found = sorted([*found, *_terms(text)], key=lambda q: q.start)
        return self._from_to([self._based(q, text) for q in found if not self._threshold(q, text)], text)

    def _based(self, quantity: Quantity, text: str) -> Quantity:
        """不低于居住用地供应总量的70%: the bound stands before what the share is of."""
        match = (
            _BASE.search(text, max(0, quantity.start - 30), quantity.start) if quantity.family == "percent" else None
        )
        if match is None or quantity.qualifier != "exact":
            return quantity
        return bounded(replace(quantity, qualifier=self.before[match[1]], low=None, high=None))

    def _qualifier(self, match: re.Match[str]) -> str:
        groups = match.groupdict()
        pre, post = groups.get("pre"), groups.get("post")
        if pre and self.before.get(pre) in ("at_least", "at_most", "over", "under"):
            return self.before[pre]
        if post:
            return self.after[post]
        if groups.get("m1") or groups.get("m2"):
            return "over"
        return self.before.get(pre or "", "exact")

    def _unit(self, match: re.Match[str], text: str) -> tuple[str | None, str, float, bool]:
        """Unit with its multiplier, its class, and whether the noun of the unit was cut off (突破100亿)."""
        mult, unit = match["mult"] or "", match["unit"] or None
        if unit in ("个百分点", "个点"):
            unit = "百分点"
        if unit:
            scale = 1.0
            if mult in ("十", "百", "千") and self.family[unit] not in ("power",):
                scale, mult = float(MULTIPLIERS[mult]), ""
            return mult + unit, self.family[unit], scale, False
        if mult in ("万", "亿", "万亿", "千万", "百万", "千亿", "百亿"):
            scale = {"千万": 1000.0, "百万": 100.0, "千亿": 1000.0, "百亿": 100.0}.get(mult, 1.0)
            base = mult[-1] if scale > 1 else mult
            if "亿" in mult:
                return base + "元", "money", scale, True
            return base + "人", "person", scale, True
        return None, "", 1.0, False

    def _numbered(self, match: re.Match[str], text: str) -> Quantity | None:
        unit, family, scale, elided = self._unit(match, text)
        if unit is None or (family == "time" and not _timed(text, match.start())):
            return None
        people = _PEOPLE.match(text, match.end()) if elided and match["post"] is None and unit.endswith("人") else None
        if people:
            unit, family = (unit[:-1] + "户", "household") if people[1] in ("家庭", "户") else (unit, family)
            value = round(arabic(match["a"]) * scale, 10)
            return bounded(
                Quantity(
                    match.start(),
                    match.end(),
                    value,
                    None,
                    None,
                    unit,
                    family,
                    self._qualifier(match),
                    note="unit from the noun",
                )
            )
        if (
            elided
            and _NOUN.match(text[match.end() : match.end() + 1])
            and match["post"] is None
            and match["pre"] is None
        ):
            return None  # 5万居民 has no unit we could name; 万 alone before a noun is a scale of that noun
        value = round(arabic(match["a"]) * scale, 10)
        return bounded(
            Quantity(
                match.start(), match.end(), value, None, None, unit, family, self._qualifier(match), elided_unit=elided
            )
        )

    def _ranged(self, match: re.Match[str], text: str) -> Quantity | None:
        unit, family, scale, elided = self._unit(match, text)
        low, high = arabic(match["a"]), arabic(match["b"]) * scale
        if (
            unit is None
            or family == "time"
            or re.search(r"[从由自]\s*$", text[max(0, match.start() - 2) : match.start()])
        ):
            return None
        if match["am"] and not match["mult"]:
            return None
        low *= scale
        if match["am"] and match["mult"] and match["am"] != match["mult"]:
            low = low * _scale(match["am"]) / _scale(match["mult"])
        if not low < high:
            return None
        return Quantity(
            match.start(), match.end(), None, low, round(high, 10), unit, family, "range", elided_unit=elided
        )

    def _in_words(self, match: re.Match[str], text: str) -> Quantity | None:
        groups, value, unit, family = match.groupdict(), None, "%", "percent"
        if groups["pct"]:
            value = words(groups["p"])
        elif groups["den"]:
            below, above = words(groups["den"]), words(groups["num"])
            value = round(above / below, 4) if below and above else None
            unit, family = "比例", "ratio"
            if below == 10 and value:
                value, unit, family = value * 100, "%", "percent"
        elif groups["ten"]:
            value = (words(groups["ten"]) or 0) * 10 + (5 if groups["half"] else words(groups["ten2"] or "零") or 0)
        elif groups["digits"]:
            digits = int(words(groups["digits"]) or 2)
            return Quantity(
                match.start(), match.end(), None, 10.0 ** (digits - 1), 10.0**digits - 1, "%", family, "range", "words"
            )
        else:
            value, unit, family = 2.0 ** (words(groups["fan"] or "一") or 1), "倍", "ratio"
        if value is None:
            return None
        return bounded(
            Quantity(match.start(), match.end(), value, None, None, unit, family, self._qualifier(match), "words")
        )

    def _bare(self, match: re.Match[str], text: str) -> Quantity | None:
        scale = {"万": "万", "亿": "亿", "万亿": "万亿"}.get(match["cn"])
        value = 1.0
        if scale is None and match["cn"][-1] in "万亿":
            value, scale = words(match["cn"][:-1]) or 1.0, match["cn"][-1]
        if scale is None:
            return None
        unit = match["unit"] or ("元" if "亿" in scale else "人")
        if match["unit"] is None and "亿" not in scale:
            return None
        qualifier = {"近": "about"}.get(match["pre"], "exact" if match["pre"].startswith("达") else "over")
        return bounded(
            Quantity(match.start(), match.end(), value, None, None, scale + unit, self.family[unit], qualifier, "words")
        )

    def _counted(self, match: re.Match[str], text: str) -> Quantity | None:
        value = words(match["cn"])
        if value is None:
            return None
        return bounded(
            Quantity(
                match.start(),
                match.end(),
                value,
                None,
                None,
                match["unit"],
                self.family[match["unit"]],
                "exact",
                "words",
            )
        )

    def _threshold(self, quantity: Quantity, text: str) -> bool:
        """Whether the value only sizes the things that are counted (5000万元以上重大项目, 300平方米标准)."""
        rest = text[quantity.end : quantity.end + 12]
        if quantity.family in ("money", "area", "power") and quantity.qualifier in ("at_least", "at_most"):
            if re.match(r"[一-龥“]", rest) and not _NOT_NOUN.match(rest):
                return text[quantity.end - 2 : quantity.end] in ("以上", "以下", "以内")
        if text[quantity.end - 3 : quantity.end] in ("及以上", "及以下"):
            return True
        if re.match(r"的[^,。;、]{0,14}企业", rest) and _SIZED.search(
            text[max(0, quantity.start - 12) : quantity.start]
        ):
            return quantity.family == "money"
        if (
            quantity.family == "money"
            and _SIZED.search(text[max(0, quantity.start - 12) : quantity.start])
            and _OF_FIRMS.match(text, quantity.end)
        ):
            return True
        if quantity.family in ("mass", "power", "volume") and _PLANT.match(rest):
            return True
        return quantity.family != "percent" and bool(re.match(r"的?标准|级|/", rest))

    @staticmethod
    def _from_to(found: list[Quantity], text: str) -> list[Quantity]:
        """由64户增长至81户, 从74%增加到94.16%: the value is the end, the start is kept beside it."""
        kept: list[Quantity] = []
        for quantity in found:
            before = kept[-1] if kept else None
            if before and before.unit == quantity.unit or (before and before.family == quantity.family):
                between = text[before.end : quantity.start]
                left = text[max(0, before.start - 6) : before.start]
                if re.fullmatch(r"[^,。;、\d]{0,8}(?:至|到|为)\s*", between) and re.search(
                    r"[从由](?:20\d\d年的?)?[^,。;、]{0,3}$", left
                ):
                    kept[-1] = replace(quantity, origin=text[before.start : before.end])
                    continue
            kept.append(quantity)
        return kept


def _scale(mult: str) -> float:
    total = 1.0
    for char in mult:
        total *= MULTIPLIERS[char]
    return total


def _terms(text: str) -> list[Quantity]:
    """Spans of time that are promised: 轮候时间不超过5年, 审批时限压缩至3个工作日."""
    found = []
    for match in _TERM.finditer(text):
        ceiling = match["pre"] in ("不超过", "不得超过", "控制在") or match["post"] in ("以内", "以下", "之内", "内")
        qualifier = "at_most" if ceiling else "under" if match["pre"] in ("低于", "少于") else "exact"
        unit = match["unit"]
        found.append(
            bounded(Quantity(match.start("pre"), match.end(), float(match["a"]), None, None, unit, "time", qualifier))
        )
    return found


def _timed(text: str, start: int) -> bool:
    """Days and years are quantities only of the few indicators that are measured in them."""
    return bool(
        re.search(r"优良[^,。;]{0,8}$|寿命[^,。;]{0,8}$|达标天数[^,。;]{0,6}$", text[max(0, start - 16) : start])
    )


def bounded(quantity: Quantity) -> Quantity:
    """The bounds that follow from value and qualifier: 以上 fills only the lower one."""
    value = quantity.value
    if quantity.qualifier in ("at_least", "over"):
        return replace(quantity, low=value)
    if quantity.qualifier in ("at_most", "under"):
        return replace(quantity, high=value)
    return replace(quantity, low=value, high=value)


def mask(text: str) -> str:
    """The folded text with everything blanked that holds numbers but no quantity."""
    return _MASKS.sub(lambda m: "\0" * len(m[0]), text)
