"""What a message shows, as plain values for the templates: every string inert, every list bounded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from alerts import phrases
from alerts.inert import link, one_line
from alerts.strike import Struck, struck
from monitor.i18n import say
from monitor.i18n.alerts import TEXTS
from monitor.model import LATE

Payload = Mapping[str, Any]

BEIJING = timezone(timedelta(hours=8))
_SHORT_EDIT = 24  # characters of an edit that needs more of its sentence to be understood
_SENTENCES = 3  # of a document whose targets are told of without its edits
_TITLE = 120  # characters of a page's title


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a message may show. `halved` is tried when the result is too large."""

    rows: int = 24  # table rows; of a digest, in each place
    edits: int = 16
    chars: int = 8000  # of edited text
    changes: int = 120  # of a digest

    def halved(self) -> Budget:
        return Budget(max(self.rows // 2, 1), self.edits // 2, self.chars // 2, max(self.changes // 2, 1))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of moved targets."""

    name: str
    before: str
    after: str
    arrow: str
    word: str
    change: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled line under the message; `href` only where it is safe to follow."""

    label: str
    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One CHANGE to show. `line` is its first line: `where` and `what`."""

    tag: str
    where: str
    what: str
    short: str
    lead: Row | None
    lead_leads: bool  # whether the first line is about `lead`
    also: str  # 等 4 项
    targets: tuple[Row, ...]
    results: tuple[Row, ...]
    more_targets: int
    edits: tuple[Struck, ...]
    more_edits: int
    facts: tuple[Fact, ...]
    commands: tuple[str, ...]
    columns: tuple[str, str]
    headings: tuple[str, str]  # of the tables of targets and of results
    is_new: bool

    @property
    def line(self) -> str:
        return f"{self.where}{self.what}"


def change(payload: Payload, lang: str, budget: Budget) -> ChangeView:
    """A CHANGE with the source's name, place and region beside its fields (alerts.rules.describe)."""
    lines = phrases.ordered(payload.get("targets") or ())
    promises = [x for x in lines if phrases.is_promise(x)]
    results = [x for x in lines if not phrases.is_promise(x)]
    shown, rest = promises[: budget.rows], results[: max(budget.rows - len(promises), 0)]
    is_new = payload.get("kind") == "new"
    # a new document is new from end to end: its first lines tell what it is, its table what it promises
    room = Budget(budget.rows, min(budget.edits, 3), min(budget.chars, 900)) if is_new else budget
    edits = [in_sentence(e, lines) for e in payload.get("edits") or ()] or list(_sentences(lines))
    view_edits = tuple(_edits(edits, room))
    return ChangeView(
        tag=tag(payload, lines, lang),
        where=where(payload, lines, lang),
        what=what(payload, lines, lang),
        short=short(payload, lines, lang),
        lead=row(lines[0], lang) if lines else None,
        lead_leads=bool(lines) and not _page_first(payload),
        also=_more("line.more", lines, lang),
        targets=tuple(row(x, lang) for x in shown),
        results=tuple(row(x, lang) for x in rest),
        more_targets=len(lines) - len(shown) - len(rest),
        edits=view_edits,
        more_edits=0 if is_new else len(edits) - len(view_edits),
        facts=tuple(facts(payload, lang)),
        commands=tuple(commands(payload)),
        columns=columns(payload, lines, lang),
        headings=(_heading(promises, "targets", lang), _heading(results, "results", lang)),
        is_new=is_new,
    )


def _heading(lines: Sequence[phrases.Line], what: str, lang: str) -> str:
    """What a table shows: what moved, what contradicts the report, or what merely quotes it."""
    if lines and phrases.quoted(lines[0]):
        return say(TEXTS, "head.differs" if phrases.differs(lines[0]) else f"head.quoted_{what}", lang)
    return say(TEXTS, f"head.{what}", lang)


def _edits(edits: Sequence[Payload], budget: Budget) -> Iterator[Struck]:
    """The first edits, moves last: text that went elsewhere tells least."""
    ordered = sorted(edits, key=lambda e: e.get("op") == "move")[: budget.edits]
    left = budget.chars
    for at, piece in enumerate(ordered):
        one = struck(piece, max(left // (len(ordered) - at), 60))
        left -= sum(len(text) for _, text in one.pieces)
        yield one


def in_sentence(edit: Payload, lines: Sequence[phrases.Line]) -> Payload:
    """A short edit with the sentences of the target it moved: alone it may hold no more than 4200."""
    old, new = str(edit.get("old") or ""), str(edit.get("new") or "")
    if edit.get("op") != "replace" or max(len(old), len(new)) > _SHORT_EDIT:
        return edit
    for line in lines:
        before, after = ((line.get(side) or {}).get("sentence") or "" for side in ("from", "to"))
        if old and new and old in before and new in after:
            return {**edit, "old": before, "new": after}
    return edit


def _sentences(lines: Sequence[phrases.Line]) -> Iterator[Payload]:
    """Where a document without edits says it: the sentences of its first targets, or those that are gone."""
    said: set[str] = set()
    for line in lines:
        after, before = ((line.get(side) or {}).get("sentence") or "" for side in ("to", "from"))
        sentence = str(after or before)
        if sentence and sentence not in said:
            said.add(sentence)
            yield {"op": "insert", "new": sentence} if after else {"op": "delete", "old": sentence}
        if len(said) == _SENTENCES:
            return


def row(line: phrases.Line, lang: str) -> Row:
    """One table row."""
    return Row(
        name=phrases.name(line, lang),
        before=phrases.value(line.get("from"), lang),
        after=phrases.value(line.get("to"), lang),
        arrow=phrases.arrow(line),
        word=phrases.word(line, lang) + phrases.implied(line, lang),
        change=str(line.get("change")),
        differs=phrases.differs(line),
    )


# --------------------------------------------------------------------------- the first line


def tag(payload: Payload, lines: Sequence[phrases.Line], lang: str) -> str:
    """The bracketed word of a subject."""
    if lines and phrases.quoted(lines[0]):
        key = "differs" if phrases.differs(lines[0]) else "quote"
    elif late(payload):
        key = str(payload.get("kind"))
    elif lines and phrases.is_promise(lines[0]) and payload.get("kind") in ("new", "content", "attachment"):
        key = "targets"
    else:
        key = str(payload.get("kind"))
    return say(TEXTS, f"tag.{key}" if f"tag.{key}" in TEXTS else "tag.content", lang)


def place(payload: Payload) -> str:
    """The place a change is about, else the name of its source."""
    return one_line(payload.get("place") or payload.get("name") or payload.get("source") or "?", 40)


def where(payload: Payload, lines: Sequence[phrases.Line], lang: str) -> str:
    """南岗区 2022→2023：the place and its releases. A text that quotes goes by its own name."""
    colon = "：" if lang == "zh" else ": "
    if lines and phrases.quoted(lines[0]):
        return one_line(payload.get("name") or payload.get("source") or "?", 40) + colon
    return " ".join(x for x in (place(payload), releases(payload) + gap(payload, lang)) if x) + colon


def releases(payload: Payload) -> str:
    """2022→2023 for a new document that is compared with the one before, else its own label."""
    old, new = (one_line(payload.get(k) or "", 20) for k in ("compared_release", "release"))
    return f"{old}→{new}" if old and new and old != new else new


def gap(payload: Payload, lang: str) -> str:
    """（缺2022）: the report years between the two releases that nobody has."""
    years = [str(y) for y in payload.get("missing") or ()]
    return say(TEXTS, "gap", lang, years=("、" if lang == "zh" else ", ").join(years)) if years else ""


def late(payload: Payload) -> bool:
    """Whether it came to light after a later release: a new document, but nothing moved with it."""
    return LATE in (payload.get("reasons") or ())


def what(payload: Payload, lines: Sequence[phrases.Line], lang: str) -> str:
    """The most telling target in words and how many more there are, or what happened to the page."""
    if not lines or _page_first(payload):
        return event(payload, lang)
    said = phrases.phrase(lines[0], lang)
    return f"{said} {_more('line.more', lines, lang)}".rstrip()


def _more(key: str, lines: Sequence[phrases.Line], lang: str) -> str:
    """等8项: how many moved in all; nothing for one."""
    count = phrases.news(lines)
    return say(TEXTS, key, lang, count=count, more=count - 1) if count > 1 else ""


def _page_first(payload: Payload) -> bool:
    """Whether what happened to the page says more than what happened to its targets."""
    return payload.get("kind") == "removed" or late(payload)


def event(payload: Payload, lang: str) -> str:
    """What happened to a page, targets aside."""
    kind = str(payload.get("kind"))
    key = "line.new_page" if kind == "new" else f"line.{kind}"
    if kind == "attachment" and not payload.get("edits"):
        key = "line.attachment_unread"
    return say(
        TEXTS,
        key if key in TEXTS else "line.content",
        lang,
        title=one_line(payload.get("title") or payload.get("url") or "", _TITLE),
        added=payload.get("added", 0),
        deleted=payload.get("deleted", 0),
        name=one_line(payload.get("attachment") or payload.get("title") or payload.get("url") or "", _TITLE),
    )


def short(payload: Payload, lines: Sequence[phrases.Line], lang: str) -> str:
    """`where` and `what` for a subject: 南岗区 2022→2023 地区生产总值增速 6%左右→5.5%左右 等4项."""
    start = where(payload, lines, lang).rstrip("： :")
    if not lines or _page_first(payload):
        return f"{start} {event(payload, lang)}"
    said = f"{start} {phrases.short(lines[0], lang)}"
    return f"{said} {_more('subject.more', lines, lang)}".rstrip()


def columns(payload: Payload, lines: Sequence[phrases.Line], lang: str) -> tuple[str, str]:
    """Headings of the two value columns: the releases where they are known."""
    if lines and phrases.quoted(lines[0]):
        return say(TEXTS, "col.report", lang), say(TEXTS, "col.here", lang)
    old, new = (one_line(payload.get(k) or "", 20) for k in ("compared_release", "release"))
    if old and new and old != new:
        return old, new
    return say(TEXTS, "col.before", lang), say(TEXTS, "col.after", lang)


# --------------------------------------------------------------------------- where, when, how to look closer


def facts(payload: Payload, lang: str) -> Iterator[Fact]:
    """The page, and when and where it was seen: little, because a message is its edit."""
    file = payload.get("url") if payload.get("parent") else None  # an attachment is told with the page that names it
    url = link(payload.get("parent") or payload.get("url"))
    title = one_line(payload.get("title") or payload.get("url") or "", _TITLE)
    yield Fact(say(TEXTS, "label.page", lang), title, url)
    if file:
        attachment = one_line(payload.get("attachment") or file, _TITLE)
        yield Fact(say(TEXTS, "label.attachment", lang), attachment, link(file))
    if payload.get("missing"):
        yield Fact(say(TEXTS, "label.compared", lang), f"{releases(payload)}{gap(payload, lang)}")
    name = one_line(payload.get("name") or payload.get("source") or "", 60)
    seen = clock(payload["at"], lang) if payload.get("at") else ""
    about = [seen, window(payload, lang), name if name not in title else ""]
    yield Fact(say(TEXTS, "label.when", lang), " · ".join(x for x in about if x))


def commands(payload: Payload) -> Iterator[str]:
    """What to type to see more: the one that shows most. It names the versions too."""
    old, new, before = (word(payload.get(k)) for k in ("old_version", "new_version", "compared_with"))
    if old and new:
        yield f"mubiao diff {old} {new}"
    elif before and new:
        yield f"mubiao targets compare {before} {new}"
    elif new or old:
        yield f"mubiao show {new or old}"


def word(value: object) -> str:
    """An id as it may stand in a command that a reader pastes into a shell: letters, digits, - and _ only."""
    said = str(value or "")
    return said if said.replace("-", "").replace("_", "").isalnum() and said.isascii() and len(said) <= 64 else ""


def window(payload: Payload, lang: str) -> str:
    """Between which two checks the edit was made. Before its confirmation `by` stands beside it already."""
    same, by = (_moment(payload.get(k)) for k in ("same_at", "at"))
    if same is None or by is None:
        return ""
    shape = "%H:%M" if same.date() == by.date() else "%m-%d %H:%M" if same.year == by.year else "%Y-%m-%d %H:%M"
    if by - same < timedelta(minutes=1):
        shape += ":%S"
    key = "window" if payload.get("confirmed_at") else "window.same"
    return say(TEXTS, key, lang, same=f"{same:{shape}}", by=f"{by:{shape}}")


def _moment(at: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(at)).astimezone(BEIJING)
    except ValueError:
        return None


def clock(at: str, lang: str) -> str:
    """2026-01-09 10:46 (北京时间), from RFC 3339."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return one_line(at, 40)
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M} ({say(TEXTS, 'beijing', lang)})"


# --------------------------------------------------------------------------- digest


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a group's chart: how many promises went one way. `share` of the longest chart, in per cent."""

    arrow: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class Group:
    """The changes of one place: its moved targets as one table, the rest as lines."""

    place: str
    bars: tuple[Bar, ...]
    targets: tuple[tuple[Row, str | None, str], ...]  # with the address of its page, and its releases or source
    others: tuple[tuple[str, str | None, tuple[Struck, ...]], ...]
    more: int


def digest(changes: Sequence[Payload], lang: str, budget: Budget) -> tuple[list[Group], int]:
    """Groups by place, those with moved targets first, and how many changes are left out."""
    kept, folded = fold_reverts(changes)
    grouped: dict[str, list[Payload]] = {}
    for one in [*kept, *folded][: budget.changes]:
        grouped.setdefault(str(one.get("region") or place(one)), []).append(one)
    tallies = [_tally(members, folded) for members in grouped.values()]
    longest = max((t.total() for t in tallies), default=0)
    groups = [
        _group(members, folded, lang, budget, tuple(_bars(tally, longest)))
        for members, tally in zip(grouped.values(), tallies, strict=True)
    ]
    groups.sort(key=lambda g: not g.targets)
    return groups, max(len(kept) + len(folded) - budget.changes, 0)


def moved(payload: Payload) -> int:
    """How many promises a change moved; results, and numbers that another text quotes differently, are none."""
    lines = phrases.ordered(payload.get("targets") or ())
    return sum(phrases.is_promise(x) and not phrases.quoted(x) for x in lines)


def fold_reverts(changes: Iterable[Payload]) -> tuple[list[Payload], list[Payload]]:
    """(changes, reverts): an edit and its taking back become the latter alone."""
    kept: list[Payload] = []
    folded: list[Payload] = []
    for one in changes:
        earlier = [k for k in kept if k.get("url") == one.get("url") and k.get("kind") == "content"]
        if one.get("kind") == "reverted" and earlier:
            kept.remove(earlier[-1])
            folded.append(one)
        else:
            kept.append(one)
    return kept, folded


def _tally(members: Sequence[Payload], folded: Sequence[Payload]) -> Counter[str]:
    """How many promises of a place went which way, by arrow."""
    lines = [x for one in members if one not in folded for x in phrases.ordered(one.get("targets") or ())]
    return Counter(phrases.arrow(x) for x in lines if phrases.is_promise(x))


def _bars(tally: Counter[str], longest: int) -> Iterator[Bar]:
    """The parts of one chart, cuts first, each at least as long as can be seen."""
    for sign in ("↓", "×", "↑", "＋", "≈", "≠"):
        if tally[sign]:
            yield Bar(sign, tally[sign], max(round(100 * tally[sign] / longest), 3))


def _group(
    members: Sequence[Payload], folded: Sequence[Payload], lang: str, budget: Budget, bars: tuple[Bar, ...]
) -> Group:
    targets: list[tuple[Row, str | None, str]] = []
    others: list[tuple[str, str | None, tuple[Struck, ...]]] = []
    for one in members:
        lines = phrases.ordered(one.get("targets") or ())
        if one in folded:
            title = one_line(one.get("title") or one.get("url") or "", _TITLE)
            others.append((say(TEXTS, "digest.folded", lang, title=title), link(one.get("url")), ()))
        elif lines:
            name = one_line(one.get("name") or one.get("source") or "", 40)
            targets += [
                (row(x, lang), link(one.get("url")), name if phrases.quoted(x) else releases(one)) for x in lines
            ]
        else:
            few = Budget(1, min(budget.edits, 2), min(budget.chars, 240))
            others.append((event(one, lang), link(one.get("url")), tuple(_edits(one.get("edits") or (), few))))
    more = max(len(targets) - budget.rows, 0)
    name = place(next((m for m in members if m.get("place")), members[0]))
    return Group(name, bars, tuple(targets[: budget.rows]), tuple(others), more)
