"""FHIR in: what a body is, and the case in a bundle."""

from __future__ import annotations

from .. import fhir
from ..terms.case import Case


def is_fhir(text: str) -> bool:
    """Whether a text is a FHIR resource, or several as NDJSON."""
    return fhir.is_fhir(text)


def case_of_bundle(text: str) -> Case:
    """The case that a bundle tells."""
    return fhir.read(text)
