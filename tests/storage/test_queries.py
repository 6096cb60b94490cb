"""Questions: names of versions, filters, and the shapes of answers."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from monitor.errors import StorageError, UsageError
from monitor.model import TargetChange
from storage import database
from storage.filters import Filter, prefix
from storage.queries import Queries

DAY = timedelta(days=1)
GROWTH = {"canonical": "地区生产总值", "indicator_id": "gdp", "kind": "growth"}


@pytest.fixture
def years(store, house, source, report, quoted):
    """A district with two yearly reports, a budget and a newspaper; a second district with one report."""
    listing = source("yunling", kind="listing", url="http://yunling.example/")
    paper = source("daily", series="云岭日报", url="http://daily.example/1")
    house.watch(listing, paper, source("songyuan", region="990203", url="http://songyuan.example/r"))

    def publish(key: str, url: str, year: int, growth: str, **fields) -> str:
        text = f"{year}年，地区生产总值增长{growth}。"
        goal = quoted(text, f"地区生产总值增长{growth}", growth, value=float(growth[:-1]), period=str(year), **GROWTH)
        house.tick(DAY)
        return house.see(store.entry(key, url, house.now), text, targets=(goal,), **(report(year) | fields))

    publish("yunling", "http://yunling.example/2025.html", 2025, "6%")
    publish("yunling", "http://yunling.example/2026.html", 2026, "7%")
    publish("yunling", "http://yunling.example/b.html", 2026, "7%", **report(2026, "budget"))
    publish("daily", "http://daily.example/1", 2026, "8%", **report(2026, "newspaper"))
    publish("songyuan", "http://songyuan.example/r", 2026, "5%")
    return house


# --------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        ("v2", "v2"),
        ("yunling@2025", "v1"),
        ("yunling@2026", "v2"),  # the report before the budget
        ("990102@2025", "v1"),
        ("990102@2026", "v2"),  # and before the newspaper
        ("daily", "v4"),
        ("yunling", "v3"),  # the latest of its documents
        ("http://songyuan.example/r", "v5"),
        ("https://songyuan.example/r/", "v5"),
    ],
)
def test_names_of_versions(years, ask, ref: str, version: str) -> None:
    assert ask.resolve(ref) == version
    assert ask.version(ref).id == version


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("v99", "no version v99"),
        ("yunlin", "did you mean yunling"),
        ("yunlin@2025", "did you mean yunling"),
        ("yunling@2019", "no release 2019; it has: 2025, 2026"),
        ("990999@2025", "nothing is known of 990999"),
        ("http://nowhere.example/", "nothing is known"),
    ],
)
def test_what_is_not_there_says_what_is(years, ask, ref: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ask.resolve(ref)


def test_two_reports_of_a_year_are_both_named(years, ask, store, report) -> None:
    years.see(store.entry("daily", "http://daily.example/full", years.now), "转载全文", **report(2026))
    with pytest.raises(UsageError, match=r"can mean 4 documents.*v6 转载全文 \(daily\).*v2"):
        ask.resolve("990102@2026")


# --------------------------------------------------------------------------- versions


def test_history_and_show(years, ask, edited) -> None:
    [page] = [p for p in ask.pages("songyuan") if p.version]
    before = years.now
    years.tick(DAY)
    years.see(page, "新的一段", "第二段", significance=0.9, edits=edited("旧", "新"), title="改了")
    new, old = ask.history("http://songyuan.example/r")
    assert (new["version"], new["kind"], new["significance"], new["chars"]) == ("v6", "content", 0.9, 8)
    assert (old["version"], old["kind"], old["release"], old["source"]) == ("v5", "new", "2026", "songyuan")
    assert [r["version"] for r in ask.history("songyuan", limit=1)] == ["v6"]
    assert len(ask.history("yunling")) == 3
    shown = ask.show("songyuan")
    assert shown["paragraphs"] == ["新的一段", "第二段"] and shown["change"] == "c6" and shown["title"] == "改了"
    assert ask.show("songyuan", at=before)["version"] == "v5"
    with pytest.raises(UsageError, match="had been seen by"):
        ask.show("songyuan", at=before - 99 * DAY)
    assert [r["version"] for r in ask.versions(Filter(source="songyuan"))] == ["v5", "v6"]
    assert [r["version"] for r in ask.versions(latest=True)] == ["v1", "v2", "v3", "v4", "v6"]


# --------------------------------------------------------------------------- changes


def test_the_change_feed_and_its_filters(years, ask, quoted) -> None:
    [page] = [p for p in ask.pages("songyuan") if p.version]
    since = years.tick(DAY)
    old = quoted("增长5%", "增长5%", "5%", value=5.0, **GROWTH)
    new = quoted("增长4%", "增长4%", "4%", value=4.0, **GROWTH)
    line = TargetChange("地区生产总值", "增长", "growth", "lowered", old, new, flags=("softened",))
    years.see(page, "增长4%", significance=0.95, moved=(line,))

    def ids(**fields):
        return [c.id for c in ask.changes(Filter(**fields))]

    assert ids() == ["c6", "c5", "c4", "c3", "c2", "c1"]
    assert ids(since=since) == ["c6"]
    assert ids(until=since, source="songyuan") == ["c5"]
    assert ids(under="990200") == ["c6", "c5"]
    assert ids(region="990203") == ["c6", "c5"] and ids(region="990200") == []
    assert ids(min_significance=0.9) == ["c6"]
    assert ids(change_kinds=("content",)) == ["c6"]
    assert ids(indicator="gdp") == ids(indicator="地区生产总值") == ids(indicator="增长") == ["c6"]
    assert ids(indicator="就业") == [] and ids(role="actual") == []
    assert [c.id for c in ask.changes(limit=2, before="c5")] == ["c4", "c3"]
    change = ask.change("c6")
    assert change.targets == (line,) and change.old_version == "v5" and change.new_version == "v6"
    assert ask.history("songyuan")[0]["targets"] == 1
    with pytest.raises(UsageError, match="no change c99"):
        ask.change("c99")


def test_first_sights_are_not_in_the_feed_unless_asked_for(ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区", baseline=True)
    assert ask.changes() == []
    assert len(ask.changes(Filter(baseline=True))) == 1


# --------------------------------------------------------------------------- targets


def test_targets_of_the_latest_versions_and_their_filters(years, ask) -> None:
    def values(**fields):
        return [i.target.value for i in ask.targets(Filter(**fields))]

    assert values() == [8.0, 5.0, 6.0, 7.0, 7.0]
    assert values(source="yunling") == [6.0, 7.0, 7.0]
    assert values(release="2026", source="yunling") == [7.0, 7.0]
    assert values(under="9902") == [5.0]
    assert values(indicator="gdp") == values(indicator="生产总值") == values(kind="growth") == values()
    assert values(indicator="失业") == values(role="actual") == values(headline=True) == values(scope="全口径") == []
    assert values(series="云岭日报") == [8.0]
    [item] = ask.targets(Filter(source="songyuan"))
    assert (item.region, item.release, item.version, item.url, item.series) == (
        "990203", "2026", "v5", "http://songyuan.example/r", "政府工作报告",
    )  # fmt: skip
    assert len(ask.targets(limit=2)) == len(ask.targets(Filter(all_releases=True), limit=2)) == 2


def test_targets_as_of_a_day_and_of_replaced_releases(years, ask, report, quoted) -> None:
    [page] = [p for p in ask.pages("songyuan") if p.version]
    before = years.now
    years.tick(DAY)
    goal = quoted("增长4%", "增长4%", "4%", value=4.0, **GROWTH)
    years.see(page, "增长4%", targets=(goal,), **report(2027))

    def values(**fields):
        return [i.target.value for i in ask.targets(Filter(source="songyuan", **fields))]

    assert values() == [4.0]
    assert values(as_of=before) == [5.0]
    assert values(as_of=before - 9 * DAY) == []
    assert values(release="2026") == [5.0] and values(release="2027") == [4.0]
    assert values(all_releases=True) == [5.0, 4.0]
    assert values(all_releases=True, indicator="失业") == []


@pytest.mark.parametrize(("code", "short"), [("230000", "23"), ("230100", "2301"), ("230102", "230102"), ("23", "23")])
def test_what_lies_under_a_code(code: str, short: str) -> None:
    assert prefix(code) == short


# --------------------------------------------------------------------------- state


def test_sources_with_their_settings_and_state(store, ask, house, source) -> None:
    page, off = house.watch(source(tags=("松花",), cron="0 7 * * *", backfill=7 * DAY), source("z", enabled=False)) * 2
    assert page.source == off.source
    assert {s["key"]: s["state"] for s in ask.sources()} == {"yunling": "waiting", "z": "off"}
    house.see(page, "云岭区")
    row = ask.sources()[0]
    assert (row["tags"], row["cron"], row["backfill"], row["state"], row["failure"]) == (
        ["松花"], "0 7 * * *", "7d", "ok", None,
    )  # fmt: skip
    assert (row["last_checked"], row["last_change"], row["pages"]) == (house.now, house.now, 1)
    house.fail(page, "dns")
    row = ask.sources()[0]
    assert row["state"] == "failing" and row["failure"].failure.error == "dns"


def test_counts_for_a_status_page(years, ask) -> None:
    status = ask.status(years.now)
    assert (status["sources"], status["versions"], status["changes"], status["failing"]) == (3, 5, 5, 0)
    assert status["bytes"] > 0 and status["oldest_alert"] is None


def test_asking_cannot_write_and_needs_a_database(url, tmp_path) -> None:
    refused = pytest.raises((OperationalError, StorageError), match=r"readonly|read-only")
    with refused, Queries(url) as ask, ask._session() as session:
        session.connection().exec_driver_sql("insert into meta values ('a', 'b')")
    with pytest.raises(StorageError, match="no database"):
        Queries(f"sqlite:///{tmp_path}/none.db").open()


def test_after_a_rush_few_connections_stay_open(url: str) -> None:
    """Each keeps pages of the file: a daemon that was asked ten things at once is not to keep ten caches."""
    path = url.removeprefix("sqlite:///")
    engine = database.reader(url)

    def opened() -> int:
        with os.scandir("/proc/self/fd") as links:
            return sum(os.path.realpath(link) == path for link in links)

    with ExitStack() as rush:
        for connection in [rush.enter_context(engine.connect()) for _ in range(8)]:
            connection.execute(text("SELECT count(*) FROM source")).all()
        assert opened() == 8
    assert opened() == database.KEPT
    engine.dispose()
    assert opened() == 0
