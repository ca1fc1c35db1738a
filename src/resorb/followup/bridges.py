"""Did it fall apart, or grow together? What two pieces of one scan look like between them, held against the other scan.

A threshold parts one deposit into two wherever noise or the grid dips below it. It has fallen apart only where the bridge between
the pieces is lower than the other scan's, scaled to the mass that is left, by more than noise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.spatial import cKDTree

from resorb.followup.placing import Local
from resorb.followup.weighing import Weighed
from resorb.followup.windows import Look

Points = NDArray[Any]
BRIDGE_MM = 0.8
LEAST_Z, LEAST_SHARE = 3.0, 0.3
PIECE_Z, SPECK_SHARE = 5.0, 0.15


def parted(looks: tuple[Look, Look], threshold_hu: float, local: Local, weighed: Weighed) -> tuple[int, int] | None:
    """How many pieces there were before and after, where pieces of the one scan are truly joined in the other; none where not."""
    shown = [pieces(look, threshold_hu) for look in looks]
    many = (len(shown[0]), len(shown[1]))
    if min(many) < 1 or many[0] == many[1]:
        return None
    whole, broken = (0, 1) if many[0] < many[1] else (1, 0)
    less, more = (weighed.after, weighed.before) if whole == 0 else (weighed.before, weighed.after)
    ratio = min(less / more, 1.0) if min(less, more) > 0 else 1.0
    gap = _gap(shown[broken])
    there = local.backward(gap) if broken == 1 else local.forward(gap)
    lower, lower_sd = _level(looks[broken], gap)
    higher, higher_sd = _level(looks[whole], there)
    drop = ratio * higher - lower
    real = drop > LEAST_Z * math.hypot(lower_sd, higher_sd) and drop > LEAST_SHARE * ratio * higher
    return many if real else None


def pieces(look: Look, threshold_hu: float) -> list[Points]:
    """Voxel centres of each piece that stands above the threshold and well out of the noise, specks left out. LPS [mm]"""
    dense = look.here.core & (look.here.hu >= threshold_hu)
    labels, count = label(dense, np.ones((3, 3, 3)))
    above = [float((look.here.hu[labels == n] - look.here.background).sum()) for n in range(1, count + 1)]
    sizes = np.bincount(labels.reshape(-1), minlength=count + 1)[1:]
    noise = look.noise_hu * np.sqrt(np.maximum(sizes, 1) * look.together)
    kept = [n + 1 for n in range(count) if sizes[n] > 1 and above[n] > PIECE_Z * noise[n] and above[n] > SPECK_SHARE * max(above)]
    return [look.scan.to_lps(np.argwhere(labels == n) + look.here.origin) for n in kept]


def _gap(pieces: list[Points]) -> Points:
    """The middle between the two largest pieces, where they are nearest to each other. (1, 3)"""
    one, other = sorted(pieces, key=len)[-2:]
    distance, index = cKDTree(one).query(other)
    at = int(distance.argmin())
    return np.asarray((other[at] + one[index[at]])[None] / 2)


def _level(look: Look, point: Points) -> tuple[float, float]:
    """Mean contrast around a point, and its standard deviation. [HU]"""
    index = look.scan.to_index(point)[0] - look.here.origin
    axes = np.meshgrid(*(np.arange(n) for n in look.here.hu.shape), indexing="ij")
    far = sum(((axis - at) * step) ** 2 for axis, at, step in zip(axes, index, look.here.spacing, strict=True))
    weight = np.exp(-0.5 * far / BRIDGE_MM**2)
    weight /= max(float(weight.sum()), 1e-9)
    noise = look.noise_hu * math.sqrt(look.together * float((weight**2).sum()))
    return float((weight * (look.here.hu - look.here.background)).sum()), math.hypot(noise, look.here.background_sd)
