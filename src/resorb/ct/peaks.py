"""Small deposits in a body: a cell that rises above what lies right around it, however fat, air and organs vary further off.

Soft tissue without contrast stays below 80 HU. A cell above that is compared with the shell of tissue 5 to 8 mm away, and judged by the
noise of the quietest tissue near by, for other tissue is no noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.coarse import BLOCK, Coarse
from resorb.ct.compact import quietest

FIRM_HU, PLAIN_HU = 80.0, 400.0
SHELL_MM = (5.0, 8.0)
SHELL_SHARES = (0.10, 0.75, 0.95)
BELL_MOST, BELL_STEP = 1.645, 1.645 - 0.674
HALF = 0.5
PEAK_SHARE = 0.75
A_FEW = 11
THIN_HU = -200.0
TISSUE_HU = (-30.0, 120.0)

Ints = NDArray[Any]


def rising(coarse: Coarse, cell_mm: NDArray[Any]) -> Ints:
    """Flat indices of the cells of peaks that rise out of the tissue around them further than noise does. cell_mm : of a cell. [mm]"""
    peaks = _highest(coarse, _between(coarse))
    if not len(peaks):
        return peaks
    at = np.stack(np.unravel_index(peaks, coarse.cells.shape), 1)
    at = at[_around(coarse, at, cell_mm, A_FEW)[1] < TISSUE_HU[1]]  # most peaks lie in bone
    able, level = _stand(coarse, at, cell_mm, 1.0)
    return _upper_halves(coarse, at[able], level[able])


def is_a_peak(coarse: Coarse, cells: Ints, cell_mm: NDArray[Any]) -> bool:
    """Whether the highest of these cells is firm, or a peak in its tissue: another organ is neither, however far it stands out."""
    highest = cells[coarse.cells.reshape(-1)[cells].argmax()]
    at = np.stack(np.unravel_index(highest[None], coarse.cells.shape), 1)
    return bool(coarse.cells[tuple(at[0])] > FIRM_HU) or bool(_stand(coarse, at, cell_mm, PEAK_SHARE)[0][0])


def _stand(coarse: Coarse, at: NDArray[Any], cell_mm: NDArray[Any], share: float) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which of these cells rise above the shell around them, by this share of what chance never reaches; and the level of that shell."""
    thin, usual, most = _around(coarse, at, cell_mm)
    value = coarse.cells[tuple(at.T)]
    able = (thin > THIN_HU) & (most < TISSUE_HU[1]) & (usual > TISSUE_HU[0])
    rise = share * coarse.least_z - BELL_MOST
    able &= value > most + rise * np.maximum(coarse.noise, (most - usual) / BELL_STEP)
    for n in np.flatnonzero(able):
        able[n] = value[n] > most[n] + rise * quietest(coarse, at[n] // BLOCK)
    return able, usual


def _between(coarse: Coarse) -> Ints:
    """Flat indices of the cells above soft tissue and below dense bone, but for the outermost."""
    deep, high, wide = coarse.cells.shape
    found = []
    for k in range(1, deep - 1):
        one = coarse.cells[k].reshape(-1)
        at = np.flatnonzero(one > FIRM_HU)
        at = at[one[at] < PLAIN_HU]
        row, column = at // wide, at % wide
        found.append(at[(row > 0) & (row < high - 1) & (column > 0) & (column < wide - 1)] + k * high * wide)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _highest(coarse: Coarse, at: Ints) -> Ints:
    """Those that are higher than each of their 26 neighbours."""
    flat = coarse.cells.reshape(-1)
    _, high, wide = coarse.cells.shape
    for k in (0, 1, -1):
        for j in (0, 1, -1):
            for i in (1, -1, 0):
                if k or j or i:
                    at = at[flat[at] > flat[at + (k * high + j) * wide + i]]
    return at


def _around(coarse: Coarse, at: NDArray[Any], cell_mm: NDArray[Any], every: int = 1) -> NDArray[Any]:
    """What a tenth, three quarters and 95 of 100 of the shell around each place stay below, from `every` so many of its cells. [HU]"""
    reach = np.ceil(SHELL_MM[1] / cell_mm).astype(int)
    offset = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1).reshape(-1, 3)
    away = np.linalg.norm(offset * cell_mm, axis=1)
    offset = offset[(away >= SHELL_MM[0]) & (away <= SHELL_MM[1])][::every]
    out = np.empty((3, len(at)))
    ranks = [int(share * (len(offset) - 1)) for share in SHELL_SHARES]
    last = np.array(coarse.cells.shape) - 1
    for first in range(0, len(at), 1000):
        places = np.clip(at[first : first + 1000, None] + offset, 0, last)
        shells = coarse.cells[tuple(np.moveaxis(places, -1, 0))]
        out[:, first : first + 1000] = np.partition(shells, ranks, axis=1)[:, ranks].T
    return out


def _upper_halves(coarse: Coarse, at: NDArray[Any], level: NDArray[Any]) -> Ints:
    """The cells at and next to each place that reach half its height above its level."""
    if not len(at):
        return np.zeros(0, np.int64)
    offset = np.stack(np.meshgrid(*(np.arange(-1, 2),) * 3, indexing="ij"), -1).reshape(-1, 3)
    places = (at[:, None] + offset).reshape(-1, 3)
    half = level + HALF * (coarse.cells[tuple(at.T)] - level)
    high = coarse.cells[tuple(places.T)] >= np.repeat(half, len(offset))
    return np.unique(np.ravel_multi_index(tuple(places[high].T), coarse.cells.shape))
