"""Dates as Chinese pages write them, read as YYYY-MM-DD."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

_NUMBERS = {"〇": "0", "零": "0", "○": "0", "Ｏ": "0", **{c: str(i) for i, c in enumerate("一二三四五六七八九", 1)}}
_DAY = r"(?:19|20)\d{2}\s*(?:[-－–—/.．∕⁄]|年)\s*\d{1,2}\s*(?:[-－–—/.．∕⁄]|月)\s*\d{1,2}(?!\d)(?:\s*日)?"
_HAN_DAY = (
    r"[一二][〇零○Ｏ九][〇零○Ｏ一二三四五六七八九]{2}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日"
)
DATE = re.compile(f"{_DAY}|{_HAN_DAY}|(?<!\\d)(?:19|20)\\d{{2}}(?:0[1-9]|1[0-2])(?:[0-2]\\d|3[01])(?!\\d)")
_SPLIT = re.compile(r"(?<!\S)(\d{1,2})日?[^\S\n]*\n\s*((?:19|20)\d{2})\s*[-年/.]\s*(\d{1,2})月?(?!\S)")
_PARTS = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})")
_ENGLISH = re.compile(
    r"(\d{1,2})\s+(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?,?\s+((?:19|20)\d{2})", re.IGNORECASE
)
# A time of something else: of the letter that is answered, of an event, of a term.
_OTHER = (
    "来信|写信|去信|提交|报名|截止|截至|开标|投标|受理|施行|实施|生效|废止|会议|活动|开始|结束|起始|终止|到期|举报|投诉|"
    "咨询|征集|公示"
)
_WIDE_DIGIT = re.compile("[０-９]")
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_IN_URL = (
    re.compile(r"[/_]t?((?:19|20)\d{2})(\d{2})(\d{2})[_/.]"),
    re.compile(r"/((?:19|20)\d{2})[-/](\d{1,2})[-/](\d{1,2})/"),
    re.compile(r"/((?:19|20)\d{2})(\d{2})/(\d{2})/"),
    re.compile(r"/((?:19|20)\d{2})/(\d{2})(\d{2})/"),
)


def every(text: str) -> list[str]:
    """All dates in `text`: in order those written the Chinese way, then `26 Jan 2022`."""
    return list(_each(_narrow(text)))


def first(text: str) -> str | None:
    """The first date in `text`."""
    return next(_each(_narrow(text)), None)


def _each(text: str) -> Iterator[str]:
    for found in DATE.finditer(text):
        if day := _iso(found[0]):
            yield day
    for found in _ENGLISH.finditer(text):
        if day := _valid(found[3], str(1 + _MONTHS.index(found[2][:3].lower())), found[1]):
            yield day


def _narrow(text: str) -> str:
    """With digits of full width as others."""
    return text.translate(_WIDE) if _WIDE_DIGIT.search(text) else text


def labelled(text: str, labels: Sequence[str]) -> str | None:
    """The date behind one of these words; of several, the word that stands first in `labels`."""
    if not any(label in text for label in labels):  # a tenth of the time of the expression, and mostly so
        return None
    text = _narrow(text)
    best: tuple[int, str] | None = None
    for found in _behind(tuple(labels)).finditer(text):
        day = _iso(found[2])
        rank = labels.index(found[1])
        if day and (best is None or rank < best[0]):
            best = rank, day
    return best[1] if best else None


@lru_cache(maxsize=8)
def _behind(labels: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!{_OTHER})({'|'.join(labels)})\s*[：:∶(（【】\[\]]*\s*({DATE.pattern})")


def split(text: str) -> str | None:
    """A day set in a box of its own above its month: `21` / `2024年02月`, `21` / `2024-02`."""
    found = _SPLIT.search(text)
    return _valid(found[2], found[3], found[1]) if found else None


def in_url(url: str) -> str | None:
    """The day that an address carries: t20240611_, /202406/11/, /2024/6/19/."""
    for pattern in _IN_URL:
        if (found := pattern.search(url)) and (day := _valid(*found.groups())):
            return day
    return None


def _iso(text: str) -> str | None:
    text = unicodedata.normalize("NFKC", text)
    if re.fullmatch(r"\d{8}", text):
        return _valid(text[:4], text[4:6], text[6:])
    if not text[0].isdigit():
        text = _han(text)
    found = _PARTS.search(text)
    return _valid(*found.groups()) if found else None


def _han(text: str) -> str:
    """二〇二四年十一月二十日 -> 2024年11月20日."""
    year, rest = text.split("年", 1)
    return "".join(_NUMBERS.get(c, "") for c in year) + "年" + re.sub("[一二三四五六七八九十]+", _tens, rest)


def _tens(found: re.Match[str]) -> str:
    if "十" not in found[0]:
        return _NUMBERS[found[0][0]]
    high, low = found[0].split("十", 1)
    return str(10 * int(_NUMBERS.get(high, "1")) + int(_NUMBERS.get(low, "0")))


def _valid(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
