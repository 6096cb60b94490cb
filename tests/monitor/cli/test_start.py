"""Starting quickly: what a command loads, and that every command of the contract is there."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from monitor.cli import LAZY, mubiao

COMMANDS = {
    "run", "worker", "check", "demo", "init", "import", "extract", "targets extract", "targets compare", "targets list",
    "targets timeline", "targets attainment", "targets rank", "targets explain", "targets reread", "changes", "history",
    "show", "diff", "search", "sources list", "sources test", "sources add", "sources import", "sources discover",
    "sources noise", "sources schema", "sources health", "alerts list", "alerts preview", "alerts test", "alerts retry",
    "export", "db upgrade", "db backup", "db restore", "db check", "db prune", "db copy", "doctor",
}  # fmt: skip
NOT_THERE_YET = [
    ("worker",),
    ("export", "panel"),
    ("export", "warc"),
    ("export", "changes", "--format", "parquet"),
]
# what a query must not pay for; apscheduler's triggers are loaded because sources.yaml's crontab lines are checked
HEAVY = ("alembic", "apscheduler.schedulers", "httpx", "starlette", "uvicorn", "prometheus_client", "standardwebhooks")
PROBE = """
import json, sys
from monitor import cli
try:
    cli.main()
except SystemExit as stop:
    code = stop.code
sys.stderr.write(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


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


@pytest.mark.parametrize("arguments", NOT_THERE_YET, ids=" ".join)
def test_what_is_not_there_yet_says_so_in_one_line(desk: Any, arguments: tuple[str, ...]) -> None:
    done = desk.run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert "not there yet" in done.err


@pytest.fixture
def loaded(desk: Any) -> Callable[..., tuple[int, set[str]]]:
    """`loaded("targets", "list")`: the exit status and every module of a process of its own."""

    def probe(*arguments: str) -> tuple[int, set[str]]:
        process = desk.spawn(*arguments, code=PROBE)
        _, err = process.communicate(timeout=60)
        answer = json.loads(err[err.index('{"code"') :])
        return answer["code"], set(answer["modules"])

    return probe


def test_help_and_version_load_nothing_of_the_product(loaded: Callable[..., tuple[int, set[str]]]) -> None:
    for option in ("--help", "--version"):
        code, modules = loaded(option)
        assert code == 0
        assert {m for m in modules if m.startswith(("storage", "alerts", "sqlalchemy", "rich", *HEAVY))} == set()
        assert {m for m in modules if m.startswith("monitor.")} <= {"monitor.cli", "monitor.cli.lazy", "monitor.errors"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("targets", "list", "--json"),
        ("search", "目标"),
        ("diff", "v1", "v2"),
        ("alerts", "list"),
        ("sources", "list"),
    ],
    ids=" ".join,
)
def test_a_query_loads_nothing_that_only_a_daemon_needs(
    desk: Any, web: Any, page_of: Callable[..., str], loaded: Callable[..., tuple[int, set[str]]], arguments: Any
) -> None:
    first, second = desk.folder / "1.txt", desk.folder / "2.txt"
    first.write_text("云岭区二〇二五年主要预期目标：地区生产总值增长6%左右。", encoding="utf-8")
    second.write_text("云岭区二〇二六年主要预期目标：地区生产总值增长5%左右。", encoding="utf-8")
    desk.watch({"key": "a", "url": web.url})
    assert desk.run("import", first, second, "--source", "a").code == 0
    code, modules = loaded(*arguments)
    assert code == 0
    assert {m for m in modules if m in HEAVY} == set()


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
