"""The outbox on a real database, with senders that do as they are told; at the end real mail and a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from alerts import rules
from alerts.sending import PartlyDeliveredError, Settings
from monitor.delivery import BACKOFF, LEASE, PATIENCE, Deliverer
from monitor.errors import DeliveryError, UsageError
from monitor.model import Alert, Channel, Config, Message, Mute, Network, Quiet, Rate, Subscription
from monitor.net import Guard, Pools
from storage import migrate
from storage.queries import Queries
from storage.store import Store

NOW = datetime(2026, 1, 9, 2, 46, tzinfo=UTC)
CHANNELS = tuple(Channel(name=name, type="told") for name in ("desk", "hook"))
PAYLOAD = {"id": "c1", "source": "yunling", "url": "http://yunling.example/1", "title": "报告", "kind": "content"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'mubiao.db'}"
    migrate.upgrade(url, NOW)
    with Store(url) as opened:
        yield opened


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Told:
    """A sender that keeps what it sent and raises what it is told to, by channel."""

    trouble: dict[str, BaseException] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        assert message.subject.startswith("[")
        self.tried.append((channel.name, alert.id))
        if channel.name in self.trouble:
            raise self.trouble[channel.name]
        self.sent.append((channel.name, alert.id))


def deliverer(store: Store, sender: Any, clock: Clock | None = None, **fields: Any) -> Deliverer:
    settings = Settings(env={}, pool=Pools(Guard(Network())).transport, clock=clock or Clock())
    options: dict[str, Any] = {"senders": {"told": sender}, "jitter": lambda: 0.5} | fields
    return Deliverer(store, Config(channels=CHANNELS), settings, **options)


def an_alert(number: int, channel: str = "desk", **fields: Any) -> Alert:
    made: dict[str, Any] = {
        "id": f"msg_{number}", "key": f"c{number}:{channel}", "channel": channel, "type": "change.detected",
        "payload": PAYLOAD, "created": NOW, "next_at": NOW,
    }  # fmt: skip
    return Alert(**made | fields)


def kept(store: Store, *, later: timedelta = timedelta(days=30)) -> dict[str, Alert]:
    """What is still pending, by id."""
    return {a.id: a for a in store.claim_alerts(NOW + later, 1000, 0)}


async def test_what_is_due_is_sent_once(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2, "hook"), an_alert(3, next_at=NOW + timedelta(hours=1))], NOW)
    sender = Told()
    done = await deliverer(store, sender).deliver_due(NOW)
    assert sorted(sender.sent) == [("desk", "msg_1"), ("hook", "msg_2")]
    assert [d.ok for d in done] == [True, True]
    assert await deliverer(store, sender).deliver_due(NOW) == []
    assert set(kept(store)) == {"msg_3"}


async def test_back_off_grows_until_the_letter_is_dead(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    clock, sender = Clock(), Told({"desk": DeliveryError("HTTP 500")})
    waits = []
    for _ in BACKOFF:
        [delivery] = await deliverer(store, sender, clock).deliver_due(clock.at)
        assert not delivery.ok
        clock.at += timedelta(days=1)
        [alert] = store.claim_alerts(clock.at, 1, 0)
        assert alert.next_at is not None
        waits.append(alert.next_at - delivery.at)
    assert waits == [step * 1.1 for step in BACKOFF]  # jitter: half of 20 %
    [delivery] = await deliverer(store, sender, clock).deliver_due(clock.at)
    assert kept(store) == {}
    assert len(sender.tried) == len(BACKOFF) + 1

    # it is not lost: retrying makes it due again
    assert store.retry_alerts(None, clock.at) == 1
    await deliverer(store, Told(), clock).deliver_due(clock.at)
    assert kept(store) == {}


async def test_a_permanent_error_is_dead_at_once(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2, "gone"), an_alert(3, "hook")], NOW)
    sender = Told({"desk": DeliveryError("HTTP 410", permanent=True)})
    done = {d.alert: d for d in await deliverer(store, sender).deliver_due(NOW)}
    assert (done["msg_1"].permanent, done["msg_1"].error) == (True, "HTTP 410")
    assert done["msg_2"].error == "sources.yaml has no channel gone"
    assert done["msg_3"].ok
    assert kept(store) == {}


async def test_retry_after_is_heard(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    await deliverer(store, Told({"desk": DeliveryError("HTTP 429", retry_after=600)})).deliver_due(NOW)
    assert store.claim_alerts(NOW + timedelta(seconds=599), 10, 0) == []
    assert set(kept(store, later=timedelta(seconds=600))) == {"msg_1"}


async def test_retry_after_is_not_for_ever(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    await deliverer(store, Told({"desk": DeliveryError("HTTP 429", retry_after=1e12)})).deliver_due(NOW)
    assert set(kept(store, later=timedelta(hours=24))) == {"msg_1"}


async def test_trouble_of_one_channel_delays_no_other(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(50)] + [an_alert(100 + n, "hook") for n in range(50)], NOW)
    release, arrived = asyncio.Event(), []

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        if channel.name == "desk":
            await release.wait()
            raise DeliveryError("no answer within 15 s")
        arrived.append(alert.id)
        if len(arrived) == 50:
            release.set()  # only now the hanging channel gets on

    done = await asyncio.wait_for(deliverer(store, sender).deliver_due(NOW), 20)
    assert len(arrived) == 50
    failed = [d for d in done if not d.ok]
    assert PATIENCE <= len(failed) < 20  # it was not asked 50 times
    pending = kept(store)
    assert len(pending) == 50  # and nothing of it is lost
    assert len([a for a in pending.values() if a.attempts == 0]) == 50 - len(failed)


async def test_a_cancelled_turn_tells_what_it_sent(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2, "hook")], NOW)
    done: list[Any] = []

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        if channel.name == "hook":
            await asyncio.Event().wait()

    task = asyncio.create_task(deliverer(store, sender).deliver_due(NOW, done))
    async with asyncio.timeout(20):
        while not done:
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [d.alert for d in done] == ["msg_1"]
    assert set(kept(store)) == {"msg_2"}


async def test_a_long_turn_leases_from_when_it_claims(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(2)], NOW)
    clock = Clock()

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        if alert.id == "msg_1":  # another looks while it is being sent
            assert store.claim_alerts(clock.at + timedelta(seconds=60), 9, 0) == []
        clock.at += timedelta(seconds=85)

    done = await deliverer(store, sender, clock, batch=1).deliver_due(NOW)
    assert [d.error for d in done] == [None, None]


async def test_a_channel_in_trouble_is_left_alone_for_the_rest(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(60)] + [an_alert(100 + n, "hook") for n in range(5)], NOW)
    sender = Told({"desk": DeliveryError("HTTP 500")})
    await deliverer(store, sender, batch=20).deliver_due(NOW)
    assert len([name for name, _ in sender.tried if name == "desk"]) < 20
    assert len(sender.sent) == 5  # though they stood behind the others
    assert len(kept(store)) == 60


async def test_a_channel_gets_its_messages_in_order_one_at_a_time(store: Store) -> None:
    store.enqueue([an_alert(n, id=f"msg_{n:03}") for n in range(130)], NOW)
    now = most = 0
    sent = []

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        sent.append(alert.id)

    await deliverer(store, sender, batch=50).deliver_due(NOW)
    assert sent == [f"msg_{n:03}" for n in range(130)]
    assert most == 1


async def test_one_bad_message_does_not_hold_back_the_others(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(30)], NOW)
    sent = []

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        if alert.id == "msg_0":
            raise RuntimeError("a bug in rendering")
        sent.append(alert.id)

    done = await deliverer(store, sender).deliver_due(NOW)
    assert len(sent) == 29
    assert [d.error for d in done if not d.ok] == ["internal error: RuntimeError"]
    assert set(kept(store)) == {"msg_0"}


async def test_who_has_it_is_left_out_next_time(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    await deliverer(store, Told({"desk": PartlyDeliveredError("b: 451", reached=["a@x.example"])})).deliver_due(NOW)
    assert kept(store)["msg_1"].reached == ("a@x.example",)


async def test_a_death_between_sending_and_recording_repeats_with_the_same_id(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    sender = Told()

    class Killed(BaseException):
        pass

    async def dies(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        await sender(alert, message, channel, settings)
        raise Killed

    with pytest.raises(BaseException):  # noqa: B017 - whatever carries it out of the task group
        await deliverer(store, dies).deliver_due(NOW)
    assert await deliverer(store, sender).deliver_due(NOW + timedelta(seconds=1)) == []  # still leased
    await deliverer(store, sender).deliver_due(NOW + LEASE)
    assert sender.sent == [("desk", "msg_1"), ("desk", "msg_1")]
    assert kept(store) == {}


async def test_two_deliverers_send_nothing_twice(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(200)], NOW)
    sender = Told()
    await asyncio.gather(*(deliverer(store, sender).deliver_due(NOW) for _ in range(3)))
    assert len(sender.sent) == len(set(sender.sent)) == 200


async def test_a_type_that_is_not_there_says_so(store: Store) -> None:
    store.enqueue([an_alert(1)], NOW)
    [delivery] = await deliverer(store, Told(), senders={}).deliver_due(NOW)
    assert delivery.error == "channel desk: type told is not there yet"
    assert delivery.permanent


async def test_a_trial_is_sent_without_the_outbox(store: Store) -> None:
    sender = Told()
    delivery = await deliverer(store, sender).attempt(rules.trial("desk", now=NOW))
    assert delivery.ok
    assert sender.sent == [("desk", delivery.alert)]
    assert kept(store) == {}


# --------------------------------------------------------------------------- digests


async def test_a_digest_is_folded_when_its_time_has_come(store: Store) -> None:
    daily = {"digest": "0 8 * * *", "next_at": None}  # 08:00 in Beijing is 00:00 UTC
    store.enqueue([an_alert(1, **daily), an_alert(2, **daily), an_alert(3, "hook", **daily), an_alert(4)], NOW)
    post = deliverer(store, sender := Told())
    assert await post.run_digests(NOW + timedelta(hours=21)) == []
    made = await post.run_digests(NOW + timedelta(hours=22))
    assert [(d.channel, len(d.payload["changes"])) for d in made] == [("desk", 2), ("hook", 1)]
    assert await post.run_digests(NOW + timedelta(hours=22)) == []
    await post.deliver_due(NOW + timedelta(hours=22))
    assert {i for _, i in sender.sent} == {"msg_4", *(d.id for d in made)}
    assert kept(store) == {}


async def test_what_waits_after_a_digest_waits_for_the_next(store: Store) -> None:
    daily = {"digest": "0 8 * * *", "next_at": None}
    store.enqueue([an_alert(1, **daily)], NOW)
    post = deliverer(store, Told())
    assert len(await post.run_digests(NOW + timedelta(hours=22))) == 1
    store.enqueue([an_alert(2, created=NOW + timedelta(hours=22), **daily)], NOW)
    assert await post.run_digests(NOW + timedelta(hours=40)) == []
    [digest] = await post.run_digests(NOW + timedelta(hours=46))
    assert [c["id"] for c in digest.payload["changes"]] == ["c1"]
    assert digest.key == "digest:c2:desk"


async def test_a_cron_that_cannot_be_read_holds_nothing_back(store: Store) -> None:
    store.enqueue([an_alert(1, digest="whenever", next_at=None)], NOW)
    assert len(await deliverer(store, Told()).run_digests(NOW)) == 1


# --------------------------------------------------------------------------- real servers


class Box:
    """Keeps what an SMTP server took."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.ids += [x.decode() for x in envelope.content.split(b"\r\n") if x.startswith(b"Message-ID:")]
        return "250 OK"


