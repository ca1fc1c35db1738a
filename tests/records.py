"""FHIR resources to build records from, for tests and benchmarks. Every person here is made up."""

from __future__ import annotations

from typing import Any

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
UCUM = "http://unitsofmeasure.org"
PERSON = {"reference": "Patient/p"}

Resource = dict[str, Any]


def coded(system: str, code: str, text: str = "") -> Resource:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def bundle(*resources: Resource, kind: str = "collection") -> Resource:
    """A Bundle of resources, with a full address for each that has an id."""
    entries = [
        {**({"fullUrl": f"https://example.org/fhir/{r['resourceType']}/{r['id']}"} if "id" in r else {}), "resource": r} for r in resources
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def patient(**more: Any) -> Resource:
    """A woman born in 1960."""
    return {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1960-05-04", **more}


def lab(loinc: str, value: float, unit: str, *, when: str | None = "2025-02-01", **more: Any) -> Resource:
    """An Observation of a value with a UCUM unit."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": more.pop("code", None) or coded(LOINC, loinc),
        "subject": PERSON,
        **({"effectiveDateTime": when} if when else {}),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        **more,
    }


def condition(code: str, *, system: str = ICD10CM, clinical: str = "active", verified: str = "confirmed", **more: Any) -> Resource:
    """A diagnosis."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", clinical),
        "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", verified),
        "code": coded(system, code),
        "subject": PERSON,
        "recordedDate": "2025-01-10",
        **more,
    }


def medicine(text: str, *, status: str = "active", **more: Any) -> Resource:
    """An order of a medicine named in words."""
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "subject": PERSON,
        "authoredOn": "2025-01-20",
        **more,
    }


def procedure(code: str, *, status: str = "completed", **more: Any) -> Resource:
    """Something that was done."""
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": coded(SNOMED, code),
        "subject": PERSON,
        "performedDateTime": "2024-06-01",
        **more,
    }


def mineral_record() -> Resource:
    """Kidney failure with a high phosphate and a high PTH, and a calcified shoulder tendon: what no public record holds.

    Values follow the pattern of secondary hyperparathyroidism in dialysis patients; several are repeated over time.
    """
    return bundle(
        patient(),
        lab("2777-1", 7.2, "mg/dL", when="2025-02-01"),
        lab("2777-1", 1.9, "mmol/L", when="2024-08-01"),
        lab("2731-8", 85.0, "pmol/L", when="2025-02-01"),
        lab("17861-6", 9.1, "mg/dL", when="2025-02-01"),
        lab("1751-7", 3.4, "g/dL", when="2025-02-01"),
        condition("N18.6"),
        condition("Z99.2"),
        condition("M75.31"),
        condition("E21.0", verified="refuted"),
        medicine("Sevelamer carbonate 800 MG Oral Tablet"),
        medicine("Rosuvastatin calcium 10 MG Oral Tablet"),
        procedure("265764009"),
    )
