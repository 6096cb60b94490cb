"""What only looks like a quantity: dates, slogans, names, ranks, thresholds, phone numbers.

More than half of all numbers in a government report are of that kind (research: 54 % in five texts).
"""

from __future__ import annotations

import re

_DASH = r"\s{0,2}[-—–―~至、到]{1,2}\s{0,2}"
# Units in Latin letters measure (45km, 120MW以上); a noun behind a size makes it a name (100MW光伏电站), as 兆瓦 does.
_LATIN_UNIT = r"(?:(?:km²?|m[²³]|TEU)(?![A-Za-z\d])|(?:[kKMG][Ww][hp]?|m)(?=以上|以内|以下|左右|[^一-龥A-Za-z\d²³/]|$))"
# A match can only begin with one of these: most positions of a text are refused at once.
_FIRST = r"(?=[\d“\"‘〈『「《\[【〔(前排位居列第连备户人每一二三四五六七八九〇零NXnA-Za-z])"
_KINDS = (
    r"[“\"‘〈『「][^“”\"‘’《》\n,。;]{0,20}[”\"’〉』」]|《[^《》\n]{0,60}》",  # quoted slogans and titles
    r"[\[【〔]\d{1,4}[\]】〕]",  # footnote marks
    r"\(\d{4}" + _DASH + r"\d{4}年?度?\)|(?:19|20)\d\d年?" + _DASH + r"(?:19|20)?\d\d年?度?",  # spans of plans
    r"(?:19|20)\d\d\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}(?:\s{1,3}\d{1,2}:\d\d(?::\d\d)?)?|\d{1,2}:\d\d(?::\d\d)?(?!\d)",
    r"(?:\d{2,4}|[一二三四五六七八九〇零]{4})\s?年(?:代|度)?(?:\d{1,2}\s?[-—–―~至、到]{1,2})?"
    r"(?:\d{1,2}月份?(?:底|末|初)?(?:\d{1,2}日)?)?",
    r"\d{1,2}月?" + _DASH + r"\d{1,2}\s?月份?|\d{1,2}月份?(?:\d{1,2}[-—–―~至、]{1,2})?(?:\d{1,2}日)?|\d{1,2}日(?!均)",
    r"(?<!\.)\d{1,6}[余多]?年(?:来|内|间|期|以上|左右|前|后|底|末|初)?",
    r"(?:前|排名|位居|位列|居|列)[^\d,。;]{0,8}\d{1,6}(?:[-—–~至]\d{1,6})?(?:位|名|强|批|届)",  # ranks
    r"第\s?[\d一二三四五六七八九十百]{1,8}(?:[-—–~]\d{1,6})?[^\d\s,。;:、]?",
    r"连续\s?[\d一二三四五六七八九十]{1,4}\s?(?:年|次|届|个)",  # streaks
    r"\d{1,6}(?:\s?\+\s?(?:\d{1,6}|[NXn]|[一-龥])){1,9}|[NXn]\s?\+\s?\d{1,6}",  # 1+2+5, 1+N
    r"[A-Za-z]{1,20}[-—]?\d{1,8}(?:\.\d+)?(?![\d.]*(?:[万亿]+元|%))[级号]?"
    r"|\d{1,8}(?:\.\d{1,8})?\s?(?!" + _LATIN_UNIT + r")[A-Za-z]{1,20}(?![/²])",  # G20, 5G, PM2.5
    r"\d{3,4}\s?-\s?\d{6,8}|(?<!\d)1\d{10}(?!\d)|\d{9,}(?:\.\d+)?(?![万亿元%])"
    r"|备案?号?:?[^,。;\s\d]{0,4}\d{5,}号?(?:-\d+)?",  # phone and licence numbers
    r"\d{1,6}\s?号(?:线|楼|院|文|令|机|门|桥|路)?(?:机组)?",
    r"\d{1,6}[余多]?\s?个?(?:分钟|小时|周|月|季度|工作日|日内|世纪|周年|时辰|课时)",
    r"\d{1,6}\s?(?:中学|小学|团|师|院|连|医院|平台|街区|国道|省道|高速)(?![所个])",
    r"(?<=[,;。、])\d{1,6}[余多]?次(?=[一-龥])|\d{1,3}办\d{1,3}组",
    r"\d{1,6}(?:大|方面|个方面|个维度|个环节|个一级|办|字|届|中全会|轮|级|线|强|室|厅|版|路|区)(?![所个])",
    r"\d{1,8}(?:\.\d{1,4})?(?:蒸吨|英寸|千伏|兆瓦|摄氏度|℃|度电)(?=[一-龥])",
    r"\d{1,8}(?:\.\d{1,4})?[百千万亿]{0,3}(?:吨级|千瓦级|平方米级|亿级|元级|人级)",
    r"(?:户均|人均|每[人户亩车平吨位名度])\s?\d{1,8}(?:\.\d{1,4})?(?=[一-龥]{1,8}(?:标准|补助|补贴))",
    r"\d{1,6}/\d{1,6}",
    r"\d{1,3}个(?:县|市|区|旗)\(",  # 7个县(市、区)
    r"\d{1,4}[项个](?:主要|重点|核心|约束性|预期性|经济|考核|监测|规划)*指标",  # how many aims, none of them
    r"每(?:提高|增加|增长|下降|降低|提升)\s?\d[\d.]*(?:个?百分点|%)?",  # 每提高1个百分点: a supposition
)
_MASKS = re.compile(_FIRST + "(?:" + "|".join(_KINDS) + ")")

