"""`mubiao alerts …` over one outbox, with no daemon and with a real one holding the database."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.delivery import mark
from monitor.model import Alert, Config, Delivery, Mute, Off
from storage import migrate
from storage.store import Store

PAYLOAD = {"id": "c1", "source": "yunling", "url": "http://yunling.example/1", "title": "报告", "kind": "content"}


def owe(desk: Any, config: Config) -> None:
    """Two messages that nobody can send (no mail server): one waits, one is dead; and a channel that is off."""
    now = datetime.now(UTC)
    (desk.folder / "data").mkdir()
    migrate.upgrade(desk.db, now)
    with Store(desk.db) as store:
        made = [
            Alert(f"msg_{n}", f"c{n}", "desk", "change.detected", PAYLOAD, created=now, next_at=now) for n in (1, 2)
        ]
        store.enqueue(made, now)
        store.record_delivery(Delivery("msg_2", now, ok=False, error="550 5.7.1 no", permanent=True))
        store.turn_off([Off("hook", "", now, "HTTP 410", mark(config.channels[1]))], lambda new: [])


@pytest.fixture
def held(desk: Any, web: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A desk whose database is held by nobody, or by `mubiao run`."""
    config = desk.watch(
        {"key": "yunling", "url": "http://yunling.example/", "enabled": False},
        channels={
            "desk": {"type": "email", "to": ["desk@example.org"], "quiet": "00:00-23:59"},
            "hook": {"type": "webhook", "url": web.url + "/hook"},
        },
        subscriptions=[{"channel": "desk"}],
    )
    owe(desk, config)
    if request.param == "nobody":
        yield desk
        return
    process = desk.spawn("run", "--no-web", "--log", "json")
    seen = []
    for line in process.stderr:
        seen.append(line)
        if '"watching"' in line:
            break
    else:
        raise AssertionError("".join(seen))
    yield desk
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err


def outbox(desk: Any) -> dict[str, str]:
    return {row["id"]: row["state"] for row in desk.run("alerts", "list", "--json").json}


def mute_and_unmute(held: Any) -> None:
    assert held.run("alerts", "muted", "--json").json == []
    done = held.run("alerts", "mute", "yunling", "--for", "7d", "--why", "网站改版")
    assert (done.code, done.out) == (0, "")
    assert held.run("alerts", "mute", "--indicator", "地区生产总值", "--channel", "desk").code == 0
    first, second = held.run("alerts", "muted", "--json").json
    assert (first["id"], first["source"], first["why"], first["channel"]) == ("m1", "yunling", "网站改版", None)
    assert (second["indicator"], second["channel"], second["until"]) == ("地区生产总值", "desk", None)
    assert "网站改版" in held.run("alerts", "muted").out
    assert held.run("alerts", "unmute", "m1", "m2").code == 0
    assert held.run("alerts", "unmute", "m1").code == 1
    assert held.run("alerts", "muted", "--json").json == []


def preview_digest(held: Any) -> None:
    nothing = held.run("alerts", "preview", "--channel", "desk")
    assert (nothing.code, nothing.out) == (2, "")
    assert "no change waits for a digest of desk" in nothing.err
    with Store(held.db) as store:
        for n in (1, 2, 3):
            change = PAYLOAD | {"title": f"报告{n}", "url": f"http://yunling.example/{n}", "source": f"s{n}"}
            now = datetime.now(UTC)
            store.enqueue([Alert(f"d{n}", f"d{n}", "desk", "change.detected", change, "en", digest="0 8 * * *")], now)
        store.mute(Mute("", None, source="s3"), now)
    done = held.run("alerts", "preview", "--channel", "desk")
    assert done.code == 0, done.err
    assert "[digest]" in done.out
    assert ["报告1" in done.out, "报告2" in done.out, "报告3" in done.out] == [True, True, False]
    done = held.run("alerts", "preview", "--channel", "desk", "--html", "d.html")
    assert "报告2" in (held.folder / "d.html").read_text(encoding="utf-8")
    assert [outbox(held)[f"d{n}"] for n in (1, 2, 3)] == ["pending"] * 3
    assert "name a source or a change" in held.run("alerts", "preview").err


