"""The OpenAPI of the service: what each answer holds, taken from the same types as the answers."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from .. import __version__
from ..report import schema as assessment_schema
from ..terms.answer import Answer
from ..terms.change import Change
from ..terms.measurement import Measurement
from .problems import MEDIA, TITLES

TEXT = {"type": "string"}
ANY_OBJECT = {"type": "object"}
ANY_NUMBER = {"type": "number"}
ABOUT = (
    "Can this calcification go away, will it, what helps, and did it? Answers to cases, bundles and scans, each with its sources. "
    "For research and education; not a medical device."
)


def as_json(told: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """Plain values on the wire."""
    return Response(msgspec.json.encode(told), status, headers, "application/json")


def json_of(name: str) -> dict[int | str, dict[str, Any]]:
    """The description of a JSON answer of a named shape."""
    return {200: {"description": name, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}


def page_of() -> dict[int | str, dict[str, Any]]:
    """The description of an HTML answer."""
    return {200: {"description": "A page", "content": {"text/html": {"schema": TEXT}}}}


def bytes_of(media: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer in bytes."""
    return {200: {"description": "A file", "content": {media: {"schema": {"type": "string", "format": "binary"}}}}}


def problem_answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of the ways in which it can fail."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {code: {"description": TITLES[code], "content": content} for code in codes}


def outcome_answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The same at the doors where errors are OperationOutcomes."""
    content = {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}}
    return {code: {"description": TITLES[code], "content": content} for code in codes}


def takes_case() -> dict[str, Any]:
    """The body of `assess`."""
    example = {"age": "48 years", "site": "shoulder.supraspinatus", "findings": ["sharp_margin"]}
    case = {"schema": {"type": "object"}, "example": example}
    content = {"application/json": case, "application/fhir+json": {"schema": ANY_OBJECT}, "application/yaml": {"schema": TEXT}}
    return {"requestBody": {"required": True, "content": content}}


def describe(app: FastAPI) -> None:
    """Give the app its OpenAPI document, made when it is first asked for."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = get_openapi(title="resorb", version=__version__, description=ABOUT, routes=app.routes, openapi_version="3.1.0")
            whole.setdefault("components", {}).setdefault("schemas", {}).update(shapes())
            whole["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = whole
        return app.openapi_schema

    app.openapi = made  # type: ignore[method-assign]


def shapes() -> dict[str, Any]:
    """The shapes of answers that are not models of the framework."""
    from .problems import ProblemDetails

    made = _of_assessment() | _of_result("Measurement", Measurement) | _of_result("Change", Change)
    made["Answer"] = msgspec.json.schema_components([Answer], ref_template="#/components/schemas/{name}")[1]["Answer"]
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
    made |= problem.pop("$defs", {}) | {"ProblemDetails": problem}
    return (
        made
        | _of_hooks()
        | {
            "Form": _object(version=TEXT, evidence=TEXT, notice=TEXT, fields=_list(), sites=_list(), kinds=_list(), presence=_list(TEXT)),
            "Examples": _list(_object(name=TEXT, about=ANY_OBJECT, case=ANY_OBJECT)),
            "Kinds": _list(_object(id=TEXT, name=TEXT, family=TEXT, plain=TEXT)),
            "Table": _object(rows=_list()),
            "PairSlice": _object(slice={"type": "integer"}, side=TEXT, deposits=_list(ANY_OBJECT)),
            "Slice": _object(slice={"type": "integer"}, shape=_list(ANY_NUMBER), spacing_mm=_list(), deposits=_list(ANY_OBJECT)),
            "Asked": {"anyOf": [{"$ref": "#/components/schemas/Answer"}, _object(question=TEXT, covered={"const": False})]},
            "Card": _object(deck=TEXT, card=ANY_OBJECT, sources=_list()),
        }
    )


def _of_assessment() -> dict[str, Any]:
    """The parts of the schema of an assessment, with references into the document."""
    text = msgspec.json.encode(assessment_schema()["$defs"]).replace(b'"#/$defs/', b'"#/components/schemas/')
    made: dict[str, Any] = msgspec.json.decode(text)
    return made


def _of_result(name: str, of: type) -> dict[str, Any]:
    """The schema of `to_dict()` of a result: its own parts under its name; what was not measured is {refused: reason}."""
    made = TypeAdapter(of).json_schema(ref_template=f"#/components/schemas/{name}.{{model}}", mode="serialization")
    parts = {f"{name}.{part}": told for part, told in made.pop("$defs", {}).items()}
    refusal = {"title": "Refusal", "type": "object", "properties": {"refused": TEXT}, "required": ["refused"]}
    return parts | {f"{name}.Refusal": refusal, name: made}


def _of_hooks() -> dict[str, Any]:
    """What CDS Hooks and FHIR put on the wire."""
    coding = _object(code=TEXT, system=TEXT, display=TEXT)
    card = _object(
        uuid=TEXT, summary={"type": "string", "maxLength": 139}, indicator={"enum": ["info", "warning", "critical"]}, detail=TEXT,
        source={"type": "object", "properties": {"label": TEXT, "url": TEXT}, "required": ["label"]},
        links=_list(_object(label=TEXT, url=TEXT, type=TEXT)), overrideReasons=_list(coding),
    )  # fmt: skip
    nullable = {"type": ["object", "null"]}
    call = _object(
        hook=TEXT, hookInstance={"type": "string", "format": "uuid"}, context={"type": "object", "required": ["userId", "patientId"]}
    )
    call["properties"] |= {
        "prefetch": {"type": "object", "additionalProperties": nullable},
        "fhirServer": TEXT,
        "fhirAuthorization": ANY_OBJECT,
    }
    service = _object(hook=TEXT, id=TEXT, title=TEXT, description=TEXT, prefetch=ANY_OBJECT, usageRequirements=TEXT)
    entry = _object(card=TEXT, outcome={"enum": ["accepted", "overridden"]}, outcomeTimestamp={"type": "string", "format": "date-time"})
    entry["properties"] |= {"acceptedSuggestions": _list(_object(id=TEXT)), "overrideReason": ANY_OBJECT}
    return {
        "Kept": ANY_OBJECT,
        "CdsServices": _object(services=_list(service)),
        "CdsCards": _object(cards=_list(card)),
        "CdsCall": call,
        "CdsFeedback": _object(feedback={**_list(entry), "minItems": 1}),
        "OperationOutcome": _object(resourceType={"const": "OperationOutcome"}, issue=_list(ANY_OBJECT)),
        "FhirResource": _object(resourceType=TEXT),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "array", "items": of or ANY_OBJECT}
