"""Noise learned from sites, and what it is learned from: the bodies and texts that are kept anyway."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from monitor.errors import StorageError, UsageError
from monitor.model import Noise, Version
from storage import inserting, rows, versions
from storage.tables import MetaRow, NoiseRow, PageRow, VersionRow

WINDOW = 12  # newest versions of a page that are looked at
SAMPLE = 40  # pages of a host that are looked at together, those with the newest versions


@dataclass(frozen=True, slots=True)
class Seen:
    """One version with the body it was read from and how many checks its page had had by then."""

    version: Version
    body: bytes | None
    checks: int
    quantities: frozenset[str] = frozenset()  # sentences of it from which a target or result was read


def rules(session: Session, hosts: Collection[str] | None = None, *, page: str | None = None) -> list[Noise]:
    """Every rule of these hosts or of all, switched-off ones included, in the order they were learned."""
    query = select(NoiseRow).order_by(col(NoiseRow.id))
    if hosts is not None:
        query = query.where(col(NoiseRow.host).in_(hosts))
    if page is not None:
        query = query.where(col(NoiseRow.page).in_(["", page]))
    return [_noise(row) for row in session.exec(query)]


def _noise(row: NoiseRow) -> Noise:
    return Noise(
        host=row.host,
        kind=cast(Any, row.kind),
        mark=row.mark,
        page=row.page,
        rule=row.rule,
        example=row.example,
        seen=row.seen,
        of=row.of,
        pages=row.pages,
        id=f"n{row.id}",
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        state=cast(Any, row.state),
        revision=row.revision,
    )


def learn(session: Session, found: Iterable[Noise], now: datetime) -> list[Noise]:
    """Take over what was learned. A rule learned again is renewed and keeps its state: off stays off.

    Returns those that are new or differ.
    """
    fresh: list[Noise] = []
    found = list(found)
    stamped = _stamp_row(session) if found else None  # one learns at a time: rules are looked up before they are made
    for noise in found:
        same = select(NoiseRow).where(
            col(NoiseRow.host) == noise.host,
            col(NoiseRow.page) == noise.page,
            col(NoiseRow.kind) == noise.kind,
            col(NoiseRow.mark) == noise.mark,
        )
        row = session.exec(same).first()
        if row is None:
            row = NoiseRow(host=noise.host, page=noise.page, kind=noise.kind, mark=noise.mark, first_seen=now)
            changed = True
        else:
            changed = row.rule != dict(noise.rule)
            row.revision += changed
        row.rule, row.example, row.last_seen = dict(noise.rule), noise.example, now
        row.seen, row.of, row.pages = noise.seen, noise.of, noise.pages
        session.add(row)
        session.flush()
        if changed:
            fresh.append(_noise(row))
    if fresh and stamped is not None:
        _stamp(stamped)
    return fresh


STAMP = "noise"  # in the table of single values: how often a rule was learned or switched


def stamp(session: Session) -> str:
    """Another one whenever a rule is new, differs, was switched or forgotten."""
    row = session.get(MetaRow, STAMP)
    return row.value if row is not None else "0"


def _stamp_row(session: Session) -> MetaRow:
    """The row of the stamp, kept from others until the transaction ends."""
    inserting.once(session, MetaRow(key=STAMP, value="0"))
    return session.get_one(MetaRow, STAMP, with_for_update=True)


def _stamp(row: MetaRow) -> None:
    row.value = str(int(row.value) + 1)


def _number(name: str) -> int:
    if name[:1] == "n" and rows.is_number(name[1:]):
        return int(name[1:])
    raise UsageError(f"{name}: not the id of a learned rule (n3; mubiao sources noise KEY lists them)")


def switch(session: Session, names: Sequence[str], hosts: Collection[str], state: str) -> list[Noise]:
    """Switch these rules "on" or "off", or have them "forgotten". Raises UsageError for one of another host."""
    out = []
    for name in names:
        row = session.get(NoiseRow, _number(name))
        if row is None or row.host not in hosts:
            raise UsageError(f"{name}: no learned rule of this source")
        if state != "forgotten":
            row.state = state
            session.add(row)
        out.append(_noise(row))
    if state == "forgotten":
        numbers = [_number(name) for name in names]
        session.connection().execute(delete(NoiseRow).where(col(NoiseRow.id).in_(numbers)))
    if names:
        _stamp(_stamp_row(session))
    session.flush()
    return out


# --------------------------------------------------------------------------- what it is learned from


def hosts_of(session: Session, source: str) -> list[str]:
    """The hosts of a source's pages."""
    return sorted(set(session.exec(select(PageRow.host).where(col(PageRow.source) == source))))


def latest(
    session: Session, host: str | None = None, source: str | None = None, limit: int | None = None
) -> list[Seen]:
    """The latest versions of a host's or a source's pages, with their bodies, newest first."""
    query = select(VersionRow, PageRow).where(col(PageRow.version) == col(VersionRow.id))
    if host is not None:
        query = query.where(col(PageRow.host) == host)
    if source is not None:
        query = query.where(col(PageRow.source) == source)
    query = query.order_by(col(VersionRow.id).desc()).limit(limit)
    return [seen for row, page in session.exec(query) for seen in _seen(session, row, page)]


def count(session: Session, host: str) -> int:
    """How many pages of a host have a version."""
    query = select(func.count()).select_from(PageRow)
    return int(session.exec(query.where(col(PageRow.host) == host, col(PageRow.version).is_not(None))).one())


def window(session: Session, page: int, least: int) -> list[Seen]:
    """The newest versions of a page with the bodies they were read from, oldest first; none where there are fewer."""
    query = select(VersionRow).where(col(VersionRow.page) == page).order_by(col(VersionRow.id).desc()).limit(WINDOW)
    found = session.exec(query).all()
    owner = session.get_one(PageRow, page)
    if len(found) < least:
        return []
    return [seen for row in reversed(found) for seen in _seen(session, row, owner)]


def _seen(session: Session, row: VersionRow, page: PageRow) -> Iterator[Seen]:
    """None of a version whose text, body or targets are damaged: `db check` names those, they teach nothing."""
    with suppress(StorageError):
        document = versions.document_of(session, row, page.url)
        yield Seen(
            rows.version(row, page.source, page.url, document),
            versions.raw_of(session, row),
            row.checks,
            frozenset(x.sentence for x in versions.targets_of(session, row, document.text)),
        )
