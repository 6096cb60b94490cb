"""What a reader finds in a file, and how it refuses one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from monitor.errors import DecodeError

RefusalWord = Literal["damaged", "encrypted", "too_large", "unsupported"]

MOST_CHARS = 3_000_000  # of text that one file may bring: a report has 20,000, a city's budget 400,000
MOST_PAGES = 3_000


class RefusedError(DecodeError):
    """A file that gives no text. `word` says why, the message says it to a person."""

    def __init__(self, word: RefusalWord, message: str) -> None:
        super().__init__(message)
        self.word = word


@dataclass(frozen=True, slots=True)
class Content:
    """The text of one file. `lines` are paragraphs, and rows of tables with a tab between cells.

    `page` holds the source of files that are web pages in disguise: text.clean reads it better than anybody here.
    `scanned`: pages of images without a text layer; then there are no lines.
    """

    type: str  # pdf docx doc rtf xlsx xls ofd mhtml html zip odt
    lines: tuple[str, ...] = ()
    page: bytes | None = None
    charset: str | None = None  # of `page`, as its envelope names it
    url: str | None = None  # of `page`, as its envelope names it
    pages: int | None = None
    scanned: bool = False
    warnings: tuple[str, ...] = ()


Reader = Callable[[bytes], Content]


def bounded(lines: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(lines, warnings): no more than MOST_CHARS characters of them."""
    total = 0
    for number, line in enumerate(lines):
        total += len(line)
        if total > MOST_CHARS:
            return tuple(lines[:number]), (f"text cut after {MOST_CHARS} characters",)
    return tuple(lines), ()
