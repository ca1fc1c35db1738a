"""The JSON Schema of measurements, changes and series, made from their types; each number is its object or a refusal."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from ..terms.assessment import Refusal

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_REFUSED = {
    "title": "Refused",
    "type": "object",
    "description": "No number, and the reason.",
    "properties": {"refused": {"type": "string"}, "about": {"type": "string"}},
    "required": ["refused"],
}


def schema_of(result: type) -> dict[str, Any]:
    """The schema of what `to_dict` of a result gives, the seal included."""
    parts: dict[str, Any] = {}
    whole = _of(result, parts)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": parts}


def _of(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(choice, parts) for choice in inside]}
    if origin is typing.Literal:
        return {"enum": list(inside)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inside[1], parts)}
    if origin is tuple:
        return _several(inside, parts)
    return _named(kind, parts)


def _several(inside: tuple[Any, ...], parts: dict[str, Any]) -> dict[str, Any]:
    if inside[-1] is Ellipsis:
        return {"type": "array", "items": _of(inside[0], parts)}
    same = {"type": "array", "items": _of(inside[0], parts)} if len(set(inside)) == 1 else {"type": "array"}
    return {**same, "minItems": len(inside), "maxItems": len(inside)}


def _named(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    """A dataclass as an entry of its own, made once."""
    name = "Refused" if kind is Refusal else kind.__name__
    if name not in parts:
        parts[name] = _REFUSED if kind is Refusal else {}
        if kind is not Refusal:
            hints = typing.get_type_hints(kind)
            fields = {f.name: _of(hints[f.name], parts) for f in dataclasses.fields(kind)}
            sealed = {"seal": {"type": "string"}} if name == "Versions" else {}
            told = " ".join((kind.__doc__ or "").split())
            parts[name] = {
                "title": name,
                "type": "object",
                "description": told,
                "properties": {**fields, **sealed},
                "required": list(fields),
            }
    return {"$ref": f"#/$defs/{name}"}
