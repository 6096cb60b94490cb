"""What one fetch means beside what was known, as plain values: no network, no database, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor import assess
from monitor import config as configuration
from monitor.model import Change, Diff, Edit, Failure, Fetch, Known, Outcome, Page, Source, Version

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
URL = "http://yunling.example/a"
SOURCE = Source(key="yunling", url=URL)
PAGE = Page(id=1, source="yunling", url=URL, etag='"1"', raw_sha256="0" * 64)
TEXT = (
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，2026年全区主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
)


@pytest.fixture
def checked(page_of: Callable[..., str]) -> Callable[..., Outcome]:
    """`checked(text, known=…, at=…)`: the outcome of a page that says this."""
    words = configuration.vocabulary()

    def check(*text: str, known: Known | None = None, at: datetime = NOW, page: Page = PAGE) -> Outcome:
        fetch = Fetch(URL, at, URL, status=200, headers={"etag": '"2"'}, body=page_of("全体会议", *text).encode())
        reading = assess.read(fetch, SOURCE, page, words.text)
        return assess.conclude(reading, known or Known(page), SOURCE, words)

    return check


def known_of(outcome: Outcome, **changes: object) -> Known:
    """What storage would answer after this outcome."""
    assert outcome.document is not None
    assert outcome.sha256 is not None
    assert outcome.fingerprint is not None
    version = Version(
        "v1",
        "yunling",
        URL,
        outcome.at,
        outcome.document,
        outcome.release,
        outcome.record,
        outcome.sha256,
        outcome.fingerprint,
    )
    return replace(Known(outcome.page, version), **changes)  # type: ignore[arg-type]


def test_a_first_sight_is_new_with_its_targets(checked: Callable[..., Outcome]) -> None:
    found = checked(*TEXT)
    assert found.result == "new"
    assert found.change is not None
    assert (found.change.kind, found.change.baseline, found.change.edits) == ("new", True, ())
    assert {t.value_text for t in found.targets if t.role == "target"} >= {"6%左右", "8%"}
    assert (found.page.last_good, found.page.etag, found.keep_body) == (NOW, '"2"', True)


def test_the_same_text_is_unchanged_whatever_surrounds_it(checked: Callable[..., Outcome]) -> None:
    again = checked(*TEXT, known=known_of(checked(*TEXT)), at=NOW + timedelta(hours=1))
    assert (again.result, again.change, again.keep_body) == ("unchanged", None, False)


def test_a_moved_number_is_a_change_with_what_it_moved(checked: Callable[..., Outcome]) -> None:
    edited = checked(TEXT[0], TEXT[1].replace("8%", "9%"), known=known_of(checked(*TEXT)))
    assert edited.change is not None
    assert (edited.result, edited.change.kind, edited.change.old_version) == ("changed", "content", "v1")
    assert [(t.change, t.relation) for t in edited.change.targets] == [("raised", "edit")]
    assert edited.change.significance >= assess.SIGNIFICANCE["target"]
    assert "a target moved" in edited.change.reasons


def test_a_text_that_stood_there_before_is_reverted_and_one_that_was_gone_is_restored(
    checked: Callable[..., Outcome],
) -> None:
    first = checked(*TEXT)
    second = checked(TEXT[0], TEXT[1].replace("8%", "9%"))
    back = checked(*TEXT, known=known_of(second, earlier_fingerprints={first.fingerprint: "v0"}))
    assert back.change is not None
    assert back.change.kind == "reverted"
    gone = known_of(first, page=replace(first.page, removed=True))
    there = checked(*TEXT, known=gone)
    assert there.change is not None
    assert (there.change.kind, there.page.removed) == ("restored", False)


@pytest.mark.parametrize(
    ("minutes", "host_answers", "removed"),
    [
        ((0, 10, 20), True, False),
        ((0, 15, 31), True, True),
        ((0, 31), True, False),
        ((0, 15, 31), False, False),
        ((0, 1500, 2881), False, True),
    ],
)
def test_a_page_is_removed_after_three_answers_over_time(
    checked: Callable[..., Outcome], minutes: tuple[int, ...], host_answers: bool, removed: bool
) -> None:
    known = known_of(checked(*TEXT), host_answers=host_answers)
    kinds = []
    for minute in minutes:
        at = NOW + timedelta(minutes=minute)
        outcome = assess.failed(known, Fetch(URL, at, status=404), Failure("http_404", "HTTP 404", 404))
        assert outcome.result == "failed"
        kinds.append(outcome.change.kind if outcome.change else None)
        known = replace(known, page=outcome.page)
    assert kinds == [None] * (len(minutes) - 1) + (["removed"] if removed else [None])
    assert known.page.removed is removed


def test_another_failure_between_starts_the_count_again_and_a_hold_does_not(checked: Callable[..., Outcome]) -> None:
    known = known_of(checked(*TEXT), host_answers=True)
    counts = []
    for word in ("http_404", "held", "soft_404", "timeout", "http_410"):
        outcome = assess.failed(known, Fetch(URL, NOW), Failure(word, word))
        known = replace(known, page=outcome.page)
        counts.append(outcome.page.gone_count)
    assert counts == [1, 1, 2, 0, 1]
    assert known.page.consecutive == 5


@pytest.mark.parametrize(("word", "result"), [("blocked_waf", "blocked"), ("guard", "blocked"), ("timeout", "failed")])
def test_a_failure_keeps_the_last_version_and_forgets_validators(
    checked: Callable[..., Outcome], word: str, result: str
) -> None:
    known = known_of(checked(*TEXT))
    outcome = assess.failed(known, Fetch(URL, NOW), Failure(word, "why"))
    assert (outcome.result, outcome.change, outcome.document) == (result, None, None)
    assert (outcome.page.etag, outcome.page.raw_sha256, outcome.page.version) == (None, None, known.page.version)
    assert outcome.page.failing_since == NOW
    well = checked(*TEXT, known=replace(known, page=outcome.page))
    assert (well.page.failure, well.page.consecutive, well.page.failing_since) == (None, 0, None)


@pytest.mark.parametrize(
    ("change", "delta", "weight"),
    [
        ({"kind": "cosmetic"}, Diff(cosmetic=True), "cosmetic"),
        ({"kind": "content"}, Diff((Edit("replace", "增长8%", "增长9%"),)), "number"),
        ({"kind": "content"}, Diff((Edit("insert", new="新的一段"),)), "passage"),
        ({"kind": "content"}, Diff((Edit("replace", "推进", "推动"),)), "wording"),
        ({"kind": "content"}, Diff(rewritten=True), "passage"),
    ],
)
def test_significance_follows_what_moved(change: dict[str, str], delta: Diff, weight: str) -> None:
    event = Change(at=NOW, source="yunling", url=URL, **change)  # type: ignore[arg-type]
    found, reasons = assess.significance(event, delta)
    assert found == assess.SIGNIFICANCE[weight]
    assert reasons


def test_targets_are_read_from_the_beginning_of_what_is_mostly_numbers() -> None:
    """Three million characters of them took five minutes and 2 GB, and every other check waited."""
    assert assess.told_in("全区生产总值增长5%。" * 1000) == 11 * 1000
    many = "增长5%，" * (assess.MOST_NUMBERS + 10)
    assert assess.told_in(many) == 5 * assess.MOST_NUMBERS + 2
