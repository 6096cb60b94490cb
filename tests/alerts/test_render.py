from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from alerts import rules
from alerts.render import MAX_BYTES, render, sandboxed
from monitor.errors import ConfigError, DeliveryError
from monitor.i18n.alerts import TEXTS
from monitor.model import Edit

HOSTILE = '</td><script>alert(1)</script>\r\nBcc: x@y.example\x1b[31m\u202e=HYPERLINK("http://evil.example")'


class Page(HTMLParser):
    """The tags, attributes and visible text of a message."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "title":
            self.said.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.said)).strip()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_the_first_line_says_what_moved(world: Any) -> None:
    message = render(world.alert())
    assert message.subject == "[目标] 云岭区 2026 地区生产总值增速 6%左右→5.5%左右"
    assert message.text.splitlines()[0] == "云岭区 2026：地区生产总值增速 6%左右 → 5.5%左右 ↓"
    assert Page(message.html).text.startswith("云岭区 2026： 地区生产总值增速 6%左右 → 5.5%左右 ↓")


def test_a_new_release_names_both_and_lists_what_moved(world: Any) -> None:
    change = replace(
        world.change,
        kind="new",
        old_version=None,
        compared_with="v3",
        compared_release="2025",
        edits=(),
        targets=(
            world.moved("外贸进出口总额", "new", None, "5%"),
            world.gdp,
            world.moved("固定资产投资", "dropped", "10%左右", None),
        ),
    )
    message = render(world.alert(change))
    assert message.subject == "[目标] 云岭区 2025→2026 地区生产总值增速 6%左右→5.5%左右 等3项"
    assert message.text.splitlines()[0] == "云岭区 2025→2026：地区生产总值增速 6%左右 → 5.5%左右 ↓ 等 3 项"
    lines = [line.strip() for line in message.text.splitlines()]
    at = lines.index("变动的目标")
    assert lines[at + 1 : at + 4] == [
        "↓ 地区生产总值增速: 6%左右 → 5.5%左右 (下调)",
        "× 固定资产投资增速: 10%左右 → — (未再提出)",
        "＋ 外贸进出口总额增速: — → 5% (新增)",
    ]
    assert "$ mubiao targets compare v3 v12" in lines
    assert "$ mubiao targets compare v3 v12" in lines
    assert len(Page(message.html).all("tr")) > 4


def test_english(world: Any) -> None:
    message = render(world.alert(), lang="en")
    assert message.subject == "[target] 云岭区 2026 地区生产总值 growth 6%左右→5.5%左右"
    assert message.text.splitlines()[0] == "云岭区 2026: 地区生产总值 growth 6%左右 → 5.5%左右 ↓"
    assert "The edit" in message.text
    assert '<html lang="en">' in message.html


def test_the_edit_is_struck_underlined_and_coloured(world: Any) -> None:
    message = render(world.alert())
    page = Page(message.html)
    styles = [a["style"] or "" for a in page.all("del")], [a["style"] or "" for a in page.all("ins")]
    assert all("line-through" in s and "color" in s for s in styles[0])
    assert all("underline" in s and "color" in s for s in styles[1])
    assert "全区生产总值增长6%5.5%左右，稳中求进。" in page.text
    assert "  - 全区生产总值增长6%左右，稳中求进。\n  + 全区生产总值增长5.5%左右，稳中求进。" in message.text
    assert "mubiao diff v11 v12" in page.text
    assert [a["href"] for a in page.all("a")] == [world.change.url]


def test_a_bare_number_is_shown_in_its_sentence(world: Any) -> None:
    before, after = (f"今年新增学位{n}个，普惠性幼儿园覆盖率稳步提高。" for n in (4200, 3200))
    line = replace(
        world.gdp, before=world.target("4200个", sentence=before), after=world.target("3200个", sentence=after)
    )
    edit = Edit("replace", "4200个", "3200个", 4, 4)
    for edits, wanted in (((edit,), f"- {before[:12]}"), ((replace(edit, old="9个"),), "- 9个")):
        message = render(world.alert(replace(world.change, targets=(line,), edits=edits)))
        assert wanted in message.text


def test_a_newspaper_differs_and_has_lowered_nothing(world: Any) -> None:
    line = replace(world.gdp, relation="quote", flags=("differs",))
    alert = world.alert(replace(world.change, kind="new", targets=(line,), edits=()))
    for lang, tag, wrong in (("zh", "[不一致]", "下调"), ("en", "[differs]", "lowered")):
        message = render(alert, lang=lang)
        assert message.subject.startswith(tag)
        assert wrong not in message.text + message.html
    assert "报告为 6%左右（不一致）" in render(alert).text.splitlines()[0]
    assert "the report says 6%左右" in render(alert, lang="en").text.splitlines()[0]


def test_a_result_is_not_called_a_target(world: Any) -> None:
    line = world.moved("地区生产总值", "raised", "6.1%", "6.2%", side={"role": "actual"})
    message = render(world.alert(replace(world.change, targets=(line,))))
    assert message.subject.startswith("[修改]")
    assert "变动的完成数" in message.text
    assert "变动的目标" not in message.text


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("content", "[修改] 云岭区 2026 正文有改动：2026年云岭区政府工作报告（增 4 字，删 4 字）"),
        ("new", "[新文] 云岭区 2026 新文件：2026年云岭区政府工作报告"),
        ("removed", "[删除] 云岭区 2026 页面已撤下：2026年云岭区政府工作报告"),
        ("restored", "[恢复] 云岭区 2026 页面重新出现：2026年云岭区政府工作报告"),
        ("reverted", "[改回] 云岭区 2026 改回先前的文本：2026年云岭区政府工作报告"),
        ("attachment", "[附件] 云岭区 2026 附件有变：2026年云岭区政府工作报告"),
        ("cosmetic", "[排版] 云岭区 2026 只有版式变化：2026年云岭区政府工作报告"),
    ],
)
def test_a_change_without_targets(world: Any, kind: Any, subject: str) -> None:
    assert render(world.alert(replace(world.change, kind=kind, targets=()))).subject == subject


def test_an_attachment_whose_number_moved_looks_like_a_page_and_names_both(world: Any) -> None:
    page, name = "http://www.yunling.example/a.html", "附件：2026年政府工作报告.pdf"
    change = replace(world.change, kind="attachment", parent=page, attachment=name)
    message = render(world.alert(change))
    assert message.subject.startswith("[目标]")
    assert [x for x in (page, name) if x not in message.text] == []
    assert f'href="{page}"' in message.html
    without = render(world.alert(replace(change, targets=(), edits=())))
    assert without.subject == f"[附件] 云岭区 2026 附件换了文件，读不出文字：{name}"


def realistic(world: Any) -> list[Any]:
    """A number edited in its sentence; several paragraphs edited; the next report; a newspaper that differs."""
    before = "全年主要预期目标是：地区生产总值增长6%左右，城镇新增就业3000人以上，居民收入与经济增长同步。"
    after = before.replace("6%", "5.5%")
    gdp = world.moved("地区生产总值", "lowered", "6%左右", "5.5%左右", side={"sentence": before})
    gdp = replace(gdp, after=replace(gdp.after, sentence=after))
    works = [
        (
            f"第{n}项：改造老旧小区{n}6个、背街小巷{n}0条，新建口袋公园{n}处。",
            f"第{n}项：改造老旧小区{n}0个，新建口袋公园{n}处。",
        )
        for n in range(1, 5)
    ]
    rows = tuple(
        world.moved(f"指标{n}", "raised", f"{n}%左右", f"{n + 1}%左右", side={"sentence": after}) for n in range(8)
    )
    return [
        replace(world.change, targets=(gdp,), edits=(Edit("replace", "6%", "5.5%", 4, 4),)),
        replace(world.change, targets=(), edits=tuple(Edit("replace", a, b, n, n) for n, (a, b) in enumerate(works))),
        replace(world.change, kind="new", old_version=None, compared_with="v3", edits=(), targets=(gdp, *rows)),
        replace(
            world.change, kind="new", old_version=None, compared_with="v3", edits=(),
            targets=tuple(replace(x, relation="quote", flags=("differs",)) for x in (gdp, *rows[:2])),
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("which", range(4))
def test_most_of_a_message_is_the_edit_or_its_targets(world: Any, which: int, lang: str) -> None:
    message = render(world.alert(realistic(world)[which]), lang=lang)
    seen = Page(message.html)
    told = re.sub(r"\s", "", seen.text.rpartition(world.change.title)[0])
    for head in (text for key, pair in TEXTS.items() if key.startswith("head.") for text in pair):
        told = told.replace(re.sub(r"\s", "", head), "")
    assert len(told) / len(re.sub(r"\s", "", seen.text)) > 0.6, seen.text


def test_text_far_from_an_edit_is_not_in_the_message(world: Any) -> None:
    edit = Edit("replace", f"投资100万元，{'其余照旧，' * 60}", f"投资150万元，{'其余照旧，' * 60}", 0, 0)
    message = render(world.alert(replace(world.change, edits=(edit,))))
    assert "其余照旧，" * 12 not in message.text + message.html


# --------------------------------------------------------------------------- bad input


def test_hostile_strings_stay_inert(world: Any) -> None:
    line = world.moved(HOSTILE, "raised", HOSTILE, HOSTILE, object=HOSTILE, flags=("<b>",))
    change = replace(
        world.change,
        title=HOSTILE,
        url="javascript:alert(1)",
        release=HOSTILE,
        new_version="v12; rm -rf ~",
        edits=(Edit("replace", HOSTILE, HOSTILE + "2", 0, 0),),
        targets=(line,),
    )
    for kind in ("targets.changed", "change.detected"):
        message = render(world.alert(change, type=kind))
        page = Page(message.html)
        assert page.all("script") == []
        assert page.all("a") == []
        for said in (message.subject, message.text, message.html):
            assert "\x1b" not in said
            assert "\u202e" not in said
        assert "\n" not in message.subject
        assert "\r" not in message.subject + message.text + message.html
        assert "rm -rf" not in "".join(x for x in message.text.splitlines() if x.lstrip().startswith("$"))


@pytest.mark.parametrize("filler", ["字", "<", "\x1b[31m", "&", "\n"])
def test_a_megabyte_everywhere_stays_within_100_kb(world: Any, filler: str) -> None:
    much = filler * (1_000_000 // len(filler))
    lines = tuple(world.moved(much, "raised", much, much + "1") for _ in range(60))
    edits = tuple(Edit("replace", much, much[::-1] + str(n), n, n) for n in range(60))
    change = replace(world.change, title=much, targets=lines, edits=edits)
    digest = world.alert(
        type="digest", payload={"since": "x", "until": much, "changes": [world.alert(change).payload] * 100}
    )
    for alert in (world.alert(change), digest):
        message = render(alert)
        assert len(message.html.encode()) <= MAX_BYTES
        assert len(message.text.encode()) <= MAX_BYTES
        assert len(message.subject) <= 120


def test_what_does_not_fit_is_counted(world: Any) -> None:
    lines = tuple(world.moved(f"指标{n}", "raised", "1%", "2%") for n in range(100))
    message = render(world.alert(replace(world.change, targets=lines)))
    assert "另有 76 项未列出" in message.text
    assert "另有 76 项未列出" in message.html
    assert message.subject.endswith("等100项")


def test_a_template_can_be_replaced_and_is_sandboxed(world: Any) -> None:
    own = sandboxed({"change.txt": "改了：{{ c.line }}"})
    assert render(world.alert(), templates=own).text == "改了：云岭区 2026：地区生产总值增速 6%左右 → 5.5%左右 ↓\n"
    for bad in ("{{ c.__class__.__mro__ }}", "{{ nothing }}"):
        with pytest.raises(DeliveryError, match="template failed") as caught:
            render(world.alert(), templates=sandboxed({"change.txt": bad}))
        assert not caught.value.permanent


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("change.txt", "a\n{% if %}", r"change.txt:2: templates: not a template"),
        ("chang.txt", "a", r"no message has the template chang.txt \(there are change.html, change.txt"),
    ],
)
def test_a_template_that_is_none_is_refused_before_anything_is_sent(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        sandboxed({name: text})


# --------------------------------------------------------------------------- digests and the rest


def test_a_digest_is_grouped_by_place(world: Any) -> None:
    one = world.alert().payload
    edit = one | {"targets": [], "kind": "content", "title": "通知", "url": "http://songyuan.example/1"}
    elsewhere = {"place": "松原新区", "region": "999102"}
    changes = [edit | elsewhere, one, edit | elsewhere | {"kind": "reverted"}]
    message = render(
        world.alert(
            type="digest",
            payload={"since": "2026-01-08T00:00:00Z", "until": "2026-01-09T00:00:00Z", "changes": changes},
        )
    )
    assert message.subject == "[汇总] 2026-01-09 2处变化 1项目标变动"  # an edit and its way back are one
    body = message.text
    assert body.index("== 云岭区") < body.index("== 松原新区")  # those with moved targets first
    assert body.count("通知") == 1  # an edit and its taking back are one line
    assert "改动后又改回：通知" in body
    assert "↓ 地区生产总值增速 2026: 6%左右 → 5.5%左右 (下调)" in body
    assert Page(message.html).all("del")


def test_health(world: Any) -> None:
    failure = {
        "source": "yunling-report", "name": "云岭区政府工作报告", "url": "http://yunling.example/", "error": "timeout",
        "status": None, "detail": "no answer within 60 s", "since": "2026-01-09T02:46:00.000Z", "consecutive": 5,
    }  # fmt: skip
    message = render(world.alert(type="source.failing", payload=failure))
    assert message.subject == "[抓取失败] 云岭区政府工作报告 连续 5 次抓取失败：timeout"
    assert "no answer within 60 s" in message.text
    assert "2026-01-09 10:46 (北京时间)" in message.text
    back = render(world.alert(type="source.recovered", payload=failure), lang="en")
    assert back.subject == "[recovered] 云岭区政府工作报告 can be read again"
    assert "last good version" not in back.text
    assert render(world.alert(type="source.tired", payload=failure)).subject.startswith("[source.tired]")


def test_a_trial_and_links(world: Any) -> None:
    message = render(
        world.alert(type="test", payload={"channel": "desk"}), links={"Mubiao": "http://127.0.0.1:8750/alerts"}
    )
    assert message.subject == "[测试] mubiao 测试消息（desk）"
    assert Page(message.html).all("a")[0]["href"] == "http://127.0.0.1:8750/alerts"
    assert "msg_0001" in message.text


@pytest.mark.parametrize(
    ("lang", "tag", "said", "window"),
    [
        ("zh", "[确认] 云岭区", "2026-01-09 11:16 (北京时间) 复查，仍是改后的文字", "10:16 时尚未改，10:46 前已改"),
        (
            "en",
            "[confirmed] 云岭区",
            "checked again at 2026-01-09 11:16 (Beijing time): it still says so",
            "same at 10:16, changed by 10:46",
        ),
    ],
)
def test_a_confirmation_says_between_which_two_checks_it_was_edited(
    world: Any, lang: str, tag: str, said: str, window: str
) -> None:
    first = world.alert(replace(world.change, same_at=world.now - timedelta(minutes=30)), lang=lang)
    assert re.split("[，,]", window)[0] in render(first).text
    [alert] = rules.confirm([first], now=world.now + timedelta(minutes=30))
    assert (alert.type, alert.key, alert.change) == ("change.confirmed", "confirmed:c7:desk", "c7")
    message = render(alert)
    assert message.subject.startswith(tag)
    for part in (message.text, message.html):
        assert said in part
        assert window in part
        assert "5.5%左右" in part
    assert rules.confirm([world.alert(replace(world.change, kind="reverted"))], now=world.now) == []


def test_an_edit_of_another_day_or_year_names_it(world: Any) -> None:
    for back, shown in ((timedelta(days=1), "01-08 10:46 时尚未改"), (timedelta(days=30), "2025-12-10 10:46 时尚未改")):
        assert shown in render(world.alert(replace(world.change, same_at=world.now - back))).text
