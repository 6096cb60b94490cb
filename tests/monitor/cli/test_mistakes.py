"""Odd arguments, missing files, damaged databases: one line that says what is wrong, never a traceback."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import out


@pytest.fixture
def filled(desk: Any) -> Any:
    """A desk with a little configuration and one imported document, `v1` of source `archive`."""
    text = desk.folder / "report.txt"
    text.write_text("云岭区2026年主要预期目标：\n地区生产总值增长6%左右，固定资产投资增长8%。\n", encoding="utf-8")
    desk.watch({"key": "yunling", "url": "http://yunling.example/", "kind": "listing"})
    assert desk.run("import", text, "--source", "archive").code == 0
    return desk


SAID = "云岭区全面推进各项工作，取得了明显成效，群众满意度持续提升，社会大局和谐稳定。"
WRONG = [
    "show nonsense", "show v999", "show", "show v1 --at never", "show v1 --at 1999-01-01", "show v1 --raw no/such/x",
    "show v1 --db bogus", "show v1 --db postgresql://127.0.0.1:1/x", "db copy sqlite:///no.db b", "show v1 --db sqlite:///no.db",
    "show v1 --db sqlite:///text.db", "history nonsense", "diff v1", "diff v1 nonsense", "diff v1 v1 --context -1",
    "search *", "changes --since bad", "changes --since 99999999d", "changes --since 0001-01-01", "changes --limit 0",
    "changes --kind odd", "changes --json --jsonl", "changes --min-significance 7", "targets compare no nope",
    "targets rank", "targets timeline", "targets timeline --indicator x --svg no/such/x.svg --json",
    "targets explain nope", "targets explain v1 --html no/such/x.html", "targets extract no.txt", "export nothing",
    "db prune", "db prune --older-than soon", "db restore no.db --yes", "db restore text.db --yes", "db backup .",
    "db check --db sqlite:///text.db", "sources test nope", "sources add nope", "alerts retry", "alerts preview nope",
    "alerts test nope", "check nope", "check --config no.yaml", "check --config .", "check --config binary.yaml",
    "check --db sqlite:///", "check --db sqlite:///file/below/x.db", "init", "init --config no/such/x.yaml",
    "import no.txt --source a", "import empty.txt --source a", "import noise.bin --source a",
    "import paper.pdf --source a",    "import text.db --source a --date soon", "import text.db --source b/c",
    "import . --source a --release 2022",
    "extract", "extract --batch no.jsonl", "extract --batch .", "extract --batch list.jsonl",
    "extract --batch binary.yaml",    "run --port 99999", "run --host no-such-host.invalid",
    "demo --dir .", "nosuch", "--nosuch",
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_mistake_is_named_and_nothing_is_done(filled: Any, line: str) -> None:
    (filled.folder / "text.db").write_text("not a database, only words, but long enough for a header of one\n" * 9)
    (filled.folder / "empty.txt").touch()
    (filled.folder / "noise.bin").write_bytes(bytes(range(256)) * 400)
    (filled.folder / "paper.pdf").write_bytes(b"%PDF-1.4")
    (filled.folder / "binary.yaml").write_bytes(b"\xff\xfa\x00")
    (filled.folder / "list.jsonl").write_text("[1]\n")
    (filled.folder / "file").touch()
    before = sorted(p for p in filled.folder.rglob("*") if p.parent.name != "data")
    done = filled.run(*line.split())
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.strip()
    assert sorted(p for p in filled.folder.rglob("*") if p.parent.name != "data") == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run --port {port}", "--port takes another"),
        ("worker --port {port} --db postgresql://127.0.0.1:9/x", "--port takes another"),
        ("run --host 192.0.2.1", "--host takes an address of this machine"),
        ("check --all", "MUBIAO_CHROMIUM=/nowhere is no program"),
        ("run --port 0", "MUBIAO_CHROMIUM=/nowhere is no program"),
    ],
)
def test_who_cannot_begin_leaves_nothing_behind(
    desk: Any, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    rendered = {"render": "browser"} if "CHROMIUM" in words else {}
    monkeypatch.setenv("MUBIAO_CHROMIUM", "/nowhere")
    desk.watch({"key": "a", "url": "http://yunling.example/", **rendered})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = desk.run(*line.format(port=port).split())
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert words in done.err
    assert str(port) in done.err or "{port}" not in line
    assert [p.name for p in desk.folder.iterdir()] == ["sources.yaml"]


@pytest.mark.parametrize(
    "line", ["changes", "search 增长", "targets list", "targets attainment", "targets rank --indicator 地区生产总值"]
)
def test_a_source_that_is_not_there_is_no_empty_answer(filled: Any, line: str) -> None:
    done = filled.run(*line.split(), "--source", "archve")
    assert (done.code, done.out) == (2, "")
    assert "did you mean archive?" in done.err
    assert filled.run(*line.split(), "--source", "archive").code == 0


def test_a_source_that_is_switched_off_is_said_not_to_be_checked(desk: Any) -> None:
    desk.watch({"key": "a", "url": "http://127.0.0.1:1/", "enabled": False})
    done = desk.run("check", "a", "--lang", "en", "--json")
    assert (done.code, done.json["checked"]) == (0, 0)
    assert "a was not checked" in done.err and "enabled: false" in done.err


@pytest.mark.parametrize("at", [8192, 4096 * 20])
def test_a_damaged_database_is_said_to_be_and_how_to_look(filled: Any, at: int) -> None:
    path = filled.folder / "data" / "mubiao.db"
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    data = bytearray(path.read_bytes())
    data[at:] = random.Random(at).randbytes(len(data) - at)
    path.write_bytes(data)
    done = filled.run("db", "check", "--json")
    assert done.code == 1, done.err
    assert done.json["findings"]
    assert done.json["findings"][0]["what"] == "file"
    for line in ("history archive", "show archive", "check"):
        wrong = filled.run(*line.split())
        assert (wrong.code, wrong.out) == (2, "")
        assert "mubiao db check" in wrong.err and wrong.err.count("\n") == 1


def test_a_file_that_fails_is_named_and_the_others_are_answered(filled: Any) -> None:
    (filled.folder / "noise.bin").write_bytes(bytes(range(256)) * 400)
    names = ["report.txt", "no.txt", "noise.bin", "."]
    done = filled.run("extract", *names, "--jsonl")
    assert done.code == 1
    assert [row["path"] for row in done.lines] == names
    assert [row["error"] is None for row in done.lines] == [True, False, False, False]
    assert all(row["kind"] == "error" for row in done.lines[1:])


def test_a_query_without_a_database_says_how_to_get_one(desk: Any) -> None:
    for line in ("show v1", "changes", "history x", "search x", "targets list", "alerts list", "export targets"):
        done = desk.run(*line.split())
        assert done.code == 2
        assert "no database yet" in done.err
    assert list(desk.folder.iterdir()) == []


def test_an_empty_database_answers_with_nothing(desk: Any) -> None:
    assert desk.run("db", "upgrade").code == 0
    for line in ("changes", "search x", "targets list", "alerts list", "export targets", "export versions"):
        done = desk.run(*line.split())
        assert (done.code, done.out) == (0, ""), line
    assert desk.run("sources", "health", "--json").json == []


def test_a_reader_that_has_seen_enough_is_no_error(filled: Any) -> None:
    long = filled.folder / "long.txt"
    long.write_text(
        "\n".join(f"云岭区第{i}项工作顺利推进，各项任务按期完成。" for i in range(20_000)), encoding="utf-8"
    )
    command = f"{sys.executable} -m monitor extract long.txt | head -1; exit ${{PIPESTATUS[0]}}"
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=filled.folder,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"rror" not in done.stderr


def test_what_is_piped_has_no_colour_and_does_not_wrap(filled: Any) -> None:
    for line in ("history archive", "targets list", "sources list", "show v1", "doctor", "targets extract report.txt"):
        done = filled.run(*line.split())
        assert "\x1b" not in done.out + done.err
    (row,) = [x for x in filled.run("targets", "list").out.splitlines() if "8%" in x]
    assert "archive" in row


def test_a_title_cannot_steer_the_terminal(filled: Any, page_of: Callable[..., str]) -> None:
    hostile = filled.folder / "hostile.html"
    hostile.write_text(
        page_of("报告\x1b[2J\u202e终端", "云岭区全面推进各项工作，取得了明显成效，\x1b]0;x\x07 群众满意度持续提升。")
    )
    assert filled.run("import", hostile, "--source", "archive").code == 0
    for line in ("history archive", "show v2", "extract hostile.html", "search 满意度", "export versions"):
        done = filled.run(*line.split())
        assert done.code == 0, done.err
        assert not {"\x1b", "\x07", "\u202e"} & set(done.out + done.err) or line == "export versions"


def test_a_table_cell_is_no_formula(filled: Any, page_of: Callable[..., str]) -> None:
    path = filled.folder / "sum.html"
    path.write_text(page_of("=HYPERLINK(0)", SAID))
    filled.run("import", path, "--source", "archive")
    assert "'=HYPERLINK(0)" in filled.run("history", "archive", "--csv").out


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＠"])  # a spreadsheet in Chinese takes the wide ones, too
def test_signs_of_a_formula(sign: str) -> None:
    assert out._cell(f"{sign}SUM(1)") == f"'{sign}SUM(1)"


def test_a_directory_that_cannot_be_written(filled: Any) -> None:
    taken = filled.folder / "taken"  # a file in the way stops root too, which permissions do not
    taken.write_text("")
    done = filled.run("check", "--db", f"sqlite:///{taken}/mubiao.db")
    assert done.code == 2
    assert "taken" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--config x.yaml check", "mubiao check --config …"),
        ("--db x.db sources list", "mubiao sources --db …"),
        ("sources --json list", "mubiao sources list --json …"),
        ("--config x.yaml", "mubiao COMMAND --config …"),
    ],
)
def test_an_option_before_its_command_is_told_its_place(filled: Any, line: str, words: str) -> None:
    done = filled.run(*line.split())
    assert (done.code, done.out) == (2, "")
    assert f"Options stand behind the command: {words}" in done.err
