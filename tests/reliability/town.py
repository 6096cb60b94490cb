"""A site of invented districts for the long tests: kept-alive connections, pages that stay, drift, change and fail.

It answers on every loopback address, so that one listener is many hosts. How a page behaves follows from its number
and a `Manner`; an edit is a real one, a target raised or a sentence put otherwise.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.demo.server import Listener

PLACES = ("云岭", "松原新", "河湾", "石桥", "东渡", "南屏", "北塘", "新桥")
VERBS = ("推进", "完善", "加强", "落实", "深化", "优化", "提升", "扩大")
THINGS = ("老旧小区改造", "产业园区建设", "社区养老服务", "城市绿道", "河道整治", "学前教育", "公共交通", "数字政务")
FIRST_DOCUMENT = 1000


def loopback(number: int) -> str:
    """One address for each host: 127.1.0.1 and on."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


@dataclass(frozen=True, slots=True)
class Manner:
    """How one page behaves. `edits` is the chance that it is another text at the next request."""

    edits: float = 0.0
    drifts: bool = False  # clock, counter and links beside the text differ every time
    marked: bool = False  # ETag, honoured
    status: int = 200
    latency: float = 0.0  # seconds


@dataclass
class Town(Listener):
    """The site. `heard` is told of every request, before its answer; `asked` keeps when each page was asked for."""

    manner: Callable[[int], Manner] = lambda number: Manner(edits=1.0)
    heard: Callable[[int], None] = lambda number: None
    seed: int = 7
    paragraphs: int = 12
    published: int = 0  # documents of the column at /news/, numbered from FIRST_DOCUMENT
    asked: dict[int, list[float]] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)  # page -> which text it shows

    def __post_init__(self) -> None:
        super().__init__("0.0.0.0")
        self._dice = random.Random(self.seed)
        self._talks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """A kept-alive connection does not end by itself."""
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await super().stop()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.ensure_future(self._answering(reader, writer))
        self._talks.add(this)
        try:
            await this
        except asyncio.CancelledError:
            if not this.cancelled():
                raise
        finally:
            self._talks.discard(this)

    async def _answering(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1")
            digits = path.rpartition("/")[2].partition(".")[0]
            if not digits.isdecimal():
                writer.write(_reply("200 OK", self._column()) if path == "/news/" else _reply("404 Not Found", b""))
                continue
            number = int(digits)
            self.asked.setdefault(number, []).append(time.monotonic())
            self.heard(number)
            manner = self.manner(number)
            if manner.latency:
                await asyncio.sleep(manner.latency)
            writer.write(self._answer(number, manner, head.lower()))
            await writer.drain()

    def _answer(self, number: int, manner: Manner, head: bytes) -> bytes:
        if manner.status != 200:
            return _reply(f"{manner.status} Trouble", b"oops")
        if self._dice.random() < manner.edits:
            self.turns[number] = self.turns.get(number, 0) + 1
        turn, more = self.turns.get(number, 0), ""
        if manner.marked:
            mark = f'"{number}-{turn}"'
            more = f"ETag: {mark}\r\n"
            if f"if-none-match: {mark}".encode() in head:
                return f"HTTP/1.1 304 Not Modified\r\n{more}\r\n".encode()
        body = page(number, turn, self._dice.randrange(10**6) if manner.drifts else 0, self.paragraphs)
        return _reply("200 OK", body, more)

    def _column(self) -> bytes:
        """A column with the newest ten of `published` documents."""
        newest = range(FIRST_DOCUMENT + self.published - 1, FIRST_DOCUMENT + max(self.published - 11, -1), -1)
        lines = (
            f'<li><a href="/{n}.html">{PLACES[n % 8]}区关于{THINGS[n % 7]}的通知（{n}）</a><span>2026-01-08</span></li>'
            for n in newest
        )
        return f"<html><body><h2>通知公告</h2><ul>{''.join(lines)}</ul></body></html>".encode()


def _reply(status: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def page(number: int, turn: int, drift: int, paragraphs: int) -> bytes:
    """The report of one district as its CMS writes it, at its `turn`th text."""
    dice = random.Random(number)
    place, other = PLACES[number % 8], random.Random(drift)

    def sentence() -> str:
        return (
            f"{place}区{dice.choice(VERBS)}{dice.choice(THINGS)}，全年新增{dice.randint(3, 900)}处，"
            f"完成投资{dice.randint(10, 999) / 10}亿元。"
        )

    text = ["".join(sentence() for _ in range(dice.randint(3, 7))) for _ in range(paragraphs)]
    goals = f"今年的主要预期目标是：地区生产总值增长{5 + turn % 7}%，城镇新增就业{3000 + turn}人，固定资产投资增长8%。"
    text.insert(len(text) // 2, goals)
    related = "".join(f"<li><a href='/x/{other.randrange(500)}'>{other.choice(THINGS)}</a></li>" for _ in range(6))
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{place}区政府工作报告_{place}区人民政府</title>
<script>var t = {drift};</script></head><body><div class="header"><span id="clock">第{drift}次</span></div>
<div class="main"><h1>{place}区政府工作报告（{number}）</h1><div class="info">发布时间：2026-01-{1 + number % 28:02}
浏览次数：{drift}</div><div class="TRS_Editor">{"".join(f"<p>　　{p}</p>" for p in text)}</div></div>
<div class="side"><h3>相关阅读</h3><ul>{related}</ul></div><div class="footer">主办：{place}区人民政府办公室</div>
</body></html>""".encode()
