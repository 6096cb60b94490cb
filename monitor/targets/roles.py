"""Promise or result, and how firmly it is said.

Read part-sentence by part-sentence; the section decides where words do not, the tone of the passage where none does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.model import Role

_MOOD_FORWARD = re.compile(
    r"加快|着力|努力|推进(?!了)|不断|积极|全力|进一步|打造|将(?![军来])|力争|争取|坚持|持续|加强|完善|健全|深化|强化|大力|聚焦|推动|实施"
)
_MOOD_PAST = re.compile(
    r"了(?=[一-龥])|已|成功|荣获|获批|获评|圆满|实现了|成为|显著|成效|全面完成|顺利|稳居|有效|据统计|同比|相继|先后|率先"
)
_FIRM_FUTURE = re.compile(
    r"明年|下一步|今后|未来|年内|计划(?=增长|达到|完成|新|建)|目标(?:是|为)|要(?=突破|达到?|实现|超过|增长)|力争"
)
_FIRM_PAST = re.compile(
    r"(?<![由从比较与])去年(?![^,。;\d]{0,8}基础上)|(?<!以)上年(?!增|同|度)|过去(?:的)?[一五]年|已(?!经?开工建设的|建成的)|截至|截止|目前|累计完成|上半年已"
)
_TURN = re.compile(r"(?:下半年|下一步|下阶段|接下来|今后|未来|明年)[^。;]{0,8}?(?:将|要|力争|确保|继续|计划)")
_DONE = re.compile(r"已(?!经?(?:开工建设|建成|签约)的|建成?的)[^,。;、]{0,16}$")
_TOLD = re.compile(
    r"[^,。;:\d]{0,12}(?:会议|报告|方案|规划|通知|意见|全会|大会)(?:还|同时)?(?:明确|提出|要求|强调|确定|部署|决定)"
)
_DIRECTED = re.compile(r"会议(?:要求|强调)|(?:要|必须)(?:紧盯|锚定|围绕|瞄准|对标)|(?:确保|力争)(?:完成)?全年|为确保")
_CONTRAST = re.compile(r"[,;]\s*(?:而)?(?:今年|明年|下一步)")
_COUNTED = re.compile(r"初步核算|经核算|据统计|统计公报|据介绍|数据显示|上年末|年末全")
_PAST_PLAN = re.compile(r"(?:年初|原)(?:计划|预算|确定|安排)|去年(?:计划|安排)|计划确定的")


class Judge:
    """The compiled cues of one vocabulary."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.future = re.compile(rules.get("future", {}).get("clause", r"(?!)"))
        self.past = re.compile(rules.get("past", {}).get("clause", r"(?!)"))
        forces = {word: key for key, found in rules.get("strength", {}).items() for word in found}
        self.forces = forces
        self.force = re.compile("|".join(sorted(map(re.escape, forces), key=len, reverse=True)) or r"(?!)")

    def role(self, section: Role | None, before: str, after: str, past: bool | None, mood: float) -> tuple[Role, str]:
        """The role and why. `before` and `after` are the rest of the sentence; `past` is what its time phrase says."""
        clause = _last_part(before)
        if _PAST_PLAN.search(clause):
            return "actual", "past plan"
        if section == "actual":
            if _TURN.search(before) or (past is False and _FIRM_FUTURE.search(clause)):
                return "target", "future words in a review"
            if past is not True and _DIRECTED.search(clause):
                return "target", "directive in a review"
            return "actual", "section"
        if past is True:
            return "actual", "past period"
        if section == "target":
            return self._planned(clause)
        if not self._last(clause):  # 下半年确保完成全年目标:…; 报告明确,甲…;乙…
            told = _TOLD.match(before)
            lead = before.rpartition(";")[2].rpartition(":")[0] or (before.partition(":")[0] if ":" in before else "")
            clause = f"{told[0] if told else lead}:{clause}"
        return self._unmarked(clause, after, past, mood)

    def reports(self, before: str) -> bool:
        """Whether the words of a part-sentence itself say that it tells results: 截至目前,已…"""
        return self._last(_last_part(before)) == "past"

    def _planned(self, clause: str) -> tuple[Role, str]:
        if self._last(clause) == "past" and _FIRM_PAST.search(clause):
            return "actual", "past words among plans"
        return "target", "section"

    def _unmarked(self, clause: str, after: str, past: bool | None, mood: float) -> tuple[Role, str]:
        """Newspapers and digests: the words of the part-sentence, then the tone of the passage."""
        if _DONE.search(clause):
            return "actual", "past words"
        cue = self._last(clause)
        if cue == "future" or past is False:
            return "target", "future words"
        if cue == "past" or (cue is None and _CONTRAST.search(after)):
            return "actual", "past words"
        return ("target", "forward-looking passage") if mood > 0 else ("actual", "reporting passage")

    def _last(self, clause: str) -> str | None:
        """The nearest cue before the value wins."""
        future = max((m.start() for m in self.future.finditer(clause)), default=-1)
        past = max((m.start() for m in self.past.finditer(clause)), default=-1)
        if future < 0 and past < 0:
            return None
        return "future" if future > past else "past"

    def strength(self, words: str) -> str | None:
        """The last word of force in a phrase: strive ensure expect plan."""
        found = [m for m in self.force.finditer(words) if not _OTHER_WORD.match(words, m.end())]
        return self.forces[found[-1][0]] if found else None


