"""Heads and chunks as servers cut them, and as nobody should."""

import time
from contextlib import suppress

import pytest

from monitor.framing import (
    MOST_FRAMING,
    MOST_HEAD,
    BrokenError,
    Chunks,
    CutError,
    HeadReader,
    TooLongError,
    body_of,
)


def head_of(data, size=10**9):
    """The head read in pieces of this size."""
    reader = HeadReader()
    for at in range(0, len(data), size):
        whole = reader.feed(data[at : at + size])
        if whole is not None:
            return whole
    return None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10**9])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"HTTP/1.1 200 OK", b"Server: a"], {b"server": b"a"}),
        ([b"", b"HTTP/1.1 200 OK", b"Server: a"], {b"server": b"a"}),
        ([b"HTTP/1.1  200  OK", b"Server:  a"], {b"server": b"a"}),
        ([b"HTTP/1.1 200", b"X: a", b"  b", b"\tc"], {b"x": b"a b c"}),
        ([b"HTTP/1.1 200 OK", b"Server : a", b"no field at all", b"X Y: b", b"", b"Z: c"], {b"server": b"a"}),
        ([b"HTTP/1.1 200 OK", b"Content-Length: -1", b"Server: a"], {b"server": b"a"}),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 12"], {b"content-length": b"12"}),
        ([b"HTTP/1.1 200 OK", b"Content-Length : 12, 12"], {b"content-length": b"12"}),
        ([b"HTTP/1.1 200 OK", b"Content-Length:"], {}),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_heads(lines, expected, end, size):
    head = head_of(end.join([*lines, b"", b""]), size)
    assert (head.status, dict(head.fields)) == (200, expected)


def test_what_follows_a_head_is_no_part_of_it():
    head = HeadReader()
    assert head.feed(b"HTTP/1.1 200 OK\r\n\r") is None
    assert head.feed(b"\n\r\nrest").status == 200
    assert head.rest == b"\r\nrest"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"HTTP/2 200 OK"], "no HTTP"),
        ([b"HTTP/1.1 OK"], "begins with"),
        ([b"HTTP/1.1 20 OK"], "begins with"),
        ([b"HTTP/1.1 200 OK", b"X: \x00"], "control"),
        ([b"HTTP/1.1 200 OK", b"X: a\rY: b"], "control"),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 1", b"Content-Length: 2"], "2 different"),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 1, 2"], "2 different"),
        ([b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, chunked"], "nobody asked"),
    ],
)
def test_heads_that_mean_nothing(lines, words):
    with pytest.raises(BrokenError, match=words):
        head_of(b"\r\n".join([*lines, b"", b""]))


@pytest.mark.parametrize(
    ("fields", "method", "length", "keeps"),
    [
        ([b"Content-Length: 5"], b"GET", 5, True),
        ([b"Content-Length: 5", b"content-length: 5", b"Connection: Keep-Alive"], b"GET", 5, True),
        ([b"Content-Length: 5", b"Connection: close"], b"GET", 5, False),
        ([b"Content-Length: 5"], b"HEAD", 0, True),
        ([b"Content-Length: x", b"Transfer-Encoding: identity"], b"GET", None, True),
        ([b"Content-Length: 900", b"Transfer-Encoding: Chunked"], b"GET", None, True),  # RFC 9112, 6.3: chunks win
    ],
)
def test_how_long_the_body_is(fields, method, length, keeps):
    head = head_of(b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", b""]))
    assert head.keeps == keeps
    body = body_of(head, method)
    if length is None:
        assert (b"content-length" in dict(head.fields), body.over) == (False, False)
        assert head.chunked == isinstance(body, Chunks)
        return
    assert body.feed(b"1234567") == b"1234567"[:length]
    assert (body.over, body.rest) == (True, b"1234567"[length:])


def test_a_body_that_ends_with_its_connection_and_one_that_must_not():
    for status in (b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK"):
        body = body_of(head_of(status + b"\r\n\r\n"), b"GET")
        assert body.feed(b"123") == b"123"
        assert not body.over
        body.end()
        assert body.over
    for field in (b"Content-Length: 4", b"Transfer-Encoding: chunked"):
        body = body_of(head_of(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n"), b"GET")
        body.feed(b"1\r\n")
        with pytest.raises(CutError, match="before"):
            body.end()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_HEAD,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_HEAD + b"\r\n\r\n",
        b"\r\n" * MOST_HEAD,
    ],
)
def test_a_head_without_end(data):
    with pytest.raises(TooLongError):
        HeadReader().feed(data)


def test_an_answer_that_is_no_http():
    with pytest.raises(BrokenError, match="no HTTP"):
        HeadReader().feed(b"\x15\x03\x01\x00\x02")


@pytest.mark.parametrize(
    "filling", [b" " * 90_000, b"\t " * 45_000, b" \r\n" * 30_000, b"x \r\n " * 18_000, b" \n" * 45_000]
)
@pytest.mark.parametrize("before", [b"X:", b"X: a", b"\r\n", b"X"])
def test_no_head_takes_long(filling, before):
    """16 kB of blanks took h11 2.5 s, and four times as long for twice as many."""
    began = time.process_time()
    with suppress(BrokenError):
        head_of(b"HTTP/1.1 200 OK\r\n" + before + filling + b"\x00\r\nA: b\r\n\r\n")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("size", [1, 2, 3, 5, 10**9])
@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\nrest",
        b"5\nhello\n6\n world\n0\n\nrest",
        b"005 \r\nhello\r\n06\r\n world\r\n00\r\nX: trailer\r\n\r\nrest",
    ],
)
def test_chunks(body, size):
    chunks, got, rest = Chunks(), b"", b""
    for at in range(0, len(body), size):
        if chunks.over:
            rest = body[at:]
            break
        got += chunks.feed(body[at : at + size])
    assert (got, chunks.over) == (b"hello world", True)
    assert chunks.rest + rest == b"rest"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"x\r\n", "no size"),
        (b"-5\r\nhello\r\n", "no size"),
        (b"0x5\r\nhello\r\n", "no size"),
        (b"\r\n", "no size"),
        (b"5" * 16 + b"\r\n", "no size"),
        (b"5\r\nhello world\r\n", "longer than it says"),
        (b"5;" + b" " * 100_000, "too long"),
        (b"5;" + b" " * 100_000 + b"\n", "too long"),
        (b"0\r\nX:" + b" " * 100_000 + b"\r\n\r\n", "too long"),
        (b"0\r\n" + b"X: y\r\n" * (MOST_FRAMING // 6 + 1), "too long"),
        ((b"1;" + b"x" * 4000 + b"\r\nh\r\n") * (MOST_FRAMING // 4000 + 1), "too long"),
    ],
)
def test_chunks_that_lie(body, words):
    began = time.process_time()
    with pytest.raises(BrokenError, match=words):
        Chunks().feed(body)
    assert time.process_time() - began < 1
