"""The numbers that Word writes before paragraphs by itself: 一、 （一） 1. - they are not in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.attachments.package import Element, Package, attribute, local

_PLACE = re.compile(r"%([1-9])")
_DIGITS = "〇一二三四五六七八九"
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is written: `text` with %1 … %9 for the numbers of the levels."""

    form: str
    text: str
    start: int


@dataclass(slots=True)
class Numbering:
    """Counts as paragraphs go by."""

    lists: Mapping[str, tuple[str, Mapping[int, Level]]] = field(default_factory=dict)  # numId -> (list, levels)
    styles: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # style -> (numId, level)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, package: Package, main: str) -> Numbering:
        """What the parts beside the document say."""
        folder = main.rpartition("/")[0]
        numbering, styles = f"{folder}/numbering.xml", f"{folder}/styles.xml"
        lists = _lists(package.xml(numbering)) if numbering in package else {}
        return cls(lists, _styles(package.xml(styles)) if lists and styles in package else {})

    def label(self, paragraph: Element) -> str:
        """The number before this paragraph, and the count goes on; nothing for bullets."""
        place = _place(paragraph, self.styles)
        if place is None or place[0] not in self.lists:
            return ""
        name, levels = self.lists[place[0]]
        level = levels.get(place[1])
        if level is None:
            return ""
        counts = self._counts.setdefault(name, {})
        counts[place[1]] = counts.get(place[1], level.start - 1) + 1
        for deeper in [n for n in counts if n > place[1]]:
            del counts[deeper]
        if level.form in ("bullet", "none"):
            return ""

        def shown(found: re.Match[str]) -> str:
            number = int(found[1]) - 1
            other = levels.get(number, level)
            return written(counts.get(number, other.start), other.form)

        return _PLACE.sub(shown, level.text)


def written(number: int, form: str) -> str:
    """A number in one of Word's forms."""
    if "hinese" in form or "japanese" in form or form.startswith("ideograph"):
        return chinese(number)
    if form == "decimalEnclosedCircle" and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (number - 1) % 26)
        return letter if form == "lowerLetter" else letter.upper()
    if form in ("lowerRoman", "upperRoman"):
        return roman(number) if form == "lowerRoman" else roman(number).upper()
    return str(number)


def chinese(number: int) -> str:
    """1 to 999 in Chinese, others in digits: 十二, 一百零三."""
    if not 0 < number < 1000:
        return str(number)
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")


def roman(number: int) -> str:
    """1 to 39 in lower case, others in digits."""
    if not 0 < number < 40:
        return str(number)
    text = ""
    for value, sign in _ROMAN:
        while number >= value:
            text, number = text + sign, number - value
    return text


def _place(paragraph: Element, styles: Mapping[str, tuple[str, int]]) -> tuple[str, int] | None:
    """(numId, level) of a paragraph, its own or its style's; numId 0 turns numbering off."""
    properties = next((x for x in paragraph if local(x) == "pPr"), None)
    if properties is None:
        return None
    style = next((attribute(x, "val") for x in properties if local(x) == "pStyle"), None)
    base = styles.get(style or "")
    own = _numbered(properties)
    if own is None:
        return base
    number, level = own
    if number is None:
        return (base[0], level or 0) if base else None
    return None if number == "0" else (number, level or 0)


def _numbered(properties: Element) -> tuple[str | None, int | None] | None:
    for part in properties:
        if local(part) == "numPr":
            found = {local(x): attribute(x, "val") for x in part}
            level = found.get("ilvl")
            return found.get("numId"), int(level) if level and level.isdigit() else None
    return None


def _styles(root: Element) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for style in root:
        properties = next((x for x in style if local(x) == "pPr"), None)
        name = attribute(style, "styleId")
        if properties is not None and name and (own := _numbered(properties)) and own[0]:
            found[name] = own[0], own[1] or 0
    return found


def _lists(root: Element) -> dict[str, tuple[str, Mapping[int, Level]]]:
    abstract: dict[str, dict[int, Level]] = {}
    for part in root:
        if local(part) == "abstractNum":
            abstract[attribute(part, "abstractNumId") or ""] = dict(_levels(part))
    found: dict[str, tuple[str, Mapping[int, Level]]] = {}
    for part in root:
        if local(part) == "num":
            which = next((attribute(x, "val") or "" for x in part if local(x) == "abstractNumId"), "")
            restarted = any(local(x) == "lvlOverride" for x in part)
            number = attribute(part, "numId") or ""
            found[number] = (f"num {number}" if restarted else which), abstract.get(which, {})
    return found


def _levels(part: Element) -> list[tuple[int, Level]]:
    out = []
    for level in part:
        place = attribute(level, "ilvl")
        if local(level) != "lvl" or place is None or not place.isdigit():
            continue
        said = {local(x): attribute(x, "val") or "" for x in level}
        start = said.get("start", "1")
        first = int(start) if start.isdigit() else 1
        out.append((int(place), Level(said.get("numFmt", "decimal"), said.get("lvlText", ""), first)))
    return out
