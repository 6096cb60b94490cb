"""Ctrl-C, SIGTERM and SIGHUP, in processes of their own: what was finished is saved, the rest runs next time."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from alerts import rules
from storage import migrate
from storage.store import Store

TEXT = [
    "云岭区人民政府今天召开全体会议，研究部署下一阶段重点工作，区长主持会议并讲话，各部门负责同志参加会议。",
    "会议指出，全区要坚持稳中求进工作总基调，地区生产总值增长6%左右，固定资产投资增长8%，城镇新增就业3000人。",
]
PATIENCE = 60  # seconds for a process on a busy machine: a start alone has been seen to take nine
KILLED = 9.0  # a container is killed ten seconds after SIGTERM


@pytest.fixture
def daemon(desk: Any) -> Callable[..., Popen[str]]:
    """`daemon()`: `mubiao run`, ready when this returns."""

    def start(*arguments: str) -> Popen[str]:
        process: Popen[str] = desk.spawn("run", "--port", "0", "--log", "json", *arguments)
        until(process, '"watching"')
        return process

    return start


def until(process: Popen[str], word: str) -> str:
    """Read the log up to a line with this word; that line."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if word in line:
            return line
    raise AssertionError("".join(seen))


def drained(log: str) -> float:
    """Seconds from `stopping` to `stopped`, by the daemon's own log."""
    at = {event: line["timestamp"] for line in map(json.loads, log.splitlines()) if (event := line.get("event"))}
    return (datetime.fromisoformat(at["stopped"]) - datetime.fromisoformat(at["stopping"])).total_seconds()


def owe(desk: Any, *channels: str) -> None:
    """An alert for each of these channels in the outbox."""
    now = datetime.now(UTC)
    (desk.folder / "data").mkdir()
    migrate.upgrade(desk.db, now)
    with Store(desk.db) as store:
        assert store.enqueue([rules.trial(name, now=now) for name in channels], now) == len(channels)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_keeps_what_it_finished(
    desk: Any, web: Any, page_of: Callable[..., str], number: signal.Signals
) -> None:
    web.put("/a", page_of("区政府全体会议", *TEXT))
    web.silent.add("/slow")
    desk.watch({"key": "a", "url": web.url + "/a"}, {"key": "slow", "url": web.url + "/slow"})
    process = desk.spawn("check", "--all", "--json")
    assert web.stuck.wait(PATIENCE), process.kill() or process.communicate()[1]
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    done = json.loads(out)
    assert done["finished"]
    assert "Traceback" not in err
    with desk.queries() as ask:
        kept = len(ask.history("a")) if "/a" in web.asked else 0
    assert done["new"] == kept
    web.silent.clear()
    web.put("/slow", page_of("另一个页面", *reversed(TEXT)))
    again = desk.run("check", "--all", "--json")
    assert again.code == 0, again.err
    assert again.json["checked"] == 2
    assert (again.json["failed"], again.json["new"] + again.json["unchanged"]) == (0, 2)


def test_a_broken_sources_file_is_placed_and_nothing_is_fetched(desk: Any, web: Any) -> None:
    desk.watch({"key": "a", "url": web.url + "/a"}, {"key": "b", "url": web.url + "/b"})
    text = desk.config.read_text().replace("key: b", "key: b\n  evry: 3h")
    desk.config.write_text(text)
    line = 1 + text[: text.index("evry")].count("\n")
    process = desk.spawn("check", "--all")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert re.search(rf"sources\.yaml:{line}:3: .*evry.*every", err)
    assert web.asked == []
    assert not (desk.folder / "data").exists()


def test_a_daemon_runs_ends_quickly_and_keeps_others_out(desk: Any, web: Any, page_of: Callable[..., str]) -> None:
    web.put("/a", page_of("区政府全体会议", *TEXT))
    desk.watch({"key": "a", "url": web.url + "/a"})
    process = desk.spawn("run", "--port", "0", "--log", "json")
    address = json.loads(until(process, '"web"'))["address"]
    until(process, '"watching"')
    with urllib.request.urlopen(address + "healthz", timeout=5) as answer:
        assert json.load(answer)["ok"] is True
    port = address.rstrip("/").rpartition(":")[2]
    for arguments in (("run", "--port", port), ("check", "--all"), ("import", "sources.yaml", "--source", "x")):
        other = desk.run(*arguments)
        assert other.code == 2
        assert str(process.pid) in other.err
    assert desk.run("sources", "list", "--json").code == 0  # asking is free
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert drained(err) < 3
    assert desk.run("check").code == 0


def test_a_broken_file_at_a_reload_keeps_the_old_one(
    desk: Any, web: Any, daemon: Callable[..., Popen[str]], tmp_path: Path
) -> None:
    desk.watch({"key": "a", "url": web.url + "/a"})
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(PATIENCE)
    desk.environ |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    process = daemon("--no-web")

    def hears(*words: str) -> None:
        """What systemd is told, in this order; signs of life come between."""
        for word in words:
            while not manager.recv(4096).startswith(word.encode()):
                pass

    hears("READY", "WATCHDOG")
    good = desk.config.read_text()
    desk.config.write_text(good + "nonsense: 1\n")
    process.send_signal(signal.SIGHUP)
    assert "nonsense" in until(process, "not taken over")
    hears("RELOADING", "READY=1\nSTATUS=the old")
    desk.config.write_text(good.replace("key: a", "key: renamed"))
    process.send_signal(signal.SIGHUP)
    until(process, '"sources.yaml taken over"')
    with desk.queries() as ask:
        assert {row["key"] for row in ask.sources()} >= {"renamed"}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in err
    hears("STOPPING")
    manager.close()


