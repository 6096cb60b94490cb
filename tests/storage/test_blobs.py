"""Blobs: what goes in comes out, small, and a flipped byte is found."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from sqlalchemy import create_engine, func, text
from sqlmodel import Session, select

from monitor.errors import StorageError
from storage import blobs, packed
from storage.tables import BlobRow, KeyframeRow


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
    columns = (BlobRow.sha256, BlobRow.base, func.length(BlobRow.data))
    return [tuple(r) for r in session.exec(select(*columns))]


def spoil(session: Session, sha: str, *places: int) -> None:
    """Flip a bit in the middle of a blob, or at these places."""
    session.flush()
    row = session.get_one(BlobRow, sha)
    packed = bytearray(row.data)
    for place in places or (len(packed) // 2,):
        packed[place] ^= 1
    row.data = bytes(packed)
    session.flush()


def test_round_trip_of_forty_versions_leans_on_few_keyframes(session) -> None:
    previous, names, versions = None, [], edits(40)
    for body in versions:
        previous = blobs.put(session, body, previous)
        names.append(previous)
    assert [blobs.get(session, name, "v") for name in names] == versions
    kept = rows(session)
    keyframes = [r for r in kept if r[1] is None]
    assert len(keyframes) == 1, "as long as that is cheaper than another one"
    assert {r[1] for r in kept if r[1]} <= {r[0] for r in keyframes}, "one hop, never a chain"
    assert sum(r[2] for r in kept) / len(kept) < 1700


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
    spoil(session, two)
    with pytest.raises(StorageError, match=r"version v2.*damaged.*db check"):
        blobs.get(session, two, "version v2")
    assert blobs.get(session, one, "v1") and blobs.get(session, three, "v3")


def test_a_damaged_keyframe_is_not_leaned_on(session) -> None:
    first = blobs.put(session, report(1).encode())
    session.connection().execute(text("update blob set data=:zero"), {"zero": bytes(10)})
    session.expire_all()
    second = blobs.put(session, report(1).encode() + b"+", first)
    assert blobs.get(session, second, "v2").endswith(b"+")


def test_a_missing_blob_and_a_missing_keyframe_are_named(session) -> None:
    with pytest.raises(StorageError, match=r"v9.*missing"):
        blobs.get(session, "0" * 64, "v9")
    first = blobs.put(session, report(1).encode())
    second = blobs.put(session, report(1).encode() + b"+", first)
    session.delete(session.get_one(BlobRow, first))
    session.flush()
    with pytest.raises(StorageError, match="v2: the keyframe"):
        blobs.get(session, second, "v2")


def test_one_damaged_place_of_a_keyframe_costs_nothing(session) -> None:
    versions = [report(1).encode() + b"+" * n for n in range(4)]
    names = [blobs.put(session, body, blobs.digest(versions[0])) for body in versions]
    spoil(session, names[0])
    assert [blobs.get(session, name, "v") for name in names] == versions
    assert blobs.get(session, blobs.put(session, b"!" + versions[0], names[0]), "v5") == b"!" + versions[0]
    spoil(session, names[0], 3000, 9000)
    for name in names:
        with pytest.raises(StorageError, match="damaged"):
            blobs.get(session, name, "v")


def test_a_new_keyframe_begins_where_leaning_on_the_old_one_costs_more(session) -> None:
    body, previous, rng = report(), None, random.Random(5)
    for turn in range(30):  # a fifth of the text is another one every time
        at = rng.randrange(5) * 6000
        body = body[:at] + report(turn, 6000)[:6000] + body[at + 6000 :]
        previous = blobs.put(session, body.encode(), previous)
    assert len([r for r in rows(session) if r[1] is None]) > 3
    counted = session.exec(select(KeyframeRow.sha256, KeyframeRow.leaning, KeyframeRow.weight)).all()
    leaning = [(r[1], r[2]) for r in rows(session) if r[1]]
    assert {sha: (n, w) for sha, n, w in counted} == {
        base: (sum(b == base for b, _ in leaning), sum(w for b, w in leaning if b == base)) for base, _ in leaning
    }


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_body_leans_on_the_text_of_its_version(session, encoding: str) -> None:
    def page(body: str) -> bytes:
        lines = "".join(f"<p>{body[at : at + 200]}</p>" for at in range(0, len(body), 200))
        return f"<html>{lines}</html>".encode(encoding)

    def common(seed: int, size: int) -> str:
        return report(seed, size).encode("gb2312", "ignore").decode("gb2312")

    first, second = common(1, 9000), common(1, 3000) + "㐂" + common(2, 6000)
    old = blobs.put(session, page(first), None, blobs.Beside(blobs.put(session, first.encode()), encoding))
    text_name = blobs.put(session, second.encode())
    new = blobs.put(session, page(second), old, blobs.Beside(text_name, encoding))
    assert blobs.get(session, new, "v2") == page(second)
    assert {r[0]: r[2] for r in rows(session)}[new] < 500, "only its tags are left"
    spoil(session, text_name)
    with pytest.raises(StorageError, match="v2"):
        blobs.get(session, new, "v2")


def test_every_thread_unpacks_with_a_decompressor_of_its_own() -> None:
    """zstandard's are not to be shared: of 12,000 readings by eight threads at once, three gave wrong bytes."""
    with ThreadPoolExecutor(1) as other:
        assert other.submit(getattr, packed._READ, "one").result() is not packed._READ.one


def test_a_wrong_bit_that_states_a_huge_size_is_damage(session) -> None:
    sha = blobs.put(session, report(1, 200).encode())
    row = session.get_one(BlobRow, sha)
    session.flush()
    head = bytearray(row.data)
    head[4] |= 0xC0  # the size takes eight bytes from now on, of what is none
    row.data = bytes(head)
    session.flush()
    with pytest.raises(StorageError, match=r"v7: its blob .* is damaged"):
        blobs.get(session, sha, "v7")
    with pytest.raises(zstandard.ZstdError, match="no memory"):
        packed.unpack(bytes(head))
