"""Blobs: what goes in comes out, small, and a flipped byte is found."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session

from monitor.errors import StorageError
from storage import blobs


@pytest.fixture
def session(url):
    engine = create_engine(url)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def report(seed: int = 7, size: int = 30_000) -> str:
    """Text of many different characters, as incompressible as Chinese prose is."""
    rng = random.Random(seed)
    words = ["".join(chr(0x4E00 + rng.randrange(2500)) for _ in range(rng.randrange(2, 5))) for _ in range(3000)]
    out, length = [], 0
    while length < size:
        out.append(rng.choice(words))
        length += len(out[-1])
    return "".join(out)


def edits(count: int) -> list[bytes]:
    rng, body, out = random.Random(3), report(), []
    for _ in range(count):
        at = rng.randrange(len(body) - 10)
        body = body[:at] + report(rng.randrange(999), 6) + body[at + 4 :]
        out.append(body.encode())
    return out


def rows(session: Session) -> list[tuple[str, str | None, int]]:
    return [tuple(r) for r in session.connection().execute(text("select sha256, base, length(data) from blob"))]


def test_round_trip_of_forty_versions_leans_on_few_keyframes(session) -> None:
    previous, names, versions = None, [], edits(40)
    for body in versions:
        previous = blobs.put(session, body, previous)
        names.append(previous)
    assert [blobs.get(session, name, "v") for name in names] == versions
    kept = rows(session)
    keyframes = [r for r in kept if r[1] is None]
    assert len(keyframes) == 2, "one for every 21 versions"
    assert {r[1] for r in kept if r[1]} <= {r[0] for r in keyframes}, "one hop, never a chain"
    assert sum(r[2] for r in kept) / len(kept) < 3000


def test_the_same_bytes_are_kept_once(session) -> None:
    assert blobs.put(session, b"a" * 100) == blobs.put(session, b"a" * 100, None)
    assert len(rows(session)) == 1


def test_unlike_bytes_make_their_own_keyframe(session) -> None:
    first = blobs.put(session, report(1).encode())
    second = blobs.put(session, report(2).encode(), first)
    assert {r[0]: r[1] for r in rows(session)}[second] is None


@pytest.mark.parametrize("body", [b"", b"x", "雲\ud800".encode("utf-8", "surrogatepass"), bytes(range(256)) * 9000])
def test_any_bytes(session, body: bytes) -> None:
    assert blobs.get(session, blobs.put(session, body), "v") == body
    near = blobs.put(session, body + b"!", blobs.digest(body))
    assert blobs.get(session, near, "v") == body + b"!"


def test_a_flipped_byte_is_found_and_costs_only_its_version(session) -> None:
    one, two, three = (blobs.put(session, b) for b in (report(1).encode(), report(2).encode(), report(3).encode()))
    packed = bytearray(
        session.connection().execute(text("select data from blob where sha256=:s"), {"s": two}).scalar_one()
    )
    packed[len(packed) // 2] ^= 1
    session.connection().execute(text("update blob set data=:d where sha256=:s"), {"d": bytes(packed), "s": two})
    with pytest.raises(StorageError, match=r"version v2.*damaged.*db check"):
        blobs.get(session, two, "version v2")
    assert blobs.get(session, one, "v1") and blobs.get(session, three, "v3")


def test_a_damaged_keyframe_is_not_leaned_on(session) -> None:
    first = blobs.put(session, report(1).encode())
    session.connection().execute(text("update blob set data=zeroblob(10)"))
    session.expire_all()
    second = blobs.put(session, report(1).encode() + b"+", first)
    assert blobs.get(session, second, "v2").endswith(b"+")


def test_a_missing_blob_and_a_missing_keyframe_are_named(session) -> None:
    with pytest.raises(StorageError, match=r"v9.*missing"):
        blobs.get(session, "0" * 64, "v9")
    first = blobs.put(session, report(1).encode())
    second = blobs.put(session, report(1).encode() + b"+", first)
    session.connection().execute(text("delete from blob where sha256=:s"), {"s": first})
    session.expire_all()
    with pytest.raises(StorageError, match="v2: the keyframe"):
        blobs.get(session, second, "v2")
