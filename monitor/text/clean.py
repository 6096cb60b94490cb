"""A page as a Document: its main text without chrome, and what it says about itself. Every step explains itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from monitor.model import Document, TextRules
from monitor.text import container, dates, head, kinds, links, outline, scripted, trim
from monitor.text.lines import lines, tidy
from monitor.text.outline import Outline

MAX_CHARS = 3_000_000  # of source that is parsed; what lies behind is cut, with a warning
MAX_DEPTH = 12_000
_NESTING = (
    "div",
    "table",
    "span",
    "font",
    "ul",
    "ol",
    "dl",
    "section",
    "article",
    "center",
    "blockquote",
    "form",
    "b>",
)
FEWER = 3  # times as much text that a script has to hold as the page shows
HELD = 200  # characters in a <textarea> from which it may hold the article
AFTER = 600  # characters behind it among which a date is looked for
WIDE = 900  # characters before it in which a table of the document's properties stands
SIGNATURE = 120  # characters at the end of a text in which the day of its signature may stand
BEFORE = 6_000  # characters before the main text, and
LINES_BEFORE = 40  # lines before the main text among which its title is looked for

_BLANKS = re.compile(r"[ \t\r\xa0\u3000]+")
_SHEET = re.compile(r"第\s*[0-9A-Z〇零一二三四五六七八九十]{1,5}\s*版|版面导航|标题导航|数字报")


def clean(
    html: str, url: str | None, rules: TextRules, *, selector: str | None = None, exclude: Sequence[str] = ()
) -> Document:
    """Read one page. Never raises for bad HTML; a selector that finds nothing gives kind `error` and a warning."""
    warnings = []
    if "\x00" in html:
        html = html.replace("\x00", "")
    if len(html) > MAX_CHARS:
        warnings.append(f"page cut: {len(html)} characters, {MAX_CHARS} read")
        html = html[:MAX_CHARS]
    if _too_deep(html):
        return Document(url=url, kind="error", warnings=(*warnings, f"page refused: nested deeper than {MAX_DEPTH}"))
    tree = LexborHTMLParser(html)
    if tree.body is None or tree.root is None:
        return Document(url=url, kind="empty", warnings=tuple(warnings))
    marks = {
        name: _matches(tree, name, selectors, warnings)
        for name, selectors in (("selector", (selector,) if selector is not None else ()), ("exclude", exclude))
        if selectors
    }
    page = outline.read(tree, rules, marks)
    if not page.whole:
        warnings.append(f"page cut: more than {outline.MOST_TAGS} tags")
    found = _Reading(page, html, url, rules, warnings).document(selector, page.marked("exclude") if exclude else [])
    if selector is not None or found.kind not in ("empty", "other", "image"):
        return found
    if not found.paragraphs:
        found = _typed_out(tree, found, rules)
    return found if found.kind == "article" else _scripted(html, found, rules)


def _typed_out(tree: LexborHTMLParser, found: Document, rules: TextRules) -> Document:
    """Some templates keep the article in a <textarea>, from which a script writes it into the page."""
    source = max((node.text() for node in tree.css("textarea")), key=len, default="")
    if len(source) < HELD or "<textarea" in source.lower():
        return found
    held = clean(f"<body><div>{source}</div></body>", found.url, rules)
    if held.kind != "article":
        return found
    explain = (*found.explain[:-1], "text of a <textarea>", *held.explain[-1:])
    return replace(found, kind=held.kind, paragraphs=held.paragraphs, explain=explain)


def _scripted(html: str, found: Document, rules: TextRules) -> Document:
    """Pages that are built in the browser may hold their article as JSON."""
    held = scripted.held(html)
    inside = clean(f"<body><div>{held.html}</div></body>", found.url, rules) if held is not None else found
    if held is None or inside.kind != "article" or len(inside.text) < FEWER * len(found.text):
        return found
    day = found.published or held.day
    beside = ("date: beside the text in a script",) if day != found.published else ()
    explain = (*found.explain[:-1], "text of a script's JSON", *beside, *inside.explain[-1:])
    return replace(found, kind=inside.kind, paragraphs=inside.paragraphs, published=day, explain=explain)


def _matches(tree: LexborHTMLParser, name: str, selectors: Sequence[str], warnings: list[str]) -> list[LexborNode]:
    """Everything that these selectors of sources.yaml match; a bad one is a warning."""
    found: list[LexborNode] = []
    for css in selectors:
        try:
            found += tree.css(css)
        except SelectolaxError as error:
            warnings.append(f"{name}: not valid: {css} ({error})")
    return found


def _too_deep(html: str) -> bool:
    """Whether far more elements open than close: the parser's time grows with the square of the depth."""
    tags = html.count("<")
    if tags < MAX_DEPTH or tags - 2 * html.count("</") < MAX_DEPTH:
        return False
    text = html.lower()
    return any(text.count(f"<{tag}") - text.count(f"</{tag}") > MAX_DEPTH for tag in _NESTING)


