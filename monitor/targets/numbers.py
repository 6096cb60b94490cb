"""Reading one written number: Arabic, fullwidth, with thousands separators, in Chinese words, or mixed (3000余万).

The text is folded first, one code point for one, so that every offset stays what it was.
"""

from __future__ import annotations

import re

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "○": 0}
DIGITS |= {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")} | {
    "貳": 2,
    "參": 3,
    "陸": 6,
    "兩": 2,
    "弍": 2,
    "叄": 3,
    "俩": 2,
    "仨": 3,
}
SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
BIG = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000, "兆": 1_000_000_000_000}
MULTIPLIERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}

ARABIC = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
WORD_CHARS = "零〇一二两三四五六七八九十百千万亿"

# Fullwidth forms and the blanks of web pages, folded to their plain forms; the length never changes.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20, 0xFE6A: 0x25, 0x2236: 0x3A}
_ARABIC = re.compile(ARABIC)


def fold(text: str) -> str:
    """The text with fullwidth letters, digits and punctuation made plain, code point by code point."""
    return text.translate(_FOLD)


def arabic(token: str) -> float:
    """`6,800` as 6800.0."""
    return float(token.replace(",", ""))


def words(token: str) -> float | None:
    """A number in Chinese words (一千二百零三, 三点五, 二〇二一), or None where it is none."""
    token = token.replace("个", "") if token.startswith("个") else token
    sign = -1.0 if token[:1] in "负負" else 1.0
    token = token.lstrip("负負")
    whole, _, decimals = token.replace("點", "点").partition("点")
    if not whole and not decimals:
        return None
    value = _whole(whole) if whole else 0.0
    if value is None:
        return None
    if not decimals:
        return sign * value
    tail, scale = decimals, 1.0
    while tail and tail[-1] in BIG:
        scale *= BIG[tail[-1]]
        tail = tail[:-1]
    if not tail or any(c not in DIGITS for c in tail):
        return None
    fraction = sum(float(DIGITS[c]) / 10.0 ** (i + 1) for i, c in enumerate(tail))
    return round(sign * (value + fraction) * scale, 10)


def _whole(token: str) -> float | None:
    """The part before 点. A run of bare digits is read digit by digit (二〇二一)."""
    if all(c in DIGITS for c in token):
        return float("".join(str(DIGITS[c]) for c in token))
    total = section = 0.0
    digit: float | None = None
    last_scale = 1.0
    for char in token:
        if char in DIGITS:
            digit = DIGITS[char] if not digit else digit * 10 + DIGITS[char]
            if char in "零〇":
                last_scale = 1.0
        elif char in SCALES:
            section += (1 if digit is None or digit == 0 else digit) * SCALES[char]
            digit, last_scale = None, float(SCALES[char])
        elif char in BIG:
            section += digit or 0
            if section == 0 and total:
                total *= BIG[char]
            else:
                total = _join(total, section or 1, BIG[char])
            section, digit, last_scale = 0.0, None, float(BIG[char])
        else:
            return None
    if digit is not None:  # 一百二 is 120, 一千零二 is 1002
        section += digit * (last_scale / 10 if last_scale > 10 and digit < 10 else 1)
    return total + section


def _join(total: float, section: float, scale: int) -> float:
    """一万亿: what stands before a larger scale is multiplied with it; before a smaller one it is kept."""
    return (total + section) * scale if 0 < total < scale else total + section * scale


def read(token: str) -> float | None:
    """A number however it is written: 1.5, １２, 6,800, 3万, 一百二十, 1千5百."""
    token = fold(token).strip()
    sign = 1.0
    if token[:1] in "-负負":
        sign, token = -1.0, token[1:].strip()
    match = _ARABIC.match(token)
    if not match:
        value = words(token)
        return None if value is None else sign * value
    value = arabic(match[0])
    rest = token[match.end() :].strip()
    if not rest:
        return sign * value
    total, current = 0.0, value
    for piece in re.findall(rf"[{''.join(SCALES)}{''.join(BIG)}]+|{ARABIC}", rest):
        if piece[0].isdigit():
            total, current = total + current, arabic(piece)
        else:
            for char in piece:
                current *= SCALES.get(char) or BIG[char]
    return sign * round(total + current, 10)
