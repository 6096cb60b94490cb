"""The page weighed: how much is written in each block, how much of it in sentences, and the vote of the sentences."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field

from monitor.text.outline import Outline
from monitor.text.tags import FLOWS, is_inline

# These pass their text on to the block around them: paragraphs, lists and tables are the article, not its frame.
FLOW = FLOWS | {"section", "table", "td", "ul", "li", "blockquote", "center", "dl", "dd", "pre"}
# Of these, some frame a text although they mostly are a part of one.
FRAMES = frozenset({"section", "table", "td", "center", "blockquote", "li", "ul", "dd", "dl", "pre"})
STOP = re.compile("[。；！？]")
LAYOUT_CELL = 300  # characters from which a cell is a frame of the page, not a figure in a table
LAYOUT_STOPS = 3  # full stops from which it is
SMALL = 0.3  # share of the page's sentences up to which a block with a chrome name is chrome
SHARES = (0.45, 0.2)  # of its own weight that a block gives to the two blocks around it


@dataclass(slots=True)
class Block:
    """An element that frames text: sums over it, its own first, then with everything in it."""

    at: int  # its position in the outline
    parent: Block | None
    chrome: bool = False
    own: float = 0.0
    score: float = 0.0
    plain: int = 0  # characters outside links
    sentences: int = 0  # punctuation marks outside links
    vote: float = 0.0

    def ancestors(self) -> list[Block]:
        """The two next blocks around it."""
        if self.parent is None:
            return []
        return [self.parent] if self.parent.parent is None else [self.parent, self.parent.parent]

    def holds(self, inner: Block) -> bool:
        """Whether `inner` is this block or lies in it."""
        block: Block | None = inner
        while block is not None:
            if block is self:
                return True
            block = block.parent
        return False


@dataclass
class Survey:
    """The blocks of a page in document order, and the block at each of their positions."""

    page: Outline
    order: list[Block] = field(default_factory=list)
    blocks: dict[int, Block] = field(default_factory=dict)

    def links(self, block: Block) -> int:
        """Characters inside its links."""
        return self.page.linked(block.at)

    def label(self, block: Block) -> str:
        return self.page.label(block.at)


def survey(page: Outline, known: Container[int], *, finer: bool = False) -> Survey:
    """Sums and votes. Elements of `known` are blocks whatever their tag; with `finer` those of FRAMES too."""
    found = Survey(page)
    root = Block(page.body, None)
    found.blocks[page.body] = root
    found.order.append(root)
    frames = {page.body: root}
    for at, outer in page.blocks:
        if at <= page.body or page.first[at] == page.first[page.ends[at]]:
            continue
        block = frames.get(outer, root)
        tag = page.tags[at]
        if (
            at in known
            or (tag not in FLOW and not is_inline(tag))
            or (finer and tag in FRAMES)
            or (tag == "td" and _layout(page, at))
        ):
            block = Block(at, block, block.chrome or at in page.chrome)
            found.blocks[at] = block
            found.order.append(block)
        frames[at] = block
        if (weight := page.weights.get(at)) is not None:
            _weigh(block, *weight)
    if (weight := page.weights.get(page.body)) is not None:
        _weigh(root, *weight)
    _sum(found)
    return found


def _weigh(block: Block, plain: int, marks: int) -> None:
    block.plain += plain
    block.sentences += marks
    block.own += plain / 10 + 3 * marks


def _layout(page: Outline, at: int) -> bool:
    """A cell that frames text: a long one, or one of several sentences."""
    return page.size(at) >= LAYOUT_CELL or page.text(at).count("。") >= LAYOUT_STOPS


def _sum(found: Survey) -> None:
    """Sums from the leaves up, without chrome; then the votes."""
    for block in found.order:
        block.score = block.own
    for block in reversed(found.order):
        if (parent := block.parent) is not None:
            parent.score += block.score
            parent.plain += block.plain
            parent.sentences += block.sentences
    whole = found.order[0].score or 1.0
    for block in found.order:
        block.chrome = block.chrome and block.score < SMALL * whole
        if block.parent is not None and block.parent.chrome:
            block.chrome = True
        if block.chrome:
            continue
        block.vote += block.own
        for share, ancestor in zip(SHARES, block.ancestors(), strict=False):
            ancestor.vote += share * block.own
