"""Any result as JSON, and the schema of that JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from ..terms.assessment import Assessment

_RENAMED = {"outlooks": "outlook"}
RESULTS = {"assessment": "Assessment", "measurement": "Measurement", "change": "Change", "trend": "Trend"}


def to_dict(result: Any) -> dict[str, Any]:
    """A result as plain values; measurements and changes carry a seal. `outlooks` of an assessment is written `outlook`."""
    own = getattr(result, "to_dict", None)
    plain: dict[str, Any] = own() if own is not None else msgspec.to_builtins(result)
    return {_RENAMED.get(key, key): value for key, value in plain.items()}


def to_json(result: Any) -> str:
    """One JSON object, indented, the same bytes for the same result."""
    return msgspec.json.format(msgspec.json.encode(to_dict(result)), indent=2).decode()


def schema(of: str = "assessment") -> dict[str, Any]:
    """The JSON Schema of an `assessment`, a `measurement`, a `change` or a `trend`. Raises KeyError for anything else."""
    if of == "assessment":
        return _assessment()
    from importlib import import_module

    from .json_schema import schema_of

    return schema_of(getattr(import_module(f"resorb.terms.{of}"), RESULTS[of]))


def _assessment() -> dict[str, Any]:
    made = msgspec.json.schema(Assessment)
    body = made["$defs"]["Assessment"]
    for old, new in _RENAMED.items():
        body["properties"] = {new if key == old else key: value for key, value in body["properties"].items()}
        body["required"] = [new if key == old else key for key in body["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
