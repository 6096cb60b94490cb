"""Old servers: real handshakes with real certificates, each profile against what it is for, verification on.

The certificates are signed by an authority that only these tests know; SSL_CERT_FILE makes it trusted, as an operator
would do for a private authority. Python's own ssl plays most servers; one that knows nothing of secure renegotiation
(RFC 5746) does not exist any more, so that one is spoken here by hand.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import socket
import ssl
import struct
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from monitor import net
from monitor.fetch import Fetcher
from monitor.model import Fetch, Network

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = "云岭区2026年政府工作报告".encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY) + BODY
LOOPBACK = Network(allow_private=("127.0.0.0/8",))


@dataclass(frozen=True)
class Papers:
    """A key and its certificate."""

    key: Path
    cert: Path


def openssl(*call: str | Path) -> str:
    try:
        done = subprocess.run(["openssl", *map(str, call)], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        assert not os.environ.get("CI"), "CI has the openssl command"
        pytest.skip("no openssl command to make certificates with")
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the authority and all certificates lie."""
    made = tmp_path_factory.mktemp("tls")
    subject = ("-subj", "/CN=Test Authority", "-addext", "basicConstraints=critical,CA:TRUE")
    keep = ("-keyout", made / "ca.key", "-out", made / "ca.crt")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", *subject, *keep)
    return made


@pytest.fixture(scope="module")
def papers(folder: Path) -> Callable[..., Papers]:
    """`papers("rsa:1024", "-sha1")`: signed by the authority; `days` below 0 has run out."""
    known: dict[tuple[str, str, str, int], Papers] = {}

    def make(key: str = "rsa:2048", digest: str = "-sha256", name: str = "IP:127.0.0.1", days: int = 3) -> Papers:
        if (key, digest, name, days) not in known:
            stem = folder / f"leaf{len(known)}"
            made = Papers(stem.with_suffix(".key"), stem.with_suffix(".crt"))
            request = stem.with_suffix(".csr")
            names = ("-subj", "/CN=old.example", "-addext", f"subjectAltName={name}")
            openssl("req", "-new", "-newkey", key, "-nodes", *names, "-keyout", made.key, "-out", request)
            signer = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial", digest)
            openssl(
                "x509", "-req", "-in", request, *signer, "-copy_extensions", "copy", "-days", str(days),
                "-out", made.cert,
            )  # fmt: skip
            known[key, digest, name, days] = made
        return known[key, digest, name, days]

    return make


@pytest.fixture(autouse=True)
def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.crt"))
    net.context.cache_clear()
    yield
    net.context.cache_clear()


