"""Which item of one release speaks of the same thing as which item of another. Pure, and the same both ways round.

Candidates share a role, a family (the canonical name, or enough of the wording where there is none), a measure
(growth, share, size, words) and a family of units. Each candidate gets a score from wording, object, context and
order; the best pairs are taken first. A pair that nothing but a general name supports (六个项目的投资额) is left apart:
a wrong pair is worse than one item dropped and one new.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from statistics import median_low

from rapidfuzz.distance import Indel

from monitor.model import Target
from monitor.targets import measure

Pair = tuple[int, int]

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
    r"^(?:新|再|续)?(?:增设|增加|新增|培育|培养|建设|建成|改造提升|改造|改建|建造|实施|完成|打造|组织|开展|推进|推动|提速|"
    r"启动|开工|创建|引进|举办|培训|扩建|整治|维修|建|增|招引|签约|储备|争创|集聚)(?:提升)?(?=.{3,})"
)
_DROP = re.compile(r"[\W_]+")
_LEVEL = re.compile(r"^(?:国家级?|省部?级|市级|区级|县级|全国|全省|省级以上|市级以上)")
# 亿元以上技改项目 and 2000万元以上技改项目 are two kinds of project.
_THRESHOLD = re.compile(r"((?:\d[\d,.]*)?[十百千万亿]*(?:元|平方米|亩|蒸吨|人))(?:及|\(含\))?以上")
_ADDED = re.compile(r"(?:新增|净增|增加|再增)(?![到至])")
_REACHED = re.compile(r"达到|总数|总量|累计|增至|增[长加]到|突破")
_FIGURE = re.compile(
    r"[\d.,]+(?:万|亿|千|百)*(?:多|余)?[%‰个家户处条项所座场套人名公里]*|左右|以上|以内|以下|超过|突破|达到|余|多"
)


@lru_cache(maxsize=8192)
def wording(text: str) -> str:
    """An indicator's wording without width, marks, 全省, 新增 and the like: what two releases can have in common."""
    plain = _PLACE.sub("", _DROP.sub("", unicodedata.normalize("NFKC", text)).replace("规模以上", "规上"))
    return _ACTION.sub("", plain) or plain


@lru_cache(maxsize=8192)
def context(text: str) -> frozenset[str]:
    """The pairs of characters of a stretch of text, figures and their qualifiers left out."""
    return _pairs_of(_DROP.sub("", _FIGURE.sub("", unicodedata.normalize("NFKC", text))))


def _shared_start(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _pairs_of(text: str) -> frozenset[str]:
    return (
        frozenset(text[i : i + 2] for i in range(len(text) - 1))
        if len(text) > 1
        else frozenset((text,) if text else ())
    )


def _dice(left: frozenset[str], right: frozenset[str]) -> float:
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
    return found[1].replace(",", "") if found else ""


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
                open=bool(_OPEN.search(canonical)) and not _CLOSED.search(canonical),
                threshold=_threshold(item),
            )
        )
    return out


def horizons(items: Sequence[Target]) -> list[str]:
    """How far each item looks: "" where it does not say."""
    years = _year(items)
    return [_horizon(item.period, years.get(item.role)) for item in items]


# --------------------------------------------------------------------------- how well two items fit

_NEVER = 0.0
ENOUGH = 0.5  # the least score of a pair; chosen on texts with two releases, where 0.45-0.55 made the same pairs


class Fit:
    """Scores pairs of two releases. Rare pairs of characters weigh more than those of 省级, 项目, 建设."""

    def __init__(self, before: Sequence[View], after: Sequence[View]) -> None:
        seen = Counter(g for side in (before, after) for v in side for g in v.grams)
        self._weight = {g: 1 / (1 + math.log2(n) / 2) for g, n in seen.items()}

    def score(self, left: View, right: View) -> float:
        """0..1; 0 is never. Equal arguments in either order give the same number."""
        one, other = left.item, right.item
        if one.role != other.role or (left.threshold != right.threshold and left.threshold and right.threshold):
            return _NEVER
        fit = _measures(left, right) * _horizons(left, right) * _scopes(one, other)
        if not fit:
            return _NEVER
        names = self._names(left, right)
        shared = _dice(left.context, right.context)
        if one.canonical and one.canonical == other.canonical:
            return fit * _same_family(left, right, names, shared)
        if one.canonical and other.canonical:
            return _NEVER
        return fit * _by_wording(left, right, names, shared, half=bool(one.canonical or other.canonical))

    def _names(self, left: View, right: View) -> float:
        """How much two wordings share, 0..1: order of characters, and weight of the pairs they have in common."""
        if left.name == right.name:
            return 1.0
        common = sum(self._weight[g] for g in sorted(left.grams & right.grams))
        if not common:
            return 0.0
        sizes = [sum(self._weight[g] for g in sorted(v.grams)) for v in (left, right)]
        inside = common / min(sizes)
        alike = 2 * common / (sizes[0] + sizes[1])
        if _apart(left.name, right.name):
            return 0.0
        order = Indel.normalized_similarity(left.name, right.name)
        kept = Indel.similarity(left.name, right.name) / 2 / min(len(left.name), len(right.name))
        return 0.3 * order + 0.25 * alike + 0.15 * inside + 0.3 * kept


