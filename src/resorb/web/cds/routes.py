"""CDS Hooks: discovery, services, feedback."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from ..case_routes import limited
from ..describe import as_json, json_of, outcome_answers
from ..house import House, house_of
from ..problems import Refused
from .answering import cards
from .chart import chart
from .feedback import feedback_of, keep
from .requests import call_of
from .services import SERVICES, service_of

router = APIRouter(prefix="/cds-services", tags=["cds hooks"])
AHouse = Annotated[House, Depends(house_of)]
ServiceId = Annotated[str, Path(max_length=80)]


def _takes(name: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}


@router.get("", summary="The services", responses=json_of("CdsServices"))
async def discover() -> Response:
    """Which hooks are answered, and what of the chart each wants in advance."""
    return as_json({"services": [service.described() for service in SERVICES.values()]})


@router.post(
    "/{id}",
    summary="Call a service",
    responses=json_of("CdsCards") | outcome_answers(400, 404, 412, 413, 415),
    openapi_extra=_takes("CdsCall"),
)
async def call(id: ServiceId, request: Request, house: AHouse) -> Response:  # noqa: A002
    """Cards for the chart; an empty list where there is nothing to say."""
    service = service_of(id)
    request.state.subject = service.id
    asked = call_of(await _body(request, house), service)
    found = await chart(asked, house.settings.hooks)
    return as_json({"cards": cards(asked, found, house.settings.base)})


@router.post(
    "/{id}/feedback",
    summary="What became of cards",
    responses=json_of("Kept") | outcome_answers(400, 404, 413, 415),
    openapi_extra=_takes("CdsFeedback"),
)
async def feedback(id: ServiceId, request: Request, house: AHouse) -> Response:  # noqa: A002
    """Accepted or overridden, and the reason's code. Comments in free words are counted and not kept: they may name a person."""
    service = service_of(id)
    rows = feedback_of(await _body(request, house))
    await run_in_threadpool(keep, house.store, service.id, str(request.state.who), rows)
    return as_json({})


async def _body(request: Request, house: House) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/fhir+json"):
        raise Refused(415, "Content-Type", repr(kind or "nothing"), "application/json")
    return await limited(request, house.settings.limits.case_bytes)
