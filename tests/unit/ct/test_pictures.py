# ruff: noqa: E402  (imports come after what may be missing)
"""Pictures of deposits: the whole of one is shown, also where most of it lies at one end."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy")

from resorb.ct.findings import Candidate
from resorb.ct.pictures import _tile
from resorb.ct.scan import Scan


def test_a_lopsided_deposit_lies_inside_its_picture() -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    scan = Scan(np.zeros((3, 200, 200), np.int16), affine)
    mask: Any = np.zeros(scan.hu.shape, bool)
    mask[1, 20:40, 20:40] = True  # a block, and a thin tail far to one side: the mean lies in the block
    mask[1, 39, 40:160] = True
    picture = _tile(scan, Candidate(np.flatnonzero(mask), "high", ""), 1)
    xs = [x for _, line in picture.outlines for x, _ in line]
    assert min(xs) > 0
    assert max(xs) < picture.width
