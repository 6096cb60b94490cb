"""Full text: words of any length, exact, over latest texts and everything that came or went."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlmodel import Session

from monitor.errors import UsageError
from storage import passages, search
from storage.filters import Filter
from storage.tables import PassageRow

TEXTS = ["行政处罚决定书", "决定处罚，行政公书", "土地面积6.5万亩，GDP增长ＡＢ", "罚", "人民检察院\n工作报告"]


@pytest.mark.both_dialects
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("行政处罚决定书", {0}),  # all pairs of it are not enough: they must stand together
        ("土地", {2}),
        ("罚", {0, 1, 3}),
        ("书", {0, 1}),  # the last character of a run
        ("院", {4}),
        ("6.5", {2}),
        ("6.6", set()),
        ("积6.5万", {2}),
        ("6", {2}),
        ("6.5 亩", {2}),
        (".5万", {2}),
        ("gdp", {2}),
        ("ab", {2}),  # width and case do not matter
        ("行政 决定", {0, 1}),
        ("检察院工作", {4}),  # a line break is layout
        ("政处", {0}),
        ('"土地 面积"', {2}),
        ("亩，GDP", {2}),
        ("亩。GDP", set()),
        ("OR", set()),
        ("罚*", set()),
    ],
)
def test_words(store, ask, house, source, query: str, found: set[int]) -> None:
    pages = house.watch(*(source(f"s{n}") for n in range(len(TEXTS))))
    for page in pages:
        house.see(page, *TEXTS[int(page.source[1:])].split("\n"), title="x")
    assert {int(row["source"][1:]) for row in ask.search(query)} == found


@pytest.mark.parametrize("query", ["", "  ", "，。", '""', "%"])
def test_nothing_to_look_for(ask, query: str) -> None:
    with pytest.raises(UsageError, match="nothing to search for"):
        ask.search(query)


def test_a_whole_paragraph_is_looked_for_and_a_whole_text_refused(ask, house, source) -> None:
    [page] = house.watch(source())
    text = "".join(chr(0x4E00 + n * n % 900) + str(n % 97) for n in range(300))
    house.see(page, f"前{text}后")
    assert len(ask.search(text)) == 1 and ask.search(text[:-1] + "无") == []
    assert len(search.parse(text).pairs) <= search.MOST_WORDS
    with pytest.raises(UsageError, match="1001 characters to search for: 1000 at the most"):
        ask.search("1" * 1001)


@pytest.mark.both_dialects
def test_where_a_word_came_and_went(ask, house, source, edited) -> None:
    [page] = house.watch(source())
    house.see(page, "增长百分之六。", title="报告")
    house.tick()
    house.see(page, "增长百分之七。", title="报告", edits=edited("增长百分之六。", "增长百分之七。"))
    assert [(r["where"], r["version"]) for r in ask.search("百分之七")] == [("added", "v2"), ("text", "v2")]
    [gone] = ask.search("百分之六")
    assert (gone["where"], gone["version"], gone["change"], gone["title"]) == ("removed", "v2", "c2", "报告")


def test_snippets_show_the_hit_in_place(ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "前" * 200, "这里是Ｔ地与㎡土地。", "后" * 200)
    [row] = ask.search("土地")
    start, end = row["hit"]
    assert row["snippet"][start:end] == "土地"
    assert row["snippet"].startswith("…前") and row["snippet"].endswith("后…") and "\n" not in row["snippet"]


@pytest.mark.both_dialects
def test_filters_and_limit(ask, house, source) -> None:
    pages = house.watch(source("a"), source("b", region="990203"), source("c", series="规划"))
    for page in sorted(pages, key=lambda p: p.source):
        house.see(page, "土地" + page.source)
        house.tick(timedelta(days=1))

    def found(**fields):
        return [r["source"] for r in ask.search("土地", Filter(**fields))]

    assert found() == ["c", "b", "a"]
    assert found(source="a") == ["a"]
    assert found(under="990200") == ["b"]
    assert found(series="规划") == ["c"]
    assert found(since=house.now - timedelta(days=2)) == ["c", "b"]
    assert found(until=house.now - timedelta(days=2)) == ["a"]
    assert len(ask.search("土地", limit=2)) == 2


@example("1,234.5亿，12.5%", "34.5亿，12.")
@example("5\n3１．０", "531.0")
@example("共17512个", "7512个")
@given(
    st.text(alphabet="土地面积，。 aB12３.,", max_size=40) | st.text(alphabet="1２3.,-个", max_size=60),
    st.text(alphabet="土地面积，。aB123．，", min_size=1, max_size=6)
    | st.text(alphabet="123．,-个", min_size=1, max_size=6),
)
def test_the_index_offers_everything_that_the_second_look_would_take(text: str, term: str) -> None:
    try:
        query = search.parse(term)
    except UsageError:
        return
    if not search.hits(text, query):
        return
    words = search.words(text)
    for part in query.match.split(" AND "):
        word = part.split('"')[1]
        assert any(g.startswith(word) if part.endswith("*") else g == word for g in words)
    assert set(query.pairs) <= words | search.characters(text)


@example("土\u3000地ＡbＣ", "土地 abc")
@example("㎡与m2", "m2")
@example("ﬁ", "i")
@given(
    st.text(alphabet="土地Ａa㎡m2²ßsﬁi№①1 \n，", max_size=30), st.text(alphabet="土地am2sfi1", min_size=1, max_size=3)
)
def test_patterns_find_what_folding_finds(text: str, term: str) -> None:
    query = search.parse(term)
    folding = replace(query, within=re.compile("^"))
    assert search.hits(text, query) == search.hits(text, folding)


def test_no_character_folds_outside_the_ranges_looked_at() -> None:
    looked_at = set().union(*(range(*some) for some in search._FOLDING))
    assert not [hex(c) for c in range(sys.maxunicode + 1) if c not in looked_at and search.fold(chr(c)) != chr(c)]


@example(" Aß")
@given(st.text(max_size=60))
def test_hits_point_at_what_was_asked(text: str) -> None:
    query = search.parse("a")
    for start, end in search.hits(text, query):
        assert "a" in search.fold(text[start:end])


def test_an_entry_renewed_by_differences_holds_the_words_of_its_last_text(url) -> None:
    texts = [
        "云岭区地区生产总值增长6%左右，城镇新增就业1.2万人。",
        "云岭区地区生产总值增长5.5%左右，城镇新增就业1.2万人以上。",
        "",
        "全区植树三千亩，ABC项目开工。",
        "云岭区地区生产总值增长6%左右，植树三千亩。",
    ]
    engine = create_engine(url)
    with Session(engine) as session:
        renewed, fresh = PassageRow(id=7, page=1, place="text"), PassageRow(id=8, page=1, place="text")
        passages.insert(session, renewed, "yl-report", texts[0])
        for before, after in pairwise(texts):
            passages.replace(session, renewed, "yl-report", before, after)
        passages.insert(session, fresh, "yl-report", texts[-1])
        session.connection().execute(
            text("CREATE VIRTUAL TABLE temp.seen USING fts5vocab(main, passage_index, instance)")
        )
        held = [
            {row[0] for row in session.connection().execute(text(f"SELECT term FROM seen WHERE doc = {number}"))}
            for number in (7, 8)
        ]
    engine.dispose()
    own = {passages.of_source("yl-report"), passages.TEXT}
    assert held[0] == held[1] == search.words(texts[-1]) | own


@pytest.mark.both_dialects
@pytest.mark.parametrize("keys", [("yl", "yl-2"), ("YL", "yl"), ("云岭.1", "云岭_1")])
def test_sources_with_like_names_are_kept_apart(ask, house, source, keys: tuple[str, str]) -> None:
    for page in house.watch(*(source(key) for key in keys)):
        house.see(page, "土地" + page.source)
    for key in keys:
        assert [row["source"] for row in ask.search("土地", Filter(source=key))] == [key]
    assert ask.search("土地", Filter(source="nobody")) == []


@pytest.mark.both_dialects
def test_since_finds_late_edits_and_texts_that_are_new_again(ask, house, source, edited) -> None:
    old, young = house.watch(source("a"), source("b"))
    house.see(old, "土地一百亩。", title="a")
    house.see(young, "土地二百亩。", title="b")
    since = house.tick(timedelta(days=9))
    house.see(old, "土地三百亩。", title="a", edits=edited("土地一百亩。", "土地三百亩。"))
    found = [(row["source"], row["where"]) for row in ask.search("土地", Filter(since=since))]
    assert found == [("a", "removed"), ("a", "added"), ("a", "text")]
    assert [row["where"] for row in ask.search("土", Filter(since=since))] == ["removed", "added", "text"]
    assert ask.search("土地", Filter(since=since + timedelta(days=1))) == []
    assert [row["source"] for row in ask.search("土地", Filter(until=since))] == ["b"]


@pytest.mark.both_dialects
def test_more_entries_than_one_answer_of_the_index(ask, house, source) -> None:
    pages = house.watch(*(source(f"s{n}") for n in range(30)))
    for n, page in enumerate(sorted(pages, key=lambda p: int(p.source[1:]))):
        house.see(page, "土地与面积" if n == 3 else "土地，地与面积" if n % 2 else "无", title="x")
    assert [row["source"] for row in ask.search("土地与", limit=1)] == ["s3"]
    assert [row["source"] for row in ask.search("土", limit=1)] == ["s29"]
    assert [row["source"] for row in ask.search("无 无", limit=99)] == [f"s{n}" for n in range(28, -1, -2)]
    assert [row["source"] for row in ask.search("与面", Filter(under="990100"), limit=99)] == [
        f"s{n}" for n in range(29, 0, -2)
    ]


def test_a_damaged_text_is_named_and_the_others_are_found(ask, house, source) -> None:
    for page in house.watch(source("a"), source("b")):
        house.see(page, "土地" + page.source)
    with closing(sqlite3.connect(ask.path)) as file, file:
        file.execute("UPDATE blob SET data = x'28b52ffd' WHERE sha256 = (SELECT sha256 FROM version WHERE id = 2)")
    assert len(ask.search("土地")) == 1
    [told] = ask.unread
    assert told.startswith("version v2: its blob") and "damaged" in told
