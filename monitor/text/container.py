"""Which element holds the main text: a selector, a content system's own element, or a vote of the sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

from monitor.model import TextRules
from monitor.text import dates, trim
from monitor.text.lines import is_inline, lines

# These pass their text on to the block around them: paragraphs, lists and tables are the article, not its frame.
FLOW = frozenset((
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "section", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "ul",
    "ol", "li", "blockquote", "center", "dl", "dt", "dd", "pre", "figure", "figcaption", "hr", "br"
))  # fmt: skip
PUNCTUATION = re.compile("[，。；：！？、]")
STOP = re.compile("[。；！？]")
LAYOUT_CELL = 300  # characters from which a cell is a frame of the page, not a figure in a table
LAYOUT_STOPS = 3  # full stops from which it is
OVERRULE = 2.5  # how much more the vote must find than the best known container
SMALL = 0.3  # share of the page's sentences up to which a block with a chrome name is chrome
HEADLINE = 8  # characters from which a link can be a headline
FILE = re.compile(r"\.(?!s?html?\b|jsp|aspx?|php)[a-z]{2,4}\b|^#|^javascript|download|附件", re.IGNORECASE)
WEAK = 20  # punctuation marks up to which a text is looked for with the title
LEAST = 12  # characters of such a text
FRAMES = (
    "section, table, td, center, blockquote, li, ul, dd, dl"  # may frame a text although they mostly are a part of one
)
HEADINGS = "h1, h2, h3, h4, h5, [class*=title i], [class*=bt], [class*=tit i], [id*=title i]"
FEET = 12  # blocks that are looked at in search of one that is no foot of the site
FOOT, FOOT_MARKS = 2_000, 60  # characters and punctuation marks from which a block cannot be the foot of a site
FOOT_PARTS = 400  # elements from which it cannot
MANY = 5_000  # blocks of a page that is not surveyed twice
FRAMES_TRIED = 12  # elements around a title in which a text is looked for
LINKS = 3_000  # links in lists that are looked at
PROSE = 0.15  # share of a block's text that has to stand beside it in sentences for the frame around both to be taken


@dataclass
class Block:
    """An element that frames text: sums over it, its own first, then with everything in it."""

    node: LexborNode
    parent: Block | None
    depth: int
    chrome: bool = False
    own: float = 0.0
    score: float = 0.0
    plain: int = 0  # characters outside links
    sentences: int = 0  # punctuation marks outside links
    vote: float = 0.0

    @property
    def links(self) -> int:
        """Characters inside links: counted for the few blocks asked about, as most text of a page is links."""
        return sum(len(a.text().strip()) for a in self.node.css("a"))

    @property
    def label(self) -> str:
        attributes = self.node.attributes
        name = f"#{attributes['id']}" if attributes.get("id") else ""
        if attributes.get("class"):
            name += "." + ".".join(str(attributes["class"]).split())
        return f"{self.node.tag}{name}"


@dataclass(frozen=True)
class Choice:
    """The chosen element and why; `known` when a selector or a content system's name chose it."""

    node: LexborNode
    why: str
    known: bool
    plain: int
    links: int
    sentences: int


@dataclass
class Survey:
    """Every text node of the page weighed once, and summed over the blocks around it."""

    blocks: dict[int, Block] = field(default_factory=dict)
    order: list[Block] = field(default_factory=list)

    _names: dict[str, bool] = field(default_factory=dict)

    def says_chrome(self, name: str, rules: TextRules) -> bool:
        """Whether an id or class is one of chrome; pages repeat their classes, so each is judged once."""
        if name == " ":
            return False
        if (known := self._names.get(name)) is None:
            known = self._names[name] = rules.chrome_classes.search(name) is not None
        return known

    def within(self, node: LexborNode) -> Block | None:
        return self.blocks.get(node.mem_id)


