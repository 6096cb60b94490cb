"""`mubiao demo`, whole: seven days of the invented district through the real pipeline, mail and webhooks."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from monitor.demo import driver, story
from monitor.errors import UsageError


def test_the_demo_finds_what_happened_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "monitor", "demo", "--dir", str(folder), "--json", "--lang", "zh"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=90, check=False)
    data = json.loads(done.stdout)
    assert data["problems"] == [], done.stderr
    assert done.returncode == 0
    assert data["seconds"] < 30

    kinds = [[c["kind"] for check in day["checks"] for c in check["changes"]] for day in data["rounds"]]
    assert kinds == [[], [], ["new"], ["content"], ["new"], [], []]
    report, edit, quote = (c for day in data["rounds"] for check in day["checks"] for c in check["changes"])
    assert headline(report) == {
        "地区生产总值": ("reworded", "6%以上", "6%左右"),
        "规上工业增加值": ("raised", "7%", "7.5%"),
        "固定资产投资": ("lowered", "8%左右", "5%左右"),
        "外贸进出口总额": ("dropped", "5%", None),
        "研发经费投入强度": ("new", None, "2.3%"),
        "一般公共预算收入": ("lowered", "5%左右", "4%左右"),
        "居民消费价格": ("lowered", "3%左右", "2%左右"),
        "粮食产量": ("raised", "3.2亿斤以上", "3.25亿斤以上"),
    }
    assert [(x["relation"], x["from"]["value_text"], x["to"]["value_text"]) for x in edit["targets"]] == [
        ("edit", "4200个", "3200个")
    ]
    differing = [x for x in quote["targets"] if "differs" in x["flags"]]
    assert [(x["relation"], x["from"]["value_text"], x["to"]["value_text"]) for x in differing] == [
        ("quote", "5%左右", "6%左右")
    ]
    assert data["unfollowed"] == [story.LIBRARY.title, story.LIVELIHOOD.title]

    outage = data["rounds"][story.OUTAGE]["checks"][-1]["failures"]
    assert {f["error"] for f in outage} == {"http_5xx", "blocked_challenge"}
    assert {x["type"] for x in data["webhooks"]} >= {"targets.changed", "source.failing", "source.recovered"}
    assert all(x["signature"] for x in data["webhooks"])
    check_files(folder, data)


def headline(change: dict) -> dict:  # type: ignore[type-arg]
    """The moved targets of the list of main expected targets: name -> (what happened, before, after)."""

    def text(side: dict | None) -> str | None:  # type: ignore[type-arg]
        return side["value_text"] if side else None

    return {
        x["canonical"]: (x["change"], text(x["from"]), text(x["to"]))
        for x in change["targets"]
        if (x["to"] or x["from"])["headline"] and (x["to"] or x["from"])["role"] == "target"
    }


def check_files(folder: Path, data: dict) -> None:  # type: ignore[type-arg]
    """What the summary points to is there and says what happened."""
    first = data["mails"][0]
    mail = message_from_bytes(Path(first["eml"]).read_bytes(), policy=policy.default)
    assert "云岭区" in str(mail["Subject"])
    html = Path(first["html"]).read_text(encoding="utf-8")
    assert "固定资产投资" in html
    assert "5%左右" in html
    with sqlite3.connect(folder / "mubiao.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()


def test_it_can_be_played_again_in_the_same_place_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError):
        driver.run(tmp_path, "en")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
