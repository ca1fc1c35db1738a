"""One place weighed in two scans: the change of mass, with errors that belong to the pair.

Of several windows, from narrow to wide, the one with the smallest expected error of an unchanged deposit is taken: noise speaks for
narrow ones; blur that differs between the scans, and places that are not certain, for wide ones. How much the blur differs is
learnt from all the other deposits of the pair: a blurrier scan shows less of each of them under a narrow window than under a wide one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.followup.windows import Sifted

Floats = NDArray[Any]
CAPTURE_PRIOR, CAPTURE_PRIOR_SD = (0.74, 0.86, 0.93, 0.96, 1.0), (0.05, 0.05, 0.04, 0.03, 1e-6)
SHAPE_SHARE = 0.06
NARROW = 1
SHAPE_MM2 = 0.25
FARTHEST_MM2 = 1.5


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
class Blur:
    """Variance of the follow-up's blur less that of the baseline's, and how well it is known. [mm2]"""

    difference: float
    sd: float


def blur_of(places: Sequence[Sifted], prior_sd: float) -> tuple[Blur, ...]:
    """The blur between the scans as every place is held to it: learnt from the others, so that no deposit explains its own change away."""
    seen = np.array([_seen_blur(place) for place in places]).reshape(-1, 2)
    weight = 1 / seen[:, 1] ** 2
    value = np.clip(seen[:, 0], -FARTHEST_MM2, FARTHEST_MM2)
    total, moment = 1 / prior_sd**2 + weight.sum(), (weight * value).sum()
    left = total - weight
    return tuple(Blur(float(m), float(s)) for m, s in zip((moment - weight * value) / left, 1 / np.sqrt(left), strict=True))


def _seen_blur(place: Sifted) -> tuple[float, float]:
    """The difference of blur that one deposit shows, and its standard deviation; infinite where it shows none."""
    lever = float(place.by_blur[NARROW] - place.by_blur[-1])
    sums = (place.before, place.after)
    if not all(place.found) or not place.alone or abs(lever) < 1e-3 or any(s[at, 0] <= 0 for s in sums for at in (NARROW, -1)):
        return 0.0, math.inf
    shown = math.log(place.after[NARROW, 0] / place.after[-1, 0]) - math.log(place.before[NARROW, 0] / place.before[-1, 0])
    variance = 0.0
    for s in sums:
        narrow, wide = s[NARROW, 0], s[-1, 0]
        variance += s[NARROW, 1] / narrow**2 + s[-1, 1] / wide**2 - 2 * s[NARROW, 2] / (narrow * wide)
    by_ground = [math.sqrt(place.ground[at]) * 2 / (sums[0][at, 0] + sums[1][at, 0]) for at in (NARROW, -1)]
    variance = max(variance, 0.0) + (by_ground[1] - by_ground[0]) ** 2
    return shown / lever, math.sqrt(variance / lever**2 + SHAPE_MM2**2)


def settle(place: Sifted, blur: Blur, gain: float) -> Weighed:
    """The window with the least expected error, its sums scaled to the whole deposit. gain : see `Comparability`."""
    found = np.array(place.found, float)
    sharper = 0.5 * place.by_blur * blur.difference
    a, b = place.before[:, 0] * np.exp(sharper), place.after[:, 0] * np.exp(-sharper)
    typical = float(abs(a[-1] * found[0] + b[-1] * found[1]) / found.sum())
    share = np.clip(place.share, 0.3, 1.0)
    noise = np.sqrt(place.before[:, 1] + place.after[:, 1] + place.ground) / share
    apart = np.hypot(place.by_blur * blur.sd, place.by_place) * typical
    best = int(np.hypot(noise, apart).argmin())
    capture, capture_sd = _capture(place, found, best)
    by_blur, by_place = float(abs(place.by_blur[best])) * blur.sd * typical, float(place.by_place[best]) * typical
    at_gain = gain * typical
    sds = [math.hypot(math.sqrt(s[best, 1] + s[best, 3]) / capture, at_gain, by_blur, by_place) for s in (place.before, place.after)]
    by_noise = math.sqrt(place.before[best, 1] + place.after[best, 1] + place.ground[best]) / capture
    noise_sd, common_sd = math.hypot(by_noise, by_place), math.hypot(by_blur, math.sqrt(2) * at_gain)
    scale_sd = math.hypot(capture_sd / capture, SHAPE_SHARE)
    return Weighed(float(a[best]) / capture, float(b[best]) / capture, sds[0], sds[1], noise_sd, common_sd, scale_sd)


def _capture(place: Sifted, found: Floats, best: int) -> tuple[float, float]:
    """Share of the deposit that the window takes: as seen in the scans that show it, held to what a blurred small deposit gives."""
    sums = np.stack([place.before, place.after]) * found[:, None, None]
    narrow, wide = float(sums[:, best, 0].sum()), float(sums[:, -1, 0].sum())
    prior, prior_sd = CAPTURE_PRIOR[best], CAPTURE_PRIOR_SD[best]
    if best == len(CAPTURE_PRIOR) - 1 or wide <= 0:
        return 1.0, 0.0
    outside = float((sums[:, -1, 1] - 2 * sums[:, best, 2] + sums[:, best, 1]).clip(0).sum())
    seen_sd = math.hypot(math.sqrt(outside) / wide, 0.01)
    weight = prior_sd**2 / (prior_sd**2 + seen_sd**2)
    return float(np.clip(prior + weight * (narrow / wide - prior), 0.5, 1.05)), math.sqrt(weight) * seen_sd
