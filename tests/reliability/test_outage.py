"""A real daemon whose PostgreSQL is away when it starts, and goes away later. Longer, with crashes: outage.py."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

TEXT = "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)


def answers(worker: Any, *paths: str) -> list[int]:
    """The status of each of these, where a worker says that it listens."""
    address = next(json.loads(line)["address"] for line in worker.stderr if '"web"' in line).removesuffix("healthz")
    return [httpx.get(address + path, trust_env=False).status_code for path in paths]


@pytest.mark.timeout(180)
def test_a_daemon_waits_for_its_server_says_so_once_and_loses_nothing(
    desk: Any, web: Any, page_of: Callable[..., str], postgres: Any, postgres_url: str
) -> None:
    def titles() -> list[str]:
        with psycopg.connect(postgres_url) as connection:
            return [title for (title,) in connection.execute("SELECT title FROM version ORDER BY id")]

    def trouble() -> dict[str, Any]:
        """The next error that it names."""
        while True:
            line: dict[str, Any] = json.loads(daemon.stderr.readline())
            if line["level"] == "error":
                return line

    url = web.put("/a", page_of("第一次会议", TEXT))
    desk.watch({"key": "k", "url": url, "every": "1s"})
    postgres.stop()
    try:
        daemon = desk.spawn("run", "--no-web", "--db", postgres_url, "--log", "json")
        worker = desk.spawn("worker", "--port", "0", "--db", postgres_url, "--log", "json")
        first = trouble()
        assert "waiting for it" in first["error"] and "mend --db" in first["error"]
        postgres.start()
        until(lambda: titles() == ["第一次会议"])
        assert answers(worker, "healthz", "livez", "metrics", "sources") == [200, 200, 200, 404]
        postgres.stop()
        web.put("/a", page_of("第二次会议", TEXT, TEXT[::-1]))
        gone = [trouble()]
    finally:
        if postgres._process is None:
            postgres.start()
    until(lambda: titles() == ["第一次会议", "第二次会议"])
    for process in (worker, daemon):
        process.send_signal(signal.SIGTERM)
    assert "Traceback" not in worker.communicate(timeout=30)[1]
    assert worker.returncode == 0
    rest = map(json.loads, daemon.communicate(timeout=30)[1].splitlines())
    assert daemon.returncode == 0
    gone += [line for line in rest if line["level"] == "error"]
    assert [line["event"] for line in gone] in (["database"], 2 * ["database"]), "its jobs say it once, and its queue"
