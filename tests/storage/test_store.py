"""The store: what is due, one check saved whole or not at all, and what the next check is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from monitor.errors import StorageError
from monitor.model import Alert, Attachment, Document, Failure, Link, Outcome
from storage import watched
from storage.store import Store

pytestmark = pytest.mark.both_dialects


HOUR = timedelta(hours=1)


def alert(change, name: str = "desk") -> Alert:
    return Alert(
        id=f"{change.id}-{name}", key=f"{change.id}:{name}", channel=name, type="change.detected",
        payload={"id": change.id, "new": change.new_version}, change=change.id,
    )  # fmt: skip


# --------------------------------------------------------------------------- sources


def test_a_source_gets_an_entry_page_due_when_the_schedule_says(store, house, source) -> None:
    store.sync_sources([source()], house.now, lambda s: house.now + HOUR)
    assert store.due(house.now, 10) == []
    [page] = store.due(house.now + HOUR, 10)
    assert (page.source, page.role, page.url, page.baseline) == ("yunling", "entry", source().url, True)
    assert store.next_due() == house.now + HOUR


def test_syncing_again_moves_no_due_time(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    due = store.load(page.id).page.next_due
    house.watch(source(name="a new name"))
    assert store.load(page.id).page.next_due == due


def test_a_source_that_leaves_the_configuration_is_kept_and_never_due(store, ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    house.watch(source("songyuan"))
    assert [p.source for p in store.due(house.now + 9 * HOUR, 10)] == ["songyuan"]
    assert {s["key"]: s["state"] for s in ask.sources()} == {"songyuan": "waiting", "yunling": "removed"}
    assert ask.version("yunling").document.title == "云岭区"


def test_a_source_that_is_off_wakes_with_its_history(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    house.watch(source(enabled=False))
    assert store.due(house.now + 9 * HOUR, 10) == []
    house.tick(HOUR)
    house.watch(source())
    [again] = store.due(house.now, 10)
    assert again.id == page.id and again.version == "v1"


def test_a_changed_address_makes_a_new_entry_page_and_going_back_finds_the_old_one(store, house, source) -> None:
    [old] = house.watch(source())
    [new] = house.watch(source(url="http://yunling.example/new.html"))
    assert new.id != old.id and store.load(old.id).page.next_due is None
    [back] = house.watch(source())
    assert back.id == old.id


# --------------------------------------------------------------------------- due


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Every statement that reaches a database."""
    said: list[str] = []

    def hear(_connection, _cursor, statement, *_rest) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield said
    event.remove(Engine, "before_cursor_execute", hear)


def test_a_long_column_is_looked_up_in_a_few_questions(store, house, source, asked) -> None:
    house.watch(source())
    links = [Link(f"http://yunling.example/{n}.html", str(n)) for n in range(watched.MOST_NAMED + 10)]
    assert len(store.add_pages("yunling", links[1:], house.now)) == len(links) - 1
    asked.clear()
    [new] = store.add_pages("yunling", links, house.now)
    assert new.title == "0"
    assert len(asked) < 10


def test_unread_pages_are_those_never_checked(store, house, source, asked) -> None:
    [page, other] = house.watch(source(), source("songyuan"))
    house.see(page, "已读")
    store.add_pages("yunling", [Link(f"http://yunling.example/{n}", str(n)) for n in "abc"], house.now)
    store.add_pages("songyuan", [Link("http://songyuan.example/d", "d")], house.now)
    a, b, c = store.unread_pages("yunling")
    house.see(b, "已读")
    store.set_due(c.id, None)  # retired
    assert [p.title for p in store.unread_pages("yunling")] == ["a"]
    assert [p.id for p in store.unread_pages("songyuan")][:1] == [other.id]  # an entry is read before documents
    assert a.last_checked is None


def test_due_is_in_order_of_waiting_and_fair_to_hosts(store, house, source) -> None:
    house.watch(source(), source("songyuan"))
    links = [Link(f"http://yunling.example/{n}.html", str(n)) for n in range(5)]
    store.add_pages("yunling", links, house.now, house.now - HOUR)
    assert [p.title for p in store.due(house.now, 3)] == ["0", "1", "2"]
    fair = store.due(house.now, 10, per_host=2)
    assert sorted(p.source for p in fair) == ["songyuan", "yunling", "yunling"]
    assert {p.source for p in store.due(house.now, 10, exclude_hosts=["yunling.example"])} == {"songyuan"}


