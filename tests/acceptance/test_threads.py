"""A number is changed, stays changed, is changed back: what arrives, in which thread, and what a digest makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.email import SMTP_ENV
from monitor.demo.background import running
from monitor.demo.receivers import MailServer, WebhookReceiver

BEIJING = ZoneInfo("Asia/Shanghai")
TEXT = (
    "各位代表：现在，我代表区人民政府，向大会报告政府工作，请予审议，并请区政协委员提出意见。",
    "2026年经济社会发展主要预期目标是：地区生产总值增长6%左右，城镇登记失业率控制在4%以内。",
    "过去一年，全区上下攻坚克难，民生福祉持续改善，圆满完成了各项任务，为今后发展打下了坚实基础。",
)
SOURCE = {"key": "yunling", "region": "999101", "every": "30m"}
TOLD = {
    "channels": {
        "desk": {"type": "email", "to": ["desk@example.org"]},
        "weekly": {"type": "email", "to": ["weekly@example.org"]},
    },
    "subscriptions": [
        {"channel": "desk", "on": ["targets", "reverted"]},
        {"channel": "weekly", "on": ["targets", "reverted"], "digest": "0 18 * * *"},
        {"channel": "hook", "on": ["targets"], "lang": "en"},
    ],
}


def told(mail: MailServer, to: str) -> list[tuple[str, str]]:
    """Subject and text of what somebody got, the first reading's summary left out."""
    mine = [m for m in mail.mails if m.recipients == (f"{to}@example.org",)]
    known = [(str(m.message["Subject"]), m.part("plain")) for m in mine]
    return [(subject, text) for subject, text in known if "首次收录" not in subject]


async def test_a_changed_number_is_confirmed_and_its_way_back_is_told_in_the_same_thread(
    web: Any, watching: Callable[..., Any], page_of: Callable[..., str]
) -> None:
    def publish(value: str) -> None:
        web.put("/report.html", page_of("2026年云岭区政府工作报告", *(x.replace("6%左右", value) for x in TEXT)))

    mail, hook = MailServer(), WebhookReceiver()
    with running(mail, hook):
        channels = TOLD["channels"] | {"hook": {"type": "webhook", "url": hook.url}}
        source = {
            "key": "yunling",
            "url": f"{web.url}/report.html",
            "region": "999101",
            "every": "30m",
            "confirm": ["3m", "10m", "30m"],
        }
        watch = watching(source, environ={SMTP_ENV: mail.url}, **TOLD | {"channels": channels})

        async def after(**span: float) -> int:
            """Time goes by; how many pages were due then, were read and told of."""
            watch.clock.pass_by(**span)
            return int((await watch.look(everything=False, deliver=True)).checked)

        publish("6%左右")
        await after(minutes=45)
        assert await after(minutes=31) == 1
        before = watch.clock().astimezone(BEIJING)
        publish("5.5%左右")
        assert await after(minutes=31) == 1
        [(subject, text)] = told(mail, "desk")
        assert subject.startswith("[目标] ")
        assert f"{before:%H:%M} 时尚未改" in text

        # the first message was not held back; what the re-checks find is told once, at the end
        assert [await after(minutes=4), await after(minutes=7)] == [1, 1]
        assert len(told(mail, "desk")) == 1
        assert await after(minutes=20) == 1
        assert len(told(mail, "desk")) == 2
        subject, text = told(mail, "desk")[-1]
        assert subject.startswith("[确认] ")
        assert "5.5%左右" in text
        assert "仍是改后的文字" in text
        assert f"{before:%H:%M} 时尚未改，{before + timedelta(minutes=31):%H:%M} 前已改" in text
        await after(minutes=40)
        assert len(told(mail, "desk")) == 2

        publish("6%左右")
        await after(minutes=40)
        await after(minutes=31)  # no confirmation of a way back
        assert [subject[:4] for subject, _ in told(mail, "desk")] == ["[目标]", "[确认]", "[改回]"]
        assert "5.5%左右 → 6%左右" in told(mail, "desk")[-1][1]
        threads = {str(m.message["References"]) for m in mail.mails if m.message["References"]}
        assert len(threads) == 1
        bodies = [json.loads(call.body) for call in hook.calls]
        assert [b["type"] for b in bodies][1:] == ["targets.changed", "change.confirmed", "targets.changed"]
        assert bodies[2]["data"]["id"] == bodies[1]["data"]["id"]
        assert bodies[2]["data"]["same_at"] < bodies[2]["data"]["at"] < bodies[2]["data"]["confirmed_at"]

        # the digest: the change and its way back are one line, and no number of it stands as moved
        await after(hours=24)
        [(subject, text)] = told(mail, "weekly")
        assert subject.startswith("[汇总]")
        assert "1处变化" in subject
        assert "目标变动" not in subject.replace("0项目标变动", "")
        assert text.count("云岭区政府工作报告") == 1
        assert "5.5%" not in text


async def test_a_way_back_swallows_nothing_that_could_not_be_sent_yet(
    web: Any, watching: Callable[..., Any], page_of: Callable[..., str]
) -> None:
    def publish(value: str) -> None:
        web.put("/report.html", page_of("2026年云岭区政府工作报告", *(x.replace("6%左右", value) for x in TEXT)))

    mail = MailServer()
    source = {
        "key": "yunling",
        "url": f"{web.url}/report.html",
        "region": "999101",
        "every": "30m",
        "confirm": ["3m", "10m", "30m"],
    }
    only = {"channels": {"desk": TOLD["channels"]["desk"]}, "subscriptions": TOLD["subscriptions"][:1]}
    watch = watching(source, environ={SMTP_ENV: "smtp://127.0.0.1:1?tls=none&from=m@watch.example"}, **only)
    for value in ("6%左右", "5.5%左右", "6%左右"):
        publish(value)
        watch.clock.pass_by(minutes=45)
        await watch.look(deliver=True)
    with running(mail):
        watch.environ = {SMTP_ENV: mail.url}
        for _ in range(2):
            watch.clock.pass_by(hours=4)
            await watch.look(deliver=True)
    texts = [text for _, text in told(mail, "desk")]
    assert ["6%左右 → 5.5%左右" in texts[0], "5.5%左右 → 6%左右" in texts[1], len(texts)] == [True, True, 2]
