from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerts import rules, webhook
from alerts.sending import Settings
from monitor import wire
from monitor.errors import DeliveryError
from monitor.model import Channel, Failure, Message, Off, Page, Subscription

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2))
NOW = datetime(2026, 1, 9, 2, 46, tzinfo=UTC)
Make = Callable[..., Settings]


def hook(url: str, **fields: Any) -> Channel:
    return Channel(**{"name": "hook", "type": "webhook", "url": url, "secret_env": "HOOK_SECRET"} | fields)


async def deliver(world: Any, channel: Channel, settings: Settings, **fields: Any) -> None:
    alert = world.alert(**fields)
    await webhook.send(alert, Message("", "", ""), channel, settings)


async def test_body_and_signature(world: Any, receiver: Any, settings: Make) -> None:
    await deliver(world, hook(receiver.url), settings(HOOK_SECRET=NEW))
    [(first, headers, body)] = receiver.requests
    assert first == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "msg_0001"
    data = Webhook(NEW).verify(body, headers)
    assert data["type"] == "targets.changed"
    assert data["timestamp"] == "2026-01-09T02:46:00.000Z"
    assert data["data"]["targets"][0]["from"]["value_text"] == "6%左右"
    assert "云岭区".encode() in body  # readable, not escaped
    assert b": " not in body.replace("：".encode(), b"")  # compact
    assert body.count(b"\n") == 0
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body.replace(b"5.5", b"6.5"), headers)


async def test_a_lone_surrogate_holds_nothing_back(world: Any, receiver: Any, settings: Make) -> None:
    payload = {"title": "断\ud800字\r\nX: 1\x1b[31m"}
    await deliver(world, hook(receiver.url), settings(HOOK_SECRET=NEW), payload=payload)
    [(_, headers, body)] = receiver.requests
    assert Webhook(NEW).verify(body, headers)["data"]["title"] == "断?字\r\nX: 1\x1b[31m"
    assert b"\x1b" not in body  # escaped by JSON
    assert "x" not in headers


async def test_two_keys_while_they_are_changed(world: Any, receiver: Any, settings: Make) -> None:
    await deliver(world, hook(receiver.url), settings(HOOK_SECRET=f"{NEW} {OLD}"))
    [(_, headers, body)] = receiver.requests
    assert Webhook(OLD).verify(body, headers) == Webhook(NEW).verify(body, headers) == json.loads(body)


async def test_every_retry_carries_the_same_id(world: Any, receiver: Any, settings: Make) -> None:
    receiver.script = [world.status(500)]
    with pytest.raises(DeliveryError):
        await deliver(world, hook(receiver.url), settings(HOOK_SECRET=NEW))
    await deliver(world, hook(receiver.url), settings(HOOK_SECRET=NEW), attempts=1)
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == ["msg_0001", "msg_0001"]


@pytest.mark.parametrize(
    ("code", "headers", "permanent", "wait"),
    [
        (500, (), False, None),
        (404, (), False, None),
        (410, (), False, None),
        (429, ("Retry-After: 120",), False, 120.0),
        (503, ("Retry-After: 7",), False, 7.0),
        (503, ("Retry-After: soon",), False, None),
        (500, ("Retry-After: 120",), False, None),
        (301, ("Location: http://127.0.0.1:1/",), False, None),
    ],
)
async def test_answers(
    world: Any, receiver: Any, settings: Make, code: int, headers: tuple[str, ...], permanent: bool, wait: float | None
) -> None:
    receiver.script = [world.status(code, *headers, body="<b>no</b>\r\n\x1b[31mreason")]
    with pytest.raises(DeliveryError) as caught:
        await deliver(world, hook(receiver.url), settings(HOOK_SECRET=NEW))
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, wait)
    assert caught.value.gone == (("",) if code == 410 else ())
    assert f"HTTP {code}" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(receiver.requests) == 1  # a redirect is not followed


