"""Broken pages by the thousand: none may raise, none may take more than two seconds, every refusal says why.

    python bench/mutate.py [--pages 100000] [--seed 0] [--jobs 1]

Page n of a seed is always the same, so that a line of the answer can be tried again: --seed S --pages 1 --first N.
The pages that are broken are those of ../shared/pages where they are, else those of site_on_loopback.py.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from monitor.config import vocabulary
from monitor.text.clean import clean
from monitor.text.decode import decode

SHARED = Path(__file__).resolve().parent.parent.parent / "shared/pages"
URL = "http://www.yunling.example/zwgk/2026/content_1.html"
MOST_SECONDS = 2.0
HEAVY = 400  # one page of so many is a big one: 5 MB, or nested ten thousand deep
TAGS = (
    *("div", "table", "span", "font", "ul", "b", "p", "td", "a", "section"),
    *("form", "select", "svg", "textarea", "title"),
)
SHARDS = (
    *(b"\x00", b"<", b">", b"</", b"<!--", b"-->", b'"', b"'", b"&", b"&#0;", b"&#x110000;", b"&nbsp", b"<![CDATA["),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"\xb0\xa1", b"\x81", b"\xef\xb7\x90", b"\xef\xbf\xbe", "云岭".encode("gb18030")),
    *(b"<script>", b"<textarea>", b"<style>", b"<title>", b"<plaintext>", b"<frameset>", b"</body>", b"<body>"),
    *(b"<meta charset=utf-16>", b"<a href='http://[::1'>", b"<base href='//'>", b"<!--enpproperty <title>"),
)


def _cut(r: random.Random, page: bytes) -> bytes:
    return page[: r.randint(0, len(page))]


def _scatter(r: random.Random, page: bytes) -> bytes:
    out = bytearray(page)
    for _ in range(r.randint(1, 60)):
        at = r.randint(0, len(out))
        out[at : at + r.choice((0, 0, 1, 3))] = r.choice(SHARDS)
    return bytes(out)


def _noise(r: random.Random, page: bytes) -> bytes:
    at = r.randint(0, len(page))
    return page[:at] + r.randbytes(r.randint(1, 400)) + page[at:]


def _mixed(r: random.Random, page: bytes) -> bytes:
    """Two encodings in one page."""
    at = r.randint(0, len(page))
    return page[:at] + page[at:].decode("utf-8", "replace").encode(r.choice(("gb18030", "utf-16", "big5")), "replace")


def _moved(r: random.Random, page: bytes) -> bytes:
    a, b, c = sorted(r.randint(0, len(page)) for _ in range(3))
    return r.choice((page[:a] + page[b:c] + page[a:b] + page[c:], page[:a] + page[c:], page[:c] + page[a:]))


def _tags(r: random.Random, page: bytes) -> bytes:
    """Other names for tags, none closed, or all closed twice."""
    old, new = (r.choice(TAGS).encode() for _ in range(2))
    if r.random() < 0.5:
        return page.replace(b"<" + old, b"<" + new)
    return page.replace(b"</" + old + b">", r.choice((b"", b"</" + new + b">", b"</" + old + b"></" + old + b">")))


def _deep(r: random.Random, page: bytes) -> bytes:
    """Ten thousand elements inside each other, or next to each other and never closed."""
    tag = r.choice(TAGS).encode()
    deep = b"<" + tag + b">"
    return (
        page
        + deep * r.randint(9_000, 30_000)
        + "深处的一句话，有标点。".encode()
        + r.choice((b"", b"</" + tag + b">" * 9_000))
    )


def _big(r: random.Random, page: bytes) -> bytes:
    """5 MB: of this page again and again, of one word, of links, of rows, of one attribute."""
    link = "<li><a href='/n/{}.html'>云岭区召开第{}次会议</a><span>2026-02-0{}</span></li>"
    parts: tuple[Callable[[], bytes], ...] = (
        lambda: page * (5_000_000 // max(1, len(page)) + 1),
        lambda: "云".encode() * 1_700_000,
        lambda: "".join(link.format(i, i, i % 9) for i in range(60_000)).encode(),
        lambda: b"<table>" + b"<tr><td>1</td><td>2</td></tr>" * 150_000,
        lambda: b"<p class='" + b"a" * 5_000_000 + b"'>",
        lambda: b"<" * 5_000_000,
        lambda: b"<!--" * 1_200_000,
        lambda: b"<br>" * 1_200_000,
    )
    return page + r.choice(parts)()


LIGHT = (_cut, _scatter, _scatter, _noise, _mixed, _moved, _tags)


def mutated(pages: Sequence[bytes], seed: int, n: int) -> tuple[bytes, str]:
    """(page n of a seed, what was done to it)."""
    r = random.Random(f"{seed}:{n}")
    page = r.choice(pages)
    steps = [r.choice(LIGHT) for _ in range(r.randint(1, 3))]
    if n % HEAVY == HEAVY // 2:
        steps.append(r.choice((_deep, _big)))
    for step in steps:
        page = step(r, page)
    return page, " ".join(step.__name__.strip("_") for step in steps)


def tried(pages: Sequence[bytes], seed: int, n: int) -> tuple[str, str]:
    """(`fine`, `crash`, `slow` or `silent`, details) for one page."""
    body, steps = mutated(pages, seed, n)
    began = time.process_time()
    try:
        found = clean(decode(body).text, URL, vocabulary().text)
    except Exception:  # the one thing that is looked for here
        return "crash", f"page {n} ({steps}): {traceback.format_exc(limit=-2)}"
    took = time.process_time() - began
    if took > MOST_SECONDS:
        return "slow", f"page {n} ({steps}): {took:.1f} s"
    if not found.paragraphs and found.kind == "article":
        return "silent", f"page {n} ({steps}): an article without text"
    refused = next((w for w in found.warnings if w.startswith("page refused")), None)
    return "fine", f"refused: {refused.partition(':')[2].strip()}" if refused else found.kind


def originals() -> list[bytes]:
    """Pages to break: real ones, else invented ones."""
    real = [path.read_bytes() for path in sorted(SHARED.glob("*.html"))]
    if real:
        return real
    from site_on_loopback import page  # beside this file: not there where tests load it

    return [page(n, n) for n in range(50)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    pages, seen, began = originals(), Counter[str](), time.monotonic()
    with multiprocessing.Pool(args.jobs) as pool:
        numbers = range(args.first, args.first + args.pages)
        for done, (result, details) in enumerate(pool.imap(partial(tried, pages, args.seed), numbers, 50), 1):
            seen[details if result == "fine" else result] += 1
            if result != "fine":
                print(f"{result}: {details}", flush=True)
            if done % 5_000 == 0:
                print(f"{done} pages in {time.monotonic() - began:.0f} s: {dict(seen)}", flush=True)
    print(f"{args.pages} pages in {time.monotonic() - began:.0f} s: {dict(seen)}")
    raise SystemExit(1 if {"crash", "slow", "silent"} & set(seen) else 0)


if __name__ == "__main__":
    main()
