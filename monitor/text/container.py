"""Which element holds the main text: a selector, a content system's own element, or a vote of the sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model import TextRules
from monitor.text import dates, trim
from monitor.text.lines import lines
from monitor.text.outline import Outline
from monitor.text.survey import SHARES, SMALL, STOP, Block, Survey, survey

OVERRULE = 2.5  # how much more the vote must find than the best known container
HEADLINE = 8  # characters from which a link can be a headline
BOX_NAME = 12  # characters of the name of a box
FILE = re.compile(r"\.(?!s?html?\b|jsp|aspx?|php)[a-z]{2,4}\b|^#|^javascript|download|附件", re.IGNORECASE)
WEAK = 20  # punctuation marks up to which a text is looked for with the title
LEAST = 12  # characters of such a text
HEADING_MOST = 500  # characters of an element that can be a heading
ASIDE = 6_000  # characters from which a block is no box of comments or of other articles
FEET = 12  # blocks that are looked at in search of one that is no foot of the site
FOOT, FOOT_MARKS = 2_000, 60  # characters and punctuation marks from which a block cannot be the foot of a site
FOOT_PARTS = 400  # elements from which it cannot
MANY = 20_000  # elements of a page that is not surveyed twice
FRAMES_TRIED = 12  # elements around a title in which a text is looked for
LINKS = 3_000  # links in lists that are looked at
PROSE = 0.15  # share of a block's text that has to stand beside it in sentences for the frame around both to be taken


@dataclass(frozen=True)
class Choice:
    """The chosen element and why; `known` when a selector or a content system's name chose it."""

    at: int  # its position in the outline
    why: str
    known: bool
    plain: int
    links: int
    sentences: int


def choose(page: Outline, rules: TextRules, selected: Sequence[int] | None = None) -> Choice | None:
    """The element of the main text; None when `selected` (what a configured selector matches) is empty, or when the
    page has no text at all."""
    if selected is not None:
        return _selected(page, _outermost(page, selected))
    nodes = _outermost(page, [i for i in page.containers if i != page.body])
    if not nodes and not page.text(page.body).strip():
        return None
    found = survey(page, frozenset(nodes))
    elected = _elect(found, rules)
    if elected is not None and elected.parent is None and len(page.blocks) < MANY:
        # the whole page: perhaps frames are hidden in elements of text
        finer = survey(page, frozenset(nodes), finer=True)
        again = _elect(finer, rules)
        if again is not None and again.parent is not None:
            found, elected = finer, again
    if elected is not None and elected.sentences < WEAK:
        elected = _beside_title(found, elected, rules)
    if elected is None:
        return _choice(nodes[0], found, "known container, without text", known=True) if nodes else None
    return _known_or_voted(found, nodes, elected, rules)


def _selected(page: Outline, nodes: Sequence[int]) -> Choice | None:
    if not nodes:
        return None
    found = survey(page, frozenset(nodes))
    best = max(nodes, key=lambda i: block.score if (block := found.blocks.get(i)) else 0.0)
    return _choice(best, found, "selector", known=True)


def _known_or_voted(found: Survey, nodes: Sequence[int], elected: Block, rules: TextRules) -> Choice:
    """A content system's own element, unless the vote finds far more elsewhere."""
    voted = _extend(found, elected, rules)
    table = [block for i in nodes if (block := found.blocks.get(i)) is not None]
    if not table and nodes and voted.sentences < 6:
        return _choice(nodes[0], found, "known container, without text", known=True)
    if table:
        best = max(table, key=lambda b: b.score)
        if _too_wide(found, best, voted):
            why = f"vote: {found.label(voted)}, inside {found.label(best)}"
            return _choice(voted.at, found, why, known=True)
        if voted.sentences <= OVERRULE * max(best.sentences, 1) or best.holds(voted):
            return _choice(_siblings(best, table).at, found, f"known container {found.label(best)}", known=True)
    return _choice(voted.at, found, f"vote: {found.label(voted)}, {voted.sentences} marks", known=False)


def _too_wide(found: Survey, known: Block, voted: Block) -> bool:
    """Whether a known container also frames columns of links: some templates give the whole page its name."""
    if known is voted or not known.holds(voted) or voted.sentences < 6:
        return False
    links = found.links(known) - found.links(voted)
    return links > 200 and links > 0.4 * (known.plain - voted.plain + links)


