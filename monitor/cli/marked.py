"""Pages that a command writes to a file: a diff, a text with its readings marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS
from monitor.model import Target

if TYPE_CHECKING:
    from monitor.text.diff import Row

_STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d2733}
body{font:16px/1.8 system-ui,"Noto Sans CJK SC",sans-serif}
del{color:#b3261e;text-decoration:line-through}ins{color:#14733b;text-decoration:underline}
.same{color:#8a95a1}.target{background:#dff3e5}.actual{background:#e2ecf9}
mark{background:none;font-weight:600;border-bottom:2px solid}
small{color:#5d6b7a}p{margin:.4rem 0}sup{font-size:.65em;line-height:0}sup a{color:#5d6b7a;text-decoration:none}
table{border-collapse:collapse;font-size:.85rem;line-height:1.4;margin-top:2rem}
td,th{padding:.2rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid #e3e7ec}
tr.target,tr.actual{background:none}
tr.target td:nth-child(2){background:#dff3e5}tr.actual td:nth-child(2){background:#e2ecf9}
tr:target,a:target{outline:2px solid #e0a800}"""


def _page(title: str, lang: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def diff_page(
    before: Mapping[str, Any], after: Mapping[str, Any], rows: Sequence[Row], lang: Lang, context: int
) -> str:
    """Both versions as one page: what is gone struck, what is new underlined, what stayed folded away."""
    title = f"{before['version']} → {after['version']}  {after['title'] or after['url']}"
    tags = {"-": "del", "+": "ins"}
    parts = [f"<h2>{escape(title)}</h2>", f"<small>{escape(after['url'])}</small>"]

    def paragraph(row: Row) -> str:
        runs = (f"<{t}>{escape(x)}</{t}>" if (t := tags.get(op)) else escape(x) for op, x in row.runs)
        return f"<p{' class=same' if row.op == '=' else ''}>{''.join(runs)}</p>"

    near = {j for i, row in enumerate(rows) if row.op != "=" for j in range(i - context, i + context + 1)}
    for shown, some in groupby(range(len(rows)), key=near.__contains__):
        lines = [paragraph(rows[at]) for at in some]
        summary = say(TEXTS, "unchanged paragraphs", lang, n=len(lines))
        parts += lines if shown else [f"<details><summary>{summary}</summary>{''.join(lines)}</details>"]
    return _page(title, lang, "".join(parts))


def about(item: Target, lang: Lang) -> str:
    """One reading in one line: what was read, and the rule that read it so."""
    said = [
        say(TEXTS, f"role.{item.role}", lang),
        (f"{item.object} · " if item.object else "") + (item.canonical or item.indicator),
        item.value_text,
        *(say(TEXTS, f"{k}.{getattr(item, k)}", lang) for k in ("qualifier", "strength")),
        item.period or "?",
        item.scope,
        item.stage,
        say(TEXTS, f"vintage.{item.vintage}", lang) if item.vintage else None,
        say(TEXTS, "one_off", lang) if item.persistence == "one_off" else None,
    ]
    return f"{'  '.join(filter(None, said))}  [{item.rule}] {item.confidence:.2f}"


def reading_page(name: str, text: str, items: Sequence[Target], lang: Lang) -> str:
    """A text with promises and results marked, each leading to its row in a table of all readings and back."""
    ordered = sorted(items, key=lambda t: (t.vstart, t.vend))
    spans: dict[tuple[int, int], list[int]] = {}
    for number, item in enumerate(ordered, 1):
        spans.setdefault((item.vstart, item.vend), []).append(number)
    parts, at = [], 0
    for (start, end), numbers in spans.items():
        if start < at:
            continue
        first = ordered[numbers[0] - 1]
        said = "\n".join(about(ordered[n - 1], lang) for n in numbers)
        links = "".join(f'<sup><a id="t{n}" href="#r{n}">{n}</a></sup>' for n in numbers)
        value = f'<mark class="{first.role}" title="{escape(said)}">{escape(text[start:end])}</mark>{links}'
        parts += [escape(text[at:start]), value]
        at = end
    parts.append(escape(text[at:]))
    body = "".join(f"<p>{line}</p>" for line in "".join(parts).splitlines() if line.strip())
    counts = ((r, sum(t.role == r for t in items)) for r in ("target", "actual"))
    legend = " ".join(f'<span class="{r}">{say(TEXTS, f"role.{r}", lang)} {n}</span>' for r, n in counts)
    return _page(name, lang, f"<h2>{escape(name)}</h2><p><small>{legend}</small></p>{body}{_readings(ordered, lang)}")


_COLUMNS = ("role", "name", "value_text", "qualifier", "strength", "period", "section", "rule", "confidence")


def _readings(items: Sequence[Target], lang: Lang) -> str:
    """Every reading as a row, with the rule behind it."""
    head = "".join(f"<th>{escape(say(TEXTS, f'col.{c}', lang))}</th>" for c in _COLUMNS)
    rows = []
    for number, item in enumerate(items, 1):
        cells = [
            say(TEXTS, f"role.{item.role}", lang),
            (f"{item.object} · " if item.object else "") + (item.canonical or item.indicator),
            item.value_text, *(say(TEXTS, f"{k}.{getattr(item, k)}", lang) for k in ("qualifier", "strength")),
            item.period or "?", item.section or "", item.rule, f"{item.confidence:.2f}",
        ]  # fmt: skip
        row = "".join(f"<td>{escape(c)}</td>" for c in cells)
        rows.append(f'<tr id="r{number}" class="{item.role}"><td><a href="#t{number}">{number}</a></td>{row}</tr>')
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
