"""Encodings from the wire to the stored version: nothing lost, damage no version, what cannot be seen no change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.demo.server import Reply

NAMES = "参加会议的有区长李堃、副区长王珺、赵镕、孙喆、钱玥，办公室主任周翀同志主持，会期一天，各街道列席。"
TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议强调，各部门要压实责任，细化举措，确保各项目标任务落到实处，以实际行动回应全区人民群众的期盼和要求。",
    NAMES,
]


@pytest.mark.parametrize(
    ("encoding", "header", "meta"),
    [
        ("utf-8", "; charset=utf-8", ""),
        ("utf-8", "", "utf-8"),
        ("utf-8", "; charset=gbk", "gb2312"),  # a lying header
        ("utf-8-sig", "; charset=gb2312", ""),
        ("gb18030", "; charset=GBK", ""),
        ("gb18030", "; charset=GB2312", "gb2312"),  # names need characters outside of it
        ("gb18030", "", "gb2312"),
        ("gb18030", "", ""),
        ("gb18030", "; charset=utf-8", "utf-8"),  # noise_site's wrong_charset
        ("gb18030", "; charset=iso-8859-1", ""),
        ("utf-16", "", ""),
    ],
)
async def test_every_paragraph_is_stored_as_written(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], encoding: str, header: str, meta: str
) -> None:
    html = page_of("区政府全体会议", *TEXT).replace(
        '<meta charset="utf-8">', f'<meta charset="{meta}">' if meta else ""
    )
    web.routes["/a"] = Reply(200, html.encode(encoding), f"text/html{header}")
    watch = watching({"key": "a", "url": web.url + "/a"})
    done = await watch.look()
    assert done.failures == []
    last = watch.store.load(1).last
    assert last.document.paragraphs == tuple(TEXT)
    assert last.document.replacements == 0
    assert last.document.encoding in (encoding.removesuffix("-sig"), "utf-16-le")
    web.routes["/a"] = Reply(200, html.encode("utf-8"), "text/html; charset=utf-8")  # the site changed its encoding
    watch.clock.pass_by(hours=7)
    again = await watch.look()
    assert (again.changes, again.failures) == ([], [])


@pytest.mark.parametrize("lost", [1, 3, 40])
async def test_a_lossy_decode_never_follows_a_clean_version(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], lost: int
) -> None:
    good = page_of("区政府全体会议", *(TEXT * 8)).encode()
    web.put("/a", good)
    watch = watching({"key": "a", "url": web.url + "/a"})
    await watch.look()
    before = watch.store.load(1).last
    damaged = good.replace("区长".encode(), b"\xe5\x8c\xe9\x95\xbf", lost)  # a byte of one character is missing
    for _ in range(2):  # the second time it is no more believed
        web.put("/a", damaged)
        watch.clock.pass_by(hours=7)
        done = await watch.look()
        assert done.changes == []
        assert [why.error for _, why in done.failures] == ["lossy_decode"]
        assert watch.store.load(1).last == before
    web.put("/a", good)
    watch.clock.pass_by(hours=7)
    assert (await watch.look()).failures == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("会议强调", "会\u200b议\ufeff强调"),  # zero width
        ("会议强调", "会议&shy;强调"),
        ("会议强调", "\ue60d会议强调"),  # an icon font's character
        ("，", "，&nbsp;"),
        ("一天", "&nbsp;一天\u3000"),
        ("会议强调", "会议\u202a强调\u202c"),  # directions, invisible
    ],
)
async def test_what_nobody_sees_is_no_news(
    web: Any, page_of: Callable[..., str], watching: Callable[..., Any], old: str, new: str
) -> None:
    html = page_of("区政府全体会议", *TEXT)
    web.put("/a", html)
    watch = watching({"key": "a", "url": web.url + "/a"})
    await watch.look()
    web.put("/a", html.replace(old, new))
    watch.clock.pass_by(hours=7)
    done = await watch.look()
    assert done.failures == []
    assert [c.kind for c in done.changes if c.kind != "cosmetic"] == []
    text = watch.store.load(1).last.document.text
    assert not set("\u200b\ufeff\u00ad\ue60d\u202a\u202c\u00a0") & set(text)
