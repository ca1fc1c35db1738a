"""The ground a deposit lies on, as a pair of scans knows it: how noisy each is here, and how far the two grounds differ.

Around a deposit lie other organs, and they lie there in both scans. What one scan must take for doubt of its background, a pair
can see twice: only what differs between the two is doubt of a change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.noise import Noise
from resorb.ct.scan import Scan
from resorb.ct.surroundings import Surroundings

Floats = NDArray[Any]
SLICES = 14
TILE_MM = 5.0
QUIET_HU = 150.0
LEAST_APART_MM = 2.0
LEAST_TOGETHER = 0.8
TISSUE_HU = (-30.0, 120.0)
MAD_TO_SD = 1.4826
FEWEST = 60
LEAST_SHARE = 0.7
SIDES = 8
FEWEST_ON_A_SIDE = 6
JUMP_SD = 2.0


@dataclass(frozen=True)
class Grain:
    """Noise of a scan, told from what is there: standard deviation of a voxel [HU], how it adds up over a region (see `Noise`), and how
    far neighbours in a row differ [HU].
    """

    voxel_hu: float
    together: float
    rough: float


def grain_of(scan: Scan, told: Noise) -> Grain:
    """Noise from one slice to another: tissue goes on there and cancels, noise does not. told : the noise by tiles of one slice.

    Tissue can only add to either estimate, so the quieter is believed.
    """
    spacing, thickness = float(scan.spacing[0]), scan.acquisition.thickness_mm or float(scan.spacing[0])
    apart = max(1, math.ceil(max(thickness, LEAST_APART_MM) / spacing - 0.01))
    tile = [int(max(3, round(TILE_MM / s))) for s in scan.spacing[1:]]
    inside, between, steps = [], [], []
    for k in sorted({int(k) for k in np.linspace(0, len(scan.hu) - 1 - apart, SLICES) if k >= 0}):
        one, step = _tiles(scan.hu[k], tile), _tiles(scan.hu[k + apart].astype(np.float32) - scan.hu[k], tile)
        means = one.mean((1, 3))
        quiet = (means > TISSUE_HU[0]) & (means < TISSUE_HU[1]) & (np.abs(one - means[:, None, :, None]).max((1, 3)) < QUIET_HU)
        if quiet.any():
            tiles = step.transpose(0, 2, 1, 3)[quiet]
            inside.append(tiles.var(axis=(1, 2), ddof=1) / 2)
            between.append(tiles.mean((1, 2)))
            steps.append(np.diff(one.transpose(0, 2, 1, 3)[quiet], axis=2).reshape(-1))
    if sum(map(len, inside)) < FEWEST:
        return Grain(told.voxel_hu, told.together, math.nan)
    within = float(np.median(np.concatenate(inside)))
    beside = _spread(np.concatenate(between)) ** 2 / 2
    full = within + beside * (1 - 1 / (tile[0] * tile[1]))
    plane = max(LEAST_TOGETHER, beside * tile[0] * tile[1] / full)
    overlap = max(0.0, 1 - spacing / thickness)
    made = Grain(math.sqrt(full), plane * (1 + 2 * overlap), _spread(np.concatenate(steps)))
    quieter = made.voxel_hu**2 * made.together < told.voxel_hu**2 * told.together or not told.measured
    return made if quieter else Grain(told.voxel_hu, told.together, made.rough)


def _tiles(one: Floats, tile: list[int]) -> Floats:
    """[tile row, row, tile column, column]"""
    rows, columns = one.shape[0] // tile[0], one.shape[1] // tile[1]
    return np.asarray(one[: rows * tile[0], : columns * tile[1]].astype(np.float32).reshape(rows, tile[0], columns, tile[1]))


def noise_here(here: Surroundings, grain: Grain) -> float:
    """Noise of one voxel around a deposit: that of the scan, scaled by how rough it is here. Other tissue nearby is no noise. [HU]"""
    pairs = here.shell[..., 1:] & here.shell[..., :-1]
    local = _spread(np.diff(here.hu, axis=2)[pairs])
    if not (math.isfinite(grain.rough) and math.isfinite(local) and grain.rough > 0):
        return here.noise_hu
    return float(min(here.noise_hu, max(LEAST_SHARE, local / grain.rough) * grain.voxel_hu))


def _spread(steps: Floats) -> float:
    if len(steps) < FEWEST:
        return math.nan
    return MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps))))


def ground_sd(before: Surroundings, after: Surroundings, densities: tuple[float, float]) -> float:
    """How well the difference of the two backgrounds is known. [HU] From noise, from how the sides of the place differ, and from how far
    the two levels lie apart: the tissue there is one and the same, so a level that jumps was taken from other things.

    densities : variance of a sum over a region by its number of voxels, in either scan. [HU2]
    """
    a, b = _sides(before), _sides(after)
    both = np.minimum(a[1], b[1]) >= FEWEST_ON_A_SIDE
    expected = sum(d / max(float(side[1].sum()), 1.0) for d, side in zip(densities, (a, b), strict=True))
    if both.sum() < 3:
        return math.hypot(before.background_sd, after.background_sd, after.background - before.background)
    seen = float(np.var((b[0] - a[0])[both], ddof=1)) / int(both.sum())
    jump = max(0.0, abs(after.background - before.background) - JUMP_SD * math.sqrt(expected))
    return math.hypot(math.sqrt(max(expected, 0.5 * (expected + seen))), jump)


def _sides(here: Surroundings) -> tuple[Floats, Floats]:
    """Mean HU and number of voxels of the shell on each of eight sides, what strays far left out as for the background."""
    values = here.hu[here.shell]
    if not len(values):
        return np.zeros(SIDES), np.zeros(SIDES)
    kept = np.abs(values - here.background) < 3 * max(here.noise_hu, 1.0)
    where = np.argwhere(here.shell)[kept] - np.argwhere(here.core).mean(0)
    side = (where > 0) @ np.array([4, 2, 1])
    count = np.bincount(side, minlength=SIDES)
    return np.bincount(side, values[kept], SIDES) / np.maximum(count, 1), count.astype(float)