@dataclass(frozen=True)
class _Around:
    """What can be seen around the main text, a line for each piece of text; chrome and hidden things included."""

    before: str  # the last BEFORE characters before it
    start: str
    last: str
    after: str

    @classmethod
    def of(cls, page: Outline, choice: container.Choice | None) -> _Around:
        """Where no main text was found, everything stands before it."""
        begin, end = page.first[page.body], page.first[page.ends[page.body]]
        at, stop = (page.first[choice.at], page.first[page.ends[choice.at]]) if choice is not None else (end, end)
        return cls(
            _backwards(page.seen, begin, at, BEFORE),
            _forwards(page.seen, at, stop, head.NEAR_TITLE),
            _backwards(page.seen, at, stop, SIGNATURE),
            _forwards(page.seen, stop, end, AFTER),
        )


def _forwards(texts: Sequence[str], start: int, stop: int, most: int) -> str:
    size, at = 0, start
    while at < stop and size < most:
        size += len(texts[at].strip()) + 1
        at += 1
    return _joined(texts[start:at])[:most]


def _backwards(texts: Sequence[str], start: int, stop: int, most: int) -> str:
    size, at = 0, stop
    while at > start and size < most:
        at -= 1
        size += len(texts[at].strip()) + 1
    return _joined(texts[at:stop])[-most:]


def _joined(texts: Sequence[str]) -> str:
    return _BLANKS.sub(" ", "\n".join(texts))


