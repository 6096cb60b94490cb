"""Every word a table of ours can be asked for is there, in both languages, with the same places to fill."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from monitor import i18n, model
from monitor.i18n import Texts, language, say
from monitor.i18n import cli as cli_words
from monitor.i18n import web as web_words
from monitor.targets import attainment

HERE = Path(__file__).resolve().parents[2]
ROOMS = [name for _, name, _ in pkgutil.iter_modules(i18n.__path__)]
STATES = ("waiting", "imported", "off", "ok", "failing", "removed")  # storage.watched
RELATIONS = ("next_release", "edit", "quote", "copy")
_SAID = re.compile(r"\bsay\(\s*[\"']([^\"'~]+)[\"']\s*[,)]")  # in a template
SPOKEN = {"cli": ("monitor/cli",), "web": ("monitor/web",), "demo": ("monitor/demo",), "alerts": ("alerts",)}


def table(room: str) -> Texts:
    texts: Texts = importlib.import_module(f"monitor.i18n.{room}").TEXTS
    return texts


def places(text: str) -> set[str]:
    """`count` and `more` are handed over together: 等 5 项, and 3 more."""
    found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    return {"count" if name == "more" else name for name in found}


@pytest.mark.parametrize("room", [r for r in ROOMS if hasattr(importlib.import_module(f"monitor.i18n.{r}"), "TEXTS")])
def test_both_languages_say_the_same_things(room: str) -> None:
    for key, (zh, en) in table(room).items():
        assert places(zh) == places(en), key
        assert bool(zh.strip()) == bool(en.strip()), key


def words(kind: object) -> tuple[str, ...]:
    return tuple(get_args(kind))


@pytest.mark.parametrize(
    ("before", "all_of"),
    [
        ("kind", words(model.ChangeKind)),
        ("role", words(model.Role)),
        ("count", words(model.ResultWord)),
        ("alert", ("pending", "sent", "dead", "muted")),
        ("change", ("new", "dropped", "raised", "lowered", "reworded", "unchanged", "differs")),
        ("relation", RELATIONS),
        ("where", ("text", "added", "removed")),
        ("state", STATES),
        ("verdict", words(attainment.Result)),
    ],
)  # fmt: skip
def test_the_command_line_has_a_word_for_everything_it_shows(before: str, all_of: tuple[str, ...]) -> None:
    assert all_of
    for word in all_of:
        for lang in i18n.LANGUAGES:
            assert say(cli_words.TEXTS, f"{before}.{word}", lang, old="1", new="2", n=1)


def test_the_web_has_a_word_for_every_kind_and_role() -> None:
    for word in words(model.ChangeKind):
        assert f"kind.{word}" in web_words.TEXTS
    for word in words(model.Role):
        assert f"role.{word}" in web_words.TEXTS


@pytest.mark.parametrize("room", SPOKEN)
def test_every_word_that_the_code_says_is_in_its_table(room: str) -> None:
    """Literal keys of `say(TEXTS, …)`, `empty=` and columns of tables; in templates, `say("…")`."""
    found: set[str] = set()
    for folder in SPOKEN[room]:
        for path in (HERE / folder).rglob("*"):
            text = path.read_text(encoding="utf-8") if path.suffix in (".py", ".html", ".txt", ".j2") else ""
            found |= said_in_python(text) if path.suffix == ".py" else set(_SAID.findall(text))
    missing = {key for key in found if key not in table(room) and not key.endswith(".")}
    assert found
    assert missing == set()


def said_in_python(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name == "say" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                found.add(str(node.args[1].value))
            given = [k.value for k in node.keywords if k.arg == "empty"]
            found |= {str(x.value) for x in given if isinstance(x, ast.Constant)}
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "columns":
            listed = node.value.elts if isinstance(node.value, ast.Tuple) else []
            found |= {f"col.{x.value}" for x in listed if isinstance(x, ast.Constant)}
    return found


def test_the_language_is_the_option_else_the_locale() -> None:
    assert language("en", "zh_CN.UTF-8") == "en"
    assert language(None, "zh_CN.UTF-8") == "zh"
    assert language(None, "de_DE.UTF-8") == "en"
    assert language(None, None) == "en"


def test_an_unknown_word_is_a_bug_and_not_a_blank() -> None:
    with pytest.raises(KeyError):
        say(cli_words.TEXTS, "no such word", "zh")


def test_a_number_brings_its_noun_along() -> None:
    table: Texts = {"x": ("{n} 页，{at}", "{n:page/pages} at {at}, {share:.1f}")}
    assert [say(table, "x", "en", n=n, at="now", share=0.25) for n in (0, 1, 2, "1,234")] == [
        "0 pages at now, 0.2", "1 page at now, 0.2", "2 pages at now, 0.2", "1,234 pages at now, 0.2",
    ]  # fmt: skip
    assert say(table, "x", "zh", n=1, at="now") == "1 页，now"
