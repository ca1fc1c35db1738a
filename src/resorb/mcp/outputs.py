"""What the tools answer, as JSON Schema taken from the types of the answers."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import TypeAdapter

from ..consult.comparison import KindRow
from ..report import schema
from ..terms.answer import Answer

TEXT = {"type": "string"}
_REFUSAL = {"title": "Refusal", "type": "object", "properties": {"refused": TEXT}, "required": ["refused"]}


def assessment() -> dict[str, Any]:
    """The answer to a case."""
    made = schema()
    return {**made["$defs"].pop("Assessment"), "$defs": made["$defs"]}


def result(of: type) -> dict[str, Any]:
    """A measurement or a change, as `to_dict` writes it: sealed, and {refused: reason} for what cannot be given."""
    made = TypeAdapter(of).json_schema(mode="serialization")
    made["$defs"]["Refusal"] = _REFUSAL
    return made


def answer() -> dict[str, Any]:
    """The answer to a question, or `covered: false`."""
    (_,), parts = msgspec.json.schema_components([Answer], ref_template="#/$defs/{name}")
    body = parts.pop("Answer")
    properties = {**body["properties"], "covered": {"const": False, "description": "No card answers this question."}}
    return {**body, "properties": properties, "required": ["question"], "$defs": parts}


def table() -> dict[str, Any]:
    """The kinds compared."""
    (row,), parts = msgspec.json.schema_components([KindRow], ref_template="#/$defs/{name}")
    return {**holding("rows", row), "$defs": parts}


def cards() -> dict[str, Any]:
    """Every card of one id, with the sources it rests on."""
    whole = {"deck": TEXT, "card": {"type": "object"}, "sources": {"type": "array", "items": {"type": "object"}}}
    return holding("cards", {"type": "object", "properties": whole, "required": list(whole)})


def words() -> dict[str, Any]:
    """Every word of a group: what it is called, what counts and what does not, in which units."""
    told = {"id": TEXT, "name": TEXT, "also": {"type": "array", "items": TEXT}, "counts": TEXT, "does_not_count": TEXT, "units": TEXT}
    return holding("words", {"type": "object", "properties": told, "required": ["id", "name"]})


def holding(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """An object with one list."""
    return {"type": "object", "properties": {name: {"type": "array", "items": item}}, "required": [name]}
