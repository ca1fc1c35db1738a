"""The services offered: which hook, what of the chart they want in advance, and what they cannot do without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...terms.errors import ResorbError
from ..problems import Refused

PATIENT = "{{context.patientId}}"
PREFETCH = {
    "patient": f"Patient/{PATIENT}",
    "conditions": f"Condition?patient={PATIENT}",
    "observations": f"Observation?patient={PATIENT}&_sort=-date&_count=500",
    "medications": f"MedicationRequest?patient={PATIENT}&_count=200",
    "statements": f"MedicationStatement?patient={PATIENT}&_count=200",
    "procedures": f"Procedure?patient={PATIENT}&_count=200",
    "reports": f"DiagnosticReport?patient={PATIENT}&_sort=-date&_count=100",
    "imaging": f"ImagingStudy?patient={PATIENT}&_count=100",
}
NEEDED = ("patient", "conditions", "observations")
NEEDS_SAID = (
    "Needs the keys patient, conditions and observations, by prefetch or from the FHIR server; uses the others where they are given. "
    "What is not in the record is unknown, never normal. For research and education; not a medical device."
)


@dataclass(frozen=True)
class Service:
    """One service. `context` names the fields of the hook's context that must be there."""

    id: str
    hook: str
    title: str
    description: str
    context: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        """As discovery tells it."""
        return {
            "hook": self.hook,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "prefetch": PREFETCH,
            "usageRequirements": NEEDS_SAID,
        }


SERVICES = {
    service.id: service
    for service in (
        Service(
            "resorb-patient-view", "patient-view", "Calcium deposits: kind, outlook and red flags",
            "What must not wait, the kind of calcification that the chart fits, its outlook with counts and sources, and what to ask next.",
            ("userId", "patientId"),
        ),
        Service(
            "resorb-order-select", "order-select", "Orders and calcium deposits",
            "What is known of a selected order for the calcification in the chart, and which red flags it would raise.",
            ("userId", "patientId", "selections", "draftOrders"),
        ),
    )
}  # fmt: skip


def service_of(service_id: str) -> Service:
    """A service by its id. Raises Refused (404)."""
    found = SERVICES.get(service_id)
    if found is None:
        raise Refused(404, "id", "no such service", "one of " + ", ".join(SERVICES), "GET /cds-services")
    return found


def missing(keys: list[str], why: str) -> ResorbError:
    """412: what is needed could be had neither by prefetch nor from the FHIR server."""
    found = f"no {', '.join(keys)}, and {why}"
    return Refused(412, "prefetch", found, "these keys in prefetch, or a FHIR server they can be read from", "send them as prefetch")
