"""OFD (GB/T 33190-2016), the layout format of Chinese offices: a package of XML with glyph positions."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from monitor.attachments.content import MOST_CHARS, MOST_PAGES, Content, RefusedError, bounded
from monitor.attachments.layout import Glyph, Sheet, paragraphs
from monitor.attachments.package import Element, Package, local
from monitor.attachments.ruled import Rule

A4 = (595.0, 842.0)  # points
POINTS = 72 / 25.4  # in a millimetre, the unit of the format; the layout's is the point
THIN = 2.5  # points: a path box thinner than this is a line
COVERS = 0.5

Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1, 0, 0, 1, 0, 0)


def read(body: bytes) -> Content:
    """Raises RefusedError for a package without a document."""
    return document(Package(body))


def document(package: Package) -> Content:
    """The text of an open package."""
    sheets: list[Sheet] = []
    chars = 0
    for root in _documents(package):
        for sheet in _pages(package, root):
            sheets.append(sheet)
            chars += len(sheet.glyphs)
            if chars > MOST_CHARS or len(sheets) >= MOST_PAGES:
                break
    if not sheets:
        raise RefusedError("damaged", "an OFD package without a page")
    if chars == 0 and any(sheet.image for sheet in sheets):
        return Content("ofd", pages=len(sheets), scanned=True)
    lines, cut = bounded(paragraphs(sheets))
    return Content("ofd", lines, pages=len(sheets), warnings=cut)


def _documents(package: Package) -> Iterator[str]:
    """The paths of the document parts that OFD.xml names."""
    for element in package.xml("OFD.xml").iter():
        if local(element) == "DocRoot" and element.text:
            yield element.text.strip().lstrip("/")


def _path(base: str, name: str) -> str:
    """A path as a part writes it: from the root, or beside itself."""
    name = name.strip()
    return posixpath.normpath(name.lstrip("/") if name.startswith("/") else posixpath.join(base, name))


def _pages(package: Package, root: str) -> Iterator[Sheet]:
    folder = posixpath.dirname(root)
    tree = package.xml(root)
    usual = _box(next((x.text for x in tree.iter() if local(x) == "PhysicalBox"), None)) or (0.0, 0.0, *A4)
    for element in tree.iter():
        if local(element) != "Page" or not element.get("BaseLoc"):
            continue
        page = package.xml(_path(folder, element.get("BaseLoc") or ""))
        size = _box(next((x.text for x in page.iter() if local(x) == "PhysicalBox"), None)) or usual
        sheet = Sheet(size[2], size[3])
        for layer in page.iter():
            if local(layer) == "Layer":
                _layer(layer, sheet)
        yield sheet


def _layer(layer: Element, sheet: Sheet) -> None:
    for item in layer.iter():
        name = local(item)
        if name == "TextObject":
            sheet.glyphs += _text(item, sheet.height)
        elif name == "PathObject":
            sheet.rules += _rules(item, sheet.height)
        elif name == "ImageObject" and (box := _box(item.get("Boundary"))):
            sheet.image = sheet.image or box[2] * box[3] > COVERS * sheet.width * sheet.height


def _text(item: Element, height: float) -> Iterator[Glyph]:
    """The characters of a text object, each at its place; y is turned to grow upwards."""
    box = _box(item.get("Boundary"))
    size = (_numbers(item.get("Size")) or [4.2])[0] * POINTS
    if box is None or size <= 0:
        return
    matrix = _matrix(item.get("CTM"))
    scale = abs(matrix[3]) or abs(matrix[1]) or 1.0
    for code in item:
        if local(code) != "TextCode" or not code.text:
            continue
        text = code.text.replace("\n", "")
        x, y = ((_numbers(code.get(name)) or [0.0])[0] * POINTS for name in ("X", "Y"))
        steps_x, steps_y = _steps(code.get("DeltaX"), len(text)), _steps(code.get("DeltaY"), len(text))
        for number, char in enumerate(text):
            left, base = _at(matrix, x, y)
            left, base = left + box[0], height - (base + box[1])
            em = size * scale
            wide = em if ord(char) > 0x2E7F else em / 2
            yield Glyph(char, left, base - 0.2 * em, left + wide, base + 0.8 * em, em)
            x += steps_x[number] if steps_x else (size if ord(char) > 0x2E7F else size / 2)
            y += steps_y[number] if steps_y else 0.0


def _rules(item: Element, height: float) -> Iterator[Rule]:
    """A thin path is a line; a larger one is a frame."""
    box = _box(item.get("Boundary"))
    if box is None:
        return
    x0, y0, x1, y1 = box[0], height - box[1] - box[3], box[0] + box[2], height - box[1]
    if box[3] <= THIN < box[2]:
        yield Rule(True, (y0 + y1) / 2, x0, x1)
    elif box[2] <= THIN < box[3]:
        yield Rule(False, (x0 + x1) / 2, y0, y1)
    elif min(box[2], box[3]) > 4 * THIN:
        yield from (Rule(True, y0, x0, x1), Rule(True, y1, x0, x1), Rule(False, x0, y0, y1), Rule(False, x1, y0, y1))


def _numbers(text: str | None) -> list[float]:
    out = []
    for part in (text or "").split():
        try:
            out.append(float(part))
        except ValueError:
            return []
    return out


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    """x, y, width and height, in points."""
    found = [value * POINTS for value in _numbers(text)]
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 else None


def _matrix(text: str | None) -> Matrix:
    found = _numbers(text)
    if len(found) != 6:
        return _SAME
    return found[0], found[1], found[2], found[3], found[4] * POINTS, found[5] * POINTS


def _at(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _steps(text: str | None, count: int) -> Sequence[float]:
    """Distances between characters in points; `g 5 3.2` stands for five times 3.2."""
    if not text:
        return ()
    out: list[float] = []
    parts = text.split()
    at = 0
    while at < len(parts) and len(out) < count:
        try:
            if parts[at] == "g" and at + 2 < len(parts):
                out += [float(parts[at + 2]) * POINTS] * min(int(parts[at + 1]), count)
                at += 3
            else:
                out.append(float(parts[at]) * POINTS)
                at += 1
        except ValueError:
            return ()
    out += [out[-1] if out else 0.0] * (count - len(out))
    return out
