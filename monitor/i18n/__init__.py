"""What users read, in Chinese and English. Data keeps its Chinese terms; only our own words are translated.

One module a room (cli, alerts, web, demo) holds a table `TEXTS: Texts`; this file holds the way to read one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")
Texts = Mapping[str, tuple[str, str]]  # key -> (zh, en), with {named} places, and {count:page/pages} in English


def language(wanted: str | None, locale: str | None) -> Lang:
    """The language to speak: the option, else the locale (`zh_CN.UTF-8`), else English."""
    if wanted in LANGUAGES:
        return wanted
    return "zh" if (locale or "").lower().startswith("zh") else "en"


def say(texts: Texts, key: str, lang: str, **values: object) -> str:
    """The text of `key`. Raises KeyError for an unknown key: a missing word is a bug, not a blank."""
    zh, en = texts[key]
    return (zh if lang == "zh" else en).format_map({name: _Counted(value) for name, value in values.items()})


class _Counted:
    """A value in a text. As `page/pages` it brings its noun along: 1 page, 2 pages."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __format__(self, how: str) -> str:
        one, slash, many = how.partition("/")
        return f"{self._value} {one if self._value == 1 else many}" if slash else format(self._value, how)