Talk = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], str]]:
    """A server of one conversation after another, in a thread: asyncio's drops a failed handshake without an alert."""
    running: list[tuple[socket.socket, threading.Thread]] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def work() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                raw.settimeout(10)
                with raw, suppress(OSError):
                    talk(raw)

        thread = threading.Thread(target=work)
        thread.start()
        running.append((listener, thread))
        return f"https://127.0.0.1:{listener.getsockname()[1]}/a"

    yield start
    for listener, thread in running:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def library(made: Papers, ciphers: str, newest: ssl.TLSVersion) -> Talk:
    """Python's own server with these limits, and none of today's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        context.load_cert_chain(made.cert, made.key)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest

    def talk(raw: socket.socket) -> None:
        with context.wrap_socket(raw, server_side=True) as stream:
            stream.recv(65536)
            stream.sendall(ANSWER)

    return talk


@pytest.fixture
def look(source: Callable[..., object], page: Callable[..., object]) -> Callable[..., object]:
    async def once(url: str, tls: str) -> Fetch:
        fetcher = Fetcher(LOOPBACK)
        try:
            return await fetcher.fetch(source(tls=tls), page(url), NOW)  # type: ignore[arg-type]
        finally:
            await fetcher.aclose()

    return once


async def climb(look: Callable[..., object], url: str, cure: str) -> list[str]:
    """What each profile up to `cure` meets; the last one has to read the page. Every error has to name a next one."""
    told = []
    for profile in net.PROFILES[: net.PROFILES.index(cure)]:
        got: Fetch = await look(url, profile)  # type: ignore[misc]
        assert got.failure is not None, f"{profile} was enough"
        assert got.failure.error == "tls"
        told.append(got.failure.detail)
    got = await look(url, cure)  # type: ignore[misc]
    assert (got.failure, got.body) == (None, BODY)
    return told


T12, T11, T10 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1


@pytest.mark.parametrize(
    ("made", "ciphers", "newest", "cures"),
    [
        (("rsa:2048", "-sha256"), "ALL", ssl.TLSVersion.TLSv1_3, ("default", None)),
        (("rsa:1024", "-sha256"), "ALL", T12, ("seclevel1", "seclevel1")),
        (("rsa:2048", "-sha256"), "AES128-SHA", T12, ("seclevel1", "seclevel1")),  # RSA key exchange
        (("rsa:2048", "-sha256"), "AES256-SHA256", T12, ("seclevel1", "seclevel1")),
        (("rsa:2048", "-sha1"), "ALL", T12, ("seclevel0", "seclevel0")),
        (("rsa:768", "-sha256"), "ALL", T12, ("seclevel0", "seclevel1")),  # the error does not say how small
        (("rsa:2048", "-sha256"), "ALL", T11, ("tls10", "tls10")),
        (("rsa:2048", "-sha256"), "ALL", T10, ("tls10", "tls10")),
        (("rsa:1024", "-sha1"), "AES128-SHA", T10, ("tls10", "tls10")),  # everything at once
    ],
)
async def test_the_profile_that_helps_is_named_and_verifies(papers, serve, look, made, ciphers, newest, cures):
    cure, named = cures
    url = serve(library(papers(*made), ciphers, newest))
    told = await climb(look, url, cure)
    if named is None:
        return
    assert f"try tls: {named}" in told[0]
    assert all("try tls: " in words and "insecure" not in words for words in told)


@pytest.mark.parametrize("profile", [p for p in net.PROFILES if p != "insecure"])
@pytest.mark.parametrize(("name", "days"), [("DNS:elsewhere.example", 3), ("IP:127.0.0.1", -1)])
async def test_no_profile_but_one_believes_a_wrong_or_stale_certificate(papers, serve, look, profile, name, days):
    url = serve(library(papers(name=name, days=days), "ALL", T12))
    got = await look(url, profile)
    assert got.failure.error == "tls"
    assert not got.body
    assert "tls: insecure" in got.failure.detail
    assert "unverified" in got.failure.detail


async def test_an_unknown_authority_is_believed_by_none_but_one_that_says_so(papers, serve, look, monkeypatch):
    url = serve(library(papers(), "ALL", T12))
    monkeypatch.delenv("SSL_CERT_FILE")
    net.context.cache_clear()
    for profile in net.PROFILES[:-1]:
        assert (await look(url, profile)).failure.error == "tls"
    with structlog.testing.capture_logs() as logged:
        got = await look(url, "insecure")
    assert got.body == BODY
    assert [line["log_level"] for line in logged if line["event"] == "tls_unverified"] == ["warning"]


# --------------------------------------------------------------------------- a server from before RFC 5746


class Antique:
    """TLS 1.2 by hand: ECDHE-RSA-AES128-SHA256 over X25519, without the renegotiation extension. One request."""

    def __init__(self, made: Papers) -> None:
        text = openssl("rsa", "-in", made.key, "-noout", "-text")
        self.n, self.d = (number(text, name) for name in ("modulus", "privateExponent"))
        pem = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", made.cert.read_text(), re.DOTALL)
        assert pem is not None
        self.der = ssl.PEM_cert_to_DER_cert(pem[0])

    def __call__(self, raw: socket.socket) -> None:
        self.raw, self.transcript = raw, b""
        hello = self.handshake(1)
        client, server = hello[2:34], secrets.token_bytes(32)
        self.tell(2, b"\x03\x03" + server + b"\x00" + b"\xc0\x27\x00")  # no extensions at all
        chain = length3(self.der)
        self.tell(11, length3(chain))
        private = secrets.token_bytes(32)
        public = x25519(private, b"\x09" + bytes(31))
        params = b"\x03\x00\x1d" + bytes([32]) + public
        signature = self.sign(client + server + params)
        self.tell(12, params + b"\x04\x01" + struct.pack(">H", len(signature)) + signature)
        self.tell(14, b"")
        shared = x25519(private, self.handshake(16)[1:])
        master = prf(shared, b"master secret", client + server, 48)
        block = prf(master, b"key expansion", server + client, 2 * 32 + 2 * 16)
        self.macs = (block[:32], block[32:64])
        self.keys = (expand(block[64:80]), expand(block[80:96]))
        self.counts = [0, 0]
        assert self.record()[0] == 20  # the client's ChangeCipherSpec
        finished = self.open()
        digest = hashlib.sha256(self.transcript).digest()
        assert finished[4:] == prf(master, b"client finished", digest, 12)
        self.transcript += finished
        self.raw.sendall(b"\x14\x03\x03\x00\x01\x01")
        digest = hashlib.sha256(self.transcript).digest()
        self.seal(22, b"\x14\x00\x00\x0c" + prf(master, b"server finished", digest, 12))
        self.open()  # the request
        self.seal(23, ANSWER)

    def record(self) -> tuple[int, bytes]:
        head = self.exactly(5)
        return head[0], self.exactly(struct.unpack(">H", head[3:])[0])

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.raw.recv(count - len(data))
            if not piece:
                raise ConnectionError("the client hung up")
            data += piece
        return data

    def handshake(self, kind: int) -> bytes:
        got, data = self.record()
        if got == 21:
            raise ConnectionError("the client refuses")
        assert (got, data[0]) == (22, kind)
        self.transcript += data
        return data[4:]

    def tell(self, kind: int, body: bytes) -> None:
        data = bytes([kind]) + length3(body)
        self.transcript += data
        self.raw.sendall(b"\x16\x03\x03" + struct.pack(">H", len(data)) + data)

    def mac(self, side: int, kind: int, data: bytes) -> bytes:
        head = struct.pack(">QBHH", self.counts[side], kind, 0x0303, len(data))
        self.counts[side] += 1
        return hmac.digest(self.macs[side], head + data, "sha256")

    def open(self) -> bytes:
        kind, data = self.record()
        before, plain = data[:16], b""
        for at in range(16, len(data), 16):
            plain += xor(decrypt(self.keys[0], data[at : at + 16]), before)
            before = data[at : at + 16]
        plain = plain[: -plain[-1] - 1]
        assert self.mac(0, kind, plain[:-32]) == plain[-32:]
        return plain[:-32]

    def seal(self, kind: int, data: bytes) -> None:
        plain = data + self.mac(1, kind, data)
        fill = 15 - len(plain) % 16
        plain += bytes([fill]) * (fill + 1)
        sealed = before = secrets.token_bytes(16)
        for at in range(0, len(plain), 16):
            before = encrypt(self.keys[1], xor(plain[at : at + 16], before))
            sealed += before
        self.raw.sendall(bytes([kind]) + b"\x03\x03" + struct.pack(">H", len(sealed)) + sealed)

    def sign(self, data: bytes) -> bytes:
        """RSA, PKCS #1 v1.5, SHA-256."""
        size = (self.n.bit_length() + 7) // 8
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
        block = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(size, "big")


