"""CPU of one check of an unchanged page, beside urlwatch 2.29 in the same run. Start-up of both is subtracted.

    python bench/check.py [--pages 200] [--rounds 5] [changing|still|etag ...]

Both are run once a round, like cron, over the same site (site_on_loopback.py), one after the other: `mubiao check --all
--json` with our main text extraction on, and urlwatch with `url` and `html2text`, the first example of its manual. The
round that reads everything for the first time is left out. urlwatch takes every changed chrome for a change and prints
it; that is its own answer to these pages, and the row of the same bytes shows it without.

Start-up is a run of the same configuration that checks one page: what is loaded only for a first check counts as
start-up for both (`mubiao check p0`, `urlwatch 1`). So the figure is (all - one) / (pages - 1), each the median over
the rounds: a machine that does other work as well makes single runs up to a half dearer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from peers import OURS, Cost, machine, peer, run, verdict
from site_on_loopback import Chrome, Site

ASKED: dict[Chrome, float] = {"changing": 0.5, "still": 0.5, "etag": 0.4}
WORDS: dict[Chrome, str] = {
    "changing": "unchanged text, changing chrome",
    "still": "same bytes, no validators",
    "etag": "304",
}


class Mubiao:
    name = "mubiao"

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.folder, self.pages = folder, len(urls)
        sources = [{"key": f"p{n}", "url": url, "kind": "page", "name": f"page {n}"} for n, url in enumerate(urls)]
        defaults = {"every": "1h", "delay": "0s", "concurrency_per_host": 10, "respect_robots": False}
        config = {"network": {"allow_private": ["127.0.0.0/8"]}, "defaults": defaults, "sources": sources}
        (folder / "sources.yaml").write_text(json.dumps(config))  # JSON is YAML
        self._base = [OURS, "check", "--json", "--config", "sources.yaml", "--db", "sqlite:///mubiao.db"]

    def round(self, chrome: Chrome, *, first: bool) -> Cost:
        cost = run([*self._base, "--all"], cwd=self.folder)
        counts = json.loads(cost.out)
        word = "new" if first else "not_modified" if chrome == "etag" else "unchanged"
        if counts[word] != self.pages:
            raise SystemExit(f"not every page was {word}: {cost.out[:400]}")
        return cost

    def start_up(self) -> Cost:
        return run([*self._base, "p0"], cwd=self.folder)


class Urlwatch:
    name = "urlwatch"

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.folder = folder
        (folder / "urls.yaml").write_text("---\n".join(f"url: {url}\nfilter:\n  - html2text\n" for url in urls))
        program = peer("urlwatch", "urlwatch==2.29", "html2text") / "urlwatch"
        files = ["--urls", "urls.yaml", "--config", "urlwatch.yaml", "--cache", "cache.db", "--hooks", "hooks.py"]
        self._base = [program, *files]

    def round(self, chrome: Chrome, *, first: bool) -> Cost:
        time.sleep(1.1)  # it keys snapshots by whole seconds: two rounds must not share one
        return run(self._base, cwd=self.folder)

    def start_up(self) -> Cost:
        time.sleep(1.1)
        return run([*self._base, "1"], cwd=self.folder)


def measure(chrome: Chrome, pages: int, rounds: int) -> bool:
    """One row: both tools over one site. Whether the asked ratio is met."""
    net: dict[str, float] = {}
    with Site(chrome) as site, tempfile.TemporaryDirectory() as folder:
        tools = []
        for tool in (Mubiao, Urlwatch):
            own = Path(folder, tool.name)
            own.mkdir()
            tools.append(tool(own, [site.url(n) for n in range(pages)]))
        spent = {tool.name: (list[float](), list[float]()) for tool in tools}
        for number in range(rounds + 1):
            for tool in tools:
                cost = tool.round(chrome, first=number == 0)
                if number:
                    spent[tool.name][0].append(cost.cpu)
                    spent[tool.name][1].extend(tool.start_up().cpu for _ in range(2))
    for name, (whole, ones) in spent.items():
        start = statistics.median(ones)
        net[name] = 1000 * (statistics.median(whole) - start) / (pages - 1)
        spread = f"{min(whole):.2f}-{max(whole):.2f} s"
        if net[name] <= 0 or statistics.median(whole) - start < max(whole) - min(whole):
            raise SystemExit(f"{WORDS[chrome]}: {name} took {spread} a round, start-up {start:.2f} s: more --pages")
        print(f"{WORDS[chrome]:32} {name:9} {net[name]:6.2f} ms/check, {spread} a round, start-up {start:.2f} s")
    return verdict(f"{WORDS[chrome]}, mubiao / urlwatch", net["mubiao"] / net["urlwatch"], ASKED[chrome], most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("chromes", nargs="*", metavar="changing|still|etag")
    args = parser.parse_args()
    if unknown := set(args.chromes) - set(ASKED):
        parser.error(f"no such row: {', '.join(unknown)}")
    print(machine())
    met = [measure(chrome, args.pages, args.rounds) for chrome in ASKED if chrome in (args.chromes or ASKED)]
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
