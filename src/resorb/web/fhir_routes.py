"""The FHIR door: one operation, what the service can do, and errors as OperationOutcome."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from .. import fhir
from ..terms.errors import Problem, ResorbError
from . import problems
from .case_routes import limited
from .describe import outcome_answers
from .house import House, house_of

MEDIA = "application/fhir+json"
router = APIRouter(prefix="/fhir", tags=["fhir"])
READ_AS = ("application/fhir+json", "application/json", "application/fhir+ndjson", "application/x-ndjson")
RESOURCE = {"content": {MEDIA: {"schema": {"$ref": "#/components/schemas/FhirResource"}}}}
AHouse = Annotated[House, Depends(house_of)]
CODES = {401: "login", 403: "forbidden", 404: "not-found", 409: "conflict", 412: "required", 413: "too-long", 415: "not-supported",
         405: "not-supported", 422: "invalid", 503: "transient", 507: "no-store", 500: "exception"}  # fmt: skip


def _gives(name: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer that is a resource."""
    return {200: {"description": name, **RESOURCE}}


def speaks_fhir(request: Request) -> bool:
    """Whether the caller came through a door where errors are OperationOutcomes."""
    return request.url.path.startswith(("/fhir", "/cds-services"))


def outcome(status: int, told: list[dict[str, str]]) -> dict[str, Any]:
    """Problems as an OperationOutcome."""
    listed = told or [{"where": "", "found": problems.TITLES.get(status, "failed"), "expected": "", "try": ""}]
    return fhir.operation_outcome([_in_words(one) for one in listed], code=CODES.get(status, "invalid"))


def _in_words(one: dict[str, str]) -> Problem:
    parts = (f"found {one['found']}", one["expected"] and f"expected {one['expected']}", one["try"] and f"try: {one['try']}")
    return Problem(one["where"] or "request", "; ".join(filter(None, parts)))


def outcome_response(error: ResorbError) -> JSONResponse:
    """An error raised on purpose, for FHIR callers."""
    told = problems.of_error(error)
    return JSONResponse(outcome(told["status"], told["problems"]), told["status"], getattr(error, "headers", None), MEDIA)


@router.get("/metadata", summary="What this FHIR server can do", responses=_gives("CapabilityStatement"))
async def metadata(house: AHouse) -> Response:
    """The CapabilityStatement."""
    return resource(fhir.capability(_base(house)))


@router.get(
    "/OperationDefinition/{id}",
    summary="What the operation takes and gives",
    responses=_gives("OperationDefinition") | outcome_answers(404),
)
async def definition(id: Annotated[str, Path(max_length=80)], house: AHouse) -> Response:  # noqa: A002
    """The OperationDefinition of `$assess-calcification`."""
    made = fhir.operation_definition(_base(house))
    if id != made["id"]:
        raise problems.Refused(404, "id", "no such definition", made["id"])
    return resource(made)


@router.post(
    "/$assess-calcification",
    summary="Assess a calcification",
    responses=_gives("Bundle") | outcome_answers(400, 406, 413, 415, 422),
    openapi_extra={"requestBody": {"required": True, **RESOURCE}},
)
async def assess(request: Request, house: AHouse) -> Response:
    """A Bundle, Parameters or NDJSON of one person's record in; a Bundle of RiskAssessment, DetectedIssue and more out."""
    _acceptable(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in READ_AS:
        raise problems.Refused(415, "Content-Type", repr(kind or "nothing"), ", ".join(READ_AS))
    raw = await limited(request, house.settings.limits.case_bytes)
    return resource(await run_in_threadpool(_assessed, raw))


def _assessed(raw: bytes) -> dict[str, Any]:
    """The answer to a record, as FHIR."""
    import resorb

    if not fhir.is_fhir(raw):
        raise problems.Refused(400, "body", "no FHIR resource", "a Bundle or Parameters as FHIR R4 JSON")
    made: dict[str, Any] = fhir.to_fhir(resorb.assess(fhir.read(raw)))
    return made


def _acceptable(request: Request) -> None:
    """Raises Refused (406) where the caller wants XML or the like."""
    asked = request.query_params.get("_format", "") or request.headers.get("accept", "")
    if asked and not any(word in asked for word in ("json", "*/*", "application/*")):
        raise problems.Refused(406, "Accept", repr(asked)[:80], MEDIA)


def _base(house: House) -> str:
    return house.settings.base + "/fhir"


def resource(told: dict[str, Any]) -> Response:
    """A resource on the wire."""
    return Response(msgspec.json.encode(told), media_type=MEDIA)


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
