"""Text to targets: every stated quantity with its indicator, role, period and bounds, by rules that say why.

Pure and linear: one pass over the sentences; a quantity looks at its own sentence and at the subject before it.
Offsets count code points of the text as given, BOM and carriage returns included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from monitor.model import Indicator, Role, Target, Vocabulary
from monitor.targets import relatives
from monitor.targets.numbers import fold
from monitor.targets.periods import Clock, Mention, document_clock, mentions
from monitor.targets.phrases import (
    Surroundings,
    before_noun,
    direction,
    elided,
    grows,
    strip_words,
    surroundings,
    to_level,
    verb_start,
)
from monitor.targets.quantities import Finder, Quantity
from monitor.targets.roles import Judge, heading_mood, mood
from monitor.targets.sections import Outline, Sentence
from monitor.targets.subjects import QUOTES, Lexicon

_LEVEL_VERBS = re.compile(
    r"(?:达到?|突破|超过|为|共有|总数|总量|稳定在|保持在|增长[到至]|发展到|增加[到至]|拥有|增至|户数|数量|有)\s*$"
)
_BASIS = (
    ("annual_average", re.compile(r"年均")),
    ("comparable", re.compile(r"可比口径|可比价|同口径|可比增长|可比价格")),
    ("cumulative", re.compile(r"累计")),
    ("yoy", re.compile(r"同比|[比较](?:上年|去年|上一年)")),
)
_PUSHED = re.compile(r"(?:继续|加快|提速|推动|抓好|做好|发挥好|指导|开展|重点)[^,。;]{0,30}$")
_MEASURE = re.compile(r"(?:收入|增速|增幅|投资|产值|增加值|总额|率|比重|占比|消费|价格|指数)$")
_GENERIC = frozenset({"project_investment", "key_projects", "projects_completed", "demolition_rate"})
_VERBS = re.compile(
    r"(?:新增|净增|引进|引入|招引|培育|储备|签约|拆除|改造|新建|改扩建|扩建|维修|发放|投放|争取|建成|谋划|入库|完成)"
)
_PLAN_RATE = re.compile(r"占(?:年|全年|年度|年初|预算|计划|任务|目标)")
_HONOUR = re.compile(r"荣誉|称号|表彰|奖")


@dataclass(slots=True)
class _Subject:
    """What the sentence is speaking of: carried on to values that name nothing."""

    indicator: Indicator | None = None
    words: str = ""
    phrase: str = ""
    strength: str = "none"
    parts: tuple[tuple[str, Indicator | None], ...] = ()  # subjects of a 分别 list


@dataclass(slots=True)
class _State:
    """What is remembered from one sentence to the next."""

    subject: _Subject = field(default_factory=_Subject)
    topic: str = ""
    family: str = ""  # of the last value
    recent: dict[str, Indicator] = field(default_factory=dict)  # last indicator of each class of unit in this section
    moods: list[float] = field(default_factory=list)
    heading: str | None = None
    line: int = -1
    period: str | None = None  # of the running line
    past: bool | None = None


@dataclass(frozen=True, slots=True)
class _Naming:
    """How the indicator of one value was found."""

    indicator: Indicator | None
    words: str
    start: int
    end: int
    rule: str
    inherited: bool = False


class Reader:
    """All rules compiled for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.finder = Finder(vocabulary.units, vocabulary.words)
        self.lexicon = Lexicon(vocabulary.indicators, vocabulary.units)
        self.outline = Outline(vocabulary.words)
        self.judge = Judge(vocabulary.words)

    def read(self, text: str, clock: Clock) -> tuple[Target, ...]:
        """Every target and actual of a text."""
        folded = fold(text)
        quantities = self.finder.find(folded)
        found: list[Target] = []
        state, at = _State(), 0
        for sentence in self.outline.sentences(folded, clock):
            while at < len(quantities) and quantities[at].start < sentence.start:
                at += 1
            first = at
            while at < len(quantities) and quantities[at].end <= sentence.end:
                at += 1
            passage = _Passage(self, text, folded, sentence, state, clock)
            found.extend(passage.targets(quantities[first:at]))
        return tuple(sorted(found, key=lambda t: (t.vstart, t.start)))


