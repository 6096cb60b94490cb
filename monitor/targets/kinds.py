"""The fields that follow from value, name and words: kind, direction, basis, tier, scope, stage, vintage, …"""

from __future__ import annotations

import re

from monitor.model import Indicator, Role
from monitor.targets import relatives
from monitor.targets.naming import Naming, Value
from monitor.targets.phrases import direction_of, strip_words, to_level
from monitor.targets.sections import Sentence

_REACHED = re.compile(
    r"(?:达到?|突破|超过|为|共有|总数|总量|稳定在|保持在|增长[到至]|发展到|增加[到至]|拥有|增至|户数|数量|有)\s*$"
)
_THINGS = frozenset({"thing", "person", "household", "area", "length"})
_ADDS = re.compile(r"新增|净增|增加|扩充|增选|再增|增设|增至")
_REACHES = re.compile(r"(?:达到?|突破|超过|增[加至]到?)\s*$")
_TO = re.compile(r"(?:达到?|突破|超过)\s*$")
_ADDED = re.compile(r"新增|净增|引进")
_BASIS = (
    ("annual_average", re.compile(r"年均")),
    ("comparable", re.compile(r"可比口径|可比价|同口径|可比增长")),
    ("cumulative", re.compile(r"累计")),
    ("yoy", re.compile(r"同比|[比较](?:上年|去年|上一年)")),
)
_SCOPE = re.compile(
    r"不含(?:农户|[^,。;、()]{2,10}?(?:开发区|新区|园区|高新区))|[含]\s?[^,。;、()]{2,8}?(?:开发区|新区|高新区)|全社会|"
    r"[区市县省州旗]本级|[区市县省]级(?=一般|财政|收入)|全口径|地方级|同口径|可比口径|自然口径|属地口径|[剔扣]除[^,。;、]{2,12}?(?:因素|影响)|留抵退税"
)
_OF_WHOLE = re.compile(r"占|的\s*$")  # 为年初预算的102.3%
_WORKS = frozenset({"thing", "length", "area", "volume", "power", "household"})
_STAGES = (
    ("谋划", r"谋划|储备|包装|策划|规划|论证"), ("启动", r"启动|筹建|实施|推进|续建|推动"),
    ("开工", r"(?:新开|开|动|复)工|开建|奠基"), ("完成", r"完成|建成|竣工|完工|交付"),
    ("投用", r"投用|投产|投入使用|投入运营|启用|通车|达产|建成投用|竣工投产"),
)  # fmt: skip
_STAGE = re.compile("|".join(f"(?:{words})" for _, words in reversed(_STAGES)))
_VINTAGES = (
    ("revised", re.compile(r"修订后|修订数|调整后|最终核实")),
    ("preliminary", re.compile(r"初步(?:核算|统计|测算|预计)|快报")),
    ("final", re.compile(r"决算|年鉴")),
)
_SPENT = re.compile(r"完成[^,。;]{0,8}投资|计划[^,。;]{0,4}投资")
_PART_END = re.compile(r"[;。！？!?\n]")
# Sums of unrelated projects share one indicator: their object tells them apart.
SUMS = frozenset({"project_investment", "support_funds", "relief_funds"})
_TOTAL = re.compile(r"(?:总投资|投资总额|投资额|总投入|计划投资|年度投资|完成投资)[^,。;]{0,6}$")
_PREDICATE = re.compile(
    r"(?:\d{1,2}月|[上下]半年|[一二三四]季度|年内|年底|于|将|已|计划|力争|确保|全部|全面|正式|顺利|提前|加快|开工|建成|竣工|投产|投用|启动|落地|签约).*$"
)
_OF_MANY = re.compile(r"的\d+[余多]?个([^,。;、\d]{2,20})")
_NEXT = re.compile(r"[,、]([^,。;\n]{2,40})")
_PUSHED = re.compile(r"(?:继续|加快|提速|推动|抓好|做好|发挥好|指导|开展|重点)[^,。;]{0,30}$")
_OTHERS = re.compile(
    r"(?:国家|全国|中央|国务院|省(?:委|政府)?里?|自治区|上级)(?:层面)?(?:提出|确定|下达|设定|定)的?|(?:省|国)定(?:目标|的)"
)
_HONOUR = re.compile(r"荣誉|称号|表彰|奖")
_FORMS = {
    "in_step": "relative", "above_ref": "relative", "below_ref": "relative", "trend": "relative",
    "assigned": "relative", "all": "commitment", "zero": "commitment", "double": "commitment", "sign": "growth",
    "flat": "growth",
}  # fmt: skip


def kind(value: Value, indicator: Indicator | None) -> str:
    """growth level share count amount commitment relative change."""
    quantity, forms = value.quantity, indicator.forms if indicator else ()
    if value.form in _FORMS:
        return _FORMS[value.form]
    if quantity.unit == "百分点":
        return "change"
    if quantity.family == "percent":
        if forms and "growth" not in forms and (not value.growth or set(forms) & {"share", "level"}):
            return "level" if forms[0] == "level" else "share"
        rises = bool(forms) and not set(forms) & {"share", "level"} and "growth" in forms
        if rises and not _OF_WHOLE.search(value.around.words):
            return "growth"  # 增长5.5%左右,力争达到6%
        return "growth" if value.growth else "share"
    if quantity.family == "ratio":
        return "growth" if quantity.unit == "倍" else "share"
    if quantity.family in ("thing", "person", "household"):
        return _counted(forms, value.around.words)
    return "level" if forms == ("level",) or quantity.family in ("density", "time") else "amount"


