"""Two days of an invented district's pages, from the first request to an e-mail, a signed call and a query."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from alerts.email import SMTP_ENV
from monitor.demo.background import running
from monitor.demo.receivers import MailServer, WebhookReceiver

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
OPENING = "各位代表：现在，我代表区人民政府，向大会报告政府工作，请予审议，并请区政协委员提出意见。"
DONE = "过去一年，全区上下攻坚克难，民生福祉持续改善，圆满完成了各项任务，为今后发展打下了坚实基础。"
AIMS = {
    2025: "2025年经济社会发展主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，"
    "一般公共预算收入增长5%以上，城镇登记失业率控制在4%以内。",
    2026: "2026年经济社会发展主要预期目标是：地区生产总值增长5.5%左右，固定资产投资增长10%，"
    "一般公共预算收入增长5%以上，城镇登记失业率控制在4%以内。",
}
WORKS = [  # a report is long: below some thousand characters a page only quotes one
    f"在{street}街道，我们坚持把{field}摆在突出位置，完善推进机制，压实工作责任，深入基层一线走访调研，"
    f"及时协调解决企业和群众反映的困难问题，{field}取得新的成效，得到社会各界的肯定和支持。"
    for street in ("北桥", "翠湖", "松林", "河湾", "石门", "东岭", "柳溪")
    for field in ("产业培育", "城市更新", "生态保护", "乡村振兴", "基层治理", "就业服务", "医疗卫生", "文化建设")
]
CLOSING = "各位代表，蓝图已经绘就，实干成就未来，让我们同心同德，为建设现代化新城区而努力奋斗。"


@pytest.fixture
def column(web: Any, page_of: Callable[..., str]) -> Callable[..., None]:
    """`column(2025, 2026)`: a list of these years' reports, each with its page in GB18030 or UTF-8."""

    def serve(*years: int, edit: tuple[str, str] = ("", ""), visits: int = 1) -> None:
        links = "".join(
            f'<li><a href="/art/{y}/report.html">云岭区{y}年政府工作报告</a><span>{y}-01-08</span></li>'
            for y in sorted(years, reverse=True)
        )
        web.put("/zfgzbg/", f"<html><head><title>政府工作报告</title></head><body><ul>{links}</ul></body></html>")
        for year in years:
            text = [OPENING, DONE, *WORKS, AIMS[year].replace(*edit) if edit[0] else AIMS[year], CLOSING]
            html = page_of(f"云岭区{year}年政府工作报告", *text, chrome=f"<span>访问量：{visits * 7919}</span>")
            encoding = "gb18030" if year == 2025 else "utf-8"
            web.put(f"/art/{year}/report.html", html.replace("utf-8", encoding), encoding)

    return serve


def stage(web: Any, hook: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The source, and who is told."""
    source = {
        "key": "yunling",
        "name": "云岭区政府工作报告",
        "url": f"{web.url}/zfgzbg/",
        "kind": "listing",
        "region": "999101",
        "series": "政府工作报告",
        "backfill": "3650d",
        "every": "1h",
        "recheck": "1h",
        "tags": ["yunling"],
    }
    told = {
        "channels": {
            "desk": {"type": "email", "to": ["desk@example.org"]},
            "hook": {"type": "webhook", "url": hook, "secret_env": "HOOK_SECRET"},
        },
        "subscriptions": [
            {"channel": "desk", "tags": ["yunling"], "on": ["targets", "new", "content"], "lang": "zh"},
            {"channel": "hook", "on": ["targets"], "lang": "en"},
        ],
    }
    return source, told


async def test_from_a_page_to_an_email_a_signed_call_and_a_query(
    web: Any, desk: Any, watching: Callable[..., Any], column: Callable[..., None]
) -> None:
    mail, hook = MailServer(), WebhookReceiver()
    with running(mail, hook):
        source, told = stage(web, hook.url + "/in")
        column(2025)
        watch = watching(source, **told, environ={SMTP_ENV: mail.url, "HOOK_SECRET": SECRET})

        assert (await watch.look(everything=False)).checked == 0  # nothing is due at the very start
        watch.clock.pass_by(minutes=15)
        first = await watch.look(everything=False, deliver=True)  # a baseline: one summary, no message for a page
        assert (first.baselines, first.changes, first.sent, first.failures) == (1, [], 2, [])
        [welcome] = mail.mails
        assert "首次收录完成：1 个来源，1 篇文件，其中报告 1 份" in welcome.part("plain")
        assert [json.loads(call.body)["type"] for call in hook.calls] == ["baseline"]
        mail.mails.clear()
        hook.calls.clear()
        watch.clock.pass_by(hours=3)
        column(2025, visits=2)  # only the counter moved
        quiet = await watch.look(everything=False, deliver=True)
        assert quiet.checked == 2
        assert (quiet.counts["unchanged"], quiet.changes, mail.mails) == (2, [], [])

        watch.clock.pass_by(days=1)
        column(2025, 2026, visits=3)
        second = await watch.look(everything=False, deliver=True)
        watch.clock.pass_by(hours=5)
        column(2025, 2026, edit=("投资增长10%", "投资增长9%"), visits=4)
        third = await watch.look(everything=False, deliver=True)

    assert [(c.kind, c.release) for c in second.changes] == [("new", "2026")]
    moved = {t.canonical: (t.change, t.before.value_text, t.after.value_text) for t in second.changes[0].targets}
    assert moved["地区生产总值"] == ("lowered", "6%左右", "5.5%左右")
    assert moved["固定资产投资"] == ("raised", "8%", "10%")
    assert "一般公共预算收入" not in moved
    assert {t.relation for t in second.changes[0].targets} == {"next_release"}
    assert [(c.kind, len(c.edits)) for c in third.changes] == [("content", 1)]
    assert (second.sent, third.sent, second.undelivered + third.undelivered) == (2, 2, 0)

    letter, correction = mail.mails
    assert letter.recipients == ("desk@example.org",)
    assert "云岭区" in str(letter.message["Subject"])
    for part in ("plain", "html"):
        assert "5.5%左右" in letter.part(part)
        assert "6%左右" in letter.part(part)
    assert "9%" in correction.part("plain")
    for call in hook.calls:
        at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
        signed = Webhook(SECRET).sign(call.headers["webhook-id"], at, call.body.decode())
        assert signed == call.headers["webhook-signature"]
    calls = [json.loads(call.body) for call in hook.calls]
    assert [c["type"] for c in calls] == ["targets.changed"] * 2
    assert calls[0]["data"]["url"] == f"{web.url}/art/2026/report.html"

    watch.store.close()
    history = desk.run("history", "yunling", "--json").json
    assert [(v["release"], v["kind"]) for v in history if v["release"]] == [
        ("2026", "content"),
        ("2026", "new"),
        ("2025", "new"),
    ]
    now = desk.run("targets", "list", "--indicator", "固定资产投资", "--release", "2026", "--jsonl").lines
    assert [t["value"] for t in now] == [9]
    feed = desk.run("changes", "--indicator", "固定资产投资", "--json").json
    assert [c["kind"] for c in feed] == ["content", "new"]
    assert {a["state"] for a in desk.run("alerts", "list", "--json").json} == {"sent"}
