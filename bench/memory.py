"""Peak memory of one pass over many sources, each on a host of its own (loopback addresses of one local server).

    python bench/memory.py [--sources 10000]

The pass that reads everything for the first time is measured, and the one after it; issue 3 asks for at most 250 MB.
The pages are small ones with a short text, as what is held at once decides, not what was read: at most 64 requests
run together, and one page is read at a time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from peers import OURS, machine, run, verdict
from site_on_loopback import Site, loopback

ASKED = 250.0  # MB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=10_000)
    args = parser.parse_args()
    print(machine())
    met = True
    with Site("changing", short=True) as site, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = [{"key": f"p{n}", "url": site.url(n, loopback(n))} for n in range(args.sources)]
        network = {"allow_private": ["127.0.0.0/8"]}
        config = {"network": network, "defaults": {"every": "1h", "respect_robots": False}, "sources": sources}
        (folder / "sources.yaml").write_text(json.dumps(config))  # JSON is YAML
        command = [OURS, "check", "--all", "--json", "--config", "sources.yaml", "--db", "sqlite:///mubiao.db"]
        for word in ("new", "unchanged"):
            cost = run(command, cwd=folder)
            counts = json.loads(cost.out)
            if counts[word] != args.sources:
                raise SystemExit(f"not every page was {word}: {cost.out[:400]}")
            print(f"{args.sources} sources, {word}: {cost.wall:.0f} s, {cost.cpu:.0f} s CPU")
            met = verdict(f"{args.sources} sources, {word}, peak MB", cost.peak, ASKED, most=True) and met
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
