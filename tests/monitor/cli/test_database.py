"""A database of an older schema, met by a command that writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from monitor.cli.database import writable
from monitor.cli.session import Session
from monitor.errors import StorageError
from storage import migrate
from storage.tables import REVISION


@pytest.fixture
def older(desk: Any) -> Any:
    desk.watch()
    migrate.upgrade(desk.db, datetime.now(UTC))
    revised(desk, "0005")
    return desk


def revised(desk: Any, revision: str) -> None:
    with closing(sqlite3.connect(desk.db.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE alembic_version SET version_num = ?", [revision])
        if revision == "0005":
            file.execute("ALTER TABLE page DROP COLUMN resumes")


def test_a_command_says_that_it_upgrades_and_where_the_copy_is(older: Any) -> None:
    first, second = older.run("check"), older.run("check")
    assert (first.code, second.code) == (0, 0)
    [copy] = Path(older.folder, "data").glob("*.0005-*.bak")
    assert str(copy.relative_to(older.folder)) in first.err
    assert ".bak" not in second.err


def test_a_service_says_so_in_its_log(older: Any) -> None:
    seen = LogCapture()
    log = structlog.wrap_logger(None, processors=[seen], wrapper_class=structlog.BoundLogger)
    session = Session(str(older.config), older.db, "en", config_given=True)
    for _ in range(2):
        with writable(session, log=log):
            pass
    begun, done = seen.entries
    assert (begun["event"], begun["schema"], begun["to"]) == ("upgrading", "0005", REVISION)
    assert (done["event"], Path(done["copy"]).exists(), done["seconds"] >= 0) == ("upgraded", True, True)


def test_of_a_newer_one_nothing_is_said_but_that(older: Any) -> None:
    revised(older, "9999")
    seen = LogCapture()
    log = structlog.wrap_logger(None, processors=[seen], wrapper_class=structlog.BoundLogger)
    session = Session(str(older.config), older.db, "en", config_given=True)
    with pytest.raises(StorageError, match="newer"), writable(session, log=log):
        pass
    assert seen.entries == []
