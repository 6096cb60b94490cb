"""One check against a real server that misbehaves in every way we know."""

import asyncio
import gzip
import os
import socket
import ssl
import subprocess
import threading
import tracemalloc
import warnings
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.fetch import Fetcher, host_key, retry_after
from monitor.fetch.client import FULL_EVERY, parsed
from monitor.model import Fetch, Network

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = "松原新区2026年政府工作报告".encode()


async def test_an_answer_comes_back_whole(site, read):
    site.put("/a", BODY, "Content-Type: text/html", 'ETag: "1"', "Last-Modified: Mon, 02 Mar 2026 00:00:00 GMT")
    got = await read("/a#part")
    assert (got.status, got.body, got.failure, got.not_modified) == (200, BODY, None, False)
    assert (got.etag, got.last_modified) == ('"1"', "Mon, 02 Mar 2026 00:00:00 GMT")
    assert (got.at, got.final_url, got.redirects, got.wire_bytes) == (NOW, site.url("/a"), (), len(BODY))
    assert 0 < got.elapsed < 5


async def test_the_request_says_who_asks_and_what_it_can_read(site, read):
    site.put("/a", BODY)
    await read("/a")
    headers = site.seen[0].headers
    assert headers["user-agent"] == Network().user_agent
    assert headers["accept-encoding"] == "gzip, deflate"
    assert "cookie" not in headers
    assert "if-none-match" not in headers


async def test_cookies_are_not_kept(site, read):
    site.put("/a", BODY, "Set-Cookie: __jsluid_s=abc; path=/")
    await read("/a")
    await read("/a")
    assert "cookie" not in site.seen[1].headers


async def test_validators_are_sent_and_304_is_not_modified(site, read):
    site.put("/a", b"", status="304 Not Modified")
    got = await read("/a", known={"etag": '"1"', "last_modified": "Mon, 02 Mar 2026 00:00:00 GMT", "since_full": 3})
    assert got.not_modified
    assert got.failure is None
    assert site.seen[0].headers["if-none-match"] == '"1"'
    assert site.seen[0].headers["if-modified-since"] == "Mon, 02 Mar 2026 00:00:00 GMT"


async def test_every_so_often_validators_are_not_believed(site, read):
    site.put("/a", BODY)
    await read("/a", known={"etag": '"1"', "since_full": FULL_EVERY})
    assert "if-none-match" not in site.seen[0].headers


async def test_a_304_nobody_asked_for_is_a_failure(site, read):
    site.put("/a", b"", status="304 Not Modified")
    got = await read("/a")
    assert got.failure.error == "empty"
    assert not got.not_modified


async def test_validators_stay_with_the_address_that_gave_them(site, read):
    site.put("/a", b"", "Location: /home", status="302 Found")
    site.put("/home", BODY)
    got = await read("/a", known={"etag": '"1"'})
    assert (got.final_url, got.redirects) == (site.url("/home"), (site.url("/home"),))
    assert "if-none-match" not in site.asked("/home")[0].headers


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone", "412 X", "500 X", "521 X"])
async def test_a_status_is_not_judged_here(site, read, status):
    site.put("/a", BODY, "Set-Cookie: a=b", status=status)
    got = await read("/a")
    assert (got.status, got.body, got.failure) == (int(status[:3]), BODY, None)
    assert got.headers["set-cookie"] == "a=b"


async def test_a_huge_error_page_is_cut(site, read):
    site.put("/a", b"x" * 3_000_000, status="404 Not Found")
    got = await read("/a")
    assert (got.status, got.failure, len(got.body)) == (404, None, 256 * 1024)


# --------------------------------------------------------------------------- redirects


async def test_a_redirect_loop_ends_at_the_second_visit(site, read):
    site.put("/a", b"", "Location: /b", status="302 Found")
    site.put("/b", b"", "Location: /a", status="302 Found")
    assert (await read("/a")).failure.error == "redirect_loop"
    assert len(site.seen) == 2


async def test_endless_redirects_end(site, read):
    for n in range(20):
        site.put(f"/{n}", b"", f"Location: /{n + 1}", status="301 Moved")
    assert (await read("/0")).failure.error == "redirect_loop"
    assert len(site.seen) == 6


