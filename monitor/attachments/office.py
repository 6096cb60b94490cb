"""OLE compound files: Word and Excel before 2007, and what WPS writes as .wps and .et."""

from __future__ import annotations

import io

import olefile

from monitor.attachments import doc, sheets
from monitor.attachments.content import Content, RefusedError

MOST_STREAM = 200_000_000  # bytes of one stream


def read(body: bytes) -> Content:
    """By the streams that the container holds. Raises RefusedError."""
    try:
        container = olefile.OleFileIO(io.BytesIO(body))
    except (OSError, ValueError) as wrong:
        raise RefusedError("damaged", f"an Office file that cannot be opened ({wrong})") from wrong
    if container.exists("EncryptedPackage"):
        raise RefusedError("encrypted", "an Office document that needs a password")
    if container.exists("WordDocument"):
        tables = {name: _stream(container, name) for name in ("0Table", "1Table") if container.exists(name)}
        return doc.read(_stream(container, "WordDocument"), tables)
    if container.exists("Workbook") or container.exists("Book"):
        return sheets.read_xls(body)
    if container.exists("PowerPoint Document"):
        raise RefusedError("unsupported", "a presentation is not read")
    raise RefusedError("damaged", "an Office file without a document or a sheet in it")


def _stream(container: olefile.OleFileIO, name: str) -> bytes:
    if container.get_size(name) > MOST_STREAM:
        raise RefusedError("too_large", f"the stream {name} has {container.get_size(name)} bytes")
    try:
        data: bytes = container.openstream(name).read()
    except OSError as wrong:
        raise RefusedError("damaged", f"the stream {name} cannot be read ({wrong})") from wrong
    return data
