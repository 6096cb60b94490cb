"""ZIP packages (DOCX, OFD, ODT, plain archives) read within bounds: members, bytes, no document type declarations."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.etree import ElementTree

from monitor.attachments.content import RefusedError

MOST_MEMBERS = 10_000
MOST_BYTES = 300_000_000  # inflated, of all members together
MOST_XML = 60_000_000  # bytes of one XML part
_UTF8_NAME = 0x800  # flag: the name is UTF-8
_ENCRYPTED = 0x1
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

Element = ElementTree.Element


class Package:
    """An open archive. Every method raises RefusedError for what is damaged, encrypted or too large."""

    def __init__(self, body: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(body))
        except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as wrong:
            raise RefusedError("damaged", f"a ZIP archive that cannot be opened ({wrong})") from wrong
        members = self._zip.infolist()
        if len(members) > MOST_MEMBERS:
            raise RefusedError("too_large", f"a ZIP archive of {len(members)} members ({MOST_MEMBERS} are read)")
        if sum(m.file_size for m in members) > MOST_BYTES:
            raise RefusedError("too_large", f"a ZIP archive that inflates to more than {MOST_BYTES // 1_000_000} MB")
        self._members = {m.filename.lstrip("/"): m for m in members if not m.is_dir()}

    @property
    def names(self) -> list[str]:
        """Members in the archive's order."""
        return list(self._members)

    def shown(self, name: str) -> str:
        """A member's name as its author saw it: Chinese Windows writes GBK without saying so."""
        member = self._members[name]
        if member.flag_bits & _UTF8_NAME:
            return name
        try:
            return name.encode("cp437").decode("gb18030")
        except UnicodeError:
            return name

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Bytes of a member, inflated. zipfile gives no more than this."""
        return self._members[name].file_size

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        member = self._members.get(name)
        if member is None:
            raise RefusedError("damaged", f"the part {name} is missing")
        if member.flag_bits & _ENCRYPTED:
            raise RefusedError("encrypted", "a ZIP archive that needs a password")
        try:
            return self._zip.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as wrong:
            raise RefusedError("damaged", f"the part {name} cannot be unpacked ({wrong})") from wrong

    def xml(self, name: str) -> Element:
        """A part parsed. Office formats have no document type declaration, so one is an attack."""
        if name in self and self.size(name) > MOST_XML:
            raise RefusedError("too_large", f"the part {name} has {self.size(name)} bytes")
        data = self.read(name)
        if _DTD.search(data):
            raise RefusedError("unsupported", f"the part {name} declares a document type")
        try:
            return ElementTree.fromstring(data)  # noqa: S314 - no declarations, bounded, in a process of its own
        except ElementTree.ParseError as wrong:
            raise RefusedError("damaged", f"the part {name} is no XML ({wrong})") from wrong


def local(element: Element) -> str:
    """An element's name without its namespace: strict and transitional documents differ in that only."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its local name."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None
