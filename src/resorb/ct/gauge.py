"""The numbers of one deposit. Each is a `Measure` with its 95 % interval, or a `Refusal`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from resorb.ct.agatston import agatston
from resorb.ct.extent import Extent, blurred_sphere, extent_of
from resorb.ct.findings import Candidate
from resorb.ct.rescan import interval, rescans
from resorb.ct.surroundings import Neighbourhood, Surroundings
from resorb.terms.assessment import Refusal
from resorb.terms.measurement import Calibration, Convention, DepositMeasure, Measure, Measured

Z_95 = 1.96
SHARED_SHARE = 0.03
MODEL_RATIO_SD, MODEL_RATIO_SD_PER_MM = 0.012, 0.012
SIZE_SD = 0.02
LEAST_LOWER_RATIO = 0.52
SHAPE_SD, SHAPE_FROM = 0.2, 0.65
STEP_SD_MM = 0.16
DEEP_MM = 1.5
FEWEST_DEEP = 12


@dataclass(frozen=True)
class Rules:
    """What holds for the whole scan. no_counts, no_size : why thresholded counts, or volumes and masses, are refused; or empty."""

    convention: Convention
    calibration: Calibration
    no_counts: str
    no_size: str


def deposit(number: int, candidate: Candidate, around: Neighbourhood, rules: Rules) -> DepositMeasure:
    """All numbers of one deposit; `number` counts from 0."""
    scan = around.scan
    at = np.stack(np.unravel_index(candidate.flat, scan.hu.shape), 1)
    values = scan.hu.reshape(-1)[candidate.flat].astype(np.float64)
    if scan.single_slice:
        measures, background = _flat(values, around.noise.voxel_hu, rules), 0.0
        notes: tuple[str, ...] = ()
    else:
        here = around.around(number, candidate)
        measures, background = _solid(here, candidate, rules), here.background
        notes = _notes(here)
    share = np.maximum(values - background, 1.0)
    x, y, z = (float(v) for v in scan.to_lps((at * share[:, None]).sum(0)[None] / share.sum())[0])
    return DepositMeasure(
        id=number + 1,
        site=candidate.site,
        site_distance_mm=candidate.site_distance_mm,
        sure=candidate.sure,
        because=candidate.because,
        centroid_mm=(x, y, z),
        slices=(int(at[:, 0].min()), int(at[:, 0].max())),
        notes=(*candidate.notes, *notes),
        **measures,
    )


def _solid(here: Surroundings, candidate: Candidate, rules: Rules) -> dict[str, Measured]:
    """Every measure of a deposit that lies in a volume."""
    total, total_sd = _contrast_sum(here)
    size = extent_of(here, total)
    volume, diameter = _volume_and_diameter(here, size, total, total_sd)
    smooth, uneven = _texture(here, size)
    return {
        **_counts(here, candidate, rules),
        "mass_mg": _mass(total, total_sd, rules),
        "volume_mm3": volume,
        "diameter_mm": diameter,
        "density_mg_cm3": _density(total, total_sd, volume, rules),
        "surface_smoothness": smooth,
        "heterogeneity": uneven,
    }


def _flat(values: NDArray[Any], noise: float, rules: Rules) -> dict[str, Measured]:
    """A single slice has a peak and a mean; nothing that needs a volume."""
    names = ("agatston", "volume_mm3", "volume_threshold_mm3", "mass_mg", "mass_threshold_mg", "diameter_mm", "density_mg_cm3")
    out: dict[str, Measured] = {name: Refusal(name, rules.no_size) for name in (*names, "surface_smoothness", "heterogeneity")}
    peak, mean, few = float(values.max()), float(values.mean()), noise / math.sqrt(len(values))
    out["peak_hu"] = Measure(peak, peak - Z_95 * noise, peak + Z_95 * noise)
    out["mean_hu"] = Measure(mean, mean - Z_95 * few, mean + Z_95 * few)
    return out


def _contrast_sum(here: Surroundings) -> tuple[float, float]:
    """Sum of HU above background x voxel volume, and its standard deviation. [HU mm3]

    Blur moves contrast about but keeps its sum, so this is free of partial volume: no threshold enters.
    """
    voxels = int(here.own.sum())
    total = float(here.above.sum()) * here.voxel_mm3
    noise = here.noise_hu * math.sqrt(voxels * here.together)
    background = voxels * here.background_sd
    sd = math.hypot(noise, background) * here.voxel_mm3
    return total, math.hypot(sd, SHARED_SHARE * abs(total)) if here.shared else sd


def _mass(total: float, sd: float, rules: Rules) -> Measured:
    factor = rules.calibration.mg_cm3_per_hu
    if factor is None:
        return Refusal("mass_mg", rules.calibration.source)
    if total <= sd:
        return Refusal("mass_mg", "not told apart from the noise of its surroundings")
    value = total * factor / 1000
    reach = Z_95 * math.hypot(sd * factor / 1000, value * rules.calibration.relative_sd)
    return Measure(value, max(0.0, value - reach), value + reach)


def _counts(here: Surroundings, candidate: Candidate, rules: Rules) -> dict[str, Measured]:
    """What counting gives, by definition, with the spread of rescans."""
    names = ("agatston", "volume_threshold_mm3", "mass_threshold_mg", "mean_hu")
    spacing = float(here.spacing[0])
    repeats = rescans(here, spacing, rules.convention, int(candidate.flat[0]) % 2**32)
    dense = here.core & (here.hu >= rules.convention.threshold_hu)
    peak = float(here.hu[here.core].max())
    out: dict[str, Measured] = {"peak_hu": _spread(peak, repeats.peak)}
    if rules.no_counts:
        return out | {name: Refusal(name, rules.no_counts) for name in names}
    voxels, hu_sum = int(dense.sum()), float(here.hu[dense].sum())
    score = agatston(here.hu, dense, float(here.spacing[1] * here.spacing[2]), spacing, rules.convention)
    out["agatston"] = _spread(score, repeats.agatston)
    out["volume_threshold_mm3"] = _spread(voxels * here.voxel_mm3, repeats.voxels * here.voxel_mm3)
    factor = rules.calibration.mg_cm3_per_hu
    if factor is None:
        out["mass_threshold_mg"] = Refusal("mass_threshold_mg", rules.calibration.source)
    else:
        scale = factor * here.voxel_mm3 / 1000
        out["mass_threshold_mg"] = _spread(hu_sum * scale, repeats.hu_sum * scale)
    if voxels:
        out["mean_hu"] = _spread(hu_sum / voxels, (repeats.hu_sum / np.maximum(repeats.voxels, 1))[repeats.voxels > 0])
    else:
        out["mean_hu"] = Refusal("mean_hu", f"no voxel reaches {rules.convention.threshold_hu:g} HU")
    return out


def _spread(value: float, repeats: NDArray[Any]) -> Measure:
    low, high = interval(value, repeats) if len(repeats) > 2 else (0.0, 2 * value)
    return Measure(float(value), low, high)


def _volume_and_diameter(here: Surroundings, size: Extent | None, total: float, total_sd: float) -> tuple[Measured, Measured]:
    """Half-maximum size corrected for blur (see `extent`); refused where the blur hides it."""
    if size is None or total <= 2 * total_sd:
        reason = "not told apart from the noise of its surroundings"
        return Refusal("volume_mm3", reason), Refusal("diameter_mm", reason)
    peak_sd = size.peak_noise_hu / size.peak_hu
    shape_sd = SHAPE_SD * max(0.0, SHAPE_FROM - size.ratio)
    ratio_sd = math.hypot(peak_sd, total_sd / total, MODEL_RATIO_SD, MODEL_RATIO_SD_PER_MM * float(here.spacing[0]), shape_sd)
    if size.ratio - Z_95 * ratio_sd * size.ratio < LEAST_LOWER_RATIO:
        largest = size.half_diameter_mm
        reason = f"too small for this scan's blur: its size cannot be told, only that it is below {largest:.1f} mm"
        return Refusal("volume_mm3", reason), Refusal("diameter_mm", reason)
    table, _, shrink = blurred_sphere()
    low, high = (float(np.interp(size.ratio * (1 + way * Z_95 * ratio_sd), table, shrink)) for way in (1, -1))
    step = Z_95 * math.hypot(SIZE_SD, 1.5 * peak_sd)
    ends = sorted((size.half_volume_mm3 / low, size.half_volume_mm3 / high))
    lower = size.volume_mm3 - math.hypot(size.volume_mm3 - ends[0], step * size.volume_mm3)
    upper = size.volume_mm3 + math.hypot(ends[1] - size.volume_mm3, step * size.volume_mm3)
    relative = (upper - lower) / (2 * Z_95 * size.volume_mm3)
    reach = Z_95 * math.hypot(STEP_SD_MM, size.diameter_mm * relative / 3)
    volume = Measure(size.volume_mm3, max(0.0, lower), upper)
    return volume, Measure(size.diameter_mm, max(0.0, size.diameter_mm - reach), size.diameter_mm + reach)


def _density(total: float, total_sd: float, volume: Measured, rules: Rules) -> Measured:
    """Mass over volume."""
    factor = rules.calibration.mg_cm3_per_hu
    if factor is None:
        return Refusal("density_mg_cm3", rules.calibration.source)
    if isinstance(volume, Refusal):
        return Refusal("density_mg_cm3", volume.reason)
    value = total * factor / volume.value
    share = math.hypot(total_sd / total, (volume.high - volume.low) / (2 * Z_95 * volume.value), rules.calibration.relative_sd)
    return Measure(value, max(0.0, value * (1 - Z_95 * share)), value * (1 + Z_95 * share))


def _texture(here: Surroundings, size: Extent | None) -> tuple[Measured, Measured]:
    """Surface smoothness, and spread of HU deep inside over their mean, noise taken off."""
    blurred = "too small for this scan's blur"
    if size is None or not size.resolved:
        return Refusal("surface_smoothness", blurred), Refusal("heterogeneity", blurred)
    reach = min(0.15, 0.3 / max(size.half_diameter_mm, 1.0) + 0.5 * size.peak_noise_hu / size.peak_hu)
    smooth = Measure(size.smoothness, max(0.0, size.smoothness - reach), min(1.0, size.smoothness + reach))
    inside = here.own & (here.hu - here.background >= size.peak_hu / 2)
    box = _around(inside)
    deep = np.asarray(distance_transform_edt(inside[box], sampling=here.spacing)) > DEEP_MM
    values = here.hu[box][deep] - here.background
    if len(values) < FEWEST_DEEP:
        return smooth, Refusal(
            "heterogeneity", f"fewer than {FEWEST_DEEP} voxels lie {DEEP_MM} mm below its surface, where blur does not reach"
        )
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    apart = math.sqrt(max(0.0, variance - here.noise_hu**2)) / mean
    few = here.noise_hu**2 * math.sqrt(2 * here.together / len(values))
    low, high = (math.sqrt(max(0.0, variance - here.noise_hu**2 + way * Z_95 * few)) / mean for way in (-1, 1))
    return smooth, Measure(apart, min(low, apart), max(high, apart))


def _around(flags: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The box that holds what is flagged, and one voxel more on each side: the nearest voxel without a flag lies within."""
    at = np.argwhere(flags)
    return tuple(slice(max(a - 1, 0), b + 2) for a, b in zip(at.min(0), at.max(0), strict=True)) if len(at) else ()


def _notes(here: Surroundings) -> tuple[str, ...]:
    """What a reader of these numbers must know."""
    said = []
    if here.clipped:
        said.append("cut by the edge of the scan: not all of it is measured")
    if here.shared:
        said.append("another deposit lies within reach of the blur: the border between the two is uncertain")
    return tuple(said)
