"""Sources that are read through a proxy, against real proxies on loopback: forwarding, tunnels, and bad ones."""

import asyncio
import os
import ssl
import subprocess
import time
from contextlib import asynccontextmanager

import pytest

from monitor import net
from monitor.fetch import Fetcher
from monitor.model import Network

from .conftest import NOW

BODY = "云岭区2026年政府工作报告".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A certificate for 127.0.0.1 and yunling.example that is its own authority."""
    folder = tmp_path_factory.mktemp("proxy")
    call = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    call += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:yunling.example"]
    try:
        subprocess.run([*call, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    except FileNotFoundError:
        assert not os.environ.get("CI"), "CI has the openssl command"
        pytest.skip("no openssl command to make a certificate with")
    return folder


@pytest.fixture(autouse=True)
def trusted(papers, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "cert"))
    net.context.cache_clear()
    yield
    net.context.cache_clear()


@pytest.fixture
def secure(papers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "cert", papers / "key")
    return context


@asynccontextmanager
async def serving(talk, context=None):
    """A server that runs `talk(reader, writer, head)` for every request; yields its port and the heads it read."""
    heads, tasks = [], set()

    async def run(reader, writer):
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await talk(reader, writer, heads[-1])
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort() if writer.transport.get_extra_info("sslcontext") else writer.close()

    def connected(reader, writer):
        task = asyncio.get_running_loop().create_task(run(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def answer(reader, writer, head):
    writer.write(OK)


def leading_to(port):
    """A proxy's tunnel: every CONNECT leads to this port of ours."""

    async def talk(reader, writer, head):
        assert head.startswith(b"CONNECT ")
        ours, theirs = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source, target):
            while data := await source.read(65536):
                target.write(data)

        back = asyncio.create_task(pump(ours, writer))
        try:
            await pump(reader, theirs)
        finally:
            back.cancel()
            theirs.close()
            await asyncio.gather(back, return_exceptions=True)

    return talk


@asynccontextmanager
async def reading(source, page, proxy):
    """`read(url)`: through the proxy, with a guard that lets nothing of ours be reached directly."""
    fetcher = Fetcher(Network())
    try:
        yield lambda url: fetcher.fetch(source(proxy=proxy), page(url), NOW)
    finally:
        await fetcher.aclose()


async def test_a_page_is_asked_for_by_its_whole_address_and_the_proxy_is_told_who_asks(source, page):
    async with (
        serving(answer) as (port, heads),
        reading(source, page, f"http://user:p%40ss@127.0.0.1:{port}") as read,
    ):
        for _ in range(2):
            got = await read("http://yunling.example/zwgk/?a=b")
            assert (got.failure, got.body) == (None, BODY)
    assert heads[0].startswith(b"GET http://yunling.example/zwgk/?a=b HTTP/1.1\r\n")
    assert b"\r\nHost: yunling.example\r\n" in heads[0]
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n" in heads[0]


@pytest.mark.parametrize("way", ["http", "https"])
async def test_a_tunnel_leads_to_a_page_that_is_verified_and_hears_nothing_of_the_proxy(source, page, secure, way):
    """TLS through a proxy, and through TLS to the proxy: the name and the certificate are those of the page."""
    async with (
        serving(answer, secure) as (behind, pages),
        serving(leading_to(behind), secure if way == "https" else None) as (port, heads),
        reading(source, page, f"{way}://user:secret@127.0.0.1:{port}") as read,
    ):
        for _ in range(2):
            got = await read("https://yunling.example/zwgk/")
            assert (got.failure, got.body) == (None, BODY)
    assert len(heads) == 1  # the tunnel was kept
    assert heads[0].startswith(b"CONNECT yunling.example:443 HTTP/1.1\r\nHost: yunling.example:443\r\n")
    assert b"Proxy-Authorization: Basic" in heads[0]
    assert pages[0].startswith(b"GET /zwgk/ HTTP/1.1\r\n")
    assert b"Proxy" not in pages[0]


@pytest.mark.parametrize("way", ["http", "https"])
async def test_who_is_at_the_end_of_a_tunnel_is_verified(source, page, secure, way):
    async with (
        serving(answer, secure) as (behind, pages),
        serving(leading_to(behind), secure if way == "https" else None) as (port, _),
        reading(source, page, f"{way}://127.0.0.1:{port}") as read,
    ):
        got = await read("https://songyuan.example/")
    assert got.failure.error == "tls", got.failure
    assert "songyuan.example" in got.failure.detail
    assert not pages


@pytest.mark.parametrize(
    ("told", "word", "detail"),
    [
        (b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "refused", "the proxy: it answered 407"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "too_large", "too long"),
        (b"SSH-2.0-x\r\n\r\n", "reset", "no HTTP"),
        (b"", "reset", "disconnected"),
    ],
)
async def test_a_tunnel_that_is_not_dug(source, page, told, word, detail):
    async def talk(reader, writer, head):
        writer.write(told)
        await writer.drain()
        raise ConnectionError

    async with serving(talk) as (port, _), reading(source, page, f"http://127.0.0.1:{port}") as read:
        got = await read("https://yunling.example/")
    assert got.failure.error == word
    assert detail in got.failure.detail


async def test_a_proxy_that_is_not_there(source, page):
    async with serving(answer) as (port, _):
        pass
    async with reading(source, page, f"http://127.0.0.1:{port}") as read:
        assert (await read("http://yunling.example/")).failure.error == "refused"


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://127.0.0.1/", "http://yunling.example:22/"])
async def test_what_is_written_as_a_number_and_the_port_are_judged_without_asking(source, page, url):
    async with serving(answer) as (port, heads), reading(source, page, f"http://127.0.0.1:{port}") as read:
        assert (await read(url)).failure.error == "guard"
    assert not heads


async def test_many_small_chunks_take_a_proxy_no_longer_than_anybody(source, page):
    """httpcore's h11 took the square of their number: 50,000 of them half a minute, and nobody else was served."""
    sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n"

    async def talk(reader, writer, head):
        writer.write(sent)

    began = time.process_time()
    async with serving(talk) as (port, _), reading(source, page, f"http://127.0.0.1:{port}") as read:
        got = await read("http://yunling.example/")
    assert got.body == b"x" * 50_000
    assert time.process_time() - began < 2
