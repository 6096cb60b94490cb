"""Fencing: what a checker found is saved only while the page is its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from monitor.model import Alert, Outcome
from storage.leases import LostError

several = pytest.mark.postgresql_alone


@pytest.fixture
def pages(house: Any, source: Any) -> Any:
    return house.watch(source("a"), source("b"))


def expire(store: Any) -> None:
    with store._write() as session:
        session.connection().execute(text("UPDATE page SET lease_until = '2020-01-01T00:00:00.000000Z'"))


@several
def test_who_comes_back_late_saves_nothing(store, ask, house, pages) -> None:
    number = pages[0].id
    known, first = store.take([number])
    assert known[number].page.url == pages[0].url
    expire(store)  # the first one is paused; another one takes over
    _, second = store.take([number])
    assert second[number] != first[number]
    owed = [Alert("h", "h", "desk", "source.failing", {})]
    with pytest.raises(LostError, match="another checker"):
        store.save(house.outcome(pages[0], "旧的发现"), health=owed, lease=first[number])
    assert ask.history("a", 9) == [] and ask.alerts() == []
    assert store.save(house.outcome(pages[0], "新的发现"), health=owed, lease=second[number]) == "c1"
    with pytest.raises(LostError):  # a lease ends with its save
        store.save(house.outcome(pages[0], "又一个"), lease=second[number])
    assert [row["title"] for row in ask.history("a")] == ["新的发现"] and len(ask.alerts()) == 1


@several
def test_of_many_unchanged_only_those_still_held_are_written(store, house, pages) -> None:
    for page in pages:
        house.see(page, "云岭区")
    known, held = store.take([p.id for p in pages])
    expire(store)
    store.take([pages[1].id])
    later = house.now + timedelta(hours=6)
    states = [Outcome(known[p.id].page, house.now, "unchanged", next_due=later) for p in pages]
    assert store.save_unchanged(states, held) == {pages[1].id}
    assert store.due(later - timedelta(seconds=1), 9) == []
    with store._read() as session:
        due = dict(session.connection().execute(text("SELECT id, lease_id IS NULL FROM page")).all())
    assert [bool(due[p.id]) for p in pages] == [True, False]


@pytest.mark.both_dialects
def test_what_was_checked_meanwhile_is_left_out(store, house, pages) -> None:
    store.set_due(pages[0].id, house.now + timedelta(hours=1))
    known, _ = store.take([p.id for p in pages], due_by=house.now)
    assert known.keys() == {pages[1].id}


@several
def test_others_leave_a_claimed_page_alone(store, house, pages) -> None:
    both = [p.id for p in pages]
    _, held = store.take(both[:1])
    store.renew(held)
    known, _ = store.take(both)
    assert known.keys() == {both[1]}
    store.give_up(held)
    assert store.take(both)[0].keys() == {both[0]}
    assert store.due(house.now, 9) == [] and store.due_hosts(house.now) == []


def test_the_one_checker_of_a_file_claims_nothing(store, house, pages) -> None:
    both = [p.id for p in pages]
    for _ in range(2):
        known, held = store.take(both)
        assert known.keys() == set(both) and held == {}
