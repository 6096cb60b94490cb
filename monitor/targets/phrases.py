"""The words around a value: what names the thing measured, and what is only verb, adverb or bound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.targets.quantities import Quantity

_LONGEST = 120  # characters of a phrase that are looked at
STRONG = ",;:。！？!?\n\r"  # a part-sentence ends here
_HEAD = re.compile(
    r"(?:其中|包括|(?:是|为)(?=(?:19|20)\d\d年|上年|去年|“)|[一二三四五]年内?(?=实现|累计|再)|全面(?=完成)|如期|圆满|顺利|并且|并|且|而|但|同时|此外|另外|全年|今年|去年|明年|年内|今冬明春|当年|预计|预期|力争|争取|努力|确保|计划|有望|务必|将|要|已|拟|也|还|再|又|均|都|共|约|可(?!比)|仍|就|使|让|把|对|为|以|在|至|到(?!位)|及|与|和|或|、|"
    r"(?:19|20)\d\d年|\d{1,2}月[份底末]?|上半年|下半年|[一二三四]季度|累计|合计|总计|一是|二是|三是|四是|五是|六是|实现|完成|达到|达|比上年|比去年|较上年|较去年|同比|分别|按[^,。;]{2,16}?计算|按可比(?:价格?|口径)|(?:剔除|扣除|不含|考虑)[^,。;、]{2,14}?(?:因素|影响)?(?:后|因素)(?=同|可|按|增|下|,|$)|同口径|(?:年|\d{1,2}月|季度)?[底末]?之?前(?=达|完成|实现|开工|建成|新|再|$)|"
    r"[—\-●■◆▲★·•\s)】”]|[(（][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、|\d+[.、])+"
)
_TAIL = re.compile(
    r"(?:[↑↓▲▼]|平均|实际|名义|跃升|攀升|跃增|[、和及与的\s]|保持|比(?:19|20)\d\d年|[由从]\d[\d.,]*[一-龥%]{1,3}|达到?|达|为|是|有|共有|(?<![签节集])约|均|超过?|实现|完成|预计|力争|确保|控制在|稳定在|保持在|维持在|增长|增速|增幅|下降|降低|提高|提升|增加|减少|压缩|压减|缩减|回落|收窄|加快|放缓|升高|上升|上涨|涨幅|递增|改善|同比|年均|同口径|"
    r"(?:提高|提升|增加|增长|扩大|降低?|下降|上升|压减|压缩|减少|调整)(?:到|至|为|了)|按?可比(?:价格?|口径)(?:计算)?|分别|比上年|比去年|较上年|较去年|在|于|到|至|不|再|计划|争取|将|要|已|可|了|累计|共计|总计|合计|仅|只|占比?|从|由|以|近|高|低|突破|迈[上入]|[跨跃站登]上|跨越|首次|就|全年|年内|年度)+$"
)
_ONLY_FUNCTION = re.compile(
    r"(?:[一二三四五]年|实现|(?:预算|执行|完成|决算|快报|预计|调整|实际)数|实绩|基数|冲刺|涉及?|[冲奔朝]着|预期目标|主要目标|设定|确定|定|总数|总量|总额|规模|数量|占比|比重|目标|任务|增速|增幅|涨幅|力度|其中|大关|新?台阶|关口|[↑↓▲▼]|[两三四五]年平?|全[省市县区年国]|目前|现|累计|安排|计划|新|开工|竣工|正在|还有|又|再|增|入统|入库|已|个|的|自然口径|全口径|可比口径|可比|名义|实际|[比较]年初|[比较](?:19|20)\d\d年(?:[一二三四]季度|上半年|前三季度|同期)?|扣除(?:价格|物价)因素|[净年月]?增[加长收产]?了?|净增加?|减[少产收]|升高|上年|去年|同期|同口径|实际|率先|高于[^,。;]{0,8}|低于[^,。;]{0,8}|比[^,。;]{0,8}[高低]|较[^,。;]{0,8}|年度)*$"
)
_REACHES = re.compile(
    r"(?:达到?|为|占|在|增长|增速|增幅|下降|提高|提升|降低|比|超过?|率|比重|比例|占比|[到至]|力争|均|分别|左右|实现|完成|预计)\s*$"
)
_VERB = re.compile(
    r"(?:全力|大力|着力|积极|持续|继续|加快|稳步|深入|扎实|高标准|高质量|高水平|统筹|全面|精心|先后|成功|组织|重点|有序|共|再|新|陆续|科学|率先|接续|滚动|分批|打造|建设|新建|建成|改造|完成|实施|推进|推动|启动|开工|引进|引入|培育|开展|组建|认定|新增|"
    r"吸引|集聚|创建|争创|修建|扩建|改扩建|维修|维护|整修|发放|设立|提供|增加|举办|规划|谋划|储备|包装|投放|投用|投入|建立|落实|支持|指导|扶持|淘汰|拆除|清理|解决|办理|办好|做好|抓好|安排|整合|发展|盘活|争取|获批|出台|制定|成立|召开|策划|布局|遴选|承办|孵化|落地|签约|招引|招聘|选派|"
    r"创作|培训|转移|安置|资助|救助|惠及|覆盖|服务|改建|配建|配租|筹建|筹集|筹措|募集|帮助|带动|化解|压减|整治|修复|治理|恢复|栽植|新植|种植|推广|遍及|涉及|实行|对|为|与|给|向|有|达|等|及|和|将|了|已|在|全[省市县区国]|我[省市县区]|每年|[的、\s])+$"
)
_GROWTH = re.compile(
    r"(?:[↑↓▲▼]|增长率?|增速|增幅|增产|减产|提高|提升|涨幅|上涨|下降|降低|压缩|减少|精简|压减|缩短|回落|降幅|改善|上升|增加|递增|负增长|缩减|增收|增减?)(?:了|率?为|约为?|分别为?|预计|目标|达|达到|控制在|保持在?|稳定在?|均|超|由负转正|为|在|左右|约|\s)*$"
)
_LEVEL_TO = re.compile(r"(?:提高|提升|增加|增长|扩大|降低?|下降|上升|压减|压缩|减少|增|升|扩)(?:到|至|为)$")
_INCREASE = re.compile(
    r"新增|净增|增加(?!值)|扩充|增选|再增|新增加|增至|涨幅|增长|增速|增幅|提高|提升|上升|上涨|递增|倍增|高于|超出|再建|[比较][^,。;]{0,12}高$"
)
_DECREASE = re.compile(
    r"下降|降低|压缩|减少|精简|压减|缩短|回落|降幅|削减|缩减|改善|低于|[比较][^,。;]{0,12}低$|负增长|下调"
)
_ASIDE = re.compile(r"\s*\((?:力争|[^()]*\d)")
_NOUN = re.compile(r"\s*[一-龥“\"(A-Za-z4-5]")
_AGED = re.compile(r"^\s*\d{1,3}周?岁及?(?:以[上下])?的?(?=[一-龥])")  # 5000名65周岁以上老年人
_RIGHT_STOP = re.compile(
    r"\s*(?:去(?!年)|级?(?:规模|水平)(?=[,。;、]|$)|级台阶|年度|年计划|年目标|居|位居|高于|低于|增长|同比|比|占|下降|左右|以上|以内|投入使用|投用|投产|竣工|开工|建成|达产|交付|是|和|及|与|或|并|且|用于|来|给|由|在|将从|均|都|,|、|;|。|:|\)|」|至|到|全国第|全市第|的(?:控制|目标|任务|计划|预期|基础|增速|增幅|速度|水平|发展|控制线)|上下|创(?:历史|新高|下|造了|同期)|(?:新?台阶|大关|关口|门槛)|稳居|列全|位列|排名|指的|完成|同步|实现|有余|增加|超)"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Positions are offsets in the text."""

    clause: int  # start of the part-sentence
    left: int  # start of the words before the value that belong to it alone
    right: int  # end of the words after it
    words: str
    after: str
    listed: bool  # shares its part-sentence with a value before it