class _Passage:
    """One sentence being read."""

    def __init__(self, reader: Reader, text: str, folded: str, sentence: Sentence, state: _State, clock: Clock) -> None:
        self.reader, self.text, self.folded = reader, text, folded
        self.sentence, self.state = sentence, state
        self.clock = replace(clock, forward=sentence.forward)
        self.words = folded[sentence.start : sentence.end]

    def targets(self, numbers: list[Quantity]) -> list[Target]:
        """The items of this sentence; the state moves on either way."""
        state, sentence = self.state, self.sentence
        if sentence.heading != state.heading:
            state.heading, state.subject, state.topic = sentence.heading, _Subject(phrase=sentence.heading or ""), ""
            state.recent = {}
            state.moods = [heading_mood(sentence.heading or "")]
        if sentence.line != state.line:
            state.line, state.period, state.past = sentence.line, None, None
        if sentence.role is None:
            state.moods.append(mood(self.words))
        times = mentions(self.words, self.clock)
        forms = [(f, _moved(q, sentence.start)) for f, q in relatives.find(self.words)]
        forms = [(f, q) for f, q in forms if not any(n.start < q.end and q.start < n.end for n in numbers)]
        everything = sorted([("number", q) for q in numbers] + forms, key=lambda pair: pair[1].start)
        if not everything:
            state.topic = self.words
            self._carry_time(times, sentence.end)
            return []
        quantities = [q for _, q in everything]
        found: list[Target] = []
        for index, (form, quantity) in enumerate(everything):
            found.extend(self._items(quantities, index, form, quantity, times))
        self._carry_time(times, sentence.end)
        return found

    # ------------------------------------------------------------------ time

    def _carry_time(self, times: list[Mention], until: int) -> None:
        """A time phrase that opens a part-sentence holds for the rest of its line."""
        for mention in times:
            lasting = (self.sentence.opens and mention.start <= 6) or not (self.sentence.period or self.clock.year)
            if (
                lasting
                and mention.period
                and self._opens(mention)
                and not mention.word.startswith(("到", "至", "年底"))
            ):
                self.state.period, self.state.past = mention.period, mention.past

    def _opens(self, mention: Mention) -> bool:
        before = self.words[: mention.start]
        return not before or bool(
            re.search(r"[,;:。(【】\s]$|^.{0,6}(?:力争|确保|预计|其中|,|计划)$|^\s*[—-]+$", before)
        )

    def _time(self, quantity: Quantity, clause: int, times: list[Mention]) -> tuple[str | None, bool | None, str]:
        """The period of a value: its own part-sentence, else what the sentence, line or section speaks of."""
        at = quantity.start - self.sentence.start
        near = [
            m
            for m in times
            if clause - self.sentence.start <= m.start and m.end <= at and (m.period or m.past is not None)
        ]
        if near:
            return near[-1].period, near[-1].past, "own period"
        after = [
            m
            for m in times
            if at < m.start < at + 14 and m.period and not re.search(r"[,;。]", self.words[at : m.start])
        ]
        if after and after[0].past is False:
            return after[0].period, after[0].past, "own period"
        earlier = [m for m in times if m.end <= at and m.period and (self._opens(m) or m.past is not None)]
        if earlier:
            return earlier[-1].period, earlier[-1].past, "period of the sentence"
        if self.state.period:
            return self.state.period, self.state.past, "period of the paragraph"
        if self.sentence.period:
            return self.sentence.period, None, "period of the section"
        return None, None, "no period"

    # ------------------------------------------------------------------ naming

    def _items(
        self, quantities: list[Quantity], index: int, form: str, quantity: Quantity, times: list[Mention]
    ) -> list[Target]:
        around = surroundings(self.folded, self.sentence.start, self.sentence.end, quantities, index)
        listed = self._respectively(quantities, index, around)
        if listed is not None:
            namings, quantity = listed
        else:
            namings = self._name(quantity, around, form, index)
        if form != "number" and not self._worth(form, namings, around):
            return []
        out = [self._target(quantity, around, naming, form, times, index) for naming in namings]
        last = namings[-1]
        if form in ("number", "in_step", "above_ref", "sign") and quantity.unit != "百分点":
            old = self.state.subject
            parts = old.parts if listed is not None or last.inherited else ()
            kept = last.inherited and old.words and (last.indicator is old.indicator or last.indicator is None)
            self.state.family = quantity.family
            if last.indicator:
                self.state.recent[quantity.family] = last.indicator
            self.state.subject = _Subject(
                last.indicator,
                old.words if kept else last.words,
                old.phrase if kept else around.words,
                out[-1].strength,
                parts,
            )
        return out

    @staticmethod
    def _worth(form: str, namings: list[_Naming], around: Surroundings) -> bool:
        """Statements without a number are kept where they name something we know, or speak of 全覆盖."""
        naming = namings[-1]
        if form == "all":
            return len(naming.words) >= 2 and not around.listed
        if form in ("zero", "in_step"):
            return len(naming.words) >= 2
        if form == "above_ref":
            return naming.indicator is not None or bool(_MEASURE.search(naming.words))
        if form == "trend" and not naming.words.endswith(_names_of(naming.indicator)):
            return False
        return naming.indicator is not None and naming.indicator.id not in _GENERIC

    def _find(self, phrase: str, quantity: Quantity, growth: bool, anchor: int | None = None) -> Indicator | None:
        match = self.reader.lexicon.find(phrase, quantity.unit, growth=growth, anchor=anchor)
        return match.indicator if match else None

    def _name(self, quantity: Quantity, around: Surroundings, form: str, index: int) -> list[_Naming]:
        """The indicators of one value, usually one."""
        words = around.words
        growth = grows(words) or form in ("in_step", "above_ref", "sign", "trend", "assigned", "double")
        own = self._find(words, quantity, growth)
        if form == "number" and before_noun(around, quantity.family, known=own is not None):
            return [self._behind(quantity, around)]
        if form in ("assigned", "double"):
            own = own or self._find(self.folded[around.left : quantity.end], quantity, True)
        if elided(words) and own is None:
            return [self._inherit(quantity, around, growth, index)]
        start = self._left_start(around)
        both = self._both(quantity, around, growth)
        if both:
            return both
        if own is None and growth:
            topic = self._topic_indicator(around, quantity, growth)
            if topic and re.match(r"\s*(?:在|仍|继续|也)", words):
                return [
                    _Naming(
                        topic, strip_words(words) or words, start, quantity.end, "subject of the clause before", True
                    )
                ]
        name = strip_words(words)
        if "占" in words and quantity.family in ("percent", "ratio"):
            return [self._share(quantity, around, start)]
        if form in ("number", "zero") and (own is None or own.id in _GENERIC):
            own = self._joined(quantity, around, growth) or own
        if own is None and form == "number":
            own = self._wider(quantity, around, growth)
        if own is None and re.match(r"\s*其中", words) and self.state.family == quantity.family:
            own = self.state.subject.indicator
        return [_Naming(own, name or words.strip(), start, quantity.end, "name before the value")]

    def _share(self, quantity: Quantity, around: Surroundings, start: int) -> _Naming:
        """占 names a share: of the thing before it, of the subject so far, or of the year's plan (then the subject's own rate)."""
        head, _, _ = around.words.rpartition("占")
        subject, name = self.state.subject, strip_words(around.words) or around.words.strip()
        if not strip_words(head) and _PLAN_RATE.search(around.words):
            return _Naming(subject.indicator, name, start, quantity.end, "rate of the plan", True)
        phrase = (subject.words if not strip_words(head) else "") + around.words.lstrip(" 、,")
        match = self.reader.lexicon.find(phrase, quantity.unit)
        if match is None or ("占" not in match.alias and "share" not in match.indicator.forms):
            found = self._joined(quantity, around, False)
            known = found if found and "share" in found.forms else None
            return _Naming(known, name, start, quantity.end, "share", not strip_words(head))
        return _Naming(match.indicator, name, start, quantity.end, "share", not strip_words(head))

    def _joined(self, quantity: Quantity, around: Surroundings, growth: bool) -> Indicator | None:
        """A name split over two part-sentences: 推进秸秆综合利用,综合利用率达到95%."""
        before = self.folded[max(self.sentence.start, around.left - 40) : around.left]
        before = re.sub(r"[,;:、]|\d[\d.,]*[万亿千百]*[余多]?[个处条家户项%]?", "", before)
        words = around.words.lstrip(" 、,")
        match = self.reader.lexicon.find(before + words, quantity.unit, growth=growth, across=len(_plain(before)))
        return match.indicator if match and "…" in match.alias else None

    def _wider(self, quantity: Quantity, around: Surroundings, growth: bool) -> Indicator | None:
        """A verb shared by a list (新增…5家、高新技术企业74家) or a name that goes on behind the value."""
        words = around.words.lstrip(" 、,和及")
        if around.listed:
            verb = _VERBS.search(self.folded[around.clause : around.left])
            words = (verb[0] if verb else "") + words
        rest = self._rest(quantity)
        return self._find(words + rest, quantity, growth, len(words))

    def _rest(self, quantity: Quantity) -> str:
        """What follows in the part-sentence, numbers left out."""
        stop = re.compile(r"[,;:。！？!?\n]|$").search(self.folded, quantity.end)
        return re.sub(
            r"\d[\d.,]*[万亿千百]*[余多]?[个处条家户项%]?",
            "",
            self.folded[quantity.end : stop.start() if stop else quantity.end],
        )[:30]

    def _behind(self, quantity: Quantity, around: Surroundings) -> _Naming:
        """27条道路的维修改造: the name behind the value, with the verb before it."""
        clause = self.folded[max(around.clause, quantity.start - 40) : quantity.start]
        if around.listed:
            verb = _VERBS.search(clause)
            clause = verb[0] if verb else ""
        after = around.after
        indicator = self._find(after, quantity, False, 0)
        wide = self.reader.lexicon.find(clause + after, quantity.unit, growth=False, anchor=len(clause))
        limit = len(_plain(clause))
        if wide and wide.end > limit and (wide.at < limit or indicator is None):
            indicator = wide.indicator
        if indicator is None:
            indicator = self._find(self._rest(quantity), quantity, False, 0)
        name = after.lstrip("的 ").rstrip()
        start = verb_start(around, quantity.start)
        end = quantity.end + len(after.rstrip())
        return _Naming(indicator, name, start, end, "name behind the value")

    def _inherit(self, quantity: Quantity, around: Surroundings, growth: bool, index: int) -> _Naming:
        """A value that names nothing: 同比增长56.02%, 达到18.6亿元, 今年安排23个."""
        subject, words = self.state.subject, around.words
        start = self._left_start(around)
        name = re.sub(r"^[\s、,:;—-]+", "", words).strip() or subject.words
        indicator = None
        if words.strip(" 、"):
            indicator = self._find(subject.words + words.lstrip(" 、,"), quantity, growth) if subject.words else None
            indicator = indicator or self._joined(quantity, around, growth)
        if indicator is None and around.listed and not words.strip(" 、和及"):
            indicator = self._find(subject.phrase, quantity, growth)
            name = subject.words or name
        if indicator is None and index == 0:
            indicator = self._topic_indicator(around, quantity, growth)
        if indicator is None:
            indicator = self._topic_indicator(around, quantity, growth)
        if (
            indicator is None
            and subject.indicator
            and self.reader.lexicon.fits(subject.indicator, quantity.unit, growth=growth or quantity.unit == "%")
        ):
            indicator = subject.indicator
        if indicator is None and subject.indicator and quantity.unit in ("%", "百分点"):
            indicator = subject.indicator
        if indicator is None and quantity.family == "thing":
            indicator = self.state.recent.get(quantity.family)
        return _Naming(indicator, name, start, quantity.end, "subject elided", True)

    def _topic_indicator(self, around: Surroundings, quantity: Quantity, growth: bool) -> Indicator | None:
        """The subject of a part-sentence without a value just before this one."""
        begin = self.sentence.start
        clause = around.clause
        while clause > begin:
            before = max((self.folded.rfind(c, begin, clause - 1) for c in ",;:"), default=-1) + 1
            before = max(before, begin)
            phrase = self.folded[before:clause]
            if re.search(r"\d", re.sub(r"(?:19|20)\d\d年?|\d+月|\d+日", "", phrase)):
                return None
            found = self._find(phrase.strip(",;:"), quantity, growth)
            if found:
                return found
            clause = before
        return None

    def _left_start(self, around: Surroundings) -> int:
        match = re.match(r"[\s、,和及与:;—-]+", around.words)
        return around.left + (match.end() if match and match.end() < len(around.words) else 0)

    def _both(self, quantity: Quantity, around: Surroundings, growth: bool) -> list[_Naming] | None:
        """甲、乙增长3%左右 and 甲率和乙率均达到95%: one value for two subjects."""
        name = strip_words(around.words)
        if around.listed or not re.search(r"[、和及]", name) or "等" in name:
            return None
        parts = [p for p in re.split(r"[、和及]", name) if p]
        if not 2 <= len(parts) <= 4:
            return None
        shared = re.search(r"(?<![平人户年日])均|都", around.words[-8:]) or all(p.endswith("率") for p in parts)
        found = [self._whole(self._completed(p, parts, quantity, growth), quantity, growth) for p in parts]
        known = {f.id for f in found if f}
        if not (len(known) == len(parts) and quantity.family in ("", "percent")) and not (
            shared and all(len(p) >= 3 for p in parts)
        ):
            return None
        start = self._left_start(around)
        return [_Naming(i, p, start, quantity.end, "value shared by a list") for i, p in zip(found, parts, strict=True)]

    def _whole(self, name: str, quantity: Quantity, growth: bool) -> Indicator | None:
        """An indicator whose name is most of the phrase."""
        match = self.reader.lexicon.find(name, quantity.unit, growth=growth)
        return match.indicator if match and match.end - match.at >= 0.6 * len(_plain(name)) else None

    # ------------------------------------------------------------------ lists with 分别

    def _respectively(
        self, quantities: list[Quantity], index: int, around: Surroundings
    ) -> tuple[list[_Naming], Quantity] | None:
        """城镇、农村居民人均可支配收入分别增长5.5%和7%左右: values and subjects in order, the last qualifier shared."""
        first = index
        while first > 0 and re.fullmatch(
            r"\s*[、和及与,]\s*", self.folded[quantities[first - 1].end : quantities[first].start]
        ):
            first -= 1
        head = surroundings(self.folded, self.sentence.start, self.sentence.end, quantities, first)
        if "分别" not in head.words:
            return None
        last = index
        while last + 1 < len(quantities) and re.fullmatch(
            r"\s*[、和及与,]\s*", self.folded[quantities[last].end : quantities[last + 1].start]
        ):
            last += 1
        quantity = quantities[index]
        growth = grows(head.words)
        parts = self._parts(head, quantity, growth)
        if not parts:
            return None
        if (
            last > first
            and quantity.qualifier == "exact"
            and quantities[last].qualifier in ("about", "at_least", "at_most")
        ):
            closing = quantities[last]
            if not re.match(r"[约近不超突低]", self.folded[closing.start : closing.start + 1]):
                quantity = _requalified(quantity, closing.qualifier)
        start = self._left_start(head)
        end = quantities[last].end
        self.state.subject.parts = parts
        if last == first:
            return [_Naming(i, w, start, end, "one value for each of a list") for w, i in parts], quantity
        if index - first >= len(parts):
            return None
        words, indicator = parts[index - first]
        return [_Naming(indicator, words, start, end, "list with 分别")], quantity

    def _parts(self, head: Surroundings, quantity: Quantity, growth: bool) -> tuple[tuple[str, Indicator | None], ...]:
        """The subjects of a 分别 list: 城乡 stands for both, and a shared head noun is added to each."""
        before, _, behind = head.words.partition("分别")
        name = strip_words(before)
        if not name or elided(before):
            return self.state.subject.parts
        if "城乡" in name:
            pair = [name.replace("城乡", "城镇"), name.replace("城乡", "农村")]
        else:
            pair = [p for p in re.split(r"[、和及与]", name) if p]
        if len(pair) < 2:
            return ()
        tail = strip_words(re.sub(r"增长|下降", "", behind))
        out = []
        for part in pair:
            whole = self._completed(part, pair, quantity, growth)
            found = self._find(whole, quantity, growth) or (self._find(tail, quantity, growth) if tail else None)
            out.append((whole if part != whole else part, found))
        return tuple(out)

    def _completed(self, part: str, parts: list[str], quantity: Quantity, growth: bool) -> str:
        """城镇 beside 农村居民人均可支配收入 is 城镇居民人均可支配收入."""
        best, longest = part, 0.0
        first, last = parts[0], parts[-1]
        if part == last:
            return self._prefixed(last, first, quantity, growth)
        for cut in range(1, min(len(last), 12)):
            match = self.reader.lexicon.find(part + last[cut:], quantity.unit, growth=growth)
            if match and match.at < len(part) < match.end and match.score > longest:
                best, longest = part + last[cut:], match.score
        return best

    def _prefixed(self, last: str, first: str, quantity: Quantity, growth: bool) -> str:
        """巩固率 after 义务教育入学率 is 义务教育巩固率."""
        if self._find(last, quantity, growth):
            return last
        for cut in range(min(len(first) - 1, 10), 1, -1):
            match = self.reader.lexicon.find(first[:cut] + last, quantity.unit, growth=growth)
            if match and match.at < cut < match.end:
                return first[:cut] + last
        return last

    # ------------------------------------------------------------------ the item

    def _target(
        self, quantity: Quantity, around: Surroundings, naming: _Naming, form: str, times: list[Mention], index: int
    ) -> Target:
        sentence, folded = self.sentence, self.folded
        period, past, why = self._time(quantity, around.clause, times)
        before = folded[sentence.start : quantity.start]
        role, because = self.reader.judge.role(
            sentence.role,
            before,
            folded[quantity.end : sentence.end],
            past,
            sum(self.state.moods[:1] + self.state.moods[1:][-6:]),
        )
        strength = self._strength(quantity, around, naming, role)
        words = around.words
        growth = grows(words)
        start = min(naming.start, quantity.start)
        indicator = naming.indicator
        unit = self._unit(quantity, indicator)
        heading = None if period else self._default_period(role)
        return Target(
            role=role,
            start=start, end=max(naming.end, quantity.end), text=self.text[start : max(naming.end, quantity.end)],
            vstart=quantity.start, vend=quantity.end, value_text=self.text[quantity.start : quantity.end],
            indicator=naming.words, canonical=indicator.name if indicator else None,
            indicator_id=indicator.id if indicator else None,
            value=quantity.value, value_min=quantity.low, value_max=quantity.high, unit=unit,
            qualifier=quantity.qualifier, strength=strength,
            direction=self._direction(quantity, around, indicator, form),
            basis=self._basis(around, naming), kind=_kind(quantity, indicator, words, growth, form),
            period=period or heading, tier=self._tier(quantity, around, form, role),
            section=sentence.heading, sent_start=sentence.start, sent_end=sentence.end,
            sentence=self.text[sentence.start : sentence.end].strip(), headline=sentence.headline and role == "target",
            object=self._object(naming), persistence=_persistence(indicator, quantity, sentence, role),
            parent=self.state.subject.words or None if re.match(r"\s*其中", words) else None,
            vintage="preliminary" if role == "actual" and strength == "expect" else None,
            confidence=_confidence(indicator, because, naming), rule=f"{naming.rule}; {because}; {why}",
            note=quantity.note or (f"from={quantity.origin}" if quantity.origin else None),
        )  # fmt: skip

    def _default_period(self, role: Role) -> str | None:
        year = self.clock.year if role == "target" else self.clock.review
        return str(year) if year else None

    def _object(self, naming: _Naming) -> str | None:
        if naming.inherited and naming.indicator is None:
            return self.state.subject.words or None
        return None

    def _unit(self, quantity: Quantity, indicator: Indicator | None) -> str | None:
        """A cut-off unit is the indicator's: 突破100亿 of a fund is 亿元."""
        if not quantity.elided_unit or not quantity.unit or indicator is None:
            return quantity.unit
        scale = quantity.unit.rstrip("元人")
        bases = [self.reader.lexicon.base(u) for u in indicator.units if u not in ("%", "同步")]
        return scale + bases[0] if bases and scale + bases[0] not in ("",) else quantity.unit

    def _strength(self, quantity: Quantity, around: Surroundings, naming: _Naming, role: Role) -> str:
        words = self.folded[around.clause : quantity.start]
        own = self.reader.judge.strength(words)
        if own is None and (re.match(r"\s*(?:其中|包括)", around.words) or naming.inherited):
            own = self.state.subject.strength
        if own == "plan" and role == "actual":
            return "none"
        return own or "none"

    def _direction(self, quantity: Quantity, around: Surroundings, indicator: Indicator | None, form: str) -> str:
        said = relatives.direction(form, quantity, self.folded)
        if said:
            return said
        words = self.folded[around.clause : quantity.start] if around.listed else around.words
        if indicator and indicator.name.startswith("新增") and "%" not in (quantity.unit or ""):
            return "increase"
        tail = words[-24:]
        return direction(
            tail,
            to_level=to_level(words)
            or (bool(re.search(r"(?:达到?|突破|超过)\s*$", words))
            and not re.search(r"新增", words)),
        )

    def _basis(self, around: Surroundings, naming: _Naming) -> str | None:
        words = around.words
        if naming.inherited or "分别" in words:
            words = (
                self.folded[max(self.sentence.start, around.left - 16) : around.left]
                * bool(re.search(r"可比", self.folded[max(self.sentence.start, around.left - 16) : around.left]))
                + words
            )
        found = [name for name, pattern in _BASIS if pattern.search(words)]
        return "+".join(found) or None

    def _tier(self, quantity: Quantity, around: Surroundings, form: str, role: Role) -> str:
        before = self.folded[around.clause : quantity.start]
        if quantity.unit == "百分点" or relatives.borderline(form) or _HONOUR.search(around.words + around.after):
            return "borderline"
        if quantity.family == "money" and around.after.startswith("的"):
            return "borderline"
        if role == "target" and quantity.family == "thing" and around.after.strip() and _PUSHED.search(before):
            return "borderline"
        return "core"


