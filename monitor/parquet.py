"""Rows as a Parquet file, by pyarrow: an extra, `pip install 'mubiao[parquet]'`, imported with this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitor import wire
from monitor.dataset import kind, one_kind

_TYPES = {"boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}


def write(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], out: IO[bytes]) -> None:
    """All rows as one table. Columns with lists or objects hold JSON text; an empty export has its columns too."""
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    arrays, fields = [], []
    for name in names:
        cells = [row.get(name) for row in rows]
        word = one_kind({kind(cell) for cell in cells if cell is not None})
        if word not in _TYPES:
            cells = [None if c is None else _text(c) for c in cells]
        arrays.append(pa.array(cells, _TYPES.get(word, pa.string())))
        fields.append(pa.field(name, _TYPES.get(word, pa.string())))
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), out, compression="zstd")


def _text(cell: Any) -> str:
    """A string of Parquet is UTF-8: half a character is written as its code."""
    text = cell if isinstance(cell, str) else wire.dump(cell)
    return text.encode("utf-8", "backslashreplace").decode()
