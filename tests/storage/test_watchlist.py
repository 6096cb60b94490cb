"""Sources with their state, some at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from monitor.model import Link, Source
from storage.queries import Queries
from storage.store import Store
from storage.watchlist import STATES, Listing

pytestmark = pytest.mark.both_dialects

STATE = {"a": "ok", "b": "failing", "c": "waiting", "d": "off", "e": "removed", "f": "imported", "g": "failing"}


@pytest.fixture
def town(house: Any, store: Store, source: Callable[..., Source]) -> Any:
    """A source in each state, and `g`, whose document fails while its entry is well."""
    watched = [
        source("a", tags=("云岭",), name="百分之100%"), source("b", region="990200"), source("c", name="Plan_1"),
        source("d", enabled=False), source("g", kind="listing"),
    ]  # fmt: skip
    house.watch(*watched, source("e"))
    house.watch(*watched)
    store.add_source(source("f"), house.now)
    pages = {page.source: page for page in store.pages()}
    house.see(pages["a"], "云岭区")
    house.fail(pages["b"], "dns", failing_since=house.now)
    house.see(pages["g"], "栏目")
    return house


def keys(ask: Queries, **wanted: Any) -> str:
    return "".join(row["key"] for row in ask.sources(Listing(**wanted)))


def test_each_state_finds_its_own(town: Any, store: Store, ask: Queries) -> None:
    [old] = store.add_pages("g", [Link("http://g.example/1.html", "通知")], town.now, town.now)
    town.fail(old, "timeout")
    assert {row["key"]: row["state"] for row in ask.sources()} == STATE
    for state in STATES:
        assert keys(ask, state=state) == "".join(k for k, v in STATE.items() if v == state), state
    told = {row["key"]: row["failure"] for row in ask.sources(Listing(state="failing"))}
    assert (told["b"].failure.error, told["g"].failure.error) == ("dns", "timeout")
    assert ask.status(town.now)["failing"] == 2
    assert [page.url for page in ask.failures(1)] == [old.url]  # nobody knows for how long


def test_pages_of_a_list_go_on_where_the_last_one_ended(town: Any, ask: Queries) -> None:
    assert (keys(ask, limit=3), keys(ask, limit=3, after="c"), keys(ask, limit=3, after="f")) == ("abc", "def", "g")
    assert (keys(ask, limit=3, before="g"), keys(ask, limit=9, before="c"), keys(ask, before="a")) == ("def", "ab", "")
    assert keys(ask, keys={"b", "g", "zz"}, after="b", limit=5) == "g"
    assert keys(ask, keys={"a", "b", "c"}, before="c", limit=1) == "b"
    assert keys(ask, keys=()) == ""
    parts = list(ask.all_sources(Listing(after="b")))
    assert ["".join(row["key"] for row in part) for part in parts] == ["cdefg"]


def test_words_are_looked_for_as_they_are_written(town: Any, ask: Queries) -> None:
    found = {word: keys(ask, words=tuple(word.split())) for word in ("0%", "n_1", "PLAN", "云岭", "example c", "云 x")}
    assert found == {"0%": "a", "n_1": "c", "PLAN": "c", "云岭": "a", "example c": "c", "云 x": "a"}
    assert (keys(ask, under="9902"), keys(ask, under="9902", state="ok")) == ("b", "")
    assert set(ask.about_sources(["a", "nothing"])) == {"a"}
    assert ask.about_sources()["a"]["tags"] == ["云岭"]


def test_only_what_is_shown_is_counted(town: Any, ask: Queries) -> None:
    asked: list[Any] = []
    event.listen(ask._engine, "before_cursor_execute", lambda *given: asked.append(given[3]))
    assert keys(ask, limit=2) == "ab"
    assert not any("c" in (given.values() if isinstance(given, dict) else given) for given in asked)
