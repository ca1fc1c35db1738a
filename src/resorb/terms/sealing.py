"""Results as plain values and back: what is written carries a seal, so that an edited or cut file is noticed when it is read.

The seal tells that nothing changed since; it does not tell who wrote it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from typing import Any

from resorb.terms.assessment import Refusal


def plain(thing: Any) -> Any:
    """Dataclasses to dicts, tuples to lists, floats to 8 significant digits, no NaN."""
    if isinstance(thing, Refusal):
        return {"refused": thing.reason}
    if dataclasses.is_dataclass(thing):
        return {f.name: plain(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    if isinstance(thing, dict):
        return {key: plain(value) for key, value in thing.items()}
    if isinstance(thing, (tuple, list)):
        return [plain(item) for item in thing]
    if isinstance(thing, float):
        if not math.isfinite(thing):
            raise ValueError("a number that is not finite has no place in a measurement")
        return float(f"{thing:.8g}")
    return thing


def sealed(made: dict[str, Any]) -> dict[str, Any]:
    """The same with its seal under `versions`."""
    return {**made, "versions": {**made["versions"], "seal": seal_of(made)}}


def seal_of(made: dict[str, Any]) -> str:
    """A hash of everything but the seal itself, whatever the order of keys and the layout; 5 and 5.0 are one number."""
    versions = {key: value for key, value in made["versions"].items() if key != "seal"}
    text = json.dumps(_whole({**made, "versions": versions}), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def rebuilt(of: Any, value: Any, where: str = "") -> Any:
    """The value of type `of` that `plain` made these plain values from. Raises ValueError, with the place, where they do not fit."""
    origin, inside = typing.get_origin(of), typing.get_args(of)
    if origin in (typing.Union, types.UnionType):
        return _either(inside, value, where)
    if origin is tuple:
        return _several(inside, value, where)
    if origin is dict and isinstance(value, dict):
        return {key: rebuilt(inside[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(of):
        return _value_of(of, value, where)
    if of is float and type(value) is int:
        return float(value)
    if type(value) is of or (origin is typing.Literal and value in inside):
        return value
    raise ValueError(f"{where.lstrip('.')}: found {str(value)[:40]!r}")


def _either(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in choices:
        return None
    if Refusal in choices and isinstance(value, dict) and set(value) == {"refused"}:
        return Refusal(where.rpartition(".")[2], rebuilt(str, value["refused"], where))
    chosen = next(choice for choice in choices if choice not in (type(None), Refusal))
    return rebuilt(chosen, value, where)


def _several(inside: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    each = len(inside) == 2 and inside[1] is Ellipsis
    if not isinstance(value, list) or not (each or len(value) == len(inside)):
        raise ValueError(f"{where.lstrip('.')}: found {str(value)[:40]!r}")
    kinds = (inside[0],) * len(value) if each else inside
    return tuple(rebuilt(kind, item, f"{where}[{n}]") for n, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _value_of(of: Any, value: Any, where: str) -> Any:
    if of is Refusal and isinstance(value, dict):
        value = {"about": value.get("about", ""), "reason": value.get("refused")}
    known = {f.name: f for f in dataclasses.fields(of)}
    if not isinstance(value, dict) or not set(value) <= set(known):
        raise ValueError(f"{where.lstrip('.')}: found {str(value)[:40]!r}; expected {', '.join(known)}")
    needed = {name for name, f in known.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    if not needed <= set(value):
        raise ValueError(f"{where.lstrip('.')}: found no {', '.join(sorted(needed - set(value)))}")
    hints = typing.get_type_hints(of)
    return of(**{name: rebuilt(hints[name], item, f"{where}.{name}") for name, item in value.items()})
