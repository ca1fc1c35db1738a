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
COARSE_BIN_MM = 16.0
BLOCK_MM = 8.0
COARSE_WINDOWS_MM = (32.0, 32.0, 22.0, 16.0)
WINDOWS_MM = (12.0, 9.0)
USUAL_MOVE_MM = 2.0
LEAST_SLOPE = 6.0
MOST_CELLS = 800_000
MOST_POINTS = 150_000
TONE_NOISE = 12.0
STRAY_TONE = 60.0
CELLS_ALIKE = 6.0

Array = NDArray[Any]


@dataclass(frozen=True)
class Points:
    """Cells of the baseline that show an edge. at : LPS [mm], tone, slope : of tone along x, y, z [1/mm], half : 0 or 1."""

    at: Array
    tone: Array
    slope: Array
    half: Array

    def of(self, half: int) -> Points:
        """Those of one half: every other block of the volume, as on a chess board."""
        mine = self.half == half
        return Points(self.at[mine], self.tone[mine], self.slope[mine], self.half[mine])


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

    def bins(self, points: Array) -> Array:
        """Which bin each position (n, 3) lies in, shape (n,)."""
        index = np.round((points - self.origin) / self.mm)[:, ::-1].astype(int).T
        return np.asarray(np.ravel_multi_index(tuple(index), self.known.shape, mode="clip"))

    def finer(self, like: Field) -> Field:
        """The same moves on the bins of another field."""
        at = np.meshgrid(*[np.arange(n) * (like.mm / self.mm) for n in like.known.shape], indexing="ij")
        both = [map_coordinates(v, at, order=1, mode="nearest") for v in (*self.moves, self.known)]
        return Field(np.stack(both[:3]), both[3], like.origin, like.mm)

    def moved(self, points: Array) -> Array:
        """Positions with their moves. [mm]"""
        return np.asarray(points + np.stack([self.sample(m, points) for m in self.moves], -1))

    def back(self, points: Array) -> Array:
        """The positions that `moved` takes to these. [mm]"""
        found = points.copy()
        for _ in range(12):
            found = points - (self.moved(found) - found)
        return found


def no_field(cells: Cells, mm: float) -> Field:
    """No moves, on bins over these cells."""
    low, high = cells.extent
    count = np.ceil((high - low) / mm).astype(int)[::-1] + 1
    return Field(np.zeros((3, *count), np.float32), np.zeros(count, np.float32), low, mm)


