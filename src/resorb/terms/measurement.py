"""What `measure` answers: every deposit of one CT, each number with its 95 % interval or the reason why there is none.

Positions are LPS millimetres (x to the patient's left, y to the back, z to the head). Arrays are [slice, row, column].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from resorb.terms.assessment import Refusal
from resorb.terms.sealing import plain, sealed

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number and its 95 % interval, in the unit its field is named after."""

    value: float
    low: float
    high: float


Measured = Measure | Refusal


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """What was scanned and how. `identity` hashes the voxels and their geometry, nothing that names a person.

    `shape` is [slice, row, column]; `spacing_mm` the distance between neighbours in that order, none where it cannot be
    measured; `affine_lps` takes (slice, row, column, 1) to LPS mm, row by row. `noise_hu` is measured in the scan.
    """

    identity: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float | None, float, float]
    affine_lps: tuple[tuple[float, ...], ...]
    thickness_mm: float | None
    kvp: float | None
    kernel: str | None
    manufacturer: str | None
    contrast: str
    noise_hu: float | None
    description: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Convention:
    """The parameters of an Agatston score. Published scores differ because these do; they are always reported.

    `step_hu` are the peaks from which the weights 1, 2, 3 and 4 hold. `connectivity` is 4 or 8, within a slice.
    """

    name: str
    threshold_hu: float
    step_hu: tuple[float, float, float, float]
    minimum_area_mm2: float
    minimum_pixels: int
    connectivity: int
    slice_mm: float
    source: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """How HU above background become mg of hydroxyapatite: mg/cm3 for each HU.

    `relative_sd` is how well that factor is known (0 where the user's own phantom fixed it, and said so).
    `mg_cm3_per_hu` is none where the tube voltage has no published factor; a mass is then refused.
    """

    mg_cm3_per_hu: float | None
    relative_sd: float
    source: str


@dataclass(frozen=True, slots=True)
class DepositMeasure:
    """One deposit. `mass_mg` and `volume_mm3` correct for partial volume; the `_threshold_` ones are the plain counts.

    `sure` says how sure it is that this is calcium and not bone, contrast or metal: high, moderate or low; `because` why.
    `site_distance_mm` is 0 inside its site, the distance to it where it only lies near, none without labels.
    `surface_smoothness` is 1 for a smooth round surface and falls with roughness; `heterogeneity` is the spread of HU inside over
    its mean, noise removed: 0 for a uniform deposit. `slices` are the first and last slice, counted from 0.
    """

    id: int
    site: str | None
    site_distance_mm: float | None
    sure: str
    because: str
    centroid_mm: Point
    slices: tuple[int, int]
    agatston: Measured
    volume_mm3: Measured
    volume_threshold_mm3: Measured
    mass_mg: Measured
    mass_threshold_mg: Measured
    diameter_mm: Measured
    peak_hu: Measured
    mean_hu: Measured
    density_mg_cm3: Measured
    surface_smoothness: Measured
    heterogeneity: Measured
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteMeasure:
    """The deposits of one site, or of the whole scan, added up."""

    site: str
    deposits: int
    agatston: Measured
    volume_mm3: Measured
    volume_threshold_mm3: Measured
    mass_mg: Measured
    mass_threshold_mg: Measured


@dataclass(frozen=True, slots=True)
class Excluded:
    """Something dense that is not counted: what it is taken for, and by which rule."""

    taken_for: str
    why: str
    regions: int
    volume_mm3: float | None
    peak_hu: float
    centroid_mm: Point


@dataclass(frozen=True, slots=True)
class SmallestSeen:
    """Below what this scan cannot see: the mass found 99 times in 100 in this noise, and the size blurred away."""

    mass_mg: float | None
    diameter_mm: float | None
    how: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An 8-bit picture as PNG bytes, with outlines in its own pixels ((x, y) from the upper left corner)."""

    name: str
    caption: str
    png: bytes
    width: int
    height: int
    outlines: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()
    marks: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """What made this answer."""

    resorb: str
    scan: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """Every deposit found on one CT, the sums by site and in all, what was not counted, and what could not be said."""

    scan: ScanFacts
    deposits: tuple[DepositMeasure, ...]
    sites: tuple[SiteMeasure, ...]
    total: SiteMeasure
    excluded: tuple[Excluded, ...]
    warnings: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    convention: Convention
    calibration: Calibration
    smallest_seen: SmallestSeen
    versions: Versions
    other_series: tuple[str, ...] = ()
    notice: str = "For research and education. Not a medical device; not for the care of individual patients."
    extra: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dicts and lists, ready for JSON and sealed: a measure is {value, low, high} or {refused}."""
        refusals = [{"about": refusal.about, "refused": refusal.reason} for refusal in self.refusals]
        return sealed({**plain(self), "refusals": refusals})