def _siblings(best: Block, table: Sequence[Block]) -> Block:
    """The parent, when the text is dealt out over several containers of one name beside each other."""
    parent = best.parent
    if parent is None:
        return best
    others = sum(b.score for b in table if b.parent is parent and b is not best and b.sentences >= 3)
    return parent if others > 0.1 * best.score and best.score + others > 0.9 * parent.score else best


def _elect(found: Survey, rules: TextRules) -> Block | None:
    """The block with the most votes that is no foot of the site (those outweigh a notice of one sentence), and no box
    of readers' comments or of other articles."""
    block = max(found.order, key=_votes)
    for _ in range(FEET):
        if block.parent is not None and block.plain < ASIDE and _is_aside(found.page, block, rules):
            _reject(found, block)
        elif block.sentences >= FOOT_MARKS or block.plain >= FOOT or not _says_nothing(found, block, rules):
            return block
        else:
            _withdraw(block)
        block = max(found.order, key=_votes)
        if block.vote <= 0:
            break
    return None


def _withdraw(block: Block) -> None:
    for share, ancestor in zip(SHARES, block.ancestors(), strict=False):
        ancestor.vote -= share * block.own
    block.vote = -1.0


def _reject(found: Survey, block: Block) -> None:
    """Withdraw a block and everything in it."""
    end = found.page.ends[block.at]
    for inner in found.order:
        if block.at <= inner.at < end:
            _withdraw(inner)


def _is_aside(page: Outline, block: Block, rules: TextRules) -> bool:
    """Whether a heading of the template (网友评论, 猜你喜欢) opens the block or stands right before it."""
    opening = next((text.strip() for text in page.pieces(block.at) if text.strip()), "")
    if rules.tail_lines.fullmatch(opening):
        return not _names_title(page, block)
    before = [b for b in page.children(page.parents[block.at]) if b < block.at][-1:]
    return any(page.size(b) < HEADLINE * 4 and rules.tail_lines.fullmatch(page.text(b).strip()) for b in before)


def _names_title(page: Outline, block: Block) -> bool:
    """Whether a piece of the block is what `<title>` begins with: such a box stands first in the article's frame."""
    title = "".join((page.title or "").split())
    pieces = ("".join(text.split()) for text in page.pieces(block.at))
    return any(len(piece) >= 4 and title.startswith(piece) for piece in pieces)


def _votes(block: Block) -> float:
    return block.vote


def _beside_title(found: Survey, elected: Block, rules: TextRules) -> Block:
    """Of little text the part that stands with the title: a word of welcome beside it may have more votes."""
    page = found.page
    node = _title_node(page)
    frame = page.parents[node] if node is not None else page.body
    for _ in range(FRAMES_TRIED):
        if frame <= page.body:
            break
        block = found.blocks.get(frame)
        if block is not None and not block.chrome and block.plain >= LEAST and not _says_nothing(found, block, rules):
            if block.holds(elected):
                return elected
            inside = [b for b in found.order if block.holds(b) and not b.chrome and b.vote > 0]
            return max(inside, key=_votes, default=block)
        frame = page.parents[frame]
    return elected


def _title_node(page: Outline) -> int | None:
    """The heading with which `<title>` begins, else the longest that it names."""
    title = "".join((page.title or "").split())
    best: tuple[bool, int, int] | None = None
    for node in page.headings[:40]:
        name = "".join(page.text(node).split()) if page.size(node) < HEADING_MOST else ""
        if len(name) < 4 or name not in title or page.links_in(node):
            continue
        rank = title.startswith(name), len(name)
        if best is None or rank > best[:2]:
            best = (*rank, node)
    return best[2] if best is not None else None


def _says_nothing(found: Survey, block: Block, rules: TextRules) -> bool:
    """Whether every line outside links and headings is one that templates print."""
    page = found.page
    inside = range(block.at + 1, page.ends[block.at])
    if sum(page.tags[i] in {"p", "div", "li", "td"} for i in inside) > FOOT_PARTS:
        return False
    skip = {i for i in inside if page.tags[i] in {"a", "h1", "h2", "h3"}}
    return all(trim.is_head(line, rules) or trim.is_foot(line, rules) for line in lines(page, block.at, skip))


