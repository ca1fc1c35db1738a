"""Noise breaks the rim of a deposit into specks: each belongs to the deposit beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.findings import Candidate
from resorb.ct.scan import Scan

NEAR_MM = 2.0
WEAK_NEAR_MM = 4.0
SMALL_SHARE = 0.1
WEAK_NOISES = 2.5


def join_specks(candidates: list[Candidate], scan: Scan, threshold_hu: float, noise_hu: float) -> list[Candidate]:
    """Regions within 2 mm of one ten times as large become part of it, those that just pass the threshold, within 4 mm of a larger one."""
    if len(candidates) < 2:
        return candidates
    from scipy.spatial import KDTree

    spacing = np.nan_to_num(scan.spacing, nan=3.0)
    places = [np.stack(np.unravel_index(c.flat, scan.hu.shape), 1) * spacing for c in candidates]
    owner = np.repeat(np.arange(len(candidates)), [len(p) for p in places])
    tree, sizes = KDTree(np.concatenate(places)), np.array([len(p) for p in places])
    values = scan.hu.reshape(-1)
    weak = np.array([float(values[c.flat].max()) < threshold_hu + WEAK_NOISES * noise_hu for c in candidates])
    into = np.arange(len(candidates))
    for i in np.argsort(sizes, kind="stable"):
        if not (weak[i] or sizes[i] < SMALL_SHARE * sizes.max()):
            continue
        reach = max(WEAK_NEAR_MM if weak[i] else NEAR_MM, 1.5 * float(spacing[1]))
        neighbours = owner[np.unique(np.concatenate([np.asarray(n, np.int64) for n in tree.query_ball_point(places[i], reach)]))]
        larger = neighbours[(sizes[neighbours] > sizes[i]) | ((sizes[neighbours] == sizes[i]) & (neighbours > i))]
        larger = larger[weak[i] | (sizes[larger] * SMALL_SHARE > sizes[i])]
        if len(larger):
            into[i] = larger[sizes[larger].argmax()]
    return _merged(candidates, _roots(into))


def _roots(into: NDArray[Any]) -> NDArray[Any]:
    """Where each ends up when every step is followed; steps always lead to something larger."""
    while (into[into] != into).any():
        into = into[into]
    return into


def _merged(candidates: list[Candidate], root: NDArray[Any]) -> list[Candidate]:
    out = []
    for i in np.unique(root):
        parts = [candidates[j].flat for j in np.flatnonzero(root == i)]
        out.append(candidates[i] if len(parts) == 1 else replace(candidates[i], flat=np.sort(np.concatenate(parts))))
    return out
