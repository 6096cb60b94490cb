"""Printing: one table for people, JSON, JSON lines or CSV for programs. Results to stdout, the rest to stderr."""

from __future__ import annotations

import csv
import functools
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from typing import Any, Literal

import click
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monitor import wire
from monitor.i18n import Lang, say
from monitor.i18n.cli import TEXTS

Format = Literal["table", "json", "jsonl", "csv"]
Shown = Mapping[str, Callable[[Any], str | Text]]  # how a column looks to people

# C0/C1 controls and bidirectional overrides: text of a page must not steer a terminal
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def formats(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, --jsonl and --csv, handed to the command as one `form`."""

    @click.option("--json", "as_json", is_flag=True, help="one JSON document")
    @click.option("--jsonl", is_flag=True, help="one JSON object a line")
    @click.option("--csv", "as_csv", is_flag=True, help="comma-separated, with a header")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, jsonl: bool, as_csv: bool, **kwargs: Any) -> Any:
        if as_json + jsonl + as_csv > 1:
            raise click.UsageError("--json, --jsonl and --csv exclude each other")
        form: Format = "json" if as_json else "jsonl" if jsonl else "csv" if as_csv else "table"
        return command(*args, form=form, **kwargs)

    return wrapped


def inert(value: object) -> str:
    """A value as terminal text: control characters shown, never obeyed."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", str(value)).replace("\t", " ")


def console(*, err: bool = False) -> Console:
    """Colour and the window's width in a terminal; neither in a pipe, where nothing may wrap."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        return Console(file=stream, highlight=False)
    return Console(file=stream, highlight=False, no_color=True, width=10_000, color_system=None)


def note(text: str) -> None:
    """A line for people, on stderr."""
    click.echo(inert(text), err=True)


def local(at: object) -> str:
    """A time as people read it: their own zone, to the minute."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if isinstance(at, datetime) else ""


def zoned(at: object) -> str:
    """The same with the offset of the zone, where nothing beside it says which one is meant."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone().isoformat(" ", "minutes") if isinstance(at, datetime) else ""


def plain(value: Any) -> Any:
    """A value of a query as JSON has it."""
    if isinstance(value, datetime):
        return wire.time(value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value


# what a spreadsheet reads as the beginning of a formula; one in an East Asian language, of full width as well
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _cell(value: Any) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return wire.dump(value)
    text = str(value)
    return "'" + text if isinstance(value, str) and text.startswith(_FORMULA) else text


def rows(
    found: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    form: Format,
    lang: Lang,
    *,
    show: Shown | None = None,
    empty: str = "nothing",
    heads: Mapping[str, str] | None = None,
) -> None:
    """Many rows. `columns` are those of the table; programs get every field. `show` renders a column for people,
    `heads` names one otherwise than `col.` and its name."""
    if form == "jsonl":
        for row in found:
            click.echo(wire.dump(plain(row)))
        return
    data = [plain(row) for row in found]
    if form == "json":
        click.echo(wire.dump(data, indent=2))
    elif form == "csv":
        _csv([flat(row) for row in data], columns)
    elif not data:
        note(say(TEXTS, empty, lang))
    else:
        words = {name: say(TEXTS, (heads or {}).get(name, f"col.{name}"), lang) for name in columns}
        _table(data, words, show or {})


def _csv(data: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    out = io.StringIO()
    names = list(dict.fromkeys(k for row in data for k in row)) or list(columns)
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row.get(k)) for k in names] for row in data)
    click.echo(out.getvalue(), nl=False)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of CSV, one value a cell: from.value of a comparison becomes from_value, a list of words is joined."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= {f"{name}_{k}": v for k, v in flat(value).items()}
        elif isinstance(value, list) and all(isinstance(x, str) for x in value):
            out[name] = " ".join(value)
        else:
            out[name] = value
    return out


def _table(
    data: Sequence[Mapping[str, Any]],
    heads: Mapping[str, str],
    show: Shown,
) -> None:
    """For people, `heads` from field to the word above it. Columns that say nothing are left out, long ones go under
    their row where the window is narrow."""
    cells = {name: [_shown(row.get(name), show.get(name)) for row in data] for name in heads}
    names = [name for name in heads if any(cell.plain for cell in cells[name])]
    wide = [name for name in names if max(cell.cell_len for cell in cells[name]) > LONG]
    room = console().width - sum(
        2 + max(cell_len(heads[n]), *(c.cell_len for c in cells[n])) for n in names if n not in wide
    )
    if wide and len(wide) < len(names) and room < NARROW * len(wide):
        _stacked(cells, names, wide, heads)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(heads[name], overflow="fold", no_wrap=name not in wide and room > 0)
    for row in zip(*(cells[name] for name in names), strict=True):
        table.add_row(*row)
    console().print(table)


LONG = 18  # cells; a longer column is folded, a shorter one stays whole
NARROW = 22  # cells that a long column wants beside the others


def _shown(value: Any, look: Callable[[Any], str | Text] | None) -> Text:
    told = look(value) if look is not None and value is not None else value
    return told if isinstance(told, Text) else Text("" if told is None else inert(told))


def _stacked(
    cells: Mapping[str, Sequence[Text]], names: Sequence[str], wide: Sequence[str], heads: Mapping[str, str]
) -> None:
    """Short columns in a line, each long one of a row in lines of its own below."""
    screen, short = console(), [name for name in names if name not in wide]
    widths = {n: max(cell_len(heads[n]), *(c.cell_len for c in cells[n])) for n in short}

    def line(parts: Iterable[Text]) -> Text:
        padded = Text()
        for name, part in zip(short, parts, strict=True):
            whole = part.copy()
            whole.pad_right(widths[name] + 2 - whole.cell_len)
            padded.append_text(whole)
        padded.rstrip()
        return padded

    screen.print(line(Text(heads[name], style="bold") for name in short), soft_wrap=True)
    for at in range(len(cells[names[0]])):
        screen.print(line(cells[name][at] for name in short), soft_wrap=True)
        for name in wide:
            if cells[name][at].plain:
                screen.print(Padding(cells[name][at], (0, 0, 0, 4)))


def one(record: Mapping[str, Any], form: Format) -> None:
    """One record for programs."""
    click.echo(wire.dump(plain(record), indent=None if form == "jsonl" else 2))


class _Held(io.StringIO):
    """What is held back for a pager is still for a terminal: with its colours and its width."""

    def isatty(self) -> bool:
        return True


@contextmanager
def paged(form: Format = "table") -> Iterator[None]:
    """What is printed inside goes through a pager when it is long, for people, and stdout is a terminal."""
    if form != "table" or not sys.stdout.isatty():
        yield
        return
    height = console().height
    held = _Held()
    with redirect_stdout(held):
        yield
    text = held.getvalue()
    if text.count("\n") > height:
        click.echo_via_pager(text)  # keeps colours only where the pager shows them
    else:
        click.echo(text, nl=False, color=True)
