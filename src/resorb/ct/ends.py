"""The first and the last slice: what lies in them is seen on one side only, and may be the tip of a bone or part of a deposit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resorb.ct.agatston import DepositTable

STILL_WIDE = 0.5


def touches_an_end(table: DepositTable, slices: int) -> NDArray[np.bool_]:
    """Which regions reach the first or last slice."""
    return np.asarray((table.low[:, 0] == 0) | (table.high[:, 0] == slices - 1))


def goes_on_beyond(table: DepositTable, slices: int) -> NDArray[np.bool_]:
    """Which regions are still at least half as wide in the first or last slice as where they are widest: the scan ends within them."""
    out = np.zeros(len(table), bool)
    ends = touches_an_end(table, slices)
    if not ends.any():
        return out
    these = ends[table.deposit_of_run]
    at, where = np.unique(table.deposit_of_run[these] * slices + table.runs.slice[these], return_inverse=True)
    area = np.bincount(where, table.runs.size[these])
    region, here = at // slices, at % slices
    widest = np.zeros(len(table))
    np.maximum.at(widest, region, area)
    out[region[((here == 0) | (here == slices - 1)) & (area >= STILL_WIDE * widest[region])]] = True
    return out
