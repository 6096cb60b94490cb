"""How results look in a terminal: one glance says what moved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from alerts import phrases as wording
from alerts import view
from monitor.cli import out
from monitor.i18n import Lang, say
from monitor.i18n.alerts import TEXTS as FLAGS
from monitor.i18n.cli import TEXTS
from monitor.model import Target, TargetChange

if TYPE_CHECKING:
    from monitor.text.diff import Row

STYLES = {"raised": "green", "lowered": "red", "new": "cyan", "dropped": "magenta", "reworded": "yellow"}


def CHANGE_STYLE(word: str, lang: Lang) -> Text:  # noqa: N802 — reads as a table beside STYLES
    """A change word, coloured; its sign is in the word, for those who see no colour."""
    return Text(say(TEXTS, f"change.{word}", lang), style=STYLES.get(word, ""))


VERDICTS = {"met": "green", "missed": "red", "unknown": "dim"}


def VERDICT_STYLE(word: str, lang: Lang) -> Text:  # noqa: N802 — as CHANGE_STYLE
    """Met or missed, coloured."""
    return Text(say(TEXTS, f"verdict.{word}", lang), style=VERDICTS.get(word, ""))


def flag_words(flags: Sequence[str], lang: Lang) -> str:
    """Flags in the reader's language."""
    return (
        "，".join(say(FLAGS, f"flag.{f}", lang) for f in flags)
        if lang == "zh"
        else ", ".join(say(FLAGS, f"flag.{f}", lang) for f in flags)
    )


def _notes(line: TargetChange, lang: Lang) -> str:
    """Flags of a line, why something is missing, and what a new form amounts to."""
    said = [flag_words(line.flags, lang)] if line.flags else []
    if line.reason and line.reason not in ("replaced", "restated"):
        said.append(say(TEXTS, f"missing.{line.reason}", lang))
    if line.implied is not None:
        said.append(say(TEXTS, "implied", lang, growth=f"{line.implied:+g}", base=line.implied_base or ""))
    return ("；" if lang == "zh" else "; ").join(said)


