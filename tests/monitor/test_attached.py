"""Which attachments are followed, which is which after a page changed, and what one inherits from its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor import attached
from monitor.model import Attachment, Document, Page, Parent, Source

CASES = yaml.safe_load((Path(__file__).parents[1] / "data" / "files.yaml").read_text(encoding="utf-8"))
SOURCE = Source(key="a", url="http://www.yunling.example/")


def file(name: str, address: str | None = None) -> Attachment:
    """An attachment by its name."""
    return Attachment(f"http://www.yunling.example/{address or name}", name, name.rpartition(".")[2])


def page(number: int, name: str, address: str | None = None) -> Page:
    """A followed attachment."""
    due = datetime(2026, 1, 9, tzinfo=UTC)
    return Page(number, "a", file(name, address).url, role="attachment", label=name, next_due=due)


def names(source: Source, **document: Any) -> list[str]:
    """The attachments followed of a document with a report, a table, a picture archive and a film."""
    files = tuple(map(file, ("政府工作报告.pdf", "预算表.xls", "全部.rar", "录像.mp4")))
    return [one.name for one in attached.wanted(source, Document(attachments=files, **document))]


def test_all_that_can_be_read_are_followed_of_a_page_that_was_chosen() -> None:
    assert names(SOURCE) == ["政府工作报告.pdf", "预算表.xls", "全部.rar"]
    matching = Source(key="a", url="http://a/", match="工作报告")
    assert names(matching, title="关于公布政府工作报告的通知") == ["政府工作报告.pdf", "预算表.xls", "全部.rar"]


def test_of_another_page_only_those_that_match_and_of_a_newspaper_none() -> None:
    matching = Source(key="a", url="http://a/", match="工作报告")
    assert names(matching, title="会议日程") == ["政府工作报告.pdf"]
    assert names(matching, title="会议日程", kind="attachment") == ["政府工作报告.pdf", "预算表.xls", "全部.rar"]
    paper = Source(key="a", url="http://a/", kind="epaper")
    assert (names(paper), len(names(paper, kind="attachment"))) == ([], 3)


@pytest.mark.parametrize(
    ("said", "followed"), [(False, []), (("xls",), ["预算表.xls"]), (("xls", "rar"), ["预算表.xls", "全部.rar"])]
)
def test_the_source_says_which_endings(said: Any, followed: list[str]) -> None:
    assert names(Source(key="a", url="http://a/", attachments=said)) == followed


def test_a_page_of_a_thousand_files_is_followed_in_part() -> None:
    files = tuple(file(f"{n}.pdf") for n in range(1000))
    assert len(attached.wanted(SOURCE, Document(attachments=files))) == attached.MOST


@pytest.mark.parametrize(("old", "new"), CASES["same"])
def test_another_edition_under_the_same_name_is_the_same_attachment(old: str, new: str) -> None:
    before = [page(7, old, "a.pdf"), page(8, "附表.xls")]
    found = attached.follow(SOURCE, [file(new, "b.pdf"), file("附表.xls")], before)
    assert [(number, one.name) for number, one in found.moved] == [(7, new)]
    assert found.added == ()


@pytest.mark.parametrize(("old", "new"), CASES["other"])
def test_another_name_is_another_attachment(old: str, new: str) -> None:
    found = attached.follow(SOURCE, [file(new, "b.pdf")], [page(7, old, "a.pdf")])
    assert (found.moved, [one.name for one in found.added]) == ((), [new])


def test_names_that_say_nothing_are_not_paired() -> None:
    before = [page(1, "点击下载", "a.pdf"), page(2, "点击下载", "b.pdf")]
    found = attached.follow(SOURCE, [file("点击下载", "c.pdf"), file("点击下载", "d.pdf")], before)
    assert (found.moved, len(found.added)) == ((), 2)


def test_the_mark_is_that_of_the_set_whatever_its_order() -> None:
    one, two = file("一.pdf"), file("二.pdf")
    assert attached.mark([one, two]) == attached.mark([two, one]) != attached.mark([one])


@pytest.mark.parametrize(
    ("own", "label", "title"),
    [
        ("云岭区2026年政府工作报告", "附件1.pdf", "云岭区2026年政府工作报告"),
        ("附件", "云岭区2026年政府工作报告.doc", "云岭区2026年政府工作报告"),
        (None, "附件：下载.pdf", "关于公布云岭区2026年政府工作报告的通知"),
        (None, None, "关于公布云岭区2026年政府工作报告的通知"),
    ],
)
def test_the_title_that_says_most_is_taken(own: str | None, label: str | None, title: str) -> None:
    parent = Parent("http://a/", "关于公布云岭区2026年政府工作报告的通知", "2026-01-09", "区政府办公室")
    found = attached.inherited(Document(title=own), parent, label, SOURCE)
    assert (found.title, found.published, found.publisher) == (title, "2026-01-09", "区政府办公室")


def test_what_the_file_says_of_its_day_stands() -> None:
    parent = Parent("http://a/", "通知", "2026-01-09")
    assert attached.inherited(Document(published="2026-01-05"), parent, None, SOURCE).published == "2026-01-05"


def test_a_page_that_only_names_other_files_says_the_same() -> None:
    def document(*lines: str, files: tuple[str, ...]) -> Document:
        return Document(paragraphs=lines, attachments=tuple(map(file, files)))

    old = document("现予公布。", "附件：1.报告.pdf", files=("报告.pdf",))
    new = document("现予公布。", "附件：1.报告（修订）.pdf", "2.附表.xls", files=("报告（修订）.pdf", "附表.xls"))
    assert attached.only_names_differ(old, new)
    assert not attached.only_names_differ(new, old), "one is no longer named"
    other = document("现予废止。", "附件：1.报告.pdf", files=("报告.pdf",))
    assert not attached.only_names_differ(old, other)


def test_switched_off_nothing_is_read_any_more_and_switched_on_again_it_is() -> None:
    known = page(7, "报告.pdf")
    off = attached.follow(Source(key="a", url="http://a/", attachments=False), [], [known])
    assert (off.retired, off.added) == ((7,), ())
    again = attached.follow(SOURCE, [file("报告.pdf")], [replace(known, next_due=None)])
    assert [one.name for one in again.added] == ["报告.pdf"]
