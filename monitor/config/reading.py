"""sources.yaml, read whole: every mistake is found in one go, each with its line, column and cure."""

from __future__ import annotations

import gc
import glob
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from monitor.config import stamps
from monitor.config.data_files import vocabulary
from monitor.config.keys import CHANNEL, DEFAULTS, IN_INCLUDED, NETWORK, SOURCE, SUBSCRIPTION, TOP
from monitor.config.values import NULL, Keys, WrongError, mapping, nearest, pairs, string
from monitor.errors import ConfigError
from monitor.model import Channel, Config, Network, Source, Stamp, Subscription


def _timed(values: dict[str, Any], node: yaml.Node, bad: list[WrongError]) -> dict[str, Any]:
    """`every` and `cron` are two ways to say one thing: the nearer one wins, both at once is a mistake.

    A crontab line says exactly when, so it also outdoes a season that stands further off.
    """
    if "every" in values and "cron" in values:
        bad.append(WrongError(node, "every and cron at the same time", "keep one of them", "cron"))
    if "cron" in values:
        return {"season": None, **values, "every": None}
    return {**values, "cron": None} if "every" in values else values


class _Loading:
    """One load: what has been read so far and every mistake found, over the main file and those it includes."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self.files: list[str] = []
        self.warnings: list[str] = []
        self.base: dict[str, Any] = {}
        self.network = Network()
        self.sources: dict[str, Source] = {}
        self.channels: dict[str, Channel] = {}
        self.subscriptions: list[tuple[Subscription, str, str, yaml.Node]] = []  # with file, path and place
        self.templates: dict[str, str] = {}
        self.places: dict[str, str] = {}  # what -> file:line where it was first named
        self._seen: dict[Path, tuple[str, int, int]] = {}

    def look(self, place: Path) -> None:
        """Before it is read: what is written in the meantime is to be noticed later."""
        self._seen.setdefault(place, stamps.of(place))

    @property
    def seen(self) -> Stamp:
        """All files and folders that this configuration hangs on."""
        return tuple(self._seen.values())

    def report(self, file: str, path: str, found: Iterable[WrongError]) -> None:
        for bad in found:
            mark = bad.node.start_mark
            dot = "." if path and bad.path and not bad.path.startswith("[") else ""
            self.errors.append(
                ConfigError(
                    str(bad),
                    file=file,
                    line=mark.line + 1,
                    column=mark.column + 1,
                    path=path + dot + bad.path or None,
                    fix=bad.fix,
                )
            )

    def file(self, path: Path, *, included: bool = False) -> None:
        """Reads one file; mistakes are collected, not raised."""
        name = str(path)
        self.files.append(name)
        self.look(path)
        root = _compose(path, included=included)
        if root is None:
            return
        bad: list[WrongError] = []
        sections: dict[str, yaml.Node] = {}
        known = IN_INCLUDED if included else TOP
        try:
            for key, word, node in pairs(root, bad):
                if word in known:
                    sections[word] = node
                elif word in TOP:
                    bad.append(WrongError(key, "an included file cannot hold this", "move it to the main file", word))
                else:
                    bad.append(
                        WrongError(key, "unknown key", nearest(word, known) or f"known keys: {', '.join(known)}", word)
                    )
        except WrongError as error:
            bad.append(error)
        self.report(name, "", bad)
        self._sections(name, sections, included)
        for node in self._items(name, "include", sections.get("include")):
            self._include(path, name, node)

    def _sections(self, name: str, sections: Mapping[str, yaml.Node], included: bool) -> None:
        base = self.base
        if (node := sections.get("defaults")) is not None and node.tag != NULL:
            base = base | self._read(name, "defaults", node, DEFAULTS)
        if not included:
            self.base = base
        if (node := sections.get("network")) is not None and node.tag != NULL:
            self.network = Network(**self._read(name, "network", node, NETWORK))
        for number, node in enumerate(self._items(name, "sources", sections.get("sources"))):
            self._source(name, f"sources[{number}]", node, base)
        if (node := sections.get("channels")) is not None and node.tag != NULL:
            self._channels(name, node)
        for number, node in enumerate(self._items(name, "subscriptions", sections.get("subscriptions"))):
            self._subscription(name, f"subscriptions[{number}]", node)
        if (node := sections.get("templates")) is not None and node.tag != NULL:
            self._templates(name, node)

    def _read(self, file: str, path: str, node: yaml.Node, keys: Keys, *required: str) -> dict[str, Any]:
        bad: list[WrongError] = []
        values = mapping(node, keys, bad, required)
        if keys is SOURCE or keys is DEFAULTS:
            values = _timed(values, node, bad)
        self.report(file, path, bad)
        return values

    def _items(self, file: str, path: str, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None or node.tag == NULL:
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if path == "include" and isinstance(node, yaml.ScalarNode):
            return [node]
        self.report(file, path, [WrongError(node, "a list is wanted here", "start each entry with '- '")])
        return []

    def _first(self, file: str, path: str, what: str, node: yaml.Node) -> bool:
        """Whether this name is new; a second use of it is a mistake."""
        if what in self.places:
            self.report(file, path, [WrongError(node, f"{what} stands here twice", f"first in {self.places[what]}")])
            return False
        self.places[what] = f"{file}:{node.start_mark.line + 1}"
        return True

    def _source(self, file: str, path: str, node: yaml.Node, base: Mapping[str, Any]) -> None:
        values = self._read(file, path, node, SOURCE, "key", "url")
        key = values.get("key")
        if (
            key is not None
            and self._first(file, f"{path}.key", f"the key {key!r}", _at(node, "key"))
            and "url" in values
        ):
            source = Source(**{**base, **values})
            self.sources[key] = source
            if source.post is not None:
                self.report(file, path, _wrong_post(node, source))

    def _channels(self, file: str, node: yaml.Node) -> None:
        bad: list[WrongError] = []
        try:
            entries = list(pairs(node, bad))
        except WrongError as error:
            entries = []
            bad.append(error)
        self.report(file, "channels", bad)
        for key, name, child in entries:
            path = f"channels.{name}"
            values = self._read(file, path, child, CHANNEL, "type")
            first = self._first(file, path, f"the channel {name!r}", key)
            written = {k.value for k, _ in child.value} if isinstance(child, yaml.MappingNode) else set()
            wrong = _wrong_channel(child, values, written)
            self.report(file, path, wrong)
            if not wrong and first and "type" in values:
                self.channels[name] = Channel(name=name, **values)

    def _subscription(self, file: str, path: str, node: yaml.Node) -> None:
        values = self._read(file, path, node, SUBSCRIPTION, "channel")
        if "channel" in values:
            self.subscriptions.append((Subscription(**values), file, path, node))

    def _templates(self, name: str, node: yaml.Node) -> None:
        """The user's own templates of messages, by file name: change.html, digest.txt, …"""
        try:
            folder = Path(name).parent / string(node)
            if not folder.is_dir():
                raise WrongError(node, f"{str(folder)!r} is no folder", f"it is looked for beside {name}")
            self.look(folder)
            for path in sorted([*folder.glob("*.html"), *folder.glob("*.txt")]):
                self.look(path)
                self.templates[path.name] = path.read_text(encoding="utf-8")
        except WrongError as bad:
            self.report(name, "templates", [bad])
        except (OSError, UnicodeDecodeError) as why:
            self.report(name, "templates", [WrongError(node, f"{path} cannot be read: {why}")])

    def _include(self, main: Path, name: str, node: yaml.Node) -> None:
        try:
            pattern = string(node)
            if glob.has_magic(pattern):
                self.look(_first_folder(main.parent / pattern))
            found = sorted(Path(p) for p in glob.glob(str(main.parent / pattern), recursive=True))  # noqa: PTH207
            if not found and not glob.has_magic(pattern):
                raise WrongError(node, f"{pattern!r} does not exist", f"it is looked for beside {name}")
        except WrongError as bad:
            self.report(name, "include", [bad])
            return
        if not found:  # a folder that is not mounted takes its sources along
            self.warnings.append(f"{name}:{node.start_mark.line + 1}: include: {pattern!r} finds no file")
        for path in found:
            if path.resolve() != main.resolve():
                if glob.has_magic(pattern):
                    self.look(path.parent)
                self.file(path, included=True)

    def finish(self) -> None:
        """What can be checked only when every file has been read."""
        if not self.sources and not self.errors:
            self.warnings.append("no sources: nothing will be watched")
        for subscription, file, path, node in self.subscriptions:
            self.report(file, path, self._strangers(subscription, node))
            self.warnings += self._doubts(f"{file}:{node.start_mark.line + 1}: {path}", subscription)

    def _strangers(self, subscription: Subscription, node: yaml.Node) -> Iterator[WrongError]:
        """Names in a subscription that nothing bears. One that stands in the file, but was refused, is no stranger."""
        name = subscription.channel
        if f"the channel {name!r}" not in self.places:
            fix = nearest(name, self.channels) or f"channels: {', '.join(self.channels) or 'none'}"
            yield WrongError(_at(node, "channel"), f"no channel {name!r}", fix, "channel")
        for key in subscription.sources:
            if f"the key {key!r}" not in self.places:
                yield WrongError(_at(node, "sources"), f"no source {key!r}", nearest(key, self.sources), "sources")

    def _doubts(self, place: str, subscription: Subscription) -> Iterator[str]:
        """Words that are no mistake, but most likely not meant: they match nothing that is known."""
        for word, names, known in (
            ("tags", subscription.tags, {tag for source in self.sources.values() for tag in source.tags}),
            ("series", subscription.series, {source.series or "" for source in self.sources.values()}),
        ):
            for name in names:
                if name not in known:
                    fix = nearest(name, known, " (did you mean {}?)") or ""
                    yield f"{place}.{word}: no source has {name!r}{fix}"
        if subscription.indicators:  # one that the vocabulary does not have may still be written on a page
            listed = {word for i in vocabulary().indicators for word in (i.id, i.name, *i.aliases)}
            for name in subscription.indicators:
                if name not in listed:
                    yield f"{place}.indicators: {name!r} is in no list of indicators; it is compared as written"


