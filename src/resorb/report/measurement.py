"""A measurement as an HTML page: the pictures, the table, the acquisition, what was left out and what cannot be said."""

from __future__ import annotations

from resorb.report.as_html import environment
from resorb.report.measurement_text import COLUMNS, cell
from resorb.terms.assessment import Refusal
from resorb.terms.measurement import DepositMeasure, Measurement, Picture, SiteMeasure


def measurement_html(measurement: Measurement, pictures: tuple[Picture, ...] = ()) -> str:
    """One page that needs nothing else: pictures are inside, and nothing is fetched."""
    return str(
        environment().get_template("measurement.html").render(
            m=measurement,
            columns=COLUMNS,
            cell=cell,
            reasons=_reasons,
            overviews=[p for p in pictures if p.name.startswith("mip")],
            deposits=[p for p in pictures if p.name.startswith("deposit")],
            facts=_facts(measurement),
            sums=[*measurement.sites, measurement.total],
        )
    )  # fmt: skip


def _reasons(row: DepositMeasure | SiteMeasure) -> list[tuple[str, str]]:
    """Each reason for a dash in one row, with the columns it concerns."""
    found: dict[str, list[str]] = {}
    for name, title, _ in COLUMNS:
        measured = getattr(row, name, None)
        if isinstance(measured, Refusal):
            found.setdefault(measured.reason, []).append(title)
    return [(reason, ", ".join(titles)) for reason, titles in found.items()]


def _facts(measurement: Measurement) -> list[tuple[str, str]]:
    """The acquisition and the conventions, in words."""
    scan, convention = measurement.scan, measurement.convention
    spacing = " x ".join("unknown" if s is None else f"{s:.4g}" for s in scan.spacing_mm)
    return [
        ("Scan", f"{scan.description or 'no description'} ({scan.source})"),
        ("Voxels", f"{' x '.join(map(str, scan.shape))} [slice, row, column], {spacing} mm"),
        ("Slice thickness", "not stated" if scan.thickness_mm is None else f"{scan.thickness_mm:g} mm"),
        ("Tube voltage", "not stated" if scan.kvp is None else f"{scan.kvp:g} kV"),
        ("Kernel", scan.kernel or "not stated"),
        ("Scanner", scan.manufacturer or "not stated"),
        ("Contrast", scan.contrast),
        ("Noise", "could not be measured" if scan.noise_hu is None else f"{scan.noise_hu:.1f} HU, measured in this scan"),
        (
            "Agatston convention",
            f"{convention.name}: from {convention.threshold_hu:g} HU, at least {convention.minimum_area_mm2:g} mm2 "
            f"and {convention.minimum_pixels} pixel, {convention.connectivity} neighbours, spacing over {convention.slice_mm:g} mm",
        ),
        ("Mass calibration", _calibration(measurement)),
        ("Smallest that can be seen", _smallest(measurement)),
        ("Identity", f"{scan.identity}, resorb {measurement.versions.resorb}"),
    ]


def _calibration(measurement: Measurement) -> str:
    factor = measurement.calibration.mg_cm3_per_hu
    return f"{'none' if factor is None else f'{factor:.4g}'} mg/cm3 per HU: {measurement.calibration.source}"


def _smallest(measurement: Measurement) -> str:
    seen = measurement.smallest_seen
    mass = "no mass" if seen.mass_mg is None else f"{seen.mass_mg:.2g} mg"
    return f"{mass}, size from {seen.diameter_mm:.2g} mm: {seen.how}" if seen.diameter_mm else seen.how
