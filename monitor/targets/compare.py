"""What became of every figure between two releases. Pure.

The labels are the gold's (docs/json.md, "Release diff"): `raised` and `lowered` in the numeric sense, also for
ceilings; `reworded` for the same number with another qualifier or basis, for another comparator, and for number and
words exchanged. Beside the label stand `flags`, a fixed vocabulary (FLAGS).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.model import Role, Target, TargetChange
from monitor.targets import measure, reference
from monitor.targets.align import align, repeats
from monitor.targets.release import relate, release_before
from monitor.targets.telling import news, recurring
from monitor.targets.views import horizons

__all__ = ["FLAGS", "compare", "news", "relate", "release_before"]

Label = Literal["new", "dropped", "raised", "lowered", "reworded", "unchanged"]
Side = Literal["before", "after"]
LABELS: tuple[Label, ...] = ("new", "dropped", "raised", "lowered", "reworded", "unchanged")

FLAGS = (
    "softened",  # 以上→左右, 确保→力争, 完成→推动
    "hardened",
    "measure_changed",  # 登记失业率→调查失业率
    "scope_changed",  # 全口径→区级
    "form_changed",  # a growth before, an amount now, or the other way round
    "basis_changed",  # 同比→可比口径
    "unquantified",  # number→words
    "quantified",  # words→number
    "moved",  # out of the list of main targets, or into it
    "split",  # 城乡 → 城镇 + 农村
    "merged",
    "gap",  # releases between the two are missing
    "differs",  # a quotation gives another number than the document it quotes
    "rounded",  # a quotation gives the number rounded
    "not_in_report",  # a quotation gives a figure that the document does not hold
    "not_quoted",  # the document's figure is missing in the quotation
)

_QUOTING = ("quote", "copy")


def compare(
    before: Sequence[Target],
    after: Sequence[Target],
    *,
    relation: str = "next_release",
    quoting: Side = "after",
    everything: bool = False,
    gap: bool = False,
    roles: Collection[Role] | None = None,
) -> tuple[TargetChange, ...]:
    """Every figure of both sides, in the order of `after`, dropped ones where they stood; a mere repeat is left out.

    `relation`: next_release | edit | quote | copy. In the last two the side `quoting` leaves out what it likes: items
    that only the other side has are no news. Items that only a later quotation has are `new`, `not_in_report`; where
    the quotation is the earlier side they are left out too, because the report has dropped nothing. `everything`
    lists all of them.
    `gap` marks that the release between the two is missing. `roles`: which are compared; by default all, but
    promises only from one release to the next (last year's results against this year's are no change of a target:
    see attainment), and in a quotation only what both sides state.
    """
    chosen = _roles(before, after, relation) if roles is None else frozenset(roles)
    before = [t for t in before if t.role in chosen]
    after = [t for t in after if t.role in chosen]
    pairs = align(before, after, edit=relation in ("edit", "copy"))
    setting = _Setting(relation, quoting, everything, gap)
    splits = _splits(before, after, pairs)
    old, new = set(pairs) | {i for i, _ in splits}, set(pairs.values()) | {j for _, j in splits}
    silent = repeats(before, old), repeats(after, new)
    lines = _ordered(before, after, pairs, splits)
    odd = _replaced(before, after, pairs, splits)
    out = (
        setting.line(b, a, extra=splits.get((i, j), ()) or odd.get((i, j), ()))
        for (i, b), (j, a) in lines
        if i not in silent[0] and j not in silent[1]
    )
    return tuple(line for line in out if line is not None)


def _roles(before: Sequence[Target], after: Sequence[Target], relation: str) -> frozenset[str]:
    """What can be compared. A bulletin, which promises nothing, is compared by its results."""
    stated = _stated(before) & _stated(after)
    if relation in _QUOTING:
        return stated
    if relation == "next_release" and "target" in stated:
        return frozenset(("target",))
    return frozenset(("target", "actual"))


def _stated(items: Sequence[Target]) -> frozenset[str]:
    """The roles a document is about: a plan with one figure of last year does not review last year."""
    counts = Counter(t.role for t in items)
    return frozenset(role for role, n in counts.items() if n >= 5 or 10 * n >= len(items))


_Slot = tuple[int, Target | None]  # index (-1: none) and item


def _ordered(
    before: Sequence[Target],
    after: Sequence[Target],
    pairs: dict[int, int],
    splits: dict[tuple[int, int], tuple[str, ...]],
) -> list[tuple[_Slot, _Slot]]:
    """Lines in the order of `after`; a dropped item follows the item it followed."""
    partners: dict[int, list[int]] = {j: [i] for i, j in pairs.items()}
    for i, j in splits:
        partners.setdefault(j, []).append(i)
    matched = {i for ps in partners.values() for i in ps}
    first = {i: j for j, ps in sorted(partners.items(), reverse=True) for i in ps}
    dropped: dict[int, list[int]] = {}
    anchor = -1
    for i in range(len(before)):
        if i in matched:
            anchor = first[i]
        else:
            dropped.setdefault(anchor, []).append(i)
    out: list[tuple[_Slot, _Slot]] = [((i, before[i]), (-1, None)) for i in dropped.get(-1, ())]
    for j, item in enumerate(after):
        out += [((i, before[i]), (j, item)) for i in sorted(partners.get(j, ()))] or [((-1, None), (j, item))]
        out += [((i, before[i]), (-1, None)) for i in dropped.get(j, ())]
    return out


# --------------------------------------------------------------------------- one line


@dataclass(frozen=True, slots=True)
class _Setting:
    relation: str
    quoting: Side
    everything: bool
    gap: bool

    def line(self, before: Target | None, after: Target | None, *, extra: tuple[str, ...]) -> TargetChange | None:
        """One line of the comparison; None where the relation makes it no news."""
        item = after or before
        assert item is not None
        flags = set(extra)
        label: Label = "new" if after else "dropped"
        if before and after:
            label = _label(before, after)
            flags |= set(_flags(before, after))
            if self.relation in _QUOTING:
                label = self._quoted(before, after, label, flags)
        elif self.relation in _QUOTING:
            told = after is not None and self.quoting == "after"
            if not told and not self.everything:
                return None
            flags.add("not_in_report" if (after is not None) == (self.quoting == "after") else "not_quoted")
        if self.gap and label != "unchanged":
            flags.add("gap")
        return TargetChange(
            canonical=item.canonical,
            indicator=item.indicator,
            kind=item.kind,
            change=label,
            before=before,
            after=after,
            object=item.object,
            flags=tuple(f for f in FLAGS if f in flags),
            relation=self.relation,
            recurring=bool(before and after) or recurring(item),
        )

    def _quoted(self, before: Target, after: Target, label: Label, flags: set[str]) -> Label:
        """A quotation raises and lowers nothing for its readers: another number `differs`, a rounded one is said so."""
        flags.discard("moved")  # a newspaper has no list of main targets
        if label not in ("raised", "lowered"):
            return label
        report, paper = (before, after) if self.quoting == "after" else (after, before)
        if _rounds(report, paper):
            flags.add("rounded")
            return "reworded"
        flags.add("differs")
        return label


def _rounds(exact: Target, loose: Target) -> bool:
    """3100户 quoted as 3000多户 or 近3200户."""
    one, other = measure.number(exact), measure.number(loose)
    if one is None or other is None or loose.qualifier not in ("over", "about", "at_least", "under"):
        return False
    if exact.qualifier not in ("exact", "over", "about"):
        return False
    high, low = loose.qualifier != "under", loose.qualifier in ("under", "about")
    return abs(one - other) <= 0.1 * abs(one) and ((high and one >= other) or (low and one <= other))


def _label(before: Target, after: Target) -> Label:
    one, other = _signed(before, after)
    if one is None or other is None:
        if (
            one is not other
            or before.qualifier != after.qualifier
            or reference.comparator(before) != reference.comparator(after)
        ):
            return "reworded"
        return "reworded" if reference.changed(before, after) else "unchanged"
    if not measure.same(one, other):
        return "raised" if other > one else "lowered"
    return "reworded" if _reworded(before, after) else "unchanged"


def _signed(before: Target, after: Target) -> tuple[float | None, float | None]:
    """Both numbers; where one side falls and the other grows, the fall counts below zero."""
    one, other = measure.number(before), measure.number(after)
    if {before.direction, after.direction} == {"increase", "decrease"} and "growth" in (before.kind, after.kind):
        one = -one if one is not None and before.direction == "decrease" else one
        other = -other if other is not None and after.direction == "decrease" else other
    return one, other


def _reworded(before: Target, after: Target) -> bool:
    """The same number: said with another qualifier, another basis, or as another range?"""
    if before.qualifier != after.qualifier or _basis(before) != _basis(after):
        return True
    if before.qualifier != "range":
        return False
    return not all(measure.same(x, y) for x, y in zip(measure.bounds(before), measure.bounds(after), strict=True))


def _basis(item: Target) -> frozenset[str]:
    """The basis that changes a number's meaning. 同比 is what a growth is anyhow."""
    return frozenset((item.basis or "").split("+")) - {"", "yoy"}


