"""What is remembered about hosts: holds, learned delays, robots.txt. Functions over one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, func, literal, or_, tuple_, update
from sqlmodel import Session, col, select

from storage import inserting
from storage.leases import LEASE
from storage.tables import HostRow


@dataclass(frozen=True, slots=True)
class Host:
    """One host. `delay` in seconds; `robots` is the text last received, `robots_status` its HTTP status."""

    host: str
    not_before: datetime | None = None
    reason: str | None = None
    delay: float | None = None
    robots: str | None = None
    robots_status: int | None = None
    robots_at: datetime | None = None


def _plain(row: HostRow) -> Host:
    return Host(row.host, row.not_before, row.reason, row.delay, row.robots, row.robots_status, row.robots_at)


def row(session: Session, host: str) -> HostRow:
    """The row of a host, made where there is none."""
    found = session.get(HostRow, host)
    if found is None:
        inserting.once(session, HostRow(host=host))
        found = session.get_one(HostRow, host)
    return found


def get(session: Session, host: str) -> Host | None:
    """What is known about one host."""
    found = session.get(HostRow, host)
    return _plain(found) if found else None


def some(session: Session, hosts: Sequence[str] | None) -> list[Host]:
    """What is known about these hosts, or about all."""
    query = select(HostRow).order_by(HostRow.host)
    if hosts is not None:
        query = query.where(col(HostRow.host).in_(list(hosts)))
    return [_plain(found) for found in session.exec(query)]


def slow_down(session: Session, host: str, delay: float | None) -> None:
    """Keep the delay that was learned, in seconds; None where it has eased away."""
    row(session, host).delay = delay


# One machine at a time is at a host. `rests_until` is when others may ask it again: the end of a lease while somebody
# is there, and afterwards of the gap. A lease is given only when the last one is over, so no two have the same end: it
# is the token of its holder. The server reckons: clocks of machines differ.


def _in(seconds: float) -> Any:
    return func.now() + literal(timedelta(seconds=seconds), Interval)


def claim(session: Session, host: str) -> datetime | None:
    """Be the one that asks this host; the token of the lease, None while it rests or another machine is there."""
    free = or_(col(HostRow.rests_until).is_(None), col(HostRow.rests_until) <= func.now())
    taken = update(HostRow).where(col(HostRow.host) == host, free).values(rests_until=_in(LEASE.total_seconds()))
    taken = taken.returning(col(HostRow.rests_until))
    token = session.connection().execute(taken).scalar()
    if token is None and inserting.once(session, HostRow(host=host)):
        token = session.connection().execute(taken).scalar()
    return token


def renew(session: Session, held: Mapping[str, datetime]) -> dict[str, datetime]:
    """These leases go on: the new tokens of those that are still ours."""
    ours = tuple_(col(HostRow.host), col(HostRow.rests_until)).in_(sorted(held.items()))
    locked = select(HostRow.host).where(ours).order_by(HostRow.host).with_for_update()  # nobody locks up
    mine = col(HostRow.host).in_(list(session.exec(locked)))
    renewed = update(HostRow).where(mine).values(rests_until=_in(LEASE.total_seconds()))
    found = session.connection().execute(renewed.returning(col(HostRow.host), col(HostRow.rests_until)))
    return {host: token for host, token in found if token is not None}


def leave(session: Session, host: str, token: datetime, gap: float) -> None:
    """A lease ends; others keep the gap, in seconds, that its holder would keep."""
    ours = (col(HostRow.host) == host, col(HostRow.rests_until) == token)
    session.connection().execute(update(HostRow).where(*ours).values(rests_until=_in(gap)))


def hold(session: Session, host: str, until: datetime, reason: str | None) -> None:
    """No request to this host before `until`; a longer hold that stands is not shortened."""
    held = row(session, host)
    if held.not_before is None or held.not_before < until:
        held.not_before, held.reason = until, reason


def set_back(session: Session, now: datetime, by: timedelta) -> None:
    """The clock was set back by so much: holds that run end as much earlier."""
    for held in session.exec(select(HostRow).where(col(HostRow.not_before) > now)):
        assert held.not_before is not None
        held.not_before -= by