def _kind(quantity: Quantity, indicator: Indicator | None, words: str, growth: bool, form: str) -> str:
    """growth level share count amount commitment relative change."""
    if form in ("in_step", "above_ref", "below_ref", "trend", "assigned"):
        return "relative"
    if form in ("all", "zero", "double"):
        return "commitment"
    if form == "sign":
        return "growth"
    if quantity.unit == "百分点":
        return "change"
    forms = indicator.forms if indicator else ()
    if quantity.family == "percent":
        if forms and "growth" not in forms:
            return "level" if forms[0] == "level" else "share"
        return "growth" if growth else "share"
    if quantity.family == "ratio":
        return "growth" if quantity.unit == "倍" else "share"
    if quantity.family in ("thing", "person", "household"):
        return _counted(forms, words)
    return "level" if forms == ("level",) or quantity.family in ("density", "time") else "amount"


def _counted(forms: tuple[str, ...], words: str) -> str:
    if forms == ("level",):
        return "level"
    if "amount" in forms and "count" not in forms:
        return "amount"
    reached = bool(_LEVEL_VERBS.search(words)) and not re.search(r"新增|净增|引进", words)
    return "level" if reached and (not forms or "level" in forms) else "count"


def _persistence(indicator: Indicator | None, quantity: Quantity, sentence: Sentence, role: Role) -> str:
    """One-off works and projects are no news when the next report is silent about them."""
    if sentence.headline or role == "actual":
        return "recurring"
    if indicator is None and quantity.family in ("thing", "person", "household", "area", "length", "mass", "money"):
        return "one_off"
    return (
        "one_off" if indicator is not None and indicator.id in ("project_investment", "project_area") else "recurring"
    )