def survey(body: LexborNode, rules: TextRules, known: Mapping[int, LexborNode]) -> Survey:
    """Weigh the page. Elements of `known` are made blocks whatever their tag."""
    found = Survey()
    root = Block(body, None, 0)
    found.blocks[body.mem_id] = root
    found.order.append(root)
    places: dict[int, tuple[Block, bool]] = {body.mem_id: (root, False)}
    for node in body.traverse(include_text=True):
        if node.tag != "-text":
            continue
        text = (node.text_content or "").strip()
        parent = node.parent if len(text) > 1 else None
        if parent is None:
            continue
        if parent.tag == "a":
            continue
        block, link = places.get(parent.mem_id) or _place(parent, places, found, rules, known)
        if link:
            continue
        block.plain += len(text)
        marks = len(PUNCTUATION.findall(text))
        block.sentences += marks
        block.own += len(text) / 10 + 3 * marks
    _sum(found)
    return found


def _place(
    node: LexborNode,
    places: dict[int, tuple[Block, bool]],
    found: Survey,
    rules: TextRules,
    known: Mapping[int, LexborNode],
) -> tuple[Block, bool]:
    """The block that a text in `node` belongs to, and whether it is inside a link."""
    path = []
    while node.mem_id not in places:
        path.append(node)
        if node.parent is None:
            break
        node = node.parent
    block, link = places.get(node.mem_id, (found.order[0], False))
    for step in reversed(path):
        tag = step.tag or ""
        if step.mem_id in known or not (is_inline(tag) or tag in FLOW) or _layout(tag, step):
            attributes = step.attributes
            name = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
            chrome = block.chrome or found.says_chrome(name, rules)
            block = Block(step, block, block.depth + 1, chrome)
            found.blocks[step.mem_id] = block
            found.order.append(block)
        link = link or tag == "a"
        places[step.mem_id] = (block, link)
    return block, link


def _layout(tag: str, node: LexborNode) -> bool:
    """A cell that frames text: a long one, or one of several sentences."""
    if tag != "td":
        return False
    text = node.text()
    return len(text) >= LAYOUT_CELL or text.count("。") >= LAYOUT_STOPS


def _sum(found: Survey) -> None:
    """Sums from the leaves up, without chrome; then the votes."""
    for block in found.order:
        block.score = block.own
    for block in reversed(found.order):
        if block.parent is not None:
            for name in ("score", "plain", "sentences"):
                setattr(block.parent, name, getattr(block.parent, name) + getattr(block, name))
    whole = found.order[0].score or 1.0
    for block in found.order:
        block.chrome = block.chrome and block.score < SMALL * whole
        if block.parent is not None and block.parent.chrome:
            block.chrome = True
        if block.chrome:
            continue
        block.vote += block.own
        for share, ancestor in zip((0.45, 0.2), _ancestors(block), strict=False):
            ancestor.vote += share * block.own


def _ancestors(block: Block) -> list[Block]:
    found: list[Block] = []
    while block.parent is not None and len(found) < 2:
        block = block.parent
        found.append(block)
    return found


def choose(body: LexborNode, rules: TextRules, selector: str | None = None) -> Choice | None:
    """The element of the main text; None when `selector` finds nothing or the page has no text at all."""
    if selector is not None:
        nodes = _outermost(body.css(selector))
        known = {n.mem_id: n for n in nodes}
        if not nodes:
            return None
        found = survey(body, rules, known)
        best = max(nodes, key=lambda n: block.score if (block := found.within(n)) else 0.0)
        return _choice(best, found, f"selector {selector}", known=True)
    nodes = _outermost(body.css(", ".join(rules.containers))) if rules.containers else []
    found = survey(body, rules, {n.mem_id: n for n in nodes})
    if not nodes and not body.text().strip():
        return None
    elected = _elect(found, rules)
    if (
        elected is not None and elected.parent is None and len(found.order) < MANY
    ):  # the whole page: perhaps frames are hidden in elements of text
        finer = survey(body, rules, {n.mem_id: n for n in (*nodes, *body.css(FRAMES))})
        again = _elect(finer, rules)
        if again is not None and again.parent is not None:
            found, elected = finer, again
    if elected is not None and elected.sentences < WEAK:
        elected = _beside_title(body, found, elected, rules)
    if elected is None:
        return _choice(nodes[0], found, "known container, without text", known=True) if nodes else None
    voted = _extend(elected, rules)
    table = [block for n in nodes if (block := found.within(n)) is not None]
    if not table and nodes and voted.sentences < 6:
        return _choice(nodes[0], found, "known container, without text", known=True)
    if table:
        best_known = max(table, key=lambda b: b.score)
        if _too_wide(best_known, voted):
            return _choice(voted.node, found, f"vote: {voted.label}, inside {best_known.label}", known=True)
        if voted.sentences <= OVERRULE * max(best_known.sentences, 1) or _holds(best_known, voted):
            return _choice(_siblings(best_known, table).node, found, f"known container {best_known.label}", known=True)
    return _choice(voted.node, found, f"vote: {voted.label}, {voted.sentences} marks", known=False)


