"""Which lines of a comparison are news. Pure; the words for them are those of the alerts room."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.model import Target, TargetChange

_WORKS = re.compile(
    r"项目|道路|街巷|管网|征收|拆除|拆迁|棚改|棚户|锅炉|公厕|停车|充电|幼儿园|危房|竣工|改造|维修|建设|首店|桥|泵站"
)


def recurring(item: Target) -> bool:
    """Whether its absence is news: an indicator that is stated every year, not a work that is done once."""
    if item.persistence == "one_off":
        return False
    if item.headline or item.kind in ("growth", "share", "relative", "change"):
        return True
    return bool(item.canonical) and not _WORKS.search(str(item.canonical))


def news(changes: Iterable[TargetChange]) -> tuple[TargetChange, ...]:
    """The lines that say something: not `unchanged`, and no work that is merely finished or begun."""
    return tuple(c for c in changes if c.change != "unchanged" and (c.recurring or c.change not in ("new", "dropped")))
