"""A site on loopback for the benches: long Chinese pages whose chrome changes with every request, or stays still.

    with Site("changing") as site:
        site.url(7)

It runs in a process of its own and answers on every loopback address, so that one server is many hosts. The main text
of a page is 3,000 to 30,000 characters and never changes; a third of the pages are GB18030.

    changing   clock, counter and related links differ in every answer
    still      the same bytes each time
    etag       the same, with an ETag that is honoured with 304
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import multiprocessing
import random
import re
from multiprocessing.connection import Connection
from typing import Literal, Self

Chrome = Literal["changing", "still", "etag"]
LATENCY = 0.01  # seconds before each answer

_PLACES = ["云岭", "松原", "河湾", "石桥", "东渡", "南屏", "北塘", "新桥"]
_VERBS = ["推进", "完善", "加强", "落实", "深化", "优化", "提升", "扩大"]
_THINGS = ["老旧小区改造", "产业园区建设", "社区养老服务", "城市绿道", "河道整治", "学前教育", "公共交通", "数字政务"]
_LINKS = "".join(f'<li><a href="/zwgk/{n}/">{x}</a></li>' for n, x in enumerate(_PLACES + _THINGS))


def _paragraph(dice: random.Random) -> str:
    def sentence() -> str:
        place, verb, thing = (dice.choice(words) for words in (_PLACES, _VERBS, _THINGS))
        return f"{place}区{verb}{thing}，全年新增{dice.randint(3, 900)}处，完成投资{dice.randint(10, 999) / 10}亿元。"

    return "".join(sentence() for _ in range(dice.randint(3, 7)))


@functools.lru_cache(maxsize=2000)
def _article(number: int, short: bool) -> str:
    """The main text of a page as HTML, the same each time."""
    dice = random.Random(number)
    wanted, parts = 200 if short else int(3000 * 10 ** dice.random()), list[str]()
    while sum(map(len, parts)) < wanted:
        parts.append(_paragraph(dice))
    return "\n".join(f"<p>　　{part}</p>" for part in parts)


def page(number: int, turn: int, *, short: bool = False) -> bytes:
    """The body of a page; `turn` decides the chrome."""
    dice = random.Random(turn)
    charset = "gb18030" if number % 3 == 2 else "utf-8"
    title = f"{_PLACES[number % 8]}区政府工作报告（{number}）"
    related = "".join(f'<li><a href="/p/{dice.randrange(500)}.html">{dice.choice(_THINGS)}</a></li>' for _ in range(8))
    text = f"""<!DOCTYPE html><html><head><meta charset="{charset}"><title>{title}_{_PLACES[0]}区人民政府</title>
<script>var t = {turn};</script><style>.a {{ color: red }}</style></head><body>
<div class="header"><span id="clock">第{turn}次</span><ul class="nav">{_LINKS}</ul></div>
<div class="main"><h1>{title}</h1><div class="info">发布时间：2026-01-{1 + number % 28:02} 浏览次数：{turn}</div>
<div class="TRS_Editor">{_article(number, short)}</div></div>
<div class="side"><h3>相关阅读</h3><ul>{related}</ul></div>
<div class="footer">主办：{_PLACES[0]}区人民政府办公室 访问量：{turn}</div></body></html>"""
    return text.encode(charset)


class _Protocol(asyncio.Protocol):
    turns = itertools.count(1)

    def __init__(self, chrome: Chrome, short: bool) -> None:
        self.chrome, self.short = chrome, short

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for asked in re.finditer(rb"GET \S*?(\d*)(?:\.html)? HTTP.*?\r\n\r\n", data, re.DOTALL):
            answer = self._answer(int(asked[1] or 0), asked[0])
            asyncio.get_running_loop().call_later(LATENCY, self.transport.write, answer)  # type: ignore[attr-defined]

    def _answer(self, number: int, asked: bytes) -> bytes:
        head, mark = "", f'"{number}"'
        if self.chrome == "etag":
            head = f"ETag: {mark}\r\n"
            if f"if-none-match: {mark}".encode() in asked.lower():
                return f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode()
        body = page(number, next(self.turns) if self.chrome == "changing" else 0, short=self.short)
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )


def _serve(pipe: Connection, chrome: Chrome, short: bool) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(functools.partial(_Protocol, chrome, short), "0.0.0.0", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class Site:
    """The running site; `short` pages hold one paragraph."""

    def __init__(self, chrome: Chrome, *, short: bool = False) -> None:
        here, there = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(there, chrome, short), daemon=True)
        self._process.start()
        self.port: int = here.recv()

    def url(self, number: int, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/p/{number}.html"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def loopback(number: int) -> str:
    """One address for each host: 127.1.0.1 and on."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
