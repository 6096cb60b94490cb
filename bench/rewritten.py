"""The time of one diff of a really rewritten text of 40,000 characters, with and without fast-diff-match-patch.

    python bench/rewritten.py [--chars 40000] [--rounds 5] [--seed 7]

Of every ten sentences three stay, four are reworded in one to three places, two say something else and one moves. Both
ways must give the same steps; the figure is the processor time of the best round.
"""

from __future__ import annotations

import argparse
import random
import time
from functools import partial

from peers import machine, verdict
from versions import Report

from monitor.text import align
from monitor.text.diff import diff

ASKED = {True: 0.1, False: 3.0}


def rewritten(report: Report, seed: int) -> list[str]:
    """The same report as another author hands it in."""
    r, waiting, out = random.Random(seed), list[str](), list[str]()
    for paragraph in report.paragraphs:
        sentences = []
        for whole in (s + "。" for s in paragraph.split("。") if s):
            sentence, fate = whole, r.random()
            if fate < 0.4:
                for _ in range(r.randint(1, 3)):
                    at = r.randrange(len(sentence))
                    sentence = sentence[:at] + r.choice(report.words) + sentence[at + r.randint(0, 3) :]
            elif fate < 0.6:
                sentence = report.sentence()
            elif fate < 0.7:
                waiting.append(sentence)
                continue
            sentences.append(sentence)
            if waiting and r.random() < 0.3:
                sentences.append(waiting.pop(0))
        out.append("".join(sentences))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--chars", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    print(machine())
    report = Report(args.seed, args.chars)
    old, new = report.paragraphs, rewritten(report, args.seed)
    found, met = [], []
    plain = align.main
    for fast in (True, False):
        if fast and not align.FAST:
            print("fast-diff-match-patch is not installed: pip install 'mubiao[fast]'")
            continue
        align.main = partial(plain, fast=fast)
        best = float("inf")
        for _ in range(args.rounds):
            began = time.process_time()
            shown = diff(old, new)
            best = min(best, time.process_time() - began)
        found.append(shown)
        print(f"{len(shown.edits)} edits, {shown.added} characters added, {shown.deleted} deleted")
        words = f"seconds {'with' if fast else 'without'} fast-diff-match-patch"
        met.append(verdict(words, best, ASKED[fast], most=True))
    if len(found) == 2 and found[0] != found[1]:
        print("both ways differ  NOT MET")
        met.append(False)
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