@dataclass
class Servers:
    box: Box
    env: Mapping[str, str]
    hook: str
    hooked: list[str]


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    box, hooked, loop = Box(), [], asyncio.get_running_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        hooked.append(head.split("webhook-id:")[1].split("\r\n")[0].strip())
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    talks: list[SMTP] = []

    def serve() -> SMTP:
        talks.append(SMTP(box, loop=loop))
        return talks[-1]

    mail = await loop.create_server(serve, "127.0.0.1", 0)
    web = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = {s: s.sockets[0].getsockname()[1] for s in (mail, web)}
    env = {"MUBIAO_SMTP_URL": f"smtp://127.0.0.1:{port[mail]}?tls=none&from=m@watch.example"}
    yield Servers(box, env, f"http://127.0.0.1:{port[web]}/", hooked)
    for talk in talks:  # the client says good-bye from a thread of its own, perhaps after the end of this loop
        if talk.transport is not None:
            talk.transport.abort()
    await asyncio.sleep(0)
    for server in (mail, web):
        server.close()
        await server.wait_closed()


async def test_mail_and_webhook_for_real(store: Store, servers: Servers) -> None:
    channels = (
        Channel(name="desk", type="email", to=("desk@example.org",)),
        Channel(name="hook", type="webhook", url=servers.hook),
        Channel(name="dead", type="webhook", url="http://127.0.0.1:1/"),
    )
    store.enqueue([an_alert(n, c.name, id=f"msg_{n}{c.name}") for n in range(20) for c in channels], NOW)
    pools = Pools(Guard(Network(allow_private=("127.0.0.0/8",))))
    settings = Settings(env=servers.env, pool=pools.transport, clock=Clock())
    done = await Deliverer(store, Config(channels=channels), settings).deliver_due(NOW)
    await pools.aclose()
    assert sorted(servers.box.ids) == sorted(f"Message-ID: <msg_{n}desk@watch.example>" for n in range(20))
    assert sorted(servers.hooked) == sorted(f"msg_{n}hook" for n in range(20))
    assert sum(d.ok for d in done) == 40
    assert set(kept(store)) == {f"msg_{n}dead" for n in range(20)}


