"""A record -> the `Case` it tells, with every entry that was used and every one that was not, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import evidence
from ..evidence.library import Library
from ..terms.case import Case
from ..terms.errors import CaseRefused, Problem
from .codes import index_of
from .concepts import short
from .dates import moment
from .observations import observation
from .person import Person, person_of
from .record import Record
from .settling import settle
from .statements import condition, imaging, medication, procedure, report
from .wire import Entry, Resource, asked_date, entries, resources

Reader = Callable[[Resource, str, Record], None]
READERS: dict[str, Reader] = {
    "Observation": observation,
    "Condition": condition,
    "MedicationRequest": medication,
    "MedicationStatement": medication,
    "MedicationUsage": medication,
    "Procedure": procedure,
    "DiagnosticReport": report,
    "ImagingStudy": imaging,
}
_OF_OTHER_USE = frozenset(("Patient", "Medication"))
_NONSENSE = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


def read(
    source: bytes | str | Resource,
    library: Library | None = None,
    *,
    date: str | None = None,
    patient: str | None = None,
    name: str = "record",
) -> Case:
    """Read one person's record: a Bundle, Parameters, one resource or NDJSON, as bytes, text or a mapping.

    `date` (a day, a month or a year) is the day asked about: age is told for it, and what is later is not used; without it, the
    newest entry's own date stands. `patient` picks one by id where the record holds several. Raises CaseRefused with where and why.
    """
    found = resources(source, name)
    until = _until(date if date is not None else asked_date(found), name)
    record = Record(index_of(library or evidence.library()), until)
    kept, lost = _kept(found)
    person = person_of(kept, patient, name)
    record.shelf = shelved(kept)
    for place in lost:
        record.pass_over(place, "it holds no FHIR resource", place)
    for entry in kept:
        _read_one(entry, person, record)
    return settle(record, person)


def _until(date: str | None, name: str) -> str | None:
    if date is None or (moment(date) and len(date) <= 10):
        return date
    raise CaseRefused([Problem(name, f"found the date {date[:40]!r}; expected a year, a month or a day, such as 2026-03-01")])


def _kept(found: Resource | list[Resource]) -> tuple[list[Entry], list[str]]:
    """Every resource once, its newest version; and the places that hold none."""
    versions: dict[tuple[str, str], Entry] = {}
    kept: list[Entry] = []
    lost: list[str] = []
    for entry in entries(found):
        if isinstance(entry, str):
            lost.append(entry)
            continue
        key = (entry.kind, entry.own)
        if not key[1]:
            kept.append(entry)
        elif key not in versions or _version(entry) > _version(versions[key]):
            versions[key] = entry
    return [*kept, *versions.values()], lost


def _version(entry: Entry) -> tuple[str, str, str]:
    meta = entry.resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    return moment(meta.get("lastUpdated")) or "", str(meta.get("versionId") or "").zfill(12), repr(entry.resource)


def _read_one(entry: Entry, person: Person, record: Record) -> None:
    reader = READERS.get(entry.kind)
    if reader is None:
        if entry.kind not in _OF_OTHER_USE:
            record.pass_over(short(entry.kind), "resorb does not read this kind of entry", entry.reference)
        return
    try:
        if person.is_about(entry.resource):
            reader(entry.resource, entry.reference, record)
        else:
            record.pass_over(entry.kind, "it is about someone else", entry.reference)
    except _NONSENSE:
        record.pass_over(entry.kind, "it is not as FHIR describes it", entry.reference)


def shelved(kept: list[Entry]) -> dict[str, Any]:
    """Medications by every reference that may point to them."""
    found: dict[str, Any] = {}
    for entry in kept:
        if entry.kind == "Medication":
            found[entry.reference] = entry.resource
            if entry.url:
                found[entry.url] = entry.resource
    return found
