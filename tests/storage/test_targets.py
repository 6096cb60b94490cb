"""Targets of earlier versions: what a limit shows is the beginning of what there is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from storage import care, mending, targets
from storage.filters import Filter

DAY = timedelta(days=1)
SOURCES = 23  # more than are read at once


@pytest.fixture
def town(house, source, report, quoted):
    """Sources with two releases each, some silent about numbers, of two places in turn; returns the day between."""
    pages = house.watch(*(source(f"s{n}", region=f"99010{n % 2}") for n in range(SOURCES)))
    for year in (2025, 2026):
        house.tick(DAY)
        for page in pages:
            number = int(page.source[1:])
            text = f"增长{number}%，到{year}年。"
            goal = quoted(text, f"增长{number}%", f"{number}%", value=float(number), period=str(year), canonical="增速")
            if number % 5 == 0:
                house.see(page, f"{page.source}：{year}年没有数字。", **report(year))
            else:
                house.see(page, page.source + text, targets=(goal,), **report(year))
    return house.now - DAY / 2


@pytest.mark.both_dialects
@pytest.mark.parametrize("few", [0, targets.FEW])
def test_a_limit_shows_the_beginning(ask, town, monkeypatch, few: int) -> None:
    monkeypatch.setattr(targets, "FEW", few)  # versions of a release that are few

    def shown(limit: int | None, **fields: Any) -> list[tuple[str, str]]:
        return [(i.source, i.version) for i in ask.targets(Filter(**fields), limit=limit)]

    for fields in (
        {"as_of": town},
        {"as_of": town, "all_releases": True},
        {"release": "2025"},
        {"all_releases": True},
        {"all_releases": True, "under": "990101"},
        {"as_of": town, "region": "990100", "series": "政府工作报告"},
        {"release": "2026", "indicator": "增速", "since": town},
    ):
        whole = shown(None, **fields)
        assert len(whole) > 5 and [s for s, _ in whole] == sorted(s for s, _ in whole)
        for limit in (1, 5, len(whole), 99):
            assert shown(limit, **fields) == whole[:limit], (fields, limit)
    for nothing in ({"as_of": town - 9 * DAY}, {"release": "1999"}, {"all_releases": True, "series": "规划"}):
        assert shown(5, **nothing) == shown(None, **nothing) == []


def test_a_damaged_version_costs_its_own_targets(ask, town, store) -> None:
    whole = ask.targets(Filter(all_releases=True))
    lost = whole[-1].version  # nothing leans on it
    with store._writer.begin() as connection:
        found = f"SELECT items_sha256 FROM version WHERE id = {lost[1:]}"
        connection.exec_driver_sql(f"UPDATE blob SET data = x'00ff' WHERE sha256 = ({found})")
    left = ask.targets(Filter(all_releases=True))
    assert [i.version for i in left] == [i.version for i in whole if i.version != lost]
    assert lost in ask.unread[0]


@pytest.mark.parametrize(
    "spoilt",
    [
        "fields = replace(fields, '\"value\"', '\"valve\"')", "fields = substr(fields, 2)", "value = value + 1",
        "fields = CAST(x'7b22ff227d' AS TEXT)", "source = 's3'", "page = page + 1",
    ],
)  # fmt: skip
def test_a_damaged_row_costs_itself_is_found_and_made_anew(url, house, ask, town, tmp_path, spoilt: str) -> None:
    whole = ask.targets(Filter())
    with closing(sqlite3.connect(tmp_path / "mubiao.db")) as file, file:
        file.execute(f"UPDATE target SET {spoilt} WHERE id = (SELECT min(id) FROM target WHERE source = 's7')")
    assert len(ask.targets(Filter())) in (len(whole), len(whole) - 1)
    assert "targets" in {found.what for found in care.check(url)}
    house.store.close()
    _, mended, left = mending.repair(url, house.now)
    assert {found.what for found in mended} == {"targets"} and left == []
    assert ask.targets(Filter()) == whole
