"""Bytes kept under their SHA-256, small: zstandard with a keyframe as dictionary, one hop.

A near copy of a 30,000-character report costs about 1 kB that way, and 0.15 ms to read. No chains: a damaged blob
costs its own versions. A keyframe is compressed harder once another blob leans on it, and has a parity from then on
(parity.py), so that one damaged place of it costs nothing.

A body leans on the text of its own version besides (`beside`): what is left of it are its tags.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from storage import inserting, parity
from storage.packed import MAX_WINDOW_LOG, dictionary, unpack
from storage.tables import BlobRow, KeyframeRow

LEVEL = 3  # of what stands alone: most pages never change
NEAR, NEAR_LARGE = 16, 12  # of a near copy: a tenth smaller for 9 ms more, where it is no more than …
LARGE = 400_000  # bytes
HARD = 19  # of a keyframe that others lean on: 30 ms, once
PER_KEYFRAME = 40  # blobs that lean on one keyframe before there is a new one
FEW = 3  # … that lean on it before their average says anything
WORTH = 0.5  # a result above this share of a compression without dictionary makes a new keyframe

_PLAIN = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True, write_checksum=False)
_HARD = zstandard.ZstdCompressor(level=HARD, write_content_size=True, write_checksum=False)


@dataclass(frozen=True, slots=True)
class Beside:
    """A kept text that a body is likely to repeat: its hash, and the encoding of the body."""

    sha256: str
    encoding: str | None

    @property
    def code(self) -> str | None:
        """The code in which the text stands in the body, None for UTF-8."""
        return GB if (self.encoding or "").lower().replace("-", "") in {"gb2312", "gbk", "gb18030"} else None


GB = "gb2312"  # the standard of 1980, whose codec will never say something else; other characters are left out


def digest(data: bytes) -> str:
    """The name of these bytes."""
    return hashlib.sha256(data).hexdigest()


def encode(text: str) -> bytes:
    """Text as it is hashed and kept; a stray surrogate survives."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The reverse of `encode`."""
    return data.decode("utf-8", "surrogatepass")


def _with(data: bytes, near: bytes) -> bytes:
    """Compressed against near bytes. The window covers both, or matches in a long keyframe are out of reach."""
    size = max(len(data) + len(near), 1)
    window = min(max(size.bit_length(), 17), MAX_WINDOW_LOG)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        NEAR if len(data) <= LARGE else NEAR_LARGE, window_log=window, write_content_size=False, write_checksum=False
    )
    return zstandard.ZstdCompressor(dict_data=dictionary(near), compression_params=parameters).compress(data)


def put(session: Session, data: bytes, previous: str | None = None, beside: Beside | None = None) -> str:
    """Keep bytes and return their hash. `previous` is a blob of the same page that is probably much alike."""
    sha = digest(data)
    if session.exec(select(BlobRow.sha256).where(col(BlobRow.sha256) == sha)).first() is not None:
        return sha
    plain = _PLAIN.compress(data)
    row = BlobRow(sha256=sha, size=len(data), data=plain)
    keyframe = _keyframe(session, previous) if previous else None
    if keyframe is not None:
        more = _beside(session, beside.sha256, beside.code, "its text") if beside else b""
        packed = _with(data, keyframe.data + more)
        if len(packed) <= WORTH * len(plain) and keyframe.bears(len(packed)):
            row = BlobRow(sha256=sha, base=keyframe.sha256, size=len(data), data=packed)
            row.beside, row.code = (beside.sha256, beside.code) if beside else (None, None)
            _lean(session, keyframe, len(packed))
    inserting.once(session, row)
    return sha


def put_apart(session: Session, several: Sequence[bytes]) -> list[str]:
    """Keep bytes that nothing kept is near to; their hashes. One statement for all."""
    found = {digest(data): data for data in several}
    rows = [BlobRow(sha256=sha, size=len(data), data=_PLAIN.compress(data)) for sha, data in sorted(found.items())]
    inserting.each(session, rows)
    return [digest(data) for data in several]


@dataclass(frozen=True, slots=True)
class _Keyframe:
    """What a new blob may lean on; `packed` bytes as they are kept now."""

    sha256: str
    data: bytes
    packed: int
    row: KeyframeRow | None  # None: nothing leans on it yet

    def bears(self, more: int) -> bool:
        """Whether it is cheaper to lean on it than to begin anew: no blob may cost more than the average so far."""
        if self.row is None or self.row.leaning < FEW:
            return True
        return more <= (self.packed + self.row.weight) / self.row.leaning


def _keyframe(session: Session, previous: str) -> _Keyframe | None:
    """The keyframe to lean on: that of `previous`, unless it bears enough already or is damaged."""
    row = _row(session, previous)
    if row is None:
        return None
    sha, size, packed = (previous, row.size, row.data) if row.base is None else (row.base, row.base_size, row.base_data)
    known = session.get(KeyframeRow, sha)
    if packed is None or (known is not None and known.leaning >= PER_KEYFRAME):
        return None
    try:
        return _Keyframe(sha, _sound(session, sha, size, packed), len(packed), known)
    except zstandard.ZstdError:
        return None


