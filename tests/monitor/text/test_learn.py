"""Learning a site: what changes at nearly every fetch and what stands on every page, and what must never be learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.model import Attachment, Document, Link, Noise
from monitor.text import learn
from monitor.text.learn import Reading
from monitor.text.noise import Learned

URL = "http://www.yunling.example/zwgk/1.html"
HOST = "www.yunling.example"
TEXT = [
    "区政府近日召开专题会议，部署全区老旧管网改造工作，各镇街和有关部门负责同志参加会议。",
    "会议听取了前期工作情况汇报，对下一步任务逐项作了安排，要求倒排工期、挂图作战。",
    "各单位要加强协调配合，及时解决施工中的困难和问题，尽量减少对居民出行的影响。",
    "会议要求，工程质量和安全生产必须放在首位，施工现场要有专人值守，资料要齐全规范。",
    "区住房和城乡建设局每月通报工程进展情况，各镇街要把群众的意见建议及时反映上来。",
]
TITLES = [
    "河道清淤工程开工",
    "社区食堂开门迎客",
    "图书分馆试运行",
    "公交线路有调整",
    "森林防火不松懈",
    "养老床位再扩容",
]
SLOGANS = [
    "不忘初心牢记使命",
    "空谈误国实干兴邦",
    "绿水青山就是金山银山",
    "安全生产人人有责",
    "为人民服务",
    "请进来走出去",
]


def reading(
    lines: Sequence[str], checks: int = 0, *, url: str = URL, links: Sequence[str] = (), **fields: object
) -> Reading:
    found = tuple(Link(f"http://www.yunling.example/x/{k}.html", t) for k, t in enumerate(links))
    document = Document(url=url, title="关于老旧管网改造的通知", paragraphs=tuple(lines), links=found)
    return replace(Reading(url, document, checks), **fields)  # type: ignore[arg-type]


def window(
    parts: Sequence[Sequence[str]], at: int = len(TEXT), *, links: Sequence[str] = (), every: int = 1
) -> list[Reading]:
    """Versions of one page with these lines before paragraph `at`, one for each `every` checks."""
    return [reading([*TEXT[:at], *part, *TEXT[at:]], k * every, links=links) for k, part in enumerate(parts, 1)]


def rest(rules: Sequence[Noise], document: Document, *, report: bool = False) -> list[str]:
    return list(Learned(rules).clean(document, document.url or "", lambda: report).paragraphs)


ROTATING = [[SLOGANS[k]] for k in (0, 3, 1, 5, 2, 0, 4)]
COUNTED = [
    [f"您是第{n}位访客"] for n in ("一万二千三百零五", "一万二千三百九", "一万三千", "一万三千零七", "二万", "二万零一")
]
LISTED = [[TITLES[k], TITLES[(k + 2) % 6]] for k in (0, 3, 1, 5, 2, 4)]
WEATHER = [[f"今日天气：{w}℃"] for w in ("晴 3", "多云 5～9", "小雨 1", "阴 7", "晴转多云 8～15", "雷阵雨 12")]


@pytest.mark.parametrize("at", [0, 2, len(TEXT)], ids=["before", "between", "behind"])
@pytest.mark.parametrize(
    ("parts", "links", "unseen"),
    [
        pytest.param(ROTATING, (), ["节约用水从我做起"], id="a slogan"),
        pytest.param(COUNTED, (), ["您是第九万零一十位访客"], id="a counter in Chinese numerals"),
        pytest.param(WEATHER, (), ["今日天气：阵雪 -3～1℃"], id="the weather"),
        pytest.param(LISTED, TITLES, ["农贸市场焕然一新", "村级道路修到家门"], id="titles of other pages"),
    ],
)
def test_what_changes_at_every_fetch_is_left_out_of_the_next_one(
    parts: list[list[str]], links: Sequence[str], unseen: list[str], at: int
) -> None:
    rules = learn.volatile(HOST, window(parts, at, links=links))
    assert rules and all(learn.sure(r) for r in rules)
    after = reading([*TEXT[:at], *unseen, *TEXT[at:]], links=[*links, *unseen]).document
    assert rest(rules, after) == TEXT
    assert rest(rules, after, report=True) == TEXT, "what this page itself has shown is no main text of a report either"


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param([*TEXT[:4], "区住房和城乡建设局每周通报工程进展情况，结果向社会公开。"], id="the line before it"),
        pytest.param(
            [*TEXT, "本项工作于今年年底前完成，所需经费由区财政统筹安排。"], id="a line behind it or before it"
        ),
        pytest.param([*TEXT[:3], TEXT[4]], id="a line gone"),
        pytest.param([TEXT[0] + "会议由区长主持。", *TEXT[1:]], id="far from it"),
    ],
)
@pytest.mark.parametrize(("parts", "links"), [(ROTATING, ()), (LISTED, TITLES)], ids=["slogan", "titles"])
def test_true_edits_beside_the_noise_are_kept(parts: list[list[str]], links: Sequence[str], edited: list[str]) -> None:
    rules = learn.volatile(HOST, window(parts, links=links))
    unseen = ["节约用水从我做起"] if not links else ["农贸市场焕然一新", "村级道路修到家门"]
    assert rest(rules, reading([*edited, *unseen], links=unseen).document) == edited


def test_an_edit_while_learning_is_text_and_stays_text() -> None:
    """In the middle of the window a paragraph beside the noise is edited: neither wording is ever noise."""
    changed = [*TEXT[:4], "区住房和城乡建设局每周通报工程进展情况，各镇街要把群众的意见建议及时反映上来。"]
    parts = window(ROTATING)
    parts[3:] = [reading([*changed, *part], k) for k, part in enumerate(ROTATING[3:], 4)]
    rules = learn.volatile(HOST, parts)
    assert rest(rules, reading([*changed, "节约用水从我做起"]).document) == changed
    assert rest(rules, reading([*TEXT, "节约用水从我做起"]).document) == TEXT


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            [["一期工程完成"], ["一期工程完成"], ["二期工程开工"], ["二期工程开工"], ["二期工程完成"]],
            id="news that stay a while",
        ),
        pytest.param([[f"截至目前，已改造管网{n}公里。"] for n in range(20, 27)], id="a figure brought up to date"),
        pytest.param([[f"今年安排改造资金{n}万元，由区财政统筹。"] for n in range(200, 207)], id="a quantity"),
        pytest.param([[f"2026年3月{n}日"] for n in range(1, 8)], id="the only date"),
        pytest.param([["同一行"]] * 7, id="nothing changes"),
        pytest.param([["甲"], ["乙"], ["丙"]], id="too few fetches"),
    ],
)
def test_what_is_not_learned(parts: list[list[str]]) -> None:
    assert [r for r in learn.volatile(HOST, window(parts)) if learn.sure(r)] == []


def test_a_page_that_changes_at_some_fetches_only_teaches_nothing() -> None:
    assert learn.volatile(HOST, window(ROTATING, every=3)) == []
    assert learn.volatile(HOST, window(ROTATING, every=1)) != []


def test_a_sentence_from_which_a_target_is_read_is_never_learned() -> None:
    parts = [[f"刷新时间{n}分，森林覆盖率达到{n}点"] for n in range(30, 37)]
    held = [replace(r, quantities=frozenset({r.document.paragraphs[-1]})) for r in window(parts)]
    assert learn.volatile(HOST, window(parts)) != []
    assert learn.volatile(HOST, held) == []


def test_a_shape_that_several_pages_show_is_one_of_the_host() -> None:
    own = []
    for n in (1, 2):
        url = f"http://{HOST}/{n}.html"
        parts = [reading([*TEXT, f"本栏已更新{k}条动态"], k, url=url) for k in range(60, 67)]
        own += learn.volatile(HOST, parts)
    assert not any(learn.sure(r) for r in own), "one page alone does not know whether this is news"
    [rule] = learn.promoted(HOST, own)
    assert (rule.page, rule.pages) == ("", 2)
    other = reading([*TEXT, "本栏已更新99条动态"], url=f"http://{HOST}/3.html").document
    assert rest([rule], other) == TEXT
    assert learn.promoted(HOST, own[:1]) == []


# --------------------------------------------------------------------------- what stands on many pages

COPYRIGHT = "本网站所刊内容未经书面授权不得转载或者建立镜像，违者依法追究责任"


def pages(count: int, *tail: str, links: Sequence[str] = ()) -> list[Reading]:
    """Different documents of one host that end alike."""
    return [
        reading([*(f"{p}（{n}）" for p in TEXT), *tail], url=f"http://{HOST}/{n}.html", links=links)
        for n in range(count)
    ]


def test_a_line_at_the_end_of_every_page_is_the_sites() -> None:
    [rule] = learn.shared(HOST, pages(10, COPYRIGHT))
    assert (rule.kind, rule.seen, rule.of, rule.page) == ("line", 10, 10, "")
    fresh = reading([*TEXT, COPYRIGHT], url=f"http://{HOST}/new.html").document
    assert rest([rule], fresh) == TEXT
    assert rest([rule], fresh, report=True) == TEXT, "at its end it goes from a report too"
    quoted = reading([*TEXT[:3], COPYRIGHT, *TEXT[3:]], url=f"http://{HOST}/new.html").document
    assert rest([rule], quoted) == list(quoted.paragraphs), "within a text it may be what the text is about"


def test_a_heading_over_titles_of_other_pages_goes_with_them() -> None:
    seen = [reading([*r.document.paragraphs, "热门文章", *TITLES[n % 4 : n % 4 + 2]], url=r.url, links=TITLES)
            for n, r in enumerate(pages(10))]  # fmt: skip
    rules = learn.shared(HOST, seen)
    assert [(r.kind, r.mark) for r in rules if r.kind == "heading"] == [("heading", "热门文章")]
    fresh = reading([TEXT[0], "热门文章", "从未见过的标题一", "从未见过的标题二", TEXT[1]],
                    url=f"http://{HOST}/n.html", links=["从未见过的标题一", "从未见过的标题二"]).document  # fmt: skip
    assert rest(rules, fresh) == TEXT[:2]
    assert rest(rules, fresh, report=True) == list(fresh.paragraphs), "never inside the main text of a report"


def test_attachments_under_a_heading_are_the_documents_own() -> None:
    seen = [
        replace(r, document=replace(r.document, attachments=(Attachment("http://x/a.pdf", "办事指南一览表", "pdf"),)))
        for r in pages(10, "相关材料", "办事指南一览表", links=["办事指南一览表"])
    ]
    assert [r for r in learn.shared(HOST, seen) if r.kind == "heading"] == []


@pytest.mark.parametrize(
    "tail",
    [
        "特此通知。",
        "（此件公开发布）",
        "云岭区人民政府办公室",
        "附件：办事指南",
        "2026年3月1日",
        "改造管网120公里。",
        "一、总体要求",
    ],
)
def test_formulas_signatures_and_figures_are_text_on_however_many_pages(tail: str) -> None:
    assert learn.shared(HOST, pages(20, tail)) == []


def test_few_pages_teach_nothing() -> None:
    assert learn.shared(HOST, pages(learn.PAGES - 1, COPYRIGHT)) == []
    assert learn.shared(HOST, [*pages(10, COPYRIGHT), *pages(10)]) == []


def test_recurring_sentences_of_reports_are_not_learned() -> None:
    opening = "各位代表：现在，我代表区人民政府向大会报告工作，请予审议"
    slogan = "我们要始终把人民放在心中最高位置，一件事情接着一件事情办"
    inside = [f"{p}{slogan}" for p in TEXT * 3]
    body = [opening, *inside[:8], slogan, *inside[8:]]
    reports = [
        reading([f"{n}年工作回顾", *body, "以上报告，请予审议。"], url=f"http://{HOST}/{n}.html", report=True)
        for n in range(12)
    ]
    assert rest(learn.shared(HOST, reports), reports[0].document, report=True) == list(reports[0].document.paragraphs)
