"""The page as flat lists in document order: one pass over what the parser serialises, no object for a node.

Everything behind this walk (votes, lines, links, titles) is arithmetic on positions: `page.ends[i]` is the position
behind the last thing inside element `i`, and the texts inside it are `page.texts[page.first[i]:page.first[end]]`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice, repeat, takewhile
from operator import is_

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.model import TextRules
from monitor.text.tags import (
    BARE,
    HEAD,
    MARK,
    NOTHING,
    PLAIN,
    RAW,
    SILENT,
    Names,
    Notes,
    Opening,
    attribute,
    is_inline,
    judge,
    unescaped,
)

TEXT = "-text"
MARKS = "，。；：！？、"
PUNCTUATION = re.compile(f"[{MARKS}]")
LONG = 100  # characters from which counting each mark is faster than looking for all
HIDDEN = 200  # characters up to which an element with display:none is a hint or a menu, not a hidden article
PANELS = 30  # elements beside a hidden one among which the tab that is shown is looked for
MOST_TAGS = 200_000  # tags of a page that are read; the largest real pages have ten thousand
CLOSED_AT_ONCE = 50  # elements that one closing tag may close


class Outline:
    """Positions count elements and texts in document order; 0 is the root. Texts of SILENT elements are not here.

    Sizes are of the texts left: ask only after `leave_out`.
    """

    def __init__(self) -> None:
        self.tags: list[str] = []  # TEXT for a text
        self.parents: list[int] = []
        self.ends: list[int] = []
        self.first: list[int] = []  # how many texts stand before
        self.texts: list[str] = []
        self.sources: dict[int, str] = {}  # attributes of elements that have some, as serialised
        self.blocks: list[tuple[int, int]] = []  # (element that can frame a text, the nearest one around it)
        self.weights: dict[int, tuple[int, int]] = {}  # by block: characters and marks right in it, outside links
        self.links: list[int] = []
        self.headings: list[int] = []
        self.containers: list[int] = []
        self.chrome: dict[int, str] = {}  # elements whose id or class says chrome
        self.dropped: list[int] = []  # nav, footer and others that never hold the text
        self.hidden: list[int] = []
        self.metas: list[str] = []
        self.base: str | None = None
        self.title: str | None = None
        self.body = 0
        self.whole = True  # False where tags behind MOST_TAGS were not read
        self.seen: list[str] = self.texts  # also what was left out

    def leave_out(self, elements: Iterable[int]) -> None:
        """Blank the texts of these elements and forget their links; `seen` keeps them."""
        self.seen = list(self.texts)
        self.__dict__.pop("lengths", None)
        for i in elements:
            start, end = self.first[i], self.first[self.ends[i]]
            self.texts[start:end] = [""] * (end - start)
            for block in range(i, self.ends[i]):
                self.weights.pop(block, None)
            self.links[bisect_left(self.links, i) : bisect_left(self.links, self.ends[i])] = []

    @cached_property
    def lengths(self) -> list[int]:
        """Characters before each text, and in the end of all."""
        return list(accumulate(map(len, self.texts), initial=0))

    @cached_property
    def _linked(self) -> list[int]:
        """Characters of links before each link, and in the end of all."""
        texts, first, ends = self.texts, self.first, self.ends
        sizes = [len("".join(texts[first[a] : first[ends[a]]]).strip()) for a in self.links]
        return list(accumulate(sizes, initial=0))

    def size(self, i: int) -> int:
        """Characters inside element `i`, blanks counted."""
        return self.lengths[self.first[self.ends[i]]] - self.lengths[self.first[i]]

    def pieces(self, i: int) -> list[str]:
        return self.texts[self.first[i] : self.first[self.ends[i]]]

    def text(self, i: int) -> str:
        """Everything written inside element `i`, without separators."""
        return "".join(self.texts[self.first[i] : self.first[self.ends[i]]])

    def linked(self, i: int) -> int:
        """Characters inside the links of element `i`."""
        return self._linked[bisect_left(self.links, self.ends[i])] - self._linked[bisect_left(self.links, i)]

    def links_in(self, i: int) -> list[int]:
        return self.links[bisect_left(self.links, i + 1) : bisect_left(self.links, self.ends[i])]

    def get(self, i: int, name: str) -> str:
        return attribute(source, name) if (source := self.sources.get(i)) else ""

    def label(self, i: int) -> str:
        """How the element is called in explanations: `div#zoom.content`."""
        ident, classes = self.get(i, "id"), self.get(i, "class").split()
        return self.tags[i] + (f"#{ident}" if ident else "") + "".join(f".{c}" for c in classes)

    def children(self, i: int) -> Iterator[int]:
        """Elements right inside `i`."""
        at, end = i + 1, self.ends[i]
        while at < end:
            if self.tags[at] != TEXT:
                yield at
            at = self.ends[at]

    def marked(self, name: str) -> list[int]:
        """Elements that carry the mark `name`, see `read`: a walk over all that have attributes."""
        return [i for i, source in self.sources.items() if MARK + name in source]

    def has(self, i: int, tag: str) -> bool:
        return tag in self.tags[i + 1 : self.ends[i]]


def read(tree: LexborHTMLParser, rules: TextRules, marks: Mapping[str, Sequence[LexborNode]] | None = None) -> Outline:
    """The outline of a parsed page. `marks`: name -> nodes to find in `marked`."""
    for name, nodes in (marks or {}).items():
        for forged in tree.css(f"[{MARK}{name}]"):
            del forged.attrs[MARK + name]
        for node in nodes:
            node.attrs[MARK + name] = ""
    names = judge(rules.containers, rules.drop, rules.chrome_classes)
    return _Walk(names).page((tree.root.html or "") if tree.root is not None else "")


class _Walk:
    """One pass over what the parser serialises, cut at every tag."""

    def __init__(self, judge: Names) -> None:
        self.out, self.judge = Outline(), judge
        self.own: dict[int, list[str]] = {}  # block -> the texts right in it

    def page(self, source: str) -> Outline:  # noqa: PLR0912 - one loop over every tag: a call costs more than the rest
        out, known, own = self.out, self.judge.known, self.own
        tags, parents, ends, texts, links = out.tags, out.parents, out.ends, out.texts, out.links
        stack: list[tuple[int, int, list[str], str, bool]] = []  # what the five variables are outside of `parent`
        nobody = list[str]()  # what counts for nothing
        parent, block, mine, closing, breaks = -1, -1, list[str](), "<", True  # no tag is written `<<`
        fresh = True  # nothing stands in the line yet, so that blanks count for nothing
        pieces = self._pieces(source)
        for head, behind in zip(pieces, pieces, strict=False):
            text = behind
            if head == closing:
                if breaks:
                    fresh = True
                ends[parent] = len(tags)
                parent, block, mine, closing, breaks = stack.pop()
            else:
                if (opening := known.get(head)) is None:
                    opening, text = self._unknown(head, behind, pieces)
                if opening:
                    name, breaks_line, closes, framed, attributes, notes, void, silent = opening
                    if breaks_line:
                        fresh = True
                    at = len(tags)
                    tags.append(name)
                    parents.append(parent)
                    ends.append(at + 1)
                    if attributes:
                        out.sources[at] = attributes
                    if notes is not None:
                        if notes is PLAIN and name == "a":
                            links.append(at)
                        else:
                            self._note(at, name, attributes, notes, text)
                    if not void:
                        stack.append((parent, block, mine, closing, breaks))
                        parent, closing, breaks = at, closes, breaks_line
                        if framed:
                            out.blocks.append((at, block))
                            block = at
                            if mine is not nobody:
                                own[at] = mine = []
                        if silent:
                            mine = nobody
                elif opening is None:
                    fresh = fresh or not is_inline(head[1:-1])
                    for _ in range(_open_inside(stack, head)):
                        ends[parent] = len(tags)
                        parent, block, mine, closing, breaks = stack.pop()
            if text and not (fresh and text.isspace()):
                fresh = False
                if "&" in text:
                    text = unescaped(text)
                tags.append(TEXT)
                parents.append(parent)
                ends.append(len(tags))
                texts.append(text)
                mine.append(text)
        while stack:
            ends[parent] = len(tags)
            parent = stack.pop()[0]
        return self._finished()

    def _pieces(self, source: str) -> Iterator[str]:
        """In turns what stands from a `<` to its `>`, and the text behind that: two strings a tag, no third one.

        Only what scripts and comments hold may get out of step; who passes over them steps on to a text.
        """
        if len(source) > MOST_TAGS and source.count("<") >= MOST_TAGS:
            self.out.whole = False
            source = "<".join(source.split("<", MOST_TAGS)[:-1])
        pieces = iter(source.replace(">", "><").split("<"))
        next(pieces)
        return pieces

    def _unknown(self, head: str, behind: str, pieces: Iterator[str]) -> tuple[Opening | tuple[()] | None, str]:
        """(the tag, the text behind it) of what is not remembered: an unexpected closing tag (None), a comment, an
        element whose content is passed over, a tag not met before. Names may hold a `<`."""
        if head.startswith("!--"):
            return NOTHING, behind if head.endswith("-->") else _behind_comment(behind, pieces)
        text = behind
        while not head.endswith(">") and text:
            head, text = f"{head}<{text}", next(pieces, "")
        if head[:1] == "/" and head[1:-1] not in BARE and ":" not in head:
            return None, text
        name = head.removesuffix(">").partition(" ")[0]
        if name in SILENT:
            return NOTHING, _behind(f"/{name}>", text, pieces)
        if name in RAW:
            return NOTHING, _quoted(f"/{name}>", text, pieces)
        return self.judge.opening(head), text

    def _note(self, at: int, name: str, source: str, notes: Notes, text: str) -> None:
        out = self.out
        heading, container, chrome, hidden = notes
        if name == "a":
            out.links.append(at)
        elif name in HEAD:
            self._head(at, name, source, text)
        elif name in self.judge.drop:
            out.dropped.append(at)
        if heading:
            out.headings.append(at)
        if container:
            out.containers.append(at)
        if chrome:
            out.chrome[at] = chrome
        if hidden:
            out.hidden.append(at)

    def _head(self, at: int, name: str, source: str, text: str) -> None:
        """Read an element of the head, which may stand anywhere."""
        out = self.out
        if name == "body":
            out.body = out.body or at
        elif name == "meta":
            out.metas.append(source)
        elif name == "base":
            out.base = out.base or attribute(source, "href")
        else:
            out.dropped.append(at)
            out.title = unescaped(text) if out.title is None else out.title

    def _finished(self) -> Outline:
        """Hidden things of some length are articles shown by script (WeChat); `body` may be hidden as well."""
        out = self.out
        out.first = list(accumulate(map(is_, out.tags, repeat(TEXT)), initial=0))
        out.weights = _weights(self.own)
        out.hidden = [i for i in out.hidden if i != out.body and _size(out, i) < HIDDEN and not _is_panel(out, i)]
        return out


def _weights(own: Mapping[int, Sequence[str]]) -> dict[int, tuple[int, int]]:
    """(characters without blanks, marks) of each block that has text; all of them at once, apart by a NUL, which no
    parsed text holds."""
    blocks = [block for block, texts in own.items() if texts]
    written = "".join("\0".join(["".join(own[block]) for block in blocks]).split()).split("\0")
    return {b: (len(text), _marks(text)) for b, text in zip(blocks, written, strict=False)}


def _marks(text: str) -> int:
    """Of a long text seven counts take half the time of one expression."""
    return len(PUNCTUATION.findall(text)) if len(text) < LONG else sum(map(text.count, MARKS))


def _open_inside(stack: Sequence[tuple[int, int, list[str], str, bool]], closing: str) -> int:
    """How many elements this tag closes that is not the expected one; only odd attribute names lead here."""
    outer = (k for k, entry in enumerate(reversed(stack[-CLOSED_AT_ONCE:]), 2) if entry[3] == closing)
    return next(outer, 0)


def _behind(closing: str, piece: str, pieces: Iterator[str]) -> str:
    """The text behind an element of SILENT, whose content is passed over; `piece` is the first of it."""
    while piece != closing:
        following = next(pieces, None)
        if following is None:
            return ""
        piece = following
    return next(pieces, "")


def _behind_comment(piece: str, pieces: Iterator[str]) -> str:
    """The text behind a comment that holds `<` or `>`; `piece` is the second of it."""
    while not piece.endswith("-->"):
        following = next(pieces, None)
        if following is None:
            return ""
        piece = following
    return next(pieces, "")


def _quoted(closing: str, piece: str, pieces: Iterator[str]) -> str:
    """What stands in an element in which tags are text, and the text behind it; `piece` is the first of it."""
    written = [piece, *takewhile(closing.__ne__, pieces)] if piece != closing else []
    return f"{'<'.join(written).replace('><', '>')}\n{next(pieces, '')}"


def _is_panel(page: Outline, i: int) -> bool:
    """Whether a hidden element is one of several tabs, with sentences: another one of its name is shown beside it."""
    if not any("。" in text for text in page.pieces(i)):
        return False
    names, hidden = set(page.get(i, "class").split()), set(page.hidden)
    beside = islice(page.children(page.parents[i]), PANELS)
    return any(
        b not in hidden and page.tags[b] == page.tags[i] and names & {*page.get(b, "class").split()} for b in beside
    )


def _size(page: Outline, i: int) -> int:
    return sum(map(len, page.pieces(i)))
