"""What a document is: type, report year, place, session, completeness. Pure.

Read from title, subtitle and session before anything else, because a page's own date says when it was put online:
a report for 2022 is read in December 2021 and may stand on a page of August 2022.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from monitor.model import Record
from monitor.targets.meeting import Delivery, delivery
from monitor.targets.years import heads_a_section, sums_up

_HEAD = 1500  # characters in which title, subtitle, byline and the opening stand
_TAIL = 1200  # characters in which the closing, the editor's line and the page's foot stand
_WHOLE = 4000  # characters of a report without a title, and twice those of a plan or budget
_SHORTEST = 1500  # a report below this is a digest of one, however it begins and ends
_CLOSING = 1500  # characters, appendices left out, in which a report takes its leave

_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_YEAR = re.compile(r"[一二][〇○零一二三四五六七八九]{3}(?=年)")
_CHINESE_DAY = re.compile(r"(?<=年)([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日")
_YEAR = r"((?:19|20)\d\d)"

_REPORT_NAME = re.compile(r"政府工作报告|工作报告")
_TYPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("budget", re.compile(r"预算(?:执行|草案|调整)|财政预算|财政(?:收支)?决算")),
    (
        "outline",
        re.compile(
            r"规划.{0,12}纲要|远景目标纲要|(?:第十[一二三四五六七]个|“?十[一二三四五六七]五”?)五?年?.{0,12}规划"
        ),
    ),
    (
        "plan",
        re.compile(
            r"发展计划|计划(?:草案|报告|执行)|工作要点|分工(?:方案|意见)|任务分解|实施(?:意见|方案)|行动(?:计划|方案)|工作计划"
        ),
    ),
)
_PAPER = re.compile(
    r"本报讯|本报(?:全媒体|首席|见习)?记者|本台记者|[\(（]记者|记者[:：\s]|通讯员[:：\s]|第\s*\d{1,2}\s*版|讯[\(（].{0,12}记者|"
    r"(?:责任编辑|责编|编辑)[:：]|电讯|新华社|日报社?(?:ICP|版权)|版权所有\s*[:：]\s*\S{2,8}[日晚早]报"
)
# Titles of pieces about a document, which are not the document.
_ABOUT = re.compile(r"解读|图解|图读|速读|数说|划重点|名词解释|听取|热议|反响|看点|侧记|综述|作政府工作报告")
_ADDRESS = re.compile(r"各位代表|各位委员")
_OPENING = re.compile(r"我(?:受.{2,20}委托[,，]?\s*)?(?:代表|向).{0,30}(?:报告|作)")
_REVIEW = re.compile(r"(?:工作|政府工作|发展|任期)?回顾|过去(?:的)?[一五]年|[一五]年来")
_GOALS = re.compile(r"(?:主要)?预期目标|工作安排|重点工作|主要目标|工作思路|总体要求|目标任务")
_EXCERPT = re.compile(
    r"[\(（](?:摘要|节选|摘登|摘编|摘录|选登|部分|[上中下]|[一二三四五]|续[一二三]?|之[一二三四五])[\)）]|(?:摘要|节选|摘登)\s*$"
)
# How a report ends, in one of its last sentences; footnotes and explanations of terms may follow.
_LEAVE = re.compile(
    r"各位代表|奋斗|谢谢|新?篇章|更大贡献|优异成绩|胜利|辉煌|华章|开创[^。]{0,30}局面|美好(?:明天|未来)|新征程|再创|而努力|满意(?:的)?答卷|"
    r"(?:前进|迈进|奋进)[!！。]"
)
_APPENDIX = re.compile(r"^[\s\d、.(（]*(?:名词(?:解释|注释)|注释|附件|附注|相关用语|有关(?:名词|用语))", re.M)
_PASSED = re.compile(r"[\(（]?.{0,40}(?:会议|大会)(?:审议)?(?:通过|批准)[\)）]?")
_HEADING = re.compile(
    rf"{_YEAR}年(?:全[省市县区旗]|我[省市县区旗]|政府|的|及今后五年|经济社会发展|国民经济和社会发展|经济和社会发展|主要|重点|总体){{0,4}}"
    r"(?:预期目标|工作(?:安排|思路|重点|任务|目标|建议|总体要求)|目标任务|总体要求|计划(?:草案|安排)|重点工作|任务目标)"
)
_OPENS = re.compile(rf"^\s*{_YEAR}年是")
_STARTS_OF_PLANS = {"十二五": 2011, "十三五": 2016, "十四五": 2021, "十五五": 2026, "十六五": 2031}
_PLACE = re.compile(r"[一-鿿]{2,7}?(?:自治区|自治州|自治县|自治旗|地区|新区|省|市|区|县|旗|盟)")
_LEAD = re.compile(
    rf"{_YEAR}年?|关于|一图|[图解速]读懂?|读懂|图解|数说|聚焦|两会|中共|印发|转发|我受?|代表"
)  # before a name in a title or an opening
# Who speaks for whom; between commas, because the delegates addressed before it are called 代表 too.
_SPEAKER = re.compile(r"我\s*(?:谨|现)?\s*(?:代表|受)\s*([^，,。；;：:]{0,20}?)人民政府")
_NOT_PLACE = re.compile(
    r"我|代表|(?:社|城|小|园|辖|校|片|景|厂|灾|库|林|山|老|牧|矿|街|特|郊|市|全|我|该|本|各|功能|示范|试验|集聚|核心|开发|高新|产业|合作|保税|先导)区$|"
    r"(?:全|我|本|该|各|城|超|夜|股|楼|门|都)市$|(?:全|我|本|该|各|郡)县$|(?:全|我|本|各)[省旗盟]$|^(?:人民|经济|推进|建设|打造)"
)


def record(
    title: str | None,
    text: str,
    *,
    published: str | None = None,
    series: str | None = None,
    publisher: str | None = None,
) -> Record:
    """What the document says it is. `published` (YYYY-MM-DD) is used only where the document itself names no year."""
    head = _head(title, text)
    kind = _type(title, text, head, series)
    given = delivery(head)
    year = _year(kind, title, text, given.day) or _published_year(kind, published)
    complete = _complete(kind, title, text)
    return Record(
        type=kind,
        year=year,
        label=str(year) if year else None,
        place=_assembled(given) or _place(title, text, publisher),
        session=given.day,
        meeting=given.meeting,
        speaker=given.speaker,
        acting=given.acting,
        stage=_stage(kind, title, head, given.day, complete=complete),
        complete=complete,
    )


def label(record: Record, override: str | None = None) -> str | None:
    """The name of the release ("2022"); sources.yaml may set another."""
    return override or record.label or (str(record.year) if record.year else None)


def place_of(code: str | None, regions: Mapping[str, str]) -> str | None:
    """The name of a GB/T 2260 code of 2 to 6 digits; trailing zeros do not matter (23, 2300, 230000)."""
    if not code:
        return None
    short = re.sub(r"(?:00)+$", "", code) or code
    return next((regions[c] for c in (code, short, short.ljust(6, "0")) if c in regions), None)


def code_of(name: str | None, regions: Mapping[str, str], *, under: str = "") -> str | None:
    """The 6-digit code of a name; None if no place or several have it. `under`: code prefix to look in."""
    if not name:
        return None
    found = {c.ljust(6, "0") for c, n in regions.items() if n == name and c.startswith(under)}
    return found.pop() if len(found) == 1 else None


# --------------------------------------------------------------------------- the parts


def _plain(text: str) -> str:
    """Halfwidth, years in digits. Length may change: nothing here counts offsets."""
    folded = unicodedata.normalize("NFKC", text)
    folded = _CHINESE_YEAR.sub(lambda m: m[0].translate(_DIGITS), folded)
    return _CHINESE_DAY.sub(lambda m: f"{_small(m[1])}月{_small(m[2])}日", folded)


def _small(words: str) -> int:
    """A day or month in Chinese numerals: 二十八 is 28."""
    tens, mark, ones = words.rpartition("十")
    digits = "一二三四五六七八九"
    return (10 * (digits.find(tens) + 1 if tens else 1) if mark else 0) + (digits.find(ones) + 1 if ones else 0)


def _head(title: str | None, text: str) -> str:
    return _plain(f"{title or ''}\n{text[:_HEAD]}")


def _title(title: str | None, text: str) -> str:
    """The title, or the lines at the top that could be one: short, and no sentence."""
    if title:
        return _plain(title)
    lines = [x.strip() for x in text[:_HEAD].splitlines() if x.strip()][:6]
    return _plain("\n".join(x for x in lines if len(x) <= 60 and not re.search(r"[。；;]$|[:：]$", x)))


def _delivered(text: str) -> bool:
    """Whether somebody reads it out to delegates."""
    head = text[:_HEAD]
    return bool(_ADDRESS.search(head)) and bool(_OPENING.search(head))


def _type(title: str | None, text: str, head: str, series: str | None) -> str:
    name, delivered = _title(title, text), _delivered(text)
    if not delivered and (_PAPER.search(head + _plain(text[-_TAIL:])) or (title and _ABOUT.search(title))):
        return "newspaper"
    for kind, pattern in _TYPES:
        if pattern.search(name):
            return kind
    if _REPORT_NAME.search(name) or delivered:
        return "report"
    if len(text) >= _WHOLE and re.search(r"预期目标", text) and re.search(r"新一届政府|本届政府|政府自身建设", text):
        return "report"  # a part of one, without its title
    if series and len(text) >= _WHOLE:
        return next((k for k, p in _TYPES if p.search(series)), "report" if _REPORT_NAME.search(series) else "other")
    return "other"


def _assembled(given: Delivery) -> str | None:
    """The place whose assembly it was read to."""
    words = re.split(r"第|[一-十]+届", given.assembly)[0]
    places = [p for p in _PLACE.findall(words) if not _NOT_PLACE.search(p)]
    return places[-1] if places else None


def _year(kind: str, title: str | None, text: str, session: str | None) -> int | None:
    """The year the document sets goals for: from title, session, headings, in this order."""
    name = _title(title, text)
    if kind == "outline":
        return next((y for word, y in _STARTS_OF_PLANS.items() if word in name), None) or _outline_year(name)
    if (kind != "newspaper" or title) and not heads_a_section(name):
        found = _title_year(name)
        if found:
            return found + sums_up(name)
    if session and kind != "newspaper":
        year, month = int(session[:4]), int(session[5:7])
        return year + (month >= 11)
    counts = Counter(m[1] for m in _HEADING.finditer(_plain(text)))
    if counts:
        return int(max(counts, key=lambda y: (counts[y], y)))
    opens = _OPENS.search(_plain(text[:200]))
    return int(opens[1]) if opens and kind != "newspaper" else None


def _title_year(name: str) -> int | None:
    """2024 in 2023年计划执行情况与2024年计划草案, the one year in 2022年政府工作报告. A date is not a report's year."""
    draft = re.search(rf"{_YEAR}年[^,，。\d]{{0,24}}草案", name)
    if draft:
        return int(draft[1])
    years = re.findall(rf"{_YEAR}年(?!\s*\d{{1,2}}月\s*\d{{1,2}}日)", name)
    return max(map(int, years)) if years else None


