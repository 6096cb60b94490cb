"""Values and subjects in lists: 分别增长5.5%和7%左右, 甲率和乙率均达到95%."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from monitor.model import Indicator
from monitor.targets.naming import Namer, Naming, Subject, Value
from monitor.targets.phrases import Surroundings, elided, strip_words, surroundings
from monitor.targets.places import PLACE as _PLACE
from monitor.targets.quantities import Quantity, bounded
from monitor.targets.subjects import plain

_JOINED = re.compile(r"\s*[、和及与,]\s*(?:每人每[月年]|每[月年])?")
_AND = re.compile(r"\s*[、和及与]\s*")
_LISTED = re.compile(r"[、和及]")
_SEVERAL = re.compile(r"[、和及与]|城乡")
_ABRIDGED = re.compile(
    r"第?(?P<ordinals>一、二(?:、三)?)(?:次)?产业?(?=增加|投资|[^业])|(?P<towns>城[、和]乡|城镇和乡村)(?=居民)"
)
_SHARED = re.compile(r"(?<![平人户年日])均|都")
_BEFORE = re.compile(r"[约近不超突低]")  # a qualifier that stands before its number is not shared
Parts = tuple[tuple[str, Indicator | None], ...]


class Lists:
    """Reads the lists that `Namer` alone would misread."""

    def __init__(self, namer: Namer) -> None:
        self.namer = namer

    # ------------------------------------------------------------------ several values

    def respectively(
        self, quantities: Sequence[Quantity], index: int, value: Value, end: int, subject: Subject
    ) -> tuple[list[Naming], Quantity, Surroundings] | None:
        """Values and subjects paired in order; words and last qualifier hold for all values. None: no such list."""
        first, last = _run(quantities, index, value.text)
        around = surroundings(value.text, value.sentence, end, quantities, first) if first < index else value.around
        said = "分别" in around.words
        if not said:
            start, (first, last) = first, _alike(quantities, index, first, last, value.text)
            if first == last:
                return None
            if first != start:
                around = surroundings(value.text, value.sentence, end, quantities, first)
        head = Value(value.text, value.sentence, quantities[first], around, value.form)
        parts = (self._parts if said else self._paired)(head, subject, last - first + 1)
        if not parts:
            return None
        subject.parts = parts
        quantity = _shared(quantities[index], quantities[last], value.text) if last > first else quantities[index]
        start, stop = head.start, quantities[last].end
        if last == first:
            return [Naming(i, w, start, stop, "one value for each of a list") for w, i in parts], quantity, around
        if index - first >= len(parts):
            return None
        words, indicator = parts[index - first]
        return [Naming(indicator, words, start, stop, "list with 分别")], quantity, around

    def _parts(self, head: Value, subject: Subject, values: int) -> Parts:
        """The subjects of a 分别 list: 城乡 stands for both, and a shared head noun is added to each.

        Without a name of its own it speaks of as many subjects as it has values: the last ones of the line.
        """
        before, _, behind = _ABRIDGED.sub(_unabridged, head.around.words).partition("分别")
        name = strip_words(before)
        if not name or elided(before):
            return subject.parts or (subject.said[-values:] if len(subject.said) >= values > 1 else ())
        if "城乡" in name:
            names = [name.replace("城乡", "城镇"), name.replace("城乡", "农村")]
        else:
            names = [p for p in re.split(r"[、和及与]", name) if p]
        if len(names) < 2:
            return ()
        tail = strip_words(re.sub(r"增长|下降", "", behind))
        out: list[tuple[str, Indicator | None]] = []
        for part in names:
            whole = self._completed(part, names, head)
            found = self.namer.known(whole, head) or (self.namer.known(tail, head) if tail else None)
            out.append((whole, found))
        return tuple(out)

    def _paired(self, head: Value, subject: Subject, values: int) -> Parts:
        """城镇、农村居民收入52360元、28115元: as many names as values, 分别 left out."""
        if values < 2:
            return ()
        parts = self._parts(head, subject, values)
        if len(parts) != values or (not elided(head.around.words) and not _SEVERAL.search(head.around.words)):
            return ()
        known = {indicator.id for _, indicator in parts if indicator}
        return parts if len(known) == values else ()

    # ------------------------------------------------------------------ one value

    def shared(self, value: Value, subject: Subject) -> list[Naming] | None:
        """甲、乙增长3%左右: one value for several subjects. None: the words name one thing."""
        name = strip_words(value.around.words)
        if value.around.listed or not _LISTED.search(name) or "等" in name:
            return None
        names = [p for p in _LISTED.split(name) if p]
        if not 2 <= len(names) <= 4:
            return None
        if all(_PLACE.fullmatch(p) for p in names):
            topic = self.namer.topic(value, subject)
            return [Naming(topic, p, value.start, value.quantity.end, "places under a topic", True) for p in names]
        both = _SHARED.search(value.around.words[-14:]) or all(p.endswith("率") for p in names)
        found = [self._whole(self._completed(p, names, value), value) for p in names]
        distinct = len({f.id for f in found if f}) == len(names) and value.quantity.family in ("", "percent", "ratio")
        if not distinct and not (both and all(len(p) >= 3 for p in names)):
            return None
        end = value.quantity.end
        return [Naming(i, p, value.start, end, "shared by a list") for i, p in zip(found, names, strict=True)]

    def _whole(self, name: str, value: Value) -> Indicator | None:
        """An indicator whose name is most of the phrase."""
        match = self.namer.find(name, value)
        return match.indicator if match and match.end - match.at >= 0.6 * len(plain(name)) else None

    # ------------------------------------------------------------------ names that share a piece

    def _completed(self, part: str, names: list[str], value: Value) -> str:
        """城镇 beside 农村居民人均可支配收入 is 城镇居民人均可支配收入."""
        first, last = names[0], names[-1]
        if part == last:
            return self._prefixed(last, first, value)
        place = _PLACE.match(last)
        if place and _PLACE.fullmatch(part):
            return part + last[place.end() :]
        best, longest = part, 0.0
        for cut in range(1, min(len(last), 12)):
            match = self.namer.find(part + last[cut:], value)
            if match and match.at < len(part) < match.end and match.score > longest:
                best, longest = part + last[cut:], match.score
        return best

    def _prefixed(self, last: str, first: str, value: Value) -> str:
        """巩固率 after 义务教育入学率 is 义务教育巩固率."""
        if self.namer.known(last, value):
            return last
        for cut in range(min(len(first) - 1, 10), 1, -1):
            match = self.namer.find(first[:cut] + last, value)
            if match and match.at < cut < match.end:
                return first[:cut] + last
        return last


def _unabridged(match: re.Match[str]) -> str:
    """一、二、三产业 are three names, 城、乡居民 two."""
    if match["towns"]:
        return "城乡"
    return "、".join(f"第{n}产业" for n in match["ordinals"].replace("、", ""))


def _alike(quantities: Sequence[Quantity], index: int, first: int, last: int, text: str) -> tuple[int, int]:
    """The stretch around one value in a run of values of its unit that 、 or 和 part."""
    unit, low, high = quantities[index].unit, index, index
    while (
        low > first
        and quantities[low - 1].unit == unit
        and _AND.fullmatch(text, quantities[low - 1].end, quantities[low].start)
    ):
        low -= 1
    while (
        high < last
        and quantities[high + 1].unit == unit
        and _AND.fullmatch(text, quantities[high].end, quantities[high + 1].start)
    ):
        high += 1
    return low, high


def _run(quantities: Sequence[Quantity], index: int, text: str) -> tuple[int, int]:
    """First and last of the values that only connectors part from this one (at most 12 on each side)."""
    first = last = index
    while first > max(0, index - 12) and _JOINED.fullmatch(text, quantities[first - 1].end, quantities[first].start):
        first -= 1
    limit = min(len(quantities), index + 13)
    while last + 1 < limit and _JOINED.fullmatch(text, quantities[last].end, quantities[last + 1].start):
        last += 1
    return first, last


def _shared(quantity: Quantity, last: Quantity, text: str) -> Quantity:
    if quantity.qualifier != "exact" or last.qualifier not in ("about", "at_least", "at_most"):
        return quantity
    if _BEFORE.match(text, last.start):
        return quantity
    return bounded(replace(quantity, qualifier=last.qualifier))
