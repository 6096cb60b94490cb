"""The daemon's local API: orders over a socket file beside the database, for commands that run while it holds it.

Whoever may write the database's folder may open the socket (mode 0600), nobody else, and no web page can reach it.
One line of JSON in, one out: {"order", "given"} -> {"done"} or {"error"}.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from monitor.errors import MubiaoError, StorageError, UsageError

log = structlog.get_logger("mubiao.local")

MOST = 1_000_000  # bytes of one order or answer
PATIENCE = 10.0  # seconds for one order

Carry = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


def address(database: Path) -> Path:
    """The socket of the daemon that holds this database."""
    return database.with_name(database.name + ".sock")


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The path by way of its folder's descriptor: a socket's name may not be longer than 107 bytes."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}" if Path("/proc/self/fd").is_dir() else str(path)
    finally:
        os.close(folder)


@asynccontextmanager
async def listening(database: Path, carry: Carry) -> AsyncIterator[None]:
    """Answer orders until the block ends. `carry` does one; the MubiaoError it raises is the answer."""
    path = address(database)
    with suppress(FileNotFoundError):
        path.unlink()  # of a daemon that was killed: we hold its lock now

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE):
                answer = await _answer(await reader.readuntil(b"\n"), carry)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        writer.close()

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _short(path) as name:
            listener.bind(name)
    finally:
        os.umask(before)
    server = await asyncio.start_unix_server(talk, sock=listener, limit=MOST)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        with suppress(FileNotFoundError):
            path.unlink()


async def _answer(line: bytes, carry: Carry) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        name, given = asked["order"], asked["given"]
        if not isinstance(name, str) or not isinstance(given, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return {"error": "an order is {order, given}", "usage": True}
    try:
        done = await carry(name, given)
    except MubiaoError as why:
        return {"error": str(why), "usage": isinstance(why, UsageError)}
    log.info("order", order=name, given=given)
    return {"done": done}


def ask(database: Path, order: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Have the running daemon do it. Raises UsageError and StorageError as it would here, and StorageError where it
    does not answer."""
    path = address(database)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, _short(path) as name:
            line.settimeout(PATIENCE)
            line.connect(name)
            line.sendall(json.dumps({"order": order, "given": dict(given)}, ensure_ascii=False).encode() + b"\n")
            said = _line(line)
        answer = json.loads(said)
    except (OSError, ValueError) as why:
        raise StorageError(f"the daemon that holds {database} does not answer on {path}: {why}") from why
    if "error" in answer:
        raise (UsageError if answer.get("usage") else StorageError)(answer["error"])
    done: dict[str, Any] = answer["done"]
    return done


def _line(line: socket.socket) -> bytes:
    said = bytearray()
    while not said.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            raise OSError("it hung up")
        said += piece
        if len(said) > MOST:
            raise OSError("it never ends")
    return bytes(said)
