"""Pages in the manner of the content systems in use, written by us: their text, title, date and kind.

A case of tests/data/text/pages/*.yaml is a template; the words come from content.yaml. In a template `{{title}}` is the
title, `{{p}} {{br}} {{div}} {{section}} {{span}} {{spanbr}} {{word}}` the body in that mark-up, `{{nav}} {{li}} {{tr}} …`
rows of links. `text` is expected instead of the body; `+…` after it, `~…` before it. `kinds`: any of these.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rapidfuzz.distance import LCSseq

from monitor.config import vocabulary
from monitor.model import Document
from monitor.text.clean import clean
from monitor.text.decode import decode

FOLDER = Path(__file__).parents[2] / "data/text/pages"
CONTENT = yaml.safe_load((FOLDER / "content.yaml").read_text(encoding="utf-8"))
PAGES = {
    case["name"]: case
    for file in sorted(FOLDER.glob("*.yaml"))
    if file.name != "content.yaml"
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
}
RULES = vocabulary().text
ROWS = CONTENT["rows"]
NAV = ("首页", "走进云岭", "政务公开", "办事服务", "互动交流", "数据开放")
MENU = ("政府信息公开指南", "政府信息公开制度", "法定主动公开内容", "政府信息公开年报", "依申请公开", "公开目录")
SUMMARY = "会议强调，要坚持问题导向，压实工作责任，确保各项任务按期完成。会议还研究了其他事项…"
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[A-Za-z0-9]+")
CHROME = re.compile(
    "ICP备|公网安备|网站标识码|版权所有|主办单位|打印本页|关闭窗口|当前位置|扫一扫|分享到|字体：|上一篇|下一篇|相关阅读|责任编辑"
)
FOOT = (
    '<div class="link"><span>友情链接：</span><a href="http://a.example/">云岭省人民政府</a><a href="http://b.example/">云岭日报</a></div>'
    '<div class="foot"><p>主办单位：云岭市人民政府办公室　承办单位：云岭市数据局　联系电话：0000-12345678</p><p>网站标识码：5399000001 '
    "<a>云ICP备05001234号-1</a> 云公网安备53990002000001号</p><p>版权所有 © 云岭市人民政府 建议使用1366*768分辨率浏览</p></div>"
)


def _each(row: str) -> str:
    return "\n".join(row.format(i=i, d=f"{1 + i:02d}", t=t, s=SUMMARY) for i, t in enumerate(ROWS))


def _figures(row: Callable[[list[str]], str]) -> str:
    head = [["县区", "规上工业增加值增速（%）", "固定资产投资增速（%）", "社会消费品零售总额（亿元）"]]
    places = ("青禾县", "望川区", "海棠市", "石坪镇", "白鹭洲新区", "顺意区", "临溪县", "桃源新城", "南岗区", "北屯县")
    return "\n".join(map(row, head + [[p, f"{7 + i / 10}", f"{6 + i / 5:.1f}", f"{80 + 3 * i}.{i}"] for i, p in enumerate(places)]))


SNIPPETS = {
    "nav": "".join(f'<li><a href="/c{i}/">{n}</a></li>' for i, n in enumerate(NAV)),
    "navtd": "".join(f'<td><a href="/c{i}/">{n}</a></td>' for i, n in enumerate(NAV)),
    "menu": "".join(f'<li><a href="/m{i}/">{n}</a></li>' for i, n in enumerate(MENU)),
    "foot": FOOT,
    "li": _each('<li><a href="./202602/t202602{d}_{i}.html" title="{t}">{t}</a><span>2026-02-{d}</span></li>'),
    "tr": _each('<tr><td>·<a href="show.asp?id={i}">{t}</a></td><td>[2026-02-{d}]</td></tr>'),
    "dl": _each('<dl><dt><a href="/art/2026/2/{d}/art_1_{i}.html">{t}</a></dt><dd>2026-02-{d}</dd></dl>'),
    "links": _each('<a href="content_{i}.htm">{t}</a>'),
    "linedates": _each('<a href="/info/1/{i}.htm">{t}</a> 2026/02/{d}<br>'),
    "cards": _each('<div class="item"><h3><a href="/p/{i}.html">{t}</a></h3><p>{s}</p><span>2026-02-{d}</span></div>'),
    "cards2": _each('<div class="c"><div class="ct"><a href="/p/{i}.html">{t}</a></div><div class="cs">{s}</div><div>02-{d}</div></div>'),
    "cards3": _each('<div class="r1"><a class="x" href="/p/{i}.html">{t}</a><div>{s}<em>停车场</em>{s}</div><p>来源：云岭市政府 2026-02-{d} /p/{i}.html</p></div>'),
    "records": _each('<record><![CDATA[<li><a href="/art/{i}.html">{t}</a><span>2026-02-{d}</span></li>]]></record>'),
    "letters": _each('<tr><td>2026{d}{i}</td><td><a href="/letter?id={i}">{t}</a></td><td>市政府办公室</td><td>已答复</td><td>2026-02-{d}</td></tr>'),
    "files": _each('<tr><td>{i}</td><td><a href="/f/{i}.html">{t}</a></td><td>云政发〔2026〕{i}号</td><td>2026-02-{d}</td></tr>'),
    "imgcards": _each('<div class="g1"><a href="/tp/{i}.html"><img src="{i}.jpg"></a><p><a href="/tp/{i}.html">{t}</a></p><em>2026-02-{d}</em></div>'),
    "rolling": _each('<p><span>[要闻]</span> <a href="/2026/02/{d}/{i}.shtml">{t}</a> <i>02-{d} 10:{d}</i></p>'),
    "library": _each('<div class="one"><a href="/zc/{i}.html">{t}</a><p>发文字号：云政发〔2026〕{i}号　成文日期：2026-02-{d}　发布机构：云岭市人民政府</p><p>{s}</p></div>'),
    "figures": _figures(lambda cells: "<tr>" + "".join(f"<td><p>{c}</p></td>" for c in cells) + "</tr>"),
}  # fmt: skip
SNIPPETS["li3"] = "\n".join(SNIPPETS["li"].split("\n")[:3])


def _word(line: str) -> str:
    """As word processors paste it: figures and letters in spans of their own."""
    spans = re.sub(r"\d", lambda m: f'<span lang="EN-US" style="font-family:仿宋">{m[0]}</span>', line)
    return f'<p class="MsoNormal" style="text-indent:32pt"><span style="font-family:仿宋">{spans}<o:p></o:p></span></p>'


def _bodies(lines: list[str]) -> dict[str, str]:
    return {
        "p": "\n".join(f"<p>　　{line}</p>" for line in lines),
        "br": "<br>\n".join(f"　　{line}" for line in lines),
        "div": "\n".join(f"<div>&nbsp;&nbsp;{line}</div>" for line in lines),
        "section": "<section>" + "".join(f"<section><p><span>{line}</span></p></section>" for line in lines) + "</section>",
        "spanbr": "".join(f"<span>　　{line}</span><br/><br/>" for line in lines),
        "span": "".join(f'<span style="display:block">{line}</span>' for line in lines),
        "word": "".join(map(_word, lines)),
        "lines": "\n".join(lines),
        "ads": '<div class="ad300">广告</div>'.join(f"<p>{line}</p>" for line in lines),
    }  # fmt: skip


def page(case: dict[str, Any]) -> tuple[bytes, str]:
    """(bytes of the page, expected text)."""
    lines = CONTENT["bodies"].get(case.get("body"), []) * case.get("repeat", 1)
    if case.get("repeat"):
        lines = [f"{k}.{line}" for k, line in enumerate(lines)]
    known = {**SNIPPETS, **_bodies(lines), "title": case.get("title", "")}
    html = re.sub(r"\{\{(\w+)\}\}", lambda m: known[m[1]], case["html"])
    expected = "\n".join(lines)
    given = case.get("text")
    if given is not None:
        given = given.replace("{{figures}}", _figures("\t".join))
        expected = {"+": f"{expected}\n{given[1:]}", "~": f"{given[1:]}\n{expected}"}.get(given[:1], given)
    return html.encode(case.get("encoding", "utf-8")), expected


def read(case: dict[str, Any]) -> Document:
    return clean(decode(page(case)[0]).text, None, RULES)


def f1(expected: str, found: str) -> float:
    """Of the longest common subsequence of characters and words."""
    gold, got = TOKEN.findall(expected), TOKEN.findall(found)
    return 2 * LCSseq.similarity(gold, got) / max(1, len(gold) + len(got))


@pytest.mark.parametrize("name", [n for n, case in PAGES.items() if case.get("kind", "article") == "article"])
def test_articles(name: str) -> None:
    case, found = PAGES[name], read(PAGES[name])
    expected = page(case)[1]
    assert (found.kind, found.title, found.published) == ("article", case["title"], case["date"])
    assert f1(expected, found.text) >= 0.97, found.explain
    assert not set(CHROME.findall(found.text)) - set(CHROME.findall(expected))
    if "source" in case:
        assert found.publisher == case["source"]


@pytest.mark.parametrize("name", [n for n, case in PAGES.items() if case.get("kind", "article") != "article"])
def test_pages_without_an_article(name: str) -> None:
    case, found = PAGES[name], read(PAGES[name])
    assert found.kind in case.get("kinds", [case["kind"]]), found.explain
    assert len(TOKEN.findall(found.text)) <= 50
    if "title" in case:
        assert (found.title, found.published) == (case["title"], case["date"])