def _first_folder(pattern: Path) -> Path:
    """The folder that a pattern begins in: what is put there may match."""
    return next(p for p in pattern.parents if not glob.has_magic(str(p)))


def _wrong_post(node: yaml.Node, source: Source) -> list[WrongError]:
    """Only lists are asked for by POST, and by ourselves: a browser is led to a page."""
    if source.kind != "listing":
        return [WrongError(_at(node, "post"), f"a {source.kind} is not asked for by POST", "kind: listing", "post")]
    if source.render == "browser":
        return [WrongError(_at(node, "post"), "a browser sends no post", "leave out one of post and render", "post")]
    return []


_NEEDED = {"email": ("to",), "webhook": ("url",), "apprise": ("url", "secret_env"), "feed": ("path",)}


def _wrong_channel(node: yaml.Node, values: Mapping[str, Any], written: set[str]) -> list[WrongError]:
    """What a channel of its type cannot do without (one of several will do), and an address of the wrong kind."""
    kind = values.get("type", "")
    needed = _NEEDED.get(kind, ())
    if needed and not written & set(needed):
        return [WrongError(node, f"{needed[0]!r} is missing", f"type: {kind} needs it")]
    web = str(values.get("url", "")).lower().startswith(("http://", "https://"))
    if kind == "webhook" and "url" in values and not web:
        return [WrongError(_at(node, "url"), "not an http(s) address", "type: apprise takes the others", "url")]
    return []


