"""Deposits among fat and organs: a region may rise far above any soft tissue and yet be lost in how much its surroundings vary.

Soft tissue and fat vary downwards from 110 HU. What rises above that is judged by the noise of the quietest tissue near by alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.coarse import BLOCK, BODY_HU, MIXED_HU, Coarse

COMPACT_Z = 5.0
QUIETEST_SHARE = 10.0
BLOCKS_AROUND = 2
SOLID_TO_HU = 150.0
FEWEST_BLOCKS = 5


def rises_above_tissue(coarse: Coarse, block: NDArray[Any], highest: NDArray[Any], least_hu: float) -> NDArray[np.bool_]:
    """Which regions have a cell above `least_hu` and further above all soft tissue than five times the noise of cells near by.

    block : (n, 3) where each region lies. highest : its highest cell. [HU]
    """
    level = np.maximum(coarse.level[tuple(block.T)], MIXED_HU)
    out: NDArray[np.bool_] = (highest > level) & (highest > least_hu)
    for i in np.flatnonzero(out):
        out[i] = highest[i] > level[i] + COMPACT_Z * quietest(coarse, block[i])
    return out


def quietest(coarse: Coarse, block: NDArray[Any]) -> float:
    """Noise of one cell in the quietest tenth of the tissue within 15 mm; without limit where there is hardly any tissue. [HU]"""
    whole = (max(1, n // BLOCK) for n in coarse.cells.shape)
    window = tuple(
        slice(max(0, min(int(k), n - 1) - BLOCKS_AROUND), min(int(k) + BLOCKS_AROUND + 1, n)) for k, n in zip(block, whole, strict=True)
    )
    mean = coarse.mean[window]
    solid = coarse.sd[window][(mean > BODY_HU) & (mean < SOLID_TO_HU)]
    return max(0.3, float(np.percentile(solid, QUIETEST_SHARE))) if len(solid) >= FEWEST_BLOCKS else np.inf
