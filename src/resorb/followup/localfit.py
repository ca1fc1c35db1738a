"""Where the body bent or breathed: a smooth field of small moves, found from the anatomy around each place and not from deposits.

At each place, the grey values within a window are fitted by a move and an offset of brightness (Lucas and Kanade), in windows that shrink
from pass to pass. Each pass is made twice, from either half of the anatomy, taken like the fields of a chess board: what both halves find
is moved, what only one finds is noise. So the field is as local as this pair of scans can support, and knows its own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from resorb.followup.bodyfit import rigid_of
from resorb.followup.edges import Points, Seated, There
from resorb.followup.field import USUAL_MOVE_MM, Field, no_field

BIN_MM = 8.0
COARSE_BIN_MM = 16.0
COARSE_WINDOWS_MM = (32.0, 32.0, 22.0, 16.0)
WINDOWS_MM = (12.0, 9.0, 9.0, 9.0)
GAIN_WINDOW_MM = 30.0
LEAST_NOISE_MM2 = 1e-6
STRAIGHTENINGS = 3
FEWEST_POINTS = 50
COARSE_POINTS = 50_000
MARGIN_MM = 12.0
TONE_NOISE = 12.0
STRAY_TONE = 60.0
SLICES_AT_ONCE = 6

Array = NDArray[Any]
T = TypeVar("T")
Seats = tuple[Seated, Seated]


def local_fit(points: Points, there: There) -> tuple[There, Field, Array]:
    """The rigid motion made better, the field of moves before it, window by window, and what is left of each point's tone."""
    extent = points.at.min(0) - MARGIN_MM, points.at.max(0) + MARGIN_MM
    few, field = points.thinned(COARSE_POINTS), no_field(extent, COARSE_BIN_MM)
    seats = seats_of(few, field)
    there = straightened(seats, there, field)
    for window in COARSE_WINDOWS_MM:
        field = refined(seats, there, field, window)
    field = field.finer(no_field(extent, BIN_MM))
    seats = seats_of(points, field)
    for window in WINDOWS_MM:
        field = refined(seats, there, field, window)
    return there, field, np.concatenate(_twice(lambda half: half.residual(there, field), seats))


def straightened(seats: Seats, there: There, nothing: Field) -> There:
    """The rigid motion made better by what wide windows see of it: they follow every edge, where the first fit took samples."""
    for _ in range(STRAIGHTENINGS):
        field = refined(seats, there, nothing, COARSE_WINDOWS_MM[0])
        seen = [np.isfinite(half.residual(there, field)) for half in seats]
        at = np.concatenate([half.points.at[s] for half, s in zip(seats, seen, strict=True)])
        if len(at) < FEWEST_POINTS:
            return there
        moved = np.concatenate([half.moved(field)[s] for half, s in zip(seats, seen, strict=True)])
        there = replace(there, rigid=rigid_of(at, there.rigid.there(moved)))
    return there


def refined(seats: Seats, there: There, field: Field, window: float) -> Field:
    """The field moved once more, by what both halves see in windows of this size (standard deviation). [mm]"""
    left = _twice(lambda half: half.residual(there, field), seats)
    off = np.concatenate([np.abs(one[np.isfinite(one)]) for one in left])
    scale = max(TONE_NOISE, 1.5 * float(np.median(off))) if len(off) else TONE_NOISE
    halves = _twice(lambda half, own: _window_sums(half, own, scale, (field, window)), seats, left)
    one, two = (step for step, _ in _twice(_solved, halves))
    halves[0] += halves.pop()
    step, known = _solved(halves[0])
    shared, noise = _agreement(one, two, known, GAIN_WINDOW_MM / field.mm)
    gain = shared / (shared + noise + LEAST_NOISE_MM2)
    moves = field.moves + (gain * step).astype(np.float32)
    doubt = gain**2 * noise + (1 - gain) ** 2 * (field.doubt + shared)
    return Field(moves, known.astype(np.float32), doubt.astype(np.float32), field.origin, field.mm)


def _twice(work: Callable[..., T], *given: Sequence[Any]) -> list[T]:
    """The same work on both halves at once."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, *given))


def seats_of(points: Points, field: Field) -> Seats:
    """Both halves of the points on the bins of a field."""
    one, two = _twice(lambda half: Seated.of(half, field), points.halves())
    return one, two


def _agreement(one: Array, two: Array, known: Array, sigma: float) -> tuple[Array, Array]:
    """Around each bin, mean square of what the moves of both halves share, and of the noise of their mean. [mm2]"""

    def around(values: Array) -> Array:
        return np.asarray(gaussian_filter(values * known, sigma, mode="constant", truncate=2.5))

    weight = around(np.ones_like(known)) + 1e-9
    return np.maximum(around((one * two).sum(0)) / weight, 0), around(((one - two) ** 2).sum(0)) / weight / 4


def _window_sums(half: Seated, left: Array, scale: float, within: tuple[Field, float]) -> Array:
    """Sums in the window around each bin, of 1, the slope x, y, z, what is left, xx, xy, xz, yy, yz, zz, and slope by what is left.

    scale : how far tones stray; what strays much further counts little. within : field, and the size of the window. [mm]
    """
    field, window = within
    used = np.flatnonzero(np.isfinite(left))
    bins, left, slope = half.bin[used], left[used], half.points.slope[:, used]
    weight = 1 / ((1 + (left / (3 * scale)) ** 2) ** 2 * (scale**2 * half.points.alike))
    leaning = [s * weight for s in slope]
    pairs = [leaning[a] * slope[b] for a in range(3) for b in range(a, 3)]
    values = [weight, *leaning, -left * weight, *pairs, *(-s * left for s in leaning)]
    sigma = window / field.mm
    sums = np.empty((len(values), *field.known.shape))
    for total, value in zip(sums, values, strict=True):
        binned = np.bincount(bins, value, field.known.size).reshape(field.known.shape)
        gaussian_filter(binned, sigma, output=total, mode="constant", truncate=3.0)
    sums *= (2 * np.pi) ** 1.5 * sigma**3
    return sums


def _solved(sums: Array) -> tuple[Array, Array]:
    """The move of each bin, held back where little is seen, and the share of it that was seen along the axis that shows least.

    A few slices at a time, which stay in the processor's own memory.
    """
    parts = [_solved_here(sums[:, k : k + SLICES_AT_ONCE]) for k in range(0, sums.shape[1], SLICES_AT_ONCE)]
    return np.concatenate([step for step, _ in parts], 1), np.concatenate([known for _, known in parts])


def _solved_here(sums: Array) -> tuple[Array, Array]:
    """An offset of brightness, the same within the window, is taken out first."""
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
