from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import rules
from monitor.model import Subscription

CASES = yaml.safe_load((Path(__file__).parents[1] / "data" / "alerts" / "rules.yaml").read_text(encoding="utf-8"))


def tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_who_is_told(world: Any, case: dict[str, Any]) -> None:
    subscription = Subscription(channel="desk", **tuples(case["sub"]))
    change = replace(world.change, **tuples(case.get("change", {})))
    told = rules.match(change, world.source, [subscription], now=world.now, text="今年办好十件民生实事。")
    assert bool(told) is case["told"]


def test_one_alert_for_a_change_and_a_channel(world: Any) -> None:
    daily = Subscription(channel="desk", digest="0 8 * * *", lang="en")
    now = Subscription(channel="desk", on=("targets",))
    other = Subscription(channel="hook", digest="0 8 * * *")
    told = rules.match(world.change, world.source, [daily, now, other, now], now=world.now)
    assert [(a.key, a.digest, a.lang, a.next_at) for a in told] == [
        ("c7:desk", None, "zh", world.now),  # at once wins over a digest
        ("c7:hook", "0 8 * * *", "zh", None),
    ]
    assert len({a.id for a in told}) == 2


def test_type_and_payload(world: Any) -> None:
    told = rules.match(world.change, world.source, [Subscription("desk")], now=world.now, place="云岭区")[0]
    assert told.type == "targets.changed"
    assert told.payload["place"] == "云岭区"
    assert told.payload["name"] == "云岭区政府工作报告"
    assert told.payload["targets"][0]["to"]["value_text"] == "5.5%左右"
    assert (told.change, told.created, told.state) == ("c7", world.now, "pending")


def test_a_result_that_moved_is_no_target(world: Any) -> None:
    result = world.moved("地区生产总值", "raised", "6.1%", "6.2%", side={"role": "actual"})
    told = rules.match(replace(world.change, targets=(result,)), world.source, [Subscription("desk")], now=world.now)
    assert told[0].type == "change.detected"


def test_health_goes_to_those_who_asked_once_for_a_spell(world: Any) -> None:
    asked = Subscription(channel="desk", on=("health",), indicators=("地区生产总值",))
    everything = Subscription(channel="hook")
    failure = {
        "source": "yunling-report",
        "url": "http://yunling.example/",
        "error": "timeout",
        "since": "2026-01-09T02:00:00Z",
    }
    first = rules.match_health("source.failing", failure, world.source, [asked, everything, asked], now=world.now)
    again = rules.match_health(
        "source.failing", failure | {"consecutive": 9}, world.source, [asked], now=world.now + timedelta(hours=1)
    )
    later = rules.match_health(
        "source.failing", failure | {"since": "2026-01-10T02:00:00Z"}, world.source, [asked], now=world.now
    )
    assert [a.channel for a in first] == ["desk"]
    assert first[0].payload["error"] == "timeout"
    assert first[0].key == again[0].key != later[0].key


def test_ids_are_unique_and_ordered_by_time(world: Any) -> None:
    made = [rules.message_id(world.now + timedelta(milliseconds=n)) for n in range(200)]
    assert made == sorted(made)
    assert len({rules.message_id(world.now) for _ in range(1000)}) == 1000


def test_a_digest_holds_all_that_waited_oldest_first(world: Any) -> None:
    waiting = [
        world.alert(id="msg_2", key="c8:desk", created=world.now, payload={"id": "c8"}),
        world.alert(id="msg_1", key="c7:desk", created=world.now - timedelta(hours=3), payload={"id": "c7"}),
    ]
    digest = rules.fold(waiting, now=world.now + timedelta(hours=1))
    assert digest.type == "digest"
    assert digest.key == "digest:c7:desk"
    assert [c["id"] for c in digest.payload["changes"]] == ["c7", "c8"]
    assert digest.payload["since"] == "2026-01-08T23:46:00.000Z"
    assert digest.digest is None
    assert digest.next_at == world.now + timedelta(hours=1)


def test_a_trial_is_due_at_once(world: Any) -> None:
    trial = rules.trial("desk", now=world.now)
    assert (trial.type, trial.channel, trial.next_at) == ("test", "desk", world.now)
