"""The OpenAPI description of /api, written from the list of its answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_TEXT = {"type": "string"}
_FILTERS = ("source", "region", "under", "indicator", "role", "release", "since", "min_significance", "limit")
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "changes": (*_FILTERS, "before"),
    "targets": (*_FILTERS, "kind", "scope", "series", "headline"),
    "history": ("of", "limit"),
    "show": ("version",),
    "search": ("q", *_FILTERS),
    "alerts": ("state", "limit"),
    "sources": ("state", "q", "under", "after", "limit"),
    "failures": ("limit",),
}
_NEEDED = {("history", "of"), ("show", "version"), ("search", "q")}
_OBJECTS = {"show", "status"}


def _operation(name: str) -> dict[str, Any]:
    parameters = [
        {"name": p, "in": "query", "required": (name, p) in _NEEDED, "schema": _TEXT} for p in _PARAMETERS.get(name, ())
    ]
    schema: dict[str, Any] = {"type": "object"}
    if name not in _OBJECTS:
        schema = {"type": "array", "items": schema}
    answer = {"description": "as docs/json.md describes it", "content": {"application/json": {"schema": schema}}}
    return {"get": {"operationId": name, "parameters": parameters, "responses": {"200": answer}}}


def document(names: Iterable[str]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mubiao", "version": "1", "description": "Reads what is stored; changes nothing."},
        "paths": {f"/api/{name}": _operation(name) for name in names},
    }
