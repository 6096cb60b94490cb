"""Text to targets: every stated quantity with its indicator, role, period and bounds, by rules that say why.

Pure and linear: one pass over the sentences; a quantity looks at its own sentence and at the subject before it.
Offsets count code points of the text as given, BOM and carriage returns included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from monitor.model import Indicator, Role, Target, Vocabulary
from monitor.targets import cells, kinds, relatives, tables
from monitor.targets.lists import Lists
from monitor.targets.naming import GENERIC, Namer, Naming, Subject, Value
from monitor.targets.numbers import fold
from monitor.targets.periods import Clock, Mention, deadline, mentions, passing
from monitor.targets.phrases import surroundings
from monitor.targets.quantities import Finder, Quantity
from monitor.targets.repeats import counted
from monitor.targets.roles import Judge, heading_mood, mood, question
from monitor.targets.sections import Outline, Sentence
from monitor.targets.subjects import Lexicon
from monitor.targets.wrapped import whole
from monitor.targets.years import document_clock

_MEASURE = re.compile(r"(?:收入|增速|增幅|投资|产值|增加值|总额|率|比重|占比|消费|价格|指数)$")
_OPENING = re.compile(r"(?:^|[,;:。(【】\s—-])(?:力争|确保|预计|其中|计划|争取|[我全本][省市区县]|[一-龥]{0,2})$")
_HANZI = re.compile(r"[一-龥]")
_REMEMBERED = 5  # subjects of a line that a later 分别 may mean
_HEDGES = frozenset({"about", "at_least", "at_most", "range"})  # 6%左右: results are known to the digit
_TOP = 600  # characters in which a text repeats its own title
_HEDGED = 4.0  # points of mood
_FAR = 600  # characters on either side of a value that can tell its role
_ASKED = 5.0  # what a question about plans or results makes of its answer
_REPORTED = -5.0  # a report on a part of the year tells results
_SO_FAR = re.compile(r"今年|截[至止]|目前|\d月")
_TOLD_OF = re.compile(r"[比较]|已")
_OF_WHOLE = re.compile(r"\s*(?:其中|包括)")
_MONTH = re.compile(r"\d{4}-\d\d")
_TOLD = 0.5
_MOOD_SPAN = 6  # sentences


@dataclass(slots=True)
class _State:
    """What is remembered from one sentence to the next."""

    subject: Subject = field(default_factory=Subject)
    heading: str | None = None
    heading_mood: float = 0.0
    moods: list[float] = field(default_factory=list)
    asked: float = 0.0  # what the last question was about
    told: float = 0.0  # what the last value with words of its own was: a hint where nothing else tells
    line: int = -1
    period: str | None = None  # of the running line
    past: bool | None = None


@dataclass(frozen=True, slots=True)
class _When:
    period: str | None
    past: bool | None
    rule: str


class Reader:
    """All rules compiled for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.finder = Finder(vocabulary.units, vocabulary.words)
        self.namer = Namer(Lexicon(vocabulary.indicators, vocabulary.units))
        self.lists = Lists(self.namer)
        self.outline = Outline(vocabulary.words)
        self.judge = Judge(vocabulary.words)

    def read(self, text: str, clock: Clock) -> tuple[Target, ...]:
        """Every target and actual of a text."""
        folded = fold(text)
        flat = cells.regions(folded)
        found = [item for region in flat for item in self._table(text, folded, region, clock)]
        folded = cells.hidden(folded, flat)
        quantities = self.finder.find(folded)
        state, at = _State(), 0
        clocks = {forward: replace(clock, forward=forward) for forward in (True, False)}
        table = tables.rows(folded) if "\t" in folded else {}
        for sentence in self.outline.sentences(folded, clock):
            while at < len(quantities) and quantities[at].start < sentence.start:
                at += 1
            first = at
            while at < len(quantities) and quantities[at].end <= sentence.end:
                at += 1
            if not _HANZI.search(folded, sentence.start, sentence.end):
                continue
            if sentence.start in table:
                row = table[sentence.start]
                found.extend(tables.read(text, folded, row, sentence, clock, self.namer.lexicon))
                continue
            passage = _Passage(self, text, folded, sentence, state, clocks[sentence.forward])
            found.extend(passage.targets(quantities[first:at]))
        return counted(sorted(found, key=lambda t: (t.vstart, t.start)))

    def _table(self, text: str, folded: str, region: cells.Region, clock: Clock) -> Iterator[Target]:
        for row in region.rows:
            place = Sentence(row.cells[0][0], row.cells[-1][1], None, None, None)
            yield from tables.read(text, folded, row, place, clock, self.namer.lexicon)


