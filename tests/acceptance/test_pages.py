"""Real pages, served as they were, checked twice with edits between: exactly the edits are found.

A third of the pages gets one figure or word of its main text changed (where the gold selector says it stands). Every
page, edited or not, is served the second time with another surrounding: a clock and a weather line in its header, a
visitor counter in its footer, and another wording of links that stand outside the main text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.demo.server import Reply

BUDGET = 25  # seconds for both passes over all pages
EVERY = 3  # one page of so many is edited
_CJK = re.compile(r"[\u4e00-\u9fff]{4,}")


@dataclass
class Recorded:
    """One page of the manifest: its bytes, and what stands inside and outside its main text."""

    name: str
    body: bytes
    encoding: str
    gold: dict[str, Any] | None

    @classmethod
    def read(cls, folder: Path, row: dict[str, Any]) -> Recorded:
        body = (folder / f"{row['name']}.html").read_bytes()
        encoding = "gb18030" if row["encoding"].startswith("gb") else "utf-8"
        return cls(row["name"], body, encoding, row["gold"])

    def pieces(self) -> tuple[list[str], list[str]]:
        """Text runs inside the gold main text, and wordings of links outside, each found once in the bytes."""
        tree = LexborHTMLParser(self.body.decode(self.encoding, "replace"))
        gold = self.gold or {"content": [], "exclude": []}
        # an id stands for one element; a second one is the same text once more, for small screens
        roots = [n for sel in gold["content"] for n in tree.css(sel)[: 1 if sel.startswith("#") else None]]
        cut = {x.mem_id for root in roots for s in gold["exclude"] for n in root.css(s) for x in n.traverse()}
        ids = {x.mem_id for s in gold["content"] for root in tree.css(s) for x in root.traverse()}
        skipped = ("script", "style", "a", "title")
        texts = [
            text_of(n)
            for root in roots
            for n in root.traverse(include_text=True)
            if n.tag == "-text" and n.parent is not None and n.parent.tag not in skipped and n.parent.mem_id not in cut
        ]
        links = [text_of(n) for n in tree.css("a") if n.mem_id not in ids]
        return self._once(texts), self._once(links)

    def _once(self, texts: list[str]) -> list[str]:
        return [t for t in texts if _CJK.search(t) and self.body.count(t.encode(self.encoding, "replace")) == 1]

    def replaced(self, pairs: list[tuple[str, str]]) -> bytes:
        body = self.body
        for old, new in pairs:
            body = body.replace(old.encode(self.encoding), new.encode(self.encoding))
        return body


def text_of(node: LexborNode) -> str:
    return (node.text(deep=node.tag != "-text") or "").strip()


def edited(text: str) -> str:
    """One figure moved, or one word where the text has none."""
    if found := re.search(r"\d", text):
        return text[: found.start()] + str((int(found[0]) + 1) % 10) + text[found.end() :]
    middle = _CJK.search(text)
    assert middle
    return text[: middle.start() + 1] + "新增" + text[middle.start() + 1 :]


def dressed(page: Recorded, body: bytes, round_: int) -> bytes:
    """Surroundings that are others at every visit."""
    clock = f'<div class="top-date">今天是2026年3月{round_ + 1}日 星期{"一二"[round_]} 晴 {round_ + 3}℃</div>'
    counter = f'<div class="visit">您是本站第 {483911 + 777 * round_} 位访客</div>'
    body = re.sub(rb"(<body\b[^>]*>)", lambda m: m[1] + clock.encode(page.encoding), body, count=1, flags=re.I)
    return re.sub(rb"(</body>)", lambda m: counter.encode(page.encoding) + m[1], body, count=1, flags=re.I)


def recorded(folder: Path) -> list[Recorded]:
    rows = [json.loads(x) for x in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Recorded.read(folder, row) for row in rows]


async def test_exactly_the_edits_of_real_pages_are_found(
    in_shared: Callable[[str], Path], web: Any, watching: Callable[..., Any]
) -> None:
    pages = recorded(in_shared("pages"))
    assert len(pages) >= 50
    begun = time.monotonic()
    for page in pages:
        web.routes[f"/{page.name}.html"] = Reply(200, dressed(page, page.body, 0), "text/html")
    watch = watching(
        *({"key": p.name.replace("_", "-").lower(), "url": f"{web.url}/{p.name}.html"} for p in pages),
        defaults={
            "delay": "0s",
            "respect_robots": False,
            "confirm": "off",
            "concurrency_per_host": 4,
            "attachments": False,  # theirs lie on real hosts
        },
    )
    first = await watch.look()
    assert first.changes == []
    unread = {page.url.rsplit("/", 1)[1].removesuffix(".html"): why for page, why in first.failures}
    # only a list of links has no text of its own to keep
    assert {n for n in unread if next(p for p in pages if p.name == n).gold is not None} == set()
    assert all(why.error == "wrong_document" for why in unread.values())

    edits: dict[str, tuple[str, str]] = {}
    wanted = [p for p in pages if p.name not in unread]
    for number, page in enumerate(wanted):
        inside, links = page.pieces()
        pairs = [(x, x + "（今日更新）") for x in links[:5]]
        if number % EVERY == 0:
            longest = max(inside, key=len)
            edits[page.name] = (longest, edited(longest))
            pairs.append(edits[page.name])
        web.routes[f"/{page.name}.html"] = Reply(200, dressed(page, page.replaced(pairs), 1), "text/html")
    watch.clock.pass_by(hours=1)
    second = await watch.look()

    found = {c.url.rsplit("/", 1)[1].removesuffix(".html"): c for c in second.changes if c.kind != "cosmetic"}
    assert set(found) == set(edits)
    assert len(second.changes) == len(found)
    for name, change in found.items():
        assert change.kind == "content"
        assert len(change.edits) == 1, (name, change.edits)
    assert second.counts["unchanged"] == len(wanted) - len(edits)
    assert time.monotonic() - begun < BUDGET
