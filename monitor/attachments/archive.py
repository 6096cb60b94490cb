"""ZIP: an office package by what it holds, else an archive whose documents are read one after the other."""

from __future__ import annotations

from monitor.attachments import docx, ofd, sheets
from monitor.attachments.content import Content, Reader, RefusedError, bounded
from monitor.attachments.package import Package
from monitor.attachments.sniff import sniff

MOST_DOCUMENTS = 50
MOST_DOCUMENT = 50_000_000  # bytes of one document in an archive


def read(body: bytes, readers: dict[str, Reader]) -> Content:
    """`readers` are those for documents in an archive; an archive in an archive is only named."""
    package = Package(body)
    if "OFD.xml" in package:
        return ofd.document(package)
    if any(name.startswith("xl/workbook") for name in package.names):
        return sheets.read_xlsx(body)
    if "[Content_Types].xml" in package or "word/document.xml" in package:
        if any(name.startswith("ppt/") for name in package.names):
            raise RefusedError("unsupported", "a presentation is not read")
        return docx.document(package)
    return _archive(package, readers)


def _archive(package: Package, readers: dict[str, Reader]) -> Content:
    """Each document under its name."""
    lines: list[str] = []
    warnings: list[str] = []
    read = 0
    for name in package.names:
        shown = package.shown(name)
        if read >= MOST_DOCUMENTS:
            warnings.append(f"only the first {MOST_DOCUMENTS} documents of the archive are read")
            break
        found = _member(package, name, readers)
        if isinstance(found, str):
            warnings.append(f"{shown}: {found}")
        else:
            read += 1
            lines += [shown.rpartition("/")[2], *found.lines]
            warnings += [f"{shown}: {warning}" for warning in found.warnings]
            if found.scanned:
                warnings.append(f"{shown}: scanned pages without a text layer")
    kept, cut = bounded(lines)
    return Content("zip", kept, warnings=(*warnings, *cut))


def _member(package: Package, name: str, readers: dict[str, Reader]) -> Content | str:
    """One document, or why it is not read."""
    if package.size(name) > MOST_DOCUMENT:
        return f"{package.size(name)} bytes are too many"
    body = package.read(name)
    kind = sniff(body)
    if kind is None and name.lower().endswith((".txt", ".csv")):
        return Content("txt", tuple(_text(body).splitlines()))
    reader = readers.get(kind or "")
    if reader is None and kind == "zip" and not name.lower().endswith(".zip"):
        try:
            return read(body, {})
        except RefusedError as refused:
            return str(refused)
    if reader is None:
        return "not a kind of document that is read"
    try:
        return reader(body)
    except RefusedError as refused:
        return str(refused)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace")
