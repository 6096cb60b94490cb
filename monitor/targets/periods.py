"""Which time a part-sentence speaks of.

A report for year N is read in December N-1 or January N: 今后五年 in it is N..N+4, 五年来 is N-5..N-1.
Words that need a year nobody states stay relative (`rel:3y`) or None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.targets.numbers import words

_COUNT = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
PLANS = {"十": 2001, "十一": 2006, "十二": 2011, "十三": 2016, "十四": 2021, "十五": 2026, "十六": 2031}

_TIME = re.compile(
    r"(?P<y1>(?:19|20)\d\d)年?\s*[-—–―~至到]{1,2}\s*(?P<y2>(?:19|20)\d\d)年"
    r"|(?P<until>到|至|展望|截至|截止|截止到|截至到)?(?P<year>(?:19|20)\d\d)年(?P<part>上半年|下半年|[一二三四1-4]季度|前[一二三两]个?季度|1\s*[-—–~至]\s*(?P<span>\d{1,2})月(?:份)?|"
    r"(?P<month>\d{1,2})月(?:份|底|末|前)?)?(?P<tail>年?底|末|之?前)?"
    r"|(?P<plan>[“\"]?(?P<five>十[一二三四五六]?)五[”\"]?(?:规划)?(?P<planpart>时期|期间|以来|末|(?P<which>前|后)(?P<years>[一二三四两])年|目标|收官|(?=[^规开][^局划])))"
    r"|(?P<ahead>今后|未来|下|接下来(?:的)?)(?P<n>[一二两三四五六十\d]{1,2})年"
    r"|(?P<within>[一二两三四五])年(?:时间)?(?:之)?内"
    r"|(?P<back>过去|近|(?<!学)前)(?P<m>[一二两三四五六十]{1,2})年|(?P<since>[一二两三四五十])年来|(?P<elapsed>[一二两三四五])年(?=累计)"
    r"|(?P<half>上半年|下半年|前[一二三两]个?季度|[一二三四]季度末?|前三季|1\s*[-—–~至]\s*(?P<span2>\d{1,2})月份?)"
    r"|(?P<until2>到|至|截至|截止|截止到)?(?P<rel>今年|去年|(?<!以)上年(?![增同度])|明年|本年|全年|年内|当年|年底|年末)?(?P<month2>(?<!\d)\d{1,2})月份?(?P<end2>底|末|中旬|上旬|下旬)?(?P<before>之?前|以前)?"
    r"|(?P<word>今年|去年|(?<!以)上年(?!同|度|末|增|提|相)|前年|明年|本年|全年|年内|新的?一年|截[至止]目前|过去一年|这一年|一年来|年底前?|年末(?!全))"
)


_NAMED = re.compile(
    r"以来|建成的|相比|增长|平均|的?[一二两\d.]{1,6}倍"
)  # 做好2020年以来…: a year that only names something
_BASE = re.compile(r"[^,。;\d]{0,8}(?:基础上|为基[数期])")  # 在2020年基础上翻一番, 在去年高基数的基础上: measured from
_OF_A_PLAN = re.compile(r"的?(?:度)?(?:目标)?(?:任务|计划|目标|预算)(?:任务|总?数)?的?\s?\d[\d.,]*(?P<rate>\s?%)?")
_OF_PLAN = re.compile(r"[”\"]?(?:规划)?的?(?:开局|收官|起步|第[一二三四五]年|最后一年|首年|关键之年|承上启下)")
_MONTH_OF = re.compile(
    r"份(?:,|当月|同比|全|[我本][省市县区]|增|下降)"
)  # 3月份,全省…: in a report on a part of the year
_MEASURED = re.compile(r"(?:占|完成|达到?|为|是|超过?|实现)了?[^,。;、\d]{0,4}$")
_COMPARED = frozenset("比较与自从由《(-—–~")  # 比2020年高
_HINT = re.compile(r"[年月来五半季]")


@dataclass(frozen=True, slots=True)
class Clock:
    """The years that relative words are read against."""

    year: int | None = None  # the year the document sets targets for
    review: int | None = None  # the year it looks back on
    guess: int | None = None  # the only year an undated text names: resolves 今年 and 全年, nothing else
    era: int | None = None  # first year of the latest five-year plan the text names: the plans before it are over
    eve: bool = False  # a page of the last weeks before that year: its 明年 is the year of the targets
    news: bool = False  # a dated page: its title announces a topic, not what the text is
    span: str | None = None  # the years of a plan that is made for several: 2022-2024
    reported: str | None = None  # the part of a year that results are of where nothing else is said: 2024-01/2024-06
    today: str | None = None  # month of publication, 2024-07: 今年6月 lies before or after it
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
        bare = match["month2"] and not any(match[g] for g in ("until2", "rel", "before", "end2"))
        if bare and not (clock.reported and _MONTH_OF.match(text, match.end() - 1)):
            continue
        if not match["year"] and _planned(text, match):
            continue  # 占全年任务的56.8%: the plan is of the year, the value need not be
        if text[max(0, match.start() - 1) : match.start()] in _COMPARED or (
            match["year"] and _NAMED.match(text, match.end())
        ):
            continue
        if (match["year"] or match["rel"] or match["word"]) and _BASE.match(text, match.end()):
            continue
        if match["plan"] and _OF_PLAN.match(text, match.end()):
            continue  # 今年是“十四五”开局之年: a year of the plan, not the plan
        period, past = _read(match, clock)
        if text.startswith("以来", match.end()):
            past = True  # 今年以来
        found.append(Mention(match.start(), match.end(), period, past, match[0]))
    return found


def deadline(word: str) -> bool:
    """到2025年, 2023年底前: a time that something is done by is not that of what follows."""
    return word.startswith(("到", "至", "年底")) or word.endswith(("前", "底", "末"))


def passing(mention: Mention, text: str) -> bool:
    """Whether a part of a year is only of its own clause (上半年启动…); 上半年,… opens a paragraph."""
    return "/" in (mention.period or "") and text[mention.end : mention.end + 1] not in (",", "")


def _planned(text: str, match: re.Match[str]) -> bool:
    """Whether a time only says whose plan a rate is of. 今年目标1.2万人 is no such rate."""
    plan = _OF_A_PLAN.match(text, match.end())
    return bool(plan and (plan["rate"] or _MEASURED.search(text, max(0, match.start() - 8), match.start())))


def _read(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    if match["y1"]:
        first, last = int(match["y1"]), int(match["y2"])
        return (f"{first}-{last}" if first < last else str(first)), last < clock.year if clock.year else None
    if match["year"]:
        return _dated(match, clock)
    if match["plan"]:
        return _plan(match, clock)
    if match["ahead"] or match["within"] or match["back"] or match["since"] or match["elapsed"]:
        return _counted(match, clock)
    if match["half"]:
        period = part_of(clock.this, match["half"], match["span2"])
        return period, _over(period, clock)
    if match["month2"]:
        return _month(match, clock)
    return _worded(match["word"], clock)


def _counted(match: re.Match[str], clock: Clock) -> tuple[str | None, bool | None]:
    """今后五年, 过去五年, 五年来, 三年累计."""
    count = _number(match["n"] or match["within"] or match["m"] or match["since"] or match["elapsed"])
    if match["ahead"] or match["within"]:
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
        return part_of(year, match["part"], match["span"]), past
    if match["until"] in ("到", "至", "展望") or match["tail"] in ("前", "之前"):
        return (f"{year}" if past else f"by {year}"), past
    return str(year), past


def _plan(match: re.Match[str], clock: Clock) -> tuple[str, bool | None]:
    first = PLANS[match["five"]]
    last = first + 4
    if match["which"]:
        count = _COUNT[match["years"]]
        first, last = (first, first + count - 1) if match["which"] == "前" else (last - count + 1, last)
    now = clock.year or clock.era
    past = last < now if now else None
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
    return f"{year}-{month:02d}", _lies(f"{year}-{month:02d}", word, clock)


def _over(period: str | None, clock: Clock) -> bool | None:
    """Whether a part of this year lies before the month of a dated page (True) or begins after it (False)."""
    first, _, last = (period or "").partition("/")
    if not last or not clock.today:
        return None
    return True if last < clock.today else False if first > clock.today else None


def _lies(month: str, word: str | None, clock: Clock) -> bool | None:
    """Whether a month of this year has passed: a dated page knows, a report of plans speaks of months to come."""
    if word in ("去年", "上年"):
        return True
    if clock.today:
        return month < clock.today
    return False if word == "今年" and clock.forward and not clock.news else None


def _worded(word: str, clock: Clock) -> tuple[str | None, bool | None]:
    if word in ("去年", "上年", "过去一年", "一年来"):
        base = clock.year or clock.guess
        if word in ("过去一年", "一年来") or not clock.forward:
            return _year(clock.review or _before(clock)), True
        return _year(base - 1 if base else None), True
    if word.startswith("截"):
        return (clock.today[:4] if clock.today else None), True
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
    return _year(clock.this), False if word in (
        "今年",
        "新一年",
        "新的一年",
        "年内",
        "年底前",
        "年底",
    ) and clock.forward else past


def part_of(year: int | None, part: str, span: str | None) -> str | None:
    """上半年, 前三季度, 1-11月 of a year; None without one."""
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
