"""What the resources of one bundle share, and the record they rest on."""

from __future__ import annotations

from ..evidence.library import Library
from ..terms.assessment import Assessment
from ..terms.case import Use
from ..terms.change import Change
from ..terms.measurement import Measurement
from .elements import Element, made_id, to

Result = Assessment | Measurement | Change
DICOM = "http://dicom.nema.org/resources/ontology/DCM"


class Desk:
    """What all resources of one bundle share: who it is about, when, by which program, and how their ids are made."""

    def __init__(self, seed: str, subject: Element, when: str | None, study: tuple[Element, ...], library: Library) -> None:
        self.seed, self.subject, self.when, self.study, self.library = seed, subject, when, study, library
        self.device: Element = {}

    def begin(self, kind: str, *what: str) -> Element:
        """A resource with its type and its id."""
        return {"resourceType": kind, "id": made_id(self.seed, kind, *what)}

    def observation(self, *what: str, code: Element, derived: bool = True) -> Element:
        """An Observation with what all of them carry."""
        return {
            **self.begin("Observation", *what),
            "status": "preliminary",
            "code": code,
            "subject": self.subject,
            **({"issued": self.when} if self.when else {}),
            **({"derivedFrom": list(self.study)} if derived and self.study else {}),
            "device": to(self.device),
        }

    def coded(self, card_id: str, text: str) -> Element:
        """The code of a lab or measure, as its card has it."""
        card = self.library.quantities.get(card_id)
        codings = [{"system": DICOM, "code": code} for code in (card.codes.get("dicom", ()) if card else ())]
        return {**({"coding": codings} if codings else {}), "text": text}


def read_from(result: Result) -> tuple[Use, ...]:
    """The entries of the record that an answer was made from; none for the others."""
    return result.read_from if isinstance(result, Assessment) else ()


def used(result: Result) -> list[Element]:
    """References to the entries of a record that the answer rests on."""
    found = {u.reference: None for u in read_from(result) if u.used and "/" in u.reference and " " not in u.reference}
    return [{"reference": reference} for reference in found]