def _apart(one: str, other: str) -> bool:
    """省级先进制造业集群 and 省级数据产业集群: a general frame around two different things."""
    one, other = _LEVEL.sub("", one), _LEVEL.sub("", other)
    start = _shared_start(one, other)
    end = _shared_start(one[start:][::-1], other[start:][::-1])
    middle = one[start : len(one) - end], other[start : len(other) - end]
    if min(map(len, middle)) < 2 or set(middle[0]) & set(middle[1]):
        return False
    return start + end < max(map(len, middle))


def _measures(left: View, right: View) -> float:
    """Whether two items measure in the same way; 0 keeps growth and level apart."""
    one, other = left.measure, right.measure
    if {_step(left), _step(right)} == {"added", "reached"}:
        return _NEVER
    if {one, other} == {"growth", "share"} and left.item.direction == right.item.direction:
        return 0.76 if left.item.canonical and left.family == right.family == "percent" else _NEVER
    if one != other:
        words = "words" in (one, other)
        return 0.72 if words and _numberless(left, right) else _NEVER
    if left.family != right.family and left.family and right.family:
        return _NEVER
    if one != "size":
        return 1.0
    if left.item.kind == right.item.kind:
        return 1.0
    return (
        0.95 if "count" not in (left.item.kind, right.item.kind) or "pieces" not in (left.family, right.family) else 0.8
    )


def _step(view: View) -> str:
    """新增50家 and 达到50家 are two targets; most texts say neither."""
    if view.measure != "size" or _ADDED.search(view.item.canonical or ""):
        return ""
    if _REACHED.search(view.item.text) or view.item.kind == "level":
        return "reached"
    return "added" if _ADDED.search(view.item.text) else ""


def _numberless(left: View, right: View) -> bool:
    """Whether the side in words is a statement about the same growth or level (同步), not a slogan of its own."""
    return all(v.item.canonical for v in (left, right))


def _horizons(left: View, right: View) -> float:
    """A goal for this year and one for 2030 are two goals; for results the span is often left unsaid."""
    if left.horizon == right.horizon or not left.horizon or not right.horizon:
        return 1.0
    return _NEVER if left.item.role == "target" else 0.8


def _scopes(one: Target, other: Target) -> float:
    """全口径 and 区级 of one family are told apart where a release has both, and paired where it has one."""
    return 0.9 if one.scope and other.scope and one.scope != other.scope else 1.0


def _objects(left: View, right: View) -> float | None:
    """How alike the named objects are; None where a side names none."""
    one, other = left.item.object, right.item.object
    if not one or not other:
        return None
    return _dice(context(one), context(other))


def _close(left: View, right: View) -> float:
    """Order and size, to choose between pairs that read the same: 0..1."""
    order = 1 - abs(left.place - right.place)
    one, other = measure.number(left.item), measure.number(right.item)
    if not one or not other or one * other < 0:
        return order / 2
    return order / 2 + 0.5 / (1 + abs(math.log2(one / other)))


def _same_family(left: View, right: View, names: float, shared: float) -> float:
    """Items of one canonical name: enough by itself for a figure that a place has once, not for works and projects."""
    objects = _objects(left, right)
    text = max(names, shared, objects or 0.0)
    if not left.open:
        listed = left.item.headline == right.item.headline
        return 0.66 + 0.2 * text + 0.06 * shared + 0.06 * _close(left, right) + 0.02 * listed
    if objects is not None and objects < 0.2:
        return _NEVER
    if left.general != right.general:
        special, other = (right, left) if left.general else (left, right)
        if not objects and not (special.grams - context(other.name)) & other.context:
            return _NEVER
        text = max(shared, objects or 0.0, 0.8 * names)
    elif left.general:
        text = max(shared, objects or 0.0)
    else:  # two named things: 总投资30亿元的甲, 总投资30亿元的乙 share their verbs, not their object
        text = max(names, shared / 2, objects or 0.0)
    return 0.12 + 0.6 * text + 0.08 * shared + 0.2 * _close(left, right)


def _by_wording(left: View, right: View, names: float, shared: float, *, half: bool) -> float:
    """Items without a common canonical name: the wording has to carry it. `half`: one side has a canonical name."""
    if left.measure != right.measure:
        return _NEVER
    objects = _objects(left, right)
    if objects is not None and objects < 0.2 and (left.general or right.general):
        return _NEVER
    text = names
    if left.general or right.general:
        text = min(names, shared) if objects is None else max(objects, min(names, shared))
    if half:
        text *= 0.8
    return 0.72 * text + 0.14 * shared + 0.14 * _close(left, right)