def test_receivers_that_hang_do_not_hold_up_the_end(desk: Any, web: Any, daemon: Callable[..., Popen[str]]) -> None:
    web.silent.add("/hook")
    desk.watch(
        channels={
            "hook": {"type": "webhook", "url": web.url + "/hook"},
            "desk": {"type": "email", "to": ["a@b.example"]},
        }
    )
    desk.environ["MUBIAO_SMTP_URL"] = f"smtp://127.0.0.1:{web.port}?tls=none&from=m@watch.example"  # never greets
    owe(desk, "hook", "desk")
    process = daemon("--no-web")
    assert web.stuck.wait(PATIENCE)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert drained(err) < KILLED
    assert "Traceback" not in err
    with desk.queries() as ask:
        assert {a.channel for a in ask.alerts("pending")} == {"hook", "desk"}


def test_a_check_interrupted_while_it_delivers_says_what_it_did(
    desk: Any, web: Any, page_of: Callable[..., str]
) -> None:
    web.put("/a", page_of("区政府全体会议", *TEXT))
    web.silent.add("/hook")
    desk.watch({"key": "a", "url": web.url + "/a"}, channels={"hook": {"type": "webhook", "url": web.url + "/hook"}})
    owe(desk, "hook")
    process = desk.spawn("check", "--all", "--json")
    assert web.stuck.wait(PATIENCE), process.kill() or process.communicate()[1]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert json.loads(out)["new"] == 1
    assert "Traceback" not in err
    with desk.queries() as ask:
        assert [a.channel for a in ask.alerts("pending")] == ["hook"]
        assert len(ask.history("a")) == 1


@pytest.mark.parametrize(("level", "heard"), [("info", False), ("debug", True)])
def test_the_warnings_of_the_scheduler_are_for_whoever_looks_for_bugs(desk: Any, level: str, heard: bool) -> None:
    code = (
        "import logging, sys; from monitor.cli.checking import configure_log;"
        "configure_log(form='json', level=sys.argv[1]);"
        "logging.getLogger('apscheduler.scheduler').warning('maximum of %s reached', 1)"
    )
    _, err = desk.spawn(level, code=code).communicate(timeout=20)
    assert ("maximum of 1 reached" in err) is heard


def test_a_log_that_cannot_be_written_stops_nothing(desk: Any) -> None:
    code = (
        "import sys, structlog; from monitor.cli.checking import configure_log;"
        "sys.stderr = open('/dev/full', 'w', buffering=1); configure_log(form='json', level='info');"
        "structlog.get_logger().error('x' * 10000); print('goes on', flush=True); import os; os._exit(0)"
    )
    out, _ = desk.spawn(code=code).communicate(timeout=20)
    assert out == "goes on\n"


def test_a_log_that_nobody_reads_stops_nothing_and_says_so_later(desk: Any) -> None:
    """The daemon stood still at the first line for which the pipe had no room, and answered nobody."""
    code = """
import signal, structlog
from monitor.cli.checking import configure_log
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
configure_log(form="json", level="info")
for number in range(100):
    structlog.get_logger().error("字" * 3000)
print("goes on", flush=True)
signal.sigwait({signal.SIGUSR1})
structlog.get_logger().error("the end")
"""
    process = desk.spawn(code=code)
    assert process.stdout.readline() == "goes on\n"
    while len(os.read(process.stderr.fileno(), 65536)) == 65536:
        pass
    process.send_signal(signal.SIGUSR1)
    _, err = process.communicate(timeout=PATIENCE)
    *_, told, last = map(json.loads, err.splitlines())
    assert told["event"] == "nobody read the log"
    assert told["lines_lost"] > 90
    assert last["event"] == "the end"


def test_a_process_without_its_three_files_does_what_it_is_asked_for(desk: Any) -> None:
    """`mubiao run <&- >&- 2>&-`, as some init scripts start a service, ended with 1 and no word."""
    desk.watch()
    code = "import os, sys; os.closerange(0, 3); os.execv(sys.executable, [sys.executable, '-m', 'monitor', 'check'])"
    assert desk.spawn(code=code).wait(PATIENCE) == 0
    assert (desk.folder / "data/mubiao.db").exists()


def test_a_service_begins_when_its_server_answers_and_its_disk_has_room(desk: Any) -> None:
    """Either met at a start ended it with 2, after which systemd starts nothing again."""
    code = """
from monitor.cli.checking import configure_log, persisting
from monitor.cli.session import Session
from storage.database import FullError
from storage.postgres import GoneError

trouble = [GoneError("away"), FullError("full"), OSError(28, "no space"), FullError("full"), OSError(13, "not yours")]

def begin():
    raise trouble.pop(0)

configure_log(form="console", level="info")
try:
    persisting(Session("sources.yaml", "sqlite:///none.db", "en", False), begin, 0.01)
except OSError as wrong:
    print(wrong.errno, len(trouble))
"""
    out, err = desk.spawn(code=code).communicate(timeout=PATIENCE)
    assert out == "13 0\n"
    assert (err.count("away; waiting"), err.count("full; waiting"), err.count("no space; waiting")) == (1, 1, 1)


def test_a_service_that_waits_for_its_database_ends_when_it_is_told_to(desk: Any) -> None:
    desk.watch({"key": "a", "url": "http://yunling.example/"})
    process = desk.spawn("run", "--no-web", "--log", "console", "--db", "postgresql://nobody@127.0.0.1:9/mubiao")
    line = until(process, "waiting for it")
    assert "\x1b" not in line, "a file is no terminal"
    process.send_signal(signal.SIGHUP)  # what was written is seen when it begins
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
