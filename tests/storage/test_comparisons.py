"""Comparisons made again, and readings put in place of others: only what they are about is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Change, Record, Release, Retold, Source, Target, TargetChange, Version
from storage.filters import Filter

BODY = "地区生产总值增长6%。"
ITEM = Target("target", 0, 10, BODY[:10], 7, 9, "6%", "地区生产总值", "地区生产总值", value=6.0, unit="%")
LINE = TargetChange("地区生产总值", "地区生产总值", "growth", "lowered", replace(ITEM, value=7.0), ITEM)


@pytest.fixture
def years(house: Any, source: Callable[..., Source], report: Callable[..., dict[str, Any]]) -> dict[int, Any]:
    """Reports of one series under three addresses: 2021, then 2023 compared with it; 2022 is not read yet."""
    pages = house.watch(*(source(f"y{year}") for year in (2021, 2022, 2023)))
    found = {int(p.source[1:]): p for p in pages}
    first = house.see(found[2021], BODY, **report(2021))
    outcome = house.outcome(found[2023], BODY, moved=[LINE], targets=(ITEM,), **report(2023))
    change = replace(outcome.change, compared_with=first, compared_release="2021", release="2023")
    house.store.save(replace(outcome, change=change))
    return found


def test_documents_that_were_compared_over_a_new_one_are_asked_for_again(
    house: Any, years: dict[int, Any], report: Callable[..., dict[str, Any]]
) -> None:

    house.tick()
    middle = house.see(years[2022], BODY, **report(2022))
    asked: list[tuple[str, str, list[str]]] = []

    def again(change: Change, version: Version, source: Source, releases: Sequence[Release]) -> Change:
        asked.append((change.id, source.key, sorted(r.label or "" for r in releases)))
        return replace(change, compared_with=middle, compared_release="2022", targets=(), significance=0.5)

    moved = house.store.recompare(years[2022].id, again)
    assert asked == [(moved[0], "y2023", ["2021", "2022"])]


def test_the_stored_comparison_is_replaced_whole(
    house: Any, ask: Any, years: dict[int, Any], report: Callable[..., dict[str, Any]]
) -> None:
    middle = house.see(years[2022], BODY, **report(2022))
    house.store.recompare(
        years[2022].id,
        lambda change, *_: replace(change, compared_with=middle, compared_release="2022", targets=(), significance=0.5),
    )
    feed = ask.changes(Filter(source="y2023", baseline=True))
    assert [(c.compared_with, c.compared_release, c.targets) for c in feed] == [(middle, "2022", ())]
    assert ask.changes(Filter(indicator="地区生产总值", baseline=True)) == []
    (row,) = ask.history("y2023")
    assert (row["targets"], row["significance"]) == (0, 0.5)
    assert len(ask.changes(Filter(baseline=True), limit=None)) == 3


@pytest.mark.parametrize("year", [2020, 2024])
def test_a_document_outside_the_gap_changes_nothing(
    house: Any, years: dict[int, Any], report: Callable[..., dict[str, Any]], year: int
) -> None:
    house.see(years[2022], BODY, **report(year))
    calls: list[Change] = []
    house.store.recompare(years[2022].id, lambda change, *_: calls.append(change) or change)
    # 2021 has nothing before it, so an older one may now be; what is compared with a later one is left alone
    assert [c.release for c in calls] == ([None] if year == 2020 else [])


def test_another_place_or_series_changes_nothing(
    house: Any, source: Callable[..., Source], years: dict[int, Any], report: Callable[..., dict[str, Any]]
) -> None:
    for key, more in (("other", {"region": "990103"}), ("plans", {"series": "计划报告"}), ("none", {"series": None})):
        house.watch(*(source(f"y{y}") for y in (2021, 2022, 2023)), source(key, **more))
        page = next(p for p in house.store.pages() if p.source == key)
        house.see(page, BODY, **report(2022))
        assert house.store.recompare(page.id, lambda change, *_: replace(change, targets=())) == []


def test_a_reading_is_replaced_and_nothing_else(house: Any, ask: Any, years: dict[int, Any]) -> None:
    (before,) = ask.history("y2023")
    shown = ask.show("y2023")
    told = Retold(Record(type="plan", year=2024, label="2024"), "2024", (replace(ITEM, value=8.0),))
    assert house.store.retarget(before["version"], told)
    assert not house.store.retarget(before["version"], told)
    assert [x.target.value for x in ask.targets(Filter(source="y2023"))] == [8.0]
    assert [t.value for t in ask.targets_of(before["version"])] == [8.0]
    after = ask.show("y2023@2024")
    assert (after["record"]["type"], after["year"], after["release"]) == ("plan", 2024, "2024")
    kept = ("version", "at", "sha256", "raw_sha256", "text", "kind", "targets", "change", "readings")
    assert {k: after.get(k) for k in kept} == {k: shown.get(k) for k in kept}
    house.store.retarget(before["version"], replace(told, targets=()))
    assert ask.targets(Filter(source="y2023")) == []


def test_an_older_version_keeps_the_list_of_the_newest(house: Any, ask: Any, years: dict[int, Any]) -> None:
    first = ask.history("y2023")[0]["version"]
    house.tick()
    house.see(years[2023], BODY + "又改。", targets=(ITEM,))
    assert house.store.retarget(first, Retold(Record(), None, (replace(ITEM, value=9.0),)))
    assert [x.target.value for x in ask.targets(Filter(source="y2023"))] == [6.0]
    assert [t.value for t in ask.targets_of(first)] == [9.0]


def test_releases_of_a_version_include_those_that_stood_at_its_address(
    house: Any, ask: Any, years: dict[int, Any], report: Callable[..., dict[str, Any]]
) -> None:
    house.tick()
    house.see(years[2023], BODY + "明年再见。", **report(2024))
    newest = ask.history("y2023")[0]["version"]
    assert sorted(r.label for r in ask.releases(newest)) == ["2021", "2023"]
    assert ask.names(Filter(source="y2023")) == [r["version"] for r in reversed(ask.history("y2023"))]
    assert ask.names(Filter(under="9901"), latest=True)[-1] == newest
    assert ask.series_by_source()["y2023"] == "政府工作报告"
