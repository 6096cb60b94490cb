"""Every format that is read: what stands in it, what is left out, and that all of them say the same."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.attachments import registry
from monitor.attachments.content import RefusedError
from monitor.attachments.numbering import written
from monitor.attachments.sheets import shown
from monitor.attachments.sniff import sniff

DATA = Path(__file__).parents[2] / "data"
CASES = yaml.safe_load((DATA / "files.yaml").read_text(encoding="utf-8"))
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
REPORT = (
    "云岭区2026年政府工作报告",
    "2026年全区经济社会发展的主要预期目标是：地区生产总值增长6%左右，一般公共预算收入增长5%，固定资产投资增长8%以上，"
    "规模以上工业增加值增长7.5%，城镇新增就业8000人以上。",
    "（一）全力扩大有效投资。实施重点项目120个，年度投资65亿元以上，其中亿元以上项目38个，新开工产业项目45个。",
    "各位代表，让我们团结奋斗！",
)
SONGYUAN = [
    "松原新区2026年政府工作报告",
    "——2026年1月12日在松原新区第三届人民代表大会第五次会议上",
    "2026年主要预期目标是：地区生产总值增长6.5%左右，一般公共预算收入增长5%。",
    "详见新区门户网站。",
    "指标\t\t2026年",
    "城镇新增就业\t人\t5200以上",
    "\t其中：青年\t900",
    "各位代表：𠮷祥如意，让我们共同奋斗！",
]


@pytest.mark.parametrize(("value", "form", "wanted"), CASES["numbers"])
def test_a_number_is_read_as_the_sheet_shows_it(value: float, form: str, wanted: str) -> None:
    assert shown(value, form) == wanted


@pytest.mark.parametrize(("head", "kind"), CASES["kinds"])
def test_a_kind_is_told_by_the_first_bytes(head: str, kind: str | None) -> None:
    body = head.encode("utf-8") if any(ord(c) > 255 for c in head) else head.encode("latin-1")
    assert sniff(body) == kind


@pytest.mark.parametrize(("number", "form", "wanted"), CASES["forms"])
def test_automatic_numbers_are_written(number: int, form: str, wanted: str) -> None:
    assert written(number, form) == wanted


@pytest.mark.parametrize("kind", ["pdf", "ofd", "docx", "rtf"])
def test_every_format_says_the_same(made: Any, kind: str) -> None:
    bodies = {
        "pdf": lambda: made.pdf(*made.wrapped(REPORT)),
        "ofd": lambda: made.ofd(*made.wrapped(REPORT)),
        "docx": lambda: made.docx(*REPORT),
        "rtf": lambda: b"{\\rtf1\\ansi\\ansicpg936 " + b"".join(_gbk(p) + b"\\par\n" for p in REPORT) + b"}",
    }
    found = registry.read(bodies[kind]())
    assert (found.type, found.lines) == (kind, REPORT)


def _gbk(text: str) -> bytes:
    return b"".join(b"\\'%02x" % b if b > 0x7F else bytes([b]) for b in text.encode("gb18030"))


@pytest.mark.parametrize("name", ["songyuan.doc", "songyuan.rtf"])
def test_old_word_files_without_what_was_deleted_or_hidden(name: str) -> None:
    """Written by LibreOffice from an invented report with tracked changes, hidden text, a field and a table."""
    assert list(registry.read((DATA / "files" / name).read_bytes()).lines) == SONGYUAN


def test_an_old_sheet_shows_percent_and_thousands_and_hides_what_is_hidden() -> None:
    assert registry.read((DATA / "files" / "songyuan.xls").read_bytes()).lines == (
        "松原新区2026年预算收支总表",
        "项目\t2025年执行数\t2026年预算数\t增长",
        "一般公共预算收入\t31,415.50\t32,986.28\t5.0%",
        "一般公共预算支出\t52,000.00\t54,600.00\t5.0%",
        "编制日期\t2026-01-09",
    )


def test_a_sheet_has_a_line_a_row_and_names_its_sheets(made: Any) -> None:
    book = made.xlsx(
        ("收入", [["科目", "增长", None, "备注"], [None, None], ["税收", 0.065]]), ("支出", [["教育", 1200]]),
        formats={"B3": "0.0%"},
    )  # fmt: skip
    assert registry.read(book).lines == ("收入", "科目\t增长\t\t备注", "税收\t6.5%", "支出", "教育\t1200")


# --------------------------------------------------------------------------- layout


def test_columns_are_read_one_after_the_other(made: Any) -> None:
    left = [f"左栏第{n}行文字写到栏边为止不留空白" for n in "一二三四五六"]
    right = [f"右栏第{n}行文字写到栏边为止不留空白" for n in "一二三四五六"]
    page = [(100, 780, 20, "横跨两栏的大标题写在正中间占满全宽")]
    for row in range(6):
        page += [(60, 740 - 16 * row, 12, left[row]), (310, 740 - 16 * row, 12, right[row])]
    lines = registry.read(made.pdf(page)).lines
    assert "\n".join(lines).replace("\n", "") == page[0][3] + "".join(left) + "".join(right)


def test_a_ruled_table_keeps_its_cells_together(made: Any) -> None:
    rules = [(60, y, 420, 0.7) for y in (700, 640, 610)] + [(x, 610, 0.7, 90) for x in (60, 200, 260, 480)]
    page = [
        (60, 760, 16, "主要指标"),
        (64, 680, 12, "城镇新增就业（含返"),
        (64, 664, 12, "乡创业人员）"),
        (210, 670, 12, "万人"),
    ]
    page += [(270, 670, 12, "8000以上"), (64, 620, 12, "税收"), (270, 620, 12, "33.0")]
    lines = registry.read(made.pdf(page, rules=rules)).lines
    assert lines == ("主要指标", "城镇新增就业（含返乡创业人员）\t万人\t8000以上", "税收\t\t33.0")


def test_running_heads_and_page_numbers_are_left_out(made: Any) -> None:
    pages = [
        [(200, 800, 9, "云岭区人民政府办公室"), (72, 700, 14, f"第{n}段正文。"), (280, 40, 9, f"第 {i} 页 共 4 页")]
        for i, n in enumerate("一二三四", 1)
    ]
    assert registry.read(made.pdf(*pages)).lines == tuple(f"第{n}段正文。" for n in "一二三四")


def test_a_number_broken_at_the_end_of_a_line_is_one_number_again(made: Any) -> None:
    page = [(72, 700, 10, "　　" + "全区地区生产总值比上年增长了许多达到人民币20"), (72, 680, 10, "26亿元。")]
    page += [(72, 660, 10, "　　" + "全区地区生产总值比上年增长了许多达到人民币30")]
    assert "达到人民币2026亿元" in registry.read(made.pdf(page)).lines[0]


def test_a_scan_is_said_to_be_one(made: Any) -> None:
    found = registry.read(made.pdf([], [], image=True))
    assert (found.scanned, found.lines, found.pages) == (True, (), 2)


# --------------------------------------------------------------------------- word


def test_docx_accepts_tracked_changes_numbers_paragraphs_and_reads_boxes_and_notes(made: Any) -> None:
    def run(text: str) -> str:
        return f"<w:r><w:t>{text}</w:t></w:r>"

    numbered = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    body = (
        f"<w:p>{numbered}{run('工作回顾')}</w:p><w:p>{numbered}{run('工作安排')}</w:p>"
        f'<w:p>{run("增长")}<w:del w:id="1"><w:r><w:delText>7%</w:delText></w:r></w:del>'
        f'<w:ins w:id="2">{run("6%")}</w:ins>'
        f"<w:r><w:rPr><w:vanish/></w:rPr><w:t>待核</w:t></w:r>{run('左右')}<w:r><w:br/></w:r>{run('下一行')}</w:p>"
        "<w:p><w:r><w:AlternateContent><w:Choice><w:txbxContent><w:p><w:r><w:t>框中文字</w:t></w:r></w:p></w:txbxContent>"
        "</w:Choice><w:Fallback><w:txbxContent><w:p><w:r><w:t>框中文字</w:t></w:r></w:p></w:txbxContent></w:Fallback>"
        "</w:AlternateContent></w:r></w:p>"
    )
    parts = {
        "word/numbering.xml": f'<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
        '<w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>',
        "word/footnotes.xml": f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:type="separator" w:id="-1"><w:p/>'
        '</w:footnote><w:footnote w:id="1"><w:p><w:r><w:t>注：为预计数。</w:t></w:r></w:p></w:footnote></w:footnotes>',
    }
    found = registry.read(made.docx(body=body, parts=parts))
    assert found.lines == ("一、工作回顾", "二、工作安排", "增长6%左右", "下一行", "框中文字", "注：为预计数。")


def test_a_table_for_layout_is_text_and_one_for_data_is_rows(made: Any) -> None:
    long = "全区上下攻坚克难，经济运行稳中向好。" * 30
    found = registry.read(made.docx([["指标", "2026年"], ["税收", "33.0亿元"]], [[long, "旁注"]]))
    assert found.lines == ("指标\t2026年", "税收\t33.0亿元", long, "旁注")


# --------------------------------------------------------------------------- pages and archives


def test_a_saved_page_gives_its_page_and_address() -> None:
    page = base64.encodebytes("<html><body><p>各位代表</p></body></html>".encode("gb18030")).decode()
    body = (
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\n'
        "Content-Type: text/html; charset=gbk\r\nContent-Location: http://www.yunling.example/a.html\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{page}\r\n--b--"
    )
    found = registry.read(body.encode())
    assert (found.type, found.charset, found.url) == ("mhtml", "gbk", "http://www.yunling.example/a.html")
    assert found.page is not None
    assert "各位代表" in found.page.decode("gb18030")


def test_an_archive_is_its_documents_one_after_the_other(made: Any) -> None:
    body = made.zipped(
        {
            "报告/一.docx": made.docx("第一份"), "二.pdf": made.pdf([(72, 700, 14, "第二份")]),
            "三.txt": "第三份".encode("gbk"),
            "图.png": b"\x89PNG\r\n", "四.zip": made.zipped({"五.txt": b"x"}), "六.docx": b"PK\x03\x04 broken",
        }
    )  # fmt: skip
    found = registry.read(body)
    assert found.lines == ("一.docx", "第一份", "二.pdf", "第二份", "三.txt", "第三份")
    assert [w.partition(":")[0] for w in found.warnings] == ["图.png", "四.zip", "六.docx"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"Rar!\x1a\x07\x00 rest", "unsupported"),
        (b"\x89PNG\r\n\x1a\n", "unsupported"),
        (b"plain words", "unsupported"),
        (b"%PDF-1.7\n nothing more %%EOF", "damaged"),
        (b"%PDF-1.7\n%%EOF\n" + b"1 0 obj [] endobj " * 900, "damaged"),
        (b"PK\x03\x04 nothing more", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged"),
        (b"MIME-Version: 1.0\r\n\r\nno page", "damaged"),
    ],
)
def test_what_gives_no_text_says_why(body: bytes, word: str) -> None:
    with pytest.raises(RefusedError) as refused:
        registry.read(body)
    assert refused.value.word == word
