"""A scan seen in cells of about 2 mm: means of whole voxels, so noise is low, no full copy is made, and no filter shifts an edge."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_fill_holes, binary_opening, label, maximum_filter

from resorb.ct.scan import Scan

CELL_MM = 2.0
WORKERS = 2
CLIP_HU = (-1024, 1500)
TONE_HU = (-1000.0, -200.0, 200.0, 1500.0)
TONE = (-400.0, -200.0, 200.0, 590.0)
BODY_HU = -300.0
DENSE_HU = 120.0
SKELETON_MM3 = 3000.0
COARSE_MM = 4.0

Array = NDArray[Any]


@dataclass(frozen=True)
class Cells:
    """hu : [slice, row, column], axes turned so that all run with LPS. affine : (slice, row, column, 1) to LPS mm."""

    hu: Array
    affine: Array

    @property
    def step(self) -> Array:
        """Distance between neighbours along slice, row, column. [mm]"""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def extent(self) -> tuple[Array, Array]:
        """Least and greatest position of the centres of its corner cells. LPS [mm]"""
        ends = np.meshgrid(*[(0.0, n - 1.0) for n in self.hu.shape])
        corners = self.to_lps(np.array(ends).reshape(3, -1).T)
        return corners.min(0), corners.max(0)

    def to_lps(self, index: Array) -> Array:
        """Positions (n, 3) of cell indices. LPS [mm]"""
        return np.asarray(index @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, lps: Array) -> Array:
        """Fractional indices (n, 3) of positions. [cells]"""
        return np.asarray((lps - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T)

    def coarser(self, mm: float) -> Cells:
        """The same in cells of about `mm`."""
        return _blocks(self.hu, self.affine, _factors(self.step, self.hu.shape, mm))

    @cached_property
    def tone(self) -> Array:
        """HU with the steps between air and tissue, and within bone, made smaller: soft tissue and fat carry the match."""
        return np.interp(self.hu, TONE_HU, TONE).astype(np.float32)

    @cached_property
    def body(self) -> NDArray[np.bool_]:
        """Inside the body or at its skin: the largest solid piece that hangs together, hollows filled slice by slice."""
        coarse = self.coarser(COARSE_MM)
        solid = coarse.hu > BODY_HU
        if not solid.any():
            return np.zeros(self.hu.shape, bool)
        thick = binary_opening(np.pad(solid, 2, "edge"), iterations=2)[2:-2, 2:-2, 2:-2] & solid
        pieces, count = label(thick if thick.any() else solid)
        largest = np.bincount(pieces.reshape(-1), minlength=count + 1)[1:].argmax() + 1
        inside = binary_dilation(pieces == largest, iterations=2)
        for k in range(len(inside)):
            inside[k] = binary_fill_holes(inside[k])
        return _finer(inside, self.hu.shape)

    @cached_property
    def deposits(self) -> NDArray[np.bool_]:
        """What is dense and too small for bone, and its neighbours: may have changed, so it takes no part in the match."""
        pieces, count = label(self.hu > DENSE_HU)
        small = np.bincount(pieces.reshape(-1), minlength=count + 1) * float(np.prod(self.step)) < SKELETON_MM3
        small[0] = False
        found = small[pieces].view(np.uint8)
        return np.asarray(maximum_filter(found, 3).view(bool))


def cells_of(scan: Scan, mm: float = CELL_MM) -> Cells:
    """The scan in cells of about `mm`, never finer than its voxels."""
    linear = scan.affine[:3, :3]
    order = _axis_order(linear)
    hu, affine = scan.hu.transpose(order), scan.affine.copy()
    affine[:3, :3] = linear[:, order]
    flips = tuple(slice(None, None, -1 if affine[2 - a, a] < 0 else 1) for a in range(3))
    for a in range(3):
        if affine[2 - a, a] < 0:
            affine[:3, 3] += affine[:3, a] * (hu.shape[a] - 1)
            affine[:3, a] *= -1
    return _blocks(hu[flips], affine, _factors(np.linalg.norm(affine[:3, :3], axis=0), hu.shape, mm))


def _axis_order(linear: Array) -> tuple[int, int, int]:
    """Which axes of the array run nearest to z, y and x."""
    from itertools import permutations

    orders = list(permutations(range(3)))
    unit = np.abs(linear / np.linalg.norm(linear, axis=0))
    best = max(orders, key=lambda o: float(unit[2, o[0]] + unit[1, o[1]] + unit[0, o[2]]))
    return best[0], best[1], best[2]


def _factors(step: Array, shape: tuple[int, ...], mm: float) -> tuple[int, int, int]:
    f = [max(1, min(n, math.floor(mm / s + 0.5))) for s, n in zip(step, shape, strict=True)]
    return f[0], f[1], f[2]


def _blocks(hu: Array, affine: Array, factor: tuple[int, int, int]) -> Cells:
    """Means of whole blocks; what does not fill a block at the far end is left out."""
    out = np.empty([n // f for n, f in zip(hu.shape, factor, strict=True)], np.float32)
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ ((np.array(factor) - 1) / 2)
    moved[:3, :3] *= factor
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda k: _slab_mean(hu[k * factor[0] : (k + 1) * factor[0]], factor, out[k]), range(len(out))))
    return Cells(out, moved)


def _slab_mean(slab: Array, factor: tuple[int, int, int], out: Array) -> None:
    fits = hu_fits(slab.dtype, factor)
    rows, columns = out.shape[0] * factor[1], out.shape[1] * factor[2]
    total = np.clip(slab[0, :rows, :columns], *CLIP_HU).astype(fits, copy=False)
    for extra in slab[1:, :rows, :columns]:
        total += np.clip(extra, *CLIP_HU).astype(fits, copy=False)
    part = total[:: factor[1]]
    for i in range(1, factor[1]):
        part = part + total[i :: factor[1]]
    out[...] = part[:, :: factor[2]]
    for i in range(1, factor[2]):
        out += part[:, i :: factor[2]]
    out *= np.float32(1 / math.prod(factor))


def hu_fits(kind: Any, factor: tuple[int, int, int]) -> Any:
    """int16 where a sum over slices and rows cannot run over; float32 otherwise."""
    return np.int16 if kind == np.int16 and factor[0] * factor[1] * CLIP_HU[1] < np.iinfo(np.int16).max else np.float32


def _finer(flags: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Flags of coarse blocks on the finer grid they were made from."""
    for axis, n in enumerate(shape):
        at = np.minimum(np.arange(n) * flags.shape[axis] // max(1, n), flags.shape[axis] - 1)
        flags = flags.take(at, axis)
    return flags
