"""A result -> a Bundle of FHIR R4 resources, as plain dicts. Same result, same bundle: ids come from the content, times from the caller."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from ..evidence.library import library
from ..terms.assessment import Assessment
from ..terms.errors import UserError
from ..terms.measurement import Measurement
from .answers import of_assessment
from .deposits import of_change, of_measurement
from .desk import Desk, Result, read_from, used
from .elements import DATA_ABSENT, Element, made_id, text_only, to

NOT_NAMED = {"display": "not named"}


def to_fhir(
    result: Result,
    *,
    subject: str | Element | None = None,
    when: str | None = None,
    study: str | Element | tuple[str | Element, ...] = (),
    bundle: Literal["collection", "transaction"] = "collection",
) -> Element:
    """An answer, a measurement or a change as a Bundle.

    `subject` is the patient's reference (`Patient/12`); an answer made from a record knows it. `when` is a moment with a zone
    (`2026-03-01T12:00:00Z`): without it no time is told. `study` is the ImagingStudy (for a change: the two) the numbers come from.
    A `transaction` puts each resource under its own id, so that sending the same result twice stores it once.
    """
    studies = tuple(map(_reference, study if isinstance(study, tuple) else (study,)))
    about = _reference(subject) if subject is not None else _subject_of(result)
    content = hashlib.sha256(msgspec.json.encode((_plain(result), about, studies))).hexdigest()
    desk = Desk(content, about, _moment(when), studies, library())
    desk.device = _device(desk, result)
    resources = _resources(result, desk)
    everything = [*resources, desk.device, _provenance(desk, resources, result)]
    return {"resourceType": "Bundle", "type": bundle, "entry": [_entry(r, bundle) for r in everything]}


def _resources(result: Result, desk: Desk) -> list[Element]:
    if isinstance(result, Assessment):
        return of_assessment(result, desk)
    return of_measurement(result, desk) if isinstance(result, Measurement) else of_change(result, desk)


def _plain(result: Result) -> Any:
    return msgspec.to_builtins(result)


def _reference(given: str | Element) -> Element:
    return {"reference": given} if isinstance(given, str) else dict(given)


def _moment(when: str | None) -> str | None:
    if when is None:
        return None
    try:
        if datetime.fromisoformat(when).tzinfo is not None:
            return when
    except ValueError:
        pass
    raise UserError(f"when: found {when[:40]!r}; expected a moment with a zone, such as 2026-03-01T12:00:00Z")


def _subject_of(result: Result) -> Element:
    for use in read_from(result):
        if use.entry.startswith("Patient.") and use.reference.startswith(("Patient/", "urn:", "http")):
            return {"reference": use.reference}
    return dict(NOT_NAMED)


def _device(desk: Desk, result: Result) -> Element:
    versions = result.versions
    told = {"software": versions.resorb, "evidence": getattr(versions, "evidence", "")}
    return {
        "resourceType": "Device",
        "id": made_id("Device", *told.values()),
        "deviceName": [{"name": "resorb", "type": "model-name"}],
        "type": text_only("software"),
        "version": [{"type": text_only(kind), "value": value} for kind, value in told.items() if value],
        "note": [{"text": result.notice}],
    }


def _provenance(desk: Desk, resources: list[Element], result: Result) -> Element:
    recorded: Element = (
        {"recorded": desk.when} if desk.when else {"_recorded": {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}}
    )
    entities = [{"role": "source", "what": reference} for reference in (*used(result), *desk.study)]
    return {
        **desk.begin("Provenance"),
        "target": [to(resource) for resource in resources],
        **recorded,
        "agent": [{"type": text_only("assembled by software, read by nobody"), "who": to(desk.device)}],
        **({"entity": entities} if entities else {}),
    }


def _entry(resource: Element, bundle: str) -> Element:
    entry: Element = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
    if bundle == "transaction":
        entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    return entry
