"""Files of every format that is read, written by the smallest means that their standards allow."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import openpyxl
import pytest

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
Spot = tuple[float, float, float, str]  # x, y from the bottom, size, text: in points


def zipped(parts: dict[str, str | bytes], level: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A package of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", level) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def docx(*blocks: str | Sequence[Sequence[str]], body: str = "", parts: dict[str, str | bytes] | None = None) -> bytes:
    """Paragraphs (strings) and tables (rows of cells), then `body` as it is; `parts` are further members."""
    inner = "".join(_paragraph(b) if isinstance(b, str) else _table(b) for b in blocks) + body
    main = f'<w:document xmlns:w="{WORD}"><w:body>{inner}</w:body></w:document>'
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return zipped({"[Content_Types].xml": types, "word/document.xml": main, **(parts or {})})


def _paragraph(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _table(rows: Iterable[Iterable[str]]) -> str:
    cells = (f"<w:tr>{''.join(f'<w:tc>{_paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in rows)
    return f"<w:tbl>{''.join(cells)}</w:tbl>"


def xlsx(*sheets: tuple[str, Sequence[Sequence[object]]], formats: dict[str, str] | None = None) -> bytes:
    """Sheets with their rows; `formats` are number formats of cells of the first."""
    book = openpyxl.Workbook()
    for number, (name, rows) in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        sheet.title = name
        for row in rows:
            sheet.append(list(row))
    for cell, form in (formats or {}).items():
        book.worksheets[0][cell].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def pdf(*pages: Sequence[Spot], rules: Sequence[tuple[float, float, float, float]] = (), image: bool = False) -> bytes:
    """Pages of A4 with text at these places; `rules` are filled boxes (x, y, width, height) on each of them.

    The font is named and not embedded: each character is its own code, an em wide or half an em, with a ToUnicode map.
    PDFium takes a single character without a glyph for nothing, so texts have two at least.
    """
    chars = sorted({c for page in pages for *_, text in page for c in text})
    codes = {c: n for n, c in enumerate(chars, 1)}
    streams = []
    for page in pages:
        drawn = "".join(f"{x} {y} {w} {h} re f\n" for x, y, w, h in rules)
        drawn += "q 595 0 0 842 0 0 cm /Im Do Q\n" if image else ""
        for x, y, size, text in page:
            shown = "".join(f"{codes[c]:04x}" for c in text)
            drawn += f"BT /F {size} Tf {x} {y} Td <{shown}> Tj ET\n"
        streams.append(drawn.encode("ascii"))
    return _objects(streams, codes)


def _objects(streams: Sequence[bytes], codes: dict[str, int]) -> bytes:
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(streams)))
    widths = " ".join(f"{n} [{1000 if ord(c) > 0x2E7F or c in '“”‘’—…' else 500}]" for c, n in codes.items())
    pairs = "\n".join(f"<{n:04x}> <{c.encode('utf-16-be').hex()}>" for c, n in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(codes)} beginbfchar\n{pairs}\nendbfchar\n"
        "endcmap end end"
    ).encode("ascii")
    found: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} /MediaBox [0 0 595 842] >>".encode(),
        3: (
            b"<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding /Identity-H /DescendantFonts [4 0 R] "
            b"/ToUnicode 6 0 R >>"
        ),
        4: (
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Made /CIDSystemInfo << /Registry (Adobe) /Ordering "
            f"(Identity) /Supplement 0 >> /FontDescriptor 5 0 R /DW 1000 /W [{widths}] >>"
        ).encode(),
        5: (
            b"<< /Type /FontDescriptor /FontName /Made /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 "
            b"/Descent -120 /CapHeight 700 /StemV 80 >>"
        ),
        6: _stream(b"", cmap),
        7: _stream(
            b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", b"\x80"
        ),
    }
    for number, data in enumerate(streams):
        found[10 + 2 * number] = (
            f"<< /Type /Page /Parent 2 0 R /Contents {11 + 2 * number} 0 R "
            "/Resources << /Font << /F 3 0 R >> /XObject << /Im 7 0 R >> >> >>"
        ).encode()
        found[11 + 2 * number] = _stream(b"", data)
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, data in sorted(found.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    start, last = len(out), max(found)
    rows = b"".join(
        b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(last + 1)
    )
    out += b"xref\n0 %d\n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        last + 1,
        rows,
        last + 1,
        start,
    )
    return bytes(out)


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)


def wrapped(paragraphs: Sequence[str], *, top: float = 780, size: float = 16, per_line: int = 28) -> list[list[Spot]]:
    """Paragraphs as a word processor sets them: first lines indented by two, `per_line` in a line, numbered pages."""
    left, pages, y = 72.0, [[]], top
    for paragraph in paragraphs:
        text, indent = paragraph, 2
        while text:
            room = (per_line - indent) * 2.0
            cut = 0
            while cut < len(text) and room > 0:
                room -= 2 if ord(text[cut]) > 0x2E7F else 1
                cut += room >= 0
            if y < 90:
                pages.append([])
                y = top
            pages[-1].append((left + indent * size, y, size, text[:cut]))
            text, indent, y = text[cut:], 0, y - 28
    for number, page in enumerate(pages, 1):
        page.append((280, 50, 12, f"— {number} —"))
    return pages


def ofd(*pages: Sequence[Spot]) -> bytes:
    """The same places as `pdf`, in millimetres from the top left."""
    parts: dict[str, str | bytes] = {
        "OFD.xml": '<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml'
        "</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": '<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData><ofd:PageArea>'
        "<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages>"
        + "".join(f'<ofd:Page ID="{n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
        + "</ofd:Pages></ofd:Document>",
    }
    scale = 210 / 595
    for number, page in enumerate(pages):
        objects = ""
        for x, y, size, text in page:
            em = size * scale
            steps = " ".join(f"{em if ord(c) > 0x2E7F else em / 2:.3f}" for c in text[:-1])
            wide = len(text) * em
            objects += (
                f'<ofd:TextObject Boundary="{x * scale:.3f} {297 - y * scale - em:.3f} {wide:.3f} {1.3 * em:.3f}" '
                f'Size="{em:.3f}"><ofd:TextCode X="0" Y="{em:.3f}" DeltaX="{steps}">{escape(text)}</ofd:TextCode>'
                "</ofd:TextObject>"
            )
        parts[f"Doc_0/Pages/Page_{number}/Content.xml"] = (
            f'<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer>{objects}</ofd:Layer>'
            "</ofd:Content></ofd:Page>"
        )
    return zipped(parts)


class Made:
    """The writers above, for tests that cannot import from here."""

    zipped = staticmethod(zipped)
    docx = staticmethod(docx)
    xlsx = staticmethod(xlsx)
    pdf = staticmethod(pdf)
    wrapped = staticmethod(wrapped)
    ofd = staticmethod(ofd)


@pytest.fixture(scope="session")
def made() -> Made:
    """Writers of files."""
    return Made()
