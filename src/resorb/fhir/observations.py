"""Observations: a value in the card's own unit, a level where only that is known, or a word asked for and answered."""

from __future__ import annotations

from typing import Any

from ..evidence.cards import Band, Quantity
from ..evidence.quantities import QuantityError, in_bounds
from ..terms.case import Reading
from .codes import Index, Meant
from .concepts import Concept, code_of, short
from .dates import first_moment, moment
from .record import Record, Value
from .wire import Resource

VALID = frozenset(("final", "amended", "corrected", "preliminary"))
UCUM = "http://unitsofmeasure.org"
LEVELS = {"L": "low", "LL": "low", "LU": "low", "N": "normal", "H": "high", "HH": "high", "HU": "high"}


def observation(resource: Resource, reference: str, record: Record) -> None:
    """One Observation and its components."""
    concept = record.index.concept(resource.get("code"))
    status = resource.get("status")
    if status not in VALID:
        record.pass_over(f"Observation {concept.told}", f"its status is {short(status) or 'not said'}", reference)
        return
    when = moment(resource.get("effectiveDateTime")) or first_moment(
        resource.get("effectivePeriod"), resource.get("effectiveInstant"), resource.get("issued")
    )
    if resource.get("focus"):
        record.pass_over(f"Observation {concept.told}", "it is about someone or something else (focus)", reference)
    elif record.late(when):
        record.pass_over(f"Observation {concept.told}", f"it is later than {record.until}", reference)
    else:
        parts = resource.get("component")
        if concept.observed or not parts:
            _one(resource, concept, when, reference, record)
        for part in parts if type(parts) is list else ():
            _one(part, record.index.concept(part.get("code")), when, reference, record)


def _one(part: Resource, concept: Concept, when: str | None, reference: str, record: Record) -> None:
    """An observation or a component. A deposit that was measured on an imaging study was seen on it."""
    known, entry = concept.observed, f"Observation {concept.told}"
    if isinstance(known, tuple):
        card, rank = known
        try:
            reading = Reading(card.id, *_value(part, card, record.index), when)
            record.values.setdefault(card.id, []).append(Value(reading, rank, entry, reference))
        except QuantityError as error:
            record.pass_over(entry, str(error), reference)
        if card.group == "measure":
            for study in part.get("derivedFrom") or ():
                record.speaks_of(study)
    elif known:
        _answer(part, known, when, entry, reference, record)
    else:
        record.pass_over(entry, "no card knows this code" if concept.codings else "it has no code", reference)


def _value(part: Resource, card: Quantity, index: Index) -> tuple[float | None, str | None, str]:
    """The value in the card's unit or the level, and how it was written. Raises QuantityError with what is wrong."""
    given = part.get("valueQuantity")
    if not isinstance(given, dict) or "value" not in given:
        level = LEVELS.get(code_of(_first(part.get("interpretation"))))
        if level and given is None and part.get("dataAbsentReason") is None:
            return None, level, f"the laboratory calls it {level}"
        raise QuantityError(_why_absent(part))
    value, written = _converted(given, card, index)
    if "comparator" in given:
        return None, _limited(given["comparator"], value, card, written), written
    return value, None, written


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _why_absent(part: Resource) -> str:
    reason = part.get("dataAbsentReason")
    if reason is not None:
        return f"it has no value: {code_of(reason) or 'no reason is given'}"
    other = next((key for key in part if key.startswith("value")), None)
    return f"found {short(other)}; expected valueQuantity" if other and other != "valueQuantity" else "it has no value"


def _converted(given: Resource, card: Quantity, index: Index) -> tuple[float, str]:
    """The value in the card's unit and as it was written. The coded unit speaks before the shown one."""
    value, shown, code, limit = given["value"], given.get("unit"), given.get("code"), given.get("comparator") or ""
    if type(value) is not float and type(value) is not int:
        raise QuantityError("found a value that is no number; expected a number")
    unit = code if isinstance(code, str) and (given.get("system") == UCUM or not shown) else shown
    unit = unit if isinstance(unit, str) else ""
    factor = index.factor(unit, card)
    if factor is None:
        accepted = ", ".join(dict.fromkeys((card.unit, *(u for u in card.units if u)))) or "no unit"
        raise QuantityError(f"found the unit {unit[:30]!r}; expected one of {accepted}" if unit else f"it has no unit; expected {accepted}")
    written = f"{limit}{value:g} {unit}" if unit else f"{limit}{value:g}"
    return in_bounds(value * factor, written, card), written


def _limited(comparator: Any, value: float, card: Quantity, written: str) -> str | None:
    """The level that a limit such as `<5` proves, whoever the person is; a limit that proves none is refused."""
    below = comparator in ("<", "<=")
    if not below and comparator not in (">", ">="):
        raise QuantityError(f"found the comparator {str(comparator)[:10]!r}; expected <, <=, > or >=")
    proven = {level for band in card.bands for level in _levels(value, below, band)}
    if len(proven) != 1:
        raise QuantityError(f"only a limit is known ({written}); it does not tell low, normal or high")
    level = proven.pop()
    for named in card.levels:
        if (below and named.under is not None and value <= named.under) or (not below and named.over is not None and value >= named.over):
            return named.name
    return level


def proven(value: float, card: Quantity) -> set[str]:
    """What this value may be called, by one or another of the card's bands; empty where it has none."""
    return {
        "low" if band.low is not None and value < band.low else "high" if band.high is not None and value > band.high else "normal"
        for band in card.bands
    }


def _levels(value: float, below: bool, band: Band) -> set[str]:
    """What all values under (or over) this one may be called by a band."""
    low, high = band.low, band.high
    lower = low is not None and (below or value < low)
    upper = high is not None and (not below or value > high)
    middle = (low is None or value > low) if below else (high is None or value < high)
    return {name for name, holds in (("low", lower), ("normal", middle), ("high", upper)) if holds}


def _answer(part: Resource, asked: frozenset[str], when: str | None, entry: str, reference: str, record: Record) -> None:
    """A word asked for: the answer's own code says whether it is there."""
    given = part.get("valueCodeableConcept")
    answer = record.index.concept(given)
    meant = tuple(m for m in answer.meant if m.word in asked)
    if isinstance(part.get("valueBoolean"), bool):
        record.say(tuple(Meant(word, True) for word in sorted(asked)), part["valueBoolean"], when, entry, reference)
    elif meant:
        record.say(meant, True, when, entry, reference)
    else:
        record.pass_over(entry, f"no card knows the answer {answer.told}" if given else _why_absent(part), reference)