def _outline_year(name: str) -> int | None:
    ordinal = re.search(r"第十([一二三四五六])个五年", name)
    return 2006 + 5 * ("一二三四五六".index(ordinal[1])) if ordinal else _title_year(name)


def _published_year(kind: str, published: str | None) -> int | None:
    """A report that came out in the last weeks of a year is about the next one."""
    if not published or not re.match(r"\d{4}-\d\d", published):
        return None
    year, month = int(published[:4]), int(published[5:7])
    return year + (month == 12 and kind in ("report", "plan", "budget"))


def _place(title: str | None, text: str, publisher: str | None) -> str | None:
    """From title, opening, publisher, or the district a newspaper page keeps naming."""
    opening = _SPEAKER.search(text[:_HEAD])
    for source in (_title(title, text), opening[1] if opening else "", publisher or ""):
        found: list[str] = _PLACE.findall(_LEAD.sub(" ", source))
        named = [p for p in found if not _NOT_PLACE.search(p)]
        if named:
            return named[-1]
    counts: Counter[str] = Counter(
        re.findall(r"(?=([一-鿿]{2}[区县旗])(?:委|政府|将|人民|坚持|把|以|在|培育|全力))", text)
    )
    likely = [(n, p) for p, n in counts.items() if not _NOT_PLACE.search(p)]
    count, name = max(likely, default=(0, ""))
    return name if count >= 2 else None


