"""Naming what a value measures: the words before it, the noun behind it, or the subject carried on from before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from monitor.model import Indicator
from monitor.targets.phrases import Surroundings, before_noun, elided, grows, strip_words, verb_start
from monitor.targets.places import SAID_OF_PLACE
from monitor.targets.quantities import Quantity
from monitor.targets.subjects import Lexicon, Match, plain

# Indicators so general that a longer name found across two part-sentences is the better one.
GENERIC = frozenset(
    {"project_investment", "upper_level_funds", "key_projects", "projects_completed", "demolition_rate"}
)
_LIST_VERB = re.compile(
    r"新增|净增|引进|引入|招引|培育|储备|签约|拆除|改造|新建|改扩建|扩建|维修|发放|投放|争取|建成|谋划|入库|完成"
)
_DRAWN = re.compile(r"引进|招引|引入|签约")  # of what is drawn in the verb says more than the size
_PLAN_RATE = re.compile(r"占(?:年|全年|年度|年初|预算|计划|任务|目标)")
_OF_PLAN = re.compile(
    r"(?:为|完成|达到?|是|占)(?:了|全年|年度|年初|全市|全县|全区|调整|省|市|区|县)*(?:任务|预算|计划|目标)(?:任务|目标|数|总额|安排)?的?\s*$"
)
_NUMBER = re.compile(r"\d[\d.,]*[万亿千百]*[余多]?[个处条家户项%]?")
_END = re.compile(r"[,;:。！？!?\n\r]")
_LEADING = re.compile(
    r"(?:[\s、,和及与:;—-]|(?:大关|新?台阶|关口)(?=[、,])|[一二三四五六七八九十]{1,3}[、.]|[(][一二三四五六七八九十\d]{1,3}[)]|\d{1,2}[.、])+"
)
_COUNTED = re.compile(r"(?<![A-Za-z\d.])\d")  # PM2.5 counts nothing
_OWN_VALUE = re.compile(r"、[一-龥]{2,10}\d[\d.,]*[万亿]?(?:公里|亩|米|平方米|吨|元)")
_OF_WORKS = {"old_estate_households": re.compile(r"小区|庭院|老旧|旧改|楼|住房|房屋")}
_CONTEXT = 80
_NUMBERED = re.compile(r"^\s*(?:[(]\d{1,2}[)]|\d{1,2}[.、)])\s*")
_DATES = re.compile(r"(?:19|20)\d\d年?|\d+月|\d+日")
_AGAIN = re.compile(
    r"今年|去年|明年|年内|全年|计划|力争|确保|目标|累计|(?:国家|[省市县区])级(?:以上)?|基本|[新再又共将已拟还的]"
)
_BARE = re.compile(
    r"(?:新?[改扩]?建设?|改造|整治|维修|建成|完成|实施|认定|培育|引进|增[加设]?|安排|发放|培训|获批|评定|创建|申报|打造|打通|种植|栽植|整修|加装|布设|购置|投放|更新)?"
)
_MEASURE = re.compile(
    r"工?业?增加值|工?业?总?产值|(?:营业|销售|主营业务)?收入|利润总?额?|利税|税收|税金|投资|总?产量?|单产|到位|到账|人均|零售额|营业额|面积"
)
_ASSIGNED = re.compile(r"下达的?[^,。;\d]{2,}?(?:任务|目标|指标|计划)")  # …下达的节能减排任务 names what it is about
_ANY = re.compile(r"(?:完成|实施|认定|安排|增[加设]?|建|建设|获批|评定|申报)?")
_RELATIVE_GROWTH = frozenset({"in_step", "above_ref", "sign", "flat", "trend", "assigned", "double"})


@dataclass(frozen=True, slots=True)
class Naming:
    """How the indicator of one value was found; `[start, end)` is the shortest stretch with name and value."""

    indicator: Indicator | None
    words: str
    start: int
    end: int
    rule: str
    inherited: bool = False


@dataclass(slots=True)
class Subject:
    """What the text is speaking of: carried on to values that name nothing."""

    indicator: Indicator | None = None
    words: str = ""
    phrase: str = ""
    start: int = 0
    strength: str = "none"
    family: str = ""
    parts: tuple[tuple[str, Indicator | None], ...] = ()  # of a 分别 list
    whole: str = ""  # what the next 其中 is a part of
    said: tuple[tuple[str, Indicator | None], ...] = ()  # what the last values of the line were about
    recent: dict[str, Indicator] = field(default_factory=dict)  # last indicator of each unit and class of unit
    phrases: dict[str, str] = field(default_factory=dict)  # the words around it, by unit


@dataclass(frozen=True, slots=True)
class Value:
    """One quantity of a sentence and the words around it."""

    text: str  # the folded text
    sentence: int  # where the sentence starts
    quantity: Quantity
    around: Surroundings
    form: str = "number"  # or one of relatives.py

    @property
    def growth(self) -> bool:
        return grows(self.around.words) or self.form in _RELATIVE_GROWTH

    @property
    def start(self) -> int:
        """Where its own words begin, without connectors."""
        match = _LEADING.match(self.around.words)
        return self.around.left + (match.end() if match and match.end() < len(self.around.words) else 0)

    @property
    def rest(self) -> str:
        """What follows in the part-sentence, numbers left out."""
        stop = _END.search(self.text, self.quantity.end, self.quantity.end + 60)
        end = stop.start() if stop else self.quantity.end + 60
        if _OWN_VALUE.match(self.text, self.around.right):
            end = self.around.right  # 建成铁路320公里、高速公路600公里
        return _NUMBER.sub("", self.text[self.quantity.end : end])[:30]

    @property
    def said(self) -> str:
        """The value as written."""
        return self.text[self.quantity.start : self.quantity.end]

    @property
    def own(self) -> str:
        return self.around.words.lstrip(" 、,和及")


class Namer:
    """The names of one vocabulary, looked up for one value after another."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.shares = lexicon.shares()

    def find(self, phrase: str, value: Value, *, growth: bool | None = None, anchor: int | None = None) -> Match | None:
        """The best name in a phrase for the unit of this value."""
        grown = value.growth if growth is None else growth
        return self.lexicon.find(phrase, value.quantity.unit, growth=grown, anchor=anchor)

    def known(self, phrase: str, value: Value, *, growth: bool | None = None) -> Indicator | None:
        """The indicator of the best name, if any."""
        match = self.find(phrase, value, growth=growth)
        if match and match.indicator.id in _OF_WORKS:
            begin = max(value.sentence, value.quantity.start - _CONTEXT)
            if not _OF_WORKS[match.indicator.id].search(value.text, begin, value.quantity.start):
                return None  # 惠及412户: of whatever was done
        return match.indicator if match else None

    def name(self, value: Value, subject: Subject) -> Naming:
        """The indicator of one value that stands for itself (lists are read by lists.py)."""
        words = value.around.words
        own = self.known(words, value)
        if value.form == "number" and before_noun(value.around, value.quantity.family, known=own is not None):
            return self._behind(value)
        if value.form in ("assigned", "double"):
            own = own or self.known(value.text[value.around.left : value.quantity.end], value)
        if elided(words) and own is None and not (value.form == "assigned" and _ASSIGNED.search(value.said)):
            return self._inherit(value, subject)
        if value.quantity.unit == "%" and _OF_PLAN.search(words) and not strip_words(_OF_PLAN.sub("", words)):
            return self._naming(value, subject.indicator, "rate of the plan", inherited=True)
        if "占" in words and value.quantity.family in ("percent", "ratio"):
            return self._share(value, subject)
        if own is None and value.form == "number":
            again = self._again(value, subject)
            if again or self._bare(value, subject):
                found = again or self._measure(value, subject)
                return self._naming(value, found, "the same again", inherited=True)
        if own is None and value.form == "number" and SAID_OF_PLACE.fullmatch(words.strip(" 、,;")):
            return self._naming(value, self.topic(value, subject), "a place under a topic", inherited=True)
        if own is None and value.growth and re.match(r"\s*(?:在|仍|继续|也)", words):
            topic = self._topic(value)
            if topic:
                return self._naming(value, topic, "subject of the part-sentence before", inherited=True)
        return self._naming(value, self._widened(value, own, subject), "name before the value")

    def _again(self, value: Value, subject: Subject) -> Indicator | None:
        """今年再改造27个 after 老旧小区去年改造31个: a bare verb speaks of what was last counted in that unit."""
        verb = _AGAIN.sub("", strip_words(value.around.words))
        unit = self.lexicon.base(value.quantity.unit or "")
        before = subject.recent.get(unit)
        if before is None or not _BARE.fullmatch(verb):
            return None
        said = subject.phrases.get(unit, "")
        return before if _ANY.fullmatch(verb) or any(c in said for c in verb) else None

    def _measure(self, value: Value, subject: Subject) -> Indicator | None:
        """完成增加值21.3亿元 after 规上工业企业86家: a measure without its group is that of the group just named."""
        noun = strip_words(value.around.words)
        heads = (subject.words, *(subject.words[:cut] for cut in (4, 3, 2)))
        names = (
            (noun + subject.words, *(head + noun for head in heads)) if noun == "人均" else [h + noun for h in heads]
        )
        return next((found for name in names if (found := self.known(name, value))), None)

    @staticmethod
    def _bare(value: Value, subject: Subject) -> bool:
        if re.search(r"[总合]计", value.around.words[-4:]):
            return False
        return bool(subject.words) and bool(_MEASURE.fullmatch(strip_words(value.around.words)))

    @staticmethod
    def _naming(value: Value, indicator: Indicator | None, rule: str, *, inherited: bool = False) -> Naming:
        words = strip_words(value.around.words) or value.around.words.strip()
        return Naming(indicator, words, value.start, value.quantity.end, rule, inherited)

    def _widened(self, value: Value, own: Indicator | None, subject: Subject) -> Indicator | None:
        """A better or any name from the words beyond: over a comma, under a shared verb, behind the value, 其中."""
        if value.form in ("number", "zero") and (own is None or own.id in GENERIC):
            own = self._across(value) or own
        if own is not None and own.id == "key_projects":
            drawn = _DRAWN.search(value.own)
            return (self.known(drawn[0] + "项目", value) if drawn else None) or own
        if own is not None or value.form != "number":
            return own
        words = value.own
        shared = self._headed(value, subject) if value.around.listed else None
        if shared:
            return shared
        if value.around.listed:
            verb = _LIST_VERB.search(value.text, value.around.clause, value.around.left)
            words = (verb[0] if verb else "") + words
        beyond = value.around.after if value.quantity.family == "thing" else value.rest
        match = self.find(words + beyond, value, anchor=len(words))
        if match:
            return match.indicator
        if value.quantity.unit == "百分点":
            return subject.indicator  # 降幅较一季度收窄2.1个百分点
        counted = value.quantity.family in ("thing", "person", "household")
        if counted and re.match(r"\s*其中", value.around.words) and subject.family == value.quantity.family:
            return subject.indicator
        return None

    def _headed(self, value: Value, subject: Subject) -> Indicator | None:
        """粮食播种面积46.5万亩、总产19.2万吨: the head noun is said once."""
        for cut in (2, 3, 4):
            head = subject.words[:cut]
            match = self.lexicon.find(head + value.own, value.quantity.unit, growth=value.growth, across=cut)
            if match and len(head) == cut and match.at == 0:
                return match.indicator
        return None

    def _across(self, value: Value) -> Indicator | None:
        """A name split over two part-sentences: 推进秸秆综合利用,综合利用率达到95%."""
        before = value.text[max(value.sentence, value.around.left - 40) : value.around.left]
        before = _NUMBER.sub("", re.sub(r"[,;:、]", "", before))
        match = self.lexicon.find(
            before + value.own, value.quantity.unit, growth=value.growth, across=len(plain(before))
        )
        return match.indicator if match and "…" in match.alias else None

    def _share(self, value: Value, subject: Subject) -> Naming:
        """占 names a share: of the thing before it, of the subject so far, or of the year's plan."""
        bare = not strip_words(value.around.words.rpartition("占")[0])
        if bare and _PLAN_RATE.search(value.around.words):
            return self._naming(value, subject.indicator, "rate of the plan", inherited=True)
        match = self.lexicon.find((subject.words if bare else "") + value.own, value.quantity.unit, share=True)
        if match is None and bare and subject.indicator in self.shares:
            return self._naming(value, self.shares[subject.indicator], "share of the subject", inherited=True)
        if match is None:
            found = self._across(value)
            return self._naming(value, found if found and "share" in found.forms else None, "share", inherited=bare)
        return self._naming(value, match.indicator, "share", inherited=bare)

    def _behind(self, value: Value) -> Naming:
        """27条道路的维修改造: the name behind the value, with the verb before it."""
        quantity, around = value.quantity, value.around
        clause = value.text[max(around.clause, quantity.start - 40) : quantity.start]
        if around.listed:
            verb = _LIST_VERB.search(clause)
            clause = verb[0] if verb else ""
        match = self.find(around.after, value, growth=False, anchor=0)
        indicator = match.indicator if match else None
        wide = self.find(clause + around.after, value, growth=False, anchor=len(clause))
        limit = len(plain(clause))
        if wide and wide.end > limit and (wide.at < limit or indicator is None):
            indicator = wide.indicator
        if indicator is None:
            match = self.find(value.rest, value, growth=False, anchor=0)
            indicator = match.indicator if match else None
        end = quantity.end + len(around.after.rstrip())
        name = around.after.lstrip("的 ").rstrip()
        return Naming(indicator, name, verb_start(around, quantity.start), end, "name behind the value")

    # ------------------------------------------------------------------ elided subjects

    def _inherit(self, value: Value, subject: Subject) -> Naming:
        """A value that names nothing: 同比增长56.02%, 达到18.6亿元, 今年安排23个."""
        words = value.around.words
        if "占" in words and value.quantity.unit == "%" and subject.indicator in self.shares:
            return self._naming(value, self.shares[subject.indicator], "share of the subject", inherited=True)
        name = value.text[value.start : value.quantity.start].strip(" \t、,:;—-") or subject.words
        indicator = self._titled(value)
        if indicator is not None:
            pass
        elif words.strip(" 、"):
            indicator = self._joined(value, subject)
            if indicator is None and subject.words:
                indicator = self._renamed(value, subject)
            indicator = indicator or self._across(value)
        elif value.around.listed:
            indicator, name = self.known(subject.phrase, value), subject.words or name
        start = value.start if words.strip(" 、和及") or not value.around.listed else subject.start
        indicator = indicator or self._topic(value) or self._carried(value, subject)
        return Naming(indicator, name, start, value.quantity.end, "subject elided", True)

    def _renamed(self, value: Value, subject: Subject) -> Indicator | None:
        """The subject's words read for this unit. Of the same sentence and unnamed, they have to end in the name.

        口岸进出口货运量450万吨,增长12%: 进出口 only says whose freight it is.
        """
        match = self.find(subject.words + value.own, value)
        unnamed = subject.indicator is None and subject.start >= value.sentence
        if match and unnamed and match.end < len(plain(subject.words)):
            return None
        return self.known(subject.words + value.own, value)

    def _titled(self, value: Value) -> Indicator | None:
        """固投:增长8%: what stands before the colon."""
        clause = value.around.clause
        if value.text[clause - 1 : clause] != ":" or clause <= value.sentence:
            return None
        begin = max(value.text.rfind(c, value.sentence, clause - 1) for c in ",;。") + 1
        phrase = _NUMBERED.sub("", value.text[max(begin, value.sentence) : clause - 1])
        return None if _COUNTED.search(_DATES.sub("", phrase)) else self.known(phrase, value)

    def _joined(self, value: Value, subject: Subject) -> Indicator | None:
        """A name of the subject so far and a new verb: 新开工项目25个,竣工18个."""
        unit, edge = value.quantity.unit, len(plain(subject.words))
        if not edge:
            return None
        match = self.lexicon.find(subject.words + value.own, unit, growth=value.growth, across=edge)
        return match.indicator if match else None

    def _carried(self, value: Value, subject: Subject) -> Indicator | None:
        """The subject of the value before, where its unit goes with it."""
        unit, before = value.quantity.unit, subject.indicator
        if before and (unit in ("%", "百分点") or self.lexicon.measures(before, unit)):
            return before
        before = subject.recent.get("thing") if value.quantity.family == "thing" else None
        return before if before and self.lexicon.fits(before, unit, growth=False) == 2 else None

    def topic(self, value: Value, subject: Subject) -> Indicator | None:
        """固定资产投资方面,…: what is spoken of, else what was spoken of before."""
        return self._topic(value) or self._carried(value, subject)

    def _topic(self, value: Value) -> Indicator | None:
        """The subject of a part-sentence without a value just before this one."""
        begin, clause = value.sentence, value.around.clause
        while clause > begin:
            before = max(max(value.text.rfind(c, begin, clause - 1) for c in ",;:") + 1, begin)
            phrase = value.text[before:clause]
            if re.search(r"\d", _DATES.sub("", phrase)):
                return None
            found = self.known(phrase.strip(",;:"), value)
            if found:
                return found
            clause = before
        return None