def test_of_a_long_queue_the_oldest_are_looked_at_first_and_one_column_hides_nobody(store, house, source) -> None:
    house.watch(source(), source("songyuan"))
    links = [Link(f"http://yunling.example/{n}.html", str(n)) for n in range(40)]
    store.add_pages("yunling", links, house.now, house.now - HOUR)  # all of one host, before the entries
    asked: list[str] = []
    event.listen(store._reader, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def looks() -> int:
        return sum("row_number" in statement for statement in asked)

    assert [p.source for p in store.due(house.now, 2, per_host=1)] == ["yunling", "songyuan"]
    assert looks() == 2  # at the oldest, and then at all
    assert [p.title for p in store.due(house.now, 2, per_host=5)] == ["0", "1"]
    assert looks() == 3
    assert len(store.due(house.now, 50, per_host=50)) == 42


def test_a_held_host_is_not_due_before_its_time(store, house, source) -> None:
    house.watch(source())
    store.hold_host("yunling.example", house.now + HOUR, "Retry-After")
    store.hold_host("yunling.example", house.now + HOUR / 2)
    assert store.due(house.now + HOUR / 2, 10) == []
    assert len(store.due(house.now + HOUR, 10)) == 1
    [host] = store.hosts()
    assert (host.host, host.reason) == ("yunling.example", "Retry-After")
    store.release_host("yunling.example")
    assert len(store.due(house.now, 10)) == 1


def test_the_due_query_reads_the_index_and_not_the_table(store, dialect) -> None:
    question = (
        " SELECT page.id FROM page, source WHERE page.next_due <= '2026-01-01T00:00:00Z' AND"
        " page.source = source.key AND source.enabled IS TRUE ORDER BY page.next_due, page.id LIMIT 9"
    )
    with store._read() as session:
        if dialect == "postgresql":  # few rows are scanned and sorted, whatever the index; a reader has no transactions
            connection = session.connection(execution_options={"isolation_level": "READ COMMITTED"})
            for way in ("seqscan", "bitmapscan", "sort"):
                connection.execute(text(f"SET LOCAL enable_{way} = off"))
        plan = session.connection().execute(
            text(("EXPLAIN" if dialect == "postgresql" else "EXPLAIN QUERY PLAN") + question)
        )
        words = " ".join(str(row) for row in plan)
    print(words)
    assert "ix_page_next_due" in words and not {"SCAN", "Seq Scan"} & set(words.split()) and "TEMP B-TREE" not in words


# --------------------------------------------------------------------------- one check


def test_a_version_comes_back_as_it_was(store, house, source, quoted) -> None:
    [page] = house.watch(source())
    goal = "地区生产总值增长6.5%左右"
    document = Document(
        url=page.url, title="云岭区政府工作报告", published="2026-01-15", published_meta="2026-01-16",
        publisher="云岭区政府", author="某", column="报告", site_code="9901020001", encoding="gb18030", replacements=2,
        paragraphs=(goal, "", "第三段\n内有换行"), links=(Link("http://a/b", "附", "2026-01-02"),),
        attachments=(Attachment("http://a/c.pdf", "表", "pdf"),), warnings=("odd",),
    )  # fmt: skip
    target = quoted(document.text, goal, "6.5%", value=6.5, unit="%")
    outcome = house.outcome(page, goal)
    store.save(replace(outcome, document=document, targets=(target,), keep_body=True))
    known = store.load(page.id)
    assert known.last is not None
    assert known.last.document == document
    assert (known.last.id, known.last.fingerprint, known.page.version) == ("v1", goal, "v1")


def test_targets_and_bodies_come_back(store, ask, house, source, quoted) -> None:
    [page] = house.watch(source())
    first = quoted("增长6.5%左右", "增长6.5%", "6.5%", value=6.5)
    house.see(page, "增长6.5%左右", targets=(first,), keep_body=True)
    second = quoted("导语。增长7%左右", "增长7%", "7%", value=7.0)
    house.see(page, "导语。增长7%左右", targets=(second,))
    assert ask.targets_of("v1") == (first,) and ask.targets_of("v2") == (second,)
    assert ask.raw("v1") == "增长6.5%左右".encode("gb18030") and ask.raw("v2") is None
    assert [i.target for i in ask.targets()] == [second]


def test_an_unchanged_check_writes_the_state_that_the_outcome_has_and_no_version(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    now = house.tick()
    state = replace(
        store.load(page.id).page, etag='"2"', last_modified="Mon", raw_sha256="aa", since_full=3, last_checked=now,
    )  # fmt: skip
    assert store.save(Outcome(state, now, "not_modified", next_due=now + HOUR)) is None
    assert store.load(page.id).page == replace(state, next_due=now + HOUR)


def test_failures_are_kept_and_the_last_good_version_stays(store, ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    since = house.tick()
    house.fail(page, "http_404", failing_since=since, consecutive=3, gone_count=3, gone_since=since)
    failed = store.load(page.id)
    assert failed.page.failure == Failure("http_404", "http_404 happened", 404)
    assert (failed.page.failing_since, failed.page.consecutive) == (since, 3)
    assert (failed.page.gone_count, failed.page.gone_since) == (3, since)
    assert failed.last is not None and failed.last.id == "v1"
    assert [(p.url, p.consecutive) for p in ask.failures()] == [(page.url, 3)]
    house.see(page, "云岭区", result="unchanged", change=None)
    assert store.load(page.id).page.failure is None
    assert ask.failures() == []


def test_a_skipped_check_moves_only_the_due_time(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    before = store.load(page.id).page
    store.save(Outcome(replace(before, consecutive=9), house.tick(), "skipped", next_due=house.now))
    assert store.load(page.id).page == replace(before, next_due=house.now)


def test_whether_other_pages_of_the_host_answer_is_known(store, house, source) -> None:
    [page] = house.watch(source())
    [other] = store.add_pages("yunling", [Link("http://yunling.example/b", "b")], house.now)
    house.see(other, "先前")
    house.tick()
    house.fail(page, "http_404", gone_since=house.now)
    assert not store.load(page.id).host_answers, "that was before it went missing"
    house.tick()
    house.see(other, "后来")
    assert store.load(page.id).host_answers


def test_earlier_texts_are_recognised(store, house, source) -> None:
    [page] = house.watch(source())
    for said in ("甲", "乙", "甲", "丙"):
        house.see(page, said)
        house.tick()
    assert store.load(page.id).earlier_fingerprints == {"甲": "v3", "乙": "v2"}


def test_a_change_of_attachments_alone_is_a_version(store, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    attached = {"attachments": (Attachment("http://a/c.pdf", "表", "pdf"),)}
    assert house.see(page, "云岭区", kind="attachment", document=attached) == "v2"
    assert house.see(page, "云岭区", kind="attachment", document=attached) == "v2", "nothing differs"


def test_removed_and_restored_need_no_new_version(store, ask, house, source) -> None:
    [page] = house.watch(source())
    house.see(page, "云岭区")
    outcome = house.outcome(page, "云岭区", kind="removed")
    gone = replace(outcome, result="failed", document=None, page=replace(outcome.page, removed=True))
    store.save(gone)
    assert store.load(page.id).page.removed
    house.see(page, "云岭区", kind="restored")
    assert not store.load(page.id).page.removed
    assert [c.kind for c in ask.changes()] == ["restored", "removed", "new"]
    assert len(ask.history("yunling")) == 1


# --------------------------------------------------------------------------- all or nothing


def test_alerts_are_written_with_the_change_and_know_its_ids(store, ask, house, source) -> None:
    [page] = house.watch(source())
    assert store.save(house.outcome(page, "云岭区"), lambda change: [alert(change), alert(change, "hook")]) == "c1"
    assert [(a.change, dict(a.payload)) for a in ask.alerts()] == [("c1", {"id": "c1", "new": "v1"})] * 2


def test_what_raises_half_way_leaves_nothing(store, ask, house, source) -> None:
    [page] = house.watch(source())
    before = store.load(page.id)

    def broken(_change):
        raise RuntimeError("a rule failed")

    with pytest.raises(RuntimeError):
        store.save(house.outcome(page, "云岭区", found=(Link("http://yunling.example/x", "x"),)), broken)
    assert store.load(page.id) == before
    status = ask.status(house.now)
    assert (status["versions"], status["changes"], status["blobs"], status["pages"], status["alerts"]) == (
        0,
        0,
        0,
        1,
        {},
    )
    assert ask.search("云岭") == []
    house.see(page, "云岭区")
    assert len(ask.search("云岭")) == 1


def test_health_alerts_go_with_the_page_state_and_are_owed_once(store, ask, house, source) -> None:
    [page] = house.watch(source())
    failing = Alert(id="h1", key="yunling:failing", channel="desk", type="source.failing", payload={"error": "dns"})
    for _ in range(2):
        store.save(Outcome(page, house.now, "failed", next_due=house.now), health=[failing])
    assert [a.id for a in ask.alerts()] == ["h1"]


def test_an_outcome_of_a_page_that_is_not_there_is_refused(store, house, source) -> None:
    [page] = house.watch(source())
    with pytest.raises(StorageError, match="no page 99"):
        store.save(Outcome(replace(page, id=99), house.now, "unchanged"))


# --------------------------------------------------------------------------- listings


def test_documents_of_the_first_pass_are_a_baseline_and_later_ones_new(store, house, source) -> None:
    [page] = house.watch(source(kind="listing"))
    one, two = Link("http://yunling.example/1", "一", "2026-01-02"), Link("http://yunling.example/2", "二")
    house.see(page, "列表", found=(one,))
    assert len(store.unread_pages("yunling")) == 1
    assert not store.finish_pass("yunling", house.now)
    [found] = [p for p in store.pages() if p.role == "document"]
    assert (found.title, found.date, found.baseline, found.next_due) == ("一", "2026-01-02", True, house.now)
    house.see(found, "一号文件")
    assert store.unread_pages("yunling") == []
    assert store.past_first_pass(["yunling"]) == set()
    assert store.finish_pass("yunling", house.now) and store.finish_pass("yunling", house.tick())
    assert store.past_first_pass(["yunling"]) == {"yunling"}
    house.see(page, "列表二", found=(one, two))
    assert [p.baseline for p in store.pages() if p.url == two.url] == [False]
    assert len(store.pages()) == 3
    assert len(store.pages(["yunling"], include_documents=False)) == 1


def test_a_page_for_an_import_is_made_once(store, house, source) -> None:
    house.watch(source())
    page = store.entry("yunling", "import:2021.txt", house.now)
    assert store.entry("yunling", "import:2021.txt", house.now).id == page.id
    assert page.next_due is None and page not in store.pages()
    with pytest.raises(StorageError, match="no source"):
        store.entry("nobody", "x", house.now)


# --------------------------------------------------------------------------- releases


def test_releases_are_other_documents_of_the_region_its_own_series_first(store, house, source, report) -> None:
    paper = source("daily", kind="epaper", series="云岭日报")
    away = source("away", region="990103")
    pages = {p.source: p for p in house.watch(source(), paper, away)}
    older = store.entry("yunling", "http://yunling.example/2025.html", house.now)
    house.see(older, "2025年报告", **report(2025))
    house.see(pages["yunling"], "2026年报告", **report(2026))
    house.see(pages["daily"], "报纸说", **report(2026, "newspaper"))
    house.see(pages["away"], "别处的报告", **report(2026))
    assert [(x.text, x.label, x.series) for x in store.releases(pages["yunling"].id)] == [
        ("2025年报告", "2025", "政府工作报告")
    ]
    assert [x.text for x in store.releases(pages["daily"].id)] == ["2026年报告", "2025年报告"]
    assert store.load(pages["daily"].id).releases == ()


# --------------------------------------------------------------------------- opening


def test_a_second_daemon_is_refused_by_pid(url) -> None:
    with Store(url) as first, Store(url) as second:
        first.lock_daemon()
        with pytest.raises(StorageError, match=rf"pid {os.getpid()}"):
            second.lock_daemon()
        first.close()
        second.lock_daemon()


def test_a_missing_database_is_named(tmp_path) -> None:
    with pytest.raises(StorageError, match=r"no database .*none\.db"):
        Store(f"sqlite:///{tmp_path}/none.db").open()


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(StorageError):
        Store(url)


def test_values_and_robots_are_remembered(store, house) -> None:
    store.set_meta("tick", "1")
    store.set_meta("tick", "2")
    assert (store.get_meta("tick"), store.get_meta("none")) == ("2", None)
    store.put_robots("a.example", "User-agent: *", 200, house.now)
    store.put_robots("a.example", None, 503, house.tick())
    store.set_delay("a.example", 2.5)
    host = store.host("a.example")
    assert host is not None
    assert (host.robots, host.robots_status, host.robots_at, host.delay) == (
        "User-agent: *",
        503,
        house.now - timedelta(minutes=1),
        2.5,
    )
    assert store.host("b.example") is None


def test_a_source_of_imported_documents_is_never_due(store, ask, house, source) -> None:
    store.add_source(source("archive", region=None, series=None), house.now)
    store.add_source(source("archive"), house.now)
    page = store.entry("archive", "import:archive/2019.txt", house.now)
    house.see(page, "旧报告")
    assert store.due(house.now + 999 * HOUR, 9) == [] and store.pages() == []
    [row] = ask.sources()
    assert (row["state"], row["region"], row["series"]) == ("imported", "990102", "政府工作报告")
    house.watch(source("archive"))
    assert len(store.due(house.now, 9)) == 1


def test_housekeeping_disturbs_nobody(store, house, source) -> None:
    [page] = house.watch(source())
    store.optimize()
    assert house.see(page, "云岭区") == "v1"


def test_a_database_by_another_name_is_held_by_the_same_lock(store, tmp_path) -> None:
    """Two daemons wrote to one file where the second was given a link to it."""
    if store.path is None:
        return  # only a file has a second name
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(store.path)
    store.lock_daemon()
    with Store(f"sqlite:///{link}") as other, pytest.raises(StorageError, match="held by a running daemon"):
        other.lock_daemon()