# --------------------------------------------------------------------------- choosing


_BAND = 30  # of hundreds that share a name or a pair of characters, the ones as near as this in order are scored


def _candidates(before: Sequence[View], after: Sequence[View]) -> set[Pair]:
    """Pairs worth scoring: one canonical name, or a pair of characters in common. Keeps long releases near linear."""
    left, right = _postings(before), _postings(after)
    out: set[Pair] = set()
    for key, ours in left.items():
        out.update(_banded(ours, right.get(key, ())))
    return {(i, j) for i, j in out if _may(before[i].item, after[j].item)}


def _postings(items: Sequence[View]) -> dict[tuple[str, str, str], list[int]]:
    """Role with canonical name, or role and measure with a pair of characters -> the items that have it, in order."""
    out: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for view in items:
        if view.item.canonical:
            out[view.item.role, "family", view.item.canonical].append(view.index)
        for gram in view.grams or ("",):
            out[view.item.role, view.measure, gram].append(view.index)
    return out


def _may(one: Target, other: Target) -> bool:
    """Two canonical names have to be the same one; a wording may meet a canonical name."""
    return one.canonical == other.canonical or not (one.canonical and other.canonical)


def _banded(ours: Sequence[int], theirs: Sequence[int]) -> Iterable[Pair]:
    """All pairs of two lists; of two long lists those that stand at about the same place. The same both ways round."""
    a, b = len(ours), len(theirs)
    reach = _BAND * min(a, b)  # |r/a - q/b| * max(a, b) <= _BAND, in whole numbers
    if max(a, b) <= _BAND:
        yield from product(ours, theirs)
        return
    for r, i in enumerate(ours):
        low, high = max(0, (r * b - reach) // a), min(b, (r * b + reach) // a + 2)
        for q in range(low, high):
            if abs(r * b - q * a) <= reach:
                yield i, theirs[q]


def identical(before: Sequence[Target], after: Sequence[Target]) -> list[Pair]:
    """Items with the same words: what a silent edit left alone. Of several alike, those that stand where they stood."""
    left, right = _by_key(before), _by_key(after)
    alone = [after[right[k][0]].start - before[i[0]].start for k, i in left.items() if len(i) == len(right[k]) == 1]
    shift = median_low(alone) if alone else 0
    pairs: list[Pair] = []
    for key, ours in left.items():
        theirs = right[key]
        if len(ours) == len(theirs):
            pairs += zip(ours, theirs, strict=True)
            continue
        apart = sorted((abs(after[j].start - before[i].start - shift), i + j, i, j) for i in ours for j in theirs)
        used: set[int] = set()
        gone: set[int] = set()
        for _, _, i, j in apart:
            if i not in gone and j not in used:
                pairs.append((i, j))
                gone.add(i)
                used.add(j)
    return pairs


def _by_key(items: Sequence[Target]) -> dict[tuple[str, str, str, str], list[int]]:
    out: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        out[_key(item)].append(i)
    return out


def _key(item: Target) -> tuple[str, str, str, str]:
    return item.role, item.text, item.value_text, item.indicator


def repeats(items: Sequence[Target], told: Collection[int]) -> set[int]:
    """Items outside `told` that only say again what one in it says: a repeat is not a second target."""
    seen = views(items)

    def said(view: View) -> tuple[object, ...] | None:
        number = measure.number(view.item)
        if view.open or not view.item.canonical or number is None:
            return None
        return view.item.role, view.item.canonical, view.measure, view.item.object, view.item.qualifier, number

    known = {(said(v), v.horizon) for v in seen if v.index in told}
    rest = (v for v in seen if v.index not in told and said(v) is not None)
    return {v.index for v in rest if any((said(v), h) in known for h in ("", v.horizon or "year"))}


def align(before: Sequence[Target], after: Sequence[Target], *, edit: bool = False) -> dict[int, int]:
    """Index in `before` -> index in `after`. `edit`: two states of one page, where equal text is the same item."""
    left, right = views(before), views(after)
    taken = dict(identical(before, after)) if edit else {}
    used = set(taken.values())
    fit = Fit(left, right)
    scored = []
    for i, j in _candidates(left, right):
        if i in taken or j in used:
            continue
        score = fit.score(left[i], right[j])
        if score >= ENOUGH:
            scored.append((-round(score, 9), abs(left[i].place - right[j].place), i + j, i, j))
    for _, _, _, i, j in sorted(scored):
        if i not in taken and j not in used:
            taken[i] = j
            used.add(j)
    return taken