async def test_a_redirect_with_backslashes(site, read):
    site.put("/x/a", b"", "Location: ..\\y\\b?c=\\d", status="302 Found")
    site.put("/y/b?c=\\d", b"there")
    assert (await read("/x/a")).body == b"there"
    site.put("/a", b"", "Location: \\\\10.0.0.1\\b", status="302 Found")
    assert (await read("/a")).failure.error == "guard"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
async def test_a_redirect_to_a_chinese_address_leads_where_its_bytes_lead(site, read, encoding):
    path = "/公告.html".encode(encoding)
    site.routes["/a"] = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + path + b"\r\n\r\n"
    site.put(quote(path), b"there")
    assert (await read("/a")).body == b"there"


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("Location: file:///etc/passwd", "guard"),
        ("Location: gopher://127.0.0.1/", "guard"),
        ("Location: http://10.0.0.1/", "guard"),
        ("Location: http://127.0.0.1:99999999/", "guard"),
        ("X-None: 1", "moved"),
    ],
)
async def test_redirects_to_nowhere(site, read, location, word):
    site.put("/a", b"", location, status="302 Found")
    assert (await read("/a")).failure.error == word


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/", "/relative", "", "http://", "http://[::1/"])
async def test_only_web_addresses_are_fetched(fetcher, source, page, url):
    got = await fetcher.fetch(source(), page(url), NOW)
    assert got.failure.error == "guard"


# --------------------------------------------------------------------------- bounds


def brotli_like() -> bytes:
    return b"\x5b\xff\xff\x00"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
        ("gzip", gzip.compress(BODY[:10], mtime=0) + gzip.compress(BODY[10:], mtime=0)),
        ("identity", BODY),
    ],
)
async def test_compressed_bodies(site, read, encoding, packed):
    site.put("/a", packed, f"Content-Encoding: {encoding}")
    got = await read("/a")
    assert (got.body, got.failure, got.wire_bytes) == (BODY, None, len(packed))


@pytest.mark.parametrize(
    ("encoding", "packed", "word"),
    [
        ("br", brotli_like(), "not_html"),
        ("zstd", b"\x28\xb5\x2f\xfd", "not_html"),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY, mtime=0), mtime=0), "not_html"),
        ("gzip", gzip.compress(BODY, mtime=0)[:-12], "truncated"),
        ("gzip", BODY, "truncated"),
    ],
)
async def test_bodies_that_cannot_be_inflated(site, read, encoding, packed, word):
    site.put("/a", packed, f"Content-Encoding: {encoding}")
    assert (await read("/a")).failure.error == word


@pytest.mark.parametrize("wbits", [31, 15, -15])
async def test_a_bomb_costs_no_memory(site, read, wbits):
    squeeze = zlib.compressobj(9, wbits=wbits)
    bomb = b"".join(squeeze.compress(b"\0" * 1_000_000) for _ in range(60)) + squeeze.flush()
    site.put("/a", bomb, "Content-Encoding: " + ("gzip" if wbits == 31 else "deflate"))
    tracemalloc.start()
    got = await read("/a", max_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.failure.error == "too_large"
    assert peak < 8_000_000


async def test_a_body_announced_too_large_is_not_read(site, read):
    site.put("/a", b"x", length=2_000_000)
    assert (await read("/a", max_bytes=1_000_000)).failure.error == "too_large"


async def test_a_body_that_never_ends(site, read):
    async def endless(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            await writer.drain()

    site.routes["/a"] = endless
    assert (await read("/a", max_bytes=1_000_000)).failure.error == "too_large"


async def test_many_headers(site, read):
    site.put("/a", BODY, *(f"X-{n}: {n}" for n in range(500)))
    assert (await read("/a")).failure.error == "too_large"


async def test_endless_headers(site, read):
    async def endless(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"x" * 1000 + b"\r\n")
            await writer.drain()

    site.routes["/a"] = endless
    assert (await read("/a")).failure.error == "too_large"


async def test_endless_interim_answers_end_at_once(site, read):
    async def endless(seen, writer):
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            await writer.drain()

    site.routes["/a"] = endless
    got = await read("/a")
    assert got.failure.error == "reset"
    assert got.elapsed < 2


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
async def test_a_slow_drip_ends_within_the_time(site, read, start):
    async def drip(seen, writer):
        writer.write(start)
        for _ in range(200):
            writer.write(b"x" if start else b"")
            await asyncio.sleep(0.02)

    site.routes["/a"] = drip
    loop = asyncio.get_running_loop()
    began = loop.time()
    got = await read("/a", timeout=timedelta(seconds=0.3))
    assert got.failure.error == "timeout"
    assert loop.time() - began < 1


async def test_redirects_share_one_time(site, read):
    site.latency = 0.15
    for n in range(4):
        site.put(f"/{n}", b"", f"Location: /{n + 1}", status="302 Found")
    got = await read("/0", timeout=timedelta(seconds=0.4))
    assert got.failure.error == "timeout"
    assert got.elapsed < 0.8


# --------------------------------------------------------------------------- broken answers


async def _cut(writer, head: bytes, body: bytes) -> None:
    writer.write(head + body)
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "reset"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "reset"),
        (b"", "reset"),
    ],
)
async def test_broken_answers(site, read, head, word):
    async def broken(seen, writer):
        await _cut(writer, head, BODY if head else b"")

    site.routes["/a"] = broken
    got = await read("/a")
    assert (got.failure.error, got.body) == (word, b"")


