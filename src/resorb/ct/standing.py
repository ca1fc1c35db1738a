"""What stands out: which dense regions rise above their surroundings further than noise does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resorb.ct.agatston import DEFAULT, DepositTable
from resorb.ct.coarse import BLOCK, MIXED_BELOW_HU, MIXED_HU, SOFT_HU, Coarse
from resorb.ct.compact import rises_above_tissue
from resorb.ct.components import largest
from resorb.ct.ends import touches_an_end
from resorb.ct.noise import Noise
from resorb.ct.scan import Scan

VOXEL_Z = 6.0
ROUGHEST = 2.0
MOTTLE_MM3 = 40.0


def stands_out(table: DepositTable, scan: Scan, coarse: Coarse, noise: Noise, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which regions rise significantly: by their peak voxel, by a cell that stands out, or by a cell above any soft tissue.

    cells : those of the coarse view that stand out.
    """
    if not len(table):
        return np.zeros(0, bool)
    factor, shape = np.array(coarse.factor), np.array(coarse.cells.shape)
    block = np.minimum(table.centroid.astype(np.int64) // factor, shape - 1) // BLOCK
    run_cell = coarse.cell_of(table.runs.first + table.runs.size // 2, table.runs.shape)
    by_cell = np.bincount(table.deposit_of_run, cells.reshape(-1)[run_cell], len(table)) > 0
    highest = largest(coarse.cells.reshape(-1)[run_cell], table.deposit_of_run, len(table))
    mottle = (highest < DEFAULT.threshold_hu) & (table.voxels * scan.pixel_mm2 * np.nan_to_num(scan.spacing[0], nan=3.0) >= MOTTLE_MM3)
    compact = ~touches_an_end(table, len(scan.hu)) & rises_above_tissue(coarse, block, highest, DEFAULT.threshold_hu)
    by_peak = _by_peak(table, coarse, block, noise)
    return np.asarray((((by_peak | compact) & (table.voxels > 1)) | by_cell) & ~mottle)


def _by_peak(table: DepositTable, coarse: Coarse, block: NDArray[np.int64], noise: Noise) -> NDArray[np.bool_]:
    """Which regions hold a voxel above any that noise makes of the tissue there, noisier places judged by their own noise."""
    level = coarse.level[tuple(block.T)]
    level = np.where(level < MIXED_BELOW_HU, MIXED_HU, np.maximum(level, SOFT_HU))
    rougher = np.clip(coarse.spread[tuple(block.T)] / coarse.noise, 1.0, ROUGHEST)
    return np.asarray(table.peak_hu > level + VOXEL_Z * rougher * max(noise.voxel_hu, 1.0))
