"""Learned noise and copies through whole passes: what a user sees, is told, and can take back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configuration
from monitor import transfer
from monitor.pipeline import Summary

TEXT = [
    "区政府近日召开专题会议，部署全区老旧管网改造工作，各镇街和有关部门负责同志参加会议。",
    "会议听取了前期工作情况汇报，对下一步任务逐项作了安排，要求倒排工期、挂图作战。",
    "各单位要加强协调配合，及时解决施工中的困难和问题，尽量减少对居民出行的影响。",
]
SLOGANS = [
    "不忘初心牢记使命",
    "空谈误国实干兴邦",
    "绿水青山金山银山",
    "安全生产人人有责",
    "为人民服务",
    "请进来走出去",
    "共建文明家园",
]
CHANNEL = {
    "channels": {"hook": {"type": "webhook", "url": "http://127.0.0.1:9/", "secret_env": "HOOK"}},
    "subscriptions": [{"channel": "hook", "on": ["targets", "content", "new", "reverted", "removed"]}],
}
SECRET = {"HOOK": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def kinds(done: Summary) -> list[str]:
    return [c.kind for c in done.changes]


@pytest.fixture
def noisy(web: Any, page_of: Callable[..., str], watching: Callable[..., Any]) -> Callable[..., Any]:
    """A page whose article ends with another slogan at every look, watched until the slogan is learned."""

    async def watch(times: int = 6) -> tuple[Any, Callable[..., Any]]:
        def show(*paragraphs: str, round_: int) -> None:
            web.put("/a", page_of("关于老旧管网改造的通知", *paragraphs, SLOGANS[round_ % len(SLOGANS)]))

        show(*TEXT, round_=0)
        made = watching({"key": "a", "url": web.url + "/a"}, environ=SECRET, **CHANNEL)
        for k in range(times):
            show(*TEXT, round_=k)
            made.clock.pass_by(hours=7)
            await made.look()
        return made, show

    return watch


def owed_by(made: Any) -> list[Any]:
    """What is to be sent, but for the summary of a first reading."""
    return [a for a in made.store.claim_alerts(made.clock(), 99) if a.type != "baseline"]


async def test_a_line_that_changes_at_every_look_is_learned_and_costs_nothing_more(noisy: Any, desk: Any) -> None:
    made, show = await noisy()
    [rule] = made.store.noise()
    assert (rule.kind, rule.state, rule.pages) == ("place", "on", 1)
    owed = len(owed_by(made))
    for k in range(6, 10):
        show(*TEXT, round_=k)
        made.clock.pass_by(hours=7)
        assert kinds(await made.look()) == []
    with desk.queries() as db:
        row = db.show("a")
        assert row["paragraphs"] == TEXT
        assert (row["version"], row["reading"]) == ("v5", 2), "the same version, read again"
        assert [r["reading"] for r in row["readings"]] == [1]
    assert "共建" not in str(owed_by(made))
    assert made.store.check() == [] and owed == 4
    show(*TEXT[:2], "各单位要每周报告进度，重大问题随时报告区政府办公室。", round_=11)
    made.clock.pass_by(hours=7)
    [change] = (await made.look()).changes
    assert [(e.op, e.paragraph) for e in change.edits] != [] and not any(
        s in e.old + e.new for e in change.edits for s in SLOGANS
    )


async def test_learned_noise_is_shown_switched_off_and_on_and_forgotten(noisy: Any, desk: Any) -> None:
    made, show = await noisy()
    made.clock.pass_by(hours=7)
    show(*TEXT, round_=6)
    await made.look()
    [row] = desk.run("sources", "noise", "a", "--json").json
    assert (row["on"], row["kind"], row["host"]) == ("on", "place", made.store.hosts_of("a")[0])
    assert SLOGANS[4] in row["example"] and row["first_seen"] and row["seen"] >= 4
    table = desk.run("sources", "noise", "a", "--lang", "en").out
    assert "changed 4 times in 4 fetches" in table
    cut = desk.run("sources", "noise", "a", "--preview", "--json").json
    assert [(x["id"], x["line"]) for x in cut] == [(row["id"], SLOGANS[4])]

    said = desk.run("sources", "noise", "a", "--off", row["id"], "--lang", "en")
    assert "1 page shown by the new rules" in said.err
    with desk.queries() as db:
        assert db.show("a")["paragraphs"] == [*TEXT, SLOGANS[4]]
    assert kinds(await made.look()) == ["content"], "what is no noise is news: another slogan"
    assert desk.run("sources", "noise", "a", "--jsonl").lines[0]["on"] == "off", "learning again leaves it off"

    desk.run("sources", "noise", "a", "--on", row["id"])
    with desk.queries() as db:
        assert db.show("a")["paragraphs"] == TEXT
        assert len(db.changes()) == 5, "reading again is never a change"
    desk.run("sources", "noise", "a", "--forget-all")
    assert desk.run("sources", "noise", "a", "--json").json == []


def test_noise_of_what_is_not_there(web: Any, desk: Any) -> None:
    desk.watch({"key": "a", "url": web.url})
    for arguments in (("b",), ("a", "--off", "n1"), ("a", "--off", "first")):
        said = desk.run("sources", "noise", *arguments)
        assert said.code == 2 and said.out == "" and said.err


async def test_another_selector_shows_another_text_at_once_though_the_page_stays_the_same(
    web: Any, desk: Any, watching: Callable[..., Any]
) -> None:
    """The bytes are the same, so nothing is parsed: the kept body is read again, no change, no alert."""
    inner = "".join(f"<p>{p}</p>" for p in TEXT)
    inner += "<div class='x'><p>联系人：管网改造工作专班，工作日上午九点到下午五点接听来电。</p></div>"
    head = "<html><head><title>通知</title></head><body><h1>通知</h1>"
    web.put("/a", f"{head}<div id='zoom'>{inner}</div></body></html>")
    made = watching({"key": "a", "url": web.url + "/a"}, environ=SECRET, **CHANNEL)
    await made.look()
    for exclude, chars, reading in ((["div.x"], 3, 2), ([], 4, 3)):
        made.config = desk.watch({"key": "a", "url": web.url + "/a", "exclude": exclude}, **CHANNEL)
        made.clock.pass_by(hours=7)
        done = await made.look()
        assert (done.changes, done.counts["unchanged"]) == ([], 1)
        with desk.queries() as db:
            row = db.show("a")
            assert (len(row["paragraphs"]), row["reading"], row["version"]) == (chars, reading, "v1")
            found = db.search("工作专班")
            assert len(found) == (0 if exclude else 1), "search knows the text that is shown"
    assert owed_by(made) == [] and made.store.check() == []
    before = made.store.load(1).page
    made.clock.pass_by(hours=7)
    await made.look()
    assert made.store.load(1).page.rules == before.rules and desk.run("db", "check").code == 0


# --------------------------------------------------------------------------- copies

REPORT = [
    "各位代表：现在，我代表区人民政府，向大会报告工作，请予审议，并请各位委员提出意见。",
    *(
        f"第{k}项重点工作由区政府统筹推进，{a}年内完成阶段任务，进展情况按季度向社会公布，接受群众监督。"
        for k, a in enumerate(["管网改造", "河道清淤", "学校扩建", "社区食堂", "公交优化", "养老服务", "市场提升"], 1)
    ),
    "今年经济社会发展的主要预期目标是：地区生产总值增长6%左右，一般公共预算收入增长5%，新增城镇就业1.2万人。",
    "我们要坚持过紧日子，把有限的财力用到发展急需和民生改善上，以实际行动取信于民。",
]


@pytest.fixture
def reposted(web: Any, page_of: Callable[..., str], watching: Callable[..., Any]) -> Callable[..., Any]:
    """A column with one report, and another into which the test posts later."""

    async def start() -> tuple[Any, Callable[..., None]]:
        def post(*names: str) -> None:
            items = "".join(f'<li><a href="/x/{n}.html">{n}云岭区政府工作报告</a><span>2026-02-0{k}</span></li>'
                            for k, n in enumerate(names, 1))  # fmt: skip
            web.put("/list/", f"<html><head><title>报告</title></head><body><ul>{items}</ul></body></html>")

        web.put("/first", page_of("云岭区2026年政府工作报告", *REPORT))
        web.put(
            "/x/a.html", page_of("a云岭区旧闻汇编", "旧闻一则，与报告没有关系，只是为了让栏目里有一篇文章。", *TEXT)
        )
        post("a")
        made = watching(
            {"key": "gov", "url": web.url + "/first", "region": "990102", "series": "政府工作报告"},
            {"key": "col", "url": web.url + "/list/", "kind": "listing", "backfill": "3650d", "region": "990102"},
            environ=SECRET, **CHANNEL,
        )  # fmt: skip
        await made.look()
        made.clock.pass_by(hours=7)
        await made.look()
        return made, post

    return start


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(REPORT, id="whole"),
        pytest.param(REPORT[:6], id="first half"),
        pytest.param(REPORT[4:], id="second half"),
    ],
)
async def test_a_repost_is_a_copy_nobody_is_told_of(
    text: list[str], web: Any, desk: Any, page_of: Callable[..., str], reposted: Any
) -> None:
    made, post = await reposted()
    web.put("/x/b.html", page_of("b云岭区政府工作报告", *text))
    post("a", "b")
    made.clock.pass_by(hours=7)
    [change] = (await made.look()).changes
    assert (change.kind, change.copy_of, change.compared_with) == ("new", "v1", "v1")
    assert change.targets == (), "half of a report drops nothing"
    assert owed_by(made) == []
    with desk.queries() as db:
        [row] = [r for r in db.history("col") if r["url"].endswith("b.html")]
        assert row["copy_of"] == "v1"
        assert db.version(row["version"]).record.stage == "copy"
    listed = desk.run("targets", "list", "--json").json
    assert {x["source"] for x in listed} == {"gov"} and len(listed) >= 3
    own = desk.run("targets", "list", "--source", "col", "--json").json
    assert bool(own) == (text != REPORT[:6])


async def test_a_copy_that_is_edited_is_compared_with_its_own_past_and_outlives_its_original(
    web: Any, desk: Any, page_of: Callable[..., str], reposted: Any
) -> None:
    made, post = await reposted()
    web.put("/x/b.html", page_of("b云岭区政府工作报告", *REPORT))
    post("a", "b")
    made.clock.pass_by(hours=7)
    await made.look()
    del web.routes["/first"]
    for _ in range(4):
        made.clock.pass_by(hours=30)
        await made.look()
    with desk.queries() as db:
        assert [c.kind for c in db.changes() if c.source == "gov"] == ["removed"]
        latest = next(r for r in db.history("col") if r["url"].endswith("b.html"))
        assert latest["copy_of"] == "v1"
    web.put("/x/b.html", page_of("b云岭区政府工作报告", *[p.replace("增长6%", "增长5.5%") for p in REPORT]))
    made.clock.pass_by(hours=30)
    [change] = (await made.look()).changes
    assert (change.kind, change.old_version, change.copy_of) == ("content", latest["version"], None)
    assert [t.change for t in change.targets] == ["lowered"]
    [alert] = [a for a in owed_by(made) if a.change == change.id]
    assert alert.type == "targets.changed"


async def test_the_report_of_another_year_is_told_as_before(
    web: Any, page_of: Callable[..., str], reposted: Any
) -> None:
    made, post = await reposted()
    other = [p.replace("6%", "7%").replace("5%", "4%").replace("1.2万", "1.5万") for p in REPORT]
    web.put("/x/b.html", page_of("云岭区2027年政府工作报告", *other))
    post("a", "b")
    made.clock.pass_by(hours=7)
    [change] = (await made.look()).changes
    assert change.copy_of is None
    assert len(owed_by(made)) == 1


def bring(made: Any, path: Path, lines: list[str]) -> dict[str, Any]:
    """A text file imported into the database of a running watch."""
    path.write_text("\n".join(("云岭区2026年政府工作报告", *lines)), encoding="utf-8")
    source = transfer.import_source("disk", None, region="990102", series="政府工作报告")
    words = configuration.vocabulary()
    [row] = transfer.import_files(made.store, source, [path], words, now=made.clock(), told=transfer.Told())
    return row


async def test_an_imported_file_is_a_copy_of_what_is_watched_unless_its_numbers_differ(
    desk: Any, tmp_path: Path, reposted: Any
) -> None:
    made, _ = await reposted()
    assert bring(made, tmp_path / "a.txt", REPORT)["copy_of"] == "v1"
    other = [p.replace("6%", "7%").replace("5%", "4%").replace("1.2万", "1.5万") for p in REPORT]
    assert bring(made, tmp_path / "b.txt", other)["copy_of"] is None
    assert owed_by(made) == []
    assert {x["source"] for x in desk.run("targets", "list", "--release", "2026", "--json").json} == {"gov", "disk"}


async def test_what_is_watched_later_is_a_copy_of_an_imported_file(
    web: Any, desk: Any, tmp_path: Path, page_of: Callable[..., str], reposted: Any
) -> None:
    made, post = await reposted()
    plan = [p.replace("工作", "筹备").replace("6%", "8%").replace("1.2万", "2.2万") for p in REPORT]
    first = bring(made, tmp_path / "plan.txt", plan)
    assert first["copy_of"] is None
    web.put("/x/b.html", page_of("b云岭区政府工作报告", *plan))
    post("a", "b")
    made.clock.pass_by(hours=7)
    [change] = (await made.look()).changes
    assert (change.kind, change.copy_of) == ("new", first["version"])
    assert owed_by(made) == []
