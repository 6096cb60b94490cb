from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alerts import chat
from alerts.channels import CHANNELS
from alerts.render import render
from alerts.sending import Settings
from monitor.errors import DeliveryError
from monitor.model import Channel, Message

Make = Callable[..., Settings]


async def test_a_service_gets_the_words_of_the_alert(world: Any, receiver: Any, settings: Make) -> None:
    receiver.script = [world.status(200, "content-type: application/json", body="{}")]
    alert = world.alert()
    channel = Channel("room", "apprise", url=f"ntfy://127.0.0.1:{receiver.port}/yunling")
    await CHANNELS["apprise"](alert, render(alert), channel, settings())
    [(first, _, body)] = receiver.requests
    assert first.startswith("POST /")
    told = json.loads(body)
    assert told["title"].startswith("[目标] 云岭区")
    assert "地区生产总值增速 6%左右 → 5.5%左右 ↓" in told["message"]
    assert alert.payload["url"] in told["message"]


async def test_the_address_may_stand_in_the_environment(world: Any, receiver: Any, settings: Make) -> None:
    receiver.script = [world.status(200, body="{}")]
    alert, channel = world.alert(), Channel("room", "apprise", secret_env="ROOM")
    with pytest.raises(DeliveryError, match="ROOM is not set"):
        await chat.send(alert, render(alert), channel, settings())
    await chat.send(alert, render(alert), channel, settings(ROOM=f"ntfy://127.0.0.1:{receiver.port}/x"))
    assert len(receiver.requests) == 1


async def test_a_refusal_names_the_status_and_not_the_token(world: Any, receiver: Any, settings: Make) -> None:
    receiver.script = [world.status(403, body="tk_secret123 is not allowed")] * 3
    alert = world.alert()
    channel = Channel("room", "apprise", url=f"ntfy://tk_secret123@127.0.0.1:{receiver.port}/yunling-486")
    with pytest.raises(DeliveryError) as caught:
        await chat.send(alert, render(alert), channel, settings())
    assert "did not take the message (HTTP 403)" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not caught.value.permanent


@pytest.mark.parametrize("url", ["nosuch://secret-token", "json://127.0.0.1/secret-token", "wecombot://"])
async def test_what_is_no_service_is_named_without_its_token(world: Any, settings: Make, url: str) -> None:
    alert = world.alert()
    with pytest.raises(DeliveryError) as caught:
        await chat.send(alert, render(alert), Channel("room", "apprise", url=url), settings())
    assert caught.value.permanent
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("limit", [20, 60, 300, 2048, 100_000])
def test_a_text_is_cut_to_what_the_service_takes(world: Any, limit: int) -> None:
    alert = world.alert()
    long = Message(subject="题" * 100, text="第一行\n" + "甲乙丙丁\n" * 3000 + "\n-- \nfoot", html="")
    title, body = chat.fitted(long, alert, 250, limit)
    assert len(title.encode()) <= 250
    assert len(body.encode()) <= limit
    assert "\ufffd" not in body
    assert "foot" not in body
    if 60 < limit < 100_000:
        assert body.startswith("第一行")
        assert body.endswith(alert.payload["url"])
    assert chat.fitted(replace(long, text="短"), alert, 0, limit) == ("", "短")


def test_the_services_we_name_are_known() -> None:
    token = "abcdef01-abcd-abcd-abcd-abcdef012345"
    for address in (
        f"wecombot://{token}", "dingtalk://abcdefgh1234567890abcdefgh", f"feishu://{token}", f"lark://{token}",
        "schan://abcdefghijklmn", "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    ):  # fmt: skip
        assert chat._service(address).body_maxlen > 1000
