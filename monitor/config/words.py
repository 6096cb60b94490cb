"""The values that sources.yaml is made of: durations, crontab lines, addresses, selectors, codes."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import yaml
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from monitor import times
from monitor.config.values import Value, WrongError, many, nearest, nested, number, one_of, parsed, scalar, string
from monitor.model import FILE_TYPES, Fields, Keep, Links, Quiet, Rate, Season
from monitor.sources import pager


def _flag(node: yaml.Node) -> bool:
    text = scalar(node).lower()
    if text in {"true", "yes", "on"}:
        return True
    if text in {"false", "no", "off"}:
        return False
    raise WrongError(node, f"{text!r} is neither true nor false")


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


def _css(text: str) -> str:
    try:
        LexborHTMLParser("<p>").css_first(text)
    except SelectolaxError as error:
        raise ValueError(f"{text!r} is not a CSS selector") from error
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or re.search(r"\s", text):
        raise ValueError(f"{text!r} is not an http(s) address")
    return text


def _channel_url(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+", text):
        # not repeated: an address of a chat service holds its token
        raise ValueError("not an address")
    return _url(text) if text.lower().startswith(("http://", "https://")) else text


def _proxy(text: str) -> str:
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError(f"{text!r} is not an http(s) address")
    return text


def _network_block(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:
        near = nearest(text, available_timezones()) or "names look like Asia/Shanghai"
        raise ValueError(f"{text!r} is no time zone; {near}") from error
    return text


def _cron(text: str) -> str:
    times.check_crontab(text)
    return text


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,12})\s*(?:([KMG])(i?)B|B)?", text, re.IGNORECASE)
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} is not a size")
    power = " KMG".index((found[2] or " ").upper())
    return int(int(found[1]) * (1024 if found[3] else 1000) ** power)


def _posted(text: str) -> str:
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(pager.filled(text, 1))
        except ValueError as error:
            raise ValueError(f"begins like JSON and is none: {error}") from error
    elif "=" not in text:
        raise ValueError(f"{text!r} is neither a form nor JSON")
    return text


def _matching(pattern: str, message: str) -> Callable[[str], str]:
    rule = re.compile(pattern)

    def parse(text: str) -> str:
        if not rule.fullmatch(text):
            raise ValueError(message.format(repr(text)))
        return text

    return parse


def _env_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        # the text itself is not repeated: it may be the secret
        raise ValueError("not the name of an environment variable: the secret stands there, not here")
    return text


def _clock(text: str) -> time:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f"{text.strip()!r} is no time of day")
    return time(int(found[1]), int(found[2]))


def _quiet(text: str) -> Quiet:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is no span of hours")
    made = Quiet(_clock(start), _clock(end))
    if made.start == made.end:
        raise ValueError(f"{text!r} is no span of hours: it would be quiet for ever")
    return made


def _rate(text: str) -> Rate:
    count, slash, span = text.partition("/")
    if not slash or not count.strip().isdecimal() or not 1 <= int(count) <= 100_000:
        raise ValueError(f"{text!r} is no limit")
    span = span.strip()
    return Rate(int(count), times.duration(span if span[:1].isdecimal() else f"1{span}"))


POSTED = Value(parsed(_posted, "like channel=12&page={page}, as the browser's tools show it"), {"type": "string"})
TEXT = Value(string, {"type": ["string", "number"]})
FLAG = Value(_flag, {"type": "boolean"})
REGEX = Value(parsed(_regex), {"type": "string", "format": "regex"})
CSS = Value(parsed(_css, "like #zoom or div.TRS_Editor"), {"type": "string"})
URL = Value(parsed(_url, "like http://www.example.gov.cn/zfgzbg/"), {"type": "string", "format": "uri"})
CHANNEL_URL = Value(parsed(_channel_url, "like https://example.org/hook or wecombot://…"), {"type": "string"})
CRON = Value(parsed(_cron, 'like "0 7 * * 1-5": minute hour day month weekday'), {"type": "string"})
_DURATION_FIX = "like 3s 5m 6h 1d"
DURATION = Value(parsed(times.duration, _DURATION_FIX), {"type": "string", "pattern": r"^[0-9]+\s*[smhd]$"})
DELAY = replace(DURATION, read=parsed(partial(times.duration, zero=True), _DURATION_FIX))
RECHECK = Value(parsed(times.recheck, "like 30m for 14d, then 1d"), {"type": "string"})
ADAPT = Value(parsed(times.adapt, "like 30m to 1d"), {"type": "string"})
EXPECT = Value(parsed(times.day_of_year, "like 03-15"), {"type": "string", "pattern": r"^\d{2}-\d{2}$"})
SIZE = Value(parsed(_size, "like 10MB or 512KB"), {"type": ["string", "integer"]})
KEY = Value(
    parsed(_matching(r"[\w.-]+", "{} is no key"), "letters, digits, - _ . and no blank"),
    {"type": "string", "pattern": r"^[\w.-]+$"},
)
REGION = Value(
    parsed(_matching(r"\d{2}|\d{4}|\d{6}", "{} is no region code"), 'GB/T 2260: 2, 4 or 6 digits, like "230102"'),
    {"type": ["string", "integer"], "pattern": "^([0-9]{2}){1,3}$"},
)
ADDRESS = Value(parsed(_matching(r"[^@\s]+@[^@\s]+", "{} is no e-mail address")), {"type": "string", "format": "email"})
PROXY = Value(parsed(_proxy, "like http://proxy.example.org:3128"), {"type": "string"})
ZONE = Value(parsed(_zone), {"type": "string"})
ENV_NAME = Value(parsed(_env_name, "like secret_env: HOOK_SECRET"), {"type": "string"})
QUIET = Value(parsed(_quiet, "like 22:00-07:00"), {"type": "string", "pattern": r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$"})
RATE = Value(parsed(_rate, "like 20/h or 5/10m"), {"type": "string", "pattern": r"^\d+/\d*\s*[smhd]$"})
CIDR = Value(parsed(_network_block, "like 127.0.0.0/8"), {"type": "string"})


def _confirm(node: yaml.Node) -> tuple[timedelta, ...]:
    if isinstance(node, yaml.ScalarNode) and str(node.value).lower() in {"off", "false", "no"}:
        return ()
    return tuple(sorted(many(DURATION).read(node)))


CONFIRM = Value(_confirm, {"oneOf": [{"enum": [False, "off"]}, many(DURATION).schema]})
SEASON = nested(
    {
        "months": (many(number(1, 12)), "months of the year, 1-12"),
        "every": (DURATION, "the interval in these months"),
    },
    lambda v: Season(frozenset(v["months"]), v["every"]),
    required=("months", "every"),
)


def _attachments(node: yaml.Node) -> bool | tuple[str, ...]:
    """On or off, or the endings of those to read."""
    if isinstance(node, yaml.ScalarNode) and str(node.value).lower() not in FILE_TYPES:
        return _flag(node)
    found: tuple[str, ...] = _ENDINGS.read(node)
    return found


_ENDINGS = many(one_of(*FILE_TYPES))
ATTACHED = Value(_attachments, {"oneOf": [{"type": "boolean"}, _ENDINGS.schema]})
KEEP = nested(
    {
        "versions": (number(1, 1_000_000), "so many versions of each page"),
        "age": (DURATION, "versions younger than this; with versions too, what both let go goes"),
        "bodies": (DURATION, "pages as they were received, so long; their texts stay"),
    },
    lambda v: Keep(**v),
)
LINKS = nested(
    {
        "include": (many(REGEX), "an address must match one of these"),
        "exclude": (many(REGEX), "and none of these"),
    },
    lambda v: Links(**v),
)
_PATH = Value(parsed(_matching(r"[\w$-]+(?:\.[\w$-]+)*", "{} is no path"), "like data.rows"), {"type": "string"})
FIELDS = nested(
    {
        "items": (_PATH, "path to the list, as data.rows; found by itself where left out"),
        "title": (_PATH, "field of an item"),
        "address": (TEXT, "field of an item, or an address with fields in it: /detail.html?id={docId}"),
        "date": (_PATH, "field of an item"),
    },
    lambda v: Fields(**v),
)
