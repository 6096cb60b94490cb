"""Bytes kept under their SHA-256, small: zstandard with a keyframe as dictionary, one hop.

A near copy of a 30,000-character report costs about 1 kB that way, and 0.15 ms to read. No chains: a damaged blob
costs its own versions, a damaged keyframe those of at most 20 more.
"""

from __future__ import annotations

import hashlib
from typing import Any

import zstandard
from sqlalchemy import bindparam, func
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.errors import StorageError
from storage.tables import BlobRow

LEVEL = 3
PER_KEYFRAME = 20  # blobs that lean on one keyframe before there is a new one
WORTH = 0.5  # a result above this share of a compression without dictionary makes a new keyframe
MAX_WINDOW_LOG = 27

_PLAIN = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True, write_checksum=False)
_READ = zstandard.ZstdDecompressor(max_window_size=1 << MAX_WINDOW_LOG)


def digest(data: bytes) -> str:
    """The name of these bytes."""
    return hashlib.sha256(data).hexdigest()


def encode(text: str) -> bytes:
    """Text as it is hashed and kept; a stray surrogate survives."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The reverse of `encode`."""
    return data.decode("utf-8", "surrogatepass")


def _dictionary(data: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _with(data: bytes, keyframe: bytes) -> bytes:
    """Compressed against a keyframe. The window covers both, or matches in a long keyframe are out of reach."""
    size = max(len(data) + len(keyframe), 1)
    window = min(max(size.bit_length(), 17), MAX_WINDOW_LOG)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=window, write_content_size=True, write_checksum=False
    )
    return zstandard.ZstdCompressor(dict_data=_dictionary(keyframe), compression_params=parameters).compress(data)


def put(session: Session, data: bytes, previous: str | None = None) -> str:
    """Keep bytes and return their hash. `previous` is a blob of the same page that is probably much alike."""
    sha = digest(data)
    if session.get(BlobRow, sha) is not None:
        return sha
    plain = _PLAIN.compress(data)
    row = BlobRow(sha256=sha, size=len(data), data=plain)
    keyframe = _keyframe(session, previous) if previous else None
    if keyframe is not None:
        packed = _with(data, keyframe[1])
        if len(packed) <= WORTH * len(plain):
            row = BlobRow(sha256=sha, base=keyframe[0], size=len(data), data=packed)
    session.add(row)
    session.flush()
    return sha


def _keyframe(session: Session, previous: str) -> tuple[str, bytes] | None:
    """The keyframe to lean on: that of `previous`, unless it bears enough already or is damaged."""
    row = _row(session, previous)
    if row is None:
        return None
    sha, size, packed = (previous, row.size, row.data) if row.base is None else (row.base, row.base_size, row.base_data)
    leaning = session.exec(select(func.count()).where(col(BlobRow.base) == sha)).one()
    if leaning >= PER_KEYFRAME or packed is None:
        return None
    try:
        data = unpack(packed, size, None)
    except zstandard.ZstdError:
        return None
    return (sha, data) if digest(data) == sha else None


_KEYFRAME = aliased(BlobRow)
_WITH_KEYFRAME: Any = (
    sql_select(
        col(BlobRow.base),
        col(BlobRow.size),
        col(BlobRow.data),
        col(_KEYFRAME.size).label("base_size"),
        col(_KEYFRAME.data).label("base_data"),
    )
    .outerjoin(_KEYFRAME, col(_KEYFRAME.sha256) == col(BlobRow.base))
    .where(col(BlobRow.sha256) == bindparam("sha"))
)


def _row(session: Session, sha256: str) -> Any:
    """A blob beside its keyframe, in one read."""
    return session.connection().execute(_WITH_KEYFRAME, {"sha": sha256}).first()


def unpack(packed: bytes, size: int, keyframe: bytes | None) -> bytes:
    """Bytes as they were before compression. Raises zstandard.ZstdError for damaged ones."""
    if keyframe is None:
        return _READ.decompress(packed, max_output_size=size)
    reader = zstandard.ZstdDecompressor(dict_data=_dictionary(keyframe), max_window_size=1 << MAX_WINDOW_LOG)
    return reader.decompress(packed, max_output_size=size)


def get(session: Session, sha256: str, of: str) -> bytes:
    """The bytes of this name. Raises StorageError, naming `of` (whose bytes they are), if they are gone or damaged."""
    row = _row(session, sha256)
    if row is None:
        raise StorageError(f"{of}: its blob {sha256[:12]} is missing; run: mubiao db check")
    if row.base is not None and row.base_data is None:
        raise StorageError(f"{of}: the keyframe {row.base[:12]} of its blob is missing; run: mubiao db check")
    try:
        keyframe = unpack(row.base_data, row.base_size, None) if row.base is not None else None
        data = unpack(row.data, row.size, keyframe)
    except zstandard.ZstdError as wrong:
        raise StorageError(f"{of}: its blob {sha256[:12]} is damaged ({wrong}); run: mubiao db check") from wrong
    if digest(data) != sha256:
        raise StorageError(f"{of}: its blob {sha256[:12]} is damaged (hash differs); run: mubiao db check")
    return data
