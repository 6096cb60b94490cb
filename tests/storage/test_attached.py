"""Rows of attachments: under their page, at a new address, retired and taken up again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from monitor.model import Attachment, Following, Outcome, Page


def file(name: str) -> Attachment:
    """A file by its name."""
    return Attachment(f"http://yunling.example/{name}", name, name.rpartition(".")[2])


@pytest.fixture
def page(house: Any, source: Callable[..., Any]) -> Page:
    """A page that was read once."""
    (found,) = house.watch(source())
    house.see(found, "关于公布报告的通知")
    return found  # type: ignore[no-any-return]


@pytest.fixture
def follow(store: Any, house: Any, page: Page) -> Callable[..., datetime]:
    """An unchanged check, an hour later, after which other files are followed."""

    def check(**following: Any) -> datetime:
        at: datetime = house.tick()
        store.save(Outcome(store.load(page.id).page, at, "unchanged", following=Following("mark", **following)))
        return at

    return check


def test_new_ones_are_due_under_their_page_and_quiet_at_the_first_look(store: Any, page: Page, follow: Any) -> None:
    at = follow(added=(file("a.pdf"), file("b.pdf")))
    one, two = store.attachments(page.id)
    assert (one.role, one.parent, one.label, one.next_due, one.baseline) == ("attachment", page.id, "a.pdf", at, True)
    known = store.load(two.id)
    assert (known.parent.url, known.parent.title, known.parent.since) == (
        page.url, "关于公布报告的通知", store.load(page.id).last.at,
    )  # fmt: skip
    assert store.load(page.id).page.attached == "mark"
    assert store.load(page.id).parent is None


def test_later_ones_are_news(store: Any, page: Page, follow: Any, house: Any) -> None:
    store.finish_pass(page.source, house.now)
    follow(added=(file("a.pdf"),))
    follow(added=(file("b.pdf"),))
    assert [one.baseline for one in store.attachments(page.id)] == [True, False]


def test_a_new_address_keeps_the_history_and_forgets_how_the_old_one_was_read(
    store: Any, page: Page, follow: Any, house: Any, ask: Any
) -> None:
    follow(added=(file("a.pdf"),))
    (one,) = store.attachments(page.id)
    house.see(one, "云岭区政府工作报告")
    at = follow(moved=((one.id, file("b.pdf")),))
    (now,) = store.attachments(page.id)
    assert (now.id, now.url, now.label, now.next_due) == (one.id, file("b.pdf").url, "b.pdf", at)
    assert (now.etag, now.raw_sha256, now.last_checked, now.version) == (None, None, None, "v2")
    assert [row["attachment"] for row in ask.history(file("b.pdf").url)] == ["b.pdf"]


def test_an_address_that_is_a_page_already_stays_what_it_is(store: Any, page: Page, follow: Any, house: Any) -> None:
    store.entry(page.source, file("a.pdf").url, house.now)
    follow(added=(file("a.pdf"), file("b.pdf")))
    assert [one.label for one in store.attachments(page.id)] == ["b.pdf"]
    (one,) = store.attachments(page.id)
    follow(moved=((one.id, file("a.pdf")),))
    assert store.attachments(page.id)[0].url == file("b.pdf").url


def test_retired_ones_are_not_due_until_they_are_named_again(store: Any, page: Page, follow: Any) -> None:
    follow(added=(file("a.pdf"),))
    (one,) = store.attachments(page.id)
    follow(retired=(one.id,))
    assert store.attachments(page.id)[0].next_due is None
    at = follow(added=(file("a.pdf"),))
    assert [x.next_due for x in store.attachments(page.id)] == [at]


def test_a_failing_attachment_is_no_trouble_of_its_source(store: Any, page: Page, follow: Any, house: Any) -> None:
    follow(added=(file("a.pdf"),))
    house.fail(store.attachments(page.id)[0], "http_404", consecutive=9)
    assert not store.others_failing(page.id, 3)
