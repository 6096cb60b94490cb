"""The documents and the product say the same: what exists is documented, what is documented exists and works."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from standardwebhooks import Webhook

from monitor import config, wire
from monitor.cli import mubiao
from monitor.model import FAILURE_WORDS, Alert, Change, Document, Edit, Source, Target, TargetChange
from monitor.targets.attainment import REASONS
from monitor.targets.between import MISSING
from monitor.targets.compare import FLAGS

ROOT = Path(__file__).parents[1]
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
NOW = datetime(2026, 1, 20, 6, tzinfo=UTC)


def text(name: str) -> str:
    """One document."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.S | re.M)


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


# --------------------------------------------------------------------------- commands


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the tree, groups left out."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(commands(mubiao))


def test_the_command_tree_is_walked() -> None:
    assert ("check",) in COMMANDS
    assert ("targets", "compare") in COMMANDS


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_its_place_in_the_table(command: tuple[str, ...], readme: str) -> None:
    rows = [line.split(" | ")[0] for line in text(readme).splitlines() if line.startswith("| `mubiao ")]
    assert any(f"`mubiao {' '.join(command)}`" in row for row in rows)


def test_the_tables_name_no_command_that_is_not_there() -> None:
    cells = [line.split(" | ")[0] for line in text("README.md").splitlines() if line.startswith("| `mubiao ")]
    assert {tuple(c.split()) for cell in cells for c in re.findall(r"`mubiao ([^`]+)`", cell)} == set(COMMANDS)


@pytest.mark.parametrize(("readme", "words"), [("README.md", "not there yet"), ("README.zh.md", "还没有")])
def test_commands_that_are_not_there_yet_are_told_apart(readme: str, words: str) -> None:
    rows = [line for line in text(readme).splitlines() if line.startswith("| `mubiao ") and words in line]
    told = {tuple(c.split()) for row in rows for c in re.findall(r"`mubiao ([^`]+)`", row)}
    assert told == {path for path in COMMANDS if "not there yet" in (command_of(path).help or "")}


def command_of(path: tuple[str, ...]) -> click.Command:
    found: click.Command | None = mubiao
    for name in path:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    assert found is not None
    return found


def examples() -> Iterator[Any]:
    """Every call of mubiao in a shell block of a document."""
    for document in DOCUMENTS:
        for block in blocks(named(document), "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("mubiao "):
                    yield pytest.param(line, id=f"{named(document)}: {line[:60].strip()}")


@pytest.mark.parametrize("line", list(examples()))
def test_every_command_line_of_a_document_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((i for i, w in enumerate(words) if w in {"|", ">", "&&"}), len(words))]
    command: click.Command = mubiao
    context = click.Context(mubiao)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    given, rest, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert not rest
    for parameter in command.params:
        value = given.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, None)
        assert not (parameter.required and value in (None, ()))


# --------------------------------------------------------------------------- two languages


def without_comments(block: str) -> list[str]:
    return [re.sub(r"\s+#\s.*$", "", line).rstrip() for line in block.splitlines()]


@pytest.mark.parametrize("language", ["sh", "yaml", "python"])
def test_both_readmes_show_the_same_code(language: str) -> None:
    english, chinese = (blocks(name, language) for name in ("README.md", "README.zh.md"))
    assert english
    assert [without_comments(b) for b in english] == [without_comments(b) for b in chinese]


def test_both_readmes_have_the_same_sections_and_lists() -> None:
    shape = [
        [re.match(r"(#+|- |\| `mubiao [^|]*)?", line)[0] for line in text(name).splitlines()]  # type: ignore[index]
        for name in ("README.md", "README.zh.md")
    ]
    assert [x for x in shape[0] if x] == [x for x in shape[1] if x]


# --------------------------------------------------------------------------- sources.yaml


def section(name: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return text(name).split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(body: str) -> dict[str, list[str]]:
    """Rows of a table by the code word in their first cell."""
    rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines() if line.startswith("| `"))
    return {row[0].strip().strip("`"): [cell.strip().replace("\\|", "|") for cell in row[1:]] for row in rows}


def keys(part: str) -> set[str]:
    """The keys of a part of sources.yaml, by its JSON Schema."""
    schema = config.schema()["properties"][part]
    return set((schema.get("items") or schema.get("additionalProperties") or schema)["properties"])


@pytest.mark.parametrize("part", ["sources", "network", "channels", "subscriptions"])
def test_every_key_of_sources_yaml_is_documented_and_no_other(part: str) -> None:
    assert set(table(section("docs/sources.md", part))) == keys(part)


def test_defaults_take_what_sources_take() -> None:
    assert keys("defaults") == keys("sources") - {"key", "url"}
    assert set(config.schema()["properties"]) == set(re.findall(r"^\| `(\w+)` \|", text("docs/sources.md"), re.M)[:7])


@pytest.mark.parametrize(
    ("part", "key"), [("sources", "kind"), ("sources", "render"), ("sources", "tls"), ("channels", "type")]
)
def test_choices_are_documented_and_what_is_not_there_yet_is_none(part: str, key: str) -> None:
    schema = config.schema()["properties"][part]
    choices = (schema.get("items") or schema.get("additionalProperties"))["properties"][key]["enum"]
    said = " ".join(table(section("docs/sources.md", part))[key])
    assert [c for c in choices if f"`{c}`" not in said] == []
    later = re.findall(r"`(\w+)`(?: and `(\w+)`)?(?: \([^)]*\))? (?:is|are) not there yet", said)
    assert {word for words in later for word in words if word} & set(choices) == set()


