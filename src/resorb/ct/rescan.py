"""What another scan of the same deposit would count: the deposit moved by parts of a voxel, and new noise.

Counts above a threshold (Agatston, volume, thresholded mass, peak, mean) have no closed form for their error. So the deposit is
scanned again 24 times in the computer: shifted by up to half a voxel along each axis (cubic spline), with noise of the size
measured around it, and counted by the same definition. The spread of these counts is the spread of a rescan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, spline_filter

from resorb.ct.agatston import weight
from resorb.ct.components import join_in_slice, largest, runs_of
from resorb.ct.extent import spline_weights
from resorb.ct.surroundings import Surroundings
from resorb.terms.measurement import Convention

REPEATS = 24
T_95 = 2.07
GRAIN_FROM = 1.5

Floats = NDArray[Any]


@dataclass(frozen=True)
class Counts:
    """One entry for each repeat: score, voxels at or above the threshold, sum of their HU, peak HU."""

    agatston: Floats
    voxels: Floats
    hu_sum: Floats
    peak: Floats


def rescans(around: Surroundings, slice_spacing_mm: float, convention: Convention, seed: int) -> Counts:
    """Counts of 24 rescans of one deposit; the same deposit always gives the same."""
    random = np.random.default_rng(seed)
    box = _bounding(around)
    hu, own = around.hu[box], around.own[box]
    copies = _shifted(spline_filter(hu, order=3, mode="mirror"), random.uniform(-0.5, 0.5, (REPEATS, 3)))
    noise = _grained(random.standard_normal(copies.shape, dtype=np.float32), around)
    noise *= np.float32(around.noise_hu)
    copies += noise
    np.copyto(copies, np.float32(-1000.0), where=~own)
    stacked = copies.reshape(-1, *hu.shape[1:])
    return _count(stacked, len(hu), around, slice_spacing_mm, convention)


def interval(value: float, repeats: Floats) -> tuple[float, float]:
    """95 % interval of a count from the spread of its repeats; never below zero."""
    reach = T_95 * float(repeats.std(ddof=1))
    return max(0.0, value - reach), value + reach


def _bounding(around: Surroundings) -> tuple[slice, ...]:
    at = np.argwhere(around.own)
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(at.min(0), at.max(0), strict=True))


def _shifted(coefficients: Floats, shifts: Floats) -> Floats:
    """The deposit moved by each of the shifts, [repeat, slice, row, column]; shifts : [repeat, axis], in voxels."""
    slices, rows, columns = coefficients.shape
    out = np.broadcast_to(coefficients.astype(np.float32), (len(shifts), *coefficients.shape))
    z, y, x = (_moves(shifts[:, axis], coefficients.shape[axis]) for axis in range(3))
    out = np.matmul(z, out.reshape(len(shifts), slices, rows * columns)).reshape(out.shape)
    out = np.matmul(y[:, None], out)
    return np.asarray(np.matmul(out, x.transpose(0, 2, 1)[:, None]))


def _moves(shift: Floats, size: int) -> Floats:
    return spline_weights(np.clip(np.arange(size) + shift[:, None], 0, size - 1), size).astype(np.float32)


def _grained(white: Floats, around: Surroundings) -> Floats:
    """Noise that is correlated in the plane about as far as the scan's own."""
    if around.together < GRAIN_FROM:
        return white
    sigma = float(np.clip(np.sqrt(around.together / (4 * np.pi)), 0.3, 1.5))
    grained = gaussian_filter(white, (0, 0, sigma, sigma), mode="wrap")
    return np.asarray(grained / grained.std())


def _count(stacked: Floats, slices: int, around: Surroundings, spacing: float, convention: Convention) -> Counts:
    flat = np.flatnonzero(stacked >= convention.threshold_hu)
    peak = np.maximum(stacked.reshape(REPEATS, -1).max(1), around.background)
    none = np.zeros(REPEATS)
    if not len(flat):
        return Counts(none, none, none, peak)
    runs = runs_of(flat, stacked.shape)
    values = stacked.reshape(-1)[flat]
    lesions, lesion = join_in_slice(runs, convention.connectivity)
    pixels = np.bincount(lesion, runs.size, lesions)
    top = largest(np.maximum.reduceat(values, runs.begin), lesion, lesions)
    area = pixels * float(around.spacing[1] * around.spacing[2])
    counted = (area >= convention.minimum_area_mm2 * (1 - 1e-9)) & (pixels >= convention.minimum_pixels)
    owner = np.empty(lesions, np.int64)
    owner[lesion] = runs.slice // slices
    score = np.bincount(owner, area * weight(top, convention) * counted * (spacing / convention.slice_mm), REPEATS)
    at = runs.slice // slices
    return Counts(score, np.bincount(at, runs.size, REPEATS), np.bincount(at, np.add.reduceat(values, runs.begin), REPEATS), peak)
