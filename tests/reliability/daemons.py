"""Real daemons for the long tests: `mubiao run` in processes of their own, started fast or as a user does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from monitor import cli

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds for whatever has to happen at last

# processes forked from one that has everything imported: a start costs milliseconds instead of a second
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["monitor.daemon", "monitor.cli.checking", "storage.migrate", "aiosmtpd.smtp"])


def forked(folder: Path, environ: Mapping[str, str], *more: str) -> BaseProcess:
    """`mubiao run` over a folder with sources.yaml and mubiao.db; its log is daemon.log there."""
    made = NURSERY.Process(target=_run, args=(str(folder), dict(environ), more or ("--no-web",)), daemon=True)
    made.start()
    return made


def _run(folder: str, environ: dict[str, str], more: tuple[str, ...]) -> None:
    os.chdir(folder)
    os.environ.update(environ)
    sys.stderr = Path("daemon.log").open("a", encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.argv = ["mubiao", "run", *more, "--db", f"sqlite:///{folder}/mubiao.db"]
    cli.main()


def executed(folder: Path, environ: Mapping[str, str], *more: str) -> subprocess.Popen[bytes]:
    """The same as a user or systemd starts it, interpreter and imports included."""
    command = [
        sys.executable,
        "-m",
        "monitor",
        "run",
        *(more or ("--no-web",)),
        "--db",
        f"sqlite:///{folder}/mubiao.db",
    ]
    with (folder / "daemon.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(PROJECT), **environ}, stderr=log
        )


def settled(condition: Callable[[], bool], what: Callable[[], str], patience: float = PATIENCE) -> float:
    """Wait for it; seconds that it took. Ends the program where it does not come."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() > begun + patience:
            raise SystemExit(f"no end in sight: {what()}")
        time.sleep(0.02)
    return time.monotonic() - begun


def said(folder: Path) -> str:
    """The end of the log."""
    return (folder / "daemon.log").read_text(encoding="utf-8")[-4000:]


def stopped(process: BaseProcess | subprocess.Popen[bytes], folder: Path) -> None:
    """SIGTERM, and its end with 0."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    if isinstance(process, subprocess.Popen):
        code: int | None = process.wait(PATIENCE)
    else:
        process.join(PATIENCE)
        code = process.exitcode
    if code:
        raise SystemExit(f"the daemon ended with {code}\n{said(folder)}")
