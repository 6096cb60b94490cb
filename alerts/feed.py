"""An Atom feed file (RFC 4287): the newest changes, for a reader that comes by itself or a web server that shows it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from alerts.inert import link
from alerts.sending import Settings
from monitor.errors import DeliveryError
from monitor.model import Alert, Channel, Message

ATOM = "http://www.w3.org/2005/Atom"
KEPT = 200  # entries
_NOT_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))

ET.register_namespace("", ATOM)


async def send(alert: Alert, message: Message, channel: Channel, settings: Settings) -> None:
    """Put the message first in the file; one that is there already is replaced, so a repeat changes nothing."""
    if not channel.path:
        raise DeliveryError(f"channel {channel.name} has no path", permanent=True)
    at = alert.created or settings.clock()
    await asyncio.to_thread(_add, Path(channel.path), alert, message, at)


def _add(path: Path, alert: Alert, message: Message, at: datetime) -> None:
    """Rewrite the file beside itself and move it into place: a reader sees the old one or the new one."""
    try:
        new = entry(alert, message, at)
        others = [e for e in _entries(path) if e.findtext(f"{{{ATOM}}}id") != new.findtext(f"{{{ATOM}}}id")]
        _write(path, feed([new, *others[: KEPT - 1]], path.stem, at))
    except OSError as why:
        raise DeliveryError(f"{path}: {why.strerror}") from why


def _entries(path: Path) -> Iterator[ET.Element]:
    """What the file holds. One that is no feed of ours is not overwritten."""
    try:
        root = ET.fromstring(path.read_bytes())  # noqa: S314 - a file that we wrote
    except FileNotFoundError:
        return
    except ET.ParseError as why:
        raise DeliveryError(f"{path} is not an Atom feed ({why}): move it away") from why
    if root.tag != f"{{{ATOM}}}feed":
        raise DeliveryError(f"{path} is not an Atom feed: move it away")
    yield from root.findall(f"{{{ATOM}}}entry")


def feed(entries: list[ET.Element], name: str, at: datetime) -> bytes:
    """A whole feed document, newest entry first."""
    root = ET.Element(f"{{{ATOM}}}feed")
    _child(root, "id", f"urn:mubiao:feed:{name}")
    _child(root, "title", f"mubiao: {name}")
    _child(root, "updated", _time(at))
    _child(_child(root, "author"), "name", "mubiao")
    root.extend(entries)
    whole: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return whole


def entry(alert: Alert, message: Message, at: datetime) -> ET.Element:
    """One message: its subject, its page, its words as HTML."""
    made = ET.Element(f"{{{ATOM}}}entry")
    _child(made, "id", f"urn:mubiao:{alert.id}")
    _child(made, "title", message.subject)
    _child(made, "updated", _time(at))
    if page := link(alert.payload.get("url")):
        ET.SubElement(made, f"{{{ATOM}}}link", {"rel": "alternate", "href": page})
    _child(made, "summary", message.text.partition("\n")[0])
    _child(made, "content", message.html).set("type", "html")
    return made


def _child(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    made = ET.SubElement(parent, f"{{{ATOM}}}{name}")
    if text is not None:
        made.text = text.translate(_NOT_XML)
    return made


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
