"""Where a candidate lies: its label, or the nearest one and how far; and how sure that it is calcium."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.anatomy import Contrast
from resorb.ct.findings import Candidate
from resorb.ct.labels import Labels, has_role
from resorb.ct.scan import Scan
from resorb.terms.measurement import Excluded

TOUCH_MM = 3.0


def settle(candidates: list[Candidate], scan: Scan, labels: Labels | None, contrast: Contrast) -> tuple[list[Candidate], list[Excluded]]:
    """Candidates with site and sureness; those outside all labels are excluded."""
    if scan.single_slice:
        candidates = [replace(c, sure="low", because="a single slice: bone cannot be told from calcium by its shape") for c in candidates]
    if labels is None:
        return [_judged(c, contrast) for c in candidates], []
    kept, outside = [], []
    for candidate in candidates:
        name, distance = site_of(candidate.flat, scan, labels)
        if name is None or has_role(name, "bone"):
            outside.append(candidate)
        else:
            kept.append(_judged(replace(candidate, site=name, site_distance_mm=distance), contrast))
    return kept, _outside(outside, scan)


def site_of(flat: NDArray[Any], scan: Scan, labels: Labels) -> tuple[str | None, float | None]:
    """The label that holds most of these voxels and 0, or the nearest label within 3 mm and its distance. [mm]"""
    held = np.bincount(labels.index.reshape(-1)[flat].astype(np.int64))
    if len(held) > 1 and held[1:].any():
        return labels.names[int(held[1:].argmax()) + 1], 0.0
    at = np.stack(np.unravel_index(flat, scan.hu.shape), 1)
    spacing = np.nan_to_num(scan.spacing, nan=3.0)
    reach = np.ceil(TOUCH_MM / spacing).astype(int)
    low, high = np.maximum(at.min(0) - reach, 0), at.max(0) + reach + 1
    crop = labels.index[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    there = np.argwhere(crop)
    if not len(there):
        return None, None
    from scipy.spatial import KDTree

    distance, which = KDTree((there + low) * spacing).query(at * spacing)
    best = int(distance.argmin())
    if distance[best] > TOUCH_MM:
        return None, None
    return labels.names[int(crop[tuple(there[which[best]])])], float(distance[best])


def _judged(candidate: Candidate, contrast: Contrast) -> Candidate:
    """How sure it is that this is calcium: low where nobody knows of contrast, or where density alone cannot tell."""
    site = candidate.site or ""
    hollow = has_role(site, "urinary") or has_role(site, "gut")
    if not contrast.known and (hollow or not contrast.blood_plain):
        return replace(candidate, sure="low", because=f"{contrast.says}: excreted, swallowed or injected contrast looks the same")
    if candidate.faint or candidate.sure == "low":
        return replace(candidate, sure="low")
    if site and contrast.blood_plain and not hollow:
        return replace(candidate, sure="high", because="reaches 130 HU inside its label, and blood is free of contrast")
    return replace(candidate, because=f"{candidate.because}, away from the skeleton; {contrast.says}")


def exclude(candidate: Candidate, scan: Scan, taken_for: str, why: str, regions: int = 1) -> Excluded:
    """One candidate as something that is not counted."""
    at = np.stack(np.unravel_index(candidate.flat, scan.hu.shape), 1)
    x, y, z = (float(v) for v in scan.to_lps(at.mean(0)[None])[0])
    volume = None if scan.single_slice else float(len(candidate.flat) * scan.voxel_mm3)
    return Excluded(taken_for, why, regions, volume, float(scan.hu.reshape(-1)[candidate.flat].max()), (x, y, z))


def _outside(candidates: list[Candidate], scan: Scan) -> list[Excluded]:
    dense = [c for c in candidates if not c.faint]
    if not dense:
        return []
    largest = max(dense, key=lambda c: len(c.flat))
    return [exclude(largest, scan, "outside the labels", f"further than {TOUCH_MM:g} mm from any label", len(dense))]
