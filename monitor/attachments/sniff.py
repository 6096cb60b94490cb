"""What kind of file these bytes are, by how they begin. Names lie: half of all .doc are RTF, HTML or DOCX inside."""

from __future__ import annotations

import re

HEAD = 4096  # bytes that are looked at

# Order matters only for the last: a PDF may have a few bytes before its mark.
_MARKS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "zip"),  # docx, xlsx, ofd, odt and plain archives
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "ole"),  # doc, xls, wps, et, ppt
    (re.compile(rb"\s*\{\\rtf"), "rtf"),
    (re.compile(rb"Rar!\x1a\x07"), "rar"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "7z"),
    (re.compile(rb"\x1f\x8b"), "gz"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP", re.DOTALL), "image"),
    (re.compile(rb"Founder CEB|CEB\0|FounderCEB"), "ceb"),
    (
        re.compile(
            rb"(?:\s*[A-Za-z-]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n){0,40}?"
            rb"\s*(?:MIME-Version|Content-Type:\s*multipart/related|Snapshot-Content-Location)",
            re.IGNORECASE,
        ),
        "mhtml",
    ),
    (re.compile(rb".{0,1024}?%PDF-\d", re.DOTALL), "pdf"),
)
_BOM = b"\xef\xbb\xbf"
READABLE = frozenset({"pdf", "zip", "ole", "rtf", "mhtml"})  # has a reader (registry.READERS)


def sniff(body: bytes) -> str | None:
    """The family of a file, or None for text, web pages and what nobody knows."""
    head = body[:HEAD].removeprefix(_BOM)
    if head.lstrip()[:1] == b"<":
        return None
    return next((name for mark, name in _MARKS if mark.match(head)), None)
