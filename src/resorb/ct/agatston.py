"""The Agatston score by its definition, with every convention a named, reported parameter.

Per slice and lesion: area (mm2, at least the minimum) x weight of that lesion's peak in that slice (from 130 HU: 1, from 200: 2,
from 300: 3, from 400: 4), summed, times the distance between slices / 3 mm. Agatston 1990, 10.1016/0735-1097(90)90282-T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.components import Floats, Ints, Runs, join_in_slice, join_in_space, largest, marked, runs_of, smallest
from resorb.terms.measurement import Convention

STEPS = (130.0, 200.0, 300.0, 400.0)
_FQM = "vendor rules as listed by FQM, 10.1002/mp.14912"

CONVENTIONS = {
    c.name: c
    for c in (
        Convention(
            "agatston_1990",
            130.0,
            STEPS,
            1.0,
            1,
            8,
            3.0,
            "Agatston 1990, 10.1016/0735-1097(90)90282-T; neighbours are not stated there, 8 taken",
        ),
        Convention("ge", 130.0, STEPS, 1.0, 1, 4, 3.0, _FQM),
        Convention("terarecon", 130.0, STEPS, 1.0, 1, 4, 3.0, _FQM),
        Convention("siemens", 130.0, STEPS, 0.0, 1, 4, 3.0, _FQM),
        Convention("philips", 130.0, STEPS, 0.5, 1, 4, 3.0, _FQM),
        Convention("canon", 130.0, STEPS, 0.0, 3, 4, 3.0, _FQM),
    )
}
DEFAULT = CONVENTIONS["agatston_1990"]


@dataclass(frozen=True)
class DepositTable:
    """What counting gives for each deposit (a component in space): one entry each, in order of first voxel.

    agatston : score. voxels : number at or above the threshold. peak_hu, mean_hu : [HU]
    centroid : mean (slice, row, column), shape (n, 3). low, high : first and last (slice, row, column), shape (n, 3).
    flat, begin, deposit_of_run : the voxels behind it, as flat indices, with the deposit of each run of voxels.
    """

    agatston: Floats
    voxels: Ints
    peak_hu: Floats
    mean_hu: Floats
    centroid: Floats
    low: Ints
    high: Ints
    flat: Ints
    runs: Runs
    deposit_of_run: Ints

    def __len__(self) -> int:
        return len(self.voxels)


def agatston(
    hu: NDArray[Any], mask: NDArray[np.bool_] | None, pixel_mm2: float, slice_spacing_mm: float, convention: Convention = DEFAULT
) -> float:
    """Agatston score of everything inside the mask (everywhere without one). [score]

    hu : [slice, row, column]. [HU] mask : of the same shape, or none. slice_spacing_mm : from positions, centre to centre. [mm]
    """
    flat = _dense(hu, mask, convention)
    if not len(flat):
        return 0.0
    runs = runs_of(flat, hu.shape)
    peak = np.maximum.reduceat(hu.reshape(-1)[flat], runs.begin)
    return float(_scores(runs, peak, np.zeros(len(runs), np.int64), (pixel_mm2, slice_spacing_mm), convention)[0])


def deposit_table(
    hu: NDArray[Any], mask: NDArray[np.bool_] | None, pixel_mm2: float, slice_spacing_mm: float, convention: Convention = DEFAULT
) -> DepositTable:
    """The counted numbers of every deposit inside the mask. One pass over the volume; the rest only over what is dense."""
    return table_of(hu, _dense(hu, mask, convention), pixel_mm2, slice_spacing_mm, convention)


def _dense(hu: NDArray[Any], mask: NDArray[np.bool_] | None, convention: Convention) -> Ints:
    dense = hu >= hu.dtype.type(convention.threshold_hu)
    if mask is not None:
        dense &= mask
    return marked(dense)


def table_of(hu: NDArray[Any], flat: Ints, pixel_mm2: float, slice_spacing_mm: float, convention: Convention) -> DepositTable:
    """The counted numbers of the deposits that these voxels (sorted flat indices) form."""
    runs = runs_of(flat, hu.shape)
    if not len(flat):
        none, rows = np.zeros(0), np.zeros((0, 3))
        return DepositTable(
            none, np.zeros(0, np.int64), none, none, rows, rows.astype(np.int64), rows.astype(np.int64), flat, runs, runs.first
        )
    values = hu.reshape(-1)[flat]
    run_sum = np.add.reduceat(values, runs.begin, dtype=np.int64 if values.dtype.kind == "i" else np.float64)
    run_peak = np.maximum.reduceat(values, runs.begin)
    count, deposit = join_in_space(runs)
    score = _scores(runs, run_peak, deposit, (pixel_mm2, slice_spacing_mm), convention)
    voxels = np.bincount(deposit, runs.size, count)
    total = np.bincount(deposit, run_sum, count)
    low, high = _bounds(runs, deposit, count)
    return DepositTable(
        score,
        voxels.astype(np.int64),
        largest(run_peak, deposit, count),
        total / voxels,
        _centroid(runs, deposit, voxels),
        low,
        high,
        flat,
        runs,
        deposit,
    )


def weight(peak_hu: NDArray[Any] | float, convention: Convention = DEFAULT) -> NDArray[Any]:
    """Density weight of a lesion's peak: 1 to 4, and 0 below the first step."""
    return np.searchsorted(convention.step_hu, peak_hu, "right")


def _scores(runs: Runs, run_peak: NDArray[Any], deposit: Ints, voxel_mm: tuple[float, float], convention: Convention) -> Floats:
    """Score of each deposit: its lesions are joined slice by slice, each with its own peak there. voxel_mm : pixel [mm2], spacing [mm]."""
    pixel_mm2, spacing = voxel_mm
    lesions, lesion = join_in_slice(runs, convention.connectivity)
    pixels = np.bincount(lesion, runs.size, lesions)
    area = pixels * pixel_mm2
    counted = (area >= convention.minimum_area_mm2 * (1 - 1e-9)) & (pixels >= convention.minimum_pixels)
    points = area * weight(largest(run_peak, lesion, lesions), convention) * counted * (spacing / convention.slice_mm)
    owner = np.empty(lesions, np.int64)
    owner[lesion] = deposit
    return np.bincount(owner, points, int(deposit.max()) + 1)


def _centroid(runs: Runs, deposit: Ints, voxels: Floats) -> Floats:
    weighted = (runs.slice * runs.size, runs.row * runs.size, runs.column_sum)
    return np.stack([np.bincount(deposit, w, len(voxels)) for w in weighted], axis=1) / voxels[:, None]


def _bounds(runs: Runs, deposit: Ints, count: int) -> tuple[Ints, Ints]:
    start = runs.line * runs.shape[2]
    low = [smallest(v, deposit, count) for v in (runs.slice, runs.row, runs.first - start)]
    high = [largest(v, deposit, count) for v in (runs.slice, runs.row, runs.last - start)]
    return np.stack(low, axis=1).astype(np.int64), np.stack(high, axis=1).astype(np.int64)