def _too_wide(known: Block, voted: Block) -> bool:
    """Whether a known container also frames columns of links: some templates give the whole page its name."""
    if known is voted or not _holds(known, voted) or voted.sentences < 6:
        return False
    links = known.links - voted.links
    return links > 200 and links > 0.4 * (known.plain - voted.plain + links)


def _holds(outer: Block, inner: Block) -> bool:
    block: Block | None = inner
    while block is not None:
        if block is outer:
            return True
        block = block.parent
    return False


def _siblings(best: Block, table: Sequence[Block]) -> Block:
    """The parent, when the text is dealt out over several containers of one name beside each other."""
    parent = best.parent
    if parent is None:
        return best
    others = sum(b.score for b in table if b.parent is parent and b is not best and b.sentences >= 3)
    return parent if others > 0.1 * best.score and best.score + others > 0.9 * parent.score else best


def _elect(found: Survey, rules: TextRules) -> Block | None:
    """The block with the most votes that is no foot of the site: those outweigh a notice of one sentence."""
    block = max(found.order, key=lambda b: b.vote)
    for _ in range(FEET):
        if block.sentences >= FOOT_MARKS or block.plain >= FOOT or not _says_nothing(block, rules):
            return block
        for share, ancestor in zip((0.45, 0.2), _ancestors(block), strict=False):
            ancestor.vote -= share * block.own
        block.vote = -1.0
        block = max(found.order, key=lambda b: b.vote)
        if block.vote <= 0:
            break
    return None


def _beside_title(body: LexborNode, found: Survey, elected: Block, rules: TextRules) -> Block:
    """Of little text the part that stands with the title: a word of welcome beside it may have more votes."""
    node = _title_node(body)
    frame = node.parent if node is not None else None
    for _ in range(FRAMES_TRIED):
        if frame is None or frame.mem_id == body.mem_id:
            break
        block = found.within(frame)
        if block is not None and not block.chrome and block.plain >= LEAST and not _says_nothing(block, rules):
            if _holds(block, elected):
                return elected
            inside = [b for b in found.order if _holds(block, b) and not b.chrome and b.vote > 0]
            return max(inside, key=lambda b: b.vote, default=block)
        frame = frame.parent
    return elected


def _title_node(body: LexborNode) -> LexborNode | None:
    """The heading with which `<title>` begins, else the longest that it names."""
    top = body.parent.css_first("title") if body.parent is not None else None
    title = "".join(top.text().split()) if top is not None else ""
    best: tuple[bool, int, LexborNode] | None = None
    for node in body.css(HEADINGS)[:40]:
        name = "".join(node.text().split())
        if len(name) < 4 or name not in title or node.css_first("a") is not None:
            continue
        rank = title.startswith(name), len(name)
        if best is None or rank > best[:2]:
            best = (*rank, node)
    return best[2] if best is not None else None


def _says_nothing(block: Block, rules: TextRules) -> bool:
    """Whether every line outside links and headings is one that templates print."""
    if len(block.node.css("p, div, li, td")) > FOOT_PARTS:
        return False
    skip = {a.mem_id for a in block.node.css("a, h1, h2, h3")}
    return all(trim.is_head(line, rules) or trim.is_foot(line, rules) for line in lines(block.node, skip))


def _prose(frame: Block, inner: Block, rules: TextRules) -> int:
    """Characters in sentences that stand in `frame` beside `inner`; none of those behind a heading of the template."""
    before: list[LexborNode] = []
    after: list[LexborNode] = []
    step: LexborNode | None = inner.node
    while step is not None and step.mem_id != frame.node.mem_id:
        before += _beside(step, forward=False)
        after += _beside(step, forward=True)
        step = step.parent
    found = sum(_sentences(node, rules)[0] for node in before)
    for node in after:
        size, ended = _sentences(node, rules)
        found += size
        if ended:
            break
    return found