# --------------------------------------------------------------------------- flags

_STRENGTH = {"ensure": 2, "none": 1, "plan": 1, "expect": 0, "strive": 0}
_FLOOR = {"over": 3, "at_least": 3, "exact": 2, "all": 3, "range": 1, "about": 1, "above_ref": 3, "in_step": 2}
_CEILING = {"under": 3, "at_most": 3, "exact": 2, "range": 1, "about": 1}
_DONE = re.compile(r"完成|建成|竣工|投用|实现|达到|全部|确保")
_PUSHED = re.compile(r"推动|推进|加快|探索|谋划|启动|力争|争取|研究|支持|鼓励")


def _flags(before: Target, after: Target) -> Iterable[str]:
    """The flags of two items that speak of the same thing."""
    force = _force(after) - _force(before) or _will(after) - _will(before) or _turned(before, after)
    if force and after.role == "target":
        yield "hardened" if force > 0 else "softened"
    one, other = measure.number(before), measure.number(after)
    if one is not None and other is None:
        yield "unquantified"
    if one is None and other is not None:
        yield "quantified"
    if _basis(before) != _basis(after):
        yield "basis_changed"
    if before.scope and after.scope and before.scope != after.scope:
        yield "scope_changed"
    if before.headline != after.headline:
        yield "moved"


