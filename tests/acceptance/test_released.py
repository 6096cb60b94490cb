"""Databases that earlier releases filled: upgraded, sound, and every answer as the release itself gave it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from storage.tables import REVISION, REVISIONS

RELEASED = Path(__file__).resolve().parents[1] / "data/released"


def test_every_released_schema_is_here() -> None:
    assert {path.name.partition(".")[0] for path in RELEASED.glob("*.db.zst")} == REVISIONS - {REVISION}


@pytest.mark.parametrize("revision", sorted(REVISIONS - {REVISION}))
def test_a_database_of_an_earlier_release_answers_as_it_did(desk: Any, revision: str) -> None:
    file = desk.folder / "data/mubiao.db"
    file.parent.mkdir()
    file.write_bytes(zstandard.ZstdDecompressor().decompress((RELEASED / f"{revision}.db.zst").read_bytes()))
    before = file.read_bytes()
    expected = json.loads((RELEASED / f"{revision}.json").read_text(encoding="utf-8"))

    asked_too_early = desk.run("changes", "--json")
    assert asked_too_early.code == 2
    assert "db upgrade" in asked_too_early.err
    done = desk.run("db", "upgrade")
    assert done.code == 0, done.err
    (kept,) = file.parent.glob(f"mubiao.db.{revision}-*.bak")
    assert kept.read_bytes()[100:] == before[100:]  # but for SQLite's own counters
    checked = desk.run("db", "check")
    assert checked.code == 0, checked.out

    def rows(*arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in desk.run("export", *arguments, "--format", "jsonl").out.splitlines()]

    versions = [[v["version"], v["release"], v["chars"], v["sha256"]] for v in rows("versions")]
    assert versions == expected["versions"]
    assert [
        [c["id"], c["kind"], c["significance"], c["added"], c["deleted"], len(c["edits"]), len(c["targets"])]
        for c in rows("changes")
    ] == expected["changes"]
    assert len(rows("targets")) == expected["targets"]
    alerts = desk.run("alerts", "list", "--json").json
    assert sorted([a["id"], a["channel"], a["state"], a["change"]] for a in alerts) == expected["alerts"]
    for query, hits in expected["search"].items():
        found = desk.run("search", query, "--json").json
        assert [[h["version"], h["where"], h["snippet"][:40]] for h in found] == hits
