"""Learning a site from what is kept of it: which of its lines change at nearly every fetch, which stand on most pages.
Pure; makes the rules that `noise` puts to use.

Evidence has to be strong, because a sentence of a report that is cut is worse than noise that is shown:

* a page teaches what changes there once it changed in `CHANGES` fetches, in most of those that were made, always at
  the same place between lines that stayed; texts that were merely edited stay long on either side of the edit, and
  what replaces them is like them;
* a host teaches what stands on its pages once `PAGES` different documents bear it out; of a report, plan or budget only
  the ends count, copies count once;
* never learned: a line from which a target or result is read, one with a quantity, one that says a day, the formulas
  and signatures of official documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal

from rapidfuzz import fuzz

from monitor.model import Document, Noise
from monitor.text.noise import END, START, Lines, Place, anchor, has_quantity, is_date, shape

CHANGES = 4  # times a place has to have changed
OFTEN = 0.6  # share of versions in which it holds noise, of steps between them that changed it, and of checks
RUN = 3  # versions in a row in which a line stood: then it is text, perhaps edited once (one more for long windows)
ALIKE = 70  # per cent of two lines alike from which one is an edit of the other
FREE = 60  # normalised characters of a line without numbers or links that may be noise
PREFIX = 4  # normalised characters by which lines are alike that begin so
LETTERS = 3  # letters beside its numbers that a shape has to have
PAGES = 8  # different documents that have to hold a line, or a heading, before the host has it …
ON_MOST = 0.8  # … and the share of all of them
ELSEWHERE = 1.25  # times as many pages may hold the line somewhere else
HEADING = 14  # normalised characters of a heading over linked titles
EDGE = 6  # lines at each end of a report that may teach
LONGEST = 200  # normalised characters of a line that stands on many pages
POOL = 200  # lines that are remembered of one place
PLACES = 20  # places that are remembered of one page

_STOP = re.compile("[。！？；：，、,;:!?]$")
# Formulas of official documents, salutations, ordinals and signatures: they stand on many pages and are their text.
_FORMULA = re.compile(
    r"特此|此[件复页]|公开(?:发布|属性|方式)|附件|附[:：]|现(?:印发|将|予)|请(?:认真|遵照|结合)|(?:各位)?代表|同志们|谢谢|抄送|印发|"
    r"^[（(]?(?:第?[一二三四五六七八九十百0-9]+[章节条、.．）)])|"
    r"(?:政府|委员会|办公[室厅]|[局厅部院会办署处所司]|公司|中心|党委|党组|纪委|人大|政协|法院|检察院|大队|支队|街道|[市区县乡镇省])$|"
    r"(?:本报|本台|通讯员|记者|编辑|责编|作者|来源|供稿|摄影)"
)
_COUNTER = re.compile(r"访[客问]|浏览|点击|阅读[量数次]|人气|在线|今天是|现在是|当前时间|星期|天气|气温|℃|刷新|加载")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Reading:
    """One version of a page without anything learned left out. `quantities`: sentences that say a target or result."""

    url: str
    document: Document
    checks: int = 0  # that the page had had by then
    report: bool = False  # a report, plan, budget or outline: its main text teaches nothing of the site
    quantities: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Version:
    """A reading with its lines."""

    lines: Lines
    protected: set[int]  # lines with a target or result

    @classmethod
    def of(cls, reading: Reading) -> _Version:
        lines = Lines(reading.document)
        held = {
            i
            for i, p in enumerate(lines.kept)
            if any(q in p or (len(p) >= 8 and p in q) for q in reading.quantities if q)
        }
        return cls(lines, held)


# --------------------------------------------------------------------------- what changes at nearly every fetch


def volatile(host: str, window: Sequence[Reading], known: Sequence[Noise] = ()) -> list[Noise]:
    """Rules of one page from its newest versions, oldest first. `known`: those it has; they are renewed.

    A page whose rules are known changes seldom, so for it the share of checks does not count.
    """
    own = next((r for r in known if r.kind == "place" and r.page == window[-1].url), None) if window else None
    if len(window) <= CHANGES:
        return []
    url, checks = window[-1].url, window[-1].checks - window[0].checks
    if not known and len(window) - 1 < OFTEN * checks:
        return []
    seen = [_Version.of(r) for r in window]
    shapes: dict[str, Noise] = {}
    places: list[Place] = []
    examples: list[str] = []
    for gap in _gaps(seen):
        for rule in gap.shapes(host, url):
            shapes.setdefault(rule.mark, rule)
        if (place := gap.place()) is not None:
            places.append(place)
            examples.append(gap.example)
    found = list(shapes.values())
    if own is not None:
        places = _with_known(own, places)
    if places:
        shown = " / ".join(examples) if examples else (own.example if own else "")
        steps = len(window) - 1
        kept = {"places": [p.plain() for p in places]}
        found.append(Noise(host, "place", "places", url, kept, shown, steps, max(checks, steps)))
    return found


def _with_known(own: Noise, places: Sequence[Place]) -> list[Place]:
    """New places with the lines that came and went at the known ones, and known ones of which nothing new is heard."""
    known = [Place.of(p) for p in own.rule.get("places", ())]
    pool = frozenset[str]().union(*(p.pool for p in known))
    taken = {name for p in places for name in (p.left[0], p.right[0])}
    kept = [p for p in known if p.left[0] not in taken and p.right[0] not in taken]
    grown = [replace(p, pool=frozenset(sorted(p.pool | pool)[:POOL])) if p.free else p for p in places]
    return [*grown, *kept][:PLACES]


@dataclass(slots=True)
class _Gap:
    """What stood, version by version, between two lines that stayed."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    seen: Sequence[_Version]
    parts: list[list[int]]  # line numbers, one list for each version
    example: str = ""
    shaped: set[tuple[int, int]] = field(default_factory=set)  # (version, line) that a shape explains

    def _lines(self) -> Iterable[tuple[int, int, str]]:
        for at, part in enumerate(self.parts):
            for i in part:
                yield at, i, self.seen[at].lines.plain[i]

    def drop_text(self) -> None:
        """Leave out lines that stood there for a while: the page's text, perhaps edited once."""
        least = RUN + (len(self.parts) > 2 * CHANGES)
        runs: dict[str, int] = {}
        longest: Counter[str] = Counter()
        for part, version in zip(self.parts, self.seen, strict=True):
            now = {version.lines.plain[i] for i in part}
            runs = {line: runs.get(line, 0) + 1 for line in now}
            for line, run in runs.items():
                longest[line] = max(longest[line], run)
        text = {line for line, run in longest.items() if run >= least}
        self.parts = [
            [i for i in part if v.lines.plain[i] not in text and (i not in v.protected or v.lines.is_link(i))]
            for part, v in zip(self.parts, self.seen, strict=True)
        ]

    def shapes(self, host: str, url: str) -> list[Noise]:
        """Lines that differ in their numbers only, or that begin alike and go on differently each time."""
        out = []
        lines = [(at, i, line) for at, i, line in self._lines() if not self.seen[at].lines.is_link(i)]
        by_shape: dict[str, list[tuple[int, int, str]]] = {}
        for at, i, line in lines:
            by_shape.setdefault(shape(line), []).append((at, i, line))
        for form, group in by_shape.items():
            if len({line for _, _, line in group}) > 1 and _says_shape(form) and self._changes(group):
                out.append(self._noise(host, url, {"shape": form}, group))
        rest: dict[str, list[tuple[int, int, str]]] = {}
        for at, i, line in lines:
            if (at, i) not in self.shaped and len(line) > PREFIX:
                rest.setdefault(line[:PREFIX], []).append((at, i, line))
        for group in rest.values():
            prefix = _common_beginning([line for _, _, line in group])
            if self._changes(group) and _speaks(prefix) and not any(has_quantity(line) for _, _, line in group):
                longest = max(len(line) for _, _, line in group)
                out.append(self._noise(host, url, {"prefix": prefix, "longest": longest}, group))
        return out

    def _noise(self, host: str, url: str, rule: Mapping[str, object], group: Sequence[tuple[int, int, str]]) -> Noise:
        self.shaped |= {(at, i) for at, i, _ in group}
        at, i, _ = group[-1]
        example = self.seen[at].lines.kept[i]
        mark = str(rule.get("shape") or rule.get("prefix"))
        return Noise(host, "shape", mark, url, dict(rule), example, len({g[0] for g in group}), len(self.parts))

    def _changes(self, group: Sequence[tuple[int, int, str]]) -> bool:
        """Whether these lines stand in most versions and are others in most of them."""
        said: dict[int, tuple[str, ...]] = {}
        for at, _, line in group:
            said[at] = (*said.get(at, ()), line)
        steps = len(self.parts) - 1
        changes = sum(said.get(k) != said.get(k + 1) for k in range(steps))
        return (
            len(said) >= OFTEN * len(self.parts)
            and changes >= max(CHANGES, OFTEN * steps)
            and len({*said.values()}) > 2
        )

    def place(self) -> Place | None:
        """Titles of other pages, and short lines without numbers, that are others each time."""
        links = [x for x in self._lines() if self.seen[x[0]].lines.is_link(x[1])]
        titles = links if self._changes(links) else []
        free = [x for x in self._lines() if x not in links and (x[0], x[1]) not in self.shaped]
        edited = self._edited({(at, i): line for at, i, line in free})
        free = [x for x in free if (x[0], x[1]) not in edited and _harmless(x[2])]
        if not self._changes(free):
            free = []
        if not titles and not free:
            return None
        at, i, _ = (titles or free)[-1]
        self.example = self.seen[at].lines.kept[i]
        last = len(self.parts) - 1
        newest = {line for at, _, line in free if at == last}
        pool = [anchor(line) for line in dict.fromkeys(line for _, _, line in free) if line not in newest]
        counts, linked = Counter(at for at, _, _ in free), Counter(at for at, _, _ in titles)
        return Place(
            left=self.left,
            right=self.right,
            links=max(linked.values(), default=0),
            free=round(median(counts.values())) if counts else 0,
            longest=max((len(line) for _, _, line in free), default=0),
            ends=sum(line.endswith(("。", "！", "!", "；")) for _, _, line in free) * 2 > len(free),
            pool=frozenset(pool[-POOL:]),
        )

    def _edited(self, lines: Mapping[tuple[int, int], str]) -> set[tuple[int, int]]:
        """Lines that a like one replaced or was replaced by in the next version: edits of a text."""
        by_version: dict[int, list[tuple[int, str]]] = {}
        for (at, i), line in lines.items():
            by_version.setdefault(at, []).append((i, line))
        out: set[tuple[int, int]] = set()
        for at, now in by_version.items():
            for i, line in now:
                for j, after in by_version.get(at + 1, ()):
                    if line != after and fuzz.ratio(line, after) >= ALIKE:
                        out |= {(at, i), (at + 1, j)}
        return out


