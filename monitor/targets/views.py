"""An item as the alignment of two releases sees it: name, measure, horizon, and what its words share. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from monitor.model import Target
from monitor.targets import measure

REMEMBERED = 2048  # texts, more than two releases have: each is compared with many; a daemon keeps them, 3 MB

# Families whose name says only what kind of thing is counted: each item has its own object.
_OPEN = re.compile(r"项目|投资额|企业数$|基金|授信|贷款|面积$|里程$|条数|技术攻关|平台数|活动|资金$")
# Families under those names that are one figure a place has, not works.
_CLOSED = re.compile(r"规上|高新技术企业|市场主体|入统|粮食|绿化|专精特新|科技型|上市企业|征收|民生实事")
# Wordings that name nothing by themselves: the sentence has to say what is meant.
_GENERAL = re.compile(
    r"(?:项目|企业|工程|活动|平台|机构|投资|产值|产量|面积|总量|规模|目标|任务|指标|数量|资金|总投资|完成投资|居民|"
    r"增长|增速|增幅|再增|新增|达到|实现|完成|占比|比重|收入|户数|人数|个数|以上|左右|里程|总数|总额)*"
)
_PLACE = re.compile(r"^(?:全|我|本)[国省市县区旗州镇乡街]|^(?:地方|区本级|区级)(?=一般|财政)")
_ACTION = re.compile(
    r"^(?:新|再|续|净)?(?:增设|增加|新增|培育|培养|建设|建成|改造提升|改造|改建|建造|实施|完成|打造|组织|开展|推进|推动|提速|"
    r"启动|开工|创建|引进|举办|培训|扩建|整治|整修|维修|建|增|招引|签约|储备|争创|集聚|发展|种植|安装|筹集|认定|认证|评定|扩|上)"
    r"(?:提升)?(?=.{2,})"
)
_DROP = re.compile(r"[\W_]+")
# 亿元以上技改项目 and 2000万元以上技改项目 are two kinds of project.
_THRESHOLD = re.compile(r"((?:\d[\d,.]*)?[十百千万亿]*(?:元|平方米|亩|蒸吨|人))(?:及|\(含\))?以上")
_NUMERALS = re.compile(r"^(?:十|百|千|)(?=[万亿元])")
_TENS = {"": "1", "十": "10", "百": "100", "千": "1000"}  # 十亿元 is 10亿元, 亿元 is 1亿元
_ADDED = re.compile(r"(?:新增|净增|增加|再增)(?![到至])")
_REACHED = re.compile(r"达到|总数|总量|累计|增至|增[长加]到|突破")
_FIGURE = re.compile(
    r"[\d.,]+(?:万|亿|千|百)*(?:多|余)?[%‰个家户处条项所座场套人名公里]*|左右|以上|以内|以下|超过|突破|达到|余|多"
)


@lru_cache(maxsize=REMEMBERED)
def wording(text: str) -> str:
    """An indicator's wording without width, marks, 全省, 新增 and the like: what two releases can have in common."""
    plain = _PLACE.sub("", _DROP.sub("", unicodedata.normalize("NFKC", text)).replace("规模以上", "规上"))
    return _ACTION.sub("", plain) or plain


@lru_cache(maxsize=REMEMBERED)
def context(text: str) -> frozenset[str]:
    """The pairs of characters of a stretch of text, figures and their qualifiers left out."""
    return _pairs_of(_DROP.sub("", _FIGURE.sub("", unicodedata.normalize("NFKC", text))))


def many(canonical: str) -> bool:
    """Whether a family's name covers many things, each with an object of its own: 项目投资额, 重点项目数."""
    return bool(_OPEN.search(canonical)) and not _CLOSED.search(canonical)


def alike(one: Target, other: Target) -> float:
    """How much two sentences' stretches share, figures left out: 0..1."""
    return dice(context(one.text), context(other.text))


