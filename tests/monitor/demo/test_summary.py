"""What a newcomer is shown, from the shapes of docs/json.md alone."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.demo import story, summary
from monitor.demo.keeping import Call, Letter
from monitor.demo.result import Result, Round
from monitor.wire import JSON


def item(indicator: str, value: str, **more: Any) -> JSON:
    return {"role": "target", "indicator": indicator, "value_text": value, "headline": True} | more


def moved(name: str, change: str, before: str | None, after: str | None, **more: Any) -> JSON:
    sides = {"from": item(name, before) if before else None, "to": item(name, after) if after else None}
    shape = {"canonical": name, "indicator": name, "kind": "growth", "object": None, "change": change, "flags": []}
    return shape | {"relation": "next_release", "recurring": True} | sides | more


def change(number: int, kind: str, targets: list[JSON], title: str = "2026年报告") -> JSON:
    return {
        "id": f"c{number}",
        "kind": kind,
        "title": title,
        "url": f"http://127.0.0.1:1/{number}.html",
        "compared_release": "2025",
        "targets": targets,
    }


def check(changes: list[JSON] = [], failures: list[JSON] = [], baselines: int = 0) -> JSON:  # noqa: B006
    return {"unchanged": 4, "not_modified": 0, "changes": changes, "failures": failures, "baselines": baselines}


def failing(source: str, error: str) -> JSON:
    return {"source": source, "url": "http://127.0.0.1:1/", "error": error}


REPORT = change(
    1,
    "new",
    [moved("固定资产投资", "lowered", "8%左右", "5%左右"), moved("外贸进出口总额", "dropped", "5%", None)],
)
EDIT = change(2, "content", [moved("新增学位", "lowered", "4200个", "3200个", relation="edit", kind="count")])
QUOTE = change(
    3, "new", [moved("固定资产投资", "raised", "5%左右", "6%左右", relation="quote", flags=["differs"])], title="报纸"
)
OUTAGE = [failing(story.REPORTS_KEY, "http_5xx"), failing(story.NEWSPAPER_KEY, "blocked_challenge")]


def played(tmp_path: Path) -> Result:
    days = [check(baselines=2), check(), check([REPORT]), check([EDIT]), check([QUOTE]), check([], OUTAGE), check()]
    told = (0, 0, 1, 1, 1, 0, 0)
    return Result(
        directory=tmp_path,
        rounds=[Round(n, (day,), mails=told[n], hooks=told[n]) for n, day in enumerate(days)],
        letters=[Letter("[目标] 云岭区", tmp_path / "mail/01.eml", tmp_path / "mail/01.html")],
        hooks=[Call(f"m{n}", "targets.changed", f"c{n}", True, tmp_path / f"{n}.json") for n in (1, 2, 3)],
        requests=Counter({"government " + a.path: 1 for a in (story.REPORT_2025, story.REPORT_2026)}),
        seconds=4.0,
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_summary_says_what_moved_what_was_ignored_and_where_to_look(
    tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = played(tmp_path)
    assert result.problems(lang) == []
    summary.show(result, lang, as_json=False)
    text = capsys.readouterr().out
    rows = text.splitlines()
    assert any("固定资产投资" in row and "8%左右" in row and "5%左右" in row for row in rows)
    assert any("新增学位" in row and "4200个" in row and "3200个" in row for row in rows)
    assert any("5%左右" in row and "6%左右" in row and "≠" in row for row in rows)
    assert "http_5xx × 1" in text
    assert "blocked_challenge × 1" in text
    assert story.LIBRARY.title in text
    assert str(tmp_path / "mail/01.html") in text
    assert sum(("mubiao" in row and "--db" in row) or "-m monitor" in row for row in rows) == 3
    assert "✗" not in text


def test_the_json_is_one_document_with_the_same_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary.show(played(tmp_path), "en", as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert [len(day["checks"][0]["changes"]) for day in data["rounds"]] == [0, 0, 1, 1, 1, 0, 0]
    assert data["unfollowed"] == [story.LIBRARY.title, story.LIVELIHOOD.title]
    assert [x["signature"] for x in data["webhooks"]] == [True, True, True]
    assert len(data["try"]) == 3
    assert data["problems"] == []


def without(result: Result, number: int, day: Round) -> Result:
    rounds = [day if r.number == number else r for r in result.rounds]
    return Result(result.directory, rounds, result.letters, result.hooks, result.requests, result.seconds)


@pytest.mark.parametrize(
    ("number", "day", "word"),
    [
        (1, Round(1, (check([EDIT]),), mails=1), "day 2"),  # a false alarm
        (3, Round(3, (check(),)), "day 4"),  # a missed edit
        (5, Round(5, (check(),)), "day 6"),  # an outage that nobody noticed
        (6, Round(6, (check([], OUTAGE),)), "day 7"),  # trouble that was not cleared
        (2, Round(2, (check([REPORT]),), mails=0), "e-mail of day 3"),
        (4, Round(4, (check([QUOTE]),), mails=1, undelivered=("refused",)), "refused"),
    ],
)
def test_what_went_wrong_is_named(tmp_path: Path, number: int, day: Round, word: str) -> None:
    problems = without(played(tmp_path), number, day).problems("en")
    assert any(word in problem for problem in problems)


def test_a_webhook_that_is_missing_or_badly_signed_is_named(tmp_path: Path) -> None:
    result = played(tmp_path)
    result.hooks[0] = Call("m1", "targets.changed", "c1", False, tmp_path / "1.json")
    del result.hooks[2]
    assert [p for p in result.problems("en") if "m1" in p]
    assert [p for p in result.problems("en") if "报纸" in p]


def test_titles_of_pages_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = played(tmp_path)
    evil = EDIT | {"title": "\x1b[31m红\r\n[bold]x[/bold]"}
    summary.show(without(result, 3, Round(3, (check([evil]),), mails=1)), "en", as_json=False)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
