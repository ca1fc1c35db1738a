"""The FHIR door: one operation, what the service can do, and errors as OperationOutcome."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..terms.errors import ResorbError
from . import problems

MEDIA = "application/fhir+json"
router = APIRouter(prefix="/fhir", tags=["fhir"])
CODES = {401: "login", 403: "forbidden", 404: "not-found", 409: "conflict", 412: "required", 413: "too-long", 415: "not-supported",
         405: "not-supported", 422: "invalid", 503: "transient", 507: "no-store", 500: "exception"}  # fmt: skip


def speaks_fhir(request: Request) -> bool:
    """Whether the caller came through a door where errors are OperationOutcomes."""
    return request.url.path.startswith(("/fhir", "/cds-services"))


def outcome(status: int, told: list[dict[str, str]]) -> dict[str, Any]:
    """Problems as an OperationOutcome."""
    issues = []
    for one in told or [{"where": "", "found": problems.TITLES.get(status, "failed"), "expected": "", "try": ""}]:
        parts = (f"found {one['found']}", one["expected"] and f"expected {one['expected']}", one["try"] and f"try: {one['try']}")
        issue: dict[str, Any] = {"severity": "error", "code": CODES.get(status, "invalid"), "diagnostics": "; ".join(filter(None, parts))}
        if one["where"]:
            issue["details"] = {"text": one["where"]}
        issues.append(issue)
    return {"resourceType": "OperationOutcome", "issue": issues}


def outcome_response(error: ResorbError) -> JSONResponse:
    """An error raised on purpose, for FHIR callers."""
    told = problems.of_error(error)
    return JSONResponse(outcome(told["status"], told["problems"]), told["status"], getattr(error, "headers", None), MEDIA)


async def on_error(_: Request, error: Exception) -> JSONResponse:
    """Errors raised on purpose."""
    assert isinstance(error, ResorbError)
    return outcome_response(error)


async def on_http(_: Request, error: Exception) -> JSONResponse:
    """What the framework refuses."""
    assert isinstance(error, HTTPException)
    told = [{"where": "", "found": str(error.detail), "expected": "", "try": "GET /fhir/metadata"}]
    return JSONResponse(outcome(error.status_code, told), error.status_code, dict(error.headers or {}), MEDIA)


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Requests that do not fit: always 400, as FHIR and CDS Hooks have it."""
    assert isinstance(error, RequestValidationError)
    told = [
        {
            "where": ".".join(map(str, one.get("loc", ()))),
            "found": "a value that does not fit",
            "expected": str(one.get("msg", "")),
            "try": "",
        }
        for one in error.errors()
    ]
    return JSONResponse(outcome(400, told), 400, None, MEDIA)
