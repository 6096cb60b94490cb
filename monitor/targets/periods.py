"""Which time a part-sentence speaks of.

A report for year N is read in December N-1 or January N: 今后五年 in it is N..N+4, 五年来 is N-5..N-1.
Words that need a year nobody states stay relative (`rel:3y`) or None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.targets.numbers import words

_COUNT = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_PLANS = {"十": 2001, "十一": 2006, "十二": 2011, "十三": 2016, "十四": 2021, "十五": 2026, "十六": 2031}

_TIME = re.compile(
    r"(?P<y1>(?:19|20)\d\d)年?\s*[-—–―~至到]{1,2}\s*(?P<y2>(?:19|20)\d\d)年"
    r"|(?P<until>到|至|展望|截至|截止|截止到|截至到)?(?P<year>(?:19|20)\d\d)年(?P<part>上半年|下半年|[一二三四1-4]季度|前[一二三两]个?季度|1\s*[-—–~至]\s*(?P<span>\d{1,2})月(?:份)?|"
    r"(?P<month>\d{1,2})月(?:份|底|末|前)?)?(?P<tail>年?底|末|之?前)?"
    r"|(?P<plan>[“\"]?(?P<five>十[一二三四五六]?)五[”\"]?(?:规划)?(?P<planpart>时期|期间|以来|末|(?P<which>前|后)(?P<years>[一二三四两])年|目标|收官|(?=[^规开][^局划])))"
    r"|(?P<ahead>今后|未来|下|接下来(?:的)?)(?P<n>[一二两三四五六十\d]{1,2})年"
    r"|(?P<back>过去|近|前)(?P<m>[一二两三四五六十]{1,2})年|(?P<since>[一二两三四五十])年来|(?P<elapsed>[一二两三四五])年(?=累计)"
    r"|(?P<half>上半年|下半年|前[一二三两]个?季度|[一二三四]季度末?|前三季|1\s*[-—–~至]\s*(?P<span2>\d{1,2})月份?)"
    r"|(?P<until2>到|至|截至|截止|截止到)?(?P<rel>今年|去年|(?<!以)上年(?![增同度])|明年|本年|全年|年内|当年|年底|年末)?(?P<month2>(?<!\d)\d{1,2})月份?(?P<end2>底|末|中旬|上旬|下旬)?(?P<before>之?前|以前)?"
    r"|(?P<word>今年|去年|(?<!以)上年(?!同|度|末|增|提|相)|前年|明年|本年|全年|年内|过去一年|这一年|一年来|年底前)"
)


_NAMED = re.compile(
    r"以来|建成的|相比|增长|平均|的?[一二两\d.]{1,6}倍"
)  # 做好2020年以来…: a year that only names something
_OF_A_PLAN = re.compile(r"的?(?:度)?(?:目标)?(?:任务|计划|目标|预算)(?:任务|总?数)?的?\s?\d")
_COMPARED = frozenset("比较与自从由《(-—–~")  # 比2020年高
_HINT = re.compile(r"[年月来五半季]")


@dataclass(frozen=True, slots=True)
class Clock:
    """The years that relative words are read against."""

    year: int | None = None  # the year the document sets targets for
    review: int | None = None  # the year it looks back on
    guess: int | None = None  # the only year an undated text names: resolves 今年 and 全年, nothing else
    eve: bool = False  # a page of the last weeks before that year: its 明年 is the year of the targets
    news: bool = False  # a dated page: its title announces a topic, not what the text is
    span: str | None = None  # the years of a plan that is made for several: 2022-2024
    forward: bool = True  # whether 今年 and 全年 mean the target year (in a review: the year under review)

    @property
    def this(self) -> int | None:
        """What 今年 means here."""
        return (self.year if self.forward else self.review) or self.guess


@dataclass(frozen=True, slots=True)
class Mention:
    """A time phrase at `[start, end)`. `past` says it lies before (True) or in (False) the time of the targets."""

    start: int
    end: int
    period: str | None
    past: bool | None = None
    word: str = ""


def mentions(text: str, clock: Clock) -> list[Mention]:
    """The time phrases of a piece of folded text, in order."""
    found: list[Mention] = []
    if not _HINT.search(text):
        return found
    for match in _TIME.finditer(text):
        if match["month2"] and not match["until2"] and not match["rel"] and not match["before"] and not match["end2"]:
            continue
        if not match["year"] and _OF_A_PLAN.match(text, match.end()):
            continue  # 占全年任务的56.8%: the plan is of the year, the value need not be
        if text[max(0, match.start() - 1) : match.start()] in _COMPARED or (
            match["year"] and _NAMED.match(text, match.end())
        ):
            continue
        period, past = _read(match, clock)
        if text.startswith("以来", match.end()):
            past = True  # 今年以来
        found.append(Mention(match.start(), match.end(), period, past, match[0]))
    return found


def _read(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    if match["y1"]:
        first, last = int(match["y1"]), int(match["y2"])
        return (f"{first}-{last}" if first < last else str(first)), last < clock.year if clock.year else None
    if match["year"]:
        return _dated(match, clock)
    if match["plan"]:
        return _plan(match, clock)
    if match["ahead"] or match["back"] or match["since"] or match["elapsed"]:
        return _counted(match, clock)
    if match["half"]:
        return _part(clock.this, match["half"], match["span2"]), None
    if match["month2"]:
        return _month(match, clock)
    return _worded(match["word"], clock)


def _counted(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    """今后五年, 过去五年, 五年来, 三年累计."""
    count = _number(match["n"] or match["m"] or match["since"] or match["elapsed"])
    if match["ahead"]:
        return (f"{clock.year}-{clock.year + count - 1}" if clock.year else f"rel:{count}y"), False
    if match["elapsed"]:
        return (None if clock.year else f"rel:{count}y"), None
    end = clock.review or _before(clock)
    if end is None:
        return None, True
    return (str(end) if count == 1 else f"{end - count + 1}-{end}"), True


def _dated(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    year = int(match["year"])
    past = year < clock.year if clock.year else None
    if match["month"] and (match["until"] or "").startswith("截"):
        return f"{year}-01/{year}-{int(match['month']):02d}", True
    if match["month"]:
        if match["until"] or match["tail"]:
            return f"by {year}-{int(match['month']):02d}", past
        return f"{year}-{int(match['month']):02d}", past
    if match["part"]:
        return _part(year, match["part"], match["span"]), past
    if match["until"] in ("到", "至", "展望") or match["tail"] in ("前", "之前"):
        return (f"{year}" if past else f"by {year}"), past
    return str(year), past


def _plan(match: re.Match[str], clock: Clock) -> tuple[str, bool | None]:
    first = _PLANS[match["five"]]
    last = first + 4
    if match["which"]:
        count = _COUNT[match["years"]]
        first, last = (first, first + count - 1) if match["which"] == "前" else (last - count + 1, last)
    past = last < clock.year if clock.year else None
    return (f"by {last}" if match["planpart"] == "末" else f"{first}-{last}"), past


def _month(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    """截至6月底, 6月底之前: a part of the year that is spoken of."""
    word = match["rel"]
    year, month = clock.this, int(match["month2"])
    if word in ("去年", "上年"):
        year = (clock.year or clock.guess or 0) - 1 if clock.year or clock.guess else None
    if not 1 <= month <= 12 or year is None:
        return None, None
    if (match["until2"] or "").startswith("截"):
        return f"{year}-01/{year}-{month:02d}", True
    if match["before"] or match["until2"]:
        return f"by {year}-{month:02d}", False
    return f"{year}-{month:02d}", None


def _worded(word: str, clock: Clock) -> tuple[str | None, bool | None]:
    if word in ("去年", "上年", "过去一年", "一年来"):
        base = clock.year or clock.guess
        if word in ("过去一年", "一年来") or not clock.forward:
            return _year(clock.review or _before(clock)), True
        return _year(base - 1 if base else None), True
    if word == "前年":
        return _year(clock.year - 2 if clock.year else None), True
    if word == "明年":
        base = clock.this
        if clock.eve:
            return _year(clock.year), False
        return _year(
            clock.year if clock.year and clock.review and not clock.forward else base + 1 if base else None
        ), False
    if clock.eve and clock.year and word in ("今年", "本年"):
        return str(clock.year - 1), True
    past = None if clock.forward or word == "全年" else True
    return _year(clock.this), False if word in ("今年", "年内", "年底前") and clock.forward else past


def _part(year: int | None, part: str, span: str | None) -> str | None:
    if year is None:
        return None
    if span:
        return f"{year}-01/{year}-{int(span):02d}"
    if part.startswith("前"):
        months = {"一": 3, "二": 6, "两": 6, "三": 9}.get(part[1], 9)
        return f"{year}-01/{year}-{months:02d}"
    if "季度" in part:
        quarter = _number(part[0])
        first, last = quarter * 3 - 2, quarter * 3
        return f"by {year}-{last:02d}" if part.endswith("末") else f"{year}-{first:02d}/{year}-{last:02d}"
    return f"{year}-01/{year}-06" if part == "上半年" else f"{year}-07/{year}-12"


def _before(clock: Clock) -> int | None:
    return clock.year - 1 if clock.year else None


def _year(year: int | None) -> str | None:
    return str(year) if year else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else int(words(text) or 0)


# --------------------------------------------------------------------------- the document's year

_SESSION = re.compile(r"(20\d\d)年(\d{1,2})月\d{1,2}日[^\n。]{0,40}(?:大会|会议)")
_TITLE = re.compile(  # a lookahead: 2022年工作总结和2023年工作计划 names two
    r"(?=(20\d\d)年?[^\n。]{0,24}(?:工作报告|计划|预算|要点|公报|规划|目标))|(?=(?:报告|计划|公报)[^\n。]{0,10}?(20\d\d))"
)
_HEAD_YEAR = re.compile(
    r"(20\d\d)年?(?=度?[^\n。]{0,30}(?:方案|清单|任务|总结|实事|情况|安排|打算|报告|思路|行动|举措))"
)
_TITLE_LENGTH = 60
_LINE_LENGTH = 60
_SPAN = re.compile(r"(?<!\d)((?:19|20)\d\d)年?\s?[-—–―~至]{1,2}\s?((?:19|20)\d\d)年?")
_FIVE_YEARS = re.compile(r"第?(十[一二三四五六]?)个?五(?:年)?[”\"]?(?:年)?[^\n。,]{0,24}?(?:规划|计划|纲要)")
_NOT_THE_PLAN = re.compile(r"评估|总结|执行情况|工作报告|年度")
_GOAL = re.compile(r"(20\d\d)年[^\n。;]{0,30}(?:目标|重点工作|主要任务|工作安排|工作重点)")
_PART_YEAR = re.compile(
    r"(?<!年)(?:上半年|前三季度|[一二三四]季度|1\s?[-—–~至]\s?\d{1,2}月)(?![^\n]{0,12}(?:计划|安排|目标|打算))"
)
_NEWS = re.compile(r"今年|过去|今后|未来|目标|去年|全年|上半年|下半年|季度|月|近日|日前|昨日")
_YEAR = re.compile(r"(?<![\d到至比])(20\d\d)年")


def document_clock(text: str, title: str | None, published: str | None, year: int | None) -> Clock:
    """The report year: given, or read from title, goal heading or session (December speaks of the next year)."""
    head = (title or "") + "\n" + text[:1500]
    first = text.lstrip("\ufeff\r\n ").split("\n", 1)[0]
    span = _span(title or (first if len(first) <= _TITLE_LENGTH else ""))
    if year is None:
        year = int(span[:4]) if span else None
        year = year or _from_title(head) or _from_session(head) or _from_goal(text)
    news = None if year else _from_news(head, published)
    year = year or news
    review = year - 1 if year else None
    opening = re.split(r"\n\s*\S", text[:300], maxsplit=3)[:3]
    if year and re.search(
        rf"{year}年(?:上半年|前三季度|1.{{1,3}}月|国民经济和社会发展统计公报)", (title or "") + "".join(opening)
    ):
        review = year
    elif (
        year
        and re.search(r"统计公报|执行情况(?:的)?(?:报告)?", (title or "") + text[:120])
        and f"{year}年计划草案" not in text[:300]
        and f"{year + 1}年" not in text[:300]
    ):
        review = year if "计划草案" not in text[:300] else review
    elif news:
        review = _told(text, news)
    if year and _PART_YEAR.search((title or "") + text[:60]):
        review = year
    eve = bool(year and re.match(rf"{year - 1}-1[12]", published or "") and "明年" in text)
    return Clock(year, review, None if year else _guess(text), eve=eve, news=bool(news), span=span)


def _span(title: str) -> str | None:
    """The years of a plan for several years: …行动计划(2022-2024年), …第十四个五年规划和二〇三五年远景目标纲要."""
    if _NOT_THE_PLAN.search(title):
        return None
    five, years = _FIVE_YEARS.search(title), _SPAN.search(title)
    if years and int(years[1]) < int(years[2]):
        return f"{years[1]}-{years[2]}"
    return f"{_PLANS[five[1]]}-{_PLANS[five[1]] + 4}" if five else None


def _from_title(head: str) -> int | None:
    lines = [line for line in head[:400].splitlines() if len(line) <= _LINE_LENGTH]
    years = [int(y) for line in lines for m in _TITLE.finditer(line) for y in m.groups() if y]
    opening = head.lstrip("\ufeff\n ").splitlines()[:2]
    years += [int(m[1]) for line in opening if len(line) <= _TITLE_LENGTH for m in _HEAD_YEAR.finditer(line)]
    return max(years) if years else None


def _from_session(head: str) -> int | None:
    match = _SESSION.search(head)
    if not match:
        return None
    return int(match[1]) + (1 if int(match[2]) >= 11 else 0)


def _from_goal(text: str) -> int | None:
    years = [int(m[1]) for m in _GOAL.finditer(text)]
    return max(set(years), key=years.count) if years else None


def _from_news(head: str, published: str | None) -> int | None:
    """A dated page: its 今年 is the year it was published in."""
    if published and re.match(r"20\d\d-\d\d", published) and _NEWS.search(head):
        return int(published[:4])
    return None


def _told(text: str, year: int) -> int | None:
    """The year a dated page looks back on: in January the last, in July its own. Only what it names tells."""
    named = {int(m[1]) for m in _YEAR.finditer(text)}
    return year - 1 if year - 1 in named else year if year in named else None


def _guess(text: str) -> int | None:
    years = [int(m[1]) for m in _YEAR.finditer(text)]
    if not years:
        return None
    return max(dict.fromkeys(years), key=years.count)
