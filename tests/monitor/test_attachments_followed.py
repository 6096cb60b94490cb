"""Attachments from the page that names them to the alert: followed, versioned, read for targets, replaced, gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.render import render

GOALS = "2026年主要预期目标是：地区生产总值增长{gdp}%左右，一般公共预算收入增长5%，城镇新增就业8000人以上。"
REPORT = [
    "云岭区2026年政府工作报告",
    "——2026年1月8日在云岭区第十八届人民代表大会第五次会议上",
    "各位代表：现在，我代表区人民政府，向大会报告工作，请予审议，并请各位政协委员和列席人员提出意见。",
    "过去一年，全区上下攻坚克难，经济运行稳中向好，民生福祉持续改善，社会大局保持和谐稳定。",
]
MORE = list(enumerate(("农业", "工业", "教育", "医疗", "住房", "养老", "交通", "水利", "财税", "金融"), 1))
TITLE = "关于公布云岭区2026年政府工作报告的通知"


def report(made: Any, gdp: str = "6", *more: str) -> bytes:
    """The report as a PDF of several pages."""
    return bytes(made.pdf(*made.wrapped([*REPORT, GOALS.format(gdp=gdp), *more])))


def put(web: Any, path: str, body: bytes, kind: str = "application/pdf", status: int = 200) -> str:
    """A file on the site, as servers send one."""
    return str(web.put(path, body, status=status, **{"content-type": kind}))


def name_files(web: Any, page_of: Callable[..., str], *files: tuple[str, str], text: tuple[str, ...] = ()) -> str:
    """A page that holds next to nothing but links to files: (address, name)."""
    links = "".join(f'<p><a href="{address}">{name}</a></p>' for address, name in files)
    page = page_of(TITLE, *(text or ("",)))
    return str(web.put("/art/a.html", page.replace("</p>", f"</p>{links}", 1)))


async def test_the_pdf_of_an_empty_page_is_read_for_targets_and_its_change_is_told(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    url = name_files(web, page_of, ("/art/P1.pdf", "附件：云岭区2026年政府工作报告.pdf"))
    watch = watching(
        {"key": "a", "url": url, "region": "230199", "series": "政府工作报告"},
        channels={"hook": {"type": "webhook", "url": web.url + "/hook"}},
        subscriptions=[{"channel": "hook", "on": ["attachment", "targets"]}],
    )
    first = await watch.look()
    assert (first.baselines, first.changes, first.failures) == (2, [], [])
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).changes == []
    put(web, "/art/P1.pdf", report(made, "5.5"))
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert (change.kind, change.url, change.parent) == ("attachment", web.url + "/art/P1.pdf", url)
    assert change.attachment == "附件：云岭区2026年政府工作报告.pdf"
    assert [(t.change, t.before.value, t.after.value) for t in change.targets] == [("lowered", 6.0, 5.5)]
    with desk.queries() as ask:
        (alert,) = [a for a in ask.alerts() if a.change]
    assert (alert.type, alert.payload["parent"]) == ("targets.changed", url)


async def test_an_alert_of_an_attachment_shows_the_quote_and_the_page(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    url = name_files(web, page_of, ("/art/P1.pdf", "云岭区2026年政府工作报告.pdf"))
    watch = watching(
        {"key": "a", "url": url, "region": "230199", "name": "云岭区"},
        channels={"hook": {"type": "webhook", "url": web.url + "/hook"}},
        subscriptions=[{"channel": "hook", "on": ["targets"]}],
    )
    await watch.look()
    put(web, "/art/P1.pdf", report(made, "5.5"))
    watch.clock.pass_by(hours=7)
    await watch.look()
    with desk.queries() as ask:
        (alert,) = [a for a in ask.alerts() if a.change]
    message = render(alert)
    assert message.subject.startswith("[目标] 云岭区")
    assert "6%左右→5.5%左右" in message.subject
    assert "地区生产总值增长6%左右" in message.text
    assert [line for line in (url, "云岭区2026年政府工作报告.pdf") if line not in message.text] == []


async def test_a_file_saved_again_with_the_same_text_is_no_change(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.docx", made.docx(*REPORT, GOALS.format(gdp=6)), "application/octet-stream")
    watch = watching({"key": "a", "url": name_files(web, page_of, ("/art/P1.docx", "报告.docx"))})
    await watch.look()
    again = made.docx(*REPORT, GOALS.format(gdp=6), parts={"docProps/app.xml": "<a/>"})
    put(web, "/art/P1.docx", again, "application/octet-stream")
    watch.clock.pass_by(hours=7)
    done = await watch.look()
    assert (done.changes, done.counts["unchanged"]) == ([], 2)


async def test_the_same_name_at_another_address_is_a_changed_attachment(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    url = name_files(web, page_of, ("/art/P1.pdf", "云岭区2026年政府工作报告.pdf"), ("/art/x.xls", "附表.xls"))
    put(web, "/art/x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "application/vnd.ms-excel")
    watch = watching({"key": "a", "url": url})
    await watch.look()
    del web.routes["/art/P1.pdf"]
    put(web, "/art/P2.pdf", report(made, "5.5"))
    name_files(web, page_of, ("/art/P2.pdf", "云岭区2026年政府工作报告（修订版）.pdf"), ("/art/x.xls", "附表.xls"))
    watch.clock.pass_by(hours=7)
    page, change = (await watch.look()).changes
    assert (page.kind, page.url) == ("cosmetic", url)
    assert (change.kind, change.url, len(change.targets)) == ("attachment", web.url + "/art/P2.pdf", 1)
    assert change.old_version is not None
    for _ in range(4):
        watch.clock.pass_by(hours=7)
        assert (await watch.look()).changes == []
    with desk.queries() as ask:
        assert [row["kind"] for row in ask.history(web.url + "/art/P2.pdf")] == ["attachment", "new"]


async def test_a_file_that_fails_at_first_keeps_no_later_one_from_being_news(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", b"", status=503)
    watch = watching({"key": "a", "url": name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"), text=(REPORT[3],))})
    assert len((await watch.look()).failures) == 1  # with the last of its pages: the first pass is not over
    watch.clock.pass_by(hours=7)
    assert len((await watch.look()).failures) == 1  # … and now it is: the page was read well
    put(web, "/art/P2.pdf", report(made))
    name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"), ("/art/P2.pdf", "计划.pdf"), text=(REPORT[3],))
    watch.clock.pass_by(hours=7)
    assert web.url + "/art/P2.pdf" in [c.url for c in (await watch.look()).changes]


async def test_a_scan_is_said_to_be_one_and_another_scan_is_a_change(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", made.pdf([], [], image=True))
    watch = watching({"key": "a", "url": name_files(web, page_of, ("/art/P1.pdf", "报告扫描件.pdf"))})
    first = await watch.look()
    assert (first.failures, first.baselines) == ([], 2)
    shown = desk.run("show", web.url + "/art/P1.pdf", "--lang", "zh")
    assert "扫描件：没有文字层" in shown.err
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).changes == []
    put(web, "/art/P1.pdf", made.pdf([], [], [], image=True))
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert (change.kind, change.targets, change.edits) == ("attachment", (), ())
    assert change.new_version is not None
    put(web, "/art/P1.pdf", report(made))
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert (change.kind, change.added > 100) == ("attachment", True)


async def test_an_attachment_that_is_gone_is_removed_and_its_page_stays_quiet(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    watch = watching({"key": "a", "url": name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"))})
    await watch.look()
    web.put("/art/P1.pdf", "<html><body>404 Not Found</body></html>", status=404)
    kinds = []
    for _ in range(4):
        watch.clock.pass_by(minutes=40)
        kinds += [(c.kind, c.url.rsplit("/", 1)[1]) for c in (await watch.look()).changes]
    assert kinds == [("removed", "P1.pdf")]


async def test_a_notice_instead_of_a_file_is_a_failure_and_tells_nobody(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    watch = watching(
        {"key": "a", "url": name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"))},
        channels={"hook": {"type": "webhook", "url": web.url + "/hook"}},
        subscriptions=[{"channel": "hook", "on": ["health", "content", "attachment", "new"]}],
    )
    await watch.look()
    web.put(
        "/art/P1.pdf", page_of("网站使用帮助", "本站的文件分为通知、公告和表格三类，分别由不同科室发布并负责解释。" * 3)
    )
    for _ in range(5):
        watch.clock.pass_by(hours=30)
        done = await watch.look()
        assert [why.error for _, why in done.failures] == ["wrong_document"]
    with desk.queries() as ask:
        assert [a for a in ask.alerts() if a.type != "baseline"] == []


async def test_what_a_new_document_of_a_column_attaches_is_compared_with_last_years(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    def column(*years: int) -> None:
        items = ""
        for year in years:
            title = f"云岭区{year}年政府工作报告"
            items += f'<li><a href="/art/{year}/01/08/t{year}0108_1.html">{title}</a><span>{year}-01-08</span></li>'
            body = [line.replace("2026", str(year)) for line in (*REPORT, GOALS)]
            pdf = made.pdf(*made.wrapped([x.replace("{gdp}", str(year - 2020)) for x in body]))
            put(web, f"/art/{year}/01/08/P{year}.pdf", pdf)
            page = page_of(title, "").replace("2026-01-08", f"{year}-01-08")
            link = f'<p><a href="P{year}.pdf">附件1.pdf</a></p>'
            web.put(f"/art/{year}/01/08/t{year}0108_1.html", page.replace("</p>", f"</p>{link}", 1))
        web.put("/list/", f"<html><head><title>政府工作报告</title></head><body><ul>{items}</ul></body></html>")

    column(2025)
    watch = watching(
        {"key": "a", "url": web.url + "/list/", "kind": "listing", "region": "230199", "match": "工作报告"}
    )
    first = await watch.look()
    assert (first.changes, first.failures, first.baselines) == ([], [], 2)
    column(2025, 2026)
    watch.clock.pass_by(hours=7)
    changes = (await watch.look()).changes
    assert sorted((c.kind, c.url.rsplit("/", 1)[1]) for c in changes) == [
        ("new", "P2026.pdf"),
        ("new", "t20260108_1.html"),
    ]
    (file,) = (c for c in changes if c.parent)
    assert file.compared_release == "2025"
    assert ("raised", 5.0, 6.0) in [
        (t.change, t.before.value, t.after.value) for t in file.targets if t.before and t.after
    ]


async def test_a_file_at_the_address_of_a_page_is_read_like_one(
    web: Any, desk: Any, watching: Callable[..., Any], made: Any
) -> None:
    url = put(web, "/report.pdf", report(made))
    watch = watching({"key": "a", "url": url})
    assert (await watch.look()).failures == []
    put(web, "/report.pdf", report(made, "7"))
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert (change.kind, change.parent, [t.change for t in change.targets]) == ("content", None, ["raised"])
    assert desk.run("show", "a", "--json").json["file"]["type"] == "pdf"


async def test_without_following_no_file_is_fetched(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    url = name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"))
    watch = watching({"key": "a", "url": url, "attachments": False})
    assert (await watch.look()).checked == 1
    assert not any(path.endswith(".pdf") for path in web.asked)


async def test_only_the_endings_that_are_named_are_fetched(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    put(web, "/art/P1.pdf", report(made))
    put(web, "/art/P1.docx", made.docx(*REPORT, GOALS.format(gdp=6)))
    url = name_files(web, page_of, ("/art/P1.pdf", "报告.pdf"), ("/art/P1.docx", "报告.docx"))
    watch = watching({"key": "a", "url": url, "attachments": ["docx"]})
    await watch.look()
    assert [path for path in web.asked if path.startswith("/art/P1")] == ["/art/P1.docx"]


async def test_a_file_that_cannot_be_read_is_kept_by_its_hash(
    web: Any, desk: Any, page_of: Callable[..., str], watching: Callable[..., Any]
) -> None:
    put(web, "/art/a.rar", b"Rar!\x1a\x07\x01\x00" + b"x" * 200, "application/x-rar")
    watch = watching({"key": "a", "url": name_files(web, page_of, ("/art/a.rar", "全部附件.rar"))})
    first = await watch.look()
    assert (first.failures, first.baselines) == ([], 2)
    assert "RAR" in desk.run("show", web.url + "/art/a.rar").err
    put(web, "/art/a.rar", b"Rar!\x1a\x07\x01\x00" + b"y" * 200, "application/x-rar")
    watch.clock.pass_by(hours=7)
    (change,) = (await watch.look()).changes
    assert change.kind == "attachment"


async def test_a_copy_of_the_page_in_a_file_is_told_to_nobody(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], made: Any
) -> None:
    text = [
        *REPORT[1:],
        GOALS.format(gdp=6),
        *(f"第{n}，持续推进{x}领域改革，年内完成改革事项{n}2项。" for n, x in MORE),
    ]
    put(web, "/art/P1.docx", made.docx(REPORT[0], *text), "application/msword")

    def column(*names: str) -> None:
        items = "".join(
            f'<li><a href="/art/{n}.html">云岭区关于{n}工作的通知</a><span>2026-01-05</span></li>' for n in names
        )
        web.put("/list/", f"<html><head><title>通知公告</title></head><body><ul>{items}</ul></body></html>")

    web.put(
        "/art/spring.html",
        page_of("云岭区关于春耕工作的通知", "春耕备耕工作现已全面展开，各镇街道要压实责任抓好落实。" * 3),
    )
    column("spring")
    watch = watching({"key": "a", "url": web.url + "/list/", "kind": "listing", "region": "230199"})
    await watch.look()
    page = page_of("云岭区2026年政府工作报告", *text)
    web.put("/art/report.html", page.replace("</p>", '</p><p><a href="P1.docx">报告.docx</a></p>', 1))
    column("spring", "report")
    watch.clock.pass_by(hours=7)
    changes = (await watch.look()).changes
    told = [c.url.rsplit("/", 1)[1] for c in changes if not c.copy_of]
    assert told == ["report.html"]
