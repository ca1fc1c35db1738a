"""Numbers as DICOM writes them: value, UCUM unit, uncertainty; a refused one is left out, and the remarks say why."""

from __future__ import annotations

from typing import Any

from resorb.pacs import codes
from resorb.pacs.codes import Concept
from resorb.terms.assessment import Refusal
from resorb.terms.change import DepositChange, Difference, TotalChange
from resorb.terms.measurement import DepositMeasure, Measure, SiteMeasure

DIGITS = 8


def measured_items(row: DepositMeasure | SiteMeasure) -> list[Any]:
    """The measures of a deposit or a sum, each with the distance to both ends of its 95 % interval."""
    count = [item(codes.COUNT, float(row.deposits))] if isinstance(row, SiteMeasure) else []
    found = ((concept, getattr(row, name, None)) for name, concept in codes.MEASURES.items())
    return count + [item(concept, m.value, (m.low, m.high)) for concept, m in found if isinstance(m, Measure)]


def refused(row: DepositMeasure | SiteMeasure) -> dict[str, list[str]]:
    """Each reason why measures are not given, with their names."""
    found: dict[str, list[str]] = {}
    for name, concept in codes.MEASURES.items():
        if isinstance(measured := getattr(row, name, None), Refusal):
            found.setdefault(measured.reason, []).append(concept.name.meaning)
    return found


def changed(pair: DepositChange | TotalChange) -> list[Any]:
    """The changes of a deposit or of the total, and the smallest change that this pair could show."""
    out = []
    for name, concept in codes.CHANGES.items():
        difference = getattr(pair, name, None)
        if isinstance(difference, Difference):
            out.append(item(concept, difference.change, (difference.low, difference.high)))
            if name in codes.DETECTABLE:
                out.append(item(codes.DETECTABLE[name], difference.detectable))
    return out


def verdict(word: str) -> Any:
    """A verdict as a coded evaluation."""
    from highdicom.sr import QualitativeEvaluation

    return QualitativeEvaluation(codes.VERDICT.code, codes.VERDICTS[word].code)


def item(concept: Concept, value: float, interval: tuple[float, float] | None = None) -> Any:
    """One number with its concept, unit and method."""
    from highdicom.sr import CodedConcept, Measurement, MeasurementProperties

    spread = None
    if interval is not None:
        below, above = (rounded(max(0.0, value - interval[0])), rounded(max(0.0, interval[1] - value)))
        spread = MeasurementProperties(upper_measurement_uncertainty=above, lower_measurement_uncertainty=below)
        for end in spread:  # an uncertainty has the unit of what it belongs to; the library writes none
            end.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [CodedConcept.from_code(concept.unit.code)]
    return Measurement(
        name=concept.name.code,
        value=rounded(value),
        unit=concept.unit.code,
        method=concept.method.code if concept.method else None,
        properties=spread,
    )


def rounded(value: float) -> float:
    """As many digits as the JSON has."""
    return float(f"{value:.{DIGITS}g}")
