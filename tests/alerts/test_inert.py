from __future__ import annotations

import time

import pytest

from alerts.inert import clean, cut, link, one_line


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("两会\r\nBcc: x@y.example", "两会 Bcc: x@y.example"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("\x1b[31m红\x1b[0m", "红"),
        ("\x1b]8;;http://evil.example\x07点\x1b]8;;\x07", "点"),
        ("a\x00b\x7fc\u200bd\ufeffe", "abcde"),
        ("\u202egnp.exe", "gnp.exe"),
        ("断\ud800字", "断\ufffd字"),
        ("  多   空 \u3000\u3000 格 ", "多 空 格"),
    ],
)
def test_one_line(given: str, wanted: str) -> None:
    assert one_line(given) == wanted


def test_line_feeds_of_a_text_are_kept() -> None:
    assert clean("一\r\n二\n三\x1b[2J\r四\u2028五") == "一\n二\n三\n四\n五"


def test_a_megabyte_is_cut_quickly() -> None:
    before = time.perf_counter()
    assert one_line("标题" * 500_000, 60) == "标题" * 29 + "标…"
    assert one_line("\x1b[31m" * 300_000, 60) == ""
    assert time.perf_counter() - before < 1


def test_cut() -> None:
    assert cut("五个字以内", 5) == "五个字以内"
    assert cut("超过了五个字", 5) == "超过了五…"


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("http://a.example/x?y=1", True),
        ("HTTPS://a.example/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://a.example/\r\nSet-Cookie: x", False),
        ('http://a.example/"onclick="x', False),
        ("http://a.example/ b", False),
        ("http://a.example/" + "x" * 3000, False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(address: str | None, safe: bool) -> None:
    assert link(address) == (address if safe else None)
