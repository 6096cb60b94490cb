"""Pages composed at random, so that no rule can know them: frames, names, order of the parts and mark-up all vary.

Class names are random letters. What stands around the article is what templates print: navigation, lists of other
articles, readers' comments, buttons, a foot. The seeds are fixed, so a failure is repeatable.
"""

import random
import re
from pathlib import Path

import pytest
import yaml
from rapidfuzz.distance import LCSseq

from monitor.config import vocabulary
from monitor.text.clean import clean

RULES = vocabulary().text
CONTENT = yaml.safe_load((Path(__file__).parents[2] / "data/text/pages/content.yaml").read_text(encoding="utf-8"))
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[A-Za-z0-9]+")
LEAK = re.compile(
    "ICP备|公网安备|版权所有|主办单位|打印本页|关闭窗口|当前位置|分享到|上一篇|下一篇|相关阅读|责任编辑|网友评论"
)
TITLES = {
    "report": "松原新区2026年政府工作报告",
    "news": "青禾县召开一季度重点项目推进会",
    "notice": "关于做好2026年春季防火工作的通知",
    "speech": "一碗热饭里的民生答卷",
    "policy": "松原新区公共停车场管理办法",
    "gazette": "松原新区2026年一季度经济运行情况",
}
SEEDS = range(120)


