"""The tissue a deposit lies in, told from what else lies near it: fat, air, another organ, whose edge the blur makes soft."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_propagation, uniform_filter

from resorb.ct.noise import Noise, crowd

SMOOTH_MM = 3.5
OTHER_SD = 3.0
SURE_HU = 80.0
ROUGHEST = 2.5
FEWEST = 30

Flags = NDArray[np.bool_]


def other_tissue(hu: NDArray[Any], near: Flags, spacing: NDArray[Any], noise: Noise) -> tuple[Flags, Flags]:
    """Where a crop shows other tissue than the one that fills most of `near`: the thinner, and any other.

    Means over 3.5 mm are judged, for they show what single voxels hide in noise. Where they differ by 80 HU, as fat and air do, all that
    differs there is other tissue, the soft flank of its edge too.
    """
    none = np.zeros(hu.shape, bool)
    if near.sum() < FEWEST:
        return none, none
    side = [max(1, 2 * int(SMOOTH_MM / s / 2) + 1) for s in spacing]
    smooth = uniform_filter(hu, side)
    values = smooth[near]
    usual, middle = crowd(values), float(np.median(values))
    voxels = float(np.prod(side))
    expected = noise.voxel_hu * np.sqrt(noise.together / (noise.together + voxels - 1))
    usual = middle if abs(middle - usual) < expected else usual
    seen = 1.4826 * float(np.median(np.abs(values - usual)))
    away = smooth - usual
    limit = OTHER_SD * float(np.clip(seen, expected, ROUGHEST * expected))
    other = binary_propagation(np.abs(away) > max(limit, SURE_HU), mask=np.abs(away) > limit)
    return other & (away < 0), _widened(other)


def _widened(flags: Flags) -> Flags:
    """Flags and the voxels beside them, within a slice."""
    around = np.zeros((1, 3, 3), bool)
    around[0, 1], around[0, :, 1] = True, True
    return np.asarray(binary_dilation(flags, around))