# --------------------------------------------------------------------------- channels that are off, and spared ones


def post(store: Store, sender: Any, clock: Clock, *channels: Channel, **fields: Any) -> Deliverer:
    settings = Settings(env={}, pool=Pools(Guard(Network())).transport, clock=clock)
    config = Config(channels=channels, subscriptions=fields.pop("subscriptions", ()))
    return Deliverer(store, config, settings, senders={"told": sender}, jitter=lambda: 0.5)


def states(store: Store) -> dict[str, str]:
    with Queries(store.url) as queries:
        return {a.id: a.state for a in queries.alerts(limit=1000)}


async def test_a_channel_that_is_gone_is_turned_off_and_loses_nothing(store: Store) -> None:
    store.enqueue([an_alert(n) for n in range(9)], NOW)
    clock, desk, hook = Clock(), Channel("desk", "told", url="http://a.example"), Channel("hook", "told")
    sender = Told({"desk": DeliveryError("HTTP 410", gone=[""])})
    listening = (Subscription("hook", on=("health",), lang="en"),)
    await post(store, sender, clock, desk, hook, subscriptions=listening).deliver_due(clock.at)
    assert sender.tried == [("desk", "msg_0")]  # asked once
    [off] = store.off()
    assert (off.channel, off.recipient, off.why) == ("desk", "", "HTTP 410")

    # the other channel says so, once
    clock.at += timedelta(seconds=1)
    with Queries(store.url) as queries:
        waiting = [a for a in queries.alerts(limit=100) if a.type == "channel.off"]
    assert [(a.channel, a.lang, a.payload["error"]) for a in waiting] == [("hook", "en", "HTTP 410")]
    await post(store, sender, clock, desk, hook, subscriptions=listening).deliver_due(clock.at)
    assert sender.sent == [("hook", waiting[0].id)]

    # until it is set to something else: then everything that waited goes out
    clock.at += LEASE
    healed = Told()
    mended = replace(desk, url="http://b.example")
    await post(store, healed, clock, mended, hook, subscriptions=listening).deliver_due(clock.at)
    assert sorted(number for _, number in healed.sent) == [f"msg_{n}" for n in range(9)]
    assert store.off() == []