class _Passage:
    """One sentence being read."""

    def __init__(self, reader: Reader, text: str, folded: str, sentence: Sentence, state: _State, clock: Clock) -> None:
        self.reader, self.text, self.folded = reader, text, folded
        self.sentence, self.state = sentence, state
        self.clock = clock
        self.words = folded[sentence.start : sentence.end]
        self.times = mentions(self.words, self.clock)

    def targets(self, numbers: list[Quantity]) -> list[Target]:
        """The items of this sentence; the state moves on either way."""
        self._enter()
        forms = [(form, _moved(q, self.sentence.start)) for form, q in relatives.find(self.words)]
        forms = [(form, q) for form, q in forms if not any(n.start < q.end and q.start < n.end for n in numbers)]
        values = sorted([("number", q) for q in numbers] + forms, key=lambda pair: pair[1].start)
        quantities = [q for _, q in values]
        found: list[Target] = []
        for index, (form, _) in enumerate(values):
            found.extend(self._items(quantities, index, form))
        self._carry_time()
        return found

    def _enter(self) -> None:
        """A new heading forgets the subject, a new line its time."""
        state, sentence = self.state, self.sentence
        if sentence.heading != state.heading:
            state.heading, state.subject = sentence.heading, Subject(phrase=sentence.heading or "")
            state.heading_mood, state.moods = heading_mood(sentence.heading or ""), []
            state.asked = 0.0
        if sentence.line != state.line:
            state.line, state.period, state.past = sentence.line, None, None
            state.subject.said = ()
        asked = question(self.words, past=any(m.past for m in self.times)) if sentence.role is None else 0.0
        if asked:
            state.asked = asked * _ASKED
            state.moods = []
        elif sentence.role is None:
            state.moods = [*state.moods[1 - _MOOD_SPAN :], mood(self.words)]

    # ------------------------------------------------------------------ time

    def _carry_time(self) -> None:
        """A time phrase that opens a line holds for the rest of it."""
        undated = not (self.sentence.period or self.clock.year)
        for mention in self.times:
            lasting = (self.sentence.opens and mention.start <= 6) or undated or self._turns(mention)
            if (
                lasting
                and mention.period
                and not self._passing(mention)
                and not _MONTH.fullmatch(mention.period)
                and self._opens(mention)
                and (not deadline(mention.word) or self._lasts(mention))
            ):
                self.state.period, self.state.past = mention.period, mention.past

    def _turns(self, mention: Mention) -> bool:
        """去年支出增长5%,今年只增不减。改造…: another year ends what the line began with."""
        return (
            bool(self.state.period)
            and mention.past is not None
            and mention.word in ("今年", "去年", "明年", "上年", "新一年", "新的一年")
        )

    def _passing(self, mention: Mention) -> bool:
        """上半年启动… among the plans of a year is of that sentence alone; 上半年,… opens a paragraph."""
        return self.sentence.role == "target" and passing(mention, self.words)

    def _lasts(self, mention: Mention) -> bool:
        """到2025年 opens a paragraph of a plan for several years: all of it is for that year."""
        until = mention.word.startswith(("到", "至"))
        return (
            until and mention.start <= 2 and self.sentence.opens and (self.clock.year is None or bool(self.clock.span))
        )

    def _opens(self, mention: Mention) -> bool:
        before = self.words[max(0, mention.start - 40) : mention.start]
        return not before or bool(_OPENING.search(before))

    def _time(self, value: Value) -> _When:
        """The period of a value: its own part-sentence, else what the sentence, line or section speaks of."""
        at, clause = value.quantity.start - self.sentence.start, value.around.clause - self.sentence.start
        said = [m for m in self.times if m.end <= at and (m.period or m.past is not None)]
        if said and said[-1].start >= clause:
            return _When(said[-1].period, said[-1].past, "own period")
        for mention in self.times:
            behind = at < mention.start < at + 14 and not re.search(r"[,;。]", self.words[at : mention.start])
            if behind and mention.period and mention.past is False:
                return _When(mention.period, mention.past, "own period")
        said = [m for m in said if m.period and (m.past is not None or m.word == "全年" or self._opens(m))]
        if said:
            chosen = self._holding(said, at)
            if chosen:
                return _When(chosen.period, chosen.past, "period of the sentence")
        if self.state.period:
            return _When(self.state.period, self.state.past, "period of the paragraph")
        return _When(self.sentence.period, None, "period of the section" if self.sentence.period else "report year")

    def _spread(self, value: Value, when: _When) -> _When:
        """年均 is of several years: where the nearest time is a single one, that of the paragraph or section holds."""
        summed = "累计" in value.around.words[-12:] and when.rule != "own period"
        if not (summed or "年均" in value.around.words[-12:]) or not re.fullmatch(r"\d{4}", when.period or ""):
            return when
        wide = [p for p in (self.state.period, self.sentence.period) if p and re.fullmatch(r"\d{4}-\d{4}", p)]
        return _When(wide[0], when.past, "years of the paragraph") if wide else when

    def _holding(self, said: list[Mention], at: int) -> Mention | None:
        """今后五年…,到2026年达到650亿元;收入…: a time to reach something by ends with its part of the sentence.

        So does a part of a year in a paragraph on another part (上半年,…;1-5月,…;投资…). What opens the sentence, or a
        list (目标是:到2026年,…), goes on.
        """
        part = self.words.rfind(";", 0, at) + 1
        lasting = [m for m in said if m.start >= part or m.start <= 2 or not self._ends(m)]
        if not lasting:  # the paragraph has a time to go back to
            said = [m for m in said if not self._aside(m)]
        return next(reversed(lasting or said), None)

    def _ends(self, mention: Mention) -> bool:
        """到2026年; 2026年达到: a year that something is reached in; 1-5月 where the paragraph is on 上半年."""
        if self.words[mention.start - 1] == ":":
            return False
        reached = mention.word.endswith("年") and self.words.startswith(("达", "突破", "实现"), mention.end)
        return reached or (mention.period or "").startswith("by ") or self._aside(mention)

    def _aside(self, mention: Mention) -> bool:
        return "/" in (mention.period or "") and "/" in (self.state.period or "")

    # ------------------------------------------------------------------ items

    def _items(self, quantities: list[Quantity], index: int, form: str) -> list[Target]:
        """One value gives one item, or one for each subject that shares it."""
        start, end, subject = self.sentence.start, self.sentence.end, self.state.subject
        around = surroundings(self.folded, start, end, quantities, index)
        value = Value(self.folded, start, quantities[index], around, form)
        listed = self.reader.lists.respectively(quantities, index, value, end, subject)
        if listed is not None:
            namings, quantity, around = listed
            value = replace(value, quantity=quantity, around=around)
        else:
            namings = self.reader.lists.shared(value, subject) or [self.reader.namer.name(value, subject)]
        if form != "number" and (self._heads(value) or not _worth(value, namings[-1])):
            return []
        namings = [n for n in namings if n.indicator or _HANZI.search(n.words) or around.listed]
        if not namings:
            return []
        found = [self._target(value, naming) for naming in namings]
        if form in ("number", "in_step", "above_ref", "sign") and value.quantity.unit != "百分点":
            self._carry_subject(value, namings[-1], found[-1].strength, keep_parts=listed is not None)
        return found

    def _heads(self, value: Value) -> bool:
        """居民收入稳步增长。at the head of a paragraph announces what follows; it states nothing yet."""
        ends = not self.folded[value.quantity.end : self.sentence.end].strip("。!: ")
        return value.form == "trend" and self.sentence.opens and ends

    def _carry_subject(self, value: Value, naming: Naming, strength: str, *, keep_parts: bool) -> None:
        """What was named here is what a later value without a name is about."""
        old = self.state.subject
        same = naming.inherited and bool(old.words) and naming.indicator in (old.indicator, None)
        if naming.indicator:
            old.recent[value.quantity.family] = naming.indicator
            if value.quantity.unit and value.quantity.family != "percent" and not naming.inherited:
                unit = self.reader.namer.lexicon.base(value.quantity.unit)
                old.recent[unit] = naming.indicator
                old.phrases[unit] = self.folded[naming.start : naming.end]
        self.state.subject = Subject(
            naming.indicator,
            old.words if same else naming.words,
            old.phrase if same else value.around.words,
            min(naming.start, value.quantity.start),
            strength,
            value.quantity.family,
            old.parts if keep_parts or naming.inherited else (),
            old.whole if self._part(value) or naming.inherited else naming.words,
            old.said if naming.inherited else (*old.said[-_REMEMBERED:], (naming.words, naming.indicator)),
            old.recent,
            old.phrases,
        )

    def _target(self, value: Value, naming: Naming) -> Target:
        sentence, quantity, indicator = self.sentence, value.quantity, naming.indicator
        when = self._time(value)
        before = self.folded[max(sentence.start, quantity.start - _FAR) : quantity.start]
        after = self.folded[quantity.end : min(sentence.end, quantity.end + _FAR)]
        hedged = quantity.family == "percent" and quantity.qualifier in _HEDGES
        hedged = hedged and not _TOLD_OF.search(value.around.words)
        passage = self.state.heading_mood + sum(self.state.moods) + (_HEDGED if hedged else 0.0)
        passage += self.state.asked + (_REPORTED if self.clock.reported else 0.0)
        past = when.past
        if past is False and when.rule == "period of the paragraph" and self.reader.judge.reports(before):
            past = None
        role, because = self.reader.judge.role(sentence.role, before, after, past, passage or self.state.told)
        if sentence.role is None and "passage" not in because:
            self.state.told = _TOLD if role == "target" else -_TOLD
        if role == "actual" and self.clock.eve and when.period == str(self.clock.year):
            when = replace(when, period=str(self.clock.review))  # 预计全年…, said in December
        elif role == "actual" and self._young(when.period) and not _SO_FAR.search(before):
            when = replace(when, period=str(self.clock.review))  # 全年实现…, said in January
        strength = self._strength(value, naming, role)
        when = self._spread(value, when)
        start, end = min(naming.start, quantity.start), max(naming.end, quantity.end)
        return Target(
            role=role, start=start, end=end, text=self.text[start:end],
            vstart=quantity.start, vend=quantity.end, value_text=self.text[quantity.start : quantity.end],
            indicator=naming.words, canonical=indicator.name if indicator else None,
            indicator_id=indicator.id if indicator else None, indicator_en=indicator.en if indicator else None,
            value=quantity.value, value_min=quantity.low, value_max=quantity.high,
            unit=self._unit(quantity, indicator), qualifier=quantity.qualifier, strength=strength,
            direction=kinds.direction(value, indicator),
            basis=kinds.basis(value, inherited=naming.inherited or "分别" in value.around.words),
            kind=kinds.kind(value, indicator), period=when.period or self._default_period(role),
            tier=kinds.tier(value, role), section=sentence.heading, sent_start=sentence.start, sent_end=sentence.end,
            sentence=self.text[sentence.start : sentence.end].strip(), headline=sentence.headline and role == "target",
            object=self._object(value, naming), scope=kinds.scope(value),
            persistence=kinds.persistence(value, indicator, sentence, role),
            stage=kinds.stage(value, indicator), parent=self.state.subject.whole or None if self._part(value) else None,
            vintage=kinds.vintage(before + after, strength) if role == "actual" else None,
            confidence=kinds.confidence(naming, because), rule=f"{naming.rule}; {because}; {when.rule}",
            note=quantity.note or (f"from={quantity.origin}" if quantity.origin else None),
        )  # fmt: skip

    def _young(self, period: str | None) -> bool:
        """Whether a period is the year that a dated page has seen only the first weeks of."""
        today = self.clock.today
        return bool(today and self.clock.news and period == today[:4] and today[5:] <= "03" and self.clock.review)

    def _default_period(self, role: Role) -> str | None:
        if role == "target" and self.clock.span:
            return self.clock.span
        if role == "actual" and self.clock.reported:
            return self.clock.reported
        year = self.clock.year if role == "target" else self.clock.review
        return str(year) if year else None

    def _object(self, value: Value, naming: Naming) -> str | None:
        """What a nameless value is about, and which project, place or works a sum is spent on."""
        if naming.indicator is None:
            return self.state.subject.words or None if naming.inherited else None
        near = self.state.subject.start >= self.sentence.start
        return kinds.purpose(value, self.state.subject.words, near=near) if naming.indicator.id in kinds.SUMS else None

    def _unit(self, quantity: Quantity, indicator: Indicator | None) -> str | None:
        """A cut-off unit is the indicator's: 接待游客超80万 is 万人次."""
        if not quantity.elided_unit or not quantity.unit or indicator is None:
            return quantity.unit
        lexicon = self.reader.namer.lexicon
        bases = [lexicon.base(u) for u in indicator.units if u not in ("%", "同步")]
        return quantity.unit.rstrip("元人") + bases[0] if bases else quantity.unit

    def _part(self, value: Value) -> bool:
        """Whether a value is one of the parts of the value before: 其中甲6万亩、乙12万亩."""
        words = self.folded[value.around.clause : value.quantity.start]
        return bool(_OF_WHOLE.match(words))

    def _strength(self, value: Value, naming: Naming, role: Role) -> str:
        """The force word of the part-sentence; 其中 and values without a name take that of the value before."""
        own = self.reader.judge.strength(self.folded[value.around.clause : value.quantity.start])
        if own is None and (naming.inherited or self._part(value)):
            own = self.state.subject.strength
        return "none" if own is None or (own == "plan" and role == "actual") else own


