"""The guarded transport of every request that leaves this program: pages, robots.txt, webhooks.

A host name is resolved once, every address it has is judged, and the connection goes to a judged address: nothing can
be re-bound between the judgement and the connection, and a redirect or a webhook meets the same guard. Host and SNI
keep the name. Who uses a proxy is told by `Pools` callers that the proxy resolves: then only addresses written as
numbers can be judged here.

    RefusedError      the guard says no: an address, a port or a scheme that may not be reached; trying again is useless
    UnresolvedError   the name has no address
    (everything else is an httpx.TransportError, as httpx documents)
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
import ssl
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import certifi
import httpx
import structlog

from monitor.connection import CONNECT_TIMEOUT, KEEPALIVE, Answer, Headers, Lanes, Proxy
from monitor.errors import ConfigError, MubiaoError
from monitor.line import READ_TIMEOUT, WRITE_TIMEOUT
from monitor.model import Network

if sys.platform != "win32":
    import resource

_log = structlog.get_logger("monitor.net")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]  # (host, port) -> numeric addresses, best first


_NAME = re.compile(r"[\w.:-]+", re.ASCII)


class RefusedError(MubiaoError):
    """The guard refuses an address, a port or a scheme. `str()` says which rule, and what would allow it."""


class UnresolvedError(MubiaoError):
    """A host name that has no address."""


# --------------------------------------------------------------------------- the guard

# is_global of Python 3.11 passes multicast, NAT64, 6to4, site-local, 192.88.99.0/24 and the cloud addresses: so an
# explicit list, from the IANA special-purpose registries. In IPv6 only global unicast is allowed at all.
_DENIED_V4 = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_ALLOWED_V6 = ipaddress.ip_network("2000::/3")
_METADATA = ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
_DENIED_V6 = [ipaddress.ip_network(b) for b in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


def _denied_by(address: Address) -> str | None:
    """The block that makes this address unreachable, None for a public one."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((str(block) for block in _DENIED_V4 if address in block), None)
    if address not in _ALLOWED_V6:
        return f"{address}/128"
    return next((str(block) for block in _DENIED_V6 if address in block), None)


def _never_wanted(address: Address) -> bool:
    """Whether nobody watches a page there: link-local and multicast addresses, and the metadata services of clouds.

    Who allowed them would hand the secrets of the machine to whoever can redirect a watched page.
    """
    return address.is_link_local or address.is_multicast or address.is_unspecified or str(address) in _METADATA


