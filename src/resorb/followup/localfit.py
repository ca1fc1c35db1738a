"""Where the body bent or breathed: a smooth field of small moves, found from the anatomy around each place and not from deposits.

At each place, the grey values within a window are fitted by a move and an offset of brightness (Lucas and Kanade), in windows that shrink
from pass to pass. Each pass is made twice, from either half of the anatomy, taken like the fields of a chess board: what both halves find
is moved, what only one finds is noise. So the field is as local as this pair of scans can support, and knows its own error.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from resorb.followup.bodyfit import Rigid, rigid_of
from resorb.followup.cells import Cells

BIN_MM = 8.0
COARSE_BIN_MM = 16.0
BLOCK_MM = 8.0
COARSE_WINDOWS_MM = (32.0, 32.0, 22.0, 16.0)
WINDOWS_MM = (12.0, 9.0, 9.0, 9.0)
GAIN_WINDOW_MM = 30.0
LEAST_NOISE_MM2 = 1e-6
STRAIGHTENINGS = 3
FEWEST_POINTS = 50
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


@dataclass(frozen=True)
class Field:
    """Moves on bins, (3, slice, row, column) along x, y, z [mm], added to baseline positions before the rigid motion.

    known : share of each move that was seen and not assumed, 0 to 1. doubt : expected square of the error of each move [mm2].
    """

    moves: Array
    known: Array
    doubt: Array
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
        all_of = [map_coordinates(v, at, order=1, mode="nearest") for v in (*self.moves, self.known, self.doubt)]
        return Field(np.stack(all_of[:3]), all_of[3], all_of[4], like.origin, like.mm)

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
    unsure = np.full(count, USUAL_MOVE_MM**2, np.float32)
    return Field(np.zeros((3, *count), np.float32), np.zeros(count, np.float32), unsure, low, mm)


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


def straightened(points: Points, moving: Cells, rigid: Rigid, cells: Cells) -> Rigid:
    """The rigid motion made better by what wide windows see of it: they follow every edge, where the first fit took samples."""
    for _ in range(STRAIGHTENINGS):
        there, field = There.of(moving, rigid), no_field(cells, COARSE_BIN_MM)
        field = refined(points, there, field, COARSE_WINDOWS_MM[0])
        at = points.at[np.isfinite(residual(points, there, field))]
        if len(at) < FEWEST_POINTS:
            return rigid
        rigid = rigid_of(at, rigid.there(field.moved(at)))
    return rigid


def residual(points: Points, there: There, field: Field) -> Array:
    """Tone of the follow-up less that of the baseline at each point; NaN where the follow-up shows nothing."""
    return np.asarray(there.sample(field.moved(points.at)) - points.tone)


def refined(points: Points, there: There, field: Field, window: float) -> Field:
    """The field moved once more, by what both halves see in windows of this size (standard deviation). [mm]"""
    left = residual(points, there, field)
    seen = np.isfinite(left)
    left = np.where(seen, left, 0)
    scale = max(TONE_NOISE, 1.5 * float(np.median(np.abs(left[seen])))) if seen.any() else TONE_NOISE
    weight = seen / (1 + (left / (3 * scale)) ** 2) ** 2 / (scale**2 * CELLS_ALIKE)
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(lambda half: _window_sums(points, left, np.where(points.half == half, weight, 0), field, window), (0, 1)))
    one, two = (_solved(half)[0] for half in halves)
    step, known = _solved(halves[0] + halves[1])
    shared, noise = _agreement(one, two, known, GAIN_WINDOW_MM / field.mm)
    gain = shared / (shared + noise + LEAST_NOISE_MM2)
    moves = field.moves + (gain * step).astype(np.float32)
    doubt = gain**2 * noise + (1 - gain) ** 2 * (field.doubt + shared)
    return Field(moves, known.astype(np.float32), doubt.astype(np.float32), field.origin, field.mm)


def _agreement(one: Array, two: Array, known: Array, sigma: float) -> tuple[Array, Array]:
    """Around each bin, mean square of what the moves of both halves share, and of the noise of their mean. [mm2]"""

    def around(values: Array) -> Array:
        return np.asarray(gaussian_filter(values * known, sigma, mode="constant", truncate=2.5))

    weight = around(np.ones_like(known)) + 1e-9
    return np.maximum(around((one * two).sum(0)) / weight, 0), around(((one - two) ** 2).sum(0)) / weight / 4


def _window_sums(points: Points, left: Array, weight: Array, field: Field, window: float) -> Array:
    """Sums in the window around each bin, of 1, the slope x, y, z, what is left, xx, xy, xz, yy, yz, zz, and slope by what is left."""
    sigma = window / field.mm
    used = np.flatnonzero(weight)
    bins, weight, left = field.bins(points.at[used]), weight[used], left[used]
    slope = [np.ascontiguousarray(points.slope[used, a]) for a in range(3)]
    leaning = [s * weight for s in slope]
    pairs = [leaning[a] * slope[b] for a in range(3) for b in range(a, 3)]
    values = [weight, *leaning, -left * weight, *pairs, *(-s * left for s in leaning)]
    sums = np.empty((len(values), *field.known.shape))
    for total, value in zip(sums, values, strict=True):
        binned = np.bincount(bins, value, field.known.size).reshape(field.known.shape)
        gaussian_filter(binned, sigma, output=total, mode="constant", truncate=3.0)
    return np.asarray(sums * ((2 * np.pi) ** 1.5 * sigma**3))


def _solved(sums: Array) -> tuple[Array, Array]:
    """The move of each bin, held back where little is seen, and the share of it that was seen along the axis that shows least.

    An offset of brightness, the same within the window, is taken out first.
    """
    bright = 1 / (sums[0] + 1 / STRAY_TONE**2)
    tilt, prior = sums[1:4], 1 / USUAL_MOVE_MM**2
    x, y, z = (sums[11 + a] - tilt[a] * sums[4] * bright for a in range(3))
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    xx, xy, xz, yy, yz, zz = (sums[5 + n] - tilt[a] * tilt[b] * bright + prior * (a == b) for n, (a, b) in enumerate(pairs))
    axx, axy, axz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    ayy, ayz, azz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    whole = xx * axx + xy * axy + xz * axz
    step = np.array([axx * x + axy * y + axz * z, axy * x + ayy * y + ayz * z, axz * x + ayz * y + azz * z]) / whole
    return step, 1 - prior * np.maximum(np.maximum(axx, ayy), azz) / whole
