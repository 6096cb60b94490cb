"""The product's own data files, read once and frozen: pure modules own no files, they are handed the Vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from monitor.model import Indicator, TextRules, Vocabulary


def _data(name: str) -> Any:
    """One file of monitor/data, parsed."""
    text = resources.files("monitor.data").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # noqa: S506


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression that matches what any of them matches; none matches nothing."""
    return re.compile("|".join(f"(?:{p})" for p in patterns) or r"(?!)", re.IGNORECASE)


def _text_rules(data: Mapping[str, Any]) -> TextRules:
    """noise.yaml as TextRules. Lists of expressions are joined; `signs` maps a failure word to its expressions."""
    return TextRules(
        containers=tuple(data.get("containers", ())),
        drop=tuple(data.get("drop", ())),
        chrome_classes=_any_of(data.get("chrome_classes", ())),
        chrome_lines=_any_of(data.get("chrome_lines", ())),
        head_lines=_any_of(data.get("head_lines", ())),
        foot_lines=_any_of(data.get("foot_lines", ())),
        tail_lines=_any_of(data.get("tail_lines", ())),
        date_labels=tuple(data.get("date_labels", ())),
        publisher_labels=tuple(data.get("publisher_labels", ())),
        attachment_types=tuple(data.get("attachment_types", ())),
        signs={word: tuple(re.compile(p, re.I) for p in ps) for word, ps in data.get("signs", {}).items()},
    )


def _indicator(row: Mapping[str, Any]) -> Indicator:
    lists = {k: tuple(row.get(k) or ()) for k in ("aliases", "units", "forms")}
    return Indicator(
        id=row["id"], name=row["name"], en=row["en"], nature=row.get("nature"), group=row.get("group"), **lists
    )


@cache
def vocabulary() -> Vocabulary:
    """Every data file of the product, read once."""
    return Vocabulary(
        indicators=tuple(_indicator(row) for row in _data("indicators.yaml")),
        units=_data("units.yaml"),
        words=_data("words.yaml"),
        regions={str(k): v for k, v in _data("regions.yaml").items()},
        text=_text_rules(_data("noise.yaml")),
    )


def init_text() -> str:
    """What `mubiao init` writes: a commented sources.yaml to start from."""
    return resources.files("monitor.data").joinpath("init.yaml").read_text(encoding="utf-8")