def points_of(cells: Cells) -> Points:
    """The cells of the body, away from deposits, where something can be matched."""
    usable = cells.body & ~cells.deposits
    for axis in range(3):
        np.moveaxis(usable, axis, 0)[[0, -1]] = False
    where = np.flatnonzero(usable)
    where = where[:: max(1, len(where) // MOST_CELLS)]
    strides = np.array([cells.hu.shape[1] * cells.hu.shape[2], cells.hu.shape[2], 1])
    flat = cells.tone.reshape(-1)
    slopes = np.stack([(flat[where + s] - flat[where - s]) * np.float32(0.5) for s in strides], -1)
    slopes = slopes @ np.linalg.inv(cells.affine[:3, :3]).astype(np.float32)
    steep = np.flatnonzero(np.einsum("ni,ni->n", slopes, slopes) > LEAST_SLOPE**2)
    if len(steep) > MOST_POINTS:
        steep = steep[:: -(-len(steep) // MOST_POINTS)]
    where, slopes = where[steep], slopes[steep]
    at = cells.to_lps(np.stack(np.unravel_index(where, cells.hu.shape), -1).astype(float))
    block = np.floor((at - cells.extent[0]) / BLOCK_MM).astype(int)
    return Points(at, flat[where], slopes, block.sum(1) % 2)


@dataclass(frozen=True)
class There:
    """The follow-up as seen from the baseline's frame. tone : NaN where it must not be used. linear, offset : baseline mm to its cells."""

    tone: Array
    linear: Array
    offset: Array

    @classmethod
    def of(cls, cells: Cells, rigid: Rigid) -> There:
        """The follow-up's cells as the rigid motion lays them; deposits take no part."""
        to_cells = np.linalg.inv(cells.affine[:3, :3])
        tone = np.where(cells.deposits, np.float32(np.nan), cells.tone)
        return cls(tone, to_cells @ rigid.turn, to_cells @ (rigid.shift - cells.affine[:3, 3]))

    def sample(self, points: Array) -> Array:
        """Tone at baseline positions (n, 3); NaN where the follow-up shows nothing."""
        x, y, z = points.T
        index = np.stack([row[0] * x + row[1] * y + row[2] * z + start for row, start in zip(self.linear, self.offset, strict=True)])
        return np.asarray(map_coordinates(self.tone, index, order=1, mode="constant", cval=np.nan))


def local_fit(points: Points, there: There, cells: Cells) -> Field:
    """The field over `cells` of the baseline, found window by window."""
    field = no_field(cells, COARSE_BIN_MM)
    for window in COARSE_WINDOWS_MM:
        field = refined(points, there, field, window)
    field = field.finer(no_field(cells, BIN_MM))
    for window in WINDOWS_MM:
        field = refined(points, there, field, window)
    return field


def residual(points: Points, there: There, field: Field) -> Array:
    """Tone of the follow-up less that of the baseline at each point; NaN where the follow-up shows nothing."""
    return np.asarray(there.sample(field.moved(points.at)) - points.tone)


def refined(points: Points, there: There, field: Field, window: float) -> Field:
    """The field moved once more, by what is seen in windows of this size (standard deviation). [mm]"""
    left = residual(points, there, field)
    seen = np.isfinite(left)
    left = np.where(seen, left, 0)
    scale = max(TONE_NOISE, 1.5 * float(np.median(np.abs(left[seen])))) if seen.any() else TONE_NOISE
    weight = seen / (1 + (left / (3 * scale)) ** 2) ** 2 / (scale**2 * CELLS_ALIKE)
    step, known = _solved(*_window_sums(points, left, weight, field, window))
    return Field(field.moves + step.astype(np.float32), known.astype(np.float32), field.origin, field.mm)


def _window_sums(points: Points, left: Array, weight: Array, field: Field, window: float) -> tuple[Array, Array]:
    """Normal equations in the window around each bin: [xx, xy, xz, yy, yz, zz] of the move, and [x, y, z] of what is wanted.

    An offset of brightness, the same within the window, is already taken out.
    """
    shape, count = field.known.shape, field.known.size
    sigma = window / field.mm
    bins = field.bins(points.at)
    as_sum = (2 * np.pi) ** 1.5 * sigma**3

    def gathered(values: Array) -> Array:
        binned = np.bincount(bins, values, count).reshape(shape)
        return np.asarray(gaussian_filter(binned, sigma, mode="constant", truncate=3.0) * as_sum)

    slope = [np.ascontiguousarray(points.slope[:, a]) * weight for a in range(3)]
    bright = 1 / (gathered(weight) + 1 / STRAY_TONE**2)
    means, other = [gathered(s) for s in slope], gathered(-weight * left)
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    matrix = [gathered(slope[a] * points.slope[:, b]) - means[a] * means[b] * bright for a, b in pairs]
    wanted = [gathered(-slope[a] * left) - means[a] * other * bright for a in range(3)]
    return np.array(matrix), np.array(wanted)


def _solved(matrix: Array, wanted: Array) -> tuple[Array, Array]:
    """The move of each bin, held back where little is seen, and the share of it that was seen."""
    prior = 1 / USUAL_MOVE_MM**2
    xx, xy, xz, yy, yz, zz = matrix
    xx, yy, zz = xx + prior, yy + prior, zz + prior
    axx, axy, axz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    ayy, ayz, azz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    whole = xx * axx + xy * axy + xz * axz
    x, y, z = wanted
    step = np.array([axx * x + axy * y + axz * z, axy * x + ayy * y + ayz * z, axz * x + ayz * y + azz * z]) / whole
    return step, 1 - prior * (axx + ayy + azz) / whole / 3
