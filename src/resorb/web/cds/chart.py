"""The chart of one person: what prefetch brought, and what is read from the FHIR server where it lacks something."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ..problems import Refused
from ..settings import Hooks
from .requests import Call, malformed
from .services import NEEDED, PATIENT, PREFETCH, missing

Json = dict[str, Any]
MOST_PAGES = 5
MOST_BYTES = 16 * 2**20
_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")


async def chart(call: Call, hooks: Hooks) -> Json:
    """Everything as one Bundle. Raises Refused: 412 where something needed can be had from nowhere."""
    parts = {key: value for key, value in call.prefetch.items() if key in PREFETCH and not _is_error(value)}
    lacking = [key for key in PREFETCH if key not in parts]
    needed = [key for key in NEEDED if key in lacking]
    if needed:
        server = _allowed(call, hooks, needed)
        async for key, value in _read(call, server, lacking, hooks.fhir_seconds):
            parts[key] = value
        still = [key for key in NEEDED if key not in parts]
        if still:
            raise missing(still, f"a fhirServer that did not give them within {hooks.fhir_seconds:g} seconds")
    _check_patient(parts.get("patient"), call)
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": part} for part in parts.values() if part]}


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


def _check_patient(patient: Any, call: Call) -> None:
    """The chart must be that of the person the call is about."""
    if isinstance(patient, dict) and patient.get("resourceType") == "Bundle":
        entries = patient.get("entry") or [{}]
        patient = entries[0].get("resource") if isinstance(entries[0], dict) else None
    if isinstance(patient, dict) and patient.get("id") not in (None, call.patient):
        raise malformed([("prefetch.patient", "another patient than that of the context", "the patient of context.patientId")])


def _allowed(call: Call, hooks: Hooks, needed: list[str]) -> str:
    """The FHIR server, if it is one of those this service was told of: no other address is ever asked."""
    if not call.server:
        raise missing(needed, "no fhirServer to read them from")
    asked = call.server.rstrip("/")
    for known in hooks.fhir_servers:
        if asked == known.rstrip("/"):
            return asked
    raise missing(needed, "a fhirServer that this service was not allowed to read from (--fhir-server)")


async def _read(call: Call, server: str, keys: list[str], seconds: float) -> Any:
    """Each key that could be read: (key, resource, or null where there is none)."""
    import httpx

    if not set(call.patient) <= _ID or len(call.patient) > 64:
        raise malformed([("context.patientId", "no FHIR id", "letters, digits, - and .")])
    headers = {"Accept": "application/fhir+json"}
    if token := call.authorization.get("access_token"):
        headers["Authorization"] = f"Bearer {token}"
    timeout = httpx.Timeout(seconds, connect=min(2.0, seconds))
    async with httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False, trust_env=False) as client:
        tasks = {key: asyncio.create_task(_fetch(client, server, PREFETCH[key].replace(PATIENT, call.patient))) for key in keys}
        done, late = await asyncio.wait(tasks.values(), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for key, task in tasks.items():
            if task in done and task.exception() is None:
                yield key, task.result()


async def _fetch(client: Any, server: str, query: str) -> Json | None:
    """One template: a resource, all pages of a search, or null for 404. Raises whatever went wrong."""
    bundle: Json | None = None
    address = f"{server}/{query}"
    for _ in range(MOST_PAGES):
        found = await _get(client, address)
        if found is None:
            return bundle
        if found.get("resourceType") != "Bundle":
            return found
        entries = [e for e in found.get("entry") or [] if isinstance(e, dict)]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [*(bundle["entry"] if bundle else []), *entries]}
        onward = [link.get("url") for link in found.get("link") or [] if isinstance(link, dict) and link.get("relation") == "next"]
        if not onward or not str(onward[0]).startswith((f"{server}?", f"{server}/")):
            return bundle
        address = str(onward[0])
    return bundle


async def _get(client: Any, address: str) -> Json | None:
    async with client.stream("GET", address) as answered:
        if answered.status_code in (404, 410):
            return None
        if answered.status_code != 200:
            raise Refused(502, "fhirServer", f"status {answered.status_code}")
        body, size = [], 0
        async for piece in answered.aiter_bytes():
            size += len(piece)
            if size > MOST_BYTES:
                raise Refused(502, "fhirServer", "a very long answer")
            body.append(piece)
    told = msgspec.json.decode(b"".join(body))
    if not isinstance(told, dict) or _is_error(told):
        raise Refused(502, "fhirServer", "no resource")
    return told
