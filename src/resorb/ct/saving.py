"""The deposits as a label map that overlays the scan in any viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resorb.ct.findings import Findings
from resorb.ct.nifti import is_nifti, write_labels
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan


def save_labels(path: str | Path, scan: Scan, findings: Findings) -> Path:
    """Write a NIfTI label map on the scan's own grid: 0 nothing, 1 the deposit with id 1, and so on."""
    where = Path(path)
    if not is_nifti(where.name):
        raise refuse(where, "a name that ends otherwise", ".nii or .nii.gz")
    if not where.parent.is_dir():
        raise refuse(where, f"no folder {where.parent}", "a folder that exists")
    labels = np.zeros(scan.hu.shape, np.uint8 if len(findings.candidates) < 256 else np.uint16)
    for number, candidate in enumerate(findings.candidates, start=1):
        labels.reshape(-1)[candidate.flat] = number
    affine = scan.affine.copy()
    write_labels(where, labels, affine)
    return where
