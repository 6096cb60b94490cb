from pathlib import Path

import pytest
import yaml

from monitor.text.decode import decode

CASES = yaml.safe_load((Path(__file__).parents[2] / "data/text/decode.yaml").read_text(encoding="utf-8"))
SENTENCE = "云岭区今年新建学校三所，改造老旧小区五十个，新增就业一万人。"


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_encodings(case: dict[str, str]) -> None:
    meta = f'<meta charset="{case["meta"]}">' if "meta" in case else ""
    found = decode((meta + case["text"]).encode(case["bytes_in"]), f"text/html; charset={case.get('http', '')}")
    assert found.text == meta + case["text"]
    assert (found.encoding, found.how, found.replacements) == (case["encoding"], case["how"], 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_wins_over_the_header(encoding: str) -> None:
    found = decode(SENTENCE.encode(encoding), "text/html; charset=gb2312")
    assert (found.text, found.how) == (SENTENCE, "bom")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("begin", ["<html>", "\r\n <!DOCTYPE html>"])
def test_utf_16_without_a_mark(encoding: str, begin: str) -> None:
    text = begin + SENTENCE
    found = decode(text.encode(encoding), "text/html; charset=utf-16")
    assert (found.text, found.encoding, found.how, found.replacements) == (text, encoding, "bytes", 0)


@pytest.mark.parametrize("cut", [1, 2])
def test_a_cut_tail_stays_utf_8(cut: int) -> None:
    found = decode((SENTENCE * 3).encode()[: -3 - cut] + b"", "text/html; charset=gb2312")
    assert found.encoding == "utf-8"
    assert found.text.startswith(SENTENCE * 2)


def test_one_damaged_character_does_not_make_utf_8_into_something_else() -> None:
    body = bytearray((SENTENCE * 20).encode())
    body[301] = 0xFF
    found = decode(bytes(body))
    assert found.encoding == "utf-8"
    assert 1 <= found.replacements <= 3


def test_a_lone_80_in_gbk_is_the_euro_sign() -> None:
    found = decode(
        "云岭区投资".encode("gb18030") + b"\x80" + "五百万，建成学校三所。".encode("gb18030"), "text/html; charset=gbk"
    )
    assert found.text == "云岭区投资€五百万，建成学校三所。"
    assert found.replacements == 0


def test_a_damaged_gbk_character_does_not_swallow_the_tag_behind_it() -> None:
    body = (SENTENCE * 5).encode("gb18030") + b"\xb0</p><p>" + SENTENCE.encode("gb18030")
    found = decode(body, "text/html; charset=gb2312")
    assert "</p><p>" + SENTENCE in found.text
    assert found.replacements == 1


def test_hopeless_bytes_are_counted_not_raised() -> None:
    found = decode(bytes(range(128, 256)) * 20, "text/html; charset=utf-8")
    assert isinstance(found.text, str)


def test_two_gbk_bytes_that_look_like_utf_8_are_gbk_when_the_header_says_so() -> None:
    assert decode("联通".encode("gbk"), "text/plain; charset=gbk").text == "联通"
