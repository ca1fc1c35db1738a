"""Noise, measured in the scan itself: how much one voxel varies, and how far neighbours vary together.

Square tiles of about 5 mm of quiet tissue are compared with the tiles beside, above and below them. Medians keep anatomy out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.scan import Scan

TILE_MM = 5.0
SLICES = 14
TISSUE = (-30.0, 120.0)
FEWEST_TILES = 20
MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Noise:
    """voxel_hu : standard deviation of one voxel. [HU] together : the variance of a sum over a region is
    voxels x voxel_hu^2 x together (1 for white noise). measured : false when the scan has no quiet tissue to measure in.
    """

    voxel_hu: float
    together: float
    measured: bool = True


def measure_noise(scan: Scan) -> Noise:
    """Noise of the soft tissue in the scan. Where there is too little quiet tissue, a cautious 30 HU."""
    tile = tuple(int(max(3, round(TILE_MM / s))) for s in scan.spacing[1:])
    tile = (min(tile[0], scan.hu.shape[1] // 2), min(tile[1], scan.hu.shape[2] // 2))
    pairs = _slice_pairs(len(scan.hu))
    count = tile[0] * tile[1]
    means, sds, along = [], [], []
    for k in pairs:
        here, residual = _tiles(scan.hu[k], tile)
        means.append(here)
        sds.append(np.sqrt(_sum_of_products(residual, residual) / (count - 1)))
        if k + 1 < len(scan.hu):
            _, other = _tiles(scan.hu[k + 1], tile)
            spread = sds[-1] * np.sqrt(_sum_of_products(other, other) / count)
            along.append(_sum_of_products(residual, other) / count / np.maximum(spread, 1e-3))
    return _from_tiles(np.array(means), np.array(sds), along, count)


def _slice_pairs(slices: int) -> list[int]:
    return sorted({int(k) for k in np.linspace(0, max(0, slices - 2), min(SLICES, max(1, slices - 1)))})


def _tiles(one: NDArray[Any], tile: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Tile means, and residuals [tile row, row, tile column, column] around them."""
    rows, columns = one.shape[0] // tile[0], one.shape[1] // tile[1]
    view = one[: rows * tile[0], : columns * tile[1]].astype(np.float32).reshape(rows, tile[0], columns, tile[1])
    mean = _per_tile(view) / np.float32(tile[0] * tile[1])
    view -= mean[:, None, :, None]
    return mean, view


def _sum_of_products(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Sum of a x b over each tile; residuals have no mean."""
    return _per_tile(a * b)


def _per_tile(view: NDArray[Any]) -> NDArray[Any]:
    """Sum over each tile: whole rows first, which run along memory."""
    rows, high, columns, wide = view.shape
    return np.asarray(view.reshape(rows, high, columns * wide).sum(1).reshape(rows, columns, wide).sum(2))


def _from_tiles(means: NDArray[Any], sds: NDArray[Any], along: list[NDArray[Any]], count: int) -> Noise:
    quiet = (means > TISSUE[0]) & (means < TISSUE[1])
    if quiet.sum() < FEWEST_TILES:
        return Noise(30.0, 2.0, False)
    limit = 2.0 * np.median(sds[quiet])
    quiet &= sds < limit
    voxel = float(np.median(sds[quiet]))
    both = quiet[:, :, 1:] & quiet[:, :, :-1]
    steps = (means[:, :, 1:] - means[:, :, :-1])[both]
    between = MAD_TO_SD * float(np.median(np.abs(steps))) / np.sqrt(2) if len(steps) >= FEWEST_TILES else voxel / np.sqrt(count)
    within = float(np.median(sds[quiet] ** 2))
    full = within + between**2 * (1 - 1 / count)
    plane = between**2 * count / max(full, 1e-6)
    lag = float(np.median(np.concatenate([a[q] for a, q in zip(along, quiet[: len(along)], strict=False)]))) if along else 0.0
    return Noise(
        max(float(np.sqrt(full)) if plane > 1.5 else voxel, 0.5), float(np.clip(plane, 0.3, 60.0) * (1 + 2 * np.clip(lag, 0, 1) ** 1))
    )
