"""DOCX (ECMA-376): paragraphs with their automatic numbers, tables, text boxes, footnotes; tracked changes accepted."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.attachments.content import Content, bounded
from monitor.attachments.numbering import Numbering
from monitor.attachments.package import Element, Package, attribute, local

LONG_CELL = 400  # characters of a cell from which a table is there for layout, and its cells are paragraphs

_GONE = frozenset({"del", "moveFrom", "rt", "instrText", "delText", "delInstrText", "Fallback", "rPr", "pPr"})
_DASHES = {"noBreakHyphen": "-", "softHyphen": "", "tab": " ", "ptab": " "}


def read(body: bytes) -> Content:
    """Raises RefusedError for a package without a document part."""
    return document(Package(body))


def document(package: Package) -> Content:
    """The text of an open package."""
    main = _main_part(package)
    writer = _Writer(Numbering.of(package, main))
    writer.block(package.xml(main))
    notes = main.rpartition("/")[0] + "/footnotes.xml"
    if notes.lstrip("/") in package:
        for note in package.xml(notes.lstrip("/")):
            if attribute(note, "type") is None:  # the others are the line above the notes
                writer.block(note)
    lines, cut = bounded([line for line in (" ".join(x.split(" ")).strip(" \u3000") for x in writer.out) if line])
    return Content("docx", lines, warnings=cut)


def _main_part(package: Package) -> str:
    """The part that the package names as its document."""
    if "_rels/.rels" in package:
        for relation in package.xml("_rels/.rels"):
            if (relation.get("Type") or "").endswith("/officeDocument"):
                return (relation.get("Target") or "").lstrip("/")
    return "word/document.xml"


class _Writer:
    """Collects lines in reading order."""

    def __init__(self, numbering: Numbering) -> None:
        self.out: list[str] = []
        self._numbering = numbering

    def block(self, parent: Element) -> None:
        """Everything inside an element that holds paragraphs and tables."""
        for child in parent:
            name = local(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name not in _GONE:
                self.block(child)

    def _paragraph(self, element: Element) -> None:
        boxes: list[Element] = []
        text = "".join(_inline(element, boxes))
        if text.strip():
            text = self._numbering.label(element) + text.lstrip(" \u3000")
        self.out += text.split("\n")
        for box in boxes:
            self.block(box)

    def _table(self, element: Element) -> None:
        for row in _children(element, "tr"):
            cells = [self._cell(cell) for cell in _children(row, "tc")]
            if len(cells) == 1 or any(sum(map(len, cell)) > LONG_CELL for cell in cells):
                self.out += [line for cell in cells for line in cell]
            elif any(cells):
                self.out.append("\t".join("".join(cell) for cell in cells).rstrip("\t"))

    def _cell(self, cell: Element) -> list[str]:
        """The lines of one cell; one that goes on from the row above has none."""
        for merge in cell.iter():
            if local(merge) == "vMerge" and attribute(merge, "val") in (None, "continue"):
                return []
            if local(merge) == "p":
                break
        inner = _Writer(self._numbering)
        inner.block(cell)
        return [line.strip(" \u3000").replace("\t", " ") for line in inner.out if line.strip(" \u3000")]


def _children(element: Element, wanted: str) -> Iterator[Element]:
    """Rows or cells, also those wrapped in a content control or an accepted insertion."""
    for child in element:
        name = local(child)
        if name == wanted:
            if not _is_deleted_row(child):
                yield child
        elif name in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _children(child, wanted)


def _is_deleted_row(row: Element) -> bool:
    return any(local(mark) == "del" for part in row if local(part) == "trPr" for mark in part)


def _inline(element: Element, boxes: list[Element]) -> Iterator[str]:
    """The text of a paragraph; text boxes anchored in it are put aside."""
    for child in element:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in ("br", "cr"):
            yield "" if attribute(child, "type") == "page" else "\n"
        elif name in _DASHES:
            yield _DASHES[name]
        elif name == "txbxContent":
            boxes.append(child)
        elif name not in _GONE and not (name == "r" and _is_hidden(child)):
            yield from _inline(child, boxes)


def _is_hidden(run: Element) -> bool:
    for part in run:
        if local(part) == "rPr":
            return any(local(x) == "vanish" and attribute(x, "val") not in ("0", "false") for x in part)
    return False
