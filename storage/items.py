"""Targets packed into one blob: what the text already says is left out, offsets are gaps.

So two versions that differ in one sentence give nearly the same bytes, and the blob of the second one stays small.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from monitor.model import Target

_OFFSETS = frozenset({"start", "end", "vstart", "vend", "sent_start", "sent_end"})
_SLICES = {"text": ("start", "end"), "value_text": ("vstart", "vend"), "sentence": ("sent_start", "sent_end")}
_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Target)}


def plain(item: Target) -> dict[str, Any]:
    """A Target as plain values, defaults left out: `Target(**plain(item)) == item`."""
    return {name: value for name, default in _DEFAULTS.items() if (value := getattr(item, name)) != default}


def pack(targets: Sequence[Target], text: str) -> bytes:
    """Targets of a text as bytes for `unpack`."""
    last, rows = 0, []
    for item in targets:
        gaps = [
            item.start - last,
            item.end - item.start,
            item.vstart - item.start,
            item.vend - item.vstart,
            item.sent_start - item.start,
            item.sent_end - item.sent_start,
        ]
        last = item.start
        rest = {
            name: value
            for name in _DEFAULTS
            if name not in _OFFSETS and not _known(item, name, value := getattr(item, name), text)
        }
        rows.append([gaps, rest])
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _known(item: Target, name: str, value: Any, text: str) -> bool:
    """Whether `unpack` finds this value by itself: in the text, or as the default."""
    if name not in _SLICES:
        return bool(value == _DEFAULTS[name])
    begin, end = _SLICES[name]
    return bool(text[getattr(item, begin) : getattr(item, end)] == value)


def unpack(data: bytes, text: str) -> tuple[Target, ...]:
    """The targets that `pack` was given, with the same text."""
    last, out = 0, []
    for gaps, rest in json.loads(data):
        start = last = last + gaps[0]
        value, sentence = start + gaps[2], start + gaps[4]
        places: dict[str, Any] = {
            "start": start,
            "end": start + gaps[1],
            "vstart": value,
            "vend": value + gaps[3],
            "sent_start": sentence,
            "sent_end": sentence + gaps[5],
        }
        words = {name: text[places[begin] : places[end]] for name, (begin, end) in _SLICES.items()}
        out.append(Target(**{**places, **words, **rest}))
    return tuple(out)
