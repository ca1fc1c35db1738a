"""The post room: FHIR R4 resources in, a `Case`; a result in, FHIR R4 resources out. The only room that knows FHIR's wire format.

In: a Bundle, Parameters, one resource or NDJSON, as bytes, text or a mapping; an `Assessment`, a `Measurement`, a `Change`.
Out: a `Case` that tells what was used of the record and what was not, and why; a Bundle as plain dicts.
Refused: what is not FHIR JSON, and a record of several people. A resource that makes no sense is not used, and said; it stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resorb._on_demand import on_demand

if TYPE_CHECKING:
    from .conformance import capability, operation_definition, operation_outcome
    from .reading import read
    from .wire import is_fhir, parameters_to_bundle
    from .writing import to_fhir

__all__ = ["capability", "is_fhir", "operation_definition", "operation_outcome", "parameters_to_bundle", "read", "to_fhir"]

_PLACES = {
    "capability": "conformance",
    "is_fhir": "wire",
    "operation_definition": "conformance",
    "operation_outcome": "conformance",
    "parameters_to_bundle": "wire",
    "read": "reading",
    "to_fhir": "writing",
}

__getattr__ = on_demand(__name__, _PLACES)
