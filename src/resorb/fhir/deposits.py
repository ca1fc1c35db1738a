"""Measurements and changes as FHIR: an Observation for each deposit, one for each of its measures, and one report that ties them."""

from __future__ import annotations

from html import escape
from typing import Any

from ..terms.assessment import Refusal
from ..terms.change import Change, DepositChange, Difference, TotalChange
from ..terms.measurement import DepositMeasure, Measure, Measurement, SiteMeasure
from .desk import Desk
from .elements import Element, between, cited, quantity, text_only, to

# The fields of a deposit: their name, their unit, and the lab or measure whose card holds their code.
MEASURES = {
    "agatston": ("Agatston score", "AU", "agatston"),
    "volume_mm3": ("Volume, corrected for partial volume", "mm3", "volume"),
    "volume_threshold_mm3": ("Volume above the threshold", "mm3", ""),
    "mass_mg": ("Mass of hydroxyapatite, corrected for partial volume", "mg", "mass"),
    "mass_threshold_mg": ("Mass of hydroxyapatite above the threshold", "mg", ""),
    "diameter_mm": ("Largest diameter", "mm", "size"),
    "peak_hu": ("Peak attenuation", "HU", ""),
    "mean_hu": ("Mean attenuation", "HU", "density_hu"),
    "density_mg_cm3": ("Density of hydroxyapatite", "mg/cm3", ""),
    "surface_smoothness": ("Smoothness of the surface", "", ""),
    "heterogeneity": ("Heterogeneity", "", ""),
}
SUMMED = ("agatston", "volume_mm3", "volume_threshold_mm3", "mass_mg", "mass_threshold_mg")
COMPARED = ("mass_mg", "volume_mm3", "agatston", "annual_mass_mg")
ANNUAL = ("Mass of hydroxyapatite, change in a year", "mg/a", "")
INTERVAL = "95 % interval"


def of_measurement(measured: Measurement, desk: Desk) -> list[Element]:
    """Every resource of a measurement; the report comes first, then the total, the sites and the deposits."""
    found: list[Element] = []
    groups = [_sum(measured.total, "all deposits", measured, desk, found)]
    groups += [_sum(site, f"all deposits of {site.site}", measured, desk, found) for site in measured.sites]
    groups += [_deposit(deposit, measured, desk, found) for deposit in measured.deposits]
    told = [f"{e.regions} not counted, taken for {e.taken_for}: {e.why}" for e in measured.excluded]
    told += [*measured.warnings, *(f"{r.about}: {r.reason}" for r in measured.refusals)]
    summary = f"{measured.total.deposits} deposits of calcium were found. {_in_words('mass_mg', measured.total.mass_mg)}"
    return [_report("Calcium deposits on CT", summary, told, groups, desk, measured.notice), *groups, *found]


def _deposit(deposit: DepositMeasure, measured: Measurement, desk: Desk, found: list[Element]) -> Element:
    name = f"deposit {deposit.id}"
    members = [_measure(field, getattr(deposit, field), name, measured, desk) for field in MEASURES]
    found += members
    axes = zip(("left", "back", "head"), deposit.centroid_mm, strict=True)
    return {
        **desk.observation(name, code=text_only("Calcium deposit")),
        **_site(deposit.site),
        "valueString": f"deposit {deposit.id}, sure: {deposit.sure}",
        "note": [{"text": text} for text in (deposit.because, *deposit.notes) if text],
        "hasMember": [to(member) for member in members],
        "component": [{"code": text_only(f"Centre, mm to the {way}"), "valueQuantity": quantity(mm, "mm")} for way, mm in axes],
    }


def _sum(site: SiteMeasure, name: str, measured: Measurement, desk: Desk, found: list[Element]) -> Element:
    members = [_measure(field, getattr(site, field), name, measured, desk) for field in SUMMED]
    found += members
    return {
        **desk.observation("sum", name, code=text_only("Calcium deposits, added up")),
        **(_site(site.site) if site is not measured.total else {}),
        "valueQuantity": quantity(site.deposits, "{deposits}"),
        "hasMember": [to(member) for member in members],
    }


def _site(site: str | None) -> Element:
    return {"bodySite": text_only(site.replace("_", " ").replace(".", ", "))} if site else {}


def _measure(field: str, value: Measure | Refusal, name: str, measured: Measurement, desk: Desk) -> Element:
    text, unit, card = MEASURES[field]
    made = {**desk.observation(name, field, code=desk.coded(card, f"{text}: {name}")), "method": text_only(_method(field, measured))}
    if isinstance(value, Refusal):
        return {**made, "dataAbsentReason": text_only(value.reason)}
    return {**made, "valueQuantity": quantity(value.value, unit), "component": [_interval(value.low, value.high, unit)]}


def _interval(low: float, high: float, unit: str) -> Element:
    return {"code": text_only(INTERVAL), "valueRange": between(low, high, unit)}


