"""A hostile page, from its first byte to every way out: nothing that it says is obeyed by what shows it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from alerts.email import SMTP_ENV
from monitor.demo.background import running
from monitor.demo.receivers import MailServer, WebhookReceiver

STEERING = {"\x1b", "\x07", "\x00", "\u202e", "\r"}
ATOM = "{http://www.w3.org/2005/Atom}"


def title(first: str) -> str:
    return f"{first}HYPERLINK(&quot;http://e.example&quot;)&lt;script&gt;alert(1)&lt;/script&gt;\x1b[2J\u202e\x07报告"


async def test_what_a_page_says_is_shown_and_never_obeyed(
    web: Any, desk: Any, watching: Callable[..., Any], page_of: Callable[..., str]
) -> None:
    def publish(value: str) -> None:
        for number, first in enumerate("=+-@"):
            aim = f"2026年主要预期目标是：地区生产总值增长{value}左右，"
            said = f"{aim}{first}SUM(A1)&lt;img src=x onerror=alert(1)&gt;\x1b]0;x\x07。"
            long = "字" * 300_000 if first == "=" else ""  # a megabyte
            web.put(f"/{number}", page_of(title(first) + long, "各位代表：现在，我向大会报告政府工作。", said))

    mail, hook = MailServer(), WebhookReceiver()
    with running(mail, hook):
        watch = watching(
            *({"key": f"s{number}", "url": f"{web.url}/{number}"} for number in range(4)),
            channels={
                "desk": {"type": "email", "to": ["desk@example.org"]},
                "hook": {"type": "webhook", "url": hook.url},
                "out": {"type": "feed", "path": str(desk.folder / "feed.xml")},
            },
            subscriptions=[{"channel": name, "on": ["targets", "content"]} for name in ("desk", "hook", "out")],
            environ={SMTP_ENV: mail.url},
        )
        publish("6%")
        await watch.look()
        publish("5%")
        watch.clock.pass_by(hours=7)
        titles = {str(change.title) for change in (await watch.look(deliver=True)).changes}
    assert {said[0] for said in titles} >= {"+", "@"}  # where = or - begins a title, it is a line drawn by hand
    assert max(map(len, titles)) == 300  # bounded where it was read, and long enough to be cut further

    told = [m for m in mail.mails if "首次收录" not in str(m.message["Subject"])]
    assert len(told) == 4
    for one in told:
        assert one.message["Bcc"] is None
        assert len(str(one.message["Subject"])) <= 200
        assert len(one.raw) < 300_000
        assert not STEERING & set(str(one.message["Subject"]) + one.part("plain"))
        assert [word for word in ("<script", "<img") if word in one.part("html")] == []
    bodies = [json.loads(call.body) for call in hook.calls]
    assert {b["data"]["title"] for b in bodies if b["type"] == "targets.changed"} == titles
    entries = ET.parse(desk.folder / "feed.xml").getroot().findall(f"{ATOM}entry")
    assert len(entries) >= 4
    assert not STEERING & {sign for entry in entries for sign in "".join(entry.itertext())}
    _inert_in_the_terminal(desk)


def _inert_in_the_terminal(desk: Any) -> None:
    for line in ("changes", "alerts list", "alerts preview s0", "history s1", "diff c6", "sources list"):
        done = desk.run(*line.split())
        assert done.code == 0, done.err
        assert not STEERING & set(done.out + done.err), line
    for line in ("changes --csv", "export changes --format csv", "alerts list --csv", "history s2 --csv"):
        done = desk.run(*line.split())
        assert done.code == 0, done.err
        cells = [cell for row in csv.reader(io.StringIO(done.out)) for cell in row]
        assert [cell[:40] for cell in cells if cell[:1] in {"=", "+", "@", "\t"}] == [], line
        assert [cell[:40] for cell in cells if cell[:1] == "-" and len(cell) > 20] == [], line