def _force(item: Target) -> float:
    """How binding the qualifier is. Only comparable among floors, or among ceilings."""
    nearly = 0.5 if reference.comparator(item)[1] else 0.0
    scale = _CEILING if item.qualifier in ("at_most", "under") else _FLOOR
    return scale.get(item.qualifier, 2) - nearly


def _will(item: Target) -> int:
    """How binding the word of force is: 确保 over none over 力争."""
    return _STRENGTH.get(item.strength, 1)


def _turned(before: Target, after: Target) -> int:
    """完成 became 推动, or the other way round; a verb on one side alone (达到 → 保持) says nothing."""
    one, other = (bool(_DONE.search(t.text)) - bool(_PUSHED.search(t.text)) for t in (before, after))
    return (other - one) // 2 if one * other < 0 else 0


# --------------------------------------------------------------------------- splits, and one measure for another

# One figure for both, later told apart (the two sides of 城乡居民人均可支配收入 since the household survey of 2013).
_PARTS = {
    "城乡居民人均可支配收入": ("城镇居民人均可支配收入", "农村居民人均可支配收入"),
    "全体居民人均可支配收入": ("城镇居民人均可支配收入", "农村居民人均可支配收入"),
}
# One measure that replaces another: never one series.
_REPLACED = (
    frozenset({"城镇登记失业率", "城镇调查失业率"}),
    frozenset({"单位GDP能耗", "单位GDP二氧化碳排放"}),
    frozenset({"财政总收入", "一般公共预算收入"}),
    frozenset({"农村居民人均纯收入", "农村居民人均可支配收入"}),
    frozenset({"空气优良天数", "空气优良天数比率"}),
)


def _splits(
    before: Sequence[Target], after: Sequence[Target], pairs: dict[int, int]
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Further lines where one old figure became two (`split`), or two became one (`merged`)."""
    used = set(pairs.values())
    left = [_Lone(i, t, h) for i, (t, h) in enumerate(zip(before, horizons(before), strict=True)) if i not in pairs]
    right = [_Lone(j, t, h) for j, (t, h) in enumerate(zip(after, horizons(after), strict=True)) if j not in used]
    out: dict[tuple[int, int], tuple[str, ...]] = {}
    for wholes, parts, flag in ((left, right, "split"), (right, left, "merged")):
        taken: set[int] = set()
        for whole in wholes:
            found = _parts_of(whole, [p for p in parts if p.index not in taken])
            taken.update(found)
            for part in found:
                out[(whole.index, part) if flag == "split" else (part, whole.index)] = (flag,)
    return out


@dataclass(frozen=True, slots=True)
class _Lone:
    """An item without a partner."""

    index: int
    item: Target
    horizon: str


def _parts_of(whole: _Lone, others: Iterable[_Lone]) -> list[int]:
    """The first item of every part of `whole`, if all parts are there."""
    names = _PARTS.get(whole.item.canonical or "", ())
    found: dict[str, int] = {}
    for other in others:
        kinds = {other.item.kind, whole.item.kind}
        fits = other.item.role == whole.item.role and (len(kinds) == 1 or "relative" in kinds)
        near = other.horizon == whole.horizon or not other.horizon or not whole.horizon
        if other.item.canonical in names and fits and near:
            found.setdefault(str(other.item.canonical), other.index)
    return sorted(found.values()) if names and len(found) == len(names) else []


def _replaced(
    before: Sequence[Target],
    after: Sequence[Target],
    pairs: dict[int, int],
    splits: dict[tuple[int, int], tuple[str, ...]],
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Flags of dropped and new lines that stand for each other: another measure, or growth for amount."""
    used_before = set(pairs) | {i for i, _ in splits}
    used_after = set(pairs.values()) | {j for _, j in splits}
    gone = [(i, t) for i, t in enumerate(before) if i not in used_before and t.canonical]
    come = [(j, t) for j, t in enumerate(after) if j not in used_after and t.canonical]
    kept = {(t.role, t.canonical) for i, t in enumerate(before) if i in used_before}
    out: dict[tuple[int, int], tuple[str, ...]] = {}
    for i, old in gone:
        for j, new in come:
            flag = _replacement(old, new)
            if old.role != new.role or not flag or (flag == "form_changed" and (old.role, old.canonical) in kept):
                continue
            out[(i, -1)] = out[(-1, j)] = (flag,)
    return out


def _replacement(old: Target, new: Target) -> str | None:
    if frozenset({str(old.canonical), str(new.canonical)}) in _REPLACED:
        return "measure_changed"
    forms = {old.kind, new.kind}
    if old.canonical == new.canonical and "growth" in forms and forms & {"amount", "level", "count"}:
        return "form_changed"
    return None
