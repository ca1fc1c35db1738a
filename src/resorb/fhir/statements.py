"""Diagnoses, medicines, procedures and reports: which words they say, and which they leave unknown."""

from __future__ import annotations

from typing import Any

from .codes import Meant
from .concepts import Concept, code_of, short
from .dates import first_moment, moment
from .record import Record, Said, Study
from .wire import Resource

STILL_THERE = frozenset(("", "active", "recurrence", "relapse"))
NOT_SURE = frozenset(("unconfirmed", "provisional", "differential"))
TAKEN = {"MedicationRequest": ("active",), "MedicationStatement": ("active",), "MedicationUsage": ("recorded",)}
ORDERS = frozenset(("", "order", "original-order", "reflex-order", "filler-order", "instance-order"))
REPORTED = frozenset(("final", "amended", "corrected", "appended", "preliminary", "partial"))
HAPPENED = "exposure"  # the group of words that stay true once they happened


def condition(resource: Resource, reference: str, record: Record) -> None:
    """A diagnosis: refuted is not there, unconfirmed is not known, resolved says nothing of now unless it is a thing that happened."""
    concept = record.index.concept(resource.get("code"))
    entry = f"Condition {concept.told}"
    when = moment(resource.get("recordedDate")) or first_moment(
        resource.get("assertedDate"), resource.get("onsetDateTime"), resource.get("onsetPeriod")
    )
    verified = code_of(resource.get("verificationStatus"))
    state = code_of(resource.get("clinicalStatus")) or ("resolved" if "abatementDateTime" in resource else "")
    if verified == "entered-in-error":
        record.pass_over(entry, "it was entered in error", reference)
        return
    if record.late(when):
        record.pass_over(entry, f"it is later than {record.until}", reference)
        return
    meant = concept.diagnosis
    kind = "" if any(record.index.group[m.word] == "diagnosis" for m in meant) else concept.kind
    if kind:
        record.pass_over(entry, f"it names {kind}: a kind is weighed against the others, not taken over", reference)
    if not meant:
        if not kind:
            why = "no card knows this code" if concept.codings else "it has no code, and its text is no word of a card"
            record.pass_over(entry, why, reference)
    elif verified == "refuted":
        record.say(meant, False, when, entry, reference)
    elif verified in NOT_SURE:
        record.say(meant, None, when, entry, reference)
    else:
        _still(meant, state, when, entry, reference, record)
        _where(resource, meant, when, entry, reference, record)


def _still(meant: tuple[Meant, ...], state: str, when: str | None, entry: str, reference: str, record: Record) -> None:
    lasting = meant if state in STILL_THERE else tuple(m for m in meant if record.index.group[m.word] == HAPPENED)
    record.say(lasting, True, when, entry, reference)
    if len(lasting) < len(meant):
        record.pass_over(entry, f"it is {short(state)}: whether it is there now is not known", reference)


def _where(resource: Resource, meant: tuple[Meant, ...], when: str | None, entry: str, reference: str, record: Record) -> None:
    """The body site of a diagnosis that speaks of a deposit."""
    if any(record.index.group[m.word] == "finding" and m.present for m in meant):
        for site in resource.get("bodySite") or ():
            record.say(record.index.concept(site).of("site"), True, when, entry, reference)


def medication(resource: Resource, reference: str, record: Record) -> None:
    """A medicine that is taken now; one stopped, planned or on hold says nothing of now."""
    kind = str(resource["resourceType"])
    concept = record.index.concept(_medicine(resource, record))
    entry = f"{kind} {concept.told}"
    status, intent = str(resource.get("status") or ""), str(resource.get("intent") or "")
    when = moment(resource.get("authoredOn")) or first_moment(
        resource.get("dateAsserted"), resource.get("effectiveDateTime"), resource.get("effectivePeriod")
    )
    if status != "entered-in-error" and record.late(when):
        record.pass_over(entry, f"it is later than {record.until}", reference)
        return
    meant = concept.medicines
    if not meant:
        record.pass_over(entry, "no card knows this medicine", reference)
    elif status == "not-taken":
        record.say(meant, False, when, entry, reference)
    elif status not in TAKEN[kind] or resource.get("doNotPerform") is True:
        record.pass_over(entry, f"its status is {short(status) or 'not said'}: not taken now by this entry", reference)
    elif intent not in ORDERS:
        record.pass_over(entry, f"it is a {short(intent)}, not an order", reference)
    else:
        record.say(meant, True, when, entry, reference)