def _counted(forms: tuple[str, ...], words: str) -> str:
    """A stock that is reached is a level; things done or added are a count."""
    if forms == ("level",):
        return "level"
    if "amount" in forms and "count" not in forms:
        return "amount"
    reached = bool(_REACHED.search(words)) and not _ADDED.search(words)
    return "level" if reached and (not forms or "level" in forms) else "count"


def direction(value: Value, indicator: Indicator | None) -> str:
    """increase, decrease or level."""
    said = relatives.direction(value.form, value.quantity, value.text)
    if said:
        return said
    around = value.around
    words = value.text[around.clause : value.quantity.start] if around.listed else around.words
    if indicator and indicator.name.startswith("新增") and "%" not in (value.quantity.unit or ""):
        return "increase"
    if value.quantity.family in _THINGS:
        return "increase" if _ADDS.search(words[-24:]) and not _REACHES.search(words) else "level"
    reached = to_level(words) or bool(_TO.search(words) and "新增" not in words)
    return "level" if reached else direction_of(words[-24:])


def basis(value: Value, *, inherited: bool) -> str | None:
    """同比, 可比口径, 年均, 累计: only a written word counts. 按可比价格计算 may stand one part-sentence before."""
    words = value.around.words
    if inherited:
        before = value.text[max(value.sentence, value.around.left - 16) : value.around.left]
        words = (before if "可比" in before else "") + words
    found = [name for name, pattern in _BASIS if pattern.search(words)]
    return "+".join(found) or None


def tier(value: Value, role: Role) -> str:
    """borderline: 百分点 comparisons, honours, sizes of one project, things that are only pushed on."""
    quantity, around = value.quantity, value.around
    if quantity.unit == "百分点" or relatives.borderline(value.form) or _HONOUR.search(around.words + around.after):
        return "borderline"
    if _OTHERS.search(value.text, around.clause, quantity.start):
        return "borderline"  # another government's target, quoted
    if quantity.family == "money" and around.after.startswith("的"):
        return "borderline"
    before = value.text[around.clause : quantity.start]
    if role == "target" and quantity.family == "thing" and around.after.strip() and _PUSHED.search(before):
        return "borderline"
    return "core"


def scope(value: Value) -> str | None:
    """口径: what a figure takes in or leaves out, as written beside it."""
    found = _SCOPE.finditer(value.text, value.around.left, value.around.right)
    return "+".join(dict.fromkeys(m[0] for m in found)) or None


def stage(value: Value, indicator: Indicator | None) -> str | None:
    """How far works are to come or have come: 谋划 启动 开工 完成 投用, by the nearest verb of the part-sentence."""
    around = value.around
    if value.quantity.family == "money" and indicator is not None and indicator.id in SUMS:
        return _stage_of_sum(value)
    if value.quantity.family not in _WORKS or (indicator is not None and "level" in indicator.forms):
        return None
    before = list(_STAGE.finditer(value.text, around.clause, value.quantity.start))
    match = before[-1] if before else _STAGE.search(value.text, value.quantity.end, around.right)
    return _staged(match)


def _staged(match: re.Match[str] | None) -> str | None:
    return next((name for name, group in _STAGES if match and re.fullmatch(group, match[0])), None)


def _stage_of_sum(value: Value) -> str | None:
    """A sum has the stage of its project: 总投资36亿元的产业园6月底前开工. 完成投资 is money spent, no stage."""
    before = list(_STAGE.finditer(_SPENT.sub("", value.text[value.around.clause : value.quantity.start])))
    stop = _PART_END.search(value.text, value.quantity.end)
    end = min(stop.start() if stop else len(value.text), value.quantity.end + 60)
    match = _STAGE.search(value.text, value.quantity.end, end) or (before[-1] if before else None)
    return _staged(match)


def vintage(sentence: str, strength: str) -> str | None:
    """How firm a result is, where the sentence says: 预计, 初步核算, 最终核实, 修订."""
    if strength == "expect":
        return "expected"
    return next((name for name, words in _VINTAGES if words.search(sentence)), None)


def purpose(value: Value, before: str, *, near: bool) -> str | None:
    """The project or works of a sum: 总投资 speaks of the thing before it, 投资…元 of what follows.

    `near`: what was spoken of `before` stands in the same sentence.
    """
    around = value.around
    if around.after.startswith("的"):
        counted = _OF_MANY.match(value.text, value.quantity.end)
        return _PREDICATE.sub("", counted[1] if counted else around.after[1:]).strip() or None
    total = _TOTAL.search(around.words)
    if total:
        own = strip_words(around.words[: total.start()])
        return own or (before if near or not total[0].startswith("完成") else "") or None
    after = around.after.strip("的 ")
    if len(after) < 2:
        match = _NEXT.match(value.text, value.quantity.end)
        after = match[1] if match and not re.search(r"\d", match[1]) else ""
    return after or None


def persistence(value: Value, indicator: Indicator | None, sentence: Sentence, role: Role) -> str:
    """One-off works and projects are no news when the next report is silent about them."""
    if sentence.headline or role == "actual":
        return "recurring"
    if indicator is None:
        return "recurring" if value.quantity.family in ("percent", "ratio", "") else "one_off"
    return "one_off" if indicator.id in ("project_investment", "project_area") else "recurring"


def confidence(naming: Naming, because: str) -> float:
    """Lower without a known indicator, with a subject carried on, and where only the passage told the role."""
    score = 0.95 if naming.indicator else 0.75
    if naming.inherited:
        score -= 0.1
    if "passage" in because:
        score -= 0.25
    return round(score, 2)
