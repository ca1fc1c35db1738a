"""Requests as a client of CDS Hooks 2.0 sends them, built by hand from the specification."""

from __future__ import annotations

import uuid
from typing import Any

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1960-01-01"}
CALCIPHYLAXIS = ("calcified small arteries in skin fat under the microscope", "end-stage kidney disease")
CPPD = ("calcium pyrophosphate crystals in joint fluid",)


def found(*resources: dict[str, Any]) -> dict[str, Any]:
    """A search's answer."""
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "entry": [{"resource": r} for r in resources]}


def condition(n: int, text: str) -> dict[str, Any]:
    """A problem on the list, coded by its words alone."""
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "id": f"c{n}",
        "subject": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"system": system, "code": "active"}]},
        "recordedDate": "2025-01-01",
        "code": {"text": text},
    }


def conditions(*texts: str) -> dict[str, Any]:
    return found(*(condition(n, text) for n, text in enumerate(texts)))


def draft(medicine: str, number: str = "d1") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": number,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": medicine},
    }


def call(*texts: str, **more: Any) -> dict[str, Any]:
    """A call of patient-view with a full prefetch."""
    made = {
        "hook": "patient-view",
        "hookInstance": str(uuid.UUID(int=7, version=4)),
        "fhirServer": "https://ehr.example/fhir",
        "fhirAuthorization": {
            "access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "user/Patient.read", "subject": "cds-service",
        },
        "context": {"userId": "Practitioner/1", "patientId": "p", "encounterId": "e1"},
        "prefetch": {"patient": PATIENT, "conditions": conditions(*texts), "observations": None},
    }  # fmt: skip
    return {name: value for name, value in (made | more).items() if value is not ...}


def order(medicine: str, *texts: str, selected: tuple[str, ...] = ("MedicationRequest/d1",)) -> dict[str, Any]:
    """A call of order-select with one draft."""
    context = {"userId": "Practitioner/1", "patientId": "p", "selections": list(selected), "draftOrders": found(draft(medicine))}
    return call(*texts, hook="order-select", context=context)
