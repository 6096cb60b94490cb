"""Exports as tables: the panel of targets and results, and the dictionary that says what each column means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitor.i18n import Lang, say
from monitor.i18n.dataset import TEXTS
from storage.answers import Item

Row = Mapping[str, Any]

PANEL = (
    "region", "place", "series", "canonical", "indicator_id", "kind", "object", "scope", "unit", "period", "target",
    "target_text", "qualifier", "target_version", "actual", "actual_text", "actual_version",
)  # fmt: skip


def panel(found: Iterable[Item]) -> Iterator[dict[str, Any]]:
    """One row for each place, indicator and period: what was promised, and what was reported for it.

    Of several documents that say it, the last one counts, a report's own words before those of a copy. Items without
    an indicator that is known are left out: nothing else can be set beside them.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in sorted(found, key=lambda x: (not x.copy, x.at, int(x.version[1:]))):
        item = one.target
        if item.canonical is None or item.period is None:
            continue
        place = one.region or one.source
        key = (place, item.canonical, item.kind, item.object, item.scope, item.unit, item.period)
        row = rows.setdefault(key, dict.fromkeys(PANEL))
        about = {name: getattr(one, name) for name in ("region", "place", "series")}
        about |= {
            n: getattr(item, n) for n in ("canonical", "indicator_id", "kind", "object", "scope", "unit", "period")
        }
        row |= {name: value for name, value in about.items() if value is not None}
        row |= {item.role: item.value, f"{item.role}_text": item.value_text, f"{item.role}_version": one.version}
        if item.role == "target":
            row["qualifier"] = item.qualifier
        rows[key] = row
    yield from (rows[key] for key in sorted(rows, key=lambda k: tuple("" if x is None else str(x) for x in k)))


def dictionary(what: str, found: Iterable[Row], lang: Lang) -> dict[str, Any]:
    """What an export holds: its rows, and of each column the name, the type, how often it is empty, the meaning."""
    columns: dict[str, dict[str, Any]] = {}
    count = 0
    for count, row in enumerate(found, 1):  # noqa: B007  the count outlives the loop
        for name, value in row.items():
            column = columns.setdefault(name, {"types": set(), "filled": 0})
            if value is not None:
                column["types"].add(kind(value))
                column["filled"] += 1
    return {
        "export": what,
        "rows": count,
        "columns": [
            {
                "name": name,
                "type": one_kind(seen["types"]),
                "empty": count - seen["filled"],
                "meaning": _meaning(name, lang),
            }
            for name, seen in columns.items()
        ],
    }


def _meaning(name: str, lang: Lang) -> str:
    """What a column holds; of a field of an object (`record_year` in CSV) what that holds, and which field."""
    if name in TEXTS:
        return say(TEXTS, name, lang)
    whole, _, part = name.partition("_")
    return f"{say(TEXTS, whole, lang)}: {part}"


def kind(value: Any) -> str:
    """The type of a cell, as the dictionary names it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "text" if isinstance(value, str) else "json"


def one_kind(kinds: set[str]) -> str:
    """The type of a column that holds cells of these."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"integer", "number"} else "text" if "json" not in kinds else "json"
