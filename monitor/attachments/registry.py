"""The readers, by the family that `sniff` tells. A new format is a file beside this one and a line here.

A reader takes the bytes of a file and gives a Content, or raises RefusedError. It may also die of what a hostile file
does to it: nobody calls this but `monitor.sandbox`, in a process of its own with bounds of time and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from monitor.attachments import archive, mhtml, office, pdf, rtf
from monitor.attachments.content import Content, Reader, RefusedError
from monitor.attachments.sniff import sniff

DOCUMENTS: dict[str, Reader] = {"pdf": pdf.read, "ole": office.read, "rtf": rtf.read}
READERS: Mapping[str, Reader] = {
    **DOCUMENTS,
    "mhtml": mhtml.read,
    "zip": partial(archive.read, readers=DOCUMENTS),  # docx, xlsx, ofd too
}
NAMES = {"rar": "a RAR archive", "7z": "a 7z archive", "gz": "a gzip file", "image": "an image", "ceb": "a CEB file"}


def read(body: bytes) -> Content:
    """The text of a file. Raises RefusedError for a kind without a reader."""
    kind = sniff(body) or ""
    if kind in READERS:
        return READERS[kind](body)
    raise RefusedError("unsupported", f"{NAMES.get(kind, 'no kind of document that is known')}: not read")
