"""CodeableConcepts as they come: codes that can be read, words, and what the cards say to them, each asked once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codes import Index, Meant, Observed

# FHIR's names for code systems, and the cards'.
SYSTEMS = {
    "http://loinc.org": "loinc", "urn:oid:2.16.840.1.113883.6.1": "loinc",
    "http://snomed.info/sct": "snomed", "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm", "urn:oid:2.16.840.1.113883.6.90": "icd10cm",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm", "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "http://www.whocc.no/atc": "atc", "urn:oid:2.16.840.1.113883.6.73": "atc",
    "http://dicom.nema.org/resources/ontology/DCM": "dicom", "urn:oid:1.2.840.10008.2.16.4": "dicom",
}  # fmt: skip
_LONGEST = 60


class Concept:
    """A CodeableConcept, whatever was written there: its codings that can be read, its words, and what the cards know of both."""

    def __init__(self, value: Any, index: Index) -> None:
        self.codings = codings(value)
        self._value, self._index = _as_concept(value), index

    @cached_property
    def told(self) -> str:
        """In words: `49765-1 (Calcium)`."""
        coding = next((c for c in self.codings if c.get("system") in SYSTEMS), self.codings[0] if self.codings else {})
        text, code = self._value.get("text") or coding.get("display"), coding.get("code")
        if not code:
            return f"({short(text)})" if text else "without a code"
        return f"{short(code)} ({short(text)})" if text else short(code)

    @cached_property
    def observed(self) -> Observed | None:
        """What an observation of it tells of, by the first of its codes that a card knows."""
        return self._index.observed(self.codings)

    @cached_property
    def meant(self) -> tuple[Meant, ...]:
        """The words that its codes stand for."""
        return self._index.meant(self.codings)

    @cached_property
    def diagnosis(self) -> tuple[Meant, ...]:
        """The words of a diagnosis: by its codes, or by its very name."""
        return self.meant or next(filter(None, map(self._index.named, self._texts())), ())

    @cached_property
    def medicines(self) -> tuple[Meant, ...]:
        """The medicines: by its codes, or by the name it begins with."""
        return self.of("medicine") or next(filter(None, map(self._index.medicines, self._texts())), ())

    @cached_property
    def kind(self) -> str:
        """The one kind that its codes name; empty where they name none, or may mean several."""
        return self._index.kind(self.codings)

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The options that its codes stand for."""
        return self._index.done(self.codings)

    def of(self, group: str) -> tuple[Meant, ...]:
        """The words of one group that its codes stand for."""
        return tuple(m for m in self.meant if self._index.group[m.word] == group)

    def _texts(self) -> list[str]:
        texts = (self._value.get("text"), *(coding.get("display") for coding in self.codings))
        return [text for text in texts if isinstance(text, str)]


def _as_concept(value: Any) -> dict[str, Any]:
    """A Coding alone, or a text, becomes a concept."""
    if not isinstance(value, dict):
        return {"text": value} if isinstance(value, str) else {}
    return {"coding": [value]} if "code" in value and "coding" not in value else value


def codings(value: Any) -> list[Any]:
    """The codings of a concept that can be read."""
    found = value.get("coding") if type(value) is dict else None
    if type(found) is list and len(found) == 1 and _is_coding(found[0]):
        return found  # nearly always
    found = _as_concept(value).get("coding")
    return list(filter(_is_coding, found)) if isinstance(found, list) else []


def _is_coding(value: Any) -> bool:
    return type(value) is dict and type(value.get("code")) is str and type(value.get("system", "")) is str


def code_of(value: Any) -> str:
    """The code of a status, which older releases wrote as plain text."""
    if isinstance(value, str):
        return value
    found = codings(value)
    return str(found[0]["code"]) if found else ""


def short(text: Any) -> str:
    """A text that fits a line."""
    if type(text) is str and len(text) <= _LONGEST and text.isascii() and text.isprintable() and "  " not in text:
        return text
    plain = " ".join(str(text).split())
    plain = plain if plain.isascii() else plain.encode("utf-8", "replace").decode()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."
