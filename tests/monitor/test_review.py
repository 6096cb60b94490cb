"""Asking again: moments, both sides of a comparison, rankings and what a command line's words mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configuration
from monitor.errors import UsageError
from monitor.model import Document
from monitor.review import asking, sides

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
AIM = "云岭区{}年政府工作报告\n{}年主要预期目标是：地区生产总值增长{}%左右，固定资产投资增长8%。\n"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("7d", NOW - timedelta(days=7)),
        ("12 h", NOW - timedelta(hours=12)),
        ("2026-01-01T08:00+08:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_a_time_or_a_while_ago(text: str | None, moment: datetime | None) -> None:
    assert asking.moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "soon", "7w", "2026-13-01", "99999999d", "0d", "0001-01-01", "-3d"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="7d"):
        asking.moment(text, NOW)


def test_an_indicator_is_asked_for_by_name_alias_or_id() -> None:
    words = configuration.vocabulary()
    known = next(x for x in words.indicators if x.aliases)
    assert {asking.canonical(x, lambda: words) for x in (known.id, known.name, *known.aliases)} == {known.name}
    assert asking.canonical("没有这个指标", lambda: words) == "没有这个指标"
    assert asking.canonical(None, lambda: words) is None


def side(year: int, percent: float) -> sides.Side:
    text = AIM.format(year, year, percent)
    return sides.side(str(year), text, Document(title=text.split("\n", maxsplit=1)[0]), configuration.vocabulary())


def test_two_releases_are_compared_and_two_versions_are_an_edit() -> None:
    lines, relation, _ = sides.compare_sides(side(2025, 6), side(2026, 5))
    assert relation == "next_release"
    assert {x.canonical: x.change for x in lines} == {"地区生产总值": "lowered", "固定资产投资": "unchanged"}
    lines, relation, _ = sides.compare_sides(side(2026, 6), side(2026, 6))
    assert (relation, {x.change for x in lines}) == ("edit", {"unchanged"})
    assert sides.compare_sides(side(2025, 6), side(2026, 5), relation="quote")[1] == "quote"


def test_an_odd_pair_of_documents_is_said_to_be_one() -> None:
    assert sides.doubts(side(2025, 6), side(2026, 5)) == ()
    assert sides.doubts(side(2026, 5), side(2025, 6)) == ("turned",)
    text = AIM.format(2026, 2026, 5).replace("云岭区", "北港区")
    other = sides.side("北港", text, Document(title=text.split("\n", maxsplit=1)[0]), configuration.vocabulary())
    assert sides.doubts(side(2025, 6), other) == ("places",)


@pytest.fixture
def filled(desk: Any) -> Any:
    """Three places with a promise each; one of them over two years."""
    for place, region, year, percent in (
        ("yunling", "999101", 2025, 6),
        ("yunling", "999101", 2026, 5),
        ("beigang", "999102", 2026, 7),
        ("songyuan", "999103", 2026, 6),
    ):
        path = Path(desk.folder) / f"{place}-{year}.txt"
        path.write_text(AIM.format(year, year, percent), encoding="utf-8")
        assert desk.run("import", path, "--source", place, "--region", region).code == 0
    return desk


def test_places_are_ranked_within_a_year(filled: Any) -> None:
    rows = filled.run("targets", "rank", "--indicator", "地区生产总值", "--period", "2026", "--json").json
    assert [(row["rank"], row["source"], row["value"]) for row in rows] == [
        (1, "beigang", 7),
        (2, "songyuan", 6),
        (3, "yunling", 5),
    ]


def test_a_timeline_runs_through_the_years_and_can_be_drawn(filled: Any) -> None:
    command = ("targets", "timeline", "--indicator", "地区生产总值", "--source", "yunling")
    assert [row["value"] for row in filled.run(*command, "--json").json] == [6, 5]
    assert filled.run(*command, "--svg", "a.svg").code == 0
    drawing = (filled.folder / "a.svg").read_text(encoding="utf-8")
    assert drawing.startswith("<svg")
    assert "地区生产总值" in drawing


def test_a_comparison_takes_releases_of_a_place(filled: Any) -> None:
    done = filled.run("targets", "compare", "yunling@2025", "999101@2026", "--jsonl")
    assert {line["canonical"]: line["change"] for line in done.lines}["地区生产总值"] == "lowered"
    assert filled.run("targets", "reread", "--dry-run", "--json").json == []
    assert filled.run("targets", "attainment", "--source", "yunling", "--json").code == 0


def test_a_marked_text_holds_every_promise(filled: Any) -> None:
    assert filled.run("targets", "explain", "yunling@2026", "--html", "a.html").code == 0
    html = (filled.folder / "a.html").read_text(encoding="utf-8")
    assert html.count('<mark class="target"') == 2
    assert "8%" in filled.run("targets", "explain", "yunling@2026").out
