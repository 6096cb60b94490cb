"""What was acknowledged survives kill -9 and a full disk; what was not leaves nothing half-done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import StorageError
from monitor.model import Source
from storage import care
from storage.queries import Queries
from storage.store import Store

KILLS = 3
WRITER = """
import sys
from datetime import UTC, datetime
from monitor.model import Alert, Change, Document, Outcome
from storage.store import Store

with Store(sys.argv[1]) as store:
    [page] = store.pages()
    while True:
        now = datetime.now(UTC)
        text = now.isoformat() + "增长百分之六。" * 500
        document = Document(url=page.url, title="报告", paragraphs=(text,))
        change = Change("content", now, page.source, page.url)
        outcome = Outcome(page, now, "changed", document=document, fingerprint=text, change=change)
        owed = lambda c: [Alert(c.id, c.id, "desk", "change.detected", {"new": c.new_version}, change=c.id)]
        print(store.save(outcome, owed), flush=True)
"""


def killed_after(url: str, count: int) -> list[str]:
    """Changes that a writer acknowledged before it was killed."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(count)]
        writer.kill()
        return acknowledged + [line.strip() for line in writer.stdout if line.endswith("\n")]


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(url, house) -> None:
    house.watch(Source("yunling", "http://yunling.example/"))
    house.store.close()
    acknowledged = [name for kill in range(KILLS) for name in killed_after(url, 3 + 4 * kill)]
    assert len(acknowledged) >= 3 + 7 + 11
    assert care.check(url) == []
    with Queries(url) as ask:
        kept = ask.changes(limit=None)
        assert set(acknowledged) <= {c.id for c in kept}
        assert {c.id for c in kept} == {a.change for a in ask.alerts(limit=9999)}, "no change without its alert"
        assert len(ask.history("yunling")) == len(kept)


def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_room(url, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    before = house.store.load(page.id)
    limit(house.store, 1)  # SQLite never goes below what the file has
    with pytest.raises(StorageError, match="disk is full"):
        for number in range(99):
            house.see(page, *(f"{chr(0x4E00 + number * 97 + n)}" * 50 for n in range(90)))
    known = house.store.load(page.id)
    assert known.last is not None and before.last is not None
    assert care.check(url) == []
    limit(house.store, 1 << 30)
    assert house.see(page, "又有地方了") != known.last.id
    assert Path(url.removeprefix("sqlite:///")).exists()


def limit(store: Store, pages: int) -> None:
    """As many pages as the file may have: SQLite answers SQLITE_FULL beyond, as it does for a full disk."""
    connection = store._writer.raw_connection()
    connection.cursor().execute(f"PRAGMA max_page_count={pages}")
    connection.close()
