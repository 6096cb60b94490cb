"""The same commands on a SQLite file and on its copy in PostgreSQL: the same answers, byte by byte."""

from __future__ import annotations

from typing import Any

import pytest

REPORT = """云岭区人民政府工作报告

{year}年主要预期目标：
地区生产总值增长{gdp}%左右，固定资产投资增长{more}%，一般公共预算收入增长4%。
新增城镇就业{jobs}人以上，城镇登记失业率控制在4.5%以内。GDP与居民收入同步增长。
"""

QUESTIONS = [
    "history archive --json", "history archive", "show archive@2026 --json", "show v1", "diff v1 v2 --format json",
    "diff v1 v2", "changes --json", "changes --jsonl --under 9901", "search 就业 --json", "search 业 --json",
    "search gdp", "search 没有的词 --json", "targets list --json", "targets list --indicator gdp --json",
    "targets timeline --indicator 地区生产总值 --json", "targets attainment --json",
    "targets rank --indicator 地区生产总值 --json", "targets compare archive@2025 archive@2026 --jsonl",
    "sources list --json", "sources health --json", "alerts list --json", "alerts channels --json", "export versions",
    "export changes", "export targets --format csv", "show nothing --json", "show v99999999999 --json",
]  # fmt: skip


@pytest.fixture
def copied(desk: Any, postgres_url: str) -> str:
    for year, gdp, more, jobs in ((2025, 6, 8, 5200), (2026, 5.5, 9, 5000)):
        file = desk.folder / f"{year}.txt"
        file.write_text(REPORT.format(year=year, gdp=gdp, more=more, jobs=jobs), encoding="utf-8")
        done = desk.run("import", file, "--source", "archive", "--region", "990102", "--series", "政府工作报告")
        assert done.code == 0, done.err
    done = desk.run("db", "copy", desk.db, postgres_url, "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["version"] == 2
    return postgres_url


def test_every_question_has_the_same_answer(desk: Any, copied: str) -> None:
    desk.watch({"key": "a", "url": "http://yunling.example/"})
    for line in QUESTIONS:
        ours, theirs = (desk.run(*line.split(), "--db", db) for db in (desk.db, copied))
        assert (theirs.code, theirs.out, theirs.err) == (ours.code, ours.out, ours.err), line
        assert ours.code == 0 or "nothing" in line or "v99" in line, ours.err


def test_the_care_of_a_server(desk: Any, copied: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = copied.replace("mubiao@", "mubiao:hunter2@")
    monkeypatch.setenv("MUBIAO_DB", secret)
    desk.watch({"key": "a", "url": "http://yunling.example/"})
    assert desk.run("db", "check").code == 0
    doctor = desk.run("doctor", "--json")
    said = [x["what"] for x in doctor.json["findings"]]
    assert doctor.code == 0 and any(x.startswith("PostgreSQL 1") for x in said)
    upgraded, again = desk.run("db", "upgrade"), desk.run("db", "copy", desk.db, secret)
    assert upgraded.code == 0 and again.code == 2 and "not empty" in again.err
    for line in ("db backup x.dump", "db restore sources.yaml --yes"):
        done = desk.run(*line.split())
        assert done.code == 2 and "pg_" in done.err and done.err.count("\n") == 1
    muted = desk.run("alerts", "mute", "a", "--for", "7d", "--why", "x")
    assert muted.code == 0, muted.err
    said += [upgraded.err, again.err, done.err, doctor.err]
    assert not any("hunter2" in x for x in said)
