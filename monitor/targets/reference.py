"""What a relative target is measured against: 与经济增长同步, 高于全市平均水平. Pure."""

from __future__ import annotations

import re
import unicodedata

from monitor.model import Target

_NEARLY = re.compile(r"(?:基本|大体|大致|总体)(?:上)?(?:保持)?(?:同步|持平|一致|相当)")
_GROWTH = re.compile(r"(?:的?(?:增长|增速|增幅|速度|水平|同期|保持|实现|基本|大体|大致|总体|全面)|的)+")
_ECONOMY = re.compile(r"GDP|地区生产总值|国内生产总值|生产总值|经济总量|国民经济|经济社会发展")
_AGAINST = re.compile(r"(?:与|和|同|跟|不?高于|快于|不?低于|慢于|优于)([^,;。]{2,16}?)(?:同步|持平|一致|相当|相适应|$)")


def plain(text: str) -> str:
    """Halfwidth and without blanks."""
    return unicodedata.normalize("NFKC", text).replace(" ", "")


def comparator(item: Target) -> tuple[str, bool]:
    """How it is compared: (qualifier, only nearly). 同步 and 基本同步 are two things; 基本 elsewhere says nothing."""
    return item.qualifier, item.qualifier == "in_step" and bool(_NEARLY.search(plain(item.value_text or item.text)))


def reference(item: Target) -> str:
    """The other side of the comparison: `经济` for GDP however it is named, "" where none is named."""
    found = _AGAINST.search(plain(item.value_text)) or _AGAINST.search(plain(item.text))
    return _GROWTH.sub("", _ECONOMY.sub("经济", found[1])) if found else ""


def changed(before: Target, after: Target) -> bool:
    """Whether two relative targets are measured against different things; 全市 and 全市平均 are one."""
    one, other = reference(before), reference(after)
    return bool(one and other) and one not in other and other not in one