def _at(node: yaml.Node, name: str) -> yaml.Node:
    """The value of this key, for its place."""
    return next((value for key, value in node.value if key.value == name), node)


def _compose(path: Path, *, included: bool) -> yaml.Node | None:
    """The file as YAML nodes, which know their lines. Raises ConfigError when it cannot be read as YAML at all."""
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        root: yaml.Node | None = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=name, fix="`mubiao init` writes one to start from") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=name) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("not UTF-8", file=name, line=line, fix="save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(
            _yaml_problem(error),
            file=name,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
            fix=_yaml_fix(error),
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(str(error).splitlines()[0], file=name, fix="remove the control character") from error
    if (root is None or root.tag == NULL) and not included:
        raise ConfigError("the file is empty", file=name, fix="`mubiao init` writes one to start from")
    return None if root is None or root.tag == NULL else root


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    return f"not YAML: {error.problem}{context}"


def _yaml_fix(error: yaml.MarkedYAMLError) -> str:
    if "\\t" in str(error.problem) or "tab" in str(error.problem):
        return "indent with blanks, not tabs"
    return "check the indentation, the quotes and the brackets of this line and the one before"


@contextmanager
def _no_collection() -> Iterator[None]:
    """Thousands of sources are a hundred thousand nodes, none of them garbage: looking for it takes four fifths
    of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def load(path: str | Path) -> Config:
    """sources.yaml, with everything it includes, checked whole.

    Raises ConfigError for the first mistake; `__notes__` of the error holds one line for each of the others.
    """
    loading = _Loading()
    try:
        with _no_collection():
            loading.file(Path(path))
        loading.finish()
    except ConfigError as error:
        loading.errors.append(error)
    if loading.errors:
        # the main file first, then from top to bottom
        first, *others = sorted(loading.errors, key=lambda e: (e.file != str(path), e.file or "", e.line or 0))
        for other in others:
            first.add_note(str(other))
        first.seen = loading.seen
        raise first
    return Config(
        sources=tuple(loading.sources.values()),
        channels=tuple(loading.channels.values()),
        subscriptions=tuple(subscription for subscription, *_ in loading.subscriptions),
        network=loading.network,
        defaults=Source(key="", url="", **loading.base),
        templates=loading.templates,
        path=str(path),
        files=tuple(loading.files),
        warnings=tuple(loading.warnings),
        seen=loading.seen,
    )
