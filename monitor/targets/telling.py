"""What to say of a comparison: which lines are news, which comes first, and one line of words for each. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from monitor.i18n import say
from monitor.i18n.targets import TEXTS, UNITS_EN
from monitor.model import Target, TargetChange
from monitor.targets import measure
from monitor.targets.reference import reference

_WORKS = re.compile(
    r"项目|道路|街巷|管网|征收|拆除|拆迁|棚改|棚户|锅炉|公厕|停车|充电|幼儿园|危房|竣工|改造|维修|建设|首店|桥|泵站"
)
_GDP = "地区生产总值"


def recurring(item: Target) -> bool:
    """Whether its absence is news: an indicator that is stated every year, not a work that is done once."""
    if item.persistence == "one_off":
        return False
    if item.headline or item.kind in ("growth", "share", "relative", "change"):
        return True
    return bool(item.canonical) and not _WORKS.search(str(item.canonical))


def news(changes: Iterable[TargetChange]) -> tuple[TargetChange, ...]:
    """The lines that say something: not `unchanged`, and no work that is merely finished or begun."""
    return tuple(c for c in changes if c.change != "unchanged" and (c.recurring or c.change not in ("new", "dropped")))


# --------------------------------------------------------------------------- the first line

_LABELS = {"lowered": 0, "dropped": 1, "raised": 2, "reworded": 3, "new": 4, "unchanged": 9}


def _annual(item: Target) -> bool:
    return item.period is None or bool(re.fullmatch(r"\d{4}", item.period))


def _rank(line: TargetChange) -> tuple[bool | int, ...]:
    """Smaller is more newsworthy: promises, growth of GDP, main targets, what comes every year, cuts before rises."""
    item = line.after or line.before
    assert item is not None
    heads = any(t is not None and t.headline for t in (line.before, line.after))
    gdp = line.canonical == _GDP and line.kind == "growth" and line.recurring
    given_up = "unquantified" in line.flags
    return (
        item.role != "target",
        not (gdp and _annual(item)),
        not heads,
        not _annual(item),
        not line.recurring,
        1 if given_up else _LABELS[line.change],
        item.tier != "core",
    )


def ranked(changes: Iterable[TargetChange]) -> tuple[TargetChange, ...]:
    """All lines that changed, the most newsworthy first; the order of the release among equals."""
    return tuple(sorted((c for c in changes if c.change != "unchanged"), key=_rank))


def headline(changes: Iterable[TargetChange]) -> TargetChange | None:
    """The line to tell first; None where nothing changed."""
    return min((c for c in changes if c.change != "unchanged"), key=_rank, default=None)


# --------------------------------------------------------------------------- words


def phrase(change: TargetChange, lang: str, names: Mapping[str, str] | None = None) -> str:
    """One line, such as `地区生产总值增速 6%左右 → 5.5%左右 ↓`. `names`: canonical name -> English name."""
    words = {
        "name": name(change.after or change.before, lang, names) if change.after or change.before else "",
        "before": value(change.before, lang) if change.before else "",
        "after": value(change.after, lang) if change.after else "",
        "arrow": {"raised": "↑", "lowered": "↓"}.get(change.change, ""),
    }
    line = say(TEXTS, f"line.{_form(change)}", lang, **words)
    told = [f for f in change.flags if f not in ("not_in_report", "not_quoted", "moved")]
    if not told:
        return line
    flags = say(TEXTS, "joint", lang).join(say(TEXTS, f"flag.{f}", lang) for f in told)
    return say(TEXTS, "line.flags", lang, line=line, flags=flags)


def _form(change: TargetChange) -> str:
    if change.change in ("raised", "lowered"):
        return "moved"
    if "not_in_report" in change.flags and change.after:
        return "added"
    return "unstated" if "not_quoted" in change.flags and change.before else change.change


def name(item: Target | None, lang: str, names: Mapping[str, str] | None = None) -> str:
    """The indicator for a reader: canonical name (English where known), growth said, object and span in brackets."""
    if item is None:
        return ""
    out = item.canonical or item.indicator
    if lang != "zh":
        out = (names or {}).get(out, out)
    if item.kind == "growth" and not re.search(r"(?:增长|增速|增幅|涨幅|growth)$", out):
        out = say(TEXTS, "name.fall" if item.direction == "decrease" else "name.growth", lang, name=out)
    if item.object and item.object not in out:
        out = say(TEXTS, "name.object", lang, name=out, object=item.object)
    if item.period and not _annual(item) and not item.period.startswith("rel:"):
        out = say(TEXTS, "name.period", lang, name=out, period=item.period)
    return out


def value(item: Target, lang: str) -> str:
    """The value as the text says it; in English with its qualifier and unit translated."""
    stated = unicodedata.normalize("NFKC", item.value_text).strip()
    if lang == "zh" and stated:
        return stated
    number = _number(item, lang)
    if item.qualifier in ("in_step", "above_ref", "below_ref"):
        against = reference(item)
        if not against:
            return say(TEXTS, f"value.{item.qualifier}", lang)
        against = say(TEXTS, "economy", lang) if against == "经济" else against
        return say(TEXTS, f"value.{item.qualifier}.of", lang, reference=against)
    if number is None or item.qualifier == "all":
        return say(TEXTS, "value.all" if item.qualifier == "all" else "value.words", lang, words=stated or item.text)
    return say(TEXTS, f"value.{item.qualifier}", lang, value=number)


def _number(item: Target, lang: str) -> str | None:
    low, high = item.value_min, item.value_max
    if item.value is not None:
        return _figure(item.value, item.unit, lang)
    known = [x for x in (low, high) if x is not None]
    if len(known) == 2:
        return (
            f"{_plain(known[0])}–{_figure(known[1], item.unit, lang)}"
            if item.unit == "%"
            else "–".join(_figure(x, item.unit, lang) for x in known)
        )
    return _figure(known[0], item.unit, lang) if known else None


def _figure(number: float, unit: str | None, lang: str) -> str:
    """A number with its unit; in English without 万 and 亿."""
    if lang == "zh" or not unit or unit == "%":
        return f"{_plain(number)}{unit or ''}"
    factor, rest = measure.multiplier(unit)
    number *= factor
    word = UNITS_EN.get(rest, "" if measure.base(rest)[0] == "pieces" else rest)
    scale, said = next(((s, w) for s, w in ((1e9, " billion"), (1e6, " million")) if abs(number) >= s), (1.0, ""))
    return f"{_plain(number / scale)}{said} {word}".strip()


def _plain(number: float) -> str:
    """At most four decimals, thousands apart, no trailing zeros."""
    out = f"{number:,.4f}".rstrip("0").rstrip(".")
    return out.replace(",", "") if abs(number) < 10_000 else out
