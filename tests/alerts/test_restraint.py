from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from alerts import restraint
from monitor.model import Alert, Channel, Mute, Quiet, Rate

NIGHT = Channel("desk", "email", quiet=Quiet(time(22), time(7)))  # 22:00-07:00 in Shanghai
NOON = Channel("desk", "email", quiet=Quiet(time(12), time(13, 30)), timezone="UTC")
AT = datetime(2026, 1, 9, 2, 46, tzinfo=UTC)  # 10:46 in Shanghai


def an_alert(number: int, kind: str = "change.detected", created: datetime = AT, **payload: Any) -> Alert:
    return Alert(f"msg_{number}", f"c{number}:desk", "desk", kind, payload, created=created)


@pytest.mark.parametrize(
    ("channel", "at", "since"),
    [
        (NIGHT, "2026-01-09T22:00+08:00", "2026-01-09T22:00+08:00"),
        (NIGHT, "2026-01-10T06:59+08:00", "2026-01-09T22:00+08:00"),
        (NIGHT, "2026-01-10T07:00+08:00", None),
        (NIGHT, "2026-01-09T21:59+08:00", None),
        (NOON, "2026-01-09T13:29+00:00", "2026-01-09T12:00+00:00"),
        (NOON, "2026-01-09T13:30+00:00", None),
        (Channel("desk", "email"), "2026-01-09T03:00+08:00", None),
    ],
)
def test_quiet_hours(channel: Channel, at: str, since: str | None) -> None:
    found = restraint.quiet_since(channel, datetime.fromisoformat(at))
    assert found == (datetime.fromisoformat(since) if since else None)


def test_a_limit_counts_what_was_sent_within_its_span() -> None:
    sent = [AT - timedelta(minutes=m) for m in (90, 59, 10)]
    assert restraint.allowance(Rate(3, timedelta(hours=1)), sent, AT) == 1
    assert restraint.allowance(Rate(2, timedelta(hours=1)), sent, AT) == 0
    assert restraint.allowance(None, sent, AT) is None


def test_too_many_become_the_most_telling_ones_and_a_digest() -> None:
    waiting = [an_alert(n, significance=n / 10) for n in range(6)]
    waiting.append(an_alert(6, "targets.changed", significance=0.1))
    alone, folded = restraint.portion(Channel("desk", "email"), waiting, 3, AT)
    assert [a.id for a in alone] == ["msg_5", "msg_6"]  # in the order they were made
    assert [a.id for a in folded] == ["msg_0", "msg_1", "msg_2", "msg_3", "msg_4"]


def test_health_is_never_folded() -> None:
    waiting = [an_alert(1, "source.failing"), an_alert(2), an_alert(3), an_alert(4)]
    alone, folded = restraint.portion(Channel("desk", "email"), waiting, 2, AT)
    assert [a.id for a in alone] == ["msg_1"]
    assert [a.id for a in folded] == ["msg_2", "msg_3", "msg_4"]


def test_what_the_night_brought_is_one_message() -> None:
    night, morning = AT - timedelta(hours=5), AT + timedelta(hours=2)
    few = [an_alert(n, created=night) for n in range(3)]
    assert restraint.portion(NIGHT, few, None, morning) == (few, [])
    many = [an_alert(n, created=night) for n in range(5)]
    day = an_alert(9, created=AT)
    assert restraint.portion(NIGHT, [*many, day], None, morning) == ([day], many)


def test_one_is_sent_as_itself() -> None:
    waiting = [an_alert(1)]
    assert restraint.portion(Channel("desk", "email"), waiting, 1, AT) == (waiting, [])


LINE = {
    "canonical": "地区生产总值",
    "indicator": "GDP",
    "change": "lowered",
    "to": {"indicator_id": "gdp"},
    "from": None,
}
OTHER = {**LINE, "canonical": "外贸进出口", "indicator": "进出口", "to": {"indicator_id": "trade"}}


@pytest.mark.parametrize(
    ("mute", "payload", "falls"),
    [
        ({}, {}, True),
        ({"source": "a"}, {"source": "a"}, True),
        ({"source": "a"}, {"source": "b"}, False),
        ({"channel": "hook"}, {"source": "a"}, False),
        ({"url": "http://x/1", "source": "a"}, {"source": "a", "url": "http://x/2"}, False),
        ({"indicator": "gdp"}, {"targets": [LINE]}, True),
        ({"indicator": "GDP"}, {"targets": [LINE]}, True),
        ({"indicator": "gdp"}, {"targets": [LINE, OTHER]}, False),  # something else moved with it
        ({"indicator": "gdp"}, {"targets": []}, False),
    ],
)
def test_what_is_muted(mute: dict[str, Any], payload: dict[str, Any], falls: bool) -> None:
    found = restraint.muted(an_alert(1, **payload), [Mute("m1", None, **mute)])
    assert (found is not None) is falls


def test_a_confirmation_takes_only_the_room_that_news_leaves() -> None:
    waiting = [an_alert(1), an_alert(2, restraint.FOLLOWS), an_alert(3), an_alert(4, restraint.FOLLOWS)]
    for allowed, sent in ((None, "1234"), (4, "1234"), (3, "123"), (2, "13")):
        alone, folded = restraint.portion(Channel("desk", "email"), waiting, allowed, AT)
        assert ["".join(a.id[-1] for a in alone), folded] == [sent, []]
    alone, folded = restraint.portion(Channel("desk", "email"), waiting, 1, AT)
    assert ([a.id for a in alone], [a.id for a in folded]) == ([], ["msg_1", "msg_3"])
