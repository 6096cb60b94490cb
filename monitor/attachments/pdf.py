"""PDF with a text layer, by PDFium (the reader inside Chromium). One that only holds images is `scanned`."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

from monitor.attachments.content import MOST_CHARS, MOST_PAGES, Content, RefusedError, bounded
from monitor.attachments.layout import Glyph, Sheet, paragraphs
from monitor.attachments.ruled import MOST as MOST_RULES
from monitor.attachments.ruled import Rule

THIN = 2.5  # points: a rectangle thinner than this is a line
SHORT = 6.0  # points: a line shorter than this rules nothing
SLANTED = 0.09  # radians: text that stands more askew is a watermark
COVERS = 0.5  # share of a page that an image covers where the page is a scan
SCANNED = 12  # characters a page under which a document of images has no text layer
TAIL = 2048  # bytes at the end among which the mark of the end stands; some servers add a few of their own
MOST_OBJECTS = 20_000  # objects of a page that are looked at for rules and images

_END = b"%%EOF"
_LOST = frozenset("\ufffe\uffff\x00\ufffd")


def read(body: bytes) -> Content:
    """Raises RefusedError for what PDFium cannot open, and for a file that ends in the middle: PDFium mends those, and
    pages would be missing without a word."""
    if _END not in body[-max(TAIL, len(body) // 10) :]:
        raise RefusedError("damaged", "a PDF whose end is missing")
    try:
        file = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as wrong:
        raise _refusal(wrong) from wrong
    warnings: list[str] = []
    pages = len(file)
    sheets, chars, lost, bad = [], 0, 0, 0
    for number in range(min(pages, MOST_PAGES)):
        try:
            page = file[number]
        except pypdfium2.PdfiumError:
            bad += 1
            continue
        sheet, gone = _sheet(page)
        page.close()
        sheets.append(sheet)
        chars, lost = chars + len(sheet.glyphs), lost + gone
        if chars > MOST_CHARS:
            break
    file.close()
    if pages and bad == pages:
        raise RefusedError("damaged", "a PDF none of whose pages can be read")
    if bad:
        warnings.append(f"{bad} of {pages} pages cannot be read")
    if len(sheets) + bad < pages:
        warnings.append(f"{len(sheets)} of {pages} pages read")
    images = sum(sheet.image for sheet in sheets)
    if images and chars < SCANNED * len(sheets):
        return Content("pdf", pages=pages, scanned=True, warnings=tuple(warnings))
    if images > 0 and 2 * images > len(sheets):
        warnings.append(f"{images} of {pages} pages are images; their text layer may come from a machine")
    if lost > 0.05 * max(chars, 1):
        warnings.append(f"{lost} characters have no meaning in this file's fonts and were left out")
    lines, cut = bounded(paragraphs(sheets))
    return Content("pdf", lines, pages=pages, warnings=(*warnings, *cut))


def _refusal(wrong: pypdfium2.PdfiumError) -> RefusedError:
    code = getattr(wrong, "err_code", None)
    if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return RefusedError("encrypted", "a PDF that needs a password")
    return RefusedError("damaged", "a PDF that cannot be opened")


def _sheet(page: pypdfium2.PdfPage) -> tuple[Sheet, int]:
    """One page as it is meant to be read, and how many of its characters have no Unicode meaning.

    Most of its text says which way is up; what runs another way is a watermark.
    """
    text = page.get_textpage()
    found = list(_glyphs(text))
    text.close()
    ways = Counter(way for _, way in found if way is not None)
    turn = max(ways, key=lambda way: ways[way], default=0)
    box = page.get_mediabox()
    sheet = Sheet(box[2] - box[0], box[3] - box[1])
    lost = 0
    for glyph, way in found:
        if glyph.text in _LOST:
            lost += 1
        elif way == turn:
            sheet.glyphs.append(_turned(glyph, turn, sheet))
    _objects(page, sheet, turn)
    if turn in (1, 3):
        sheet.width, sheet.height = sheet.height, sheet.width
    return sheet, lost


def _glyphs(text: pypdfium2.PdfTextPage) -> Iterator[tuple[Glyph, int | None]]:
    """Each character with its box and the way it runs: quarter turns against the clock, None for a slant.

    What PDFium makes up between words is a blank only between Latin words.
    """
    box, handle = pdfium.FS_RECTF(), text.raw
    last, owed, high = "", False, 0
    ems: dict[float, float] = {}  # printed size of each font size: a matrix may scale it
    for at in range(min(pdfium.FPDFText_CountChars(handle), MOST_CHARS)):
        code = pdfium.FPDFText_GetUnicode(handle, at)
        if pdfium.FPDFText_IsGenerated(handle, at) == 1:
            owed = code == 0x20
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        char, high = _char(code, high), 0
        pdfium.FPDFText_GetLooseCharBox(handle, at, ctypes.byref(box))
        sides = (min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top))
        if char in "\r\n" or not all(map(math.isfinite, sides)):
            continue
        way = _way(pdfium.FPDFText_GetCharAngle(handle, at))
        size = max(pdfium.FPDFText_GetFontSize(handle, at), 1.0)
        wide, tall = sides[2] - sides[0], sides[3] - sides[1]
        if ord(char) > 0x2E7F and way is not None and (along := wide if way in (0, 2) else tall) > 0:
            ems.setdefault(size, along)
        if owed and last.isascii() and char.isascii() and last.isalpha() and char.isalpha():
            char = " " + char
        owed, last = False, char[-1]
        yield Glyph(char, *sides, ems.get(size) or (size if 0.5 < tall / size < 2.5 else tall / 1.2)), way


def _char(code: int, high: int) -> str:
    """A character, also one that comes in two halves."""
    if 0xDC00 <= code < 0xE000:
        return chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00) if high else "\ufffd"
    return chr(code) if code < 0x110000 else "\ufffd"


def _way(angle: float) -> int | None:
    """Quarter turns in one of PDFium's angles: radians, with the clock."""
    quarters = -angle / (math.pi / 2)
    return round(quarters) % 4 if abs(quarters - round(quarters)) * (math.pi / 2) <= SLANTED else None


