"""Where the body bent or breathed: a smooth field of small moves, found from the anatomy around each place and not from deposits.

At each place, the grey values within a window are fitted by a move and an offset of brightness (Lucas and Kanade), in windows that shrink
from pass to pass. A window that shows too little keeps what the wider one found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from resorb.followup.bodyfit import Rigid
from resorb.followup.cells import Cells

BIN_MM = 8.0
WINDOWS_MM = (32.0, 32.0, 22.0, 16.0, 12.0, 9.0)
USUAL_MOVE_MM = 2.0
LEAST_SLOPE = 6.0
MOST_POINTS = 400_000
TONE_NOISE = 12.0
STRAY_TONE = 60.0
CELLS_ALIKE = 6.0

Array = NDArray[Any]


@dataclass(frozen=True)
class Points:
    """Cells of the baseline that show an edge. at : LPS [mm], tone, slope : of tone along x, y, z [1/mm], bin : which bin each lies in."""

    at: Array
    tone: Array
    slope: Array
    bin: Array
    half: Array

    def of(self, half: int) -> Points:
        """Those of one half: every other block of the volume, as on a chess board."""
        mine = self.half == half
        return Points(self.at[mine], self.tone[mine], self.slope[mine], self.bin[mine], self.half[mine])


@dataclass(frozen=True)
class Field:
    """Moves on bins, (3, slice, row, column) along x, y, z [mm], added to baseline positions before the rigid motion.

    known : share of each move that was seen and not assumed, 0 to 1.
    """

    moves: Array
    known: Array
    origin: Array
    mm: float

    def sample(self, values: Array, points: Array) -> Array:
        """Values on bins at positions (n, 3), the nearest at the ends. Shape (n,)."""
        index = ((points - self.origin) / self.mm)[:, ::-1].T
        return np.asarray(map_coordinates(values, index, order=1, mode="nearest"))

    def moved(self, points: Array) -> Array:
        """Positions with their moves. [mm]"""
        return np.asarray(points + np.stack([self.sample(m, points) for m in self.moves], -1))

    def back(self, points: Array) -> Array:
        """The positions that `moved` takes to these. [mm]"""
        found = points.copy()
        for _ in range(12):
            found = points - (self.moved(found) - found)
        return found


def no_field(cells: Cells) -> Field:
    """No moves, on bins over these cells."""
    shape = np.array(cells.hu.shape) - 1.0
    corners = cells.to_lps(np.array(np.meshgrid(*[(0.0, n) for n in shape])).reshape(3, -1).T)
    low, high = corners.min(0), corners.max(0)
    count = np.ceil((high - low) / BIN_MM).astype(int)[::-1] + 1
    return Field(np.zeros((3, *count), np.float32), np.zeros(count, np.float32), low, BIN_MM)


def points_of(cells: Cells, field: Field) -> Points:
    """The cells of the body, away from deposits, where something can be matched."""
    usable = cells.body & ~cells.deposits
    for axis in range(3):
        np.moveaxis(usable, axis, 0)[[0, -1]] = False
    where = np.flatnonzero(usable)
    strides = np.array([cells.hu.shape[1] * cells.hu.shape[2], cells.hu.shape[2], 1])
    flat = cells.tone.reshape(-1)
    slopes = np.stack([(flat[where + s] - flat[where - s]) * np.float32(0.5) for s in strides], -1)
    slopes = slopes @ np.linalg.inv(cells.affine[:3, :3]).astype(np.float32)
    steep = np.flatnonzero(np.einsum("ni,ni->n", slopes, slopes) > LEAST_SLOPE**2)
    if len(steep) > MOST_POINTS:
        steep = steep[np.linspace(0, len(steep) - 1, MOST_POINTS).astype(int)]
    where, slopes = where[steep], slopes[steep]
    at = cells.to_lps(np.stack(np.unravel_index(where, cells.hu.shape), -1).astype(float))
    index = np.round((at - field.origin) / field.mm)[:, ::-1].astype(int)
    half = index.sum(1) % 2
    return Points(at, flat[where], slopes, np.ravel_multi_index(tuple(index.T), field.known.shape), half)


def local_fit(points: Points, moving: Array, place: tuple[Cells, Rigid], field: Field, windows: tuple[float, ...] = WINDOWS_MM) -> Field:
    """The field refined window by window. moving : tone of the follow-up's cells, NaN where it must not be used."""
    for window in windows:
        field = _refined(points, moving, place, field, window)
    return field


def residual(points: Points, moving: Array, place: tuple[Cells, Rigid], field: Field) -> Array:
    """Tone of the follow-up less that of the baseline at each point; NaN where the follow-up shows nothing."""
    cells, rigid = place
    index = cells.to_index(rigid.there(field.moved(points.at))).T
    return np.asarray(map_coordinates(moving, index, order=1, mode="constant", cval=np.nan) - points.tone)


def _refined(points: Points, moving: Array, place: tuple[Cells, Rigid], field: Field, window: float) -> Field:
    left = residual(points, moving, place, field)
    seen = np.isfinite(left)
    left = np.where(seen, left, 0)
    scale = max(TONE_NOISE, 1.5 * float(np.median(np.abs(left[seen])))) if seen.any() else TONE_NOISE
    weight = seen / (1 + (left / (3 * scale)) ** 2) ** 2 / (scale**2 * CELLS_ALIKE)
    sums = _window_sums(points, left, weight, field, window)
    matrix, wanted = sums
    prior = np.diag([1 / USUAL_MOVE_MM**2] * 3 + [1 / STRAY_TONE**2])
    step = np.linalg.solve(matrix + prior, wanted[..., None])[..., :3, 0]
    known = np.linalg.solve(matrix + prior, matrix)[..., :3, :3]
    share = np.trace(known, axis1=-2, axis2=-1) / 3
    return Field(field.moves + np.moveaxis(step, -1, 0).astype(np.float32), share.astype(np.float32), field.origin, field.mm)


def _window_sums(points: Points, left: Array, weight: Array, field: Field, window: float) -> tuple[Array, Array]:
    """Normal equations of move (x, y, z) and brightness in the window around each bin."""
    shape, count = field.known.shape, field.known.size
    sigma = window / field.mm
    as_sum = (2 * np.pi) ** 1.5 * sigma**3

    def gathered(values: Array) -> Array:
        binned = np.bincount(points.bin, values, count).reshape(shape)
        return np.asarray(gaussian_filter(binned, sigma, mode="constant", truncate=3.0)) * as_sum

    columns = [points.slope[:, 0], points.slope[:, 1], points.slope[:, 2], np.ones(1)]
    matrix, wanted = np.empty((*shape, 4, 4)), np.empty((*shape, 4))
    for a in range(4):
        weighted = weight * columns[a]
        wanted[..., a] = gathered(-weighted * left)
        for b in range(a, 4):
            matrix[..., a, b] = matrix[..., b, a] = gathered(weighted * columns[b])
    return matrix, wanted
