"""What may be asked of the outbox, as plain JSON values in and out; each order over a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import orders
from monitor.errors import UsageError
from monitor.model import Alert, Delivery, Off
from storage import migrate
from storage.queries import Queries
from storage.store import Store

NOW = datetime(2026, 1, 9, 2, 46, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'mubiao.db'}"
    migrate.upgrade(url, NOW)
    with Store(url) as opened:
        yield opened


def owe(store: Store, *numbers: int, channel: str = "desk") -> None:
    made = [Alert(f"msg_{n}", f"c{n}", channel, "change.detected", {}, created=NOW, next_at=NOW) for n in numbers]
    store.enqueue(made, NOW)


def states(store: Store) -> dict[str, str]:
    with Queries(store.url) as ask:
        return {a.id: a.state for a in ask.alerts()}


def do(store: Store, order: str, **given: Any) -> Mapping[str, Any]:
    """Carried out as it comes over the socket: JSON in, JSON out."""
    done = orders.carry_out(store, order, json.loads(json.dumps(given)), NOW)
    return dict(json.loads(json.dumps(done)))


def test_mute_and_unmute(store: Store) -> None:
    until = (NOW + timedelta(days=7)).isoformat()
    done = do(store, "mute", source="yunling", until=until, why="rebuilt")
    assert (done["id"], done["source"], done["why"]) == ("m1", "yunling", "rebuilt")
    assert datetime.fromisoformat(done["until"]) == NOW + timedelta(days=7)
    assert do(store, "mute", indicator="gdp")["until"] is None
    assert [m.id for m in store.mutes(NOW)] == ["m1", "m2"]
    assert do(store, "unmute", ids=["m1", "m9"]) == {"unmuted": 1}
    assert [m.id for m in store.mutes(NOW)] == ["m2"]


def test_acknowledge_enable_and_retry(store: Store) -> None:
    owe(store, 1, 2, 3)
    assert do(store, "acknowledge", ids=["msg_1"]) == {"acknowledged": 1}
    assert states(store)["msg_1"] == "muted"
    store.record_delivery(Delivery("msg_2", NOW, ok=False, error="HTTP 400", permanent=True))
    assert do(store, "retry", ids=None) == {"retried": 1}
    assert states(store)["msg_2"] == "pending"
    assert do(store, "enable", channel="desk") == {"enabled": []}
    store.turn_off([Off("desk", "", NOW, "HTTP 410", "x")], lambda new: [])
    [on] = do(store, "enable", channel="desk")["enabled"]
    assert (on["channel"], on["recipient"], on["why"]) == ("desk", None, "HTTP 410")
    assert store.off() == []


@pytest.mark.parametrize(
    ("order", "given", "said"),
    [
        ("drop", {}, "no order 'drop'; there are: mute, unmute, acknowledge, enable, retry"),
        ("mute", {}, "name what to mute"),
        ("mute", {"source": "a", "until": "2026-01-01T00:00:00Z"}, "is over already"),
        ("mute", {"source": "a", "until": "soon"}, "'soon' is no time"),
        ("mute", {"source": "a", "until": "2027-01-01T00:00:00"}, "has no time zone"),
        ("mute", {"source": ["a"]}, "is no text"),
        ("mute", {"source": "a" * 3000}, "is no text"),
        ("unmute", {"ids": "m1"}, "a list of texts"),
        ("unmute", {"ids": ["; drop table"]}, "is no id"),
        ("acknowledge", {"ids": ["msg_9"]}, "no alert msg_9"),
        ("acknowledge", {}, "a list of texts"),
        ("retry", {"ids": [1]}, "a list of texts"),
    ],
)
def test_what_makes_no_sense_is_said(store: Store, order: str, given: Mapping[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        orders.carry_out(store, order, given, NOW)
    assert store.mutes(NOW) == []


def test_what_a_dead_sender_had_claimed_is_due_again_and_back_off_is_kept(store: Store) -> None:
    owe(store, 1, 2)
    store.record_delivery(Delivery("msg_2", NOW, ok=False, error="HTTP 500"), NOW + timedelta(hours=1))
    assert [a.id for a in store.claim_alerts(NOW, 10, 300)] == ["msg_1"]
    assert store.claim_alerts(NOW, 10, 300) == []
    assert store.release_alerts(NOW) == 1
    assert [a.id for a in store.claim_alerts(NOW, 10, 300)] == ["msg_1"]
