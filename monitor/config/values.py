"""How values of a YAML file are read: a reader for each shape, which knows the place of every mistake and its cure.

A `Value` pairs the reader with its JSON Schema, so that the file, the editor and the error message agree.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import yaml

NULL = "tag:yaml.org,2002:null"


class WrongError(ValueError):
    """One wrong value: where, what, and how to mend it. `path` is relative to the key that holds it."""

    def __init__(self, node: yaml.Node, message: str, fix: str | None = None, path: str = "") -> None:
        super().__init__(message)
        self.node, self.fix, self.path = node, fix, path


@dataclass(frozen=True)
class Value:
    """How one value is read, and how the JSON Schema describes it. An `optional` one may be null."""

    read: Callable[[yaml.Node], Any]
    schema: Mapping[str, Any]
    optional: bool = False


Keys = Mapping[str, tuple[Value, str]]  # key -> value, help


def nearest(word: str, known: Iterable[str], advice: str = "did you mean {}?") -> str | None:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return advice.format(repr(close[0])) if close else None


def scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise WrongError(
            node, f"a {'list' if isinstance(node, yaml.SequenceNode) else 'mapping'} where one value is wanted"
        )
    return str(node.value)


def string(node: yaml.Node) -> str:
    text = scalar(node)
    if not text.strip():
        raise WrongError(node, "an empty value")
    return text


def parsed(parse: Callable[[str], Any], fix: str | None = None) -> Callable[[yaml.Node], Any]:
    """A reader for what `parse` makes of a word; its ValueError is the message."""

    known = lru_cache(maxsize=4096)(parse)  # thousands of sources share a few dozen words

    def read(node: yaml.Node) -> Any:
        text = string(node)
        try:
            return known(text)
        except ValueError as error:
            raise WrongError(node, str(error), fix) from error

    return read


def number(low: float, high: float, kind: type[int] | type[float] = int) -> Value:
    def parse(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a {'whole ' if kind is int else ''}number") from None
        if not low <= number <= high:
            raise ValueError(f"{text} is not between {low} and {high}")
        return number

    name = "integer" if kind is int else "number"
    return Value(parsed(parse), {"type": name, "minimum": low, "maximum": high})


def one_of(*choices: str, later: Mapping[str, str] | None = None) -> Value:
    """One of some words; those of `later` are known, and answered with what is not there yet."""

    def read(node: yaml.Node) -> str:
        text = string(node)
        if text in choices:
            return text
        if later and text in later:
            raise WrongError(node, f"{text} is not there yet: {later[text]}", f"use one of {', '.join(choices)}")
        raise WrongError(node, f"{text!r} is not one of {', '.join(choices)}", nearest(text, choices))

    return Value(read, {"enum": list(choices)})


def many(item: Value) -> Value:
    """A list of values; a single one may stand without brackets."""

    def read(node: yaml.Node) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            return (item.read(node),)
        out = []
        for number, child in enumerate(node.value):
            try:
                out.append(item.read(child))
            except WrongError as bad:
                bad.path = f"[{number}]{bad.path}"
                raise
        return tuple(out)

    return Value(read, {"oneOf": [item.schema, {"type": "array", "items": item.schema}]})


def pairs(
    node: yaml.Node, bad: list[WrongError], *, depth: int = 0
) -> Iterator[tuple[yaml.ScalarNode, str, yaml.Node]]:
    """The keys of a mapping, each once; `<<` brings those of an anchor that the mapping does not have itself."""
    if not isinstance(node, yaml.MappingNode) or depth > 8:
        raise WrongError(node, "a mapping (key: value) is wanted here")
    seen: dict[str, yaml.ScalarNode] = {}
    merged: list[yaml.Node] = []
    for key, value in node.value:
        name = scalar(key)
        if name == "<<":
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif name in seen:
            fix = f"first on line {seen[name].start_mark.line + 1}"
            bad.append(WrongError(key, "the key stands here twice", fix, name))
        else:
            seen[name] = key
            yield key, name, value
    for other in merged:
        for key, name, value in pairs(other, bad, depth=depth + 1):
            if name not in seen:
                seen[name] = key
                yield key, name, value


def mapping(node: yaml.Node, keys: Keys, bad: list[WrongError], required: Iterable[str] = ()) -> dict[str, Any]:
    """The values of a mapping. Every mistake goes to `bad`; what is right is still returned."""
    values: dict[str, Any] = {}
    try:
        for key, name, child in pairs(node, bad):
            try:
                values[name] = _value(key, name, child, keys)
            except WrongError as error:
                error.path = name + ("." if error.path and not error.path.startswith("[") else "") + error.path
                bad.append(error)
    except WrongError as error:
        bad.append(error)
        return values
    wrong = {error.path for error in bad}
    for name in required:
        if name not in values and name not in wrong:
            bad.append(WrongError(node, f"{name!r} is missing"))
    return values


def _value(key: yaml.Node, name: str, child: yaml.Node, keys: Keys) -> Any:
    known = keys.get(name)
    if known is None:
        fix = nearest(name, keys) or f"known keys: {', '.join(keys)}"
        raise WrongError(key, "unknown key", fix)
    if child.tag == NULL:
        if known[0].optional:
            return None
        raise WrongError(child, "no value", "write one or remove the key")
    return known[0].read(child)


def object_schema(keys: Keys, required: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {**value.schema, "description": text} for name, (value, text) in keys.items()},
        "required": list(required),
    }


def nested(keys: Keys, make: Callable[[dict[str, Any]], Any], required: tuple[str, ...] = ()) -> Value:
    """A small mapping inside another; its first mistake is reported."""

    def read(node: yaml.Node) -> Any:
        bad: list[WrongError] = []
        values = mapping(node, keys, bad, required)
        if bad:
            raise bad[0]
        return make(values)

    return Value(read, object_schema(keys, required))


def optional(value: Value) -> Value:
    return replace(value, optional=True, schema={"anyOf": [value.schema, {"type": "null"}]})
