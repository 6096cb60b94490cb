"""Lines that are no text: cut at both ends only, because inside an article 来源, 附件 or 主办单位 are content."""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.model import TextRules

OPENING = 8  # lines among which the first sentence has to come
COPY_SHARE = 0.3  # of the text that a repeated run has to fill to be a print or mobile copy
COPY_LINE = 16  # characters from which a line can start such a run

_BLANKS = re.compile(r"\s+")


def is_chrome(line: str, rules: TextRules) -> bool:
    """Whether the whole line is something that templates print around articles."""
    bare = _BLANKS.sub("", line)
    return not bare or (len(bare) <= 240 and rules.chrome_lines.fullmatch(bare) is not None)


def pieces_are_chrome(line: str, rules: TextRules) -> bool:
    """Whether each blank- or bar-separated piece of the line is chrome: `发布时间：… 来源：… 字体：大 中 小`."""
    pieces = [p for p in re.split(r"[\s|｜]+", line) if p]
    return len(pieces) > 1 and len(line) <= 200 and all(is_chrome(p, rules) for p in pieces)


def ends(
    paragraphs: Sequence[str], rules: TextRules, title: str | None = None
) -> tuple[list[str], list[str], list[str]]:
    """(cut before, kept, cut after). The title goes with the lines before it when chrome follows it."""
    start, stop = 0, len(paragraphs)

    def chrome(line: str) -> bool:
        return is_chrome(line, rules) or pieces_are_chrome(line, rules)

    name = _BLANKS.sub("", title or "")
    while start < stop:
        line = paragraphs[start]
        is_title = bool(name) and _BLANKS.sub("", line) == name
        if chrome(line) or (is_title and start + 1 < stop and chrome(paragraphs[start + 1])):
            start += 1
        else:
            break
    while stop > start and chrome(paragraphs[stop - 1]):
        stop -= 1
    before, kept = list(paragraphs[:start]), list(paragraphs[start:stop])
    opening = _opening(kept)
    before += [line for line in kept[:opening] if chrome(line)]
    return before, [line for line in kept[:opening] if not chrome(line)] + kept[opening:], list(paragraphs[stop:])


def _opening(paragraphs: Sequence[str]) -> int:
    """How many lines stand before the first sentence: subtitles, between which the source and the date may stand."""
    for k, line in enumerate(paragraphs[:OPENING]):
        if len(line) > 60 or line.endswith(("。", "：", ":", "；")) or "。" in line:
            return k
    return 0


def without_copies(paragraphs: Sequence[str]) -> tuple[list[str], int]:
    """One copy of a text that stands there twice (print, mobile, share), and how many characters went."""
    first: dict[str, int] = {}
    whole = sum(map(len, paragraphs))
    kept: list[str] = []
    gone, at = 0, 0
    while at < len(paragraphs):
        line = paragraphs[at]
        run = _run(paragraphs, first[line], at) if len(line) >= COPY_LINE and line in first else 0
        size = sum(map(len, paragraphs[at : at + run]))
        if run and size > COPY_SHARE * whole:
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
