"""Why an alert does not go out: its channel is off, or somebody muted it. Functions over one session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, select

from monitor.errors import UsageError
from monitor.model import Mute, Off
from storage.tables import AlertRow, MuteRow, OffRow

# --------------------------------------------------------------------------- channels that are off


def off(session: Session) -> list[Off]:
    """Every channel and recipient that takes no more."""
    found = session.exec(select(OffRow).order_by(col(OffRow.channel), col(OffRow.recipient)))
    return [Off(r.channel, r.recipient, r.at, r.why, r.mark) for r in found]


def turn_off(session: Session, what: Iterable[Off]) -> list[Off]:
    """Keep these off; returns those that were not off before."""
    new = []
    for one in what:
        if session.get(OffRow, (one.channel, one.recipient)) is None:
            row = OffRow(channel=one.channel, recipient=one.recipient, at=one.at, why=one.why, mark=one.mark)
            session.add(row)
            new.append(one)
    return new


def turn_on(session: Session, channels: Sequence[str]) -> list[Off]:
    """Use these channels again, with all their recipients; returns what had been off."""
    had = [one for one in off(session) if one.channel in channels]
    session.execute(delete(OffRow).where(col(OffRow.channel).in_(list(channels))))
    return had


def sent_since(session: Session, channel: str, since: datetime) -> list[datetime]:
    """When a channel took a message, since then, oldest first."""
    query = select(AlertRow.sent_at).where(
        col(AlertRow.channel) == channel, col(AlertRow.sent_at) > since, col(AlertRow.folded_into).is_(None)
    )
    return sorted(at for at in session.exec(query) if at is not None)


# --------------------------------------------------------------------------- muted


def mute(session: Session, wanted: Mute, now: datetime) -> Mute:
    """Keep it; returned with its id."""
    row = MuteRow(
        until=wanted.until, source=wanted.source, url=wanted.url, indicator=wanted.indicator,
        channel=wanted.channel, why=wanted.why, created=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return _mute(row)


def mutes(session: Session, now: datetime) -> list[Mute]:
    """What is muted now."""
    still = col(MuteRow.until).is_(None) | (col(MuteRow.until) > now)
    return [_mute(row) for row in session.exec(select(MuteRow).where(still).order_by(col(MuteRow.id)))]


def unmute(session: Session, ids: Iterable[str]) -> int:
    """End these; returns how many there were. Raises UsageError for an id that is no number."""
    numbers = []
    for word in ids:
        if not word.removeprefix("m").isdecimal():
            raise UsageError(f"{word!r} is no id of `mubiao alerts muted`")
        numbers.append(int(word.removeprefix("m")))
    found = session.scalar(select(func.count()).select_from(MuteRow).where(col(MuteRow.id).in_(numbers)))
    session.execute(delete(MuteRow).where(col(MuteRow.id).in_(numbers)))
    return found or 0


def _mute(row: MuteRow) -> Mute:
    return Mute(f"m{row.id}", row.until, row.source, row.url, row.indicator, row.channel, row.why, row.created)


def silence(session: Session, ids: Sequence[str], why: str) -> None:
    """These alerts stay in the outbox, muted, and are sent to nobody."""
    for row in session.exec(select(AlertRow).where(col(AlertRow.id).in_(list(ids)))):
        row.state, row.next_at, row.error = "muted", None, why
        session.add(row)


def acknowledge(session: Session, ids: Sequence[str], now: datetime) -> int:
    """Somebody has seen to these, and to every other message about the same change: what still waits is not sent.

    Returns how many messages that were. Raises UsageError naming the first id that is not there.
    """
    named = session.exec(select(AlertRow).where(col(AlertRow.id).in_(list(ids)))).all()
    if missing := set(ids) - {row.id for row in named}:
        raise UsageError(f"no alert {min(missing)}; see: mubiao alerts list")
    changes = {row.change for row in named if row.change is not None}
    same = session.exec(select(AlertRow).where(col(AlertRow.change).in_(changes))).all() if changes else []
    every = {row.id: row for row in (*named, *same)}
    for row in every.values():
        row.acked_at = row.acked_at or now
        if row.state == "pending" and row.folded_into is None:
            row.state, row.next_at, row.error = "muted", None, "acknowledged"
        session.add(row)
    return len(every)
