"""A scan seen in cells of about 2 mm: means of whole voxels, so noise is low, no full copy is made, and no filter shifts an edge."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, label

from resorb.ct.components import join_in_space, runs_of
from resorb.ct.scan import Scan

CELL_MM = 2.0
WORKERS = 2
CLIP_HU = (-1024, 1500)
TONE_HU = (-1000.0, -200.0, 200.0, 1500.0)
TONE = (-400.0, -200.0, 200.0, 590.0)
BODY_TONE = -150.0
DENSE_TONE = 120.0
SKELETON_MM3 = 3000.0
COARSE_MM = 4.0
THIN_CELLS = 2

Array = NDArray[Any]


@dataclass(frozen=True)
class Cells:
    """tone : [slice, row, column], axes turned so that all run with LPS. affine : (slice, row, column, 1) to LPS mm.

    Tone is HU with the steps between air and tissue, and within bone, made smaller: soft tissue and fat carry the match.
    """

    tone: Array
    affine: Array

    @property
    def step(self) -> Array:
        """Distance between neighbours along slice, row, column. [mm]"""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def extent(self) -> tuple[Array, Array]:
        """Least and greatest position of the centres of its corner cells. LPS [mm]"""
        ends = np.meshgrid(*[(0.0, n - 1.0) for n in self.tone.shape])
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
        return _blocks(self.tone, self.affine, _factors(self.step, self.tone.shape, mm))

    @cached_property
    def body(self) -> NDArray[np.bool_]:
        """Inside the body or at its skin: the largest solid piece that hangs together, hollows filled slice by slice."""
        solid = self.coarser(COARSE_MM).tone > BODY_TONE
        if not solid.any():
            return np.zeros(self.tone.shape, bool)
        thick = _grown(~_grown(~solid, THIN_CELLS), THIN_CELLS) & solid
        pieces, count = label(thick if thick.any() else solid)
        largest = np.bincount(pieces.reshape(-1), minlength=count + 1)[1:].argmax() + 1
        return _finer(_filled(_grown(pieces == largest, THIN_CELLS)), self.tone.shape)

    @cached_property
    def deposits(self) -> NDArray[np.bool_]:
        """What is dense and too small for bone, and its neighbours: may have changed, so it takes no part in the match."""
        flat = np.flatnonzero(self.tone > DENSE_TONE)
        runs = runs_of(flat, _shape(self.tone))
        count, piece = join_in_space(runs)
        small = np.bincount(piece, runs.size, count) * float(np.prod(self.step)) < SKELETON_MM3
        return _with_neighbours(flat[np.repeat(small[piece], runs.size)], _shape(self.tone))


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
    cells = _blocks(hu[flips], affine, _factors(np.linalg.norm(affine[:3, :3], axis=0), hu.shape, mm))
    for one in cells.tone:
        one[...] = _tone_of(one)
    return cells


def _tone_of(hu: Array) -> Array:
    """Tone of HU: straight lines between the given points."""
    tone = np.full(hu.shape, TONE[0], np.float32)
    for n in range(len(TONE) - 1):
        part = np.clip(hu, np.float32(TONE_HU[n]), np.float32(TONE_HU[n + 1]))
        part -= np.float32(TONE_HU[n])
        part *= np.float32((TONE[n + 1] - TONE[n]) / (TONE_HU[n + 1] - TONE_HU[n]))
        tone += part
    return tone


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


def _blocks(values: Array, affine: Array, factor: tuple[int, int, int]) -> Cells:
    """Means of whole blocks; what does not fill a block at the far end is left out."""
    out = np.empty([n // f for n, f in zip(values.shape, factor, strict=True)], np.float32)
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ ((np.array(factor) - 1) / 2)
    moved[:3, :3] *= factor
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda k: _slab_mean(values[k * factor[0] : (k + 1) * factor[0]], factor, out[k]), range(len(out))))
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


def _grown(flags: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """With the six neighbours of all that is flagged, so many times; as `binary_dilation`, which takes ten times as long."""
    for _ in range(steps):
        more = flags.copy()
        for axis in range(3):
            to, of = np.moveaxis(more, axis, 0), np.moveaxis(flags, axis, 0)
            to[1:] |= of[:-1]
            to[:-1] |= of[1:]
        flags = more
    return flags


def _filled(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With its hollows, slice by slice: what cannot be reached from the edge of the slice."""
    in_slice = generate_binary_structure(3, 1)
    in_slice[[0, 2]] = False
    pieces, count = label(~flags, in_slice)
    reached = np.zeros(count + 1, bool)
    for side in (pieces[:, 0], pieces[:, -1], pieces[:, :, 0], pieces[:, :, -1]):
        reached[side] = True
    reached[0] = False
    return np.asarray(~reached[pieces])


def _with_neighbours(flat: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """True at these flat indices and at the 26 neighbours of each."""
    out = np.zeros(shape, bool)
    at = np.unravel_index(flat, shape)
    near = [[np.clip(along + step, 0, n - 1) for step in (-1, 0, 1)] for along, n in zip(at, shape, strict=True)]
    for k in near[0]:
        for j in near[1]:
            for i in near[2]:
                out[k, j, i] = True
    return out


def _shape(values: Array) -> tuple[int, int, int]:
    slices, rows, columns = values.shape
    return slices, rows, columns
