"""What the tools answer, as JSON Schema taken from the types of the answers."""

from __future__ import annotations

from typing import Any

import msgspec

from ..consult.comparison import KindRow
from ..report import schema
from ..report.as_json import RESULTS
from ..terms.answer import Answer

TEXT = {"type": "string"}


def result(of: str) -> dict[str, Any]:
    """An `assessment`, a `measurement` or a `change`, with the object itself at the root."""
    made = schema(of)
    return {**made["$defs"][RESULTS[of]], "$defs": made["$defs"]}


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