def test_keys_inside_keys_are_documented() -> None:
    rows = table(section("docs/sources.md", "sources"))
    for name in ("season", "links"):
        schema = config.schema()["properties"]["sources"]["items"]["properties"][name]
        inner = (schema.get("anyOf") or [schema])[0]["properties"]
        assert [k for k in inner if f"`{k}`" not in rows[name][1]] == []


ROWS = table(section("docs/sources.md", "sources"))


def source(tmp_path: Path, line: str = "") -> Source:
    """A source whose entry has this line."""
    path = tmp_path / "sources.yaml"
    path.write_text(f'sources:\n  - key: a\n    url: "http://a.example/"\n{line}', encoding="utf-8")
    return config.load(path).sources[0]


@pytest.mark.parametrize("key", [k for k, row in ROWS.items() if row[0].startswith("`")])
def test_defaults_are_what_the_document_says(key: str, tmp_path: Path) -> None:
    assert source(tmp_path, f"    {key}: {ROWS[key][0].strip('`')}\n") == source(tmp_path)


@pytest.mark.parametrize("key", sorted(set(ROWS) - {"key", "url"}))
def test_examples_of_keys_are_taken(key: str, tmp_path: Path) -> None:
    needed = "    kind: listing\n" if key == "post" else ""
    made = source(tmp_path, f"{needed}    {key}: {ROWS[key][-1].strip('`')}\n")
    assert made.key == "a"


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "docs/sources.md"])
def test_whole_examples_of_sources_yaml_load(name: str, tmp_path: Path) -> None:
    for block in blocks(name, "yaml"):
        (tmp_path / "sources.yaml").write_text(re.sub(r"(?m)^include:.*\n", "", block), encoding="utf-8")
        made = config.load(tmp_path / "sources.yaml")
        assert made.sources
        assert made.subscriptions
        assert made.warnings == ()


def test_every_variable_of_the_environment_is_documented() -> None:
    used = {
        name
        for package in ("monitor", "storage", "alerts")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"\bMUBIAO_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert "MUBIAO_DB" in used
    assert [name for name in sorted(used) if name not in text("docs/operations.md")] == []


# --------------------------------------------------------------------------- JSON


def test_every_failure_word_has_its_meaning() -> None:
    meanings: dict[str, str] = {}
    for line in section("docs/json.md", "FAILURE").splitlines():
        if line.startswith("| `"):
            words, meaning = line.strip("| ").split(" | ")
            meanings |= dict.fromkeys(re.findall(r"`(\w+)`", words), meaning)
    assert set(meanings) == set(FAILURE_WORDS)
    assert all(len(meaning) > 10 for meaning in meanings.values())


ITEM = Target("target", 0, 1, "", 0, 1, "6%", "地区生产总值")
LINE = TargetChange("地区生产总值", "地区生产总值", "growth", "raised", ITEM, ITEM)
CHANGE = Change("content", NOW, "a", "http://a.example/", edits=(Edit("insert"),), targets=(LINE,))
SHAPES: dict[str, wire.JSON] = {
    "extract": wire.extracted(Document()),
    "ITEM: a target or actual": wire.target(ITEM),
    "targets compare": wire.target_change(LINE),
    "CHANGE": wire.change(CHANGE),
    "alerts list": wire.alert(Alert("msg_1", "k", "desk", "test", {})),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_documented(shape: str) -> None:
    body = section("docs/json.md", shape)
    assert [name for name in SHAPES[shape] if not re.search(rf"[`\"]{name}[`\"]", body)] == []


@pytest.mark.parametrize("word", [*FLAGS, *REASONS, *MISSING])
def test_flags_and_reasons_are_documented(word: str) -> None:
    assert f"`{word}`" in text("docs/json.md")


def test_the_verification_without_a_library_works() -> None:
    code = next(b for b in blocks("docs/json.md", "python") if "def verify" in b)
    found: dict[str, Any] = {}
    exec(compile(code, "docs/json.md", "exec"), found)  # our own document
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"type":"test","data":{}}'
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1,AAAA " + Webhook(secret).sign("msg_1", at, body.decode()),
    }
    assert found["verify"](body, headers, secret) == json.loads(body)
    with pytest.raises(ValueError, match="not signed"):
        found["verify"](body + b" ", headers, secret)
    with pytest.raises(ValueError, match="too old"):
        found["verify"](body, headers | {"webhook-timestamp": "1"}, secret)


# --------------------------------------------------------------------------- the rest


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}, target


def test_the_picture_of_the_layers_is_the_one_that_is_checked() -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = [[x.strip().removeprefix("monitor.") for x in line.split("|")] for line in contracts[0]["layers"]]
    drawn = [re.split(r"\s{5,}", line)[0].split() for line in blocks("CONTRIBUTING.md", "text")[0].splitlines()]
    assert [set(line) for line in drawn] == [set(line) for line in layers if line != ["__main__"]]