async def test_a_recipient_that_is_gone_is_left_out_from_then_on(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2)], NOW)
    desk = Channel("desk", "told", to=("a@x.example", "b@x.example"))
    seen = []

    async def sender(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
        left = [r for r in channel.to if r not in alert.reached]
        seen.append((alert.id, left))
        if "b@x.example" in left:
            raise PartlyDeliveredError(
                "b@x.example: 550 5.1.1", reached=["a@x.example"], permanent=True, gone=["b@x.example"]
            )

    await post(store, sender, Clock(), desk, Channel("hook", "told")).deliver_due(NOW)
    assert seen[:2] == [("msg_1", ["a@x.example", "b@x.example"]), ("msg_2", ["a@x.example"])]
    assert {number: state for number, state in states(store).items() if number in ("msg_1", "msg_2")} == {
        "msg_1": "sent", "msg_2": "sent",
    }  # fmt: skip
    assert [(o.recipient, o.why) for o in store.off()] == [("b@x.example", "b@x.example: 550 5.1.1")]


async def test_with_all_recipients_gone_the_channel_is_off(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2)], NOW)
    desk = Channel("desk", "told", to=("a@x.example",))
    sender = Told({"desk": DeliveryError("a@x.example: 550 5.1.1", permanent=True, gone=["a@x.example"])})
    await post(store, sender, Clock(), desk).deliver_due(NOW)
    assert [o.recipient for o in store.off()] == ["", "a@x.example"]
    assert states(store) == {"msg_1": "pending", "msg_2": "pending"}
    assert await post(store, sender, Clock(), desk).owing(NOW + timedelta(days=1)) == []


