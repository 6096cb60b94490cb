"""A file read in a process of its own: whatever it does to its reader, it takes bounded time and memory, and us not.

Parsers of PDF and Office files are the classic way into a program, and PDFium is not safe to use from two threads. The
child gets the bytes and nothing else: no secrets of our environment, no files to write.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from monitor.attachments.content import Content, RefusedError

SECONDS = 20  # of CPU; a report takes 0.3, a budget of 400 pages 3
MEMORY = 1_500_000_000  # bytes of address space, libraries included
PATIENCE = 4  # wall clock in multiples of SECONDS: the machine may be busy
_ROOT = str(Path(__file__).resolve().parent.parent)


def read(body: bytes, *, seconds: int = SECONDS, memory: int = MEMORY) -> Content:
    """The text of a file, blocking. Raises RefusedError, also for a reader that died or ran out of its bounds."""
    command = [sys.executable, "-m", "monitor.attachments", str(seconds), str(memory)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=body,
            capture_output=True,
            timeout=seconds * PATIENCE,
            env={"PYTHONPATH": _ROOT, "PYTHONUTF8": "1", "LANG": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise RefusedError("too_large", f"not read within {seconds * PATIENCE} seconds") from late
    if done.returncode == 0:
        return _content(json.loads(done.stdout))
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise RefusedError("too_large", f"reading takes more than {seconds} seconds or {memory // 1_000_000} MB")
    if done.returncode < 0:
        raise RefusedError("damaged", f"its reader crashed ({signal.Signals(-done.returncode).name})")
    last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    raise RefusedError("damaged", f"its reader gave up ({last[:200]})")


def _content(answer: dict[str, Any]) -> Content:
    if "refused" in answer:
        raise RefusedError(answer["refused"], answer["message"])
    page = answer["page"]
    answer |= {"page": page.encode("latin-1") if page is not None else None}
    answer |= {name: tuple(answer[name]) for name in ("lines", "warnings")}
    return Content(**answer)