def _prose(page: Outline, frame: Block, inner: Block, rules: TextRules) -> int:
    """Characters in sentences that stand in `frame` beside `inner`; none of those behind a heading of the template."""
    before: list[int] = []
    after: list[int] = []
    step = inner.at
    while step > frame.at:
        for beside in page.children(page.parents[step]):
            if beside != step:
                (before if beside < step else after).append(beside)
        step = page.parents[step]
    found = sum(_sentences(page, node, rules)[0] for node in before)
    for node in after:
        size, ended = _sentences(page, node, rules)
        found += size
        if ended:
            break
    return found


def _sentences(page: Outline, node: int, rules: TextRules) -> tuple[int, bool]:
    """(characters of lines that are sentences, whether a heading of the template ended them)."""
    size = 0
    for line in lines(page, node):
        if rules.tail_lines.fullmatch(line):
            return size, True
        if STOP.search(line) and not trim.is_head(line, rules) and not trim.is_foot(line, rules):
            size += len(line)
    return size, False


def _extend(found: Survey, best: Block, rules: TextRules) -> Block:
    """Climb while the frame around holds clearly more sentences and few links: texts dealt out over sibling blocks."""
    block = frame = best
    while frame.parent is not None and frame.parent.parent is not None:
        parent = frame.parent
        if _deals_out(found, parent, block, rules):
            block = parent
        elif not (block.sentences == parent.sentences and _has_twin(found.page, parent.at)):
            break
        frame = parent
    return block


def _deals_out(found: Survey, frame: Block, block: Block, rules: TextRules) -> bool:
    """Whether the text goes on in `frame` outside `block`."""
    more, plain = frame.sentences - block.sentences, frame.plain - block.plain
    if more < 0.15 * block.sentences or more * 40 < plain:
        return False
    links = found.links(frame) - found.links(block)
    if links > 0.3 * (plain + links) or more * 40 < plain + links:
        return False
    return _prose(found.page, frame, block, rules) >= PROSE * block.plain


def _has_twin(page: Outline, node: int) -> bool:
    """Whether the next or previous element is of the same tag and class: one of several parts."""
    children = list(page.children(page.parents[node]))
    at = children.index(node)
    beside = children[max(0, at - 1) : at] + children[at + 1 : at + 2]
    tag, classes = page.tags[node], page.get(node, "class")
    return any(page.tags[b] == tag and page.get(b, "class") == classes for b in beside)


def _outermost(page: Outline, nodes: Sequence[int]) -> list[int]:
    """Without those that lie in another of them; `nodes` are in document order."""
    kept: list[int] = []
    for node in nodes:
        if not kept or node >= page.ends[kept[-1]]:
            kept.append(node)
    return kept


def _choice(node: int, found: Survey, why: str, *, known: bool) -> Choice:
    block = found.blocks.get(node) or Block(node, None)
    return Choice(node, why, known, block.plain, found.links(block), block.sentences)


def chrome_inside(page: Outline, node: int, *, known: bool = True) -> dict[int, str]:
    """Position -> name of small blocks whose id or class says chrome; where a vote chose, of lists of links too."""
    end, whole = page.ends[node], max(1, page.size(node))
    found: dict[int, str] = {}
    for inner, name in page.chrome.items():
        small = node < inner < end and page.size(inner) < SMALL * whole
        if small and "。" not in page.text(inner) and not page.has(inner, "table"):
            found[inner] = name
    return found if known else {**found, **_link_lists(page, node)}


def _link_lists(page: Outline, node: int) -> dict[int, str]:
    """Lists of three or more headlines that lead to other pages, and of little else; with the box's name above."""
    found: dict[int, str] = {}
    seen = 0
    for box in range(node + 1, page.ends[node]):
        if page.tags[box] not in {"ul", "ol", "dl"}:
            continue
        links = page.links_in(box)
        seen += len(links)
        if seen > LINKS:
            break
        names = [
            text
            for a in links
            if len(text := page.text(a).strip()) >= HEADLINE and not FILE.search(f"{page.get(a, 'href')} {text}")
        ]
        if len(names) >= 3 and sum(map(len, names)) > 0.7 * len("".join(dates.DATE.sub("", page.text(box)).split())):
            found[box] = "links"
            before = [b for b in page.children(page.parents[box]) if b < box][-1:]
            found |= {b: "links" for b in before if page.size(b) <= BOX_NAME and not page.links_in(b)}
    return found
