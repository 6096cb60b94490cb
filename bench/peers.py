"""What the benches share: peers in virtual environments of their own (bench/.cache), and the cost of one command."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parent / ".cache"
OURS = Path(sys.executable).parent / "mubiao"


def peer(name: str, *packages: str) -> Path:
    """The bin folder of an environment that holds these packages, made at the first use (by the ordinary pip)."""
    home = CACHE / name
    done = home / "installed"
    if not done.exists() or done.read_text() != " ".join(packages):
        print(f"installing {' '.join(packages)} into {home} …", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True, stderr=subprocess.DEVNULL)
        done.write_text(" ".join(packages))
    return home / "bin"


@dataclass(frozen=True)
class Cost:
    """What a command took. `cpu` in seconds, user and system, children included; `peak` resident memory in MB."""

    cpu: float
    wall: float
    peak: float
    out: str


def run(command: Sequence[str | Path], *, cwd: Path, allowed: Sequence[int] = (0,)) -> Cost:
    """Run a command to its end. SystemExit with its last words where it fails."""
    with (cwd / "stdout").open("w+b") as out, (cwd / "stderr").open("w+b") as err:
        began = os.times()
        child = subprocess.Popen([str(x) for x in command], cwd=cwd, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = os.times().elapsed - began.elapsed
        out.seek(0)
        err.seek(0)
        text, wrong = (x.read().decode("utf-8", "replace") for x in (out, err))
    if child.returncode not in allowed:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{wrong[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, text)


def machine() -> str:
    """One line that tells one machine from another."""
    name = next(
        (x.partition(":")[2].strip() for x in _lines("/proc/cpuinfo") if x.startswith("model name")), platform.machine()
    )
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} × {name}, {system}, load {load}, {files} files"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def verdict(what: str, value: float, asked: float, *, most: bool) -> bool:
    """Print a figure beside what was asked of it; whether it is met."""
    met = value <= asked if most else value >= asked
    print(f"{what}: {value:.2f} (asked: {'at most' if most else 'at least'} {asked:g}){'' if met else '  NOT MET'}")
    return met
