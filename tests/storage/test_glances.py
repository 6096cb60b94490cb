"""The cheap half of a check: glances and unchanged checks, many at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import StorageError
from monitor.model import Link, Outcome

pytestmark = pytest.mark.both_dialects

HOUR = timedelta(hours=1)


def test_a_glance_is_the_past_without_its_texts(store, house, source) -> None:
    [page] = house.watch(source())
    [other] = store.add_pages("yunling", [Link("http://yunling.example/b", "b")], house.now)
    house.see(page, "甲")
    house.tick()
    house.see(page, "乙", document={"replacements": 2})
    whole, known = store.load(page.id), store.glance([page.id, other.id, 99])
    assert set(known) == {page.id, other.id}
    glance = known[page.id]
    assert glance.page == whole.page and glance.edited
    assert (glance.last.id, glance.last.sha256, glance.last.fingerprint) == ("v2", whole.last.sha256, "乙")
    assert glance.last.document.replacements == 2 and glance.last.document.paragraphs == ()
    assert known[other.id].last is None and not known[other.id].edited


def test_a_page_with_one_version_was_not_edited(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "甲")
    assert not store.glance([page.id])[page.id].edited and not store.load(page.id).edited


def test_many_unchanged_checks_are_one_transaction(store, house, source) -> None:
    [page] = house.watch(source())
    [other] = store.add_pages("yunling", [Link("http://yunling.example/b", "b")], house.now)
    now = house.tick()
    states = [replace(p, etag=f'"{p.id}"', last_checked=now, last_good=now) for p in (page, other)]
    store.save_unchanged(Outcome(p, now, "not_modified", next_due=now + p.id * HOUR) for p in states)
    assert [store.load(p.id).page for p in states] == [replace(p, next_due=now + p.id * HOUR) for p in states]


def test_one_page_that_is_gone_lets_none_of_them_be_saved(store, house, source) -> None:
    [page] = house.watch(source())
    before, now = store.load(page.id).page, house.tick()
    checks = [Outcome(replace(p, last_checked=now), now, "unchanged") for p in (page, replace(page, id=99))]
    with pytest.raises(StorageError, match="no page"):
        store.save_unchanged(checks)
    assert store.load(page.id).page == before


def test_sources_past_their_first_pass_are_known_at_once(store, house, source) -> None:
    page, _ = house.watch(source(), source(key="songyuan", url="http://songyuan.example/"))
    house.see(page, "通知")
    assert store.past_first_pass(["yunling", "songyuan"]) == set()
    store.finish_pass("yunling", house.now)
    assert store.past_first_pass(["yunling", "songyuan"]) == {"yunling"}
