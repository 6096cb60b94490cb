"""Rich text (RTF 1.9): what many .doc files really are. Deleted and hidden runs are left out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from monitor.attachments.content import Content, RefusedError, bounded

MOST_DEPTH = 2_000  # groups in groups

_TOKEN = re.compile(r"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\(.)|([{}])|([^\\{}\r\n]+)", re.DOTALL)
# groups that hold no text of the document; those that begin with \* are left out as well
_ASIDE = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "headerl", "headerr", "headerf", "footer",
    "footerl", "footerr", "footerf", "listtable", "listoverridetable", "rsidtbl", "generator", "themedata", "fldinst",
    "colorschememapping", "datastore", "xmlnstbl", "nonshppict", "annotation", "atnid", "atnauthor", "revtbl",
))  # fmt: skip
_BREAKS = frozenset({"par", "sect", "page", "line", "column"})
_SIGNS = {
    "tab": " ", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "·", "emspace": " ", "enspace": " ",
}  # fmt: skip
_CHARSETS = {134: "gb18030", 136: "big5hkscs", 128: "cp932", 129: "cp949", 204: "cp1251", 0: "cp1252"}


@dataclass(frozen=True, slots=True)
class _State:
    """What a group hands down to those inside it."""

    aside: bool = False
    fonts: bool = False  # inside the font table
    hidden: bool = False
    deleted: bool = False
    in_table: bool = False
    font: int | None = None
    skip: int = 1  # characters that stand in for one written as \\u


def read(body: bytes) -> Content:
    """Raises RefusedError for what never opens its first group, or nests without end."""
    source = body.decode("latin-1").lstrip("\ufeffï»¿ \r\n\t")
    if not source.startswith("{\\rtf"):
        raise RefusedError("damaged", "no rich text")
    reader = _Reader()
    for token in _TOKEN.finditer(source):
        reader.take(token)
    kept, cut = bounded([line for line in reader.lines() if line.strip()])
    return Content("rtf", kept, warnings=cut)


class _Reader:
    """Walks through the tokens and collects lines."""

    def __init__(self) -> None:
        self.state, self.stack = _State(), list[_State]()
        self.out: list[str] = []
        self.cells: list[str] = []
        self.text: list[str] = []
        self.bytes = bytearray()  # characters of the code page, until something else comes
        self.code_page = "gb18030"
        self.codecs: dict[int, str] = {}  # by font
        self.skipping = 0
        self.words: Mapping[str, Callable[[int | None], None]] = {
            "ansicpg": self._code_page, "f": self._font, "fcharset": self._charset, "uc": self._uc, "u": self._unicode,
            "v": self._hidden, "deleted": self._deleted, "intbl": self._intbl, "pard": self._pard, "plain": self._plain,
            "cell": self._cell, "nestcell": self._nested, "row": self._row, "bin": self._bin,
        }  # fmt: skip

    def take(self, token: re.Match[str]) -> None:
        word, number, byte, sign, brace, plain = token.groups()
        if byte is not None:
            self._byte(int(byte, 16))
        elif plain is not None:
            self._write(plain)
        elif brace == "{":
            self._flush()
            if len(self.stack) > MOST_DEPTH:
                raise RefusedError("too_large", f"rich text nested deeper than {MOST_DEPTH}")
            self.stack.append(self.state)
        elif brace == "}":
            self._flush()
            self.state = self.stack.pop() if self.stack else _State()
        elif word is not None:
            self._flush()
            self._word(word, int(number) if number else None)
        elif sign is not None:
            self._sign(sign)

    def lines(self) -> list[str]:
        """Everything, with what an unfinished row or paragraph left."""
        self._flush()
        if self.cells:
            self._row(None)
        self._paragraph()
        return self.out

    # ------------------------------------------------------------------ text

    @property
    def _silent(self) -> bool:
        return self.state.aside or self.state.hidden or self.state.deleted

    def _write(self, text: str) -> None:
        self._flush()
        dropped = min(self.skipping, len(text))
        self.skipping -= dropped
        if not self._silent:
            self.text.append(text[dropped:])

    def _byte(self, value: int) -> None:
        if self.skipping:
            self.skipping -= 1
        elif not self._silent:
            self.bytes.append(value)

    def _flush(self) -> None:
        if self.bytes:
            own = self.codecs.get(self.state.font) if self.state.font is not None else None
            name = own if own not in (None, "cp1252") else self.code_page
            self.text.append(bytes(self.bytes).decode(name, "replace"))
            self.bytes.clear()

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self.state = replace(self.state, aside=True)
        elif sign in "\r\n":
            self._word("par", None)
        else:
            self._write({"~": " ", "_": "-", "-": ""}.get(sign, sign if sign in "\\{}" else ""))

    def _word(self, word: str, number: int | None) -> None:
        if word in _ASIDE:
            self.state = replace(self.state, aside=True, fonts=word == "fonttbl")
        elif word in self.words:
            self.words[word](number)
        elif self._silent:
            return
        elif word in _SIGNS:
            self.text.append(_SIGNS[word])
        elif word in _BREAKS and not self.state.in_table:
            self._paragraph()

    def _paragraph(self) -> None:
        self.out.append(self._taken())

    def _taken(self) -> str:
        whole, self.text = "".join(self.text), []
        if any("\ud800" <= c < "\ue000" for c in whole):
            whole = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole.strip(" \u3000")

    # ------------------------------------------------------------------ control words

    def _code_page(self, number: int | None) -> None:
        """Chinese files that claim a western page still write GBK."""
        name = {936: "gb18030", 54936: "gb18030", 950: "big5hkscs", 65001: "utf-8"}.get(number or 0, f"cp{number}")
        if number in (1252, 0, None):
            return
        try:
            codecs.lookup(name)
        except LookupError:
            return
        self.code_page = name

    def _font(self, number: int | None) -> None:
        self.state = replace(self.state, font=number)

    def _charset(self, number: int | None) -> None:
        if self.state.fonts and self.state.font is not None and number in _CHARSETS:
            self.codecs[self.state.font] = _CHARSETS[number]

    def _uc(self, number: int | None) -> None:
        self.state = replace(self.state, skip=max(number or 0, 0))

    def _unicode(self, number: int | None) -> None:
        if number is not None and not self._silent:
            self.text.append(chr(number & 0xFFFF))
        self.skipping = self.state.skip

    def _hidden(self, number: int | None) -> None:
        self.state = replace(self.state, hidden=number != 0)

    def _deleted(self, number: int | None) -> None:
        self.state = replace(self.state, deleted=number != 0)

    def _intbl(self, number: int | None) -> None:
        self.state = replace(self.state, in_table=True)

    def _pard(self, number: int | None) -> None:
        self.state = replace(self.state, in_table=False)

    def _plain(self, number: int | None) -> None:
        self.state = replace(self.state, hidden=False, deleted=False)

    def _cell(self, number: int | None) -> None:
        if not self.state.aside:
            self.cells.append(self._taken())

    def _nested(self, number: int | None) -> None:
        if not self.state.aside:
            self.text.append(" ")

    def _row(self, number: int | None) -> None:
        if not self.state.aside:
            self.out.append("\t".join(self.cells).rstrip("\t"))
            self.cells = []

    def _bin(self, number: int | None) -> None:
        """Raw bytes follow: they are in groups of pictures, which are left out anyway."""
        self.skipping = max(number or 0, 0)
