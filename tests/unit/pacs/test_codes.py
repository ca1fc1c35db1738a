"""Each number has the unit that fits what it is; validators of the format do not look at that. Standard codes are the standard's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.sr._concepts_dict import concepts

from resorb.pacs import codes
from resorb.pacs.codes import CHANGES, COUNT, DETECTABLE, MEASURES, Concept
from tests.unit.pacs.conftest import measured  # noqa: F401  (skips without the libraries)

FITS = {
    "score": {"1"}, "ratio": {"1"}, "count": {"1"}, "volume": {"mm3"}, "mass": {"mg"}, "length": {"mm"}, "attenuation": {"[hnsf'U]"},
    "density": {"mg/cm3"}, "mass rate": {"mg/a"},
}  # fmt: skip
ALL = [*MEASURES.values(), *CHANGES.values(), *DETECTABLE.values(), COUNT]
FIELD_UNITS = {"_mm3": "mm3", "_mg": "mg", "_mm": "mm", "_hu": "[hnsf'U]", "_mg_cm3": "mg/cm3"}


@pytest.mark.parametrize("concept", ALL, ids=lambda c: c.name.value)
def test_a_unit_fits_its_concept(concept: Concept) -> None:
    assert concept.unit.value in FITS[concept.dimension]
    assert concept.unit.scheme == "UCUM"


@pytest.mark.parametrize("name", MEASURES)
def test_a_unit_is_the_one_the_field_is_named_after(name: str) -> None:
    ending = max((e for e in FIELD_UNITS if name.endswith(e)), key=len, default=None)
    assert MEASURES[name].unit.value == (FIELD_UNITS[ending] if ending else "1")


def _numbers(items: Any, above: str = "") -> Iterator[tuple[Any, Any]]:
    for item in items:
        if item.ValueType == "NUM":
            yield item, above
        yield from _numbers(item.get("ContentSequence", []), item)


def test_in_a_report_every_number_and_uncertainty_has_the_unit_of_its_concept(objects: tuple[Any, ...]) -> None:
    (sr,) = (o for o in objects if o.Modality == "SR")
    units = {(c.name.scheme, c.name.value): c.unit.value for c in ALL}
    seen = uncertain = 0
    for item, above in _numbers(sr.ContentSequence):
        name = item.ConceptNameCodeSequence[0]
        unit = item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue
        if above.get("ValueType") == "NUM":  # a property of the number above it
            uncertain += 1
            name = above.ConceptNameCodeSequence[0]
        assert unit == units[name.CodingSchemeDesignator, name.CodeValue]
        seen += 1
    assert seen > 40
    assert uncertain > 30


def test_standard_codes_are_those_of_the_standard() -> None:
    known = {(scheme, code): meanings for scheme, words in concepts.items() for found in words.values() for code, meanings in found.items()}
    mine = [c.name for c in ALL] + [c.unit for c in ALL] + [c.method for c in ALL if c.method]
    mine += [v for v in vars(codes).values() if isinstance(v, codes.Coded)]
    without = {"mg", "mg/a", "C0034375"}  # UCUM units and a UMLS concept that the dictionary does not list
    missing = {c.value for c in mine if c.scheme != codes.SCHEME and (c.scheme, c.value) not in known}
    assert missing == without
    for c in mine:
        if (c.scheme, c.value) in known and c.scheme == "DCM":
            assert known[c.scheme, c.value][0].lower() == c.meaning.lower()


def test_codes_fit_into_their_elements() -> None:
    for c in codes.private_codes():
        assert len(c.value) <= 16
        assert len(c.meaning) <= 64