_NAMES = re.compile(r"[一-龥“\d]")
_GOES_ON = re.compile(
    r"居|位居|高于|低于|增长|同比|比|占|下降|左右|为|是|和|及|与|或|并|且|其中|用于|来|给|由|在|将|均|都|已|实施|推进|启动|建设|开展|支持|推动|"
    r"完成|的?(?:控制|目标|任务|计划|预期|基础|增速|增幅|速度|水平|规模|要求)|全部|增至|达|提前|超|全国|全省|全市"
)
_CROWD = re.compile(r"的?(?:大?班额|企业|单位|学校|村|自然村|社区|活动|场所)")
_SIZED = re.compile(r"(?:收入|产值|营收|销售额?|纳税|税收|投资)(?:达到?|过|超过?|在)?$")
_BOUNDED = re.compile(r"[超过达破逾]")
_OF_FIRMS = re.compile(r"的[^,。;、]{0,14}企业|、[^,。;]{0,24}的[^,。;、]{0,10}(?:企业|项目)")
_CLUB = re.compile(  # 百亿元企业, 十万亿元省份: a class of things, not a sum
    r"(?:级)?[一-龥]{0,8}(?:企业|园区|省份|强[县区市]|城市|大县|镇|集群|品牌|俱乐部|产业链|项目)(?=[,;。、的\d达增新实]|$)"
)
_SUBSIDY = re.compile(r"(?:按|给予|最高|不超过|一次性|每[人户亩家个件台][^,。;]{0,4})[^,。;]{0,24}$")
_PAID = re.compile(
    r"(?:的?比例)?(?:给予|确定|进行|予以|执行|计[算提]|缴|兑付|兑现|发放|的?(?:资金)?(?:补助|补贴|奖励|奖补|扶持|资助|贴息|标准))"
)
_REWARD = re.compile(
    r"(?:一次性|给予|最高|每[人户亩家个件台][^,。;]{0,3})(?:奖励|补助|补贴|奖补|资助|扶持)(?:资金)?(?:最高|不超过|达)?$"
)
_CAPPED = re.compile(  # 单个项目最高不超过2000万元: what one of many may get
    r"(?:单个|单户|单家|单笔|同一|每[人户亩家个件台])[^,。;、\d]{0,10}(?:最高|最多|不超过|上限)[^,。;\d]{0,8}$"
)
_OF_PROJECTS = re.compile(r"的(?:[^,。;、]{0,12}项目|有?\d)")
_MOSTLY = re.compile(r"为主|户型")
_SIZE = re.compile(r"的?标准|级(?!规模|台阶|水平)|/(?!千?万?[人户亩吨年天])|[一-龥]{0,4}中(?:第|排名|排在|位列|列)")
_PLANT = re.compile(r"(?:/年)?[^,。;、\d]{1,9}(?:装置|机组|电站|储能|生产线|煤矿|储罐|炼化|船|核电|风电场|锅炉)")


def mask(text: str) -> str:
    """The folded text with everything blanked that holds numbers but no quantity; the length stays."""
    return _MASKS.sub(lambda m: "\0" * len(m[0]), text)


def threshold(text: str, start: int, end: int, family: str) -> bool:
    """Whether a value only sizes the things that are counted or named (5000万元以上重大项目, 300平方米标准)."""
    rest = text[end : end + 40]
    if text[end - 3 : end] in ("及以上", "及以下") or (family in ("area", "percent") and _MOSTLY.match(rest)):
        return True
    if family in ("money", "area", "power") and text[end - 2 : end] in ("以上", "以下", "以内") and _NAMES.match(rest):
        return not _GOES_ON.match(rest)
    if family == "person" and text[end - 2 : end] in ("以上", "以下", "以内") and _CROWD.match(rest):
        return True
    if family in ("money", "percent") and _subsidy(text, start, rest):
        return True
    if family == "money" and _sized(text, start, rest):
        return True
    if family in ("mass", "power", "volume") and _PLANT.match(rest):
        return True
    return family != "percent" and bool(_SIZE.match(rest))


def _sized(text: str, start: int, rest: str) -> bool:
    """Firms and projects of a size: 过百亿元农产品加工企业, 产值过亿元的企业, 投资超10亿元的8个."""
    if _CLUB.match(rest) and not _GOES_ON.match(rest):
        return True
    if _SIZED.search(text, max(0, start - 12), start) and _OF_FIRMS.match(rest):
        return True
    return bool(_BOUNDED.search(text, max(0, start - 1), start + 1) and _OF_PROJECTS.match(rest))


def _subsidy(text: str, start: int, rest: str) -> bool:
    """What is paid for each: 按设备投资额的10%给予补助, 一次性奖励100万元."""
    if _SUBSIDY.search(text, max(0, start - 30), start) and _PAID.match(rest):
        return True
    # The quantity begins with its own bound: 不超过2000万元.
    return bool(_REWARD.search(text, max(0, start - 24), start) or _CAPPED.search(text, max(0, start - 24), start + 3))