def _confidence(indicator: Indicator | None, because: str, naming: _Naming) -> float:
    score = 0.95 if indicator else 0.75
    if naming.inherited:
        score -= 0.1
    if "passage" in because:
        score -= 0.25
    return round(score, 2)


def _names_of(indicator: Indicator | None) -> tuple[str, ...]:
    return (indicator.name, *indicator.aliases) if indicator else ()


def _plain(phrase: str) -> str:
    return phrase.translate(QUOTES)


def _requalified(quantity: Quantity, qualifier: str) -> Quantity:
    low = quantity.value if qualifier in ("about", "at_least") else None
    high = quantity.value if qualifier in ("about", "at_most") else None
    return replace(quantity, qualifier=qualifier, low=low, high=high)


def _moved(quantity: Quantity, by: int) -> Quantity:
    return replace(quantity, start=quantity.start + by, end=quantity.end + by)


_readers: dict[int, Reader] = {}


def _reader(vocabulary: Vocabulary) -> Reader:
    """The compiled rules of a vocabulary, kept as long as the process: compiling costs more than reading a report."""
    reader = _readers.get(id(vocabulary))
    if reader is None or reader.vocabulary is not vocabulary:
        reader = _readers[id(vocabulary)] = Reader(vocabulary)
    return reader


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
    return _reader(vocabulary).read(text, document_clock(fold(text), title, published, year))
