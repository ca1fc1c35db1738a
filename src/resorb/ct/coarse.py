"""A coarse view of the whole scan: where is tissue, how noisy is it, and what stands out of its surroundings?

Cells of about 1.5 mm carry the mean of their voxels, smoothed 1-2-1. Blocks of 4 x 4 x 4 cells carry what is usual around them.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label, maximum_filter

from resorb.ct.noise import Noise
from resorb.ct.pixels import WORKERS
from resorb.ct.scan import Scan

CELL_MM = 1.5
BLOCK = 4
CLIP = (-1024, 3071)
SMOOTH_BELOW_MM = 2.5
FALSE_PER_SCAN = 0.02
REAL_NOISE_Z = 0.3
RESOLUTION_MM3 = 4.0
SMOOTHED_VARIANCE = 0.375
LEAST_NOISE_HU = 0.3
TISSUE = (-30.0, 110.0)
SOFT_HU = 40.0
BODY_HU = -300.0
ALL_BODY_SHARE = 0.98
MIXED_BELOW_HU, MIXED_HU = 30.0, np.float32(110.0)

Floats = NDArray[Any]


@dataclass(frozen=True)
class Coarse:
    """cells : smoothed HU, [slice, row, column] in steps of `factor` voxels. level, spread : the usual HU of the block that a
    cell lies in and how far cells stray from it, on blocks; mean, sd : of each block itself. noise : of one cell in quiet tissue. [HU]
    """

    cells: Floats
    factor: tuple[int, int, int]
    level: Floats
    spread: Floats
    mean: Floats
    sd: Floats
    noise: float
    tissue_cells: int

    @property
    def least_z(self) -> float:
        """How many standard deviations stand out by chance in one quiet scan of fifty, given the tissue searched, and a
        margin of 0.3 because the noise of real scans is not quite Gaussian.
        """
        from scipy.special import ndtri

        places = max(1.0, self.tissue_cells)
        return float(-ndtri(min(0.01, FALSE_PER_SCAN / places))) + REAL_NOISE_Z

    def cell_of(self, flat: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The flat index of the cell that each voxel lies in; flat : indices in a volume of this shape."""
        line = flat // shape[2]
        index = (line // shape[1], line % shape[1], flat - line * shape[2])
        slices, rows, columns = (
            np.minimum(np.arange(n) // f, cells - 1)[at]
            for at, n, f, cells in zip(index, shape, self.factor, self.cells.shape, strict=True)
        )
        return np.asarray((slices * self.cells.shape[1] + rows) * self.cells.shape[2] + columns)

    def flags(self, flat: NDArray[Any]) -> NDArray[np.bool_]:
        """Cells, true at these flat indices."""
        out = np.zeros(self.cells.shape, bool)
        out.reshape(-1)[flat] = True
        return out

    @cached_property
    def body(self) -> NDArray[np.bool_]:
        """The blocks inside the body: the largest piece that is no air, its hollows filled slice by slice."""
        solid = self.level > BODY_HU
        if solid.mean() > ALL_BODY_SHARE or not solid.any():
            return np.ones_like(solid)
        pieces, count = label(solid)
        sizes = np.bincount(pieces.reshape(-1), minlength=count + 1)
        sizes[0] = 0
        inside = np.asarray(pieces == sizes.argmax())
        for k in range(len(inside)):
            inside[k] |= binary_fill_holes(inside[k])
        return inside

    @cached_property
    def standing_out(self) -> NDArray[Any]:
        """Flat indices of the cells that rise significantly above their surroundings.

        Soft tissue of 40 HU may lie in any fat or air, so no cell counts for standing out of those alone; beside them it takes 110 HU.
        Where a block holds an edge, what lies beside it counts.
        """
        stray = np.float32(self.least_z) * np.maximum(self.spread, np.float32(self.noise))
        beside = maximum_filter(np.where(self.level < MIXED_HU, self.level, np.float32(SOFT_HU)), 3)
        limit = np.maximum(np.maximum(self.level, beside), np.float32(SOFT_HU)) + stray
        limit[self.level < MIXED_BELOW_HU] = np.maximum(limit[self.level < MIXED_BELOW_HU], MIXED_HU)
        limit = limit.repeat(BLOCK, 2)[:, :, : self.cells.shape[2]].repeat(BLOCK, 1)[:, : self.cells.shape[1]]
        out = np.empty(self.cells.shape, bool)
        for k in range(len(out)):
            np.greater(self.cells[k], limit[k // BLOCK], out=out[k])
        for axis in range(3):  # the outermost cells have neighbours on one side only: less smooth, so not searched
            if out.shape[axis] > 2:
                np.moveaxis(out, axis, 0)[[0, -1]] = False
        return np.flatnonzero(out)


def look(scan: Scan, noise: Noise) -> Coarse:
    """The coarse view of a scan with this noise."""
    spacing = np.nan_to_num(scan.spacing, nan=3.0)
    factor: Any = tuple(int(max(1, min(n, math.floor(CELL_MM / s + 0.5)))) for s, n in zip(spacing, scan.hu.shape, strict=True))
    smooth = tuple(bool(s * f < SMOOTH_BELOW_MM) for s, f in zip(spacing, factor, strict=True))
    cells, mean, sd = _cells_and_blocks(scan.hu, factor, smooth)
    level = _usual(mean)
    spread = np.maximum(_usual(sd), 2.0 * _usual(np.abs(mean - level)))
    searched = int(((level > TISSUE[0]) & (level < TISSUE[1])).sum())
    volume = float(np.prod(spacing * factor)) * BLOCK**3 * max(1, searched)
    return Coarse(cells, factor, level, spread, mean, sd, _cell_noise(noise, factor, smooth), int(volume / RESOLUTION_MM3))


def _cell_noise(voxel: Noise, factor: tuple[int, int, int], smooth: tuple[bool, ...]) -> float:
    """Standard deviation of a cell: the mean of its voxels, smoothed, of noise that varies together as far as it does. [HU]"""
    voxels = math.prod(factor) / SMOOTHED_VARIANCE ** sum(smooth)
    return max(voxel.voxel_hu * math.sqrt(voxel.together / (voxel.together + voxels - 1)), LEAST_NOISE_HU)


def _usual(blocks: Floats) -> Floats:
    """Medians of five along each axis in turn, ends repeated: what is usual around a block, whatever lies in two of them."""
    for axis in range(3):
        a = np.moveaxis(blocks, axis, 0)
        around = [np.take(a, np.clip(np.arange(len(a)) + step, 0, len(a) - 1), 0) for step in (-2, -1, 0, 1, 2)]
        blocks = np.moveaxis(_median_of_five(*around), 0, axis)
    return blocks


def _median_of_five(a: Floats, b: Floats, c: Floats, d: Floats, e: Floats) -> Floats:
    """Element by element, by comparing: the smallest two and the largest two of five are never the median."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e)))


def _cells_and_blocks(hu: NDArray[Any], factor: tuple[int, ...], smooth: tuple[bool, ...]) -> tuple[Floats, Floats, Floats]:
    """Smoothed cells, and mean and standard deviation of blocks of 4 x 4 x 4 of them (partial blocks at the far ends)."""
    shape = tuple(n // f for n, f in zip(hu.shape, factor, strict=True))
    cells = np.empty(shape, np.float32)
    blocks = [-(-n // BLOCK) for n in shape]
    mean, sd = np.empty(blocks, np.float32), np.empty(blocks, np.float32)
    rows = range(0, shape[1], 16)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda k: _cell_slice(hu, k, factor, smooth, cells[k]), range(shape[0])))
        if smooth[0] and shape[0] > 2:
            list(pool.map(lambda r: _one_two_one(cells[:, r : r + 16]), rows))
        list(pool.map(lambda k: _block_slab(cells[k * BLOCK : (k + 1) * BLOCK], mean[k], sd[k]), range(blocks[0])))
    return cells, mean, sd


def _cell_slice(hu: NDArray[Any], k: int, factor: tuple[int, ...], smooth: tuple[bool, ...], out: Floats) -> None:
    """Means of blocks of voxels, smoothed 1-2-1 within the slice; what does not fill a block at the end is left out."""
    kind = np.int16 if math.prod(factor) <= 8 and hu.dtype == np.int16 else np.float32
    slab = hu[k * factor[0] : (k + 1) * factor[0], : out.shape[0] * factor[1], : out.shape[1] * factor[2]]
    total = np.clip(slab[0], *CLIP).astype(kind, copy=False)
    for extra in slab[1:]:
        total += np.clip(extra, *CLIP).astype(kind, copy=False)
    rows = total[:: factor[1]]
    for i in range(1, factor[1]):
        rows = rows + total[i :: factor[1]]
    along = np.ascontiguousarray(rows, np.float32).reshape(-1, factor[2])
    np.matmul(along, np.full(factor[2], 1 / math.prod(factor), np.float32), out=out.reshape(-1))
    if smooth[1] and out.shape[0] > 2:
        _one_two_one(out)
    if smooth[2] and out.shape[1] > 2:
        _one_two_one(out.T)


def _one_two_one(a: Floats) -> None:
    """(1, 2, 1)/4 along the first axis, the ends repeated; in place."""
    half = a[1:] + a[:-1]
    half *= np.float32(0.5)
    a[0] = (a[0] + half[0]) * np.float32(0.5)
    a[-1] = (a[-1] + half[-1]) * np.float32(0.5)
    np.add(half[1:], half[:-1], out=a[1:-1])
    a[1:-1] *= np.float32(0.5)


def _block_slab(slab: Floats, mean: Floats, sd: Floats) -> None:
    rows, columns = (np.minimum(BLOCK, n - np.arange(0, n, BLOCK)) for n in slab.shape[1:])
    count = np.multiply.outer(rows, columns * len(slab)).astype(np.float32)
    mean[...] = _block_sums(slab.sum(0)) / count
    sd[...] = np.sqrt(np.maximum(_block_sums(np.einsum("kji,kji->ji", slab, slab)) / count - mean**2, 0))


def _block_sums(plane: Floats) -> Floats:
    """Sums over blocks of 4 x 4 (partial ones at the far ends): whole rows first, which run along memory."""
    rows, columns = (-(-n // BLOCK) for n in plane.shape)
    full = np.zeros((rows * BLOCK, columns * BLOCK), plane.dtype)
    full[: plane.shape[0], : plane.shape[1]] = plane
    return np.asarray(full.reshape(rows, BLOCK, columns * BLOCK).sum(1).reshape(rows, columns, BLOCK).sum(2))
