"""Noise, measured in the scan itself: how much one voxel varies, and how far neighbours vary together.

Square tiles of about 4 mm of soft tissue are looked at in neighbouring slices. Edges, vessels and partial volume only ever add to what a
tile varies, and each adds its own; noise alone is the same everywhere. So the noise is where tiles crowd most, however much
anatomy there is, and only tiles no rougher than that tell how neighbours vary together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.scan import Scan

TILE_MM = 4.0
LEAST_TILE = 4
SLICES, ENOUGH_VOXELS = (8, 14), 2_000_000
TISSUE = (-30.0, 120.0)
FEWEST_TILES = 20
CROWD_SHARE = 0.25
CLIP_SD, CLIPPED_SHARE = 2.0, 0.8796
MOST_IN_SLICE = 60.0
LEAST_IN_SLICE = 0.3
MOST_LAG = 0.9
LEAST_SEEN = 0.25

Floats = NDArray[Any]


@dataclass(frozen=True)
class Noise:
    """voxel_hu : standard deviation of one voxel. [HU] together : the variance of a sum over a region is
    voxels x voxel_hu^2 x together (1 for white noise). measured : false when the scan has no quiet tissue to measure in.
    """

    voxel_hu: float
    together: float
    measured: bool = True


@dataclass(frozen=True)
class _Tiles:
    """Tiles of soft tissue in pairs of neighbouring slices, [pair, tile row, tile column].

    means : of the first and of the second slice [HU]. rough : standard deviation within both [HU]. along : correlation of the two.
    side : voxels along row and column of a tile.
    """

    means: tuple[Floats, Floats]
    rough: Floats
    along: Floats
    side: tuple[int, int]


def measure_noise(scan: Scan) -> Noise:
    """Noise of the soft tissue in the scan. Where there is too little of it, a cautious 30 HU."""
    tiles = _tiles_of(scan)
    soft = np.logical_and.reduce([(m > TISSUE[0]) & (m < TISSUE[1]) for m in tiles.means]) & (tiles.rough > 0)
    if soft.sum() < FEWEST_TILES:
        return Noise(30.0, 2.0, False)
    within = crowd(tiles.rough[soft]) ** 2
    quiet = soft & (tiles.rough**2 <= within)
    lag = 0.0 if scan.single_slice else float(np.clip(np.median(tiles.along[quiet]), 0, MOST_LAG))
    voxels = math.prod(tiles.side)
    together = float(np.clip(_in_slice(tiles, quiet, within, lag), LEAST_IN_SLICE, MOST_IN_SLICE))
    full = within * (1 + min(0.5, together / voxels) * (1 - 1 / voxels))
    return Noise(max(math.sqrt(full), 0.5), together * max(1 + 2 * lag, 1 / (1 - lag)))


def _tiles_of(scan: Scan) -> _Tiles:
    """Tiles from pairs of neighbouring slices spread over the scan; of a single slice, each with itself."""
    rows, columns = (min(max(LEAST_TILE, round(TILE_MM / s)), n // 2) for s, n in zip(scan.spacing[1:], scan.hu.shape[1:], strict=True))
    side, count = (int(rows), int(columns)), int(rows) * int(columns)
    means, others, rough, along = [], [], [], []
    for k in _slice_pairs(len(scan.hu), int(np.clip(ENOUGH_VOXELS // scan.hu[0].size, *SLICES))):
        here, residual = _tiles(scan.hu[k], side)
        there, other = _tiles(scan.hu[min(k + 1, len(scan.hu) - 1)], side)
        one, two = _sum_of_products(residual, residual), _sum_of_products(other, other)
        means.append(here)
        others.append(there)
        rough.append(np.sqrt((one + two) / (2 * max(1, count - 1))))
        along.append(_sum_of_products(residual, other) / np.maximum(np.sqrt(one * two), 1e-3))
    return _Tiles((np.array(means), np.array(others)), np.array(rough), np.array(along), side)


def _in_slice(tiles: _Tiles, quiet: NDArray[np.bool_], within: float, lag: float) -> float:
    """How far the voxels of a slice vary together, from the steps between the means of quiet tiles: beside each other in a slice,
    and from one slice to the next. Other tissue only adds, so the smaller of the two is noise.
    """
    voxels = math.prod(tiles.side)
    beside = []
    for axis in (1, 2):
        both = _later(quiet, axis) & _earlier(quiet, axis)
        steps = np.concatenate([(_later(m, axis) - _earlier(m, axis))[both] for m in tiles.means])
        if len(steps) >= FEWEST_TILES:
            step = bell(steps) ** 2 / 2
            beside.append(_for_any_size(step * voxels / (within + step), tiles.side[axis - 1] / 1.5, tiles.side[2 - axis]))
    onward = bell((tiles.means[1] - tiles.means[0])[quiet]) ** 2 / 2 / (1 - lag)
    across = _for_any_size(onward * voxels / (within + onward), *tiles.side) if onward > 0 else math.inf
    return min(float(np.mean(beside)) if beside else 1.0, across)


def _for_any_size(seen: float, rows: float, columns: float) -> float:
    """Tiles of so many rows and columns see less of noise that reaches over their edges: what a large region would see.

    Noise whose correlation falls off as a bell has a mean reach of about sqrt(together - 1) / pi voxels along each axis.
    """
    whole = seen
    for _ in range(4):
        reach = math.sqrt(max(0.0, whole - 1)) / math.pi
        whole = seen / max(LEAST_SEEN, (1 - reach / rows) * (1 - reach / columns))
    return whole


def crowd(values: Floats) -> float:
    """Where values lie closest together: the mean of the narrowest stretch that holds a quarter of them."""
    ordered = np.sort(values)
    held = max(2, int(CROWD_SHARE * len(ordered)))
    first = int((ordered[held - 1 :] - ordered[: len(ordered) - held + 1]).argmin())
    return float(ordered[first : first + held].mean())


def bell(values: Floats) -> float:
    """Standard deviation of a bell about zero, whatever lies far out."""
    away = np.abs(values)
    width = float(np.quantile(away, 0.3)) / 0.3853 if len(away) else 0.0
    for _ in range(30):
        kept = away[away < CLIP_SD * width]
        last, width = width, math.sqrt(float((kept**2).mean())) / CLIPPED_SHARE if len(kept) else 0.0
        if abs(width - last) <= 1e-3 * width:
            break
    return width


def _later(tiles: NDArray[Any], axis: int) -> NDArray[Any]:
    return np.moveaxis(np.moveaxis(tiles, axis, 0)[1:], 0, axis)


def _earlier(tiles: NDArray[Any], axis: int) -> NDArray[Any]:
    return np.moveaxis(np.moveaxis(tiles, axis, 0)[:-1], 0, axis)


def _slice_pairs(slices: int, pairs: int) -> list[int]:
    return sorted({int(k) for k in np.linspace(0, max(0, slices - 2), min(pairs, max(1, slices - 1)))})


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
