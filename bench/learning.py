"""Noise inside the main text that no rule can know, before and after the site is learned, and true edits among it.

    python bench/learning.py [--pages 30] [--rounds 20] [--seed 7] [--moving]

A site of an invented district on 127.0.0.1: within the element of the article stand titles of other articles at random,
a visitor's number in Chinese numerals, the weather, a slogan that rotates: before, between and behind the paragraphs,
with and without headings, in lists and in plain paragraphs. Every round each page has other noise, and every fifth one
true edit: a number, a sentence, a paragraph added or taken out, half of them right beside the noise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from invented import WHAT

from monitor import config as configuration
from monitor import daemon
from monitor.demo.background import running
from monitor.demo.server import HttpServer, Reply, Request
from monitor.model import Change, Edit
from storage import migrate
from storage.store import Store

PLACES = ["云岭区", "松原新区", "白石县", "清溪镇", "桐柏街道", "临江新城"]
WHO = [
    "各镇街",
    "区发展改革局",
    "区教育局",
    "区水务局",
    "区住房和城乡建设局",
    "各功能区管委会",
    "区卫生健康局",
    "区交通运输局",
]
DOES = ["加快推进", "认真落实", "统筹安排", "持续开展", "扎实做好", "进一步规范", "稳妥实施", "全面启动"]
WHY = [
    "切实方便群众日常生活",
    "有效降低安全风险",
    "为全年工作打下良好基础",
    "让更多居民共享发展成果",
    "着力补齐民生短板",
]
SLOGANS = [
    "不忘初心，牢记使命", "空谈误国，实干兴邦", "人民城市人民建，人民城市为人民", "绿水青山就是金山银山",
    "为人民服务", "请进来，走出去", "一张蓝图绘到底", "撸起袖子加油干", "文明云岭，你我共建", "高质量发展，高品质生活",
    "安全生产，人人有责", "节约用水，从我做起",
]  # fmt: skip
SKY = ["晴", "多云", "小雨", "阴", "雷阵雨", "晴转多云", "多云转阴"]
DIGITS = "零一二三四五六七八九"


def chinese(number: int) -> str:
    """12345 as 一万二千三百四十五."""
    out = ""
    for size, name in ((10_000, "万"), (1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        out += DIGITS[digit] + name if digit else ("" if out.endswith("零") or not out else "零")
    return out.rstrip("零")


def sentence(r: random.Random) -> str:
    number = f"，涉及{r.randint(2, 90)}个村（社区）" if r.random() < 0.4 else ""
    return f"{r.choice(WHO)}要{r.choice(DOES)}{r.choice(WHAT)}{number}，{r.choice(WHY)}。"


def paragraph(r: random.Random) -> str:
    return "".join(sentence(r) for _ in range(r.randint(2, 5)))


@dataclass
class Article:
    """One page: its text, and where its noise stands."""

    number: int
    title: str
    text: list[str]
    places: list[tuple[str, int]]  # (kind, before which paragraph)
    moving: bool = False
    edits: int = 0

    def html(self, r: random.Random) -> str:
        lines = [f"<p>　　{p}</p>" for p in self.text]
        for kind, at in sorted(self.places, key=lambda x: -x[1]):
            lines.insert(min(at, len(lines)), noise(kind, r))
        text = "\n".join(lines)
        return (
            f"<html><head><meta charset='utf-8'><title>{self.title}_云岭区人民政府</title></head><body>"
            f"<div class='nav'><a href='/'>首页</a></div><h1>{self.title}</h1>"
            f"<div>发布时间：2026-02-{1 + self.number % 27:02d} 来源：区政府办公室</div>"
            f"<div id='zoom'>{text}</div><div class='footer'>主办：云岭区人民政府办公室</div></body></html>"
        )

    def edit(self, r: random.Random) -> str:
        """One true edit, in every other case right beside the noise."""
        self.edits += 1
        kind = ["number", "sentence", "added", "gone"][self.edits % 4]
        at = r.randrange(len(self.text))
        if self.edits % 2:
            near = r.choice(self.places)[1]
            at = min(len(self.text) - 1, max(0, near - r.randint(0, 1)))
        if kind == "gone" and len(self.text) > 6:
            del self.text[at]
            self._move(at, -1)
        elif kind in ("added", "gone"):
            self.text.insert(at, f"第{self.edits}次补充：" + paragraph(r))
            self._move(at, 1)
        elif kind == "number":
            self.text[at] = f"今年安排资金{r.randint(100, 999)}万元。" + self.text[at].split("万元。")[-1]
        else:
            self.text[at] += sentence(r)
        return kind

    def _move(self, at: int, by: int) -> None:
        """The noise keeps its neighbours, unless it stands behind the n-th paragraph whatever that is."""
        if not self.moving:
            self.places = [(kind, n + by if at < n < 10_000 else n) for kind, n in self.places]


def noise(kind: str, r: random.Random) -> str:
    """A block that is another one at every request."""
    titles = []
    for _ in range(r.randint(3, 6)):
        name = f"{r.choice(PLACES)}{r.choice(DOES)}{r.choice(WHAT)}工作"
        titles.append(f"<a href='/p/{r.randint(100_000, 999_999)}.html'>{name}</a>")
    if kind == "headed list":
        return f"<p>热门文章</p><ul>{''.join(f'<li>{t}</li>' for t in titles)}</ul>"
    if kind == "plain list":
        return "".join(f"<p>{t}</p>" for t in titles)
    if kind == "visitor":
        return f"<p>您是第{chinese(r.randint(10_001, 99_999))}位访客</p>"
    if kind == "weather":
        low = r.randint(-3, 20)
        wind = f"{r.choice('东南西北')}风{r.randint(1, 5)}级"
        return f"<p>今日天气：{r.choice(SKY)} {low}℃～{low + r.randint(3, 12)}℃ {wind}</p>"
    return f"<p>{r.choice(SLOGANS)}</p>"


LAYOUTS = (
    ("headed list", "end", "visitor", "end"),
    ("slogan", "middle", "weather", "start"),
    ("plain list", "middle", "slogan", "end"),
    ("headed list", "middle", "visitor", "start", "slogan", "end"),
    ("weather", "middle", "plain list", "end", "visitor", "end"),
)


def articles(count: int, seed: int, *, moving: bool) -> list[Article]:
    out = []
    for i in range(count):
        r = random.Random(f"{seed}/{i}")
        place, layout = r.choice(PLACES), LAYOUTS[i % len(LAYOUTS)]
        text = [paragraph(r) for _ in range(r.randint(8, 16))]
        where = {"start": 0, "middle": len(text) // 2, "end": 10_000}
        title = f"{place}2026年政府工作报告" if i % 6 == 5 else f"{place}关于{r.choice(WHAT)}的通知（{i}）"
        out.append(
            Article(i, title, text, [(layout[k], where[layout[k + 1]]) for k in range(0, len(layout), 2)], moving)
        )
    return out


class Site(HttpServer):
    """Serves the articles with other noise at every request."""

    def __init__(self, pages: list[Article], seed: int) -> None:
        super().__init__(self._answer)
        self.pages, self.random = pages, random.Random(seed)

    def _answer(self, request: Request) -> Reply:
        name = request.path.rsplit("/", 1)[1].removesuffix(".html")
        if not name.isdigit() or int(name) >= len(self.pages):
            return Reply(404, b"<html><body>404</body></html>")
        return Reply(200, self.pages[int(name)].html(self.random).encode(), "text/html")


@dataclass
class Round:
    """What one round said against what was true."""

    false: int
    found: int
    edited: int
    clean: int  # of those found, how many show no noise among their edits


def clock(at: datetime) -> Callable[[], datetime]:
    """A clock that stands."""
    return lambda: at


def number(change: Change) -> int:
    """Which page a change is of."""
    return int(change.url.rsplit("/", 1)[1].removesuffix(".html"))


def is_noise(edit: Edit) -> bool:
    """Whether an edit shows a line of the noise."""
    said = edit.old + edit.new
    titles = re.search(f"({'|'.join(PLACES)})({'|'.join(DOES)})({'|'.join(WHAT)})工作", said)
    return bool(titles) or "位访客" in said or "今日天气" in said or any(s in said for s in SLOGANS)


async def rounds(
    folder: Path, count: int, times: int, seed: int, *, moving: bool
) -> tuple[list[Round], list[dict[str, object]]]:
    pages = articles(count, seed, moving=moving)
    site, words = Site(pages, seed), configuration.vocabulary()
    with running(site):
        file, db, now = folder / "sources.yaml", f"sqlite:///{folder / 'bench.db'}", datetime(2026, 3, 1, tzinfo=UTC)
        quick = {"delay": "0s", "respect_robots": False, "confirm": "off"}
        sources = [{"key": f"p{p.number}", "url": f"{site.url}/p/{p.number}.html"} for p in pages]
        whole = {"network": {"allow_private": ["127.0.0.0/8"]}, "defaults": quick, "sources": sources}
        file.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
        config = configuration.load(str(file))
        migrate.upgrade(db, now)
        out = []
        with Store(db) as store:
            for k in range(times):
                r = random.Random(f"{seed}/round/{k}")
                chosen = set(r.sample(range(count), max(1, count // 5))) if k else set()
                for i in chosen:
                    pages[i].edit(r)
                now += timedelta(hours=6)
                async with daemon.engine(store, config, words, {}, now=clock(now)) as made:
                    todo = daemon.pages_to_check(store, config, None, now, everything=True)
                    done = await daemon.one_pass(made, todo, deliver=False)
                told = {number(c) for c in done.changes}
                clean = sum(number(c) in chosen and not any(map(is_noise, c.edits)) for c in done.changes)
                out.append(Round(len(told - chosen), len(told & chosen), len(chosen), clean))
            rules = [{"id": n.id, "kind": n.kind, "page": n.page, "pages": n.pages, "example": n.example,
                      "state": n.state} for n in store.noise()]  # fmt: skip
    return out, rules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--moving", action="store_true", help="noise behind the n-th paragraph, whatever that is")
    parser.add_argument("--rules", action="store_true", help="list what was learned")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, rules = asyncio.run(rounds(Path(folder), asked.pages, asked.rounds, asked.seed, moving=asked.moving))
    for k, one in enumerate(found):
        print(f"round {k:2}  false {one.false:3}  true {one.found}/{one.edited}  clean {one.clean}")
    if asked.rules:
        for rule in rules:
            print(json.dumps(rule, ensure_ascii=False))
    half = len(found) // 2
    late = found[half:]
    told = sum(o.found for o in late), sum(o.edited for o in late), sum(o.clean for o in late)
    false = sum(o.false for o in found[:half]), sum(o.false for o in late)
    print(f"first half: {false[0]} false events, {len(rules)} rules learned")
    print(
        f"second half: {false[1]} false, {told[0]} of {told[1]} true edits found, {told[2]} with no noise beside them"
    )
    sys.exit(asked.moving is False and (false[1] > 0 or told[0] < told[1]))


if __name__ == "__main__":
    main()