@pytest.mark.parametrize("behaviour", ["hang", "reset", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n"])
async def test_a_broken_receiver_is_tried_again(world: Any, receiver: Any, settings: Make, behaviour: Any) -> None:
    receiver.script = [behaviour]
    with pytest.raises(DeliveryError) as caught:
        await deliver(world, hook(receiver.url), settings(timeout=0.3, HOOK_SECRET=NEW))
    assert not caught.value.permanent


async def test_nobody_listens(world: Any, settings: Make) -> None:
    with pytest.raises(DeliveryError, match="ConnectError") as caught:
        await deliver(world, hook("http://127.0.0.1:1/"), settings(HOOK_SECRET=NEW))
    assert not caught.value.permanent


async def test_the_guard_stands_before_a_webhook_too(world: Any, receiver: Any, settings: Make) -> None:
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1") as caught:
        await deliver(world, hook(receiver.url), settings(allow=(), HOOK_SECRET=NEW))
    assert caught.value.permanent
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("channel", "env", "words", "permanent"),
    [
        (hook(""), {}, "no url", True),
        (hook("ftp://a.example/"), {"HOOK_SECRET": NEW}, "not usable", True),
        (hook("http://a.example:bad/"), {"HOOK_SECRET": NEW}, "not usable", True),
        (hook("http://127.0.0.1:1/"), {}, "HOOK_SECRET holds no secret", False),
        (hook("http://127.0.0.1:1/"), {"HOOK_SECRET": "whsec_§hunter2"}, "not whsec_", True),
        (hook("http://127.0.0.1:1/"), {"HOOK_SECRET": "whsec_"}, "not whsec_", True),
    ],
)
async def test_a_wrong_channel(
    world: Any, settings: Make, channel: Channel, env: dict[str, str], words: str, permanent: bool
) -> None:
    with pytest.raises(DeliveryError, match=words) as caught:
        await deliver(world, channel, settings(**env))
    assert caught.value.permanent is permanent
    assert "hunter2" not in str(caught.value)


async def test_a_channel_without_a_secret_is_unsigned(world: Any, receiver: Any, settings: Make) -> None:
    await deliver(world, replace(hook(receiver.url), secret_env=None), settings())
    [(_, headers, _)] = receiver.requests
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "msg_0001"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("60", 60.0),
        (" 5 ", 5.0),
        ("-3", None),
        ("٣", None),
        ("Fri, 09 Jan 2026 02:47:00 GMT", 60.0),
        ("Fri, 09 Jan 2026 02:45:00 GMT", 0.0),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert webhook.retry_after(value, NOW) == seconds


def test_settings_do_not_show_secrets(settings: Make) -> None:
    assert "hunter2" not in repr(settings(HOOK_SECRET="hunter2"))


# --------------------------------------------------------------------------- the published schema

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/webhook.schema.json").read_text(encoding="utf-8"))
_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def breaches(value: Any, rule: dict[str, Any], path: str = "$") -> list[str]:
    """What of a value is not as this part of the schema says: the few words of JSON Schema that it uses."""
    if "$ref" in rule:
        return breaches(value, SCHEMA["$defs"][rule["$ref"].rpartition("/")[2]], path)
    kinds = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type", [])
    if kinds and not any(value is None if k == "null" else isinstance(value, _TYPES[k]) for k in kinds):
        return [f"{path}: {value!r} is not {kinds}"]
    if "enum" in rule and value not in rule["enum"]:
        return [f"{path}: {value!r} is not among {rule['enum']}"]
    found = []
    if isinstance(value, dict):
        found = [f"{path}: no {name}" for name in rule.get("required", ()) if name not in value]
        known = rule.get("properties", {})
        found += [f"{path}: {name} is not in the schema" for name in value if known and name not in known]
        for name in known.keys() & value.keys():
            found += breaches(value[name], known[name], f"{path}.{name}")
    if isinstance(value, list) and "items" in rule:
        found += [b for n, one in enumerate(value) for b in breaches(one, rule["items"], f"{path}[{n}]")]
    return found


def shape(kind: str) -> dict[str, Any]:
    [rule] = [one for one in SCHEMA["oneOf"] if one["properties"]["type"]["const"] == kind]
    return dict(rule["properties"]["data"])


async def test_what_is_sent_is_as_the_schema_says(world: Any) -> None:
    change = world.alert()
    off = rules.turned_off([Off("desk", "", NOW, "HTTP 410", "")], ["hook"], (), now=NOW)
    alerts = [change, rules.fold([change, change], now=NOW), rules.trial("hook", now=NOW), *off]
    page = Page(id=1, source="a", url="http://a.example/", failing_since=NOW, consecutive=3)
    about = wire.failure(page, Failure("http_500", status=500, detail="no"))
    everyone = (Subscription("hook", on=("health",)),)
    alerts += rules.match_health("source.failing", about, world.source, everyone, now=NOW)
    alerts += rules.confirm([change], now=NOW)
    assert len(alerts) == 6
    for alert in alerts:
        body = json.loads(wire.webhook(alert, NOW))
        assert breaches(body, {k: v for k, v in SCHEMA.items() if k != "oneOf"}) == []
        assert breaches(body["data"], shape(alert.type), alert.type) == []
    assert breaches({"channel": 1}, shape("test"))


def test_the_schema_and_the_document_name_the_same_types() -> None:
    told = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8").split("## Webhooks")[1]
    rows = [line.split(" | ")[0] for line in told.splitlines() if line.startswith("| `")]
    assert {t for row in rows for t in re.findall(r"`([a-z.]+)`", row)} - {"type"} == set(
        SCHEMA["properties"]["type"]["enum"]
    )
