"""Text whose lines were broken at a width (by a PDF, an e-mail, a terminal): its sentences made whole. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace

from monitor.model import Target

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_NARROW, _WIDE = 40, 140  # columns of a page or a terminal; a Chinese character takes two
_RAGGED = 5  # columns by which lines differ: punctuation may not open one, a number is not parted
_FULL = 3  # so many full lines, and most of those without a stop, make a text that is broken at a width
_LONG = 12  # lines of a sentence
_STOP = "。！？!?：:；;…”』」）)》】"
_OPENS = re.compile(  # what begins with a mark or a blank is a line of its own
    r"\s|[●■◆▲★·•—\-【（(《]|\d{1,2}[.、．)]|[一二三四五六七八九十]{1,3}[、.．是要]|第[一二三四五六七八九十\d]+[章节条部]"
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A text without the line breaks inside its sentences, and the way back to the text as given."""

    text: str
    at: tuple[int, ...] = ()  # places in `text`, in order, before which something was left out
    gone: tuple[int, ...] = ()  # how many characters up to there

    def origin(self, position: int) -> int:
        """Where a character of `text` stands in the text as given."""
        index = bisect_right(self.at, position)
        return position + (self.gone[index - 1] if index else 0)

    def back(self, item: Target, given: str) -> Target:
        """A reading of `text` in the offsets and the words of the text as given."""
        start, end = self.origin(item.start), self.origin(item.end - 1) + 1
        vstart, vend = self.origin(item.vstart), self.origin(item.vend - 1) + 1
        first, last = self.origin(item.sent_start), self.origin(item.sent_end - 1) + 1
        return replace(
            item,
            start=start, end=end, text=given[start:end], vstart=vstart, vend=vend, value_text=given[vstart:vend],
            sent_start=first, sent_end=last, sentence=given[first:last].strip(),
        )  # fmt: skip


def whole(text: str) -> Whole:
    """The text with its sentences in one piece; as given where its lines are not broken at a width."""
    lines = [m for m in _LINE.finditer(text) if m[0]]
    widths = [_width(m[1]) for m in lines]
    full = _usual(lines, widths)
    if full is None:
        return Whole(text)
    pieces: list[str] = []
    at: list[int] = []
    gone: list[int] = []
    length = lost = 0
    for index, line in enumerate(lines):
        goes_on = index + 1 < len(lines) and _goes_on(line[1], lines[index + 1][1], widths[index], full)
        pieces.append(line[1] if goes_on else line[0])
        length += len(pieces[-1])
        if goes_on:
            lost += len(line[2])
            at.append(length)
            gone.append(lost)
    return Whole("".join(pieces), tuple(at), tuple(gone))


def _width(line: str) -> int:
    """Columns of a line; one that is longer than any page counts as that."""
    return 2 * len(line) - sum(map(str.isascii, line)) if len(line) <= _WIDE else 2 * _WIDE


def _usual(lines: list[re.Match[str]], widths: list[int]) -> int | None:
    """The width that lines are broken at: most that end without a stop end there, and none goes further."""
    if any(w > _WIDE for w in widths):
        return None
    ends = [w for m, w in zip(lines, widths, strict=True) if m[1] and m[1][-1] not in _STOP and "\t" not in m[1]]
    full = max(ends, default=0) - _RAGGED
    broken = sum(w >= full for w in ends)
    if full < _NARROW - _RAGGED or broken < max(_FULL, 0.6 * sum(w >= _NARROW / 2 for w in ends)):
        return None
    inside = sum("。" in m[1].rstrip("。") for m in lines)  # sentences end anywhere; in a list only lines do
    return full if inside * _LONG >= broken else None


def _goes_on(line: str, following: str, width: int, full: int) -> bool:
    if width < full or not following or line[-1] in _STOP or "\t" in line + following:
        return False
    if line[-1].isascii() and line[-1].isalpha() and following[0].isascii():
        return False  # words of another script are parted by the break
    return not _OPENS.match(following)
