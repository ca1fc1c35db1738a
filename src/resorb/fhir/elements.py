"""The small parts of FHIR resources: quantities, ranges, codes, references, and ids made from what they name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from ..terms.assessment import SourceShown

Element = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
RELATED = "http://hl7.org/fhir/StructureDefinition/workflow-relatedArtifact"
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:resorb:fhir")  # ids are made in it: the same content, the same id
# The cards' units that UCUM spells in another way.
SPELLED = {
    "": "1", "years": "a", "months": "mo", "HU": "[hnsf'U]", "AU": "{Agatston}", "mmHg": "mm[Hg]", "mmol/24h": "mmol/(24.h)",
    "umol/24h": "umol/(24.h)", "mL/min/1.73m2": "mL/min/{1.73_m2}", "mmol2/L2": "mmol2/L2", "points": "{points}",
}  # fmt: skip


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


def quantity(value: float, unit: str) -> Element:
    """A quantity in UCUM, from one of the cards' own units."""
    return {"value": number(value), "unit": unit or "1", "system": UCUM, "code": SPELLED.get(unit, unit)}


def between(low: float, high: float, unit: str) -> Element:
    """A range in UCUM, its lower end first."""
    return {"low": quantity(min(low, high), unit), "high": quantity(max(low, high), unit)}


def to(resource: Element) -> Element:
    """A reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{resource['id']}"}


def cited(sources: Iterable[SourceShown]) -> list[Element]:
    """Sources as extensions that stand beside what rests on them: citation, link, how it was read."""
    return [{"url": RELATED, "valueRelatedArtifact": _artifact(source)} for source in sources]


def _artifact(source: SourceShown) -> Element:
    link = {"url": source.link} if source.link else {}
    return {"type": "citation", "label": source.id, "display": f"read: {source.read}", "citation": source.citation, **link}


def in_brackets(source: tuple[str, ...]) -> str:
    """The ids of the sources of a sentence."""
    return f"[{', '.join('expert opinion' if s == 'expert' else s for s in source)}]"
