"""What is remembered about hosts: holds, learned delays, robots.txt. Functions over one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Interval, func, literal
from sqlmodel import Session, col, select

from storage import inserting
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


def rest(session: Session, host: str, seconds: float) -> None:
    """No machine asks this host in the next seconds: the gap that the one that asked it last would keep."""
    until = func.now() + literal(timedelta(seconds=seconds), Interval)  # the server reckons
    row(session, host).rests_until = until  # type: ignore[assignment]


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
