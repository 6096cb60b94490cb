"""Learned noise put to use: lines of a document that a site's rules (`model.Noise`) say are none of its text. Pure.

Rules of the whole host are never applied inside a report, plan or budget: there only at both ends. What one page itself
has shown to change at nearly every fetch is left out of that page wherever it stands, but never a sentence with a
quantity: see `learn`, which makes the rules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from monitor.model import Document, Noise
from monitor.text import dates
from monitor.text.segment import normalise

START, END = "^", "$"  # anchors: where the text begins and ends
ROOM = 1.3  # an unseen line of a place may be this much longer than the longest seen there
SPARE = 3  # titles more than were ever seen at a place
MOST = 0.5  # of a text's characters that rules may leave out: more is no noise

_NUMBERS = re.compile(r"(?:[0-9]+(?:[.,:/\-][0-9]+)*|[〇零一二两三四五六七八九十百千万亿]+)")
_COUNTED = "元|吨|人次?|户|家|套|亩|公里|平方米|立方米|千瓦时?|公顷|个|项|件|条|所|座|台|辆|张|倍|例|起|批|米"
_MEASURE = rf"(?:%|‰|个百分点|[万亿]?(?:{_COUNTED}))"
# A single Chinese numeral counts nothing (一张蓝图, 一个目标); several, or a large one, do.
_QUANTITY = re.compile(
    rf"(?:[0-9][0-9.,]*|[一二两三四五六七八九十百千万亿]*[百千万亿十][一二三四五六七八九十百千万亿零]*)\s*{_MEASURE}|百分之"
)
_ENDS = re.compile("[。！？；!?;]$")
_BETWEEN = re.compile(r"[\d\s\-/.:年月日|·•・>»\[\]()【】]+")


def shape(line: str) -> str:
    """A normalised line with its numbers, Chinese ones too, as `#`."""
    return _NUMBERS.sub("#", line)


def has_quantity(line: str) -> bool:
    """Whether a number with a unit stands in it."""
    return _QUANTITY.search(line) is not None


def anchor(line: str) -> str:
    """The name under which a rule remembers a normalised line."""
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


class Lines:
    """The lines of one document as rules see them: normalised, and whether a line is the title of another page."""

    def __init__(self, document: Document) -> None:
        self.kept = document.paragraphs
        self.plain = [normalise(p) for p in document.paragraphs]
        self._files = {normalise(f.name) for f in document.attachments}
        self._links = document.links

    @cached_property
    def anchors(self) -> list[str]:
        return [anchor(line) for line in self.plain]

    @cached_property
    def titles(self) -> frozenset[str]:
        """Texts of the page's links, those of attachments left out."""
        return frozenset(t for link in self._links if len(t := normalise(link.text)) >= 4) - self._files

    def is_link(self, at: int) -> bool:
        """Whether a line is nothing but titles of other pages, perhaps with their dates."""
        line = self.plain[at]
        if line in self.titles:
            return True
        rest = _BETWEEN.sub("", line)
        if not rest or len(line) > 240:
            return False
        for title in self.titles:
            bare = _BETWEEN.sub("", title)
            if bare and bare in rest:
                rest = rest.replace(bare, "", 1)
                if not rest:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Place:
    """Lines between known lines of one page. Anchors stand nearest first."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    links: int  # titles of other pages that stood there at most
    free: int  # other lines that stand there as a rule
    longest: int  # normalised characters of the longest of those
    ends: bool  # whether those end as sentences do
    pool: frozenset[str]  # anchors of lines that came and went there

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Place:
        """The reverse of `plain`."""
        return cls(
            left=tuple(data["left"]),
            right=tuple(data["right"]),
            links=data["links"],
            free=data["free"],
            longest=data["longest"],
            ends=data["ends"],
            pool=frozenset(data["pool"]),
        )

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "left": list(self.left),
            "right": list(self.right),
            "links": self.links,
            "free": self.free,
            "longest": self.longest,
            "ends": self.ends,
            "pool": sorted(self.pool),
        }

    def cut(self, lines: Lines, gone: set[int]) -> list[int]:
        """Which lines stand there now; `gone` are cut already."""
        found = self._between(lines)
        if found is None:
            return self._elsewhere(lines, gone)
        span, near_end = found
        open_ = [i for i in span if i not in gone]
        out = [i for i in open_ if lines.is_link(i)] if self.links else []
        rest = [i for i in open_ if i not in out]
        known = [i for i in rest if lines.anchors[i] in self.pool]
        need = self.free - len(known)
        unseen = [i for i in rest if i not in known and self._fits(lines.plain[i])]
        if need > 0 and unseen:
            known += self._likeliest(lines, unseen, need, near_end=near_end)
        away = self._elsewhere(lines, gone, titles=not out, known=not known)
        return sorted({*out, *known, *away})

    def _elsewhere(self, lines: Lines, gone: set[int], *, titles: bool = True, known: bool = True) -> list[int]:
        """Where a block is put behind the n-th paragraph it moves with every paragraph that comes or goes.

        Then only what is beyond doubt: a run of titles of other pages, lines that came and went before.
        """
        out = [i for i, name in enumerate(lines.anchors) if i not in gone and name in self.pool] if known else []
        run: list[int] = []
        for i in range(len(lines.plain) + 1):
            if titles and self.links and i < len(lines.plain) and i not in gone and lines.is_link(i):
                run.append(i)
                continue
            if 1 < len(run) <= self.links + SPARE:
                out += run
            run = []
        return out

    def _fits(self, line: str) -> bool:
        return len(line) <= ROOM * self.longest + 4 and not has_quantity(line)

    def _likeliest(self, lines: Lines, unseen: Sequence[int], need: int, *, near_end: bool) -> list[int]:
        """As many as stand there as a rule: those that end alike first, then those nearest to the anchor."""

        def rank(i: int) -> tuple[bool, int]:
            return (_ENDS.search(lines.plain[i]) is not None) != self.ends, -i if near_end else i

        return sorted(unseen, key=rank)[:need]

    def _between(self, lines: Lines) -> tuple[range, bool] | None:
        """(lines between the anchors, whether the right one is the surer). An anchor may have been edited itself."""
        left, right = _position(lines, self.left[:1], -1), _position(lines, self.right[:1], len(lines.plain))
        most = self.links + self.free + (SPARE if self.links else 0)
        if left is not None and right is not None:
            return (range(left + 1, right), True) if left < right else None
        if right is not None:
            return range(max(0, right - most), right), True
        if left is not None:
            return range(left + 1, min(len(lines.plain), left + 1 + most)), False
        left, right = _position(lines, self.left[1:2], -1), _position(lines, self.right[1:2], len(lines.plain))
        if left is not None and right is not None and left + 1 < right - 1:  # both neighbours were edited
            return range(left + 2, right - 1), True
        return None


def _position(lines: Lines, names: Sequence[str], edge: int) -> int | None:
    """Where an anchor stands, once only; `edge` for the beginning or end of the text."""
    if not names:
        return None
    if names[0] in (START, END):
        return edge
    found = [i for i, name in enumerate(lines.anchors) if name == names[0]]
    return found[0] if len(found) == 1 else None


class Learned:
    """The active rules of one host."""

    def __init__(self, rules: Iterable[Noise] = ()) -> None:
        self._by_page: dict[str, list[Noise]] = {}
        for rule in rules:
            if rule.state == "on":
                self._by_page.setdefault(rule.page, []).append(rule)

    def __bool__(self) -> bool:
        return bool(self._by_page)

    def of(self, url: str) -> list[Noise]:
        """The rules that hold for this address."""
        return [*self._by_page.get("", ()), *self._by_page.get(url, ())]

    def mark(self, url: str) -> str:
        """Changes when other rules hold for this address than before."""
        names = sorted(f"{r.kind}:{r.page}:{r.mark}:{r.revision}" for r in self.of(url))
        return anchor("\n".join(names)) if names else ""

    def cuts(self, document: Document, url: str, is_report: Callable[[], bool]) -> dict[int, Noise]:
        """Paragraph number -> the rule that says it is noise."""
        rules = self.of(url)
        if not rules or not document.paragraphs:
            return {}
        lines = Lines(document)
        own, host = _matches(lines, [r for r in rules if r.page]), _matches(lines, [r for r in rules if not r.page])
        inside = {i for i, r in host.items() if r.kind == "line" and not lines.is_link(i)}
        if host.keys() - own.keys() and is_report():
            inside = set(host)
        kept = _at_ends(len(lines.plain), host.keys() | own.keys())
        found = {i: r for i, r in host.items() if i not in inside or i in kept} | own
        if sum(len(lines.plain[i]) for i in found) > MOST * sum(map(len, lines.plain)):
            return {}
        return found

    def clean(self, document: Document, url: str, is_report: Callable[[], bool]) -> Document:
        """The document without its site's learned noise; `explain` names what was left out and by which rule."""
        found = self.cuts(document, url, is_report)
        if not found:
            return document
        said = " / ".join(f"{r.id} {document.paragraphs[i][:40]}" for i, r in sorted(found.items())[:8])
        return replace(
            document,
            paragraphs=tuple(p for i, p in enumerate(document.paragraphs) if i not in found),
            explain=(*document.explain, f"learned noise left out: {said}"),
        )


