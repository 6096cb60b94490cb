"""The cheap half of a check: what has to be known before a page is fetched, and what an unchanged one leaves behind.

Nine checks in ten find nothing new. For them the text of the last version is neither read nor verified, and many are
read or written at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, case, exists, update
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from monitor.model import Document, Known, Outcome, Record, Version
from storage import rows
from storage.database import MOST_NAMED
from storage.tables import PageRow, SourceRow, Time, VersionRow

_OTHER = aliased(VersionRow)
_GLANCE: Any = (
    sql_select(
        PageRow.__table__,  # type: ignore[attr-defined]
        col(VersionRow.at).label("version_at"),
        col(VersionRow.sha256).label("text_sha256"),
        col(VersionRow.fingerprint),
        col(VersionRow.raw_sha256).label("body_sha256"),
        col(VersionRow.replacements),
        exists().where(col(_OTHER.page) == col(PageRow.id), col(_OTHER.id) != col(PageRow.version)).label("edited"),
    )
    .outerjoin(VersionRow, col(VersionRow.id) == col(PageRow.version))
    .where(col(PageRow.id).in_(bindparam("pages", expanding=True)))
)


def glance(session: Session, pages: Collection[int]) -> dict[int, Known]:
    """The past of these pages without texts: enough to ask conditionally and to see that nothing changed.

    `last` has its hashes and an empty document; neighbours and earlier versions are not looked at. A check that finds
    anything but the same text needs `versions.load`.
    """
    found = session.connection().execute(_GLANCE, {"pages": list(pages)})
    return {row.id: Known(rows.page(row), last=_last(row), edited=row.edited) for row in found}


def _last(row: Any) -> Version | None:
    if row.text_sha256 is None:
        return None
    return Version(
        id=f"v{row.version}",
        source=row.source,
        url=row.url,
        at=row.version_at,
        document=Document(replacements=row.replacements),
        release=None,
        record=Record(),
        sha256=row.text_sha256,
        fingerprint=row.fingerprint,
        raw_sha256=row.body_sha256,
    )


_STATE = (
    "last_checked", "last_good", "etag", "last_modified", "raw_sha256", "since_full", "failing_since", "consecutive",
    "gone_count", "gone_since", "removed", "rules", "moved_to", "moved_times",
)  # fmt: skip
_WRITE_PAGE = (
    update(PageRow).where(col(PageRow.id) == bindparam("this_page")).values({col(PageRow.checks): PageRow.checks + 1})
)

_RESTS = col(PageRow.resumes).is_not(None)  # its source was put to rest while it was read: no time is due then
_DUE = bindparam("due", type_=Time())
_WRITE_DUE = _WRITE_PAGE.values(
    {
        col(PageRow.next_due): case((_RESTS, None), else_=_DUE),
        col(PageRow.resumes): case((_RESTS, _DUE), else_=None),
    }
)


def write(session: Session, outcomes: Iterable[Outcome]) -> None:
    """Write into each page what its outcome says about reading it: its counters are the rules' business, not ours."""
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    for outcome in outcomes:
        if values := _values(outcome):
            alike.setdefault(frozenset(values), []).append(values | {"this_page": outcome.page.id})
    for group in alike.values():
        written = session.connection().execute(_WRITE_DUE if "due" in group[0] else _WRITE_PAGE, group)
        if written.rowcount not in (len(group), -1):  # a driver may not count what it wrote in one go
            raise StorageError(f"no page {' or '.join(str(v['this_page']) for v in group)}")


def _values(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = {} if outcome.next_due is None else {"due": outcome.next_due}
    if outcome.result == "skipped" and outcome.fetch is not None:  # read once, and not followed
        values["due"] = None
    if outcome.fetch is not None or outcome.result != "skipped":
        values |= {name: getattr(outcome.page, name) for name in _STATE}
        values["last_checked"] = outcome.page.last_checked or outcome.at
        failure = outcome.page.failure
        parts = (failure.error, failure.detail, failure.status) if failure else (None, None, None)
        values |= dict(zip(("error", "detail", "status"), parts, strict=True))
    return values


def past_first(session: Session, keys: Collection[str]) -> set[str]:
    """Those of these sources whose first complete pass is over."""
    over = set[str]()
    wanted = sorted(keys)
    for start in range(0, len(wanted), MOST_NAMED):
        some = wanted[start : start + MOST_NAMED]
        query = select(SourceRow.key).where(col(SourceRow.key).in_(some), col(SourceRow.baseline_done_at).is_not(None))
        over |= set(session.exec(query))
    return over
