"""A history moved into another database: all of it, or nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from monitor.errors import StorageError
from storage import copying
from storage.queries import Queries
from storage.store import Store

CHARS = "云岭松原新区罚款土地ABcd12、。 "


@pytest.fixture
def filled(house: Any, source: Any, edited: Any) -> Any:
    """Pages of random words, edited once."""
    chance = random.Random(7)
    for page in house.watch(source("a"), source("b", region="990201"), source("c")):
        for _ in range(2):
            words = ["".join(chance.choices(CHARS, k=30)) for _ in range(4)]
            house.see(page, "总则", *words, edits=edited(words[0], words[1]), keep_body=True)
            house.tick()
    house.fail(page, "dns")
    return house


def test_everything_arrives_and_is_found_alike(filled, url, ask, postgres_url) -> None:
    seen: list[tuple[int, int]] = []
    counts = copying.copy(url, postgres_url, filled.now, lambda done, total: seen.append((done, total)))
    assert (counts["version"], counts["page"], seen[-1][0]) == (6, 3, seen[-1][1])
    with Queries(postgres_url) as other, Store(postgres_url) as store:
        assert store.check() == []
        for query in [*"云罚Ad1", *("".join(random.Random(n).choices(CHARS.strip(), k=2)) for n in range(60))]:
            if any(char.isalnum() for char in query):
                assert other.search(query) == ask.search(query), query
        assert list(other.versions()) == list(ask.versions())
        assert other.sources() == ask.sources()
        before = {**other.status(filled.now), "bytes": 0}
        assert before == {**ask.status(filled.now), "bytes": 0}
        page = store.entry("a", "http://a.example/new.html", filled.now)
        assert page.id == 4, "numbers go on after the last copied one"


def test_a_history_is_never_mixed_with_another(filled, url, postgres_url, tmp_path: Path) -> None:
    copying.copy(url, postgres_url, filled.now)
    with pytest.raises(StorageError, match="not empty"):
        copying.copy(url, postgres_url, filled.now)
    copying.copy(postgres_url, f"sqlite:///{tmp_path}/back.db", filled.now)
    with Queries(f"sqlite:///{tmp_path}/back.db") as back, Queries(url) as first:
        assert list(back.versions()) == list(first.versions())
        assert back.search("云") == first.search("云")


def test_a_copy_that_differs_is_not_kept(filled, url, postgres_url) -> None:
    rule = "CREATE RULE odd AS ON INSERT TO meta DO INSTEAD NOTHING"
    with Store(postgres_url) as store, store._write() as session:
        session.connection().execute(text(rule))
    filled.store.set_meta("tick", "1")
    try:
        with pytest.raises(StorageError, match="table meta differs"):
            copying.copy(url, postgres_url, filled.now)
    finally:
        with Store(postgres_url) as store, store._write() as session:
            session.connection().execute(text("DROP RULE odd ON meta"))
    with Queries(postgres_url) as other:
        assert other.sources() == []


def test_a_killed_copy_leaves_nothing(filled, url, postgres_url) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy(url, postgres_url, filled.now, stop)
    copying.copy(url, postgres_url, filled.now)
