from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import FAILURE_WORDS, Document, Failure, Fetch
from monitor.text.capture import collapsed, is_cut, judge, visible
from monitor.text.clean import clean
from monitor.text.decode import decode

RULES = vocabulary().text
CASES = yaml.safe_load((Path(__file__).parents[2] / "data/text/capture.yaml").read_text(encoding="utf-8"))
WORDED = yaml.safe_load((Path(__file__).parents[2] / "data/text/worded.yaml").read_text(encoding="utf-8"))
VISITORS = yaml.safe_load((Path(__file__).parents[2] / "data/text/visitors.yaml").read_text(encoding="utf-8"))
ADDRESS = "http://yunling.example/zwgk/bg.html"
PARAGRAPHS = [
    f"第{n}项工作：到2026年底，云岭区新增企业{n}家，网站维护升级中的栏目{n}个，删除不存在的页面{n * 3}个。"
    for n in range(30)
]


def page(title: str, paragraphs: list[str]) -> str:
    body = "".join(f"<p>{p}</p>" for p in paragraphs)
    head = f"<head><title>{title}</title></head>"
    return f"<html>{head}<body><h1>{title}</h1><div id='zoom'>{body}</div></body></html>"


def answer(case: dict[str, Any]) -> tuple[Fetch, str, Document]:
    html = page(case.get("title", "云岭区政府工作报告"), PARAGRAPHS if case.get("article") else [])
    if "script" in case:
        html = f"<html><head><script>{case['script']}</script></head><body></body></html>"
    html = case.get("body", html)
    final = case.get("final", ADDRESS)
    fetch = Fetch(
        url=ADDRESS,
        at=datetime(2026, 3, 1, tzinfo=UTC),
        final_url=final,
        status=case["status"],
        headers={"content-type": case.get("type", "text/html; charset=utf-8")},
        body=html.encode(),
    )
    text = decode(fetch.body, fetch.content_type).text
    return fetch, text, clean(text, final, RULES)


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_answers(case: dict[str, Any]) -> None:
    found = judge(*answer(case), RULES)
    assert (found.error if found else None) == case["word"]
    assert found is None or (found.error in FAILURE_WORDS and found.detail and found.status == case["status"])


@pytest.mark.parametrize("case", WORDED, ids=[c["name"] for c in WORDED])
def test_answers_as_they_are_worded(case: dict[str, Any]) -> None:
    headers = {"content-type": "text/html; charset=utf-8", **case.get("headers", {})}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    fetch = Fetch(ADDRESS, at, ADDRESS, status=case.get("status", 200), headers=headers, body=case["html"].encode())
    found = judge(fetch, case["html"], clean(case["html"], ADDRESS, RULES), RULES)
    wanted = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
    assert (found.error if found else None) in wanted, found


SITE = "云岭区人民政府"
CHROME = "".join(
    f'<li><a href="/{n}/">{name}</a></li>' for n, name in enumerate(("首页", "政务公开", "办事服务", "走进云岭"))
)


def looked_at(case: dict[str, str], *, inside: bool) -> str | None:
    """The failure of a short page, bare or within a site's chrome, at the address of a document of January."""
    name, text = case["title"], case["html"]
    body = f"<div><h2>{name}</h2>{text}</div>"
    if inside:
        foot = f"<div class='footer'><p>主办：{SITE}办公室 网站标识码：9900000000</p></div>"
        body = f"<div class='header'><ul>{CHROME}</ul></div><div class='main'><h3>{name}</h3>{text}</div>{foot}"
    html = f"<!DOCTYPE html><html><head><title>{SITE if inside else name}</title></head><body>{body}</body></html>"
    url = "http://yunling.example/zwgk/202601/t20260108_3.html"
    at = datetime(2026, 3, 1, tzinfo=UTC)
    fetch = Fetch(url, at, url, status=200, headers={"content-type": "text/html"}, body=html.encode())
    found = judge(fetch, html, clean(html, url, RULES), RULES)
    return found.error if found else None


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("case", VISITORS["refused"], ids=lambda c: c["title"])
def test_a_word_to_the_visitor_is_no_document_though_its_address_has_a_day(case: dict[str, str], inside: bool) -> None:
    assert looked_at(case, inside=inside) is not None


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("case", VISITORS["read"], ids=lambda c: c["title"])
def test_a_short_document_without_a_day_is_one(case: dict[str, str], inside: bool) -> None:
    assert looked_at(case, inside=inside) is None


def test_a_few_words_at_a_dated_address_do_not_take_the_place_of_a_text() -> None:
    url = "http://yunling.example/zwgk/202601/t20260108_3.html"
    old = Document(url=url, title="云岭区道路养护情况", published="2026-01-08", paragraphs=tuple(PARAGRAPHS[:4]))
    new = Document(url=url, title="提示", published="2026-01-08", paragraphs=("内容整理完毕之后开放。",))
    found = collapsed(old, new)
    assert found is not None
    assert found.error == "wrong_document"


def test_the_failure_of_the_fetch_itself_wins() -> None:
    failed = Failure("timeout", "after 60 s")
    fetch = Fetch(url=ADDRESS, at=datetime(2026, 3, 1, tzinfo=UTC), failure=failed)
    assert judge(fetch, None, None, RULES) is failed


