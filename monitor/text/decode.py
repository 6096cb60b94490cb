"""Bytes to text, like a browser and better: Chinese pages lie about their encoding.

The order is the measured one: a byte order mark; UTF-8 that is valid although a header or meta says otherwise (half
of the pages that say gb2312 are UTF-8); the HTTP charset; the meta charset; what the bytes look like; a detector.
gb2312, gbk and gb18030 are all read as gb18030 (the WHATWG Encoding standard: names need characters outside GB2312).
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from itertools import islice

import chardet
import webencodings  # type: ignore[import-untyped]

from monitor.model import Decoded

META_BYTES = 4096  # browsers look at 1,024; old templates put comments and scripts first
TOLERATED = 0.02  # share of broken sequences among the multi-byte ones of a text that is still UTF-8
DETECT_BYTES = 65_536
LOOKED_AT = (2_048, 16_384)  # bytes behind the first that is no UTF-8: those of a page in GBK are refuted by them
SAMPLE = 150  # runs of Chinese characters that show whether a text is read rightly

_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_HTTP_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE = (  # UTF-16 without a mark shows in its first tag (XML 1.0, appendix F): no other text has a NUL beside it
    (re.compile(rb"(?:[\t\n\r ]\x00)*<\x00[!-~]\x00"), "utf-16-le"),
    (re.compile(rb"(?:\x00[\t\n\r ])*\x00<\x00[!-~]"), "utf-16-be"),
)
_NARROW = bytes(range(0xC0))
_HANZI = re.compile("[\u3400-\u9fff]+")


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Text of `body`, never raising: what cannot be read becomes U+FFFD and is counted in `replacements`.

    `how` is the evidence that won: bom, utf-8, http, meta, bytes (the declaration was refuted, or there was none) or
    detector.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], name, "bom")
    for first, name in _WIDE:
        if first.match(body):
            return _read(body, name, "bytes")
    declared = _declared(body, content_type)
    if (found := _as_utf8(body, declared)) is not None:
        return found
    for name, how in declared:
        if name == "utf-8":
            continue  # it was not: see above
        if (found := _believed(body, name, how)) is not None:
            return found
    for name in ("gb18030", "big5hkscs"):
        if (found := _believed(body, name, "bytes")) is not None and _HANZI.search(found.text):
            return found
    return _guess(body, declared)


def _declared(body: bytes, content_type: str | None) -> list[tuple[str, str]]:
    """(Python codec, evidence) of the HTTP header and of the meta tag, unknown labels left out."""
    found = []
    if content_type and (m := _HTTP_CHARSET.search(content_type)):
        found.append((m[1], "http"))
    if m2 := _CHARSET.search(body[:META_BYTES]):
        found.append((m2[1].decode("ascii"), "meta"))
    return [(name, how) for label, how in found if (name := _codec(label)) is not None]


def _codec(label: str) -> str | None:
    """The Python codec for a label, by the WHATWG table; gb18030 for the whole GB family."""
    if label.lower().startswith("gb") or label.lower() in {"x-gbk", "cp936", "chinese", "hz-gb-2312"}:
        return "gb18030"
    found = webencodings.lookup(label)
    if found is None:
        return None
    if found.name in {"utf-16le", "utf-16be", "x-user-defined"}:
        return "utf-8"  # a meta tag that could be read cannot be UTF-16
    return {"gbk": "gb18030", "big5": "big5hkscs"}.get(found.name, str(found.codec_info.name))


def _as_utf8(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    """`body` as UTF-8 when it is that, a few damaged characters or a cut tail included."""
    try:
        text, bad, wide = body.decode("utf-8"), 0, 0 if body.isascii() else 3
    except UnicodeDecodeError as error:
        wide = len(body.translate(None, _NARROW))  # lead bytes: about one a character
        most = max(1 if wide > 1 else 0, wide * TOLERATED)
        for ahead in LOOKED_AT:
            if _broken(body[error.start : error.start + ahead])[1] > most + 8:  # enough: the cut breaks some itself
                return None
        text, bad = _broken(body)
        if bad > most:
            return None
    if any(name != "utf-8" for name, _ in declared) and wide and not bad and not re.search("[\u2000-\uffff]", text):
        return None  # two GBK bytes can look like one letter of another script, three rarely like a Chinese character
    if bad == 1 and wide <= 2:
        return None
    names = [how for name, how in declared if name == "utf-8"]
    return Decoded(text, "utf-8", text.count("\ufffd"), names[0] if names else "utf-8")


def _broken(body: bytes) -> tuple[str, int]:
    """(`body` as UTF-8, how much of it is not that)."""
    text = body.decode("utf-8", "replace")
    return text, text.count("\ufffd") - body.count(b"\xef\xbf\xbd")


def _believed(body: bytes, name: str, how: str) -> Decoded | None:
    """`body` in this encoding, when the result reads like text: next to nothing broken, and common characters."""
    found = _read(body, name, how)
    hanzi = "".join(m[0] for m in islice(_HANZI.finditer(found.text), SAMPLE))
    if found.replacements > 1 + len(found.text) * TOLERATED:
        return None
    if name not in {"gb18030", "big5hkscs"}:
        return None if _looks_gb(body) else found
    if len(hanzi) >= 8 and sum(map(len, _rare(name).findall(hanzi))) > 0.4 * len(hanzi):
        return None
    return found


def _looks_gb(body: bytes) -> bool:
    """Whether bytes that claim a western encoding are Chinese."""
    found = _believed(body, "gb18030", "bytes")
    return found is not None and sum(map(len, _HANZI.findall(found.text))) >= 4


@cache
def _rare(name: str) -> re.Pattern[str]:
    """Runs without the characters that make up nearly all of any Chinese text: the first level of GB 2312 or Big5."""
    if name == "gb18030":
        leads, trails = range(0xB0, 0xD8), range(0xA1, 0xFF)
    else:
        leads, trails = range(0xA4, 0xC7), range(0x40, 0xFF)
    codes = (bytes((a, b)).decode(name, "ignore") for a in leads for b in trails)
    return re.compile("[^" + re.escape("".join(sorted({c for c in codes if len(c) == 1}))) + "]+")


def _guess(body: bytes, declared: list[tuple[str, str]]) -> Decoded:
    """The last resort: a detector, else what was declared, with all its replacement characters."""
    encoding = chardet.detect(body[:DETECT_BYTES]).get("encoding")
    name = _codec(encoding) if encoding else None
    if name is not None:
        found = _read(body, name, "detector")
        if found.replacements <= 1 + len(found.text) * TOLERATED:
            return found
    options = [_read(body, n, how) for n, how in declared] + [_read(body, n, "bytes") for n in ("utf-8", "gb18030")]
    return min(options, key=lambda d: d.replacements / max(1, len(d.text)))


def _read(body: bytes, name: str, how: str) -> Decoded:
    text = _gb18030(body) if name == "gb18030" else body.decode(name, "replace")
    return Decoded(text, name, text.count("\ufffd"), how)


def _gb18030(body: bytes) -> str:
    """gb18030 by the WHATWG decoder's rules where Python's differs: a lone 0x80 is the euro sign."""
    return body.decode("gb18030", _EURO)


def _euro(error: UnicodeError) -> tuple[str, int]:
    """Error handler: one byte at a time, so that a damaged character does not swallow the tag behind it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return ("€" if error.object[error.start] == 0x80 else "\ufffd"), error.start + 1


_EURO = "mubiao.gb18030"
codecs.register_error(_EURO, _euro)
