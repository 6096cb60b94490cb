"""The outbox: claimed under a lease, tried again, dead or sent; digests folded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import Alert, Delivery

pytestmark = pytest.mark.both_dialects

LEASE = 300.0


def make(name: str, **fields) -> Alert:
    return Alert(**({"id": name, "key": name, "channel": "desk", "type": "test", "payload": {"n": 1}} | fields))


def test_claimed_alerts_come_back_when_the_lease_ends(store, house) -> None:
    assert store.enqueue([make("a"), make("b")], house.now) == 2
    assert store.enqueue([make("other", key="a")], house.now) == 0
    assert [a.id for a in store.claim_alerts(house.now, 1, LEASE)] == ["a"]
    assert [a.id for a in store.claim_alerts(house.now, 9, LEASE)] == ["b"]
    assert store.claim_alerts(house.now, 9, LEASE) == []
    assert len(store.claim_alerts(house.now + timedelta(seconds=LEASE), 9, LEASE)) == 2


def test_a_channel_claims_its_own_alerts(store, house) -> None:
    store.enqueue([make("a"), make("b", channel="hook"), make("c", channel="paper", digest="0 8 * * *")], house.now)
    assert store.channels_due(house.now) == ["desk", "hook"]
    assert [a.id for a in store.claim_alerts(house.now, 9, LEASE, channel="hook")] == ["b"]
    assert store.channels_due(house.now) == ["desk"]
    assert store.claim_alerts(house.now, 9, LEASE, channel="hook") == []
    assert [a.id for a in store.claim_alerts(house.now, 9, LEASE)] == ["a"]


def test_an_alert_is_tried_until_it_is_sent(store, ask, house) -> None:
    store.enqueue([make("a")], house.now)
    later = house.now + timedelta(minutes=2)
    store.record_delivery(Delivery("a", house.now, ok=False, error="451 later", reached=("x@y",)), later)
    [row] = ask.alerts()
    assert (row.state, row.attempts, row.next_at, row.error, row.reached) == (
        "pending",
        1,
        later,
        "451 later",
        ("x@y",),
    )
    assert store.claim_alerts(house.now, 9, LEASE) == []
    store.record_delivery(Delivery("a", later, ok=True))
    [row] = ask.alerts()
    assert (row.state, row.attempts, row.sent_at, row.next_at, row.error) == ("sent", 2, later, None, None)
    assert store.claim_alerts(later + timedelta(days=1), 9, LEASE) == []


def test_dead_alerts_wait_for_a_person(store, ask, house) -> None:
    store.enqueue([make("a"), make("b"), make("c")], house.now)
    store.record_delivery(Delivery("a", house.now, ok=False, error="550 no", permanent=True), house.now)
    store.record_delivery(Delivery("b", house.now, ok=False, error="tired"))
    store.record_delivery(Delivery("c", house.now, ok=True))
    assert {a.id for a in ask.alerts("dead")} == {"a", "b"}
    assert store.retry_alerts(["a", "c"], house.now) == 1
    assert store.retry_alerts(None, house.now) == 2, "all that failed, sent ones never"
    assert {a.id for a in store.claim_alerts(house.now, 9, LEASE)} == {"a", "b"}


def test_a_digest_replaces_its_parts_and_shares_their_fate(store, ask, house) -> None:
    cron = "0 8 * * *"
    store.enqueue([make("a", digest=cron), make("b", digest=cron), make("c", digest="0 9 * * *")], house.now)
    assert store.claim_alerts(house.now, 9, LEASE) == []
    assert store.digest_groups() == [("desk", cron), ("desk", "0 9 * * *")]
    parts = [a.id for a in store.digest_waiting("desk", cron)]
    assert parts == ["a", "b"]
    whole = make("d", type="digest")
    assert store.fold(parts, whole, house.now)
    assert not store.fold(["c"], whole, house.now), "the same digest is not made twice"
    assert store.digest_groups() == [("desk", "0 9 * * *")]
    assert [a.id for a in store.claim_alerts(house.now, 9, LEASE)] == ["d"]
    store.record_delivery(Delivery("d", house.now, ok=True))
    assert {a.id: a.state for a in ask.alerts()} == {"a": "sent", "b": "sent", "c": "pending", "d": "sent"}


def test_what_a_channel_in_trouble_owes_waits(store, house) -> None:
    store.enqueue([make("a"), make("b", channel="hook"), make("c", digest="0 8 * * *")], house.now)
    until = house.now + timedelta(minutes=2)
    store.hold_alerts("desk", house.now, until)
    assert store.channels_due(house.now) == ["hook"]
    assert store.channels_due(until) == ["desk", "hook"]
    assert [a.id for a in store.digest_waiting("desk", "0 8 * * *")] == ["c"]
    assert store.release_alerts(house.now) == 1, "a daemon that starts anew asks at once"
