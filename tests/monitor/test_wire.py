"""The shapes themselves: plain values, readable Chinese, times with an offset."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor import wire
from monitor.model import Alert, Change, Document, Edit, Failure, Link, Page, Source, Target, TargetChange, Told

NOW = datetime(2026, 1, 9, 1, 0, 0, 123456, tzinfo=UTC)
TARGET = Target("target", 0, 6, "增长6%左右", 2, 6, "6%左右", "地区生产总值", value=6.0, unit="%", qualifier="about")


def test_json_is_readable_and_compact() -> None:
    assert wire.dump({"a": "云岭", "b": [1, None]}) == '{"a":"云岭","b":[1,null]}'
    assert list(wire.lines([{"a": "一\n二"}])) == ['{"a":"一\\n二"}']


def test_times_are_rfc_3339_in_utc() -> None:
    assert wire.time(NOW) == "2026-01-09T01:00:00.123Z"
    assert wire.time(None) is None


@pytest.mark.parametrize(("value", "written"), [(6.0, "6"), (6.5, "6.5"), (None, "null"), (-3.0, "-3"), (0.0, "0")])
def test_numbers_are_written_as_the_page_says_them(value: float | None, written: str) -> None:
    assert wire.dump(wire.number(value)) == written


def test_a_change_is_plain_and_says_both_sides_of_a_moved_target() -> None:
    moved = TargetChange("地区生产总值", "地区生产总值", "growth", "new", None, TARGET, flags=("hardened",))
    edits = (Edit("replace", "8%", "9%", 1, 1),)
    event = Change("content", NOW, "yunling", "http://x/", significance=0.12345, edits=edits, targets=(moved,))
    shape = wire.change(event, source={"name": "云岭区"})
    assert json.loads(wire.dump(shape)) == shape
    assert (shape["significance"], shape["at"], shape["name"]) == (0.123, "2026-01-09T01:00:00.123Z", "云岭区")
    (line,) = shape["targets"]
    assert (line["from"], line["to"]["value"], line["flags"]) == (None, 6, ["hardened"])
    assert shape["edits"] == [{"op": "replace", "old": "8%", "new": "9%", "old_paragraph": 1, "paragraph": 1}]


def test_a_failure_and_the_state_of_a_source() -> None:
    why = Failure("http_5xx", "HTTP 502", 502)
    page = Page(1, "yunling", "http://x/", failure=why, failing_since=NOW, consecutive=3)
    shape = wire.failure(page, why)
    assert shape == {
        "source": "yunling",
        "url": "http://x/",
        "error": "http_5xx",
        "status": 502,
        "detail": "HTTP 502",
        "since": "2026-01-09T01:00:00.123Z",
        "consecutive": 3,
    }
    assert wire.state({"key": "yunling", "state": "failing", "failure": page})["failure"] == shape
    assert wire.state({"key": "yunling", "state": "ok", "failure": None})["failure"] is None


def test_a_source_says_how_often_it_is_read() -> None:
    assert wire.source(Source("a", "http://x/", every=timedelta(hours=6)))["every"] == "21600s"
    assert wire.source(Source("a", "http://x/", every=None, cron="0 7 * * *"))["every"] == "0 7 * * *"


def test_an_extracted_document_and_an_alert() -> None:
    document = Document(title="报告", paragraphs=("一", "二"), links=(Link("http://x/", "下载", None),))
    shape: dict[str, Any] = wire.extracted(document, path="a.html")
    assert (shape["text"], shape["paragraphs"], shape["error"]) == ("一\n二", ["一", "二"], None)
    assert shape["links"] == [{"url": "http://x/", "text": "下载", "date": None}]
    row = Alert("msg_1", "k", "desk", "test", {"id": "c1"}, created=NOW)
    assert wire.alert(row)["created"] == "2026-01-09T01:00:00.123Z"
    later = NOW + timedelta(days=1)
    body = wire.webhook(row, later)
    assert json.loads(body) == {"type": "test", "timestamp": "2026-01-09T01:00:00.123Z", "data": {"id": "c1"}}
    assert wire.webhook(replace(row, payload=Told('{"id":"c1"}')), later) == body, "kept as JSON it is sent as it is"
    assert wire.digest(NOW, later, [{"id": "c1"}])["changes"] == [{"id": "c1"}]
