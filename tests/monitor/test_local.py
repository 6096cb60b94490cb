from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor import local
from monitor.errors import StorageError, UsageError


async def carry(order: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if order == "no":
        raise UsageError("there is no 云岭")
    if order == "full":
        raise StorageError("the disk is full")
    return {"order": order, **given}


async def ask(database: Path, order: str, **given: Any) -> dict[str, Any]:
    return await asyncio.to_thread(local.ask, database, order, given)


async def test_an_order_goes_in_and_its_answer_comes_out(tmp_path: Path) -> None:
    database = tmp_path / "mubiao.db"
    async with local.listening(database, carry):
        assert await ask(database, "mute", source="云岭") == {"order": "mute", "source": "云岭"}
        assert await ask(database, "again") == {"order": "again"}
        with pytest.raises(UsageError, match="there is no 云岭"):
            await ask(database, "no")
        with pytest.raises(StorageError, match="the disk is full"):
            await ask(database, "full")
    assert not local.address(database).exists()
    with pytest.raises(StorageError, match="does not answer"):
        await ask(database, "mute")


async def test_only_the_owner_may_open_it(tmp_path: Path) -> None:
    database = tmp_path / "mubiao.db"
    async with local.listening(database, carry):
        assert stat.S_IMODE(local.address(database).stat().st_mode) == 0o600


async def test_a_path_may_be_long_and_a_dead_daemon_leave_its_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("很深的目录" * 12)
    folder.mkdir()
    database = folder / "mubiao.db"
    local.address(database).write_bytes(b"")
    async with local.listening(database, carry):
        assert await ask(database, "x") == {"order": "x"}


@pytest.mark.parametrize("line", [b"hello\n", b"[]\n", b'{"order": 1, "given": {}}\n', b'{"order": "x"}\n', b"\xff\n"])
async def test_what_is_no_order_is_answered(tmp_path: Path, line: bytes) -> None:
    database = tmp_path / "mubiao.db"

    def talk() -> Any:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(local.address(database)))
            raw.sendall(line)
            return json.loads(raw.makefile().readline())

    async with local.listening(database, carry):
        assert "error" in await asyncio.to_thread(talk)
        assert await ask(database, "x") == {"order": "x"}
