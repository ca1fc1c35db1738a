"""A smooth field of small moves, on bins over the body; what it takes to where, and how sure it is of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

USUAL_MOVE_MM = 2.0

Array = NDArray[Any]


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


def no_field(extent: tuple[Array, Array], mm: float) -> Field:
    """No moves, on bins over this extent: its least and greatest position, LPS [mm]."""
    low, high = extent
    count = np.ceil((high - low) / mm).astype(int)[::-1] + 1
    unsure = np.full(count, USUAL_MOVE_MM**2, np.float32)
    return Field(np.zeros((3, *count), np.float32), np.zeros(count, np.float32), unsure, low, mm)
