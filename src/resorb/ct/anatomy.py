"""Bone, table, metal, contrast: the stated rules that tell what is dense without being a deposit.

metal     : a region that reaches 2500 HU (no calcification does; tooth enamel may).
skeleton  : where labels name bone, what lies in them; elsewhere a connected region above 130 HU of 3 cm3 or more.
fragment  : a region within 5 mm of the skeleton, or a long one beside it (see `resorb.ct.beside`).
outside   : a region not inside the body (the table, lines, the edge of the field).
contrast  : a connected space of 12 cm3 or more, evenly filled above 200 HU and without the denser wall that marrow has, or blood
labels above 90 HU, or a header that names an agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from resorb.ct.acquisition import contrast_in_header
from resorb.ct.coarse import BLOCK, Coarse
from resorb.ct.labels import Labels
from resorb.ct.scan import Scan

METAL_HU = 2500.0
SKELETON_MM3 = 3000.0
FRAGMENT_MM = 4.0
FILLED_HU = 200.0
FILLED_MM3 = 12_000.0
FILLED_SHARE = 0.12
WALL_RATIO, WALLED_SHARE = 1.15, 0.5
BLOOD_CONTRAST_HU = 90.0
BLOOD_PLAIN_HU = 75.0
BLOOD_VOXELS = 300
TISSUE_LOW, TISSUE_HIGH = -30.0, 120.0

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Contrast:
    """says : one sentence. seen : named by the header or shown by the scan. known : enough to tell calcium from contrast."""

    says: str
    seen: bool
    known: bool
    blood_plain: bool = False


def contrast_of(scan: Scan, coarse: Coarse, labels: Labels | None, told: str | None) -> Contrast:
    """What is known of contrast: told by the user, named by the header, measured in blood labels or in evenly filled spaces."""
    if told is not None:
        given = told == "given"
        return Contrast(f"the user states that {'' if given else 'no '}contrast was given", given, True, not given)
    if agent := contrast_in_header(scan.acquisition):
        return Contrast(f"the header names a contrast agent ({agent})", True, True)
    blood = _blood(scan, labels)
    if blood is not None and blood > BLOOD_CONTRAST_HU:
        return Contrast(f"blood measures {blood:.0f} HU in its labels: contrast-filled, though no header says so", True, True)
    filled = _filled_mm3(scan, coarse)
    if filled >= FILLED_MM3:
        return Contrast(
            f"{filled / 1000:.0f} cm3 are evenly filled above {FILLED_HU:.0f} HU: contrast-filled blood, though no header says so",
            True,
            True,
        )
    plain = blood is not None and blood < BLOOD_PLAIN_HU
    measured = f"; blood measures {blood:.0f} HU in its labels" if blood is not None else ""
    if scan.acquisition.modality == "unknown":
        return Contrast(f"no header says whether contrast was given{measured}", False, False, plain)
    return Contrast(f"the header names no contrast agent{measured}", False, True, plain)


def _blood(scan: Scan, labels: Labels | None) -> float | None:
    """Median HU of blood labels; none where they hold too few voxels."""
    if labels is None or not (wanted := labels.of_role("blood")):
        return None
    here = scan.hu[np.isin(labels.index, wanted)]
    return float(np.median(here)) if len(here) >= BLOOD_VOXELS else None


def _filled_mm3(scan: Scan, coarse: Coarse) -> float:
    """Volume of the largest connected space whose blocks are evenly dense and that has no denser wall around it, as marrow has."""
    pieces, count = label((coarse.mean > FILLED_HU) & (coarse.sd < FILLED_SHARE * coarse.mean))
    if not count or scan.single_slice:
        return 0.0
    block = BLOCK**3 * float(np.prod(np.array(coarse.factor) * scan.spacing))
    volumes = np.bincount(pieces.reshape(-1), minlength=count + 1)[1:] * block
    large = np.flatnonzero(volumes >= FILLED_MM3)
    filled = [float(volumes[n]) for n in large if _walled(pieces == n + 1, coarse) < WALLED_SHARE]
    return max(filled, default=float(np.delete(volumes, large).max(initial=0.0)))


def _walled(inside: Flags, coarse: Coarse) -> float:
    """Share of the blocks beside a space that hold a cell clearly denser than it, as cortex is denser than marrow."""
    denser = float(coarse.mean[inside].mean()) * WALL_RATIO + 3 * coarse.noise
    beside = np.argwhere(binary_dilation(inside, np.ones((3, 3, 3))) & ~inside)
    boxes = (coarse.cells[tuple(slice(BLOCK * k, BLOCK * (k + 1)) for k in at)] for at in beside)
    return float(np.mean([box.size > 0 and float(box.max()) > denser for box in boxes])) if len(beside) else 0.0


def near(places: NDArray[Any], flags: Flags, reach: NDArray[Any]) -> Flags:
    """For boxes (n, 2, 3) of first and last cell: is any flagged cell inside the box widened by `reach` cells?"""
    low = np.maximum(places[:, 0] - reach, 0)
    high = places[:, 1] + reach + 1
    return np.array([flags[a[0] : b[0], a[1] : b[1], a[2] : b[2]].any() for a, b in zip(low, high, strict=True)], bool)
