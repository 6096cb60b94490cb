"""An upgrade under live data: stopped, upgraded, started again; what was owed arrives, what was there stays."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from storage.tables import REVISION, REVISIONS

RELEASED = Path(__file__).resolve().parents[1] / "data/released"
TEXT = "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"


def known(file: Path) -> tuple[set[Any], set[Any]]:
    """Versions with the hash of their text, and changes."""
    with closing(sqlite3.connect(file)) as connection:
        versions = set(connection.execute("SELECT id, page, sha256 FROM version"))
        return versions, set(connection.execute("SELECT id, page, old_version, new_version, kind FROM change"))


@pytest.mark.timeout(180)
def test_a_daemon_of_today_takes_over_what_the_one_before_left(
    desk: Any, web: Any, page_of: Callable[..., str]
) -> None:
    before = max(REVISIONS - {REVISION})
    file = desk.folder / "data/mubiao.db"
    file.parent.mkdir()
    file.write_bytes(zstandard.ZstdDecompressor().decompress((RELEASED / f"{before}.db.zst").read_bytes()))
    with closing(sqlite3.connect(file)) as connection, connection:  # the old daemon was stopped before it could send
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        owe = "UPDATE alert SET state = 'pending', attempts = 0, sent_at = NULL, next_at = ? WHERE channel = 'hook'"
        assert connection.execute(owe, [now]).rowcount
        [(owed,)] = connection.execute("SELECT count(*) FROM alert WHERE state = 'pending'")
    old = known(file)
    told = list[str]()
    web.routes["/hook"] = lambda request: told.append(request.headers["webhook-id"]) or web.routes["/ok"]
    web.put("/ok", "")
    url = web.put("/a", page_of("区政府全体会议", TEXT, TEXT[::-1]))
    hook = {"type": "webhook", "url": web.url + "/hook"}
    desk.watch({"key": "yunling-reports", "url": url, "every": "1s"}, channels={"hook": hook})

    daemon, end = desk.spawn("run", "--no-web", "--log", "json"), time.monotonic() + 60
    while "/a" not in web.asked or len(told) < owed:
        assert time.monotonic() < end and daemon.poll() is None, daemon.kill() or daemon.communicate()
        time.sleep(0.05)
    again = desk.run("db", "upgrade")
    assert again.code == 0, again.err  # beside a daemon that has done it
    daemon.send_signal(signal.SIGTERM)
    _, err = daemon.communicate(timeout=30)
    assert daemon.returncode == 0 and "Traceback" not in err, err
    assert len(list(file.parent.glob(f"mubiao.db.{before}-*.bak"))) == 1
    versions, changes = known(file)
    assert versions > old[0] and changes >= old[1]
    assert sorted(told) == sorted(set(told)) and len(told) == owed
    checked = desk.run("db", "check")
    assert checked.code == 0, checked.out

    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = desk.run("run", "--no-web", "--log", "json")
    assert (newer.code, newer.out, newer.err.count("\n")) == (2, "", 1)
    assert "newer schema 9999" in newer.err and "install a newer mubiao" in newer.err
    assert known(file) == (versions, changes)
