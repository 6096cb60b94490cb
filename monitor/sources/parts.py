"""An article on several pages: where its other pages are, and how they become one document again.

Only pages of the same article count: addresses that differ from its own by a page number (t20240118_123_1.html,
123-2.htm, ?page=2) and that its pager names or its script writes. The next article has another address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from monitor.model import Document
from monitor.sources import links, turning

MOST = 50  # pages of one article

_SCRIPTED = re.compile("create[pP]age(?:HTML|Html|html)")
# read over every page that is fetched: it looks right behind tags only, and re.IGNORECASE would cost ten times as much
_HINT = re.compile(r">\s*+(?:[^\w<>]|&[#\w]{1,7};){0,20}+(?:最?[下后]一?[页頁]|余下|继续阅读|未完待续|[nN](?:ext|EXT))")
_PAGER = re.compile(
    r"\W*(?:第?\s*\d{1,2}\s*页?|下一?[页頁]|后一?页|尾页|末页|最后一?页|余下(?:全文|内容)|继续阅读|未完待续|next(?:\s*page)?)\W*",
    re.IGNORECASE,
)
_NAME = re.compile(r"^(.+?)(\.(?:s?html?|jhtml|jsp|aspx?|php))?$", re.IGNORECASE)
_PAGE_QUERY = re.compile(r"[?&](?:page|pageno|pageindex|p|pn|cpage)=(\d{1,2})(?=&|$)", re.IGNORECASE)
_CREATE_PAGE = re.compile(
    r"createPageHTML\s*\(\s*(\d{1,3})\s*,\s*\d{1,3}\s*,\s*[\"']([\w.-]{1,200})[\"']\s*,\s*[\"'](\w{3,6})[\"']",
    re.IGNORECASE,
)
_PARTED = re.compile(rb"\n<!--mubiao: page [0-9]{1,3} of the article, ([^\s<>]{1,4000})-->\n")


def following(url: str, html: str) -> dict[str, int]:
    """The further pages of the article at `url` that this page names: address -> its place, which only orders them."""
    if not _HINT.search(html) and not _SCRIPTED.search(html):
        return {}
    numbers: dict[str, int] = {}
    tree = LexborHTMLParser(html[: links.READ])
    base = links.base_address(tree, url)
    own = _number(url, url) or 0
    for node in tree.css("a[href]")[: links.ANCHORS]:
        label = node.text(deep=True).strip()[:20]
        if not _PAGER.fullmatch(label):
            continue
        target = links.resolve(base, node.attributes.get("href"))
        number = _number(target, url) if target else None
        if target is not None and number is not None and target != url:
            told = re.fullmatch(r"\W*第?\s*(\d{1,2})\s*页?\W*", label)
            numbers.setdefault(target, 2 * int(told[1]) if told else 2 * number + 1)
    for number, target in _written(url, html):
        numbers.setdefault(target, 2 * (number + 1))
    first = 2 * own if own else 3
    wanted = sorted((u for u, n in numbers.items() if n >= first and n > 2), key=lambda u: numbers[u])
    return {u: numbers[u] for u in wanted[: MOST - 1]}


def _number(target: str, url: str) -> int | None:
    """The page number by which `target` differs from the article's address; None where it differs otherwise."""
    one, other = urlsplit(target), urlsplit(url)
    if one.netloc != other.netloc:
        return None
    if one.path == other.path:
        found = _PAGE_QUERY.search("?" + one.query)
        rest, own = (_PAGE_QUERY.sub("", "?" + parts.query).lstrip("?&") for parts in (one, other))
        return int(found[1]) if found and rest == own else None
    if one.query != other.query:
        return None
    mine, theirs = _NAME.match(other.path), _NAME.match(one.path)
    if mine is None or theirs is None or (mine[2] or "").lower() != (theirs[2] or "").lower():
        return None
    found = re.fullmatch(rf"{re.escape(_stem(mine[1]))}[_-](\d{{1,2}})", theirs[1])
    return int(found[1]) if found else None


def _stem(path: str) -> str:
    """The address without a page number of its own: page 2 links page 3. A day or an article's number is longer."""
    found = re.fullmatch(r"(.*\d{4,}\w*)[_-]\d{1,2}", path)
    return found[1] if found else path


def _written(url: str, html: str) -> Iterator[tuple[int, str]]:
    """The pages that TRS writes by script: createPageHTML(3, 0, "t20240118_123", "html") -> …_1.html, …_2.html."""
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    for total, stem, ending in _CREATE_PAGE.findall(html):
        if f"{stem}.{ending}" == name:
            for n in range(1, min(int(total), MOST)):
                yield n, urljoin(url, f"{stem}_{n}.{ending}")


def joined(documents: Sequence[Document]) -> Document:
    """One document of all pages; one that repeats an earlier one (the first page under its number) counts once."""
    first, seen = documents[0], set[tuple[str, ...]]()
    paragraphs: list[str] = []
    for document in documents:
        if document.paragraphs not in seen:
            seen.add(document.paragraphs)
            ends = {"first": document is first, "last": document is documents[-1]}
            own = turning.without_hints(document.paragraphs, **ends)
            paragraphs += own[1:] if paragraphs and own and own[0] == first.title else own
    files = {file.url: file for document in documents for file in document.attachments}
    return replace(
        first,
        paragraphs=tuple(paragraphs),
        attachments=tuple(files.values()),
        replacements=sum(document.replacements for document in documents),
        parts=len(documents),
        explain=(*first.explain, f"joined: {len(documents)} pages of one article"),
    )


def pack(bodies: Sequence[tuple[str, bytes]]) -> bytes:
    """The bodies of all pages as one, with a comment that names each further one. `unpack` takes them apart."""
    packed = [bodies[0][1]]
    for number, (url, body) in enumerate(bodies[1:], 2):
        packed.append(f"\n<!--mubiao: page {number} of the article, {url}-->\n".encode() + body)
    return b"".join(packed)


def unpack(url: str, body: bytes) -> list[tuple[str, bytes]]:
    """(address, body) of every page."""
    pieces = _PARTED.split(body)
    named = zip(pieces[1::2], pieces[2::2], strict=True)
    return [(url, pieces[0]), *((name.decode("utf-8", "replace"), piece) for name, piece in named)]