def surroundings(text: str, start: int, end: int, quantities: Sequence[Quantity], at: int) -> Surroundings:
    """The phrases around quantity `at` of a sentence `[start, end)`."""
    quantity = quantities[at]
    previous = quantities[at - 1].end if at else start
    following = quantities[at + 1].start if at + 1 < len(quantities) else end
    clause = max(max(text.rfind(c, start, quantity.start) for c in STRONG) + 1, start)
    left = max(clause, previous, quantity.start - _LONGEST)
    right = quantity.end
    following = min(following, right + _LONGEST)
    while right < following and text[right] not in STRONG + "、)":
        right += 1
    return Surroundings(clause, left, right, text[left : quantity.start], text[quantity.end : right], previous > clause)


def strip_words(words: str) -> str:
    """A phrase without leading adverbs and trailing verbs: 预计全年固定资产投资增长 → 固定资产投资."""
    for _ in range(4):
        shorter = _TAIL.sub("", words)
        head = _HEAD.match(shorter)
        shorter = shorter[head.end() :] if head else shorter
        if shorter == words:
            break
        words = shorter
    return words.strip(" 、")


def elided(words: str) -> bool:
    """Whether the words before a value name nothing: 同比增长, 其中, 总数达到."""
    return bool(_ONLY_FUNCTION.fullmatch(strip_words(words)))


def grows(words: str) -> bool:
    """Whether the value measures a growth: the last verb before it says so, and not 提高到."""
    tail = words[-14:].rstrip("约近超 “")
    return bool(_GROWTH.search(tail)) and not _LEVEL_TO.search(tail)


def direction_of(words: str) -> str:
    """increase, decrease or level, by the last such word before the value."""
    up = [m.start() for m in _INCREASE.finditer(words)]
    down = [m.start() for m in _DECREASE.finditer(words)]
    if not (up or down):
        return "level"
    return "decrease" if max(down, default=-1) > max(up, default=-1) else "increase"


def to_level(words: str) -> bool:
    """提高到, 增长至: the value is a level that is reached."""
    return bool(_LEVEL_TO.search(words.rstrip("约近超 “")))


def before_noun(around: Surroundings, family: str, *, known: bool) -> bool:
    """Whether the noun stands behind the value: 27条道路的维修改造. `known`: the words before it name an indicator."""
    after = around.after
    if _ASIDE.match(after):
        return False
    after = _AGED.sub("", after)
    if not after.strip() or _RIGHT_STOP.match(after) or not _NOUN.match(after):
        return False
    bare = not strip_words(_VERB.sub("", around.words)) or (around.listed and around.words.rstrip().endswith("、"))
    if family == "money":
        return (bare and not known) or (not known and not after.startswith("的"))
    if family == "percent":
        return not known and (bare or not _REACHES.search(around.words))
    return family in ("thing", "person", "household", "area", "length", "mass", "density", "power", "volume") and (
        bare or not known or around.words.rstrip().endswith("等")
    )


def verb_start(around: Surroundings, start: int) -> int:
    """Where a span begins that opens with the verb before a value: 完成, 新建."""
    match = _VERB.search(around.words)
    return start - len(match[0].lstrip("、的和及 ")) if match else start