def file_lines(row: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    """What `show` says of the file a version was read from, and of the files its page names."""
    file = row.get("file")
    if file:
        pages = say(TEXTS, "file.pages", lang, count=file["pages"]) if file["pages"] else ""
        yield say(TEXTS, "file.read", lang, type=file["type"], size=file["size"], pages=pages)
        if not row["paragraphs"]:
            why = "; ".join(row["warnings"])
            image = row["document_kind"] == "image"
            yield say(TEXTS, "file.scanned", lang) if image else say(TEXTS, "file.unread", lang, why=why)
    for one in row.get("attachments") or ():
        yield say(TEXTS, "file.named", lang, name=one["name"], url=one["url"])


def target_line(line: TargetChange, lang: Lang) -> dict[str, str]:
    """One line of a comparison as table cells."""
    item = line.after or line.before
    about = f"{line.object} · " if line.object and line.object not in line.indicator else ""
    return {
        "indicator": about
        + (line.canonical or line.indicator)
        + (f"（{item.period}）" if item and item.period else ""),
        "from": line.before.value_text if line.before else "—",
        "to": line.after.value_text if line.after else "—",
        "flags": _notes(line, lang),
    }


def target_table(items: Sequence[Target], lang: Lang, *, title: str) -> Table:
    """What was read from one text."""
    table = Table(title=out.inert(title), box=None, pad_edge=False, header_style="bold", title_justify="left")
    for name in ("role", "name", "value_text", "qualifier", "strength", "period", "text"):
        table.add_column(say(TEXTS, f"col.{name}", lang), overflow="fold")
    for item in items:
        role = Text(say(TEXTS, f"role.{item.role}", lang), style="green" if item.role == "target" else "blue")
        force = (say(TEXTS, f"{k}.{getattr(item, k)}", lang) for k in ("qualifier", "strength"))
        cells = (item.canonical or item.indicator, item.value_text, *force, item.period or "", item.text)
        table.add_row(role, *map(out.inert, cells))
    return table


def copy_line(change: Mapping[str, Any], lang: Lang) -> str | None:
    """What to say of a new document that repeats an earlier one."""
    version = change.get("copy_of")
    return say(TEXTS, "copy", lang, version=version) if version else None


def first_line(change: Mapping[str, Any], lang: Lang) -> str:
    """What moved, in one line: the same words as in an e-mail."""
    return view.what(change, wording.ordered(change["targets"]), lang)


_AFTER_CHINESE = re.compile(r"(?<=[\u3000-\uffef]) +")


def highlighted(snippet: str, query: str) -> Text:
    """A snippet with what was searched for in bold."""
    text = Text(_AFTER_CHINESE.sub("", out.inert(snippet)))  # the end of a line is no place for a break in a cell
    for word in query.split():
        text.highlight_words([word], style="bold reverse")
    return text


# --------------------------------------------------------------------------- diffs


def print_diff(before: Mapping[str, Any], after: Mapping[str, Any], form: str, context: int, lang: Lang) -> None:
    """Two versions in the terminal: inline, unified or side by side."""
    click.echo(f"--- {before['version']}  {out.local(before['at'])}  {out.inert(before['title'] or before['url'])}")
    click.echo(f"+++ {after['version']}  {out.local(after['at'])}  {out.inert(after['title'] or after['url'])}")
    from monitor.text.diff import rows  # most commands compare nothing

    found = list(rows(before["paragraphs"], after["paragraphs"]))
    if all(row.op == "=" for row in found):
        out.note(say(TEXTS, "no difference", lang))
    for row in near_changes(found, context):
        if row is None:
            click.echo("…")
        elif form == "unified":
            _unified(row)
        elif form == "side-by-side":
            _side_by_side(row)
        else:
            _inline(row)


def near_changes(found: Sequence[Row], context: int) -> Iterator[Row | None]:
    """Changed rows with their neighbours; None stands for what was left out between them."""
    keep = {j for i, row in enumerate(found) if row.op != "=" for j in range(i - context, i + context + 1)}
    gap = False
    for i, row in enumerate(found):
        if i in keep:
            if gap:
                yield None
            yield row
        gap = i not in keep


_MARK = {"-": ("red strike", "[-", "-]"), "+": ("green underline", "{+", "+}")}
_SIDE = {"-": "red bold", "+": "green bold"}  # what of a side is not on the other one
_NO_START = frozenset("，。；：、？！）》」』】”’％%…")  # no line of Chinese begins so


def _inline(row: Row) -> None:
    """One paragraph with what is gone struck and what is new underlined; signs where there is no colour."""
    screen = out.console()
    plain = not screen.is_terminal or screen.no_color
    line = Text({"=": "  ", "-": "- ", "+": "+ ", "~": "~ ", ">": "> "}[row.op])
    for op, piece in row.runs:
        style, left, right = _MARK.get(op, ("dim" if row.op == "=" else "", "", ""))
        line.append(f"{left}{out.inert(piece)}{right}" if plain else out.inert(piece), style=style)
    screen.print(line, soft_wrap=True)  # a long run without blanks would be put on a line of its own


def _unified(row: Row) -> None:
    screen = out.console()
    if row.op == "=":
        screen.print(Text(" ").append_text(_side(row, "-")), soft_wrap=True)
        return
    for sign, side, colour in (("-", row.old, "red"), ("+", row.new, "green")):
        if side:
            screen.print(Text(sign, style=colour).append_text(_side(row, sign, colour)), soft_wrap=True)


def _side(row: Row, sign: str, colour: str = "") -> Text:
    """One side of a paragraph, with what the other lacks set off where only a part differs."""
    text = Text()
    for op, piece in row.runs:
        if op in ("=", sign):
            text.append(out.inert(piece), style=f"{_SIDE[sign]} reverse" if op == sign and row.op == "~" else colour)
    return text


def _side_by_side(row: Row) -> None:
    """Two columns of equal display width: a Chinese character is two cells wide."""
    screen = out.console()
    width = (min(screen.width, 200) - 3) // 2
    colours = ("", "") if row.op in "=~" else ("red", "green")
    left, right = (_folded(_side(row, s, c), width) for s, c in zip("-+", colours, strict=True))
    sign = "|" if row.op == "=" else {"-": "<", "+": ">"}.get(row.op, "≠")
    for i in range(max(len(left), len(right))):
        line = left[i].copy() if i < len(left) else Text()
        line.pad_right(width - line.cell_len)
        line.append(f" {sign} ")
        if i < len(right):
            line.append_text(right[i])
        line.rstrip()
        screen.print(line, soft_wrap=True)


def _folded(text: Text, width: int) -> list[Text]:
    """Lines of so many cells; none begins with a closing mark, which takes the character before it along."""
    breaks, used = list[int](), 0
    for at, char in enumerate(text.plain):
        cells = cell_len(char)
        if used + cells > width:
            start = at - 1 if char in _NO_START and at - 1 > (breaks[-1] if breaks else 0) else at
            breaks.append(start)
            used = cell_len(text.plain[start:at])
        used += cells
    return list(text.divide(breaks)) if text.plain else []
