"""Pages and pictures that a command writes to a file: a diff, a text with its readings marked, a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from monitor.i18n import say
from monitor.i18n.cli import TEXTS
from monitor.model import Target
from monitor.text.diff import Row

_STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d2733}
body{font:16px/1.8 system-ui,"Noto Sans CJK SC",sans-serif}
del{color:#b3261e;text-decoration:line-through}ins{color:#14733b;text-decoration:underline}
.same{color:#8a95a1}.target{background:#dff3e5}.actual{background:#e2ecf9}
mark{background:none;font-weight:600;border-bottom:2px solid}
small{color:#5d6b7a}p{margin:.4rem 0}"""


def _page(title: str, lang: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def diff_page(before: Mapping[str, Any], after: Mapping[str, Any], rows: Sequence[Row], lang: str) -> str:
    """Both versions as one page: what is gone struck, what is new underlined."""
    title = f"{before['version']} → {after['version']}  {after['title'] or after['url']}"
    tags = {"-": "del", "+": "ins"}
    parts = [f"<h2>{escape(title)}</h2>", f"<small>{escape(after['url'])}</small>"]
    for row in rows:
        runs = (f"<{t}>{escape(x)}</{t}>" if (t := tags.get(op)) else escape(x) for op, x in row.runs)
        parts.append(f"<p{' class=same' if row.op == '=' else ''}>{''.join(runs)}</p>")
    return _page(title, lang, "".join(parts))


def reading_page(name: str, text: str, items: Sequence[Target], lang: str) -> str:
    """A text with promises and results marked; the rule behind each is its tooltip."""
    parts, at = [], 0
    for item in sorted(items, key=lambda t: (t.vstart, t.vend)):
        if item.vstart < at:
            continue
        parts.append(escape(text[at : item.vstart]))
        about = f"{item.canonical or item.indicator} · {item.qualifier} · {item.period or '?'} · {item.rule}"
        value = escape(text[item.vstart : item.vend])
        parts.append(f'<mark class="{item.role}" title="{escape(about)}">{value}</mark>')
        at = item.vend
    parts.append(escape(text[at:]))
    body = "".join(parts).replace("\n", "<br>")
    legend = " ".join(f'<span class="{r}">{say(TEXTS, f"role.{r}", lang)}</span>' for r in ("target", "actual"))
    return _page(name, lang, f"<h2>{escape(name)}</h2><small>{legend}</small><p>{body}</p>")


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x}" y="{y:.1f}" font-size="10" text-anchor="middle">{escape(text)}</text>'


def timeline_svg(points: Sequence[Mapping[str, Any]], title: str) -> str:
    """Promise against result over the periods: one bar each, side by side, drawn without a library."""
    shown = [p for p in points if p["number"] is not None]
    most = max((abs(p["number"]) for p in shown), default=0) or 1
    width, base, bar = max(240, 46 * len(shown) + 80), 180, 30
    parts = [f'<text x="10" y="20" font-size="15">{escape(title)}</text>']
    for i, p in enumerate(shown):
        height = 130 * abs(p["number"]) / most
        x, colour = 40 + 46 * i, "#14733b" if p["role"] == "target" else "#0b57a4"
        fill, top = colour if p["role"] == "actual" else "none", base - height
        parts += [
            f'<rect x="{x}" y="{top:.1f}" width="{bar}" height="{height:.1f}" fill="{fill}" stroke="{colour}"/>',
            _label(x + 15, top - 4, p["value_text"]),
            _label(x + 15, base + 14, str(p["period"] or "")),
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="210" font-family="sans-serif">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
