"""The JSON that scripts rely on: at least the fields of the contract, under these names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

CHECK = {
    "started", "finished", "checked", "unchanged", "not_modified", "new", "changed", "failed", "blocked", "skipped",
    "changes", "failures",
}  # fmt: skip
CHANGE = {
    "id", "source", "url", "title", "at", "old_version", "new_version", "compared_with", "kind", "significance",
    "added", "deleted", "edits", "targets",
}  # fmt: skip
EDIT = {"op", "old", "new", "old_paragraph", "paragraph"}
COMPARED = {"canonical", "indicator", "kind", "object", "change", "flags", "relation", "from", "to"}
FAILURE = {"source", "url", "error", "status", "detail", "since", "consecutive"}
HISTORY = {
    "version", "source", "url", "release", "at", "title", "chars", "kind", "significance", "targets",
}  # fmt: skip
SHOWN = HISTORY | {"text", "paragraphs", "encoding", "replacements", "sha256"}
SEARCH = {"source", "url", "title", "version", "at", "where", "snippet"}
ALERT = {"id", "channel", "change", "state", "attempts", "created", "next_at", "sent_at", "error"}
EXTRACTED = {
    "path", "url", "kind", "title", "published", "published_meta", "publisher", "author", "encoding", "replacements",
    "text", "paragraphs", "links", "attachments", "warnings", "error",
}  # fmt: skip
ITEM = {
    "role", "start", "end", "text", "vstart", "vend", "value_text", "indicator", "canonical", "value", "value_min",
    "value_max", "unit", "qualifier", "strength", "direction", "basis", "kind", "period", "sentence", "confidence",
    "object", "scope", "headline", "persistence", "stage", "parent", "vintage", "indicator_id", "rule",
}  # fmt: skip
STORED = ITEM | {"source", "region", "release", "version", "url"}
STATE = {"key", "url", "kind", "state", "last_checked", "next_due", "last_change", "failure"}
TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，2026年全区主要预期目标是：地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
    "会议强调，各部门要压实责任，细化举措，确保各项目标任务落到实处，以实际行动回应全区人民群众的期盼和要求。",
]


@pytest.fixture
def seen(desk: Any, web: Any, page_of: Callable[..., str]) -> Any:
    """A desk whose page was read, edited and read again; another one is missing; the change waits for the desk."""
    told = {
        "channels": {"desk": {"type": "email", "to": ["desk@example.org"]}},
        "subscriptions": [{"channel": "desk", "on": ["targets", "content"]}],
    }
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    desk.watch({"key": "a", "url": url, "region": "999101"}, {"key": "b", "url": web.url + "/b"}, **told)
    assert desk.run("check", "--all", "--no-deliver").code == 1
    web.put("/a", page_of("区政府全体会议", *(x.replace("投资增长8%", "投资增长9%") for x in TEXT)))
    return desk


def test_a_check_answers_changes_and_failures(seen: Any, web: Any) -> None:
    done = seen.run("check", "--all", "--no-deliver", "--json")
    assert done.code == 1  # a page fails, and is named
    answer = done.json
    assert set(answer) >= CHECK
    parts = ("unchanged", "not_modified", "new", "changed", "failed", "blocked")
    assert answer["checked"] == sum(answer[p] for p in parts) == 2
    (change,) = answer["changes"]
    assert set(change) >= CHANGE
    assert (change["kind"], change["url"], change["source"]) == ("content", web.url + "/a", "a")
    assert 0 < change["significance"] <= 1
    (edit,) = change["edits"]
    assert set(edit) >= EDIT
    (line,) = change["targets"]
    assert set(line) >= COMPARED
    assert (line["change"], line["from"]["value"], line["to"]["value"]) == ("raised", 8, 9)
    assert set(line["to"]) >= ITEM
    (failure,) = answer["failures"]
    assert set(failure) >= FAILURE
    assert (failure["error"], failure["status"], failure["consecutive"]) == ("http_404", 404, 2)
    assert seen.run("sources", "health", "--json").json == answer["failures"]

    feed = seen.run("changes", "--jsonl").lines
    assert [c["id"] for c in feed] == [change["id"]]
    assert set(feed[0]) >= CHANGE
    assert [c["id"] for c in seen.run("changes", "--json", "--since", "1d", "--under", "9991").json] == [change["id"]]
    assert seen.run("changes", "--json", "--min-significance", "0.99").json == []
    waiting, summary = seen.run("alerts", "list", "--json").json
    assert (summary["type"], summary["change"]) == ("baseline", None)
    assert set(waiting) >= ALERT
    assert (waiting["state"], waiting["change"]) == ("pending", change["id"])
    preview = seen.run("alerts", "preview", "a", "--lang", "zh")
    assert preview.code == 0
    assert "9%" in preview.out


def test_every_query_answers_with_its_fields(seen: Any) -> None:
    assert seen.run("check", "--all", "--no-deliver").code == 1
    history = seen.run("history", "a", "--json").json
    assert [set(row) >= HISTORY for row in history] == [True, True]
    shown = seen.run("show", "a", "--json").json
    assert set(shown) >= SHOWN
    assert shown["text"] == "\n".join(shown["paragraphs"])
    assert shown["version"] == history[0]["version"]
    hits = seen.run("search", "投资", "--json").json
    assert all(set(hit) >= SEARCH for hit in hits)
    assert {hit["where"] for hit in hits} >= {"text"}
    items = seen.run("targets", "list", "--jsonl").lines
    assert items
    for item in items:
        assert set(item) >= STORED
        assert shown["text"][item["start"] : item["end"]] == item["text"]
        assert shown["text"][item["vstart"] : item["vend"]] == item["value_text"]
    old, new = (row["version"] for row in reversed(history))
    compared = seen.run("targets", "compare", old, new, "--jsonl").lines
    assert all(set(line) >= COMPARED for line in compared)
    assert {line["relation"] for line in compared} == {"edit"}
    difference = seen.run("diff", old, new, "--format", "json").json
    assert [set(edit) >= EDIT for edit in difference["edits"]] == [True]
    sources = {row["key"]: row for row in seen.run("sources", "list", "--json").json}
    assert all(set(row) >= STATE for row in sources.values())
    assert {key: row["state"] for key, row in sources.items()} == {"a": "ok", "b": "failing"}
    assert [row["key"] for row in seen.run("sources", "list", "--state", "failing", "--json").json] == ["b"]
    for what in ("changes", "versions", "targets"):
        rows = seen.run("export", what).lines
        assert rows
        assert set(rows[0]) >= {"changes": CHANGE, "versions": SHOWN, "targets": STORED}[what]
    assert len(seen.run("export", "versions", "--latest").lines) == 1


@pytest.mark.parametrize("form", ["inline", "unified", "side-by-side", "html", "json"])
def test_a_difference_is_shown_in_every_format(seen: Any, form: str) -> None:
    seen.run("check", "--all", "--no-deliver")
    done = seen.run("diff", "a", "--format", form)
    assert done.code == 0, done.err
    assert "8" in done.out
    assert "9" in done.out
    assert "\x1b" not in done.out


def test_extract_answers_every_input_in_order(desk: Any, page_of: Callable[..., str]) -> None:
    (desk.folder / "a.html").write_bytes(page_of("区政府全体会议", *TEXT).replace("utf-8", "gbk").encode("gbk"))
    (desk.folder / "b.txt").write_text("\ufeff" + "\r\n".join(TEXT), encoding="utf-8")
    batch = [{"path": "b.txt", "url": "http://yunling.example/b.txt"}, {"path": "missing.html"}, {"path": "a.html"}]
    (desk.folder / "list.jsonl").write_text("\n".join(map(json.dumps, batch)), encoding="utf-8")
    done = desk.run("extract", "--jsonl", "--batch", "list.jsonl")
    assert done.code == 1
    assert [set(row) >= EXTRACTED for row in done.lines] == [True] * 3
    text, missing, html = done.lines
    assert (text["url"], text["error"], missing["kind"], html["error"]) == (batch[0]["url"], None, "error", None)
    assert html["text"] == "\n".join(html["paragraphs"]) == "\n".join(TEXT)
    assert (html["title"], html["published"], html["encoding"]) == ("区政府全体会议", "2026-01-08", "gb18030")


def test_offsets_of_extracted_targets_count_in_the_file(desk: Any, page_of: Callable[..., str]) -> None:
    (desk.folder / "b.txt").write_bytes(("\ufeff" + "\r\n".join(TEXT)).encode())
    (desk.folder / "a.html").write_text(page_of("区政府全体会议", *TEXT), encoding="utf-8")
    texts = {
        "b.txt": (desk.folder / "b.txt").read_bytes().decode(),
        "a.html": desk.run("extract", "a.html", "--jsonl").lines[0]["text"],
    }
    items = desk.run("targets", "extract", "b.txt", "a.html", "--year", "2026", "--jsonl").lines
    assert {item["document"] for item in items} == set(texts)
    for item in items:
        assert set(item) >= ITEM
        assert texts[item["document"]][item["vstart"] : item["vend"]] == item["value_text"]
        assert 0 <= item["confidence"] <= 1
    assert {i["role"] for i in desk.run("targets", "extract", "b.txt", "--role", "actual", "--jsonl").lines} <= {
        "actual"
    }
    answered = [{k: v for k, v in item.items() if k != "document"} for item in items if item["document"] == "b.txt"]
    whole = json.loads(desk.run("targets", "extract", "b.txt", "--year", "2026", "--json").out)
    assert [{k: v for k, v in item.items() if k != "document"} for item in whole] == answered
    rows = list(csv.DictReader(io.StringIO(desk.run("targets", "extract", "b.txt", "--year", "2026", "--csv").out)))
    assert [row["value_text"] for row in rows] == [item["value_text"] for item in answered]


def test_a_table_of_targets_speaks_its_readers_language(desk: Any) -> None:
    (desk.folder / "c.txt").write_text(
        "今年目标：力争地区生产总值增长6%左右，城镇新增就业不少于900人。", encoding="utf-8"
    )
    zh, en = (desk.run("targets", "extract", "c.txt", "--lang", lang) for lang in ("zh", "en"))
    assert "力争" in zh.out and "不低于" in zh.out and not {"strive", "at_least", "none"} & set(zh.out.split())
    assert "at least" in en.out and "strive" in en.out
    marked = desk.run("targets", "explain", "c.txt", "--lang", "zh")
    assert "力争" in marked.out and "strive" not in marked.out
    (desk.folder / "d.txt").write_text("今天天气晴。", encoding="utf-8")
    assert "d.txt" in desk.run("targets", "extract", "d.txt").err


def test_a_dry_run_stores_nothing(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    desk.watch({"key": "a", "url": url})
    before = desk.config.read_text()
    report = desk.run("sources", "test", "a", "--json")
    assert report.code == 0, report.err
    assert report.json["paragraphs"] == TEXT
    other = web.put("/b", page_of("区政府另一次会议", *TEXT))
    entry = desk.run("sources", "add", other, "--key", "b", "--dry-run")
    assert entry.code == 0, entry.err
    assert "key: b" in entry.out
    assert desk.config.read_text() == before
    assert not (desk.folder / "data").exists()
    failing = desk.run("sources", "test", web.url + "/missing")
    assert failing.code == 1
    assert "http_404" in failing.out


def test_a_source_can_be_added_and_watched(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    desk.watch()
    url = web.put("/a", page_of("区政府全体会议", *TEXT))
    assert desk.run("sources", "add", url, "--key", "new-one").code == 0
    assert desk.run("check", "new-one", "--json").json["new"] == 1
    wrong = desk.run("check", "newone")
    assert wrong.code == 2
    assert "new-one" in wrong.err


def test_a_database_is_cared_for(seen: Any) -> None:
    seen.run("check", "--all", "--no-deliver")
    assert seen.run("db", "check", "--json").json == {"ok": True, "findings": []}
    assert seen.run("db", "backup", "copy.db").code == 0
    pruned = seen.run("db", "prune", "--keep", "1", "--dry-run").json
    assert pruned["dry_run"] is True
    assert seen.run("db", "restore", "copy.db", "--yes").code == 0
    assert len(seen.run("history", "a", "--json").json) == 2


def test_a_first_file_is_written_and_is_valid(desk: Any) -> None:
    assert desk.run("init").code == 0
    assert desk.run("sources", "list", "--json").code == 0
    assert desk.run("init").code == 2
    assert desk.run("init", "--force").code == 0
    assert desk.run("doctor", "--json").json["findings"]
    assert "properties" in desk.run("sources", "schema").json


def test_a_template_of_ones_own_is_previewed_and_a_broken_one_placed(seen: Any, page_of: Callable[..., str]) -> None:
    assert seen.run("check", "--all", "--no-deliver").code == 1
    folder = seen.folder / "own"
    folder.mkdir()
    (folder / "change.txt").write_text("本台消息：{{ c.line }}", encoding="utf-8")
    seen.config.write_text(seen.config.read_text(encoding="utf-8") + "templates: own\n", encoding="utf-8")
    done = seen.run("alerts", "preview", "a", "--lang", "zh")
    assert done.code == 0, done.err
    assert "本台消息：" in done.out
    assert "9%" in done.out
    (folder / "change.txt").write_text("{% if %}", encoding="utf-8")
    broken = seen.run("alerts", "preview", "a")
    assert broken.code == 2
    assert "change.txt:1" in broken.err
