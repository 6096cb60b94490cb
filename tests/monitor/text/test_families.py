"""Pages in the manner of the content systems in use, written by us: their text, title, date and kind.

A case of tests/data/text/pages/*.yaml is a template; the words come from content.yaml. In it `{{title}}` is the title,
 `{{p}} {{br}} {{div}} {{section}} {{span}} {{spanbr}} {{word}}` the body in that mark-up, `{{nav}} {{li}} {{tr}} …`
rows of links. `text` is expected instead of the body; `+…` after it, `~…` before it. `kinds`: any of these.
`named`: the names of elements are what tells the text.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from rapidfuzz.distance import LCSseq

from monitor.config import vocabulary
from monitor.model import Document, Fetch
from monitor.text.capture import judge
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
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[A-Za-z0-9]+")
CHROME = re.compile(
    "ICP备|公网安备|网站标识码|版权所有|主办单位|打印本页|关闭窗口|当前位置|扫一扫|分享到|字体：|上一篇|下一篇|相关阅读|责任编辑"
)


def _each(row: str) -> str:
    return "\n".join(
        row.format(i=i, d=f"{1 + i:02d}", t=t, s=CONTENT["summary"]) for i, t in enumerate(CONTENT["rows"])
    )


def _cells(row: list[str]) -> str:
    return "<tr>" + "".join(f"<td><p>{cell}</p></td>" for cell in row) + "</tr>"


SNIPPETS = {name: _each(row) for name, row in CONTENT["lists"].items()} | {
    "nav": "".join(f'<li><a href="/c{i}/">{n}</a></li>' for i, n in enumerate(CONTENT["nav"])),
    "navtd": "".join(f'<td><a href="/c{i}/">{n}</a></td>' for i, n in enumerate(CONTENT["nav"])),
    "menu": "".join(f'<li><a href="/m{i}/">{n}</a></li>' for i, n in enumerate(CONTENT["menu"])),
    "issues": "".join(f'<a href="/gb/2026{i:02d}/">2026年第{i}期（总第{300 + i}号）</a><br>' for i in range(1, 12)),
    "foot": CONTENT["foot"],
    "figures": "\n".join(map(_cells, CONTENT["figures"])),
}
SNIPPETS["li3"] = "\n".join(SNIPPETS["li"].split("\n")[:3])
FIGURES = "\n".join(map("\t".join, CONTENT["figures"]))


def _word(line: str) -> str:
    """As word processors paste it: figures and letters in spans of their own."""
    spans = re.sub(r"\d", lambda m: f'<span lang="EN-US" style="font-family:仿宋">{m[0]}</span>', line)
    return f'<p class="MsoNormal" style="text-indent:32pt"><span style="font-family:仿宋">{spans}<o:p></o:p></span></p>'


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _bodies(lines: list[str]) -> dict[str, str]:
    return {
        "p": "\n".join(f"<p>　　{line}</p>" for line in lines),
        "br": "<br>\n".join(f"　　{line}" for line in lines),
        "div": "\n".join(f"<div>&nbsp;&nbsp;{line}</div>" for line in lines),
        "section": "".join(f"<section><section><p><span>{line}</span></p></section></section>" for line in lines),
        "spanbr": "".join(f"<span>　　{line}</span><br/><br/>" for line in lines),
        "span": "".join(f'<span style="display:block">{line}</span>' for line in lines),
        "word": "".join(map(_word, lines)),
        "pdivs": "".join(f'<div dir="ltr" class="bbc-19j92fr"><p>{line}</p></div>' for line in lines),
        "baijia": "".join(f'<div class="dpu8C"><p><span class="bjh-p">{line}</span></p></div>' for line in lines),
        "rowcells": "".join(f"<tr><td>　　{line}</td></tr>" for line in lines),
        "lines": "\n".join(lines),
        "jsonp": _in_json("".join(f"<p>{line}</p>" for line in lines)).replace("</", "<\\/"),
        "jsonlines": _in_json("\n".join(lines)),
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
        given = given.replace("{{figures}}", FIGURES)
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
    fetch = Fetch("http://a.example/1.html", datetime(2026, 3, 1, tzinfo=UTC), status=200, body=page(case)[0])
    assert judge(fetch, decode(fetch.body).text, found, RULES) is None


NAMELESS = [n for n, case in PAGES.items() if case.get("kind", "article") == "article" and not case.get("named")]


@pytest.mark.parametrize("name", NAMELESS)
def test_the_vote_finds_the_text_without_names_of_content_systems(name: str) -> None:
    body, expected = page(PAGES[name])
    names = re.compile(r"""\s(?:id|class)\s*=\s*("[^"]*"|'[^']*')""")
    found = clean(names.sub("", decode(body).text), None, replace(RULES, containers=()))
    assert f1(expected, found.text) >= 0.95, found.explain


@pytest.mark.parametrize("name", [n for n, case in PAGES.items() if case.get("kind", "article") != "article"])
def test_pages_without_an_article(name: str) -> None:
    case, found = PAGES[name], read(PAGES[name])
    assert found.kind in case.get("kinds", [case["kind"]]), found.explain
    assert len(TOKEN.findall(found.text)) <= 50
    if "title" in case:
        assert (found.title, found.published) == (case["title"], case["date"])
