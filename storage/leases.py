"""Who is checking a page: a claim writes a token and its end, and what a check found is saved only under that token.

A checker that was paused or cut off from the database until its lease ended, and whose page was given to another one,
holds a token that is written nowhere any more: whatever it brings is not saved. Ends are those of the server's clock,
so that the clocks of the machines do not matter. Functions over one session with PostgreSQL: a SQLite file has one
checker, which holds the daemon's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, func, literal, or_, true, tuple_, update
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from storage.tables import PageRow

MOST = 1000  # pages in one statement
# a dead checker's pages are free after it: before its hosts are put back (cluster.STALLED), or whoever takes them finds
# nothing to read, and they stand at the end of the queue
LEASE = timedelta(seconds=10)
RENEWED = 2.5  # a living one says so every so many seconds
_ENDS = func.now() + literal(LEASE, Interval)


class LostError(StorageError):
    """Somebody else is checking this page by now: what was found is not saved."""


def several(session: Session) -> bool:
    """Whether others may check beside us."""
    return session.get_bind().dialect.name == "postgresql"


def free(session: Session) -> Any:
    """The condition on pages that nobody is checking: in a SQLite file all, its one checker holds the daemon's lock."""
    if not several(session):
        return true()
    return or_(col(PageRow.lease_until).is_(None), col(PageRow.lease_until) <= func.now())


def claim(session: Session, pages: Collection[int], token: str, due_by: datetime | None = None) -> list[int]:
    """Give these pages to the holder of a token; those that others are checking are left out, without waiting.

    With `due_by` also those that are not due by then: somebody has checked them in the meantime.
    """
    wanted = [col(PageRow.id).in_(list(pages)), free(session)]
    if due_by is not None:
        wanted.append(col(PageRow.next_due) <= due_by)
    query = select(PageRow.id).where(*wanted).order_by(col(PageRow.id)).with_for_update(skip_locked=True)
    claimed = [number for number in session.exec(query) if number is not None]
    mine = {"lease_id": token, "lease_until": _ENDS}
    session.connection().execute(update(PageRow).where(col(PageRow.id).in_(claimed)).values(mine))
    return claimed


def end(session: Session, page: int, token: str) -> None:
    """A page's check is saved in this transaction. Raises LostError where the page is not ours any more."""
    if not release(session, {page: token}):
        raise LostError(f"page {page} was given to another checker meanwhile; what was found is not saved")


def renew(session: Session, leases: Mapping[int, str]) -> None:
    """We are alive and still checking these."""
    _write(session, leases, {"lease_until": _ENDS})


def release(session: Session, leases: Mapping[int, str]) -> set[int]:
    """These are checked, or given up: which of them were still ours. Nobody else gets those before the transaction
    ends."""
    return _write(session, leases, {"lease_id": None, "lease_until": None})


def _write(session: Session, leases: Mapping[int, str], values: Mapping[str, Any]) -> set[int]:
    ours = set[int]()
    for some in _portions(leases):
        mine = tuple_(col(PageRow.id), col(PageRow.lease_id)).in_(some)
        if len(some) > 1:  # who writes many writes in one order: nobody locks up
            locked = select(PageRow.id).where(mine).order_by(col(PageRow.id)).with_for_update()
            mine = col(PageRow.id).in_(list(session.exec(locked)))
        written = update(PageRow).where(mine).values(values).returning(col(PageRow.id))
        ours |= {number for number in session.connection().execute(written).scalars() if number is not None}
    return ours


def _portions(leases: Mapping[int, str]) -> list[list[tuple[int, str]]]:
    pairs = sorted(leases.items())
    return [pairs[start : start + MOST] for start in range(0, len(pairs), MOST)]