def _pairs_of(text: str) -> frozenset[str]:
    return (
        frozenset(text[i : i + 2] for i in range(len(text) - 1))
        if len(text) > 1
        else frozenset((text,) if text else ())
    )


def dice(left: frozenset[str], right: frozenset[str]) -> float:
    """How much two sets share, 0..1; two empty ones are alike."""
    size = len(left) + len(right)
    return 2 * len(left & right) / size if size else 1.0


# --------------------------------------------------------------------------- what an item is compared by

_MEASURES = {
    "growth": "growth",
    "change": "change",
    "share": "share",
    "level": "size",
    "amount": "size",
    "count": "size",
    "relative": "words",
    "commitment": "words",
}


KINDS = tuple(_MEASURES)  # what a quantity can measure


@dataclass(frozen=True, slots=True)
class View:
    """An item as the alignment sees it."""

    item: Target
    index: int
    place: float  # 0..1, where it stands in its release
    name: str
    grams: frozenset[str]
    general: bool  # the name alone says nothing
    context: frozenset[str]
    measure: str  # growth change share size words
    family: str  # of its unit
    horizon: str  # year, part, span (five years, "by 2030"), other, or "" where unknown
    open: bool  # its canonical name covers many things
    threshold: str  # 亿元, where only things above it are counted


def _year(items: Iterable[Target]) -> dict[str, str | None]:
    """The year that most items of each role are about."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.period and re.fullmatch(r"\d{4}", item.period):
            counts[item.role][item.period] += 1
    return {role: min(c, key=lambda y: (-c[y], y)) for role, c in counts.items()}


def _horizon(period: str | None, year: str | None) -> str:
    """How far an item looks, counted from its release's year, so that next year's report has the same word for it."""
    if not period:
        return ""
    if re.fullmatch(r"\d{4}", period):
        return "year" if year is None or period == year else f"year{int(period) - int(year):+d}"
    if re.match(r"\d{4}-(?:\d\d(?!\d)|Q|H)", period):
        return "part"
    return "span"


def _threshold(item: Target) -> str:
    """The size from which things are counted, its own value left out: 500万元 in 500万元以上技改项目."""
    text = unicodedata.normalize("NFKC", item.text)
    found = _THRESHOLD.search(
        text.replace(unicodedata.normalize("NFKC", item.value_text), " ") if item.value_text else text
    )
    return _NUMERALS.sub(lambda m: _TENS[m[0]], found[1].replace(",", "")) if found else ""


def views(items: Sequence[Target]) -> list[View]:
    """Every item with what it is compared by, in order."""
    years, last = _year(items), max(len(items) - 1, 1)
    out = []
    for i, item in enumerate(items):
        name = wording(item.indicator)
        canonical = item.canonical or ""
        kind = "share" if item.kind == "level" and item.unit == "%" else item.kind
        out.append(
            View(
                item=item,
                index=i,
                place=i / last,
                name=name,
                grams=_pairs_of(name),
                general=bool(_GENERAL.fullmatch(name)) or len(name) < 2,
                context=context(item.text),
                measure=_MEASURES.get(kind, "size"),
                family=measure.base(item.unit)[0] if measure.number(item) is not None else "",
                horizon=_horizon(item.period, years.get(item.role)),
                open=many(canonical),
                threshold=_threshold(item),
            )
        )
    return out


def horizons(items: Sequence[Target]) -> list[str]:
    """How far each item looks: "" where it does not say."""
    years = _year(items)
    return [_horizon(item.period, years.get(item.role)) for item in items]


def step(item: Target) -> str:
    """新增50家 and 达到50家 are two targets; most texts say neither: "added", "reached" or ""."""
    if _MEASURES.get(item.kind, "size") != "size" or (item.kind == "level" and item.unit == "%"):
        return ""
    if _ADDED.search(item.canonical or ""):
        return ""
    if _REACHED.search(item.text) or item.kind == "level":
        return "reached"
    return "added" if _ADDED.search(item.text) else ""
