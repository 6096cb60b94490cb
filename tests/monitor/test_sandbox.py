"""Hostile and broken files: each ends within bounds, with a word for why, and takes nobody with it."""

from __future__ import annotations

import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor import sandbox
from monitor.attachments import registry
from monitor.attachments.content import RefusedError

FILES = Path(__file__).parents[1] / "data" / "files"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
REPORT = ("云岭区2026年政府工作报告", "2026年主要预期目标是：地区生产总值增长6%左右，一般公共预算收入增长5%。")


def refusal(body: bytes, **bounds: int) -> tuple[str, float]:
    """The word with which a file is refused, and the seconds it took."""
    start = time.monotonic()
    with pytest.raises(RefusedError) as refused:
        sandbox.read(body, **bounds)
    return refused.value.word, time.monotonic() - start


def test_a_file_is_read_in_a_process_of_its_own(made: Any) -> None:
    found = sandbox.read(made.pdf(*made.wrapped(REPORT)))
    assert (found.type, found.lines, found.pages) == ("pdf", REPORT, 1)


def test_the_reader_sees_nothing_of_our_environment(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUBIAO_SMTP_URL", "smtp://user:secret@host")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere/nothing.so")
    assert sandbox.read(made.docx(*REPORT)).lines == REPORT


def test_a_zip_bomb_is_refused_before_it_inflates(made: Any) -> None:
    huge = b"<w:document>" + b" " * 70_000_000
    assert refusal(made.zipped({"word/document.xml": huge}))[0] == "too_large"


def test_a_package_of_many_members_is_refused(made: Any) -> None:
    assert refusal(made.zipped({f"{n}.txt": b"" for n in range(12_000)}))[0] == "too_large"


def test_entities_that_swell_are_refused(made: Any) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><w:document>&b;</w:document>'
    assert refusal(made.zipped({"word/document.xml": laughs}))[0] == "unsupported"


def test_elements_nested_without_end_are_refused(made: Any) -> None:
    deep = (
        f'<w:document xmlns:w="{WORD}"><w:body>' + "<w:sdt>" * 200_000 + "</w:sdt>" * 200_000 + "</w:body></w:document>"
    )
    word, took = refusal(made.zipped({"word/document.xml": deep}))
    assert word in ("too_large", "damaged")
    assert took < 20


def test_groups_nested_without_end_are_refused() -> None:
    assert refusal(b"{\\rtf1 " + b"{" * 100_000)[0] == "too_large"


def test_a_pdf_of_a_million_objects_ends() -> None:
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n[]\nendobj\n" % n for n in range(1, 1_000_001)) + b"%%EOF"
    word, took = refusal(body)
    assert word in ("damaged", "too_large")
    assert took < 30


def test_a_stream_that_draws_for_ever_runs_out_of_time(made: Any) -> None:
    body = made.pdf([(72, 700, 12, "各位代表")])
    drawn = zlib.compress(b"BT /F 12 Tf 72 700 Td <0001> Tj ET\n" * 4_000_000)
    start = body.index(b"11 0 obj")
    bomb = body[:start] + b"11 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(drawn) + drawn
    word, took = refusal(bomb + b"\nendstream\nendobj\n" + body[body.index(b"xref") :], seconds=1)
    assert word in ("too_large", "damaged")
    assert took < 12


def test_a_reader_that_wants_too_much_memory_is_stopped(made: Any) -> None:
    rows = "".join(f"<w:p><w:r><w:t>第{n}段</w:t></w:r></w:p>" for n in range(400_000))
    body = made.zipped({"word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{rows}</w:body></w:document>'})
    assert refusal(body, memory=150_000_000)[0] in ("too_large", "damaged")


def test_a_container_whose_chains_run_in_circles_ends() -> None:
    body = bytearray((FILES / "songyuan.doc").read_bytes())
    for place in range(512, 1024, 4):  # the first sector is often the table of chains
        struct.pack_into("<I", body, place, 1)
    try:
        sandbox.read(bytes(body), seconds=5)
    except RefusedError as refused:
        assert refused.word in ("damaged", "too_large", "unsupported")


# --------------------------------------------------------------------------- mutations


def mutants(body: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Cut, flipped, doubled and zeroed."""
    dice = random.Random(seed)
    for number in range(count):
        at = dice.randrange(len(body))
        made = bytearray(body)
        if number % 4 == 0:
            del made[at:]
        elif number % 4 == 1:
            for _ in range(dice.randrange(1, 40)):
                made[dice.randrange(len(made))] ^= 1 << dice.randrange(8)
        elif number % 4 == 2:
            made[at:at] = made[max(0, at - 500) : at]
        else:
            made[at : at + dice.randrange(1, 200)] = bytes(dice.randrange(1, 200))
        yield bytes(made)


SOURCES: dict[str, Callable[[Any], bytes]] = {
    "docx": lambda made: made.docx(*REPORT, [["指标", "值"], ["税收", "33"]]),
    "ofd": lambda made: made.ofd(*made.wrapped(REPORT)),
    "doc": lambda made: (FILES / "songyuan.doc").read_bytes(),
    "rtf": lambda made: (FILES / "songyuan.rtf").read_bytes(),
    "mhtml": lambda made: b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=gbk\r\n\r\n<p>text</p>",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_our_own_readers_refuse_what_is_broken_by_name(made: Any, kind: str) -> None:
    for body in mutants(SOURCES[kind](made), 120, seed=7):
        start = time.process_time()
        try:
            registry.read(body)
        except RefusedError as refused:
            assert str(refused)
        assert time.process_time() - start < 2


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "xls"])
def test_other_peoples_readers_are_refused_by_name(made: Any, kind: str) -> None:
    bodies = {
        "pdf": lambda: made.pdf(*made.wrapped(REPORT)),
        "xlsx": lambda: made.xlsx(("收入", [["科目", "增长"], ["税收", 0.065]])),
        "xls": (FILES / "songyuan.xls").read_bytes,
    }
    for body in mutants(bodies[kind](), 4, seed=11):
        try:
            sandbox.read(body)
        except RefusedError as refused:
            assert str(refused)
