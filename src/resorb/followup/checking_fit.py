"""Does the fit hold? Three kinds of evidence that the fit itself did not use, and from them the error at every place.

Two halves of the anatomy, taken like the fields of a chess board and fitted apart, must find the same moves. Deep in the body, away from
the skin that any two people share, grey values must rise and fall together. And a move counts only where something was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, minimum_filter1d

from resorb.followup.cells import Cells
from resorb.followup.edges import Points
from resorb.followup.field import Field

ALIKE_WINDOW_MM = 8.0
DEEP_MM = 20.0
ALIKE = 0.8
LEAST_ALIKE_SHARE = 0.65
LEAST_POINTS = 800
LEAST_DEEP_POINTS = 300
MOST_ERROR_MM = 3.0
FLOOR_MM = 0.35
FLOOR_PER_MM = 0.14
PLAIN_CONTRAST = 40.0
LEAST_USUAL_MOVE_MM = 1.0
PER_DOUBT = 1.6
PER_UNLIKE_MM = 6.0

Array = NDArray[Any]


@dataclass(frozen=True)
class Check:
    """error : 95th percentile on the bins of the field [mm]. alike_share : of the places deep in the body. seen_share : of all places."""

    error: Array
    alike_share: float
    seen_share: float
    typical_error_mm: float
    failed: str


def check(points: Points, left: Array, field: Field, cells: Cells) -> Check:
    """The evidence on a fit. left : what is left of each point's tone."""
    seen = np.isfinite(left)
    if seen.sum() < LEAST_POINTS:
        return Check(np.full(field.known.shape, np.inf), 0.0, float(seen.mean()) if len(seen) else 0.0, np.inf, too_little(int(seen.sum())))
    alike, contrast = _alike(points, left, field)
    deep = seen & deep_points(points, cells)
    if deep.sum() < LEAST_DEEP_POINTS:
        deep = seen
    places = np.unique(field.bins(points.at[deep]))
    share = float(np.mean(alike.reshape(-1)[places] > ALIKE))
    error = _error(field, alike, contrast, float(cells.step.max()))
    typical = float(np.median(error.reshape(-1)[places]))
    return Check(error, share, float(seen.mean()), typical, _verdict(share, typical))


def too_little(count: int) -> str:
    """Why a fit by so few points cannot be trusted."""
    return f"too little structure to align by: {count} places show an edge in both scans, at least {LEAST_POINTS} are needed"


def _verdict(share: float, typical: float) -> str:
    if share < LEAST_ALIKE_SHARE:
        return (
            f"the scans do not show the same anatomy where they fit best: {100 * share:.0f} % of places deep in the body are alike, at "
            f"least {100 * LEAST_ALIKE_SHARE:.0f} % are expected (another person, another part of the body, or a mirrored scan?)"
        )
    if typical > MOST_ERROR_MM:
        by = f"{typical:.1f} mm, " if np.isfinite(typical) else ""
        return f"positions would be uncertain by {by}more than {MOST_ERROR_MM:.0f} mm"
    return ""


def deep_points(points: Points, cells: Cells) -> NDArray[np.bool_]:
    """Which points lie well below the skin."""
    coarse = 4
    body = cells.body[::coarse, ::coarse, ::coarse].astype(np.uint8)
    reach = np.maximum(1, np.round(DEEP_MM / (cells.step * coarse))).astype(int)
    padded = np.pad(body, [(r, r) for r in reach], "edge")
    for axis, r in enumerate(reach):
        padded = minimum_filter1d(padded, 2 * r + 1, axis)
    deep = padded[tuple(slice(r, -r) for r in reach)]
    index = np.round(cells.to_index(points.at) / coarse).astype(int)
    return np.asarray(deep[tuple(np.minimum(index, np.array(deep.shape) - 1).T)], bool)


def _alike(points: Points, left: Array, field: Field) -> tuple[Array, Array]:
    """Correlation of both scans' tones in the window around each bin, -1 to 1, and their contrast there; 0 where nothing was seen."""
    seen = np.isfinite(left)
    first, bins = points.tone[seen].astype(float), field.bins(points.at[seen])
    second = first + left[seen]

    def mean_of(values: Array) -> Array:
        binned = np.bincount(bins, values, field.known.size).reshape(field.known.shape)
        return np.asarray(gaussian_filter(binned, ALIKE_WINDOW_MM / field.mm, mode="constant"))

    count = np.maximum(mean_of(np.ones(len(first))), 1e-9)
    middle, other = mean_of(first) / count, mean_of(second) / count
    spread = (mean_of(first**2) / count - middle**2) * (mean_of(second**2) / count - other**2)
    together = mean_of(first * second) / count - middle * other
    seen_here = count > 1e-6
    spread = np.maximum(spread, 1.0)
    return np.where(seen_here, together / np.sqrt(spread), 0), np.where(seen_here, spread**0.25, 0)


def _error(field: Field, alike: Array, contrast: Array, coarsest_mm: float) -> Array:
    """95th percentile of the error on each bin: what no scan escapes, how far the halves differ, what was unlike, what was not seen."""
    length = np.linalg.norm(field.moves, axis=0)
    known = field.known > 0.5
    usual = max(LEAST_USUAL_MOVE_MM, float(np.percentile(length[known], 95))) if known.any() else np.inf
    unseen = (1 - field.known) * usual
    unlike = PER_UNLIKE_MM * np.clip(ALIKE - alike, 0, 1) * field.known * np.minimum(1, contrast / PLAIN_CONTRAST)
    floor = max(FLOOR_MM, FLOOR_PER_MM * coarsest_mm)
    return np.asarray(np.sqrt(floor**2 + PER_DOUBT**2 * field.doubt + unseen**2 + unlike**2))
