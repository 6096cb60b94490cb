import random
import time
from pathlib import Path

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import Document
from monitor.text.clean import clean, plain
from monitor.text.segment import fingerprint

RULES = vocabulary().text
FAMILIES = yaml.safe_load((Path(__file__).parents[2] / "data/text/families.yaml").read_text(encoding="utf-8"))
ADDRESS = "http://www.yunling.example/zwgk/202603/t20260302_118.html"
TITLE = "云岭区2026年政府工作报告"
PARAGRAPHS = [
    "各位代表：",
    "现在，我代表区人民政府向大会报告工作，请予审议，并请区政协委员提出意见。",
    "一、过去一年工作回顾",
    "全年地区生产总值完成312.5亿元，增长6.1%；一般公共预算收入增长5%，城镇新增就业1.2万人。",
    "二、今年主要预期目标",
    "地区生产总值增长6.5%左右，新建学校3所，改造老旧小区21个，主办单位要落实责任。",
    "附件：重点项目清单",
    "信息来源于区统计局，数据为初步核算。让我们团结一心，为建设现代化云岭而奋斗！",
]


def page(box: str, seed: int = 1, title: str = TITLE) -> str:
    """A whole page of an invented site; everything but the article changes with the seed."""
    r = random.Random(seed)
    related = "".join(
        f'<li><a href="/zwgk/202602/t2026020{r.randint(1, 9)}_{r.randint(1, 99999)}.html">'
        f"{r.choice('东西南北')}城街道召开第{r.randint(1, 99)}次会议</a>"
        f"<span>2026-02-{r.randint(10, 28)}</span></li>"
        for _ in range(8)
    )
    nav = "".join(f'<li><a href="/{n}/">{n}</a></li>' for n in ("首页", "走进云岭", "政务公开", "办事服务", "互动交流"))
    text = "\n".join(f"<p>　　{p}</p>" for p in PARAGRAPHS)
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}_政府工作报告_云岭区人民政府</title>
<script>var id={r.random()};</script></head><body>
<div class="top">今天是：2026年3月{r.randint(3, 30)}日 {r.randint(10, 23)}:{r.randint(10, 59)}:00
天气：晴 {r.randint(1, 30)}℃</div>
<div class="nav"><ul>{nav}</ul></div><div class="crumb">您当前的位置：<a href="/">首页</a> &gt; 政务公开 &gt; 正文</div>
<div class="main"><h1>{title}</h1>
<div class="info"><span>发布时间：2026-03-02 09:30</span><span>来源：云岭区人民政府办公室</span>
<span>作者：王明</span><span>浏览次数：{r.randint(100, 99999)}</span><span>【字体：大 中 小】</span></div>
{box.replace("{text}", text)}
<div class="tools">【打印本页】 【关闭窗口】</div><div>上一篇：第{r.randint(1, 99)}次会议</div>
<div class="fx">分享到：<a>微信</a><a>微博</a></div></div>
<div class="side"><h3>相关阅读</h3><ul>{related}</ul></div>
<div class="foot"><p>主办单位：云岭区人民政府办公室　承办单位：云岭区数据局</p>
<p>云ICP备{r.randint(1000, 9999)}号 网站标识码：5301990001</p>
<p>您是第{r.randint(1, 999999)}位访客　建议使用1920*1080分辨率</p></div></body></html>"""


def read(html: str, **options: object) -> Document:
    return clean(html, ADDRESS, RULES, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_article_and_nothing_else(family: str) -> None:
    found = read(page(FAMILIES[family]))
    assert list(found.paragraphs) == PARAGRAPHS
    assert (found.kind, found.title, found.published) == ("article", TITLE, "2026-03-02")
    assert (found.publisher, found.author) == ("云岭区人民政府办公室", "王明")
    assert any(line.startswith("container:") for line in found.explain)


@pytest.mark.parametrize("family", FAMILIES)
def test_chrome_that_changes_at_every_request_changes_nothing(family: str) -> None:
    first = read(page(FAMILIES[family], 0))
    for seed in range(1, 4):
        again = read(page(FAMILIES[family], seed))
        assert fingerprint(again.paragraphs) == fingerprint(first.paragraphs)
        assert (again.title, again.published, again.publisher) == (first.title, first.published, first.publisher)


def article(inner: str) -> list[str]:
    return list(read(f"<html><body><div id='zoom'>{inner}</div></body></html>").paragraphs)


LONG = "<p>今年全区地区生产总值增长6.5%左右，新建学校3所，改造老旧小区21个，新增就业1.2万人，各部门要抓好落实。</p>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<p>到20<span>2</span><o:p>4</o:p>年<b>增</b>长</p>", ["到2024年增长"]),
        ("<p>第一行<br>第二行</p>", ["第一行", "第二行"]),
        ("<p>云岭\n    区</p>", ["云岭区"]),
        ("<p>GDP\n  growth</p>", ["GDP growth"]),
        ("<p>&nbsp;&nbsp;缩\u200b进\ue60b</p>", ["缩进"]),
        (
            "<table><tr><th>指标</th><th>目标</th></tr><tr><td><p>生产总值</p></td><td>6.5%</td></tr></table>",
            ["指标\t目标", "生产总值\t6.5%"],
        ),
        ("<ul><li>一</li><li>二</li></ul>", ["一", "二"]),
        ("<p>看<a href='/a.html'>附件一</a>。</p>", ["看附件一。"]),
        ("<p>显示</p><script>var x</script><style>.a{}</style><p>文字</p>", ["显示", "文字"]),
    ],
)
def test_lines(inner: str, expected: list[str]) -> None:
    assert article(inner + LONG)[: len(expected)] == expected


def test_a_second_copy_is_left_out() -> None:
    body = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    found = read(f"<html><body><div id='zoom'>{body}<div class='print-copy-x'>{body}</div></div></body></html>")
    assert list(found.paragraphs) == PARAGRAPHS
    assert any("second copy" in line for line in found.explain)


def test_lines_like_chrome_inside_the_article_stay() -> None:
    body = "<p>主办单位：云岭区教育局</p>".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    found = read(f"<html><body><div id='zoom'>{body}</div></body></html>")
    assert found.paragraphs.count("主办单位：云岭区教育局") == len(PARAGRAPHS) - 1


def test_a_selector_overrides_everything() -> None:
    html = page(FAMILIES["trs"]).replace('<div class="side">', '<div class="side" id="mine">')
    assert "城街道召开" in read(html, selector="#mine").text
    assert "城街道召开" not in read(html).text


@pytest.mark.parametrize("tag", ["font", "b", "span", "td", "ucapcontent", "article"])
def test_a_selector_may_name_any_element(tag: str) -> None:
    box = f"<table><tr><td><{tag} class='wanted'>这一句就是要看的正文。</{tag}></td></tr></table>"
    assert (
        "这一句就是要看的正文。"
        in read(f"<html><body><p>别的话，别的话。</p>{box}</body></html>", selector=".wanted").text
    )


def test_a_page_cannot_forge_what_a_selector_matches() -> None:
    html = page(FAMILIES["trs"]).replace("<body>", "<body><p mubiao-selector=''>伪造的一句话，应当不算。</p>")
    assert "伪造" not in read(html, selector=".TRS_Editor").text


def test_a_typed_text_keeps_its_lines_and_joins_what_was_only_wrapped() -> None:
    goals = "今年全区地区生产总值增长百分之六点五左右，新建学校三所，改造老旧小区二十\n一个。"
    typed = f"　　各位代表：\n　　{goals}\n　　谢谢大家。"
    assert article(f"<pre>{typed}</pre>") == [
        "各位代表：",
        "今年全区地区生产总值增长百分之六点五左右，新建学校三所，改造老旧小区二十一个。",
        "谢谢大家。",
    ]


def test_a_selector_that_finds_nothing_is_said() -> None:
    found = read(page(FAMILIES["trs"]), selector="#gone")
    assert (found.kind, found.paragraphs) == ("error", ())
    assert found.warnings == ("selector: nothing matches #gone",)


@pytest.mark.parametrize("selector", ["div[", "::::", ">>"])
def test_a_selector_that_is_no_css_is_said(selector: str) -> None:
    found = read(page(FAMILIES["trs"]), selector=selector)
    assert found.kind == "error"
    assert "not valid" in found.warnings[0]


def test_exclude_takes_parts_out() -> None:
    box = FAMILIES["trs"].replace("{text}", "{text}<p class='note-x'>这一段不要，它是广告。</p>")
    assert "不要" in read(page(box)).text
    assert "不要" not in read(page(box), exclude=["p.note-x"]).text


def test_meta_tags_of_the_national_standard() -> None:
    tags = {
        "ArticleTitle": "云岭区国民经济计划&lt;br&gt;报告", "PubDate": "2026-03-05 10∶08", "ContentSource": "云岭日报",
        "ColumnName": "计划报告", "SiteIDCode": "5301990001", "Author": "李红",
    }  # fmt: skip
    head = "".join(f'<meta name="{k}" content="{v}">' for k, v in tags.items())
    found = read(
        f"<html><head>{head}<title>云岭区人民政府</title></head><body><div id='zoom'>{LONG * 3}</div></body></html>"
    )
    assert (found.title, found.published_meta, found.publisher) == ("云岭区国民经济计划 报告", "2026-03-05", "云岭日报")
    assert (found.column, found.site_code, found.author) == ("计划报告", "5301990001", "李红")


def test_the_date_shown_and_the_date_of_the_meta_tags_are_both_kept() -> None:
    html = page(FAMILIES["trs"]).replace("<title>", '<meta name="PubDate" content="2026-07-01 08:00"><title>')
    found = read(html)
    assert (found.published, found.published_meta) == ("2026-03-02", "2026-07-01")


def test_a_day_in_the_title_is_not_the_date() -> None:
    html = page(FAMILIES["trs"], title="云岭区2026年2月20日疫情通报").replace(
        "发布时间：2026-03-02 09:30", "( 2026-02-21 )"
    )
    assert read(html).published == "2026-02-21"


def test_an_e_paper_names_its_article_in_a_comment() -> None:
    fields = (
        "<articleid>7</articleid><date>2026-01-12 00:00:00.0</date><author>周林</author><title>云岭两会今日开幕</title>"
    )
    comment = f"<!--enpproperty {fields}/enpproperty-->"
    found = read(
        f"<html><head><title>云岭日报数字报</title></head><body>{comment}<div id='ozoom'>{LONG * 3}</div></body></html>"
    )
    assert (found.title, found.published, found.author) == ("云岭两会今日开幕", "2026-01-12", "周林")


def listing(n: int) -> str:
    items = "".join(
        f'<li><a href="./202603/t202603{i:02d}_{i}.html" title="云岭区关于印发第{i}号工作方案的通知全文">'
        f"云岭区关于印发第{i}号工作方案…</a><span>2026-03-{i:02d}</span></li>"
        for i in range(1, n)
    )
    head = "<head><title>通知公告_云岭区人民政府</title></head>"
    return f"<html>{head}<body><div class='list'><ul>{items}</ul></div></body></html>"


def test_a_list_with_summaries_is_a_listing() -> None:
    items = "".join(
        f"<div class='item'><h3><a href='/p/{i}.html'>云岭区召开第{i}次常务会议研究部署工作</a></h3>"
        f"<p>会议强调，要坚持稳中求进，抓好项目建设，确保完成全年目标。会议还研究了第{i}个事项…</p></div>"
        for i in range(12)
    )
    assert read(f"<html><body><div class='l'>{items}</div></body></html>").kind == "listing"


def test_a_listing_has_links_with_dates_and_no_text() -> None:
    found = clean(listing(20), "http://www.yunling.example/tzgg/index.html", RULES)
    assert (found.kind, found.paragraphs, len(found.links)) == ("listing", (), 19)
    link = found.links[4]
    assert link.url == "http://www.yunling.example/tzgg/202603/t20260305_5.html"
    assert (link.text, link.date) == ("云岭区关于印发第5号工作方案的通知全文", "2026-03-05")


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        ("<p><a href='/u/P020260302.pdf'>云岭区规划.pdf</a></p>", "attachment"),
        ("<p><img src='/u/1.jpg'></p>", "image"),
        ("", "empty"),
        ("<p>您的访问被防火墙拦截</p>", "blocked"),
        ("<p>您访问的页面不存在</p>", "error"),
        (LONG, "article"),
    ],
)
def test_pages_without_an_article_say_so(inner: str, kind: str) -> None:
    assert read(f"<html><body><div id='zoom'>{inner}</div></body></html>").kind == kind


def test_attachments() -> None:
    links = (
        "<a href='./P020260302.docx'>附件1：任务分工.docx</a>"
        "<a href='/module/download/downfile.jsp?filename=ab12.doc'>附件2</a>"
        "<a href='/system/_content/download.jsp?id=7'>附件3：目标表.xls</a><a href='/a/1.html'>不是附件</a>"
    )
    found = read(f"<html><body><div id='zoom'>{LONG}<p>{links}</p></div></body></html>")
    assert [(a.name, a.type) for a in found.attachments] == [
        ("附件1：任务分工.docx", "docx"), ("附件2", "doc"), ("附件3：目标表.xls", "xls"),
    ]  # fmt: skip
    assert found.attachments[0].url == "http://www.yunling.example/zwgk/202603/P020260302.docx"


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<div>" * 100_000 + "深处。",
        "\x00\x00",
        "<",
        "<html>",
        "plain words",
        "<div>" * 10_000 + "深处的一句话，有标点。" + "</div>" * 10_000,
        "<table><tr><td>" * 3_000 + "深处。",
        "<td>无表格的单元格</td><tr>",
        "<p>" + "云" * 300_000,
        "<a href='http://[::1'>坏的地址在这里</a><a href='//'>空的地址</a>",
        "<!--enpproperty <title>没有结束",
        "<p>\ud800孤立的代理项</p>".encode("utf-8", "replace").decode(),
    ],
)
def test_broken_pages_are_read_quickly(html: str) -> None:
    start = time.process_time()
    assert isinstance(read(html).kind, str)
    assert time.process_time() - start < 2


def test_more_tags_than_any_page_has_are_cut_and_that_is_said() -> None:
    found = read("<table>" + "<tr><td>云岭区</td></tr>" * 60_000)
    assert any("more than 200000 tags" in warning for warning in found.warnings)
    assert not read(page(FAMILIES["trs"])).warnings


def test_mutated_pages_never_raise() -> None:
    base, r = page(FAMILIES["trs"]), random.Random(7)
    for _ in range(200):
        html = list(base[: r.randint(0, len(base))])
        for _ in range(20):
            if html:
                html[r.randrange(len(html))] = r.choice("<>/\"'&;\x00云5 a")
        read("".join(html))


def test_a_text_file() -> None:
    lines = [
        "欢迎浏览云岭区人民政府网站 | 关怀版 | 无障碍浏览 简体 繁体",
        "",
        TITLE,
        "发布日期: 2026-03-02 13:55 字体大小:",
        *PARAGRAPHS,
    ]
    lines += [
        "信息来源:云岭区政府",
        "【打印本页】 【关闭窗口】",
        "云ICP备14000000号-1 网站标识码: 5301990001",
        "云岭区信息中心版权所有",
    ]
    found = plain("\r\n\r\n".join(lines), None, RULES)
    assert list(found.paragraphs) == PARAGRAPHS
    assert (found.title, found.published, found.publisher) == (TITLE, "2026-03-02", "云岭区政府")


def test_a_text_file_of_an_e_paper() -> None:
    lines = ["首页", "第05版:区域传真", "云岭区：锚定目标抓落实", "计划已定，蓝图绘就。今年地区生产总值增长6%。"]
    lines += ["关于我们|广告服务|联系我们", "地址:云岭区和平路1号 爆料电话:0000-1234567"]
    found = plain("\n".join(lines), None, RULES)
    assert (found.title, list(found.paragraphs)) == ("云岭区：锚定目标抓落实", [lines[3]])


def test_a_text_file_that_starts_with_a_sentence_has_no_title() -> None:
    found = plain("今年是关键之年。目标是增长6%。\n(一)聚焦产业", None, RULES)
    assert (found.title, len(found.paragraphs)) == (None, 2)


def test_source_and_date_between_the_subtitle_and_the_text() -> None:
    text = f"{TITLE}\n——在第十八届人民代表大会上\n来源：云岭日报\n时间：2026-02-01\n区长 周明\n{PARAGRAPHS[1]}"
    found = plain(text, None, RULES)
    assert list(found.paragraphs) == ["——在第十八届人民代表大会上", "区长 周明", PARAGRAPHS[1]]
    assert (found.published, found.publisher) == ("2026-02-01", "云岭日报")


@pytest.mark.parametrize(
    "last",
    [
        "联系电话：0000-7654321",
        "责任单位：区教育局",
        "推进适老化改造500户",
        "地址：云岭区和平路1号",
        "实现扫码乘车线路30条",
        "2026年3月1日",
        "下一个五年建成公园30个",
        "开通微信公众号5个",
    ],
)
def test_the_last_line_of_an_article_is_content(last: str) -> None:
    assert article(f"{LONG}<p>{last}</p>")[-1] == last
    assert article(f"{LONG}<p>{last}</p><p>【打印本页】</p>")[-1] == last


def test_names_are_bounded_and_say_so() -> None:
    long = "云岭区报告" * 20_000
    head = f"<title>{long}</title>" + "".join(
        f'<meta name="{name}" content="{long}">' for name in ("ContentSource", "Author", "ColumnName", "SiteIDCode")
    )
    found = read(f"<html><head>{head}</head><body><h1>{long}</h1><div id='zoom'><p>{PARAGRAPHS[3] * 3}</p></div>")
    for value in (found.title, found.publisher, found.author, found.column, found.site_code):
        assert value is not None
        assert len(value) == 300
    assert {w for w in found.warnings if "cut to 300" in w} >= {"title cut to 300 characters"}
    assert len(found.warnings) == 5
    assert not read(page("<div id='zoom'>{text}</div>")).warnings


def test_links_and_files_have_bounded_names_and_addresses() -> None:
    long = "云岭区报告" * 20_000
    found = read(
        f"""<html><body><ul><li><a href="/zwgk/t20260302_118.html">{long}</a></li>
        <li><a href="/zwgk/t20260302_119.html" title="{long}">云岭区报告…</a></li>
        <li><a href="/zwgk/{"a" * 9_000}.html">云岭区政府工作报告</a></li>
        <li><a href="/zwgk/a.pdf">{long}</a></li></ul></body></html>"""
    )
    assert [len(link.text) for link in found.links] == [300, 300]
    assert [len(file.name) for file in found.attachments] == [300]


@pytest.mark.parametrize("base", ["http://[::1", "http://[x]y/", "//["])
def test_a_base_that_is_no_address_is_passed_over(base: str) -> None:
    body = "<p>云岭区今年新增学位七百个。</p><a href=a.pdf>附件一</a>"
    page = f"<html><head><base href='{base}'></head><body>{body}</body>"
    assert clean(page, "http://www.yunling.example/1.html", RULES).paragraphs


def test_an_attribute_whose_name_holds_a_bracket_is_no_tag() -> None:
    inner = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    found = clean(f'<body><div class="b">{inner}全文<span x<div>完。</span></div></body>', ADDRESS, RULES)
    assert list(found.paragraphs) == [*PARAGRAPHS, "全文完。"]


@pytest.mark.parametrize("tag", ["xmp", "plaintext"])
def test_tags_in_a_quotation_of_source_are_text(tag: str) -> None:
    inner = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    found = clean(f"<body><div>{inner}<{tag}>用<b>加粗，用</i>收尾，a > b。</{tag}></div></body>", ADDRESS, RULES)
    assert found.paragraphs[-1].startswith("用<b>加粗，用</i>收尾，a > b。")


def test_a_date_beside_a_link_is_that_of_its_row_only() -> None:
    rows = (
        '<ul><li><a href="/a/1.html">云岭区召开工作会议</a><span>2026-02-03</span></li>'
        '<li><a href="/a/2.html">云岭区召开安全会议</a></li></ul>'
        '<p><b><a href="/a/3.html">云岭区召开调度会议</a></b> (2026-02-05)</p>'
        f'<div><a href="/a/4.html">云岭区召开动员会议</a>2026年。{"长" * 400}</div>'
    )
    found = {link.url[-6:]: link.date for link in clean(f"<body>{rows}</body>", ADDRESS, RULES).links}
    assert found == {"1.html": "2026-02-03", "2.html": None, "3.html": "2026-02-05", "4.html": None}


def test_sizes_are_those_of_what_an_exclusion_leaves() -> None:
    """A date beside a link used to fix the sizes before anything was left out."""
    share = '<div class="share">云岭发布第三期的海报</div>'
    text = '<p>云岭区今天召开会议。</p><a href="/a/1.html">云岭区召开工作会议</a><i>2026-02-03</i>'
    gone = f'<p class="x">{"这一段不要。" * 40}</p>'
    exclude = (".x", "i", "a")
    kept = clean(f'<body><div id="zoom">{text}{share}{gone}</div></body>', ADDRESS, RULES, exclude=exclude)
    plain_page = clean(f'<body><div id="zoom"><p>云岭区今天召开会议。</p>{share}</div></body>', ADDRESS, RULES)
    assert kept.paragraphs == plain_page.paragraphs


@pytest.mark.parametrize(
    ("above", "below", "kept"),
    [
        ("云岭区应急管理局", "来源：办公室　时间：2026-03-02 17:35", False),
        ("云政发〔2026〕3号", "来源：办公室　时间：2026-03-02 17:35", True),
        ("云岭区人民政府文件", "2026年3月2日", True),
        ("今年的目标已经定了，全区各部门要抓好落实。", "来源：办公室　时间：2026-03-02 17:35", True),
    ],
)
def test_what_stands_above_the_title_in_the_text(above: str, below: str, kept: bool) -> None:
    inner = "".join(f"<p>{p}</p>" for p in (above, TITLE, below, *PARAGRAPHS))
    found = clean(f"<title>{TITLE}</title><body><div>{inner}</div></body>", ADDRESS, RULES)
    assert (above in found.paragraphs) is kept
    assert found.paragraphs[-1] == PARAGRAPHS[-1]