async def test_a_reset(site, read):
    async def abort(seen, writer):
        writer.transport.abort()

    site.routes["/a"] = abort
    assert (await read("/a")).failure.error == "reset"


async def test_a_connection_is_kept(site, read):
    site.put("/a", BODY)
    for _ in range(3):
        await read("/a")
    assert site.connections == 1


async def test_a_connection_closed_meanwhile_is_not_used(site, read):
    async def last(seen, writer):
        writer.write(site.answer(BODY))
        writer.close()

    site.routes["/a"] = last
    for _ in range(3):
        assert (await read("/a", delay=timedelta(seconds=0.01))).body == BODY
    assert (site.connections, len(site.seen)) == (3, 3)


async def test_a_kept_connection_that_died_is_replaced_after_the_delay(site, read):
    async def once(seen, writer):
        if len(site.asked("/b")) == 1:
            writer.transport.abort()
        else:
            writer.write(site.answer(BODY))

    site.put("/a", BODY)
    site.routes["/b"] = once
    await read("/a", delay=timedelta(seconds=0.05))
    assert (await read("/b", delay=timedelta(seconds=0.05))).body == BODY
    first, second = site.asked("/b")
    assert second.start - first.end >= 0.05


async def test_a_closed_port_is_refused(fetcher, source, page):
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    got = await fetcher.fetch(source(), page(f"http://127.0.0.1:{port}/"), NOW)
    assert got.failure.error == "refused"


async def test_a_name_without_address_is_dns(source, page, network_without_names):
    fetcher = Fetcher(Network(), pools=network_without_names)
    got = await fetcher.fetch(source(), page("http://baogao.songyuan.example/"), NOW)
    assert got.failure.error == "dns"
    await fetcher.aclose()


# --------------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (503, "120", 120),
        (429, "120", 120),
        (503, format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (503, format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        (503, "Mon, 02 Mar 2026 08:01:00 -0000", 60),
        (503, "99999999999999999999", 86400),
        (503, "soon", None),
        (503, "", None),
        (503, "１２０", None),
        (500, "120", None),
        (200, "120", None),
    ],
)
def test_retry_after(status, value, seconds):
    got = Fetch("http://a.example/", NOW, status=status, headers={"retry-after": value})
    assert retry_after(got, NOW) == seconds


@pytest.mark.parametrize(("date", "seconds"), [(timedelta(days=-3), 120), (timedelta(hours=8), 120), (None, 0)])
def test_a_retry_after_is_measured_by_the_clock_that_wrote_it(date, seconds):
    """A server eight hours ahead, as many are that write local time as GMT: it means two minutes."""
    server = NOW + (date or timedelta(days=-1))
    headers = {"retry-after": format_datetime(server + timedelta(minutes=2), usegmt=True)}
    headers |= {"date": format_datetime(server, usegmt=True) if date else "today"}
    assert retry_after(Fetch("http://a.example/", NOW, status=503, headers=headers), NOW) == seconds


