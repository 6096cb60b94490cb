"""The years a document speaks of: what it sets targets for, what it looks back on, when its results end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.targets.periods import PLANS, Clock, part_of

_SESSION = re.compile(r"(20\d\d)年(\d{1,2})月\d{1,2}日[^\n。]{0,40}(?:大会|会议)")
_TITLE = re.compile(  # a lookahead: 2022年工作总结和2023年工作计划 names two
    r"(?=(20\d\d)年?[^\n。]{0,24}(?:工作报告|计划|预算|要点|公报|规划|目标))|(?=(?:报告|计划|公报)[^\n。]{0,10}?(20\d\d))"
)
_HEAD_YEAR = re.compile(
    r"(20\d\d)年?(?=度?[^\n。]{0,30}(?:方案|清单|任务|总结|实事|情况|安排|打算|报告|思路|行动|举措|重点))"
)
_HEADED = re.compile(r"[^\r\n\u2028\u2029]{4,60}")
_NUMBERED = re.compile(
    r"\s*(?:第[一二三四五六七八九十]+[部章节篇]分?|[一二三四五六七八九十]{1,2}\s*[、.．]|[(（][一二三四五六七八九十][)）])"
)
_LOOKS_BACK = re.compile(
    r"(?<!\d)(20\d\d)年?(?:度|和|及|以及|[“\"])?[^\d,。;:]{0,16}(?:回顾|总结|回眸|工作情况|执行情况|完成情况|运行情况)"
)
_LOOKS_AHEAD = re.compile(
    r"(?<!\d)(20\d\d)年?[^\d,。;:]{0,20}(?:目标|任务|安排|打算|计划|部署|要求|思路|举措|重点|建议)(?!.{0,8}(?:完成|执行|落实))"
)
_TITLE_LENGTH = 60
_LINE_LENGTH = 60
_HEAD_LINES = 12
_SPAN = re.compile(r"(?<!\d)((?:19|20)\d\d)年?\s?[-—–―~至]{1,2}\s?((?:19|20)\d\d)年?")
_FIVE_YEARS = re.compile(r"第?(十[一二三四五六]?)个?五(?:年)?[”\"]?(?:年)?[^\n。,]{0,24}?(?:规划|计划|纲要)")
_NOT_THE_PLAN = re.compile(r"评估|总结|执行情况|工作报告|年度")
_GOAL = re.compile(
    r"(20\d\d)年[,]?[^\n。;,]{0,30}(?:(?:预期|主要|发展|奋斗|工作|总体|“?[小硬大]”?)目标|重点工作|主要任务|工作安排|工作重点)"
)
_PART_YEAR = re.compile(
    r"(?<!年)(?:上半年|前三季度|[一二三四]季度|1\s?[-—–~至]\s?\d{1,2}月)(?![^\n]{0,12}(?:计划|安排|目标|打算))"
)
_PART = re.compile(
    r"(?:(?P<year>20\d\d)年)?(?P<part>上半年|前[一二三两]个?季度|前三季度|一季度|1\s?[-—–~至]\s?(?P<span>\d{1,2})月)份?"
    r"(?![^\n]{0,12}(?:计划|安排|目标|打算|开工|竣工|完工|建成|投用))"
)
_PLANS_TOO = re.compile(r"计划|要点|安排|打算|部署|方案|工作报告|规划")
_NEWS = re.compile(r"今年|过去|今后|未来|目标|去年|全年|上半年|下半年|季度|月|近日|日前|昨日")
_YEAR = re.compile(r"(?<![\d到至比])(20\d\d)年")
_NEXT_YEAR = re.compile(r"明年[^。;\n]{0,40}?(?:目标|任务|工作|预期|重点|增长|发展|计划|安排)")
_PLANNED = 2
_OPENING = 400
_DATELINE_LENGTH = 90
_DATELINE = re.compile(r"(?P<y>20\d\d)\s?[-/.年]\s?(?P<m>\d{1,2})\s?[-/.月]\s?(?P<d>\d{1,2})(?!\d)日?")
_PUBLISHED = re.compile(
    r"来源|发布|时间|日期|发表|浏览|阅读|点击|编辑|字体|稿源|(?:日报|晚报|晨报|网)\s*(?:$|[)）|第])"
)
_SUMMARY = re.compile(r"年度?(?:[^\d]{0,8})?(?:工作)?(?:总结|回顾)")
_OF_PLAN = re.compile(
    r"(?P<word>今年|明年)是[^。\n]{0,24}?“?(?P<plan>十[一二三四五六]?)五”?(?:规划)?[^。\n“]{0,8}?(?P<at>开局|起步|首|收官|最后一)"
)
_RESULT = re.compile(
    r"(?<![\d到至比较自从])(20\d\d)年[^。;\n]{0,60}?(?:增长|达到?|实现|完成|突破|新增)[^。;\n]{0,12}?\d"
)
_PROMISE = re.compile(r"(?:[到至]|(?<=\D))(20\d\d)年[^。;\n\d]{0,24}?(?:将|要|力争|目标|计划|预期|打算|底前|末)")
_ERA = re.compile(r"“(十[一二三四五六]?)五”")
_DRAFT = re.compile(r"(20\d\d)年?[^\n。\d]{0,24}(?:草案|安排|计划|打算)")


def document_clock(text: str, title: str | None, published: str | None, year: int | None) -> Clock:
    """The report year: given, or read from title, goal heading or session (December speaks of the next year)."""
    title = None if title and heads_a_section(title) else title
    head = (title or "") + "\n" + text[:1500]
    published = published or _dateline(text)
    first = text.lstrip("\ufeff\r\n ").split("\n", 1)[0]
    span = _span(title or (first if len(first) <= _TITLE_LENGTH else ""))
    if span and year and int(span[:4]) <= year <= int(span[5:]):
        year = int(span[:4])  # a plan for several years has none of its own
    own = (
        int(span[:4]) if span else _from_title(head) or _from_session(head) or _from_headings(text) or _from_goal(text)
    )
    news = None if own else _from_news(head, published)
    said = None if own or news else _from_words(text)
    news = _next(text, news, published) if news else said
    year = year or own or news
    late = bool(year and re.match(rf"{year - 1}-1[12]", published or "") and "明年" in text)
    eve = late or bool(news and any(m["word"] == "明年" for m in _OF_PLAN.finditer(text)))
    review = year - 1 if year and (eve or said) else _reviewed(text, title or "", year, news)
    part = _reported(text, title or "", year, _guess(text))
    dated = bool(news or part) and re.match(r"20\d\d-\d\d", published or "")
    today = dated[0] if dated else None
    era = max((PLANS[m] for m in _ERA.findall(text)), default=None)
    return Clock(
        year,
        review,
        None if year else _guess(text),
        era=era,
        eve=eve,
        news=bool(news),
        span=span,
        reported=part,
        today=today,
    )


def heads_a_section(title: str) -> bool:
    """Whether what stands first is the heading of a section (一、2025年工作回顾) and no title."""
    return bool(_NUMBERED.match(title))


def sums_up(title: str) -> bool:
    """Whether a title names only the year that is over (2023年工作总结): what is promised is for the next."""
    return bool(_SUMMARY.search(title)) and not _PLANS_TOO.search(title)


def _reviewed(text: str, title: str, year: int | None, news: int | None) -> int | None:
    """The year a document looks back on: its own for statistics and for a part of the year, else the one before."""
    if not year:
        return None
    opening = "".join(re.split(r"\n\s*\S", text[:300], maxsplit=3)[:3])
    if re.search(rf"{year}年(?:上半年|前三季度|1.{{1,3}}月|国民经济和社会发展统计公报)", title + opening):
        return year
    if _PART_YEAR.search(title + text[:60]):
        return year
    if re.search(r"统计公报|执行情况(?:的)?(?:报告)?", title + text[:120]) and f"{year + 1}年" not in text[:300]:
        planned = {int(y) for y in _DRAFT.findall(title + "\n" + text[:300])}
        return year if year not in planned else year - 1
    return _told(text, news) if news else year - 1


def _reported(text: str, title: str, year: int | None, guess: int | None) -> str | None:
    """The year or part of it that a document of results is of: 统计公报, 上半年全市经济运行情况. None for plans."""
    first = text.lstrip("\ufeff\r\n ")[:120]
    if year and re.search(r"统计公报", title + first.split("\n")[0]):
        return str(year)
    for place in (title, *first.split("\n")[:2]):
        match = _PART.search(place[:_TITLE_LENGTH])
        if match and not _PLANS_TOO.search(place[:_TITLE_LENGTH]):
            of = int(match["year"]) if match["year"] else year or guess
            return part_of(of, match["part"], match["span"])
    return None


def _span(title: str) -> str | None:
    """The years of a plan for several years: …行动计划(2022-2024年), …第十四个五年规划和二〇三五年远景目标纲要."""
    if _NOT_THE_PLAN.search(title):
        return None
    five, years = _FIVE_YEARS.search(title), _SPAN.search(title)
    if years and int(years[1]) < int(years[2]):
        return f"{years[1]}-{years[2]}"
    return f"{PLANS[five[1]]}-{PLANS[five[1]] + 4}" if five else None


def _from_title(head: str) -> int | None:
    """Of the lines at the top that can be a title: short ones without a stop."""
    lines = [s for line in head.splitlines()[:_HEAD_LINES] if len(s := line.strip()) <= _LINE_LENGTH]
    lines = [line for line in lines if not _NUMBERED.match(line) and not re.search(r"[,。;]", line)]
    years = [int(y) for line in lines for m in _TITLE.finditer(line) for y in m.groups() if y]
    opening = [line for line in head.lstrip("\ufeff\n ").splitlines()[:2] if not _NUMBERED.match(line)]
    for line in opening:
        found = [int(m[1]) for m in _HEAD_YEAR.finditer(line)] if len(line) <= _TITLE_LENGTH else []
        years += [y + 1 for y in found] if sums_up(line) else found
    return max(years) if years else None


def _from_session(head: str) -> int | None:
    match = _SESSION.search(head)
    if not match:
        return None
    return int(match[1]) + (1 if int(match[2]) >= 11 else 0)


def _from_headings(text: str) -> int | None:
    """A text without a title: 二、2026年主要目标 says the year, else 一、2025年工作回顾 the one before it."""
    ahead: list[int] = []
    back: list[int] = []
    for line in _headings(text):
        back += [int(y) for y in _LOOKS_BACK.findall(line)]
        ahead += [int(m[1]) for m in _LOOKS_AHEAD.finditer(line) if int(m[1]) not in back]
    if ahead:
        return max(ahead)
    return max(back) + 1 if back and re.search(r"今年|下一步|预期目标|工作安排", text) else None


def _headings(text: str) -> Iterable[str]:
    for match in _HEADED.finditer(text):
        if _NUMBERED.match(match[0]) and (match.end() >= len(text) or text[match.end()] in "\r\n\u2028\u2029"):
            yield match[0]


def _from_goal(text: str) -> int | None:
    years = [int(m[1]) for m in _GOAL.finditer(text)]
    return max(set(years), key=years.count) if years else None


def _from_news(head: str, published: str | None) -> int | None:
    """A dated page: its 今年 is the year it was published in."""
    if published and re.match(r"20\d\d-\d\d", published) and _NEWS.search(head):
        return int(published[:4])
    return None


def _next(text: str, year: int, published: str | None) -> int:
    """A page of the last weeks of a year that plans the next: its targets are of 明年."""
    late = re.match(r"20\d\d-1[12]", published or "")
    return year + 1 if late and len(_NEXT_YEAR.findall(text)) >= _PLANNED else year


def _dateline(text: str) -> str | None:
    """The day of a page without a date of its own: 2023-01-11 07:20 来源:东海晚报 under its title."""
    for line in text[:_OPENING].splitlines()[:_HEAD_LINES]:
        match = _DATELINE.search(line) if len(line) <= _DATELINE_LENGTH else None
        if match and (
            _PUBLISHED.search(line) or not line[: match.start()].strip() + line[match.end() :].strip(" \t0123456789:")
        ):
            return f"{match['y']}-{int(match['m']):02d}-{int(match['d']):02d}"
    return None


def _from_words(text: str) -> int | None:
    """An undated page that says 今年: the year after the one whose results it tells, or the first or last of a plan."""
    for match in _OF_PLAN.finditer(text):
        first = PLANS[match["plan"]]
        return first if match["at"] in ("开局", "起步", "首") else first + 4
    if not re.search(r"今年|新的?一年", text) or not re.search(r"去年|过去一年|上年", text):
        return None
    told = {int(m[1]) for m in _RESULT.finditer(text)} - {int(m[1]) for m in _PROMISE.finditer(text)}
    return max(told) + 1 if told else None


def _told(text: str, year: int) -> int | None:
    """The year a dated page looks back on: in January the last, in July its own. Only what it names tells."""
    named = {int(m[1]) for m in _YEAR.finditer(text)}
    return year - 1 if year - 1 in named else year if year in named else None


def _guess(text: str) -> int | None:
    years = [int(m[1]) for m in _YEAR.finditer(text)]
    if not years:
        return None
    return max(dict.fromkeys(years), key=years.count)
