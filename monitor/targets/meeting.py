"""When, at which meeting and by whom a document was delivered: its subtitle, byline and opening. Pure.

——2021年12月28日在云岭区第九届人民代表大会第一次会议上
云岭区人民政府代区长  林 远
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COUNT = "[一二三四五六七八九十百零〇○0-9]{1,5}"
_DATE = re.compile(r"((?:19|20)\d\d)年(\d{1,2})月(\d{1,2})日")
_ASSEMBLY = re.compile(rf"(?:第?{_COUNT}届)?(?:人民代表大会|党代表大会|代表大会|人大|委员会)")
_NAME = re.compile(
    rf"第({_COUNT})届\s*((?:人民代表大会|人大)(?:常务委员会|常委会)?|政协|委员会)\s*第?({_COUNT})次(?:全体)?(?:会议|全会)"
    rf"|((?:人大|政协)?)({_COUNT})届(?:人大|政协)?({_COUNT})次会议"
)
HEAD = 4000  # characters in which a delivery is told
_FAR = 60  # characters between the date of a subtitle and the assembly it names

_OFFICE = r"(?:省长|市长|州长|盟长|区长|县长|旗长|镇长|乡长|主席)"
_ACTING = r"代理?"
_PERSON = r"[一-鿿·]{1,4}(?:[ \u3000]{1,3}[一-鿿·]{1,3})?"
_EDGE = r"[ \t\u3000—\-–:：(（)）]{0,12}"  # blanks are bounded: a text of line breaks only must not be tried n² times
# 云岭区人民政府代区长 林 远: an office, and nothing behind the name.
_BYLINE = re.compile(
    rf"^{_EDGE}(?:[一-鿿]{{0,24}}?(?:人民政府|政府))?\s{{0,4}}[省市州盟区县旗]?({_ACTING})?({_OFFICE})"
    rf"\s{{0,4}}[:：]?\s{{0,4}}({_PERSON}){_EDGE}$",
    re.M,
)
# 林 远(代区长), in the order that some print
_TURNED = re.compile(
    rf"^{_EDGE}({_PERSON})[ \t\u3000]{{0,4}}[(（]\s{{0,4}}(?:[一-鿿]{{0,12}}?)({_ACTING})?({_OFFICE})\s{{0,4}}[)）]"
    rf"{_EDGE}$",
    re.M,
)
# In running text: 区长林远作政府工作报告, 代市长林远代表市人民政府
_TOLD = re.compile(
    rf"({_ACTING})?({_OFFICE})([一-鿿·]{{2,4}}?)(?:同志)?(?=(?:代表|作|向大会|向会议|在会上|受|做)[^。；\n]{{0,24}}?(?:报告|人民政府|政府))"
)
_NOT_PERSON = re.compile(r"^(?:关于|报告|工作|政府|主持|会议|讲话|代表|各位|同志|办公|负责|信箱|热线|致辞)")


@dataclass(frozen=True, slots=True)
class Delivery:
    """`day` is ISO; `meeting` is the assembly's name without its place (第九届人民代表大会第一次会议)."""

    day: str | None = None
    meeting: str | None = None
    assembly: str = ""  # the words between date and meeting, which name the place
    speaker: str | None = None
    acting: bool = False


def delivery(head: str) -> Delivery:
    """What the first lines of a document say of its delivery. `head` is halfwidth, dates in digits."""
    head = head[:HEAD]
    name = _meeting(head)
    day, assembly = _day(head)
    speaker, acting = _speaker(head)
    return Delivery(day, name, assembly, speaker, acting)


def _day(head: str) -> tuple[str | None, str]:
    """The date that stands with the assembly: before it, on its line or the one above."""
    for found in _DATE.finditer(head):
        behind = head[found.end() : found.end() + _FAR + 20]
        assembly = _ASSEMBLY.search(behind)
        between = behind[: assembly.start()] if assembly else ""
        if assembly is None or len(between) > _FAR or re.search(r"[。;；]", between) or _DATE.search(between):
            continue
        month, day = int(found[2]), int(found[3])
        if 1 <= month <= 12 and 1 <= day <= 31:
            return f"{found[1]}-{month:02d}-{day:02d}", re.sub(r"^[\s,，()（）]*[在于]?\s*", "", between)
    return None, ""


def _meeting(head: str) -> str | None:
    found = _NAME.search(re.sub(r"[ \t\u3000\n]", "", head))
    if found is None:
        return None
    if found[1]:
        body = {"人大": "人民代表大会", "委员会": "委员会"}.get(found[2], found[2])
        return f"第{found[1]}届{body}第{found[3]}次会议"
    return f"第{found[5]}届人民代表大会第{found[6]}次会议"


def _speaker(head: str) -> tuple[str | None, bool]:
    """The name without blanks, and whether 代区长."""
    for pattern, name, acting in ((_BYLINE, 3, 1), (_TURNED, 1, 2), (_TOLD, 3, 1)):
        for found in pattern.finditer(head):
            person = re.sub(r"\s", "", found[name])
            if 2 <= len(person) <= 5 and not _NOT_PERSON.match(person):
                return person, bool(found[acting])
    return None, False
