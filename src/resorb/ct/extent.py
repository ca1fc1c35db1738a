"""Size by half maximum, corrected for the blur that the deposit itself shows.

Three numbers of a blurred deposit depend on its size against the blur: its peak P, the volume V50 above half of it, and the
sum S of its contrast, which blur leaves alone. For a sphere of radius R blurred by a Gaussian of standard deviation s,

    P V50 / S = f(q) g(q),   q = R / s,   P = f x contrast,   V50 = g x true volume

with f and g known in closed form: 0.43 for a point, 1 for an object much larger than the blur. The measured ratio gives q, and q the
true volume. Nothing about the scanner has to be known, and a deposit that the blur hides is recognised by its ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, spline_filter
from scipy.spatial import ConvexHull, QhullError
from scipy.special import erf

from resorb.ct.surroundings import Surroundings

Floats = NDArray[Any]
Flags = NDArray[np.bool_]
STEP_MM = 0.5
SMOOTH_MM = (0.6, 0.9, 1.2, 1.5)
LEAST_SIGMA = 0.3
QUIET_SHARE = 0.02
RESOLVED_RATIO = 0.60
MOST_POINTS = 400_000


@dataclass(frozen=True)
class Extent:
    """volume_mm3 : corrected for blur. half_volume_mm3, half_diameter_mm : of the half-maximum surface as seen. diameter_mm : corrected.

    ratio : P V50 / S (see above). peak_hu : above background, smoothed. contrast_hu : of the deposit without blur. smoothness : see
    `DepositMeasure`. peak_noise_hu : of the smoothed peak.
    """

    volume_mm3: float
    diameter_mm: float
    half_volume_mm3: float
    half_diameter_mm: float
    ratio: float
    peak_hu: float
    contrast_hu: float
    smoothness: float
    peak_noise_hu: float

    @property
    def resolved(self) -> bool:
        """Whether the deposit is large enough against the blur for its size to be told."""
        return self.ratio >= RESOLVED_RATIO


@cache
def blurred_sphere() -> tuple[Floats, Floats, Floats]:
    """F g, f and g of a blurred sphere, for q from 0.3 to 40; ordered by f g."""
    q = np.geomspace(0.3, 40, 400)
    f = erf(q / np.sqrt(2)) - np.sqrt(2 / np.pi) * q * np.exp(-(q**2) / 2)
    low, high = np.full_like(q, 1e-6), q + 6.0
    for _ in range(50):
        middle = (low + high) / 2
        above = _profile(middle, q) > f / 2
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    g = (low / q) ** 3
    return f * g, f, g


def _profile(r: Floats, q: Floats) -> Floats:
    """Value at radius r of a unit sphere of radius q blurred by a unit Gaussian."""
    a, b = (q - r) / np.sqrt(2), (q + r) / np.sqrt(2)
    return np.asarray(0.5 * (erf(a) + erf(b)) - (np.exp(-(a**2)) - np.exp(-(b**2))) / (r * np.sqrt(2 * np.pi)))


def extent_of(around: Surroundings, total: float) -> Extent | None:
    """Size of one deposit. total : sum of its contrast x voxel volume. [HU mm3] None where there is no surface to speak of."""
    smooth, peak_noise = _quiet(around)
    fine, step = _fine(smooth, around)
    peak = float(fine.max())
    if peak <= 0 or total <= 0:
        return None
    inside = fine >= peak / 2
    pieces, count = label(inside)
    if count > 1:
        inside = pieces == pieces[np.unravel_index(fine.argmax(), fine.shape)]
    core = _eroded(inside)
    half_volume = _soft_volume(fine, inside, core, peak / 2) * float(np.prod(step))
    ratio = peak * half_volume / total
    table, f, g = blurred_sphere()
    shrink, top = float(np.interp(ratio, table, g)), float(np.interp(ratio, table, f))
    diameter, even = _surface(inside & ~core, step, half_volume)
    return Extent(half_volume / shrink, diameter / shrink ** (1 / 3), half_volume, diameter, ratio, peak, peak / top, even, peak_noise)


def _quiet(around: Surroundings) -> tuple[Floats, float]:
    """The deposit, smoothed no more than it takes for noise to be 2 % of its peak, and the noise that is left. [HU]"""
    above = around.above
    for smooth_mm in SMOOTH_MM:
        sigma = np.where(smooth_mm / around.spacing >= LEAST_SIGMA, smooth_mm / around.spacing, 0.0)
        smooth = gaussian_filter(above, sigma, mode="nearest")
        share = around.together * math.prod(_kernel_square(one) for one in sigma)
        noise = around.noise_hu * math.sqrt(min(1.0, share))
        if noise < QUIET_SHARE * smooth.max():
            break
    return smooth, noise


def _kernel_square(sigma: float) -> float:
    """Sum of the squares of a Gaussian kernel: the share of white noise variance that it lets through."""
    if sigma <= 0:
        return 1.0
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / sigma) ** 2)
    return float((kernel**2).sum() / kernel.sum() ** 2)


def _fine(smooth: Floats, around: Surroundings) -> tuple[Floats, Floats]:
    """The smoothed deposit on a grid of about 0.5 mm (spline), and the step of that grid. [mm]"""
    spacing = around.spacing
    at = np.argwhere(around.own)
    low, high = at.min(0), at.max(0)
    size = (high - low) * spacing
    step_mm = max(STEP_MM, float(np.prod(np.maximum(size, 1.0)) / MOST_POINTS) ** (1 / 3))
    count = np.maximum(np.ceil(size / step_mm).astype(int), 1) + 1
    axes = [np.linspace(a, b, n) for a, b, n in zip(low, high, count, strict=True)]
    z, y, x = (spline_weights(places, n) for places, n in zip(axes, smooth.shape, strict=True))
    fine = spline_filter(smooth, order=3, mode="mirror")
    fine = (z @ fine.reshape(len(fine), -1)).reshape(len(z), *fine.shape[1:])
    fine = np.matmul(np.matmul(y, fine), x.T)
    return fine, np.where(count > 1, size / np.maximum(count - 1, 1), spacing)


def spline_weights(places: Floats, size: int) -> Floats:
    """Cubic B-spline weights [..., place, sample]: from coefficients of `size` samples to values at fractional indices, ends mirrored."""
    if size == 1:
        return np.ones((*places.shape, 1))
    base = np.floor(places).astype(int)
    part = places - base
    shares = ((1 - part) ** 3 / 6, (3 * part**3 - 6 * part**2 + 4) / 6, (-3 * part**3 + 3 * part**2 + 3 * part + 1) / 6, part**3 / 6)
    weights = np.zeros((places.size, size + 3))
    weights[np.arange(places.size)[:, None], base.reshape(-1, 1) + np.arange(4)] = np.stack(shares, -1).reshape(-1, 4)
    weights[:, 2] += weights[:, 0]
    weights[:, size - 1] += weights[:, size + 1]
    weights[:, max(0, size - 2) + (size == 2)] += weights[:, size + 2]
    return weights[:, 1 : size + 1].reshape(*places.shape, size)


def _soft_volume(fine: Floats, inside: Flags, core: Flags, level: float) -> float:
    """Volume above a level in fine voxels, a voxel at the surface counted by how far it is above (linear in HU)."""
    edge = _dilated(inside) & ~core
    gradient = np.sqrt(sum(g**2 for g in np.gradient(fine))) if min(fine.shape) > 1 else np.ones_like(fine)
    share = np.clip(0.5 + (fine - level) / np.maximum(gradient, 1e-6), 0, 1)
    return float(inside[~edge].sum() + share[edge].sum())


def _dilated(mask: Flags) -> Flags:
    out = mask.copy()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    out[:, 1:] |= mask[:, :-1]
    out[:, :-1] |= mask[:, 1:]
    out[:, :, 1:] |= mask[:, :, :-1]
    out[:, :, :-1] |= mask[:, :, 1:]
    return out


def _eroded(mask: Flags) -> Flags:
    return ~_dilated(~mask)


def _surface(rim: Flags, step: Floats, volume: float) -> tuple[float, float]:
    """Longest diameter [mm], and smoothness: volume over that of the convex hull, 1 for a deposit without dents."""
    shell = np.argwhere(rim) * step
    if len(shell) < 5:
        return float(np.linalg.norm(np.ptp(shell, axis=0) + step)) if len(shell) else 0.0, 1.0
    try:
        hull = ConvexHull(shell)
    except (QhullError, ValueError):
        return float(np.linalg.norm(np.ptp(shell, axis=0)) + step.mean()), 1.0
    corners = shell[hull.vertices]
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    hull_volume = hull.volume + 0.25 * hull.area * float(step.mean())
    return float(distance.max() + 0.5 * step.mean()), float(min(1.0, volume / hull_volume))
