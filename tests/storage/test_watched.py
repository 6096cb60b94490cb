"""Which pages a source has: what a list names again, and what its rules no longer want."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model import Link, Page, Source
from storage.store import Store

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
