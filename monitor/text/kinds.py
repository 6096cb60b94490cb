"""What a page is: an article, a list, an attachment, an image, a refusal."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.model import Attachment, DocumentKind, Link, TextRules
from monitor.text.container import Choice
from monitor.text.lines import tidy
from monitor.text.outline import TEXT, Outline

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

    outline: Outline
    choice: Choice | None
    paragraphs: Sequence[str]
    links: Sequence[Link]
    files: Sequence[Attachment]
    named: bool
    dated: bool
    left: Collection[int] = ()  # boxes in the main text that were left out


def kind(page: Page, rules: TextRules, *, selected: bool) -> DocumentKind:
    """`selected`: a configured selector names the main text, so the page is no list."""
    choice = page.choice
    if choice is None:
        return "error" if selected else _without_choice(page)
    chars = sum(map(len, page.paragraphs))
    listed = _is_listing(page, choice) or (chars < SUMMARY and _is_introduction(page, choice))
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
    if (page.named or page.dated) and len(page.paragraphs) >= LINES and choice.plain > choice.links:
        return True
    if not page.paragraphs or not choice.sentences:
        return False
    if not page.named and not page.dated and _says("soft_404", page, rules):
        return False
    return choice.known or ((page.named or page.dated) and _STOP.search(page.paragraphs[-1]) is not None)


def _without_text(page: Page, choice: Choice, rules: TextRules, selected: bool) -> DocumentKind:
    said = next((kind for word, kind in REFUSALS if _says(word, page, rules)), None)
    if said is not None:
        return said
    if page.files:
        return "attachment"
    if page.outline.has(choice.at, "img"):
        return "image"
    if len(page.links) >= MANY and not selected:
        return "listing"
    return "other" if any(page.paragraphs) else "empty"


def _says(word: str, page: Page, rules: TextRules) -> bool:
    """Whether a page with next to no text says this of itself."""
    text = " ".join(page.paragraphs)
    return any(p.search(text) for p in rules.signs.get(word, ()))


def _is_listing(page: Page, choice: Choice) -> bool:
    """Mostly links that are no attachments, or many with no more than a summary between two of them."""
    named = sum(len(file.name) for file in page.files)
    inside = choice.links - named - sum(page.outline.linked(i) for i in page.left)
    if inside > choice.plain and (inside >= 60 or not choice.sentences):
        return True
    if choice.known:
        return False
    rows, longest = _rows(page.outline, choice.at, page.left)
    return rows - len(page.files) >= ROWS and longest < SUMMARY


def _rows(page: Outline, root: int, left: Collection[int]) -> tuple[int, int]:
    """(links long enough to be titles of documents, most characters between two of them); none of those in `left`."""
    if len(page.links_in(root)) < ROWS:
        return 0, 0
    rows = run = longest = linked = skipped = 0
    for i in range(root + 1, page.ends[root]):
        tag = page.tags[i]
        if i < skipped:
            continue
        if i in left:
            skipped = page.ends[i]
        elif tag == "a":
            linked = page.ends[i]
            if len(tidy(page.text(i))) >= ROW_NAME:
                rows, run = rows + 1, 0
        elif tag == TEXT and i >= linked:
            run += len(page.texts[page.first[i]].strip())
            longest = max(longest, run)
    return rows, longest
