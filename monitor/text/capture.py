"""Is this the page? Every answer is judged before it may become a version: a broken one is never a change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from rapidfuzz.distance import Indel

from monitor.model import Document, Failure, Fetch, TextRules
from monitor.text import dates, notices
from monitor.text.notices import REST, Said, beside
from monitor.text.segment import normalise

LITTLE = 400  # characters of visible text under which a page can be a mere notice that something is wrong
READ = 400_000  # characters of a page's source in which its visible text is looked for
NOTICE = 60  # characters of a mere notice: a quarter of it is next to no text
LOSSY = 0.002  # share of U+FFFD in a text from which it is damaged
LOSSY_LEAST = 5
COLLAPSE = 0.3  # share of the last text's length under which the new one is suspect …
COLLAPSE_LEAST = 600  # … when the last one had at least so many characters
KEPT = 0.5  # … unless this share of what is left stood in the last one: then a part was really deleted
FOREIGN = 0.02  # share of common runs of characters under which two texts of one address have nothing in common …
FOREIGN_LEAST = 150  # … when both have so many characters

_TEXTUAL = re.compile(r"text/|html|xml|json|javascript|octet-stream", re.IGNORECASE)
_BINARY = re.compile(rb"^(?:%PDF-|PK\x03\x04|\xd0\xcf\x11\xe0|\x89PNG|\xff\xd8\xff|GIF8|Rar!|7z\xbc\xaf)")
_INDEX = re.compile(r"^/?(?:(?:index|default|home|main)(?:\.\w{2,5})?)?$", re.IGNORECASE)
# Mark-up is walked with patterns that never look past one closing mark: `<x.*?</x` over a page that opens x ten
# thousand times and closes it never reads that page ten thousand times.
_OPENS = re.compile(r"<(?:(?:script|style|noscript)\b|!--)", re.IGNORECASE)
_OPENING = frozenset("sSnN!\u017f")  # the first letters of these: most tags are none of them
_CLOSES = {
    **{name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "noscript")},
    "!--": re.compile("-->"),
}
_BODY = re.compile(r"<body\b", re.IGNORECASE)
_BODY_CLOSES = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
_TITLE, _TITLE_CLOSES = re.compile("<title", re.IGNORECASE), re.compile("</title", re.IGNORECASE)
_ENDS = frozenset(">。！？”）)")  # what a page or a sentence may end with
_BLANKS = re.compile(r"(?:\s|&nbsp;)+")
_LOOSE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")  # blanks mean nothing beside a Chinese character
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_NOSCRIPT = re.compile(r"<noscript\b[^<>]{0,200}>([^<]{0,500})", re.IGNORECASE)
_STATUS = {403: "http_403", 404: "http_404", 410: "http_410"}
_CHALLENGE_STATUS = frozenset({412, 521, 202, 403, 503, 405, 400, 200})


def judge(fetch: Fetch, html: str | None, document: Document | None, rules: TextRules) -> Failure | None:
    """Why this answer must not become a version, or None. `html` is the decoded body, `document` its reading, if any.

    A failure of the fetch itself wins. An answer that is recognised as a challenge or a firewall is called that
    whatever its status: it says nothing about the page.
    """
    if fetch.failure is not None:
        return fetch.failure
    status = fetch.status or 0
    if status < 400 and _binary(fetch):
        return Failure("not_html", f"{fetch.content_type or 'binary content'}", fetch.status)
    html = html or ""
    title = _title(html) or (document.title if document is not None and document.title else "")
    plenty = document is not None and _is_plenty(document)
    text = document.text if plenty and document is not None else visible(html, LITTLE + NOTICE + len(title))
    if document is not None and document.kind == "article" and len(document.text) > len(text):
        text = document.text  # it stands in a script, as JSON
    page = notices.said(html, title, text, document, little=LITTLE)
    found = _blocked(status, html, text, page, rules)
    if found is None and status >= 400:
        found = _status(status), f"HTTP {status}"
    if found is None and _went_home(fetch):
        found = "redirect_home", f"sent to {fetch.final_url}"
    if found is None:
        found = _empty_or_notice(text, page, document, rules) or _lossy(html, document)
    if found is None and is_cut(html):
        found = "truncated", "the page ends in the middle: its body is never closed"
    return Failure(*found, status=fetch.status) if found else None


def is_cut(html: str) -> bool:
    """Whether the page ends in the middle."""
    if "</html" in html[-2_000:].lower():
        return False
    last = html.rstrip()
    if not last or last[-1] in _ENDS:
        return False
    opened = max((found.end() for found in _BODY.finditer(last)), default=len(last))
    return opened < len(last) and _BODY_CLOSES.search(last, opened) is None


def collapsed(old: Document, new: Document) -> Failure | None:
    """Whether the new text is a wreck or another document, compared with the last good one.

    Careful to lose no true change: a text that was really shortened keeps sentences of the old one and passes; so does
    one that was rewritten at similar length under its title.
    """
    a, b = normalise(old.text), normalise(new.text)
    if len(a) < FOREIGN_LEAST:
        return None
    if len(a) < COLLAPSE_LEAST:
        undated = not new.published or new.published == dates.in_url(new.url or "")
        little = len(b) < COLLAPSE * len(a) and undated  # a few words in place of a text
        return _foreign(old, new, _shared(a, b)) if little or len(b) >= FOREIGN_LEAST else None
    if not b:
        return Failure("collapsed", f"no main text; the last good version had {len(a)} characters")
    shared = _shared(a, b)
    if len(b) < COLLAPSE * len(a) and shared < KEPT:
        return Failure("collapsed", f"main text fell from {len(a)} to {len(b)} characters")
    return _foreign(old, new, shared)


def _foreign(old: Document, new: Document, shared: float) -> Failure | None:
    if shared >= FOREIGN or _same_title(old, new):
        return None
    return Failure("wrong_document", f"nothing in common with the last good version; title: {new.title or '-'}")


def _is_plenty(document: Document | None) -> bool:
    """Whether so much main text was found that the page cannot be a notice: then nobody has to look for more."""
    return document is not None and document.kind == "article" and sum(map(len, document.paragraphs)) > 2 * LITTLE


def visible(html: str, most: int = READ) -> str:
    """What a reader without scripts would see, roughly: enough to tell a notice from a page. All of it, or a beginning
    of more than `most` characters: a page that says so much is no notice, whatever it says behind that."""
    pieces: list[str] = []
    size, enough = 0, most
    for piece in _outside(html[:READ]):
        if not piece or piece.isspace():
            continue
        pieces.append(piece)
        size += len(piece)
        if size > enough:
            if len(text := _seen(pieces)) > most:
                return text
            enough = 2 * size
    return _seen(pieces)


def _seen(pieces: Iterable[str]) -> str:
    return _LOOSE.sub("", _BLANKS.sub(" ", " ".join(pieces))).strip()


def _outside(html: str) -> Iterator[str]:
    """The text between tags, comments and scripts, in one walk."""
    at, closes = 0, dict(_CLOSES)
    while (start := html.find("<", at)) >= 0:
        end = _closed(html, start, closes) or html.find(">", start) + 1
        if not end:
            break
        yield html[at:start]
        at = end
    yield html[at:]


def _closed(html: str, start: int, closes: dict[str, re.Pattern[str]]) -> int:
    """Where the script or comment that begins at `start` has ended, 0 where none does. What does not end once is
    taken out of `closes`: it is not looked for again."""
    opened = _OPENS.match(html, start) if html[start + 1 : start + 2] in _OPENING else None
    name = opened[0][1:].lower() if opened else ""
    if opened is None or name not in closes:
        return 0
    if found := closes[name].search(html, opened.end()):
        return found.end()
    del closes[name]
    return 0


def _binary(fetch: Fetch) -> bool:
    kind = fetch.content_type
    return bool(_BINARY.match(fetch.body)) or (kind is not None and bool(kind.strip()) and not _TEXTUAL.search(kind))


def _status(status: int) -> str:
    return _STATUS.get(status, "http_5xx" if status >= 500 else "http_4xx")


def _blocked(status: int, html: str, text: str, page: Said, rules: TextRules) -> tuple[str, str] | None:
    """A challenge says nothing but scripts; a firewall says a sentence. An answer with such a status is no article."""
    if len(text) > LITTLE:
        return None
    alone = status >= 400 or beside(page, rules) < REST
    for pattern in rules.signs.get("markup", ()) if alone else ():
        if status in _CHALLENGE_STATUS and not page.asks_password and (found := pattern.search(html)):
            return "blocked_challenge", f"HTTP {status}, a page that only holds a challenge ({found[0][:40]})"
    if status in (412, 521):
        return "blocked_challenge", f"HTTP {status}: a browser check"
    if len(text) < NOTICE // 4 and len(_SCRIPT.findall(html)) and re.search(r"document\.cookie|eval\(|location", html):
        return "blocked_challenge", f"HTTP {status}, nothing but scripts that set a cookie or go elsewhere"
    if len(text) < NOTICE // 4 and (told := _without_script(html, rules)):
        return "blocked_challenge", f"HTTP {status}: {told}"
    if status >= 400 and status not in (404, 410, 429):
        return notices.find(page, rules, ("blocked_challenge", "blocked_waf"), alone=True)
    return None


def _without_script(html: str, rules: TextRules) -> str | None:
    """What a page without text says to readers without scripts: often only that a script has to run first."""
    told = " ".join(_NOSCRIPT.findall(html[:20_000]))
    return next((m[0] for p in rules.signs.get("blocked_challenge", ()) if (m := p.search(told))), None)


def _title(html: str) -> str:
    """What the first `<title>` of the source holds, or nothing where it never ends."""
    opened = _TITLE.search(html)
    begin = html.find(">", opened.end()) + 1 if opened else 0
    closed = _TITLE_CLOSES.search(html, begin) if begin else None
    return html[begin : closed.start()].strip() if closed else ""


def _empty_or_notice(text: str, page: Said, document: Document | None, rules: TextRules) -> tuple[str, str] | None:
    """Short pages only: a long article may well speak of maintenance and of pages that do not exist."""
    if not text and not page.title:
        return "empty", "no text at all"
    listed = document is not None and document.kind == "listing"
    if not _is_plenty(document) and not listed and (found := notices.find(page, rules)):
        return found
    if not text or document is None or document.kind == "empty":
        return "empty", "no main text" if text else "no text at all"
    left = text.removeprefix(page.title).strip()
    if any(pattern.fullmatch(left) for pattern in rules.signs.get("empty", ())):
        return "empty", f"only {left[:NOTICE]!r}: a script would bring the text (render: browser)"
    if document.kind in ("error", "blocked") and not page.dated:
        return "empty", next(iter(document.warnings), "no main text")
    if document.kind == "other" and not page.dated and (not page.headed or notices.speaks_to_visitor(page)):
        return "empty", f"no document, only a few words (selector: would read them): {left[:NOTICE]}"
    if document.kind == "article" and notices.is_word_to_visitor(page):
        return "empty", f"no document, only a word to the visitor (selector: would read it): {left[:NOTICE]}"
    return None


def _went_home(fetch: Fetch) -> bool:
    """Whether a request for a page ended at the front page of a site."""
    if not fetch.final_url or fetch.final_url == fetch.url:
        return False
    asked, got = urlsplit(fetch.url), urlsplit(fetch.final_url)
    return bool(_INDEX.match(got.path)) and not _INDEX.match(asked.path)


def _lossy(html: str, document: Document | None) -> tuple[str, str] | None:
    count = html.count("\ufffd")
    inside = document.text.count("\ufffd") if document is not None else 0
    if max(count, inside) >= LOSSY_LEAST and (
        count > LOSSY * len(html) or (document is not None and inside > LOSSY * max(1, len(document.text)))
    ):
        return "lossy_decode", f"{count} characters could not be read"
    return None


def _shared(old: str, new: str) -> float:
    """Share of the new text that stood in the old one: its runs of five characters. Order does not matter."""
    left, right = _runs_of(old), _runs_of(new)
    return len(left & right) / max(1, min(len(left), len(right)))


def _runs_of(text: str, size: int = 5) -> set[str]:
    return {text[k : k + size] for k in range(max(1, len(text) - size + 1))}


def _same_title(old: Document, new: Document) -> bool:
    a, b = normalise(old.title or ""), normalise(new.title or "")
    return bool(a and b) and (a in b or b in a or Indel.normalized_similarity(a, b) > 0.8)