def _complete(kind: str, title: str | None, text: str) -> bool:
    """Whether it is the whole document: a report with opening, goals and its leave; title and body of the others.

    Length alone would call half of a long report whole, and a small county's whole report a part.
    """
    if kind in ("newspaper", "other") or _EXCERPT.search(_title(title, text)):
        return False
    if kind != "report":
        return len(text) >= _WHOLE / 2 and bool(_title(title, text))
    opened = _delivered(text) or (bool(_REPORT_NAME.search(_title(title, text))) and bool(_REVIEW.search(text[:_HEAD])))
    return opened and len(text) >= _SHORTEST and bool(_GOALS.search(text)) and _taken_leave(text)


def _taken_leave(text: str) -> bool:
    """Whether the last page, without what is appended to it, says goodbye."""
    half = len(text) // 2
    appended = _APPENDIX.search(text, half)
    body = text[: appended.start()] if appended else text
    return bool(_LEAVE.search(body, max(half, len(body) - _CLOSING)))


def _stage(kind: str, title: str | None, head: str, session: str | None, *, complete: bool) -> str:
    if kind == "newspaper":
        return "paraphrase"
    if _EXCERPT.search(_title(title, head)) or (kind == "report" and not complete):
        return "excerpt"
    if _PASSED.search(head[:600]):
        return "passed"
    return "delivered" if session else "published"