def _last_part(before: str) -> str:
    """What stands behind the last semicolon or colon."""
    return before[max(before.rfind(";"), before.rfind(":")) + 1 :]


# 计划生育, 计划单列市, 计划内, 预期寿命 and 计划的 are no force.
_OTHER_WORD = re.compile(r"的|单列|生育|执行|内|外|寿命")

_IMPERATIVE = re.compile(
    r"(?:[一-龥]{0,3}(?:推进|加快|构建|打造|加强|完善|提升|强化|深化|坚持|促进|发展|建设|扩大|保障|聚焦|着力|优化|推动|做好|抓好|健全|实施|统筹|落实|增强|培育|创造|改善|规划|拓展|提高|突出|狠抓|全力|传承|树牢|守住))"
)
_PREDICATE = re.compile(
    r"(?:改善|提升|加强|增强|加快|推进|显著|成效|突破|优化|深化|完善|提高|见效|有力|明显|向好|加速|巩固|释放|凸显|丰硕|夯实|升级|跃升|壮大|扎实|迈进|活力|强劲|加固|改观|成果|进展|平稳|稳定)$"
)


def heading_mood(heading: str) -> float:
    """Plans are headed by commands (加快构建…体系), reviews by statements (民生福祉持续改善)."""
    plain = heading.strip("。:, ")
    if _IMPERATIVE.match(plain):
        return 6.0
    return -8.0 if _PREDICATE.search(plain) else 0.0


def mood(text: str) -> float:
    """How much a passage without marked sections looks ahead (above 0) or reports (below)."""
    return len(_MOOD_FORWARD.findall(text)) - 2.0 * len(_MOOD_PAST.findall(text)) - 12.0 * len(_COUNTED.findall(text))


_ASKS_AHEAD = re.compile(
    r"打算|举措|实招|[新打招]法|新招|计划|部署|安排|下一步|今后|未来|目标|如何|怎么(?!样)|怎样|将|着力|发力|考虑|能|会(?!议)"
)
_ASKS_BACK = re.compile(
    r"取得|成绩|成效|成果|亮点|进展|回顾|做了哪些|过去|去年|完成得|[发进运]展得|怎么样|情况如何|运行情况|有哪些变化"
)


def question(sentence: str, *, past: bool = False) -> float:
    """1 for a question about plans, -1 for one about results or a `past` time, 0 for neither and for no question."""
    if not sentence.rstrip('”"』」 )').endswith("?"):
        return 0.0
    ahead, back = len(_ASKS_AHEAD.findall(sentence)), len(_ASKS_BACK.findall(sentence)) + 2 * past
    return 0.0 if ahead == back else 1.0 if ahead > back else -1.0