def number(text: str, name: str) -> int:
    """One number of `openssl rsa -text`."""
    found = re.search(rf"{name}:\s*((?:[0-9a-f]{{2}}:?\s*)+)", text)
    assert found is not None
    return int(re.sub(r"[:\s]", "", found[1]), 16)


def length3(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def prf(secret: bytes, label: bytes, seed: bytes, count: int) -> bytes:
    """RFC 5246, 5."""
    out, a = b"", label + seed
    while len(out) < count:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + label + seed, "sha256")
    return out[:count]


def x25519(key: bytes, point: bytes) -> bytes:
    """RFC 7748, 5."""
    p = 2**255 - 19
    k = int.from_bytes(key, "little") & ((1 << 255) - 8) | 1 << 254
    u = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for bit in reversed(range(255)):
        now = k >> bit & 1
        if swap ^ now:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = now
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        e = aa - bb
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def double(x: int) -> int:
    return (x << 1 ^ 0x11B) & 0xFF if x & 0x80 else x << 1


def times(x: int, y: int) -> int:
    """In the field of AES."""
    out = 0
    while y:
        out ^= x if y & 1 else 0
        x, y = double(x), y >> 1
    return out


def _box() -> bytes:
    table = []
    for x in range(256):
        inverse = next((y for y in range(256) if times(x, y) == 1), 0)
        turned = inverse
        for shift in range(1, 5):
            turned ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        table.append(turned ^ 0x63)
    return bytes(table)


BOX = _box()
BACK = bytes(BOX.index(x) for x in range(256))
ROWS = [(i + 4 * (i % 4)) % 16 for i in range(16)]  # where each byte comes from when the rows are shifted


def expand(key: bytes) -> list[bytes]:
    """The round keys of AES-128 (FIPS 197)."""
    words, constant = [key[i : i + 4] for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = words[-1]
        if i % 4 == 0:
            word = bytes(BOX[b] for b in word[1:] + word[:1])
            word, constant = bytes([word[0] ^ constant]) + word[1:], double(constant)
        words.append(xor(word, words[-4]))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def mix(state: bytes, factors: bytes) -> bytes:
    out = bytearray()
    for at in range(0, 16, 4):
        column = state[at : at + 4]
        for row in range(4):
            value = 0
            for k in range(4):
                value ^= times(column[k], factors[(k - row) % 4])
            out.append(value)
    return bytes(out)


def encrypt(keys: list[bytes], block: bytes) -> bytes:
    state = xor(block, keys[0])
    for key in keys[1:]:
        state = bytes(BOX[state[i]] for i in ROWS)
        state = xor(mix(state, b"\x02\x03\x01\x01") if key is not keys[-1] else state, key)
    return state


def decrypt(keys: list[bytes], block: bytes) -> bytes:
    state = block
    for key in reversed(keys[1:]):
        state = xor(state, key)
        state = mix(state, b"\x0e\x0b\x0d\x09") if key is not keys[-1] else state
        turned = bytearray(16)
        for i, where in enumerate(ROWS):
            turned[where] = BACK[state[i]]
        state = bytes(turned)
    return xor(state, keys[0])


def test_the_antique_is_made_of_sound_parts() -> None:
    """The examples of FIPS 197 and RFC 7748."""
    keys = expand(bytes(range(16)))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypt(keys, plain).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert decrypt(keys, encrypt(keys, plain)) == plain
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f2f5a8cfbb8b6e4b6e4b6e4b6e4")
    bob = secrets.token_bytes(32)
    nine = b"\x09" + bytes(31)
    assert x25519(alice, x25519(bob, nine)) == x25519(bob, x25519(alice, nine))


async def test_a_server_without_secure_renegotiation(papers, serve, look):
    url = serve(Antique(papers()))
    told = await climb(look, url, "legacy")
    assert "UNSAFE_LEGACY_RENEGOTIATION" in told[0]
    assert "try tls: legacy" in told[0]
