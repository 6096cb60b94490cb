from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from alerts import feed
from alerts.render import render
from alerts.sending import Settings
from monitor.errors import DeliveryError
from monitor.model import Channel

Make = Callable[..., Settings]
A = f"{{{feed.ATOM}}}"


async def put(world: Any, settings: Settings, path: Path, number: int, **payload: Any) -> None:
    alert = world.alert(id=f"msg_{number:04}", created=world.now + timedelta(minutes=number))
    alert = replace(alert, payload={**alert.payload, **payload})
    await feed.send(alert, render(alert), Channel("out", "feed", path=str(path)), settings)


async def test_the_newest_comes_first_and_a_repeat_changes_nothing(world: Any, settings: Make, tmp_path: Path) -> None:
    path, given = tmp_path / "public" / "云岭.xml", settings()
    for number in (1, 2, 3, 2):
        await put(world, given, path, number)
    root = ET.parse(path).getroot()
    assert [e.findtext(f"{A}id") for e in root.findall(f"{A}entry")] == [
        "urn:mubiao:msg_0002", "urn:mubiao:msg_0003", "urn:mubiao:msg_0001",
    ]  # fmt: skip
    first = root.find(f"{A}entry")
    assert first is not None
    assert str(first.findtext(f"{A}title")).startswith("[目标] 云岭区")
    assert first.find(f"{A}link").get("href") == "http://yunling.example/zwgk/88.html"  # type: ignore[union-attr]
    assert "<table" in str(first.findtext(f"{A}content"))
    assert root.findtext(f"{A}updated") == "2026-01-09T02:48:00Z"
    assert [p.name for p in path.parent.iterdir()] == ["云岭.xml"], "nothing is left beside it"


async def test_it_does_not_grow_for_ever(world: Any, settings: Make, tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    entry = ET.tostring(feed.entry(world.alert(), render(world.alert()), world.now), encoding="unicode")
    many = "".join(entry.replace("msg_0001", f"msg_old{n}") for n in range(feed.KEPT))
    path.write_text(f'<feed xmlns="{feed.ATOM}">{many}</feed>', encoding="utf-8")
    await put(world, settings(), path, 7)
    found = ET.parse(path).getroot().findall(f"{A}entry")
    assert len(found) == feed.KEPT
    assert found[0].findtext(f"{A}id") == "urn:mubiao:msg_0007"


@pytest.mark.parametrize("there", ["<html/>", "plain words", ""])
async def test_another_file_is_not_overwritten(world: Any, settings: Make, tmp_path: Path, there: str) -> None:
    path = tmp_path / "index.html"
    path.write_text(there, encoding="utf-8")
    with pytest.raises(DeliveryError, match="is not an Atom feed"):
        await put(world, settings(), path, 1)
    assert path.read_text(encoding="utf-8") == there


async def test_a_folder_that_cannot_be_written_says_so(world: Any, settings: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryError, match="file"):
        await put(world, settings(), tmp_path / "file" / "feed.xml", 1)


async def test_what_a_page_says_stays_text(world: Any, settings: Make, tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    title = "]]><script>alert(1)</script>\x00\x0b\ufffe&amp;"
    await put(world, settings(), path, 1, kind="removed", targets=[], title=title, url="javascript:alert(1)")
    root = ET.parse(path).getroot()
    assert root.find(f"{A}entry/{A}link") is None
    assert "<script" not in str(root.findtext(f"{A}entry/{A}content"))
    assert root.find(".//script") is None
