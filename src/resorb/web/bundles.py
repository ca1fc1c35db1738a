"""FHIR in: what a body is, and the case in a bundle."""

from __future__ import annotations

import re

from ..terms.case import Case

_RESOURCE = re.compile(r'"resourceType"\s*:')


def is_fhir(text: str) -> bool:
    """Whether a text is a FHIR resource, or several as NDJSON."""
    return text.lstrip()[:1] == "{" and _RESOURCE.search(text[:100_000]) is not None


def case_of_bundle(text: str) -> Case:
    """The case that a bundle tells."""
    from .. import fhir

    return fhir.read(text)
