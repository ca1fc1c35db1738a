"""A call of a hook: read strictly, so that a malformed one is told what is wrong with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from ..problems import Refused
from .services import Service

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call. `prefetch` holds what the client sent; null means that there is nothing of the kind."""

    service: Service
    instance: str
    context: Json
    prefetch: Json
    server: str
    authorization: Json

    @property
    def patient(self) -> str:
        return str(self.context["patientId"])


def call_of(body: bytes, service: Service) -> Call:
    """Read the body of a call. Raises Refused (400) naming every field that is wrong."""
    told = mapping(body)
    wrong: list[tuple[str, str, str]] = []
    _check_hook(told, service, wrong)
    context = told.get("context")
    if isinstance(context, dict):
        _check_context(context, service, wrong)
    else:
        wrong.append(("context", _what(context), "an object"))
    prefetch = told.get("prefetch", {})
    if not isinstance(prefetch, dict) or not all(v is None or isinstance(v, dict) for v in prefetch.values()):
        wrong.append(("prefetch", _what(prefetch), "an object of FHIR resources, or null where there is none"))
    _check_server(told, wrong)
    if wrong:
        raise malformed(wrong)
    server, authorization = told.get("fhirServer") or "", told.get("fhirAuthorization") or {}
    return Call(service, told["hookInstance"], told["context"], prefetch, server, authorization)


def mapping(body: bytes) -> Json:
    """A JSON object. Raises Refused (400)."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed([("body", "no JSON", "a JSON object")]) from None
    if not isinstance(told, dict):
        raise malformed([("body", _what(told), "a JSON object")])
    return told


def malformed(wrong: list[tuple[str, str, str]]) -> Refused:
    """400: every field that is wrong."""
    where, found, expected = wrong[0]
    error = Refused(400, where, found, expected, "see the CDS Hooks specification, version 2.0")
    error.problems = tuple({"where": w, "found": f, "expected": e, "try": ""} for w, f, e in wrong)
    return error


def _check_hook(told: Json, service: Service, wrong: list[tuple[str, str, str]]) -> None:
    if told.get("hook") != service.hook:
        wrong.append(("hook", repr(told["hook"])[:60] if "hook" in told else "no such field", f"{service.hook}, the hook of {service.id}"))
    instance = told.get("hookInstance")
    try:
        uuid.UUID(str(instance) if isinstance(instance, str) else "")
    except ValueError:
        wrong.append(("hookInstance", _what(instance), "a UUID"))


def _check_context(context: Json, service: Service, wrong: list[tuple[str, str, str]]) -> None:
    for name in service.context:
        value = context.get(name)
        if name == "selections":
            good = isinstance(value, list) and all(isinstance(v, str) for v in value)
            expected = "a list of references such as MedicationRequest/1"
        elif name == "draftOrders":
            good = isinstance(value, dict) and value.get("resourceType") == "Bundle"
            expected = "a FHIR Bundle"
        else:
            good, expected = isinstance(value, str) and 0 < len(value) <= 300, "a text"
        if not good:
            wrong.append((f"context.{name}", _what(value), expected))


def _check_server(told: Json, wrong: list[tuple[str, str, str]]) -> None:
    server, authorization = told.get("fhirServer"), told.get("fhirAuthorization")
    if server is not None and not (isinstance(server, str) and server.startswith(("http://", "https://"))):
        wrong.append(("fhirServer", _what(server), "an address"))
    if authorization is None:
        return
    if server is None:
        wrong.append(("fhirServer", "nothing", "an address, since fhirAuthorization is given"))
    if not isinstance(authorization, dict) or not isinstance(authorization.get("access_token"), str):
        wrong.append(("fhirAuthorization", "no access_token", "access_token, token_type, expires_in, scope and subject"))
    elif str(authorization.get("token_type", "Bearer")).lower() != "bearer":
        wrong.append(("fhirAuthorization.token_type", "another type", "Bearer"))


def _what(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), "something else")
