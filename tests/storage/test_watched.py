"""Which pages a source has: what a list names again, and what its rules no longer want."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import col, select

from monitor.model import Link, Outcome, Page, Source
from storage.queries import Queries
from storage.store import Store
from storage.tables import PageRow

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
URL = "http://www.yunling.gov.cn/zwgk/t20260108_1000001.html"


def opened(store: Any, **more: Any) -> Store:
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing", **more)
    changed = store.sync_sources([source], NOW, lambda s: NOW)
    assert changed == []
    return store  # type: ignore[no-any-return]


def test_a_site_that_moves_to_https_has_no_new_documents(store: Any) -> None:
    made = opened(store)
    assert len(made.add_pages("a", [Link(URL, "报告")], NOW)) == 1
    assert made.add_pages("a", [Link(URL.replace("http:", "https:"), "报告")], NOW) == []
    assert len(made.add_pages("a", [Link(URL.replace("1000001", "1000002"), "报告")], NOW)) == 1


def test_another_rule_names_the_source_once(store: Any) -> None:
    made = opened(store)
    later = NOW + timedelta(days=1)
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing", match="报告")
    assert made.sync_sources([source], later, lambda s: later) == ["a"]
    assert made.sync_sources([source], later, lambda s: later) == []


def test_choosing_leaves_and_takes_up_documents_and_never_the_list(store: Any) -> None:
    made = opened(store)
    one, other = made.add_pages("a", [Link(URL, "报告"), Link(URL + "?x=1", "通知")], NOW)

    def due() -> set[int]:
        return {page.id for page in made.pages(["a"])}

    everything = due()
    assert made.choose("a", lambda page, kept: page.id == one.id, NOW) == (1, 0)
    assert due() == everything - {other.id}
    assert len(made.unread_pages("a")) == len(everything) - 1  # what was never read is forgotten: nothing waits for it
    assert made.choose("a", lambda page, kept: True, NOW) == (0, 0)
    assert len(made.add_pages("a", [Link(URL + "?x=1", "通知")], NOW)) == 1

    def reports(page: Page, kept: object) -> bool:
        return "报告" in (page.title or "")

    made.set_due(one.id, None)
    assert made.choose("a", reports, NOW) == (1, 1)


def test_sources_that_come_move_rest_and_wake_are_entered_together(store: Any) -> None:
    def site(n: int, path: str = "", *, enabled: bool = True) -> Source:
        return Source(key=f"s{n}", url=f"http://s{n}/{path}", enabled=enabled)

    def entries() -> dict[str, datetime | None]:
        return {page.url: page.next_due for page in store.pages(None)}

    store.sync_sources([site(1), site(2), site(3, enabled=False)], NOW, lambda _: NOW)
    assert entries() == {"http://s1/": NOW, "http://s2/": NOW}
    later = NOW + timedelta(days=1)
    store.sync_sources([site(1, "new"), site(2), site(3), site(4)], later, lambda _: later)
    assert entries() == {
        "http://s1/new": later, "http://s2/": NOW, "http://s3/": later, "http://s4/": later,
    }  # fmt: skip
    back = later + timedelta(days=1)
    store.sync_sources([site(1), site(2), site(3)], back, lambda _: back)
    assert entries() == {"http://s1/": back, "http://s2/": NOW, "http://s3/": later}
    assert [page.found_at for page in store.pages(["s1"])] == [NOW], "the page of before, with its past"


@pytest.mark.both_dialects
def test_what_rests_is_in_nobodys_way_and_goes_on_where_it_was(store: Any, url: str) -> None:
    def site(key: str, **more: Any) -> Source:
        return Source(key=key, url=f"http://{key}/", kind="listing", **more)

    def dues() -> dict[str, datetime | None]:
        return {page.url: page.next_due for page in store.pages(None)}

    def in_the_way() -> set[str]:
        with store._read() as session:
            return set(session.exec(select(PageRow.source).where(col(PageRow.next_due).is_not(None))))

    store.sync_sources([site("a"), site("b"), site("c")], NOW, lambda _: NOW)
    for key in "abc":
        one, other = store.add_pages(key, [Link(f"http://{key}/1", "报告"), Link(f"http://{key}/2", "通知")], NOW)
        store.set_due(one.id, NOW + timedelta(days=3))
        store.save(Outcome(replace(other, last_checked=NOW), NOW, "failed", next_due=NOW + timedelta(days=2)))
    whole, asleep = dues(), store.pages(["a"])
    later = NOW + timedelta(days=1)
    store.sync_sources([site("a", enabled=False), site("c", match="报告")], later, lambda _: later)
    assert in_the_way() == {"c"}
    assert [page.source for page in store.due(later + timedelta(days=9), 99)] == ["c", "c", "c"]
    with Queries(url) as ask:
        assert ask.status(later + timedelta(days=9))["due"] == 3
        assert {row["key"]: row["left"] for row in ask.sources()} == {"a": 0, "b": 0, "c": 0}
    # a check that was under way when it was put to rest
    [entry] = [page for page in asleep if page.url == "http://a/"]
    store.save(Outcome(replace(entry, last_checked=later), later, "unchanged", next_due=later + timedelta(days=1)))
    assert len(store.add_pages("a", [Link("http://a/3", "报告")], later)) == 1
    assert in_the_way() == {"c"}
    # what it follows is chosen anew while it rests, and moving its address does not wake it
    assert store.choose("a", lambda page, kept: page.title == "报告", later) == (1, 0)
    store.sync_sources([replace(site("a", enabled=False), url="http://a/new"), site("c")], later, lambda _: later)
    assert in_the_way() == {"c"}
    store.sync_sources([site("a"), site("b"), site("c")], later, lambda _: later)
    entered = {"http://a/": later, "http://b/": later, "http://a/3": later}
    whole["http://a/3"] = later
    assert dues() == {page: entered.get(page, due) for page, due in whole.items() if page != "http://a/2"}


_MANY = """
INSERT INTO page (source, url, role, host, next_due, since_full, consecutive, gone_count, removed, baseline)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
SELECT 's' || (i % 20), 'http://s/' || i, 'document', 'h' || (i / 50), '2026-02-' || (i % 28 + 1), 0, 0, 0, 0, 0 FROM n
"""


def test_what_is_due_is_found_by_its_time_also_once_sqlite_has_counted(store: Any) -> None:
    several = [Source(key=f"s{n}", url=f"http://s{n}.example/", kind="listing") for n in range(20)]
    store.sync_sources(several, NOW, lambda _: NOW + timedelta(days=9))
    with store._note() as session:
        session.connection().execute(text(_MANY))
        session.connection().execute(text("ANALYZE"))
    asked = list[tuple[str, Any]]()

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(store._reader, "before_cursor_execute", hear)
    store.due(NOW, 9, per_host=2)
    store.due_hosts(NOW)
    event.remove(store._reader, "before_cursor_execute", hear)
    with store._read() as session:
        for statement, parameters in asked:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert any("ix_page_next_due" in row[3] for row in plan)
