"""Tags as the parser serialises them, each way of writing one judged once: what it is, what its names say."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from monitor.model import TextRules

# Only the parser's own output is read, so that names are lower case and values stand in double quotes.
# Never read: what stands in them is no text of the page, or stands in it a second time.
SILENT = frozenset((
    "script", "style", "noscript", "template", "textarea", "select", "button", "iframe", "frameset", "noframes",
    "noembed", "object", "svg", "canvas", "audio", "video", "datalist"
))  # fmt: skip
# Tags in these are text: the parser serialises what stands in them as it was written.
RAW = frozenset({"xmp", "plaintext"})
# Of BARE and of word processors' elements (o:p) only the text counts, so they have no position.
BARE = frozenset((
    "b", "strong", "em", "i", "u", "s", "font", "big", "small", "sub", "sup", "tt", "nobr", "ins", "del", "wbr"
))  # fmt: skip
VOID = frozenset((
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr"
))  # fmt: skip
# Everything else breaks the line. Word pastes one <span> or <o:p> a digit: a separator here would split numbers.
INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr"
))  # fmt: skip
# These break the line and frame nothing: their text counts for the element around them.
FLOWS = frozenset((
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "tbody", "thead", "tfoot", "tr", "th", "ol", "dt", "figure", "figcaption",
    "hr", "br"
))  # fmt: skip
RANKED = frozenset({"h1", "h2", "h3", "h4", "h5", "ucaptitle", "founder-title"})

REMEMBERED = 400  # characters of a tag that is remembered
MOST_KNOWN = 15_000  # such tags, some 8 MB: a site uses some thousand, most of them links

_HIDES = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_TITLED = re.compile("title|bt|tit", re.IGNORECASE)
HEAD = frozenset({"body", "meta", "base", "title"})
_NOTED = HEAD | {"a"}
MARK = "mubiao-"


def is_inline(tag: str) -> bool:
    """Whether an element of this name stays in its line; names with a colon come from word processors."""
    return tag in INLINE or ":" in tag


class Notes(NamedTuple):
    """What is unusual about an opening tag."""

    heading: bool = False
    container: bool = False  # of a content system
    chrome: str = ""  # its id and class, where they say so
    hidden: bool = False


# What a walk needs of an opening tag: its name; whether it breaks the line; how its closing tag is written; whether its
# text may be weighed by itself; its attributes; what is unusual about it; whether it is void; whether text in it counts
# for nothing (a link, or what never holds text of the article). A plain tuple, because Python takes those apart three
# times as fast as named ones. An empty one stands for a tag that counts for nothing.
Opening = tuple[str, bool, str, bool, str, "Notes | None", bool, bool]
NOTHING: tuple[()] = ()


class Names:
    """Judges tags by the rules, once for each way of writing them, because pages of a site repeat theirs."""

    def __init__(self, rules: TextRules) -> None:
        self.known: dict[str, Opening | tuple[()]] = {}
        self._bare: dict[str, Opening] = {}  # of each name, without attributes
        self._labels: dict[tuple[str, str], Notes] = {}
        self._rules = rules
        self.drop, self._containers = frozenset(rules.drop), frozenset(rules.containers)
        self._prefixes = tuple(c[5:-1] for c in rules.containers if c.startswith("[id^="))

    def opening(self, written: str) -> Opening | tuple[()]:
        """The tag behind a `<`, its `>` included, as the parser serialises it: lower case, values in double quotes."""
        source = written.removesuffix(">")
        name, _, attributes = source.partition(" ")
        if ":" in name or (name.removeprefix("/") in BARE and not self._asked_for(attributes)):
            found: Opening | tuple[()] = NOTHING
        else:
            found = self._opening(name, attributes)
        if len(source) < REMEMBERED:
            if len(self.known) > MOST_KNOWN:
                self.known.clear()
            self.known[written] = found
        return found

    def _opening(self, name: str, source: str) -> Opening:
        if (bare := self._bare.get(name)) is None:
            bare = self._bare[name] = self._of_notes(name, "", PLAIN)
        if not source:
            return bare
        named = self._notes(source) if "id=" in source or "class=" in source else PLAIN
        if ("none" in source and _HIDES.search(source)) or ' hidden="' in source or source.startswith('hidden="'):
            named = named._replace(hidden=True)
        if named is PLAIN and MARK not in source:
            return *bare[:4], source, *bare[5:]
        return self._of_notes(name, source, named)

    def _of_notes(self, name: str, source: str, notes: Notes) -> Opening:
        if name in RANKED:
            notes = notes._replace(heading=True)
        if name in self._containers:
            notes = notes._replace(container=True)
        breaks, dropped = name not in INLINE, name in self.drop
        noted = notes is not PLAIN or dropped or name in _NOTED
        framed = (breaks and name not in FLOWS) or dropped or notes.container or notes.hidden or MARK in source
        silent = name == "a" or dropped
        return name, breaks, f"/{name}>", framed, source, notes if noted else None, name in VOID, silent

    def _asked_for(self, source: str) -> bool:
        """Whether a configured selector or a content system's name picks an element of BARE."""
        return bool(source) and (MARK in source or self._container(attribute(source, "id"), attribute(source, "class")))

    def _notes(self, source: str) -> Notes:
        """What an id and a class say, judged once for each pair."""
        ident, classes = attribute(source, "id"), attribute(source, "class")
        if not ident and not classes:
            return PLAIN
        if (known := self._labels.get((ident, classes))) is None:
            label = f"{ident} {classes}".strip()
            chrome = label if self._rules.chrome_classes.search(label) else ""
            known = Notes(_TITLED.search(label) is not None, self._container(ident, classes), chrome)
            known = known if any(known) else PLAIN
            if len(self._labels) > MOST_KNOWN:
                self._labels.clear()
            self._labels[ident, classes] = known
        return known

    def _container(self, ident: str, classes: str) -> bool:
        known = self._containers
        if ident and (f"#{ident}" in known or ident.startswith(self._prefixes)):
            return True
        return any(f".{c}" in known for c in classes.split())


def attribute(source: str, name: str) -> str:
    """The value of an attribute in the source of a tag, as the parser serialises it."""
    key = name + '="'
    start = source.find(key)
    while start > 0 and source[start - 1] != " ":  # data-href, say
        start = source.find(key, start + 1)
    if start < 0:
        return ""
    start += len(key)
    value = source[start : source.find('"', start)]
    return unescaped(value).replace("&quot;", '"') if "&" in value else value


PLAIN = Notes()


@lru_cache(maxsize=8)
def judge(containers: tuple[str, ...], drop: tuple[str, ...], chrome: re.Pattern[str]) -> Names:
    return Names(TextRules(containers=containers, drop=drop, chrome_classes=chrome))


def unescaped(text: str) -> str:
    """Text as serialised, without the four entities that the serialiser writes."""
    return text.replace("&nbsp;", "\xa0").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
