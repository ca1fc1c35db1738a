"""What a FHIR server of this operation says of itself, and how it says that something went wrong. Served, not decided, elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._version import __version__
from ..terms.errors import CaseRefused, Problem
from .elements import Element, text_only

OPERATION = "assess-calcification"
LAST_CHANGED = "2026-11-22"  # of what is stated here; a statement must carry a date, and there is no clock inside
NOTICE = "For research and education. Not a medical device; not for the care of individual patients."


def capability(base: str) -> Element:
    """The CapabilityStatement of a server at `base`, such as `http://127.0.0.1:8000/fhir`."""
    base = base.rstrip("/")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": LAST_CHANGED,
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "software": {"name": "resorb", "version": __version__},
        "implementation": {
            "description": f"Kinds, outlook, options and red flags of a calcification, from cited evidence. {NOTICE}",
            "url": base,
        },
        "rest": [
            {
                "mode": "server",
                "documentation": "One operation on what is sent with it; nothing is stored.",
                "operation": [{"name": OPERATION, "definition": f"{base}/OperationDefinition/{OPERATION}"}],
            }
        ],
    }


def operation_definition(base: str) -> Element:
    """The OperationDefinition of `$assess-calcification` on a server at `base`."""
    return {
        "resourceType": "OperationDefinition",
        "id": OPERATION,
        "url": f"{base.rstrip('/')}/OperationDefinition/{OPERATION}",
        "version": __version__,
        "name": "AssessCalcification",
        "title": "Assess a calcification",
        "status": "active",
        "experimental": True,
        "kind": "operation",
        "date": LAST_CHANGED,
        "description": "Reads one person's record and answers with an outlook, red flags and what was used and not used, each with its "
        f"sources. What is not in the record is unknown, never normal. {NOTICE}",
        "affectsState": False,
        "code": OPERATION,
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _parameter(
                "record", "in", "*", "Resource", "A Bundle, or the resources of one person. Kinds that are not read are passed over."
            ),
            _parameter("date", "in", "1", "date", "The day asked about. What is later is not used; without it, the newest entry's date."),
            _parameter("return", "out", "1", "Bundle", "RiskAssessment, DetectedIssue, Observation, DiagnosticReport, Device, Provenance."),
        ],
    }


def _parameter(name: str, use: str, most: str, kind: str, says: str) -> Element:
    return {"name": name, "use": use, "min": 1 if use == "out" else 0, "max": most, "documentation": says, "type": kind}


def operation_outcome(problems: str | Exception | Iterable[Problem | str], *, severity: str = "error", code: str = "invalid") -> Element:
    """Errors or remarks as an OperationOutcome: one issue for each problem, with its place where it has one.

    `code` is of FHIR's issue types: `invalid`, `structure`, `required`, `too-long`, `not-supported`, `not-found`, `exception` ...
    """
    if isinstance(problems, CaseRefused):
        said: list[Problem | str] = list(problems.problems)
    elif isinstance(problems, (str, Exception)):
        said = [str(problems)]
    else:
        said = list(problems)
    return {
        "resourceType": "OperationOutcome",
        "issue": [_issue(one, severity, code) for one in said] or [_issue("no reason is known", severity, code)],
    }


def _issue(problem: Problem | str, severity: str, code: str) -> Element:
    issue: dict[str, Any] = {"severity": severity, "code": code, "details": text_only(str(problem)), "diagnostics": str(problem)}
    if isinstance(problem, Problem) and problem.where and problem.where[0].isupper():
        issue["expression"] = [problem.where]
    return issue
