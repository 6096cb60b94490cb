"""Our own HTTP/1.1 connections, against real servers on loopback that behave badly."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import httpx
import pytest

from monitor.connection import MOST_INTERIM, Lanes

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(talk, host="127.0.0.1"):
    """A server that runs `talk(reader, writer)` for each connection; yields its port and the list of connections."""
    lines, tasks = [], set()

    def connected(reader, writer):
        async def run():
            try:
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        lines.append(writer)
        task = asyncio.get_running_loop().create_task(run())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], lines
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def dialling(*addresses):
    async def dial(host, port):
        return addresses or ("127.0.0.1",)

    lanes = Lanes(ssl.create_default_context(), dial)
    try:
        yield lanes
    finally:
        await lanes.close()


async def get(lanes, port, path="/", scheme="http", content=b""):
    headers = [(b"Host", b"songyuan.example")]
    if content:
        headers.append((b"Content-Length", str(len(content)).encode()))
    url = httpx.URL(f"{scheme}://songyuan.example:{port}{path}")
    answer = await lanes.ask("POST" if content else "GET", url, headers, content)
    try:
        return answer.status, b"".join([chunk async for chunk in answer.body]), dict(answer.headers)
    finally:
        await answer.close()


def answers(*given):
    """Each request of a connection gets the next of these; then it hangs up."""

    async def talk(reader, writer):
        for answer in given:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

    return talk


async def forever(reader, writer):
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)


async def test_one_connection_serves_one_request_after_the_other():
    async with serving(forever) as (port, lines), dialling() as lanes:
        assert not lanes.warm
        for _ in range(3):
            assert (await get(lanes, port))[:2] == (200, b"ok")
            assert lanes.warm
            assert lanes.idle
        assert len(lines) == 1


async def test_requests_at_once_have_connections_of_their_own():
    async with serving(forever) as (port, lines), dialling() as lanes:
        got = await asyncio.gather(*(get(lanes, port) for _ in range(3)))
        assert {status for status, *_ in got} == {200}
        assert len(lines) == 3


async def test_a_connection_that_ended_meanwhile_is_not_used():
    async with serving(answers(OK)) as (port, lines), dialling() as lanes:
        for _ in range(2):
            assert (await get(lanes, port))[0] == 200
            await lines[-1].wait_closed()
            await asyncio.sleep(0)  # our side hears of it
        assert len(lines) == 2


async def test_what_follows_an_answer_is_never_taken_for_the_next():
    """A server that sends two answers for one request would give the second page to another address."""
    stray = OK.replace(b"ok", b"no")
    async with serving(answers(OK + stray, OK)) as (port, lines), dialling() as lanes:
        assert (await get(lanes, port))[1] == b"ok"
        assert (await get(lanes, port))[1] == b"ok"
        assert len(lines) == 2


@pytest.mark.parametrize(
    "close", [b"HTTP/1.0 200 OK\r\n\r\nok", OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
)
async def test_an_answer_that_ends_with_its_connection(close):
    async with serving(answers(close)) as (port, lines), dialling() as lanes:
        assert (await get(lanes, port))[1] == b"ok"
        assert not lanes.warm
        assert (await get(lanes, port))[1] == b"ok"
        assert len(lines) == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"", httpx.RemoteProtocolError, "disconnected without"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", httpx.RemoteProtocolError, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", httpx.RemoteProtocolError, "7 bytes before"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            httpx.RemoteProtocolError,
            "the last chunk",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", httpx.RemoteProtocolError, None),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", httpx.RemoteProtocolError, None),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, httpx.RemoteProtocolError, "too"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * (MOST_INTERIM + 1), httpx.ReadError, "interim"),
    ],
)
async def test_broken_answers(answer, error, words):
    async with serving(answers(answer)) as (port, _), dialling() as lanes:
        with pytest.raises(error, match=words):
            await get(lanes, port)
        assert lanes.idle
        assert not lanes.warm


async def test_interim_answers_are_passed_over():
    async with (
        serving(answers(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3 + OK)) as (port, _),
        dialling() as lanes,
    ):
        assert (await get(lanes, port))[0] == 200


async def test_a_big_answer_and_a_big_request_arrive_whole():
    size = 3_000_000

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        sent = await reader.readexactly(size)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + sent[::-1])
        await writer.drain()

    content = bytes(range(250)) * (size // 250)
    async with serving(talk) as (port, _), dialling() as lanes:
        assert (await get(lanes, port, content=content))[1] == content[::-1]


async def test_a_server_is_held_back_while_nobody_reads():
    """Else a fast server would fill our memory past every bound."""
    sent = 0

    async def talk(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with serving(talk) as (port, _), dialling() as lanes:
        answer = await lanes.ask("GET", httpx.URL(f"http://a.example:{port}/"), [(b"Host", b"a.example")])
        before = -1
        while before != sent:  # until the server can send no more
            before = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < 50_000_000  # what the sockets of this machine hold
        await answer.close()
        assert lanes.idle


async def test_who_gives_up_leaves_no_connection():
    async def silent(reader, writer):
        await reader.read()

    async with serving(silent) as (port, lines), dialling() as lanes:
        task = asyncio.create_task(get(lanes, port))
        while not lines:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await lines[0].wait_closed()  # the server heard of it
        assert lanes.idle


async def test_the_next_address_is_tried():
    async with serving(forever, "127.0.0.2") as (port, _), dialling("127.0.0.3", "127.0.0.2") as lanes:
        assert (await get(lanes, port))[0] == 200
    async with dialling("127.0.0.3") as lanes:
        with pytest.raises(httpx.ConnectError) as refused:
            await get(lanes, port)
        assert isinstance(refused.value.__cause__, ConnectionRefusedError)


async def test_a_server_that_hangs_up_in_the_handshake_is_a_matter_of_tls():
    async def hang_up(reader, writer):
        await reader.read(100)

    async with serving(hang_up) as (port, _), dialling() as lanes:
        with pytest.raises(httpx.ConnectError) as failed:
            await get(lanes, port, scheme="https")
        assert isinstance(failed.value.__cause__, ssl.SSLError)
        assert lanes.idle


async def test_another_scheme_is_not_asked():
    async with dialling() as lanes:
        with pytest.raises(httpx.UnsupportedProtocol):
            await get(lanes, 80, scheme="ftp")