def acknowledge(held: Any) -> None:
    assert outbox(held) == {"msg_1": "pending", "msg_2": "dead"}
    assert held.run("alerts", "ack", "msg_1").code == 0
    assert outbox(held) == {"msg_1": "muted", "msg_2": "dead"}
    listed = {row["id"]: row for row in held.run("alerts", "list", "--json").json}
    assert listed["msg_1"]["acked_at"] is not None
    missing = held.run("alerts", "ack", "msg_9")
    assert missing.code == 2
    assert "no alert msg_9" in missing.err


def enable(held: Any) -> None:
    rows = {row["channel"]: row for row in held.run("alerts", "channels", "--json").json}
    assert (rows["desk"]["state"], rows["desk"]["waiting"], rows["desk"]["dead"]) == ("on", 1, 1)
    assert (rows["hook"]["state"], rows["hook"]["type"], rows["hook"]["why"]) == ("off", "webhook", "HTTP 410")
    assert held.run("alerts", "enable", "hook").code == 0
    rows = {row["channel"]: row for row in held.run("alerts", "channels", "--json").json}
    assert rows["hook"]["state"] == "on"
    assert "was not off" in held.run("alerts", "enable", "hook", "--lang", "en").err


@pytest.mark.parametrize("held", ["nobody", "daemon"], indirect=True)
def test_what_is_said_to_the_outbox(held: Any) -> None:
    """By the same words with a daemon and without one; one daemon for all, because each takes a second to start."""
    for part in (mute_and_unmute, enable, acknowledge):
        part(held)


@pytest.mark.parametrize("held", ["nobody"], indirect=True)
def test_the_digest_that_waits_is_previewed_and_stays(held: Any) -> None:
    preview_digest(held)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mute",), "name what to mute"),
        (("mute", "yunlin"), "did you mean yunling"),
        (("mute", "yunling", "--channel", "nobody"), "no channel 'nobody'"),
        (("mute", "yunling", "--for", "soon"), "like 12h or 7d"),
        (("mute", "yunling", "--for", "1d", "--until", "2030-01-01"), "exclude each other"),
        (("mute", "yunling", "--until", "2020-01-01"), "over already"),
        (("unmute", "x"), "is no id"),
        (("enable", "nobody"), "no channel 'nobody'"),
    ],
)
def test_mistakes_are_named(desk: Any, arguments: tuple[str, ...], said: str) -> None:
    desk.watch(
        {"key": "yunling", "url": "http://yunling.example/"},
        channels={"desk": {"type": "email", "to": ["desk@example.org"]}},
    )
    done = desk.run("alerts", *arguments)
    assert done.code == 2
    assert said in done.err


def test_a_retry_goes_to_the_running_daemon(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    """A receiver that refused is mended; `retry --all` has the daemon send what was given up, once."""
    web.put("/hook", "no", status=400)
    desk.watch(channels={"hook": {"type": "webhook", "url": web.url + "/hook"}})
    (desk.folder / "data").mkdir()
    now = datetime.now(UTC)
    migrate.upgrade(desk.db, now)
    with Store(desk.db) as store:
        store.enqueue([Alert("msg_1", "c1", "hook", "test", PAYLOAD, created=now, next_at=now)], now)
        store.record_delivery(Delivery("msg_1", now, ok=False, error="HTTP 400", permanent=True))
    process = desk.spawn("run", "--no-web", "--log", "json")
    for line in process.stderr:
        if '"watching"' in line:
            break
    web.put("/hook", "", status=204)
    done = desk.run("alerts", "retry", "--all", "--lang", "en")
    assert done.code == 0, done.err
    assert "1 handed to the running daemon" in done.err
    for _ in range(2000):
        if outbox(desk) == {"msg_1": "sent"}:
            break
    assert web.asked.count("/hook") == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert json.loads(line)["event"] == "watching"
