"""One moved target in words, from the wire shape of a release comparison (wire.target_change).

The direction of an arrow is that of the number, not of its merit. A newspaper that gives another number than the
report has moved nothing: it differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.inert import one_line
from monitor.i18n import say
from monitor.i18n.alerts import TEXTS

Line = Mapping[str, Any]  # one element of CHANGE.targets

_ARROWS = {"raised": "↑", "lowered": "↓", "new": "＋", "dropped": "×", "reworded": "≈"}
_RANK = {"lowered": 0, "dropped": 1, "raised": 2, "reworded": 3, "new": 4, "unchanged": 5}
_TOLD = frozenset({"softened", "hardened"})  # 确保6% → 力争6%: the same number, another promise
_NAME_LIMIT, _VALUE_LIMIT = 48, 60
# names that already say what is measured need no second word
_SAYS_GROWTH = ("增速", "增长", "增幅", "涨幅", "降幅", "下降", "降低", "growth", "reduction")
_SAYS_SHARE = ("占比", "比重", "率", "比例", "份额", "强度", "share", "rate", "ratio", "intensity", "coverage", "cover")


def item(line: Line) -> Mapping[str, Any]:
    """The side of a comparison that speaks for it: the newer one, or what is gone."""
    return line.get("to") or line.get("from") or {}


def names(line: Line) -> set[str]:
    """Every name an indicator can be asked for by: canonical, as written, its stable id."""
    known = {line.get("canonical"), line.get("indicator")}
    known |= {(line.get(side) or {}).get("indicator_id") for side in ("from", "to")}
    return {str(name) for name in known if name}


def is_promise(line: Line) -> bool:
    """Whether a target moved, not a result."""
    return bool(item(line).get("role", "target") == "target")


def quoted(line: Line) -> bool:
    """Whether the newer text quotes the older one (a newspaper, a copy): no promise has moved."""
    return line.get("relation") in ("quote", "copy")


def differs(line: Line) -> bool:
    """Whether a text that quotes gives another number than the document: neither rounded nor only put otherwise."""
    if "differs" in line.get("flags", ()):
        return True
    return quoted(line) and line.get("change") in ("raised", "lowered")


def rank(line: Line) -> tuple[bool, bool, bool, bool, int]:
    """Sort key: contradictions, promises, recurring, headline, then cuts and drops before the rest."""
    order = _RANK.get(str(line.get("change")), 9)
    if "softened" in line.get("flags", ()):
        order = min(order, _RANK["dropped"])
    return (
        not differs(line),
        not is_promise(line),
        line.get("recurring") is False,
        not item(line).get("headline"),
        order,
    )


def ordered(lines: Iterable[Line]) -> list[Line]:
    """What moved, the most telling first; what did not move is left out."""
    return sorted((x for x in lines if x.get("change") != "unchanged" or _TOLD & set(x.get("flags", ()))), key=rank)


def news(lines: Iterable[Line]) -> int:
    """How many lines to speak of: works that a year begins or ends are listed, but they are not what moved."""
    known = list(lines)
    told = [x for x in known if x.get("recurring") is not False or x.get("change") not in ("new", "dropped")]
    return len(told) or len(known)


def name(line: Line, lang: str) -> str:
    """地区生产总值增速, Regional GDP growth: the indicator, what it is about, and what is measured."""
    english = item(line).get("indicator_en") if lang == "en" else None
    known = english or line.get("canonical") or line.get("indicator") or item(line).get("indicator")
    base = one_line(known or "?", _NAME_LIMIT)
    about = one_line(line.get("object") or "", _NAME_LIMIT)
    measure = _measure(str(line.get("kind")), item(line), base)
    return (
        (f"{about} · " if about and about not in base else "") + base + (say(TEXTS, measure, lang) if measure else "")
    )


def _measure(kind: str, side: Mapping[str, Any], base: str) -> str | None:
    if kind == "growth" and not base.endswith(_SAYS_GROWTH):
        return "measure.decline" if side.get("direction") == "decrease" else "measure.growth"
    return "measure.share" if kind == "share" and not base.endswith(_SAYS_SHARE) else None


def value(side: Mapping[str, Any] | None, lang: str) -> str:
    """What the document wrote: 6%左右. A side without one is a dash."""
    if not side:
        return say(TEXTS, "none", lang)
    return one_line(side.get("value_text") or side.get("text") or "", _VALUE_LIMIT) or say(TEXTS, "none", lang)


def arrow(line: Line) -> str:
    """One sign for what happened; none for a text that merely differs."""
    return "≠" if differs(line) else _ARROWS.get(str(line.get("change")), "")


def word(line: Line, lang: str) -> str:
    """下调, 口气放软: what happened, with its flags."""
    if differs(line):
        return say(TEXTS, "change.differs" if line.get("relation") == "quote" else "change.copied", lang)
    keys = [f"change.{line.get('change')}", *(f"flag.{f}" for f in line.get("flags", ()))]
    if "flag.not_in_report" in keys or "flag.not_quoted" in keys:
        del keys[0]  # what a newspaper adds or leaves out is neither a new promise nor a dropped one
    said = [say(TEXTS, key, lang) for key in keys if key in TEXTS]
    return ("，" if lang == "zh" else ", ").join(said)


def phrase(line: Line, lang: str) -> str:
    """One line for one moved target: 地区生产总值增速 6%左右 → 5.5%左右 ↓."""
    change = str(line.get("change"))
    key = "line.moved"
    if differs(line) and line.get("from") and line.get("to"):
        key = "line.differs"
    elif quoted(line) and change in ("new", "dropped"):
        key = f"line.quoted_{change}"
    elif change in ("new", "dropped", "reworded", "unchanged"):
        key = "line.reworded" if change == "unchanged" else f"line.{change}"
    said = say(
        TEXTS,
        key,
        lang,
        name=name(line, lang),
        before=value(line.get("from"), lang),
        after=value(line.get("to"), lang),
        arrow=arrow(line),
        word=word(line, lang),
    )
    return f"{said}{implied(line, lang)}"


def implied(line: Line, lang: str) -> str:
    """（折算增长4.4%）: what a new form of a target means, marked as ours; "" where that is not known."""
    if line.get("implied") is None:
        return ""
    base = one_line(line.get("implied_base") or "", 40)
    return say(TEXTS, "implied", lang, growth=f"{line['implied']:+g}", base=base)


def short(line: Line, lang: str) -> str:
    """The same for a subject line: 地区生产总值增速 6%左右→5.5%左右."""
    if not line.get("from") or not line.get("to") or line.get("change") == "unchanged":
        return phrase(line, lang)
    sign = "≠" if differs(line) else "→"
    return f"{name(line, lang)} {value(line['from'], lang)}{sign}{value(line['to'], lang)}"
