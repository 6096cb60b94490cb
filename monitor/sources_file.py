"""The only writer of sources.yaml. What people wrote stays as it is, letter by letter, comments included.

A new entry is inserted as text after the last one. Only where the list is no block list (`sources: []`, JSON, no list
yet) the file goes through ruamel.yaml's round trip, which keeps comments but may set blanks anew.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from monitor.errors import ConfigError


def entry_text(entry: Mapping[str, Any], *, indent: int = 2) -> str:
    """The entry as it is written: a list item whose dash stands in column `indent`."""
    out = io.StringIO()
    _yaml().dump([{name: v if isinstance(v, str) else _flow(v) for name, v in entry.items()}], out)
    return "".join(" " * indent + line for line in out.getvalue().splitlines(keepends=True))


def _flow(value: Any) -> Any:
    """A value inside an entry, lists and mappings on one line. There a bare `?` or `,` would mean something else."""
    if isinstance(value, str):
        return value if re.fullmatch(r"[\w.-]+", value) else DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        made: CommentedMap | CommentedSeq = CommentedMap((name, _flow(item)) for name, item in value.items())
    elif isinstance(value, list | tuple):
        made = CommentedSeq(_flow(item) for item in value)
    else:
        return value
    made.fa.set_flow_style()
    return made


def add(path: str | Path, entry: Mapping[str, Any], check: Callable[[Path], object] | None = None) -> None:
    """Add one source; see `add_all`."""
    add_all(path, [entry], check)


def add_all(
    path: str | Path, entries: Sequence[Mapping[str, Any]], check: Callable[[Path], object] | None = None
) -> None:
    """Add sources and replace the file in one step: all of them, or none.

    `check` (config.load) reads the new file before it takes the old one's place; what it raises leaves the old file
    untouched. Raises ConfigError for a file that is missing or broken, and for a key or address that is there already.
    """
    file = Path(path).resolve()  # a link stays a link
    text, newline = _read(file, path)
    listed = _listed(text, str(path))
    for entry in entries:
        _refuse_twice(listed, entry, str(path))
    changed = text
    if entries:
        changed = _inserted(text, listed, entries) or _rewritten(text, entries)
    _replace(file, changed.replace("\n", newline), check)


def _read(file: Path, path: str | Path) -> tuple[str, str]:
    """(text with line feeds, the line end that the file uses)."""
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=str(path), fix="`mubiao init` writes one") from None
    except UnicodeDecodeError as error:
        raise ConfigError("not UTF-8", file=str(path), fix="save the file as UTF-8") from error
    return text.replace("\r\n", "\n"), "\r\n" if "\r\n" in text else "\n"


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # a long address stays on its line
    return yaml


def _listed(text: str, path: str) -> SequenceNode | None:
    """The node of `sources`, if it is a list."""
    try:
        root = _yaml().compose(io.StringIO(text))
    except YAMLError as error:
        raise ConfigError(f"not YAML: {str(error).splitlines()[0]}", file=path, fix="mend the file first") from error
    if root is None:
        return None
    if not isinstance(root, MappingNode):
        raise ConfigError("not a mapping", file=path, line=1, fix="`mubiao init --config other.yaml` shows the shape")
    found = next((value for key, value in root.value if key.value == "sources"), None)
    return found if isinstance(found, SequenceNode) else None


def _refuse_twice(listed: SequenceNode | None, entry: Mapping[str, Any], path: str) -> None:
    for item in listed.value if listed else ():
        for key, value in item.value if isinstance(item, MappingNode) else ():
            if key.value in ("key", "url") and isinstance(value, ScalarNode) and value.value == entry.get(key.value):
                raise ConfigError(
                    f"{value.value} is there already",
                    file=path,
                    line=value.start_mark.line + 1,
                    column=value.start_mark.column + 1,
                    path=key.value,
                )


def _last_line(node: Node) -> int:
    """The last line that belongs to a node. The end mark of a block lies behind the comments that follow it."""
    if not isinstance(node, CollectionNode) or node.flow_style:
        return int(node.end_mark.line - (1 if node.end_mark.column == 0 else 0))
    children = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
    return max((_last_line(child) for child in children), default=int(node.start_mark.line))


def _inserted(text: str, listed: SequenceNode | None, entries: Sequence[Mapping[str, Any]]) -> str | None:
    """The file with the entries after the last one, or None where the list is not written in block style."""
    if listed is None or listed.flow_style or not listed.value:
        return None
    lines = text.splitlines(keepends=True)
    last = listed.value[-1]
    place = _last_line(last) + 1
    if lines[place - 1][-1:] != "\n":
        lines[place - 1] += "\n"
    lines[place:place] = [entry_text(entry, indent=listed.start_mark.column) for entry in entries]
    return "".join(lines)


def _rewritten(text: str, entries: Sequence[Mapping[str, Any]]) -> str:
    yaml = _yaml()
    data = yaml.load(text) or yaml.map()
    data["sources"] = data.get("sources") or yaml.seq()
    flow = data["sources"].fa.flow_style()
    data["sources"].extend(_flow(entry) if flow else dict(entry) for entry in entries)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _replace(file: Path, text: str, check: Callable[[Path], object] | None) -> None:
    """Write beside the file, check, then take its place: a crash leaves the one or the other."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".yaml", dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.chmod(file.stat().st_mode & 0o777)
        if check is not None:
            check(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