def _medicine(resource: Resource, record: Record) -> Any:
    """The medicine's concept: given, or that of the Medication it refers to."""
    given = resource.get("medicationCodeableConcept") or resource.get("medication")
    if isinstance(given, dict) and "concept" in given:  # R5
        return given["concept"]
    refers = resource.get("medicationReference") or (given if isinstance(given, dict) and "reference" in given else None)
    if not isinstance(refers, dict):
        return given
    target = str(refers.get("reference") or "")
    inside = {f"#{c.get('id')}": c for c in resource.get("contained") or () if isinstance(c, dict)}
    found = inside.get(target) or record.shelf.get(target)
    return found.get("code") if found else {"text": refers.get("display") or "a medicine that is not in the record"}


def procedure(resource: Resource, reference: str, record: Record) -> None:
    """What was done: an option used on the deposit, or a thing that happened to the person."""
    concept = record.index.concept(resource.get("code"))
    entry = f"Procedure {concept.told}"
    status = str(resource.get("status") or "")
    when = first_moment(resource.get("performedDateTime"), resource.get("performedPeriod"), resource.get("occurrenceDateTime"))
    if status not in ("completed", "in-progress"):
        record.pass_over(entry, f"its status is {short(status) or 'not said'}", reference)
        return
    if record.late(when):
        record.pass_over(entry, f"it is later than {record.until}", reference)
        return
    options = concept.options if status == "completed" else ()
    meant = concept.meant
    for option in options:
        record.deeds.setdefault(option, []).append(Said(True, when, entry, reference))
    record.say(meant, True, when, entry, reference)
    if not options and not meant:
        record.pass_over(entry, "no card knows this code", reference)


def report(resource: Resource, reference: str, record: Record) -> None:
    """The coded conclusions of a report. Its results are read as the Observations they are; its text is not read."""
    entry = f"DiagnosticReport {record.index.concept(resource.get('code')).told}"
    status = str(resource.get("status") or "")
    when = first_moment(resource.get("effectiveDateTime"), resource.get("effectivePeriod"), resource.get("issued"))
    if status not in REPORTED:
        record.pass_over(entry, f"its status is {short(status) or 'not said'}", reference)
    elif record.late(when):
        record.pass_over(entry, f"it is later than {record.until}", reference)
    else:
        conclusions = resource.get("conclusionCode") or ()
        meant = tuple(m for c in conclusions for m in record.index.concept(c).meant)
        record.say(meant, True, when, entry, reference)
        if meant:
            _studies_of(resource, record)
        else:
            why = "no card knows its coded conclusion" if conclusions else "it has no coded conclusion; its text is not read"
            record.pass_over(entry, why, reference)


def _studies_of(resource: Resource, record: Record) -> None:
    for study in resource.get("imagingStudy") or resource.get("study") or ():
        record.speaks_of(study)


def imaging(resource: Resource, reference: str, record: Record) -> None:
    """An imaging study is judged last: whether it shows the deposit is only known by what else refers to it."""
    when = first_moment(resource.get("started"))
    if record.late(when):
        record.pass_over("ImagingStudy", f"it is later than {record.until}", reference)
    elif resource.get("status") in ("entered-in-error", "cancelled", "registered"):
        record.pass_over("ImagingStudy", f"its status is {short(resource['status'])}", reference)
    else:
        parts = [resource, *(s for s in resource.get("series") or () if isinstance(s, dict))]
        seen = dict.fromkeys(m for part in parts for c in _each(part.get("modality"), record) for m in c.of("modality"))
        where = dict.fromkeys(m for part in parts for c in _each(part.get("bodySite"), record) for m in c.of("site"))
        record.studies.append(Study(tuple(seen), tuple(where), when, reference))


def _each(value: Any, record: Record) -> list[Concept]:
    return [record.index.concept(one) for one in (value if isinstance(value, list) else [value])]