async def test_nothing_goes_out_in_quiet_hours(store: Store) -> None:
    night = datetime(2026, 1, 9, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
    store.enqueue([an_alert(n, created=night, next_at=night) for n in range(5)], night)
    desk, sender = Channel("desk", "told", quiet=Quiet(time(22), time(7))), Told()
    assert await post(store, sender, Clock(night), desk).deliver_due(night) == []
    morning = night + timedelta(hours=8)
    await post(store, sender, Clock(morning), desk).deliver_due(morning)
    [(_, number)] = sender.sent  # one digest of five
    told = states(store)
    assert told.pop(number) == "sent"
    assert set(told.values()) == {"sent"}
    assert len(told) == 5


async def test_a_limit_folds_what_is_more(store: Store) -> None:
    store.enqueue([an_alert(n, payload={**PAYLOAD, "significance": n / 10}) for n in range(8)], NOW)
    desk, sender, clock = Channel("desk", "told", rate=Rate(3, timedelta(hours=1))), Told(), Clock()
    await post(store, sender, clock, desk).deliver_due(NOW)
    assert len(sender.sent) == 3
    assert [n for _, n in sender.sent[:2]] == ["msg_6", "msg_7"]
    assert set(states(store).values()) == {"sent"}

    store.enqueue([an_alert(n) for n in (20, 21)], NOW)
    clock.at += timedelta(minutes=30)
    await post(store, sender, clock, desk).deliver_due(clock.at)
    assert len(sender.sent) == 3, "the hour is not over"
    clock.at += timedelta(minutes=31)
    await post(store, sender, clock, desk).deliver_due(clock.at)
    assert [n for _, n in sender.sent[3:]] == ["msg_20", "msg_21"]


async def test_muted_is_kept_and_not_sent(store: Store) -> None:
    store.enqueue([an_alert(1), an_alert(2, payload={**PAYLOAD, "source": "other"})], NOW)
    made = store.mute(Mute("", NOW + timedelta(days=1), source="yunling"), NOW)
    sender = Told()
    await deliverer(store, sender).deliver_due(NOW)
    assert sender.sent == [("desk", "msg_2")]
    assert states(store)["msg_1"] == "muted"
    assert [m.id for m in store.mutes(NOW)] == [made.id]
    assert store.mutes(NOW + timedelta(days=2)) == []
    assert store.unmute([made.id]) == 1
    assert store.mutes(NOW) == []


async def test_what_somebody_has_seen_to_is_not_sent(store: Store) -> None:
    store.enqueue([an_alert(1, change="c7"), an_alert(2, "hook", change="c7"), an_alert(3)], NOW)
    assert store.acknowledge(["msg_1"], NOW) == 2  # the other channel's message about the same change too
    sender = Told()
    await deliverer(store, sender).deliver_due(NOW)
    assert sender.sent == [("desk", "msg_3")]
    with pytest.raises(UsageError, match="no alert msg_9"):
        store.acknowledge(["msg_9"], NOW)


async def test_a_digest_leaves_out_what_is_muted_and_is_never_too_large(store: Store) -> None:
    large = PAYLOAD | {"title": "字" * (rules.MOST_FOLDED // 3)}
    for n in range(7):
        told = large | {"source": "quiet" if n == 3 else "yunling"}
        store.enqueue([an_alert(n, payload=told, digest="0 8 * * *", next_at=None)], NOW + timedelta(seconds=n))
    store.mute(Mute("", None, source="quiet"), NOW)
    later = NOW + timedelta(days=1)
    made = await deliverer(store, Told()).run_digests(later)
    assert [len(a.payload["changes"]) for a in made] == [2, 2, 2]
    assert states(store)["msg_3"] == "muted"
    done = await deliverer(store, Told(), Clock(later)).deliver_due(later)
    assert [d.ok for d in done] == [True] * 3
    assert set(states(store).values()) == {"sent", "muted"}
