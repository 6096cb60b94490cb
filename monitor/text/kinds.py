"""What a page is: an article, a list, an attachment, an image, a refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from monitor.model import Attachment, DocumentKind, Link, TextRules
from monitor.text.container import Choice
from monitor.text.lines import tidy

SHORT = 60  # characters under which a text is too little to be an article by itself
LINES = 4  # short lines, as of a roster, that are an article where the page names one
SUMMARY = 200  # characters of an item of a list with summaries
ROW_NAME = 8  # characters from which a link can be the title of a document in a list
ROWS = 5  # such links from which a page can be a list
MANY = 8  # links of a page without text from which it is a list
REFUSALS: tuple[tuple[str, DocumentKind], ...] = (
    ("blocked_waf", "blocked"),
    ("login", "blocked"),
    ("soft_404", "error"),
    ("maintenance", "error"),
)

_STOP = re.compile("[。！？；]$")


@dataclass(frozen=True)
class Page:
    """A page as far as it is read. `named`, `dated`: it says the title and the day of an article."""

    choice: Choice | None
    paragraphs: Sequence[str]
    links: Sequence[Link]
    files: Sequence[Attachment]
    named: bool
    dated: bool


def kind(page: Page, rules: TextRules, *, selected: bool) -> DocumentKind:
    """`selected`: a configured selector names the main text, so the page is no list."""
    choice = page.choice
    if choice is None:
        return "error" if selected else _without_choice(page)
    chars = sum(map(len, page.paragraphs))
    listed = _is_listing(choice, page.files) or (chars < SUMMARY and _is_introduction(page, choice))
    if listed and not selected and not (page.named and chars >= SHORT):
        return "listing"
    return (
        "article" if chars >= SHORT or _is_notice(page, choice, rules) else _without_text(page, choice, rules, selected)
    )


def _without_choice(page: Page) -> DocumentKind:
    if page.files:
        return "attachment"
    dated = sum(link.date is not None for link in page.links)
    return "listing" if dated >= 2 or len(page.links) >= MANY else "empty"


def _is_introduction(page: Page, choice: Choice) -> bool:
    """Whether a few sentences only introduce the documents linked with their dates beside them."""
    told = choice.known or page.named or page.dated
    return not told and sum(link.date is not None for link in page.links) >= ROWS


def _is_notice(page: Page, choice: Choice, rules: TextRules) -> bool:
    """Whether a text of few words is the article: one that stands in an article's place and ends as a sentence does."""
    if page.named and len(page.paragraphs) >= LINES and choice.plain > choice.links:
        return True
    if not page.paragraphs or not choice.sentences:
        return False
    if not page.named and _says("soft_404", page, rules):
        return False
    return choice.known or ((page.named or page.dated) and _STOP.search(page.paragraphs[-1]) is not None)


def _without_text(page: Page, choice: Choice, rules: TextRules, selected: bool) -> DocumentKind:
    said = next((kind for word, kind in REFUSALS if _says(word, page, rules)), None)
    if said is not None:
        return said
    if page.files:
        return "attachment"
    if choice.node.css_first("img") is not None:
        return "image"
    if len(page.links) >= MANY and not selected:
        return "listing"
    return "other" if any(page.paragraphs) else "empty"


def _says(word: str, page: Page, rules: TextRules) -> bool:
    """Whether a page with next to no text says this of itself."""
    text = " ".join(page.paragraphs)
    return any(p.search(text) for p in rules.signs.get(word, ()))


def _is_listing(choice: Choice, files: Sequence[Attachment]) -> bool:
    """Mostly links that are no attachments, or many with no more than a summary between two of them."""
    named = sum(len(file.name) for file in files)
    inside = choice.links - named
    if inside > choice.plain and (inside >= 60 or not choice.sentences):
        return True
    if choice.known:
        return False
    rows, longest = _rows(choice.node)
    return rows - len(files) >= ROWS and longest < SUMMARY


def _rows(node: LexborNode) -> tuple[int, int]:
    """(links long enough to be titles of documents, most characters between two of them)."""
    if len(node.css("a")) < ROWS:
        return 0, 0
    rows = run = longest = 0
    for piece in node.traverse(include_text=True):
        if piece.tag == "a":
            if len(tidy(piece.text())) >= ROW_NAME:
                rows, run = rows + 1, 0
        elif piece.tag == "-text" and not _linked(piece):
            run += len((piece.text_content or "").strip())
            longest = max(longest, run)
    return rows, longest


def _linked(node: LexborNode) -> bool:
    """Whether a text stands in a link: those of lists lie at most a few elements deep."""
    parent, steps = node.parent, 0
    while parent is not None and steps < 4:
        if parent.tag == "a":
            return True
        parent, steps = parent.parent, steps + 1
    return False
