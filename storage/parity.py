"""A few hundred bytes that find and mend one damaged place of many thousand: for what much else leans on.

The data is cut into blocks of 512 bytes; kept are the CRC-32 of each, and all blocks XORed. One block that is not what
it was is named by its CRC and made again from the others; more than one is beyond repair.
"""

from __future__ import annotations

import struct
import zlib
from functools import reduce
from operator import xor

BLOCK = 512


def _blocks(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + BLOCK].ljust(BLOCK, b"\0")) for at in range(0, len(data), BLOCK)]


def _sums(data: bytes) -> list[int]:
    return [zlib.crc32(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]


def make(data: bytes) -> bytes:
    """What `mend` needs."""
    sums = _sums(data)
    return reduce(xor, _blocks(data), 0).to_bytes(BLOCK) + struct.pack(f"<{len(sums)}I", *sums)


def mend(data: bytes, parity: bytes) -> bytes | None:
    """The bytes that `make` saw; None where these are of another length or damaged in several places."""
    sums, whole = _sums(data), len(parity) - BLOCK
    if whole != 4 * len(sums):
        return None
    kept = struct.unpack(f"<{len(sums)}I", parity[BLOCK:])
    wrong = [at for at, (has, had) in enumerate(zip(sums, kept, strict=True)) if has != had]
    if len(wrong) != 1:
        return None if wrong else data
    blocks = _blocks(data)
    blocks[wrong[0]] = 0
    start = wrong[0] * BLOCK
    size = len(data[start : start + BLOCK])
    block = reduce(xor, blocks, int.from_bytes(parity[:BLOCK])).to_bytes(BLOCK)[:size]
    mended = data[:start] + block + data[start + size :]
    return mended if zlib.crc32(block) == kept[wrong[0]] else None
