"""The small parts of FHIR resources: quantities, ranges, codes, references, and ids made from what they name."""

from __future__ import annotations

import uuid
from typing import Any

Element = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:resorb:fhir")  # ids are made in it: the same content, the same id
PERCENT = "%"


def text_only(text: str) -> Element:
    """A concept in words."""
    return {"text": text}


def made_id(*parts: str) -> str:
    """An id that depends on these alone.

    >>> made_id("a", "b") == made_id("a", "b"), made_id("a", "b") == made_id("ab")
    (True, False)
    """
    return str(uuid.uuid5(SPACE, "\x1f".join(parts)))


def number(value: float) -> float | int:
    """A number as FHIR's decimal shows it: at most six significant figures, none of them noise."""
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def quantity(value: float, unit: str, code: str) -> Element:
    """A quantity in UCUM."""
    return {"value": number(value), "unit": unit, "system": UCUM, "code": code}


def between(low: float, high: float, unit: str, code: str) -> Element:
    """A range in UCUM, its lower end first."""
    return {"low": quantity(min(low, high), unit, code), "high": quantity(max(low, high), unit, code)}


def to(resource: Element) -> Element:
    """A reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{resource['id']}"}
