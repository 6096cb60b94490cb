"""What one list page or newspaper sheet names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model import Link

MOST = 5_000  # documents that one list page may name: each becomes a page that is fetched


@dataclass(frozen=True, slots=True)
class Found:
    """`documents` are to be followed; `entries` are further list pages or sheets of the same source, to be read too.

    `seen` counts the documents the page names before `match` and `backfill` chose among them: 0 with nothing else
    found means that this is not the page it was, unless it is `sound`: of the right form, and empty. `warnings` say
    what was left out.
    """

    documents: tuple[Link, ...] = ()
    entries: tuple[str, ...] = ()
    seen: int = 0
    warnings: tuple[str, ...] = ()
    sound: bool = False


def found(documents: Sequence[Link], entries: Sequence[str], *, seen: int, sound: bool = False) -> Found:
    """What a page names, with no more than MOST documents: lists begin with the newest, so the first are kept."""
    warnings = (f"list cut: {len(documents)} documents named, {MOST} followed",) if len(documents) > MOST else ()
    return Found(tuple(documents[:MOST]), tuple(entries), seen, warnings, sound)
