"""A network that swallows: servers that never answer, ports that never accept. The rest goes on, and ends in time."""

from __future__ import annotations

import json
import signal
import socket
from datetime import datetime
from typing import Any

import httpx
import pytest

from monitor.demo.background import running
from monitor.demo.server import HttpServer, Listener, Reply, Request

TEXT = "云岭区人民政府第{n}次全体会议今天召开，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。"
SILENT, WELL = 8, 4  # hosts
KILLED = 9.0  # seconds after SIGTERM: a container is killed after ten


class Silent(Listener):
    """It takes a connection, and says nothing for ever."""

    async def talk(self, reader: Any, writer: Any) -> None:
        await reader.read()
        await reader.read()


@pytest.mark.timeout(180)
def test_a_network_that_swallows_holds_up_neither_others_nor_pages_nor_the_end(desk: Any, page_of: Any) -> None:
    count = 0

    def answer(request: Request) -> Reply:
        nonlocal count
        count += 1
        return Reply(200, page_of("区政府全体会议", TEXT.format(n=count), TEXT[::-1]).encode())

    silent, well, deaf = Silent(), HttpServer(answer), socket.create_server(("127.0.0.1", 0), backlog=1)
    with running(silent, well), deaf:
        ports = [silent.port, deaf.getsockname()[1]]
        swallowed = [
            {"key": f"silent{n}", "url": f"http://127.0.0.1:{ports[n % 2]}/{n}", "every": "1s", "timeout": "1s"}
            for n in range(SILENT)
        ]
        others = [{"key": f"well{n}", "url": f"{well.url}/{n}", "every": "1s"} for n in range(WELL)]
        hangs = {"key": "hangs", "url": f"http://127.0.0.1:{silent.port}/ever", "every": "1s", "timeout": "60s"}
        defaults = {"delay": "0s", "respect_robots": False, "concurrency_per_host": 20}
        desk.watch(*swallowed, *others, hangs, defaults=defaults)
        daemon = desk.spawn("run", "--port", "0", "--log", "json")
        lines, ended = map(json.loads, daemon.stderr), dict[str, dict[str, Any]]()
        address = next(line["address"] for line in lines if line["event"] == "web")
        while len(ended) < SILENT + WELL:
            line = next(lines)
            if line["event"] == "checked":
                ended[line["source"]] = line
        assert {ended[s["key"]]["error"] for s in swallowed} == {"timeout"}
        assert max(ended[s["key"]]["ms"] for s in swallowed) < 3000
        assert all(ended[s["key"]]["error"] is None for s in others)
        for path in ("healthz", "readyz", "metrics"):
            assert httpx.get(address + path, trust_env=False, timeout=5).status_code == 200
        daemon.send_signal(signal.SIGTERM)
        last = {line["event"]: line for line in map(json.loads, daemon.communicate(timeout=30)[1].splitlines())}
    assert daemon.returncode == 0
    times = [datetime.fromisoformat(last[word]["timestamp"]) for word in ("stopping", "stopped")]
    assert (times[1] - times[0]).total_seconds() < KILLED
    with desk.queries() as ask:
        assert all(ask.history(s["key"]) for s in others)
        assert {page.source for page in ask.failures()} == {s["key"] for s in swallowed}
