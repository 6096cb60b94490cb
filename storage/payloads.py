"""What alerts tell: JSON kept apart from the outbox under its hash, read when an alert is. Functions over one session.

The rows of the outbox are written again at every attempt and looked through at every tick, so they have to be short.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import zstandard
from sqlmodel import Session, col, delete, select

from monitor.errors import StorageError
from monitor.model import Alert, Told
from storage import inserting, rows
from storage.packed import unpack
from storage.tables import AlertRow, PayloadRow

_SOME = 500  # names in one statement


def put(session: Session, payload: Mapping[str, Any]) -> str:
    """Keep it, once; returns its name."""
    data = json.dumps(dict(payload), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    name = hashlib.sha256(data).hexdigest()
    if session.exec(select(PayloadRow.sha256).where(col(PayloadRow.sha256) == name)).first() is None:
        packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)
        inserting.once(session, PayloadRow(sha256=name, data=packed))
    return name


def alerts(session: Session, found: Iterable[AlertRow], unread: dict[str, str] | None = None) -> list[Alert]:
    """The alerts of these rows, whole; alerts that tell the same share it.

    Those that are damaged or missing are left out and named in `unread`, by id; without it they raise StorageError.
    """
    owed = list(found)
    told, wrong = _told(session, sorted({row.payload_sha256 for row in owed}))
    out: list[Alert] = []
    for row in owed:
        if row.payload_sha256 in told:
            out.append(rows.alert(row, told[row.payload_sha256]))
            continue
        why = wrong.get(row.payload_sha256, f"is missing ({row.payload_sha256[:12]})")
        said = f"what the alert {row.id} tells {why}; run: mubiao db check"
        if unread is None:
            raise StorageError(said)
        unread[row.id] = said
    return out


def _told(session: Session, names: Sequence[str]) -> tuple[dict[str, Told], dict[str, str]]:
    """What these names stand for, and what is wrong with those that cannot be read."""
    told, wrong = dict[str, Told](), dict[str, str]()
    for start in range(0, len(names), _SOME):
        some = names[start : start + _SOME]
        for row in session.exec(select(PayloadRow).where(col(PayloadRow.sha256).in_(some))):
            try:
                told[row.sha256] = Told(unpack(row.data).decode("utf-8", "surrogatepass"))
            except (zstandard.ZstdError, ValueError) as damage:
                wrong[row.sha256] = f"is damaged ({row.sha256[:12]}: {damage})"
    return told, wrong


def sweep(session: Session) -> None:
    """Forget what no alert tells any more."""
    used = select(AlertRow.payload_sha256)
    session.execute(delete(PayloadRow).where(col(PayloadRow.sha256).not_in(used)))
