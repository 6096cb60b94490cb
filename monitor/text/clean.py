"""A page as a Document: its main text without chrome, and what it says about itself. Every step explains itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from monitor.model import Document, TextRules
from monitor.text import container, dates, head, kinds, links, trim
from monitor.text.lines import lines, tidy

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
SIGNATURE = 120  # characters at the end of a text in which the day of its signature may stand
BEFORE = 6_000  # characters before the main text, and
LINES_BEFORE = 40  # lines before the main text among which its title is looked for
HIDDEN = 200  # characters up to which an element with display:none is a hint or a menu, not a hidden article

_BLANKS = re.compile(r"[ \t\r\xa0\u3000]+")
_SHEET = re.compile(r"第\s*[0-9A-Z〇零一二三四五六七八九十]{1,5}\s*版|版面导航|标题导航|数字报")


def clean(
    html: str, url: str | None, rules: TextRules, *, selector: str | None = None, exclude: Sequence[str] = ()
) -> Document:
    """Read one page. Never raises for bad HTML; a selector that finds nothing gives kind `error` and a warning."""
    warnings = []
    html = html.replace("\x00", "")
    if len(html) > MAX_CHARS:
        warnings.append(f"page cut: {len(html)} characters, {MAX_CHARS} read")
        html = html[:MAX_CHARS]
    if _too_deep(html):
        return Document(url=url, kind="error", warnings=(*warnings, f"page refused: nested deeper than {MAX_DEPTH}"))
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return Document(url=url, kind="empty", warnings=tuple(warnings))
    return _Reading(tree, body, html, url, rules, warnings).document(selector, exclude)


def _too_deep(html: str) -> bool:
    """Whether far more elements open than close: the parser's time grows with the square of the depth."""
    if html.count("<") - 2 * html.count("</") < MAX_DEPTH:
        return False
    text = html.lower()
    return any(text.count(f"<{tag}") - text.count(f"</{tag}") > MAX_DEPTH for tag in _NESTING)


