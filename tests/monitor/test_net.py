"""The guard: nothing private is ever connected to, however it is written and whichever way it comes."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
import yaml

from monitor.errors import ConfigError
from monitor.fetch import Fetcher
from monitor.model import Network, Page, Source
from monitor.net import PROFILES, Guard, Pools, RefusedError, Transport, UnresolvedError, advice, context

CASES = yaml.safe_load((Path(__file__).parents[1] / "data/net/addresses.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source(key="a", url="", delay=timedelta(0), respect_robots=False, timeout=timedelta(seconds=2))
GOOD = "127.0.0.2"  # the one address that the guard of these tests allows


class Canary:
    """Listens on every address of the machine and counts. On GOOD, `/to/HOST` redirects to that host."""

    def __init__(self):
        self.hits = 0
        self.port = 0

    async def __aenter__(self):
        self.servers = [await asyncio.start_server(self.serve, "0.0.0.0", 0)]
        self.port = self.servers[0].sockets[0].getsockname()[1]
        with suppress(OSError):  # a machine without IPv6, or the port taken there
            self.servers.append(await asyncio.start_server(self.serve, "::", self.port))
        return self

    async def __aexit__(self, *_):
        for server in self.servers:
            server.close()
            await server.wait_closed()

    async def serve(self, reader, writer):
        if writer.get_extra_info("sockname")[0] != GOOD:
            self.hits += 1
        else:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split()[1].decode("ascii")
            lines = ["HTTP/1.1 200 OK"]
            if path.startswith("/to/"):
                lines = ["HTTP/1.1 302 Found", f"Location: http://{path[4:]}:{self.port}/".encode().decode("latin-1")]
            writer.write("\r\n".join([*lines, "Content-Length: 0", "Connection: close", "", ""]).encode("latin-1"))
        writer.close()

    def network(self):
        return Network(allow_private=(f"{GOOD}/32",), allow_ports=(self.port,))


@pytest.fixture
async def canary():
    async with Canary() as made:
        yield made


@pytest.fixture
async def fetcher(canary):
    made = Fetcher(canary.network())
    yield made
    await made.aclose()


async def outcome(fetcher, url, **about):
    return await fetcher.fetch(SOURCE, Page(1, "a", url, **about), NOW)


def test_there_are_enough_spellings():
    assert len(set(CASES["spellings"])) >= 60


@pytest.mark.parametrize("spelling", CASES["spellings"])
async def test_direct(canary, fetcher, spelling):
    got = await outcome(fetcher, f"http://{spelling}:{canary.port}/")
    assert got.failure.error in ("guard", "dns")
    assert canary.hits == 0


@pytest.mark.parametrize("spelling", CASES["spellings"])
@pytest.mark.parametrize("role", ["entry", "document"])  # only the second leaves its site, so that it is dialled
async def test_redirect(canary, fetcher, spelling, role):
    async with asyncio.timeout(3):
        got = await outcome(fetcher, f"http://{GOOD}:{canary.port}/to/{spelling}", role=role)
    assert got.failure.error in ("guard", "dns")
    assert canary.hits == 0


@pytest.mark.parametrize("spelling", CASES["spellings"])
async def test_webhook(canary, spelling):
    pools = Pools(Guard(canary.network()))
    with pytest.raises((RefusedError, UnresolvedError, httpx.InvalidURL)):
        await pools.client("hook").post(f"http://{spelling}:{canary.port}/", content=b"{}")
    await pools.aclose()
    assert canary.hits == 0


@pytest.mark.parametrize("spelling", CASES["spellings"])
async def test_rebinding(canary, spelling):
    """A name that is harmless the first time, and this spelling from then on."""
    asked = []

    async def resolver(host, port):
        asked.append(host)
        if len(asked) == 1:
            return [GOOD]
        try:
            return [info[4][0] for info in await asyncio.get_running_loop().getaddrinfo(spelling.strip("[]"), port)]
        except (OSError, UnicodeError) as error:
            raise UnresolvedError(str(error)) from error

    fetcher = Fetcher(canary.network(), pools=Pools(Guard(canary.network(), resolver)))
    url = f"http://rebinding.songyuan.example:{canary.port}/"
    assert (await outcome(fetcher, url)).status == 200
    assert asked == ["rebinding.songyuan.example"]  # judged and dialled from one answer
    assert (await outcome(fetcher, url)).failure.error in ("guard", "dns")
    await fetcher.aclose()
    assert canary.hits == 0


async def test_one_bad_address_among_good_ones_refuses_the_host(canary):
    async def resolver(host, port):
        return [GOOD, "127.0.0.1"]

    with pytest.raises(RefusedError, match=r"127\.0\.0\.0/8"):
        await Guard(canary.network(), resolver).resolve("mixed.example", canary.port)


async def test_the_canary_would_sing(canary):
    """Without the guard the plain spellings do arrive: the tests above can fail."""
    for spelling in ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost"):
        before = canary.hits
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://{spelling}:{canary.port}/")
        assert canary.hits == before + 1


@pytest.mark.parametrize("address", CASES["public"])
def test_public_addresses_pass(address):
    assert Guard(Network()).judge("a.example", [address], 443)


# --------------------------------------------------------------------------- what is allowed


def test_ports_are_limited_except_where_allowed_by_address():
    guard = Guard(Network(allow_private=("10.1.0.0/16",)))
    assert guard.judge("a.example", ["10.1.2.3"], 22) == ["10.1.2.3"]
    with pytest.raises(RefusedError, match="port 22 of"):
        guard.judge("a.example", ["1.1.1.1"], 22)
    for never in (
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "224.0.0.1",
        "fe80::1",
        "ff02::1",
        "fd00:ec2::254",
    ):
        with pytest.raises(RefusedError) as refused:  # nobody is told how to open these
            guard.judge("cdn.example", [never], 80)
        assert "allow_private" not in str(refused.value)
    with pytest.raises(RefusedError, match=r"allow_private: \[10\.0\.0\.0/8\]"):
        guard.judge("a.example", ["10.2.0.1"], 80)


def test_an_ipv6_spelling_of_an_allowed_ipv4_address():
    assert Guard(Network(allow_private=("127.0.0.0/8",))).judge("x", ["::ffff:127.0.0.1"], 1) == ["127.0.0.1"]


def test_a_block_that_is_none():
    with pytest.raises(ConfigError, match=r"allow_private.*127\.0\.0\.0/8"):
        Guard(Network(allow_private=("localhost",)))


@pytest.mark.parametrize("port", [0, 65536, 99999999])
async def test_ports_that_do_not_exist(port):
    with pytest.raises(RefusedError):
        await Guard(Network(allow_private=("127.0.0.0/8",))).resolve("127.0.0.1", port)


@pytest.mark.parametrize("spelling", [s for s in CASES["spellings"] if "@" not in s])
async def test_numbers_are_judged_before_a_proxy_is_asked(canary, spelling):
    """The proxy is allowed wherever it is, and would resolve; a number may not even be asked of it."""
    fetcher = Fetcher(canary.network())
    proxied = Source(key="a", url="", delay=timedelta(0), respect_robots=False, proxy=f"http://127.0.0.1:{canary.port}")
    got = await fetcher.fetch(proxied, Page(1, "a", f"http://{spelling}:{canary.port}/"), NOW)
    assert got.failure.error == "guard"
    assert canary.hits == 0
    await fetcher.aclose()


async def test_a_proxy_is_used_where_it_is(canary):
    fetcher = Fetcher(Network())
    proxied = Source(key="a", url="", delay=timedelta(0), respect_robots=False, proxy=f"http://127.0.0.1:{canary.port}")
    await fetcher.fetch(proxied, Page(1, "a", "http://www.songyuan.example/"), NOW)
    assert canary.hits == 1
    await fetcher.aclose()


async def test_a_source_is_read_through_its_proxy_and_the_log_says_who_resolves():
    """A real proxy: the name is only resolved by it, and another source of the same host goes direct."""
    asked = []

    async def proxy(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def nothing(host, port):
        raise UnresolvedError(f"{host}: no such name")

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fetcher = Fetcher(Network(), pools=Pools(Guard(Network(), nothing)))
    through = Source(key="a", url="", delay=timedelta(0), respect_robots=False, proxy=address)
    page = Page(1, "a", "http://www.songyuan.example/zwgk/")
    with structlog.testing.capture_logs() as logged:
        got = [await fetcher.fetch(through, page, NOW) for _ in range(2)]
    assert [g.body for g in got] == [b"ok", b"ok"]
    assert asked == ["GET http://www.songyuan.example/zwgk/ HTTP/1.1"] * 2
    assert [(x["log_level"], x["event"]) for x in logged] == [("warning", "proxy_resolves")]
    assert (await fetcher.fetch(SOURCE, page, NOW)).failure.error == "dns"  # without it, nobody knows the name
    with_tls = Page(1, "a", "https://www.songyuan.example/")
    assert (await fetcher.fetch(through, with_tls, NOW)).failure is not None
    assert asked[-1].startswith("CONNECT www.songyuan.example:443")
    await fetcher.aclose()
    server.close()
    await server.wait_closed()


async def test_a_proxy_that_is_none():
    with pytest.raises(ConfigError):
        Pools(Guard(Network())).transport("a", proxy="nonsense://x")


# --------------------------------------------------------------------------- pools and TLS


async def test_both_ways_of_asking_are_guarded():
    transport = Transport(Guard(Network()), "default", None)
    with pytest.raises(RefusedError):
        await transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    with pytest.raises(RefusedError):
        await transport.ask("GET", httpx.URL("http://127.0.0.1/"), [(b"Host", b"127.0.0.1")])
    await transport.aclose()


async def test_pools_are_few_and_the_oldest_goes():
    pools = Pools(Guard(Network()), size=3)
    first = pools.transport("a")
    assert pools.transport("a") is first
    for host in "bcde":
        pools.transport(host)
    assert len(pools) == 3
    assert pools.transport("a") is not first
    await pools.aclose()


async def test_idle_pools_are_closed():
    pools = Pools(Guard(Network()), idle=0.0)
    for host in "abc":
        pools.transport(host)
    assert len(pools) <= 1
    await pools.aclose()


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_are_shared_and_verify_unless_they_say_so(profile):
    made = context(profile)
    assert context(profile) is made
    assert (made.verify_mode == ssl.CERT_REQUIRED) == (profile != "insecure")
    assert made.check_hostname == (profile != "insecure")


def test_an_unknown_profile():
    with pytest.raises(ConfigError, match="one of default"):
        context("tls9")


@pytest.mark.parametrize(
    ("error", "profile", "words"),
    [
        ("[SSL: UNSAFE_LEGACY_RENEGOTIATION_DISABLED] unsafe legacy renegotiation disabled", "default", "tls: legacy"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure", "default", "tls: seclevel1"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure", "seclevel1", "tls: seclevel0"),
        ("[SSL: DH_KEY_TOO_SMALL] dh key too small", "default", "tls: seclevel1"),
        ("[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol", "default", "tls: tls10"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", "legacy", "tls: tls10"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed", "tls10", "tls: insecure"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure", "tls10", None),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "insecure", None),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "default", None),
    ],
)
def test_advice(error, profile, words):
    got = advice(error, profile)
    assert (got is None) == (words is None)
    assert words is None or words in got
