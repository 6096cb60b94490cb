"""Names of places that stand where an indicator would: 安河县提出增长12%, under 固定资产投资方面. Pure."""

from __future__ import annotations

import re

_VERBS = r"(?!新[建增改]|建[成设]|改[造建]|打造|创建|完成|实施|推进|启动|打通|[全我本各][省市县区]|城[镇乡市区])"
_KINDS = (
    r"(?:自治[区州县]|新区|开发区|[省县州旗]|(?<![城超门])市|"
    r"(?<![社园小景校片街牧林矿厂库灾山地郊])(?<![主心老县市]城)区|(?<!城)[镇乡])"
)
_NAME = rf"{_VERBS}[一-龥]{{1,8}}?{_KINDS}"
PLACE = re.compile(_NAME)
SAID_OF_PLACE = re.compile(
    rf"(?:{_NAME}[、和]?){{1,4}}"
    r"(?:[则也均都]|最[低高]|提出|明确|设定|确定|定为?|预期|计划|力争|确保|目标|增长|下降|达到?|突破|为|,)*"
)