def _says_shape(form: str) -> bool:
    return len(_LETTER.findall(form)) >= LETTERS and "#" in form


def sure(rule: Noise) -> bool:
    """Whether one page alone can teach this: a shape without other pages has to be a counter, a clock or the weather.

    A figure that is brought up to date every day changes at nearly every fetch too.
    """
    return rule.kind != "shape" or bool(_COUNTER.search(rule.example))


def _common_beginning(lines: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(lines), max(lines)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def _speaks(prefix: str) -> bool:
    """Whether a beginning is one of a label rather than of a sentence or of a list of ordinals."""
    return len(_LETTER.findall(prefix)) >= PREFIX and not _STOP.search(prefix[:-1])


def _harmless(line: str) -> bool:
    return len(line) <= FREE and not has_quantity(line) and not is_date(line)


def _gaps(seen: Sequence[_Version]) -> list[_Gap]:
    """Places between lines that stayed where something changed, lines that stood for a while left out."""
    stayed = _stayed(seen)
    positions = []
    for version in seen:
        at = {line: i for i, line in enumerate(version.lines.plain)}
        positions.append([-1, *(at[line] for line in stayed), len(version.lines.plain)])
    names = [START, *map(anchor, stayed), END]
    gaps = []
    for k in range(len(names) - 1):
        parts = [list(range(p[k] + 1, p[k + 1])) for p in positions]
        if not any(parts):
            continue
        left = tuple(names[max(0, k - 2) : k + 1][::-1])
        gap = _Gap(left, tuple(names[k + 1 : k + 4]), seen, parts)
        gap.drop_text()
        gaps.append(gap)
    return gaps


def _stayed(seen: Sequence[_Version]) -> list[str]:
    """Lines that stand exactly once in every version, in the same order in all."""
    counts = [Counter(v.lines.plain) for v in seen]
    common = [line for line in seen[-1].lines.plain if line and all(c[line] == 1 for c in counts)]
    for version in seen:
        at = {line: i for i, line in enumerate(version.lines.plain)}
        ordered, highest = [], -1
        for line in common:
            if at[line] > highest:
                ordered.append(line)
                highest = at[line]
        common = ordered
    return common


# --------------------------------------------------------------------------- what stands on many pages


def shared(host: str, pages: Sequence[Reading]) -> list[Noise]:
    """Rules of a host from the latest texts of its different documents."""
    if len(pages) < PAGES:
        return []
    counted = _Counted()
    for reading in pages:
        counted.add(reading)
    least = max(PAGES, ON_MOST * len(pages))
    out = []
    for line, count in counted.headings.items():
        if count >= least and counted.taught(line) and 2 <= len(line) <= HEADING and not _FORMULA.search(line):
            out.append(counted.rule(host, "heading", line, count, len(pages)))
    for line in counted.stands:
        count = max(counted.edge[line], counted.linked[line])
        everywhere = counted.stands[line] <= ELSEWHERE * count
        if count >= least and everywhere and counted.taught(line) and _common(line):
            out.append(counted.rule(host, "line", line, count, len(pages)))
    return out


@dataclass(slots=True)
class _Counted:
    """On how many pages each line stands, and how."""

    stands: Counter[str] = field(default_factory=Counter)
    edge: Counter[str] = field(default_factory=Counter)  # near the beginning or the end
    linked: Counter[str] = field(default_factory=Counter)  # as the title of another page
    headings: Counter[str] = field(default_factory=Counter)  # right above such a title
    free: Counter[str] = field(default_factory=Counter)  # on pages that are no report
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reading: Reading) -> None:
        version = _Version.of(reading)
        lines, outer = version.lines, _ends(version)
        self.stands.update(set(lines.plain))
        teach = outer if reading.report else range(len(lines.plain))
        for line, i in {lines.plain[i]: i for i in teach if i not in version.protected}.items():
            self.examples.setdefault(line, lines.kept[i])
            self.edge[line] += i in outer
            self.linked[line] += lines.is_link(i)
            self.headings[line] += i + 1 < len(lines.plain) and lines.is_link(i + 1) and not lines.is_link(i)
            self.free[line] += not reading.report

    def taught(self, line: str) -> bool:
        """Whether pages that are no report bear it out: the last sentence of all reports is theirs, not the site's."""
        return self.free[line] >= PAGES // 2

    def rule(self, host: str, kind: Literal["line", "heading"], line: str, count: int, of: int) -> Noise:
        return Noise(host, kind, line, "", {"line": line}, self.examples[line], count, of, count)


def _common(line: str) -> bool:
    return 2 <= len(line) <= LONGEST and not has_quantity(line) and not is_date(line) and not _FORMULA.search(line)


def _ends(version: _Version) -> set[int]:
    """Lines near the beginning and the end: a few, but never more than half of the text."""
    count = len(version.lines.plain)
    few = min(EDGE, count // 4 or (1 if count > 1 else 0))
    return {*range(few), *range(count - few, count)}


def promoted(host: str, own: Sequence[Noise]) -> list[Noise]:
    """Rules of the host from those of single pages: shapes that two or more have shown."""
    by_mark: dict[str, list[Noise]] = {}
    for rule in own:
        if rule.kind == "shape" and rule.page:
            by_mark.setdefault(rule.mark, []).append(rule)
    return [
        Noise(
            host,
            "shape",
            mark,
            "",
            max(group, key=lambda r: r.rule.get("longest", 0)).rule,
            group[-1].example,
            sum(r.seen for r in group),
            sum(r.of for r in group),
            len(group),
        )
        for mark, group in by_mark.items()
        if len({r.page for r in group}) > 1
    ]
