"""What the invented district publishes, and when: 云岭区 of 松江市, whose code 999101 is assigned to no place.

Round 0 is what stands there at first; every later round is one thing that really happens to such pages.
`WANTED` is what a reader of the pages would report, so that the demo can say whether the product agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import resources

REGION = "999101"
SERIES = "政府工作报告"
REPORTS_KEY, NEWSPAPER_KEY = "yunling-reports", "yunling-daily"  # of the sources that watch it

BASELINE, CHROME_ONLY, NEW_REPORT, SILENT_EDIT, NEWSPAPER, OUTAGE, RECOVERY = ROUNDS = tuple(range(7))

WANTED = {NEW_REPORT: ("new",), SILENT_EDIT: ("content",), NEWSPAPER: ("new",)}  # kinds of changes, by round

EDIT = ("新增义务教育学位4200个", "新增义务教育学位3200个")  # the number that changes without a word in round 3
LIST_PATH = "/ylq/zfgzbg/index.shtml"


@dataclass(frozen=True, slots=True)
class Article:
    """One document: where it stands, what surrounds it, its text. `since` is the first round that shows it."""

    name: str  # of the text under texts/
    title: str
    path: str = ""
    published: str = ""  # YYYY-MM-DD as shown; a newspaper's is its issue's
    publisher: str = ""
    author: str = ""
    column: str = SERIES
    template: str = "report-2025.html"
    encoding: str = "gb18030"
    since: int = BASELINE
    heading: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = field(default=(), repr=False)


def _with_text(article: Article) -> Article:
    text = resources.files("monitor.demo").joinpath("texts", f"{article.name}.txt").read_text(encoding="utf-8")
    return replace(article, paragraphs=tuple(text.splitlines()))


OFFICE = "云岭区人民政府办公室"
REPORT_2025 = _with_text(
    Article(
        "report-2025",
        "2025年云岭区政府工作报告",
        "/ylq/zfgzbg/202501/t20250115_90021.shtml",
        "2025-01-15",
        OFFICE,
        heading=(
            "政府工作报告",
            "——2025年1月8日在松江市云岭区第九届人民代表大会第四次会议上",
            "云岭区人民政府区长　沈　翀",
        ),
    )
)
REPORT_2026 = _with_text(
    Article(
        "report-2026",
        "2026年云岭区政府工作报告",
        "/art/2026/1/20/art_3051_91847.html",
        "2026-01-20",
        OFFICE,
        template="report-2026.html",
        encoding="utf-8",
        since=NEW_REPORT,
        heading=("政府工作报告", "（2026年1月14日在云岭区第九届人民代表大会第五次会议上）", "区长　沈　翀"),
    )
)
LIVELIHOOD = _with_text(
    Article(
        "notice-livelihood",
        "关于公开征集民生实事项目的公告",
        "/ylq/zfgzbg/202411/t20241118_89764.shtml",
        "2024-11-18",
        OFFICE,
        column="通知公告",
    )
)
LIBRARY = _with_text(
    Article(
        "notice-library",
        "云岭区图书馆闭馆公告",
        "/ylq/zfgzbg/202502/t20250206_90155.shtml",
        "2025-02-06",
        "云岭区图书馆",
        column="通知公告",
    )
)
GOVERNMENT = (REPORT_2026, LIBRARY, REPORT_2025, LIVELIHOOD)  # newest first, as in the list


@dataclass(frozen=True, slots=True)
class Sheet:
    """One printed page of an issue."""

    number: str
    name: str
    articles: tuple[Article, ...]


TARGETS_STORY = _with_text(
    Article("paper-targets", "云岭区：把政府工作报告变成施工图", author="周堃", since=NEWSPAPER, encoding="utf-8")
)
DAILY = tuple(
    _with_text(Article(name, title, author=author, encoding="utf-8"))
    for name, title, author in (
        ("paper-ski", "翠湖滑雪场本周末开放", "王珺"),
        ("paper-heat", "入户测温 暖到心里", "陶喆"),
        ("paper-road", "翠湖路口今起半幅封闭", "周堃"),
        ("paper-market", "北桥早市搬进了大棚", "陶喆"),
        ("paper-clinic", "专家坐诊到社区", "赵翀"),
        ("paper-chess", "八旬棋手再战楚河汉界", "李珺"),
    )
)
NUMBERS = {article.name: str(50301 + i) for i, article in enumerate((TARGETS_STORY, *DAILY))}


def issue(number: int) -> tuple[Sheet, ...]:
    """The newspaper's sheets on the day of a round."""
    front = (TARGETS_STORY,) if number == NEWSPAPER else ()
    return (Sheet("01", "要闻", front + DAILY[:3]), Sheet("02", "民生", DAILY[3:]))


def at_round(article: Article, number: int) -> Article:
    """The article as its page shows it in a round."""
    if article.name != REPORT_2026.name or number < SILENT_EDIT:
        return article
    return replace(article, paragraphs=tuple(line.replace(*EDIT) for line in article.paragraphs))


def listed(number: int) -> tuple[Article, ...]:
    """What the government's column lists in a round."""
    return tuple(article for article in GOVERNMENT if article.since <= number)
