"""Lines that are no text: cut at both ends only, because inside an article 来源, 附件 or 主办单位 are content."""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.model import TextRules

OPENING = 8  # lines among which the first sentence has to come
CUT_MOST = 400  # lines that are cut at one end
TAIL_HEADING = (
    24  # characters of a line behind which nothing of the article stands: the editor, a heading over comments
)
REST = 0.5  # share of the text before it that may stand behind it and be cut
BEHIND_TITLE = 0.6  # share of the text that has to stand behind its title
HEADLINE = 60  # characters of a headline below it
COPY_SHARE = 0.3  # of the text that a repeated run has to fill to be a print or mobile copy
COPY_LEAST = 40  # characters of such a run
COPY_TRIES = 20_000  # lines compared in search of copies: a table of equal rows must not cost seconds

ABOVE_TITLE = 2  # short lines that may stand above a title that source and date follow
TITLE_LINES = 3  # lines that a title may be set in
NAME = 30  # characters of the name of a body

_READERS = re.compile("评论|跟帖|留言|点评")  # readers write as much as they like
_NUMBER = re.compile(r"[〔\[【(（]\d{4}[〕\]】)）]")  # of a document: 云政发〔2026〕3号
_STOP = re.compile("[。！？；，：]")
_NAMED = re.compile("^(?:文件|信息|公文|文章)?(?:标题|名称|题名)[：:]?")  # of a table of the document's properties
_BARS = re.compile(r"[\s|｜]+")


def is_chrome(line: str, rules: TextRules) -> bool:
    """Whether the line is something that templates print around articles, whole or piece by piece.

    Pieces are cut at blanks and bars: `发布时间：… 来源：… 字体：大 中 小`.
    """
    if _matches(line, rules.chrome_lines):
        return True
    pieces = [p for p in _BARS.split(line) if p]
    return len(pieces) > 1 and len(line) <= 200 and all(_matches(p, rules.chrome_lines) for p in pieces)


def is_head(line: str, rules: TextRules) -> bool:
    """Whether the line stands before a text and is not of it: chrome, a property of the document, a day by itself."""
    pieces = [p for p in _BARS.split(line) if p]
    return (
        is_chrome(line, rules)
        or _matches(line, rules.head_lines)
        or (len(line) <= 200 and all(_matches(p, rules.chrome_lines) or _matches(p, rules.head_lines) for p in pieces))
    )


def is_foot(line: str, rules: TextRules) -> bool:
    """Whether the line could be the foot of a site or the end of an article: an address, a telephone number."""
    if _matches(line, rules.foot_lines):
        return True
    pieces = [p for p in _BARS.split(line) if p]
    return len(line) <= 240 and all(_matches(p, rules.foot_lines) or _matches(p, rules.chrome_lines) for p in pieces)


def _matches(line: str, lines: re.Pattern[str]) -> bool:
    bare = "".join(line.split())
    return not bare or (len(bare) <= 240 and lines.fullmatch(bare) is not None)


def ends(
    paragraphs: Sequence[str], rules: TextRules, title: str | None = None
) -> tuple[list[str], list[str], list[str]]:
    """(cut before, kept, cut after). The title goes with the lines before it when chrome follows it."""
    name = "".join((title or "").split())
    stop = _tail(paragraphs, rules)
    start = _headed(paragraphs[:stop], name, rules) if name else 0
    most = min(stop, CUT_MOST)
    while start < most:
        line = paragraphs[start]
        is_title = bool(name) and _NAMED.sub("", "".join(line.split())) == name
        follows = start + 1 < stop and is_head(paragraphs[start + 1], rules)
        if not is_head(line, rules) and not (is_title and follows):
            break
        start += 1
    foot = stop  # lines from here on are cut as soon as chrome is found above them
    least = max(start, foot - CUT_MOST)
    while foot > least and (is_chrome(paragraphs[foot - 1], rules) or is_foot(paragraphs[foot - 1], rules)):
        foot -= 1
        if is_chrome(paragraphs[foot], rules):
            stop = foot
    before, kept = list(paragraphs[:start]), list(paragraphs[start:stop])
    opening = _opening(kept)
    before += [line for line in kept[:opening] if is_head(line, rules)]
    kept = [line for line in kept[:opening] if not is_head(line, rules)] + kept[opening:]
    return before, kept, list(paragraphs[stop:])


def _headed(paragraphs: Sequence[str], name: str, rules: TextRules) -> int:
    """How many lines end with the title where the source and the date follow it: who publishes may stand above, and
    what is the document's own stands below."""
    lines = ["".join(line.split()) for line in paragraphs[: ABOVE_TITLE + TITLE_LINES]]
    for start, line in enumerate(lines[: ABOVE_TITLE + 1]):
        for stop in range(start + 1, start + TITLE_LINES + 1):
            if "".join(lines[start:stop]) == name and stop < len(paragraphs):
                follows = is_chrome if start else is_head  # a day by itself may stand in the head of a document
                return stop if follows(paragraphs[stop], rules) else 0
        if len(line) > NAME or _STOP.search(line) or _NUMBER.search(line):
            return 0
    return 0


def at_title(paragraphs: Sequence[str], title: str) -> int:
    """The last line that is the title and has most of the text behind it; -1 where there is none."""
    name, whole = "".join(title.split()), sum(map(len, paragraphs))
    seen, found = 0, -1
    for k, line in enumerate(paragraphs):
        if seen > (1 - BEHIND_TITLE) * whole:
            break
        if len(line) <= 2 * len(title) and "".join(line.split()) == name:
            found = k
        seen += len(line)
    return found


def _tail(paragraphs: Sequence[str], rules: TextRules) -> int:
    """Where the comments of readers or a list of other headlines begin; only behind the larger part of the text."""
    whole, seen = sum(map(len, paragraphs)), 0
    for k, line in enumerate(paragraphs):
        if 2 * seen > whole and len(line) <= TAIL_HEADING and rules.tail_lines.fullmatch(line):
            rest = [later for later in paragraphs[k + 1 :] if not (is_chrome(later, rules) or is_foot(later, rules))]
            little = sum(map(len, rest)) < REST * seen or _READERS.search(line)
            if little or not any("。" in later or len(later) > HEADLINE for later in rest):
                return k
        seen += len(line)
    return len(paragraphs)


def _opening(paragraphs: Sequence[str]) -> int:
    """How many lines stand before the first sentence: subtitles, between which the source and the date may stand."""
    for k, line in enumerate(paragraphs[:OPENING]):
        if len(line) > 60 or line.endswith(("。", "：", ":", "；")) or "。" in line:
            return k
    return 0


def without_copies(paragraphs: Sequence[str]) -> tuple[list[str], int]:
    """One copy of a text that stands there twice (print, mobile, share), and how many characters went."""
    least = COPY_SHARE * sum(map(len, paragraphs))
    first: dict[str, int] = {}
    kept: list[str] = []
    gone = at = tried = 0
    while at < len(paragraphs):
        line = paragraphs[at]
        run = _run(paragraphs, first[line], at) if line in first and tried < COPY_TRIES else 0
        tried += run
        size = sum(map(len, paragraphs[at : at + run]))
        if run and size > max(least, COPY_LEAST):
            gone, at = gone + size, at + run
            continue
        first.setdefault(line, at)
        kept.append(line)
        at += 1
    return kept, gone


def _run(paragraphs: Sequence[str], earlier: int, later: int) -> int:
    """How many lines from `later` on repeat those from `earlier` on."""
    run = 0
    while (
        later + run < len(paragraphs) and earlier + run < later and paragraphs[earlier + run] == paragraphs[later + run]
    ):
        run += 1
    return run