class _Reading:
    """One page while it is read: what several steps need."""

    def __init__(self, page: Outline, html: str, url: str | None, rules: TextRules, warnings: list[str]) -> None:
        self.page, self.html, self.url, self.rules = page, html, url, rules
        self.warnings, self.explain, self.left = warnings, list[str](), dict[int, str]()

    def document(self, selector: str | None, excluded: Sequence[int]) -> Document:
        meta, fields = head.meta_tags(self.page), head.properties(self.html)
        headings = head.headings(self.page)
        found, files = links.read(self.page, links.base_of(self.page, self.url), self.rules)
        choice = self._choose(selector, excluded)
        around = _Around.of(self.page, choice)
        title = self._title((meta, fields), headings, around)
        paragraphs, cut = self._paragraphs(choice, title[0], exact=selector is not None)
        shown = self._shown(around, title[0], cut, fields)
        facts = head.read(meta, fields, title, shown, self.rules)
        named = bool(meta.get("articletitle"))
        dated = facts.shown is not None and (facts.labelled or all(link.date != facts.shown for link in found))
        page = kinds.Page(self.page, choice, paragraphs, found, files, named, dated, list(self.left))
        kind = kinds.kind(page, self.rules, selected=selector is not None)
        facts = head.of_list(facts, self.page) if kind == "listing" else facts
        return Document(
            url=self.url,
            kind=kind,
            title=facts.title,
            published=facts.shown,
            published_meta=facts.meta,
            publisher=facts.publisher or self._account(choice),
            author=facts.author,
            column=facts.column,
            site_code=facts.site_code,
            paragraphs=tuple(paragraphs) if kind != "listing" else (),
            links=found,
            attachments=files,
            warnings=(*self.warnings, *facts.warnings),
            explain=(*facts.why, *self.explain, f"kind: {kind}"),
        )

    def _account(self, choice: container.Choice | None) -> str | None:
        """The account that published, which WeChat shows in an element of its own."""
        if choice is None or self.page.get(choice.at, "id") != "js_content":
            return None
        names = (self.page.text(i) for i in self.page.sources if self.page.get(i, "id") == "js_name")
        return tidy(next(names, ""))[: head.LONGEST] or None

    def _choose(self, selector: str | None, excluded: Sequence[int]) -> container.Choice | None:
        """Take out what never is text; a configured selector may want what the rules would drop."""
        page = self.page
        gone = list(excluded) if selector is not None else [*excluded, *page.dropped, *page.hidden]
        gone = [i for i in gone if i > page.body]
        page.leave_out(gone)
        if gone:
            self.explain.append("left out of the page: " + ", ".join(dict.fromkeys(map(page.label, gone[:40]))))
        if selector is None:
            return container.choose(page, self.rules)
        selected = page.marked("selector")
        if not selected and not self.warnings:
            self.warnings.append(f"selector: nothing matches {selector}")
        return container.choose(page, self.rules, selected)

    def _title(
        self,
        said: tuple[Mapping[str, str], Mapping[str, str]],
        headings: tuple[Sequence[str], Sequence[str]],
        around: _Around,
    ) -> tuple[str | None, str]:
        """By what the page says of itself; else by what stands before the main text, the nearest first."""
        if said[0].get("articletitle") or said[1].get("title"):
            return head.title_of(self.page, *said, headings[0])
        near = [line for line in map(tidy, around.before.split("\n")) if line][-LINES_BEFORE:]
        opening = [line for line in map(tidy, around.start.split("\n")) if line][:1]  # it may stand in the text's frame
        title = head.title_of(self.page, *said, headings[0], [*near, *opening])
        if title[1] not in head.DOUBTFUL:
            return title
        if name := head.labelled_title(f"{around.before[-head.NEAR_TITLE * 3 :]}\n{around.start}"):
            return name, "label of the document's properties"
        first, *behind = [line for line in map(tidy, around.start.split("\n")) if line][:3] or [""]
        if head.titular(first) and any(trim.is_head(line, self.rules) for line in behind):
            over = first + "".join(behind)
            wrapped = (h for h in headings[0] if h.startswith(first) and over.startswith(h))  # a title set in two lines
            return max(wrapped, key=len, default=first), "line over the date"
        texts, tops, lines_near = (
            [n for n in found if not trim.is_head(n, self.rules)] for found in (*headings, near[::-1])
        )
        return head.nearest(around.before, lines_near, texts, tops) or title

    def _paragraphs(
        self, choice: container.Choice | None, title: str | None, *, exact: bool
    ) -> tuple[list[str], list[str]]:
        """(paragraphs, lines cut before them)."""
        if choice is None:
            self.explain.append("container: none")
            return [], []
        self.explain.append(f"container: {choice.why}; {choice.plain} characters and {choice.links} in links")
        chrome = self.left = {} if exact else container.chrome_inside(self.page, choice.at, known=choice.known)
        if chrome:
            self.explain.append("blocks left out: " + ", ".join(sorted(set(chrome.values()))[:12]))
        every = lines(self.page, choice.at, chrome)
        every, copied = trim.without_copies(every)
        if copied:
            self.explain.append(f"second copy left out: {copied} characters")
        above = [] if choice.known else self._above_title(choice, every, title)
        before, kept, after = trim.ends(every[len(above) :], self.rules, title)
        if above:
            self.explain.append(f"cut above the title: {len(above)} lines")
        for name, cut in (("before", before), ("after", after)):
            if cut:
                self.explain.append(f"cut {name} the text: " + " / ".join(line[:40] for line in cut[:8]))
        self.explain.append(f"kept: {len(kept)} lines, {sum(map(len, kept))} characters")
        return kept, before

    def _above_title(self, choice: container.Choice, every: list[str], title: str | None) -> list[str]:
        """Lines up to the title, where a vote took a frame in which links or a box's heading stand above it.

        Without those, what stands above the title is the head of a document: who issued it, and its number.
        """
        at = trim.at_title(every, title) if title else -1
        if at <= 0:
            return []
        above = {line for line in every[:at] if not trim.is_head(line, self.rules)}
        linked = {tidy(self.page.text(a)) for a in self.page.links_in(choice.at)} if above else set()
        boxed = any(line in linked or self.rules.tail_lines.fullmatch(line) for line in every[:at])
        return every[: at + 1] if boxed else []

    def _shown(self, around: _Around, title: str | None, cut: Sequence[str], fields: Mapping[str, str]) -> head.Shown:
        """Split what is seen at the main text; the title itself may name a day, so it is left out."""
        before, name = around.before, tidy(title or "")
        found = before.rfind(name[:20]) if name else -1
        start = "\n".join(cut) or around.start
        if found < 0 and name and name[:20] in start:  # the main text holds its title, and what stands under it
            near, start = (start[start.index(name[:20]) :], "") if cut else ("", start)
        else:
            near = before[max(found, 0 if found >= 0 else len(before) - WIDE) :]
        near, start = near.replace(name or "\0", " "), start.replace(name or "\0", " ")
        wide = before[max(0, len(before) - WIDE) : found]
        issue = dates.first(before) if fields or _SHEET.search(before) else None
        paper = dates.first(before) if head.names_paper(self.page) else None
        return head.Shown(near, start, around.after, self.url, name, issue, paper, around.last, wide)


