"""Results read back from the JSON they were kept in: a measurement, a change or a trend, as it was written or not at all."""

from __future__ import annotations

import json
from typing import Any

from resorb.terms.change import Change
from resorb.terms.errors import UserError
from resorb.terms.measurement import Measurement
from resorb.terms.sealing import rebuilt, seal_of
from resorb.terms.trend import Trend

_SCHEMA = 1
_WRITES = {
    "measurement": "resorb measure SCAN --json",
    "change": "resorb compare BASELINE FOLLOWUP --json",
    "trend": "resorb compare FIRST SECOND THIRD --json",
}
_TYPES: dict[str, type[Measurement] | type[Change] | type[Trend]] = {"measurement": Measurement, "change": Change, "trend": Trend}


def kept(text: str, name: str) -> Measurement | Change | Trend:
    """The measurement, the change or the trend in a JSON text; `name` is what messages call it. Raises UserError for anything else."""
    try:
        made = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise UserError(f"{name}: found text that is not JSON ({where}); expected {_expected()}") from None
    what = _what(made)
    if what is None:
        raise UserError(f"{name}: found JSON that is neither a measurement nor a change nor a trend; expected {_expected()}")
    _unbroken(made, what, name)
    try:
        result: Measurement | Change | Trend = rebuilt(_TYPES[what], _without_seal(made))
    except ValueError as error:
        raise UserError(f"{name}: not a {what} as resorb writes it ({error}); try: {_WRITES[what]}") from None
    return result


def _expected() -> str:
    return " or ".join(f"what `{command}` wrote" for command in _WRITES.values())


def _what(made: Any) -> str | None:
    if not isinstance(made, dict) or not isinstance(made.get("versions"), dict):
        return None
    if {"baseline", "followup", "deposits", "total"} <= set(made):
        return "change"
    if {"course", "stops", "changes"} <= set(made):
        return "trend"
    return "measurement" if {"scan", "deposits", "total"} <= set(made) else None


def _unbroken(made: dict[str, Any], what: str, name: str) -> None:
    """Refuse another schema, a missing seal and a broken one."""
    versions = made["versions"]
    again = f"try: `{_WRITES[what]}` again"
    if versions.get("schema") != _SCHEMA:
        wrote = f"written by resorb {versions['resorb']}" if "resorb" in versions else "of an unknown writer"
        raise UserError(f"{name}: found a {what} of schema {versions.get('schema')} {wrote}; expected schema {_SCHEMA}; {again}")
    if "seal" not in versions:
        raise UserError(f"{name}: found a {what} without a seal (edited, or not written by resorb); expected one as written; {again}")
    if versions["seal"] != seal_of(made):
        raise UserError(f"{name}: found a {what} that does not match its seal: it was changed after it was written; {again}")


def _without_seal(made: Any) -> Any:
    """The same without its seal, and without those of the changes in it, which its own seal covers."""
    if not isinstance(made, dict):
        return made
    bare = dict(made)
    if isinstance(made.get("changes"), list):
        bare["changes"] = [_without_seal(change) for change in made["changes"]]
    if isinstance(made.get("versions"), dict):
        bare["versions"] = {key: value for key, value in made["versions"].items() if key != "seal"}
    return bare


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is written twice")
    return found


def _no_constant(found: str) -> float:
    raise ValueError(f"{found} is no number")
