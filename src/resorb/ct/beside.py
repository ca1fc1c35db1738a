"""Beside the skeleton: a piece of bone that noise or partial volume parts from it, or a deposit in the tissue near by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.coarse import Coarse
from resorb.ct.scan import Scan

APART_MM = 5.0
SMALL_MM3 = 300.0
LONG = 3.0


def lies_apart(flat: NDArray[Any], scan: Scan, coarse: Coarse, bone: NDArray[np.bool_], dense_hu: float) -> bool:
    """Whether a dense region lies by itself: small, not long as the edge of a rib is, and well away from dense bone.

    flat : sorted flat indices of the region. bone : the cells of the coarse view that hold skeleton.
    """
    spacing = np.nan_to_num(scan.spacing, nan=3.0)
    at = np.stack(np.unravel_index(flat, scan.hu.shape), 1)
    if len(flat) * float(np.prod(spacing)) > SMALL_MM3 or _long(at * spacing):
        return False
    reach = np.ceil(APART_MM / spacing).astype(int)
    low, high = np.maximum(at.min(0) - reach, 0), np.minimum(at.max(0) + reach + 1, scan.hu.shape)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    dense = scan.hu[window] >= dense_hu
    dense[tuple((at - low).T)] = False
    others = np.argwhere(dense) + low
    cells = np.minimum(others // np.array(coarse.factor), np.array(bone.shape) - 1)
    others = others[bone[tuple(cells.T)]]
    if not len(others):
        return True
    from scipy.spatial import KDTree

    nearest, _ = KDTree(others * spacing).query(at * spacing, distance_upper_bound=APART_MM)
    return bool(np.isinf(nearest).all())


def _long(places: NDArray[Any]) -> bool:
    """Whether a region is much longer along one direction than along any other."""
    if len(places) < 3:
        return False
    along = np.linalg.svd(places - places.mean(0), compute_uv=False)
    return bool(along[0] > LONG * max(float(along[1]), 1e-6))