async def test_a_hold_is_for_the_whole_host_and_ends(site, read, fetcher):
    site.put("/a", BODY, "Retry-After: 120", status="503 Service Unavailable")
    site.put("/b", BODY)
    assert (await read("/a")).status == 503
    held = await read("/b", now=NOW + timedelta(seconds=60))
    assert held.failure.error == "held"
    assert held.failure.retry_after == pytest.approx(60, abs=2)
    assert not site.asked("/b")
    assert (await read("/b", host="127.0.0.2")).status == 200
    assert (await read("/b", now=NOW + timedelta(seconds=125))).status == 200
    assert not fetcher.holds


async def test_a_check_in_the_queue_sees_the_hold(site, read):
    site.put("/a", BODY, "Retry-After: 120", status="429 Too Many Requests")
    first, second = await asyncio.gather(read("/a"), read("/a"))
    assert (first.status, second.failure.error) == (429, "held")
    assert len(site.seen) == 1


# --------------------------------------------------------------------------- old TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    call = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    call += ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    try:
        subprocess.run(call, check=True, capture_output=True)
    except FileNotFoundError:
        assert not os.environ.get("CI"), "CI has the openssl command"
        pytest.skip("no openssl command to make a certificate with")
    return folder


@pytest.fixture
def old_server(certificate):
    """A server of the days of TLS 1.1, in a thread: asyncio's own drops a failed handshake without an alert."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert", certificate / "key")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw, suppress(OSError), context.wrap_socket(raw, server_side=True) as stream:
                stream.recv(65536)
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/a"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def test_a_failed_handshake_names_the_profile_that_helps(old_server, fetcher, source, page):
    first = await fetcher.fetch(source(), page(old_server), NOW)
    assert first.failure.error == "tls"
    assert "try tls: tls10" in first.failure.detail
    second = await fetcher.fetch(source(tls="tls10"), page(old_server), NOW)
    assert second.failure.error == "tls"
    assert "tls: insecure" in second.failure.detail
    third = await fetcher.fetch(source(tls="insecure"), page(old_server), NOW)
    assert third.body == BODY


async def test_https_is_never_left_for_http(site, certificate, fetcher, source, page):
    site.put("/a", b"", f"Location: {site.url('/b')}", status="302 Found")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    port = await site.listen("127.0.0.1", context)
    got = await fetcher.fetch(source(tls="insecure"), page(f"https://127.0.0.1:{port}/a"), NOW)
    assert got.failure.error == "moved"
    assert not site.asked("/b")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://WWW.Songyuan.EXAMPLE/a", "www.songyuan.example"),
        ("https://www.songyuan.example:443/", "www.songyuan.example"),
        ("http://www.songyuan.example:8080/", "www.songyuan.example:8080"),
        ("http://松原.example/", "xn--8mr557b.example"),
        ("http://[::1]:81/", "[::1]:81"),
    ],
)
def test_host_key(url, key):
    assert host_key(url) == key


# --------------------------------------------------------------------------- addresses


_ADDRESSES = st.from_regex(
    r"https?://[a-z0-9.:-]{1,12}(/[\w.~%;,@ -]{0,4}){0,4}(\?[\w.~&=/-]{0,9})?(#a)?", fullmatch=True
)


@given(_ADDRESSES)
@example("http://a.example")
@example("https://a.example:443/b/")
@example("http://[::1]/a?b=c")
@example("http://127.0.0.1:8000/p/7.html?a=1&b=2#c")
@example("http://a.example/../b/./c/..d")
@example("http://a.example/b?")
def test_the_quick_way_to_an_address_is_httpx_s(address):
    try:
        wanted = httpx.URL(address)
    except httpx.InvalidURL:
        with pytest.raises(httpx.InvalidURL):
            parsed(address)
        return
    got = parsed(address)
    assert got == wanted
    for part in ("scheme", "netloc", "raw_host", "host", "port", "raw_path", "path", "query", "fragment"):
        assert getattr(got, part) == getattr(wanted, part)
    assert str(got.join("../x?y#z")) == str(wanted.join("../x?y#z"))
