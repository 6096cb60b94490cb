"""The looks at the watch itself: judged as plain values, then over a real database, site, receiver and daemon parts."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.email import compose
from monitor import config as configuration
from monitor import doctor, net
from monitor.daemon import Engine, engine
from monitor.model import Alert, Network
from monitor.vigil import LONGEST_WAIT, NEAR_EXPIRY, Vigil, ready, silent_since
from storage.queries import Queries
from storage.standing import FirstPass

NOW = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
TEXT = "会议指出，2026年全区主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。"
DESK = {"desk": {"type": "email", "to": ["desk@example.org"]}, "other": {"type": "email", "to": ["o@example.org"]}}


# --------------------------------------------------------------------------- judgements


def days(*gaps: int, newest: str = "2026-01-10") -> list[str]:
    """Dates, newest first, with so many days between them."""
    made = [date.fromisoformat(newest)]
    for gap in gaps:
        made.append(made[-1] - timedelta(days=gap))
    return [d.isoformat() for d in made]


@pytest.mark.parametrize(
    ("known", "today", "silent"),
    [
        (days(1, 1, 1, 3, 1, 1), "2026-01-24", None),  # two weeks: a holiday
        (days(1, 1, 1, 3, 1, 1), "2026-01-25", (date(2026, 1, 10), 1)),
        (days(7, 7, 7, 7, 7), "2026-01-31", None),
        (days(7, 7, 7, 7, 7), "2026-02-01", (date(2026, 1, 10), 7)),
        (days(7, 7, 40, 7, 7), "2026-03-01", None),  # it has been silent for as long before
        (days(365, 366, 365, 365, 365), "2027-03-01", None),
        (days(365, 366, 365, 365, 365), "2029-01-20", (date(2026, 1, 10), 365)),
        (days(1, 1, 1, 1), "2030-01-01", None),  # five dates say nothing
        ([], "2030-01-01", None),
    ],
)
def test_a_column_is_silent_when_it_is_for_longer_than_it_usually_is(
    known: Sequence[str], today: str, silent: tuple[date, int] | None
) -> None:
    assert silent_since(known, date.fromisoformat(today)) == silent
    assert silent_since(list(reversed(known)), date.fromisoformat(today)) == silent


def a_pass(key: str, **fields: Any) -> FirstPass:
    made: dict[str, Any] = {"region": None, "first_seen": NOW, "done_at": None, "told": False, "failing": False}
    return FirstPass(key=key, **made | fields)


@pytest.mark.parametrize(
    ("passes", "later", "keys"),
    [
        ([], 0, []),
        ([a_pass("a", done_at=NOW)], 0, ["a"]),
        ([a_pass("a", done_at=NOW, told=True)], 0, []),
        ([a_pass("a", done_at=NOW), a_pass("b")], 0, []),  # b is still being read
        ([a_pass("a", done_at=NOW), a_pass("b")], LONGEST_WAIT.total_seconds(), ["a"]),
        ([a_pass("a", done_at=NOW), a_pass("b", failing=True)], 0, ["a"]),
        ([a_pass("a", done_at=NOW, told=True), a_pass("b", done_at=NOW)], 0, ["b"]),
    ],
)
def test_first_readings_are_told_of_together(passes: list[FirstPass], later: float, keys: list[str]) -> None:
    assert ready(passes, NOW + timedelta(seconds=later)) == keys


# --------------------------------------------------------------------------- over a database


def outbox(db: str, kind: str) -> list[Alert]:
    with Queries(db) as ask:
        return sorted((a for a in ask.alerts(limit=1000) if a.type == kind), key=lambda a: a.channel)


@pytest.fixture
def two_districts(web: Any, page_of: Callable[..., str], watching: Callable[..., Any]) -> Any:
    """Two sources with a report each, of 2022 and 2025; one channel hears of the first, one of both in English."""
    made = []
    for key, year in (("yunling", 2022), ("songyuan", 2025)):
        text = TEXT.replace("2026", str(year))
        made.append({
            "key": key, "url": web.put(f"/{key}", page_of(f"{year}年政府工作报告", *[text] * 4)),
            "region": "999101", "series": "政府工作报告",
        })  # fmt: skip
    return watching(
        *made,
        channels=DESK,
        subscriptions=[
            {"channel": "desk", "on": ["targets"], "sources": ["yunling"]},
            {"channel": "other", "on": ["targets"], "lang": "en"},
        ],
    )


async def test_a_first_reading_is_told_of_once_in_one_message(two_districts: Any, desk: Any) -> None:
    await two_districts.look()
    told = outbox(desk.db, "baseline")
    assert [(a.channel, a.lang) for a in told] == [("desk", "zh"), ("other", "en")]
    data = told[1].payload
    assert (data["sources"], data["regions"], data["documents"], data["reports"]) == (2, 1, 2, 2)
    assert data["targets"] >= 6
    assert data["gaps"] == [{"region": "999101", "series": "政府工作报告", "missing": ["2023", "2024"]}] or data[
        "gaps"
    ] == [{"region": "999101", "series": "政府工作报告", "missing": [2023, 2024]}]
    assert outbox(desk.db, "targets.changed") == outbox(desk.db, "change.detected") == []
    two_districts.clock.pass_by(hours=7)
    await two_districts.look()
    assert len(outbox(desk.db, "baseline")) == 2


async def started(watch: Any) -> Engine:
    async with engine(watch.store, watch.config, watch.words, {}, now=watch.clock) as made:
        return made


async def test_a_column_gone_quiet_is_told_of_once_for_each_silence(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], desk: Any
) -> None:
    def show(*dates: str) -> str:
        lines = "".join(
            f'<li><a href="/d/{d}.html">{d}全区经济运行情况通报会议召开</a><span>{d}</span></li>' for d in dates
        )
        for d in dates:
            web.put(f"/d/{d}.html", page_of(f"{d}全区经济运行情况通报会议召开", TEXT).replace("2026-01-08", d))
        return str(web.put("/list/", f"<html><body><h2>工作动态</h2><ul>{lines}</ul></body></html>"))

    daily = [f"2026-01-{n:02}" for n in range(9, 0, -1)]
    watch = watching(
        {"key": "news", "url": show(*daily), "kind": "listing", "name": "云岭区要闻", "backfill": "60d"},
        channels=DESK,
        subscriptions=[{"channel": "desk", "on": ["health"]}],
    )
    await watch.look()
    made = await started(watch)
    assert made.vigil.silent_columns() == 0
    watch.clock.pass_by(days=20)
    assert [made.vigil.silent_columns() for _ in range(3)] == [1, 1, 1]
    [alert] = outbox(desk.db, "source.silent")
    assert (alert.channel, alert.payload["name"], alert.payload["since"]) == (
        "desk",
        "云岭区要闻",
        "2026-01-09T00:00:00Z",
    )
    assert "no new document since 2026-01-09; usually every 1 days" in alert.payload["detail"]
    show("2026-01-29", *daily)
    await watch.look()
    assert made.vigil.silent_columns() == 0
    watch.clock.pass_by(days=40)
    assert made.vigil.silent_columns() == 1
    assert len(outbox(desk.db, "source.silent")) == 2


async def test_a_certificate_about_to_end_is_told_of_once_for_each_host(
    watching: Callable[..., Any], desk: Any
) -> None:
    sources = [
        {"key": k, "url": f"https://{h}/"} for k, h in (("a", "x.example"), ("b", "x.example"), ("c", "y.example"))
    ]
    watch = watching(*sources, channels=DESK, subscriptions=[{"channel": "desk", "on": ["health"]}])
    vigil = Vigil(watch.store, watch.config, httpx.AsyncClient, watch.clock)
    ends = {
        "x.example": watch.clock() + timedelta(days=5),
        "y.example": watch.clock() + NEAR_EXPIRY + timedelta(days=1),
    }
    assert [vigil.certificates(ends) for _ in range(2)] == [1, 1]
    [alert] = outbox(desk.db, "source.certificate")
    assert alert.payload["source"] == "a"
    assert alert.payload["detail"] == "the certificate of x.example ends 2026-01-14 01:00 UTC"
    renewed = {"x.example": watch.clock() + timedelta(days=90)}
    assert vigil.certificates(renewed) == 0


async def test_nothing_changed_is_said_when_a_digest_has_nothing(
    two_districts: Any, desk: Any, web: Any, page_of: Callable[..., str]
) -> None:
    weekly = "0 8 * * 1"  # 2026-01-09 is a Friday
    watch = two_districts
    watch.config = desk.watch(
        *({"key": s.key, "url": s.url} for s in watch.config.sources),
        channels=DESK,
        subscriptions=[{"channel": "desk", "on": ["content", "alive"], "digest": weekly}],
    )
    await watch.look()
    made = await started(watch)
    assert await made.deliverer.run_digests(watch.clock()) == []  # from now on
    watch.clock.pass_by(days=2)
    assert await made.deliverer.run_digests(watch.clock()) == []
    watch.clock.pass_by(days=2)
    [alive] = await made.deliverer.run_digests(watch.clock())
    assert (alive.type, alive.channel, alive.payload["sources"], alive.payload["failing"]) == ("alive", "desk", 2, 0)
    assert "2 个来源" in made.deliverer.written(alive).text or "2" in made.deliverer.written(alive).subject
    assert await made.deliverer.run_digests(watch.clock()) == []

    # a week in which something happened needs no such word
    web.put(
        "/yunling", page_of("2022年政府工作报告", *[TEXT.replace("2026", "2022").replace("会议指出", "大会指出")] * 4)
    )
    await watch.look()
    watch.clock.pass_by(days=7)
    assert [a.type for a in await made.deliverer.run_digests(watch.clock())] == ["digest"]


# --------------------------------------------------------------------------- the dead-man's switch, certificates


async def test_the_heartbeat_reaches_a_real_receiver_and_its_silence_is_known(
    web: Any, watching: Callable[..., Any]
) -> None:
    url = web.put("/ping/token", "ok")
    watch = watching({"key": "a", "url": web.url}, network={"allow_private": ["127.0.0.0/8"], "heartbeat": url})
    async with engine(watch.store, watch.config, watch.words, {}, now=watch.clock) as made:
        assert await made.vigil.ping()
        assert web.asked == ["/ping/token"]
        web.put("/ping/token", "no", status=500)
        assert not await made.vigil.ping()
        web.put("/ping/token", "ok")
        assert await made.vigil.ping()
    quiet = watching({"key": "a", "url": web.url})
    async with engine(quiet.store, quiet.config, quiet.words, {}, now=quiet.clock) as made:
        assert await made.vigil.ping()
    assert len(web.asked) == 3


async def test_the_pools_know_when_the_certificates_they_saw_end(tmp_path: Path, monkeypatch: Any) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(cert, key)

    async def answer(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
    port = listening.sockets[0].getsockname()[1]
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    net.context.cache_clear()
    pools = net.Pools(net.Guard(Network(allow_private=("127.0.0.0/8", "::1/128"))))
    try:
        assert (await pools.client("localhost").get(f"https://localhost:{port}/")).status_code == 204
        assert (await pools.client("localhost", "insecure").get(f"https://localhost:{port}/")).status_code == 204
        [(host, end)] = pools.certificates.items()
        assert host == "localhost"
        assert timedelta(days=2) < end - datetime.now(UTC) <= timedelta(days=3)
    finally:
        await pools.aclose()
        listening.close()
        net.context.cache_clear()


# --------------------------------------------------------------------------- releases that do not come


async def test_a_release_that_does_not_come_is_a_state_and_one_message_in_its_own_thread(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], desk: Any
) -> None:
    def report(path: str, day: str) -> str:
        text = TEXT.replace("2026", day[:4])
        page = page_of(f"云岭区{day[:4]}年政府工作报告", *[text.replace("6%", f"{n + 5}%") for n in range(4)])
        return str(web.put(path, page.replace("2026-01-08", day)))

    series = {"region": "999101", "series": "政府工作报告", "confirm": "off"}
    watch = watching(
        {"key": "old", "url": report("/old", "2024-01-20"), **series, "release": "2024"},
        {"key": "now", "url": report("/now", "2025-01-12"), **series},
        channels={"desk": {"type": "email", "to": ["desk@example.org"]}},
        subscriptions=[{"channel": "desk", "on": ["health", "content", "targets", "new"]}],
    )
    await watch.look()
    made = await started(watch)
    assert made.vigil.overdue() == []
    watch.clock.pass_by(days=60)  # the 10th of March
    for _ in range(2):
        [late] = made.vigil.overdue()
    assert (late.sources, late.year, late.by, late.why) == (("now",), 2026, date(2026, 1, 12), "learned")
    [missed] = outbox(desk.db, "source.overdue")
    told = [missed.payload[k] for k in ("release", "by", "from")]
    assert told == ["2026", "2026-01-12", "learned"]
    words = made.deliverer.written(missed)
    assert "2026" in words.subject
    assert "2026-01-12" in words.text

    report("/now", "2026-03-11")
    await watch.look()
    assert made.vigil.overdue() == []
    with desk.queries() as ask:
        [came] = [a for a in ask.alerts() if a.change is not None]
    assert (came.payload["release"], came.payload["series"]) == ("2026", "政府工作报告")
    letters = [compose(alert, words, "m@watch.example", "a@b.example", NOW) for alert in (missed, came)]
    heads = [next(x for x in one.raw.decode().split("\r\n") if x.startswith("References")) for one in letters]
    assert len({head.split()[1] for head in heads}) == 1


def test_the_commands_tell_of_an_overdue_release(web: Any, page_of: Callable[..., str], desk: Any) -> None:
    year = datetime.now(UTC).year - 2  # its successor has been overdue for ten months at least, for less than two years
    page = page_of(f"云岭区{year}年政府工作报告", *[TEXT.replace("2026", str(year))] * 4)
    url = web.put("/a", page.replace("2026-01-08", f"{year}-01-12"))
    series = {"region": "999101", "series": "政府工作报告"}
    watched = {"key": "now", "url": url, **series}, {"key": "old", "url": url, **series, "release": str(year)}
    desk.watch(*watched)
    assert desk.run("check", "--all").code == 0
    desk.watch(*watched, {"key": "never-read", "url": url, "expect": "01-01"})
    rows = {row["key"]: row for row in desk.run("sources", "list", "--json").json}
    assert (rows["old"]["state"], rows["old"]["overdue"]) == ("ok", None)
    by = f"{year + 1}-01-12"
    assert (rows["now"]["state"], rows["now"]["overdue"]["by"]) == ("overdue", by)
    assert "逾期未发" in desk.run("sources", "list", "--lang", "zh").out
    found = [f for f in doctor.examine(str(desk.config), desk.db, configuration.settings()) if "overdue" in f["what"]]
    assert [(f["ok"], f"by {by}" in f["what"]) for f in found] == [(True, True)]