class Composer:
    """One page for each seed."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.body = self.r.choice(list(TITLES))
        self.title, self.lines = TITLES[self.body], list(CONTENT["bodies"][self.body])
        self.day = f"2026-0{self.r.randint(1, 9)}-{self.r.randint(10, 28)}"

    def name(self) -> str:
        word = "".join(self.r.choice("bcdfghjklmnpqrstvwxyz") for _ in range(self.r.randint(2, 6)))
        return self.r.choice([f' class="{word}"', f' id="{word}"', "", f' class="{word} {word}x" data-v-{word}=""'])

    def box(self, inner: str) -> str:
        """`inner` in one of the frames that templates use."""
        frame = self.r.choice(["div", "div", "div", "section", "table", "center", "two"])
        if frame == "table":
            return f"<table{self.name()} width=100%><tr><td{self.name()}>{inner}</td></tr></table>"
        if frame == "two":
            return f"<div{self.name()}><div{self.name()}>{inner}</div></div>"
        return f"<{frame}{self.name()}>{inner}</{frame}>"

    def text(self) -> str:
        how = self.r.choice(["p", "p", "br", "brbr", "div", "span", "word", "section", "font"])
        lines = self.lines
        if how == "p":
            return "".join(f"<p>　　{x}</p>\n" for x in lines)
        if how in {"br", "brbr"}:
            return ("<br>" * len(how[::2])).join(f"　　{x}" for x in lines)
        if how == "span":
            return "".join(f'<span style="display:block">{x}</span>' for x in lines)
        if how == "word":
            parts = (re.sub(r"\d", lambda m: f"<span lang=EN-US>{m[0]}</span>", x) for x in lines)
            return "".join(
                f'<p class="MsoNormal"><span style="font-size:16pt">{x}<o:p></o:p></span></p>' for x in parts
            )
        if how == "section":
            return "".join(f"<section><section><p><span>{x}</span></p></section></section>" for x in lines)
        if how == "font":
            return "<font size=3>" + "<p></p>".join(f"&nbsp;&nbsp;&nbsp;&nbsp;{x}" for x in lines) + "</font>"
        return "".join(f"<div>{x}</div>" for x in lines)

    def links(self, least: int, most: int) -> str:
        rows = self.r.sample(CONTENT["rows"], self.r.randint(least, most))
        shown = self.r.choice(ROWS)
        return f"<ul>{''.join(shown.format(i=i % 10, t=t) for i, t in enumerate(rows))}</ul>"

    def nav(self) -> str:
        return self.box("".join(f"<li><a href='/c{i}/'>{n}</a></li>" for i, n in enumerate(CONTENT["nav"])))

    def article(self) -> str:
        heading = self.r.choice(["<h1>{}</h1>", "<h2>{}</h2>", "<div{n}>{}</div>", "<p align=center><b>{}</b></p>"])
        day = self.r.choice([self.day, self.day.replace("-", "年", 1).replace("-", "月") + "日", self.day + " 09:30"])
        info = self.r.choice(
            [
                "发布时间：{d}",
                "发布时间：{d}　来源：松原发布",
                "{d}",
                "日期：{d} 浏览次数：{n}",
                "{d} 来源：松原发布 【字体：大 中 小】",
            ]
        )
        head = (
            heading.format(self.title, n=self.name())
            + f"<div{self.name()}>{info.format(d=day, n=self.r.randint(1, 999))}</div>"
        )
        text = self.text()
        if self.r.random() < 0.7:
            text = self.box(text)
        neighbour = f"上一篇：<a href='/n/1.html'>{CONTENT['rows'][0]}</a></div><div>下一篇：没有了</div>"
        shared = "分享到：<a>微信</a> <a>微博</a></div>"
        plain = ["", "<p>【打印本页】【关闭窗口】</p>", "<p>（责任编辑：王明）</p>"]
        tail = self.r.choice([*plain, f"<div{self.name()}>{shared}", f"<div{self.name()}>{neighbour}"])
        return head + text + tail

    def page(self) -> str:
        around = [self.nav()]
        where = self.r.choice(["", "当前位置：<a>首页</a> &gt; <a>要闻</a> &gt; 正文", "<a>首页</a> / <a>要闻</a>"])
        main = self.box(self.article()) if self.r.random() < 0.8 else self.article()
        beside = [self.box(f"<h3>{self.r.choice(BOXES)}</h3>" + self.links(3, 12)) for _ in range(self.r.randint(0, 3))]
        if self.r.random() < 0.2:
            beside.append(self.box("<h4>网友评论</h4>" + "".join(f"<div{self.name()}>{c}</div>" for c in COMMENTS)))
        before = [b for b in beside if self.r.random() < 0.3]
        after = [b for b in beside if b not in before]
        middle = (
            self.box("".join([*before, main, *after])) if self.r.random() < 0.6 else "".join([*before, main, *after])
        )
        site = self.r.choice(["_松原新区管委会", " - 松原新区", "", "|松原新区官网|松原"])
        body = "".join([*around, f"<div{self.name()}>{where}</div>", middle, FOOT])
        head = f"<meta charset=utf-8><title>{self.title}{site}</title>"
        return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


ROWS = [
    "<li><a href='/n/{i}.html'>{t}</a></li>",
    "<li><a href='/n/{i}.html'>{t}</a><span>2026-02-1{i}</span></li>",
    "<p>· <a href='/n/{i}.html'>{t}</a></p>",
    "<a href='/n/{i}.html'>{t}</a><br>",
]
BOXES = ["热点", "相关阅读", "最新要闻", "通知公告"]
COMMENTS = ["写得真好，希望多报道一些这样的事情，我们都支持！", "请问什么时候能轮到我们小区？已经等了很久了。"]
FOOT = (
    "<div><p>主办单位：松原新区管委会办公室　承办单位：新区数据局</p><p>网站标识码：5399000002 云ICP备05001234号</p>"
    "<p>版权所有 © 松原新区 建议使用1366*768分辨率浏览</p></div>"
)


def score(seed: int) -> tuple[float, bool, bool, bool, bool]:
    """(F1, kind, title and day right, no leak)."""
    made = Composer(seed)
    found = clean(made.page(), None, RULES)
    gold, got = TOKEN.findall("\n".join(made.lines)), TOKEN.findall(found.text)
    f1 = 2 * LCSseq.similarity(gold, got) / max(1, len(gold) + len(got))
    return (
        f1,
        found.kind == "article",
        found.title == made.title,
        found.published == made.day,
        not LEAK.search(found.text),
    )


def test_composed_pages() -> None:
    rows = [score(seed) for seed in SEEDS]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    assert mean[0] >= 0.985, mean
    assert mean[1] == 1, mean
    assert min(mean[2:4]) >= 0.95, mean
    assert mean[4] >= 0.96, mean


@pytest.mark.parametrize("seed", SEEDS[::12])
def test_no_page_loses_its_text(seed: int) -> None:
    assert score(seed)[0] >= 0.9
