"""One page about this installation: every trouble with a cure, no secret among it."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import pytest

from monitor import config as configuration
from monitor import doctor
from storage.database import sqlite_path

TOLD = {
    "channels": {
        "desk": {"type": "email", "to": ["desk@example.org"]},
        "hook": {"type": "webhook", "url": "https://yunling.example/in", "secret_env": "HOOK_SECRET"},
    },
    "subscriptions": [{"channel": "desk"}],
}


def findings(desk: Any) -> dict[str, doctor.Finding]:
    found = doctor.examine(str(desk.config), desk.db, configuration.settings())
    for one in found:
        assert one["ok"] or one["fix"], one
    return {one["what"]: one for one in found}


def wrong(found: dict[str, doctor.Finding]) -> str:
    return "\n".join(what for what, one in found.items() if not one["ok"])


def test_a_sound_installation_has_nothing_wrong(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
    monkeypatch.setenv("MUBIAO_SMTP_URL", "smtp://robot:hunter2@mail.example.org:587")
    monkeypatch.setenv("HOOK_SECRET", secret)
    desk.watch({"key": "a", "url": "http://yunling.example/"}, **TOLD)
    assert desk.run("db", "upgrade").code == 0
    found = findings(desk)
    assert wrong(found) == ""
    assert any("1 source, 2 channels" in what for what in found)
    text = str(found)
    assert "hunter2" not in text
    assert secret not in text


def test_what_is_missing_is_named(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    desk.watch({"key": "a", "url": "http://yunling.example/"}, **TOLD)
    found = findings(desk)
    assert "channel desk: no mail server" in wrong(found)
    assert "HOOK_SECRET" in wrong(found)


def test_a_broken_file_and_a_broken_database_are_findings(desk: Any) -> None:
    desk.config.write_text("sources: [", encoding="utf-8")
    path = sqlite_path(desk.db)
    path.parent.mkdir()
    path.write_text("only words, only words, only words, and more of them until a header would be full " * 9)
    found = wrong(findings(desk))
    assert "sources.yaml:" in found
    assert "is not a database" in found
    assert desk.run("doctor").code == 1


def test_pages_that_fail_are_counted(desk: Any, web: Any) -> None:
    desk.watch({"key": "a", "url": web.url + "/missing"})
    desk.run("check", "--all")
    assert "1 page failing" in wrong(findings(desk))
    told = desk.run("doctor", "--lang", "zh")
    assert told.code == 1
    assert "1 个页面读取失败\n    → mubiao sources health" in told.out
    assert "sources.yaml：1 个来源，0 个通道" in told.out
    with sqlite3.connect(sqlite_path(desk.db)) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()


def test_what_postgresql_needs_is_named_where_it_is_not_installed(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    found = doctor.examine(str(desk.config), "postgresql://nobody@127.0.0.1:9/mubiao", configuration.settings())
    [missing] = [one for one in found if "PostgreSQL" in one["what"]]
    assert not missing["ok"] and missing["fix"] == "pip install 'mubiao[postgres]'"
