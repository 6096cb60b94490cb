"""Which item of one release speaks of the same thing as which item of another. Pure, and the same both ways round.

Candidates share a role, a family (the canonical name, or enough of the wording where there is none), a measure
(growth, share, size, words) and a family of units. Each candidate gets a score from wording, object, context and
order; the best pairs are taken first. A pair that nothing but a general name supports (六个项目的投资额) is left apart:
a wrong pair is worse than one item dropped and one new.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import product
from statistics import median_low

from rapidfuzz.distance import Indel

from monitor.model import Target
from monitor.targets import measure
from monitor.targets.views import View, context, dice, step, views

Pair = tuple[int, int]

_LEVEL = re.compile(r"^(?:国家级?|省部?级|市级|区级|县级|全国|全省|省级以上|市级以上)")

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
        shared = dice(left.context, right.context)
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


def _shared_start(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


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
    if {step(left.item), step(right.item)} == {"added", "reached"}:
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
    return dice(context(one), context(other))


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