def _worth(value: Value, naming: Naming) -> bool:
    """Statements without a number are kept where they name something we know, or speak of 同步, 为零 or 全覆盖."""
    if value.form == "all":
        return len(naming.words) >= 2 and not value.around.listed
    if value.form == "zero" and "清零" in value.text[value.quantity.start : value.quantity.end]:
        return naming.indicator is not None
    if value.form in ("zero", "flat", "in_step"):
        return len(naming.words) >= 2
    if naming.indicator is None:
        return value.form == "above_ref" and bool(_MEASURE.search(naming.words))
    if value.form == "trend" and not naming.words.endswith((naming.indicator.name, *naming.indicator.aliases)):
        return False
    return naming.indicator.id not in GENERIC


def _moved(quantity: Quantity, by: int) -> Quantity:
    return replace(quantity, start=quantity.start + by, end=quantity.end + by)


_readers: dict[int, Reader] = {}


def reader(vocabulary: Vocabulary) -> Reader:
    """The compiled rules of a vocabulary, kept as long as the process: compiling costs more than reading a report."""
    kept = _readers.get(id(vocabulary))
    if kept is None or kept.vocabulary is not vocabulary:
        kept = _readers[id(vocabulary)] = Reader(vocabulary)
    return kept


def extract(
    text: str,
    vocabulary: Vocabulary,
    *,
    title: str | None = None,
    published: str | None = None,
    year: int | None = None,
) -> tuple[Target, ...]:
    """Every target and actual of a text, in document order. Never raises; any text is read, most give nothing.

    `year` is the year the document sets targets for; without it, title, session and goal headings tell.
    `published` (YYYY-MM-DD) only helps an undated newspaper page that says 今年.
    """
    flat = whole(text)
    clock = document_clock(fold(flat.text), title, published, year)
    found = _read(flat.text, reader(vocabulary), clock, " ".join((title or "").split()))
    return tuple(flat.back(item, text) for item in found) if flat.at else found


def _read(text: str, rules: Reader, clock: Clock, title: str) -> tuple[Target, ...]:
    """A title heads its text as any other heading does, unless the text begins with it."""
    if not title or _BLANK.sub("", title) in _BLANK.sub("", text[:_TOP]):
        return rules.read(text, clock)
    found = rules.read(f"{title}\n{text}", clock)
    return tuple(_back(t, len(title) + 1) for t in found if t.start > len(title))


_BLANK = re.compile(r"[\s—–-]+")  # a page may break its title into lines


def _back(item: Target, by: int) -> Target:
    """A reading of a text with its title in front, in the text's own offsets."""
    return replace(
        item,
        start=item.start - by, end=item.end - by, vstart=item.vstart - by, vend=item.vend - by,
        sent_start=item.sent_start - by, sent_end=item.sent_end - by,
    )  # fmt: skip
