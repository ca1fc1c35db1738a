"""Numbers as DICOM writes them: value, UCUM unit, uncertainty; a refused one is left out, and the remarks say why."""

from __future__ import annotations

from functools import cache
from typing import Any

from resorb.pacs import codes
from resorb.pacs.codes import Concept
from resorb.terms.assessment import Refusal
from resorb.terms.change import DepositChange, Difference, TotalChange
from resorb.terms.measurement import DepositMeasure, Measure, SiteMeasure

DIGITS = 8
OWN = ("MeasuredValueSequence", "ContentSequence", "NumericValue", "FloatingPointValue")


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
    """One number with its concept, unit and method, as a content item."""
    from highdicom.sr import ContentSequence

    mould = _mould(concept, interval is not None)
    made = _with_number(mould, rounded(value))
    about = list(mould.get("ContentSequence", ()))
    if interval is not None:
        above, below = rounded(max(0.0, interval[1] - value)), rounded(max(0.0, value - interval[0]))
        about[-2:] = [_with_number(about[-2], above), _with_number(about[-1], below)]
    if about:
        made.ContentSequence = ContentSequence(about)
    return made


@cache
def _mould(concept: Concept, uncertain: bool) -> Any:
    """The library's own item for a concept. It is made once: the items of a report differ in their numbers alone."""
    from highdicom.sr import Measurement, MeasurementProperties

    spread = MeasurementProperties(upper_measurement_uncertainty=1.0, lower_measurement_uncertainty=1.0) if uncertain else None
    for end in spread or ():  # an uncertainty has the unit of what it belongs to; the library writes none
        end.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [concept.unit.code]
    method = concept.method.code if concept.method else None
    return Measurement(name=concept.name.code, value=1.0, unit=concept.unit.code, method=method, properties=spread)[0]


def _with_number(mould: Any, value: float) -> Any:
    """The same item with another number; the elements that do not change are shared."""
    from pydicom import Dataset
    from pydicom.valuerep import DS

    kept = [{tag: e for tag, e in old.items() if e.keyword not in OWN} for old in (mould, mould.MeasuredValueSequence[0])]
    made, number = Dataset(kept[0]), Dataset(kept[1])
    made.__class__ = type(mould)
    number.NumericValue, number.FloatingPointValue = DS(value, auto_format=True), value
    made.MeasuredValueSequence = [number]
    return made


def rounded(value: float) -> float:
    """As many digits as the JSON has."""
    return float(f"{value:.{DIGITS}g}")
