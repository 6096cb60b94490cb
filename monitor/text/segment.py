"""Cutting text into sentences, and the normal form in which two texts are compared. Never changes what is kept."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)】〕\"']*|\n|$)")
# Zero-width and bidi marks, soft hyphen, variation selectors, and the private-use areas that icon fonts live in.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
_BLANK = re.compile(r"\s+")
_QUOTES = str.maketrans(
    {
        **dict.fromkeys("“”„‟〝〞＂«»「」『』﹁﹂﹃﹄", '"'),
        **dict.fromkeys("‘’‚‛′＇`´", "'"),
        **dict.fromkeys("‐‑‒–—―−﹣－─━ー", "-"),
        **dict.fromkeys("·•・‧∙⋅●", "·"),
        "∶": ":", "︰": ":", "﹕": ":", "〜": "~", "～": "~", "∼": "~", "…": "...", "⁄": "/", "∕": "/",
    }
)  # fmt: skip


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open spans that cover `text` without gaps or blanks-only pieces at the ends.

    A sentence ends after 。！？；!?; (closing quotes and brackets included) or at a line break, which belongs to none.
    """
    spans = []
    for found in _SENTENCE.finditer(text):
        start, end = found.span()
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if start < end:
            spans.append((start, end))
    return spans


def pieces(text: str) -> list[str]:
    """Sentences whose concatenation is `text`, character for character: for the diff."""
    return [m[0] for m in _SENTENCE.finditer(text) if m[0]]


def visible(text: str) -> str:
    """Without characters that nobody sees: zero-width marks and icon fonts."""
    return _INVISIBLE.sub("", text)


def normalise(text: str) -> str:
    """The form for comparing: NFKC, no blanks, one kind of quote and dash, nothing invisible."""
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text).translate(_QUOTES))
    return _BLANK.sub("", folded.translate(_QUOTES))


def fingerprint(paragraphs: Iterable[str]) -> str:
    """SHA-256 (hex) of the normalised text. Where paragraphs break does not matter to it."""
    return hashlib.sha256(normalise("".join(paragraphs)).encode("utf-8", "surrogatepass")).hexdigest()
