"""One place seen through windows, from narrow to wide, in two scans.

The sum of contrast over a place keeps the mass whatever the blur, but gathers noise from every voxel. So both scans are summed under
one window, made of what both show together: 1 within the deposit, falling off where it fades. The window lies at the same place of the
body in both, and where both are sharp enough its own centre is found in each. Being one and the same, it takes the same share of an
unchanged deposit in both scans, and that share cancels. The scan with thinner slices is looked at as if its slices were as thick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates

from resorb.ct.scan import Scan
from resorb.ct.surroundings import Surroundings
from resorb.followup.grounds import step_of
from resorb.followup.placing import Local

Floats = NDArray[Any]
LEVELS = (0.4, 0.2, 0.1, 0.05)
SMOOTH_MM = 0.8
STEP_MM, MOST_POINTS = 0.6, 40_000
FLOOR_SD = 1.5
BLUR_STEP_MM2 = 0.25
LEAST_EXTRA = 0.15
CENTRED = 0.4
FINE_MM = 1.0


@dataclass(frozen=True)
class Look:
    """One scan at one place.

    found : whether the scan shows a deposit of its own there. thickness_mm : of a slice. noise_hu : of a voxel here; together :
    how it adds up over a region (see `Noise`).
    """

    scan: Scan
    here: Surroundings
    found: bool
    thickness_mm: float
    noise_hu: float
    together: float

    @property
    def density(self) -> float:
        """Variance of a sum over a region, for each of its voxels. [HU2]"""
        return self.noise_hu**2 * self.together


@dataclass(frozen=True)
class Sifted:
    """One place under every window, the widest last.

    before, after : sum of contrast x volume [HU mm3], its variance by noise, its covariance with that of the widest window, and its
    variance by the background; [window, 4]. ground : variance of the change by the background, [window].
    share : of all that lies there. by_blur : relative change of that share with the variance of the blur [1/mm2]. by_place : with a
    place as uncertain as it is. found : whether either scan shows a deposit of its own. alone : no neighbour within reach.
    """

    before: Floats
    after: Floats
    share: Floats
    by_blur: Floats
    by_place: Floats
    ground: Floats
    found: tuple[bool, bool]
    alone: bool


@dataclass(frozen=True)
class _Grid:
    """Places both scans are looked at: step along x, y, z, counted from `low`. LPS [mm]"""

    low: Floats
    step: float
    shape: tuple[int, int, int]

    @property
    def points(self) -> Floats:
        index = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape), indexing="ij"), -1).reshape(-1, 3)
        return np.asarray(self.low + index * self.step)

    def at(self, points: Floats) -> Floats:
        return np.asarray((points - self.low) / self.step)


def sift(before: Look, after: Look, local: Local, position_mm: float) -> Sifted:
    """What lies at one place in both scans. position_mm : standard deviation of that place along one axis."""
    both = before.found and after.found
    local = _centred(before, after, local, position_mm) if both else local
    grid = _grid(before, after, local)
    shown, noise = _shown(before, after, local, grid)
    windows = _windows(shown, noise)
    step = step_of((before.scan, after.scan), (before.here, after.here), local, (before.density, after.density))
    level = (before.here.background + after.here.background) / 2
    a = _sums(before, windows, grid, None, (after.thickness_mm, level - step.hu / 2))
    b = _sums(after, windows, grid, local, (before.thickness_mm, level + step.hu / 2))
    off = math.hypot(CENTRED * position_mm if both else position_mm, max(_coarseness(look) for look in (before, after)))
    kept = np.array([_kept(window, shown, grid.step, off) for window in windows])
    alone = not (before.here.shared or after.here.shared)
    ground = step.sd**2 * a[:, 4] * b[:, 4]
    return Sifted(a[:, :4], b[:, :4], kept[:, 0], kept[:, 1], kept[:, 2], ground, (before.found, after.found), alone)


def _coarseness(look: Look) -> float:
    """How far a window may seem to lie off because pixels much larger than the blur sample it badly. [mm]"""
    return math.sqrt(max(0.0, float(look.here.spacing[1:].max()) ** 2 - FINE_MM**2) / 12)


def _centred(before: Look, after: Look, local: Local, position_mm: float) -> Local:
    """The place, moved so that the centres of what both show coincide; no further than the alignment may be wrong."""
    centres, errors = [], []
    for look in (before, after):
        weights = np.clip(look.here.above, 0, None) * (look.here.above > 2.5 * look.noise_hu)
        if not weights.any():
            return local
        at = np.argwhere(weights > 0)
        w = weights[weights > 0]
        centres.append(look.scan.to_lps(at + look.here.origin).T @ w / w.sum())
        spread = look.noise_hu * math.sqrt(look.together) * float(np.linalg.norm(at - at.mean(0), axis=1).mean()) / 2
        errors.append(spread * math.sqrt(len(w)) * look.here.spacing.mean() / w.sum())
    moved = local.backward(centres[1][None])[0] - centres[0]
    most = 3 * max(position_mm, 0.1)
    trust = position_mm**2 / (position_mm**2 + errors[0] ** 2 + errors[1] ** 2 + 1e-9)
    length = float(np.linalg.norm(moved))
    return local.shifted(-moved * trust * min(1.0, most / max(length, 1e-9)))


def _grid(before: Look, after: Look, local: Local) -> _Grid:
    mine = before.scan.to_lps(np.argwhere(before.here.own) + before.here.origin)
    theirs = local.backward(after.scan.to_lps(np.argwhere(after.here.own) + after.here.origin))
    both = np.concatenate([mine, theirs])
    low, high = both.min(0), both.max(0)
    step = max(STEP_MM, float(np.prod(high - low + STEP_MM) / MOST_POINTS) ** (1 / 3))
    count = np.ceil((high - low) / step).astype(int) + 1
    return _Grid(low, step, (int(count[0]), int(count[1]), int(count[2])))


def _shown(before: Look, after: Look, local: Local, grid: _Grid) -> tuple[Floats, float]:
    """What both scans show there together, smoothed and weighted by how quiet they are, and its noise. [HU]

    Both, also where one found nothing: else the window would follow the noise of the one that did.
    """
    points = grid.points
    images, owns, precisions, noises = [], [], [], []
    for look, at in ((before, points), (after, local.forward(points))):
        index = (look.scan.to_index(at) - look.here.origin).T
        sigma = np.where(look.here.spacing < 3 * SMOOTH_MM, SMOOTH_MM / look.here.spacing, 0.0)
        smooth = gaussian_filter(look.here.above, sigma, mode="constant")
        images.append(map_coordinates(smooth, index, order=1, mode="constant"))
        owns.append(map_coordinates(look.here.own.astype(np.float32), index, order=1, mode="constant") > 0.5)
        density = look.density * look.here.voxel_mm3
        precisions.append(1 / density)
        noises.append(density / ((4 * math.pi) ** 1.5 * float(np.prod(np.hypot(sigma, 0.3) * look.here.spacing))))
    share = np.array(precisions) / sum(precisions)
    both = (share[0] * images[0] + share[1] * images[1]) * (owns[0] & owns[1])
    return both.reshape(grid.shape), math.sqrt(share[0] ** 2 * noises[0] + share[1] ** 2 * noises[1])


def _windows(shown: Floats, noise: float) -> list[Floats]:
    """From narrow to wide; the last is everything that belongs to the deposit."""
    peak = float(shown.max())
    floor = min(FLOOR_SD * noise, 0.3 * peak)
    out = [np.clip((shown - floor) / max(level * peak - floor, 0.1 * peak), 0, 1) for level in LEVELS]
    return [*out, (shown != 0).astype(float)]


def _sums(look: Look, windows: list[Floats], grid: _Grid, local: Local | None, told: tuple[float, float]) -> Floats:
    """For each window: the sum of contrast x volume, its variance by noise, its covariance with that of the widest,
    its variance by the background, and the volume of the window. [window, 5] told : thickness of the other scan's slices [mm], and the
    level of the background here [HU].
    """
    other_thickness, level = told
    own = look.here.own
    at = look.scan.to_lps(np.argwhere(own) + look.here.origin)
    index = grid.at(local.backward(at) if local else at).T
    extra = math.sqrt(max(0.0, other_thickness**2 - look.thickness_mm**2) / 12) / float(look.here.spacing[0])
    weights = np.zeros((len(windows), *own.shape))
    for weight, window in zip(weights, windows, strict=True):
        weight[own] = map_coordinates(window, index, order=1, mode="constant")
    if extra > LEAST_EXTRA:
        weights = gaussian_filter1d(weights, extra, axis=1, mode="constant")
    flat = weights.reshape(len(windows), -1)
    total = flat @ (look.here.hu - level).reshape(-1)
    noise, volume = look.density, look.here.voxel_mm3
    weight = flat.sum(1) * volume
    variance, covariance = ((flat @ other.T) * noise * volume**2 for other in (flat, flat[-1]))
    return np.stack([total * volume, np.diagonal(variance), covariance, (weight * look.here.background_sd) ** 2, weight], 1)


def _kept(window: Floats, shown: Floats, step: float, moved_mm: float) -> tuple[float, float, float]:
    """Share of all that a window takes; by how much that share falls with blur [1/mm2]; and with a place that is off, relative."""
    taken = float((window * shown).sum())
    if taken <= 0:
        return 1e-6, 1.0, 1.0
    blurred = gaussian_filter(window, math.sqrt(BLUR_STEP_MM2) / step, mode="constant")
    offset = gaussian_filter(window, max(moved_mm, 0.05) / step, mode="constant")
    by_blur = (float((blurred * shown).sum()) / taken - 1) / BLUR_STEP_MM2
    return taken / max(float(np.clip(shown, 0, None).sum()), 1e-9), by_blur, abs(float((offset * shown).sum()) / taken - 1)