def _turned(glyph: Glyph, turn: int, sheet: Sheet) -> Glyph:
    """As a reader sees it: pages may be stored lying on their side. `sheet` has the stored width and height."""
    if turn == 0:
        return glyph
    x0, y0, x1, y1 = _turned_box((glyph.x0, glyph.y0, glyph.x1, glyph.y1), turn, sheet)
    return Glyph(glyph.text, x0, y0, x1, y1, glyph.size)


def _turned_box(box: tuple[float, float, float, float], turn: int, sheet: Sheet) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    width, height = sheet.width, sheet.height
    if turn == 1:
        return y0, width - x1, y1, width - x0
    if turn == 3:
        return height - y1, x0, height - y0, x1
    return (width - x1, height - y1, width - x0, height - y0) if turn == 2 else box


def _objects(page: pypdfium2.PdfPage, sheet: Sheet, turn: int) -> None:
    """Ruling lines, and whether an image covers the page."""
    area = sheet.width * sheet.height
    edges = [ctypes.c_float() for _ in range(4)]
    for number in range(min(pdfium.FPDFPage_CountObjects(page.raw), MOST_OBJECTS)):
        item = pdfium.FPDFPage_GetObject(page.raw, number)
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind not in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE):
            continue
        if not pdfium.FPDFPageObj_GetBounds(item, *map(ctypes.byref, edges)):
            continue
        box = (edges[0].value, edges[1].value, edges[2].value, edges[3].value)
        if not all(map(math.isfinite, box)):
            continue
        x0, y0, x1, y1 = _turned_box(box, turn, sheet)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            sheet.image = sheet.image or (x1 - x0) * (y1 - y0) > COVERS * area
        elif len(sheet.rules) < MOST_RULES:
            sheet.rules += _rules(x0, y0, x1, y1)


def _rules(x0: float, y0: float, x1: float, y1: float) -> Iterator[Rule]:
    """A thin shape is a rule; a larger one is a box, and its sides are rules."""
    width, height = x1 - x0, y1 - y0
    if height <= THIN < width and width >= SHORT:
        yield Rule(True, (y0 + y1) / 2, x0, x1)
    elif width <= THIN < height and height >= SHORT:
        yield Rule(False, (x0 + x1) / 2, y0, y1)
    elif width > 2 * SHORT and height > 2 * SHORT:
        yield from (Rule(True, y0, x0, x1), Rule(True, y1, x0, x1), Rule(False, x0, y0, y1), Rule(False, x1, y0, y1))
