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
from resorb.followup.placing import Local

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
FEWEST_ON_A_SIDE, FEWEST_SIDES = 6, 3


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


@dataclass(frozen=True)
class Step:
    """How much brighter the ground is in the follow-up than in the baseline, and how well that is known. [HU]"""

    hu: float
    sd: float


def step_of(scans: tuple[Scan, Scan], heres: tuple[Surroundings, Surroundings], local: Local, densities: tuple[float, float]) -> Step:
    """The ground of one place compared where it is the same ground: all that either scan takes for it, and that is the deposit's in
    neither. Other tissue that reaches in there reaches into both, and what it does to either level cancels. Mixed sides count less.

    densities : variance of a sum over a region by its number of voxels, in either scan. [HU2]
    """
    sides = []
    for n, move in ((0, local.forward), (1, local.backward)):
        here, other = heres[n], heres[1 - n]
        at = np.argwhere(~here.own)
        places = scans[n].to_lps(at + here.origin)
        moved = move(places)
        index = np.rint(scans[1 - n].to_index(moved)).astype(int) - other.origin
        inside = ((index >= 0) & (index < other.shell.shape)).all(1)
        there = tuple(index[inside].T)
        ground = (here.shell[tuple(at[inside].T)] | other.shell[there]) & ~other.own[there]
        offsets = (moved if n else places)[inside][ground] - local.centre
        sides.append(_sides(offsets, here.hu[tuple(at[inside][ground].T)]))
    seen = np.minimum(sides[0][1], sides[1][1]) >= FEWEST_ON_A_SIDE
    if seen.sum() < FEWEST_SIDES:
        apart = heres[1].background - heres[0].background
        return Step(apart, math.hypot(heres[0].background_sd, heres[1].background_sd, apart))
    steps = (sides[1][0] - sides[0][0])[seen]
    noise = [density / side[1][seen] for density, side in zip(densities, sides, strict=True)]
    weight = 1 / (noise[0] * _mixed(sides[0])[seen] + noise[1] * _mixed(sides[1])[seen])
    weight /= weight.sum()
    step = float((weight * steps).sum())
    expected = float((weight**2 * (noise[0] + noise[1])).sum())
    scatter = float((weight * (steps - step) ** 2).sum()) / (len(steps) - 1)
    return Step(step, math.sqrt(max(expected, 0.5 * (expected + scatter))))


def _mixed(sides: tuple[Floats, Floats, Floats]) -> Floats:
    """How many times more each side scatters than most do: where it is of several tissues."""
    _, count, variance = sides
    return np.asarray(np.maximum(variance / max(float(np.median(variance[count > 1])), 1e-6), 1.0))


def _sides(offsets: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean HU on each of eight sides of a place, number of voxels, and their variance. offsets : from its middle. [mm]"""
    side = (offsets > 0) @ np.array([4, 2, 1])
    count = np.bincount(side, minlength=SIDES).astype(float)
    mean = np.bincount(side, values, SIDES) / np.maximum(count, 1)
    return mean, count, np.bincount(side, (values - mean[side]) ** 2, SIDES) / np.maximum(count - 1, 1)
