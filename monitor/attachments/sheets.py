"""Spreadsheets: a line a row, a tab between cells, numbers as the sheet shows them (6.5%, not 0.065)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

import openpyxl
import xlrd

from monitor.attachments.content import Content, RefusedError, bounded
from monitor.attachments.package import Package

MOST_CELLS = 600_000
MOST_COLUMNS = 500

_DATE = re.compile(r"(?<!\\)[ymdhs]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DECIMALS = re.compile(r"\.([0#?]+)")


def read_xlsx(body: bytes) -> Content:
    """Office Open XML sheets; hidden ones are left out."""
    Package(body)  # bounds what the parts inflate to
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True)
    sheets: list[tuple[str, Iterator[list[str]]]] = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # the file may claim a million columns
            sheets.append((sheet.title, _open_rows(sheet.iter_rows(max_col=MOST_COLUMNS))))
    return _content("xlsx", sheets)


def _open_rows(rows: Iterable[Iterable[object]]) -> Iterator[list[str]]:
    for row in rows:
        yield [
            shown(getattr(cell, "value", None), str(getattr(cell, "number_format", "General") or "General"))
            for cell in row
        ]


def read_xls(body: bytes) -> Content:
    """BIFF sheets of Excel 97 and WPS (.xls, .et)."""
    try:
        book = xlrd.open_workbook(file_contents=body, formatting_info=True, logfile=io.StringIO())
    except xlrd.XLRDError as wrong:
        if "encrypt" in str(wrong).lower():
            raise RefusedError("encrypted", "a sheet that needs a password") from wrong
        raise RefusedError("damaged", f"a sheet that cannot be opened ({wrong})") from wrong
    sheets = [(sheet.name, _old_rows(book, sheet)) for sheet in book.sheets() if sheet.visibility == 0]
    return _content("xls", sheets)


def _old_rows(book: xlrd.book.Book, sheet: xlrd.sheet.Sheet) -> Iterator[list[str]]:
    for number in range(sheet.nrows):
        cells = []
        for cell in sheet.row(number)[:MOST_COLUMNS]:
            value: object = cell.value
            if cell.ctype == xlrd.XL_CELL_DATE:
                value = xlrd.xldate_as_datetime(cell.value, book.datemode)
            elif cell.ctype in (xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
                value = None
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(cell.value)
            form = book.format_map.get(book.xf_list[cell.xf_index].format_key) if cell.xf_index is not None else None
            cells.append(shown(value, form.format_str if form else "General"))
        yield cells


def _content(kind: str, sheets: Iterable[tuple[str, Iterable[list[str]]]]) -> Content:
    """Rows with anything in them, each sheet under its name where there are several."""
    lines: list[str] = []
    count, full = 0, [(name, rows) for name, rows in sheets]
    cut: tuple[str, ...] = ()
    for name, rows in full:
        before = len(lines)
        for row in rows:
            count += len(row)
            if count > MOST_CELLS:
                cut = (f"sheet cut after {MOST_CELLS} cells",)
                break
            if any(row):
                lines.append("\t".join(row).rstrip("\t"))
        if len(full) > 1 and len(lines) > before:
            lines.insert(before, name)
        if cut:
            break
    kept, more = bounded(lines)
    return Content(kind, kept, warnings=(*cut, *more))


def shown(value: object, form: str) -> str:
    """A cell as the sheet shows it, nearly: decimals, percent, thousands and days of its number format."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return number(value, form)
    return " ".join(str(value).split())


def number(value: float, form: str) -> str:
    """A number under an Excel format. General shows up to 11 digits."""
    plain = _QUOTED.sub("", form.partition(";")[0])
    if plain in ("General", "@", "") or _DATE.search(plain) or not any(c in plain for c in "0#?"):
        text = f"{value:.11g}"
        return text if "e" not in text else format(Decimal(repr(value)), "f")
    scale = 100 if "%" in plain else 1
    found = _DECIMALS.search(plain)
    places = len(found[1]) if found else 0
    exact = (Decimal(repr(value)) * scale).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{exact:,f}" if "," in plain else f"{exact:f}"
    if found and "0" not in found[1]:
        text = text.rstrip("0").rstrip(".")
    return text + ("%" if scale == 100 else "")
