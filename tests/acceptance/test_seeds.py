"""The five documents this is for, imported from disk: every query answers from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LABELS = {"001": "2022", "002": "2021", "003": "2017"}


@pytest.fixture
def seeds(in_shared: Callable[[str], Path]) -> dict[str, Path]:
    return {path.name[:3]: path for path in sorted(in_shared("seeds").glob("*.txt"))}


def imported(desk: Any, path: Path, source: str) -> dict[str, Any]:
    done = desk.run("import", path, "--source", source, "--json")
    assert done.code == 0, done.err
    (row,) = done.json["imported"]
    return dict(row)


def test_the_seeds_answer_after_an_import(desk: Any, seeds: dict[str, Path]) -> None:
    keys = {"000": "nangang-news", "001": "nangang", "002": "daoli", "003": "pingfang", "004": "nanguan-news"}
    rows = {number: imported(desk, path, keys[number]) for number, path in seeds.items()}
    assert {n: rows[n]["release"] for n in LABELS} == LABELS
    assert all(row["result"] == "new" and row["targets"] for row in rows.values())
    again = {number: imported(desk, path, keys[number]) for number, path in seeds.items()}
    assert {n: r["version"] for n, r in again.items()} == {n: r["version"] for n, r in rows.items()}
    assert {r["result"] for r in again.values()} == {"unchanged"}
    assert desk.run("changes", "--json").json == []  # what was imported is nobody's news

    targets = desk.run("targets", "list", "--source", "nangang", "--role", "target", "--json").json
    assert len(targets) > 15
    shown = desk.run("show", "nangang@2022", "--json").json
    for item in targets:
        assert shown["text"][item["vstart"] : item["vend"]] == item["value_text"]
    moved = desk.run("targets", "compare", rows["000"]["version"], rows["001"]["version"], "--jsonl")
    from_files = desk.run("targets", "compare", seeds["000"], seeds["001"], "--jsonl")
    for done in (moved, from_files):
        assert done.code == 0, done.err
        assert done.lines
        assert {"from", "to", "change", "flags"} <= set(done.lines[0])

    (row,) = desk.run("history", "daoli", "--json").json
    assert (row["version"], row["release"]) == (rows["002"]["version"], "2021")
    for query in ("增", "投资", "地区生产总值"):
        found = desk.run("search", query, "--json").json
        assert {hit["source"] for hit in found} >= {"nangang", "daoli"}
        assert all(query in hit["snippet"] for hit in found)
    edits = desk.run("diff", rows["002"]["version"], rows["001"]["version"], "--format", "json").json
    assert edits["edits"] or edits["rewritten"]


def test_documents_of_one_source_come_in_order_of_date(desk: Any, seeds: dict[str, Path]) -> None:
    done = desk.run("import", seeds["001"], seeds["003"], seeds["002"], "--source", "all", "--json")
    assert [row["release"] for row in done.json["imported"]] == ["2017", "2021", "2022"]
