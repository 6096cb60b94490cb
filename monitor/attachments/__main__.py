"""The other end of `monitor.sandbox`: a file on standard input, its Content or refusal as JSON on standard output.

python -m monitor.attachments CPU_SECONDS MEMORY_BYTES
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from dataclasses import asdict
from typing import Any

from monitor.attachments import registry
from monitor.attachments.content import RefusedError


def _confine(seconds: int, memory: int) -> None:
    """No more time and memory than this, no files written, no core dumped, no process started."""
    for what, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, most = resource.getrlimit(what)
        bound = limit if most == resource.RLIM_INFINITY else min(limit, most)
        try:
            resource.setrlimit(what, (bound, bound))
        except (ValueError, OSError):  # this system does not know the limit; the others and the parent's clock hold
            continue


def _answer(body: bytes) -> dict[str, Any]:
    try:
        found = asdict(registry.read(body))
    except RefusedError as refused:
        return {"refused": refused.word, "message": str(refused)}
    except (MemoryError, RecursionError) as wrong:
        return {"refused": "too_large", "message": f"nested or swollen beyond reading ({type(wrong).__name__})"}
    if found["page"] is not None:
        found["page"] = found["page"].decode("latin-1")
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of libraries, about files: what matters comes as a Content's warnings
    _confine(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read())))