def _method(field: str, measured: Measurement) -> str:
    if field == "agatston":
        c = measured.convention
        return f"{c.name}: {c.threshold_hu:g} HU, {c.minimum_area_mm2:g} mm2, slices of {c.slice_mm:g} mm"
    if field.startswith(("mass", "density")):
        factor = measured.calibration.mg_cm3_per_hu
        return f"{factor:.4g} mg/cm3 for each HU ({measured.calibration.source})" if factor is not None else measured.calibration.source
    return "measured on the voxels of one CT"


def _in_words(field: str, value: Any) -> str:
    text, unit, _ = MEASURES[field]
    if isinstance(value, Refusal):
        return f"{text}: not given, {value.reason}."
    return f"{text}: {value.value:.3g} {unit} (95 % interval {value.low:.3g} to {value.high:.3g})."


# --- change ---


def of_change(change: Change, desk: Desk) -> list[Element]:
    """Every resource of a comparison; the report comes first, then the total and the deposits."""
    found: list[Element] = []
    groups = [_total(change.total, desk, found), *(_changed(d, i, desk, found) for i, d in enumerate(change.deposits, 1))]
    told = [f"{d.what}: {d.baseline} before, {d.followup} after ({d.effect}): {d.says}" for d in change.comparable]
    told += [*change.warnings, *([change.alignment.failed] if change.alignment.failed else [])]
    months = f" {change.months_between:.1f} months apart" if change.months_between else ""
    summary = f"Two CTs{months}. All deposits that both show, added up: {change.total.verdict}. {change.total.why}"
    report = _report("Change of calcium deposits between two CTs", summary, told, groups, desk, change.notice)
    return [{**report, **({"extension": cited(change.sources)} if change.sources else {})}, *groups, *found]


_RULES = {
    ("limit", True): "exceeded",
    ("limit", False): "not exceeded",
    ("usual", True): "more than repeats of the unchanged usually lie apart, which is no limit",
    ("usual", False): "no more than repeats of the unchanged usually lie apart",
}


def _total(total: TotalChange, desk: Desk, found: list[Element]) -> Element:
    members = [_difference(field, getattr(total, field), "all deposits", desk) for field in COMPARED]
    found += members
    rules = [
        f"{r.name}: {_RULES[r.tells, r.exceeded]} ({r.change:.3g} against {r.limit:.3g}) {r.applies} [{r.source}]" for r in total.rules
    ]
    return {
        **desk.observation("change", "total", code=text_only("Change of all calcium deposits")),
        "valueCodeableConcept": text_only(total.verdict),
        "note": [{"text": text} for text in (total.why, *rules) if text],
        "hasMember": [to(member) for member in members],
    }


def _changed(deposit: DepositChange, number: int, desk: Desk, found: list[Element]) -> Element:
    name = f"deposit {number}"
    members = [_difference(field, getattr(deposit, field), name, desk) for field in COMPARED[:3]]
    found += members
    return {
        **desk.observation("change", name, code=text_only("Change of a calcium deposit")),
        **_site(deposit.site),
        "valueCodeableConcept": text_only(deposit.verdict),
        "note": [{"text": text} for text in (deposit.why, _ids(deposit)) if text],
        "hasMember": [to(member) for member in members],
    }


def _ids(deposit: DepositChange) -> str:
    before, after = (", ".join(map(str, ids)) if ids else "none" for ids in (deposit.baseline, deposit.followup))
    return f"deposits of the first CT: {before}; of the second: {after}"


def _difference(field: str, value: Difference | Refusal, name: str, desk: Desk) -> Element:
    text, unit, _ = ANNUAL if field == "annual_mass_mg" else MEASURES[field]
    made = desk.observation("change", name, field, code=text_only(f"{text}, change: {name}"))
    if isinstance(value, Refusal):
        return {**made, "dataAbsentReason": text_only(value.reason)}
    parts = {"before": value.before, "after": value.after, "smallest change this pair can show": value.detectable}
    shown = [{"code": text_only(part), "valueQuantity": quantity(amount, unit)} for part, amount in parts.items()]
    return {**made, "valueQuantity": quantity(value.change, unit), "component": [*shown, _interval(value.low, value.high, unit)]}


# --- the report ---


def _report(title: str, summary: str, told: list[str], groups: list[Element], desk: Desk, notice: str) -> Element:
    lines = "".join(f"<li>{escape(line)}</li>" for line in told)
    body = f"<p>{escape(summary)}</p>{f'<ul>{lines}</ul>' if lines else ''}<p>{escape(notice)}</p>"
    return {
        **desk.begin("DiagnosticReport"),
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'},
        "status": "preliminary",
        "code": text_only(title),
        "subject": desk.subject,
        **({"issued": desk.when} if desk.when else {}),
        **({"imagingStudy": list(desk.study)} if desk.study else {}),
        "result": [to(group) for group in groups],
        "conclusion": " ".join((summary, *(f"{line}." for line in told), notice)),
    }
