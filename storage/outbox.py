"""Alerts owed, and every attempt to send them. Functions over one session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, insert, update
from sqlmodel import Session, SQLModel, col, select

from monitor.errors import StorageError
from monitor.model import Alert, Delivery
from storage import inserting, payloads, rows
from storage.tables import AlertRow, ChangeRow, DeliveryRow


def table(row: type[SQLModel]) -> Table:
    """The table behind a row class, for statements that make no rows."""
    return row.__table__  # type: ignore[attr-defined, no-any-return]  # SQLModel adds it to table classes


def enqueue(session: Session, alerts: Iterable[Alert], now: datetime) -> int:
    """Add alerts whose key is not there yet; returns how many were new."""
    new = 0
    names: dict[int, str] = {}  # the channels of one change are told the same: packed once
    for alert in list(alerts):  # all of them at hand, so that no two payloads have had the same id()
        if session.exec(select(AlertRow.id).where(col(AlertRow.key) == alert.key)).first() is None:
            name = names.get(id(alert.payload)) or payloads.put(session, alert.payload)
            names[id(alert.payload)] = name
            new += inserting.once(session, rows.alert_row(alert, name, now))
    return new


def _is_due(now: datetime, channel: str | None = None) -> tuple[Any, ...]:
    """What is to be sent now. Alerts that wait for a digest are not."""
    due = (
        col(AlertRow.state) == "pending",
        col(AlertRow.next_at) <= now,
        col(AlertRow.digest).is_(None),
        col(AlertRow.folded_into).is_(None),
    )
    return due if channel is None else (*due, col(AlertRow.channel) == channel)


def channels(session: Session, now: datetime) -> list[str]:
    """The channels that have something to send now, in the order of their names."""
    return sorted(session.exec(select(AlertRow.channel).where(*_is_due(now)).distinct()))


def due(session: Session, now: datetime, limit: int, channel: str | None = None) -> list[AlertRow]:
    """Alerts to send now, of one channel or of all, oldest first: what was tried before goes before what came later."""
    return list(session.exec(_due(now, limit, channel)))


def _due(now: datetime, limit: int, channel: str | None) -> Any:
    query = select(AlertRow).where(*_is_due(now, channel))
    return query.order_by(col(AlertRow.created), col(AlertRow.id)).limit(limit)


def claim(session: Session, now: datetime, limit: int, lease_seconds: float, channel: str | None = None) -> list[Alert]:
    """Alerts to send now. Whoever dies with them loses them again when the lease ends; damaged ones are dead."""
    free = _due(now, limit, channel).with_for_update(skip_locked=True)  # SQLite has one writer, and no word for it
    unread: dict[str, str] = {}
    claimed = payloads.alerts(session, session.exec(free), unread)
    for number, why in unread.items():
        session.execute(update(AlertRow).where(col(AlertRow.id) == number).values(state="dead", error=why))
    until = now + timedelta(seconds=lease_seconds)
    session.execute(update(AlertRow).where(col(AlertRow.id).in_([a.id for a in claimed])).values(next_at=until))
    return claimed


def hold(session: Session, channel: str, now: datetime, until: datetime) -> None:
    """What a channel in trouble owes now waits until then."""
    session.execute(update(AlertRow).where(*_is_due(now, channel)).values(next_at=until))


def release(session: Session, now: datetime) -> int:
    """What a sender that died had claimed is due again, without waiting for its lease; returns how many.

    Only for whoever holds the daemon's lock, and so is the only sender. One that failed before keeps its back-off,
    unless it was made in the future: the clock was set back since.
    """
    claimed = (
        col(AlertRow.state) == "pending",
        col(AlertRow.next_at) > now,
        (col(AlertRow.attempts) == 0) | (col(AlertRow.created) > now),
        col(AlertRow.digest).is_(None),
        col(AlertRow.folded_into).is_(None),
    )
    ids = list(session.exec(select(AlertRow.id).where(*claimed)))
    session.execute(update(AlertRow).where(*claimed).values(next_at=now))
    return len(ids)


def set_back(session: Session, now: datetime, by: timedelta) -> None:
    """The clock was set back by so much: what waits for its next try, or is claimed, waits no longer for that."""
    ahead = (col(AlertRow.state) == "pending", col(AlertRow.next_at) > now)
    waits = session.exec(select(AlertRow.id, AlertRow.next_at).where(*ahead)).all()
    move = update(table(AlertRow)).where(table(AlertRow).c.id == bindparam("of")).values(next_at=bindparam("at"))
    if waits:
        session.connection().execute(move, [{"of": number, "at": at - by} for number, at in waits if at is not None])


# made once: at hundreds of messages a second building a statement costs more than the database
_ATTEMPT = insert(table(DeliveryRow))
_AFTER = (
    update(table(AlertRow))
    .where(table(AlertRow).c.id == bindparam("of"))
    .values(attempts=table(AlertRow).c.attempts + 1)
)
_PARTS = update(table(AlertRow)).where(table(AlertRow).c.folded_into == bindparam("of"))


def record(session: Session, delivery: Delivery, next_at: datetime | None) -> None:
    """An attempt and what follows: sent, tried again at `next_at`, or dead without one."""
    connection = session.connection()
    connection.execute(
        _ATTEMPT, {"alert": delivery.alert, "at": delivery.at, "ok": delivery.ok, "error": delivery.error}
    )
    after: dict[str, Any] = {"error": delivery.error, "next_at": None}
    if delivery.ok:
        after |= {"state": "sent", "sent_at": delivery.at}
    elif delivery.permanent or next_at is None:
        after |= {"state": "dead"}
    else:
        after |= {"next_at": next_at}
    told = {"reached": list(delivery.reached)} if delivery.reached else {}
    if not connection.execute(_AFTER, {"of": delivery.alert, **after, **told}).rowcount:
        raise StorageError(f"no alert {delivery.alert}")
    if "state" in after:  # the parts of a digest go with it
        connection.execute(_PARTS, {"of": delivery.alert, **after})


def retry(session: Session, ids: Sequence[str] | None, now: datetime) -> int:
    """Make these alerts due now, or every dead one and every one that waits behind a failure; returns how many."""
    query = select(AlertRow).where(col(AlertRow.folded_into).is_(None), col(AlertRow.digest).is_(None))
    if ids is not None:
        query = query.where(col(AlertRow.id).in_(list(ids)), col(AlertRow.state) != "sent")
    else:
        held_back = (col(AlertRow.attempts) > 0) | (col(AlertRow.next_at) > now)
        query = query.where((col(AlertRow.state) == "dead") | ((col(AlertRow.state) == "pending") & held_back))
    again = session.exec(query).all()
    for row in again:
        row.state, row.next_at = "pending", now
        session.add(row)
    return len(again)


def waiting(session: Session, channel: str, cron: str) -> list[Alert]:
    """What the digest of this channel and cron would hold, oldest first."""
    query = select(AlertRow).where(
        col(AlertRow.state) == "pending",
        col(AlertRow.channel) == channel,
        col(AlertRow.digest) == cron,
        col(AlertRow.folded_into).is_(None),
    )
    found = session.exec(query.order_by(col(AlertRow.created), col(AlertRow.id)))
    return payloads.alerts(session, found, {})  # `db check` names the damaged


def told(session: Session, version: int) -> list[Alert]:
    """What was sent at once of the moved targets that this version brought, and nobody has acknowledged."""
    query = select(AlertRow).where(
        col(AlertRow.change).in_(select(ChangeRow.id).where(col(ChangeRow.new_version) == version)),
        col(AlertRow.type) == "targets.changed",
        col(AlertRow.state) == "sent",
        col(AlertRow.digest).is_(None),
        col(AlertRow.folded_into).is_(None),
        col(AlertRow.acked_at).is_(None),
    )
    found = session.exec(query.order_by(col(AlertRow.created), col(AlertRow.id)))
    return payloads.alerts(session, found, {})  # `db check` names the damaged


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
