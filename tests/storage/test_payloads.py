"""What alerts tell: kept once, apart from the outbox, read as it was written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from monitor.errors import StorageError
from monitor.model import Alert, Delivery, Told
from storage import care
from storage.retention import Retention


def make(name: str, payload, **fields) -> Alert:
    plain = {"id": name, "key": name, "channel": "desk", "type": "change.detected", "payload": payload}
    return Alert(**(plain | fields))


def by_hand(url: str, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        return file.execute(statement).fetchall()


def test_the_channels_of_a_change_share_what_they_tell(store, ask, house) -> None:
    told = {"title": "报告\ud800", "n": [1, 2.5, None], "deep": {"x": "\r\n"}}
    store.enqueue([make("a", told), make("b", told, channel="hook"), make("c", dict(told, n=0))], house.now)
    assert by_hand(store.url, "select count(*) from payload") == [(2,)]
    known = {a.id: a.payload for a in ask.alerts()}
    assert known["a"] is known["b"]
    assert dict(known["b"]) == told
    assert known["c"]["n"] == 0
    assert isinstance(known["a"], Told)


def test_payloads_made_one_after_the_other_are_not_taken_for_each_other(store, ask, house) -> None:
    store.enqueue((make(str(n), {"n": n}) for n in range(50)), house.now)
    assert {a.id: a.payload["n"] for a in ask.alerts()} == {str(n): n for n in range(50)}


def test_a_digest_of_kept_alerts_is_kept(store, ask, house) -> None:
    store.enqueue([make("a", {"title": "x"})], house.now)
    [kept] = ask.alerts()
    store.enqueue([make("d", {"changes": [dict(kept.payload)]}), make("e", kept.payload)], house.now)
    known = {a.id: a.payload for a in ask.alerts()}
    assert known["d"]["changes"] == [{"title": "x"}]
    assert known["e"] is known["a"]


def test_an_attempt_does_not_write_it_again(store, house) -> None:
    store.enqueue([make("a", {"title": "".join(map(chr, range(0x4E00, 0x9000)))})], house.now)
    log = store.path.with_name(store.path.name + "-wal")
    before = log.stat().st_size
    for _ in range(5):
        store.record_delivery(Delivery("a", house.now, ok=False, error="451"), house.now)
    assert log.stat().st_size - before < 5 * 9 * 4200, "five attempts are a few pages each"


def test_what_nobody_tells_any_more_is_forgotten(store, ask, house) -> None:
    store.enqueue([make("a", {"n": 1}), make("b", {"n": 1}, channel="hook"), make("c", {"n": 2})], house.now)
    for name in "ac":
        store.record_delivery(Delivery(name, house.now, ok=True))
    store.prune([Retention(alerts=timedelta(days=1))], house.now + timedelta(days=2))
    assert [(a.id, a.payload["n"]) for a in ask.alerts()] == [("b", 1)]
    assert by_hand(store.url, "select count(*) from payload") == [(1,)]


@pytest.mark.parametrize("harm", ["delete from payload", "update payload set data = x'00ff'"])
def test_damage_is_named(store, ask, url, house, harm) -> None:
    store.enqueue([make("a", {"n": 1}), make("b", {"n": 1}, channel="hook")], house.now)
    assert care.check(url) == []
    by_hand(url, harm)
    [found] = care.check(url)
    assert (found.what, found.subject) == ("alert", "a, b")
    assert ask.alerts() == []
    assert ["mubiao db check" in line for line in ask.unread] == [True, True]


def test_a_power_cut_costs_a_second_of_deliveries_at_most(store, house) -> None:
    """Only what repeats when it is lost may be written without waiting for the disk; afterwards all is as before."""

    def level() -> int:
        with closing(store._writer.raw_connection()) as raw:
            return int(raw.cursor().execute("PRAGMA synchronous").fetchone()[0])

    store.enqueue([make("a", {"n": 1})], house.now)
    for _ in range(3):
        store.record_delivery(Delivery("a", house.now, ok=False, error="451"), house.now)
        assert level() == 2  # FULL
    with pytest.raises(StorageError, match="refuses a row"):
        store.record_delivery(Delivery("nobody", house.now, ok=True))
    assert level() == 2
