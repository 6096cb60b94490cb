"""What learning leaves in the database: rules with their evidence, readings of one body, sketches of texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from monitor.errors import UsageError
from monitor.model import Document, Noise, Record, Rereading, Target
from storage.filters import Filter
from storage.retention import Retention

RULE = Noise("yunling.example", "line", "版权", "", {"line": "版权"}, "版权", 9, 10, 9)


def reread(version: str, *paragraphs: str, targets: tuple[Target, ...] = ()) -> Rereading:
    text = "\n".join(paragraphs)
    return Rereading(version, Document(title="云岭区", paragraphs=paragraphs), Record(), "2026", "x", text, targets)


def test_a_rule_learned_again_is_renewed_and_stays_off(house: Any, store: Any) -> None:
    [first] = store.learn([RULE], house.now)
    assert (first.id, first.state, first.revision, first.first_seen) == ("n1", "on", 1, house.now)
    stamp = store.noise_stamp()
    assert store.learn([replace(RULE, seen=12, of=12)], house.tick()) == [], "more evidence is no other rule"
    assert store.noise_stamp() == stamp
    store.switch_noise(["n1"], ["yunling.example"], "off")
    [again] = store.learn([replace(RULE, rule={"line": "版权所有"})], house.tick())
    assert (again.state, again.revision, again.seen) == ("off", 2, 9)
    assert again.first_seen == first.first_seen and again.last_seen > first.last_seen
    assert store.noise_stamp() != stamp
    store.switch_noise(["n1"], ["yunling.example"], "forgotten")
    assert store.noise() == []


@pytest.mark.parametrize("name", ["n2", "x1", "n", "1", "n1; drop table noise"])
def test_a_rule_that_is_not_there_is_named(house: Any, store: Any, name: str) -> None:
    store.learn([RULE], house.now)
    with pytest.raises(UsageError, match="learned rule"):
        store.switch_noise([name], ["yunling.example"], "off")
    with pytest.raises(UsageError, match="of this source"):
        store.switch_noise(["n1"], ["other.example"], "off")
    assert [r.state for r in store.noise()] == ["on"]


def test_the_window_of_a_page_knows_how_often_it_was_checked(house: Any, store: Any, source: Any) -> None:
    [page] = house.watch(source())
    for k in range(3):
        house.see(page, "云岭区", f"第{k}版")
        for _ in range(k):
            store.save_unchanged([house.outcome(page, "x", result="unchanged", change=None)])
    seen = store.window(page.id)
    assert [x.checks for x in seen] == [1, 2, 4]
    assert [x.version.document.paragraphs[1] for x in seen] == ["第0版", "第1版", "第2版"]
    assert seen[0].body is None, "the test's captures keep no body"
    assert store.window(page.id, 4) == []


def test_a_reading_takes_the_place_of_the_last_and_that_one_stays(
    house: Any, store: Any, ask: Any, source: Any, quoted: Any
) -> None:
    [page] = house.watch(source())
    first = house.see(page, "云岭区", "增长6%", "今日天气：晴")
    at = house.tick()
    goal = quoted("云岭区\n增长6%", "增长6%", "6%")
    assert store.reread(page.id, reread(first, "云岭区", "增长6%", targets=(goal,)), "rules", at)
    row = ask.show("yunling")
    assert (row["version"], row["reading"], row["text"], row["items"]) == (first, 2, "云岭区\n增长6%", 1)
    [before] = row["readings"]
    assert (before["reading"], before["until"], before["chars"]) == (1, at, len("云岭区\n增长6%\n今日天气：晴"))
    assert store.load(page.id).page.rules == "rules"
    assert [t.target.value_text for t in ask.targets()] == ["6%"]
    assert ask.search("天气") == [] and len(ask.search("增长")) == 1
    assert not store.reread(page.id, reread(first, "云岭区", "增长6%"), "rules", at), "the same again is no reading"
    assert len(ask.changes()) == 0 or all(c.kind == "new" for c in ask.changes())
    assert store.check() == []


def test_earlier_readings_are_kept_by_retention_and_go_with_their_version(
    house: Any, store: Any, ask: Any, source: Any
) -> None:
    [page] = house.watch(source())
    first = house.see(page, "云岭区", "甲", "乙" * 400)
    store.reread(page.id, reread(first, "云岭区", "甲"), "r", house.tick())
    store.prune([Retention(versions=1)], house.tick())
    assert store.check() == [] and len(ask.show("yunling")["readings"]) == 1
    house.tick(timedelta(days=1))
    house.see(page, "云岭区", "丙")
    assert store.prune([Retention(versions=1)], house.tick()).versions == 1
    assert store.check() == [] and len(ask.history("yunling")) == 1


def test_a_damaged_earlier_reading_is_found(house: Any, store: Any, source: Any) -> None:
    [page] = house.watch(source())
    first = house.see(page, "云岭区", "甲", "乙")
    store.reread(page.id, reread(first, "云岭区", "甲"), "r", house.tick())
    with store._write() as session:
        spoilt = text("update blob set data = :zero where sha256 = (select sha256 from reading limit 1)")
        session.connection().execute(spoilt, {"zero": b"\0"})
    assert [f.subject for f in store.check()] == ["v1 (earlier text)"]


# --------------------------------------------------------------------------- copies


def test_an_original_is_found_by_the_sentences_it_shares(house: Any, store: Any, source: Any) -> None:
    pages = house.watch(source("a"), source("b"), source("c"))
    one = house.see(pages[0], "甲", marks=tuple(range(100, 140)))
    house.see(pages[1], "乙乙", marks=tuple(range(500, 540)))
    found = store.originals(pages[2].id, "0" * 64, tuple(range(100, 140)), 1)
    assert [v.id for v in found] == [one]
    assert store.originals(pages[2].id, "0" * 64, tuple(range(900, 1700)), 1) == []
    assert store.originals(pages[0].id, "0" * 64, tuple(range(100, 140)), 1) == [], "never the page itself"
    house.see(pages[0], "甲丙", marks=tuple(range(700, 740)))
    assert store.originals(pages[2].id, "0" * 64, tuple(range(100, 140)), 1) == [], "the latest text of a page counts"


def test_a_copy_stands_for_what_it_is_a_copy_of(house: Any, store: Any, ask: Any, source: Any) -> None:
    pages = house.watch(source("a"), source("b"), source("c"))
    one = house.see(pages[0], "甲文", marks=(1, 2, 3))
    two = house.see(pages[1], "甲文", marks=(1, 2, 3), copy_of=one)
    assert ask.version(two).copy_of == one
    assert [v.id for v in store.originals(pages[2].id, ask.show(two)["sha256"], (), 2)] == [one]
    house.tick(timedelta(days=1))
    house.see(pages[0], "乙文", marks=(7, 8, 9))
    store.prune([Retention(versions=1)], house.tick())
    assert ask.version(one).document.text == "甲文", "what a copy refers to stays"


def test_targets_of_a_copy_count_once(house: Any, ask: Any, source: Any, quoted: Any, report: Any) -> None:
    pages = house.watch(source("a"), source("b"))
    goal = quoted("增长6%", "增长6%", "6%")
    one = house.see(pages[0], "增长6%", targets=(goal,), **report(2026))
    house.see(pages[1], "增长6%", targets=(goal,), copy_of=one, **report(2026))
    assert [x.source for x in ask.targets()] == ["a"]
    assert [x.source for x in ask.targets(Filter(release="2026"))] == ["a"]
    assert [x.source for x in ask.targets(Filter(source="b"))] == ["b"]
    assert ask.resolve("990102@2026") == one


def test_a_damaged_version_teaches_nothing(house: Any, store: Any, source: Any) -> None:
    [page] = house.watch(source())
    for k in range(3):
        house.see(page, "云岭区", f"第{k}版")
    with store._write() as session:
        spoilt = text("update blob set data = :zero where sha256 = (select sha256 from version where id = 2)")
        session.connection().execute(spoilt, {"zero": b"\0"})
    assert [x.version.id for x in store.window(page.id, 3)] == ["v1", "v3"]