def _address(text: str) -> Address:
    """A numeric address; an IPv4 address written inside IPv6 (::ffff:10.0.0.1) is the IPv4 address it reaches."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of `host` as the system's resolver orders them. Raises UnresolvedError.

    In a daemon thread of its own: a name server that answers nothing for 30 s must neither hold up the lookups of
    other hosts, as asyncio's few executor threads would, nor the end of the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def settle(answer: list[str] | UnresolvedError) -> None:
        if future.done():
            return
        if isinstance(answer, UnresolvedError):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def look_up() -> None:
        answer: list[str] | UnresolvedError
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer = list(dict.fromkeys(str(item[4][0]) for item in found))
        except (OSError, ValueError) as error:  # ValueError: a name no resolver can be asked for
            answer = UnresolvedError(f"{host}: {getattr(error, 'strerror', None) or error}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, answer)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return await future


class Guard:
    """Which addresses may be reached. Raises ConfigError for an `allow_private` that is no block of addresses."""

    def __init__(self, network: Network, resolver: Resolver = resolve) -> None:
        self.take_over(network)
        self._resolver = resolver

    def take_over(self, network: Network) -> None:
        """Judge by this `network:` from now on. Raises ConfigError, and goes on as before."""
        try:
            self._private: tuple[Block, ...] = tuple(
                ipaddress.ip_network(b, strict=False) for b in network.allow_private
            )
        except ValueError as error:
            raise ConfigError(str(error), path="network.allow_private", fix="write blocks like 127.0.0.0/8") from error
        self._ports = frozenset(network.allow_ports)

    def public(self) -> Guard:
        """The same guard without what `allow_private` allows: for requests that a stranger's script asks for."""
        return Guard(Network(allow_ports=tuple(self._ports)), self._resolver)

    def judge(self, host: str, addresses: Iterable[str], port: int) -> list[str]:
        """The addresses to dial, judged. One bad address refuses the host: a mixed answer is how rebinding begins."""
        judged = []
        for text in addresses:
            address = _address(text)
            if not any(address in block for block in self._private):
                self._refuse(host, address, port)
            judged.append(str(address))
        if not judged:
            raise UnresolvedError(f"{host}: no address")
        return judged

    def _refuse(self, host: str, address: Address, port: int) -> None:
        """Raise RefusedError for an address that is not public, or a port that is not allowed."""
        block = _denied_by(address)
        where = str(address) if host == str(address) else f"{host} ({address})"
        if block and _never_wanted(address):
            raise RefusedError(f"{where} is no address of a web server")
        if block:
            raise RefusedError(f"{where} is not a public address; network.allow_private: [{block}] would allow it")
        if port not in self._ports:
            raise RefusedError(f"port {port} of {host} is not in network.allow_ports")

    async def resolve(self, host: str, port: int) -> list[str]:
        """Resolve once and judge every address. Raises RefusedError or UnresolvedError."""
        _check_port(port)
        try:
            return self.judge(host, [str(ipaddress.ip_address(host))], port)
        except ValueError:  # a name, or a spelling of a number (0x7f.1) that the resolver reads
            return self.judge(host, await self._resolver(host, port), port)

    async def pass_on(self, host: str, port: int) -> list[str]:
        """What `resolve` is for a way through a proxy, which resolves itself: no address. Raises RefusedError."""
        self.judge_unresolved(host, port)
        return []

    def judge_unresolved(self, host: str, port: int) -> None:
        """What can be judged when a proxy resolves: the port, and hosts written as numbers in any spelling."""
        _check_port(port)
        host = host.rstrip(".")
        if not _NAME.fullmatch(host):  # %31%32%37.0.0.1: who knows what the proxy reads in it
            raise RefusedError(f"{host} is no host name")
        try:
            addresses = [item[4][0] for item in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
        except (OSError, ValueError):
            if host.lower().rpartition(".")[2] == "localhost":
                self.judge(host, ["127.0.0.1"], port)
            if port not in self._ports:
                raise RefusedError(f"port {port} of {host} is not in network.allow_ports") from None
            return
        self.judge(host, [str(a) for a in addresses], port)


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise RefusedError(f"there is no port {port}")


# --------------------------------------------------------------------------- TLS profiles

# Each rung includes those before it, because old servers seldom have one age only.
PROFILES = ("default", "legacy", "seclevel1", "seclevel0", "tls10", "insecure")
MOST_CERTIFICATES = 20_000  # hosts whose certificate's end is remembered
_LEGACY_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT; ssl has a name for it since 3.12


@functools.cache
def context(profile: str) -> ssl.SSLContext:
    """The shared SSL context of a named profile (reading the certificates takes tens of ms). Raises ConfigError.

    legacy      servers without secure renegotiation (RFC 5746)
    seclevel1   RSA key exchange, SHA-1 in the handshake, 1024-bit keys
    seclevel0   certificates signed with SHA-1, still weaker keys and ciphers
    tls10       TLS 1.0 and 1.1
    insecure    the certificate is not verified at all
    """
    if profile not in PROFILES:
        raise ConfigError(f"unknown TLS profile {profile!r}", path="tls", fix="one of " + ", ".join(PROFILES))
    rung = PROFILES.index(profile)
    made = ssl.create_default_context()
    made.load_verify_locations(certifi.where())
    if rung >= 1:
        made.options |= _LEGACY_CONNECT
    if rung >= 2:
        made.set_ciphers(f"DEFAULT:@SECLEVEL={1 if rung == 2 else 0}")
    if rung >= 4:
        with warnings.catch_warnings():  # ssl calls TLSv1 deprecated, which is the point of this profile
            warnings.simplefilter("ignore", DeprecationWarning)
            made.minimum_version = ssl.TLSVersion.TLSv1
    if profile == "insecure":
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


_CURES = (
    ("UNSAFE_LEGACY_RENEGOTIATION", "legacy"),
    ("KEY_TOO_SMALL", "seclevel1"),
    ("KEY_TOO_WEAK", "seclevel1"),
    ("MD_TOO_WEAK", "seclevel0"),  # SHA-1: OpenSSL 3 allows it from level 0 on
    ("DIGEST_ALGORITHM_TOO_WEAK", "seclevel0"),
    ("HANDSHAKE_FAILURE", "seclevel1"),
    ("NO_SHARED_CIPHER", "seclevel1"),
    ("LEGACY_SIGALG", "seclevel1"),
    ("BAD_DH", "seclevel1"),
    ("INSUFFICIENT_SECURITY", "seclevel1"),
    ("UNSUPPORTED_PROTOCOL", "tls10"),
    ("PROTOCOL_VERSION", "tls10"),
    ("INTERNAL_ERROR", "tls10"),
    ("UNEXPECTED_EOF", "seclevel1"),  # some hang up instead of saying why
    ("CERTIFICATE_VERIFY_FAILED", "insecure"),
)


def advice(error: str, profile: str) -> str | None:
    """Which profile to try after a failed handshake with `profile`: words for a person, None where none would help."""
    text = error.upper().replace(" ", "_")
    cure = next((name for sign, name in _CURES if sign in text), None)
    if cure is None or profile not in PROFILES:
        return None
    if PROFILES.index(cure) <= PROFILES.index(profile):  # already there: the next rung, but never silently off
        cure = PROFILES[min(PROFILES.index(profile) + 1, PROFILES.index("tls10"))]
        if PROFILES.index(cure) <= PROFILES.index(profile):
            return None
    if cure == "insecure":
        return "the certificate is not trusted; tls: insecure would read it unverified, and say so"
    return f"perhaps an old server: try tls: {cure}"


# --------------------------------------------------------------------------- pools


class _Body(httpx.AsyncByteStream):
    """The body of an answer, for httpx: its connection is free again when this is closed."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.body

    async def aclose(self) -> None:
        await self._answer.close()


Certified = Callable[[str, datetime], None]  # host, and when the certificate that it has just shown ends


def _noting(certified: Certified) -> Callable[[str, Mapping[str, object]], None]:
    """What a verified certificate says of its end, passed on; one that was not verified says nothing."""

    def note(host: str, shown: Mapping[str, object]) -> None:
        if isinstance(end := shown.get("notAfter"), str):
            certified(host, datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC))

    return note


class Transport(httpx.AsyncBaseTransport):
    """One host's guarded connections, direct or through a proxy. Raises RefusedError and UnresolvedError beside
    httpx's errors, ValueError for an address that is none of a proxy.

    `ask` is the short way for pages, `handle_async_request` the one for a client of httpx.
    """

    def __init__(self, guard: Guard, profile: str, proxy: str | None, certified: Certified | None = None) -> None:
        shown = _noting(certified) if certified else None
        via = None if proxy is None else Proxy(proxy, context("default"))
        self._lanes = Lanes(context(profile), guard.resolve if via is None else guard.pass_on, shown, via)
        self.used = time.monotonic()

    @property
    def warm(self) -> bool:
        """Whether the next request may go over a connection kept from before."""
        return self._lanes.warm

    @property
    def idle(self) -> bool:
        """Whether no request is running."""
        return self._lanes.idle

    async def ask(self, method: str, url: httpx.URL, headers: Headers, content: bytes = b"") -> Answer:
        """One request with these headers and no others; no redirect is followed, nothing inflated."""
        return await self._lanes.ask(method, url, headers, content)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """For httpx.AsyncClient."""
        answer = await self._lanes.ask(request.method, request.url, request.headers.raw, await request.aread())
        return httpx.Response(answer.status, headers=list(answer.headers), stream=_Body(answer))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._lanes.close()


def _most_sockets() -> int:
    """Half of what the system lets this process open: the rest is for the database, mail and the web page."""
    if sys.platform == "win32":
        return 500
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2000 if soft == resource.RLIM_INFINITY else max(soft // 2, 16)


class Pools:
    """A small pool for each host: one pool over 1,000 hosts is 20 times slower (httpcore walks all its connections).

    The pools used least recently are closed beyond `size` (at most half the file descriptors), and any after
    `idle` seconds, so that 10,000 watched hosts do not mean 10,000 open sockets.
    """

    def __init__(self, guard: Guard, *, size: int = 2000, idle: float = 2 * KEEPALIVE) -> None:
        self.guard = guard
        context("default")  # reading certificates takes long enough to disturb the first gap between two requests
        self._size, self._idle = min(size, _most_sockets()), idle
        self._transports: OrderedDict[tuple[str, str, str | None], Transport] = OrderedDict()
        self._proxies: set[str] = set()
        self._unverified: set[str] = set()
        self._ends: OrderedDict[str, datetime] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def transport(self, host: str, profile: str = "default", proxy: str | None = None) -> Transport:
        """The pool of a host (any spelling that tells hosts apart, like `name:port`). ConfigError: profile or proxy."""
        key = (host, profile, proxy)
        found = self._transports.get(key)
        if found is None:
            try:
                found = Transport(self.guard, profile, proxy, self._certified)
            except (ValueError, httpx.InvalidURL) as error:
                raise ConfigError(str(error), path="proxy", fix="http://host:port or https://host:port") from error
            self._transports[key] = found
            if profile == "insecure" and host not in self._unverified:
                self._unverified.add(host)
                _log.warning(
                    "tls_unverified", host=host, meaning="tls: insecure; whoever sits between can write the page"
                )
            if proxy and proxy not in self._proxies:
                self._proxies.add(proxy)
                _log.warning("proxy_resolves", proxy=httpx.URL(proxy).host, meaning="names are not judged by our guard")
        found.used = time.monotonic()
        self._transports.move_to_end(key)
        self._evict(found.used)
        return found

    def take_over(self, network: Network) -> None:
        """Judge by this `network:` from now on: what was connected under the old one is used to its end, not again."""
        self.guard.take_over(network)
        old, self._transports = list(self._transports.values()), OrderedDict()
        for transport in old:
            self._let_go(self._close_when_idle(transport))

    async def _close_when_idle(self, transport: Transport) -> None:
        while not transport.idle:  # noqa: ASYNC110 (a transport has nothing to wait for, and checks end in their time)
            await asyncio.sleep(0.2)
        await transport.aclose()

    def _let_go(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def client(self, host: str, profile: str = "default", proxy: str | None = None) -> httpx.AsyncClient:
        """A client over the host's pool: no redirects, no environment. Do not close it: the pool is shared."""
        timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT, write=WRITE_TIMEOUT, pool=None)
        return httpx.AsyncClient(transport=self.transport(host, profile, proxy), trust_env=False, timeout=timeout)

    def _certified(self, host: str, end: datetime) -> None:
        self._ends[host] = end
        self._ends.move_to_end(host)
        if len(self._ends) > MOST_CERTIFICATES:
            self._ends.popitem(last=False)

    @property
    def certificates(self) -> Mapping[str, datetime]:
        """Host -> when its certificate ends, as verified at the last connection to it."""
        return dict(self._ends)

    def _evict(self, now: float) -> None:
        """Close pools from the old end while they are too many or unused for too long."""
        for key, old in list(islice(self._transports.items(), 4)):
            if len(self._transports) <= self._size and now - old.used < self._idle:
                break
            if not old.idle:
                self._transports.move_to_end(key)
                continue
            del self._transports[key]
            self._let_go(old.aclose())

    async def aclose(self) -> None:
        """Close every connection."""
        transports, self._transports = list(self._transports.values()), OrderedDict()
        for transport in transports:
            await transport.aclose()
        while self._closing:
            await asyncio.wait(self._closing)

    def __len__(self) -> int:
        return len(self._transports)
