"""A measurement as plain text: one line a deposit, sums, what was left out, and why."""

from __future__ import annotations

from resorb.terms.assessment import Refusal
from resorb.terms.measurement import DepositMeasure, Measured, Measurement, SiteMeasure

COLUMNS = (
    ("agatston", "Agatston", 1),
    ("mass_mg", "mass mg", 2),
    ("volume_mm3", "volume mm3", 1),
    ("diameter_mm", "diameter mm", 1),
    ("peak_hu", "peak HU", 0),
    ("density_mg_cm3", "mg/cm3", 0),
)


def cell(measured: Measured, digits: int) -> str:
    """Value [low, high], or a dash where it is refused (the reason is told below the table)."""
    if isinstance(measured, Refusal):
        return "-"
    return f"{measured.value:.{digits}f} [{measured.low:.{digits}f}, {measured.high:.{digits}f}]"


def measurement_text(measurement: Measurement) -> str:
    """The whole answer for a terminal."""
    lines = [_head(measurement), ""]
    lines += _table(measurement)
    lines += ["", *_reasons(measurement), *_left_out(measurement)]
    lines += [f"warning: {said}" for said in measurement.warnings]
    lines += [f"other series: {said}" for said in measurement.other_series]
    lines += ["", measurement.notice]
    return "\n".join(lines) + "\n"


def _head(m: Measurement) -> str:
    noise = "noise not measured" if m.scan.noise_hu is None else f"noise {m.scan.noise_hu:.0f} HU"
    kvp = "kV not stated" if m.scan.kvp is None else f"{m.scan.kvp:g} kV"
    return f"{m.scan.source}: {' x '.join(map(str, m.scan.shape))} voxels, {kvp}, {noise}; contrast: {m.scan.contrast or 'not stated'}"


def _table(m: Measurement) -> list[str]:
    head = ["id", "site", *(title for _, title, _ in COLUMNS), "centre x, y, z (LPS mm)", "sure"]
    rows = [
        [str(d.id), _site(d), *(cell(getattr(d, n), k) for n, _, k in COLUMNS), ", ".join(f"{c:.1f}" for c in d.centroid_mm), d.sure]
        for d in m.deposits
    ]
    sums = (*m.sites, m.total) if len(m.sites) > 1 else (m.total,)
    rows += [["", f"{s.site} ({s.deposits})", *(_sum_cell(s, n, k) for n, _, k in COLUMNS), "", ""] for s in sums]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]


def _site(d: DepositMeasure) -> str:
    if d.site is None:
        return "-"
    return d.site if not d.site_distance_mm else f"{d.site} ({d.site_distance_mm:.1f} mm off)"


def _sum_cell(s: SiteMeasure, name: str, digits: int) -> str:
    return cell(getattr(s, name), digits) if hasattr(s, name) else ""


def _reasons(m: Measurement) -> list[str]:
    """Each reason for a dash once, with what it concerns."""
    found: dict[str, list[str]] = {}
    for d in m.deposits:
        for name, _, _ in COLUMNS:
            measured = getattr(d, name)
            if isinstance(measured, Refusal):
                found.setdefault(measured.reason, []).append(f"{name} of {d.id}")
    for name, _, _ in COLUMNS:
        measured = getattr(m.total, name, None)
        if isinstance(measured, Refusal):
            found.setdefault(measured.reason, []).append(f"{name} in total")
    said = [f"cannot say {what[0]}{f' and {len(what) - 1} more' if len(what) > 1 else ''}: {reason}" for reason, what in found.items()]
    return said + [f"cannot say {r.about}: {r.reason}" for r in m.refusals if r.reason not in found]


def _left_out(m: Measurement) -> list[str]:
    out = []
    for e in m.excluded:
        volume = "" if e.volume_mm3 is None else f", {e.volume_mm3:.0f} mm3"
        out.append(f"not counted: {e.regions} x {e.taken_for} (to {e.peak_hu:.0f} HU{volume}): {e.why}")
    return out
