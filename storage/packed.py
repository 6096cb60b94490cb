"""Unpacking what zstandard packed, where any byte of it may be damaged."""

from __future__ import annotations

import threading

import zstandard

MAX_WINDOW_LOG = 27


class _Unpacking(threading.local):
    """A decompressor for each thread: two that use one at once get each other's bytes, or an error (seen)."""

    def __init__(self) -> None:
        self.one = zstandard.ZstdDecompressor(max_window_size=1 << MAX_WINDOW_LOG)


_READ = _Unpacking()


def dictionary(data: bytes) -> zstandard.ZstdCompressionDict:
    """Bytes to lean on, as they are."""
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def unpack(packed: bytes, size: int = 0, near: bytes | None = None) -> bytes:
    """Bytes as they were before compression; `size` of them at most where the frame does not say how many.

    Raises zstandard.ZstdError for damaged ones.
    """
    reader = _READ.one
    if near is not None:
        reader = zstandard.ZstdDecompressor(dict_data=dictionary(near), max_window_size=1 << MAX_WINDOW_LOG)
    try:
        return reader.decompress(packed, max_output_size=size)
    except MemoryError as wrong:  # one wrong bit of its head, and a frame says that it holds exabytes
        raise zstandard.ZstdError("it states a size that no memory has") from wrong
