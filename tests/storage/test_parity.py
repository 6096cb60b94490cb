"""One damaged block of many is made again; everything else is refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage import parity


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_one_damaged_place_is_mended(data: bytes, draw: st.DataObject) -> None:
    kept = parity.make(data)
    assert parity.mend(data, kept) == data
    place = draw.draw(st.integers(0, len(data) - 1))
    start = place - place % parity.BLOCK
    end = draw.draw(st.integers(place + 1, min(len(data), start + parity.BLOCK)))
    broken = data[:place] + draw.draw(st.binary(min_size=end - place, max_size=end - place)) + data[end:]
    assert parity.mend(broken, kept) == data


def test_what_cannot_be_mended_is_not_guessed() -> None:
    data = bytes(range(256)) * 8
    kept = parity.make(data)
    twice = b"x" + data[1:600] + b"x" + data[601:]
    assert parity.mend(twice, kept) is None
    assert parity.mend(data[:-1], kept) is None
    assert parity.mend(data + b"x" * parity.BLOCK, kept) is None
    spoiled = bytes([kept[0] ^ 1]) + kept[1:]
    assert parity.mend(b"x" + data[1:], spoiled) is None, "a damaged parity is no parity"
    assert parity.mend(b"", parity.make(b"")) == b""
