"""What a fit is made from: edges of the baseline's anatomy, in two halves, and the follow-up's tone at the same places.

The halves are taken like the fields of a chess board, so that each tells by itself how the body moved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_array

from resorb.followup.bodyfit import Rigid
from resorb.followup.cells import Cells
from resorb.followup.field import Field

BLOCK_MM = 8.0
LEAST_SLOPE = 6.0
MOST_CELLS = 800_000
MOST_POINTS = 150_000
CELLS_ALIKE = 6.0

Array = NDArray[Any]


@dataclass(frozen=True)
class Points:
    """Cells of the baseline that show an edge. at : LPS [mm], tone, slope : of tone along x, y, z [1/mm], shape (3, n).

    first : how many, at the beginning, are of the first half. alike : how many of them say the same thing.
    """

    at: Array
    tone: Array
    slope: Array
    first: int
    alike: float = CELLS_ALIKE

    def thinned(self, most: int) -> Points:
        """Every second, third ... of them, so that at most so many are left."""
        n = -(-len(self.at) // most)
        thin = Points(self.at[::n], self.tone[::n], self.slope[:, ::n], -(-self.first // n), max(1.0, self.alike / n))
        return thin if n > 1 else self

    def halves(self) -> tuple[Points, Points]:
        """Either half by itself."""
        cuts = slice(None, self.first), slice(self.first, None)
        one, two = (replace(self, at=self.at[c], tone=self.tone[c], slope=self.slope[:, c], first=0) for c in cuts)
        return one, two


def points_of(cells: Cells) -> Points:
    """The cells of the body, away from deposits, where something can be matched."""
    usable = cells.body & ~cells.deposits
    for axis in range(3):
        np.moveaxis(usable, axis, 0)[[0, -1]] = False
    where = np.flatnonzero(usable)
    where = where[:: max(1, len(where) // MOST_CELLS)]
    flat = cells.tone.reshape(-1)
    slope = _slopes(flat, where, cells)
    steep = np.flatnonzero(np.einsum("in,in->n", slope, slope) > LEAST_SLOPE**2)
    if len(steep) > MOST_POINTS:
        steep = steep[:: -(-len(steep) // MOST_POINTS)]
    at = cells.to_lps(np.stack(np.unravel_index(where[steep], cells.tone.shape), -1).astype(float))
    half = np.floor((at - cells.extent[0]) / BLOCK_MM).astype(int).sum(1) % 2
    order = np.argsort(half, kind="stable")
    steep = steep[order]
    return Points(at[order], flat[where[steep]], slope[:, steep], int(len(half) - half.sum()))


def _slopes(flat: Array, where: Array, cells: Cells) -> Array:
    """Slope of tone along x, y, z at these cells, (3, n). [1/mm]"""
    strides = (cells.tone.shape[1] * cells.tone.shape[2], cells.tone.shape[2], 1)
    along = [(flat[where + s] - flat[where - s]) * np.float32(0.5) for s in strides]
    per_mm = np.linalg.inv(cells.affine[:3, :3]).astype(np.float32)
    out = np.zeros((3, len(where)), np.float32)
    for n, axis in np.argwhere(per_mm):
        out[axis] += per_mm[n, axis] * along[n]
    return out


@dataclass(frozen=True)
class There:
    """The follow-up as seen from the baseline's frame. tone : NaN where it must not be used. affine : of its cells."""

    tone: Array
    affine: Array
    rigid: Rigid

    @classmethod
    def of(cls, cells: Cells, rigid: Rigid) -> There:
        """The follow-up's cells as the rigid motion lays them; deposits take no part."""
        return cls(np.where(cells.deposits, np.float32(np.nan), cells.tone), cells.affine, rigid)

    def sample(self, points: Array) -> Array:
        """Tone at baseline positions (n, 3); NaN where the follow-up shows nothing."""
        to_cells = np.linalg.inv(self.affine[:3, :3])
        linear, offset = to_cells @ self.rigid.turn, to_cells @ (self.rigid.shift - self.affine[:3, 3])
        x, y, z = points.T
        index = np.stack([row[0] * x + row[1] * y + row[2] * z + start for row, start in zip(linear, offset, strict=True)])
        return np.asarray(map_coordinates(self.tone, index, order=1, mode="constant", cval=np.nan))


@dataclass(frozen=True)
class Seated:
    """Half of the points on the bins of a field. bin : the nearest of each. share : how much each bin counts at each, (points, bins)."""

    points: Points
    bin: Array
    share: csr_array

    @classmethod
    def of(cls, points: Points, field: Field) -> Seated:
        """The points on the bins of this field and of any that is like it."""
        shape = np.array(field.known.shape)
        index = ((points.at - field.origin) / field.mm)[:, ::-1]
        low = np.clip(np.floor(index), 0, shape - 2).astype(np.int32)
        part = np.clip(index - low, 0, 1).astype(np.float32)
        strides = np.array([shape[1] * shape[2], shape[2], 1], np.int32)
        corners = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
        columns = (low @ strides)[:, None] + (corners @ strides).astype(np.int32)
        share = np.stack([np.prod(np.where(corner, part, 1 - part), axis=1) for corner in corners], 1)
        ends = np.arange(0, 8 * len(low) + 1, 8)
        return cls(points, field.bins(points.at), csr_array((share.ravel(), columns.ravel(), ends), (len(low), field.known.size)))

    def moved(self, field: Field) -> Array:
        """The points with their moves. LPS [mm]"""
        return np.asarray(self.points.at + self.share @ field.moves.reshape(3, -1).T)

    def residual(self, there: There, field: Field) -> Array:
        """Tone of the follow-up less that of the baseline at each point; NaN where the follow-up shows nothing."""
        return np.asarray(there.sample(self.moved(field)) - self.points.tone)