def _at_ends(count: int, cut: Iterable[int]) -> set[int]:
    """Those of `cut` before which, or behind which, nothing else is left."""
    wanted = set(cut)
    first = 0
    while first in wanted:
        first += 1
    last = count - 1
    while last in wanted:
        last -= 1
    return {i for i in wanted if i < first or i > last}


def _matches(lines: Lines, rules: Sequence[Noise]) -> dict[int, Noise]:
    """Paragraph number -> the rule that matches it, without regard to where it stands."""
    found: dict[int, Noise] = {}
    for kind, match in (("line", _line), ("shape", _shape), ("heading", _heading)):
        for rule in (r for r in rules if r.kind == kind):
            for i in match(lines, rule):
                found.setdefault(i, rule)
    for rule in (r for r in rules if r.kind == "place"):
        for place in rule.rule.get("places", ()):
            for i in Place.of(place).cut(lines, set(found)):
                found.setdefault(i, rule)
    return found


def _line(lines: Lines, rule: Noise) -> list[int]:
    return [i for i, line in enumerate(lines.plain) if line == rule.rule["line"]]


def _shape(lines: Lines, rule: Noise) -> list[int]:
    if "shape" in rule.rule:
        wanted = rule.rule["shape"]
        return [i for i, line in enumerate(lines.plain) if shape(line) == wanted]
    prefix, longest = rule.rule["prefix"], ROOM * rule.rule["longest"] + 4
    return [i for i, line in enumerate(lines.plain) if line.startswith(prefix) and len(line) <= longest]


def _heading(lines: Lines, rule: Noise) -> list[int]:
    """The heading and every linked title right below it; never a heading over nothing linked."""
    out: list[int] = []
    for i, line in enumerate(lines.plain):
        if line != rule.rule["line"]:
            continue
        below = i + 1
        while below < len(lines.plain) and lines.is_link(below):
            below += 1
        if below > i + 1:
            out += range(i, below)
    return out


def is_date(line: str) -> bool:
    """Whether a normalised line says a day: such a line may be the only one that does."""
    return dates.first(line) is not None


NOTHING = Learned()
