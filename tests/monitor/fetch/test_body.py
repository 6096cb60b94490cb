"""Inflating piece by piece, within a limit."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.body import MOST_MEMBERS, DamagedError, Inflater, TooLargeError

PACKERS = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", lambda data: zlib.compress(data, wbits=-15)),
}


def inflate(encoding, packed, step, limit):
    inflater = Inflater(encoding, limit)
    out = b"".join(piece for n in range(0, len(packed), step) for piece in inflater.feed(packed[n : n + step]))
    inflater.finish()
    return out


@given(st.binary(max_size=3000), st.integers(1, 700), st.sampled_from(sorted(PACKERS)))
def test_any_pieces_give_the_whole(data, step, name):
    encoding, pack = PACKERS[name]
    assert inflate(encoding, pack(data), step, len(data)) == data


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 700), st.sampled_from(sorted(PACKERS)))
def test_one_byte_over_the_limit_is_too_large(data, step, name):
    encoding, pack = PACKERS[name]
    with pytest.raises(TooLargeError):
        inflate(encoding, pack(data), step, len(data) - 1)


@pytest.mark.parametrize("name", sorted(PACKERS))
@pytest.mark.parametrize("step", [1, 10_000])
def test_a_stream_that_ends_too_early(name, step):
    encoding, pack = PACKERS[name]
    with pytest.raises(DamagedError):
        inflate(encoding, pack(bytes(range(256)) * 10)[:-9], step, 10_000)


def test_garbage_after_the_end_is_ignored():
    assert inflate("gzip", gzip.compress(b"a") + b"\0\0\0", 7, 100) == b"a"


def test_members_share_one_limit():
    with pytest.raises(TooLargeError):
        inflate("gzip", gzip.compress(b"a" * 60) * 2, 10_000, 100)


def test_a_body_of_a_thousand_streams():
    """Each stream costs a copy of what follows it: 500,000 empty ones in 10 MB held up everybody for 5 s."""
    assert inflate("gzip", gzip.compress(b"a") * MOST_MEMBERS, 10_000, 2000) == b"a" * MOST_MEMBERS
    with pytest.raises(DamagedError, match="streams"):
        inflate("gzip", gzip.compress(b"") * (MOST_MEMBERS + 1), 10_000, 100)


def test_an_empty_body_is_empty():
    assert inflate("gzip", b"", 1, 100) == b""
