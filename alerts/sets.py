"""Built-in answers to "what should I be told?": two words of a subscription's `on` that part all changes between them.

`instant-default` is what somebody would want to be woken for, `weekly-default` the rest of what is worth reading.
Counters, dates set anew, the same text in another layout and a repost in another column are in neither.
"""

from __future__ import annotations

from monitor.model import Change, TargetChange

INSTANT = "instant-default"
WEEKLY = "weekly-default"
_STRONG = frozenset({"softened", "hardened"})


def of(change: Change) -> str | None:
    """The set that a change belongs to; None: neither."""
    if change.kind == "cosmetic" or _copied(change):
        return None
    return INSTANT if _urgent(change) else WEEKLY


def _copied(change: Change) -> bool:
    """A repost: every number of it stands in the document that it copies."""
    if change.copy_of is not None:
        return change.kind == "new"
    return change.kind == "new" and bool(change.targets) and all(t.relation == "copy" for t in change.targets)


def _urgent(change: Change) -> bool:
    if change.kind in ("removed", "attachment"):  # a report is gone, or its attachment was swapped
        return True
    promises = [t for t in change.targets if _is_promise(t)]
    if change.kind == "new":  # the next report of a series, or a newspaper that gives another number
        return any("differs" in t.flags or t.relation == "next_release" for t in promises) and (
            change.compared_with is not None
        )
    return any(t.change in ("raised", "lowered", "new", "dropped") or _STRONG & set(t.flags) for t in promises)


def _is_promise(line: TargetChange) -> bool:
    side = line.after or line.before
    return side is not None and side.role == "target"
