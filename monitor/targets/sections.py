"""The outline of a text: lines, sentences, headings, and whether each section speaks of promises or results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.model import Role
from monitor.targets.periods import Clock, deadline, mentions, passing

_LINE = re.compile(r"[^\r\n\u2028\u2029\v\f]+")
_SENTENCE = re.compile(r"[^。！？!?]{1,2000}[。！？!?]?[”\"』」)]?")  # bounded: what has no end is no sentence
_NUMBERING = re.compile(
    r"\s*(?:第[一二三四五六七八九十百\d]+[部章节]分?|[一二三四五六七八九十]{1,3}\s*[、.．]|[(（][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}\s*[.、．]\s*(?!\d)|"
    r"[一二三四五六七八九十]{1,2}(?:是|要)|[—-]{2}|[●■◆▲★·•]|【(?!\d{1,4}】)[^】\n]{1,24}】)\s*"
)
_LEVELS = (
    (re.compile(r"\s*第[一二三四五六七八九十百\d]+[部章]"), 1),
    (re.compile(r"\s*[一二三四五六七八九十]{1,3}\s*[、.．]"), 2),
    (re.compile(r"\s*[(（][一二三四五六七八九十]{1,3}[)）]"), 3),
    (re.compile(r"\s*(?:\d{1,2}\s*[.、．]|[(（]\d)"), 4),
    (re.compile(r"\s*【"), 5),
    (re.compile(r"\s*[一二三四五六七八九十]{1,2}(?:是|要)"), 6),
    (re.compile(r"\s*(?:[—-]{2}|[●■◆▲★·•])"), 7),
)
_UNNUMBERED = 8
_DASHED = re.compile(r"\s*[—-]{2}")
_DATE = re.compile(
    r"(?:19|20)\d\d(?:年度?|(?![\d.,%万亿余多名人户个家亩台套处项条座所公平米吨元件张场次辆]))|\d{1,2}月|\d{1,2}日"
)
_BARE_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d|年)")
_BUDGET = re.compile(r"预算(?:\(?草案\)?|安排|编制|收支)")
_GOALS = re.compile(r"(?:预期|主要|发展|奋斗|工作)目标")
_STATED = re.compile(
    r"同步|持平|翻[一两]?番|倍增|正增长|零增长|全覆盖|[快高低]于|百分之|清零"
)  # a goal without a digit, no heading
_SLOGAN = 20  # 过去一年,我们这样走过
_LISTED = 7  # —— items end with the first paragraph that has no dash
_SALUTATION = re.compile(r"\s*(?:各位(?:代表|委员|领导|同志|来宾)?|同志们)(?:、各位\S{2})?[!,:：！，]?\s*")
_FURNITURE = re.compile(
    r"版权所有|ICP备|公网安备|网站标识码|主办单位|承办单位|联系电话|打印本页|关闭窗口|字体大小|责任编辑|当前位置|浏览次数|网络经营许可|举报|爆料电话|邮编"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at `[start, end)` of the text, and what its place says about it."""

    start: int
    end: int
    heading: str | None
    role: Role | None
    period: str | None
    headline: bool = False  # in the list of main expected targets
    opens: bool = False  # first of its line
    line: int = 0
    forward: bool = True


@dataclass(frozen=True, slots=True)
class _Section:
    heading: str | None = None
    level: int = 0
    role: Role | None = None
    period: str | None = None
    headline: int = 0  # paragraphs that still belong to the list of goals
    explicit: bool = False  # the role was read from a heading or a goal sentence, not guessed