def _beside(node: LexborNode, *, forward: bool) -> list[LexborNode]:
    found, node_beside = [], node.next if forward else node.prev
    while node_beside is not None:
        if (node_beside.tag or "-")[0] not in "-!":
            found.append(node_beside)
        node_beside = node_beside.next if forward else node_beside.prev
    return found


def _sentences(node: LexborNode, rules: TextRules) -> tuple[int, bool]:
    """(characters of lines that are sentences, whether a heading of the template ended them)."""
    size = 0
    for line in lines(node):
        if rules.tail_lines.fullmatch(line):
            return size, True
        if STOP.search(line) and not trim.is_head(line, rules) and not trim.is_foot(line, rules):
            size += len(line)
    return size, False


def _extend(best: Block, rules: TextRules) -> Block:
    """Climb while the frame around holds clearly more sentences and few links: texts dealt out over sibling blocks."""
    block = frame = best
    while frame.parent is not None and frame.parent.parent is not None:
        parent = frame.parent
        if _deals_out(parent, block, rules):
            block = parent
        elif not (block.sentences == parent.sentences and _has_twin(parent.node)):
            break
        frame = parent
    return block


def _deals_out(frame: Block, block: Block, rules: TextRules) -> bool:
    """Whether the text goes on in `frame` outside `block`."""
    more, plain = frame.sentences - block.sentences, frame.plain - block.plain
    if more < 0.15 * block.sentences or more * 40 < plain:
        return False
    links = frame.links - block.links
    if links > 0.3 * (plain + links) or more * 40 < plain + links:
        return False
    return _prose(frame, block, rules) >= PROSE * block.plain


def _has_twin(node: LexborNode) -> bool:
    """Whether the next or previous element is of the same tag and class: one of several parts."""
    name = node.attributes.get("class")
    beside = (*_beside(node, forward=True)[:1], *_beside(node, forward=False)[:1])
    return any(b.tag == node.tag and b.attributes.get("class") == name for b in beside)


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Without those that lie in another of them. `css` lists ancestors before what they hold."""
    ids = {n.mem_id for n in nodes}
    kept: dict[int, LexborNode] = {}
    for node in nodes:
        parent, steps = node.parent, 0
        while parent is not None and parent.mem_id not in ids and steps < 200:
            parent, steps = parent.parent, steps + 1
        if parent is None or parent.mem_id not in ids:
            kept.setdefault(node.mem_id, node)
    return list(kept.values())


def _choice(node: LexborNode, found: Survey, why: str, *, known: bool) -> Choice:
    block = found.within(node) or Block(node, None, 0)
    return Choice(node, why, known, block.plain, block.links, block.sentences)


def chrome_inside(node: LexborNode, rules: TextRules, *, known: bool = True) -> dict[int, str]:
    """`mem_id` -> name of small blocks whose id or class says chrome; where a vote chose, of lists of links too."""
    whole = max(1, len(node.text()))
    found: dict[int, str] = {}
    for inner in node.css("[class], [id]"):
        if inner.mem_id == node.mem_id:
            continue
        name = f"{inner.attributes.get('id') or ''} {inner.attributes.get('class') or ''}".strip()
        if name and rules.chrome_classes.search(name):
            text = inner.text()
            if len(text) < SMALL * whole and "。" not in text and inner.css_first("table") is None:
                found[inner.mem_id] = name
    return found if known else {**found, **_link_lists(node)}


def _link_lists(node: LexborNode) -> dict[int, str]:
    """Lists of three or more headlines that lead to other pages, and of little else."""
    found: dict[int, str] = {}
    seen = 0
    for box in node.css("ul, ol, dl"):
        links = box.css("a[href]")
        seen += len(links)
        if seen > LINKS:
            break
        names = [
            text
            for a in links
            if len(text := a.text().strip()) >= HEADLINE and not FILE.search(f"{a.attributes['href']} {text}")
        ]
        if len(names) >= 3 and sum(map(len, names)) > 0.7 * len("".join(dates.DATE.sub("", box.text()).split())):
            found[box.mem_id] = "links"
    return found
