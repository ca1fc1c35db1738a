"""One place weighed in two scans: the change of mass, with errors that belong to the pair.

The sum of contrast over a place keeps the mass whatever the blur, but gathers noise from every voxel. So both scans are summed under
one window, made of what both show together: 1 within the deposit, falling off where it fades. The window lies at the same place of the
body in both, and where both are sharp enough its own centre is found in each. Being one and the same, it takes the same share of
an unchanged deposit in both scans, and that share cancels. Of several windows, from narrow to wide, the one with the smallest expected
error of an unchanged deposit is taken: noise speaks for narrow ones; blur that differs, and places that are not certain, for wide ones.
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
from resorb.followup.placing import Local

Floats = NDArray[Any]
LEVELS = (0.4, 0.2, 0.1, 0.05)
SMOOTH_MM = 0.8
STEP_MM, MOST_POINTS = 0.6, 40_000
FLOOR_SD = 1.5
BLUR_STEP_MM2 = 0.25
CAPTURE_PRIOR, CAPTURE_PRIOR_SD = (0.74, 0.86, 0.93, 0.96, 1.0), (0.05, 0.05, 0.04, 0.03, 1e-6)
SHAPE_SHARE = 0.06


@dataclass(frozen=True)
class Look:
    """One scan at one place. found : whether the scan shows a deposit of its own there. thickness_mm : of a slice."""

    scan: Scan
    here: Surroundings
    found: bool
    thickness_mm: float


@dataclass(frozen=True)
class Doubt:
    """What is not known of the pair. position_mm : standard deviation of a place along one axis. blur_mm2 : of the difference of the
    variances of their blur. gain : relative standard deviation of one weighing on this scanner, beyond its noise.
    """

    position_mm: float
    blur_mm2: float
    gain: float


@dataclass(frozen=True)
class Weighed:
    """Contrast above background x volume at one place in both scans. [HU mm3]

    before_sd, after_sd : of each. noise_sd : of the change, by noise and place. common_sd : by what all deposits of a pair share,
    blur and gain. scale_sd : relative, of any change.
    """

    before: float
    after: float
    before_sd: float
    after_sd: float
    noise_sd: float
    common_sd: float
    scale_sd: float

    @property
    def null_sd(self) -> float:
        """Standard deviation of the change where nothing changed. [HU mm3]"""
        return math.hypot(self.noise_sd, self.common_sd)

    @property
    def change(self) -> float:
        """After less before. [HU mm3]"""
        return self.after - self.before

    @property
    def change_sd(self) -> float:
        """Standard deviation of the change, whatever it is. [HU mm3]"""
        return math.hypot(self.null_sd, self.scale_sd * self.change)


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


def weigh(before: Look, after: Look, local: Local, doubt: Doubt) -> Weighed:
    """What lies at one place in both scans."""
    local = _centred(before, after, local, doubt) if before.found and after.found else local
    grid = _grid(before, after, local)
    shown, floor = _shown(before, after, local, grid)
    windows = _windows(shown, floor)
    a, b = _sums(before, windows, grid, None, after.thickness_mm), _sums(after, windows, grid, local, before.thickness_mm)
    doubts = np.array([_doubts(window, shown, doubt, grid.step, before.found and after.found) for window in windows])
    return _best(before, after, a, b, doubts, doubt)


def _centred(before: Look, after: Look, local: Local, doubt: Doubt) -> Local:
    """The place, moved so that the centres of what both show coincide; no further than the alignment may be wrong."""
    centres, errors = [], []
    for look in (before, after):
        weights = np.clip(look.here.above, 0, None) * (look.here.above > 2.5 * look.here.noise_hu)
        if not weights.any():
            return local
        at = np.argwhere(weights > 0)
        w = weights[weights > 0]
        centres.append(look.scan.to_lps(at + look.here.origin).T @ w / w.sum())
        spread = look.here.noise_hu * math.sqrt(look.here.together) * float(np.linalg.norm(at - at.mean(0), axis=1).mean()) / 2
        errors.append(spread * math.sqrt(len(w)) * look.here.spacing.mean() / w.sum())
    moved = local.backward(centres[1][None])[0] - centres[0]
    most = 3 * max(doubt.position_mm, 0.1)
    trust = doubt.position_mm**2 / (doubt.position_mm**2 + errors[0] ** 2 + errors[1] ** 2 + 1e-9)
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
    """What the scans that show a deposit show there together, smoothed and weighted by how quiet they are, and its noise. [HU]"""
    points = grid.points
    images, owns, precisions, noises = [], [], [], []
    for look, at in ((before, points), (after, local.forward(points))):
        index = (look.scan.to_index(at) - look.here.origin).T
        sigma = np.where(look.here.spacing < 3 * SMOOTH_MM, SMOOTH_MM / look.here.spacing, 0.0)
        smooth = gaussian_filter(look.here.above, sigma, mode="constant")
        images.append(map_coordinates(smooth, index, order=1, mode="constant"))
        owns.append(map_coordinates(look.here.own.astype(np.float32), index, order=1, mode="constant") > 0.5)
        density = look.here.noise_hu**2 * look.here.voxel_mm3 * look.here.together
        precisions.append(1 / density if look.found else 0.0)
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


def _sums(look: Look, windows: list[Floats], grid: _Grid, local: Local | None, other_thickness: float) -> Floats:
    """For each window: the sum of contrast x volume, its variance by noise, and by the background. [window, 3]"""
    own = look.here.own
    at = look.scan.to_lps(np.argwhere(own) + look.here.origin)
    index = grid.at(local.backward(at) if local else at).T
    extra = math.sqrt(max(0.0, other_thickness**2 - look.thickness_mm**2) / 12) / float(look.here.spacing[0])
    volume, noise = look.here.voxel_mm3, look.here.noise_hu**2 * look.here.together
    out = []
    for window in windows:
        weight = np.zeros(own.shape)
        weight[own] = map_coordinates(window, index, order=1, mode="constant")
        if extra > 0.15:
            weight = gaussian_filter1d(weight, extra, axis=0, mode="constant")
        total = float((weight * (look.here.hu - look.here.background)).sum()) * volume
        out.append((total, float((weight**2).sum()) * noise * volume**2, (float(weight.sum()) * look.here.background_sd * volume) ** 2))
    return np.array(out)


def _doubts(window: Floats, shown: Floats, doubt: Doubt, step: float, centred: bool) -> tuple[float, float, float]:
    """Share of all that the window takes; how far that share may differ between the scans, by blur and by place."""
    taken = float((window * shown).sum())
    if taken <= 0:
        return 1e-6, 1.0, 1.0
    blurred = gaussian_filter(window, math.sqrt(BLUR_STEP_MM2) / step, mode="constant")
    by_blur = (float((blurred * shown).sum()) / taken - 1) / BLUR_STEP_MM2
    moved = 0.4 * doubt.position_mm if centred else doubt.position_mm
    offset = gaussian_filter(window, max(moved, 0.05) / step, mode="constant")
    by_place = abs(float((offset * shown).sum()) / taken - 1)
    return taken / max(float(np.clip(shown, 0, None).sum()), 1e-9), abs(by_blur) * doubt.blur_mm2, by_place


def _best(before: Look, after: Look, a: Floats, b: Floats, doubts: Floats, doubt: Doubt) -> Weighed:
    """The window with the least expected error, its sums scaled to the whole deposit."""
    found = np.array([before.found, after.found], float)
    mean = (a[:, 0] * found[0] + b[:, 0] * found[1]) / found.sum()
    typical = np.abs(mean[-1])
    share = np.clip(doubts[:, 0], 0.3, 1.0)
    noise = np.sqrt(a[:, 1] + a[:, 2] + b[:, 1] + b[:, 2]) / share
    apart = np.hypot(doubts[:, 1], doubts[:, 2]) * typical
    best = int(np.hypot(noise, apart).argmin())
    capture, capture_sd = _capture(a, b, found, best)
    gain = doubt.gain * abs(float(mean[best])) / capture
    noises = [math.sqrt(s[best, 1] + s[best, 2]) / capture for s in (a, b)]
    by_blur, by_place = (float(d) * float(typical) for d in doubts[best, 1:])
    sds = [math.hypot(n, gain, by_blur, by_place) for n in noises]
    before_sum, after_sum = (float(s[best, 0]) / capture for s in (a, b))
    noise_sd, common_sd = math.hypot(*noises, by_place), math.hypot(by_blur, math.sqrt(2) * gain)
    return Weighed(before_sum, after_sum, sds[0], sds[1], noise_sd, common_sd, math.hypot(capture_sd / capture, SHAPE_SHARE))


def _capture(a: Floats, b: Floats, found: Floats, best: int) -> tuple[float, float]:
    """Share of the deposit that the window takes: as seen in the scans that show it, held to what a blurred small deposit gives."""
    narrow, wide = ((a[at, 0] * found[0] + b[at, 0] * found[1]) / found.sum() for at in (best, -1))
    prior, prior_sd = CAPTURE_PRIOR[best], CAPTURE_PRIOR_SD[best]
    if best == len(CAPTURE_PRIOR) - 1 or wide <= 0:
        return 1.0, 0.0
    seen = narrow / wide
    outside = np.array([max(0.0, s[-1, 1] + s[-1, 2] - s[best, 1] - s[best, 2]) for s in (a, b)])
    seen_sd = math.hypot(math.sqrt(float((outside * found**2).sum())) / found.sum() / wide, 0.01)
    weight = prior_sd**2 / (prior_sd**2 + seen_sd**2)
    return float(np.clip(prior + weight * (seen - prior), 0.5, 1.05)), math.sqrt(weight) * seen_sd
