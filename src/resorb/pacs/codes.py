"""The codes: each measure's concept, method and unit (UCUM), and the private ones where no standard code says the same.

Standard codes are those of PS3.16. The private scheme is 99RESORB; the conformance statement lists it whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from resorb.terms.verdict import Verdict

SCHEME = "99RESORB"


@dataclass(frozen=True, slots=True)
class Coded:
    """A code as DICOM writes it: value, scheme, meaning."""

    value: str
    scheme: str
    meaning: str

    @property
    def code(self) -> Any:
        """The same as the library's data set; one for all that say it, since a report says few codes thousands of times."""
        return _data_set(self)


@cache
def _data_set(coded: Coded) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(coded.value, coded.scheme, coded.meaning)


@dataclass(frozen=True, slots=True)
class Concept:
    """How a measure is said: what it is, by which method, in which unit, and of what dimension the unit must be."""

    name: Coded
    unit: Coded
    method: Coded | None = None
    dimension: str = ""


def _own(value: str, meaning: str) -> Coded:
    return Coded(value, SCHEME, meaning)


NO_UNIT = Coded("1", "UCUM", "no units")
MM3 = Coded("mm3", "UCUM", "cubic millimeter")
MM = Coded("mm", "UCUM", "millimeter")
MG = Coded("mg", "UCUM", "milligram")
MG_PER_YEAR = Coded("mg/a", "UCUM", "milligram per year")
HU = Coded("[hnsf'U]", "UCUM", "Hounsfield unit")
MG_CM3 = Coded("mg/cm3", "UCUM", "mg/cm^3")

AGATSTON = Coded("112055", "DCM", "Agatston scoring method")
BY_VOLUME = Coded("112056", "DCM", "Volume scoring method")
BY_MASS = Coded("112057", "DCM", "Mass scoring method")

MEASURES: Mapping[str, Concept] = {
    "agatston": Concept(Coded("112058", "DCM", "Calcium score"), NO_UNIT, AGATSTON, "score"),
    "volume_mm3": Concept(Coded("118565006", "SCT", "Volume"), MM3, None, "volume"),
    "volume_threshold_mm3": Concept(Coded("122660", "DCM", "Calcium Volume"), MM3, BY_VOLUME, "volume"),
    "mass_mg": Concept(Coded("118538004", "SCT", "Mass"), MG, None, "mass"),
    "mass_threshold_mg": Concept(Coded("122661", "DCM", "Calcium Mass"), MG, BY_MASS, "mass"),
    "diameter_mm": Concept(Coded("81827009", "SCT", "Diameter"), MM, None, "length"),
    "peak_hu": Concept(Coded("112180", "DCM", "Maximum Attenuation Coefficient"), HU, None, "attenuation"),
    "mean_hu": Concept(Coded("112181", "DCM", "Mean Attenuation Coefficient"), HU, None, "attenuation"),
    "density_mg_cm3": Concept(_own("density", "Hydroxyapatite equivalent density"), MG_CM3, None, "density"),
    "surface_smoothness": Concept(_own("smoothness", "Volume over volume of the convex hull"), NO_UNIT, None, "ratio"),
    "heterogeneity": Concept(_own("heterogeneity", "Spread of attenuation over its mean"), NO_UNIT, None, "ratio"),
}
COUNT = Concept(Coded("246206008", "SCT", "Number of lesions"), NO_UNIT, None, "count")
CHANGES: Mapping[str, Concept] = {
    "mass_mg": Concept(_own("change_mass", "Change of mass since baseline"), MG, None, "mass"),
    "volume_mm3": Concept(_own("change_volume", "Change of volume since baseline"), MM3, None, "volume"),
    "agatston": Concept(_own("change_agatston", "Change of calcium score since baseline"), NO_UNIT, AGATSTON, "score"),
    "annual_mass_mg": Concept(_own("annual_mass", "Change of mass in a year"), MG_PER_YEAR, None, "mass rate"),
}
DETECTABLE: Mapping[str, Concept] = {
    "mass_mg": Concept(_own("detect_mass", "Smallest detectable change of mass"), MG, None, "mass"),
    "volume_mm3": Concept(_own("detect_volume", "Smallest detectable change of volume"), MM3, None, "volume"),
    "agatston": Concept(_own("detect_agatston", "Smallest detectable change of calcium score"), NO_UNIT, AGATSTON, "score"),
}

CALCIFICATION = Coded("18115005", "SCT", "Pathologic calcification, calcified structure")
ABNORMAL = Coded("49755003", "SCT", "Morphologically Abnormal Structure")
CERTAINTY = Coded("111012", "DCM", "Certainty of Finding")
SURE = {level: _own(f"sure_{level}", f"{level} certainty that this is calcium") for level in ("high", "moderate", "low")}
VERDICT = _own("verdict", "Change since baseline")
VERDICTS: Mapping[str, Coded] = {word: _own(word.replace(" ", "_"), word) for word in get_args(Verdict)}
COMMENT = Coded("121106", "DCM", "Comment")
TITLE = Coded("126000", "DCM", "Imaging Measurement Report")
CT_PROCEDURE = Coded("25045-6", "LN", "CT unspecified body region")
EVALUATIONS = Coded("C0034375", "UMLS", "Qualitative Evaluations")
UNKNOWN = Coded("114010", "DCM", "Value unknown")
FAMILY = Coded("123104", "DCM", "Morphological Operations")


def private_codes() -> list[Coded]:
    """Every code of our own scheme, for the conformance statement and its test."""
    concepts = [c.name for table in (MEASURES, CHANGES, DETECTABLE) for c in table.values()]
    everything = [*concepts, *SURE.values(), VERDICT, *VERDICTS.values()]
    return sorted({c.value: c for c in everything if c.scheme == SCHEME}.values(), key=lambda c: c.value)
