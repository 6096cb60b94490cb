"""What one list page or newspaper sheet names."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import Link


@dataclass(frozen=True, slots=True)
class Found:
    """`documents` are to be followed; `entries` are further list pages or sheets of the same source, to be read too.

    `seen` counts the documents the page names before `match` and `backfill` chose among them: 0 with nothing else
    found means that this is not the page it was.
    """

    documents: tuple[Link, ...] = ()
    entries: tuple[str, ...] = ()
    seen: int = 0
