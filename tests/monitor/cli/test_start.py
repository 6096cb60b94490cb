"""Starting quickly: what a command loads, and that every command of the contract is there."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import shell_complete

from monitor.cli import INSIDE, LAZY, mubiao

COMMANDS = {
    "run", "worker", "check", "demo", "init", "import", "extract", "targets extract", "targets compare", "targets list",
    "targets timeline", "targets attainment", "targets rank", "targets explain", "targets reread", "changes", "history",
    "show", "diff", "search", "sources list", "sources test", "sources add", "sources import", "sources discover",
    "sources noise", "sources schema", "sources health", "alerts list", "alerts preview", "alerts test", "alerts retry",
    "export", "db upgrade", "db backup", "db restore", "db check", "db prune", "db copy", "doctor",
}  # fmt: skip
# what a query must not pay for
HEAVY = (
    "alembic", "apscheduler", "httpx", "httpcore", "starlette", "uvicorn", "prometheus_client", "standardwebhooks",
    "monitor.net", "monitor.fetch", "monitor.web", "monitor.schedule",
)  # fmt: skip
PROBE = """
import json, sys
from monitor import cli
code, seen = [], []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["mubiao", *arguments]
    try:
        cli.main()
    except SystemExit as stop:
        code.append(stop.code)
    seen.append(sorted(sys.modules))
sys.stderr.write(json.dumps({"code": code, "modules": seen}))
"""
COMPLETIONS = {
    "mubiao ta": {"targets"}, "mubiao targets l": {"list"}, "mubiao db ": {"backup", "check", "copy"},
    "mubiao --v": {"--version"}
}  # fmt: skip


def tree(group: click.Command, before: str = "") -> dict[str, click.Command]:
    """Every command that can be called, by its whole name."""
    if not isinstance(group, click.Group):
        return {before: group}
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        child = group.get_command(context, name)
        assert child is not None
        found |= tree(child, f"{before} {name}".strip())
    return found


def test_every_command_of_the_contract_is_there_and_says_what_it_does() -> None:
    found = tree(mubiao)
    assert set(found) >= COMMANDS
    for name, command in found.items():
        assert command.help, name


def test_the_lines_of_the_first_help_are_those_of_the_commands() -> None:
    context = click.Context(mubiao)
    for name, (_, line) in LAZY.items():
        command = mubiao.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200) == line


def test_every_query_speaks_json_and_every_command_takes_the_common_options() -> None:
    both = {"changes", "history", "search", "sources list", "sources health", "alerts list", "targets list"}
    both |= {"sources noise"} | {f"targets {x}" for x in ("compare", "timeline", "attainment", "rank")}
    for name, command in tree(mubiao).items():
        options = {o for p in command.params for o in p.opts}
        if name in both:
            assert {"--json", "--jsonl"} <= options, name
        if name not in ("sources schema", "sources import", "sources discover"):
            assert {"--config", "--db", "--lang"} <= options, name


def test_what_a_shell_is_told_of_a_group_are_its_commands() -> None:
    context = click.Context(mubiao)
    groups = {name: mubiao.get_command(context, name) for name in LAZY}
    told = {
        name: {word: command.get_short_help_str(200) for word, command in group.commands.items()}
        for name, group in groups.items()
        if isinstance(group, click.Group)
    }
    assert told == INSIDE


Loaded = Callable[..., list[set[str]]]


@pytest.fixture
def loaded(desk: Any) -> Loaded:
    """`loaded(("search", "a"), ("changes",))`: every module of one process after each of these commands."""

    def probe(*commands: tuple[str, ...], **environ: str) -> list[set[str]]:
        desk.environ |= environ
        process = desk.spawn(json.dumps(commands), code=PROBE)
        _, err = process.communicate(timeout=60)
        answer = json.loads(err[err.index('{"code"') :])
        assert answer["code"] == [0] * len(commands)
        return [set(x) for x in answer["modules"]]

    return probe


def of_ours(modules: set[str]) -> set[str]:
    return {m for m in modules if m.startswith(("monitor.", "storage", "alerts", "sqlalchemy", "rich", *HEAVY))}


LIGHT = {"monitor.cli", "monitor.cli.lazy", "monitor.errors"}


def test_help_version_and_completion_load_nothing_of_the_product(loaded: Loaded) -> None:
    [*_, modules] = loaded(("--help",), ("--version",))
    assert of_ours(modules) <= LIGHT


@pytest.mark.parametrize("line", COMPLETIONS)
def test_completion_names_what_goes_on_so_and_imports_no_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    before = set(sys.modules)
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    assert shell_complete(mubiao, {}, "mubiao", "_MUBIAO_COMPLETE", "bash_complete") == 0
    assert {x.split(",")[1] for x in capsys.readouterr().out.split()} >= COMPLETIONS[line]
    assert of_ours(set(sys.modules) - before) <= LIGHT


def test_a_query_loads_nothing_that_only_a_daemon_needs(desk: Any, loaded: Loaded) -> None:
    first, second = desk.folder / "1.txt", desk.folder / "2.txt"
    first.write_text("云岭区二〇二五年主要预期目标：地区生产总值增长6%左右。", encoding="utf-8")
    second.write_text("云岭区二〇二六年主要预期目标：地区生产总值增长5%左右。", encoding="utf-8")
    desk.watch()
    assert desk.run("import", first, second, "--source", "a").code == 0
    queries = [
        ("changes",), ("history", "a"), ("show", "a"), ("diff", "v1", "v2"), ("search", "目标"),
        ("targets", "list", "--json"), ("sources", "list"), ("alerts", "list"),
    ]  # fmt: skip
    for query, modules in zip(queries, loaded(*queries), strict=True):
        assert {m for m in modules if m.startswith(HEAVY)} == set(), query


def test_stored_targets_are_listed_without_what_reads_or_compares_documents(desk: Any, loaded: Loaded) -> None:
    desk.watch()
    text = desk.folder / "1.txt"
    text.write_text("云岭区二〇二五年主要预期目标：地区生产总值增长6%左右。", encoding="utf-8")
    assert desk.run("import", text, "--source", "a").code == 0
    [modules] = loaded(("targets", "list"))
    readers = ("monitor.assess", "monitor.text", "monitor.review.sides", "monitor.targets.extract", *HEAVY)
    assert {m for m in modules if m.startswith(readers)} <= {"monitor.text", "monitor.text.segment"}


def test_no_file_but_the_command_line_imports_inside_functions() -> None:
    here = Path(__file__).resolve().parents[3]
    found = []
    for room in ("monitor", "storage", "alerts"):
        for path in (here / room).rglob("*.py"):
            parsed = ast.parse(path.read_text(encoding="utf-8"))
            functions = [n for n in ast.walk(parsed) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            inside = [x for f in functions for x in ast.walk(f) if isinstance(x, ast.Import | ast.ImportFrom)]
            if inside and "cli" not in path.relative_to(here).parts:
                found.append(str(path.relative_to(here)))
    assert found == []