def plain(text: str, url: str | None, rules: TextRules) -> Document:
    """A text file: real reports are saved with the site's lines at both ends, which are cut like those of a page."""
    return of_lines([tidy(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")], url, rules)


def of_lines(found: Sequence[str], url: str | None, rules: TextRules) -> Document:
    """The same for lines that a file's reader found; the tabs between the cells of a row stay."""
    every = [line for line in ("\t".join(map(tidy, x.split("\t"))).rstrip("\t") for x in found) if line]
    title = next((line for line in every[:8] if not trim.is_head(line, rules)), None)
    title = title if title is not None and _titular(title) else None
    before, kept, after = trim.ends(every, rules, title)
    if title is not None and kept and kept[0] == title:
        before, kept = [*before, title], kept[1:]
        more, kept, _ = trim.ends(kept, rules, None)
        before += more
    shown = head.Shown("\n".join(before), "\n".join(kept[:3])[: head.NEAR_TITLE], "\n".join(after), url)
    facts = head.read({}, {}, (title, "first line"), shown, rules)
    explain = [f"cut before the text: {' / '.join(before)}"] if before else []
    explain += [f"cut after the text: {' / '.join(after)}"] if after else []
    return Document(
        url=url,
        kind="article" if kept else "empty",
        title=facts.title,
        published=facts.shown,
        publisher=facts.publisher,
        author=facts.author,
        paragraphs=tuple(kept),
        warnings=facts.warnings,
        explain=(*facts.why, *explain),
    )


def _titular(line: str) -> bool:
    """Whether the first line of a file can be its title: short, and no sentence."""
    return (
        4 <= len(line) <= 80
        and not line.endswith(("。", "；", ";", ":", "：", ",", "，", "！"))
        and line[0] not in "(（"
    )