class _Reading:
    """One page while it is read: what several steps need."""

    def __init__(
        self,
        tree: LexborHTMLParser,
        body: LexborNode,
        html: str,
        url: str | None,
        rules: TextRules,
        warnings: list[str],
    ) -> None:
        self.tree, self.body, self.html, self.url, self.rules = tree, body, html, url, rules
        self.warnings, self.explain = warnings, list[str]()

    def document(self, selector: str | None, exclude: Sequence[str]) -> Document:
        meta, fields = head.meta_tags(self.tree), head.properties(self.html)
        self._drop("script, style, noscript, template, textarea, select, button")
        titles, tops = head.headings(self.body), head.tops(self.body)
        flat = _BLANKS.sub(" ", self.body.text(separator="\n"))
        found, files = links.read(self.body, links.base_of(self.tree, self.url), self.rules)
        self._prepare(selector, exclude)
        try:
            choice = container.choose(self.body, self.rules, selector)
        except SelectolaxError as error:
            choice = None
            self.warnings.append(f"selector: not valid: {selector} ({error})")
        if choice is None and selector is not None:
            self.warnings.append(f"selector: nothing matches {selector}")
        title = self._title((meta, fields), (titles, tops), flat, _position(flat, choice)[0])
        paragraphs, cut = self._paragraphs(choice, title[0], exact=selector is not None)
        shown = self._shown(flat, choice, title[0], cut)
        facts = head.read(meta, fields, title, shown, self.rules)
        named, dated = bool(meta.get("articletitle")), facts.shown is not None
        page = kinds.Page(choice, paragraphs, found, files, named, dated)
        kind = kinds.kind(page, self.rules, selected=selector is not None)
        return Document(
            url=self.url,
            kind=kind,
            title=facts.title,
            published=facts.shown,
            published_meta=facts.meta,
            publisher=facts.publisher,
            author=facts.author,
            column=facts.column,
            site_code=facts.site_code,
            paragraphs=tuple(paragraphs) if kind != "listing" else (),
            links=found,
            attachments=files,
            warnings=(*self.warnings, *facts.warnings),
            explain=(*facts.why, *self.explain, f"kind: {kind}"),
        )

    def _drop(self, selectors: str) -> None:
        for node in self.tree.css(selectors):
            if node.tag not in {"body", "html"}:
                node.decompose()

    def _title(
        self,
        said: tuple[Mapping[str, str], Mapping[str, str]],
        headings: tuple[Sequence[str], Sequence[str]],
        flat: str,
        at: int,
    ) -> tuple[str | None, str]:
        """By what the page says of itself; else by what stands before the main text at `at`, the nearest first."""
        if said[0].get("articletitle") or said[1].get("title"):
            return head.title_of(self.tree, *said, headings[0])
        before = flat[max(0, at - BEFORE) : at]
        near = [line for line in map(tidy, before.split("\n")) if line][-LINES_BEFORE:]
        title = head.title_of(self.tree, *said, headings[0], near)
        if title[1] not in head.DOUBTFUL:
            return title
        if name := head.labelled_title(flat[max(0, at - head.NEAR_TITLE * 3) : at + 2 * head.NEAR_TITLE]):
            return name, "label of the document's properties"
        first, *behind = [line for line in map(tidy, flat[at : at + head.NEAR_TITLE].split("\n")) if line][:3] or [""]
        if head.titular(first) and any(trim.is_head(line, self.rules) for line in behind):
            return first, "line over the date"
        texts, tops, lines_near = (
            [n for n in found if not trim.is_head(n, self.rules)] for found in (*headings, reversed(near))
        )
        return head.nearest(before, lines_near, texts, tops) or title

    def _prepare(self, selector: str | None, exclude: Sequence[str]) -> None:
        """Take out what never is text; a configured selector may want what the rules would drop."""
        if selector is None:
            self._drop(", ".join(self.rules.drop))
            for node in self.body.css('[style*="display:none" i], [style*="display: none" i], [hidden]'):
                if node.tag != "body" and len(node.text()) < HIDDEN:
                    node.decompose()
        for css in exclude:
            try:
                self._drop(css)
            except SelectolaxError as error:
                self.warnings.append(f"exclude: not valid: {css} ({error})")

    def _paragraphs(
        self, choice: container.Choice | None, title: str | None, *, exact: bool
    ) -> tuple[list[str], list[str]]:
        """(paragraphs, lines cut before them)."""
        if choice is None:
            self.explain.append("container: none")
            return [], []
        self.explain.append(f"container: {choice.why}")
        chrome = {} if exact else container.chrome_inside(choice.node, self.rules, known=choice.known)
        if chrome:
            self.explain.append("blocks left out: " + ", ".join(sorted(set(chrome.values()))[:12]))
        every = lines(choice.node, chrome)
        every, copied = trim.without_copies(every)
        if copied:
            self.explain.append(f"second copy left out: {copied} characters")
        before, kept, after = trim.ends(every, self.rules, title)
        for name, cut in (("before", before), ("after", after)):
            if cut:
                self.explain.append(f"cut {name} the text: " + " / ".join(line[:40] for line in cut[:8]))
        return kept, before

    def _shown(self, flat: str, choice: container.Choice | None, title: str | None, cut: Sequence[str]) -> head.Shown:
        """Split the visible text at the main text; the title itself may name a day, so it is left out."""
        at, end = _position(flat, choice)
        name = tidy(title or "")
        found = flat.rfind(name[:20], 0, at) if name else -1
        before = flat[found if 0 <= found <= at else max(0, at - 900) : at].replace(name or "\0", " ")
        start = "\n".join(cut) or flat[at : min(end, at + head.NEAR_TITLE)]
        issue = dates.first(flat[:at]) if _SHEET.search(flat[:at]) or "enpproperty" in self.html else None
        wide = flat[max(0, at - 900) : found] if 0 <= found <= at else ""
        start, after = start.replace(name or "\0", " "), flat[end : end + 600]
        paper = dates.first(flat[:at]) if head.names_paper(self.tree) else None
        last = flat[max(at, end - SIGNATURE) : end]
        return head.Shown(before, start, after, self.url, name, issue, paper, last, wide)


def _position(flat: str, choice: container.Choice | None) -> tuple[int, int]:
    """Where the main text begins and ends in the visible text of the page; both its end where it cannot be found."""
    texts = choice.node.text(separator="\n").split("\n") if choice is not None else []
    opening = _BLANKS.sub(" ", next((t for t in texts if len(t.strip()) > 3), ""))
    if not opening or (start := flat.find(opening)) < 0:
        return len(flat), len(flat)
    ending = _BLANKS.sub(" ", next(t for t in reversed(texts) if len(t.strip()) > 3))
    last = flat.rfind(ending)
    return start, (last + len(ending) if last >= start else len(flat))


def plain(text: str, url: str | None, rules: TextRules) -> Document:
    """A text file: real reports are saved with the site's lines at both ends, which are cut like those of a page."""
    every = [line for line in map(tidy, text.replace("\r\n", "\n").replace("\r", "\n").split("\n")) if line]
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
