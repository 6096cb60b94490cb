"""What a page says stays inert on every way out: e-mail, webhook, feed, chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from alerts.channels import CHANNELS
from alerts.render import render
from alerts.sending import Settings
from monitor.model import Channel, Edit

EVIL = '</td><script>alert(1)</script>\r\nBcc: x@y.example\r\n\r\n=HYPERLINK("http://e.example")\x1b[31m\u202e]]>\x00'
Make = Callable[..., Settings]


@pytest.mark.parametrize("much", [1, 8000], ids=["short", "a megabyte"])
async def test_strings_of_a_page_stay_inert(
    world: Any, settings: Make, mailbox: Any, receiver: Any, tmp_path: Path, much: int
) -> None:
    said = EVIL * much
    change = replace(
        world.change, title=said, release=said[:200], edits=(Edit("replace", said, said[::-1], 0, 0),),
        targets=(world.moved(said, "raised", said, said + "1"),),
    )  # fmt: skip
    alert, given = world.alert(change), settings()
    message = render(alert)
    receiver.script = [world.status(200), world.status(200, body="{}")]
    for channel in (
        Channel("desk", "email", to=("desk@example.org",)),
        Channel("hook", "webhook", url=receiver.url),
        Channel("out", "feed", path=str(tmp_path / "feed.xml")),
        Channel("room", "apprise", url=f"ntfy://127.0.0.1:{receiver.port}/x"),
    ):
        await CHANNELS[channel.type](alert, message, channel, given)

    [(to, mail)] = mailbox.mails
    assert to == "desk@example.org"
    assert mail["Bcc"] is None
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html

    (_, _, body), (_, _, chat) = receiver.requests
    data = json.loads(body)["data"]
    assert data["title"] == said  # data is handed on as it is, inside JSON
    assert "\x1b" not in body.decode()
    told = json.loads(chat)
    assert "\n" not in told["title"]
    assert not {"\x1b", "\u202e", "\x00"} & set(told["message"] + told["title"])
    assert len(told["message"].encode()) <= 8000

    entry = ET.parse(tmp_path / "feed.xml").getroot().find("{http://www.w3.org/2005/Atom}entry")
    assert entry is not None
    assert entry.find("script") is None
    assert "<script" not in str(entry.findtext("{http://www.w3.org/2005/Atom}content"))
    assert max(len(message.text), len(message.html.encode())) <= 100_000
