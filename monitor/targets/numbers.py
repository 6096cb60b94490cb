"""Reading one written number: Arabic, fullwidth, with thousands separators, in Chinese words, or mixed (3000余万).

The text is folded first, one code point for one, so that every offset stays what it was.
"""

from __future__ import annotations

import re

from monitor.targets.traditional import simplified

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
# Most characters fold to themselves: finding the others is eight times as fast as looking each up.
_FOLDED = re.compile(f"[{''.join(re.escape(chr(code)) for code in _FOLD)}]+")
_ARABIC = re.compile(ARABIC)
_WORDED_YEAR = re.compile(r"(?:二[〇零○]|一九)(?<![一二三四五六七八九〇零○].{2})[一二三四五六七八九〇零○]{2}(?=年)")
_YEAR_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")


def fold(text: str) -> str:
    """The text with fullwidth letters, digits and punctuation made plain, years in words (二〇二四年) and
    traditional characters too.

    Code point by code point: every offset stays what it was.
    """
    plain = _FOLDED.sub(lambda m: m[0].translate(_FOLD), simplified(text))
    return _WORDED_YEAR.sub(lambda m: m[0].translate(_YEAR_DIGITS), plain)


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


def read(written: str) -> float | None:
    """A number however it is written: 1.5, １２, 6,800, 3万, 一百二十, 3000余万, 五分之一, 1.2e3; or None.

    A word of roughness (余, 多, 几, 来) is read past: 十余万 is 100000. A dozen (打) is 12.
    """
    written = _LATIN.sub("", _ROUGH.sub("", re.sub(r"\s+", "", fold(written))))
    sign = 1.0
    while written[:1] in ("-", "负", "負"):
        sign, written = -sign, written[1:]
    value = _scientific(written)
    if value is None:
        value = _fraction(written) if "分之" in written else _plain(written)
    return None if value is None else sign * value


def percent(written: str) -> float | None:
    """A share in per cent: 5.5%, 百分之五, 千分之一, 三成半, 六个百分点."""
    written = re.sub(r"\s+", "", fold(written)).translate(_TRADITIONAL)
    if written == "对折":
        return 50.0
    match = _TENTHS.fullmatch(written)
    if match:
        return _tenths(match)
    if "分之" in written:
        value = _fraction(written)
        return None if value is None else round(value * 100, 10)
    return read(re.sub(r"(?:个?百分点|%|％)$", "", written))


_TRADITIONAL = str.maketrans("個點兩對", "个点两对")
_ROUGH = re.compile(r"(?<=[零一二两三四五六七八九十百千万亿\d壹貳贰])[余多几幾来]|个(?=[百千万亿])")
_LATIN = re.compile(r"(?<=\d)[kK]$")
_TENTHS = re.compile(rf"(?P<n>{ARABIC}|半|[{WORD_CHARS}点陆]+)(?P<unit>成|折)(?P<more>半|[一二三四五六七八九])?")
_SCIENTIFIC = re.compile(rf"(?P<n>{ARABIC}|\.\d+)[eE](?P<p>[-+]?\d{{1,3}})")
_PLAIN_DECIMAL = re.compile(r"\.\d+")
_DOZEN = 12.0


def _scientific(written: str) -> float | None:
    match = _SCIENTIFIC.fullmatch(written)
    if match:
        return arabic(match["n"]) * 10.0 ** int(match["p"])
    return float(written) if _PLAIN_DECIMAL.fullmatch(written) else None


def _fraction(written: str) -> float | None:
    """千分之五, 五分之一, 三又三分之一."""
    whole, _, part = written.rpartition("又")
    below, _, above = part.partition("分之")
    bottom, top = _plain(below), _plain(above)
    base = _plain(whole) if whole else 0.0
    if not bottom or top is None or base is None:
        return None
    return round(base + top / bottom, 12)


def _plain(written: str) -> float | None:
    """One number without a sign or a fraction."""
    if written == "半百":
        return 50.0
    if written.endswith("打"):
        dozens = _plain(written[:-1])
        return None if dozens is None else dozens * _DOZEN
    match = _ARABIC.match(written)
    if not match:
        return words(written)
    total, current = 0.0, arabic(match[0])
    for piece in re.findall(rf"[{''.join(SCALES)}{''.join(BIG)}]+|{ARABIC}", written[match.end() :]):
        if piece[0].isdigit():
            total, current = total + current, arabic(piece)
        else:
            for char in piece:
                current *= SCALES.get(char) or BIG[char]
    return round(total + current, 10)


def _tenths(match: re.Match[str]) -> float | None:
    """三成 is 30, 三成半 35, 八点五折 85, 三八折 38."""
    written, more = match["n"], match["more"]
    if written == "半":
        return 5.0 if match["unit"] == "成" else 50.0
    value = _plain(written)
    if value is None:
        return None
    if value > 10 and match["unit"] == "折":
        return value
    return value * 10 + (5.0 if more == "半" else float(DIGITS[more]) if more else 0.0)
