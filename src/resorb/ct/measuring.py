"""`measure`: every candidate becomes numbers with 95 % intervals, or reasons why not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resorb.ct import gauge
from resorb.ct.acquisition import contrast_in_header, is_sharp, is_standard_kvp
from resorb.ct.agatston import CONVENTIONS, DEFAULT
from resorb.ct.calibration import calibration_of
from resorb.ct.finding import find
from resorb.ct.findings import Findings
from resorb.ct.labels import Labels, box_labels, read_labels
from resorb.ct.reading import read
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan
from resorb.ct.sums import add_up, by_site
from resorb.ct.surroundings import Neighbourhood
from resorb.terms.assessment import Refusal
from resorb.terms.measurement import Calibration, Convention, Measurement, ScanFacts, SmallestSeen, Versions


@dataclass(frozen=True)
class Settings:
    """What the user may state. convention : a name of `CONVENTIONS`. calibration : own factor [mg/cm3 per HU].

    kvp : tube voltage where the header has none. contrast : "none" or "given". box : two corners x, y, z, x, y, z [LPS mm].
    """

    convention: str = DEFAULT.name
    calibration: float | None = None
    kvp: float | None = None
    contrast: str | None = None
    box: tuple[float, float, float, float, float, float] | None = None


def measure(
    scan: Scan | str | Path,
    *,
    labels: Labels | str | Path | None = None,
    settings: Settings = Settings(),
    series: str | None = None,
    findings: Findings | None = None,
) -> Measurement:
    """Every deposit of one CT: counted by definition, weighed, sized, each number with its interval or the reason why not.

    scan : a `Scan`, or the path of one (see `read`). labels : a path (NIfTI or DICOM SEG) or `Labels`; without them, everywhere.
    findings : of `find`, where they are already known. Raises `ScanRefused` for input that cannot be measured at all.
    """
    seen = scan if isinstance(scan, Scan) else read(scan, series=series)
    rules = rules_of(seen, settings)
    findings = findings or find(seen, labels_of(labels, seen, settings), contrast=settings.contrast)
    around = Neighbourhood.of(seen, findings)
    with ThreadPoolExecutor(1) as aside:
        aside.submit(lambda: seen.identity)
        deposits = tuple(gauge.deposit(i, c, around, rules) for i, c in enumerate(findings.candidates))
    doubts = _doubts(rules, findings)
    total = add_up("total", deposits, rules.calibration, doubts)
    return Measurement(
        scan_facts(seen, findings, settings),
        deposits,
        by_site(deposits, rules.calibration, doubts),
        total,
        findings.excluded,
        (*seen.warnings, *_warnings(seen, findings, settings)),
        _refusals(rules, findings),
        rules.convention,
        rules.calibration,
        smallest_seen(seen, findings, rules.calibration),
        _versions(seen),
        seen.other_series,
    )


def rules_of(scan: Scan, settings: Settings) -> gauge.Rules:
    """What may be counted on this scan, and how HU become mg. Raises `ScanRefused` for a convention nobody knows."""
    convention = CONVENTIONS.get(settings.convention)
    if convention is None:
        raise refuse("convention", repr(settings.convention), ", ".join(CONVENTIONS))
    return gauge.Rules(convention, calibration_of(scan.acquisition, settings.calibration, settings.kvp), *_restrictions(scan, settings))


def labels_of(labels: Labels | str | Path | None, scan: Scan, settings: Settings) -> Labels | None:
    """Where to look: labels as given, a box, or none."""
    if labels is not None and settings.box is not None:
        raise refuse("labels and box", "both", "one of them")
    if settings.box is not None:
        return box_labels(settings.box, scan)
    return read_labels(labels, scan) if isinstance(labels, (str, Path)) else labels


def _restrictions(scan: Scan, settings: Settings) -> tuple[str, str]:
    """Why no thresholded count, and why no volume or mass, may be given for this scan; empty where they may."""
    if scan.single_slice:
        return ("a single slice: the distance between slices is not known",) * 2
    kvp = settings.kvp if settings.kvp is not None else scan.acquisition.kvp
    if is_sharp(scan.acquisition.kernel):
        return f"the kernel {scan.acquisition.kernel} is sharp: it raises edges and noise over any threshold", ""
    if kvp is not None and not is_standard_kvp(kvp):
        return f"scanned at {kvp:g} kV: the 130 HU threshold is defined for 120 kV", ""
    return "", ""


def _doubt(findings: Findings) -> str:
    """Why sums over deposits may not be given; empty where they may."""
    if findings.contrast_seen:
        return f"{findings.contrast}: calcium and contrast cannot be told apart"
    if not findings.contrast_known and any(c.sure == "low" and not c.faint for c in findings.candidates):
        return f"{findings.contrast}: dense regions may be contrast. State it (contrast: none) if none was given"
    return ""


def _doubts(rules: gauge.Rules, findings: Findings) -> dict[str, str]:
    """For each sum, why it may not be given."""
    doubt = _doubt(findings) or rules.no_size
    mass = doubt or ("" if rules.calibration.mg_cm3_per_hu is not None else rules.calibration.source)
    counts = rules.no_counts or doubt
    return {"agatston": counts, "volume_threshold_mm3": counts, "mass_threshold_mg": counts or mass, "volume_mm3": doubt, "mass_mg": mass}


def _refusals(rules: gauge.Rules, findings: Findings) -> tuple[Refusal, ...]:
    out = []
    if reason := rules.no_counts or _doubt(findings):
        out.append(Refusal("agatston", reason))
    if rules.calibration.mg_cm3_per_hu is None:
        out.append(Refusal("mass_mg", rules.calibration.source))
    return tuple(out)


def _warnings(scan: Scan, findings: Findings, settings: Settings) -> list[str]:
    said = list(findings.warnings)
    if not findings.noise.measured:
        said.append("too little quiet tissue to measure noise in: intervals rest on a cautious 30 HU")
    thickness, spacing = scan.acquisition.thickness_mm, float(scan.spacing[0])
    if thickness and np.isfinite(spacing):
        if thickness > 1.05 * spacing:
            said.append(f"slices of {thickness:g} mm every {spacing:g} mm overlap: spacing is taken from positions")
        elif thickness < 0.95 * spacing:
            said.append(f"slices of {thickness:g} mm every {spacing:g} mm leave gaps: deposits between slices are not seen")
    if np.isfinite(spacing) and not 2.4 <= spacing <= 3.1:
        said.append(f"slices are {spacing:g} mm apart; the Agatston score was defined on 3 mm slices, and thinner ones score higher")
    if scan.acquisition.kvp is None and settings.kvp is None:
        said.append("the tube voltage is unknown: the Agatston score assumes 120 kV")
    if findings.labels is not None and findings.labels.covered < 0.99:
        said.append(f"the labels cover {100 * findings.labels.covered:.0f} % of the scan")
    return said


def scan_facts(scan: Scan, findings: Findings, settings: Settings) -> ScanFacts:
    """What was scanned and how, for the answer: as the header says, and as the user states where it says nothing."""
    spacing = [None if np.isnan(s) else float(s) for s in scan.spacing]
    a = scan.acquisition
    return ScanFacts(
        scan.identity,
        tuple(map(int, scan.hu.shape)),  # type: ignore[arg-type]
        (spacing[0], float(scan.spacing[1]), float(scan.spacing[2])),
        tuple(tuple(map(float, row)) for row in scan.affine),
        a.thickness_mm,
        a.kvp if a.kvp is not None or settings.kvp is None else float(settings.kvp),
        a.kernel,
        a.manufacturer,
        contrast_in_header(a) or findings.contrast,
        findings.noise.voxel_hu if findings.noise.measured else None,
        a.description,
        scan.source,
    )


def smallest_seen(scan: Scan, findings: Findings, calibration: Calibration) -> SmallestSeen:
    """Below what this scan cannot see: a deposit whose blurred peak would not stand out of the noise of quiet tissue."""
    if scan.single_slice:
        return SmallestSeen(None, None, "a single slice: no volume can be told")
    cell = np.array(findings.coarse.factor) * scan.spacing
    blur = np.sqrt(np.maximum(1.0, 0.0) ** 2 + cell**2 / 12 + np.where(cell < 2.5, cell**2 / 2, 0.0))
    contrast = (findings.coarse.least_z + 2.33) * findings.coarse.noise
    spread = float((2 * np.pi) ** 1.5 * np.prod(blur))
    mass = None if calibration.mg_cm3_per_hu is None else contrast * spread * calibration.mg_cm3_per_hu / 1000
    how = "found 99 times in 100 in quiet tissue at this noise, if blurred by 1 mm; smaller than the diameter, a size cannot be told"
    return SmallestSeen(mass, 2 * 1.5 * float(np.prod(np.sqrt(1.0 + scan.spacing**2 / 12)) ** (1 / 3)), how)


def _versions(scan: Scan) -> Versions:
    from resorb._version import __version__

    return Versions(__version__, scan.identity)


__all__ = ["Calibration", "Convention", "Settings", "measure"]