def test_a_lossy_decode_is_named() -> None:
    fetch, html, document = answer({"status": 200, "article": True})
    damaged = html.replace("区", "\ufffd")
    found = judge(fetch, damaged, clean(damaged, ADDRESS, RULES), RULES)
    assert found is not None and found.error == "lossy_decode"
    assert judge(fetch, html.replace("第7项", "第\ufffd项"), document, RULES) is None


def test_a_selector_that_finds_nothing_is_a_failure_and_never_a_change() -> None:
    fetch, html, _ = answer({"status": 200, "article": True})
    document = clean(html, ADDRESS, RULES, selector="#gone")
    found = judge(fetch, html, document, RULES)
    assert found is not None and "nothing matches #gone" in found.detail


def read(paragraphs: list[str], title: str = "云岭区政府工作报告") -> Document:
    return Document(title=title, paragraphs=tuple(paragraphs))


def test_a_page_that_ends_inside_a_sentence_is_truncated() -> None:
    fetch, html, _ = answer({"status": 200, "article": True})
    half = html[: len(html) // 2].rstrip(">")
    found = judge(fetch, half, clean(half, ADDRESS, RULES), RULES)
    assert found is not None and found.error == "truncated"


@pytest.mark.parametrize(
    ("new", "word"),
    [
        (PARAGRAPHS, None),
        (PARAGRAPHS[:-1], None),
        (PARAGRAPHS[:15], None),
        (PARAGRAPHS[:4], None),
        ([*PARAGRAPHS, "新的一段。"], None),
        ([p.replace("新增企业", "培育市场主体") for p in PARAGRAPHS], None),
        ([], "collapsed"),
        (["页面加载失败，请刷新重试。"], "collapsed"),
        (["欢迎来到云岭区人民政府门户网站。"], "collapsed"),
    ],
)
def test_collapse(new: list[str], word: str | None) -> None:
    found = collapsed(read(PARAGRAPHS), read(new))
    assert (found.error if found else None) == word


def test_another_document_at_the_same_address() -> None:
    other = [f"球队第{n}场比赛以{n}比零取胜，观众很满意，赛后球员与球迷合影留念。" for n in range(40)]
    found = collapsed(read(PARAGRAPHS), read(other, "松原队夺冠"))
    assert found is not None and found.error == "wrong_document"
    assert collapsed(read(PARAGRAPHS), read(other)) is None  # its title says that it was rewritten


def test_another_document_at_the_address_of_a_short_one() -> None:
    short = ["新区管委会召开会议，研究老旧小区改造和停车泊位建设，要求各街道按月报送进度，年底前全部完工。" * 4]
    other = ["市女子篮球队昨晚客场以三分优势取胜，主教练赛后表示，球队上半场防守出色，下一场将回到主场迎战对手。" * 4]
    found = collapsed(read(short), read(other, "篮球队客场取胜"))
    assert found is not None
    assert found.error == "wrong_document"


def test_a_few_words_in_place_of_a_short_text() -> None:
    found = collapsed(read(PARAGRAPHS[:4]), read(["云端数据走神了。"], "提示"))
    assert found is not None and found.error == "wrong_document"
    assert collapsed(read(PARAGRAPHS[:4]), read([PARAGRAPHS[2]], "提示")) is None


def test_a_short_notice_may_change_wholly() -> None:
    assert collapsed(read(["明天停水。"]), read(["今天供电恢复。"], "通知")) is None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>云岭区</p><p>报告</p>", "云岭区报告"),
        ("a<script>x<b>y</script>b<STYLE >.c{}</style >d", "a b d"),
        ("a<!-- b > c -->d", "a d"),
        ("a<!-->b", "a b"),
        ("a<!-- b <i>c</i>", "a c"),  # never closed: what a tag may hide, no more
        ("a<script src=x>b", "a b"),
        ("a<script>b<style>c</style>d", "a b d"),
        ("a<scripts>b</scripts>c", "a b c"),
        ("a < b", "a < b"),
        ("a<b c", "a<b c"),
        ("甲&nbsp; 乙", "甲乙"),
    ],
)
def test_what_a_reader_would_see(html: str, text: str) -> None:
    assert visible(html) == text


def test_of_a_long_page_the_beginning_is_enough() -> None:
    html = "<p>云岭区</p>\n" * 5_000
    assert visible(html) == "云岭区" * 5_000
    found = visible(html, 460)
    assert 460 < len(found) < 1_000
    assert visible(html).startswith(found)


@pytest.mark.parametrize(
    ("html", "cut"),
    [
        ("<body><p>全区生产总值", True),
        ("<BODY class=x>全区生产总值 \n", True),
        ("<body>全区生产总值。", False),
        ("<body>全区生产总值<p>", False),
        ("<body>全区生产总值</body >\n尾", False),
        ("<body>全区</body><body>生产总值", True),
        ("<bodyguard>全区生产总值", False),
        ("全区生产总值", False),
        ("<body", False),
        ("", False),
    ],
)
def test_a_page_that_ends_in_the_middle(html: str, cut: bool) -> None:
    assert is_cut(html) is cut


def test_the_title_of_a_page_without_text_says_what_is_wrong() -> None:
    for title in ("<title>访问被WAF拦截</title>", "<TITLE lang=zh>\n访问被WAF拦截</Title>"):
        fetch, html, document = answer({"status": 403, "body": f"<html><head>{title}</head><body></body></html>"})
        found = judge(fetch, html, document, RULES)
        assert found is not None
        assert found.error == "blocked_waf"