class Outline:
    """Walks a folded text once."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        heads = rules.get("sections", {})
        self.actual = re.compile(heads.get("actual", r"(?!)"))
        self.target = re.compile(heads.get("target", r"(?!)"))
        self.goal = re.compile(rules.get("goal", r"(?!)"))

    def sentences(self, text: str, clock: Clock) -> Iterator[Sentence]:
        """The sentences of the text, in order, headings and page furniture left out."""
        stack: list[_Section] = [_Section()]
        title = True
        for number, line in enumerate(_LINE.finditer(text)):
            body = line[0]
            if not body.strip() or (len(body) < 200 and _FURNITURE.search(body)):
                continue
            heading, offset = self._heading(body)
            if heading is None and stack[-1].level == _LISTED and not _DASHED.match(body):
                stack.pop()
            if heading is not None:
                self._push(stack, heading, _level(body), clock, title=title and (clock.news or bool(clock.reported)))
            title = False
            if heading is not None and offset >= len(body.rstrip()):
                continue
            yield from self._line(stack, body, line.start(), offset, number, clock)

    def _heading(self, body: str) -> tuple[str | None, int]:
        """The heading a line is, or opens with, and where its text goes on."""
        stripped = body.strip()
        marked = _NUMBERING.match(body)
        if body.count("\t") > 1:
            return None, 0  # the row of a table
        if _STATED.search(body) and (marked is None or _level(body) >= _LISTED):
            return None, 0
        if marked and marked.end():
            if body.lstrip()[:1] == "【":
                return marked[0].strip().strip("【】"), marked.end()
            stop = re.search(r"[。:;,]|\s{2,}|$", body[marked.end() :])
            end = marked.end() + (stop.start() if stop else 0)
            title = body[marked.end() : end].strip()
            if title and len(title) <= 45 and not re.search(r"\d", _dateless(title)):
                whole = end >= len(body.rstrip()) or (body[end] in "。:" and end + 1 >= len(body.rstrip()))
                if whole or body[end : end + 1] == "。":
                    return title, len(body) if whole else end + 1
            return None, 0
        comma = r"[。;!?…]|[:：]$" if len(stripped) <= _SLOGAN and self.role_of(stripped) else r"[。;,!?…]|[:：]$"
        if len(stripped) <= 40 and not re.search(comma, stripped) and not re.search(r"\d", _dateless(stripped)):
            return stripped, len(body)
        return None, 0

    def _push(self, stack: list[_Section], heading: str, level: int, clock: Clock, *, title: bool) -> None:
        role, period = None if title else self.role_of(heading), None
        for mention in mentions(heading, _facing(clock, role)):
            period = period or mention.period
        bare = _BARE_YEAR.search(heading)
        period = period or (bare[0] if bare and role else None)  # 回眸2021
        if level == 0 and role is None:
            if len(stack) > 1 and stack[-1].level == _UNNUMBERED:
                stack.pop()
            stack.append(replace(stack[-1], heading=heading, level=_UNNUMBERED, headline=0))
            return
        level = level or 1
        beside: _Section | None = None
        while len(stack) > 1 and stack[-1].level >= level:
            beside = stack.pop()
        if role == "target" and stack[0].role is None and _GOALS.search(heading):
            stack[0] = replace(stack[0], role="target", explicit=True)  # what follows the goals are the ways to them
        parent = stack[-1]
        if role is None and parent.role is None and beside and beside.role == "target" and beside.level == level:
            role, period = "target", period or beside.period  # 【2024这样干】…【民生福利】: plans go on
        stack.append(
            _Section(
                heading,
                level,
                role or parent.role,
                period or (parent.period if role in (None, parent.role) else None),
                2 if role == "target" and _GOALS.search(heading) else 0,
                bool(role) or parent.explicit,
            )
        )

    def role_of(self, heading: str) -> Role | None:
        """What a heading announces; one that names both (执行情况与…计划草案) announces neither."""
        actual, target = self.actual.search(heading), self.target.search(heading)
        if actual and re.search(
            r"计划草案|预算草案|(?:回顾|情况|总结).{0,16}(?:安排|打算|任务|计划|展望|目标)", heading
        ):
            return None
        if actual:
            return "actual"
        return "target" if target or _BUDGET.search(heading) else None

    def _line(
        self, stack: list[_Section], body: str, at: int, offset: int, number: int, clock: Clock
    ) -> Iterator[Sentence]:
        first = True
        section = before = stack[-1]
        listed = bool(_DASHED.match(body))
        if section.headline and not listed and offset == 0 and not _NUMBERING.match(body):
            section = stack[-1] = replace(section, headline=section.headline - 1)
        for match in _SENTENCE.finditer(body, offset):
            sentence = match[0]
            if not sentence.strip():
                continue
            section = self._turn(stack, sentence, self._announces(sentence), clock, opens=first)
            yield Sentence(
                at + match.start(), at + match.end(), section.heading, section.role, section.period,
                section.headline > 0, first, number, section.role != "actual",
            )  # fmt: skip
            first = False
        if clock.news and section.headline and not body.rstrip().endswith((":", "：")) and stack[-1] is section:
            # A digest states its goals in one line; what follows is told by its own words, over the same years.
            stack[-1] = replace(before, period=section.period if "-" in (section.period or "") else before.period)

    def _announces(self, sentence: str) -> bool:
        """Whether a sentence opens a list of goals: …主要预期目标是. 今年目标是18亿元 and 完成了目标任务: do not."""
        goal = self.goal.search(sentence)
        if (
            goal is None
            or re.match(r"\s*[\d约超近]", sentence[goal.end() :])
            or re.search(r"\d", _dateless(sentence[: goal.start()]))
        ):
            return False
        return not re.search(r"(?:完成|实现|达到|超额)[^,。;:]{0,16}$", sentence[: goal.start()])

    def _turn(self, stack: list[_Section], sentence: str, goal: bool, clock: Clock, *, opens: bool) -> _Section:
        """A goal sentence, or a time phrase that opens a paragraph, sets what follows."""
        section = stack[-1]
        salute = _SALUTATION.match(sentence)
        opening = sentence[salute.end() :] if salute and opens else sentence.lstrip(" —-")
        if goal:
            found = mentions(sentence[: sentence.find(":") + 1 or 60], clock)
            period = next((m.period for m in found if m.period), str(clock.year) if clock.year else section.period)
            section = replace(section, role="target", period=period, headline=1, explicit=True)
            if stack[0].role is None and not clock.news:  # what follows the goals are the ways to them
                stack[0] = replace(stack[0], role="target", period=period, explicit=True)
        elif opens:
            lead = mentions(opening[:24], _facing(clock, section.role))
            if (
                lead
                and lead[0].start <= 1
                and not re.fullmatch(r"\d{4}-\d\d", lead[0].period or "")
                and not passing(lead[0], opening)
                and not lead[0].word.startswith(("全年", "年内", "截"))
                and not deadline(lead[0].word)
            ):
                section = self._led(section, lead[0].period, lead[0].past, clock)
                if stack[0].explicit and all(s.level in (0, _UNNUMBERED) for s in stack):
                    stack[0] = replace(stack[0], period=section.period)  # 今后五年…目标是. 2024年,…: headings follow
            if re.match(
                r"围绕(?:上述|以上|这些)|为(?:实现|完成)(?:上述|以上|今年)|(?:做好|抓好)(?:今年|明年|下一步)", opening
            ):
                section = replace(section, role="target", explicit=True)
        stack[-1] = section
        return section

    @staticmethod
    def _led(section: _Section, period: str | None, past: bool | None, clock: Clock) -> _Section:
        if period is None or not section.explicit:
            return section
        role = section.role
        if past is False or (clock.year and period.startswith(str(clock.year)) and role is None):
            role = "target" if role is None or past is False else role
        elif past and role is None:
            role = "actual"
        return replace(section, period=period, role=role)


def _facing(clock: Clock, role: Role | None) -> Clock:
    """The clock of a section: in a review 今年 is the year under review."""
    return replace(clock, forward=False) if role == "actual" else clock


def _level(body: str) -> int:
    return next((level for pattern, level in _LEVELS if pattern.match(body)), 0)


def _dateless(text: str) -> str:
    return _DATE.sub("", text)