def _lean(session: Session, keyframe: _Keyframe, more: int) -> None:
    """Count one more that leans; the first one makes a keyframe of it."""
    if keyframe.row is not None:
        keyframe.row.leaning, keyframe.row.weight = keyframe.row.leaning + 1, keyframe.row.weight + more
        session.add(keyframe.row)
        return
    row = session.get_one(BlobRow, keyframe.sha256)
    hard = _HARD.compress(keyframe.data)
    if len(hard) < len(row.data):
        row.data = hard
        session.add(row)
    made = KeyframeRow(sha256=row.sha256, leaning=1, weight=more, parity=parity.make(row.data))
    inserting.once(session, made)  # another page with the same text may make it at this moment: one too few are counted


_KEYFRAME = aliased(BlobRow)
_ROWS: Any = sql_select(
    col(BlobRow.sha256),
    col(BlobRow.base),
    col(BlobRow.beside),
    col(BlobRow.code),
    col(BlobRow.size),
    col(BlobRow.data),
    col(_KEYFRAME.size).label("base_size"),
    col(_KEYFRAME.data).label("base_data"),
).outerjoin(_KEYFRAME, col(_KEYFRAME.sha256) == col(BlobRow.base))
_ROW: Any = _ROWS.where(col(BlobRow.sha256) == bindparam("sha"))
_SOME: Any = _ROWS.where(col(BlobRow.sha256).in_(bindparam("some", expanding=True)))


def _row(session: Session, sha256: str) -> Any:
    """A blob beside its keyframe, in one read."""
    return session.connection().execute(_ROW, {"sha": sha256}).first()


def rows_of(session: Session, names: Sequence[str]) -> dict[str, Any]:
    """Many blobs beside their keyframes, in one read: what `read` takes."""
    return {row.sha256: row for row in session.connection().execute(_SOME, {"some": list(names)})} if names else {}


def _sound(session: Session, sha256: str, size: int, packed: bytes) -> bytes:
    """The bytes of a blob that leans on nothing, mended if need be. Raises zstandard.ZstdError for damaged ones."""
    try:
        data = unpack(packed, size, None)
        if digest(data) == sha256:
            return data
        wrong = zstandard.ZstdError("hash differs")
    except zstandard.ZstdError as error:
        wrong = error
    mended = mend(session, sha256, size, packed)
    if mended is None:
        raise wrong
    return unpack(mended, size, None)


def is_sound(sha256: str, size: int, packed: bytes) -> bool:
    """Whether these are the bytes of a blob that leans on nothing, as they were written."""
    try:
        return digest(unpack(packed, size, None)) == sha256
    except zstandard.ZstdError:
        return False


def mend(session: Session, sha256: str, size: int, packed: bytes) -> bytes | None:
    """The packed bytes of a damaged keyframe as they were, None where its parity cannot tell."""
    known = session.get(KeyframeRow, sha256)
    mended = parity.mend(packed, known.parity) if known is not None and known.parity else None
    try:
        return mended if mended is not None and digest(unpack(mended, size, None)) == sha256 else None
    except zstandard.ZstdError:
        return None


def _beside(session: Session, sha256: str, code: str | None, of: str) -> bytes:
    found = get(session, sha256, of)
    return decode(found).encode(code, "ignore") if code else found


def get(session: Session, sha256: str, of: str) -> bytes:
    """The bytes of this name. Raises StorageError, naming `of` (whose bytes they are), if they are gone or damaged."""
    return read(session, sha256, _row(session, sha256), of)


def read(session: Session, sha256: str, row: Any, of: str) -> bytes:
    """The same, of a row that was read already."""
    if row is None:
        raise StorageError(f"{of}: its blob {sha256[:12]} is missing; run: mubiao db check")
    if row.base is not None and row.base_data is None:
        raise StorageError(f"{of}: the keyframe {row.base[:12]} of its blob is missing; run: mubiao db check")
    try:
        if row.base is None:
            return _sound(session, sha256, row.size, row.data)
        more = _beside(session, row.beside, row.code, of) if row.beside else b""
        with contextlib.suppress(zstandard.ZstdError):
            data = unpack(row.data, row.size, unpack(row.base_data, row.base_size, None) + more)
            if digest(data) == sha256:
                return data
        data = unpack(row.data, row.size, _sound(session, row.base, row.base_size, row.base_data) + more)
        if digest(data) != sha256:
            raise zstandard.ZstdError("hash differs")
    except zstandard.ZstdError as wrong:
        raise StorageError(f"{of}: its blob {sha256[:12]} is damaged ({wrong}); run: mubiao db check") from wrong
    return data
