"""Pages a second from bytes to clean text on one core, beside trafilatura in the same run.

    python bench/extract.py [--pages FOLDER] [--seconds 5]

Ours is what a check does: decode, judge, main text, title, dates, links, hashes. trafilatura gets the text that we
decoded and `bare_extraction` with its defaults (it runs in an environment of its own, bench/.cache). The pages are
those of ../shared/pages where they are, else those of site_on_loopback.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from peers import machine, peer, verdict
from site_on_loopback import page

from monitor import assess
from monitor.config import vocabulary
from monitor.model import Fetch, Page, Source
from monitor.text.decode import decode

SHARED = Path(__file__).resolve().parent.parent.parent / "shared/pages"
URL = "http://www.yunling.example/zwgk/2026/content_1.html"
ASKED, ASKED_TIMES = 300.0, 10.0

PEER = """
import json, sys, time
from trafilatura import bare_extraction
pages, seconds = json.load(sys.stdin)
for text in pages[:3]:
    bare_extraction(text, with_metadata=True)
done, began = 0, time.process_time()
while time.process_time() - began < seconds or done < len(pages):
    bare_extraction(pages[done % len(pages)], with_metadata=True)
    done += 1
print(done / (time.process_time() - began))
"""


def rate(pages: Sequence[bytes], seconds: float, read: Callable[[bytes], object]) -> float:
    """Pages a second of CPU, whole turns over all pages."""
    for body in pages:
        read(body)
    done, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        for body in pages:
            read(body)
        done += len(pages)
    return done / (time.process_time() - began)


def ours() -> Callable[[bytes], object]:
    rules, at = vocabulary().text, datetime.now(UTC)
    source, known = Source(key="bench", url=URL), Page(1, "bench", URL)

    def read(body: bytes) -> assess.Reading:
        return assess.read(Fetch(URL, at, final_url=URL, status=200, body=body), source, known, rules)

    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, default=SHARED)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    print(machine())
    pages = [path.read_bytes() for path in sorted(args.pages.glob("*.html"))] or [page(n, n) for n in range(50)]
    print(f"{len(pages)} pages, {sum(map(len, pages)) / len(pages) / 1024:.0f} kB each")
    texts = [decode(body).text for body in pages]
    python = peer("trafilatura", "trafilatura==2.3.1", "lxml_html_clean") / "python"
    mine = rate(pages, args.seconds, ours())
    given = json.dumps([texts, args.seconds])
    theirs = float(subprocess.run([python, "-c", PEER], input=given, text=True, capture_output=True, check=True).stdout)
    print(f"mubiao      {mine:7.0f} pages/s\ntrafilatura {theirs:7.0f} pages/s")
    met = verdict("pages/s on one core", mine, ASKED, most=False)
    met = verdict("times trafilatura", mine / theirs, ASKED_TIMES, most=False) and met
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
