"""Alerts owed, and every attempt to send them. Functions over one session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from monitor.model import Alert, Delivery
from storage import rows
from storage.tables import AlertRow, DeliveryRow


def enqueue(session: Session, alerts: Iterable[Alert], now: datetime) -> int:
    """Add alerts whose key is not there yet; returns how many were new."""
    new = 0
    for alert in alerts:
        if session.exec(select(AlertRow.id).where(col(AlertRow.key) == alert.key)).first() is None:
            session.add(rows.alert_row(alert, now))
            session.flush()
            new += 1
    return new


def _is_due(now: datetime, channel: str | None = None) -> tuple[Any, ...]:
    """What is to be sent now. Alerts that wait for a digest are not."""
    due = (col(AlertRow.state) == "pending", col(AlertRow.next_at) <= now, col(AlertRow.digest).is_(None))
    return due if channel is None else (*due, col(AlertRow.channel) == channel)


def channels(session: Session, now: datetime) -> list[str]:
    """The channels that have something to send now, in the order of their names."""
    return sorted(session.exec(select(AlertRow.channel).where(*_is_due(now)).distinct()))


def due(session: Session, now: datetime, limit: int, channel: str | None = None) -> list[AlertRow]:
    """Alerts to send now, of one channel or of all, oldest first."""
    query = select(AlertRow).where(*_is_due(now, channel))
    return list(session.exec(query.order_by(col(AlertRow.next_at), col(AlertRow.id)).limit(limit)))


def claim(session: Session, now: datetime, limit: int, lease_seconds: float, channel: str | None = None) -> list[Alert]:
    """Alerts to send now. Whoever dies with them loses them again when the lease ends."""
    claimed = due(session, now, limit, channel)
    out = [rows.alert(row) for row in claimed]
    for row in claimed:
        row.next_at = now + timedelta(seconds=lease_seconds)
        session.add(row)
    return out


def record(session: Session, delivery: Delivery, next_at: datetime | None) -> None:
    """An attempt and what follows: sent, tried again at `next_at`, or dead without one."""
    row = session.get_one(AlertRow, delivery.alert)
    session.add(DeliveryRow(alert=row.id, at=delivery.at, ok=delivery.ok, error=delivery.error))
    row.attempts += 1
    row.error = delivery.error
    row.reached = list(delivery.reached) or row.reached
    if delivery.ok:
        row.state, row.sent_at, row.next_at = "sent", delivery.at, None
    elif delivery.permanent or next_at is None:
        row.state, row.next_at = "dead", None
    else:
        row.next_at = next_at
    session.add(row)
    for part in session.exec(select(AlertRow).where(col(AlertRow.folded_into) == row.id)):
        part.state, part.sent_at, part.error = row.state, row.sent_at, row.error
        session.add(part)


def retry(session: Session, ids: Sequence[str] | None, now: datetime) -> int:
    """Make these alerts due now, or every dead one and every one that failed before; returns how many."""
    query = select(AlertRow).where(col(AlertRow.folded_into).is_(None), col(AlertRow.digest).is_(None))
    if ids is not None:
        query = query.where(col(AlertRow.id).in_(list(ids)), col(AlertRow.state) != "sent")
    else:
        query = query.where(
            (col(AlertRow.state) == "dead") | ((col(AlertRow.state) == "pending") & (col(AlertRow.attempts) > 0))
        )
    again = session.exec(query).all()
    for row in again:
        row.state, row.next_at = "pending", now
        session.add(row)
    return len(again)


def waiting(session: Session, channel: str, cron: str) -> list[Alert]:
    """What a digest of this channel would hold, oldest first."""
    query = select(AlertRow).where(
        col(AlertRow.state) == "pending",
        col(AlertRow.channel) == channel,
        col(AlertRow.digest) == cron,
        col(AlertRow.folded_into).is_(None),
    )
    return [rows.alert(row) for row in session.exec(query.order_by(col(AlertRow.created), col(AlertRow.id)))]


def groups(session: Session) -> list[tuple[str, str]]:
    """Every channel and cron for which something waits."""
    query = select(AlertRow.channel, AlertRow.digest).where(
        col(AlertRow.state) == "pending", col(AlertRow.digest).is_not(None), col(AlertRow.folded_into).is_(None)
    )
    return sorted({(channel, cron) for channel, cron in session.exec(query) if cron is not None})


def fold(session: Session, ids: Sequence[str], digest: Alert, now: datetime) -> bool:
    """Put these into one message. False, and nothing done, if a digest of this key exists already."""
    if not enqueue(session, [digest], now):
        return False
    for row in session.exec(select(AlertRow).where(col(AlertRow.id).in_(list(ids)))):
        row.folded_into = digest.id
        session.add(row)
    return True
