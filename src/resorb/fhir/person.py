"""Whose record it is: one person, by the Patient resource or by what all entries refer to."""

from __future__ import annotations

from typing import Any

from ..terms.errors import CaseRefused, Problem
from .dates import moment
from .wire import Entry, Resource

MEDICINES = ("MedicationRequest", "MedicationStatement", "MedicationUsage")
READ = frozenset(("Observation", "Condition", *MEDICINES, "Procedure", "DiagnosticReport", "ImagingStudy"))


class Person:
    """The one person of a record; `names` are the references that mean them, empty where any may."""

    def __init__(self, resource: Resource | None, reference: str, names: frozenset[str]) -> None:
        self.resource, self.reference, self.names = resource or {}, reference, names

    def is_about(self, resource: Resource) -> bool:
        """Whether an entry is about this person; one that names nobody is taken to be."""
        if not self.names:
            return True
        subject = resource.get("subject")
        if type(subject) is dict and subject.get("reference") in self.names:
            return True
        target = subject_of(resource)
        return not target or target in self.names

    @property
    def born(self) -> str | None:
        """The date of birth, whole or in part."""
        return moment(self.resource.get("birthDate"))

    @property
    def died(self) -> str | None:
        """The time of death, where it is told."""
        return moment(self.resource.get("deceasedDateTime"))

    @property
    def gender(self) -> str:
        """The administrative gender."""
        return str(self.resource.get("gender") or "")


def subject_of(resource: Resource) -> str:
    """The reference of the person an entry is about; versions and server addresses do not matter."""
    subject: Any = resource.get("subject") or resource.get("patient")
    target = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(target, str) or target.startswith("#"):
        return ""
    if "/" in target:
        parts = target.partition("/_history/")[0].rsplit("/", 2)
        return "/".join(parts[-2:])
    return target


def person_of(kept: list[Entry], wanted: str | None, name: str) -> Person:
    """The person, or a refusal where the record holds several."""
    patients = {}
    for entry in kept:
        if entry.kind == "Patient":
            patients[entry.reference] = entry
    if wanted is not None:
        patients = {reference: entry for reference, entry in patients.items() if wanted in (reference, reference.rpartition("/")[2])}
        if not patients:
            raise CaseRefused([Problem(name, f"found no Patient with the id {wanted[:60]!r}")])
    if len(patients) > 1:
        raise CaseRefused([Problem(name, f"found {len(patients)} patients; expected the record of one person, or name one by id")])
    if patients:
        entry = next(iter(patients.values()))
        names = {entry.reference, entry.url} - {""}
        if "/" in entry.url and not entry.url.startswith("urn:"):
            names.add("/".join(entry.url.rsplit("/", 2)[-2:]))
        return Person(entry.resource, entry.reference, frozenset(names) if entry.resource.get("id") or entry.url else frozenset())
    about = sorted({target for entry in kept if entry.kind in READ and (target := subject_of(entry.resource))})
    if len(about) > 1:
        raise CaseRefused([Problem(name, f"found entries about {len(about)} people and no Patient; expected the record of one person")])
    return Person(None, "", frozenset(about))
