"""Rows and names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.errors import UsageError
from monitor.fetch.client import host_key
from monitor.model import Adapt, Links, Recheck, Season, Source
from storage import rows


@pytest.mark.parametrize(
    "url",
    [
        "http://Yunling.example/a", "https://yunling.example:443/a", "http://yunling.example:8080", "http://u:p@a.b:80/",
        "http://云岭.中国/x", "http://[::1]:81/", "http://127.0.0.1:5000/x?y=http://z",
    ],
)  # fmt: skip
def test_a_host_is_what_the_fetcher_counts_as_one(url: str) -> None:
    assert rows.host_of(url) == host_key(url)


@pytest.mark.parametrize("url", ["http://a:b/", "http://[", "http://" + "a" * 70 + ".example/"])
def test_a_broken_address_is_a_host_of_its_own(url: str) -> None:
    assert rows.host_of(url) == url


@pytest.mark.parametrize("name", ["12", "v", "vx", "v１", "x12", ""])
def test_what_is_no_id(name: str) -> None:
    with pytest.raises(UsageError):
        rows.number(name)


def test_settings_are_spelled_as_in_the_file_and_only_where_they_differ() -> None:
    assert rows.settings(Source("k", "u")) == {}
    source = Source(
        "k", "u", backfill=timedelta(days=7), every=timedelta(minutes=90), links=Links(("a",)), exclude=(".x",),
        season=Season(frozenset({12, 1}), timedelta(hours=1)), confirm=(timedelta(seconds=90),), delay=timedelta(0),
        recheck=Recheck(timedelta(minutes=5), timedelta(days=1), timedelta(hours=2)), pages=3, release="2021",
        adapt=Adapt(timedelta(minutes=30), timedelta(days=1)),
    )  # fmt: skip
    assert rows.settings(source) == {
        "backfill": "7d", "every": "90m", "links": {"include": ["a"], "exclude": []}, "exclude": [".x"],
        "season": {"months": [1, 12], "every": "1h"}, "confirm": ["90s"], "delay": "0s", "pages": 3, "release": "2021",
        "recheck": "5m for 1d, then 2h",
        "adapt": "30m to 1d",
    }  # fmt: skip
